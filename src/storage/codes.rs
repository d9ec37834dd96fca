//! Authorization codes. Single use by a conditional update: of many redemptions exactly one changes the row.

use super::rows::Columns as _;
use super::{Conn, StorageError};
use crate::domain::clock::UtcMillis;
use crate::domain::grants::Code;
use crate::domain::secrets::HashedSecret;

/// Adds a code; returns its id, to be sealed into the code.
pub async fn insert(conn: &mut Conn, code: &Code, now: UtcMillis) -> Result<i64, StorageError> {
    let row = sqlx::query(
        "insert into authorization_codes (secret_hash, grant_id, redirect_uri, code_challenge, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6) returning id",
    )
    .bind(code.secret_hash.bytes())
    .bind(code.grant_id)
    .bind(code.redirect_uri.as_str())
    .bind(code.code_challenge.as_str())
    .bind(now.0)
    .bind(code.expires_at.0)
    .fetch_one(conn)
    .await?;
    row.int("id")
}

/// The code with this id and secret.
pub async fn find(conn: &mut Conn, id: i64, secret: &HashedSecret) -> Result<Option<Code>, StorageError> {
    let row = sqlx::query("select id, secret_hash, grant_id, redirect_uri, code_challenge, expires_at, redeemed_at from authorization_codes where id = $1")
        .bind(id)
        .fetch_optional(conn)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let code = Code {
        id: row.int("id")?,
        secret_hash: row.hash("secret_hash")?,
        grant_id: row.int("grant_id")?,
        redirect_uri: row.text("redirect_uri")?,
        code_challenge: row.text("code_challenge")?,
        expires_at: row.time("expires_at")?,
        redeemed_at: row.time_or_null("redeemed_at")?,
    };
    Ok(Some(code).filter(|code| code.secret_hash.matches(secret)))
}

/// Consumes a code; false if somebody did before.
pub async fn consume(conn: &mut Conn, id: i64, now: UtcMillis) -> Result<bool, StorageError> {
    let done = sqlx::query("update authorization_codes set redeemed_at = $2 where id = $1 and redeemed_at is null")
        .bind(id)
        .bind(now.0)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets codes that ended before `before`. Until then a spent code is kept, to recognise a replay.
pub async fn sweep(conn: &mut Conn, before: UtcMillis) -> Result<u64, StorageError> {
    Ok(sqlx::query("delete from authorization_codes where expires_at < $1")
        .bind(before.0)
        .execute(conn)
        .await?
        .rows_affected())
}
