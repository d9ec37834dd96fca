//! What tests stand on: a database of their own, on each of the two databases.

mod database;

pub use database::{TestDatabase, on_both};
