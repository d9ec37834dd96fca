//! Keys with which this server proves itself to organizations' FHIR servers; see `domain::reader_keys` for their life.

use super::rows::Columns as _;
use super::{Conn, StorageError};
use crate::domain::ids::OrganizationId;
use crate::domain::reader_keys::ReaderKey;

/// Adds a key.
pub async fn insert(conn: &mut Conn, key: &ReaderKey) -> Result<(), StorageError> {
    sqlx::query(
        "insert into reader_keys (kid, organization_id, public_jwk, sealed_private, created_at) values ($1, $2, $3, $4, $5)",
    )
    .bind(key.kid.as_str())
    .bind(key.organization_id.as_str())
    .bind(key.public_jwk.as_str())
    .bind(key.sealed_private.as_slice())
    .bind(key.created_at.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// The keys of an organization, oldest first.
pub async fn list(conn: &mut Conn, organization: &OrganizationId) -> Result<Vec<ReaderKey>, StorageError> {
    let rows = sqlx::query(
        "select kid, organization_id, public_jwk, sealed_private, created_at from reader_keys where organization_id = $1 order by created_at, kid",
    )
    .bind(organization.as_str())
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(ReaderKey {
                kid: row.text("kid")?,
                organization_id: OrganizationId::from_text(row.text("organization_id")?),
                public_jwk: row.text("public_jwk")?,
                sealed_private: row.bytes("sealed_private")?,
                created_at: row.time("created_at")?,
            })
        })
        .collect()
}

/// Forgets a key.
pub async fn forget(conn: &mut Conn, kid: &str) -> Result<(), StorageError> {
    sqlx::query("delete from reader_keys where kid = $1").bind(kid).execute(conn).await?;
    Ok(())
}
