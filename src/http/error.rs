//! Refusals on their way out: one [`Failure`], shown as a page ([`PageError`]) or as RFC 9457 problem+json ([`ApiError`]).
//!
//! A storage failure becomes 503, never a success and never a "not found". Everything unexpected is logged with a reference id, and only the
//! reference is shown. The body is written by the layers around pages and API (`finish_page`, [`finish_api`]), which know the language and
//! the frame; handlers just return the error.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::extract::Visitor;
use super::gate::{keep_allow, unfit, unwritten};
use super::{AppState, pages};
use crate::domain::secrets::PlainSecret;
use crate::governance::Refusal;
use crate::governance::error::Fault;
use crate::storage::StorageError;

/// Why a request is not answered as asked.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The HTTP status.
    pub status: StatusCode,
    /// A stable code: `not-found`, `forbidden`, `changed`, ...
    pub code: &'static str,
    /// A sentence for whoever asked.
    pub detail: String,
    /// One entry per mistake in what was sent.
    pub faults: Vec<Fault>,
    /// Why it cannot be done as things stand: words of ours go by this code.
    conflict: Option<&'static str>,
    /// A path of ours where to go on.
    go_on: Option<Box<str>>,
    /// What only the log is told.
    log: Option<Box<str>>,
}

impl Failure {
    /// A failure that the asker is told all about.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), faults: Vec::new(), conflict: None, go_on: None, log: None }
    }

    /// There is no such thing, or it is none of the asker's business.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is nothing here.")
    }

    /// A mistake of ours.
    pub fn internal(why: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side.").because(why)
    }

    /// With a way on, on a page.
    #[must_use]
    pub fn leading(self, go_on: String) -> Self {
        Self { go_on: Some(go_on.into()), ..self }
    }

    /// With a reason for the log.
    #[must_use]
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.log = Some(why.into().into());
        self
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        if matches!(error, StorageError::Unstorable) {
            return Self::new(StatusCode::BAD_REQUEST, "malformed", "What was sent holds the character U+0000.");
        }
        // a contradictory row and an unexpected duplicate are failures too: what the database says cannot be relied upon now
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "The service is not available right now. Nothing was changed; try again in a moment.",
        )
        .because(error.to_string())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::not_found(),
            Refusal::Forbidden(needs) => Self::new(
                StatusCode::FORBIDDEN,
                "forbidden",
                format!("Your role does not allow this; it needs the role \u{201c}{needs}\u{201d}."),
            ),
            Refusal::Invalid(faults) => {
                let detail = faults.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>().join(" ");
                Self { faults, ..Self::new(StatusCode::BAD_REQUEST, "invalid", detail) }
            }
            Refusal::Conflict(what) => {
                Self { conflict: Some(what.code), ..Self::new(StatusCode::CONFLICT, "conflict", what.detail) }
            }
            Refusal::Changed => Self::new(
                StatusCode::CONFLICT,
                "changed",
                "It changed since you looked. Nothing was decided; look again and then decide.",
            ),
            Refusal::Storage(error) => error.into(),
        }
    }
}

/// Shown as a page.
#[derive(Clone, Debug)]
pub struct PageError(Box<Failure>);

/// Shown as problem+json.
#[derive(Clone, Debug)]
pub struct ApiError(Box<Failure>);

impl<E: Into<Failure>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self(Box::new(error.into()))
    }
}

impl<E: Into<Failure>> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self(Box::new(error.into()))
    }
}

/// A failure that a layer further out turns into a body.
#[derive(Clone)]
struct Unfinished(Arc<Failure>);

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        unfinished(*self.0)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        unfinished(*self.0)
    }
}

fn unfinished(failure: Failure) -> Response {
    let mut response = failure.status.into_response();
    response.extensions_mut().insert(Unfinished(Arc::new(failure)));
    response
}

/// Ten characters that a person can read out and an operator can search the log for.
fn reference(state: &AppState) -> String {
    PlainSecret::alphanumeric(state.app.entropy.as_ref()).reveal()[..10].to_lowercase()
}

fn log(failure: &Failure, reference: &str) {
    let why = failure.log.as_deref().unwrap_or("-");
    if failure.status.is_server_error() {
        tracing::error!(reference, status = failure.status.as_u16(), code = failure.code, why, "a request failed");
    } else {
        tracing::debug!(reference, status = failure.status.as_u16(), code = failure.code, why, "a request was refused");
    }
}

pub(super) fn take(response: &mut Response) -> Option<Arc<Failure>> {
    response.extensions_mut().remove::<Unfinished>().map(|Unfinished(failure)| failure)
}

