//! Integration tests: through the real router, on SQLite and on PostgreSQL.

mod governance;
mod storage;
mod support;
