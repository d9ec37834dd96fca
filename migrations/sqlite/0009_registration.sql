-- with which initial access token a client registered; null where the organization lets anybody register
alter table registrations add column initial_access_token_id bigint;
-- taken back by staff before it was used
alter table initial_access_tokens add column revoked_at bigint;
create index initial_access_tokens_by_organization on initial_access_tokens (organization_id, id);
