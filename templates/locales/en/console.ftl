# The console of a provider organization.
clients-title = Client management
clients-waiting = { $count ->
    [one] One request waits for you, for { $oldest }.
   *[other] { $count } requests wait for you; the oldest for { $oldest }.
}
clients-none-waiting = No request waits for you.
clients-filters = Filter by state
filter-all = All
clients-search = Search client or provider
sort = Order
column-client = Client
column-state = State
column-asks = Asks for
column-when = Asked or decided
column-tokens = Live tokens
mark-change = change
clients-never = No app has asked yet
clients-never-text = When an application provider asks your organization for access, the request appears here and you are told by e-mail. Nothing reaches your data before you approve it.
clients-nothing = Nothing found
clients-nothing-text = No client fits this filter and search.
clients-show-all = Show all clients

review-title = { $app }: access request
review-asked = asked <bdi>{ $when }</bdi> by <bdi>{ $who }</bdi>
review-risks = Look at these first
review-reason = Why
review-reason-by = In the words of <bdi>{ $provider }</bdi>; nobody has checked them
review-people = { $count ->
    [one] One person wanted to use it and waits
   *[other] { $count } people wanted to use it and wait
}
review-changes = What would change
review-can = What it can do
review-can-nothing = It asks for no data, only to know who signs in.
review-about = About the client
review-history = History
review-history-none = Nothing has happened yet.
back-to-review = Back to the request

diff-added = { $count ->
    [one] One new kind of access
   *[other] { $count } new kinds of access
}
diff-removed = { $count ->
    [one] One kind of access goes
   *[other] { $count } kinds of access go
}
diff-unchanged = { $count ->
    [one] One stays the same
   *[other] { $count } stay the same
}
diff-added-word = Added
diff-removed-word = Removed
diff-unchanged-word = Unchanged
diff-before = Before
diff-after = After

decide-title = Decision
decide-done = This request is decided.
decide-may-not = Your role lets you read this request, not decide it. Ask a reviewer of your organization.
decide-approve = Approve as asked
decide-less = Approve with less
decide-less-hint = Untick in the list what it should not get
decide-reject = Reject
decide-to-list = To the list of what it can do
decide-chosen = {"{chosen}"} of {"{all}"} kinds of access
decide-duration = The approval lasts
decide-reason = Why not?
decide-reason-hint = The provider will read this.
decide-again = The provider may ask again
decide-continue = Continue
decide-signature = Countersigned by <bdi>{ $person }</bdi>

approve-title = Approve { $app }?
approve-heading = Approve <bdi>{ $app }</bdi>?
approve-until = The approval lasts until <strong><bdi>{ $until }</bdi></strong>. You can switch the app off at any moment.
approve-no-end = The approval has no end. You can switch the app off at any moment.
approve-may = It will be able to
approve-left-out = { $count ->
    [one] Left out of what was asked
   *[other] Left out of what was asked: { $count } kinds
}
approve-yes = Approve
reject-title = Reject { $app }?
reject-heading = Reject <bdi>{ $app }</bdi>?
reject-reads = <bdi>{ $provider }</bdi> will read:
reject-again = It may ask again.
reject-blocked = It may not ask again until you allow it.
reject-yes = Reject
disable-title = Disable { $app }?
disable-heading = Disable <bdi>{ $app }</bdi>?
disable-stops = At once, <strong>{ $tokens }</strong> live tokens end for good and <strong>{ $users }</strong> people can no longer use the app here.
disable-reversible = You can enable it again; apps must then sign in again, nothing old comes back.
disable-yes = Disable client now

