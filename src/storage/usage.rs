//! Uses per day and client, for the chart of the last 30 days.

use super::rows::Columns as _;
use super::{Conn, StorageError};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{ClientId, OrganizationId};

/// Uses to be added to a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// Tokens issued.
    pub issued: i64,
    /// Introspections answered with `active: true`.
    pub introspected: i64,
    /// Refusals.
    pub refused: i64,
}

/// Adds uses to today.
pub async fn add(
    conn: &mut Conn,
    organization: &OrganizationId,
    client: &ClientId,
    uses: Uses,
    now: UtcMillis,
) -> Result<(), StorageError> {
    sqlx::query(
        "insert into usage_days (organization_id, client_id, day, issued, introspected, refused) values ($1, $2, $3, $4, $5, $6)
         on conflict (organization_id, client_id, day) do update set issued = usage_days.issued + excluded.issued,
           introspected = usage_days.introspected + excluded.introspected, refused = usage_days.refused + excluded.refused",
    )
    .bind(organization.as_str())
    .bind(client.as_str())
    .bind(now.day())
    .bind(uses.issued)
    .bind(uses.introspected)
    .bind(uses.refused)
    .execute(conn)
    .await?;
    Ok(())
}

/// The days with uses since `since`, oldest first: (days since 1970-01-01, uses).
pub async fn days(
    conn: &mut Conn,
    organization: &OrganizationId,
    client: &ClientId,
    since: UtcMillis,
) -> Result<Vec<(i64, Uses)>, StorageError> {
    sqlx::query("select day, issued, introspected, refused from usage_days where organization_id = $1 and client_id = $2 and day >= $3 order by day")
        .bind(organization.as_str())
        .bind(client.as_str())
        .bind(since.day())
        .fetch_all(conn)
        .await?
        .iter()
        .map(|row| {
            let uses = Uses { issued: row.int("issued")?, introspected: row.int("introspected")?, refused: row.int("refused")? };
            Ok((row.int("day")?, uses))
        })
        .collect()
}
