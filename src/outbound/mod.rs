//! The rest of the world: what we read from and say to other servers.

pub mod fhir;
