//! The organization's answer: countersign, refuse, disable, enable.
//!
//! Every decision is one transaction of conditional updates: of two people deciding at once exactly one does, and the other is told how it stands now.
//! What is approved is what was on the reviewer's screen: the digest travels with the form, and if the request or the client changed since, nothing is approved.

use super::access_requests::{about, decided, literals, revision_of, tell};
use super::actor::Staff;
use super::client_management::{self, Review, refresh_line};
use super::error::Fault;
use super::notifications::{Event, Notice, enqueue};
use super::{Refusal, words};
use crate::app::App;
use crate::domain::access_requests::{AccessRequest, RequestState};
use crate::domain::accounts::StaffRole;
use crate::domain::approvals::{Approval, ApprovalState};
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::clients::{Client, ClientState};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{AccessRequestId, ClientId};
use crate::domain::organizations::FhirEndpoint;
use crate::storage::{self, Conn, StorageError};
use fhir_scopes::{Scope, ScopeSet};

/// The longest approval a reviewer may give, in days.
pub const LONGEST_DAYS: i64 = 3650;

/// How long an approval holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Life {
    /// As the organization's settings say.
    #[default]
    AsConfigured,
    /// Until the organization ends it.
    Unlimited,
    /// This many days.
    Days(i64),
}

/// A reviewer's yes.
#[derive(Clone, Debug)]
pub struct Yes {
    /// Of what was on their screen.
    pub digest: String,
    /// The scopes they left ticked; `None`: all that were asked. Each must lie within those asked.
    pub scopes: Option<Vec<String>>,
    /// For how long.
    pub life: Life,
}

/// Countersigns a request, as asked or with less.
///
/// `Changed` if the request or the client is not what the digest says; `Conflict` if it no longer waits; `Invalid` for scopes that were not asked, or none at all.
/// A change request of a disabled client is approved without enabling it: enabling is its own decision.
pub async fn approve(app: &App, staff: &Staff, id: &AccessRequestId, yes: Yes) -> Result<Approval, Refusal> {
    let (staff, id, now) = (staff.clone(), id.clone(), app.now());
    app.store.write(move |conn| Box::pin(async move { approve_within(conn, &staff, &id, &yes, now).await })).await
}

/// [`approve`] inside a transaction of the caller's.
pub async fn approve_within(
    conn: &mut Conn,
    staff: &Staff,
    id: &AccessRequestId,
    yes: &Yes,
    now: UtcMillis,
) -> Result<Approval, Refusal> {
    staff.must_be(StaffRole::Reviewer)?;
    let (request, client, endpoint) = request_here(conn, staff, id).await?;
    waits(&request, now)?;
    // 1 exactly what was on the screen, of the newest revision
    let revision = revision_of(conn, &client, request.client_revision).await?;
    if request.client_revision != client.latest_revision || request.digest(&revision.digest) != yes.digest {
        return Err(Refusal::Changed);
    }
    if !storage::clients::hold_revision(conn, &client.id, request.client_revision).await? {
        return Err(Refusal::Changed);
    }
    // 2 all of it, or less
    let asked = ScopeSet::parse_lenient(&request.scopes, endpoint.release).0;
    let granted = chosen(&asked, yes.scopes.as_deref(), &endpoint)?;
    let expires_at = expiry(staff, yes.life, now)?;
    // 3 the request is answered
    let request = request.approve(staff.account.id.clone(), granted.to_string(), now)?;
    decided(conn, &request).await?;
    // 4 the standing answer
    let before = storage::approvals::find(conn, &staff.organization.id, &client.id).await?;
    let approval = answer(staff, &request, yes, before.as_ref(), &granted, (endpoint, expires_at, now));
    if !storage::approvals::replace(conn, &approval, before.as_ref()).await? {
        return Err(Refusal::conflict("meanwhile", "the approval changed at the same time"));
    }
    // 5 the mark, the line, the news
    let mut event = about(&request, "access_request.approved", staff.audit(), now)
        .with("kind", request.kind.as_str())
        .with("digest", yes.digest.as_str())
        .with("granted_scopes", literals(&granted))
        .with("epoch", approval.epoch.to_string());
    if let Some(expires) = approval.expires_at {
        event = event.with("expires_at", expires.rfc3339());
    }
    storage::audit::append(conn, &event).await?;
    refresh_line(conn, &staff.organization.id, &client.id, now).await?;
    tell(conn, Event::RequestApproved, &request, now).await?;
    Ok(approval)
}

