# Wat er gebeurde, in geschiedenissen en activiteitenlijsten: één zin zonder de naam van wie het deed.
event-access-request-sent = Vroeg om toegang.
event-access-request-edited = Wijzigde de aanvraag terwijl die wachtte.
event-access-request-approved = Goedgekeurd.
event-access-request-rejected = Afgewezen.
event-access-request-withdrawn = Trok de aanvraag in.
event-access-request-expired = De aanvraag is verlopen: niemand besliste op tijd.
event-approval-ended = De client is verwijderd door zijn leverancier; de goedkeuring eindigde.
event-approval-expired = De goedkeuring is verlopen.
event-approval-narrowed = Vraagt nu minder; dat ging meteen in.
event-approval-revision-narrowed = De client gaf iets op; dat ging meteen in.
event-client-disabled = Schakelde de client uit.
event-client-enabled = Schakelde de client in.
event-client-registered = Registreerde de client.
event-client-revised = Wijzigde de client.
event-client-deleted = Verwijderde de client.
event-client-secret-made = Maakte een geheim.
event-client-secret-revoked = Trok een geheim in.
