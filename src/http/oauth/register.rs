//! `/o/{organization}/register`: dynamic client registration (RFC 7591) and its management (RFC 7592).
//!
//! A page of any origin may use it (CORS): nothing here goes by cookies.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};

use super::client_metadata::{Sent, members, told};
use super::{
    Challenge, authorization, json as answer, media_type, no_token, organization, preflight, refusal, wire_text,
};
use crate::domain::clients::{ClientType, GrantType};
use crate::domain::ids::ClientId;
use crate::domain::organizations::Organization;
use crate::domain::secrets::PlainSecret;
use crate::governance::Refusal;
use crate::governance::clients::OwnClient;
use crate::governance::dynamic_registration::{self as dynamic, Managed, NotManaged, NotRegistered, Wish};
use crate::http::AppState;
use crate::protocol::introspection::bearer;
use crate::protocol::{ErrorKind, OAuthError};

/// What is asked for where nothing is said (RFC 7591 2): to sign people in.
const DEFAULT_SCOPE: &str = "openid profile";
/// The same for a client that registers for refresh tokens.
const DEFAULT_SCOPE_WITH_REFRESH: &str = "openid profile offline_access";
/// When to come back after [`NotRegistered::TooMany`], seconds.
const RETRY_AFTER: u32 = 3600;

/// A refusal, or the answer to one that tells more than a code and a sentence.
enum Failure {
    Error(OAuthError),
    Told(Box<Response>),
}

impl From<OAuthError> for Failure {
    fn from(error: OAuthError) -> Self {
        Self::Error(error)
    }
}

fn invalid(text: &'static str) -> OAuthError {
    OAuthError::new(ErrorKind::InvalidClientMetadata, text)
}

fn invalid_token() -> OAuthError {
    OAuthError::new(ErrorKind::InvalidToken, "the token is not valid")
}

/// The member on the wire that says what `field` is about.
fn member_of(field: &str) -> &str {
    match field {
        "name" => "client_name",
        "homepage" => "client_uri",
        "privacy" => "policy_uri",
        "terms" => "tos_uri",
        "scopes" => "scope",
        "client_type" => "token_endpoint_auth_method",
        same => same,
    }
}

/// Metadata that governance did not take: every mistake, in one sentence each.
fn refused(error: Refusal) -> Failure {
    match error {
        Refusal::Invalid(faults) => {
            let is_about_redirects = faults.iter().any(|fault| fault.field == "redirect_uris");
            let kind =
                if is_about_redirects { ErrorKind::InvalidRedirectUri } else { ErrorKind::InvalidClientMetadata };
            let text = faults
                .iter()
                .map(|fault| format!("{}: {}", member_of(fault.field), fault.message))
                .collect::<Vec<_>>()
                .join("; ");
            let body = json!({ "error": kind.as_str(), "error_description": wire_text(&text) });
            Failure::Told(Box::new(answer(StatusCode::BAD_REQUEST, &body)))
        }
        Refusal::Storage(error) => Failure::Error(error.into()),
        Refusal::NotFound => Failure::Error(invalid_token()),
        Refusal::Forbidden(_) | Refusal::Conflict(_) | Refusal::Changed => {
            Failure::Error(invalid("this is not possible now").because(error.to_string()))
        }
    }
}

impl From<NotRegistered> for Failure {
    fn from(not: NotRegistered) -> Self {
        match not {
            NotRegistered::NotAllowed => invalid_token().into(),
            NotRegistered::TooMany => OAuthError::too_many(RETRY_AFTER, "too many clients register themselves").into(),
            NotRegistered::Refused(refusal) => refused(refusal),
        }
    }
}

impl From<NotManaged> for Failure {
    fn from(not: NotManaged) -> Self {
        let forbidden = |text| OAuthError::new(ErrorKind::InsufficientScope, text).into();
        match not {
            NotManaged::Unknown => invalid_token().into(),
            NotManaged::Disabled => forbidden("the organization has disabled this client"),
            NotManaged::Blocked => forbidden("the organization has blocked this client from asking"),
            NotManaged::Refused(refusal) => refused(refusal),
        }
    }
}