/// What a yes would grant and until when, before it is confirmed. Refused exactly as [`approve`] would refuse it now.
pub fn preview(staff: &Staff, review: &Review, yes: &Yes) -> Result<(ScopeSet, Option<UtcMillis>), Refusal> {
    staff.must_be(StaffRole::Reviewer)?;
    waits(&review.request, review.now)?;
    if review.request.client_revision != review.client.latest_revision || review.digest != yes.digest {
        return Err(Refusal::Changed);
    }
    Ok((chosen(&review.asked, yes.scopes.as_deref(), &review.endpoint)?, expiry(staff, yes.life, review.now)?))
}

/// Would a no be taken now? Refused exactly as [`reject`] would refuse it.
pub fn preview_rejection(staff: &Staff, review: &Review, reason: &str) -> Result<String, Refusal> {
    staff.must_be(StaffRole::Reviewer)?;
    waits(&review.request, review.now)?;
    mandatory_reason(reason)
}

fn answer(
    staff: &Staff,
    request: &AccessRequest,
    yes: &Yes,
    before: Option<&Approval>,
    granted: &ScopeSet,
    (endpoint, expires_at, now): (FhirEndpoint, Option<UtcMillis>, UtcMillis),
) -> Approval {
    let live = before.filter(|approval| !approval.is_expired(now));
    let enabled = ApprovalState::Enabled { by: staff.account.id.clone(), at: now };
    let state = match live.map(|approval| &approval.state) {
        Some(disabled @ ApprovalState::Disabled { .. }) => disabled.clone(),
        Some(ApprovalState::Enabled { .. }) | None => enabled,
    };
    // The scopes were reviewed for one endpoint. Other endpoints keep them only if nothing was added.
    let fhir_endpoints = live
        .filter(|approval| approval.fhir_endpoints.contains(&endpoint.id))
        .filter(|approval| ScopeSet::parse_lenient(&approval.scopes, endpoint.release).0.covers(granted))
        .map_or_else(|| vec![endpoint.id.clone()], |approval| approval.fhir_endpoints.clone());
    Approval {
        organization_id: request.organization_id.clone(),
        client_id: request.client_id.clone(),
        access_request_id: request.id.clone(),
        client_revision: request.client_revision,
        digest: yes.digest.clone(),
        scopes: granted.to_string(),
        fhir_endpoints,
        // a change keeps what is in use alive; an approval that had ended does not bring its tokens back
        epoch: match (live, before) {
            (Some(live), _) => live.epoch,
            (None, Some(ended)) => ended.epoch + 1,
            (None, None) => 1,
        },
        state,
        approved_by: staff.account.id.clone(),
        approved_at: now,
        expires_at,
        last_used_at: before.and_then(|approval| approval.last_used_at),
    }
}

/// The ticked scopes, in the order asked. Each is one that was asked, literally, or a narrower one within it.
fn chosen(asked: &ScopeSet, ticked: Option<&[String]>, endpoint: &FhirEndpoint) -> Result<ScopeSet, Refusal> {
    let Some(ticked) = ticked else { return Ok(asked.clone()) };
    let mut faults = Vec::new();
    let mut narrower = Vec::new();
    for literal in ticked {
        if asked.contains_literal(literal) {
            continue;
        }
        match Scope::parse(literal, endpoint.release) {
            Ok(scope) if scope.resource().is_some() && asked.covers_scope(&scope) => narrower.push(scope.into_owned()),
            _ => faults.push(Fault::new(
                "scopes",
                "not-asked",
                format!("{}: was not asked for", literal.chars().take(200).collect::<String>()),
            )),
        }
    }
    if !faults.is_empty() {
        return Err(Refusal::Invalid(faults));
    }
    let kept = asked.filtered(|scope| ticked.iter().any(|literal| literal == scope.literal()));
    let granted = kept.union(&ScopeSet::from_scopes(narrower, endpoint.release));
    if granted.is_empty() {
        return Err(Refusal::invalid("scopes", "nothing-left", "nothing is left: reject the request instead"));
    }
    let faults = still_permitted(asked, &granted);
    if faults.is_empty() { Ok(granted) } else { Err(Refusal::Invalid(faults)) }
}

