//! Access requests: asked and withdrawn by developers, decided by staff.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::bodies::{
    Approve, Approved, Asked, Line, Problem, Question, Reject, Request, RequestPage, RequestReview, literals,
};
use super::organizations::PAGE;
use super::{developer_of, lang, staff};
use crate::domain::approvals::ApprovalState;
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{AccessRequestId, ClientId};
use crate::governance::access_requests::{self, Ask, Outcome};
use crate::governance::approvals::{self, Life, Yes};
use crate::governance::client_management::{self, Review};
use crate::governance::{Refusal, explain};
use crate::http::console::clients::page_number;
use crate::http::error::Failure;
use crate::http::extract::{ApiCaller, JsonBody};
use crate::http::{ApiError, AppState};
use crate::storage;

/// Which requests.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct View {
    /// `waiting`, `approved`, `rejected`, `withdrawn` or `expired`; waiting if left out.
    state: Option<String>,
    /// 1, 2, 3, ...
    page: Option<String>,
}

/// Requests to the organization in one state, oldest first.
#[utoipa::path(get, path = "/organizations/{org}/access-requests", params(("org" = String, Path, description = "Slug"), View),
    responses((status = 200, body = RequestPage), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn list(
    State(state): State<AppState>,
    caller: ApiCaller,
    Path(org): Path<String>,
    query: Result<Query<View>, QueryRejection>,
) -> Result<Json<RequestPage>, ApiError> {
    let staff = staff(&state, &caller, &org).await?;
    let Query(view) =
        query.map_err(|rejection| Failure::new(StatusCode::BAD_REQUEST, "invalid", rejection.body_text()))?;
    let page = page_number(view.page.as_deref())?;
    let requests = client_management::requests(
        &state.app,
        &staff,
        view.state.as_deref().unwrap_or("waiting"),
        PAGE,
        (page - 1) * PAGE,
    )
    .await?;
    Ok(Json(RequestPage { access_requests: requests.iter().map(Request::of).collect(), page, page_size: PAGE }))
}

/// Asks the organization for access, for a client of yours. One request waits at a time: asking again edits it.
#[utoipa::path(post, path = "/organizations/{org}/access-requests", params(("org" = String, Path, description = "Slug")), request_body = Question,
    responses((status = 201, body = Asked), (status = 200, body = Asked, description = "Edited, or narrowed at once"),
        (status = 400, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn ask(
    State(state): State<AppState>,
    caller: ApiCaller,
    Path(org): Path<String>,
    JsonBody(body): JsonBody<Question>,
) -> Result<Response, ApiError> {
    let client_id = ClientId::from_text(body.client_id);
    let developer = developer_of(&state, &caller, &client_id).await?;
    let mut conn = state.app.store.read().await?;
    let organization = storage::organizations::find_by_slug(&mut conn, &org).await?.ok_or(Refusal::NotFound)?;
    let endpoints = storage::organizations::list_endpoints(&mut conn, &organization.id).await?;
    drop(conn);
    let chosen = match &body.fhir_endpoint {
        Some(name) => {
            endpoints.iter().find(|one| one.slug == *name || one.id.as_str() == name || one.is_audience(name))
        }
        None if endpoints.len() == 1 => endpoints.first(),
        None => None,
    };
    let endpoint = chosen
        .ok_or_else(|| Refusal::invalid("fhir_endpoint", "unknown", "name one of the organization's FHIR endpoints"))?;
    let question = Ask {
        client_id,
        organization_id: organization.id,
        fhir_endpoint_id: endpoint.id.clone(),
        scopes: body.scopes.text(),
        reason: body.reason,
    };
    let (request, outcome) = access_requests::ask(&state.app, &developer, question).await?;
    let (status, outcome) = match outcome {
        Outcome::Sent => (StatusCode::CREATED, "sent"),
        Outcome::Edited => (StatusCode::OK, "edited"),
        Outcome::Narrowed => (StatusCode::OK, "narrowed"),
    };
    Ok((status, Json(Asked { outcome, access_request: Request::of(&request) })).into_response())
}

/// One request, with what a reviewer needs to decide.
#[utoipa::path(get, path = "/organizations/{org}/access-requests/{id}", params(("org" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = RequestReview), (status = 404, body = Problem)))]
pub async fn show(
    State(state): State<AppState>,
    caller: ApiCaller,
    Path((org, id)): Path<(String, String)>,
) -> Result<Json<RequestReview>, ApiError> {
    let staff = staff(&state, &caller, &org).await?;
    let review = client_management::review(&state.app, &staff, &AccessRequestId::from_text(id)).await?;
    Ok(Json(told(&review, &caller)))
}

fn told(review: &Review, caller: &ApiCaller) -> RequestReview {
    let description = explain::for_staff(&review.asked, lang(caller));
    let scopes = |set: &fhir_scopes::ScopeSet| set.iter().map(|scope| scope.literal().to_owned()).collect::<Vec<_>>();
    RequestReview {
        request: Request::of(&review.request),
        digest: review.digest.clone(),
        client_name: review.revision.metadata.name.clone(),
        application_provider: review.provider.name.clone(),
        summary: description.summary,
        lines: description
            .groups
            .into_iter()
            .flat_map(|group| group.lines)
            .map(|line| Line { text: line.short, scopes: line.scopes, sensitivity: line.sensitivity })
            .collect(),
        risks: explain::risks(review).into_iter().map(|risk| risk.as_str().to_owned()).collect(),
        added_scopes: review.difference.as_ref().map(|difference| scopes(&difference.added)),
        removed_scopes: review.difference.as_ref().map(|difference| scopes(&difference.removed)),
        changed_fields: review.approved_revision.as_ref().map(|approved| {
            explain::field_changes(&approved.metadata, &review.revision.metadata)
                .into_iter()
                .map(|change| change.field.to_owned())
                .collect()
        }),
    }
}

/// Countersigns a request, as asked or with less. 409 if it changed since it was read: nothing is approved then.
#[utoipa::path(post, path = "/organizations/{org}/access-requests/{id}/approve", params(("org" = String, Path), ("id" = String, Path)), request_body = Approve,
    responses((status = 200, body = Approved), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn approve(
    State(state): State<AppState>,
    caller: ApiCaller,
    Path((org, id)): Path<(String, String)>,
    JsonBody(body): JsonBody<Approve>,
) -> Result<Json<Approved>, ApiError> {
    let staff = staff(&state, &caller, &org).await?;
    let yes = Yes {
        digest: body.digest,
        scopes: body.scopes.map(super::bodies::ScopeList::list),
        life: body.expires_in_days.map_or(Life::AsConfigured, Life::Days),
    };
    let approval = approvals::approve(&state.app, &staff, &AccessRequestId::from_text(id), yes).await?;
    Ok(Json(Approved {
        client_id: approval.client_id.as_str().into(),
        scopes: literals(&approval.scopes),
        expires_at: approval.expires_at.map(UtcMillis::rfc3339),
        state: if matches!(approval.state, ApprovalState::Enabled { .. }) { "enabled" } else { "disabled" }.into(),
        epoch: approval.epoch,
    }))
}

/// Refuses a request. An approval that stands, stands.
#[utoipa::path(post, path = "/organizations/{org}/access-requests/{id}/reject", params(("org" = String, Path), ("id" = String, Path)), request_body = Reject,
    responses((status = 200, body = Request), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn reject(
    State(state): State<AppState>,
    caller: ApiCaller,
    Path((org, id)): Path<(String, String)>,
    JsonBody(body): JsonBody<Reject>,
) -> Result<Json<Request>, ApiError> {
    let staff = staff(&state, &caller, &org).await?;
    let request =
        approvals::reject(&state.app, &staff, &AccessRequestId::from_text(id), &body.reason, body.may_ask_again)
            .await?;
    Ok(Json(Request::of(&request)))
}

/// Lifts the block of a rejection: the client may ask again.
#[utoipa::path(post, path = "/organizations/{org}/access-requests/{id}/allow-again", params(("org" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Request), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn allow_again(
    State(state): State<AppState>,
    caller: ApiCaller,
    Path((org, id)): Path<(String, String)>,
) -> Result<Json<Request>, ApiError> {
    let staff = staff(&state, &caller, &org).await?;
    Ok(Json(Request::of(&approvals::allow_again(&state.app, &staff, &AccessRequestId::from_text(id)).await?)))
}

/// Takes a waiting request of one of your clients back.
#[utoipa::path(post, path = "/organizations/{org}/access-requests/{id}/withdraw", params(("org" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Request), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn withdraw(
    State(state): State<AppState>,
    caller: ApiCaller,
    Path((org, id)): Path<(String, String)>,
) -> Result<Json<Request>, ApiError> {
    let id = AccessRequestId::from_text(id);
    let mut conn = state.app.store.read().await?;
    let organization = storage::organizations::find_by_slug(&mut conn, &org).await?.ok_or(Refusal::NotFound)?;
    let request = storage::access_requests::lookup(&mut conn, &id).await?;
    drop(conn);
    let request = request.filter(|request| request.organization_id == organization.id).ok_or(Refusal::NotFound)?;
    let developer = developer_of(&state, &caller, &request.client_id).await?;
    Ok(Json(Request::of(&access_requests::withdraw(&state.app, &developer, &id).await?)))
}
