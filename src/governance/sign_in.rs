//! Signing in: passwords, sessions, personal API tokens.
//!
//! A wrong password and an unknown address get the same answer after the same work. One throttle per address counts failures wherever they come
//! from; while it is shut even the right password is refused, for minutes and never for good. Hashing runs on blocking threads behind a
//! semaphore, so that a flood of sign-ins cannot starve the token endpoint.

use crate::app::App;
use crate::domain::accounts::Account;
use crate::domain::clock::UtcMillis;
use crate::domain::ids::AccountId;
use crate::domain::secrets::PlainSecret;
use crate::domain::sessions::Session;
use crate::domain::tokens::{Sealer, TokenKind};
use crate::storage::{self, Conn, StorageError};

/// How stale `last_seen_at` and `last_used_at` may be before they are written again: a write per minute, not per request.
const TOUCH_SECONDS: i64 = 60;

/// The session a cookie stands for, with its account, if it is live.
pub async fn session_of(app: &App, token: &str) -> Result<Option<(Account, Session)>, StorageError> {
    let Some(presented) = app.sealer.open(TokenKind::Session, token) else { return Ok(None) };
    let now = app.now();
    let mut conn = app.store.read().await?;
    let Some((session, secret)) = storage::sessions::lookup(&mut conn, presented.unverified_id).await? else { return Ok(None) };
    if !secret.matches(&presented.secret) {
        return Ok(None);
    }
    let Some(account) = storage::accounts::lookup(&mut conn, &session.account_id).await? else { return Ok(None) };
    drop(conn);
    if !account.active || !session.is_live(account.session_epoch, app.config.limits.session_idle_minutes, now) {
        return Ok(None);
    }
    if session.last_seen_at.plus_seconds(TOUCH_SECONDS) <= now {
        let id = session.id;
        app.store.write(move |conn| Box::pin(async move { storage::sessions::touch(conn, id, now).await })).await?;
    }
    Ok(Some((account, session)))
}

/// Opens a session inside the caller's transaction and returns the cookie's value. Always a new one: an id from before signing in is never taken over.
pub async fn open_session(conn: &mut Conn, account: &Account, opening: &Opening) -> Result<(PlainSecret, Session), StorageError> {
    let mut session = Session {
        id: 0,
        account_id: account.id.clone(),
        session_epoch: account.session_epoch,
        csrf: opening.csrf.reveal().to_owned(),
        auth_time: opening.now,
        created_at: opening.now,
        last_seen_at: opening.now,
        expires_at: opening.expires_at,
        ended_at: None,
    };
    session.id = storage::sessions::insert(conn, &session, &opening.secret.hashed()).await?;
    Ok((opening.sealer.seal(TokenKind::Session, session.id, &opening.secret), session))
}

/// What a new session is made of.
pub struct Opening {
    now: UtcMillis,
    expires_at: UtcMillis,
    sealer: Sealer,
    secret: PlainSecret,
    csrf: PlainSecret,
}

impl Opening {
    /// For a session that starts now.
    pub fn new(app: &App) -> Self {
        let now = app.now();
        Self {
            now,
            expires_at: now.plus_seconds(app.config.limits.session_hours.saturating_mul(3600)),
            sealer: app.sealer.clone(),
            secret: Sealer::secret(app.entropy.as_ref()),
            csrf: PlainSecret::random(24, app.entropy.as_ref()),
        }
    }
}

/// Ends a session; its cookie is worthless from then on.
pub async fn sign_out(app: &App, session: &Session) -> Result<(), StorageError> {
    let (id, now) = (session.id, app.now());
    app.store.write(move |conn| Box::pin(async move { storage::sessions::end(conn, id, now).await.map(|_| ()) })).await
}

/// The account of a personal API token, if the token is live.
pub async fn account_of_api_token(app: &App, token: &str) -> Result<Option<Account>, StorageError> {
    let Some(presented) = app.sealer.open(TokenKind::Api, token) else { return Ok(None) };
    let now = app.now();
    let mut conn = app.store.read().await?;
    let Some((record, secret)) = storage::api_tokens::lookup(&mut conn, presented.unverified_id).await? else { return Ok(None) };
    if !secret.matches(&presented.secret) || !record.is_live(now) {
        return Ok(None);
    }
    let Some(account) = storage::accounts::lookup(&mut conn, &record.account_id).await? else { return Ok(None) };
    drop(conn);
    if !account.active {
        return Ok(None);
    }
    if record.last_used_at.is_none_or(|used| used.plus_seconds(TOUCH_SECONDS) <= now) {
        app.store.write(move |conn| Box::pin(async move { storage::api_tokens::touch(conn, record.id, now).await })).await?;
    }
    Ok(Some(account))
}

/// Says whose id it is; for audit records.
pub(super) fn actor(account: &AccountId) -> crate::domain::audit::Actor {
    crate::domain::audit::Actor::User(account.clone())
}
