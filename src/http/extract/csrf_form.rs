//! Forms that prove they were shown by us to the visitor who sends them.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{Method, StatusCode};
use axum_extra::extract::Form;
use serde::de::DeserializeOwned;

use super::Visitor;
use super::shown_at::form_again;
use crate::http::error::{Failure, PageError};

/// More fields than any form of ours has, fewer than it takes to keep a processor busy.
const FIELDS: usize = 1000;

/// A form with the visitor's anti-forgery token in the field `csrf`. Repeated fields (tick boxes) read into a `Vec`.
#[derive(Clone, Debug)]
pub struct CsrfForm<T>(pub T);

/// For [`CsrfForm`]: a form that is only a button.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
pub struct NoFields {}

/// The form did not come from a page of ours, or from one that is too old.
#[derive(Clone, Debug, Default)]
pub struct CsrfRefused {
    /// A path of ours where it can be had again; `""` where nobody knows.
    pub again: String,
}

impl From<CsrfRefused> for PageError {
    fn from(refused: CsrfRefused) -> Self {
        Failure::new(
            StatusCode::FORBIDDEN,
            "form-expired",
            "This form is no longer valid. Go back, load the page again and send it once more.",
        )
        .leading(refused.again)
        .into()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for CsrfForm<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let visitor = request.extensions().get::<Arc<Visitor>>().cloned();
        let visitor = visitor
            .ok_or_else(|| Failure::internal("a route asks for a form without the layer that finds out whose it is"))?;
        if request.method() != Method::POST {
            return Err(Failure::new(StatusCode::METHOD_NOT_ALLOWED, "method", "Forms are sent with POST.").into());
        }
        let (parts, body) = request.into_parts();
        let again = parts.clone();
        let bytes = Bytes::from_request(Request::from_parts(parts, body), state)
            .await
            .map_err(|rejection| Failure::new(rejection.status(), "body", "What was sent could not be read."))?;
        let refused = || {
            let fields: Vec<_> = url::form_urlencoded::parse(&bytes).into_owned().collect();
            CsrfRefused { again: form_again(again.uri.path(), &fields) }
        };
        let mut token = None;
        for (count, (name, value)) in url::form_urlencoded::parse(&bytes).enumerate() {
            if count >= FIELDS {
                return Err(
                    Failure::new(StatusCode::BAD_REQUEST, "too-many-fields", "The form has too many fields.").into()
                );
            }
            if name.contains('\0') || value.contains('\0') {
                return Err(Failure::new(StatusCode::BAD_REQUEST, "form", "A field holds the character U+0000.").into());
            }
            if name == "csrf" {
                // a second token is somebody's attempt at something
                if token.replace(value.into_owned()).is_some() {
                    return Err(refused().into());
                }
            }
        }
        if !token.is_some_and(|token| visitor.is_csrf(&token)) {
            return Err(refused().into());
        }
        let Form(form) = Form::<T>::from_request(Request::from_parts(again, axum::body::Body::from(bytes)), state)
            .await
            .map_err(|rejection| {
                Failure::new(StatusCode::BAD_REQUEST, "form", "The form could not be read.")
                    .because(rejection.to_string())
            })?;
        Ok(Self(form))
    }
}
