//! A `tower` layer that guards any FHIR service, here an axum router: `cargo run -p fhir-scopes --example tower_layer`.
//!
//! An authentication layer in front puts an `Arc<Grant>` into the request's extensions, made once per token. The layer then
//!
//! 1. decides about the request, with its body where it has one;
//! 2. refuses with 403 and the ready `WWW-Authenticate`;
//! 3. looks at the stored resource before a write, and answers 404 when it does not pass;
//! 4. looks at the answer to a read, search or history, and leaves out what does not pass.
//!
//! It filters answers, which suits a guard in front of somebody else's server. A server of its own would hand
//! `Filter::as_queries` or `Filter::accepts` to its storage instead, so that totals and pages are counted after the filter; here
//! `total` is corrected for the page at hand. Conditional writes and filtered bundles need the storage and are refused.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Method, Request, Response, StatusCode, header};
use axum::routing::get;
use fhir_scopes::decide::{self, Decision, Filter, Grant, Obligation, On};
use fhir_scopes::{Release, ScopeSet};
use serde_json::{Value, json};
use tower::{Layer, Service, ServiceExt};

/// Larger bodies are refused before anything is decided.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// Guards the service inside.
#[derive(Clone)]
struct ScopeLayer;

impl<S> Layer<S> for ScopeLayer {
    type Service = ScopeGuard<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ScopeGuard { inner }
    }
}

#[derive(Clone)]
struct ScopeGuard<S> {
    inner: S,
}

type Answer = Response<Body>;

impl<S> Service<Request<Body>> for ScopeGuard<S>
where
    S: Service<Request<Body>, Response = Answer, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // the service that was asked whether it is ready is the one to call
        let ready = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, ready);
        Box::pin(async move { Ok(guard(inner, request).await) })
    }
}

async fn guard<S>(inner: S, request: Request<Body>) -> Answer
where
    S: Service<Request<Body>, Response = Answer, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let (parts, body) = request.into_parts();
    let Some(grant) = parts.extensions.get::<Arc<Grant>>().cloned() else { return status(StatusCode::UNAUTHORIZED) };
    let Ok(bytes) = to_bytes(body, MAX_BODY).await else { return status(StatusCode::PAYLOAD_TOO_LARGE) };

    // 1 decide
    let text = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap_or_default().to_owned());
    let if_none_exist = text("if-none-exist");
    let overriding = ["x-http-method-override", "x-http-method", "x-method-override"].into_iter().find_map(text);
    let is_form = text("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let (form, json) = match (bytes.is_empty(), is_form) {
        (true, _) => (None, None),
        (false, true) => (std::str::from_utf8(&bytes).ok(), None),
        (false, false) => (None, serde_json::from_slice::<Value>(&bytes).ok()),
    };
    if !bytes.is_empty() && form.is_none() && json.is_none() {
        // what the guard cannot read, it does not pass on
        return status(StatusCode::BAD_REQUEST);
    }
    let asked = decide::Request {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        if_none_exist: if_none_exist.as_deref(),
        method_override: overriding.as_deref(),
        body: match (form, &json) {
            (Some(form), _) => decide::Body::Form(form),
            (None, Some(json)) => decide::Body::Json(json),
            (None, None) => decide::Body::Absent,
        },
    };
    let decision = grant.decide(&asked);
    let minimal = decision.obligations().has(Obligation::ReturnMinimal);
    let filter = match decision {
        // 2 refuse
        Decision::Deny(denial) => {
            let mut answer = status(StatusCode::FORBIDDEN);
            if let Ok(value) = denial.www_authenticate().parse() {
                answer.headers_mut().insert(header::WWW_AUTHENTICATE, value);
            }
            return answer;
        }
        Decision::Allow(_) => None,
        Decision::Filter(filter) => Some(filter),
    };
    // an include that is not granted need not be stripped from the query: what it brings does not pass step 4

    // 3 the stored resource first, unless the answer is that resource
    let shows_target = parts.method == Method::GET && !parts.uri.path().contains('$');
    match filter.as_ref().map(Filter::on) {
        None | Some(On::Results) => {}
        Some(On::Target) if shows_target => {}
        Some(On::Target) => {
            let stored = Request::builder().uri(stored_path(&parts)).body(Body::empty());
            let Ok(stored) = stored else { return status(StatusCode::BAD_REQUEST) };
            let Ok(found) = inner.clone().oneshot(stored).await;
            let absent = matches!(found.status(), StatusCode::NOT_FOUND | StatusCode::GONE);
            let resource = if found.status().is_success() { read_json(found).await } else { None };
            let passes =
                resource.is_some_and(|resource| filter.as_ref().is_some_and(|filter| filter.accepts(&resource)));
            // update may create; whatever else cannot be looked at is refused
            let creates = absent && parts.method == Method::PUT;
            if !passes && !creates {
                return status(StatusCode::NOT_FOUND);
            }
        }
        Some(_) => return status(StatusCode::FORBIDDEN),
    }
    let Ok(answer) = inner.oneshot(Request::from_parts(parts, Body::from(bytes))).await;

    // 4 the answer
    match filter {
        Some(filter) if shows_target || filter.on() == On::Results => narrowed(answer, &filter).await,
        _ if minimal && answer.status().is_success() => status(answer.status()),
        _ => answer,
    }
}

