//! What every request needs, built once: configuration, store, clock, randomness, keys.

use std::sync::Arc;

use crate::domain::clock::{Clock, UtcMillis};
use crate::domain::entropy::Entropy;
use crate::domain::tokens::Sealer;
use crate::storage::Store;
use crate::vault::Vault;

/// The application. Shared by reference; nothing in it changes after the start but what its parts guard themselves.
pub struct App {
    /// Our database.
    pub store: Store,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub entropy: Arc<dyn Entropy>,
    /// Row ids in tokens.
    pub sealer: Sealer,
    /// Private keys and webhook secrets at rest.
    pub vault: Vault,
    /// The configuration it was started with.
    pub config: crate::config::Config,
    /// What this process remembers between requests.
    pub memory: Memory,
}

/// What a process remembers between requests to be quicker. Nothing here decides anything: all of it is also in the database or on the net, and a process
/// that starts anew with `Memory::default()` answers the same.
#[derive(Default)]
pub struct Memory {
    /// Clients' JWK Sets, as long as their headers allow.
    pub jwks: crate::outbound::jwks::JwksCache,
    /// Opened signing keys by `kid`.
    pub signers: std::sync::Mutex<std::collections::HashMap<String, Arc<jsonwebtoken::EncodingKey>>>,
}

impl App {
    /// The present moment.
    pub fn now(&self) -> UtcMillis {
        self.clock.now()
    }

    /// An absolute URL of ours. Always from the configured base, never from a request's headers.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.config.server.base_url)
    }

    /// The issuer of an organization (RFC 8414 2): `https://HOST/o/{slug}`.
    pub fn issuer(&self, slug: &str) -> String {
        self.url(&format!("/o/{slug}"))
    }
}