client-off = This client is switched off
client-off-by = Since <bdi>{ $when }</bdi>, by <bdi>{ $who }</bdi>.
client-off-enable = After enabling, apps must sign in again; nothing old comes back.
client-enable = Enable client
client-since = since <bdi>{ $when }</bdi>, by <bdi>{ $who }</bdi>
client-expires = ends on <bdi>{ $when }</bdi>
client-no-end = has no end
client-expires-soon = This approval ends soon
client-expires-soon-text = Ask the provider to request a new one, or the app stops on that day.
client-change = The provider asks for a change
client-change-text = Until you decide, the present approval stays as it is.
client-change-review = Review the change
client-tokens = Live tokens
client-users = People using it
client-uses = Requests in 30 days
client-use = Use in the last 30 days
client-most = at most <bdi>{ $count }</bdi> on one day
client-use-table = As a table
client-unused = It was not used in the last 30 days.
client-may = What it may do
client-disable = Disable client
client-disable-reason = Why?
day = Day
requests = Requests

receipt-approved-title = { $app } is approved
receipt-approved-heading = <bdi>{ $app }</bdi> is approved
receipt-approved-text = It has exactly what it asked for. The provider has been told.
receipt-approved-less-title = { $app } is approved with less
receipt-approved-less-heading = <bdi>{ $app }</bdi> is approved with less
receipt-approved-less-text = It has less than it asked for. The provider has been told what was left out.
receipt-rejected-title = { $app } is rejected
receipt-rejected-heading = <bdi>{ $app }</bdi> is rejected
receipt-rejected-text = It gets nothing. The provider has been told your reason.
receipt-disabled-title = { $app } is switched off
receipt-disabled-heading = <bdi>{ $app }</bdi> is switched off
receipt-disabled-text = From this moment every token it held here is dead, and stays dead.
receipt-enabled-title = { $app } is switched on
receipt-enabled-heading = <bdi>{ $app }</bdi> is switched on
receipt-enabled-text = Apps must sign in again; nothing old comes back.
receipt-reason = Reason
receipt-by = Countersigned by <bdi>{ $person }</bdi>
receipt-record = Record
receipt-next = Next request
receipt-client = To <bdi>{ $app }</bdi>

changed-title = Changed since you looked
changed-text = Nothing was decided. What you saw is no longer what is asked.
changed-difference = The difference
changed-what = What happened
changed-again = Look again and decide

activity-title = Activity
activity-lead = Every decision and change, in order. Nothing here can be edited.
activity-search = Search
activity-kind = Kind
activity-what = What
activity-who = Who
activity-when = When
activity-system = the server
activity-none = Nothing here
activity-none-text = Decisions, sign-ins and changes appear here as they happen.

notifications-title = Notifications
notifications-lead = What was sent to application providers about your decisions.
notifications-filters = Filter by state
notifications-what = What
notifications-to = To
notifications-mail = by e-mail
notifications-webhook = by webhook
notifications-attempts = { $count ->
    [0] not tried yet
    [one] tried once
   *[other] tried { $count } times
}
notifications-next = again <bdi>{ $when }</bdi>
notifications-retry = Send again
notifications-none = Nothing was sent
notifications-none-text = When you decide about an app, its provider is told, and you see here whether it arrived.
delivery-queued = To be sent
delivery-sent = Sent
delivery-retrying = Trying again
delivery-failed = Failed

members-title = Members
members-lead = Who may look, review and administer for your organization.
members-me = you
members-role-of = Role of { $name }
members-add = Add a member
members-add-text = The person needs an account here, with this e-mail address.
role = Role
remove = Remove
add = Add
may-not-change = Only administrators of your organization can change this.

endpoints-title = FHIR endpoints
endpoints-lead = Where your data is. A token is good for one of these, and only your own FHIR servers can ask what it allows.
endpoints-credentials = New credentials for your FHIR server
endpoints-base-url = FHIR base URL
endpoints-base-url-hint = As apps use it, without a slash at the end.
endpoints-version = FHIR version
endpoints-smart = SMART configuration
endpoints-servers = Credentials of your FHIR servers
endpoints-servers-text = With these, a FHIR server asks what a token allows. Revoke those that leaked or that nobody uses.
endpoints-server-for = Made for
endpoints-last-asked = Last asked
endpoints-no-server = No credentials yet: no token can be checked.
endpoints-server-revoke = Revoke
endpoints-server-revoke-text = A FHIR server that still uses them can check no token from that moment, and lets no app in. Put new ones in place first.
endpoints-server-revoke-yes = Revoke these credentials
endpoints-server-revoked = Revoked. These credentials are good for nothing any more.
endpoints-make = Make credentials
endpoints-add = Add an endpoint
endpoints-none = No FHIR endpoint yet
endpoints-none-text = Add the address of your FHIR server; apps can ask for access once it is here.

