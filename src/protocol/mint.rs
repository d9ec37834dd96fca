//! Making tokens, inside the transaction of the decision that allows them. Only hashes are written; the clear text leaves with the answer and nowhere else.

use crate::app::App;
use crate::domain::clock::UtcMillis;
use crate::domain::grants::{AccessToken, Code, Grant, RefreshToken};
use crate::domain::organizations::FhirEndpoint;
use crate::domain::secrets::{HashedSecret, PlainSecret};
use crate::domain::tokens::{Sealer, TokenKind};
use crate::storage::token_counters::Counted;
use crate::storage::usage::Uses;
use crate::storage::{self, Conn, StorageError};

/// An access token in the clear, once.
pub struct MintedAccess {
    /// Row id.
    pub id: i64,
    /// The token.
    pub token: PlainSecret,
    /// Names it inside a JWT. It opens to the same row, and is no token itself.
    pub jti: PlainSecret,
    /// `expires_in`.
    pub seconds: i64,
}

/// How long an access token for this FHIR endpoint lives. A JWT cannot be called back before its end: five minutes at most.
pub fn life(app: &App, endpoint: &FhirEndpoint, is_backend: bool) -> i64 {
    let limits = &app.config.limits;
    let seconds = if is_backend { limits.backend_token_seconds } else { limits.access_token_seconds };
    if endpoint.settings.jwt_access_tokens { seconds.min(JWT_SECONDS) } else { seconds }
}

/// The longest life of a JWT access token.
const JWT_SECONDS: i64 = 300;

fn access_row(grant: &Grant, secret: &PlainSecret, scopes: &str, seconds: i64, now: UtcMillis) -> AccessToken {
    AccessToken {
        id: 0,
        secret_hash: secret.hashed(),
        grant_id: grant.id,
        organization_id: grant.organization_id.clone(),
        client_id: grant.client_id.clone(),
        epoch: grant.epoch,
        scopes: scopes.to_owned(),
        issued_at: now,
        expires_at: now.plus_seconds(seconds),
        first_used_at: None,
        revoked_at: None,
    }
}

fn counted<'a>(grant: &'a Grant, kind: &'static str, expires_at: UtcMillis) -> Counted<'a> {
    Counted { organization: &grant.organization_id, client: &grant.client_id, epoch: grant.epoch, kind, expires_at }
}

fn minted(app: &App, id: i64, secret: &PlainSecret, seconds: i64) -> MintedAccess {
    let token = app.sealer.seal(TokenKind::Access, id, secret);
    MintedAccess { id, token, jti: app.sealer.seal(TokenKind::Link, id, secret), seconds }
}

/// Makes an access token.
pub async fn access(
    conn: &mut Conn,
    app: &App,
    grant: &Grant,
    scopes: &str,
    seconds: i64,
    now: UtcMillis,
) -> Result<MintedAccess, StorageError> {
    let secret = Sealer::secret(app.entropy.as_ref());
    let row = access_row(grant, &secret, scopes, seconds, now);
    let id = storage::tokens::insert_access(conn, &row).await?;
    storage::token_counters::add(conn, &counted(grant, "access", row.expires_at), 1).await?;
    storage::usage::add(conn, &grant.organization_id, &grant.client_id, Uses { issued: 1, ..Uses::default() }, now)
        .await?;
    storage::approvals::touch(conn, &grant.organization_id, &grant.client_id, now).await?;
    Ok(minted(app, id, &secret, seconds))
}

/// Gives an unused access token a new secret; `None` if it was used meanwhile.
pub async fn replace_access(
    conn: &mut Conn,
    app: &App,
    id: i64,
    (grant, scopes): (&Grant, &str),
    (seconds, now): (i64, UtcMillis),
) -> Result<Option<MintedAccess>, StorageError> {
    let secret = Sealer::secret(app.entropy.as_ref());
    let row = AccessToken { id, ..access_row(grant, &secret, scopes, seconds, now) };
    let done = storage::tokens::replace_access(conn, &row).await?;
    Ok(done.then(|| minted(app, id, &secret, seconds)))
}

/// When a refresh token made or used now ends unless it is used again: the window slides; an expiry of the grant holds.
pub fn refresh_until(app: &App, grant: &Grant, now: UtcMillis) -> UtcMillis {
    let window = now.plus_days(app.config.limits.refresh_token_days);
    grant.expires_at.map_or(window, |end| end.min(window))
}

/// Makes a refresh token; returns its row id and the token.
pub async fn refresh(
    conn: &mut Conn,
    app: &App,
    grant: &Grant,
    previous: Option<i64>,
    now: UtcMillis,
) -> Result<(i64, PlainSecret), StorageError> {
    let secret = Sealer::secret(app.entropy.as_ref());
    let row = RefreshToken {
        id: 0,
        secret_hash: secret.hashed(),
        grant_id: grant.id,
        organization_id: grant.organization_id.clone(),
        client_id: grant.client_id.clone(),
        epoch: grant.epoch,
        issued_at: now,
        expires_at: refresh_until(app, grant, now),
        spent_at: None,
        successor_id: None,
        successor_access_id: None,
        revoked_at: None,
        is_replaced: false,
    };
    let id = storage::tokens::insert_refresh(conn, &row, previous, now).await?;
    storage::grants::count_refresh(conn, grant.id, Some(row.expires_at)).await?;
    Ok((id, app.sealer.seal(TokenKind::Refresh, id, &secret)))
}

/// Gives an unused refresh token a new secret and remembers `before`; `None` if it was used meanwhile.
pub async fn replace_refresh(
    conn: &mut Conn,
    app: &App,
    (id, before): (i64, &HashedSecret),
    grant: &Grant,
    now: UtcMillis,
) -> Result<Option<PlainSecret>, StorageError> {
    let secret = Sealer::secret(app.entropy.as_ref());
    let until = refresh_until(app, grant, now);
    let done = storage::tokens::replace_refresh(conn, id, (before, &secret.hashed()), until).await?;
    if done {
        storage::grants::count_refresh(conn, grant.id, Some(until)).await?;
    }
    Ok(done.then(|| app.sealer.seal(TokenKind::Refresh, id, &secret)))
}

/// An access token is live no more.
pub async fn uncount_access(conn: &mut Conn, grant: &Grant, expires_at: UtcMillis) -> Result<(), StorageError> {
    storage::token_counters::add(conn, &counted(grant, "access", expires_at), -1).await
}

/// Makes an authorization code.
pub async fn code(
    conn: &mut Conn,
    app: &App,
    grant_id: i64,
    (redirect_uri, code_challenge): (&str, &str),
    now: UtcMillis,
) -> Result<PlainSecret, StorageError> {
    let secret = Sealer::secret(app.entropy.as_ref());
    let row = Code {
        id: 0,
        secret_hash: secret.hashed(),
        grant_id,
        redirect_uri: redirect_uri.to_owned(),
        code_challenge: code_challenge.to_owned(),
        expires_at: now.plus_seconds(app.config.limits.code_seconds),
        redeemed_at: None,
    };
    let id = storage::codes::insert(conn, &row, now).await?;
    Ok(app.sealer.seal(TokenKind::Code, id, &secret))
}
