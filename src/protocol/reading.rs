//! Reading from an organization's own FHIR server, for our own pages: with what token, and how it comes by it.
//!
//! Two ways, chosen per FHIR endpoint:
//!
//! 1. *A reading token of ours*, for a FHIR server that asks us about every token anyway: sealed by the vault for one FHIR endpoint, the scopes of one read and two
//!    minutes, kept in no table. Introspection knows it ([`reading_token_of`]); no client can ask for one. It needs no approval because it is the organization's
//!    own server that shows the organization's own people a name to choose by; it ends with the organization.
//! 2. *Backend services* (SMART 2.2) for a FHIR server that trusts another authorization server: we are a client there, prove ourselves by `private_key_jwt` with
//!    a key that is published in the organization's key set ([`key_set`]), and use the token as long as it is good.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

use crate::app::App;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{FhirEndpointId, OrganizationId};
use crate::domain::organizations::{BackendReading, FhirEndpoint};
use crate::domain::reader_keys::{ReaderKey, duties};
use crate::domain::secrets::{PlainSecret, hex_digest};
use crate::outbound::fhir::{FhirClient, FhirReadError, backend};
use crate::storage::{self, StorageError};

/// What a reading token begins with.
const PREFIX: &str = "cso_";
const LIFE_SECONDS: i64 = 120;
/// How long one answer of a FHIR server may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long an assertion is good (SMART: at most five minutes).
const ASSERTION_SECONDS: i64 = 120;
/// A token is no longer used so many seconds before its end.
const MARGIN_SECONDS: i64 = 30;

/// A reading token that is good now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadingToken {
    /// For which FHIR endpoint.
    pub endpoint: FhirEndpointId,
    /// What it may read.
    pub scope: String,
    /// When it ends.
    pub until: UtcMillis,
}

fn own_token(app: &App, endpoint: &FhirEndpoint, scope: &str) -> PlainSecret {
    let until = app.now().plus_seconds(LIFE_SECONDS);
    let plain = format!("{}|{}|{scope}", until.0, endpoint.id);
    let sealed = app.vault.seal("reading-token", plain.as_bytes(), app.entropy.as_ref());
    PlainSecret::from_text(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(sealed)))
}

/// What a reading token of ours is good for; `None` for anything else, and when it is over.
pub fn reading_token_of(app: &App, token: &str) -> Option<ReadingToken> {
    let sealed = URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
    let plain = app.vault.open("reading-token", &sealed).ok()?;
    let mut parts = std::str::from_utf8(&plain).ok()?.splitn(3, '|');
    let until = UtcMillis(parts.next()?.parse().ok()?);
    let (endpoint, scope) = (FhirEndpointId::from_text(parts.next()?), parts.next()?.to_owned());
    (app.now() < until).then_some(ReadingToken { endpoint, scope, until })
}

/// Reads records of one type (`Patient`) from an organization's FHIR server.
pub async fn reader(app: &Arc<App>, endpoint: &FhirEndpoint, kind: &str) -> Result<FhirClient, FhirReadError> {
    let url =
        Url::parse(&endpoint.base_url).map_err(|_| FhirReadError::Malformed("the FHIR base URL is no URL".into()))?;
    // the address is the organization's own, often inside its own network: not guarded like an address a client chose
    let http = app.memory.fhir_http.get();
    let Some(reading) = &endpoint.settings.reading else {
        let token = own_token(app, endpoint, &format!("system/{kind}.rs"));
        return Ok(FhirClient::new(&url, Some(&token), PATIENCE, http));
    };
    let token = match kept(app, endpoint, reading) {
        Some(token) => token,
        None => fetched(app, endpoint, reading).await?,
    };
    let (app, endpoint, reading) = (Arc::clone(app), endpoint.clone(), reading.clone());
    Ok(FhirClient::new(&url, Some(&token), PATIENCE, http).renewing(Arc::new(move || {
        let (app, endpoint, reading) = (Arc::clone(&app), endpoint.clone(), reading.clone());
        Box::pin(async move { fetched(&app, &endpoint, &reading).await })
    })))
}

/// Under which name a token is remembered: another client or token endpoint is another token.
fn place(endpoint: &FhirEndpoint, reading: &BackendReading) -> String {
    [endpoint.id.as_str(), &reading.client_id, &reading.token_endpoint, &reading.scope].join("\n")
}

fn kept(app: &App, endpoint: &FhirEndpoint, reading: &BackendReading) -> Option<PlainSecret> {
    let tokens = app.memory.fhir_tokens.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (token, until) = tokens.get(&place(endpoint, reading))?;
    (app.now() < *until).then(|| token.clone())
}

