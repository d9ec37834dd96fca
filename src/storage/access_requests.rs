//! Access requests.

use sqlx::any::AnyRow;

use super::rows::Columns as _;
use super::{Conn, StorageError};
use crate::domain::access_requests::{AccessRequest, RequestKind, RequestState};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{AccessRequestId, AccountId, ClientId, FhirEndpointId, OrganizationId};

/// Adds a request (draft or waiting). `Duplicate` if another one of this client waits there already.
pub async fn insert(conn: &mut Conn, request: &AccessRequest) -> Result<(), StorageError> {
    sqlx::query(
        "insert into access_requests
         (id, organization_id, client_id, fhir_endpoint_id, kind, client_revision, scopes, reason, requested_by, requested_at, updated_at, edits, expires_at, state)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(request.id.as_str())
    .bind(request.organization_id.as_str())
    .bind(request.client_id.as_str())
    .bind(request.fhir_endpoint_id.as_str())
    .bind(request.kind.as_str())
    .bind(request.client_revision)
    .bind(request.scopes.as_str())
    .bind(request.reason.as_str())
    .bind(request.requested_by.as_str())
    .bind(request.requested_at.0)
    .bind(request.updated_at.0)
    .bind(request.edits)
    .bind(request.expires_at.0)
    .bind(request.state.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// Rewrites what a waiting (or draft) request asks; false if it was decided meanwhile.
pub async fn rewrite(conn: &mut Conn, request: &AccessRequest) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "update access_requests
         set fhir_endpoint_id = $2, client_revision = $3, scopes = $4, reason = $5, requested_by = $6, updated_at = $7, edits = $8, expires_at = $9, state = $10
         where id = $1 and state in ('draft', 'waiting')",
    )
    .bind(request.id.as_str())
    .bind(request.fhir_endpoint_id.as_str())
    .bind(request.client_revision)
    .bind(request.scopes.as_str())
    .bind(request.reason.as_str())
    .bind(request.requested_by.as_str())
    .bind(request.updated_at.0)
    .bind(request.edits)
    .bind(request.expires_at.0)
    .bind(request.state.as_str())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes the decision that `request` now carries; false if it no longer waited, or was edited since it was read. Of two decisions at once exactly one is written.
pub async fn decide(conn: &mut Conn, request: &AccessRequest) -> Result<bool, StorageError> {
    let (by, at, reason, may_ask_again, granted) = match &request.state {
        RequestState::Draft | RequestState::Waiting => return Ok(false),
        RequestState::Approved { by, at, scopes } => (Some(by), *at, None, None, Some(scopes.as_str())),
        RequestState::Rejected { by, at, reason, may_ask_again } => {
            (Some(by), *at, Some(reason.as_str()), Some(i64::from(*may_ask_again)), None)
        }
        RequestState::Withdrawn { by, at } => (Some(by), *at, None, None, None),
        RequestState::Expired { at } => (None, *at, None, None, None),
    };
    let done = sqlx::query(
        "update access_requests
         set state = $2, decided_by = $3, decided_at = $4, decision_reason = $5, may_ask_again = $6, granted_scopes = $7
         where id = $1 and state = 'waiting' and edits = $8 and client_revision = $9",
    )
    .bind(request.id.as_str())
    .bind(request.state.as_str())
    .bind(by.map(AccountId::as_str))
    .bind(at.0)
    .bind(reason)
    .bind(may_ask_again)
    .bind(granted)
    .bind(request.edits)
    .bind(request.client_revision)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Lifts a block; false if the request is not one that blocks.
pub async fn allow_again(conn: &mut Conn, id: &AccessRequestId) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "update access_requests set may_ask_again = 1 where id = $1 and state = 'rejected' and may_ask_again = 0",
    )
    .bind(id.as_str())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select id, organization_id, client_id, fhir_endpoint_id, kind, client_revision, scopes, reason, requested_by, requested_at, updated_at, edits, \
             expires_at, state, decided_by, decided_at, decision_reason, may_ask_again, granted_scopes from access_requests ",
            $rest
        )
    };
}

/// By id, of any organization: the caller compares whose it is.
pub async fn lookup(conn: &mut Conn, id: &AccessRequestId) -> Result<Option<AccessRequest>, StorageError> {
    sqlx::query(select!("where id = $1"))
        .bind(id.as_str())
        .fetch_optional(conn)
        .await?
        .map(|row| request(&row))
        .transpose()
}

