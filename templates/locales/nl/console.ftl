# De console van een zorgorganisatie.
clients-title = Clientbeheer
clients-waiting = { $count ->
    [one] Eén verzoek wacht op u, al { $oldest }.
   *[other] { $count } verzoeken wachten op u; het oudste al { $oldest }.
}
clients-none-waiting = Er wacht geen verzoek op u.
clients-filters = Filter op status
filter-all = Alle
clients-search = Zoek client of leverancier
sort = Volgorde
column-client = Client
column-state = Status
column-asks = Vraagt om
column-when = Gevraagd of beslist
column-tokens = Geldige tokens
mark-change = wijziging
clients-never = Nog geen app heeft iets gevraagd
clients-never-text = Als een applicatieleverancier uw organisatie om toegang vraagt, staat het verzoek hier en krijgt u een e-mail. Niets komt bij uw gegevens voordat u het goedkeurt.
clients-nothing = Niets gevonden
clients-nothing-text = Geen client past bij dit filter en deze zoekterm.
clients-show-all = Alle clients tonen

review-title = { $app }: toegangsverzoek
review-asked = <bdi>{ $when }</bdi> gevraagd door <bdi>{ $who }</bdi>
review-risks = Kijk hier eerst naar
review-reason = Waarom
review-reason-by = In de woorden van <bdi>{ $provider }</bdi>; niemand heeft ze gecontroleerd
review-people = { $count ->
    [one] Eén persoon wilde de app gebruiken en wacht
   *[other] { $count } mensen wilden de app gebruiken en wachten
}
review-changes = Wat er zou veranderen
review-can = Wat de app kan
review-can-nothing = De app vraagt geen gegevens, alleen om te weten wie inlogt.
review-about = Over de client
review-history = Geschiedenis
review-history-none = Er is nog niets gebeurd.
back-to-review = Terug naar het verzoek

diff-added = { $count ->
    [one] Eén nieuwe soort toegang
   *[other] { $count } nieuwe soorten toegang
}
diff-removed = { $count ->
    [one] Eén soort toegang vervalt
   *[other] { $count } soorten toegang vervallen
}
diff-unchanged = { $count ->
    [one] Eén blijft gelijk
   *[other] { $count } blijven gelijk
}
diff-added-word = Nieuw
diff-removed-word = Vervalt
diff-unchanged-word = Gelijk
diff-before = Was
diff-after = Wordt

decide-title = Beslissing
decide-done = Over dit verzoek is beslist.
decide-may-not = Met uw rol kunt u dit verzoek lezen, maar er niet over beslissen. Vraag een beoordelaar van uw organisatie.
decide-approve = Goedkeuren zoals gevraagd
decide-less = Goedkeuren met minder
decide-less-hint = Haal in de lijst het vinkje weg bij wat de app niet mag krijgen
decide-reject = Afwijzen
decide-to-list = Naar de lijst van wat de app kan
decide-chosen = {"{chosen}"} van {"{all}"} soorten toegang
decide-duration = De goedkeuring duurt
decide-reason = Waarom niet?
decide-reason-hint = De leverancier krijgt dit te lezen.
decide-again = De leverancier mag het opnieuw vragen
decide-continue = Verder
decide-signature = Meegetekend door <bdi>{ $person }</bdi>

approve-title = { $app } goedkeuren?
approve-heading = <bdi>{ $app }</bdi> goedkeuren?
approve-until = De goedkeuring duurt tot <strong><bdi>{ $until }</bdi></strong>. U kunt de app elk moment uitschakelen.
approve-no-end = De goedkeuring heeft geen einde. U kunt de app elk moment uitschakelen.
approve-may = De app kan dan
approve-left-out = { $count ->
    [one] Weggelaten uit wat is gevraagd
   *[other] Weggelaten uit wat is gevraagd: { $count } soorten
}
approve-yes = Goedkeuren
reject-title = { $app } afwijzen?
reject-heading = <bdi>{ $app }</bdi> afwijzen?
reject-reads = <bdi>{ $provider }</bdi> krijgt te lezen:
reject-again = De leverancier mag het opnieuw vragen.
reject-blocked = De leverancier mag het niet opnieuw vragen totdat u dat toestaat.
reject-yes = Afwijzen
disable-title = { $app } uitschakelen?
disable-heading = <bdi>{ $app }</bdi> uitschakelen?
disable-stops = Meteen eindigen <strong>{ $tokens }</strong> geldige tokens voorgoed en kunnen <strong>{ $users }</strong> mensen de app hier niet meer gebruiken.
disable-reversible = U kunt de app weer inschakelen; apps moeten dan opnieuw inloggen, niets ouds komt terug.
disable-yes = Client nu uitschakelen

