-- clients that registered themselves (RFC 7591): whose registration access token manages which client
create table registrations (
  id integer primary key not null,
  secret_hash blob not null,
  organization_id text not null references organizations (id),
  client_id text not null references clients (id),
  scopes text not null,                     -- as last asked
  created_at bigint not null
);
create index registrations_by_organization on registrations (organization_id, created_at);

-- who may register: handed out by an organization's staff, each for one registration
create table initial_access_tokens (
  id integer primary key not null,
  secret_hash blob not null,
  organization_id text not null references organizations (id),
  note text not null default '',
  created_by text not null,
  created_at bigint not null,
  expires_at bigint not null,
  used_at bigint
);
