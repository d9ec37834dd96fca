//! What developers do with their clients.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::bodies::{
    MadeSecret, NewSecret, OwnClient, OwnClientLine, OwnClients, Problem, Register, Request, Revise, Revised, Secret,
};
use super::developer_of;
use crate::domain::ids::{ApplicationProviderId, ClientId, ClientSecretId};
use crate::governance::actor::Developer;
use crate::governance::{Refusal, clients};
use crate::http::extract::{ApiCaller, JsonBody};
use crate::http::{ApiError, AppState};
use crate::storage;

/// The clients of every application provider you work for.
#[utoipa::path(get, path = "/clients", responses((status = 200, body = OwnClients)))]
pub async fn list(State(state): State<AppState>, caller: ApiCaller) -> Result<Json<OwnClients>, ApiError> {
    let mut conn = state.app.store.read().await?;
    let mut own = Vec::new();
    for membership in storage::application_providers::developer_memberships(&mut conn, &caller.account.id).await? {
        let developer = Developer::at(&mut conn, &caller.account, &membership.application_provider_id).await?;
        own.extend(clients::list(&mut conn, &developer).await?);
    }
    let clients = own
        .into_iter()
        .map(|client| OwnClientLine {
            client_id: client.id.as_str().into(),
            name: client.name,
            application_provider: client.application_provider_id.as_str().into(),
            revision: client.latest_revision,
        })
        .collect();
    Ok(Json(OwnClients { clients }))
}

/// Registers a client. It has access to nothing until organizations approve it.
#[utoipa::path(post, path = "/clients", request_body = Register,
    responses((status = 201, body = Revised), (status = 400, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn register(
    State(state): State<AppState>,
    caller: ApiCaller,
    JsonBody(body): JsonBody<Register>,
) -> Result<Response, ApiError> {
    let mut conn = state.app.store.read().await?;
    let provider = match body.application_provider {
        Some(id) => ApplicationProviderId::from_text(id),
        None => match storage::application_providers::developer_memberships(&mut conn, &caller.account.id)
            .await?
            .as_slice()
        {
            [only] => only.application_provider_id.clone(),
            _ => {
                return Err(Refusal::invalid("application_provider", "missing", "name the application provider").into());
            }
        },
    };
    let developer = Developer::at(&mut conn, &caller.account, &provider).await?;
    drop(conn);
    let client = clients::register(&state.app, &developer, body.metadata).await?;
    let latest = clients::own(&mut *state.app.store.read().await?, &developer, &client.id).await?.latest;
    let location = format!("/api/v1/clients/{}", client.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(Revised::of(latest))).into_response())
}

/// One of your clients, with its secrets' records and its access requests.
#[utoipa::path(get, path = "/clients/{client_id}", params(("client_id" = String, Path)),
    responses((status = 200, body = OwnClient), (status = 404, body = Problem)))]
pub async fn show(
    State(state): State<AppState>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<Json<OwnClient>, ApiError> {
    let id = ClientId::from_text(id);
    let developer = developer_of(&state, &caller, &id).await?;
    let mut conn = state.app.store.read().await?;
    let own = clients::own(&mut conn, &developer, &id).await?;
    let requests = storage::access_requests::list_by_client(&mut conn, &id).await?;
    Ok(Json(OwnClient {
        client_id: own.client.id.as_str().into(),
        application_provider: own.client.application_provider_id.as_str().into(),
        revision: own.latest.revision,
        metadata: own.latest.metadata,
        secrets: own.secrets.iter().map(Secret::of).collect(),
        access_requests: requests.iter().map(Request::of).collect(),
    }))
}

/// Files a new revision. Organizations that approved the client are asked, unless it only gives something up.
#[utoipa::path(put, path = "/clients/{client_id}", params(("client_id" = String, Path)), request_body = Revise,
    responses((status = 200, body = Revised), (status = 400, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn revise(
    State(state): State<AppState>,
    caller: ApiCaller,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<Revise>,
) -> Result<Json<Revised>, ApiError> {
    let id = ClientId::from_text(id);
    let developer = developer_of(&state, &caller, &id).await?;
    let revision = clients::revise(&state.app, &developer, &id, body.based_on, body.metadata, &body.reason).await?;
    Ok(Json(Revised::of(revision)))
}

/// Deletes a client for good.
#[utoipa::path(delete, path = "/clients/{client_id}", params(("client_id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub async fn delete(
    State(state): State<AppState>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id = ClientId::from_text(id);
    let developer = developer_of(&state, &caller, &id).await?;
    clients::delete(&state.app, &developer, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a secret, shown this once. Two may be live at a time.
#[utoipa::path(post, path = "/clients/{client_id}/secrets", params(("client_id" = String, Path)), request_body = NewSecret,
    responses((status = 201, body = MadeSecret), (status = 400, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn make_secret(
    State(state): State<AppState>,
    caller: ApiCaller,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<NewSecret>,
) -> Result<Response, ApiError> {
    let id = ClientId::from_text(id);
    let developer = developer_of(&state, &caller, &id).await?;
    if body.expires_in_days.is_some_and(|days| !(1..=3650).contains(&days)) {
        return Err(Refusal::invalid("expires_in_days", "out-of-range", "1 to 3650 days").into());
    }
    let expires_at = body.expires_in_days.map(|days| state.app.now().plus_days(days));
    let made = clients::make_secret(&state.app, &developer, &id, expires_at).await?;
    let answer = MadeSecret { secret: Secret::of(&made.record), client_secret: made.plain.reveal().to_owned() };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

/// Revokes a secret: from the next request on it proves nothing.
#[utoipa::path(delete, path = "/clients/{client_id}/secrets/{secret_id}", params(("client_id" = String, Path), ("secret_id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub async fn revoke_secret(
    State(state): State<AppState>,
    caller: ApiCaller,
    Path((id, secret)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let id = ClientId::from_text(id);
    let developer = developer_of(&state, &caller, &id).await?;
    clients::revoke_secret(&state.app, &developer, &id, &ClientSecretId::from_text(secret)).await?;
    Ok(StatusCode::NO_CONTENT)
}
