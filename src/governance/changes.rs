//! Changes of what was approved: a narrower request that takes effect at once, and a new revision of a client.

use super::Refusal;
use super::access_requests::{about, decided, is_block, revision_of, still_waiting, tell};
use super::actor::Developer;
use super::client_management::refresh_line;
use super::notifications::Event;
use super::words;
use crate::domain::access_requests::{AccessRequest, RequestKind, RequestState};
use crate::domain::approvals::Approval;
use crate::domain::audit::AuditEvent;
use crate::domain::clients::{Client, ClientRevision};
use crate::domain::clock::UtcMillis;
use crate::domain::entropy::Entropy;
use crate::domain::ids::{AccessRequestId, OrganizationId};
use crate::domain::organizations::{Organization, Standing};
use crate::storage::{self, Conn, StorageError};
use fhir_scopes::ScopeSet;

/// What a new revision of a client led to at one organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filed {
    /// It only narrows what was approved: it is live there.
    LiveAtOnce(OrganizationId),
    /// It waits there for the organization's answer; the approved revision stays live.
    Waiting(OrganizationId, AccessRequestId),
    /// The organization has blocked the client from asking; the approved revision stays live.
    Blocked(OrganizationId),
}

/// Puts a new revision before every organization that approved an older one, or that is being asked. Call it in the transaction that adds the revision.
///
/// `reason` is the developer's word on the change; empty if they gave none.
pub async fn file_change_for_revision(
    conn: &mut Conn,
    developer: &Developer,
    revision: &ClientRevision,
    reason: &str,
    now: UtcMillis,
    entropy: &dyn Entropy,
) -> Result<Vec<Filed>, Refusal> {
    let client = storage::clients::lookup(conn, &revision.client_id).await?.ok_or(Refusal::NotFound)?;
    let mut faults = Vec::new();
    let reason = &words::optional("reason", reason, &mut faults);
    if !faults.is_empty() {
        return Err(Refusal::Invalid(faults));
    }
    let mut filed = Vec::new();
    // 1 where it was approved
    let mut seen = Vec::new();
    for approval in storage::approvals::list_by_client(conn, &client.id).await? {
        if approval.is_expired(now) {
            continue;
        }
        let Some(organization) = active(conn, &approval.organization_id).await? else { continue };
        seen.push(organization.id.clone());
        let id = AccessRequestId::new(now, entropy);
        filed.push(at_approval(conn, developer, &client, &organization, approval, revision, reason, id, now).await?);
    }
    // 2 where it only asked so far: what waits is about the newest revision, and reviewers see that it changed
    for request in storage::access_requests::list_by_client(conn, &client.id).await? {
        if request.state != RequestState::Waiting || seen.contains(&request.organization_id) {
            continue;
        }
        let Some(organization) = active(conn, &request.organization_id).await? else { continue };
        let Some(request) = still_waiting(conn, &organization, &client, now).await? else { continue };
        let request = edit(conn, developer, &organization, &client, request, revision.revision, now).await?;
        filed.push(Filed::Waiting(organization.id, request.id));
    }
    Ok(filed)
}

async fn active(conn: &mut Conn, id: &OrganizationId) -> Result<Option<Organization>, Refusal> {
    Ok(storage::organizations::lookup(conn, id).await?.filter(|organization| organization.standing == Standing::Active))
}

