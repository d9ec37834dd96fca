//! Integration tests: through the real router, on SQLite and on PostgreSQL.

mod console;
mod governance;
mod journeys;
mod oauth;
mod outbound;
mod platform;
mod portal;
mod storage;
mod support;
