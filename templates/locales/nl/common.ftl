# Woorden die op elke pagina voorkomen.
skip-to-content = Naar de inhoud
footer-product = Countersign: uw organisatie tekent mee voor elke app.
languages-label = Taal
menu = Menu
menu-close = Menu sluiten
nav-label = Hoofdmenu
nav-switch = Wisselen
nav-count = { $count } wachten
nav-clients = Clientbeheer
nav-activity = Activiteit
nav-notifications = Berichten
nav-members = Leden
nav-fhir-endpoints = FHIR-adressen
nav-launches = Een start proberen
nav-brand = Huisstijl
nav-settings = Instellingen
nav-my-clients = Clients
nav-requests = Toegangsverzoeken
nav-webhooks = Webhooks
nav-organizations = Organisaties
nav-accounts = Accounts
nav-keys = Sleutels
nav-account = Uw account
crumb-label = Kruimelpad
paging-label = Pagina’s
paging-previous = Vorige
paging-next = Volgende
copy = Kopiëren
copied = Gekopieerd
email = E-mailadres
password = Wachtwoord
sign-in = Inloggen
sign-out = Uitloggen

state-draft = Concept
state-waiting = Wacht
state-approved = Goedgekeurd
state-disabled = Uitgeschakeld
state-rejected = Afgewezen
state-withdrawn = Ingetrokken
state-expired = Verlopen
state-none = Niet gevraagd

risk-writes = Wijzigt gegevens
risk-deletes = Verwijdert gegevens
risk-all-patients = Alle patiënten
risk-future-kinds = Ook latere soorten gegevens
risk-background = Zonder dat iemand is ingelogd
risk-bulk = Kopieën in bulk
risk-sensitive = Gevoelig
risk-looks-like = Naam lijkt op een andere app
risk-new-provider = Nieuwe leverancier hier
risk-unverified-domain = Domein niet bewezen
risk-public-client = App kan geen geheim bewaren
risk-needs-key = Krijgt hier geen tokens zonder sleutel
risk-shared-secret = Bewijst zich met een gedeeld geheim, niet met een sleutel
risk-no-contact = Niemand om naar te schrijven
risk-new-host = Nieuw webadres

mark-writes = wijzigt gegevens
mark-sensitive = gevoelig
scope-only-some = Of alleen een deel: haal het vinkje hierboven weg en kies
scope-technical = Technische details

count = { $n }
ago-now = zojuist
ago-minutes = { $n ->
    [one] 1 minuut geleden
   *[other] { $n } minuten geleden
}
ago-hours = { $n ->
    [one] 1 uur geleden
   *[other] { $n } uur geleden
}
ago-days = { $n ->
    [one] gisteren
   *[other] { $n } dagen geleden
}
span-minutes = { $n ->
    [one] 1 minuut
   *[other] { $n } minuten
}
span-hours = { $n ->
    [one] 1 uur
   *[other] { $n } uur
}
span-days = { $n ->
    [one] 1 dag
   *[other] { $n } dagen
}
