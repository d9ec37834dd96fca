//! Throttles: attempts per subject, one counter however many addresses they come from.

use super::rows::Columns as _;
use super::{Conn, StorageError};
use crate::domain::clock::UtcMillis;

/// Counts an attempt and returns how many there were in the current window, this one included. A window starts with the first attempt after the
/// last one ended.
pub async fn count(
    conn: &mut Conn,
    kind: &str,
    subject: &str,
    now: UtcMillis,
    window_seconds: i64,
) -> Result<i64, StorageError> {
    let row = sqlx::query(
        "insert into throttles (kind, subject, failures, window_started_at) values ($1, $2, 1, $3)
         on conflict (kind, subject) do update set
           failures = case when throttles.window_started_at <= $4 then 1 else throttles.failures + 1 end,
           window_started_at = case when throttles.window_started_at <= $4 then excluded.window_started_at else throttles.window_started_at end
         returning failures",
    )
    .bind(kind)
    .bind(subject)
    .bind(now.0)
    .bind(now.plus_seconds(-window_seconds).0)
    .fetch_one(conn)
    .await?;
    row.int("failures")
}

/// Forgets the attempts of a subject: it proved itself.
pub async fn clear(conn: &mut Conn, kind: &str, subject: &str) -> Result<(), StorageError> {
    sqlx::query("delete from throttles where kind = $1 and subject = $2")
        .bind(kind)
        .bind(subject)
        .execute(conn)
        .await?;
    Ok(())
}

/// Deletes windows that started before `before`; returns how many.
pub async fn sweep(conn: &mut Conn, before: UtcMillis) -> Result<u64, StorageError> {
    let done = sqlx::query("delete from throttles where window_started_at < $1").bind(before.0).execute(conn).await?;
    Ok(done.rows_affected())
}
