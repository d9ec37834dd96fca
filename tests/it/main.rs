//! Integration tests: through the real router, on SQLite and on PostgreSQL.

mod storage;
mod support;
