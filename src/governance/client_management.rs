//! *Client management*: one line per client that ever asked an organization, and what staff find when they open it.

use super::Refusal;
use super::actor::Staff;
use crate::app::App;
use crate::domain::access_requests::{AccessRequest, RequestState};
use crate::domain::accounts::StaffRole;
use crate::domain::application_providers::ApplicationProvider;
use crate::domain::approvals::{Approval, ApprovalState};
use crate::domain::audit::AuditRecord;
use crate::domain::clients::{Client, ClientRevision, ClientState};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{AccessRequestId, AccountId, ApplicationProviderId, ClientId, OrganizationId};
use crate::domain::names;
use crate::domain::organizations::FhirEndpoint;
use crate::domain::permission::system_needs_key;
use crate::storage::client_management::{Counts, Filter, Line, ListedLine};
use crate::storage::usage::Uses;
use crate::storage::{self, Conn, StorageError};
use fhir_scopes::{Difference, ScopeSet};

/// The states that a line may be filtered by.
pub const STATES: [&str; 6] = ["waiting", "approved", "disabled", "rejected", "withdrawn", "expired"];

/// A page of lines.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The lines.
    pub lines: Vec<ListedLine>,
    /// How many lines are in each state, within the search.
    pub counts: Counts,
    /// How many lines the filter matches on all pages.
    pub total: i64,
    /// When the longest waiting request was sent, whatever the filter.
    pub oldest_waiting: Option<UtcMillis>,
    /// The organization's FHIR endpoints, to read the scopes by.
    pub endpoints: Vec<FhirEndpoint>,
}

/// A page of the organization's clients. `Invalid` for a state that does not exist or a page beyond any.
pub async fn list(app: &App, staff: &Staff, filter: &Filter) -> Result<Listing, Refusal> {
    staff.must_be(StaffRole::Viewer)?;
    if filter.state.as_deref().is_some_and(|state| !STATES.contains(&state)) {
        return Err(Refusal::invalid("state", "unknown", format!("state is one of {}", STATES.join(", "))));
    }
    if filter.search.chars().count() > 200 {
        return Err(Refusal::invalid("q", "too-long", "search for at most 200 characters"));
    }
    if filter.offset < 0 || !(1..=200).contains(&filter.limit) {
        return Err(Refusal::invalid("page", "out-of-range", "there is no such page"));
    }
    let mut conn = app.store.read().await?;
    let organization = &staff.organization.id;
    let counts = storage::client_management::counts(&mut conn, organization, &filter.search).await?;
    Ok(Listing {
        lines: storage::client_management::list(&mut conn, organization, filter, app.now()).await?,
        total: filter.state.as_deref().map_or(counts.all, |state| counts.of(state)),
        counts,
        oldest_waiting: storage::client_management::oldest_waiting(&mut conn, organization).await?,
        endpoints: storage::organizations::list_endpoints(&mut conn, organization).await?,
    })
}

/// Requests to the organization in one state, oldest first.
pub async fn requests(
    app: &App,
    staff: &Staff,
    state: &str,
    limit: i64,
    offset: i64,
) -> Result<Vec<AccessRequest>, Refusal> {
    staff.must_be(StaffRole::Viewer)?;
    // a draft is the application provider's own
    if !["waiting", "approved", "rejected", "withdrawn", "expired"].contains(&state) {
        return Err(Refusal::invalid(
            "state",
            "unknown",
            "state is one of waiting, approved, rejected, withdrawn, expired",
        ));
    }
    let mut conn = app.store.read().await?;
    Ok(storage::access_requests::list_by_state(&mut conn, &staff.organization.id, state, limit, offset).await?)
}

/// How many requests wait for the organization: the number beside *Client management*.
pub async fn waiting(app: &App, staff: &Staff) -> Result<i64, Refusal> {
    let mut conn = app.store.read().await?;
    Ok(storage::client_management::counts(&mut conn, &staff.organization.id, "").await?.waiting)
}

