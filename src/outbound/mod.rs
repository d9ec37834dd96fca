//! The rest of the world: what we read from and say to other servers.

pub mod fhir;
pub mod http_client;
pub mod jwks;
pub mod logout;
pub mod mail;
pub mod webhook;
