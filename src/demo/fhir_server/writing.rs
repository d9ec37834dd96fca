//! Create, update and delete, in memory: enough to try write scopes.
//!
//! A limited scope holds for both sides of a change: what is stored and what would be stored must be within reach,
//! or a client could pull a record into its slice and read it, or push it out.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, IF_MATCH, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::Reach;
use super::refusal::Refusal;
use super::store::{Found, Stored};
use super::{FhirServer, prefers, stored_answer, version_headers};
use crate::outbound::fhir::{R4, is_fhir_id};

/// `POST {type}`: the server gives the id.
pub(super) fn create(
    server: &FhirServer,
    kind: &str,
    reach: &Reach<'_>,
    headers: &HeaderMap,
    (content, now): (Value, Timestamp),
) -> Result<Response, Refusal> {
    let mut store = server.store.write().expect("no holder of this lock panics");
    let id = store.fresh_id(kind);
    let content = with_id(content, &id);
    reach.takes(&content)?;
    let stored = store.put(kind, &id, content, now).map_err(|e| Refusal::invalid(e.to_string()))?;
    Ok(written(server, StatusCode::CREATED, &stored, reach, headers))
}

/// `PUT {type}/{id}`: replaces, or creates under the id the client chose.
pub(super) fn update(
    server: &FhirServer,
    (kind, id): (&str, &str),
    reach: &Reach<'_>,
    headers: &HeaderMap,
    (content, now): (Value, Timestamp),
) -> Result<Response, Refusal> {
    if content["id"] != id || !is_fhir_id(id) {
        return Err(Refusal::invalid("The id in the body and the id in the address differ."));
    }
    let mut store = server.store.write().expect("no holder of this lock panics");
    let (status, version) = match store.find(kind, id) {
        Found::Present(stored) | Found::Deleted { before: stored } if !reach.covers(&stored.json) => {
            return Err(Refusal::not_found());
        }
        Found::Present(stored) => (StatusCode::OK, Some(stored.version)),
        Found::Deleted { .. } | Found::Nothing => (StatusCode::CREATED, None),
    };
    reach.takes(&content)?;
    if let Some(wanted) = headers.get(IF_MATCH) {
        let wanted = wanted.to_str().unwrap_or_default().trim_start_matches("W/").trim_matches('"');
        if version.is_none_or(|version| version.to_string() != wanted) {
            return Err(Refusal::other_version());
        }
    }
    let stored = store.put(kind, id, content, now).map_err(|e| Refusal::invalid(e.to_string()))?;
    Ok(written(server, status, &stored, reach, headers))
}

/// `DELETE {type}/{id}`: 204, also when there was nothing; what is out of reach is not found.
pub(super) fn delete(server: &FhirServer, kind: &str, id: &str, reach: &Reach<'_>) -> Result<Response, Refusal> {
    let mut store = server.store.write().expect("no holder of this lock panics");
    match store.find(kind, id) {
        Found::Present(stored) | Found::Deleted { before: stored } if reach.covers(&stored.json) => {}
        Found::Present(_) | Found::Deleted { .. } | Found::Nothing => return Err(Refusal::not_found()),
    }
    store.delete(kind, id);
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The body as a strictly valid resource of the type.
pub(super) fn content(kind: &str, headers: &HeaderMap, body: &Bytes) -> Result<Value, Refusal> {
    let sent_as = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let sent_as = sent_as.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !matches!(sent_as.as_str(), "application/fhir+json" | "application/json") {
        return Err(Refusal::wrong_content());
    }
    let text = std::str::from_utf8(body).map_err(|_| Refusal::invalid("The body is not UTF-8."))?;
    let resource = R4::read(text).map_err(|e| Refusal::invalid(format!("The body is {e}.")))?;
    if resource.resource_type() != kind {
        return Err(Refusal::invalid(format!("The body is a {}, not a {kind}.", resource.resource_type())));
    }
    Ok(resource.to_value())
}

fn with_id(mut value: Value, id: &str) -> Value {
    value["id"] = json!(id);
    value
}

/// 200 or 201 with `Location` and `ETag`; the body only if the caller may read it and wants it.
fn written(
    server: &FhirServer,
    status: StatusCode,
    stored: &Stored,
    reach: &Reach<'_>,
    headers: &HeaderMap,
) -> Response {
    let bare = reach.answers_without_body() || prefers(headers, "return=minimal");
    let mut response = if bare {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        version_headers(response.headers_mut(), stored);
        response
    } else {
        stored_answer(status, stored)
    };
    let (kind, id) = (stored.resource.resource_type(), stored.resource.id().unwrap_or_default());
    let location = format!("{}/{kind}/{id}/_history/{}", server.config.base_url, stored.version);
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}