endpoints-reading = How we read
endpoints-reading-text = For pickers and consent, this server itself reads names, visits and places from your FHIR server.
endpoints-reading-how = Our right to read
endpoints-reading-own = A token of our own: your FHIR server asks us about it
endpoints-reading-backend = As a client of another authorization server (SMART backend services)
endpoints-reading-token = Token endpoint
endpoints-reading-client = Our client id there
endpoints-reading-scope = Scopes (empty for the usual ones)
endpoints-reading-jwks = Our public keys
endpoints-reading-save = Save and try
endpoints-reading-works = Saved. Your FHIR server lets us read.
endpoints-reading-fails = Saved, but reading did not work: { $why }.

launches-title = Try a launch
launches-lead = Open an approved app with a patient and a place to start, the way an EHR does. Each launch is recorded, works once, and ends after five minutes.
launches-may-not = Reviewers of your organization can try a launch.
launches-none = No app to launch yet
launches-none-text = Approved apps that people use appear here.
launches-client = App
launches-without-url = { $app } (no launch address)
launches-endpoint = FHIR endpoint
launches-user = Who will sign in
launches-user-hint = An e-mail address, or their FHIR record: Practitioner/7. Nobody else can use this launch.
launches-patient = Patient
launches-patient-hint = The FHIR id alone. A clinician may open any patient; others only those they may choose anyway.
launches-encounter = Visit
launches-encounter-hint = The FHIR id of the Encounter alone.
launches-more = More context
launches-banner = Must the app show who the patient is?
launches-banner-unsaid = Not said
launches-banner-yes = Yes
launches-banner-no = No, the EHR does
launches-intent = Intent
launches-intent-hint = What the app should open with, in words agreed with its provider.
launches-style = Style
launches-style-hint = Address of the style file; empty for ours.
launches-tenant = Tenant
launches-app-context = App context
launches-app-context-hint = Passed on to the app as it is.
launches-item = Further resource { $number }
launches-reference = Reference
launches-reference-hint = For example ImagingStudy/7
launches-canonical = Canonical address
launches-identifier-system = Identifier: system
launches-identifier-value = Identifier: value
launches-type = Resource type
launches-type-hint = With a canonical address or identifier
launches-role = Role
launches-role-hint = A web address or other URI; empty for “launch”.
launches-extensions = Members of your own
launches-extensions-hint = A JSON object; each name is a web address or begins with two underscores.
launches-make = Make the launch
launches-ready = <bdi>{ $app }</bdi> is ready to open
launches-ready-text = For <bdi>{ $person }</bdi>, once, within five minutes.
launches-open = Open <bdi>{ $app }</bdi>
launches-no-url = The app registered no launch address: hand it the values below.
launches-url = Launch address

needs-key-title = No tokens without a key
needs-key-text = <bdi>{ $app }</bdi> works without anyone signed in and proves itself with a shared secret. Your organization gives such access to apps with a key of their own only. Approved or not, it gets no tokens here until its provider registers a key, or an administrator allows shared secrets.
needs-key-settings = Go to the settings

