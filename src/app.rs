//! What every request needs, built once: configuration, store, clock, randomness, keys.

use std::sync::Arc;

use crate::domain::clock::{Clock, UtcMillis};
use crate::domain::entropy::Entropy;
use crate::domain::tokens::Sealer;
use crate::storage::{self, StorageError, Store};
use crate::vault::{KeyEncryptionKey, Vault};

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

/// What a process remembers between requests to be quicker. Nothing here decides anything but whether somebody asks too much: all the rest is also in the
/// database or on the net, and a process that starts anew with `Memory::default()` answers the same.
#[derive(Default)]
pub struct Memory {
    /// Clients' JWK Sets, as long as their headers allow.
    pub jwks: crate::outbound::jwks::JwksCache,
    /// Opened signing keys by `kid`.
    pub signers: std::sync::Mutex<std::collections::HashMap<String, crate::domain::keys::OpenedKey>>,
    /// Held while the first signing key is made: of many requests that find none, one makes it.
    pub first_key: tokio::sync::Mutex<()>,
    /// Connections to apps that are told of the end of a session.
    pub messenger: crate::outbound::logout::Messenger,
    /// Connections to the organizations' FHIR servers.
    pub fhir_http: crate::outbound::http_client::InternalClient,
    /// Tokens of ours at the organizations' FHIR servers, and until when each is used.
    pub fhir_tokens: std::sync::Mutex<
        std::collections::HashMap<String, (crate::domain::secrets::PlainSecret, crate::domain::clock::UtcMillis)>,
    >,
    /// A client that exists, asked for in the place of one that does not, so that both take as long (K20).
    pub stand_in: std::sync::Mutex<Option<crate::domain::ids::ClientId>>,
    /// Wrong secrets, per client that was named.
    pub wrong_secrets: crate::domain::throttle::Throttle,
    /// Questions about tokens that are not good, per resource server.
    pub dead_tokens: crate::domain::throttle::Throttle,
}

/// Why the application cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum CannotOpen {
    /// The file of the key-encryption key cannot be used.
    #[error("the key file cannot be used: {0}")]
    Key(String),
    /// The database was written under another key; nothing sealed in it would open.
    #[error("this database belongs to another key file; start with the one it was made with")]
    WrongKey,
    /// The database cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl App {
    /// Opens what `config` names: the key, the database (brought up to date), and the proof that the two belong together.
    pub async fn open(
        config: crate::config::Config,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, CannotOpen> {
        let bytes = crate::config::read_key_file(&config.server.key_file).map_err(CannotOpen::Key)?;
        let key = KeyEncryptionKey::new(*bytes);
        let store = storage::connect::connect(&config.database.url).await?;
        let check = key.check_value();
        let asked = check.clone();
        let known: Result<String, StorageError> = store
            .write(move |conn| {
                Box::pin(async move { storage::installation::put_once(conn, "kek.check", &asked).await })
            })
            .await;
        if known? != check {
            return Err(CannotOpen::WrongKey);
        }
        Ok(Self { store, clock, entropy, sealer: key.sealer(), vault: key.vault(), config, memory: Memory::default() })
    }

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
