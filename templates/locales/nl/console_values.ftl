# Waarden op de pagina's van de console die handlers samenstellen: getallen, tijdsduren, namen van feiten, zinnen in delen.
console-number = { $count }
console-range = { $first } tot { $last } van { $total }
console-minutes = { $count ->
    [one] één minuut
   *[other] { $count } minuten
}
console-hours = { $count ->
    [one] één uur
   *[other] { $count } uur
}
console-days = { $count ->
    [one] één dag
   *[other] { $count } dagen
}
console-no-end = Geen einde
console-sort-oldest = Oudste eerst
console-sort-newest = Nieuwste eerst
console-sort-name = Naam
console-sort-last-used = Laatst gebruikt
console-ask-by = {" van "}
console-ask-for = {" vraagt toegang en "}
console-ask-alone = zonder dat iemand is ingelogd
console-ask-offline = en gaat door als de persoon weg is
console-field-fhir-endpoint = FHIR-endpoint
console-field-client-id = Client-id
console-field-name = Naam
console-field-description = In de woorden van de leverancier
console-field-logo = Logo
console-field-client-type = Soort
console-field-redirect-uris = Terugkeeradres
console-field-launch-uri = Startadres
console-field-jwks-uri = Adres van de sleutels
console-field-jwks = Sleutels
console-field-grant-types = Hoe de app tokens krijgt
console-field-post-logout-redirect-uris = Adres na uitloggen
console-field-backchannel-logout-uri = Hoort van uitloggen op
console-field-native = Op een apparaat geïnstalleerd
console-field-contacts = Contact
console-field-homepage = Website
console-field-privacy = Privacy
console-field-terms = Voorwaarden
console-field-assertion-audience = Publiek van de assertions
console-field-fhir-context-objects = Startcontext als objecten
console-field-declared = Bijzonderheden van de registratie
console-type-public = Openbaar: kan geen geheim bewaren
console-type-confidential-secret = Vertrouwelijk, met een geheim
console-type-confidential-keys = Vertrouwelijk, met eigen sleutels
console-grant-authorization-code = nadat iemand inlogt
console-grant-refresh-token = later vernieuwd
console-grant-client-credentials = zelfstandig
console-jwks-inline = geregistreerd bij de client
console-changed-unknown = Het formulier is niet van dit verzoek gemaakt.
console-ended-access-tokens = Beëindigde toegangstokens
console-ended-refresh-tokens = Beëindigde vernieuwtokens
console-granted-scopes = Verleende scopes
console-expires = Eindigt
console-kind-all = Alles
console-kind-requests = Verzoeken en goedkeuringen
console-kind-clients = Uit- en ingeschakeld
console-kind-staff = Leden
console-kind-tokens = Tokens
console-news-access-request-received = { $client } vraagt toegang
console-news-access-request-withdrawn = { $client } trok het verzoek in
console-news-access-request-approved = { $client } is live
console-news-access-request-rejected = { $client } is afgewezen
console-news-access-request-expired = Het verzoek van { $client } is verlopen
console-news-client-disabled = { $client } is uitgeschakeld
console-news-client-enabled = { $client } is ingeschakeld
console-news-approval-expired = De goedkeuring van { $client } is verlopen
console-will-be-sent = Het wordt opnieuw verstuurd.
console-role-viewer = Lezer
console-role-reviewer = Beoordelaar
console-role-admin = Beheerder
console-member-added = Het lid is toegevoegd.
console-role-changed = De rol is gewijzigd.
console-member-removed = Het lid is verwijderd.
console-endpoint-added = Het FHIR-endpoint is toegevoegd.
console-endpoint-changed = Het FHIR-endpoint is gewijzigd.
console-settings-saved = Opgeslagen.
console-blocked = De leverancier mag niet opnieuw vragen
console-allow-again = Opnieuw laten vragen
console-allowed-again = De leverancier mag opnieuw vragen.
console-change = Wijzigen
