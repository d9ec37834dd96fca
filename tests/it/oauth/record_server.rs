//! The hospital's FHIR server, as our pages read from it: a few records, and every mood a server can be in.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use countersign::domain::organizations::{BackendReading, FhirEndpoint, FhirEndpointSettings};
use countersign::storage;
use serde_json::{Value, json};

use super::actors::Stage;

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// As FHIR says.
    Good,
    /// 500.
    Broken,
    /// Text that is no FHIR.
    Garbage,
    /// 401, whatever the token.
    Refusing,
    /// Never.
    Silent,
    /// As if there were no criteria.
    Careless,
    /// 400 to anything about sorting.
    Unsorted,
    /// 401 to every token but the second it gave out.
    Forgetful,
}

pub struct Shared {
    records: Vec<Value>,
    mood: Mutex<Mood>,
    asked: Mutex<Vec<(String, String)>>,
    tokens: Mutex<Vec<String>>,
}

#[derive(Clone)]
pub struct RecordServer {
    pub base_url: String,
    shared: Arc<Shared>,
}

fn visit(id: &str, patient: &str, status: &str, start: &str) -> Value {
    json!({
        "resourceType": "Encounter", "id": id, "status": status, "class": { "code": "AMB" }, "type": [{ "text": format!("Kind of {id}") }],
        "subject": { "reference": format!("Patient/{patient}") }, "reasonCode": [{ "text": format!("Reason of {id}") }], "period": { "start": start },
    })
}

/// Anna has three visits, Ben one, Cleo none.
pub fn records() -> Vec<Value> {
    let patient = |id: &str| json!({ "resourceType": "Patient", "id": id, "name": [{ "text": format!("{id} the patient") }], "birthDate": "1984-03-12" });
    let of = |id: &str| json!({ "reference": format!("Patient/{id}") });
    let mut secret = visit("secret", "anna", "finished", "2026-06-01T08:00:00Z");
    secret["meta"] = json!({ "security": [{ "code": "R" }] });
    let about = |id: &str, whom: &str| {
        let mut visit = visit(id, "x", "finished", "2026-01-03T08:00:00Z");
        visit["subject"] = json!({ "reference": whom });
        visit
    };
    vec![
        patient("anna"),
        patient("ben"),
        patient("cleo"),
        visit("old", "anna", "finished", "2024-01-02T08:00:00Z"),
        visit("new", "anna", "finished", "2026-01-02T08:00:00Z"),
        visit("now", "anna", "in-progress", "2025-01-02T08:00:00Z"),
        visit("mistake", "anna", "entered-in-error", "2026-02-02T08:00:00Z"),
        secret,
        visit("bens", "ben", "finished", "2026-03-02T08:00:00Z"),
        // of a group, and of a patient of another server
        about("group", "Group/therapy"),
        about("elsewhere", "https://fhir.elsewhere.example/r4/Patient/anna"),
        json!({ "resourceType": "RelatedPerson", "id": "mother", "patient": of("anna"), "name": [{ "text": "Anna's mother" }] }),
        json!({ "resourceType": "RelatedPerson", "id": "friend", "patient": of("anna"), "name": [{ "text": "Anna's friend" }] }),
        json!({ "resourceType": "RelatedPerson", "id": "bens-father", "patient": of("ben"), "name": [{ "text": "Ben's father" }] }),
        json!({ "resourceType": "ImagingStudy", "id": "ct", "status": "available", "subject": of("anna"), "description": "CT head" }),
        json!({ "resourceType": "Location", "id": "ward", "name": "Ward 3 West" }),
        json!({ "resourceType": "Location", "id": "cellar", "name": "Cellar" }),
        json!({
            "resourceType": "Task", "id": "draw", "status": "ready", "intent": "proposal", "for": of("ben"), "encounter": { "reference": "Encounter/bens" },
            "code": coded("launch-app-ehr"),
            "input": [
                { "type": coded("smartonfhir-application"), "valueUrl": "https://app.acme.example/launch?x=1" },
                { "type": coded("smartonfhir-appcontext"), "valueString": "{\"field\":7}" },
            ],
        }),
    ]
}

fn coded(code: &str) -> Value {
    json!({ "coding": [{ "system": "http://hl7.org/fhir/smart-app-launch/CodeSystem/smart-codes", "code": code }] })
}

impl RecordServer {
    /// Starts it on a port of its own.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/fhir", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            records: records(),
            mood: Mutex::new(Mood::Good),
            asked: Mutex::default(),
            tokens: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base_url, shared }
    }

    pub fn mood(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    /// What was asked so far: path with query, and the bearer token.
    pub fn asked(&self) -> Vec<(String, String)> {
        self.shared.asked.lock().unwrap().clone()
    }

    pub fn token_endpoint(&self) -> String {
        self.base_url.replace("/fhir", "/token")
    }
}

