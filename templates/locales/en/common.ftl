# Words used on every page.
skip-to-content = Skip to the content
footer-product = Countersign: your organization countersigns every app.
languages-label = Language
menu = Menu
menu-close = Close the menu
nav-label = Main
nav-switch = Switch
nav-count = { $count } waiting
nav-clients = Client management
nav-activity = Activity
nav-notifications = Notifications
nav-members = Members
nav-fhir-endpoints = FHIR endpoints
nav-launches = Try a launch
nav-brand = Brand
nav-settings = Settings
nav-my-clients = Clients
nav-requests = Access requests
nav-webhooks = Webhooks
nav-organizations = Organizations
nav-accounts = Accounts
nav-keys = Keys
nav-account = Your account
crumb-label = Breadcrumb
paging-label = Pages
paging-previous = Previous
paging-next = Next
copy = Copy
copied = Copied
email = E-mail address
password = Password
sign-in = Sign in
sign-out = Sign out

state-draft = Draft
state-waiting = Waiting
state-approved = Approved
state-disabled = Disabled
state-rejected = Rejected
state-withdrawn = Withdrawn
state-expired = Expired
state-none = Not asked

risk-writes = Changes data
risk-deletes = Deletes data
risk-all-patients = All patients
risk-future-kinds = Also future kinds of data
risk-background = Without anyone signed in
risk-bulk = Copies in bulk
risk-sensitive = Sensitive
risk-looks-like = Name looks like another app
risk-new-provider = New provider here
risk-unverified-domain = Domain not proven
risk-public-client = App cannot keep a secret
risk-needs-key = Gets no tokens here until it has a key
risk-shared-secret = Proves itself with a shared secret, not a key
risk-no-contact = Nobody to write to
risk-new-host = New web address

mark-writes = changes data
mark-sensitive = sensitive
scope-only-some = Or only some of it: untick the line above and choose
scope-technical = Technical details

count = { $n }
ago-now = just now
ago-minutes = { $n ->
    [one] 1 minute ago
   *[other] { $n } minutes ago
}
ago-hours = { $n ->
    [one] 1 hour ago
   *[other] { $n } hours ago
}
ago-days = { $n ->
    [one] yesterday
   *[other] { $n } days ago
}
span-minutes = { $n ->
    [one] 1 minute
   *[other] { $n } minutes
}
span-hours = { $n ->
    [one] 1 hour
   *[other] { $n } hours
}
span-days = { $n ->
    [one] 1 day
   *[other] { $n } days
}
