//! What people decide: register, request, approve, disable, audit. The portal, the console, the JSON API and the commands are faces of these functions;
//! no rule lives in a face.
//!
//! Every function takes an actor who was proven and is checked here for what they may do, opens one transaction, and writes the audit record and the
//! notifications inside it.

pub mod actor;
pub mod error;

pub use error::Refusal;
