-- Times are UTC milliseconds, booleans are 0/1, structured values are JSON text.
-- Columns are text, bigint and blob only, so that one SQL text serves SQLite and PostgreSQL.

create table organizations (
  id text primary key not null,
  slug text not null unique,
  name text not null,
  state text not null,                      -- active | suspended
  settings text not null default '{}',
  created_at bigint not null
);

create table fhir_endpoints (
  id text primary key not null,
  organization_id text not null references organizations (id),
  slug text not null,
  name text not null,
  base_url text not null unique,            -- the `aud` of SMART, without a trailing slash
  release text not null,                    -- r4 | r4b | r5
  settings text not null default '{}',
  state text not null default 'active',
  created_at bigint not null,
  unique (organization_id, slug)
);

create table resource_servers (
  id text primary key not null,             -- also the client_id with which the FHIR server introspects
  organization_id text not null references organizations (id),
  name text not null,
  secret_hash blob not null,
  state text not null default 'active',
  created_at bigint not null,
  last_used_at bigint
);

create table accounts (
  id text primary key not null,
  email text not null unique,               -- lower case
  name text not null,
  password_hash text,
  state text not null,                      -- active | disabled
  lang text not null default 'en',
  session_epoch bigint not null default 0,  -- bumped by a password change or deactivation: older sessions are dead
  created_at bigint not null
);

create table staff_members (
  organization_id text not null references organizations (id),
  account_id text not null references accounts (id),
  role text not null,                       -- viewer | reviewer | admin
  created_at bigint not null,
  primary key (organization_id, account_id)
);
create index staff_members_by_account on staff_members (account_id);

create table application_providers (
  id text primary key not null,
  name text not null,
  website text not null default '',
  state text not null default 'active',
  created_at bigint not null
);

create table developers (
  application_provider_id text not null references application_providers (id),
  account_id text not null references accounts (id),
  role text not null,                       -- developer | admin
  created_at bigint not null,
  primary key (application_provider_id, account_id)
);
create index developers_by_account on developers (account_id);

-- who a person is at an organization: the FHIR resource that represents them
create table fhir_users (
  organization_id text not null references organizations (id),
  account_id text not null references accounts (id),
  fhir_user text not null,                  -- Patient/123, Practitioner/7, RelatedPerson/9, Person/4
  created_at bigint not null,
  primary key (organization_id, account_id)
);

-- the patients a user may choose at an organization (self and by proxy); clinicians have none here and choose by search
create table user_patients (
  organization_id text not null references organizations (id),
  account_id text not null references accounts (id),
  patient text not null,                    -- logical id
  relation text not null,                   -- self | proxy
  created_at bigint not null,
  primary key (organization_id, account_id, patient)
);

create table sessions (
  id integer primary key not null,
  secret_hash blob not null,
  account_id text not null references accounts (id),
  session_epoch bigint not null,
  csrf text not null,
  auth_time bigint not null,
  created_at bigint not null,
  last_seen_at bigint not null,
  expires_at bigint not null,
  ended_at bigint
);
create index sessions_by_account on sessions (account_id);

create table api_tokens (
  id integer primary key not null,
  secret_hash blob not null,
  account_id text not null references accounts (id),
  name text not null,
  created_at bigint not null,
  expires_at bigint,
  last_used_at bigint,
  revoked_at bigint
);
create index api_tokens_by_account on api_tokens (account_id);

-- failures per subject (an e-mail address, a client): one counter however many addresses they come from
create table throttles (
  kind text not null,
  subject text not null,
  failures bigint not null,
  window_started_at bigint not null,
  primary key (kind, subject)
);

create table clients (
  id text primary key not null,             -- the client_id
  application_provider_id text not null references application_providers (id),
  state text not null,                      -- active | deleted
  latest_revision bigint not null,
  name text not null,                       -- of the latest revision, for lists and search
  created_at bigint not null,
  deleted_at bigint
);
create index clients_by_provider on clients (application_provider_id);

-- append-only
create table client_revisions (
  client_id text not null references clients (id),
  revision bigint not null,
  metadata text not null,
  digest text not null,
  created_by text not null,
  created_at bigint not null,
  primary key (client_id, revision)
);

