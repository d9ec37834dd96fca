//! Callers of `/api/v1`: a personal API token in `Authorization: Bearer`, JSON in and out.

use axum::extract::{FromRef, FromRequest, FromRequestParts, Json, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;

use crate::domain::accounts::Account;
use crate::governance::sign_in;
use crate::http::AppState;
use crate::http::error::{ApiError, Failure};

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

/// A JSON body that reads as `T`, and nothing else: unknown members are for `T` to refuse (`deny_unknown_fields`).
#[derive(Clone, Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            // 422 is axum's answer to well-formed JSON of another shape; ours is 400, as for every other mistake in a request
            Err(rejection) => {
                let status = if rejection.status() == StatusCode::UNPROCESSABLE_ENTITY {
                    StatusCode::BAD_REQUEST
                } else {
                    rejection.status()
                };
                Err(Failure::new(status, "body", rejection.body_text()).into())
            }
        }
    }
}
