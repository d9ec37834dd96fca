//! What an organization decides for itself, and the tokens with which apps register themselves.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::bodies::Problem;
use super::staff;
use crate::domain::clock::UtcMillis;
use crate::domain::organizations::{Organization, OrganizationSettings};
use crate::governance::Refusal;
use crate::governance::initial_access_tokens::{self as tokens, Shown, TokenStanding};
use crate::governance::organizations::change_settings;
use crate::http::extract::{ApiCaller, JsonBody};
use crate::http::{ApiError, AppState};

/// An organization's name and settings; to be sent back whole.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The name people see.
    pub name: String,
    /// Everything it decides for itself; what is left out has its default.
    #[schema(value_type = SettingsMembers)]
    pub settings: OrganizationSettings,
}

/// The members of the settings.
#[derive(ToSchema)]
#[allow(missing_docs, dead_code)]
pub struct SettingsMembers {
    /// 1 to 3650.
    #[schema(required = false)]
    request_expires_days: i64,
    /// 1 to 3650; null for no end.
    approval_expires_days: Option<i64>,
    #[schema(required = false)]
    standing_consent_for_clinicians: bool,
    /// Origins such as `https://ehr.example`.
    #[schema(required = false)]
    frame_ancestors: Vec<String>,
    #[schema(required = false)]
    website: String,
    #[schema(required = false)]
    contact_email: String,
    /// `closed`, `token` or `open`.
    #[schema(required = false)]
    registration: String,
    /// `system/` scopes for clients with a shared secret too. False (the default): for clients with a key only, as SMART Backend Services has it; a token that was
    /// issued for a secret stops at once.
    #[schema(required = false)]
    backend_services_may_use_secrets: bool,
}

impl Settings {
    fn of(organization: Organization) -> Self {
        Self { name: organization.name, settings: organization.settings }
    }
}

/// What the organization has decided for itself.
#[utoipa::path(get, path = "/organizations/{org}/settings", params(("org" = String, Path, description = "Slug")),
    responses((status = 200, body = Settings), (status = 404, body = Problem)))]
pub async fn show(
    State(state): State<AppState>,
    caller: ApiCaller,
    Path(org): Path<String>,
) -> Result<Json<Settings>, ApiError> {
    Ok(Json(Settings::of(staff(&state, &caller, &org).await?.organization)))
}

/// Decides otherwise. Admins only.
#[utoipa::path(put, path = "/organizations/{org}/settings", params(("org" = String, Path)), request_body = Settings,
    responses((status = 200, body = Settings), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn change(
    State(state): State<AppState>,
    caller: ApiCaller,
    Path(org): Path<String>,
    JsonBody(body): JsonBody<Settings>,
) -> Result<Json<Settings>, ApiError> {
    let staff = staff(&state, &caller, &org).await?;
    Ok(Json(Settings::of(change_settings(&state.app, &staff, &body.name, body.settings).await?)))
}

/// An initial access token.
#[derive(Serialize, ToSchema)]
pub struct InitialToken {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub note: String,
    /// The account that made it.
    pub created_by: String,
    /// When.
    pub created_at: String,
    /// `usable`, `used`, `revoked` or `expired`.
    pub state: String,
    /// Since when; for a usable one: until when.
    pub at: String,
    /// The client that registered with it.
    pub client_id: Option<String>,
}

impl InitialToken {
    fn of(token: Shown) -> Self {
        let (state, at, client) = match token.standing {
            TokenStanding::Usable { until } => ("usable", until, None),
            TokenStanding::Used { at, client } => ("used", at, client),
            TokenStanding::Revoked { at } => ("revoked", at, None),
            TokenStanding::Expired { at } => ("expired", at, None),
        };
        Self {
            id: token.id.to_string(),
            note: token.note,
            created_by: token.by.id.as_str().to_owned(),
            created_at: token.made_at.rfc3339(),
            state: state.into(),
            at: UtcMillis::rfc3339(at),
            client_id: client.map(|(id, _)| id.as_str().to_owned()),
        }
    }
}

/// The newest initial access tokens. The tokens themselves were shown once.
#[utoipa::path(get, path = "/organizations/{org}/initial-access-tokens", params(("org" = String, Path)),
    responses((status = 200, body = Vec<InitialToken>), (status = 404, body = Problem)))]
pub async fn list_tokens(
    State(state): State<AppState>,
    caller: ApiCaller,
    Path(org): Path<String>,
) -> Result<Json<Vec<InitialToken>>, ApiError> {
    let staff = staff(&state, &caller, &org).await?;
    Ok(Json(tokens::list(&state.app, &staff).await?.into_iter().map(InitialToken::of).collect()))
}

/// What a token is to be for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInitialToken {
    /// For staff, one line.
    note: String,
}

/// A token that was just made.
#[derive(Serialize, ToSchema)]
pub struct MadeInitialToken {
    /// The token, this once: `Authorization: Bearer` of one registration, within a week.
    pub initial_access_token: String,
}

/// Makes an initial access token. Admins only.
#[utoipa::path(post, path = "/organizations/{org}/initial-access-tokens", params(("org" = String, Path)), request_body = NewInitialToken,
    responses((status = 201, body = MadeInitialToken), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn make_token(
    State(state): State<AppState>,
    caller: ApiCaller,
    Path(org): Path<String>,
    JsonBody(body): JsonBody<NewInitialToken>,
) -> Result<Response, ApiError> {
    let staff = staff(&state, &caller, &org).await?;
    let token = tokens::make(&state.app, &staff, &body.note).await?;
    let answer = MadeInitialToken { initial_access_token: token.reveal().to_owned() };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

/// Takes an initial access token back. Admins only.
#[utoipa::path(delete, path = "/organizations/{org}/initial-access-tokens/{id}", params(("org" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn revoke_token(
    State(state): State<AppState>,
    caller: ApiCaller,
    Path((org, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let staff = staff(&state, &caller, &org).await?;
    tokens::revoke(&state.app, &staff, id.parse().map_err(|_| Refusal::NotFound)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
