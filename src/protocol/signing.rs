//! Our own keys: made at the first start, rotated by time, published as a JWK Set (RFC 7517). See `domain::keys` for their life.

use std::sync::{Arc, PoisonError};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use super::error::OAuthError;
use crate::app::App;
use crate::domain::audit::{Actor, AuditEvent, Chain};
use crate::domain::clock::UtcMillis;
use crate::domain::json;
use crate::domain::keys::{KeyState, OpenedKey, Rotation, SigningKey, next_step};
use crate::domain::secrets::hex_digest;
use crate::storage::{self, StorageError};

/// The one algorithm we sign with: every reader of ID tokens knows it (SMART-ID-02).
pub const ALGORITHM: &str = "RS256";

/// Does whatever is due: makes the first key, publishes the next, lets it sign, forgets spent ones. Called at every start and by the rotation job; returns how
/// many steps it took.
pub async fn rotate(app: &Arc<App>) -> Result<usize, StorageError> {
    let mut steps = 0;
    // each step is one decision; a handful is the most that can be due at once
    while steps < 8 {
        let now = app.now();
        let keys = storage::signing_keys::list(&mut *app.store.read().await?).await?;
        match next_step(&keys, now) {
            Rotation::Rest => break,
            Rotation::MakeActive => add(app, KeyState::Active, now).await?,
            Rotation::MakeNext => add(app, KeyState::Next, now).await?,
            Rotation::Promote(kid) => {
                app.store
                    .write::<_, StorageError, _>(move |conn| {
                        Box::pin(async move {
                            if storage::signing_keys::promote(conn, &kid, ALGORITHM, now).await? {
                                let event = AuditEvent::new(Chain::Server, now, "signing_key.activated", Actor::System)
                                    .subject(kid);
                                storage::audit::append(conn, &event).await?;
                            }
                            Ok(())
                        })
                    })
                    .await?;
            }
            Rotation::Forget(kid) => {
                app.memory.signers.lock().unwrap_or_else(PoisonError::into_inner).remove(&kid);
                app.store
                    .write::<_, StorageError, _>(move |conn| {
                        Box::pin(async move {
                            if !storage::signing_keys::forget(conn, &kid).await? {
                                return Ok(());
                            }
                            let event = AuditEvent::new(Chain::Server, now, "signing_key.forgotten", Actor::System)
                                .subject(kid);
                            storage::audit::append(conn, &event).await
                        })
                    })
                    .await?;
            }
        }
        steps += 1;
    }
    Ok(steps)
}

/// Begins a rotation before its time: publishes the next key, if none is published yet. It signs when everybody can know it (see `domain::keys`).
pub async fn begin_rotation(app: &Arc<App>) -> Result<(), StorageError> {
    rotate(app).await?;
    add(app, KeyState::Next, app.now()).await
}

/// The private keys are known to others: in one step every key is forgotten and a new one signs. Nothing that was signed before verifies any more, which is meant;
/// whoever caches our key set meets a signature of a key they do not know, and asks again.
pub async fn replace_compromised(app: &Arc<App>) -> Result<(), StorageError> {
    let now = app.now();
    let key = made(app, KeyState::Active, now).await?;
    app.store
        .write::<_, StorageError, _>(move |conn| {
            Box::pin(async move {
                storage::installation::put(conn, "signing_keys.made", &key.kid).await?;
                let forgotten = storage::signing_keys::forget_all(conn, ALGORITHM).await?;
                storage::signing_keys::insert(conn, &key).await?;
                let event = AuditEvent::new(Chain::Server, now, "signing_key.all_replaced", Actor::Operator)
                    .subject(key.kid.as_str())
                    .with("forgotten", forgotten.to_string());
                storage::audit::append(conn, &event).await
            })
        })
        .await?;
    app.memory.signers.lock().unwrap_or_else(PoisonError::into_inner).clear();
    Ok(())
}

async fn made(app: &Arc<App>, state: KeyState, now: UtcMillis) -> Result<SigningKey, StorageError> {
    let worker = Arc::clone(app);
    tokio::task::spawn_blocking(move || generate(&worker, state, now))
        .await
        .map_err(|error| StorageError::Unavailable(format!("a signing key could not be made: {error}")))
}

async fn add(app: &Arc<App>, state: KeyState, now: UtcMillis) -> Result<(), StorageError> {
    let key = made(app, state, now).await?;
    app.store
        .write(move |conn| {
            Box::pin(async move {
                // of two nodes that start at once, one makes the key: the other waits for this row, and then finds it
                storage::installation::put(conn, "signing_keys.made", &key.kid).await?;
                let keys = storage::signing_keys::list(conn).await?;
                let is_needed = match state {
                    KeyState::Active => keys.iter().all(|other| other.state != KeyState::Active),
                    KeyState::Next | KeyState::Retiring => keys.iter().all(|other| other.state != KeyState::Next),
                };
                if !is_needed {
                    return Ok(());
                }
                storage::signing_keys::insert(conn, &key).await?;
                let event =
                    AuditEvent::new(Chain::Server, now, "signing_key.made", Actor::System).subject(key.kid.as_str());
                storage::audit::append(conn, &event).await
            })
        })
        .await
}

