//! Every route on one page, with who may call it. Each area adds its routes between its markers.

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use super::extract::visitor::visit;
use super::{AppState, assets, error, headers};

/// No body is longer, but where a route says so (the upload of a logo).
const BODY_LIMIT: usize = 64 * 1024;
/// No request takes longer.
const DEADLINE: Duration = Duration::from_secs(30);

/// The whole product.
pub fn router(state: AppState) -> Router {
    Router::new()
        .merge(pages(&state))
        .merge(machines(&state))
        .merge(api(&state))
        .merge(assets::router())
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(CatchPanicLayer::new())
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, DEADLINE))
        .layer(from_fn_with_state(state.clone(), headers::guard))
        .with_state(state)
}

/// Pages: for browsers. Each has a visitor; each POST is a `CsrfForm`.
fn pages(state: &AppState) -> Router<AppState> {
    Router::new()
        // >>> sign-in and account: everybody
        // <<< sign-in and account
        // >>> interactions (authorize, patient picker, consent, apps, logout): users
        // <<< interactions
        // >>> console: staff of the organization in the path
        // <<< console
        // >>> portal: developers of an application provider
        // <<< portal
        .fallback(not_found)
        .layer(from_fn_with_state(state.clone(), visit))
}

/// Endpoints for clients and resource servers: no cookies, no pages.
fn machines(_state: &AppState) -> Router<AppState> {
    Router::new()
    // >>> oauth (token, introspect, revoke, userinfo, register, launch): clients, resource servers
    // <<< oauth
    // >>> discovery (metadata, jwks, smart-configuration): everybody
    // <<< discovery
    // >>> health: everybody
    // <<< health
}

/// `/api/v1`: holders of a personal API token; each handler takes an `ApiCaller`.
fn api(state: &AppState) -> Router<AppState> {
    let routes = Router::new()
        // >>> api: console
        // <<< api: console
        // >>> api: portal
        // <<< api: portal
        .fallback(api_not_found);
    Router::new().nest("/api/v1", routes.layer(from_fn_with_state(state.clone(), error::finish_api)))
}

async fn not_found() -> super::PageError {
    error::Failure::not_found().into()
}

async fn api_not_found() -> super::ApiError {
    error::Failure::not_found().into()
}
