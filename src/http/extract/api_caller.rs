//! Callers of `/api/v1`: a personal API token in `Authorization: Bearer`, JSON in and out.

use axum::body::Bytes;
use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;

use crate::domain::accounts::Account;
use crate::domain::json;
use crate::governance::sign_in;
use crate::http::AppState;
use crate::http::error::{ApiError, Failure};
use crate::http::oauth::media_type;

/// Whose personal token it is.
#[derive(Clone, Debug)]
pub struct ApiCaller {
    /// The account.
    pub account: Account,
}

impl<S> FromRequestParts<S> for ApiCaller
where
    S: Send + Sync,
    AppState: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let state = AppState::from_ref(state);
        let refused = || {
            Failure::new(
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "A personal API token is needed: Authorization: Bearer csp_...",
            )
        };
        let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(refused().into());
        };
        let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(refused)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(refused().into());
        }
        let account = sign_in::account_of_api_token(&state.app, token.trim()).await?.ok_or_else(refused)?;
        Ok(Self { account })
    }
}

/// A JSON object that reads as `T`, and nothing else: unknown members are for `T` to refuse (`deny_unknown_fields`).
#[derive(Clone, Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        if media_type(request.headers()) != "application/json" {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Failure::new(status, "body", "The body must be application/json.").into());
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            Failure::new(rejection.status(), "body", "The body could not be read, or is too long.")
        })?;
        let unreadable =
            |error| Failure::new(StatusCode::BAD_REQUEST, "body", format!("The body does not read: {error}."));
        Ok(Self(json::read(&bytes).map_err(unreadable)?))
    }
}