/// Makes an RSA key of 2048 bits. Takes a good part of a second: not for an async worker thread, and never inside a transaction.
fn generate(app: &App, state: KeyState, now: UtcMillis) -> SigningKey {
    let pair = KeyPair::generate(KeySize::Rsa2048).expect("the cryptographic library makes RSA keys");
    let private: Pkcs8V1Der<'_> = pair.as_der().expect("a key we made can be written");
    let public = pair.public_key();
    let n = URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero());
    let e = URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero());
    let kid = hex_digest(&[b"kid", n.as_bytes()])[..16].to_owned();
    let public_jwk =
        serde_json::json!({ "kty": "RSA", "use": "sig", "alg": ALGORITHM, "kid": kid, "n": n, "e": e }).to_string();
    SigningKey {
        sealed_private: app.vault.seal(&label(&kid), private.as_ref(), app.entropy.as_ref()),
        alg: ALGORITHM.to_owned(),
        state,
        public_jwk,
        created_at: now,
        activated_at: (state == KeyState::Active).then_some(now),
        retired_at: None,
        kid,
    }
}

fn label(kid: &str) -> String {
    format!("signing-key|{kid}")
}

/// Every key; the first one is made when it is first asked for.
async fn published(app: &Arc<App>) -> Result<Vec<SigningKey>, StorageError> {
    let keys = storage::signing_keys::list(&mut *app.store.read().await?).await?;
    if keys.iter().any(|key| key.state == KeyState::Active) {
        return Ok(keys);
    }
    let _making = app.memory.first_key.lock().await;
    // whoever waited finds it made
    rotate(app).await?;
    storage::signing_keys::list(&mut *app.store.read().await?).await
}

/// A key that signs, and its id.
#[derive(Clone)]
pub struct Signer {
    kid: String,
    key: OpenedKey,
}

impl Signer {
    /// The key that signs now.
    pub async fn active(app: &Arc<App>) -> Result<Self, OAuthError> {
        let keys = published(app).await?;
        let active = keys.into_iter().find(|key| key.state == KeyState::Active);
        let active =
            active.ok_or_else(|| StorageError::inconsistent("signing_keys", ALGORITHM, "there is no active key"))?;
        let mut opened = app.memory.signers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = opened.get(&active.kid) {
            return Ok(Self { kid: active.kid, key: Arc::clone(key) });
        }
        let private = app
            .vault
            .open(&label(&active.kid), &active.sealed_private)
            .map_err(|error| StorageError::inconsistent("signing_keys", active.kid.as_str(), error.to_string()))?;
        let pem = zeroize::Zeroizing::new(format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            wrapped(&STANDARD.encode(&*private))
        ));
        let key = EncodingKey::from_rsa_pem(pem.as_bytes())
            .map_err(|error| StorageError::inconsistent("signing_keys", active.kid.as_str(), error.to_string()))?;
        let key = Arc::new(key);
        opened.insert(active.kid.clone(), Arc::clone(&key));
        Ok(Self { kid: active.kid, key })
    }

    /// Signs claims as a JWT of this type.
    pub fn sign<T: Serialize>(&self, typ: &str, claims: &T) -> Result<String, OAuthError> {
        let mut header = Header::new(Algorithm::RS256);
        header.typ = Some(typ.to_owned());
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.key)
            .map_err(|error| StorageError::Unavailable(format!("a token could not be signed: {error}")).into())
    }
}

fn wrapped(base64: &str) -> String {
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
    lines.join("\n")
}

/// The JWK Set: every key that may have signed something still alive, or will soon sign. Public members only.
pub async fn key_set(app: &Arc<App>) -> Result<serde_json::Value, OAuthError> {
    let keys = published(app).await?;
    let keys: Vec<serde_json::Value> =
        keys.iter().filter_map(|key| serde_json::from_str(&key.public_jwk).ok()).collect();
    Ok(serde_json::json!({ "keys": keys }))
}

/// Verifies a JWT of ours of this type: RS256, by the published key that its `kid` names. Its times are not judged.
///
/// The type is part of the proof: ID tokens, access tokens and logout tokens are signed with one key, and none may pass for another.
pub async fn verified_claims(app: &Arc<App>, jwt: &str, typ: &str) -> Result<Option<serde_json::Value>, OAuthError> {
    let Some((signing_input, signature)) = jwt.rsplit_once('.') else { return Ok(None) };
    let Some((header, claims)) = signing_input.split_once('.') else { return Ok(None) };
    let header = URL_SAFE_NO_PAD.decode(header).ok().and_then(|bytes| json::object(&bytes).ok());
    let header = serde_json::Value::Object(header.unwrap_or_default());
    if header["alg"] != ALGORITHM || header["typ"] != typ || header.get("crit").is_some() {
        return Ok(None);
    }
    let Some(kid) = header["kid"].as_str() else { return Ok(None) };
    let published = published(app).await?;
    let Some(key) = published.iter().find(|key| key.kid == kid) else { return Ok(None) };
    let set = format!("{{\"keys\":[{}]}}", key.public_jwk);
    let keys = super::jwk::usable_keys(&set).unwrap_or_default();
    if !keys.iter().any(|key| key.verifies(Algorithm::RS256, signing_input, signature)) {
        return Ok(None);
    }
    // signed by us: as we wrote it
    Ok(URL_SAFE_NO_PAD.decode(claims).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}
