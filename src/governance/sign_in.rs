//! Signing in: passwords, sessions, personal API tokens.
//!
//! A wrong password and an unknown address get the same answer after the same work. One throttle per address counts failures wherever they come
//! from; while it is shut even the right password is refused, for minutes and never for good. Hashing runs on blocking threads behind a
//! semaphore, so that a flood of sign-ins cannot starve the token endpoint.

use super::passwords::{self, Busy};
use crate::app::App;
use crate::domain::accounts::{Account, normalized_email};
use crate::domain::audit::{Actor, AuditEvent, Chain};
use crate::domain::clock::UtcMillis;
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
    let Some((session, secret)) = storage::sessions::lookup(&mut conn, presented.unverified_id).await? else {
        return Ok(None);
    };
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

/// How many attempts an address has in a window. The right password clears the count.
const ATTEMPTS: i64 = 10;
/// The window, seconds.
const ATTEMPT_WINDOW: i64 = 15 * 60;
/// What throttles of sign-in are kept under.
const THROTTLE: &str = "sign-in";

/// Somebody at the sign-in page.
#[derive(Debug)]
pub struct Attempt {
    /// As typed.
    pub email: String,
    /// As typed.
    pub password: PlainSecret,
    /// The browser, for the list of sessions.
    pub device: String,
    /// The session this browser had before. The same person goes on with it under a new cookie; anybody else's ends, with all that lived with it.
    pub replaces: Option<Session>,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInRefused {
    /// The address or the password is wrong; which one is not told.
    #[error("the address or the password is not right")]
    Wrong,
    /// Too many attempts for this address; later.
    #[error("too many attempts for this address")]
    TooMany,
    /// Too many people sign in at this moment.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Signs somebody in: the cookie's value, and who they are.
pub async fn sign_in(app: &App, attempt: Attempt) -> Result<(PlainSecret, Account), SignInRefused> {
    let now = app.now();
    let subject = throttle_subject(&attempt.email);
    // 1 count first: of a thousand attempts at once only the first ten get as far as the password
    let counted = subject.clone();
    let attempts = app
        .store
        .write(move |conn| {
            Box::pin(async move { storage::throttles::count(conn, THROTTLE, &counted, now, ATTEMPT_WINDOW).await })
        })
        .await?;
    if attempts > ATTEMPTS {
        return Err(SignInRefused::TooMany);
    }
    // 2 the same work for an address that we do not know
    let account = {
        let mut conn = app.store.read().await?;
        storage::accounts::find_by_email(&mut conn, &subject).await?
    };
    let stored = account.as_ref().filter(|account| account.active).and_then(|account| account.password_hash.clone());
    let right = passwords::verify(attempt.password, stored).await?;
    let Some(account) = account.filter(|_| right) else {
        return Err(SignInRefused::Wrong);
    };
    // 3 a new session, and the end of the one before
    let opening = Opening::new(app, attempt.device);
    let replaces = attempt.replaces;
    app.store
        .write(move |conn| {
            Box::pin(async move {
                storage::throttles::clear(conn, THROTTLE, &subject).await?;
                let mut continues = None;
                match replaces {
                    Some(before) if before.account_id == account.id => {
                        let was_open = storage::sessions::end(conn, before.id, now).await?;
                        continues = was_open.then(|| before.began_as());
                    }
                    Some(before) => {
                        let by = Actor::User(before.account_id.clone());
                        storage::session_ends::end(conn, &before, &by, now).await?;
                    }
                    None => {}
                }
                let (cookie, _) = open_session(conn, &account, &Opening { continues, ..opening }).await?;
                let event = AuditEvent::new(Chain::Server, now, "account.signed_in", Actor::User(account.id.clone()))
                    .subject(account.id.as_str());
                storage::audit::append(conn, &event).await?;
                Ok((cookie, account))
            })
        })
        .await
}

/// One counter per address, however it is written.
fn throttle_subject(email: &str) -> String {
    normalized_email(email).unwrap_or_else(|| {
        let text = email.trim().to_lowercase();
        text.chars().take(254).collect()
    })
}

/// Opens a session inside the caller's transaction and returns the cookie's value. Always a new one: an id from before signing in is never taken over.
pub(super) async fn open_session(
    conn: &mut Conn,
    account: &Account,
    opening: &Opening,
) -> Result<(PlainSecret, Session), StorageError> {
    let mut session = Session {
        id: 0,
        account_id: account.id.clone(),
        continues: opening.continues,
        session_epoch: account.session_epoch,
        csrf: opening.csrf.reveal().to_owned(),
        auth_time: opening.now,
        device: opening.device.clone(),
        created_at: opening.now,
        last_seen_at: opening.now,
        expires_at: opening.expires_at,
        ended_at: None,
    };
    session.id = storage::sessions::insert(conn, &session, &opening.secret.hashed()).await?;
    Ok((opening.sealer.seal(TokenKind::Session, session.id, &opening.secret), session))
}

/// What a new session is made of.
pub(super) struct Opening {
    continues: Option<i64>,
    now: UtcMillis,
    expires_at: UtcMillis,
    sealer: Sealer,
    secret: PlainSecret,
    csrf: PlainSecret,
    device: String,
}

impl Opening {
    /// For a session that starts now.
    pub(super) fn new(app: &App, device: String) -> Self {
        let now = app.now();
        Self {
            continues: None,
            now,
            expires_at: now.plus_seconds(app.config.limits.session_hours.saturating_mul(3600)),
            sealer: app.sealer.clone(),
            secret: Sealer::secret(app.entropy.as_ref()),
            csrf: PlainSecret::random(24, app.entropy.as_ref()),
            device,
        }
    }
}

/// The account of a personal API token, if the token is live.
pub async fn account_of_api_token(app: &App, token: &str) -> Result<Option<Account>, StorageError> {
    let Some(presented) = app.sealer.open(TokenKind::Api, token) else { return Ok(None) };
    let now = app.now();
    let mut conn = app.store.read().await?;
    let Some((record, secret)) = storage::api_tokens::lookup(&mut conn, presented.unverified_id).await? else {
        return Ok(None);
    };
    if !secret.matches(&presented.secret) || !record.is_live(now) {
        return Ok(None);
    }
    let Some(account) = storage::accounts::lookup(&mut conn, &record.account_id).await? else { return Ok(None) };
    drop(conn);
    if !account.active {
        return Ok(None);
    }
    if record.last_used_at.is_none_or(|used| used.plus_seconds(TOUCH_SECONDS) <= now) {
        app.store
            .write(move |conn| Box::pin(async move { storage::api_tokens::touch(conn, record.id, now).await }))
            .await?;
    }
    Ok(Some(account))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_counter_however_it_is_written() {
        assert_eq!(throttle_subject(" Nurse@St-Mary.Example "), throttle_subject("nurse@st-mary.example"));
        assert_eq!(throttle_subject("not an address").len(), 14);
        assert!(throttle_subject(&"x".repeat(10_000)).len() <= 254);
    }
}
