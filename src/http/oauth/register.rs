//! `/o/{organization}/register`: dynamic client registration (RFC 7591) and its management (RFC 7592).
//!
//! `contacts` is required: reviewers must be able to write to somebody.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Challenge, authorization, json as answer, organization, refusal};
use crate::domain::clients::{AssertionAudience, ClientMetadata, ClientType, GrantType};
use crate::domain::ids::ClientId;
use crate::domain::organizations::Organization;
use crate::domain::secrets::PlainSecret;
use crate::governance::Refusal;
use crate::governance::clients::OwnClient;
use crate::governance::dynamic_registration::{self as dynamic, Managed, NotManaged};
use crate::http::AppState;
use crate::protocol::introspection::bearer;
use crate::protocol::{ErrorKind, OAuthError};

/// What is asked for where nothing is said (RFC 7591 2): to sign people in.
const DEFAULT_SCOPE: &str = "openid profile";
/// The same for a client that registers for refresh tokens.
const DEFAULT_SCOPE_WITH_REFRESH: &str = "openid profile offline_access";
/// Most URIs of a kind.
const MOST_URIS: usize = 20;

/// Client metadata as sent. Members we do not know are ignored: among them everything a client could wish to say about its own approval (D06).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Sent {
    client_id: Option<String>,
    client_name: Option<String>,
    client_uri: Option<String>,
    logo_uri: Option<String>,
    tos_uri: Option<String>,
    policy_uri: Option<String>,
    contacts: Vec<String>,
    redirect_uris: Vec<String>,
    post_logout_redirect_uris: Vec<String>,
    backchannel_logout_uri: Option<String>,
    launch_uri: Option<String>,
    initiate_login_uri: Option<String>,
    token_endpoint_auth_method: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    application_type: Option<String>,
    scope: Option<String>,
    jwks: Option<Value>,
    jwks_uri: Option<String>,
    software_statement: Option<String>,
    id_token_signed_response_alg: Option<String>,
    subject_type: Option<String>,
}

fn invalid(text: &'static str) -> OAuthError {
    OAuthError::new(ErrorKind::InvalidClientMetadata, text)
}

fn read_body(body: &Bytes, allow_private: bool) -> Result<Sent, OAuthError> {
    // a struct would also read from a list
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(invalid("the body is not client metadata"));
    }
    let sent: Sent = serde_json::from_slice(body)
        .map_err(|error| invalid("the body is not client metadata").because(error.to_string()))?;
    if sent.software_statement.is_some() {
        return Err(OAuthError::new(
            ErrorKind::InvalidSoftwareStatement,
            "no issuer of software statements is trusted here",
        ));
    }
    if sent.redirect_uris.len() > MOST_URIS
        || sent.post_logout_redirect_uris.len() > MOST_URIS
        || sent.contacts.len() > MOST_URIS
    {
        return Err(invalid("there are too many URIs or contacts"));
    }
    if sent.id_token_signed_response_alg.as_deref().is_some_and(|alg| alg != "RS256") {
        return Err(invalid("id_token_signed_response_alg must be RS256"));
    }
    if sent.subject_type.as_deref().is_some_and(|kind| kind != "public") {
        return Err(invalid("subject_type must be public"));
    }
    if sent.response_types.as_ref().is_some_and(|types| types.iter().any(|kind| kind != "code")) {
        return Err(invalid("response_types must be code"));
    }
    // a logo is uploaded, never fetched; its address still has to be one that could be shown
    for uri in [
        &sent.logo_uri,
        &sent.jwks_uri,
        &sent.policy_uri,
        &sent.tos_uri,
        &sent.client_uri,
        &sent.backchannel_logout_uri,
    ]
    .into_iter()
    .flatten()
    {
        let is_public =
            url::Url::parse(uri).is_ok_and(|url| crate::outbound::http_client::check(&url, allow_private).is_ok());
        if !is_public {
            return Err(invalid("a URI is not a public https address"));
        }
    }
    Ok(sent)
}

