//! How organizations present themselves.

use super::rows::{Columns as _, json_text};
use super::{Conn, StorageError};
use crate::domain::brands::Brand;
use crate::domain::clock::UtcMillis;
use crate::domain::ids::OrganizationId;

/// What an organization's admins said, and when.
pub async fn find(conn: &mut Conn, organization: &OrganizationId) -> Result<Option<(Brand, UtcMillis)>, StorageError> {
    let row = sqlx::query("select brand, updated_at from brands where organization_id = $1")
        .bind(organization.as_str())
        .fetch_optional(conn)
        .await?;
    row.map(|row| Ok((row.json("brand")?, row.time("updated_at")?))).transpose()
}

/// Replaces it.
pub async fn put(
    conn: &mut Conn,
    organization: &OrganizationId,
    brand: &Brand,
    now: UtcMillis,
) -> Result<(), StorageError> {
    sqlx::query(
        "insert into brands (organization_id, brand, updated_at) values ($1, $2, $3)
         on conflict (organization_id) do update set brand = excluded.brand, updated_at = excluded.updated_at",
    )
    .bind(organization.as_str())
    .bind(json_text(brand))
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(())
}
