//! Clients: registered software (RFC 6749 2). What a client says of itself is an append-only list of revisions.
//!
//! Organizations approve a revision, not "the client": its name, logo, keys and redirect URIs are part of what was on the reviewer's screen. A later
//! revision waits for each organization's answer, and the approved one stays live meanwhile. Only a *narrowing* (fewer redirect URIs, fewer grant types,
//! nothing else) takes effect at once everywhere, because nobody has to agree to less.

use super::clock::UtcMillis;
use super::ids::{ApplicationProviderId, ClientId, ClientSecretId};
use super::secrets::{HashedSecret, hex_digest};

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    /// `client_id`.
    pub id: ClientId,
    /// Who owns it.
    pub application_provider_id: ApplicationProviderId,
    /// Active, or deleted for good.
    pub state: ClientState,
    /// The highest revision.
    pub latest_revision: i64,
    /// Name in the latest revision.
    pub name: String,
    /// When it was registered.
    pub created_at: UtcMillis,
}

/// Where a client stands with its owner. Whether an organization lets it in is another question: see `approvals`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientState {
    /// Registered.
    Active,
    /// Deleted; its id is never used again.
    Deleted {
        /// Since when.
        at: UtcMillis,
    },
}

/// One revision of what a client says of itself.
#[derive(Clone, Debug)]
pub struct ClientRevision {
    /// Of which client.
    pub client_id: ClientId,
    /// 1, 2, 3, ...
    pub revision: i64,
    /// What it says.
    pub metadata: ClientMetadata,
    /// Digest of `metadata`.
    pub digest: String,
    /// When it was filed.
    pub created_at: UtcMillis,
}

/// How a client proves who it is (RFC 7591 `token_endpoint_auth_method`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientType {
    /// It cannot keep a secret (`none`).
    Public,
    /// A secret we made, by `client_secret_basic` or `client_secret_post`.
    ConfidentialSecret,
    /// Its own keys (`private_key_jwt`).
    ConfidentialKeys,
}

/// A grant type a client may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 4.1.
    AuthorizationCode,
    /// RFC 6749 6.
    RefreshToken,
    /// RFC 6749 4.4; SMART Backend Services.
    ClientCredentials,
}

impl GrantType {
    /// The word of RFC 6749.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// Reads the word of RFC 6749.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "authorization_code" => Some(Self::AuthorizationCode),
            "refresh_token" => Some(Self::RefreshToken),
            "client_credentials" => Some(Self::ClientCredentials),
            _ => None,
        }
    }
}

/// Algorithms that client assertions may be signed with (RFC 7518 3.1, RFC 8037 3.1): SMART's two first, then those of FAPI 2.0.
pub const ASSERTION_ALGORITHMS: &[&str] = &["RS384", "ES384", "ES256", "PS256", "PS384", "EdDSA"];

/// Which `aud` an assertion of this client may carry (decisions D1 and X-01).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssertionAudience {
    /// The token URL at the token endpoint, or the issuer anywhere (SMART 2.2).
    #[default]
    Smart,
    /// The issuer as a single string only (RFC 10070, FAPI 2.0).
    Strict,
}

/// What a client says of itself. Every field is on the reviewer's screen and in the digest.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientMetadata {
    /// Name shown to people. Untrusted text.
    pub name: String,
    /// What it is for. Untrusted text.
    #[serde(default)]
    pub description: String,
    /// Digest of an uploaded logo.
    #[serde(default)]
    pub logo: Option<String>,
    /// E-mail addresses.
    #[serde(default)]
    pub contacts: Vec<String>,
    /// Web pages, or empty.
    #[serde(default)]
    pub homepage: String,
    /// Privacy statement, or empty.
    #[serde(default)]
    pub privacy: String,
    /// Terms of use, or empty.
    #[serde(default)]
    pub terms: String,
    /// How it proves who it is.
    pub client_type: ClientType,
    /// Inline JWK Set as JSON text; public keys only. Read from an object too, as RFC 7591 2 has it.
    #[serde(default, deserialize_with = "json_text")]
    pub jwks: Option<String>,
    /// Where its JWK Set is.
    #[serde(default)]
    pub jwks_uri: Option<String>,
    /// Exact redirect URIs, compared byte for byte.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Where an EHR launches it.
    #[serde(default)]
    pub launch_uri: Option<String>,
    /// Where a user may be sent after signing out.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// Back-channel logout URI (OpenID Connect Back-Channel Logout 2.2).
    #[serde(default)]
    pub backchannel_logout_uri: Option<String>,
    /// A native app: loopback redirects may use any port (RFC 8252 7.3).
    #[serde(default)]
    pub native: bool,
    /// What it may ask for at the token endpoint.
    pub grant_types: Vec<GrantType>,
    /// Audience rule for its assertions.
    #[serde(default)]
    pub assertion_audience: AssertionAudience,
    /// Which shape of `fhirContext` it reads: `false` for SMART 2.0 (strings), `true` for 2.1 and later (objects).
    #[serde(default = "yes")]
    pub fhir_context_objects: bool,
    /// What is rarely said, and mostly by clients that register themselves.
    #[serde(default, skip_serializing_if = "Declared::is_nothing")]
    pub declared: Declared,
}