/// What was left out and would be permitted all the same, because something wider stays: whoever decided so thinks that it is out. Another way to write what stays may
/// be left out.
fn still_permitted(asked: &ScopeSet, granted: &ScopeSet) -> Vec<Fault> {
    let covers = |wide: &Scope<'static>, narrow: &Scope<'static>| {
        ScopeSet::from_scopes([wide.clone()], asked.release()).covers_scope(narrow)
    };
    asked
        .iter()
        .filter(|left| !granted.contains_literal(left.literal()) && granted.covers_scope(left))
        .filter(|left| !granted.iter().any(|kept| covers(kept, left) && covers(left, kept)))
        .map(|left| {
            let wider: Vec<&str> = granted
                .iter()
                .filter(|kept| covers(kept, left) || covers(left, kept))
                .map(fhir_scopes::Scope::literal)
                .collect();
            Fault::new(
                "scopes",
                "still-permitted",
                format!("{}: left out, and still permitted by {}", left.literal(), wider.join(" ")),
            )
        })
        .collect()
}

fn expiry(staff: &Staff, life: Life, now: UtcMillis) -> Result<Option<UtcMillis>, Refusal> {
    let days = match life {
        Life::AsConfigured => staff.organization.settings.approval_expires_days,
        Life::Unlimited => None,
        Life::Days(days) => Some(days),
    };
    match days {
        Some(days) if !(1..=LONGEST_DAYS).contains(&days) => {
            Err(Refusal::invalid("expires_in_days", "out-of-range", format!("1 to {LONGEST_DAYS} days")))
        }
        days => Ok(days.map(|days| now.plus_days(days))),
    }
}

/// Refuses a request. The reason is mandatory: the application provider reads it. An approval that stands, stands.
pub async fn reject(
    app: &App,
    staff: &Staff,
    id: &AccessRequestId,
    reason: &str,
    may_ask_again: bool,
) -> Result<AccessRequest, Refusal> {
    let (staff, id, reason, now) = (staff.clone(), id.clone(), reason.to_owned(), app.now());
    app.store
        .write(move |conn| Box::pin(async move { reject_within(conn, &staff, &id, &reason, may_ask_again, now).await }))
        .await
}

async fn reject_within(
    conn: &mut Conn,
    staff: &Staff,
    id: &AccessRequestId,
    reason: &str,
    may_ask_again: bool,
    now: UtcMillis,
) -> Result<AccessRequest, Refusal> {
    staff.must_be(StaffRole::Reviewer)?;
    let (request, client, _) = request_here(conn, staff, id).await?;
    waits(&request, now)?;
    let reason = mandatory_reason(reason)?;
    let request = request.reject(staff.account.id.clone(), reason.clone(), may_ask_again, now)?;
    decided(conn, &request).await?;
    let event = about(&request, "access_request.rejected", staff.audit(), now)
        .with("decision_reason", reason)
        .with("may_ask_again", if may_ask_again { "yes" } else { "no" });
    storage::audit::append(conn, &event).await?;
    refresh_line(conn, &staff.organization.id, &client.id, now).await?;
    tell(conn, Event::RequestRejected, &request, now).await?;
    Ok(request)
}

/// Lifts the block that a rejection put on a client: it may ask again. `Conflict` if this request does not block anything.
pub async fn allow_again(app: &App, staff: &Staff, id: &AccessRequestId) -> Result<AccessRequest, Refusal> {
    let (staff, id, now) = (staff.clone(), id.clone(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                staff.must_be(StaffRole::Reviewer)?;
                let (request, _, _) = request_here(conn, &staff, &id).await?;
                if !storage::access_requests::allow_again(conn, &id).await? {
                    return Err(Refusal::conflict(
                        "no-block",
                        "this request does not keep the client from asking again",
                    ));
                }
                let event = AuditEvent::new(&staff.organization.id, now, "access_request.allowed_again", staff.audit())
                    .client(&request.client_id)
                    .subject(id.as_str());
                storage::audit::append(conn, &event).await?;
                storage::access_requests::lookup(conn, &id).await?.ok_or(Refusal::NotFound)
            })
        })
        .await
}