/// The waiting request of a client at an organization.
pub async fn find_waiting(
    conn: &mut Conn,
    organization: &OrganizationId,
    client: &ClientId,
) -> Result<Option<AccessRequest>, StorageError> {
    sqlx::query(select!("where organization_id = $1 and client_id = $2 and state = 'waiting'"))
        .bind(organization.as_str())
        .bind(client.as_str())
        .fetch_optional(conn)
        .await?
        .map(|row| request(&row))
        .transpose()
}

/// The newest request of a client at an organization, whatever became of it.
pub async fn find_latest(
    conn: &mut Conn,
    organization: &OrganizationId,
    client: &ClientId,
) -> Result<Option<AccessRequest>, StorageError> {
    sqlx::query(select!("where organization_id = $1 and client_id = $2 order by requested_at desc, id desc limit 1"))
        .bind(organization.as_str())
        .bind(client.as_str())
        .fetch_optional(conn)
        .await?
        .map(|row| request(&row))
        .transpose()
}

/// Every request of a client, newest first.
pub async fn list_by_client(conn: &mut Conn, client: &ClientId) -> Result<Vec<AccessRequest>, StorageError> {
    sqlx::query(select!("where client_id = $1 order by requested_at desc, id desc"))
        .bind(client.as_str())
        .fetch_all(conn)
        .await?
        .iter()
        .map(request)
        .collect()
}

/// A page of an organization's requests in a state, oldest first.
pub async fn list_by_state(
    conn: &mut Conn,
    organization: &OrganizationId,
    state: &str,
    limit: i64,
    offset: i64,
) -> Result<Vec<AccessRequest>, StorageError> {
    sqlx::query(select!("where organization_id = $1 and state = $2 order by requested_at, id limit $3 offset $4"))
        .bind(organization.as_str())
        .bind(state)
        .bind(limit)
        .bind(offset)
        .fetch_all(conn)
        .await?
        .iter()
        .map(request)
        .collect()
}

/// Waiting requests whose time is up, at most `limit`.
pub async fn list_due(conn: &mut Conn, now: UtcMillis, limit: i64) -> Result<Vec<AccessRequest>, StorageError> {
    sqlx::query(select!("where state = 'waiting' and expires_at <= $1 order by expires_at limit $2"))
        .bind(now.0)
        .bind(limit)
        .fetch_all(conn)
        .await?
        .iter()
        .map(request)
        .collect()
}

fn request(row: &AnyRow) -> Result<AccessRequest, StorageError> {
    let id = row.text("id")?;
    let by = row.text_or_null("decided_by")?.map(AccountId::from_text);
    let at = row.time_or_null("decided_at")?;
    let facts = (
        row.text("state")?,
        by,
        at,
        row.text_or_null("decision_reason")?,
        row.int_or_null("may_ask_again")?,
        row.text_or_null("granted_scopes")?,
    );
    let state = match facts {
        (state, None, None, None, None, None) if state == "draft" => RequestState::Draft,
        (state, None, None, None, None, None) if state == "waiting" => RequestState::Waiting,
        (state, Some(by), Some(at), None, None, Some(scopes)) if state == "approved" => {
            RequestState::Approved { by, at, scopes }
        }
        (state, Some(by), Some(at), Some(reason), Some(again), None) if state == "rejected" => {
            RequestState::Rejected { by, at, reason, may_ask_again: again != 0 }
        }
        (state, Some(by), Some(at), None, None, None) if state == "withdrawn" => RequestState::Withdrawn { by, at },
        (state, None, Some(at), None, None, None) if state == "expired" => RequestState::Expired { at },
        (state, ..) => {
            return Err(StorageError::inconsistent(
                "access_requests",
                id,
                format!("state {state} with the wrong facts"),
            ));
        }
    };
    Ok(AccessRequest {
        id: AccessRequestId::from_text(id),
        organization_id: OrganizationId::from_text(row.text("organization_id")?),
        client_id: ClientId::from_text(row.text("client_id")?),
        fhir_endpoint_id: FhirEndpointId::from_text(row.text("fhir_endpoint_id")?),
        kind: if row.text("kind")? == "change" { RequestKind::Change } else { RequestKind::Initial },
        client_revision: row.int("client_revision")?,
        scopes: row.text("scopes")?,
        reason: row.text("reason")?,
        requested_by: AccountId::from_text(row.text("requested_by")?),
        requested_at: row.time("requested_at")?,
        updated_at: row.time("updated_at")?,
        edits: row.int("edits")?,
        expires_at: row.time("expires_at")?,
        state,
    })
}
