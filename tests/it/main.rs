//! Integration tests: through the real router, on SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used)] // a test that cannot go on says where

mod console;
mod governance;
mod journeys;
mod oauth;
mod outbound;
mod platform;
mod portal;
mod storage;
mod support;