client-off = Deze client is uitgeschakeld
client-off-by = Sinds <bdi>{ $when }</bdi>, door <bdi>{ $who }</bdi>.
client-off-enable = Na het inschakelen moeten apps opnieuw inloggen; niets ouds komt terug.
client-enable = Client inschakelen
client-since = sinds <bdi>{ $when }</bdi>, door <bdi>{ $who }</bdi>
client-expires = eindigt op <bdi>{ $when }</bdi>
client-no-end = heeft geen einde
client-expires-soon = Deze goedkeuring eindigt binnenkort
client-expires-soon-text = Vraag de leverancier om een nieuw verzoek, anders stopt de app op die dag.
client-change = De leverancier vraagt om een wijziging
client-change-text = Tot u beslist, blijft de huidige goedkeuring zoals die is.
client-change-review = Wijziging beoordelen
client-tokens = Geldige tokens
client-users = Gebruikers
client-uses = Verzoeken in 30 dagen
client-use = Gebruik in de laatste 30 dagen
client-most = hoogstens <bdi>{ $count }</bdi> op één dag
client-use-table = Als tabel
client-unused = De app is de laatste 30 dagen niet gebruikt.
client-may = Wat de app mag
client-disable = Client uitschakelen
client-disable-reason = Waarom?
day = Dag
requests = Verzoeken

receipt-approved-title = { $app } is goedgekeurd
receipt-approved-heading = <bdi>{ $app }</bdi> is goedgekeurd
receipt-approved-text = De app heeft precies wat is gevraagd. De leverancier heeft bericht gekregen.
receipt-approved-less-title = { $app } is goedgekeurd met minder
receipt-approved-less-heading = <bdi>{ $app }</bdi> is goedgekeurd met minder
receipt-approved-less-text = De app heeft minder dan is gevraagd. De leverancier heeft bericht gekregen wat is weggelaten.
receipt-rejected-title = { $app } is afgewezen
receipt-rejected-heading = <bdi>{ $app }</bdi> is afgewezen
receipt-rejected-text = De app krijgt niets. De leverancier heeft uw reden gekregen.
receipt-disabled-title = { $app } is uitgeschakeld
receipt-disabled-heading = <bdi>{ $app }</bdi> is uitgeschakeld
receipt-disabled-text = Vanaf dit moment is elk token van de app hier ongeldig, en dat blijft zo.
receipt-enabled-title = { $app } is ingeschakeld
receipt-enabled-heading = <bdi>{ $app }</bdi> is ingeschakeld
receipt-enabled-text = Apps moeten opnieuw inloggen; niets ouds komt terug.
receipt-reason = Reden
receipt-by = Meegetekend door <bdi>{ $person }</bdi>
receipt-record = Logregel
receipt-next = Volgend verzoek
receipt-client = Naar <bdi>{ $app }</bdi>

changed-title = Gewijzigd sinds u keek
changed-text = Er is niets beslist. Wat u zag, is niet meer wat wordt gevraagd.
changed-difference = Het verschil
changed-what = Wat er gebeurde
changed-again = Opnieuw kijken en beslissen

activity-title = Activiteit
activity-lead = Elke beslissing en wijziging, op volgorde. Niets hier kan worden bewerkt.
activity-search = Zoeken
activity-kind = Soort
activity-what = Wat
activity-who = Wie
activity-when = Wanneer
activity-system = de server
activity-none = Hier is niets
activity-none-text = Beslissingen, inlogpogingen en wijzigingen verschijnen hier zodra ze gebeuren.

