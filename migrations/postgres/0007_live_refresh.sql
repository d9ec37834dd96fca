-- when the one live refresh token of a family ends, as `token_counters` has counted it; null where there is none
alter table grants add column live_refresh_until bigint;
