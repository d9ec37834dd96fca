//! How many tokens live, without a scan: counted by the five minutes in which they end.

use super::rows::Columns as _;
use super::{Conn, StorageError};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{ClientId, OrganizationId};

const BUCKET_MILLIS: i64 = 300_000;

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub struct Counted<'a> {
    /// Whose issuer.
    pub organization: &'a OrganizationId,
    /// Given to whom.
    pub client: &'a ClientId,
    /// Under which epoch.
    pub epoch: i64,
    /// `access` or `refresh`.
    pub kind: &'static str,
    /// When it ends.
    pub expires_at: UtcMillis,
}

/// Adds `tokens` (negative: takes away).
pub async fn add(conn: &mut Conn, counted: &Counted<'_>, tokens: i64) -> Result<(), StorageError> {
    sqlx::query(
        "insert into token_counters (organization_id, client_id, epoch, kind, bucket, tokens) values ($1, $2, $3, $4, $5, $6)
         on conflict (organization_id, client_id, epoch, kind, bucket) do update set tokens = token_counters.tokens + excluded.tokens",
    )
    .bind(counted.organization.as_str())
    .bind(counted.client.as_str())
    .bind(counted.epoch)
    .bind(counted.kind)
    .bind(counted.expires_at.0.div_euclid(BUCKET_MILLIS))
    .bind(tokens)
    .execute(conn)
    .await?;
    Ok(())
}

/// Live tokens of a client under an epoch: (access, refresh).
pub async fn live(
    conn: &mut Conn,
    organization: &OrganizationId,
    client: &ClientId,
    epoch: i64,
    now: UtcMillis,
) -> Result<(i64, i64), StorageError> {
    let row = sqlx::query(
        "select cast(coalesce(sum(case when kind = 'access' then tokens else 0 end), 0) as bigint) as access_tokens,
                cast(coalesce(sum(case when kind = 'refresh' then tokens else 0 end), 0) as bigint) as refresh_tokens
         from token_counters where organization_id = $1 and client_id = $2 and epoch = $3 and bucket >= $4",
    )
    .bind(organization.as_str())
    .bind(client.as_str())
    .bind(epoch)
    .bind(now.0.div_euclid(BUCKET_MILLIS))
    .fetch_one(conn)
    .await?;
    Ok((row.int("access_tokens")?.max(0), row.int("refresh_tokens")?.max(0)))
}

/// Forgets buckets that are over.
pub async fn sweep(conn: &mut Conn, now: UtcMillis) -> Result<u64, StorageError> {
    let done = sqlx::query("delete from token_counters where bucket < $1")
        .bind(now.0.div_euclid(BUCKET_MILLIS))
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}