/// What was sent as what we keep; `before` keeps what these members cannot say.
fn metadata(sent: &Sent, before: Option<&ClientMetadata>) -> Result<ClientMetadata, OAuthError> {
    let client_type = match sent.token_endpoint_auth_method.as_deref().unwrap_or("client_secret_basic") {
        "none" => ClientType::Public,
        "client_secret_basic" | "client_secret_post" => ClientType::ConfidentialSecret,
        "private_key_jwt" => ClientType::ConfidentialKeys,
        _ => return Err(invalid("token_endpoint_auth_method is not supported")),
    };
    // OpenID clients send their keys along whatever they prove themselves with; we have no other use for them
    let has_keys = client_type == ClientType::ConfidentialKeys;
    let words = sent.grant_types.clone().unwrap_or_else(|| vec!["authorization_code".into()]);
    let grant_types: Option<Vec<GrantType>> = words.iter().map(|word| GrantType::parse(word)).collect();
    let grant_types = grant_types.ok_or_else(|| invalid("a grant type is not supported"))?;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    Ok(ClientMetadata {
        name: sent.client_name.clone().unwrap_or_else(|| "Unnamed app".into()),
        description: before.map(|before| before.description.clone()).unwrap_or_default(),
        logo: before.and_then(|before| before.logo.clone()),
        contacts: sent.contacts.clone(),
        homepage: text(&sent.client_uri),
        privacy: text(&sent.policy_uri),
        terms: text(&sent.tos_uri),
        client_type,
        jwks: sent.jwks.as_ref().filter(|_| has_keys).map(Value::to_string),
        jwks_uri: sent.jwks_uri.clone().filter(|_| has_keys),
        redirect_uris: sent.redirect_uris.clone(),
        launch_uri: sent.launch_uri.clone().or_else(|| sent.initiate_login_uri.clone()),
        post_logout_redirect_uris: sent.post_logout_redirect_uris.clone(),
        backchannel_logout_uri: sent.backchannel_logout_uri.clone(),
        native: sent.application_type.as_deref() == Some("native"),
        grant_types,
        assertion_audience: before.map_or(AssertionAudience::Smart, |before| before.assertion_audience),
        fhir_context_objects: before.is_none_or(|before| before.fhir_context_objects),
    })
}

/// What is kept as it is told.
fn told(own: &OwnClient, scopes: &str, token: &str, registration_uri: String) -> Map<String, Value> {
    let metadata = &own.latest.metadata;
    let method = match metadata.client_type {
        ClientType::Public => "none",
        ClientType::ConfidentialSecret => "client_secret_basic",
        ClientType::ConfidentialKeys => "private_key_jwt",
    };
    let mut members = Map::new();
    let mut tell = |name: &str, value: Value| {
        let is_nothing = value.is_null() || value == "" || value.as_array().is_some_and(Vec::is_empty);
        if !is_nothing {
            members.insert(name.to_owned(), value);
        }
    };
    tell("client_id", own.client.id.as_str().into());
    tell("client_id_issued_at", own.client.created_at.seconds().into());
    tell("registration_access_token", token.into());
    tell("registration_client_uri", registration_uri.into());
    tell("client_name", metadata.name.as_str().into());
    tell("client_uri", metadata.homepage.as_str().into());
    tell("policy_uri", metadata.privacy.as_str().into());
    tell("tos_uri", metadata.terms.as_str().into());
    tell("contacts", metadata.contacts.clone().into());
    tell("redirect_uris", metadata.redirect_uris.clone().into());
    tell("post_logout_redirect_uris", metadata.post_logout_redirect_uris.clone().into());
    tell("backchannel_logout_uri", json!(metadata.backchannel_logout_uri));
    tell("launch_uri", json!(metadata.launch_uri));
    tell("jwks_uri", json!(metadata.jwks_uri));
    tell("jwks", metadata.jwks.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null));
    tell("token_endpoint_auth_method", method.into());
    tell("grant_types", metadata.grant_types.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().into());
    if metadata.may_use(GrantType::AuthorizationCode) {
        tell("response_types", json!(["code"]));
    }
    tell("application_type", if metadata.native { "native" } else { "web" }.into());
    tell("id_token_signed_response_alg", "RS256".into());
    tell("scope", scopes.into());
    members
}

fn refused(error: Refusal) -> Response {
    match error {
        Refusal::Invalid(faults) => {
            let is_about_redirects = faults.iter().any(|fault| fault.field.starts_with("redirect_uri"));
            let kind =
                if is_about_redirects { ErrorKind::InvalidRedirectUri } else { ErrorKind::InvalidClientMetadata };
            let text =
                faults.iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect::<Vec<_>>().join("; ");
            let text: String = text.chars().filter(|c| (' '..='~').contains(c) && !matches!(c, '"' | '\\')).collect();
            answer(StatusCode::BAD_REQUEST, &json!({ "error": kind.as_str(), "error_description": text }))
        }
        Refusal::Storage(error) => refusal(&error.into(), Challenge::None),
        Refusal::NotFound => {
            refusal(&OAuthError::new(ErrorKind::InvalidToken, "the token is not valid"), Challenge::Bearer)
        }
        Refusal::Forbidden(_) | Refusal::Conflict(_) | Refusal::Changed => refusal(
            &OAuthError::new(ErrorKind::InvalidClientMetadata, "this is not possible now").because(error.to_string()),
            Challenge::None,
        ),
    }
}

fn invalid_token() -> OAuthError {
    OAuthError::new(ErrorKind::InvalidToken, "the token is not valid")
}

async fn issuer(state: &AppState, slug: &str) -> Result<Organization, OAuthError> {
    organization(&state.app, slug).await?.ok_or_else(invalid_token)
}

fn registration_uri(state: &AppState, organization: &Organization, client: &ClientId) -> String {
    format!("{}/register/{client}", state.app.issuer(&organization.slug))
}

