//! Every way this server says no: a status, an OperationOutcome, and the header a client needs to do better.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::outbound::fhir::{FHIR_JSON, IssueType, outcome};

/// A refusal on its way to the caller.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    issue: IssueType,
    sentence: String,
    challenge: Option<String>,
}

impl Refusal {
    fn new(status: StatusCode, issue: IssueType, sentence: impl Into<String>) -> Self {
        Self { status, issue, sentence: sentence.into(), challenge: None }
    }

    /// 400: the request makes no sense.
    pub(super) fn invalid(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, IssueType::Invalid, sentence)
    }

    /// 400: the request makes sense, but not to this server.
    pub(super) fn not_supported(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, IssueType::NotSupported, sentence)
    }

    /// 401 without a token: the challenge names no error (RFC 6750 3.1).
    pub(super) fn no_token() -> Self {
        let sentence = "Send an access token: Authorization: Bearer ...";
        Self { challenge: Some("Bearer".to_owned()), ..Self::new(StatusCode::UNAUTHORIZED, IssueType::Login, sentence) }
    }

    /// 401 with a token that is not, or no longer, good here.
    pub(super) fn bad_token() -> Self {
        let sentence = "The access token is not valid here: it expired, was revoked, or is meant for another server.";
        Self {
            challenge: Some(r#"Bearer error="invalid_token""#.to_owned()),
            ..Self::new(StatusCode::UNAUTHORIZED, IssueType::Login, sentence)
        }
    }

    /// 400: more than one way to send a token in one request (RFC 6750 3.1).
    pub(super) fn several_tokens() -> Self {
        Self {
            challenge: Some(r#"Bearer error="invalid_request""#.to_owned()),
            ..Self::new(
                StatusCode::BAD_REQUEST,
                IssueType::Invalid,
                "Send the access token once, in the Authorization header.",
            )
        }
    }

    /// 403: the token is good but does not reach this far; `challenge` is the whole `WWW-Authenticate` value.
    pub(super) fn beyond_scope(challenge: String, sentence: impl Into<String>) -> Self {
        Self { challenge: Some(challenge), ..Self::new(StatusCode::FORBIDDEN, IssueType::Forbidden, sentence) }
    }

    /// 404: there is none, or it is not the caller's to see; the two answers are the same bytes.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, IssueType::NotFound, "There is no such resource here.")
    }

    /// 405.
    pub(super) fn wrong_method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            IssueType::NotSupported,
            "This address does not answer to that method.",
        )
    }

    /// 406: only JSON is spoken.
    pub(super) fn json_only() -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, IssueType::NotSupported, "This server speaks application/fhir+json only.")
    }

    /// 410: it has been deleted.
    pub(super) fn gone() -> Self {
        Self::new(StatusCode::GONE, IssueType::Deleted, "This resource has been deleted.")
    }

    /// 412: `If-Match` names another version.
    pub(super) fn other_version() -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, IssueType::Conflict, "The stored version is another one.")
    }

    /// 413.
    pub(super) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, IssueType::TooCostly, "The body is too large.")
    }

    /// 415.
    pub(super) fn wrong_content() -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, IssueType::NotSupported, "Send application/fhir+json.")
    }

    /// 503: the authorization server does not answer, so nobody gets anything.
    pub(super) fn no_answer_from_authorization() -> Self {
        let sentence =
            "The authorization server does not answer, so the token cannot be checked. Try again in a moment.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, IssueType::Transient, sentence)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(outcome(self.issue, &self.sentence).to_text()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(FHIR_JSON));
        if let Some(challenge) = self.challenge.and_then(|challenge| HeaderValue::try_from(challenge).ok()) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}