/// A person as pages name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Id.
    pub id: AccountId,
    /// Name; the id where the account is gone.
    pub name: String,
}

/// Everything a decision about a request depends on, as of one moment.
#[derive(Clone, Debug)]
pub struct Review {
    /// The request.
    pub request: AccessRequest,
    /// Must travel with the decision: see [`super::approvals::approve`].
    pub digest: String,
    /// The client.
    pub client: Client,
    /// The revision the request is about.
    pub revision: ClientRevision,
    /// Who stands behind it.
    pub provider: ApplicationProvider,
    /// For which FHIR endpoint.
    pub endpoint: FhirEndpoint,
    /// Who asked.
    pub requested_by: Person,
    /// Who decided, if anybody did.
    pub decided_by: Option<Person>,
    /// The scopes asked.
    pub asked: ScopeSet,
    /// The answer that stands, if there is one.
    pub approval: Option<Approval>,
    /// The revision that answer is about.
    pub approved_revision: Option<ClientRevision>,
    /// What changes for the client if all is approved.
    pub difference: Option<Difference>,
    /// Was no client of this provider ever approved here?
    pub new_provider: bool,
    /// Does the organization give `system/` scopes to clients with a key only, while this one has none?
    pub system_needs_key: bool,
    /// Does its name look like that of another provider's client that is approved here, or mix alphabets (D05)?
    pub looks_like_another: bool,
    /// What happened to the client here, newest first.
    pub history: Vec<Happened>,
    /// The moment all this is as of.
    pub now: UtcMillis,
}

async fn looks_like_another(
    conn: &mut Conn,
    organization: &OrganizationId,
    (provider, name): (&ApplicationProviderId, &str),
) -> Result<bool, StorageError> {
    let skeleton = names::skeleton(name);
    let others = storage::client_management::approved_names(conn, organization, provider).await?;
    Ok(others.iter().any(|other| names::skeleton(other) == skeleton))
}

/// A record of the audit chain, with the name of who did it.
#[derive(Clone, Debug)]
pub struct Happened {
    /// The record.
    pub record: AuditRecord,
    /// The name of the actor; empty for the system.
    pub who: String,
    /// The name of the client it is about; empty where it is about none.
    pub client: String,
}

/// Everything the review page shows of a request.
pub async fn review(app: &App, staff: &Staff, id: &AccessRequestId) -> Result<Review, Refusal> {
    staff.must_be(StaffRole::Viewer)?;
    let now = app.now();
    let mut conn = app.store.read().await?;
    let conn: &mut Conn = &mut conn;
    let (request, client, endpoint) = super::approvals::request_here(conn, staff, id).await?;
    let revision = super::access_requests::revision_of(conn, &client, request.client_revision).await?;
    let provider = provider_of(conn, &client).await?;
    let approval =
        storage::approvals::find(conn, &staff.organization.id, &client.id).await?.filter(|one| !one.is_expired(now));
    let approved_revision = match &approval {
        Some(approval) => Some(super::access_requests::revision_of(conn, &client, approval.client_revision).await?),
        None => None,
    };
    let asked = ScopeSet::parse_lenient(&request.scopes, endpoint.release).0;
    let difference =
        approval.as_ref().map(|one| asked.difference(&ScopeSet::parse_lenient(&one.scopes, endpoint.release).0));
    let decider = match &request.state {
        RequestState::Approved { by, .. } | RequestState::Rejected { by, .. } | RequestState::Withdrawn { by, .. } => {
            Some(by.clone())
        }
        RequestState::Draft | RequestState::Waiting | RequestState::Expired { .. } => None,
    };
    Ok(Review {
        digest: request.digest(&revision.digest),
        requested_by: person(conn, &request.requested_by).await?,
        decided_by: match decider {
            Some(by) => Some(person(conn, &by).await?),
            None => None,
        },
        new_provider: !storage::client_management::provider_is_known(conn, &staff.organization.id, &provider.id)
            .await?,
        looks_like_another: names::is_mixed(&revision.metadata.name)
            || looks_like_another(conn, &staff.organization.id, (&provider.id, &revision.metadata.name)).await?,
        history: history(conn, &staff.organization.id, &client.id).await?,
        system_needs_key: system_needs_key(&staff.organization, revision.metadata.client_type),
        request,
        client,
        revision,
        provider,
        endpoint,
        asked,
        approval,
        approved_revision,
        difference,
        now,
    })
}