/// An answer as JSON. Who brings no token is told how to bring one, and nothing else (RFC 6750 3.1).
fn finish(headers: &HeaderMap, result: Result<Response, Failure>) -> Response {
    let mut response = match result {
        Ok(response) => response,
        Err(Failure::Told(response)) => *response,
        Err(Failure::Error(error))
            if error.kind == ErrorKind::InvalidToken && !headers.contains_key(header::AUTHORIZATION) =>
        {
            no_token()
        }
        Err(Failure::Error(error)) => refusal(&error, Challenge::Bearer),
    };
    super::allow_origin(&mut response, "*");
    response
}

async fn issuer(state: &AppState, slug: &str) -> Result<Organization, OAuthError> {
    organization(&state.app, slug).await?.ok_or_else(invalid_token)
}

/// The members of a JSON body.
fn read_body(headers: &HeaderMap, body: &Bytes) -> Result<Map<String, Value>, OAuthError> {
    if media_type(headers) != "application/json" {
        return Err(invalid("the body must be application/json"));
    }
    members(body)
}

/// The client information response (RFC 7591 3.2.1, RFC 7592 3).
fn information(
    state: &AppState,
    organization: &Organization,
    own: &OwnClient,
    (scopes, token): (&str, &str),
) -> Map<String, Value> {
    let mut members = told(own, scopes);
    let uri = format!("{}/register/{}", state.app.issuer(&organization.slug), own.client.id);
    members.insert("registration_client_uri".into(), uri.into());
    members.insert("registration_access_token".into(), token.into());
    members
}

/// `POST /o/{organization}/register`.
pub async fn register(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    finish(&headers, registered(&state, &slug, &headers, &body).await)
}

async fn registered(state: &AppState, slug: &str, headers: &HeaderMap, body: &Bytes) -> Result<Response, Failure> {
    // 1 may whoever asks? Nothing is used up by asking
    let organization = issuer(state, slug).await?;
    let token = authorization(headers)?.map(|header| bearer(header).unwrap_or_default());
    let pass = dynamic::pass(&state.app, &organization, token).await.map_err(OAuthError::from)?;
    let pass = pass.ok_or_else(invalid_token)?;
    // 2 what is to be registered
    let sent = Sent::read(&read_body(headers, body)?, state.app.config.outbound.allow_private_networks)?;
    let scopes = sent.scopes().map(str::to_owned);
    let metadata = sent.metadata(None)?;
    let default = if metadata.may_use(GrantType::RefreshToken) { DEFAULT_SCOPE_WITH_REFRESH } else { DEFAULT_SCOPE };
    let wish = Wish { metadata, scopes: scopes.unwrap_or_else(|| default.to_owned()) };
    // 3 all of it, or nothing
    let registered = dynamic::register(&state.app, &organization, pass, wish).await?;
    let mut members =
        information(state, &organization, &registered.own, (&registered.scopes, registered.token.reveal()));
    if let Some(secret) = &registered.secret {
        members.insert("client_secret".into(), secret.reveal().into());
        members.insert("client_secret_expires_at".into(), 0.into());
    }
    Ok(answer(StatusCode::CREATED, &Value::Object(members)))
}

async fn managed(
    state: &AppState,
    slug: &str,
    client: &str,
    headers: &HeaderMap,
) -> Result<(Organization, Managed, String), Failure> {
    let organization = issuer(state, slug).await?;
    let token = authorization(headers)?.and_then(bearer).ok_or_else(invalid_token)?.to_owned();
    let managed = dynamic::managed(&state.app, &organization, &ClientId::from_text(client), &token).await?;
    Ok((organization, managed, token))
}

