//! The server seen from outside, with an authorization server that says whatever the test wants about a token.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Form, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{Credential, FhirServerConfig, router};

const BASE: &str = "https://fhir.example/t1/fhir";
const ISSUER: &str = "https://as.example/o/st-mary";
const LAB: &str = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory";

/// The other side: tokens it knows, whether it is up, how often it was asked.
#[derive(Default)]
struct Authorization {
    tokens: Mutex<HashMap<String, Value>>,
    down: AtomicBool,
    asked: AtomicUsize,
}

async fn introspect(
    State(known): State<Arc<Authorization>>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    known.asked.fetch_add(1, Ordering::SeqCst);
    if known.down.load(Ordering::SeqCst) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    // "rs:1" and "p w" must arrive form-encoded (RFC 6749 2.3.1)
    let expected = format!("Basic {}", STANDARD.encode("rs%3A1:p+w"));
    if headers.get(AUTHORIZATION).is_none_or(|value| value != expected.as_str()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let answer = known.tokens.lock().unwrap().get(&form["token"]).cloned().unwrap_or_else(|| json!({"active": false}));
    axum::Json(answer).into_response()
}

struct Scene {
    router: Router,
    authorization: Arc<Authorization>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{} is not JSON: {}", self.status, self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn total(&self) -> u64 {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self.json()["total"].as_u64().unwrap()
    }
}

impl Scene {
    async fn new() -> Self {
        let authorization = Arc::<Authorization>::default();
        let document = json!({"issuer": ISSUER, "token_endpoint": format!("{ISSUER}/token")});
        let down = authorization.clone();
        let configuration = move || async move {
            if down.down.load(Ordering::SeqCst) {
                StatusCode::BAD_GATEWAY.into_response()
            } else {
                axum::Json(document).into_response()
            }
        };
        let other_side = Router::new()
            .route("/introspect", post(introspect))
            .route("/smart-configuration", get(configuration))
            .with_state(authorization.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, other_side).await.unwrap() });
        let router = router(FhirServerConfig {
            base_url: format!("{BASE}/"),
            issuer: ISSUER.to_owned(),
            smart_configuration: format!("http://{address}/smart-configuration"),
            introspection_endpoint: format!("http://{address}/introspect"),
            authorization_endpoint: format!("{ISSUER}/authorize"),
            token_endpoint: format!("{ISSUER}/token"),
            client_id: "rs:1".to_owned(),
            client_secret: Credential::new("p w"),
        })
        .unwrap();
        Self { router, authorization }
    }

    /// A live token; `facts` are merged into what introspection says.
    fn token(&self, name: &str, scope: &str, facts: Value) {
        let mut answer = json!({"active": true, "aud": [BASE], "iss": ISSUER, "scope": scope, "token_type": "Bearer", "client_id": "app_1"});
        if let (Value::Object(answer), Value::Object(facts)) = (&mut answer, facts) {
            answer.extend(facts);
        }
        self.authorization.tokens.lock().unwrap().insert(name.to_owned(), answer);
    }

    /// A scene with one token "t" for the launch patient Anna.
    async fn anna(scope: &str) -> Self {
        let scene = Self::new().await;
        scene.token("t", scope, json!({"patient": "anna-de-vries"}));
        scene
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    async fn get(&self, token: &str, path: &str) -> Answer {
        self.call(Method::GET, token, path, "", None).await
    }

    async fn call(&self, method: Method, token: &str, path: &str, content_type: &str, body: Option<String>) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/t1/fhir/{path}"));
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        self.send(request.body(body.map_or_else(Body::empty, Body::from)).unwrap()).await
    }

    async fn write(&self, method: Method, path: &str, resource: &Value) -> Answer {
        self.call(method, "t", path, "application/fhir+json", Some(resource.to_string())).await
    }
}

