# Values on the console's pages that handlers put together: numbers, spans, labels of facts, sentences in parts.
console-number = { $count }
console-range = { $first } to { $last } of { $total }
console-minutes = { $count ->
    [one] one minute
   *[other] { $count } minutes
}
console-hours = { $count ->
    [one] one hour
   *[other] { $count } hours
}
console-days = { $count ->
    [one] one day
   *[other] { $count } days
}
console-no-end = No end
console-sort-oldest = Oldest first
console-sort-newest = Newest first
console-sort-name = Name
console-sort-last-used = Last used
console-ask-by = {" by "}
console-ask-for = {" asks for access that "}
console-ask-alone = without anyone signed in
console-ask-offline = and goes on when the person has left
console-field-fhir-endpoint = FHIR endpoint
console-field-client-id = Client id
console-field-name = Name
console-field-description = In the provider's words
console-field-logo = Logo
console-field-client-type = Type
console-field-redirect-uris = Redirect address
console-field-launch-uri = Launch address
console-field-jwks-uri = Address of its keys
console-field-jwks = Keys
console-field-grant-types = How it gets tokens
console-field-post-logout-redirect-uris = Address after signing out
console-field-backchannel-logout-uri = Told of sign-outs at
console-field-native = Installed on a device
console-field-contacts = Contact
console-field-homepage = Website
console-field-privacy = Privacy
console-field-terms = Terms
console-field-assertion-audience = Audience of its assertions
console-field-fhir-context-objects = Launch context as objects
console-field-declared = Details of its registration
console-type-public = Public: cannot keep a secret
console-type-confidential-secret = Confidential, with a secret
console-type-confidential-keys = Confidential, with its own keys
console-grant-authorization-code = after a person signs in
console-grant-refresh-token = renewed later
console-grant-client-credentials = on its own
console-jwks-inline = registered with the client
console-changed-unknown = The form was not made from this request.
console-ended-access-tokens = Access tokens ended
console-ended-refresh-tokens = Refresh tokens ended
console-granted-scopes = Granted scopes
console-expires = Ends
console-kind-all = Everything
console-kind-requests = Requests and approvals
console-kind-clients = Disabled and enabled
console-kind-staff = Members
console-kind-tokens = Tokens
console-news-access-request-received = { $client } asks for access
console-news-access-request-withdrawn = { $client } withdrew its request
console-news-access-request-approved = { $client } is live
console-news-access-request-rejected = { $client } was rejected
console-news-access-request-expired = The request of { $client } expired
console-news-client-disabled = { $client } is switched off
console-news-client-enabled = { $client } is switched on
console-news-approval-expired = The approval of { $client } expired
console-will-be-sent = It will be sent again.
console-role-viewer = Viewer
console-role-reviewer = Reviewer
console-role-admin = Administrator
console-member-added = The member is added.
console-role-changed = The role is changed.
console-member-removed = The member is removed.
console-endpoint-added = The FHIR endpoint is added.
console-endpoint-changed = The FHIR endpoint is changed.
console-settings-saved = Saved.
console-blocked = The provider may not ask again
console-allow-again = Let it ask again
console-allowed-again = The provider may ask again.
console-change = Change
