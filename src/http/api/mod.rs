//! `/api/v1`: the use cases of console and portal for machines. Bearer: a personal API token; what it may do is what its owner may do.
//!
//! JSON in, JSON out; unknown members are refused; refusals are problem+json (RFC 9457). Every route is described at `/api/v1/openapi.json`.

pub mod bodies;
pub mod clients;
pub mod organizations;
pub mod requests;
pub mod settings;

use axum::Json;
use axum::extract::State;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use super::extract::ApiCaller;
use super::{ApiError, AppState};
use crate::governance::Refusal;
use crate::governance::actor::{Developer, Staff};
use crate::storage;
use bodies::{Account, Me, Membership, Problem, ProblemError};

/// Everything the API offers.
#[derive(OpenApi)]
#[openapi(
    info(title = "Countersign", description = "Governance of a SMART on FHIR authorization server: clients, access requests, approvals."),
    servers((url = "/api/v1")),
    modifiers(&PersonalToken),
    security(("personal_token" = [])),
    components(schemas(Problem, ProblemError)),
    paths(
        me,
        openapi,
        organizations::list_clients,
        organizations::disable_client,
        organizations::enable_client,
        organizations::audit,
        settings::show,
        settings::change,
        settings::list_tokens,
        settings::make_token,
        settings::revoke_token,
        requests::list,
        requests::ask,
        requests::show,
        requests::approve,
        requests::reject,
        requests::allow_again,
        requests::withdraw,
        clients::list,
        clients::register,
        clients::show,
        clients::revise,
        clients::delete,
        clients::make_secret,
        clients::revoke_secret,
    )
)]
pub struct Description;

struct PersonalToken;

impl utoipa::Modify for PersonalToken {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let components = description.components.get_or_insert_default();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A personal API token, made on one's account page: csp_..."))
            .build();
        components.add_security_scheme("personal_token", SecurityScheme::Http(bearer));
    }
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", security(()), responses((status = 200, description = "OpenAPI 3.1")))]
pub async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}

/// Whose token this is, and what its owner is a member of.
#[utoipa::path(get, path = "/me", responses((status = 200, body = Me), (status = 401, body = Problem)))]
pub async fn me(State(state): State<AppState>, caller: ApiCaller) -> Result<Json<Me>, ApiError> {
    let mut conn = state.app.store.read().await?;
    let mut organizations = Vec::new();
    for membership in storage::accounts::staff_memberships(&mut conn, &caller.account.id).await? {
        if let Some(organization) = storage::organizations::lookup(&mut conn, &membership.organization_id).await? {
            organizations.push(Membership {
                id: organization.slug,
                name: organization.name,
                role: membership.role.as_str().into(),
            });
        }
    }
    let mut application_providers = Vec::new();
    for membership in storage::application_providers::developer_memberships(&mut conn, &caller.account.id).await? {
        if let Some(provider) =
            storage::application_providers::lookup(&mut conn, &membership.application_provider_id).await?
        {
            application_providers.push(Membership {
                id: provider.id.as_str().into(),
                name: provider.name,
                role: membership.role.as_str().into(),
            });
        }
    }
    let account =
        Account { id: caller.account.id.as_str().into(), name: caller.account.name, email: caller.account.email };
    Ok(Json(Me { account, organizations, application_providers }))
}

/// The caller as staff of the organization with this slug.
async fn staff(state: &AppState, caller: &ApiCaller, slug: &str) -> Result<Staff, ApiError> {
    Ok(Staff::at(&mut *state.app.store.read().await?, &caller.account, slug).await?)
}

/// The caller as a developer of the application provider that owns a client. A client that is none of theirs is absent.
async fn developer_of(
    state: &AppState,
    caller: &ApiCaller,
    client: &crate::domain::ids::ClientId,
) -> Result<Developer, ApiError> {
    let mut conn = state.app.store.read().await?;
    let client = storage::clients::lookup(&mut conn, client).await?.ok_or(Refusal::NotFound)?;
    Ok(Developer::at(&mut conn, &caller.account, &client.application_provider_id).await?)
}

/// The language in which the caller is told things.
fn lang(caller: &ApiCaller) -> fhir_scopes::describe::Lang {
    fhir_scopes::describe::Lang::from_tag(&caller.account.lang)
}
