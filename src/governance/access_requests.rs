//! Asking an organization for access: send, edit, withdraw, and the passing of time.
//!
//! A client has at most one waiting request per organization; asking again edits it, and reviewers are told that it was edited. What only narrows the
//! approved scopes takes effect at once, because nobody has to agree to less. A new revision of the client becomes a change request at every organization
//! that approved an older one (see [`file_change_for_revision`]).

use super::actor::Developer;
use super::client_management::refresh_line;
use super::error::Fault;
use super::notifications::{Event, Notice, enqueue};
use super::{Refusal, words};
use crate::app::App;
use crate::domain::access_requests::{AccessRequest, RequestKind, RequestState};
use crate::domain::approvals::Approval;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::clients::{Client, ClientMetadata, ClientState, GrantType};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{AccessRequestId, ClientId, FhirEndpointId, OrganizationId};
use crate::domain::organizations::{FhirEndpoint, Organization, Standing};
use crate::storage::{self, Conn, StorageError};
use fhir_scopes::{Level, Release, Scope, ScopeKind, ScopeSet};

pub use super::changes::{Filed, file_change_for_revision};

/// What a developer asks.
#[derive(Clone, Debug)]
pub struct Ask {
    /// For which client.
    pub client_id: ClientId,
    /// Whom.
    pub organization_id: OrganizationId,
    /// For which FHIR endpoint of that organization.
    pub fhir_endpoint_id: FhirEndpointId,
    /// A scope string: typed, pasted, or made from a choice of resources and interactions.
    pub scopes: String,
    /// Why. Plain text of at most 2000 characters, shown to reviewers as the provider's own words.
    pub reason: String,
}

/// What became of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It waits for the organization.
    Sent,
    /// The request that waited already now asks this.
    Edited,
    /// It asks for less than is approved: that is in force already.
    Narrowed,
}

/// Asks an organization for access. Everything that is wrong is reported at once.
///
/// `Conflict` where the organization has blocked the client from asking again.
pub async fn ask(app: &App, developer: &Developer, ask: Ask) -> Result<(AccessRequest, Outcome), Refusal> {
    let (developer, now) = (developer.clone(), app.now());
    let id = AccessRequestId::new(now, &*app.entropy);
    app.store.write(move |conn| Box::pin(async move { ask_within(conn, &developer, &ask, id, now).await })).await
}