#[allow(clippy::too_many_arguments)] // one step of the story above, cut out to be read
async fn at_approval(
    conn: &mut Conn,
    developer: &Developer,
    client: &Client,
    organization: &Organization,
    approval: Approval,
    revision: &ClientRevision,
    reason: &str,
    id: AccessRequestId,
    now: UtcMillis,
) -> Result<Filed, Refusal> {
    let approved = revision_of(conn, client, approval.client_revision).await?;
    let waiting = still_waiting(conn, organization, client, now).await?;
    // 1 nothing but less: live at once
    if revision.metadata.is_narrowing_of(&approved.metadata) {
        if !storage::approvals::move_revision(
            conn,
            &organization.id,
            &client.id,
            approval.client_revision,
            revision.revision,
        )
        .await?
        {
            return Err(Refusal::conflict("meanwhile", "the approval changed at the same time"));
        }
        let event = AuditEvent::new(&organization.id, now, "approval.revision_narrowed", developer.audit())
            .client(&client.id)
            .with("from_revision", approval.client_revision.to_string())
            .with("to_revision", revision.revision.to_string());
        storage::audit::append(conn, &event).await?;
        if let Some(request) = waiting {
            if asks_no_more(conn, &approval, &request).await? {
                // the change it asked for was taken back
                let request = request.withdraw(developer.account.id.clone(), now)?;
                decided(conn, &request).await?;
                storage::audit::append(conn, &about(&request, "access_request.withdrawn", developer.audit(), now))
                    .await?;
            } else {
                edit(conn, developer, organization, client, request, revision.revision, now).await?;
            }
        }
        refresh_line(conn, &organization.id, &client.id, now).await?;
        return Ok(Filed::LiveAtOnce(organization.id.clone()));
    }
    // 2 a change that waits already now asks this too
    if let Some(request) = waiting {
        let request = edit(conn, developer, organization, client, request, revision.revision, now).await?;
        return Ok(Filed::Waiting(organization.id.clone(), request.id));
    }
    let latest = storage::access_requests::find_latest(conn, &organization.id, &client.id).await?;
    if latest.as_ref().is_some_and(is_block) {
        return Ok(Filed::Blocked(organization.id.clone()));
    }
    // 3 a new change request, with the scopes as they are
    let endpoint = approval
        .fhir_endpoints
        .first()
        .ok_or_else(|| StorageError::inconsistent("approvals", client.id.as_str(), "no FHIR endpoint"))?;
    let request = AccessRequest {
        id,
        organization_id: organization.id.clone(),
        client_id: client.id.clone(),
        fhir_endpoint_id: endpoint.clone(),
        kind: RequestKind::Change,
        client_revision: revision.revision,
        scopes: approval.scopes.clone(),
        reason: reason.to_owned(),
        requested_by: developer.account.id.clone(),
        requested_at: now,
        updated_at: now,
        edits: 0,
        expires_at: now.plus_days(organization.settings.request_expires_days),
        state: RequestState::Waiting,
    };
    storage::access_requests::insert(conn, &request).await?;
    storage::audit::append(
        conn,
        &about(&request, "access_request.sent", developer.audit(), now).with("kind", "change"),
    )
    .await?;
    refresh_line(conn, &organization.id, &client.id, now).await?;
    tell(conn, Event::RequestReceived, &request, now).await?;
    Ok(Filed::Waiting(organization.id.clone(), request.id))
}

async fn asks_no_more(conn: &mut Conn, approval: &Approval, request: &AccessRequest) -> Result<bool, Refusal> {
    let Some(endpoint) = storage::organizations::lookup_endpoint(conn, &request.fhir_endpoint_id).await? else {
        return Ok(false);
    };
    let approved = ScopeSet::parse_lenient(&approval.scopes, endpoint.release).0;
    let asked = ScopeSet::parse_lenient(&request.scopes, endpoint.release).0;
    Ok(approval.fhir_endpoints.contains(&endpoint.id) && approved.covers(&asked) && asked.covers(&approved))
}

/// Moves a waiting request to a newer revision of its client.
async fn edit(
    conn: &mut Conn,
    developer: &Developer,
    organization: &Organization,
    client: &Client,
    mut request: AccessRequest,
    revision: i64,
    now: UtcMillis,
) -> Result<AccessRequest, Refusal> {
    request.client_revision = revision;
    request.requested_by = developer.account.id.clone();
    request.updated_at = now;
    request.edits += 1;
    request.expires_at = now.plus_days(organization.settings.request_expires_days);
    if !storage::access_requests::rewrite(conn, &request).await? {
        return Err(Refusal::conflict("meanwhile", "the request was decided meanwhile"));
    }
    storage::audit::append(
        conn,
        &about(&request, "access_request.edited", developer.audit(), now).with("kind", request.kind.as_str()),
    )
    .await?;
    refresh_line(conn, &organization.id, &client.id, now).await?;
    tell(conn, Event::RequestReceived, &request, now).await?;
    Ok(request)
}

/// Lets a request for less take effect. The reviewer's answer of before covers it, so the developer's own word decides.
pub(super) async fn narrow(
    conn: &mut Conn,
    developer: &Developer,
    organization: &Organization,
    approval: Approval,
    request: AccessRequest,
    now: UtcMillis,
) -> Result<AccessRequest, Refusal> {
    let client = storage::clients::lookup(conn, &request.client_id).await?.ok_or(Refusal::NotFound)?;
    let scopes = request.scopes.clone();
    let request = request.approve(developer.account.id.clone(), scopes.clone(), now)?;
    decided(conn, &request).await?;
    let narrower = Approval { scopes, client_revision: request.client_revision, ..approval.clone() };
    if !storage::approvals::replace(conn, &narrower, Some(&approval)).await? {
        return Err(Refusal::conflict("meanwhile", "the approval changed at the same time"));
    }
    let event =
        about(&request, "approval.narrowed", developer.audit(), now).with("scopes_before", approval.scopes.as_str());
    storage::audit::append(conn, &event).await?;
    refresh_line(conn, &organization.id, &client.id, now).await?;
    Ok(request)
}