notifications-title = Berichten
notifications-lead = Wat applicatieleveranciers over uw beslissingen hebben gekregen.
notifications-filters = Filter op status
notifications-what = Wat
notifications-to = Aan
notifications-mail = per e-mail
notifications-webhook = per webhook
notifications-attempts = { $count ->
    [0] nog niet geprobeerd
    [one] één keer geprobeerd
   *[other] { $count } keer geprobeerd
}
notifications-next = opnieuw <bdi>{ $when }</bdi>
notifications-retry = Opnieuw sturen
notifications-none = Er is niets verstuurd
notifications-none-text = Als u over een app beslist, krijgt de leverancier bericht, en ziet u hier of het is aangekomen.
delivery-queued = Te versturen
delivery-sent = Verstuurd
delivery-retrying = Wordt opnieuw geprobeerd
delivery-failed = Mislukt

members-title = Leden
members-lead = Wie voor uw organisatie mag kijken, beoordelen en beheren.
members-me = u
members-role-of = Rol van { $name }
members-add = Lid toevoegen
members-add-text = De persoon heeft hier een account nodig, met dit e-mailadres.
role = Rol
remove = Verwijderen
add = Toevoegen
may-not-change = Alleen beheerders van uw organisatie kunnen dit wijzigen.

endpoints-title = FHIR-adressen
endpoints-lead = Waar uw gegevens zijn. Een token geldt voor één van deze adressen, en alleen uw eigen FHIR-servers kunnen vragen wat het toestaat.
endpoints-credentials = Nieuwe inloggegevens voor uw FHIR-server
endpoints-base-url = FHIR-basisadres
endpoints-base-url-hint = Zoals apps het gebruiken, zonder schuine streep aan het einde.
endpoints-version = FHIR-versie
endpoints-smart = SMART-configuratie
endpoints-servers = Inloggegevens van uw FHIR-servers
endpoints-servers-text = Hiermee vraagt een FHIR-server wat een token toestaat. Trek in wat is uitgelekt of wat niemand gebruikt.
endpoints-server-for = Gemaakt voor
endpoints-last-asked = Laatst gevraagd
endpoints-no-server = Nog geen inloggegevens: er kan geen token worden gecontroleerd.
endpoints-server-revoke = Intrekken
endpoints-server-revoke-text = Een FHIR-server die ze nog gebruikt, kan vanaf dat moment geen token controleren en laat geen app binnen. Zet er eerst nieuwe neer.
endpoints-server-revoke-yes = Deze inloggegevens intrekken
endpoints-server-revoked = Ingetrokken. Deze inloggegevens zijn nergens meer goed voor.
endpoints-make = Inloggegevens maken
endpoints-add = Adres toevoegen
endpoints-none = Nog geen FHIR-adres
endpoints-none-text = Voeg het adres van uw FHIR-server toe; daarna kunnen apps om toegang vragen.

endpoints-reading = Hoe wij lezen
endpoints-reading-text = Voor keuzelijsten en toestemming leest deze server zelf namen, bezoeken en plaatsen van uw FHIR-server.
endpoints-reading-how = Ons recht om te lezen
endpoints-reading-own = Een eigen token: uw FHIR-server vraagt ons ernaar
endpoints-reading-backend = Als client van een andere autorisatieserver (SMART backend services)
endpoints-reading-token = Token-adres
endpoints-reading-client = Ons client-id daar
endpoints-reading-scope = Scopes (leeg voor de gebruikelijke)
endpoints-reading-jwks = Onze publieke sleutels
endpoints-reading-save = Opslaan en proberen
endpoints-reading-works = Opgeslagen. Uw FHIR-server laat ons lezen.
endpoints-reading-fails = Opgeslagen, maar lezen lukte niet: { $why }.

