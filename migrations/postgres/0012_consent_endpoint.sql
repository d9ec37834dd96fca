-- a consent is for one FHIR endpoint, and about the patient that was on the page (null: none, or not known)
create table consents_by_endpoint (
  organization_id text not null,
  account_id text not null,
  client_id text not null,
  fhir_endpoint_id text not null,
  client_revision bigint not null,
  patient text,
  scopes text not null,
  granted_at bigint not null,
  withdrawn_at bigint,
  primary key (organization_id, account_id, client_id, fhir_endpoint_id)
);
-- which endpoint an older one was for is certain only where there is one; the others are asked again
insert into consents_by_endpoint (organization_id, account_id, client_id, fhir_endpoint_id, client_revision, scopes, granted_at, withdrawn_at)
select consents.organization_id, consents.account_id, consents.client_id, only_ones.id, consents.client_revision, consents.scopes, consents.granted_at,
       consents.withdrawn_at
from consents
join (select organization_id, min(id) as id from fhir_endpoints group by organization_id having count(*) = 1) only_ones
  on only_ones.organization_id = consents.organization_id;
drop table consents;
alter table consents_by_endpoint rename to consents;
