//! What clients read before they have a token: the SMART configuration and the conformance statement.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::FhirServer;
use super::introspection::body_of;
use super::parameters::{TYPES, of_type};
use super::refusal::Refusal;
use crate::domain::secrets::hex_digest;
use crate::outbound::fhir::R4;
use crate::outbound::fhir::answers::{SmartEndpoints, built, smart_security};

/// How long a copy of the authorization server's document may be shown.
const FRESH: Duration = Duration::from_secs(30);

/// A copy of the SMART configuration and when it was fetched.
pub(super) type Copy = Option<(Instant, String)>;

/// `GET {base}/.well-known/smart-configuration`: the authorization server's own document, passed on.
///
/// JSON whatever the `Accept`, readable without a token (SMART 2.2 conformance). A stale copy is never shown: if the
/// authorization server is down, a launch would fail anyway, so 503 is the honest answer.
pub(super) async fn configuration(server: &FhirServer, headers: &HeaderMap) -> Response {
    match document(server).await {
        Some(document) => public(document, "application/json", headers),
        None => Refusal::no_answer_from_authorization().into_response(),
    }
}

/// A document anybody may keep for a while, and ask again for by its ETag (RFC 9110 13.1.2).
fn public(document: String, media_type: &'static str, headers: &HeaderMap) -> Response {
    let etag = format!("W/\"{}\"", &hex_digest(&[document.as_bytes()])[..32]);
    let asked = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let is_known = asked.flat_map(|value| value.split(',')).map(str::trim).any(|tag| tag == "*" || tag == etag);
    let mut response =
        if is_known { StatusCode::NOT_MODIFIED.into_response() } else { Response::new(Body::from(document)) };
    let named = response.headers_mut();
    named.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    named.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=30"));
    named.extend(HeaderValue::from_str(&etag).ok().map(|etag| (ETAG, etag)));
    response
}

/// The authorization server's document, or a fresh copy of it.
async fn document(server: &FhirServer) -> Option<String> {
    let mut copy = server.discovery.lock().await;
    if let Some((_, document)) = copy.as_ref().filter(|(fetched, _)| fetched.elapsed() < FRESH) {
        return Some(document.clone());
    }
    let document = fetch(server).await?;
    *copy = Some((Instant::now(), document.clone()));
    Some(document)
}

async fn fetch(server: &FhirServer) -> Option<String> {
    let response = server.http.get(&server.config.smart_configuration).send().await;
    let response =
        response.inspect_err(|e| tracing::warn!(error = %e, "the SMART configuration cannot be fetched")).ok()?;
    if response.status() != StatusCode::OK {
        tracing::warn!(status = response.status().as_u16(), "the SMART configuration cannot be fetched");
        return None;
    }
    let text = body_of(response).await?;
    serde_json::from_str::<Value>(&text).ok().filter(Value::is_object).map(|_| text)
}

/// `GET {base}/metadata`.
pub(super) async fn conformance(server: &FhirServer, headers: &HeaderMap) -> Response {
    public(capability_statement(server).await.to_text(), "application/fhir+json; charset=utf-8", headers)
}

/// The conformance statement: what this server does, with the OAuth addresses version 1 clients look for: those of the SMART configuration, so that the two agree
/// (SMART-DI-19). A conformance statement is owed even while the authorization server is down; then it names the two addresses this server was set up with.
async fn capability_statement(server: &FhirServer) -> R4 {
    let config = &server.config;
    let document: Value = document(server).await.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let told = |name: &str| document[name].as_str().map(str::to_owned);
    let resources: Vec<Value> = TYPES
        .iter()
        .map(|(kind, own)| {
            let parameters: Vec<Value> =
                of_type(own).map(|parameter| json!({"name": parameter.name, "type": parameter.kind.code()})).collect();
            let interactions =
                ["read", "vread", "search-type", "create", "update", "delete"].map(|code| json!({"code": code}));
            json!({
                "type": kind,
                "interaction": interactions,
                "versioning": "versioned-update",
                "updateCreate": true,
                "conditionalCreate": false,
                "conditionalUpdate": false,
                "conditionalDelete": "not-supported",
                "searchParam": parameters,
            })
        })
        .collect();
    let endpoints = SmartEndpoints {
        authorize: told("authorization_endpoint").unwrap_or_else(|| config.authorization_endpoint.clone()),
        token: told("token_endpoint").unwrap_or_else(|| config.token_endpoint.clone()),
        introspect: told("introspection_endpoint"),
        revoke: told("revocation_endpoint"),
        manage: told("management_endpoint"),
        register: told("registration_endpoint"),
    };
    built(&json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-01",
        "kind": "instance",
        "software": {"name": "Countersign demo FHIR server", "version": env!("CARGO_PKG_VERSION")},
        "implementation": {"description": "Synthetic patients of St. Mary Hospital", "url": config.base_url},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [{
            "mode": "server",
            "security": smart_security(&endpoints),
            "resource": resources,
            "compartment": ["http://hl7.org/fhir/CompartmentDefinition/patient"],
        }],
    }))
}
