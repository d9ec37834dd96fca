# What happened, in histories and activity lists: one sentence without the name of who did it.
event-access-request-sent = Asked for access.
event-access-request-edited = Changed the request while it waited.
event-access-request-approved = Approved.
event-access-request-rejected = Rejected.
event-access-request-withdrawn = Withdrew the request.
event-access-request-expired = The request expired: nobody decided in time.
event-approval-ended = The client was deleted by its provider; the approval ended.
event-approval-expired = The approval expired.
event-approval-narrowed = Now asks for less; that took effect at once.
event-approval-revision-narrowed = The client gave something up; that took effect at once.
event-client-disabled = Disabled the client.
event-client-enabled = Enabled the client.
event-client-registered = Registered the client.
event-client-revised = Changed the client.
event-client-deleted = Deleted the client.
event-client-secret-made = Made a secret.
event-client-secret-revoked = Revoked a secret.