settings-title = Settings
settings-lead = How your organization appears and decides.
settings-issuer = Issuer
settings-issuer-text = Apps and FHIR servers know your organization by this address.
settings-name = Name of the organization
settings-contact = Contact
settings-contact-hint = Shown to people and providers who need help.
settings-lang-hint = For mails, and for people who have not chosen.
settings-duration = Approvals last
settings-duration-hint = Reviewers can choose otherwise for each request.
settings-frames = Systems that may show sign-in inside their own window
settings-frames-hint = One address per line, such as https://ehr.example. Leave empty unless your record system needs it.
settings-website = Website
settings-website-hint = Your own site, such as https://hospital.example.
settings-request-days = Days a request may wait
settings-request-days-hint = After that it expires, and the app must ask again.
settings-consent = Consent of clinicians
settings-consent-hint = Patients are always asked. Your clinicians use apps you approved; you can agree for all of them at once.
settings-consent-ask = Each clinician is asked, once per app
settings-consent-standing = The organization has agreed for all of them
settings-backend = Apps that work without anyone signed in
settings-backend-hint = A key never leaves the app, a secret can leak; SMART asks for a key. Allow secrets only for an app that cannot do otherwise. When you stop allowing them, what was got with one ends at once.
settings-backend-keys = Need a key of their own
settings-backend-secrets = May use a shared secret too
settings-registration = Who may register an app by machine
settings-registration-hint = A registered app has no access: it waits for your approval like any other.
settings-registration-closed = Nobody
settings-registration-token = Whoever has a token from you
settings-registration-open = Anybody

registration-title = Apps that register themselves
registration-lead = A program can register an app here and file its request, without anybody filling in a form.
registration-who = Who may register
registration-policy-closed = Apps cannot register themselves here.
registration-policy-token = An app can register itself with a token from you.
registration-policy-open = Any app can register itself here. Only so many may do so in an hour, and only so many may wait.
registration-no-access = Registering gives no access. The app appears in your list as waiting, and you decide.
registration-endpoint = Registration address
registration-change-policy = Change this in the settings
registration-tokens = Registration tokens
registration-tokens-text = Each token lets one app register, within 7 days. Give it to the provider you expect, by a way you trust.
registration-closed-note = Apps cannot register themselves now, not even with a token.
registration-note = What it is for
registration-note-hint = For you and your colleagues, such as: pilot with Growth Chart.
registration-by = Made by
registration-standing = State
registration-by-client = by
registration-usable = Can be used until
registration-used = Used
registration-revoked = Revoked
registration-expired = Expired
registration-none = No token was made yet.
registration-make = Make a token
registration-made = The token is made
registration-ends = It can be used until
registration-token = Registration token
registration-revoked-done = The token is revoked.

brand-title = Brand
brand-lead = How your organization appears in the lists from which people choose it in an app.
brand-now = As people see it
brand-bundle = Brand bundle
brand-name = Name people see
brand-website = Website
brand-logo = Logo
brand-logo-hint = A PNG or JPEG, square, at most 512 kB.
brand-logo-remove = Remove the present logo
brand-places = Other places
brand-places-hint = Where people know you, one per line: town, country. For example: Utrecht, NL
brand-mistakes = { $count ->
    [one] One thing needs your attention.
   *[other] { $count } things need your attention.
}
brand-saved = The brand is saved and published.
brand-who = Who you are
brand-name-hint = As patients know you. Empty: the name of the organization.
brand-kind = Kind of organization
brand-kind-prov = Healthcare provider
brand-kind-ins = Health insurer
brand-kind-laboratory = Laboratory
brand-kind-imaging = Imaging centre
brand-kind-pharmacy = Pharmacy
brand-kind-network = Health information network
brand-kind-aggregator = Collector of health data
brand-website-hint = Your identity among other organizations is made from it.
brand-logo-license = Terms for using the logo
brand-logo-license-hint = A web page, if there is one.
brand-portal = Patient portal
brand-portal-name = Name of the portal
brand-portal-url = Address of the portal
brand-portal-description = What it is for
brand-portal-description-hint = For example who can use it, and what for.
brand-where = Where you are
brand-line = Street and number
brand-postal-code = Postal code
brand-city = Town
brand-state = State or province
brand-country = Country
brand-country-hint = Two letters, such as NL or US.
brand-technical = What apps connect to
brand-publish = FHIR endpoints in the list
brand-identifiers = Further identifiers
brand-identifiers-hint = One per line: system|value. For example http://hl7.org/fhir/sid/us-npi|1234567893