/// What a reviewer had on their screen, found again by its digest among what was sent and edited since.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The scopes it asked for then.
    pub asked: ScopeSet,
    /// The revision it was about.
    pub revision: ClientRevision,
}

/// Finds what was on the screen that `digest` stands for; `None` if that was never a state of this request.
pub async fn seen(app: &App, review: &Review, digest: &str) -> Result<Option<Seen>, Refusal> {
    let mut conn = app.store.read().await?;
    let versions =
        review.history.iter().filter(|one| one.record.subject.as_deref() == Some(review.request.id.as_str()));
    for version in versions {
        let details: std::collections::BTreeMap<String, String> =
            serde_json::from_str(&version.record.details).unwrap_or_default();
        let fact = |name: &str| details.get(name).cloned().unwrap_or_default();
        let Ok(number) = fact("client_revision").parse() else { continue };
        let Some(revision) = storage::clients::find_revision(&mut conn, &review.client.id, number).await? else {
            continue;
        };
        let then = AccessRequest {
            client_revision: number,
            fhir_endpoint_id: crate::domain::ids::FhirEndpointId::from_text(fact("fhir_endpoint")),
            scopes: fact("scopes"),
            reason: fact("reason"),
            ..review.request.clone()
        };
        if then.digest(&revision.digest) == digest {
            return Ok(Some(Seen {
                asked: ScopeSet::parse_lenient(&then.scopes, review.endpoint.release).0,
                revision,
            }));
        }
    }
    Ok(None)
}

/// One record of the organization's chain: the proof behind a receipt.
pub async fn record(app: &App, staff: &Staff, seq: i64) -> Result<Happened, Refusal> {
    staff.must_be(StaffRole::Viewer)?;
    let mut conn = app.store.read().await?;
    let records =
        storage::audit::page_from(&mut conn, staff.organization.id.as_str(), seq.saturating_sub(1), 1).await?;
    let found = with_names(&mut conn, records).await?.pop();
    found.filter(|one| one.record.seq == seq).ok_or(Refusal::NotFound)
}

/// The newest record of an event about a client, for the receipt of what was just done.
pub async fn newest_record(
    app: &App,
    staff: &Staff,
    client: &ClientId,
    events: &[&str],
) -> Result<Option<AuditRecord>, Refusal> {
    let mut conn = app.store.read().await?;
    let records = storage::audit::history_of_client(&mut conn, &staff.organization.id, client, 20).await?;
    let own =
        |record: &AuditRecord| events.contains(&record.event.as_str()) && record.actor_id == staff.account.id.as_str();
    Ok(records.into_iter().find(own))
}

/// Everything the page of a client shows.
#[derive(Clone, Debug)]
pub struct Detail {
    /// Its line.
    pub line: Line,
    /// The client.
    pub client: Client,
    /// The revision that is live here, or the one last asked about.
    pub revision: ClientRevision,
    /// Who stands behind it.
    pub provider: ApplicationProvider,
    /// The newest request.
    pub request: AccessRequest,
    /// The organization's answer, if it ever gave one; it may have expired.
    pub approval: Option<Approval>,
    /// Who approved, and who enabled or disabled last.
    pub approved_by: Option<Person>,
    /// Who enabled or disabled last.
    pub state_by: Option<Person>,
    /// The FHIR endpoint of the newest request.
    pub endpoint: FhirEndpoint,
    /// The approved scopes, or those asked where nothing is approved.
    pub scopes: ScopeSet,
    /// Live access tokens.
    pub access_tokens: i64,
    /// Live refresh tokens.
    pub refresh_tokens: i64,
    /// People with a grant under the present approval.
    pub users: i64,
    /// Uses per day of the last 30 days with any: (days since 1970-01-01, uses).
    pub usage: Vec<(i64, Uses)>,
    /// What happened to it here, newest first.
    pub history: Vec<Happened>,
    /// The moment all this is as of.
    pub now: UtcMillis,
}

