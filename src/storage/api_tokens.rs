//! Personal tokens for `/api/v1`.

use super::rows::Columns as _;
use super::{Conn, StorageError};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::AccountId;
use crate::domain::secrets::HashedSecret;

/// A personal API token's record.
#[derive(Clone, Debug)]
pub struct ApiToken {
    /// Row id.
    pub id: i64,
    /// Whose.
    pub account_id: AccountId,
    /// What its owner calls it.
    pub name: String,
    /// When it was made.
    pub created_at: UtcMillis,
    /// When it stops by itself.
    pub expires_at: Option<UtcMillis>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<UtcMillis>,
    /// When it was revoked.
    pub revoked_at: Option<UtcMillis>,
}

impl ApiToken {
    /// Is it good?
    pub fn is_live(&self, now: UtcMillis) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires| now < expires)
    }
}

/// Adds a token and returns the row's id.
pub async fn insert(conn: &mut Conn, token: &ApiToken, secret: &HashedSecret) -> Result<i64, StorageError> {
    let row = sqlx::query("insert into api_tokens (secret_hash, account_id, name, created_at, expires_at) values ($1, $2, $3, $4, $5) returning id")
        .bind(secret.bytes())
        .bind(token.account_id.as_str())
        .bind(token.name.as_str())
        .bind(token.created_at.0)
        .bind(token.expires_at.map(|at| at.0))
        .fetch_one(conn)
        .await?;
    row.int("id")
}

/// By row id, with the hash of its secret, whatever its state.
pub async fn lookup(conn: &mut Conn, id: i64) -> Result<Option<(ApiToken, HashedSecret)>, StorageError> {
    sqlx::query("select id, secret_hash, account_id, name, created_at, expires_at, last_used_at, revoked_at from api_tokens where id = $1")
        .bind(id)
        .fetch_optional(conn)
        .await?
        .map(|row| Ok((token(&row)?, row.hash("secret_hash")?)))
        .transpose()
}

/// The tokens of an account that were not revoked, newest first.
pub async fn list(conn: &mut Conn, account: &AccountId) -> Result<Vec<ApiToken>, StorageError> {
    sqlx::query(
        "select id, account_id, name, created_at, expires_at, last_used_at, revoked_at from api_tokens
         where account_id = $1 and revoked_at is null order by id desc",
    )
    .bind(account.as_str())
    .fetch_all(conn)
    .await?
    .iter()
    .map(token)
    .collect()
}

fn token(row: &sqlx::any::AnyRow) -> Result<ApiToken, StorageError> {
    Ok(ApiToken {
        id: row.int("id")?,
        account_id: AccountId::from_text(row.text("account_id")?),
        name: row.text("name")?,
        created_at: row.time("created_at")?,
        expires_at: row.time_or_null("expires_at")?,
        last_used_at: row.time_or_null("last_used_at")?,
        revoked_at: row.time_or_null("revoked_at")?,
    })
}

/// Notes that a token was used.
pub async fn touch(conn: &mut Conn, id: i64, now: UtcMillis) -> Result<(), StorageError> {
    sqlx::query("update api_tokens set last_used_at = $2 where id = $1").bind(id).bind(now.0).execute(conn).await?;
    Ok(())
}

/// Revokes every live token of an account; returns how many there were.
pub async fn revoke_all(conn: &mut Conn, account: &AccountId, now: UtcMillis) -> Result<u64, StorageError> {
    let done = sqlx::query(
        "update api_tokens set revoked_at = $2 where account_id = $1 and revoked_at is null and (expires_at is null or expires_at > $2)",
    )
    .bind(account.as_str())
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Revokes a token of this account; false if it has no such live one.
pub async fn revoke(conn: &mut Conn, account: &AccountId, id: i64, now: UtcMillis) -> Result<bool, StorageError> {
    let done =
        sqlx::query("update api_tokens set revoked_at = $3 where account_id = $1 and id = $2 and revoked_at is null")
            .bind(account.as_str())
            .bind(id)
            .bind(now.0)
            .execute(conn)
            .await?;
    Ok(done.rows_affected() == 1)
}