/// Proof of what a disable stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The approval as it stands now.
    pub approval: Approval,
    /// Access tokens that were live until then.
    pub access_tokens: i64,
    /// Refresh tokens that were live until then.
    pub refresh_tokens: i64,
}

/// Switches a client off at the organization: epoch and state in one row, with the audit record and the news in the same transaction. Its cost does not depend on how many
/// tokens there are. When this returns, every code and token of the client here is dead, and stays dead.
pub async fn disable(app: &App, staff: &Staff, client: &ClientId, reason: &str) -> Result<Receipt, Refusal> {
    let (staff, id, reason, now) = (staff.clone(), client.clone(), reason.to_owned(), app.now());
    app.store.write(move |conn| Box::pin(async move { disable_within(conn, &staff, &id, &reason, now).await })).await
}

async fn disable_within(
    conn: &mut Conn,
    staff: &Staff,
    id: &ClientId,
    reason: &str,
    now: UtcMillis,
) -> Result<Receipt, Refusal> {
    staff.must_be(StaffRole::Reviewer)?;
    let approval = approval_here(conn, staff, id, now).await?;
    let reason = mandatory_reason(reason)?;
    let (access_tokens, refresh_tokens) =
        storage::token_counters::live(conn, &staff.organization.id, id, approval.epoch, now).await?;
    let disabled = approval.disable(staff.account.id.clone(), reason.clone(), now)?;
    if !storage::approvals::switch(conn, &disabled).await? {
        return Err(Refusal::conflict("disabled-already", "the client was disabled at the same time"));
    }
    let event = AuditEvent::new(&staff.organization.id, now, "client.disabled", staff.audit())
        .client(id)
        .subject(disabled.access_request_id.as_str())
        .with("reason", reason.as_str())
        .with("epoch", disabled.epoch.to_string())
        .with("access_tokens", access_tokens.to_string())
        .with("refresh_tokens", refresh_tokens.to_string());
    storage::audit::append(conn, &event).await?;
    refresh_line(conn, &staff.organization.id, id, now).await?;
    enqueue(conn, &Notice::new(Event::ClientDisabled, &staff.organization.id, id).because(reason), now).await?;
    Ok(Receipt { approval: disabled, access_tokens, refresh_tokens })
}

/// Switches a client on again. Nothing old comes back: users sign in again. A reason may be given.
pub async fn enable(app: &App, staff: &Staff, client: &ClientId, reason: &str) -> Result<Approval, Refusal> {
    let (staff, id, reason, now) = (staff.clone(), client.clone(), reason.to_owned(), app.now());
    app.store.write(move |conn| Box::pin(async move { enable_within(conn, &staff, &id, &reason, now).await })).await
}

async fn enable_within(
    conn: &mut Conn,
    staff: &Staff,
    id: &ClientId,
    reason: &str,
    now: UtcMillis,
) -> Result<Approval, Refusal> {
    staff.must_be(StaffRole::Reviewer)?;
    let approval = approval_here(conn, staff, id, now).await?;
    let mut faults = Vec::new();
    let reason = words::optional("reason", reason, &mut faults);
    if !faults.is_empty() {
        return Err(Refusal::Invalid(faults));
    }
    let enabled = approval.enable(staff.account.id.clone(), now)?;
    if !storage::approvals::switch(conn, &enabled).await? {
        return Err(Refusal::conflict("enabled-already", "the client was enabled at the same time"));
    }
    let mut event = AuditEvent::new(&staff.organization.id, now, "client.enabled", staff.audit())
        .client(id)
        .subject(enabled.access_request_id.as_str())
        .with("epoch", enabled.epoch.to_string());
    if !reason.is_empty() {
        event = event.with("reason", reason.as_str());
    }
    storage::audit::append(conn, &event).await?;
    refresh_line(conn, &staff.organization.id, id, now).await?;
    let mut notice = Notice::new(Event::ClientEnabled, &staff.organization.id, id);
    if !reason.is_empty() {
        notice = notice.because(reason);
    }
    enqueue(conn, &notice, now).await?;
    Ok(enabled)
}

