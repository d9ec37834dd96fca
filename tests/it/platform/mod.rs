//! Signing in, one's own account, the outbox, `apply`, the commands of the operator.

mod access;
mod applying;
mod commands;
mod hosts;
mod outbox;
mod signing_in;
pub mod surface;
