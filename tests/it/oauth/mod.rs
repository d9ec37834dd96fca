//! OAuth, OpenID Connect and SMART, through the router.

pub mod actors;
mod authorize;
mod client_authentication;
mod code;
mod discovery;
mod introspection;
mod launch;
mod logout;
mod refresh;