/// Leaves out of an answer what does not pass. A single resource that does not pass was never there.
async fn narrowed(answer: Answer, filter: &Filter<'_>) -> Answer {
    if !answer.status().is_success() {
        return answer;
    }
    let Some(mut resource) = read_json(answer).await else { return status(StatusCode::NOT_FOUND) };
    if filter.on() == On::Target {
        return if filter.accepts(&resource) { json_answer(&resource) } else { status(StatusCode::NOT_FOUND) };
    }
    if resource["resourceType"] != "Bundle" {
        return status(StatusCode::NOT_FOUND);
    }
    let mut left = 0;
    if let Some(entries) = resource.get_mut("entry").and_then(Value::as_array_mut) {
        let found: Vec<Value> = entries.iter().map(|entry| entry["resource"].clone()).collect();
        let mut passed = filter.accepts_all(&found).into_iter();
        // an entry without a resource (a deletion) cannot be checked, so it goes too
        entries.retain(|_| passed.next().unwrap_or(false));
        left = entries.len();
    }
    // a bare count was made before the filter: it tells nothing here
    if resource.get("total").is_some() {
        resource["total"] = left.into();
    }
    json_answer(&resource)
}

/// Where the stored resource is read: the very version for `HEAD`, else the instance without an operation behind it.
fn stored_path(parts: &axum::http::request::Parts) -> String {
    if parts.method == Method::HEAD {
        return parts.uri.path().to_owned();
    }
    let segments: Vec<&str> = parts.uri.path().trim_start_matches('/').split('/').take(2).collect();
    format!("/{}", segments.join("/"))
}

async fn read_json(answer: Answer) -> Option<Value> {
    let bytes: Bytes = to_bytes(answer.into_body(), MAX_BODY).await.ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn json_answer(resource: &Value) -> Answer {
    let mut answer = Response::new(Body::from(resource.to_string()));
    answer.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/fhir+json"));
    answer
}

fn status(code: StatusCode) -> Answer {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = code;
    answer
}

// ------------------------------------------------------------------- the tour

fn observation(id: &str, patient: &str, category: &str) -> Value {
    json!({
        "resourceType": "Observation", "id": id, "subject": { "reference": format!("Patient/{patient}") },
        "category": [{ "coding": [{ "code": category }] }]
    })
}

/// A FHIR server that guards nothing.
fn unguarded() -> Router {
    let stored = || {
        [
            observation("1", "123", "laboratory"),
            observation("2", "123", "survey"),
            observation("3", "999", "laboratory"),
        ]
    };
    let answer = |resource: Option<Value>| {
        resource.map_or_else(|| status(StatusCode::NOT_FOUND), |resource| json_answer(&resource))
    };
    Router::new()
        .route(
            "/Observation",
            get(move || async move {
                let entry: Vec<Value> = stored().into_iter().map(|resource| json!({ "resource": resource })).collect();
                json_answer(&json!({ "resourceType": "Bundle", "type": "searchset", "total": 3, "entry": entry }))
            }),
        )
        .route(
            "/Observation/{id}",
            get(move |axum::extract::Path(id): axum::extract::Path<String>| async move {
                answer(stored().into_iter().find(|resource| resource["id"] == id))
            })
            .delete(|| async { status(StatusCode::NO_CONTENT) }),
        )
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let granted = ScopeSet::parse("patient/Observation.rds?category=laboratory", Release::R4)
        .expect("the scopes are well-formed");
    let grant = Arc::new(Grant::new(&granted).launch_patient("123"));
    let guarded = ScopeLayer.layer(unguarded());
    for (method, path) in [
        ("GET", "/Observation"),
        ("GET", "/Observation/1"),
        ("GET", "/Observation/2"),
        ("GET", "/Observation/3"),
        ("DELETE", "/Observation/1"),
        ("DELETE", "/Observation/3"),
        ("GET", "/Condition"),
    ] {
        let request = Request::builder().method(method).uri(path).extension(grant.clone()).body(Body::empty());
        let request = request.expect("the request is well-formed");
        let Ok(answer) = guarded.clone().oneshot(request).await;
        let code = answer.status();
        let challenge = answer
            .headers()
            .get(header::WWW_AUTHENTICATE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let total = read_json(answer).await.and_then(|body| body.get("total").cloned());
        println!(
            "{method} {path}: {code} {challenge}{}",
            total.map_or(String::new(), |total| format!("total {total}"))
        );
    }
}
