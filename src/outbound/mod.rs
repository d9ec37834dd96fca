//! The rest of the world: what we read from and say to other servers.

pub mod http_client;
pub mod jwks;
pub mod fhir;
pub mod mail;
pub mod webhook;
pub mod http_client;
pub mod jwks;
