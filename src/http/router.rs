//! Every route on one page, with who may call it. Each area adds its routes between its markers.

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, post};
use metrics_exporter_prometheus::PrometheusHandle;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use super::extract::visitor::visit;
use super::{
    AppState, account, api as json, assets, console, error, gate, headers, health, logos, metrics, oauth, portal,
    sign_in,
};

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
        // each area answers a panic of its handlers in its own form; this one is for its layers
        .layer(CatchPanicLayer::new())
        .layer(from_fn_with_state(state.clone(), headers::guard))
        .layer(from_fn(metrics::count))
        .with_state(state)
}

/// Whatever a handler does, there is an answer, and in time. The layer of the area around it gives that answer its form.
fn answered<S: Clone + Send + Sync + 'static>(routes: Router<S>, within: Duration) -> Router<S> {
    routes.layer(CatchPanicLayer::new()).layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, within))
}

/// What the operator's own listener answers: health, and with `metrics` the figures.
pub fn operations(state: AppState, figures: Option<PrometheusHandle>) -> Router {
    Router::new()
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route(
            "/metrics",
            get(move || async move { figures.map(|figures| figures.render()).ok_or(StatusCode::NOT_FOUND) }),
        )
        .with_state(state)
}

/// Pages: for browsers. Each has a visitor; each POST is a `CsrfForm`.
fn pages(state: &AppState) -> Router<AppState> {
    let routes = Router::new()
        // >>> sign-in and account: everybody; /account: whoever is signed in
        .route("/", get(sign_in::start))
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/signed-out", get(sign_in::signed_out))
        .route("/account", get(account::show))
        .route("/account/profile", post(account::profile))
        .route("/account/password", post(account::password))
        .route("/account/tokens", post(account::make_token))
        .route("/account/tokens/revoke", post(account::revoke_token))
        .route("/account/sessions/end", post(account::end_session))
        // <<< sign-in and account
        // >>> interactions (authorize, patient picker, consent, apps, logout): users
        .route("/o/{organization}/authorize", get(oauth::authorize::get).post(oauth::authorize::post))
        .route("/o/{organization}/continue", get(oauth::flow::resume))
        .route("/o/{organization}/patient", get(oauth::flow::resume).post(oauth::pick::patient))
        .route("/o/{organization}/record", get(oauth::flow::resume).post(oauth::pick::record))
        .route("/o/{organization}/consent", post(oauth::consent::consent))
        .route("/o/{organization}/not-me", get(oauth::flow::not_me))
        .route("/o/{organization}", get(oauth::apps::from_issuer))
        .route("/o/{organization}/", get(oauth::apps::from_issuer))
        .route("/o/{organization}/apps", get(oauth::apps::show))
        .route("/o/{organization}/apps/{client}/stop", get(oauth::apps::ask))
        .route("/o/{organization}/apps/stop", post(oauth::apps::stop))
        .route("/o/{organization}/logout", get(oauth::logout::logout).post(oauth::logout::logout))
        // <<< interactions
        // >>> console: staff of the organization in the path; viewers look, reviewers decide, admins keep house
        .route("/console", get(console::start))
        .route("/console/{org}", get(console::home))
        .route("/console/{org}/clients", get(console::clients::show))
        .route("/console/{org}/clients/{client_id}", get(console::client::show))
        .route("/console/{org}/clients/{client_id}/disable", post(console::client::switch_off))
        .route("/console/{org}/clients/{client_id}/enable", post(console::client::switch_on))
        .route("/console/{org}/access-requests/{id}", get(console::review::show))
        .route("/console/{org}/access-requests/{id}/decide", post(console::review::decide))
        .route("/console/{org}/access-requests/{id}/allow-again", post(console::review::allow))
        .route("/console/{org}/receipts/{seq}", get(console::client::receipt))
        .route("/console/{org}/activity", get(console::activity::show))
        .route("/console/{org}/notifications", get(console::activity::notifications))
        .route("/console/{org}/notifications/retry", post(console::activity::retry))
        .route("/console/{org}/members", get(console::members::show))
        .route("/console/{org}/members/add", post(console::members::add))
        .route("/console/{org}/members/role", post(console::members::role))
        .route("/console/{org}/members/remove", post(console::members::remove))
        .route("/console/{org}/fhir-endpoints", get(console::endpoints::show))
        .route("/console/{org}/fhir-endpoints/add", post(console::endpoints::add))
        .route("/console/{org}/fhir-endpoints/resource-server", post(console::endpoints::make_server))
        .route("/console/{org}/fhir-endpoints/resource-server/revoke", post(console::endpoints::revoke_server))
        .route("/console/{org}/fhir-endpoints/{endpoint}/change", post(console::endpoints::change))
        .route("/console/{org}/fhir-endpoints/{endpoint}/reading", post(console::reading::change))
        .route("/console/{org}/launches", get(console::launches::show).post(console::launches::make))
        .route(
            "/console/{org}/brand",
            get(console::brand::show)
                .post(console::brand::save)
                .layer(DefaultBodyLimit::max(console::brand::BODY_LIMIT)),
        )
        .route("/console/{org}/settings", get(console::settings::show).post(console::settings::save))
        .route("/console/{org}/registration", get(console::registration::show))
        .route("/console/{org}/registration/tokens", post(console::registration::make))
        .route("/console/{org}/registration/tokens/revoke", post(console::registration::revoke))
        // <<< console
        // >>> portal: developers of an application provider
        .route("/portal", get(portal::home))
        .route("/portal/{provider}", get(portal::provider_home))
        .route("/portal/{provider}/clients", get(portal::clients::list))
        .route(
            "/portal/{provider}/clients/new",
            get(portal::client_form::new)
                .post(portal::client_form::register)
                .layer(DefaultBodyLimit::max(portal::client_form::BODY_LIMIT)),
        )
        .route("/portal/{provider}/clients/{client}", get(portal::clients::show))
        .route(
            "/portal/{provider}/clients/{client}/edit",
            get(portal::client_form::edit)
                .post(portal::client_form::revise)
                .layer(DefaultBodyLimit::max(portal::client_form::BODY_LIMIT)),
        )
        .route("/portal/{provider}/clients/{client}/secrets", post(portal::clients::make_secret))
        .route("/portal/{provider}/clients/{client}/secrets/revoke", post(portal::clients::revoke_secret))
        .route(
            "/portal/{provider}/clients/{client}/delete",
            get(portal::clients::ask_delete).post(portal::clients::delete),
        )
        .route("/portal/{provider}/clients/{client}/ask", get(portal::ask::place))
        .route("/portal/{provider}/clients/{client}/ask/what", get(portal::ask::what))
        .route("/portal/{provider}/clients/{client}/ask/why", post(portal::ask::why))
        .route("/portal/{provider}/clients/{client}/ask/send", post(portal::ask::send))
        .route("/portal/{provider}/requests", get(portal::requests::list))
        .route("/portal/{provider}/requests/{request}", get(portal::requests::show))
        .route("/portal/{provider}/requests/{request}/withdraw", post(portal::requests::withdraw))
        .route("/portal/{provider}/members", get(portal::provider::members).post(portal::provider::add_member))
        .route("/portal/{provider}/members/remove", post(portal::provider::remove_member))
        .route("/portal/{provider}/webhooks", get(portal::provider::list_webhooks).post(portal::provider::add_webhook))
        .route("/portal/{provider}/webhooks/remove", post(portal::provider::remove_webhook))
        .route("/portal/{provider}/settings", get(portal::provider::settings).post(portal::provider::change_settings))
        // logos: everybody
        .route("/logos/{digest}", get(logos::show))
        // <<< portal
        .fallback(not_found);
    answered(routes, DEADLINE).layer(from_fn_with_state(state.clone(), visit))
}

