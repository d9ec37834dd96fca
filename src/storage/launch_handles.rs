//! Launch handles: what an EHR gets for a launch context, and an app presents once at the authorization endpoint.

use super::rows::{Columns as _, json_text};
use super::{Conn, StorageError};
use crate::domain::clients::ClientMetadata;
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{AccountId, ClientId, FhirEndpointId, OrganizationId};
use crate::domain::launch_context::LaunchContext;
use crate::domain::secrets::HashedSecret;

/// A launch handle as it stands.
#[derive(Clone, Debug)]
pub struct LaunchHandle {
    /// Row id.
    pub id: i64,
    /// Of its secret.
    pub secret_hash: HashedSecret,
    /// At which organization.
    pub organization_id: OrganizationId,
    /// For which client only.
    pub client_id: ClientId,
    /// For which user only, if the EHR said so.
    pub account_id: Option<AccountId>,
    /// For which FHIR endpoint.
    pub fhir_endpoint_id: FhirEndpointId,
    /// The context.
    pub context: LaunchContext,
    /// When it stops by itself.
    pub expires_at: UtcMillis,
    /// When a code was issued for it.
    pub consumed_at: Option<UtcMillis>,
}

/// Adds a handle; returns its id.
pub async fn insert(conn: &mut Conn, handle: &LaunchHandle, now: UtcMillis) -> Result<i64, StorageError> {
    let row = sqlx::query(
        "insert into launch_handles (secret_hash, organization_id, client_id, account_id, fhir_endpoint_id, context, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) returning id",
    )
    .bind(handle.secret_hash.bytes())
    .bind(handle.organization_id.as_str())
    .bind(handle.client_id.as_str())
    .bind(handle.account_id.as_ref().map(|id| id.as_str().to_owned()))
    .bind(handle.fhir_endpoint_id.as_str())
    .bind(json_text(&handle.context))
    .bind(now.0)
    .bind(handle.expires_at.0)
    .fetch_one(conn)
    .await?;
    row.int("id")
}

/// The handle with this id and secret.
pub async fn find(conn: &mut Conn, id: i64, secret: &HashedSecret) -> Result<Option<LaunchHandle>, StorageError> {
    let row = sqlx::query(
        "select id, secret_hash, organization_id, client_id, account_id, fhir_endpoint_id, context, expires_at, consumed_at
         from launch_handles where id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let handle = LaunchHandle {
        id: row.int("id")?,
        secret_hash: row.hash("secret_hash")?,
        organization_id: OrganizationId::from_text(row.text("organization_id")?),
        client_id: ClientId::from_text(row.text("client_id")?),
        account_id: row.text_or_null("account_id")?.map(AccountId::from_text),
        fhir_endpoint_id: FhirEndpointId::from_text(row.text("fhir_endpoint_id")?),
        context: row.json("context")?,
        expires_at: row.time("expires_at")?,
        consumed_at: row.time_or_null("consumed_at")?,
    };
    Ok(Some(handle).filter(|handle| handle.secret_hash.matches(secret)))
}

/// For whom a handle was made, if for somebody.
pub async fn account_of(conn: &mut Conn, id: i64) -> Result<Option<AccountId>, StorageError> {
    let row = sqlx::query("select account_id from launch_handles where id = $1").bind(id).fetch_optional(conn).await?;
    match row {
        None => Ok(None),
        Some(row) => Ok(row.text_or_null("account_id")?.map(AccountId::from_text)),
    }
}

/// Consumes a handle; false if it was consumed before.
pub async fn consume(conn: &mut Conn, id: i64, now: UtcMillis) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "update launch_handles set consumed_at = $2 where id = $1 and consumed_at is null and expires_at > $2",
    )
    .bind(id)
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets handles that ended before `before`.
pub async fn sweep(conn: &mut Conn, before: UtcMillis) -> Result<u64, StorageError> {
    Ok(sqlx::query("delete from launch_handles where expires_at < $1")
        .bind(before.0)
        .execute(conn)
        .await?
        .rows_affected())
}

/// The enabled, unexpired approvals of an organization whose clients exist: each with the approved metadata and FHIR endpoints, by name.
pub async fn launchable(
    conn: &mut Conn,
    organization: &OrganizationId,
    now: UtcMillis,
    limit: i64,
) -> Result<Vec<(ClientId, ClientMetadata, Vec<FhirEndpointId>)>, StorageError> {
    let rows = sqlx::query(
        "select approvals.client_id, approvals.fhir_endpoints, client_revisions.metadata from approvals
         join clients on clients.id = approvals.client_id and clients.state = 'active'
         join client_revisions on client_revisions.client_id = approvals.client_id and client_revisions.revision = approvals.client_revision
         where approvals.organization_id = $1 and approvals.state = 'enabled' and (approvals.expires_at is null or approvals.expires_at > $2)
         order by lower(clients.name), clients.id limit $3",
    )
    .bind(organization.as_str())
    .bind(now.0)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok((ClientId::from_text(row.text("client_id")?), row.json("metadata")?, row.json("fhir_endpoints")?))
        })
        .collect()
}