/// `GET /o/{organization}/register/{client}`.
pub async fn read(
    State(state): State<AppState>,
    Path((slug, client)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let found = async {
        let (organization, managed, token) = managed(&state, &slug, &client, &headers).await?;
        let members = information(&state, &organization, &managed.own, (managed.scopes(), &token));
        Ok(answer(StatusCode::OK, &Value::Object(members)))
    };
    finish(&headers, found.await)
}

/// `PUT /o/{organization}/register/{client}`: the whole set anew. What is left out is no longer said, but for the scope, which stays as it was last asked.
pub async fn change(
    State(state): State<AppState>,
    Path((slug, client)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    finish(&headers, changed(&state, (&slug, &client), &headers, &body).await)
}

async fn changed(
    state: &AppState,
    (slug, client): (&str, &str),
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Response, Failure> {
    // 1 who
    let (organization, managed, token) = managed(state, slug, client, headers).await?;
    // 2 what; what only we say may at most be repeated
    let members = read_body(headers, body)?;
    let before = information(state, &organization, &managed.own, (managed.scopes(), &token));
    is_ours_unchanged(&members, &before, &managed.own, state)?;
    let sent = Sent::read(&members, state.app.config.outbound.allow_private_networks)?;
    let scopes = sent.scopes().unwrap_or_else(|| managed.scopes()).to_owned();
    let old = managed.own.latest.metadata.clone();
    let metadata = sent.metadata(Some(&old))?;
    if metadata.client_type != old.client_type {
        return Err(invalid("token_endpoint_auth_method cannot be changed: register anew").into());
    }
    // 3 all of it, or nothing
    let own = dynamic::change(&state.app, managed, Wish { metadata, scopes: scopes.clone() }).await?;
    let members = information(state, &organization, &own, (&scopes, &token));
    Ok(answer(StatusCode::OK, &Value::Object(members)))
}

/// RFC 7592 2.2: `client_id` must be sent and be the client's; `client_secret`, if sent, must be the one we made; the registration access token, its URI and
/// the times of issue and expiry are not the client's to send. Many clients send back what they read, so these are taken when they change nothing, and refused
/// when they would.
fn is_ours_unchanged(
    sent: &Map<String, Value>,
    before: &Map<String, Value>,
    own: &OwnClient,
    state: &AppState,
) -> Result<(), OAuthError> {
    if sent.get("client_id") != before.get("client_id") {
        return Err(invalid("client_id must be that of the client"));
    }
    let is_repeated = |name: &str| sent.get(name).is_none_or(|value| before.get(name) == Some(value));
    if !["registration_access_token", "registration_client_uri", "client_id_issued_at"].into_iter().all(is_repeated) {
        return Err(invalid("what the server says of a registration cannot be changed"));
    }
    let has_secret = own.latest.metadata.client_type == ClientType::ConfidentialSecret;
    if sent.get("client_secret_expires_at").is_some_and(|at| !has_secret || *at != json!(0)) {
        return Err(invalid("what the server says of a registration cannot be changed"));
    }
    if let Some(secret) = sent.get("client_secret") {
        let now = state.app.now();
        let presented = PlainSecret::from_text(secret.as_str().unwrap_or_default()).hashed();
        let is_known = own.secrets.iter().any(|known| known.is_live(now) && known.secret_hash.matches(&presented));
        if !is_known {
            return Err(invalid("client_secret is not that of the client"));
        }
    }
    Ok(())
}

/// `DELETE /o/{organization}/register/{client}`.
pub async fn delete(
    State(state): State<AppState>,
    Path((slug, client)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let deleted = async {
        let (_, managed, _) = managed(&state, &slug, &client, &headers).await?;
        dynamic::delete(&state.app, managed).await?;
        let unkept = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
        Ok((StatusCode::NO_CONTENT, unkept).into_response())
    };
    finish(&headers, deleted.await)
}

/// `OPTIONS` of both.
pub async fn options() -> Response {
    preflight(Some("*"), "GET, POST, PUT, DELETE, OPTIONS")
}
