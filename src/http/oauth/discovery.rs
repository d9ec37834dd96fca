//! Discovery documents and the key set: for everybody, from any web page, kept for minutes.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use super::{Challenge, allow_origin, organization, preflight, refusal};
use crate::domain::keys::KEY_SET_MAX_AGE_SECONDS;
use crate::domain::organizations::{FhirEndpoint, Organization, Standing};
use crate::domain::secrets::hex_digest;
use crate::http::AppState;
use crate::protocol::discovery::{Description, MAX_AGE_SECONDS, STYLE};
use crate::protocol::{OAuthError, brands, reading, signing};
use crate::storage;

/// A public document: JSON whatever `Accept` says. Its ETag is weak: proxies may pack it in their own way.
fn document(headers: &HeaderMap, media_type: &'static str, max_age: i64, body: &Value) -> Response {
    let text = body.to_string();
    let etag = format!("W/\"{}\"", &hex_digest(&[text.as_bytes()])[..32]);
    let is_known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag.trim_start_matches("W/"));
    let mut response =
        if is_known { StatusCode::NOT_MODIFIED.into_response() } else { (StatusCode::OK, text).into_response() };
    let named = [(header::ETAG, etag), (header::CACHE_CONTROL, format!("public, max-age={max_age}"))];
    for (name, value) in named {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    allow_origin(&mut response, "*");
    response
}

fn nothing_here() -> Response {
    let mut response = super::json(StatusCode::NOT_FOUND, &serde_json::json!({ "error": "not_found" }));
    allow_origin(&mut response, "*");
    response
}

/// The organization, if it takes part; a suspended one has no documents.
async fn active(state: &AppState, slug: &str) -> Result<Option<Organization>, OAuthError> {
    Ok(organization(&state.app, slug).await?.filter(|organization| organization.standing == Standing::Active))
}

async fn endpoint(
    state: &AppState,
    organization: &Organization,
    slug: &str,
) -> Result<Option<FhirEndpoint>, OAuthError> {
    let endpoints =
        storage::organizations::list_endpoints(&mut *state.app.store.read().await?, &organization.id).await?;
    Ok(endpoints.into_iter().find(|endpoint| endpoint.slug == slug && endpoint.standing == Standing::Active))
}

/// RFC 8414 (inserted) and OpenID Connect Discovery (appended).
pub async fn authorization_server(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Response {
    match active(&state, &slug).await {
        Ok(Some(organization)) => {
            let body = Description::of(&state.app, &organization).authorization_server();
            document(&headers, "application/json", MAX_AGE_SECONDS, &body)
        }
        Ok(None) => nothing_here(),
        Err(error) => refusal(&error, Challenge::None),
    }
}

/// `GET .../fhir/{endpoint}/.well-known/smart-configuration`.
pub async fn smart(
    State(state): State<AppState>,
    Path((slug, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    match of_endpoint(&state, &slug, &name).await {
        Ok(Some((description, organization, endpoint))) => {
            match brands::identifier_for(&state.app, &organization, &endpoint).await {
                Ok(brand) => document(&headers, "application/json", MAX_AGE_SECONDS, &description.smart(brand)),
                Err(error) => refusal(&error.into(), Challenge::None),
            }
        }
        Ok(None) => nothing_here(),
        Err(error) => refusal(&error, Challenge::None),
    }
}

/// `GET .../fhir/{endpoint}/metadata`.
pub async fn metadata(
    State(state): State<AppState>,
    Path((slug, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    match of_endpoint(&state, &slug, &name).await {
        Ok(Some((description, organization, endpoint))) => match last_change(&state, &organization).await {
            Ok(date) => {
                let body = description.capability_statement(&endpoint, &date);
                document(&headers, "application/fhir+json", MAX_AGE_SECONDS, &body)
            }
            Err(error) => refusal(&error, Challenge::None),
        },
        Ok(None) => nothing_here(),
        Err(error) => refusal(&error, Challenge::None),
    }
}

async fn last_change(state: &AppState, organization: &Organization) -> Result<String, OAuthError> {
    let mut conn = state.app.store.read().await?;
    Ok(brands::last_change(&mut conn, organization).await?.rfc3339())
}

async fn of_endpoint(
    state: &AppState,
    slug: &str,
    name: &str,
) -> Result<Option<(Description, Organization, FhirEndpoint)>, OAuthError> {
    let Some(organization) = active(state, slug).await? else { return Ok(None) };
    let description = Description::of(&state.app, &organization);
    Ok(endpoint(state, &organization, name).await?.map(|endpoint| (description, organization, endpoint)))
}

/// `GET /o/{organization}/brands`.
pub async fn brand_bundle(State(state): State<AppState>, Path(slug): Path<String>, headers: HeaderMap) -> Response {
    let bundle = async {
        match active(&state, &slug).await? {
            Some(organization) => brands::bundle(&state.app, &organization).await.map(Some),
            None => Ok(None),
        }
    };
    match bundle.await {
        Ok(Some(bundle)) => document(&headers, "application/fhir+json", MAX_AGE_SECONDS, &bundle),
        Ok(None) => nothing_here(),
        Err(error) => refusal(&error, Challenge::None),
    }
}

/// `GET /o/{organization}/jwks`.
pub async fn jwks(State(state): State<AppState>, Path(slug): Path<String>, headers: HeaderMap) -> Response {
    let set = async {
        match active(&state, &slug).await? {
            Some(_) => signing::key_set(&state.app).await.map(Some),
            None => Ok(None),
        }
    };
    match set.await {
        Ok(Some(set)) => document(&headers, "application/json", KEY_SET_MAX_AGE_SECONDS, &set),
        Ok(None) => nothing_here(),
        Err(error) => refusal(&error, Challenge::None),
    }
}

/// `GET /o/{organization}/reader-jwks`: the keys with which this server proves itself to the organization's FHIR server.
pub async fn reader_jwks(State(state): State<AppState>, Path(slug): Path<String>, headers: HeaderMap) -> Response {
    let set = async {
        match active(&state, &slug).await? {
            Some(organization) => Ok::<_, OAuthError>(Some(reading::key_set(&state.app, &organization.id).await?)),
            None => Ok(None),
        }
    };
    match set.await {
        Ok(Some(set)) => document(&headers, "application/json", KEY_SET_MAX_AGE_SECONDS, &set),
        Ok(None) => nothing_here(),
        Err(error) => refusal(&error, Challenge::None),
    }
}

/// `GET /o/{organization}/smart-style/{version}`: never changes under its address.
pub async fn style(Path((_, version)): Path<(String, String)>) -> Response {
    if version != hex_digest(&[STYLE.as_bytes()])[..12] {
        return nothing_here();
    }
    let headers =
        [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    let mut response = (StatusCode::OK, headers, STYLE).into_response();
    allow_origin(&mut response, "*");
    response
}

/// `OPTIONS` of all of them.
pub async fn options() -> Response {
    preflight(Some("*"), "GET, HEAD, OPTIONS")
}
