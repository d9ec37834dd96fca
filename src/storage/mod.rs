//! Our database: one room (file) per thing kept, one constant SQL text per function, the same text for SQLite and PostgreSQL.
//!
//! **Why sqlx's `Any`.** Columns are text, bigint and blob only and placeholders are `$1`, so one statement serves both databases and `Any` gives one
//! connection type to write it against. An enum of two pools would avoid boxing rows, at the price of a macro around every statement; `cargo bench`
//! (`benches/storage.rs`) measures that price on the introspection path, and as long as it stays a small part of a request the simpler reading wins.
//!
//! **Reading** takes any connection from the pool. **Writing** goes through [`Store::write`]: on SQLite one writer task runs queued closures inside one
//! `begin immediate ... commit`, each in its own savepoint, and answers all of them after the commit (group commit: full durability at the price of one
//! fsync for many); on PostgreSQL the same closure runs in its own transaction. Either way an `Err` rolls that closure's effects back, and an `Ok` is
//! durable when it is returned. A refusal that must leave a mark is therefore an `Ok` that carries the refusal.
//!
//! Only [`connect`] knows which database it is.

pub mod access_requests;
pub mod accounts;
pub mod api_tokens;
pub mod application_providers;
pub mod approvals;
pub mod audit;
pub mod brands;
pub mod client_management;
pub mod clients;
pub mod codes;
pub mod connect;
pub mod consents;
pub mod error;
pub mod grants;
pub mod installation;
pub mod interactions;
pub mod launch_handles;
pub mod organizations;
pub mod origins;
pub mod outbox;
pub mod reader_keys;
pub mod registrations;
pub mod restore;
mod rows;
pub mod session_ends;
pub mod sessions;
pub mod signing_keys;
pub mod single_use;
pub mod store;
pub mod throttles;
pub mod token_counters;
pub mod tokens;
pub mod usage;
pub mod webhooks;

pub use error::StorageError;
pub use sqlx::AnyConnection as Conn;
pub use store::Store;
