//! How this server reads from one of the organization's FHIR endpoints; tried at once when it is changed.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::desk::{Desk, faults_of};
use super::endpoints;
use crate::domain::ids::FhirEndpointId;
use crate::domain::organizations::BackendReading;
use crate::governance::fhir_endpoints::{EndpointForm, change_endpoint, endpoint_of};
use crate::http::PageError;
use crate::http::extract::CsrfForm;
use crate::http::extract::visitor::flash;
use crate::http::pages::frame::ConsoleSection;
use crate::http::pages::parts::Field;
use crate::http::pages::{Arg, Tone};
use crate::protocol::patients;
use fhir_scopes::Release;

/// What is typed.
#[derive(Debug, Deserialize)]
pub struct Typed {
    reading: String,
    #[serde(default)]
    token_endpoint: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    scope: String,
}

/// `POST /console/{org}/fhir-endpoints/{endpoint}/reading`.
pub async fn change(
    desk: Desk,
    Path((_, id)): Path<(String, String)>,
    CsrfForm(typed): CsrfForm<Typed>,
) -> Result<Response, PageError> {
    let id = FhirEndpointId::from_text(id);
    let before = endpoint_of(&desk.state.app, &desk.staff, &id).await?;
    let scope = Some(typed.scope.trim()).filter(|scope| !scope.is_empty());
    let reading = (typed.reading == "backend").then(|| BackendReading {
        token_endpoint: typed.token_endpoint.trim().to_owned(),
        client_id: typed.client_id.trim().to_owned(),
        scope: scope.map_or_else(BackendReading::usual_scope, str::to_owned),
    });
    let form = EndpointForm { reading, ..EndpointForm::of(&before) };
    let endpoint = match change_endpoint(&desk.state.app, &desk.staff, &id, &form).await {
        Ok(endpoint) => endpoint,
        Err(refusal) => {
            let faults = faults_of(refusal)?;
            let say = desk.say();
            let mut page = endpoints::page_of(&desk, Release::R4.as_str()).await?;
            for row in page.rows.iter_mut().filter(|row| row.id == id.as_str()) {
                row.reads_by_backend = true;
                row.reading_open = true;
                row.token_endpoint = Field::wrong(typed.token_endpoint.as_str(), say.faults(&faults, "token_endpoint"));
                row.reader_client_id = Field::wrong(typed.client_id.as_str(), say.faults(&faults, "reader_client_id"));
                row.reader_scope = Field::wrong(typed.scope.as_str(), say.faults(&faults, "reader_scope"));
            }
            let html = desk.render_answer(ConsoleSection::FhirEndpoints, &desk.path("fhir-endpoints"), &page).await?;
            return Ok(html.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
        }
    };
    let said = match patients::search(&desk.state.app, &endpoint, "").await {
        Ok(_) => flash(Tone::Done, desk.say().word("endpoints-reading-works")),
        Err(error) => {
            let why = error.to_string();
            flash(Tone::Care, desk.say().words("endpoints-reading-fails", &[("why", Arg::Text(&why))]))
        }
    };
    Ok((said, Redirect::to(&desk.path("fhir-endpoints"))).into_response())
}
