//! What a restored database must not give back: everything that was handed out before. Nothing here reads secrets; it ends them all.

use super::rows::Columns as _;
use super::{Conn, StorageError};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{ClientId, OrganizationId};

/// Raises the epoch of every approval: codes and tokens of every earlier one are dead, those too that were alive when the copy was made. Returns how many.
pub async fn raise_epochs(conn: &mut Conn) -> Result<u64, StorageError> {
    Ok(sqlx::query("update approvals set epoch = epoch + 1").execute(conn).await?.rows_affected())
}

/// What was handed out, and what was agreed to: the copy does not know which of these ended since, so all of them do.
const ENDS: [&str; 6] = [
    "update sessions set ended_at = $1 where ended_at is null",
    "update api_tokens set revoked_at = $1 where revoked_at is null",
    "update interactions set finished_at = $1 where finished_at is null",
    "update launch_handles set consumed_at = $1 where consumed_at is null",
    "update initial_access_tokens set used_at = $1 where used_at is null",
    "update consents set withdrawn_at = $1 where withdrawn_at is null",
];

/// Ends everything that people and machines were handed to prove themselves with once more (sessions, API tokens, launches and sign-ins under way, invitations to
/// register) and every remembered consent: the person may have withdrawn it, and is asked again. Returns how many.
pub async fn end_handouts(conn: &mut Conn, now: UtcMillis) -> Result<u64, StorageError> {
    let mut ended = 0;
    for end in ENDS {
        ended += sqlx::query(end).bind(now.0).execute(&mut *conn).await?.rows_affected();
    }
    Ok(ended)
}

/// Every approval, by organization and client.
pub async fn approvals(conn: &mut Conn) -> Result<Vec<(OrganizationId, ClientId)>, StorageError> {
    sqlx::query("select organization_id, client_id from approvals order by organization_id, client_id")
        .fetch_all(conn)
        .await?
        .iter()
        .map(|row| {
            Ok((OrganizationId::from_text(row.text("organization_id")?), ClientId::from_text(row.text("client_id")?)))
        })
        .collect()
}
