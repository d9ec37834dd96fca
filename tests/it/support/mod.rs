//! What tests stand on: a database of their own on each of the two databases, the whole product around it, and browsers to use it with.

pub mod browser;
mod database;
pub mod routes;
pub mod site;

pub use database::{TestDatabase, on_both};
pub use site::Site;