launches-title = Een start proberen
launches-lead = Open een goedgekeurde app met een patiënt en een beginpunt, zoals een EPD dat doet. Elke start wordt vastgelegd, werkt één keer en vervalt na vijf minuten.
launches-may-not = Beoordelaars van uw organisatie kunnen een start proberen.
launches-none = Nog geen app om te starten
launches-none-text = Goedgekeurde apps die mensen gebruiken verschijnen hier.
launches-client = App
launches-without-url = { $app } (geen startadres)
launches-endpoint = FHIR-endpoint
launches-user = Wie zich aanmeldt
launches-user-hint = Een e-mailadres, of hun FHIR-gegeven: Practitioner/7. Niemand anders kan deze start gebruiken.
launches-patient = Patiënt
launches-patient-hint = Alleen het FHIR-id. Een zorgverlener mag elke patiënt openen; anderen alleen wie zij toch al mogen kiezen.
launches-encounter = Bezoek
launches-encounter-hint = Alleen het FHIR-id van de Encounter.
launches-more = Meer context
launches-banner = Moet de app tonen wie de patiënt is?
launches-banner-unsaid = Niet gezegd
launches-banner-yes = Ja
launches-banner-no = Nee, dat doet het EPD
launches-intent = Bedoeling
launches-intent-hint = Waarmee de app moet openen, in woorden die met de leverancier zijn afgesproken.
launches-style = Stijl
launches-style-hint = Adres van het stijlbestand; leeg voor de onze.
launches-tenant = Tenant
launches-app-context = App-context
launches-app-context-hint = Wordt ongewijzigd aan de app doorgegeven.
launches-item = Verder gegeven { $number }
launches-reference = Verwijzing
launches-reference-hint = Bijvoorbeeld ImagingStudy/7
launches-canonical = Canoniek adres
launches-identifier-system = Identificatie: systeem
launches-identifier-value = Identificatie: waarde
launches-type = Soort gegeven
launches-type-hint = Bij een canoniek adres of een identificatie
launches-role = Rol
launches-role-hint = Een webadres of een andere URI; leeg voor “launch”.
launches-extensions = Eigen onderdelen
launches-extensions-hint = Een JSON-object; elke naam is een webadres of begint met twee liggende streepjes.
launches-make = Maak de start
launches-ready = <bdi>{ $app }</bdi> staat klaar
launches-ready-text = Voor <bdi>{ $person }</bdi>, één keer, binnen vijf minuten.
launches-open = Open <bdi>{ $app }</bdi>
launches-no-url = De app heeft geen startadres: geef de waarden hieronder door.
launches-url = Startadres

needs-key-title = Geen tokens zonder sleutel
needs-key-text = <bdi>{ $app }</bdi> werkt zonder dat er iemand is ingelogd en bewijst zich met een gedeeld geheim. Uw organisatie geeft zulke toegang alleen aan apps met een eigen sleutel. Goedgekeurd of niet, ze krijgt hier geen tokens totdat haar leverancier een sleutel registreert of een beheerder gedeelde geheimen toestaat.
needs-key-settings = Naar de instellingen

settings-title = Instellingen
settings-lead = Hoe uw organisatie zich toont en beslist.
settings-issuer = Issuer
settings-issuer-text = Onder dit adres kennen apps en FHIR-servers uw organisatie.
settings-name = Naam van de organisatie
settings-contact = Contact
settings-contact-hint = Getoond aan mensen en leveranciers die hulp nodig hebben.
settings-lang-hint = Voor e-mails, en voor mensen die niet hebben gekozen.
settings-duration = Goedkeuringen duren
settings-duration-hint = Beoordelaars kunnen per verzoek anders kiezen.
settings-frames = Systemen die het inloggen in hun eigen venster mogen tonen
settings-frames-hint = Eén adres per regel, zoals https://ehr.example. Laat leeg, tenzij uw dossiersysteem het nodig heeft.
settings-website = Website
settings-website-hint = Uw eigen site, zoals https://ziekenhuis.example.
settings-request-days = Dagen dat een verzoek mag wachten
settings-request-days-hint = Daarna vervalt het en moet de app opnieuw vragen.
settings-consent = Toestemming van zorgverleners
settings-consent-hint = Patiënten wordt het altijd gevraagd. Uw zorgverleners gebruiken apps die u hebt goedgekeurd; u kunt voor hen allen tegelijk instemmen.
settings-consent-ask = Elke zorgverlener wordt het gevraagd, eenmaal per app
settings-consent-standing = De organisatie heeft voor hen allen ingestemd
settings-backend = Apps die werken zonder dat er iemand is ingelogd
settings-backend-hint = Een sleutel verlaat de app nooit, een geheim kan uitlekken; SMART vraagt om een sleutel. Sta geheimen alleen toe voor een app die niet anders kan. Staat u ze niet meer toe, dan eindigt meteen wat ermee is verkregen.
settings-backend-keys = Hebben een eigen sleutel nodig
settings-backend-secrets = Mogen ook een gedeeld geheim gebruiken
settings-registration = Wie een app automatisch mag aanmelden
settings-registration-hint = Een aangemelde app heeft geen toegang: ze wacht op uw goedkeuring, zoals elke andere.
settings-registration-closed = Niemand
settings-registration-token = Wie een token van u heeft
settings-registration-open = Iedereen

