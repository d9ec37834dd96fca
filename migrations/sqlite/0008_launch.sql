-- keys with which this server proves itself to an organization's FHIR server (SMART backend services): published per organization, the private part sealed
create table reader_keys (
  kid text primary key not null,
  organization_id text not null references organizations (id),
  public_jwk text not null,
  sealed_private blob not null,
  created_at bigint not null
);
create index reader_keys_by_organization on reader_keys (organization_id, created_at);
