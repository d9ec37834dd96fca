//! Integration tests: through the real router, on SQLite and on PostgreSQL.

mod governance;
mod outbound;
mod portal;
mod storage;
mod support;
