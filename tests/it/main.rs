//! Integration tests: through the real router, on SQLite and on PostgreSQL.

mod governance;
mod oauth;
mod outbound;
mod portal;
mod storage;
mod support;
