//! The five-minute tour: synthetic patients, a FHIR server that holds them, and a SMART app that reads them.
//!
//! Everything here stands *outside* the authorization server and uses its public interfaces only: the FHIR server
//! introspects over HTTP with its own credentials, and the app is a plain OAuth client in the browser.

pub mod data;
pub mod fhir_server;
pub mod seed;
pub mod smart_app;
pub mod tour;
