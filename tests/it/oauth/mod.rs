//! OAuth, OpenID Connect and SMART, through the router.

#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

pub mod actors;
mod authorize;
mod client_authentication;
mod client_keys;
mod client_secrets;
mod code;
mod discovery;
mod introspection;
mod launch;
mod logout;
mod managing;
mod refresh;
mod registration;
