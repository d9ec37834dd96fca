-- how an organization presents itself where people look for it (SMART 2.2 user-access brands); none until an admin says something
create table brands (
  organization_id text primary key not null references organizations (id),
  brand text not null,                      -- JSON
  updated_at bigint not null
);
-- did this client register itself? asked at every question of consent
create index registrations_by_client on registrations (client_id);
