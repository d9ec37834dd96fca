-- sessions: in which browser, for the list on the account page
alter table sessions add column device text not null default '';
-- expired sessions are found by this when they are swept
create index sessions_by_expiry on sessions (expires_at);