/// Gives a page failure its page. `visitor` is absent only when the visitor could not be made out.
pub(super) fn finish_page(state: &AppState, visitor: Option<&Visitor>, mut response: Response) -> Response {
    let Some(failure) = take(&mut response).or_else(|| unwritten(&response).map(Arc::new)) else { return response };
    let reference = reference(state);
    log(&failure, &reference);
    let allow = response.headers_mut().remove(header::ALLOW);
    let frame = visitor.map(|visitor| visitor.frame(pages::Nav::None)).unwrap_or_default();
    let why = failure.conflict.and_then(|code| state.pages.text(frame.lang, &format!("conflict-{code}"), &[]).ok());
    let page = pages::ErrorPage {
        trouble: trouble(&failure),
        why: why.unwrap_or_default(),
        detail: shown_detail(&failure),
        reference,
        next_href: way_on(&failure, visitor),
        ..pages::ErrorPage::default()
    };
    let mut answer = state.pages.render(&frame, &page).with_status(failure.status).into_response();
    retry_after(&failure, &mut answer);
    keep_allow(&mut answer, allow);
    answer
}

/// Where to go on: what changed meanwhile is looked at again where it was seen.
fn way_on(failure: &Failure, visitor: Option<&Visitor>) -> String {
    match (&failure.go_on, visitor) {
        (Some(go_on), _) => go_on.to_string(),
        (None, Some(visitor)) if failure.status == StatusCode::CONFLICT => visitor.path.clone(),
        (None, _) => String::new(),
    }
}

/// Which words the page says.
fn trouble(failure: &Failure) -> pages::Trouble {
    use pages::Trouble;
    match failure.status {
        StatusCode::FORBIDDEN if failure.code == "form-expired" => Trouble::StaleForm,
        StatusCode::FORBIDDEN => Trouble::NotAllowed,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Trouble::NotFound,
        StatusCode::TOO_MANY_REQUESTS => Trouble::TooMany,
        StatusCode::SERVICE_UNAVAILABLE => Trouble::Busy,
        StatusCode::BAD_GATEWAY => Trouble::FhirUnavailable,
        StatusCode::CONFLICT => Trouble::Conflict,
        // an app led the person there
        StatusCode::BAD_REQUEST if failure.code == "logout" => Trouble::BadRequest,
        status if status.is_server_error() => Trouble::Broken,
        _ => Trouble::Unusable,
    }
}

/// The exact sentence beneath: for refusals with a story of their own; the others say all in the page's words.
fn shown_detail(failure: &Failure) -> String {
    match failure.status {
        StatusCode::BAD_REQUEST
        | StatusCode::CONFLICT
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNPROCESSABLE_ENTITY => failure.detail.clone(),
        StatusCode::FORBIDDEN if failure.code == "forbidden" => failure.detail.clone(),
        _ => String::new(),
    }
}

/// Gives an API failure its problem+json (RFC 9457). A layer around `/api/v1`.
pub async fn finish_api(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let mut response = match unfit(&request) {
        Some(failure) => ApiError::from(failure).into_response(),
        None => next.run(request).await,
    };
    let Some(failure) = take(&mut response).or_else(|| unwritten(&response).map(Arc::new)) else {
        // what an answer says holds for its caller and for this moment
        response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        return response;
    };
    let reference = reference(&state);
    log(&failure, &reference);
    let mut problem = problem(&failure, &reference);
    keep_allow(&mut problem, response.headers_mut().remove(header::ALLOW));
    problem
}

/// RFC 9457 problem details.
fn problem(failure: &Failure, reference: &str) -> Response {
    #[derive(serde::Serialize)]
    struct Problem<'a> {
        r#type: String,
        title: &'a str,
        status: u16,
        detail: &'a str,
        reference: &'a str,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        errors: Vec<ProblemFault<'a>>,
    }
    #[derive(serde::Serialize)]
    struct ProblemFault<'a> {
        field: &'a str,
        code: &'a str,
        detail: &'a str,
    }
    let body = Problem {
        r#type: format!("urn:countersign:problem:{}", failure.code),
        title: failure.status.canonical_reason().unwrap_or("Error"),
        status: failure.status.as_u16(),
        detail: &failure.detail,
        reference,
        errors: failure
            .faults
            .iter()
            .map(|fault| ProblemFault { field: fault.field, code: fault.code, detail: &fault.message })
            .collect(),
    };
    let json = serde_json::to_string(&body).expect("a struct of text and numbers serializes");
    let mut response = (
        failure.status,
        [(header::CONTENT_TYPE, "application/problem+json"), (header::CACHE_CONTROL, "no-store")],
        json,
    )
        .into_response();
    if failure.status == StatusCode::UNAUTHORIZED {
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"countersign\""));
    }
    retry_after(failure, &mut response);
    response
}

fn retry_after(failure: &Failure, response: &mut Response) {
    let seconds = match failure.status {
        StatusCode::SERVICE_UNAVAILABLE => "2",
        StatusCode::TOO_MANY_REQUESTS => "60",
        _ => return,
    };
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
}
