//! Headers that every answer carries, requests that no handler should see, and the plain page for when something was refused.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::AppState;
use super::error::Failure;
use super::extract::{Visitor, cookies};

/// The outermost layer: refuses what no handler should see, and adds what every answer carries unless the handler knew better.
pub async fn guard(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let mut response = if has_content_coding(&request) {
        // inflating a body is work that a stranger chooses the amount of
        StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ] {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if cookies::is_secure(&state.app) {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    response
}

fn has_content_coding(request: &Request) -> bool {
    request.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity")
}

/// The page for a refusal.
pub(super) fn bare_page(_state: &AppState, _visitor: Option<&Visitor>, failure: &Failure, reference: &str) -> Response {
    let title = failure.status.canonical_reason().unwrap_or("Error");
    let body = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title} · Countersign</title></head>\
         <body><main><h1>{title}</h1><p>{}</p><p>Reference: <code>{}</code></p><p><a href=\"/\">Start page</a></p></main></body></html>",
        escaped(&failure.detail),
        escaped(reference),
    );
    let mut response = (failure.status, axum::response::Html(body)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
