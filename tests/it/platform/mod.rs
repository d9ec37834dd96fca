//! Signing in, one's own account, the outbox, `apply`.

mod applying;
mod outbox;
mod signing_in;