/// Endpoints for clients and resource servers: no cookies, no pages.
fn machines(state: &AppState) -> Router<AppState> {
    let endpoints = Router::new()
        // >>> oauth (token, introspect, revoke, userinfo, register, launch): clients, resource servers
        .route("/o/{organization}/token", post(oauth::token::token).options(oauth::token::options))
        .route(
            "/o/{organization}/introspect",
            post(oauth::token::introspection).options(oauth::token::options_for_no_page),
        )
        .route("/o/{organization}/revoke", post(oauth::token::revoke).options(oauth::token::options))
        .route(
            "/o/{organization}/userinfo",
            get(oauth::token::user_info).post(oauth::token::user_info).options(oauth::token::options),
        )
        .route("/o/{organization}/launch", post(oauth::launch::post))
        .route("/o/{organization}/register", post(oauth::register::register).options(oauth::register::options))
        .route(
            "/o/{organization}/register/{client}",
            get(oauth::register::read)
                .put(oauth::register::change)
                .delete(oauth::register::delete)
                .options(oauth::register::options),
        )
        // <<< oauth
        // >>> discovery (metadata, jwks, smart-configuration): everybody
        .route(
            "/.well-known/oauth-authorization-server/o/{organization}",
            get(oauth::discovery::authorization_server).options(oauth::discovery::options),
        )
        .route(
            "/o/{organization}/.well-known/openid-configuration",
            get(oauth::discovery::authorization_server).options(oauth::discovery::options),
        )
        .route("/o/{organization}/reader-jwks", get(oauth::discovery::reader_jwks).options(oauth::discovery::options))
        .route("/o/{organization}/jwks", get(oauth::discovery::jwks).options(oauth::discovery::options))
        .route(
            "/o/{organization}/fhir/{endpoint}/.well-known/smart-configuration",
            get(oauth::discovery::smart).options(oauth::discovery::options),
        )
        .route(
            "/o/{organization}/fhir/{endpoint}/metadata",
            get(oauth::discovery::metadata).options(oauth::discovery::options),
        )
        .route("/o/{organization}/brands", get(oauth::discovery::brand_bundle).options(oauth::discovery::options))
        .route(
            "/o/{organization}/smart-style/{version}",
            get(oauth::discovery::style).options(oauth::discovery::options),
        )
        // <<< discovery
        ;
    answered(endpoints, DEADLINE)
        .layer(from_fn_with_state(state.clone(), gate::finish_endpoint))
        // >>> health: everybody
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
    // <<< health
}

