# Antwoorden van aanmelden en van de accountpagina.
sign-in-wrong = Dit e-mailadres en wachtwoord horen niet bij elkaar.
sign-in-too-many = Te veel pogingen voor dit adres. Wacht een kwartier en probeer het dan opnieuw.
sign-in-busy = Er melden zich op dit moment veel mensen aan. Probeer het over een paar seconden opnieuw.
account-saved = Opgeslagen.
password-changed = Uw wachtwoord is gewijzigd. U bent overal elders uitgelogd, en API-tokens die u eerder maakte werken niet meer.
token-revoked = Het token is ingetrokken. Niets kan het nog gebruiken.
sessions-ended = Gedaan. Daar moet opnieuw worden aangemeld.
session-unknown-device = Onbekende browser
token-days-count = { $days ->
    [one] één dag
   *[other] { $days } dagen
 }
