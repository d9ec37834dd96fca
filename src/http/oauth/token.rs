//! `/token`, `/introspect`, `/revoke`, `/userinfo`: for clients and resource servers. No cookie is read here.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::Response;
use serde_json::Value;

use super::{
    Challenge, allow_origin, authorization, is_registered, json, no_token, organization, origin, preflight, read_form,
    refusal,
};
use crate::domain::organizations::Organization;
use crate::http::AppState;
use crate::protocol::introspection::{bearer, introspect};
use crate::protocol::params::Params;
use crate::protocol::token::{TokenRequest, exchange};
use crate::protocol::{ErrorKind, OAuthError, cors, revocation, userinfo};

/// A form request at an organization, read.
struct Asked {
    organization: Organization,
    authorization: Option<String>,
    params: Params,
}

async fn read(
    state: &AppState,
    slug: &str,
    (uri, headers, body): (&Uri, &HeaderMap, &Bytes),
) -> Result<Asked, OAuthError> {
    // an issuer that does not exist knows no client
    let organization =
        organization(&state.app, slug).await?.ok_or_else(|| OAuthError::client("unknown organization"))?;
    let params = read_form(uri, headers, body)?;
    let authorization = authorization(headers)?.map(str::to_owned);
    Ok(Asked { organization, authorization, params })
}

fn challenge(headers: &HeaderMap) -> Challenge {
    match authorization(headers) {
        Ok(None) => Challenge::None,
        Ok(Some(value)) if bearer(value).is_some() => Challenge::Bearer,
        Ok(Some(_)) | Err(_) => Challenge::Basic,
    }
}

/// Adds the CORS headers if the page that asks belongs to the client that asks.
async fn for_page(state: &AppState, headers: &HeaderMap, asked: Option<&Asked>, mut response: Response) -> Response {
    let (Some(origin), Some(asked)) = (origin(headers), asked) else { return response };
    let request = (asked.authorization.as_deref(), &asked.params);
    if cors::is_allowed(&state.app, &asked.organization, &origin, request).await.unwrap_or(false) {
        allow_origin(&mut response, &origin);
    }
    response
}

/// `POST /o/{organization}/token`.
pub async fn token(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = match read(&state, &slug, (&uri, &headers, &body)).await {
        Ok(asked) => asked,
        Err(error) => return refusal(&error, challenge(&headers)),
    };
    let request = TokenRequest {
        organization: &asked.organization,
        authorization: asked.authorization.as_deref(),
        params: &asked.params,
    };
    let response = match exchange(&state.app, &request).await {
        Ok(members) => json(StatusCode::OK, &Value::Object(members)),
        Err(error) => refusal(&error, challenge(&headers)),
    };
    for_page(&state, &headers, Some(&asked), response).await
}

/// `POST /o/{organization}/introspect`.
pub async fn introspection(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = match read(&state, &slug, (&uri, &headers, &body)).await {
        Ok(asked) => asked,
        Err(error) => return refusal(&error, challenge(&headers)),
    };
    match introspect(&state.app, &asked.organization, asked.authorization.as_deref(), &asked.params).await {
        Ok(answer) => json(StatusCode::OK, &answer),
        Err(error) => {
            // without any proof the caller is told how to bring one
            let challenge = if asked.authorization.is_none() { Challenge::Basic } else { challenge(&headers) };
            refusal(&error, challenge)
        }
    }
}

/// `POST /o/{organization}/revoke`.
pub async fn revoke(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = match read(&state, &slug, (&uri, &headers, &body)).await {
        Ok(asked) => asked,
        Err(error) => return refusal(&error, challenge(&headers)),
    };
    let response = match revocation::revoke(
        &state.app,
        &asked.organization,
        asked.authorization.as_deref(),
        &asked.params,
    )
    .await
    {
        Ok(()) => json(StatusCode::OK, &serde_json::json!({})),
        Err(error) => refusal(&error, challenge(&headers)),
    };
    for_page(&state, &headers, Some(&asked), response).await
}

/// `GET` and `POST /o/{organization}/userinfo`: the token in the header only (RFC 6750 2.1; never in query or form, C21). Who brings none is told how, and nothing
/// else (RFC 6750 3.1).
pub async fn user_info(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match claims(&state, &slug, (&uri, &headers, &body)).await {
        Ok((asked, members)) => {
            for_page(&state, &headers, Some(&asked), json(StatusCode::OK, &Value::Object(members))).await
        }
        Err(error) if headers.get(header::AUTHORIZATION).is_none() && error.kind == ErrorKind::InvalidToken => {
            no_token()
        }
        Err(error) => refusal(&error, Challenge::Bearer),
    }
}

async fn claims(
    state: &AppState,
    slug: &str,
    (uri, headers, body): (&Uri, &HeaderMap, &Bytes),
) -> Result<(Asked, serde_json::Map<String, Value>), OAuthError> {
    let invalid = || OAuthError::new(ErrorKind::InvalidToken, "the token is not valid");
    let names_a_token = |pairs: &[u8]| url::form_urlencoded::parse(pairs).any(|(name, _)| name == "access_token");
    if uri.query().is_some_and(|query| names_a_token(query.as_bytes())) || names_a_token(body) {
        return Err(OAuthError::request("the token belongs in the Authorization header"));
    }
    let authorization = authorization(headers)?.ok_or_else(invalid)?;
    let token = bearer(authorization).ok_or_else(invalid)?;
    let organization = organization(&state.app, slug).await?.ok_or_else(invalid)?;
    let members = userinfo::userinfo(&state.app, &organization, token).await?;
    Ok((Asked { organization, authorization: Some(authorization.to_owned()), params: Params::default() }, members))
}

/// `OPTIONS` of what pages may read.
pub async fn options(State(state): State<AppState>, Path(slug): Path<String>, headers: HeaderMap) -> Response {
    let methods = "GET, POST, OPTIONS";
    let Some(origin) = origin(&headers) else { return preflight(None, methods) };
    let is_registered = is_registered(&state, &slug, &origin).await;
    preflight(is_registered.then_some(origin.as_str()), methods)
}

/// `OPTIONS` of what only servers ask: no page may.
pub async fn options_for_no_page() -> Response {
    preflight(None, "POST, OPTIONS")
}
