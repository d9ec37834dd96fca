//! Following requests: the list, one of them, withdrawing it.

use axum::extract::{Path, State};
use axum::response::Response;
use fhir_scopes::ScopeSet;
use fhir_scopes::describe::Options;

use super::clients::{Nothing, badge, next_key, standings};
use super::{Desk, done, say};
use crate::domain::access_requests::{AccessRequest, RequestState};
use crate::domain::ids::{AccessRequestId, AccountId};
use crate::governance::{access_requests, clients};
use crate::http::AppState;
use crate::http::error::{Failure, PageError};
use crate::http::extract::{CsrfForm, SignedIn, Visitor};
use crate::http::pages::Html;
use crate::http::pages::frame::PortalSection;
use crate::http::pages::parts::{Fact, HistoryLine};
use crate::http::pages::portal::{PortalRequest, PortalRequestRow, PortalRequests};
use crate::http::present::{history_line, moment, scope_groups, stand_of_request};
use crate::storage::{self, Conn};

/// How many lines of history a page shows.
const HISTORY: i64 = 50;

/// `GET /portal/{provider}/requests`.
pub async fn list(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path(provider): Path<String>,
) -> Result<Html, PageError> {
    let mut conn = state.app.store.read().await?;
    let desk = Desk::open(&mut conn, &who, &provider).await?;
    let mut rows = Vec::new();
    for client in clients::list(&mut conn, &desk.developer).await? {
        let own = clients::own(&mut conn, &desk.developer, &client.id).await?;
        for request in storage::access_requests::list_by_client(&mut conn, &client.id).await? {
            let organization = storage::organizations::lookup(&mut conn, &request.organization_id).await?;
            let row = PortalRequestRow {
                client: badge(&own, ""),
                organization: organization.map(|organization| organization.name).unwrap_or_default(),
                stand: stand_of_request(&request.state),
                sent: moment(request.requested_at, visitor.lang),
                href: format!("{}/requests/{}", desk.base, request.id),
            };
            rows.push((request.requested_at, row));
        }
    }
    rows.sort_by_key(|(sent, _)| std::cmp::Reverse(*sent));
    let page = PortalRequests { rows: rows.into_iter().map(|(_, row)| row).collect() };
    Ok(state.pages.render(&visitor.frame(desk.nav(PortalSection::Requests)), &page))
}

/// `GET /portal/{provider}/requests/{request}`.
pub async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path((provider, request)): Path<(String, String)>,
) -> Result<Html, PageError> {
    let mut conn = state.app.store.read().await?;
    let desk = Desk::open(&mut conn, &who, &provider).await?;
    let request = storage::access_requests::lookup(&mut conn, &AccessRequestId::from_text(request))
        .await?
        .ok_or_else(Failure::not_found)?;
    let own = clients::own(&mut conn, &desk.developer, &request.client_id).await?;
    let organization =
        storage::organizations::lookup(&mut conn, &request.organization_id).await?.ok_or_else(Failure::not_found)?;
    let endpoint = storage::organizations::lookup_endpoint(&mut conn, &request.fhir_endpoint_id)
        .await?
        .ok_or_else(Failure::not_found)?;
    let standings = standings(&state, &mut conn, &own.client.id).await?;
    let standing =
        standings.iter().find(|standing| standing.organization_id == organization.id).ok_or_else(Failure::not_found)?;
    // only the newest request there can be acted on
    let is_newest = standing.request.id == request.id;
    let waits = request.state == RequestState::Waiting && state.app.now() < request.expires_at;

    let release = endpoint.release;
    let told = |scopes: &str| {
        scope_groups(
            &ScopeSet::parse_lenient(scopes, release).0,
            visitor.lang,
            &Options { for_reviewers: true, corrected: true, ..Options::default() },
        )
    };
    let granted = match &request.state {
        RequestState::Approved { scopes, .. } if *scopes != request.scopes => told(scopes),
        _ => Vec::new(),
    };
    let refusal = match &request.state {
        RequestState::Rejected { reason, .. } => reason.clone(),
        _ => String::new(),
    };
    let at = format!("{}/{}", organization.slug, endpoint.slug);
    let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("at", &at).finish();
    let next = if is_newest { say(&state, &visitor, next_key(standing)) } else { String::new() };
    let page = PortalRequest {
        back_href: format!("{}/clients/{}", desk.base, own.client.id),
        client: badge(&own, &desk.developer.provider.name),
        organization: organization.name.clone(),
        stand: stand_of_request(&request.state),
        next,
        refusal,
        reason: request.reason.clone(),
        facts: facts(&state, &visitor, &mut conn, &request, &endpoint.name).await?,
        groups: told(&request.scopes),
        granted,
        history: history(&state, &visitor, &mut conn, &request).await?,
        withdraw_action: if waits { format!("{}/requests/{}/withdraw", desk.base, request.id) } else { String::new() },
        ask_href: if is_newest && !standing.blocked {
            format!("{}/clients/{}/ask/what?{query}", desk.base, own.client.id)
        } else {
            String::new()
        },
        asks_again: !waits,
    };
    Ok(state.pages.render(&visitor.frame(desk.nav(PortalSection::Requests)), &page))
}