/// Members of client metadata that are rarely said (RFC 7591 2, OpenID Connect Registration 2). Part of the revision and its digest like all the rest; left
/// out of both where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Declared {
    /// A client with a secret that named `client_secret_post`. Either way of sending it is taken; this is what it is told again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub secret_in_body: bool,
    /// `token_endpoint_auth_signing_alg`: its assertions are taken with this algorithm only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assertion_algorithm: Option<String>,
    /// `default_max_age` in seconds: how old a sign-in may be where the request does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<i64>,
    /// `require_auth_time`. ID tokens carry `auth_time` anyway.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub require_auth_time: bool,
    /// `initiate_login_uri` (OpenID Connect Core 4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
    /// `software_id`. Untrusted text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// `software_version`. Untrusted text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
}

impl Declared {
    /// Nothing of it is said.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Each thing that is said, as `name: value` in the words of the standards.
    pub fn lines(&self) -> Vec<String> {
        let text = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name}: {value}"));
        [
            self.secret_in_body.then(|| "token_endpoint_auth_method: client_secret_post".to_owned()),
            text("token_endpoint_auth_signing_alg", &self.assertion_algorithm),
            self.default_max_age.map(|seconds| format!("default_max_age: {seconds}")),
            self.require_auth_time.then(|| "require_auth_time: true".to_owned()),
            text("initiate_login_uri", &self.initiate_login_uri),
            text("software_id", &self.software_id),
            text("software_version", &self.software_version),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn yes() -> bool {
    true
}

fn json_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let value: Option<serde_json::Value> = serde::Deserialize::deserialize(deserializer)?;
    Ok(value.map(|value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }))
}

impl ClientMetadata {
    /// SHA-256 over every field.
    pub fn digest(&self) -> String {
        let json = serde_json::to_vec(self).expect("client metadata serializes");
        hex_digest(&[b"client-metadata", &json])
    }

    /// May it use this grant type?
    pub fn may_use(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }

    /// Does `self` ask for nothing that `approved` did not already have: the same, less some redirect URIs, grant types or inline keys?
    pub fn is_narrowing_of(&self, approved: &Self) -> bool {
        let fewer = |new: &[String], old: &[String]| new.iter().all(|uri| old.contains(uri));
        let fewer_keys = match (&self.jwks, &approved.jwks) {
            (Some(new), Some(old)) => holds_no_other_key(new, old),
            (new, old) => new == old,
        };
        let rest_of = |metadata: &Self| Self {
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            grant_types: Vec::new(),
            jwks: None,
            ..metadata.clone()
        };
        fewer_keys
            && fewer(&self.redirect_uris, &approved.redirect_uris)
            && fewer(&self.post_logout_redirect_uris, &approved.post_logout_redirect_uris)
            && self.grant_types.iter().all(|grant_type| approved.grant_types.contains(grant_type))
            && rest_of(self) == rest_of(approved)
    }
}

/// Is every key of a JWK Set, member by member, one of another set? What is no set is only like itself.
fn holds_no_other_key(new: &str, old: &str) -> bool {
    let keys = |text: &str| {
        let members = super::json::object(text.as_bytes()).ok()?;
        members.get("keys")?.as_array().cloned()
    };
    match (keys(new), keys(old)) {
        (Some(new), Some(old)) => new.iter().all(|key| old.contains(key)),
        _ => new == old,
    }
}

/// A client secret's record.
#[derive(Clone, Debug)]
pub struct ClientSecret {
    /// Id.
    pub id: ClientSecretId,
    /// Of which client.
    pub client_id: ClientId,
    /// Of the secret.
    pub secret_hash: HashedSecret,
    /// Its last four characters.
    pub hint: String,
    /// When it was made.
    pub created_at: UtcMillis,
    /// When a client last proved itself with it.
    pub last_used_at: Option<UtcMillis>,
    /// When it stops by itself.
    pub expires_at: Option<UtcMillis>,
    /// When it was revoked.
    pub revoked_at: Option<UtcMillis>,
}

impl ClientSecret {
    /// May a client still prove itself with it?
    pub fn is_live(&self, now: UtcMillis) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires| now < expires)
    }
}

/// How many secrets of a client may be live at once: the one in use and the one that replaces it.
pub const LIVE_SECRETS: usize = 2;
