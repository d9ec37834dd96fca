//! Browser sessions.

use super::rows::Columns as _;
use super::{Conn, StorageError};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::AccountId;
use crate::domain::secrets::HashedSecret;
use crate::domain::sessions::Session;

/// Adds a session (its `id` is ignored) and returns the row's id.
pub async fn insert(conn: &mut Conn, session: &Session, secret: &HashedSecret) -> Result<i64, StorageError> {
    let row = sqlx::query(
        "insert into sessions (secret_hash, account_id, session_epoch, csrf, auth_time, created_at, last_seen_at, expires_at, device, continues)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning id",
    )
    .bind(secret.bytes())
    .bind(session.account_id.as_str())
    .bind(session.session_epoch)
    .bind(session.csrf.as_str())
    .bind(session.auth_time.0)
    .bind(session.created_at.0)
    .bind(session.last_seen_at.0)
    .bind(session.expires_at.0)
    .bind(session.device.as_str())
    .bind(session.continues)
    .fetch_one(conn)
    .await?;
    row.int("id")
}

/// By row id, with the hash of its secret, whatever its state.
pub async fn lookup(conn: &mut Conn, id: i64) -> Result<Option<(Session, HashedSecret)>, StorageError> {
    sqlx::query(
        "select id, secret_hash, account_id, continues, session_epoch, csrf, auth_time, device, created_at, last_seen_at, expires_at, ended_at
         from sessions where id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?
    .map(|row| Ok((session(&row)?, row.hash("secret_hash")?)))
    .transpose()
}

/// The sessions of an account that were not ended, newest first; see [`Session::is_live`] for the rest.
pub async fn list(conn: &mut Conn, account: &AccountId, now: UtcMillis) -> Result<Vec<Session>, StorageError> {
    sqlx::query(
        "select id, account_id, continues, session_epoch, csrf, auth_time, device, created_at, last_seen_at, expires_at, ended_at
         from sessions where account_id = $1 and ended_at is null and expires_at > $2 order by id desc limit 100",
    )
    .bind(account.as_str())
    .bind(now.0)
    .fetch_all(conn)
    .await?
    .iter()
    .map(session)
    .collect()
}

/// Every session of an account that was not ended, oldest first.
pub async fn list_open(conn: &mut Conn, account: &AccountId, now: UtcMillis) -> Result<Vec<Session>, StorageError> {
    sqlx::query(
        "select id, account_id, continues, session_epoch, csrf, auth_time, device, created_at, last_seen_at, expires_at, ended_at
         from sessions where account_id = $1 and ended_at is null and expires_at > $2 order by id",
    )
    .bind(account.as_str())
    .bind(now.0)
    .fetch_all(conn)
    .await?
    .iter()
    .map(session)
    .collect()
}

/// A session of this account that was not ended.
pub async fn find_open(
    conn: &mut Conn,
    account: &AccountId,
    id: i64,
    now: UtcMillis,
) -> Result<Option<Session>, StorageError> {
    sqlx::query(
        "select id, account_id, continues, session_epoch, csrf, auth_time, device, created_at, last_seen_at, expires_at, ended_at
         from sessions where account_id = $1 and id = $2 and ended_at is null and expires_at > $3",
    )
    .bind(account.as_str())
    .bind(id)
    .bind(now.0)
    .fetch_optional(conn)
    .await?
    .map(|row| session(&row))
    .transpose()
}

fn session(row: &sqlx::any::AnyRow) -> Result<Session, StorageError> {
    Ok(Session {
        id: row.int("id")?,
        account_id: AccountId::from_text(row.text("account_id")?),
        continues: row.int_or_null("continues")?,
        session_epoch: row.int("session_epoch")?,
        csrf: row.text("csrf")?,
        auth_time: row.time("auth_time")?,
        device: row.text("device")?,
        created_at: row.time("created_at")?,
        last_seen_at: row.time("last_seen_at")?,
        expires_at: row.time("expires_at")?,
        ended_at: row.time_or_null("ended_at")?,
    })
}

/// Notes that a session was used.
pub async fn touch(conn: &mut Conn, id: i64, now: UtcMillis) -> Result<(), StorageError> {
    sqlx::query("update sessions set last_seen_at = $2 where id = $1 and last_seen_at < $2")
        .bind(id)
        .bind(now.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends a session's row and nothing else, for somebody who goes on with a new one; false if it was over. See [`super::session_ends`] for the rest.
pub async fn end(conn: &mut Conn, id: i64, now: UtcMillis) -> Result<bool, StorageError> {
    let done = sqlx::query("update sessions set ended_at = $2 where id = $1 and ended_at is null")
        .bind(id)
        .bind(now.0)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes sessions that ended by themselves before `before`; returns how many.
pub async fn sweep(conn: &mut Conn, before: UtcMillis) -> Result<u64, StorageError> {
    let done = sqlx::query("delete from sessions where expires_at < $1").bind(before.0).execute(conn).await?;
    Ok(done.rows_affected())
}
