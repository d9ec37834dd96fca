//! Signed in, or not.

use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::Visitor;
use crate::domain::accounts::Account;
use crate::domain::sessions::Session;

/// The account and session of somebody who is signed in; others are sent to sign in and come back here.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who.
    pub account: Account,
    /// In which session.
    pub session: Session,
}

/// The same, where it may also be nobody.
#[derive(Clone, Debug)]
pub struct MaybeSignedIn(pub Option<SignedIn>);

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let visitor =
            Visitor::from_request_parts(parts, state).await.map_err(axum::response::IntoResponse::into_response)?;
        if let Some((account, session)) = visitor.signed_in {
            return Ok(Self { account, session });
        }
        // what was being posted is not kept: a form is not to be sent by a redirect
        let next = if parts.method == Method::GET { visitor.path.as_str() } else { "/" };
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
        Err(Redirect::to(&format!("/sign-in?{query}")).into_response())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for MaybeSignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let visitor =
            Visitor::from_request_parts(parts, state).await.map_err(axum::response::IntoResponse::into_response)?;
        Ok(Self(visitor.signed_in.map(|(account, session)| SignedIn { account, session })))
    }
}
