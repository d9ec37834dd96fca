//! Integration tests: through the real router, on SQLite and on PostgreSQL.

mod outbound;
mod storage;
mod support;
