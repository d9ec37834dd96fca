//! Chart Reader: a one-page SMART app in plain JavaScript, served under `/demo-app/`.
//!
//! It is an ordinary public client: it finds the authorization server through the FHIR server's SMART configuration,
//! uses PKCE, and knows nothing else. `/demo-app/` is its redirect URI, `/demo-app/launch.html` its launch URL (an EHR
//! adds `iss` and `launch`; without them it starts a standalone launch).

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Serialize;
use url::Url;

/// Path of the app; with the origin in front, its redirect URI.
pub const REDIRECT_PATH: &str = "/demo-app/";
/// Path of its launch URL.
pub const LAUNCH_PATH: &str = "/demo-app/launch.html";

/// What the app is told about its registration; served as `/demo-app/config.json`.
#[derive(Debug, Clone, Serialize)]
pub struct SmartAppConfig {
    /// The FHIR base URL. The app signs in at this server only.
    pub iss: String,
    /// Its client id.
    pub client_id: String,
    /// Scopes of a standalone launch, separated by spaces.
    pub scope: String,
    /// Scopes of a launch from an EHR.
    pub ehr_scope: String,
    /// Origins it talks to besides its own and the FHIR server's: the authorization server, if elsewhere.
    #[serde(skip)]
    pub other_origins: Vec<String>,
}

struct App {
    config: String,
    policy: HeaderValue,
}

/// The app's routes.
pub fn router(config: &SmartAppConfig) -> Router {
    let app = App {
        config: serde_json::to_string(config).expect("four strings always serialize"),
        policy: content_security_policy(config),
    };
    Router::new()
        .route("/demo-app", get(|| async { Redirect::permanent(REDIRECT_PATH) }))
        .route(REDIRECT_PATH, get(|State(app): State<Arc<App>>| async move { file(&app, "index.html") }))
        .route(
            "/demo-app/{file}",
            get(|State(app): State<Arc<App>>, Path(name): Path<String>| async move { file(&app, &name) }),
        )
        .with_state(Arc::new(app))
}

fn file(app: &App, name: &str) -> Response {
    let html = "text/html; charset=utf-8";
    let script = "text/javascript; charset=utf-8";
    let (kind, content) = match name {
        "index.html" => (html, include_str!("index.html")),
        "launch.html" => (html, include_str!("launch.html")),
        "smart.js" => (script, include_str!("smart.js")),
        "chart.js" => (script, include_str!("chart.js")),
        "app.js" => (script, include_str!("app.js")),
        "launch.js" => (script, include_str!("launch.js")),
        "style.css" => ("text/css; charset=utf-8", include_str!("style.css")),
        "icon.svg" => ("image/svg+xml", include_str!("icon.svg")),
        "config.json" => ("application/json", app.config.as_str()),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let mut response = Response::new(Body::from(content.to_owned()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_SECURITY_POLICY, app.policy.clone());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// Scripts and styles from here only, connections to the FHIR and authorization servers only.
fn content_security_policy(config: &SmartAppConfig) -> HeaderValue {
    let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin()).filter(url::Origin::is_tuple);
    let mut connect = vec!["'self'".to_owned()];
    for url in std::iter::once(&config.iss).chain(&config.other_origins) {
        connect.extend(origin(url).map(|origin| origin.ascii_serialization()));
    }
    connect.dedup();
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src {}; form-action 'none'; base-uri 'none'; frame-ancestors 'self'",
        connect.join(" ")
    );
    HeaderValue::try_from(policy).expect("origins are ASCII")
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::*;

    fn app() -> Router {
        router(&SmartAppConfig {
            iss: "http://127.0.0.1:8080/fhir".to_owned(),
            client_id: "app_1".to_owned(),
            scope: "launch/patient patient/*.rs".to_owned(),
            ehr_scope: "launch patient/*.rs".to_owned(),
            other_origins: vec!["https://as.example/o/x".to_owned()],
        })
    }

    async fn get(path: &str) -> Response {
        app().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn every_file_of_the_app_is_served_under_a_strict_policy() {
        for path in
            ["/demo-app/", "/demo-app/launch.html", "/demo-app/app.js", "/demo-app/style.css", "/demo-app/config.json"]
        {
            let response = get(path).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
            assert!(policy.contains("connect-src 'self' http://127.0.0.1:8080 https://as.example;"), "{policy}");
        }
        assert_eq!(get("/demo-app/secrets.json").await.status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn the_pages_have_no_inline_script_style_or_handler() {
        for page in [include_str!("index.html"), include_str!("launch.html")] {
            for forbidden in ["<style", "style=", "onclick=", "onload=", "javascript:", "<script>"] {
                assert!(!page.contains(forbidden), "{forbidden}");
            }
        }
    }

    #[test]
    fn the_scripts_put_text_into_the_page_and_never_markup() {
        for script in
            [include_str!("app.js"), include_str!("chart.js"), include_str!("smart.js"), include_str!("launch.js")]
        {
            for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "localStorage"]
            {
                assert!(!script.contains(forbidden), "{forbidden}");
            }
        }
    }
}
