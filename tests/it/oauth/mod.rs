//! OAuth, OpenID Connect and SMART, through the router.

#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

pub mod actors;
mod authorize;
mod choosing;
mod client_authentication;
mod code;
mod discovery;
mod introspection;
mod launch;
mod launch_people;
mod launch_rules;
mod logout;
mod reading;
pub mod record_server;
mod refresh;
mod registration;
