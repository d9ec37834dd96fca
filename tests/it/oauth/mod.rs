//! OAuth, OpenID Connect and SMART, through the router.

#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

pub mod actors;
mod asked_scopes;
mod authorize;
mod authorize_pages;
mod backchannel;
mod backend_secrets;
mod choosing;
mod client_authentication;
mod client_keys;
mod client_secrets;
mod code;
mod consent;
mod consent_shown;
mod discovery;
mod ending_sessions;
mod freshness;
mod initial_access_tokens;
mod inline_keys;
mod introspection;
mod key_sets;
mod keys;
mod launch;
mod launch_people;
mod launch_rights;
mod launch_rules;
mod listed_algorithms;
mod logout;
mod malformed;
mod managing;
mod readable_errors;
mod reading;
pub mod record_server;
mod refresh;
mod refresh_model;
mod registration;
mod remembered;
mod requests;
mod resource_servers;
mod revocation;
mod said;
mod userinfo;