async fn fetched(
    app: &Arc<App>,
    endpoint: &FhirEndpoint,
    reading: &BackendReading,
) -> Result<PlainSecret, FhirReadError> {
    let assertion = assertion(app, &endpoint.organization_id, reading).await?;
    let wish =
        backend::TokenWish { token_endpoint: &reading.token_endpoint, scope: &reading.scope, assertion: &assertion };
    let answer = backend::token(&app.memory.fhir_http.get(), &wish, PATIENCE).await.inspect_err(|error| {
        tracing::warn!(%error, endpoint = endpoint.id.as_str(), "no token for reading from the FHIR server");
    })?;
    let until = app.now().plus_seconds((answer.seconds - MARGIN_SECONDS).max(0));
    let mut tokens = app.memory.fhir_tokens.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    tokens.insert(place(endpoint, reading), (answer.token.clone(), until));
    Ok(answer.token)
}

/// Who we are, for one token request (RFC 7523, SMART 2.2 client-confidential-asymmetric).
async fn assertion(
    app: &Arc<App>,
    organization: &OrganizationId,
    reading: &BackendReading,
) -> Result<PlainSecret, FhirReadError> {
    #[derive(serde::Serialize)]
    struct Claims<'a> {
        iss: &'a str,
        sub: &'a str,
        aud: &'a str,
        iat: i64,
        exp: i64,
        jti: String,
    }
    let broken = |what: &str| FhirReadError::Down(format!("our own key: {what}"));
    let keys = keys(app, organization).await.map_err(|error| broken(&error.to_string()))?;
    let signs = duties(&keys, app.now()).signs;
    let key = keys.into_iter().find(|key| Some(&key.kid) == signs.as_ref()).ok_or_else(|| broken("there is none"))?;
    let private = app.vault.open(&label(&key.kid), &key.sealed_private).map_err(|error| broken(&error.to_string()))?;
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::ES384);
    header.kid = Some(key.kid);
    let now = app.now().seconds();
    let claims = Claims {
        iss: &reading.client_id,
        sub: &reading.client_id,
        aud: &reading.token_endpoint,
        iat: now,
        exp: now + ASSERTION_SECONDS,
        jti: PlainSecret::alphanumeric(app.entropy.as_ref()).reveal().to_owned(),
    };
    jsonwebtoken::encode(&header, &claims, &jsonwebtoken::EncodingKey::from_ec_der(&private))
        .map(PlainSecret::from_text)
        .map_err(|error| broken(&error.to_string()))
}

fn label(kid: &str) -> String {
    format!("reader-key|{kid}")
}

/// The keys of an organization. What is due is done first: the first key, the next one, the end of one that nobody needs any more.
async fn keys(app: &Arc<App>, organization: &OrganizationId) -> Result<Vec<ReaderKey>, StorageError> {
    let keys = storage::reader_keys::list(&mut *app.store.read().await?, organization).await?;
    let now = app.now();
    let due = duties(&keys, now);
    if !due.is_due && due.spent.is_empty() {
        return Ok(keys);
    }
    let made = due.is_due.then(|| generate(app, organization, now));
    let organization = organization.clone();
    app.store
        .write(move |conn| {
            Box::pin(async move {
                // of two nodes at once, one makes the key: the other finds it
                let keys = storage::reader_keys::list(conn, &organization).await?;
                let due = duties(&keys, now);
                if let Some(key) = made.filter(|_| due.is_due) {
                    storage::reader_keys::insert(conn, &key).await?;
                    let event =
                        AuditEvent::new(&organization, now, "reader_key.made", Actor::System).subject(key.kid.as_str());
                    storage::audit::append(conn, &event).await?;
                }
                for kid in &due.spent {
                    storage::reader_keys::forget(conn, kid).await?;
                }
                storage::reader_keys::list(conn, &organization).await
            })
        })
        .await
}

/// Makes a P-384 key: `ES384` is one of the two algorithms that every SMART server reads.
fn generate(app: &App, organization: &OrganizationId, now: UtcMillis) -> ReaderKey {
    let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("the cryptographic library makes keys");
    let private = pair.to_pkcs8v1().expect("a key we made can be written");
    let (x, y) = pair.public_key().as_ref()[1..].split_at(48);
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    let kid = hex_digest(&[b"reader-kid", x.as_bytes()])[..16].to_owned();
    let public_jwk = serde_json::json!({
        "kty": "EC", "crv": "P-384", "use": "sig", "alg": "ES384", "key_ops": ["verify"], "kid": kid, "x": x, "y": y,
    });
    ReaderKey {
        sealed_private: app.vault.seal(&label(&kid), private.as_ref(), app.entropy.as_ref()),
        organization_id: organization.clone(),
        public_jwk: public_jwk.to_string(),
        created_at: now,
        kid,
    }
}

/// The organization's key set, for the authorization server of its FHIR server. Public members only; the first key is made when it is first asked for.
pub async fn key_set(app: &Arc<App>, organization: &OrganizationId) -> Result<serde_json::Value, StorageError> {
    let keys = keys(app, organization).await?;
    let keys: Vec<serde_json::Value> =
        keys.iter().filter_map(|key| serde_json::from_str(&key.public_jwk).ok()).collect();
    Ok(serde_json::json!({ "keys": keys }))
}