#[tokio::test]
async fn without_a_token_the_answer_is_401_and_names_no_error() {
    let scene = Scene::new().await;
    let answer = scene.get("", "Patient/anna-de-vries").await;
    assert_eq!((answer.status, answer.header("www-authenticate")), (StatusCode::UNAUTHORIZED, "Bearer"));
    assert_eq!(answer.json()["issue"][0]["code"], "login");
    assert_eq!(scene.authorization.asked.load(Ordering::SeqCst), 0);
    let in_the_url = scene.get("", "Patient?access_token=t").await;
    assert_eq!(in_the_url.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_that_is_not_good_here_is_401_invalid_token() {
    let scene = Scene::new().await;
    scene.token("elsewhere", "system/*.rs", json!({"aud": "https://fhir.example/t2/fhir"}));
    scene.token("foreign", "system/*.rs", json!({"iss": "https://as.example/o/other"}));
    scene.token("dead", "system/*.rs", json!({"active": false}));
    for token in ["unknown", "elsewhere", "foreign", "dead", "not\u{e9}ascii"] {
        let answer = scene.get(token, "Patient").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{token}");
        if token.is_ascii() {
            assert_eq!(answer.header("www-authenticate"), r#"Bearer error="invalid_token""#, "{token}");
        }
        assert_eq!(answer.json()["resourceType"], "OperationOutcome");
    }
}

#[tokio::test]
async fn a_disabled_client_is_refused_at_its_very_next_request() {
    let scene = Scene::anna("patient/*.rs").await;
    assert_eq!(scene.get("t", "Patient/anna-de-vries").await.status, StatusCode::OK);
    scene.authorization.tokens.lock().unwrap().clear();
    assert_eq!(scene.get("t", "Patient/anna-de-vries").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(scene.authorization.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_authorization_server_that_does_not_answer_means_503_for_everybody() {
    let scene = Scene::anna("patient/*.rs").await;
    scene.authorization.down.store(true, Ordering::SeqCst);
    for path in ["Patient/anna-de-vries", ".well-known/smart-configuration"] {
        let answer = scene.get("t", path).await;
        assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "2"), "{path}");
    }
}

#[tokio::test]
async fn a_patient_scope_reaches_the_launch_patient_only() {
    let scene = Scene::anna("patient/*.rs").await;
    assert_eq!(scene.get("t", "Patient/anna-de-vries").await.json()["name"][0]["family"], "de Vries");
    assert_eq!(scene.get("t", "Patient").await.total(), 1);
    assert_eq!(scene.get("t", "Condition").await.total(), 4);
    assert_eq!(scene.get("t", "Condition?patient=mei-tan").await.total(), 0);
    assert_eq!(scene.get("t", "Observation/mei-phq-9-2025-02-03").await.status, StatusCode::NOT_FOUND);
    // shared knowledge is readable, files that may hold anybody's data are not
    assert_eq!(scene.get("t", "Practitioner/ruth-bakker").await.status, StatusCode::OK);
    assert_ne!(scene.get("t", "Binary/anna-check-up-note").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_record_of_another_patient_answers_as_one_that_is_not_there() {
    let scene = Scene::anna("patient/*.rs").await;
    for (theirs, absent) in
        [("Condition/mei-condition-depression", "Condition/nothing"), ("Patient/mei-tan", "Patient/nobody-at-all")]
    {
        let (theirs, absent) = (scene.get("t", theirs).await, scene.get("t", absent).await);
        assert_eq!((theirs.status, theirs.text), (absent.status, absent.text));
    }
}

#[tokio::test]
async fn a_limited_scope_filters_results_counts_and_reads() {
    let scene = Scene::anna(&format!("patient/Observation.rs?category={LAB}")).await;
    let all = scene.get("t", "Observation?_count=200").await;
    let entries = all.json()["entry"].as_array().unwrap().clone();
    assert!(entries.iter().all(|entry| entry["resource"]["category"][0]["coding"][0]["code"] == "laboratory"));
    assert_eq!(all.total(), 15);
    assert_eq!(scene.get("t", "Observation?_summary=count").await.total(), 15);
    assert_eq!(scene.get("t", "Observation?category=vital-signs").await.total(), 0);
    assert_eq!(scene.get("t", "Observation/anna-lab-hba1c-2026-09-14").await.status, StatusCode::OK);
    assert_eq!(scene.get("t", "Observation/anna-weight-2026-09-14").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_granular_scope_of_us_core_reaches_its_own_category_and_no_other() {
    for scope in fhir_scopes::us_core::GRANULAR {
        let scene = Scene::anna(&format!("patient/{scope}")).await;
        let (one, limit) = scope.split_once(".rs?category=").unwrap();
        let (system, code) = limit.split_once('|').unwrap();
        let all = scene.get("t", &format!("{one}?_count=200")).await;
        assert_eq!(all.status, StatusCode::OK, "{scope}: {}", all.text);
        let empty = Vec::new();
        for entry in all.json()["entry"].as_array().unwrap_or(&empty) {
            let categories = entry["resource"]["category"].as_array().unwrap();
            let codings = categories.iter().flat_map(|category| category["coding"].as_array().unwrap());
            assert!(
                codings.clone().any(|coding| coding["system"] == system && coding["code"] == code),
                "{scope}: {entry}"
            );
        }
        let other = if one == "Condition" { "Observation" } else { "Condition" };
        assert_eq!(scene.get("t", other).await.status, StatusCode::FORBIDDEN, "{scope}");
    }
}

#[tokio::test]
async fn a_category_that_us_core_published_misspelt_reaches_what_was_meant() {
    let right = Scene::anna(
        "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|social-history",
    )
    .await;
    let expected = right.get("t", "Observation").await.total();
    assert!(expected > 0, "there is something to see");
    let misspelt = Scene::anna(
        "patient/Observation.rs?category=http://terminology.hl7.org//CodeSystem-observation-category|social-history",
    )
    .await;
    assert_eq!(misspelt.get("t", "Observation").await.total(), expected);
    assert_eq!(misspelt.get("t", "Observation/anna-weight-2026-09-14").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn too_little_scope_is_403_and_the_header_says_what_is_missing() {
    let scene = Scene::anna("patient/Patient.r patient/Observation.r").await;
    for (path, missing) in [("Condition", "patient/Condition.s"), ("Observation?code=4548-4", "patient/Observation.s")]
    {
        let answer = scene.get("t", path).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        let challenge = answer.header("www-authenticate");
        assert!(challenge.starts_with("Bearer ") && challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
        assert!(challenge.contains(missing), "{challenge}");
        assert_eq!(answer.json()["issue"][0]["code"], "forbidden");
    }
    let write = scene.call(Method::DELETE, "t", "Observation/anna-weight-2026-09-14", "", None).await;
    assert_eq!(write.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn scopes_that_cannot_be_read_grant_nothing() {
    for scope in
        ["", "openid fhirUser", "patient/Observation.sr", "patient/*.rs?nonsense=1", "patient/Observation.rs?category="]
    {
        let scene = Scene::anna(scope).await;
        assert_eq!(scene.get("t", "Observation").await.status, StatusCode::FORBIDDEN, "{scope}");
    }
}

#[tokio::test]
async fn a_patient_scope_without_a_launch_patient_grants_nothing() {
    let scene = Scene::new().await;
    scene.token("t", "patient/*.rs", json!({}));
    assert_eq!(scene.get("t", "Observation").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_user_scope_reaches_whom_the_person_may_see() {
    let scene = Scene::new().await;
    for (token, user, patients) in [
        ("anna", json!({"fhirUser": format!("{BASE}/Patient/anna-de-vries")}), 2),
        ("mother", json!({"fhirUser": "RelatedPerson/anna-for-sam"}), 1),
        ("mei", json!({"fhirUser": "Patient/mei-tan"}), 1),
        ("doctor", json!({"fhirUser": "Practitioner/ruth-bakker"}), 4),
        ("stranger", json!({"fhirUser": "Practitioner/nobody"}), 0),
        ("elsewhere", json!({"fhirUser": "https://other.example/fhir/Practitioner/ruth-bakker"}), 0),
        ("unknown", json!({}), 0),
    ] {
        scene.token(token, "user/*.rs", user);
        let answer = scene.get(token, "Patient").await;
        match patients {
            0 => assert_ne!(answer.status, StatusCode::OK, "{token}: {}", answer.text),
            _ => assert_eq!(answer.total(), patients, "{token}"),
        }
    }
    assert_eq!(scene.get("anna", "Condition?patient=sam-de-vries").await.total(), 4);
    assert_eq!(scene.get("anna", "Condition/mei-condition-depression").await.status, StatusCode::NOT_FOUND);
    assert_eq!(scene.get("mei", "Practitioner/ruth-bakker").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_app_that_was_told_who_signed_in_may_read_that_one_resource() {
    let scene = Scene::new().await;
    let doctor = json!({"patient": "mei-tan", "fhirUser": "Practitioner/ruth-bakker"});
    scene.token("told", "openid fhirUser patient/Observation.rs", doctor.clone());
    scene.token("untold", "openid patient/Observation.rs", doctor);
    assert_eq!(scene.get("told", "Practitioner/ruth-bakker").await.status, StatusCode::OK);
    for (token, path) in [
        ("untold", "Practitioner/ruth-bakker"),
        ("told", "Practitioner?_id=ruth-bakker"),
        ("told", "Practitioner/ruth-bakker?_include=*"),
        ("told", "Practitioner/ruth-bakker/_history/1"),
        ("told", "Patient/mei-tan"),
    ] {
        assert_eq!(scene.get(token, path).await.status, StatusCode::FORBIDDEN, "{token} {path}");
    }
}

#[tokio::test]
async fn a_person_never_reaches_beyond_this_servers_own_policy_whatever_the_launch_says() {
    let scene = Scene::new().await;
    scene.token("t", "patient/*.rs", json!({"patient": "joseph-okafor", "fhirUser": "Patient/anna-de-vries"}));
    assert_eq!(scene.get("t", "Condition").await.total(), 0);
}

#[tokio::test]
async fn a_person_writes_only_about_whom_they_may_see() {
    let scene = Scene::new().await;
    scene.token("t", "user/Observation.cruds", json!({"fhirUser": "Patient/anna-de-vries"}));
    for (patient, status) in [("sam-de-vries", StatusCode::CREATED), ("mei-tan", StatusCode::FORBIDDEN)] {
        let answer = scene.write(Method::POST, "Observation", &weight(patient, "vital-signs")).await;
        assert_eq!(answer.status, status, "{patient}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_record_is_a_patients_if_it_is_about_them_not_if_they_made_it() {
    let scene = Scene::anna("patient/*.rs").await;
    assert_ne!(scene.get("t", "Observation/anna-measured-the-room").await.status, StatusCode::OK);
    assert_ne!(scene.get("t", "Group/diabetes-and-heart-failure").await.status, StatusCode::OK);
    assert_eq!(scene.get("t", "Task/order-test-strips").await.status, StatusCode::OK);
    assert_ne!(scene.get("t", "Task/call-joseph").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_system_scope_reaches_every_patient() {
    let scene = Scene::new().await;
    scene.token("t", "system/Patient.rs", json!({}));
    assert_eq!(scene.get("t", "Patient").await.total(), 4);
    assert_eq!(scene.get("t", "Condition").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn compartment_search_stays_with_the_launch_patient() {
    let scene = Scene::anna("patient/*.rs").await;
    assert_eq!(scene.get("t", "Patient/anna-de-vries/Condition").await.total(), 4);
    assert_ne!(scene.get("t", "Patient/mei-tan/Condition").await.status, StatusCode::OK);
    scene.token("doctor", "user/*.rs", json!({"fhirUser": "Practitioner/ruth-bakker"}));
    assert_eq!(scene.get("doctor", "Patient/mei-tan/Condition").await.total(), 4);
}

#[tokio::test]
async fn a_search_by_post_counts_query_and_form_together() {
    let scene = Scene::anna("patient/*.rs").await;
    let form = |body: &str| {
        scene.call(
            Method::POST,
            "t",
            "Observation/_search?category=laboratory",
            "application/x-www-form-urlencoded",
            Some(body.to_owned()),
        )
    };
    assert_eq!(form("code=4548-4").await.total(), 3);
    assert_eq!(form("").await.total(), 15);
    let not_a_form =
        scene.call(Method::POST, "t", "Observation/_search", "application/json", Some("{}".to_owned())).await;
    assert_eq!(not_a_form.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

fn weight(patient: &str, category: &str) -> Value {
    json!({
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": category}]}],
        "code": {"text": "Body weight"},
        "subject": {"reference": format!("Patient/{patient}")},
        "valueQuantity": {"value": 77.90, "unit": "kg"},
    })
}

#[tokio::test]
async fn what_is_created_can_be_read_changed_and_deleted() {
    let scene = Scene::anna("patient/Observation.cruds").await;
    let created = scene.write(Method::POST, "Observation", &weight("anna-de-vries", "vital-signs")).await;
    assert_eq!((created.status, created.header("etag")), (StatusCode::CREATED, "W/\"1\""), "{}", created.text);
    let id = created.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(created.header("location"), format!("{BASE}/Observation/{id}/_history/1"));
    let path = format!("Observation/{id}");
    let mut changed = created.json();
    changed["status"] = json!("amended");
    assert_eq!(scene.write(Method::PUT, &path, &changed).await.json()["meta"]["versionId"], "2");
    assert_eq!(scene.get("t", &format!("{path}/_history/2")).await.json()["status"], "amended");
    assert_eq!(scene.call(Method::DELETE, "t", &path, "", None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(scene.get("t", &path).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn nothing_is_written_beyond_reach_whether_stored_or_new() {
    let scene = Scene::anna(
        "patient/Observation.cruds?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs",
    )
    .await;
    let mut pulled = weight("anna-de-vries", "vital-signs");
    pulled["id"] = json!("mei-phq-9-2025-02-03");
    let mut pushed = weight("anna-de-vries", "laboratory");
    pushed["id"] = json!("anna-weight-2026-09-14");
    for (method, path, resource) in [
        (Method::POST, "Observation", weight("mei-tan", "vital-signs")),
        (Method::POST, "Observation", weight("anna-de-vries", "laboratory")),
        (Method::PUT, "Observation/mei-phq-9-2025-02-03", pulled),
        (Method::PUT, "Observation/anna-weight-2026-09-14", pushed),
    ] {
        let answer = scene.write(method.clone(), path, &resource).await;
        assert!(
            matches!(answer.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND),
            "{method} {path}: {} {}",
            answer.status,
            answer.text
        );
    }
    scene.token("all", "system/*.rs", json!({}));
    assert_eq!(scene.get("all", "Observation/mei-phq-9-2025-02-03").await.json()["meta"]["versionId"], "1");
    assert_eq!(scene.get("all", "Observation/anna-weight-2026-09-14").await.json()["meta"]["versionId"], "1");
}

#[tokio::test]
async fn the_scopes_judge_the_very_resource_that_is_stored() {
    let scene = Scene::anna("patient/Observation.cruds").await;
    scene.token("all", "system/*.rs", json!({}));
    let before = scene.get("all", "Observation?patient=mei-tan&_summary=count").await.total();
    for (first, second) in [("anna-de-vries", "mei-tan"), ("mei-tan", "anna-de-vries")] {
        let twice = format!(
            r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"subject":{{"reference":"Patient/{first}"}},"subject":{{"reference":"Patient/{second}"}}}}"#
        );
        scene.call(Method::POST, "t", "Observation", "application/json", Some(twice)).await;
    }
    assert_eq!(scene.get("all", "Observation?patient=mei-tan&_summary=count").await.total(), before);
}

#[tokio::test]
async fn a_writer_who_may_not_read_gets_no_body_back() {
    let scene = Scene::anna("patient/Observation.u").await;
    let mut resource = weight("anna-de-vries", "vital-signs");
    resource["id"] = json!("anna-weight-2026-09-14");
    let answer = scene.write(Method::PUT, "Observation/anna-weight-2026-09-14", &resource).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, ""));
}

#[tokio::test]
async fn a_body_that_is_not_r4_or_not_the_type_is_refused() {
    let scene = Scene::anna("patient/*.cruds").await;
    let mut unknown = weight("anna-de-vries", "vital-signs");
    unknown["mood"] = json!("fine");
    for (path, body) in [
        ("Observation", unknown.to_string()),
        ("Condition", weight("anna-de-vries", "vital-signs").to_string()),
        ("Observation", "{".to_owned()),
    ] {
        let answer = scene.call(Method::POST, "t", path, "application/fhir+json", Some(body)).await;
        assert!(answer.status.is_client_error(), "{path}");
        assert_eq!(answer.json()["resourceType"], "OperationOutcome");
    }
}

#[tokio::test]
async fn every_refusal_is_an_operation_outcome() {
    let scene = Scene::new().await;
    scene.token("t", "system/*.cruds", json!({}));
    for (method, path) in [
        (Method::GET, "Patient/nobody"),
        (Method::GET, "Unicorn"),
        (Method::GET, "Patient?shoe-size=42"),
        (Method::GET, "Observation?_include=Observation:subject"),
        (Method::GET, "Patient/anna-de-vries/_history"),
        (Method::GET, "Patient/anna-de-vries/$everything"),
        (Method::GET, "?_type=Patient"),
        (Method::POST, ""),
        (Method::PATCH, "Patient/anna-de-vries"),
        (Method::GET, "Patient/..%2fx"),
        (Method::POST, "metadata"),
        (Method::DELETE, "Patient?name=x"),
        (Method::GET, "Patient?_format=xml"),
        (Method::GET, "Group/diabetes-and-heart-failure/Observation"),
    ] {
        let answer = scene.call(method.clone(), "t", path, "", None).await;
        assert!(answer.status.is_client_error(), "{method} {path}: {}", answer.status);
        assert_eq!(answer.json()["resourceType"], "OperationOutcome", "{method} {path}");
        assert!(answer.header("content-type").starts_with("application/fhir+json"), "{method} {path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{method} {path}");
    }
}

#[tokio::test]
async fn the_smart_configuration_is_the_authorization_servers_own_whatever_the_accept() {
    let scene = Scene::new().await;
    for accept in ["application/json", "application/fhir+xml", "text/html", "*/*"] {
        let request = Request::get("/t1/fhir/.well-known/smart-configuration")
            .header("accept", accept)
            .header("authorization", "Bearer bad");
        let answer = scene.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/json"), "{accept}");
        assert_eq!(answer.json()["issuer"], ISSUER);
        assert!(answer.header("cache-control").contains("public"));
    }
}

#[tokio::test]
async fn what_is_read_before_a_token_is_json_for_everybody_and_not_sent_twice() {
    let scene = Scene::new().await;
    for (path, kind) in [("metadata", "application/fhir+json"), (".well-known/smart-configuration", "application/json")]
    {
        let ask = |accept: &'static str, known: String| {
            let request = Request::get(format!("/t1/fhir/{path}")).header("accept", accept);
            scene.send(request.header("if-none-match", known).body(Body::empty()).unwrap())
        };
        let whole = ask("text/html", "W/\"another\"".to_owned()).await;
        assert_eq!(whole.status, StatusCode::OK, "{path}");
        assert!(whole.header("content-type").starts_with(kind), "{path}");
        let etag = whole.header("etag").to_owned();
        assert!(etag.starts_with("W/\""), "{path}: {etag}");
        let again = ask("application/json", format!("\"x\", {etag}")).await;
        assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""), "{path}");
        assert_eq!(again.header("access-control-allow-origin"), "*");
    }
}

#[tokio::test]
async fn a_token_sent_in_two_ways_is_a_malformed_request() {
    let scene = Scene::new().await;
    scene.token("t", "system/*.rs", json!({}));
    let answer = scene.call(Method::GET, "t", "Patient?access_token=t", "", None).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_request\"");
    let twice =
        Request::get("/t1/fhir/Patient").header("authorization", "Bearer t").header("authorization", "Bearer t");
    assert_eq!(scene.send(twice.body(Body::empty()).unwrap()).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_conformance_statement_needs_no_token_and_says_where_to_sign_in() {
    let scene = Scene::new().await;
    let answer = scene.get("", "metadata").await;
    let security = &answer.json()["rest"][0]["security"];
    assert_eq!(security["service"][0]["coding"][0]["code"], "SMART-on-FHIR");
    let uris = security["extension"][0]["extension"].as_array().unwrap().clone();
    assert!(uris.contains(&json!({"url": "authorize", "valueUri": format!("{ISSUER}/authorize")})));
    assert!(uris.contains(&json!({"url": "token", "valueUri": format!("{ISSUER}/token")})));
}

#[tokio::test]
async fn a_browser_app_of_any_origin_may_ask() {
    let scene = Scene::new().await;
    for path in ["Patient", "metadata", ".well-known/smart-configuration"] {
        let request = Request::builder()
            .method(Method::OPTIONS)
            .uri(format!("/t1/fhir/{path}"))
            .header("origin", "https://app.example");
        let answer = scene.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        for allowed in ["authorization", "content-type", "accept", "prefer"] {
            assert!(answer.header("access-control-allow-headers").contains(allowed), "{allowed}");
        }
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
}
