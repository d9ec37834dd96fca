//! OAuth, OpenID Connect and SMART, through the router.

#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

pub mod actors;
mod authorize;
mod backchannel;
mod client_authentication;
mod code;
mod discovery;
mod ending_sessions;
mod introspection;
mod keys;
mod launch;
mod logout;
mod refresh;
mod refresh_model;
mod registration;
mod revocation;
mod userinfo;