/// [`ask`] inside a transaction of the caller's; `id` is used if this becomes a new request.
pub async fn ask_within(
    conn: &mut Conn,
    developer: &Developer,
    ask: &Ask,
    id: AccessRequestId,
    now: UtcMillis,
) -> Result<(AccessRequest, Outcome), Refusal> {
    // 1 whose client, which organization, which endpoint
    let client = own_client(conn, developer, &ask.client_id).await?;
    let organization = active_organization(conn, &ask.organization_id).await?;
    let endpoint = storage::organizations::lookup_endpoint(conn, &ask.fhir_endpoint_id)
        .await?
        .filter(|endpoint| endpoint.organization_id == organization.id && endpoint.standing == Standing::Active)
        .ok_or_else(|| Refusal::invalid("fhir_endpoint", "unknown", "the organization has no such FHIR endpoint"))?;
    // a revision filed at the same moment must see this request, or this request that revision
    if !storage::clients::hold_revision(conn, &client.id, client.latest_revision).await? {
        return Err(Refusal::conflict("meanwhile", "the client changed at the same time"));
    }
    // 2 what is asked, and why
    let revision = latest_metadata(conn, &client).await?;
    let mut faults = Vec::new();
    let scopes = strict_scopes(&ask.scopes, endpoint.release, &mut faults);
    usable_scopes(&scopes, &revision, &mut faults);
    let reason = words::mandatory("reason", &ask.reason, &mut faults);
    if !faults.is_empty() {
        return Err(Refusal::Invalid(faults));
    }
    // 3 may it ask here at all?
    let latest = storage::access_requests::find_latest(conn, &organization.id, &client.id).await?;
    if latest.as_ref().is_some_and(is_block) {
        return Err(Refusal::conflict("blocked", "the organization has blocked this client from asking again"));
    }
    let waiting = still_waiting(conn, &organization, &client, now).await?;
    let approval = storage::approvals::find(conn, &organization.id, &client.id)
        .await?
        .filter(|approval| !approval.is_expired(now));
    // 4 one request: the one that waits, or a new one
    let edited = waiting.is_some();
    let mut request = waiting.unwrap_or_else(|| AccessRequest {
        id,
        organization_id: organization.id.clone(),
        client_id: client.id.clone(),
        fhir_endpoint_id: endpoint.id.clone(),
        kind: RequestKind::Initial,
        client_revision: client.latest_revision,
        scopes: String::new(),
        reason: String::new(),
        requested_by: developer.account.id.clone(),
        requested_at: now,
        updated_at: now,
        edits: 0,
        expires_at: now,
        state: RequestState::Waiting,
    });
    request.kind = if approval.is_some() { RequestKind::Change } else { RequestKind::Initial };
    request.fhir_endpoint_id = endpoint.id.clone();
    request.client_revision = client.latest_revision;
    request.scopes = scopes.to_string();
    request.reason = reason;
    request.requested_by = developer.account.id.clone();
    request.updated_at = now;
    request.expires_at = now.plus_days(organization.settings.request_expires_days);
    if edited {
        request.edits += 1;
        if !storage::access_requests::rewrite(conn, &request).await? {
            return Err(Refusal::conflict("meanwhile", "the request was decided meanwhile"));
        }
    } else {
        storage::access_requests::insert(conn, &request).await.map_err(|error| match error {
            StorageError::Duplicate(_) => Refusal::conflict("meanwhile", "another request was sent at the same time"),
            other => Refusal::Storage(other),
        })?;
    }
    // 5 less than is approved needs nobody's agreement
    if let Some(approval) = approval
        && narrows(conn, &approval, &client, &endpoint, &scopes).await?
    {
        let request = super::changes::narrow(conn, developer, &organization, approval, request, now).await?;
        return Ok((request, Outcome::Narrowed));
    }
    // 6 the mark, the line, the news
    let (event, outcome) =
        if edited { ("access_request.edited", Outcome::Edited) } else { ("access_request.sent", Outcome::Sent) };
    storage::audit::append(conn, &about(&request, event, developer.audit(), now).with("kind", request.kind.as_str()))
        .await?;
    refresh_line(conn, &organization.id, &client.id, now).await?;
    tell(conn, Event::RequestReceived, &request, now).await?;
    Ok((request, outcome))
}

/// Takes back whatever a client asked and takes it off every organization's list. Call it in the transaction that deletes the client.
pub async fn client_was_deleted(
    conn: &mut Conn,
    developer: &Developer,
    client: &ClientId,
    now: UtcMillis,
) -> Result<(), Refusal> {
    for request in storage::access_requests::list_by_client(conn, client).await? {
        let Ok(request) = request.withdraw(developer.account.id.clone(), now) else { continue };
        decided(conn, &request).await?;
        storage::audit::append(conn, &about(&request, "access_request.withdrawn", developer.audit(), now)).await?;
    }
    for approval in storage::approvals::list_by_client(conn, client).await? {
        let event = AuditEvent::new(&approval.organization_id, now, "approval.ended", developer.audit())
            .client(client)
            .subject(approval.access_request_id.as_str());
        storage::audit::append(conn, &event).await?;
    }
    storage::client_management::remove_client(conn, client).await?;
    Ok(())
}

/// Takes a waiting request back.
pub async fn withdraw(app: &App, developer: &Developer, id: &AccessRequestId) -> Result<AccessRequest, Refusal> {
    let (developer, id, now) = (developer.clone(), id.clone(), app.now());
    app.store.write(move |conn| Box::pin(async move { withdraw_within(conn, &developer, &id, now).await })).await
}

async fn withdraw_within(
    conn: &mut Conn,
    developer: &Developer,
    id: &AccessRequestId,
    now: UtcMillis,
) -> Result<AccessRequest, Refusal> {
    let request = storage::access_requests::lookup(conn, id).await?.ok_or(Refusal::NotFound)?;
    let client = own_client(conn, developer, &request.client_id).await?;
    let organization = active_organization(conn, &request.organization_id).await?;
    let request = request.withdraw(developer.account.id.clone(), now)?;
    decided(conn, &request).await?;
    storage::audit::append(conn, &about(&request, "access_request.withdrawn", developer.audit(), now)).await?;
    refresh_line(conn, &organization.id, &client.id, now).await?;
    tell(conn, Event::RequestWithdrawn, &request, now).await?;
    Ok(request)
}

