//! What the granted scopes, and this server's own policy, let a token reach.

use axum::body::Bytes;
use axum::http::request;
use serde_json::Value;

use super::FhirServer;
use super::introspection::LiveToken;
use super::refusal::Refusal;

/// What a request may touch.
pub(super) struct Reach;

impl Reach {
    pub(super) fn covers(&self, _resource: &Value) -> bool {
        false
    }
    pub(super) fn answers_without_body(&self) -> bool {
        true
    }
    pub(super) fn refuse_content(&self) -> Refusal {
        Refusal::not_found()
    }
}

pub(super) fn decide(_: &FhirServer, _: &LiveToken, _: &request::Parts, _: &str, _: &Bytes) -> Result<Reach, Refusal> {
    Err(Refusal::beyond_scope(r#"Bearer error="insufficient_scope""#.to_owned(), "no"))
}