/// `POST /o/{organization}/register`.
pub async fn register(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let made = async {
        let organization = issuer(&state, &slug).await?;
        let sent = read_body(&body, state.app.config.outbound.allow_private_networks)?;
        let metadata = metadata(&sent, None)?;
        if dynamic::is_flooded(&state.app, &organization).await? {
            return Ok(Err(too_many()));
        }
        let token = authorization(&headers)?.map(|header| bearer(header).unwrap_or_default());
        if !dynamic::may_register(&state.app, &organization, token).await? {
            return Err(invalid_token());
        }
        let scopes = sent.scope.as_deref().filter(|scope| !scope.is_empty()).unwrap_or_else(|| {
            if metadata.may_use(GrantType::RefreshToken) { DEFAULT_SCOPE_WITH_REFRESH } else { DEFAULT_SCOPE }
        });
        let registered = match dynamic::register(&state.app, &organization, metadata, scopes, "").await {
            Ok(registered) => registered,
            Err(error) => return Ok(Err(refused(error))),
        };
        let uri = registration_uri(&state, &organization, &registered.own.client.id);
        let mut members = told(&registered.own, &registered.scopes, registered.token.reveal(), uri);
        if let Some(secret) = &registered.secret {
            members.insert("client_secret".into(), PlainSecret::reveal(secret).into());
            members.insert("client_secret_expires_at".into(), 0.into());
        }
        Ok(Ok(answer(StatusCode::CREATED, &Value::Object(members))))
    };
    finish(made.await)
}

fn too_many() -> Response {
    let mut response = answer(
        StatusCode::TOO_MANY_REQUESTS,
        &json!({ "error": "temporarily_unavailable", "error_description": "try again in an hour" }),
    );
    response.headers_mut().insert(header::RETRY_AFTER, axum::http::HeaderValue::from_static("3600"));
    response
}

fn finish(result: Result<Result<Response, Response>, OAuthError>) -> Response {
    let mut response = match result {
        Ok(Ok(response) | Err(response)) => response,
        Err(error) => refusal(&error, Challenge::Bearer),
    };
    super::allow_origin(&mut response, "*");
    response
}

async fn managed(
    state: &AppState,
    slug: &str,
    client: &str,
    headers: &HeaderMap,
) -> Result<(Organization, Managed, String), OAuthError> {
    let organization = issuer(state, slug).await?;
    let token = authorization(headers)?.and_then(bearer).ok_or_else(invalid_token)?.to_owned();
    let managed = dynamic::managed(&state.app, &organization, &ClientId::from_text(client), &token).await;
    match managed {
        Ok(managed) => Ok((organization, managed, token)),
        Err(NotManaged::Unknown) => Err(invalid_token()),
        Err(NotManaged::Disabled) => {
            Err(OAuthError::new(ErrorKind::InsufficientScope, "the organization has disabled this client"))
        }
        Err(NotManaged::Storage(error)) => Err(error.into()),
    }
}

/// `GET /o/{organization}/register/{client}`.
pub async fn read(
    State(state): State<AppState>,
    Path((slug, client)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let found = async {
        let (organization, managed, token) = managed(&state, &slug, &client, &headers).await?;
        let uri = registration_uri(&state, &organization, &managed.own.client.id);
        Ok(Ok(answer(StatusCode::OK, &Value::Object(told(&managed.own, managed.scopes(), &token, uri)))))
    };
    finish(found.await)
}

/// `PUT /o/{organization}/register/{client}`.
pub async fn change(
    State(state): State<AppState>,
    Path((slug, client)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let changed = async {
        let (organization, managed, token) = managed(&state, &slug, &client, &headers).await?;
        let sent = read_body(&body, state.app.config.outbound.allow_private_networks)?;
        if sent.client_id.as_deref() != Some(managed.own.client.id.as_str()) {
            return Err(invalid("client_id must be that of the client"));
        }
        let before = managed.own.latest.metadata.clone();
        let metadata = metadata(&sent, Some(&before))?;
        if metadata.client_type != before.client_type {
            return Err(invalid("token_endpoint_auth_method cannot be changed: register anew"));
        }
        let scopes =
            sent.scope.clone().filter(|scope| !scope.is_empty()).unwrap_or_else(|| managed.scopes().to_owned());
        let own = match dynamic::change(&state.app, &organization, &managed, metadata, &scopes).await {
            Ok(own) => own,
            Err(error) => return Ok(Err(refused(error))),
        };
        let uri = registration_uri(&state, &organization, &own.client.id);
        Ok(Ok(answer(StatusCode::OK, &Value::Object(told(&own, &scopes, &token, uri)))))
    };
    finish(changed.await)
}

/// `DELETE /o/{organization}/register/{client}`.
pub async fn delete(
    State(state): State<AppState>,
    Path((slug, client)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let deleted = async {
        let (_, managed, _) = managed(&state, &slug, &client, &headers).await?;
        match dynamic::delete(&state.app, &managed).await {
            Ok(()) => {
                Ok(Ok((StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")])
                    .into_response()))
            }
            Err(error) => Ok(Err(refused(error))),
        }
    };
    finish(deleted.await)
}
