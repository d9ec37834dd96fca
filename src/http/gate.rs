//! What no handler has to think of: requests that none should see, and answers that none wrote.
//!
//! Each area (pages, endpoints, API) has a layer of its own around its routes that asks here and answers in its own way: a page, an OAuth error, problem+json. So
//! nobody is answered with an empty body or with a sentence of the framework, whatever a handler takes apart and however it fails to.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::AppState;
use super::error::{Failure, take};
use super::oauth;

/// Why no handler should see this request, if so.
pub(super) fn unfit(request: &Request) -> Option<Failure> {
    let is_coded = request.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
    if is_coded {
        // inflating a body is work that a stranger chooses the amount of
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Some(Failure::new(status, "malformed", "A body with a Content-Encoding is not read."));
    }
    // no id, no name and no parameter holds it, and databases that store text cannot (A11)
    let uri = request.uri();
    let holds_nul = |text: &str| text.contains("%00");
    if holds_nul(uri.path()) || uri.query().is_some_and(holds_nul) {
        return Some(Failure::new(StatusCode::BAD_REQUEST, "malformed", "The address holds the character U+0000."));
    }
    None
}

/// The failure behind an answer that no handler wrote: the framework refused a path, a query, a body or a method.
pub(super) fn unwritten(response: &Response) -> Option<Failure> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    let is_bare = match response.headers().get(header::CONTENT_TYPE) {
        Some(media_type) => media_type.as_bytes().starts_with(b"text/plain"),
        // a challenge needs no body
        None => status != StatusCode::UNAUTHORIZED,
    };
    let (code, detail) = match status {
        _ if !is_bare => return None,
        StatusCode::METHOD_NOT_ALLOWED => ("method", "There is no such method here."),
        StatusCode::NOT_FOUND => ("not-found", "There is nothing here."),
        StatusCode::PAYLOAD_TOO_LARGE => ("too-long", "What was sent is too long."),
        StatusCode::SERVICE_UNAVAILABLE => ("unavailable", "This took too long. Try again in a moment."),
        status if status.is_server_error() => ("internal", "Something went wrong on our side."),
        _ => ("malformed", "The address, its parameters or the body do not read."),
    };
    Some(Failure::new(status, code, detail))
}

/// The layer around the endpoints for clients and resource servers: whatever is refused is refused in JSON that nobody keeps (C15), and a page that may ask may
/// read why (C20).
pub async fn finish_endpoint(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned()).unwrap_or_default();
    let path = request.uri().path().to_owned();
    let origin = oauth::origin(request.headers());
    let failure = unfit(&request);
    let mut response = match &failure {
        Some(failure) => oauth::told(failure),
        None => next.run(request).await,
    };
    let left = take(&mut response).map(|failure| Failure::clone(&failure)).or_else(|| unwritten(&response));
    if let Some(failure) = left {
        let allow = response.headers_mut().remove(header::ALLOW);
        response = oauth::told(&failure);
        keep_allow(&mut response, allow);
    }
    oauth::let_read(&state, (&route, &path), origin.as_deref(), &mut response).await;
    response
}

/// What a refused method may be replaced by (RFC 9110 15.5.6).
pub(super) fn keep_allow(response: &mut Response, allow: Option<HeaderValue>) {
    if let Some(allow) = allow {
        response.headers_mut().insert(header::ALLOW, allow);
    }
}