/// Writes down which approvals have ended by themselves; returns how many. They end when due, whether written down or not.
pub async fn expire_due(app: &App, now: UtcMillis) -> Result<usize, Refusal> {
    let due = storage::client_management::expired_approvals(&mut *app.store.read().await?, now, 100).await?;
    let mut expired = 0;
    for (organization, client) in due {
        let done = app
            .store
            .write(move |conn| {
                Box::pin(async move {
                    let Some(approval) =
                        storage::approvals::find(conn, &organization, &client).await?.filter(|one| one.is_expired(now))
                    else {
                        return Ok::<bool, Refusal>(false);
                    };
                    let event = AuditEvent::new(&organization, now, "approval.expired", Actor::System)
                        .client(&client)
                        .subject(approval.access_request_id.as_str());
                    storage::audit::append(conn, &event).await?;
                    refresh_line(conn, &organization, &client, now).await?;
                    enqueue(conn, &Notice::new(Event::ApprovalExpired, &organization, &client), now).await?;
                    Ok(true)
                })
            })
            .await?;
        expired += usize::from(done);
    }
    Ok(expired)
}

/// A request to the actor's own organization, for a client that exists; any other is absent.
pub(super) async fn request_here(
    conn: &mut Conn,
    staff: &Staff,
    id: &AccessRequestId,
) -> Result<(AccessRequest, Client, FhirEndpoint), Refusal> {
    let request = storage::access_requests::lookup(conn, id)
        .await?
        .filter(|request| request.organization_id == staff.organization.id && request.state != RequestState::Draft)
        .ok_or(Refusal::NotFound)?;
    let client = client_here(conn, &request.client_id).await?;
    let endpoint = storage::organizations::lookup_endpoint(conn, &request.fhir_endpoint_id)
        .await?
        .ok_or_else(|| StorageError::inconsistent("access_requests", id.as_str(), "its FHIR endpoint is missing"))?;
    Ok((request, client, endpoint))
}

async fn client_here(conn: &mut Conn, id: &ClientId) -> Result<Client, Refusal> {
    storage::clients::lookup(conn, id)
        .await?
        .filter(|client| client.state == ClientState::Active)
        .ok_or(Refusal::NotFound)
}

/// The approval of a client that has something to do with the actor's organization. A client that never asked here is absent; one that
/// asked but holds no approval is in the wrong state.
async fn approval_here(conn: &mut Conn, staff: &Staff, id: &ClientId, now: UtcMillis) -> Result<Approval, Refusal> {
    client_here(conn, id).await?;
    if let Some(approval) = storage::approvals::find(conn, &staff.organization.id, id).await? {
        if approval.is_expired(now) {
            return Err(Refusal::conflict("approval-expired", "the approval has expired"));
        }
        return Ok(approval);
    }
    let line = client_management::line_here(conn, staff, id).await?;
    Err(Refusal::conflict("not-approved", format!("the client is {}, not approved", line.state)))
}

fn waits(request: &AccessRequest, now: UtcMillis) -> Result<(), Refusal> {
    if request.state != RequestState::Waiting {
        return Err(Refusal::conflict(
            "not-waiting",
            format!("the request is {}, not waiting", request.state.as_str()),
        ));
    }
    if now >= request.expires_at {
        return Err(Refusal::conflict("not-waiting", "the request is expired, not waiting"));
    }
    Ok(())
}

/// A reason that must be there, as it is kept.
pub fn mandatory_reason(reason: &str) -> Result<String, Refusal> {
    let mut faults = Vec::new();
    let reason = words::mandatory("reason", reason, &mut faults);
    if faults.is_empty() { Ok(reason) } else { Err(Refusal::Invalid(faults)) }
}