create table client_secrets (
  id text primary key not null,
  client_id text not null references clients (id),
  secret_hash blob not null,
  hint text not null,                       -- the last four characters, to tell two apart
  created_by text not null,
  created_at bigint not null,
  last_used_at bigint,
  expires_at bigint,
  revoked_at bigint
);
create index client_secrets_by_client on client_secrets (client_id);

create table logos (
  digest text primary key not null,
  media_type text not null,
  bytes blob not null,
  created_at bigint not null
);

create table access_requests (
  id text primary key not null,
  organization_id text not null references organizations (id),
  client_id text not null references clients (id),
  fhir_endpoint_id text not null references fhir_endpoints (id),
  kind text not null,                       -- initial | change
  client_revision bigint not null,
  scopes text not null,
  reason text not null,
  requested_by text not null,
  requested_at bigint not null,
  updated_at bigint not null,
  edits bigint not null default 0,
  expires_at bigint not null,
  state text not null,                      -- draft | waiting | approved | rejected | withdrawn | expired
  decided_by text,
  decided_at bigint,
  decision_reason text,
  may_ask_again bigint,
  granted_scopes text
);
create unique index access_requests_one_waiting on access_requests (organization_id, client_id) where state = 'waiting';
create index access_requests_by_organization on access_requests (organization_id, state, requested_at);
create index access_requests_by_client on access_requests (client_id);

create table approvals (
  organization_id text not null references organizations (id),
  client_id text not null references clients (id),
  access_request_id text not null references access_requests (id),
  client_revision bigint not null,
  digest text not null,                     -- what was on the reviewer's screen
  scopes text not null,
  fhir_endpoints text not null,             -- JSON list of ids
  epoch bigint not null,
  state text not null,                      -- enabled | disabled
  state_by text not null,
  state_at bigint not null,
  state_reason text,
  approved_by text not null,
  approved_at bigint not null,
  expires_at bigint,
  last_used_at bigint,
  primary key (organization_id, client_id)
);
create index approvals_by_client on approvals (client_id);

-- one line per client that ever asked an organization: what Client management lists, pages and searches
create table client_management (
  organization_id text not null references organizations (id),
  client_id text not null references clients (id),
  client_name text not null,
  provider_name text not null,
  search_text text not null,                -- lower case: client, provider, client_id
  state text not null,                      -- waiting | approved | disabled | rejected | withdrawn | expired
  change_waiting bigint not null default 0, -- an approved or disabled client with a change request open
  scopes text not null,                     -- approved, or asked where nothing is approved: told in words when shown
  access_request_id text not null,
  requested_at bigint not null,
  decided_at bigint,
  decided_by text,
  primary key (organization_id, client_id)
);
create index client_management_by_state on client_management (organization_id, state, requested_at, client_id);

create table grants (
  id integer primary key not null,
  organization_id text not null references organizations (id),
  client_id text not null references clients (id),
  account_id text,
  fhir_endpoint_id text not null,
  session_id bigint,
  epoch bigint not null,
  scopes text not null,                     -- granted, in the order and spelling asked
  context text not null default '{}',       -- launch context: patient, encounter, fhirContext, ...
  auth_time bigint,
  nonce text,
  created_at bigint not null,
  last_used_at bigint,
  expires_at bigint,
  revoked_at bigint,
  revoked_because text
);
create index grants_by_account on grants (organization_id, account_id);
create index grants_by_client on grants (organization_id, client_id);

create table authorization_codes (
  id integer primary key not null,
  secret_hash blob not null,
  grant_id bigint not null,
  redirect_uri text not null,
  code_challenge text not null,
  created_at bigint not null,
  expires_at bigint not null,
  redeemed_at bigint
);

create table access_tokens (
  id integer primary key not null,
  secret_hash blob not null,
  grant_id bigint not null,
  organization_id text not null,
  client_id text not null,
  epoch bigint not null,
  scopes text not null,
  issued_at bigint not null,
  expires_at bigint not null,
  first_used_at bigint,
  revoked_at bigint
);

