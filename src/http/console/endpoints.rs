//! The organization's FHIR endpoints, and the credentials with which its FHIR servers introspect.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::desk::{Desk, done, faults_of};
use crate::domain::ids::{FhirEndpointId, ResourceServerId};
use crate::domain::organizations::{BackendReading, FhirEndpointSettings};
use crate::governance::error::Fault;
use crate::governance::fhir_endpoints::{
    EndpointForm, add_endpoint, change_endpoint, endpoint_of, endpoints, make_resource_server, resource_servers,
    revoke_resource_server, slug_from_name,
};
use crate::http::PageError;
use crate::http::extract::CsrfForm;
use crate::http::pages::Html;
use crate::http::pages::console::{FhirEndpointRow, FhirEndpoints, ResourceServerRow};
use crate::http::pages::frame::ConsoleSection;
use crate::http::pages::parts::{Choice, Field};
use fhir_scopes::Release;

/// `GET /console/{org}/fhir-endpoints`.
pub async fn show(desk: Desk) -> Result<Html, PageError> {
    let page = page_of(&desk, Release::R4.as_str()).await?;
    desk.render(ConsoleSection::FhirEndpoints, &page).await
}

pub(super) async fn page_of(desk: &Desk, release: &str) -> Result<FhirEndpoints, PageError> {
    let say = desk.say();
    let issuer = desk.state.app.issuer(&desk.staff.organization.slug);
    let rows = endpoints(&desk.state.app, &desk.staff)
        .await?
        .into_iter()
        .map(|endpoint| FhirEndpointRow {
            id: endpoint.id.as_str().to_owned(),
            name: endpoint.name,
            smart_configuration: format!("{issuer}/fhir/{}/.well-known/smart-configuration", endpoint.slug),
            version: endpoint.release.as_str().to_uppercase(),
            base_url: endpoint.base_url,
            reads_by_backend: endpoint.settings.reading.is_some(),
            reading_open: false,
            token_endpoint: Field::of(of_reading(&endpoint.settings, |reading| &reading.token_endpoint)),
            reader_client_id: Field::of(of_reading(&endpoint.settings, |reading| &reading.client_id)),
            reader_scope: Field::of(of_reading(&endpoint.settings, |reading| &reading.scope)),
        })
        .collect();
    let servers = resource_servers(&desk.state.app, &desk.staff).await?.into_iter().map(|server| ResourceServerRow {
        client_id: server.id.as_str().to_owned(),
        name: server.name,
        last_used: say.moment_or_never(server.last_used_at),
    });
    Ok(FhirEndpoints {
        action: desk.path("fhir-endpoints"),
        rows,
        servers: servers.collect(),
        may_change: desk.may_change(),
        reader_jwks: format!("{issuer}/reader-jwks"),
        versions: Release::ALL
            .into_iter()
            .map(|one| Choice {
                current: one.as_str() == release,
                ..Choice::new(one.as_str(), &one.as_str().to_uppercase())
            })
            .collect(),
        ..FhirEndpoints::default()
    })
}

/// A part of how we read, if we read as a client.
fn of_reading(settings: &FhirEndpointSettings, part: fn(&BackendReading) -> &String) -> String {
    settings.reading.as_ref().map(part).cloned().unwrap_or_default()
}

/// What is typed of an endpoint.
#[derive(Debug, Deserialize)]
pub struct Typed {
    name: String,
    base_url: String,
    version: String,
}

async fn refused(desk: &Desk, typed: Typed, faults: &[Fault]) -> Result<Response, PageError> {
    let say = desk.say();
    let mut page = page_of(desk, &typed.version).await?;
    page.name = Field::wrong(typed.name, say.faults(faults, "name"));
    page.base_url = Field::wrong(typed.base_url, say.faults(faults, "base_url"));
    let html = desk.render_answer(ConsoleSection::FhirEndpoints, &desk.path("fhir-endpoints"), &page).await?;
    Ok(html.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

/// `POST /console/{org}/fhir-endpoints/add`. The path segment is made from the name.
pub async fn add(desk: Desk, CsrfForm(typed): CsrfForm<Typed>) -> Result<Response, PageError> {
    let taken: Vec<String> = endpoints(&desk.state.app, &desk.staff).await?.into_iter().map(|one| one.slug).collect();
    let form = EndpointForm {
        slug: slug_from_name(&typed.name, &taken),
        name: typed.name.clone(),
        base_url: typed.base_url.clone(),
        release: typed.version.clone(),
        jwt_access_tokens: false,
        aliases: Vec::new(),
        reading: None,
        active: true,
    };
    match add_endpoint(&desk.state.app, &desk.staff, &form).await {
        Ok(_) => Ok(done(&desk, "console-endpoint-added", &desk.path("fhir-endpoints"))),
        Err(refusal) => refused(&desk, typed, &faults_of(refusal)?).await,
    }
}

/// `POST /console/{org}/fhir-endpoints/{endpoint}/change`: another name, base URL or release; what the form does not show stays.
pub async fn change(
    desk: Desk,
    Path((_, id)): Path<(String, String)>,
    CsrfForm(typed): CsrfForm<Typed>,
) -> Result<Response, PageError> {
    let id = FhirEndpointId::from_text(id);
    let before = endpoint_of(&desk.state.app, &desk.staff, &id).await?;
    let form = EndpointForm {
        name: typed.name.clone(),
        base_url: typed.base_url.clone(),
        release: typed.version.clone(),
        ..EndpointForm::of(&before)
    };
    match change_endpoint(&desk.state.app, &desk.staff, &id, &form).await {
        Ok(_) => Ok(done(&desk, "console-endpoint-changed", &desk.path("fhir-endpoints"))),
        Err(refusal) => refused(&desk, typed, &faults_of(refusal)?).await,
    }
}

/// For which endpoint.
#[derive(Debug, Deserialize)]
pub struct ServerForm {
    endpoint: String,
}

/// `POST /console/{org}/fhir-endpoints/resource-server`: the answer shows the secret, this once.
pub async fn make_server(desk: Desk, CsrfForm(form): CsrfForm<ServerForm>) -> Result<Response, PageError> {
    let (server, secret) =
        make_resource_server(&desk.state.app, &desk.staff, &FhirEndpointId::from_text(form.endpoint)).await?;
    let mut page = page_of(&desk, Release::R4.as_str()).await?;
    page.new_client_id = server.id.as_str().to_owned();
    page.new_client_secret = secret.reveal().to_owned();
    Ok(desk.render_answer(ConsoleSection::FhirEndpoints, &desk.path("fhir-endpoints"), &page).await?.into_response())
}

/// Whose credentials.
#[derive(Debug, Deserialize)]
pub struct RevokeForm {
    server: String,
}

/// `POST /console/{org}/fhir-endpoints/resource-server/revoke`.
pub async fn revoke_server(desk: Desk, CsrfForm(form): CsrfForm<RevokeForm>) -> Result<Response, PageError> {
    revoke_resource_server(&desk.state.app, &desk.staff, &ResourceServerId::from_text(form.server)).await?;
    Ok(done(&desk, "endpoints-server-revoked", &desk.path("fhir-endpoints")))
}
