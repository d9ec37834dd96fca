//! A small but honest FHIR R4 server for the tour.
//!
//! It knows nothing of the authorization server's internals: on **every** request it introspects the token over HTTP
//! with its own credentials (`introspection`), asks the `fhir-scopes` crate what the granted scopes allow
//! (`access`), and applies its own policy about which person may see whom. A disabled client is refused at its next
//! request.
//!
//! Interactions: read, vread of the current version, search by GET and POST, search in a Patient's compartment, create,
//! update and delete in memory. Everything else is refused in words. All resources pass through fhirbolt elements.

mod access;
mod criteria;
mod interaction;
mod introspection;
mod moments;
mod parameters;
mod person;
mod refusal;
mod search;
mod smart;
mod store;
#[cfg(test)]
mod tests;
mod writing;

use std::fmt;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, CONTENT_TYPE, ETAG, LAST_MODIFIED, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, request};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use self::access::{Access, Reach};
use self::interaction::Interaction;
use self::person::Person;
use self::refusal::Refusal;
use self::search::Search;
use self::store::{Found, Store, Stored};
use super::data;
use crate::outbound::fhir::{FHIR_JSON, NotFhir, R4};

const LARGEST_BODY: usize = 1024 * 1024;

/// The server's secret at the authorization server: shown only to the code that sends it.
#[derive(Clone)]
pub struct Credential(String);

impl Credential {
    /// Keeps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

/// Where the server stands and whom it asks about tokens. All URLs are absolute, without a slash at the end.
#[derive(Debug, Clone)]
pub struct FhirServerConfig {
    /// The FHIR base URL as clients use it, and the audience tokens must carry. Its path is where the routes are mounted.
    pub base_url: String,
    /// The issuer whose tokens are believed.
    pub issuer: String,
    /// The issuer's SMART configuration for this endpoint (`{issuer}/fhir/{endpoint}/.well-known/smart-configuration`).
    pub smart_configuration: String,
    /// The issuer's introspection endpoint.
    pub introspection_endpoint: String,
    /// The issuer's authorization endpoint, for the conformance statement.
    pub authorization_endpoint: String,
    /// The issuer's token endpoint, for the conformance statement.
    pub token_endpoint: String,
    /// This resource server's client id.
    pub client_id: String,
    /// This resource server's secret.
    pub client_secret: Credential,
}

/// Why the server cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum FhirServerError {
    /// The base URL is not an absolute http(s) URL.
    #[error("the FHIR base URL cannot be used: {0}")]
    BaseUrl(String),
    /// The demo data is not R4 (a bug in the data).
    #[error(transparent)]
    Data(#[from] NotFhir),
    /// The HTTP client cannot be made (no TLS roots, say).
    #[error("no HTTP client: {0}")]
    Http(#[from] reqwest::Error),
}

/// The running server.
#[derive(Debug)]
struct FhirServer {
    config: FhirServerConfig,
    /// Path of the base URL, without a slash at the end; empty at the root.
    prefix: String,
    store: RwLock<Store>,
    http: reqwest::Client,
    discovery: Mutex<smart::Copy>,
}

/// The routes of the server with the demo patients, mounted at the path of `config.base_url`.
pub fn router(mut config: FhirServerConfig) -> Result<Router, FhirServerError> {
    let trimmed = config.base_url.trim_end_matches('/').len();
    config.base_url.truncate(trimmed);
    let url = Url::parse(&config.base_url).map_err(|e| FhirServerError::BaseUrl(e.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some() {
        return Err(FhirServerError::BaseUrl("it is an http(s) URL without query or fragment".to_owned()));
    }
    let prefix = url.path().trim_end_matches('/').to_owned();
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(5))
        .build()?;
    let store = RwLock::new(Store::load(&data::resources())?);
    let root = format!("{prefix}/");
    let below = format!("{prefix}/{{*path}}");
    let server = Arc::new(FhirServer { config, prefix: prefix.clone(), store, http, discovery: Mutex::default() });
    let mut router = Router::new().route(&root, any(entry)).route(&below, any(entry));
    if !prefix.is_empty() {
        router = router.route(&prefix, any(entry));
    }
    Ok(router.with_state(server))
}

/// Every request comes in here: preflight, the open documents, then the guarded interactions; CORS goes on all answers.
async fn entry(State(server): State<Arc<FhirServer>>, request: Request) -> Response {
    let path = request.uri().path().strip_prefix(&server.prefix).unwrap_or_default().trim_start_matches('/').to_owned();
    let is_get = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut response = match (request.method(), path.as_str()) {
        (&Method::OPTIONS, _) => preflight(),
        (_, ".well-known/smart-configuration") if is_get => smart::configuration(&server, request.headers()).await,
        // JSON whatever `Accept` says: who asks does not know yet what is spoken here
        (_, "metadata") if is_get => match json_accepted(&HeaderMap::new(), request.uri().query()) {
            Ok(()) => smart::conformance(&server, request.headers()).await,
            Err(refusal) => refusal.into_response(),
        },
        (_, ".well-known/smart-configuration" | "metadata") => Refusal::wrong_method().into_response(),
        _ => guarded(&server, &path, request).await.unwrap_or_else(IntoResponse::into_response),
    };
    let headers = response.headers_mut();
    // bearer tokens, no cookies: any origin may call, and only a holder of a token gets something
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("WWW-Authenticate, ETag, Last-Modified, Location, Content-Location, Retry-After"),
    );
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(VARY, HeaderValue::from_static("Authorization, Accept, Origin"));
    response
}

fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE, OPTIONS"));
    headers.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("authorization, content-type, accept, prefer, if-match, if-none-match, if-none-exist"),
    );
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}