/// Writes down that requests waited too long, each in its own transaction; returns how many. Expiry counts when it is due, whether written down or not.
pub async fn expire_due(app: &App, now: UtcMillis) -> Result<usize, Refusal> {
    let due = storage::access_requests::list_due(&mut *app.store.read().await?, now, 100).await?;
    let mut expired = 0;
    for request in due {
        let done = app.store.write(move |conn| Box::pin(async move { expire(conn, request, now).await })).await?;
        expired += usize::from(done);
    }
    Ok(expired)
}

/// False if it was decided meanwhile.
async fn expire(conn: &mut Conn, request: AccessRequest, now: UtcMillis) -> Result<bool, Refusal> {
    let Ok(request) = request.expire(now) else { return Ok(false) };
    if !storage::access_requests::decide(conn, &request).await? {
        return Ok(false);
    }
    storage::audit::append(conn, &about(&request, "access_request.expired", Actor::System, now)).await?;
    refresh_line(conn, &request.organization_id, &request.client_id, now).await?;
    tell(conn, Event::RequestExpired, &request, now).await?;
    Ok(true)
}

/// The waiting request, if it still waits. One that is due is written down as expired, so that another can be sent.
pub(super) async fn still_waiting(
    conn: &mut Conn,
    organization: &Organization,
    client: &Client,
    now: UtcMillis,
) -> Result<Option<AccessRequest>, Refusal> {
    let Some(request) = storage::access_requests::find_waiting(conn, &organization.id, &client.id).await? else {
        return Ok(None);
    };
    if now < request.expires_at {
        return Ok(Some(request));
    }
    expire(conn, request, now).await?;
    Ok(None)
}

/// Writes a decision, or says that somebody was faster.
pub(super) async fn decided(conn: &mut Conn, request: &AccessRequest) -> Result<(), Refusal> {
    if storage::access_requests::decide(conn, request).await? {
        return Ok(());
    }
    // edited meanwhile, or decided meanwhile?
    match storage::access_requests::lookup(conn, &request.id).await? {
        Some(now) if now.state == RequestState::Waiting => Err(Refusal::Changed),
        Some(now) => {
            Err(Refusal::conflict("not-waiting", format!("the request is {}, not waiting", now.state.as_str())))
        }
        None => Err(Refusal::NotFound),
    }
}

/// An audit event about a request.
pub(super) fn about(request: &AccessRequest, event: &'static str, actor: Actor, now: UtcMillis) -> AuditEvent {
    AuditEvent::new(&request.organization_id, now, event, actor)
        .client(&request.client_id)
        .subject(request.id.as_str())
        .with("client_revision", request.client_revision.to_string())
        .with("fhir_endpoint", request.fhir_endpoint_id.as_str())
        .with("scopes", request.scopes.as_str())
        .with("reason", request.reason.as_str())
}

/// Tells whom it concerns, with the reason that matters to them.
pub(super) async fn tell(
    conn: &mut Conn,
    event: Event,
    request: &AccessRequest,
    now: UtcMillis,
) -> Result<(), StorageError> {
    let notice = Notice::new(event, &request.organization_id, &request.client_id).request(request.id.as_str());
    let notice = match &request.state {
        RequestState::Rejected { reason, .. } => notice.because(reason.as_str()),
        RequestState::Waiting => notice.because(request.reason.as_str()),
        RequestState::Draft
        | RequestState::Approved { .. }
        | RequestState::Withdrawn { .. }
        | RequestState::Expired { .. } => notice,
    };
    enqueue(conn, &notice, now).await
}

/// Was it refused in a way that blocks the client from asking again?
pub(super) fn is_block(request: &AccessRequest) -> bool {
    matches!(request.state, RequestState::Rejected { may_ask_again: false, .. })
}