async fn facts(
    state: &AppState,
    visitor: &Visitor,
    conn: &mut Conn,
    request: &AccessRequest,
    endpoint: &str,
) -> Result<Vec<Fact>, PageError> {
    let word = |key| say(state, visitor, key);
    let by =
        storage::accounts::lookup(conn, &request.requested_by).await?.map(|account| account.name).unwrap_or_default();
    let mut facts = vec![
        Fact::words(&word("portal-fact-endpoint"), endpoint),
        Fact::words(&word("portal-fact-sent"), &moment(request.requested_at, visitor.lang).text),
        Fact::words(&word("portal-fact-by"), &by),
    ];
    if request.edits > 0 {
        facts.push(Fact::words(&word("portal-fact-edits"), &moment(request.updated_at, visitor.lang).text));
    }
    if request.state == RequestState::Waiting {
        facts.push(Fact::words(&word("portal-fact-expires"), &moment(request.expires_at, visitor.lang).text));
    }
    Ok(facts)
}

/// What happened to this request. Members of the organization are not named: whoever decided there speaks for it.
async fn history(
    state: &AppState,
    visitor: &Visitor,
    conn: &mut Conn,
    request: &AccessRequest,
) -> Result<Vec<HistoryLine>, PageError> {
    let mut lines = Vec::new();
    for record in storage::audit::history_of_client(conn, &request.organization_id, &request.client_id, HISTORY).await?
    {
        let about_this = record.subject.as_deref() == Some(request.id.as_str())
            || matches!(record.event.as_str(), "client.disabled" | "client.enabled");
        if !about_this {
            continue;
        }
        let who = match record.actor_kind.as_str() {
            "developer" => storage::accounts::lookup(conn, &AccountId::from_text(record.actor_id.as_str()))
                .await?
                .map(|account| account.name),
            "staff" => storage::organizations::lookup(conn, &request.organization_id)
                .await?
                .map(|organization| organization.name),
            _ => None,
        };
        lines.push(history_line(&state.pages, visitor.lang, &record, &who.unwrap_or_default()));
    }
    Ok(lines)
}

/// `POST /portal/{provider}/requests/{request}/withdraw`.
pub async fn withdraw(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path((provider, request)): Path<(String, String)>,
    CsrfForm(_): CsrfForm<Nothing>,
) -> Result<Response, PageError> {
    let desk = Desk::open(&mut *state.app.store.read().await?, &who, &provider).await?;
    let request = access_requests::withdraw(&state.app, &desk.developer, &AccessRequestId::from_text(request)).await?;
    Ok(done(say(&state, &visitor, "portal-done-withdrawn"), &format!("{}/requests/{}", desk.base, request.id)))
}
