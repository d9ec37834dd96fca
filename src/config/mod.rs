//! Configuration: a TOML file, then the environment (`COUNTERSIGN_...`), then checks that report every mistake at once.

mod sections;

pub use sections::{Config, Database, Limits, Mail, Outbound, Server};
