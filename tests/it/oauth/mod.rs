//! OAuth, OpenID Connect and SMART, through the router.

#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

pub mod actors;
mod asked_scopes;
mod authorize;
mod authorize_pages;
mod choosing;
mod client_authentication;
mod client_keys;
mod client_secrets;
mod code;
mod consent;
mod discovery;
mod initial_access_tokens;
mod introspection;
mod key_sets;
mod launch;
mod launch_people;
mod launch_rules;
mod listed_algorithms;
mod logout;
mod managing;
mod reading;
pub mod record_server;
mod refresh;
mod registration;
mod requests;