/// `/api/v1`: holders of a personal API token; each handler takes an `ApiCaller`.
fn api(state: &AppState) -> Router<AppState> {
    let routes = Router::new()
        // >>> api: console (staff of the organization in the path; asking and withdrawing: developers of the client's provider)
        .route("/openapi.json", get(json::openapi))
        .route("/me", get(json::me))
        .route("/organizations/{org}/clients", get(json::organizations::list_clients))
        .route("/organizations/{org}/clients/{client_id}/disable", post(json::organizations::disable_client))
        .route("/organizations/{org}/clients/{client_id}/enable", post(json::organizations::enable_client))
        .route("/organizations/{org}/access-requests", get(json::requests::list).post(json::requests::ask))
        .route("/organizations/{org}/access-requests/{id}", get(json::requests::show))
        .route("/organizations/{org}/access-requests/{id}/approve", post(json::requests::approve))
        .route("/organizations/{org}/access-requests/{id}/reject", post(json::requests::reject))
        .route("/organizations/{org}/access-requests/{id}/allow-again", post(json::requests::allow_again))
        .route("/organizations/{org}/access-requests/{id}/withdraw", post(json::requests::withdraw))
        .route("/organizations/{org}/audit", get(json::organizations::audit))
        .route("/organizations/{org}/settings", get(json::settings::show).put(json::settings::change))
        .route(
            "/organizations/{org}/initial-access-tokens",
            get(json::settings::list_tokens).post(json::settings::make_token),
        )
        .route("/organizations/{org}/initial-access-tokens/{id}", delete(json::settings::revoke_token))
        // <<< api: console
        // >>> api: portal (developers of an application provider)
        .route("/clients", get(json::clients::list).post(json::clients::register))
        .route(
            "/clients/{client_id}",
            get(json::clients::show).put(json::clients::revise).delete(json::clients::delete),
        )
        .route("/clients/{client_id}/secrets", post(json::clients::make_secret))
        .route("/clients/{client_id}/secrets/{secret_id}", delete(json::clients::revoke_secret))
        // <<< api: portal
        .fallback(api_not_found);
    Router::new()
        .nest("/api/v1", answered(routes, DEADLINE).layer(from_fn_with_state(state.clone(), error::finish_api)))
}

async fn not_found() -> super::PageError {
    error::Failure::not_found().into()
}

async fn api_not_found() -> super::ApiError {
    error::Failure::not_found().into()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_handler_that_panics_or_never_ends_leaves_a_failure_for_its_area() {
        let routes = Router::new()
            .route("/panic", get(async || -> () { panic!("a mistake of ours") }))
            .route("/never", get(std::future::pending::<()>));
        for (path, status, code) in [("/panic", 500, "internal"), ("/never", 503, "unavailable")] {
            let request = Request::builder().uri(path).body(Body::empty()).expect("a request");
            let response = answered(routes.clone(), Duration::ZERO).oneshot(request).await.expect("an answer");
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(gate::unwritten(&response).map(|failure| failure.code), Some(code), "{path}");
        }
    }
}