/// An active client of the developer's own provider; any other is absent.
async fn own_client(conn: &mut Conn, developer: &Developer, id: &ClientId) -> Result<Client, Refusal> {
    storage::clients::lookup(conn, id)
        .await?
        .filter(|client| client.application_provider_id == developer.provider.id && client.state == ClientState::Active)
        .ok_or(Refusal::NotFound)
}

async fn active_organization(conn: &mut Conn, id: &OrganizationId) -> Result<Organization, Refusal> {
    storage::organizations::lookup(conn, id)
        .await?
        .filter(|organization| organization.standing == Standing::Active)
        .ok_or(Refusal::NotFound)
}

pub(super) async fn latest_metadata(conn: &mut Conn, client: &Client) -> Result<ClientMetadata, Refusal> {
    Ok(revision_of(conn, client, client.latest_revision).await?.metadata)
}

/// A revision that must exist.
pub(super) async fn revision_of(
    conn: &mut Conn,
    client: &Client,
    revision: i64,
) -> Result<crate::domain::clients::ClientRevision, Refusal> {
    storage::clients::find_revision(conn, &client.id, revision).await?.ok_or_else(|| {
        StorageError::inconsistent("clients", client.id.as_str(), format!("revision {revision} is missing")).into()
    })
}

async fn narrows(
    conn: &mut Conn,
    approval: &Approval,
    client: &Client,
    endpoint: &FhirEndpoint,
    asked: &ScopeSet,
) -> Result<bool, Refusal> {
    if !approval.fhir_endpoints.contains(&endpoint.id) {
        return Ok(false);
    }
    if !ScopeSet::parse_lenient(&approval.scopes, endpoint.release).0.covers(asked) {
        return Ok(false);
    }
    if approval.client_revision == client.latest_revision {
        return Ok(true);
    }
    let approved = revision_of(conn, client, approval.client_revision).await?.metadata;
    Ok(latest_metadata(conn, client).await?.is_narrowing_of(&approved))
}

/// Reads what is asked, strictly: a fault for every token that is no scope of this FHIR release, and for every one that says nothing.
pub fn strict_scopes(text: &str, release: Release, faults: &mut Vec<Fault>) -> ScopeSet {
    // several lines may be pasted; anything else than single scopes is reported by the grammar
    let text = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let (scopes, rejected) = ScopeSet::parse_lenient(&text, release);
    for token in rejected {
        faults.push(Fault::new(
            "scopes",
            "scope-malformed",
            format!("{}: expected {}", token.token, token.error.expected()),
        ));
    }
    for scope in &scopes {
        if matches!(scope.kind(), ScopeKind::Unknown) {
            faults.push(Fault::new(
                "scopes",
                "scope-unknown",
                format!("{}: no scope of SMART on FHIR or OpenID Connect", scope.literal()),
            ));
        }
    }
    if text.is_empty() {
        faults.push(Fault::new("scopes", "missing", "choose at least one scope"));
    }
    scopes
}

/// Scopes that the client's grant types could never obtain are refused here, not at the token endpoint months later.
fn usable_scopes(scopes: &ScopeSet, metadata: &ClientMetadata, faults: &mut Vec<Fault>) {
    let with_people = metadata.may_use(GrantType::AuthorizationCode);
    let alone = metadata.may_use(GrantType::ClientCredentials);
    for scope in scopes {
        let needs_people = scope.resource().is_none_or(|resource| resource.level != Level::System);
        if needs_people && !with_people && !matches!(scope.kind(), ScopeKind::Extension | ScopeKind::Unknown) {
            faults.push(Fault::new(
                "scopes",
                "scope-needs-user",
                format!(
                    "{}: needs a user, but the client does not use the grant type authorization_code",
                    scope.literal()
                ),
            ));
        }
        if !needs_people && !alone {
            faults.push(Fault::new(
                "scopes",
                "scope-needs-backend",
                format!(
                    "{}: is for backend services, but the client does not use the grant type client_credentials",
                    scope.literal()
                ),
            ));
        }
    }
}

/// How many scopes a set has in words of the audit record: the literal list.
pub(super) fn literals<'a>(scopes: impl IntoIterator<Item = &'a Scope<'static>>) -> String {
    scopes.into_iter().map(Scope::literal).collect::<Vec<_>>().join(" ")
}