/// Everything about a client at the organization. A client that never asked here is absent.
pub async fn detail(app: &App, staff: &Staff, id: &ClientId) -> Result<Detail, Refusal> {
    staff.must_be(StaffRole::Viewer)?;
    let now = app.now();
    let mut conn = app.store.read().await?;
    let conn: &mut Conn = &mut conn;
    let organization = &staff.organization.id;
    let line = line_here(conn, staff, id).await?;
    let client = storage::clients::lookup(conn, id).await?.ok_or(Refusal::NotFound)?;
    let (request, _, endpoint) = super::approvals::request_here(conn, staff, &line.access_request_id).await?;
    let approval = storage::approvals::find(conn, organization, id).await?;
    let revision = approval.as_ref().map_or(request.client_revision, |one| one.client_revision);
    let (access_tokens, refresh_tokens) = match approval.as_ref().filter(|one| one.is_enabled(now)) {
        Some(approval) => storage::token_counters::live(conn, organization, id, approval.epoch, now).await?,
        None => (0, 0),
    };
    let (mut approved_by, mut state_by, mut users) = (None, None, 0);
    if let Some(approval) = &approval {
        approved_by = Some(person(conn, &approval.approved_by).await?);
        let (ApprovalState::Enabled { by, .. } | ApprovalState::Disabled { by, .. }) = &approval.state;
        state_by = Some(person(conn, by).await?);
        users = storage::client_management::users(conn, organization, id, approval.epoch).await?;
    }
    Ok(Detail {
        revision: super::access_requests::revision_of(conn, &client, revision).await?,
        provider: provider_of(conn, &client).await?,
        scopes: ScopeSet::parse_lenient(&line.scopes, endpoint.release).0,
        usage: storage::usage::days(conn, organization, id, now.plus_days(-29)).await?,
        history: history(conn, organization, id).await?,
        line,
        client,
        request,
        approval,
        approved_by,
        state_by,
        endpoint,
        access_tokens,
        refresh_tokens,
        users,
        now,
    })
}

/// The line of a client at the actor's organization, if the client exists and ever asked there.
pub(super) async fn line_here(conn: &mut Conn, staff: &Staff, id: &ClientId) -> Result<Line, Refusal> {
    let client = storage::clients::lookup(conn, id).await?;
    if client.is_none_or(|client| client.state != ClientState::Active) {
        return Err(Refusal::NotFound);
    }
    storage::client_management::find(conn, &staff.organization.id, id).await?.ok_or(Refusal::NotFound)
}

async fn provider_of(conn: &mut Conn, client: &Client) -> Result<ApplicationProvider, Refusal> {
    storage::application_providers::lookup(conn, &client.application_provider_id).await?.ok_or_else(|| {
        StorageError::inconsistent("clients", client.id.as_str(), "its application provider is missing").into()
    })
}

pub(super) async fn person(conn: &mut Conn, id: &AccountId) -> Result<Person, StorageError> {
    let name =
        storage::accounts::lookup(conn, id).await?.map_or_else(|| id.as_str().to_owned(), |account| account.name);
    Ok(Person { id: id.clone(), name })
}

async fn history(conn: &mut Conn, organization: &OrganizationId, client: &ClientId) -> Result<Vec<Happened>, Refusal> {
    let records = storage::audit::history_of_client(conn, organization, client, 100).await?;
    Ok(with_names(conn, records).await?)
}

