//! What staff do with clients at their organization.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;

use super::bodies::{AuditEntry, AuditPage, ClientLine, ClientPage, Problem, Reason, Switched, literals};
use super::{lang, staff};
use crate::domain::approvals::{Approval, ApprovalState};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::ClientId;
use crate::governance::approvals::{disable, enable};
use crate::governance::{activity, client_management, explain};
use crate::http::console::clients::{page_number, sort_of};
use crate::http::extract::{ApiCaller, JsonBody};
use crate::http::{ApiError, AppState};
use crate::storage::client_management::Filter;

/// Lines a page.
pub(super) const PAGE: i64 = 50;

/// A view of *Client management*.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct View {
    /// `waiting`, `approved`, `disabled`, `rejected`, `withdrawn` or `expired`; all if left out.
    state: Option<String>,
    /// Part of a client or provider name, or a `client_id`.
    #[serde(default)]
    #[param(required = false)]
    q: String,
    /// `oldest`, `newest`, `name` or `last-used`.
    sort: Option<String>,
    /// 1, 2, 3, ...
    page: Option<String>,
}

/// Every client that ever asked the organization, a page at a time.
#[utoipa::path(get, path = "/organizations/{org}/clients", params(("org" = String, Path, description = "Slug"), View),
    responses((status = 200, body = ClientPage), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn list_clients(
    State(state): State<AppState>,
    caller: ApiCaller,
    Path(org): Path<String>,
    query: Result<Query<View>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<ClientPage>, ApiError> {
    let staff = staff(&state, &caller, &org).await?;
    let Query(view) = query.map_err(|rejection| {
        crate::http::error::Failure::new(axum::http::StatusCode::BAD_REQUEST, "invalid", rejection.body_text())
    })?;
    let page = page_number(view.page.as_deref())?;
    let filter = Filter {
        state: view.state.filter(|state| !state.is_empty() && state != "all"),
        search: view.q.trim().to_owned(),
        sort: sort_of(view.sort.as_deref().unwrap_or("oldest"))?,
        limit: PAGE,
        offset: (page - 1) * PAGE,
    };
    let listing = client_management::list(&state.app, &staff, &filter).await?;
    let usual = explain::release_of(&listing.endpoints);
    let clients = listing
        .lines
        .into_iter()
        .map(|listed| ClientLine {
            summary: explain::summary(&listed.line.scopes, listed.release.unwrap_or(usual), lang(&caller)),
            scopes: literals(&listed.line.scopes),
            client_id: listed.line.client_id.as_str().into(),
            name: listed.line.client_name,
            application_provider: listed.line.provider_name,
            state: listed.line.state,
            change_waiting: listed.line.change_waiting,
            access_request: listed.line.access_request_id.as_str().into(),
            requested_at: listed.line.requested_at.rfc3339(),
            decided_at: listed.line.decided_at.map(UtcMillis::rfc3339),
            decided_by: listed.line.decided_by,
            last_used_at: listed.last_used_at.map(UtcMillis::rfc3339),
            live_tokens: listed.live_tokens,
        })
        .collect();
    Ok(Json(ClientPage { clients, page, page_size: PAGE, total: listing.total, counts: listing.counts.into() }))
}

/// Switches a client off. From this answer on every token it holds at the organization is dead.
#[utoipa::path(post, path = "/organizations/{org}/clients/{client_id}/disable", params(("org" = String, Path), ("client_id" = String, Path)), request_body = Reason,
    responses((status = 200, body = Switched), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn disable_client(
    State(state): State<AppState>,
    caller: ApiCaller,
    Path((org, client)): Path<(String, String)>,
    JsonBody(body): JsonBody<Reason>,
) -> Result<Json<Switched>, ApiError> {
    let staff = staff(&state, &caller, &org).await?;
    let receipt = disable(&state.app, &staff, &ClientId::from_text(client), &body.reason).await?;
    Ok(Json(switched(&receipt.approval, receipt.access_tokens, receipt.refresh_tokens)))
}

/// Switches a client on again. Nothing old comes back.
#[utoipa::path(post, path = "/organizations/{org}/clients/{client_id}/enable", params(("org" = String, Path), ("client_id" = String, Path)), request_body = Reason,
    responses((status = 200, body = Switched), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn enable_client(
    State(state): State<AppState>,
    caller: ApiCaller,
    Path((org, client)): Path<(String, String)>,
    JsonBody(body): JsonBody<Reason>,
) -> Result<Json<Switched>, ApiError> {
    let staff = staff(&state, &caller, &org).await?;
    let approval = enable(&state.app, &staff, &ClientId::from_text(client), &body.reason).await?;
    Ok(Json(switched(&approval, 0, 0)))
}

fn switched(approval: &Approval, access_tokens_ended: i64, refresh_tokens_ended: i64) -> Switched {
    let (state, at) = match &approval.state {
        ApprovalState::Enabled { at, .. } => ("enabled", at),
        ApprovalState::Disabled { at, .. } => ("disabled", at),
    };
    Switched {
        client_id: approval.client_id.as_str().into(),
        state: state.into(),
        at: at.rfc3339(),
        epoch: approval.epoch,
        access_tokens_ended,
        refresh_tokens_ended,
    }
}

/// From where to read the audit record.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct From {
    /// Only records with a greater number.
    #[serde(default)]
    #[param(required = false)]
    after: i64,
    /// At most this many, up to 1000.
    limit: Option<i64>,
}

/// The organization's audit record for keeping elsewhere, oldest first. Recorded itself.
#[utoipa::path(get, path = "/organizations/{org}/audit", params(("org" = String, Path), From),
    responses((status = 200, body = AuditPage), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn audit(
    State(state): State<AppState>,
    caller: ApiCaller,
    Path(org): Path<String>,
    query: Result<Query<From>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<AuditPage>, ApiError> {
    let staff = staff(&state, &caller, &org).await?;
    let Query(from) = query.map_err(|rejection| {
        crate::http::error::Failure::new(axum::http::StatusCode::BAD_REQUEST, "invalid", rejection.body_text())
    })?;
    let records = activity::export(&state.app, &staff, from.after, from.limit.unwrap_or(500)).await?;
    let next_after = records.last().map(|record| record.seq);
    let records = records
        .into_iter()
        .map(|record| AuditEntry {
            chain: record.chain,
            seq: record.seq,
            at: record.at.0,
            event: record.event,
            outcome: record.outcome,
            actor_kind: record.actor_kind,
            actor_id: record.actor_id,
            client_id: record.client_id,
            subject: record.subject,
            details: record.details,
            previous_hash: record.previous_hash,
            hash: record.hash,
        })
        .collect();
    Ok(Json(AuditPage { records, next_after }))
}
