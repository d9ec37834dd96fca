//! Whatever may be presented once: the row is the proof. Shared by all nodes, survives restarts.

use super::{Conn, StorageError};
use crate::domain::clock::UtcMillis;

/// Uses a key; false if it was used before. `expires_at` must outlive every moment at which the key would still be accepted (K14).
pub async fn consume(conn: &mut Conn, kind: &str, key: &str, expires_at: UtcMillis) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "insert into single_use (kind, key, expires_at) values ($1, $2, $3) on conflict (kind, key) do nothing",
    )
    .bind(kind)
    .bind(key)
    .bind(expires_at.0)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets what can be presented no more.
pub async fn sweep(conn: &mut Conn, now: UtcMillis) -> Result<u64, StorageError> {
    Ok(sqlx::query("delete from single_use where expires_at < $1").bind(now.0).execute(conn).await?.rows_affected())
}
