//! Approvals: one row per (organization, client), rewritten by conditional updates only.

use sqlx::any::AnyRow;

use super::rows::{Columns as _, json_text};
use super::{Conn, StorageError};
use crate::domain::approvals::{Approval, ApprovalState};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{AccessRequestId, AccountId, ClientId, OrganizationId};

/// Writes a new answer, or replaces the one before it. The epoch never goes back.
pub async fn put(conn: &mut Conn, approval: &Approval) -> Result<(), StorageError> {
    let (state, by, at, reason) = state_columns(&approval.state);
    sqlx::query(
        "insert into approvals
         (organization_id, client_id, access_request_id, client_revision, digest, scopes, fhir_endpoints, epoch, state, state_by, state_at, state_reason,
          approved_by, approved_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         on conflict (organization_id, client_id) do update set
          access_request_id = excluded.access_request_id, client_revision = excluded.client_revision, digest = excluded.digest, scopes = excluded.scopes,
          fhir_endpoints = excluded.fhir_endpoints,
          epoch = case when excluded.epoch > approvals.epoch then excluded.epoch else approvals.epoch end,
          state = excluded.state, state_by = excluded.state_by, state_at = excluded.state_at, state_reason = excluded.state_reason,
          approved_by = excluded.approved_by, approved_at = excluded.approved_at, expires_at = excluded.expires_at",
    )
    .bind(approval.organization_id.as_str())
    .bind(approval.client_id.as_str())
    .bind(approval.access_request_id.as_str())
    .bind(approval.client_revision)
    .bind(approval.digest.as_str())
    .bind(approval.scopes.as_str())
    .bind(json_text(&approval.fhir_endpoints))
    .bind(approval.epoch)
    .bind(state)
    .bind(by.as_str())
    .bind(at.0)
    .bind(reason)
    .bind(approval.approved_by.as_str())
    .bind(approval.approved_at.0)
    .bind(approval.expires_at.map(|at| at.0))
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes an answer where the one that stands is still `before` (`None`: where none stands); false if somebody changed it first.
pub async fn replace(conn: &mut Conn, approval: &Approval, before: Option<&Approval>) -> Result<bool, StorageError> {
    let Some(before) = before else {
        return insert_first(conn, approval).await;
    };
    let (state, by, at, reason) = state_columns(&approval.state);
    let done = sqlx::query(
        "update approvals set
          access_request_id = $3, client_revision = $4, digest = $5, scopes = $6, fhir_endpoints = $7, epoch = $8, state = $9, state_by = $10, state_at = $11,
          state_reason = $12, approved_by = $13, approved_at = $14, expires_at = $15
         where organization_id = $1 and client_id = $2
          and access_request_id = $16 and client_revision = $17 and scopes = $18 and epoch = $19 and state = $20 and epoch <= $8",
    )
    .bind(approval.organization_id.as_str())
    .bind(approval.client_id.as_str())
    .bind(approval.access_request_id.as_str())
    .bind(approval.client_revision)
    .bind(approval.digest.as_str())
    .bind(approval.scopes.as_str())
    .bind(json_text(&approval.fhir_endpoints))
    .bind(approval.epoch)
    .bind(state)
    .bind(by.as_str())
    .bind(at.0)
    .bind(reason)
    .bind(approval.approved_by.as_str())
    .bind(approval.approved_at.0)
    .bind(approval.expires_at.map(|at| at.0))
    .bind(before.access_request_id.as_str())
    .bind(before.client_revision)
    .bind(before.scopes.as_str())
    .bind(before.epoch)
    .bind(state_columns(&before.state).0)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn insert_first(conn: &mut Conn, approval: &Approval) -> Result<bool, StorageError> {
    let (state, by, at, reason) = state_columns(&approval.state);
    let done = sqlx::query(
        "insert into approvals
         (organization_id, client_id, access_request_id, client_revision, digest, scopes, fhir_endpoints, epoch, state, state_by, state_at, state_reason,
          approved_by, approved_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         on conflict (organization_id, client_id) do nothing",
    )
    .bind(approval.organization_id.as_str())
    .bind(approval.client_id.as_str())
    .bind(approval.access_request_id.as_str())
    .bind(approval.client_revision)
    .bind(approval.digest.as_str())
    .bind(approval.scopes.as_str())
    .bind(json_text(&approval.fhir_endpoints))
    .bind(approval.epoch)
    .bind(state)
    .bind(by.as_str())
    .bind(at.0)
    .bind(reason)
    .bind(approval.approved_by.as_str())
    .bind(approval.approved_at.0)
    .bind(approval.expires_at.map(|at| at.0))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes the state and epoch that `approval` now carries; false if somebody changed the state first.
pub async fn switch(conn: &mut Conn, approval: &Approval) -> Result<bool, StorageError> {
    let (state, by, at, reason) = state_columns(&approval.state);
    let done = sqlx::query(
        "update approvals set state = $3, state_by = $4, state_at = $5, state_reason = $6, epoch = $7
         where organization_id = $1 and client_id = $2 and state <> $3 and epoch <= $7",
    )
    .bind(approval.organization_id.as_str())
    .bind(approval.client_id.as_str())
    .bind(state)
    .bind(by.as_str())
    .bind(at.0)
    .bind(reason)
    .bind(approval.epoch)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

fn state_columns(state: &ApprovalState) -> (&'static str, &AccountId, UtcMillis, Option<&str>) {
    match state {
        ApprovalState::Enabled { by, at } => ("enabled", by, *at, None),
        ApprovalState::Disabled { by, at, reason } => ("disabled", by, *at, Some(reason)),
    }
}

/// Lets a narrower revision of the client take effect (see `domain::clients`).
pub async fn move_revision(
    conn: &mut Conn,
    organization: &OrganizationId,
    client: &ClientId,
    from: i64,
    to: i64,
) -> Result<bool, StorageError> {
    let done = sqlx::query("update approvals set client_revision = $4 where organization_id = $1 and client_id = $2 and client_revision = $3")
        .bind(organization.as_str())
        .bind(client.as_str())
        .bind(from)
        .bind(to)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that something was issued or answered under it. Kept to the minute, so that a busy client does not rewrite its row all day.
pub async fn touch(
    conn: &mut Conn,
    organization: &OrganizationId,
    client: &ClientId,
    now: UtcMillis,
) -> Result<(), StorageError> {
    sqlx::query(
        "update approvals set last_used_at = $3
         where organization_id = $1 and client_id = $2 and (last_used_at is null or last_used_at < $3 - 60000)",
    )
    .bind(organization.as_str())
    .bind(client.as_str())
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(())
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select organization_id, client_id, access_request_id, client_revision, digest, scopes, fhir_endpoints, epoch, state, state_by, state_at, \
             state_reason, approved_by, approved_at, expires_at, last_used_at from approvals ",
            $rest
        )
    };
}

/// The answer of an organization about a client.
pub async fn find(
    conn: &mut Conn,
    organization: &OrganizationId,
    client: &ClientId,
) -> Result<Option<Approval>, StorageError> {
    sqlx::query(select!("where organization_id = $1 and client_id = $2"))
        .bind(organization.as_str())
        .bind(client.as_str())
        .fetch_optional(conn)
        .await?
        .map(|row| approval(&row))
        .transpose()
}

/// The answers of every organization about a client.
pub async fn list_by_client(conn: &mut Conn, client: &ClientId) -> Result<Vec<Approval>, StorageError> {
    sqlx::query(select!("where client_id = $1 order by organization_id"))
        .bind(client.as_str())
        .fetch_all(conn)
        .await?
        .iter()
        .map(approval)
        .collect()
}

fn approval(row: &AnyRow) -> Result<Approval, StorageError> {
    let client_id = row.text("client_id")?;
    let by = AccountId::from_text(row.text("state_by")?);
    let at = row.time("state_at")?;
    let state = match (row.text("state")?.as_str(), row.text_or_null("state_reason")?) {
        ("enabled", None) => ApprovalState::Enabled { by, at },
        ("disabled", Some(reason)) => ApprovalState::Disabled { by, at, reason },
        (other, _) => {
            return Err(StorageError::inconsistent(
                "approvals",
                client_id,
                format!("state {other} with the wrong facts"),
            ));
        }
    };
    Ok(Approval {
        organization_id: OrganizationId::from_text(row.text("organization_id")?),
        client_id: ClientId::from_text(client_id),
        access_request_id: AccessRequestId::from_text(row.text("access_request_id")?),
        client_revision: row.int("client_revision")?,
        digest: row.text("digest")?,
        scopes: row.text("scopes")?,
        fhir_endpoints: row.json("fhir_endpoints")?,
        epoch: row.int("epoch")?,
        state,
        approved_by: AccountId::from_text(row.text("approved_by")?),
        approved_at: row.time("approved_at")?,
        expires_at: row.time_or_null("expires_at")?,
        last_used_at: row.time_or_null("last_used_at")?,
    })
}

/// Reads the columns `a_*` of a query that joins approvals to something else.
pub(super) fn joined(row: &AnyRow, organization: &OrganizationId, client: &ClientId) -> Result<Approval, StorageError> {
    let by = AccountId::from_text(row.text("a_state_by")?);
    let at = row.time("a_state_at")?;
    let state = match (row.text("a_state")?.as_str(), row.text_or_null("a_state_reason")?) {
        ("enabled", None) => ApprovalState::Enabled { by, at },
        ("disabled", Some(reason)) => ApprovalState::Disabled { by, at, reason },
        (other, _) => {
            return Err(StorageError::inconsistent(
                "approvals",
                client.as_str(),
                format!("state {other} with the wrong facts"),
            ));
        }
    };
    Ok(Approval {
        organization_id: organization.clone(),
        client_id: client.clone(),
        access_request_id: AccessRequestId::from_text(row.text("a_request")?),
        client_revision: row.int("a_revision")?,
        digest: row.text("a_digest")?,
        scopes: row.text("a_scopes")?,
        fhir_endpoints: row.json("a_endpoints")?,
        epoch: row.int("a_epoch")?,
        state,
        approved_by: AccountId::from_text(row.text("a_approved_by")?),
        approved_at: row.time("a_approved_at")?,
        expires_at: row.time_or_null("a_expires_at")?,
        last_used_at: row.time_or_null("a_last_used_at")?,
    })
}
