//! OAuth, OpenID Connect and SMART, through the router.

#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

pub mod actors;
mod asked_scopes;
mod authorize;
mod authorize_pages;
mod choosing;
mod client_authentication;
mod code;
mod consent;
mod discovery;
mod introspection;
mod launch;
mod launch_rules;
mod listed_algorithms;
mod logout;
pub mod record_server;
mod refresh;
mod registration;
mod requests;
