//! Access and refresh tokens. Only hashes of their secrets are kept; a family dies through its grant, not row by row.

use sqlx::any::AnyRow;

use super::rows::Columns as _;
use super::{Conn, StorageError};
use crate::domain::clock::UtcMillis;
use crate::domain::grants::{AccessToken, RefreshToken, Successors};
use crate::domain::ids::{ClientId, OrganizationId};
use crate::domain::secrets::HashedSecret;

/// Adds an access token; `token.id` is ignored, the row's id is returned.
pub async fn insert_access(conn: &mut Conn, token: &AccessToken) -> Result<i64, StorageError> {
    let row = sqlx::query(
        "insert into access_tokens (secret_hash, grant_id, organization_id, client_id, epoch, scopes, issued_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) returning id",
    )
    .bind(token.secret_hash.bytes())
    .bind(token.grant_id)
    .bind(token.organization_id.as_str())
    .bind(token.client_id.as_str())
    .bind(token.epoch)
    .bind(token.scopes.as_str())
    .bind(token.issued_at.0)
    .bind(token.expires_at.0)
    .fetch_one(conn)
    .await?;
    row.int("id")
}

/// The access token with this id and secret.
pub async fn find_access(conn: &mut Conn, id: i64, secret: &HashedSecret) -> Result<Option<AccessToken>, StorageError> {
    let row = sqlx::query(
        "select id, secret_hash, grant_id, organization_id, client_id, epoch, scopes, issued_at, expires_at, first_used_at, revoked_at
         from access_tokens where id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    let token = row.map(|row| access(&row)).transpose()?;
    Ok(token.filter(|token| token.secret_hash.matches(secret)))
}

fn access(row: &AnyRow) -> Result<AccessToken, StorageError> {
    Ok(AccessToken {
        id: row.int("id")?,
        secret_hash: row.hash("secret_hash")?,
        grant_id: row.int("grant_id")?,
        organization_id: OrganizationId::from_text(row.text("organization_id")?),
        client_id: ClientId::from_text(row.text("client_id")?),
        epoch: row.int("epoch")?,
        scopes: row.text("scopes")?,
        issued_at: row.time("issued_at")?,
        expires_at: row.time("expires_at")?,
        first_used_at: row.time_or_null("first_used_at")?,
        revoked_at: row.time_or_null("revoked_at")?,
    })
}

/// Notes that somebody asked about an access token for the first time; false if it was noted before, or the secret was replaced meanwhile.
pub async fn mark_used(conn: &mut Conn, id: i64, secret: &HashedSecret, now: UtcMillis) -> Result<bool, StorageError> {
    let done = sqlx::query("update access_tokens set first_used_at = $3 where id = $1 and secret_hash = $2 and first_used_at is null and revoked_at is null")
        .bind(id)
        .bind(secret.bytes())
        .bind(now.0)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Revokes one access token; when it would have ended, or `None` if it was revoked before.
pub async fn revoke_access(conn: &mut Conn, id: i64, now: UtcMillis) -> Result<Option<UtcMillis>, StorageError> {
    sqlx::query("update access_tokens set revoked_at = $2 where id = $1 and revoked_at is null returning expires_at")
        .bind(id)
        .bind(now.0)
        .fetch_optional(conn)
        .await?
        .map(|row| row.time("expires_at"))
        .transpose()
}

/// Gives an access token that nobody used a new secret, scopes and life: the answer that carried the old one got lost. False if it was used meanwhile.
pub async fn replace_access(conn: &mut Conn, token: &AccessToken) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "update access_tokens set secret_hash = $2, scopes = $3, issued_at = $4, expires_at = $5
         where id = $1 and first_used_at is null and revoked_at is null",
    )
    .bind(token.id)
    .bind(token.secret_hash.bytes())
    .bind(token.scopes.as_str())
    .bind(token.issued_at.0)
    .bind(token.expires_at.0)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Adds a refresh token; `token.id` is ignored, the row's id is returned.
pub async fn insert_refresh(
    conn: &mut Conn,
    token: &RefreshToken,
    previous: Option<i64>,
    now: UtcMillis,
) -> Result<i64, StorageError> {
    let row = sqlx::query(
        "insert into refresh_tokens (secret_hash, grant_id, organization_id, client_id, epoch, previous_id, issued_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) returning id",
    )
    .bind(token.secret_hash.bytes())
    .bind(token.grant_id)
    .bind(token.organization_id.as_str())
    .bind(token.client_id.as_str())
    .bind(token.epoch)
    .bind(previous)
    .bind(now.0)
    .bind(token.expires_at.0)
    .fetch_one(conn)
    .await?;
    row.int("id")
}

/// The refresh token with this id and secret, or with a secret that it had before (see [`RefreshToken::is_replaced`]).
pub async fn find_refresh(
    conn: &mut Conn,
    id: i64,
    secret: &HashedSecret,
) -> Result<Option<RefreshToken>, StorageError> {
    let row = sqlx::query(
        "select id, secret_hash, grant_id, organization_id, client_id, epoch, issued_at, expires_at, spent_at, successor_id, successor_access_id, revoked_at, replaced
         from refresh_tokens where id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    let token = row.map(|row| refresh(&row, secret)).transpose()?;
    Ok(token.filter(|token| token.is_replaced || token.secret_hash.matches(secret)))
}

fn refresh(row: &AnyRow, presented: &HashedSecret) -> Result<RefreshToken, StorageError> {
    let replaced = row.text("replaced")?;
    Ok(RefreshToken {
        is_replaced: presented.is_among(&replaced),
        issued_at: row.time("issued_at")?,
        id: row.int("id")?,
        secret_hash: row.hash("secret_hash")?,
        grant_id: row.int("grant_id")?,
        organization_id: OrganizationId::from_text(row.text("organization_id")?),
        client_id: ClientId::from_text(row.text("client_id")?),
        epoch: row.int("epoch")?,
        expires_at: row.time("expires_at")?,
        spent_at: row.time_or_null("spent_at")?,
        successor_id: row.int_or_null("successor_id")?,
        successor_access_id: row.int_or_null("successor_access_id")?,
        revoked_at: row.time_or_null("revoked_at")?,
    })
}

/// What became of the pair that came after a spent refresh token, or of the one that a replaced token belonged to.
pub async fn successors(conn: &mut Conn, token: &RefreshToken) -> Result<Option<Successors>, StorageError> {
    let pair = if token.is_replaced {
        let row = sqlx::query(
            "select b.successor_access_id from refresh_tokens t join refresh_tokens b on b.id = t.previous_id where t.id = $1",
        )
        .bind(token.id)
        .fetch_optional(&mut *conn)
        .await?;
        (Some(token.id), row.map(|row| row.int_or_null("successor_access_id")).transpose()?.flatten())
    } else {
        (token.successor_id, token.successor_access_id)
    };
    let (Some(refresh), Some(access)) = pair else { return Ok(None) };
    let row = sqlx::query(
        "select (select count(*) from refresh_tokens where id = $1 and spent_at is null and revoked_at is null) as refresh_unused,
                (select count(*) from access_tokens where id = $2 and first_used_at is null and revoked_at is null) as access_unused",
    )
    .bind(refresh)
    .bind(access)
    .fetch_one(conn)
    .await?;
    Ok(Some(Successors { refresh_used: row.int("refresh_unused")? == 0, access_used: row.int("access_unused")? == 0 }))
}

/// Spends the leaf of a chain for its successors; false if it was spent or revoked before.
pub async fn spend_refresh(
    conn: &mut Conn,
    id: i64,
    successor: i64,
    successor_access: i64,
    now: UtcMillis,
) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "update refresh_tokens set spent_at = $4, successor_id = $2, successor_access_id = $3
         where id = $1 and spent_at is null and revoked_at is null",
    )
    .bind(id)
    .bind(successor)
    .bind(successor_access)
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives a refresh token that nobody used a new secret and life, and remembers the old one; false if it was used meanwhile.
pub async fn replace_refresh(
    conn: &mut Conn,
    id: i64,
    (before, secret): (&HashedSecret, &HashedSecret),
    expires_at: UtcMillis,
) -> Result<bool, StorageError> {
    let done = sqlx::query("update refresh_tokens set secret_hash = $2, expires_at = $3, replaced = replaced || $4 where id = $1 and spent_at is null and revoked_at is null")
        .bind(id)
        .bind(secret.bytes())
        .bind(expires_at.0)
        .bind(before.hex())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Starts the window of an unrotated refresh token anew.
pub async fn extend_refresh(conn: &mut Conn, id: i64, expires_at: UtcMillis) -> Result<(), StorageError> {
    sqlx::query("update refresh_tokens set expires_at = $2 where id = $1 and expires_at < $2")
        .bind(id)
        .bind(expires_at.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// The hash of a refresh token's secret, to be remembered when it is replaced.
pub async fn secret_of_refresh(conn: &mut Conn, id: i64) -> Result<Option<HashedSecret>, StorageError> {
    sqlx::query("select secret_hash from refresh_tokens where id = $1")
        .bind(id)
        .fetch_optional(conn)
        .await?
        .map(|row| row.hash("secret_hash"))
        .transpose()
}

/// Revokes one refresh token: it is dead even where a retry would be allowed.
pub async fn revoke_refresh(conn: &mut Conn, id: i64, now: UtcMillis) -> Result<bool, StorageError> {
    let done = sqlx::query("update refresh_tokens set revoked_at = $2 where id = $1 and revoked_at is null")
        .bind(id)
        .bind(now.0)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets tokens that ended before `before`.
pub async fn sweep(conn: &mut Conn, before: UtcMillis) -> Result<u64, StorageError> {
    let access =
        sqlx::query("delete from access_tokens where expires_at < $1").bind(before.0).execute(&mut *conn).await?;
    let refresh =
        sqlx::query("delete from refresh_tokens where expires_at < $1").bind(before.0).execute(&mut *conn).await?;
    Ok(access.rows_affected() + refresh.rows_affected())
}