/// The time of a write. This server is an edge of its own: nothing below it asks for the time.
#[allow(clippy::disallowed_methods, reason = "the demo server stands outside and has no clock handed to it")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// A request that needs a token.
async fn guarded(server: &FhirServer, path: &str, request: Request) -> Result<Response, Refusal> {
    // 1 who asks
    let token = introspection::ask(server, introspection::bearer(request.headers(), request.uri().query())?).await?;
    // 2 what is asked
    let (parts, body) = request.into_parts();
    json_accepted(&parts.headers, parts.uri.query())?;
    let body = to_bytes(body, LARGEST_BODY).await.map_err(|_| Refusal::too_large())?;
    let asked = Interaction::read(&parts, path, &body)?;
    // 3 may they
    let person = Person::of(token.fhir_user.as_deref(), &server.store.read().expect("no holder of this lock panics"));
    let access = Access::of(&token, person, &server.config.base_url);
    let content = match &asked {
        Interaction::Create { kind } | Interaction::Update { kind, .. } => {
            Some(writing::content(kind, &parts.headers, &body)?)
        }
        Interaction::Read { .. }
        | Interaction::Search { .. }
        | Interaction::Delete { .. }
        | Interaction::Unsupported(_) => None,
    };
    let reach = access.decide(&parts, path, &body, content.as_ref())?;
    // 4 do it
    perform(server, asked, &reach, &parts, content.unwrap_or_default())
}

fn perform(
    server: &FhirServer,
    asked: Interaction,
    reach: &Reach<'_>,
    parts: &request::Parts,
    content: Value,
) -> Result<Response, Refusal> {
    let store = || server.store.read().expect("no holder of this lock panics");
    match asked {
        Interaction::Read { kind, id, version } => {
            let store = store();
            let stored = match store.find(&kind, &id) {
                Found::Present(stored) if reach.covers(&stored.json) => stored,
                Found::Deleted { before } if reach.covers(&before.json) => return Err(Refusal::gone()),
                Found::Present(_) | Found::Deleted { .. } | Found::Nothing => return Err(Refusal::not_found()),
            };
            if version.is_some_and(|version| version != stored.version.to_string()) {
                return Err(Refusal::not_found());
            }
            Ok(stored_answer(StatusCode::OK, stored))
        }
        Interaction::Search { kind, compartment, pairs } => {
            let lenient = prefers(&parts.headers, "handling=lenient");
            let base_url = &server.config.base_url;
            let search = Search::read(&kind, compartment.as_deref(), &pairs, base_url, lenient)?;
            let bundle = search.run(&store(), base_url, &|json| reach.covers(json));
            Ok(fhir_answer(StatusCode::OK, &bundle))
        }
        Interaction::Create { kind } => writing::create(server, &kind, reach, &parts.headers, (content, now())),
        Interaction::Update { kind, id } => {
            writing::update(server, (&kind, &id), reach, &parts.headers, (content, now()))
        }
        Interaction::Delete { kind, id } => writing::delete(server, &kind, &id, reach),
        Interaction::Unsupported(sentence) => Err(Refusal::not_supported(sentence)),
    }
}

/// Is a value among the `Prefer` headers?
fn prefers(headers: &HeaderMap, wanted: &str) -> bool {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split([',', ';'])).any(|value| value.trim().eq_ignore_ascii_case(wanted))
}

/// JSON is the only format: `_format` decides before `Accept` (R4 3.1.0.1.11).
fn json_accepted(headers: &HeaderMap, query: Option<&str>) -> Result<(), Refusal> {
    let json = |kind: &str| {
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        matches!(
            kind.as_str(),
            "" | "*/*"
                | "application/*"
                | "json"
                | "application/json"
                | "application/fhir+json"
                | "application/json+fhir"
                | "text/json"
        )
    };
    let format = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).find(|(name, _)| name == "_format");
    let accepted = match format {
        // an unescaped plus arrives as a space
        Some((_, format)) => json(&format.replace(' ', "+")),
        None => match headers.get(ACCEPT).map(|value| value.to_str().unwrap_or_default()) {
            // a browser's address bar asks for HTML and takes anything
            Some(accept) => accept.split(',').any(json),
            None => true,
        },
    };
    if accepted { Ok(()) } else { Err(Refusal::json_only()) }
}

fn fhir_answer(status: StatusCode, resource: &R4) -> Response {
    let mut response = Response::new(Body::from(resource.to_text()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/fhir+json; charset=utf-8"));
    debug_assert!("application/fhir+json; charset=utf-8".starts_with(FHIR_JSON));
    response
}

fn stored_answer(status: StatusCode, stored: &Stored) -> Response {
    let mut response = fhir_answer(status, &stored.resource);
    version_headers(response.headers_mut(), stored);
    response
}

fn version_headers(headers: &mut HeaderMap, stored: &Stored) {
    let tag = HeaderValue::try_from(format!("W/\"{}\"", stored.version)).expect("a number in quotes is a header value");
    headers.insert(ETAG, tag);
    let updated = stored.json["meta"]["lastUpdated"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let text = updated.map(|at| at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    if let Some(text) = text.and_then(|text| HeaderValue::try_from(text).ok()) {
        headers.insert(LAST_MODIFIED, text);
    }
}