impl Stage {
    /// Lets the hospital's FHIR endpoint be this server.
    pub async fn reads_from(&self, base_url: &str, reading: Option<BackendReading>) -> FhirEndpoint {
        let endpoint = FhirEndpoint {
            base_url: base_url.to_owned(),
            settings: FhirEndpointSettings { reading, ..FhirEndpointSettings::default() },
            ..self.world().endpoint.clone()
        };
        let changed = endpoint.clone();
        self.world()
            .write(move |conn| Box::pin(async move { storage::organizations::update_endpoint(conn, &changed).await }))
            .await;
        endpoint
    }
}

fn text(status: StatusCode, body: impl Into<String>) -> Response {
    (status, body.into()).into_response()
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let bearer = request
        .headers()
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default()
        .to_owned();
    let uri = request.uri().clone();
    if uri.path() == "/token" {
        return token(&shared, request).await;
    }
    shared.asked.lock().unwrap().push((uri.to_string(), bearer.clone()));
    let mood = *shared.mood.lock().unwrap();
    match mood {
        Mood::Broken => return text(StatusCode::INTERNAL_SERVER_ERROR, "{}"),
        Mood::Garbage => return text(StatusCode::OK, "<html>hello</html>"),
        Mood::Refusing => return text(StatusCode::UNAUTHORIZED, "{}"),
        Mood::Silent => std::future::pending::<()>().await,
        Mood::Forgetful if bearer != "token-2" => return text(StatusCode::UNAUTHORIZED, "{}"),
        Mood::Unsorted if uri.query().is_some_and(|query| query.contains("_sort")) => {
            return text(StatusCode::BAD_REQUEST, "{}");
        }
        Mood::Good | Mood::Careless | Mood::Unsorted | Mood::Forgetful => {}
    }
    if bearer.is_empty() {
        return text(StatusCode::UNAUTHORIZED, "{}");
    }
    let path: Vec<&str> = uri.path().trim_start_matches("/fhir/").split('/').collect();
    match path.as_slice() {
        [kind, id] => {
            let found = shared.records.iter().find(|record| record["resourceType"] == *kind && record["id"] == *id);
            found.map_or_else(|| text(StatusCode::NOT_FOUND, "{}"), |record| text(StatusCode::OK, record.to_string()))
        }
        [kind] => {
            let query = uri.query().unwrap_or_default().to_owned();
            let holds = |record: &&Value| {
                url::form_urlencoded::parse(query.as_bytes()).all(|(name, value)| match name.as_ref() {
                    _ if mood == Mood::Careless => true,
                    "patient" | "subject" => {
                        record["subject"]["reference"] == *value || record["patient"]["reference"] == *value
                    }
                    "date" => record["period"]["start"].as_str().is_some_and(|start| start.starts_with(&*value)),
                    "name" => record.to_string().to_lowercase().contains(&value.to_lowercase()),
                    _ => true,
                })
            };
            let entries: Vec<Value> = shared
                .records
                .iter()
                .filter(|record| record["resourceType"] == *kind)
                .filter(holds)
                .map(|record| json!({ "resource": record }))
                .collect();
            text(StatusCode::OK, json!({ "resourceType": "Bundle", "type": "searchset", "entry": entries }).to_string())
        }
        _ => text(StatusCode::NOT_FOUND, "{}"),
    }
}

/// The token endpoint of the authorization server that this FHIR server trusts: it keeps the assertions it was shown.
async fn token(shared: &Shared, request: Request) -> Response {
    let body = axum::body::to_bytes(request.into_body(), 100_000).await.unwrap();
    let form: std::collections::BTreeMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let mut tokens = shared.tokens.lock().unwrap();
    tokens.push(form["client_assertion"].clone());
    if form["grant_type"] != "client_credentials"
        || form["client_assertion_type"] != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    {
        return text(StatusCode::BAD_REQUEST, r#"{"error":"invalid_request"}"#);
    }
    let answer = json!({ "access_token": format!("token-{}", tokens.len()), "token_type": "bearer", "expires_in": 300, "scope": form["scope"] });
    text(StatusCode::OK, answer.to_string())
}

impl RecordServer {
    /// The assertions that the token endpoint was shown.
    pub fn assertions(&self) -> Vec<String> {
        self.shared.tokens.lock().unwrap().clone()
    }
}