/// Records with the names of who did it and of the clients they are about; each is looked up once.
pub(super) async fn with_names(conn: &mut Conn, records: Vec<AuditRecord>) -> Result<Vec<Happened>, StorageError> {
    let mut names: std::collections::HashMap<String, String> = std::collections::HashMap::new();
    let mut happened = Vec::with_capacity(records.len());
    for record in records {
        let who = match record.actor_kind.as_str() {
            "system" => String::new(),
            "staff" | "developer" | "user" => {
                if let Some(name) = names.get(&record.actor_id) {
                    name.clone()
                } else {
                    let name = person(conn, &AccountId::from_text(record.actor_id.as_str())).await?.name;
                    names.insert(record.actor_id.clone(), name.clone());
                    name
                }
            }
            _ => record.actor_id.clone(),
        };
        let client = match &record.client_id {
            Some(id) => {
                if let Some(name) = names.get(id) {
                    name.clone()
                } else {
                    let client = storage::clients::lookup(conn, &ClientId::from_text(id.as_str())).await?;
                    let name = client.map_or_else(|| id.clone(), |client| client.name);
                    names.insert(id.clone(), name.clone());
                    name
                }
            }
            None => String::new(),
        };
        happened.push(Happened { record, who, client });
    }
    Ok(happened)
}

/// Writes the line of a client anew from what is true now. Called in the transaction of whatever changed it.
pub async fn refresh_line(
    conn: &mut Conn,
    organization: &OrganizationId,
    id: &ClientId,
    now: UtcMillis,
) -> Result<(), StorageError> {
    let Some(client) = storage::clients::lookup(conn, id).await? else { return Ok(()) };
    if client.state != ClientState::Active {
        return storage::client_management::remove_client(conn, id).await;
    }
    let Some(latest) = storage::access_requests::find_latest(conn, organization, id).await? else { return Ok(()) };
    let waiting = latest.state == RequestState::Waiting;
    let approval = storage::approvals::find(conn, organization, id).await?;
    let provider = storage::application_providers::lookup(conn, &client.application_provider_id).await?;
    let live = approval.as_ref().filter(|one| !one.is_expired(now));
    let revision = live.map_or(latest.client_revision, |one| one.client_revision);
    let named = storage::clients::find_revision(conn, id, revision).await?;
    let (state, decided_at, decided_by) = match (live.map(|one| &one.state), &latest.state) {
        (Some(ApprovalState::Enabled { by, at }), _) => ("approved", Some(*at), Some(by)),
        (Some(ApprovalState::Disabled { by, at, .. }), _) => ("disabled", Some(*at), Some(by)),
        (None, RequestState::Rejected { by, at, .. }) => ("rejected", Some(*at), Some(by)),
        (None, RequestState::Draft | RequestState::Waiting) => ("waiting", None, None),
        // what was approved before has ended
        (None, RequestState::Approved { by, at, .. }) => ("expired", Some(*at), Some(by)),
        (None, RequestState::Withdrawn { by, at }) => {
            (if approval.is_some() { "expired" } else { "withdrawn" }, Some(*at), Some(by))
        }
        (None, RequestState::Expired { at }) => ("expired", Some(*at), None),
    };
    let line = Line {
        organization_id: organization.clone(),
        client_id: id.clone(),
        client_name: named.map_or_else(|| client.name.clone(), |revision| revision.metadata.name),
        provider_name: provider.map(|provider| provider.name).unwrap_or_default(),
        state: state.to_owned(),
        change_waiting: live.is_some() && waiting,
        scopes: live.map_or_else(|| latest.scopes.clone(), |one| one.scopes.clone()),
        access_request_id: latest.id.clone(),
        requested_at: latest.requested_at,
        decided_at,
        decided_by: match decided_by {
            Some(by) => Some(person(conn, by).await?.name),
            None => None,
        },
    };
    storage::client_management::put(conn, &line).await
}