registration-title = Apps die zichzelf aanmelden
registration-lead = Een programma kan hier een app aanmelden en haar verzoek indienen, zonder dat iemand een formulier invult.
registration-who = Wie mag aanmelden
registration-policy-closed = Apps kunnen zichzelf hier niet aanmelden.
registration-policy-token = Een app kan zichzelf aanmelden met een token van u.
registration-policy-open = Elke app kan zichzelf hier aanmelden. Per uur kan dat maar een beperkt aantal, en maar een beperkt aantal mag wachten.
registration-no-access = Aanmelden geeft geen toegang. De app staat als wachtend in uw lijst, en u beslist.
registration-endpoint = Aanmeldadres
registration-change-policy = Verander dit in de instellingen
registration-tokens = Aanmeldtokens
registration-tokens-text = Met elk token kan één app zich binnen 7 dagen aanmelden. Geef het aan de leverancier die u verwacht, langs een weg die u vertrouwt.
registration-closed-note = Apps kunnen zichzelf nu niet aanmelden, ook niet met een token.
registration-note = Waar het voor is
registration-note-hint = Voor u en uw collega's, zoals: proef met Groeicurve.
registration-by = Gemaakt door
registration-standing = Stand
registration-by-client = door
registration-usable = Te gebruiken tot
registration-used = Gebruikt
registration-revoked = Ingetrokken
registration-expired = Verlopen
registration-none = Er is nog geen token gemaakt.
registration-make = Token maken
registration-made = Het token is gemaakt
registration-ends = Het is te gebruiken tot
registration-token = Aanmeldtoken
registration-revoked-done = Het token is ingetrokken.

brand-title = Huisstijl
brand-lead = Hoe uw organisatie verschijnt in de lijsten waaruit mensen haar in een app kiezen.
brand-now = Zoals mensen het zien
brand-bundle = Brand-bundel
brand-name = Naam die mensen zien
brand-website = Website
brand-logo = Logo
brand-logo-hint = Een PNG of JPEG, vierkant, hoogstens 512 kB.
brand-logo-remove = Huidig logo verwijderen
brand-places = Andere plaatsen
brand-places-hint = Waar mensen u kennen, één per regel: plaats, land. Bijvoorbeeld: Utrecht, NL
brand-mistakes = { $count ->
    [one] Eén ding vraagt uw aandacht.
   *[other] { $count } dingen vragen uw aandacht.
}
brand-saved = De huisstijl is opgeslagen en gepubliceerd.
brand-who = Wie u bent
brand-name-hint = Zoals patiënten u kennen. Leeg: de naam van de organisatie.
brand-kind = Soort organisatie
brand-kind-prov = Zorgaanbieder
brand-kind-ins = Zorgverzekeraar
brand-kind-laboratory = Laboratorium
brand-kind-imaging = Centrum voor beeldvorming
brand-kind-pharmacy = Apotheek
brand-kind-network = Netwerk voor gezondheidsinformatie
brand-kind-aggregator = Verzamelaar van gezondheidsgegevens
brand-website-hint = Hiermee bent u herkenbaar tussen andere organisaties.
brand-logo-license = Voorwaarden voor gebruik van het logo
brand-logo-license-hint = Een webpagina, als die er is.
brand-portal = Patiëntenportaal
brand-portal-name = Naam van het portaal
brand-portal-url = Adres van het portaal
brand-portal-description = Waar het voor is
brand-portal-description-hint = Bijvoorbeeld wie het kan gebruiken, en waarvoor.
brand-where = Waar u bent
brand-line = Straat en nummer
brand-postal-code = Postcode
brand-city = Plaats
brand-state = Staat of provincie
brand-country = Land
brand-country-hint = Twee letters, zoals NL of US.
brand-technical = Waarmee apps verbinden
brand-publish = FHIR-adressen in de lijst
brand-identifiers = Andere identificaties
brand-identifiers-hint = Eén per regel: systeem|waarde. Bijvoorbeeld http://hl7.org/fhir/sid/us-npi|1234567893
