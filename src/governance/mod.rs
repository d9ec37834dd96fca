//! What people decide: register, request, approve, disable, audit. The portal, the console, the JSON API and the commands are faces of these functions;
//! no rule lives in a face.
//!
//! Every function takes an actor who was proven and is checked here for what they may do, opens one transaction, and writes the audit record and the
//! notifications inside it.

pub mod access_requests;
pub mod accounts;
pub mod activity;
pub mod actor;
pub mod application_providers;
pub mod apply;
pub mod approvals;
pub mod audit;
pub mod brands;
mod changes;
pub mod client_management;
pub mod clients;
pub mod dynamic_registration;
pub mod error;
pub mod explain;
pub mod fhir_endpoints;
pub mod initial_access_tokens;
pub mod launches;
pub mod notifications;
pub mod organizations;
pub mod passwords;
pub mod restore;
pub mod sign_in;
pub mod webhooks;
pub mod words;

pub use error::Refusal;