create table refresh_tokens (
  id integer primary key not null,
  secret_hash blob not null,
  grant_id bigint not null,
  organization_id text not null,
  client_id text not null,
  epoch bigint not null,
  previous_id bigint,
  issued_at bigint not null,
  expires_at bigint not null,
  spent_at bigint,
  successor_id bigint,
  successor_access_id bigint,
  revoked_at bigint
);

-- live tokens without a scan: how many tokens of a kind expire in which five minutes
create table token_counters (
  organization_id text not null,
  client_id text not null,
  epoch bigint not null,
  kind text not null,                       -- access | refresh
  bucket bigint not null,                   -- expiry, in units of five minutes
  tokens bigint not null,
  primary key (organization_id, client_id, epoch, kind, bucket)
);

-- uses per day, for the chart of the last 30 days
create table usage_days (
  organization_id text not null,
  client_id text not null,
  day bigint not null,                      -- days since 1970-01-01 UTC
  issued bigint not null default 0,
  introspected bigint not null default 0,
  refused bigint not null default 0,
  primary key (organization_id, client_id, day)
);

-- an authorization request on its way through sign-in, patient picker and consent
create table interactions (
  id integer primary key not null,
  secret_hash blob not null,
  organization_id text not null references organizations (id),
  client_id text not null,
  account_id text,
  session_id bigint,
  request text not null,
  progress text not null default '{}',
  created_at bigint not null,
  expires_at bigint not null,
  finished_at bigint
);

-- what a user agreed to, for not asking the same or less again
create table consents (
  organization_id text not null,
  account_id text not null,
  client_id text not null,
  client_revision bigint not null,
  scopes text not null,
  granted_at bigint not null,
  withdrawn_at bigint,
  primary key (organization_id, account_id, client_id)
);

create table launch_handles (
  id integer primary key not null,
  secret_hash blob not null,
  organization_id text not null references organizations (id),
  client_id text not null,
  account_id text,
  fhir_endpoint_id text not null,
  context text not null,
  created_at bigint not null,
  expires_at bigint not null,
  consumed_at bigint
);

-- assertion ids and whatever else may be presented once: the key is the proof
create table single_use (
  kind text not null,
  key text not null,
  expires_at bigint not null,
  primary key (kind, key)
);
create index single_use_by_expiry on single_use (expires_at);

create table signing_keys (
  kid text primary key not null,
  alg text not null,
  state text not null,                      -- next | active | retiring
  public_jwk text not null,
  sealed_private blob not null,
  created_at bigint not null,
  activated_at bigint,
  retired_at bigint
);

create table webhooks (
  id text primary key not null,
  application_provider_id text not null references application_providers (id),
  url text not null,
  sealed_secret blob not null,
  state text not null default 'active',
  created_at bigint not null
);
create index webhooks_by_provider on webhooks (application_provider_id);

create table outbox (
  id integer primary key not null,
  organization_id text,
  client_id text,
  kind text not null,                       -- mail | webhook
  event text not null,                      -- access_request.approved ...
  recipient text not null,                  -- e-mail address or webhook id
  payload text not null,
  state text not null,                      -- waiting | sent | failed
  attempts bigint not null default 0,
  next_attempt_at bigint not null,
  last_error text,
  created_at bigint not null,
  sent_at bigint
);
create index outbox_due on outbox (state, next_attempt_at);
create index outbox_by_organization on outbox (organization_id, id);

create table audit_heads (
  chain text primary key not null,          -- an organization's id, or `server`
  seq bigint not null,
  hash text not null
);

create table audit_records (
  chain text not null,
  seq bigint not null,
  at bigint not null,
  event text not null,
  outcome text not null,                    -- success | refused
  actor_kind text not null,                 -- staff | developer | user | client | resource_server | operator | system
  actor_id text not null,
  client_id text,
  subject text,                             -- the id of what it is about
  details text not null,                    -- JSON object of strings; never a secret, token or patient name
  previous_hash text not null,
  hash text not null,
  primary key (chain, seq)
);
create index audit_records_by_client on audit_records (chain, client_id, seq);

-- facts about this installation: schema of the sealed keys, the check value of the key-encryption key
create table installation (
  name text primary key not null,
  value text not null
);
