//! `GET /logos/{digest}`: logos that were uploaded and drawn anew. Named by digest, so they never change.

use axum::extract::{Path, State};
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse as _, Response};

use super::AppState;
use super::error::{Failure, PageError};
use crate::storage;

/// Where a logo is.
pub fn href(digest: &str) -> String {
    format!("/logos/{digest}")
}

/// `GET /logos/{digest}`.
pub async fn show(State(state): State<AppState>, Path(digest): Path<String>) -> Result<Response, PageError> {
    let logo = storage::clients::find_logo(&mut *state.app.store.read().await?, &digest).await?;
    let Some((media_type, bytes)) = logo else { return Err(Failure::not_found().into()) };
    let headers = [
        (header::CONTENT_TYPE, media_type.as_str()),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // app galleries show the logos of brands (SMART 2.2 user-access-brands)
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    Ok((headers, bytes).into_response())
}
