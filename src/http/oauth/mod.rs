//! The endpoints of OAuth, OpenID Connect and SMART: thin handlers over `protocol`.

pub mod apps;
pub mod authorize;
mod client_metadata;
pub mod consent;
pub mod discovery;
pub mod flow;
pub mod launch;
pub mod logout;
pub mod pick;
pub mod register;
pub mod token;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value};

use crate::app::App;
use crate::domain::organizations::Organization;
use crate::http::AppState;
use crate::http::error::Failure;
use crate::protocol::params::Params;
use crate::protocol::{ErrorKind, OAuthError, cors};
use crate::storage;

/// Reads a form: parameters in the body only, of the right media type.
fn read_form(uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Result<Params, OAuthError> {
    if uri.query().is_some_and(|query| !query.is_empty()) {
        return Err(OAuthError::request("parameters belong in the body"));
    }
    if media_type(headers) != "application/x-www-form-urlencoded" {
        return Err(OAuthError::request("the body must be application/x-www-form-urlencoded"));
    }
    let text = std::str::from_utf8(body).map_err(|_| OAuthError::request("the body is not text"))?;
    Params::parse(text).map_err(|_| OAuthError::request("the parameters are not well-formed"))
}

/// What the body is said to be, in lower case, without parameters; `""` where nothing is said, or two things are.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return String::new() };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// A sentence as `error_description` takes it (RFC 6749 5.2): printable ASCII without quotes and backslashes, and not endless.
fn wire_text(text: &str) -> String {
    text.chars().filter(|c| (' '..='~').contains(c) && !matches!(c, '"' | '\\')).take(2000).collect()
}

/// The `Authorization` header; two are as bad as an unreadable one.
fn authorization(headers: &HeaderMap) -> Result<Option<&str>, OAuthError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            value.to_str().map(Some).map_err(|_| OAuthError::client("the Authorization header is not text"))
        }
        (Some(_), Some(_)) => Err(OAuthError::request("there are two Authorization headers")),
    }
}

async fn organization(app: &App, slug: &str) -> Result<Option<Organization>, OAuthError> {
    Ok(storage::organizations::find_by_slug(&mut *app.store.read().await?, slug).await?)
}

/// JSON that nobody may keep (RFC 6749 5.1; both headers, because clients check both).
fn json(status: StatusCode, body: &Value) -> Response {
    let headers =
        [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
    (status, headers, body.to_string()).into_response()
}

/// The scheme to ask for with a 401.
#[derive(Clone, Copy)]
enum Challenge {
    /// The client tried HTTP Basic, or should.
    Basic,
    /// The request carried a bearer token, or should.
    Bearer,
    /// The proof was in the body.
    None,
}

/// A refusal as JSON (RFC 6749 5.2, RFC 6750 3).
fn refusal(error: &OAuthError, challenge: Challenge) -> Response {
    let status = StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::BAD_REQUEST);
    if error.kind == ErrorKind::TemporarilyUnavailable {
        tracing::error!(because = error.because.as_deref(), "a request failed");
    } else {
        tracing::debug!(
            error = error.kind.as_str(),
            text = error.text,
            because = error.because.as_deref(),
            "a request was refused"
        );
    }
    let mut members = Map::new();
    members.insert("error".into(), error.kind.as_str().into());
    members.insert("error_description".into(), error.text.into());
    let mut response = json(status, &Value::Object(members));
    let challenge = match (status, challenge) {
        (StatusCode::UNAUTHORIZED, Challenge::Basic) => {
            Some("Basic realm=\"countersign\", charset=\"UTF-8\"".to_owned())
        }
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, Challenge::Bearer) => Some(format!(
            "Bearer realm=\"countersign\", error=\"{}\", error_description=\"{}\"",
            error.kind.as_str(),
            error.text
        )),
        _ => None,
    };
    if let Some(challenge) = challenge.and_then(|text| HeaderValue::from_str(&text).ok()) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    if let ErrorKind::TooManyRequests { retry_after } = error.kind {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    }
    response
}

/// The answer to who brought no bearer token where one is needed: how to, and no error, for there was nothing wrong with one (RFC 6750 3.1).
fn no_token() -> Response {
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer realm=\"countersign\""), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::UNAUTHORIZED, challenge).into_response()
}

/// A failure outside of any handler, as JSON of the same form.
pub(super) fn told(failure: &Failure) -> Response {
    tracing::debug!(status = failure.status.as_u16(), code = failure.code, "a request was refused");
    let error = match failure.status {
        StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
        status if status.is_server_error() => "server_error",
        _ => "invalid_request",
    };
    let mut response =
        json(failure.status, &serde_json::json!({ "error": error, "error_description": wire_text(&failure.detail) }));
    if failure.status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    }
    response
}

/// Lets the page that asks read a refusal (C20): beside the pages of the client that is named, which read every answer to it, those that the preflight lets ask, which
/// names no client either. Without it a page would see a network error where it should see `invalid_grant` or a 401, and with less, whether a client exists (K20).
/// `route` is the pattern that `path` fits.
pub(super) async fn let_read(
    state: &AppState,
    (route, path): (&str, &str),
    origin: Option<&str>,
    response: &mut Response,
) {
    let is_settled =
        response.status().as_u16() < 400 || response.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN);
    let Some(origin) = origin.filter(|_| !is_settled) else { return };
    match route.rsplit('/').next().unwrap_or_default() {
        // for servers, not for pages
        "introspect" | "launch" => {}
        "token" | "revoke" | "userinfo" => {
            let slug = path.split('/').nth(2).unwrap_or_default();
            if is_registered(state, slug, origin).await {
                allow_origin(response, origin);
            }
        }
        // discovery, registration: pages of anybody
        _ => allow_origin(response, "*"),
    }
}

/// Is a client at home at this origin that the organization lets in?
async fn is_registered(state: &AppState, slug: &str, origin: &str) -> bool {
    let asked = async {
        let mut conn = state.app.store.read().await?;
        match storage::organizations::find_by_slug(&mut conn, slug).await? {
            Some(organization) => storage::origins::is_registered(&mut conn, &organization.id, origin).await,
            None => Ok(false),
        }
    };
    asked.await.unwrap_or(false)
}

/// The origin of the page that asks, if the request comes from one.
pub(super) fn origin(headers: &HeaderMap) -> Option<String> {
    cors::read_origin(headers.get(header::ORIGIN)?.to_str().ok()?)
}

/// Lets a page at `origin` read an answer.
fn allow_origin(response: &mut Response, origin: &str) {
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(origin) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
    }
    if origin != "*" {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
    headers
        .insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("ETag, WWW-Authenticate, Retry-After"));
}

/// The answer to a preflight.
fn preflight(origin: Option<&str>, methods: &'static str) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let Some(origin) = origin else { return response };
    allow_origin(&mut response, origin);
    let allowed: [(HeaderName, &str); 3] = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, accept, prefer, if-none-match"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    for (name, value) in allowed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    response
}
