//! Reading from FHIR servers of every mood.

use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, StatusCode as Status};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use countersign::domain::secrets::PlainSecret;
use countersign::outbound::fhir::client::PatientSearch;
use countersign::outbound::fhir::{FhirClient, FhirReadError};
use std::time::Duration;
use url::Url;

/// Nothing larger is read.
const LARGEST_ANSWER: usize = 2 * 1024 * 1024;

/// A FHIR server with moods: the id says how it answers.
async fn one(headers: HeaderMap, Path((kind, id)): Path<(String, String)>) -> Response {
    if headers.get("authorization").is_none_or(|value| value != "Bearer t") {
        return Status::UNAUTHORIZED.into_response();
    }
    match id.as_str() {
        "absent" => Status::NOT_FOUND.into_response(),
        "deleted" => Status::GONE.into_response(),
        "secret" => Status::FORBIDDEN.into_response(),
        "broken" => Status::BAD_GATEWAY.into_response(),
        "moved" => (Status::FOUND, [("location", "https://evil.example/")]).into_response(),
        "html" => "<html>".into_response(),
        "large" => "x".repeat(LARGEST_ANSWER + 1).into_response(),
        "other" => r#"{"resourceType":"Patient","id":"somebody-else"}"#.into_response(),
        "group" => r#"{"resourceType":"Group","id":"group","type":"person","actual":true}"#.into_response(),
        _ => format!(r#"{{"resourceType":"{kind}","id":"{id}","name":[{{"text":"Mei Tan"}}]}}"#).into_response(),
    }
}

async fn many(RawQuery(query): RawQuery) -> String {
    let asked = query.unwrap_or_default();
    let entry =
        |id: &str| format!(r#"{{"resource":{{"resourceType":"Patient","id":"{id}","name":[{{"text":"{asked}"}}]}}}}"#);
    let outcome = r#"{"resource":{"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"informational"}]}}"#;
    format!(r#"{{"resourceType":"Bundle","type":"searchset","entry":[{},{outcome},{}]}}"#, entry("a"), entry("b"))
}

async fn client(bearer: &str) -> FhirClient {
    let app = Router::new().route("/fhir/Patient", get(many)).route("/fhir/{kind}/{id}", get(one));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = Url::parse(&format!("http://{}/fhir", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    FhirClient::new(&base_url, Some(&PlainSecret::from_text(bearer)), Duration::from_secs(5), http)
}

#[tokio::test]
async fn a_read_gives_a_view_or_says_what_went_wrong() {
    let client = client("t").await;
    assert_eq!(client.read_patient("mei-tan").await.unwrap().name, "Mei Tan");
    assert_eq!(client.read_practitioner("ruth-bakker").await.unwrap().id, "ruth-bakker");
    assert_eq!(client.read_related_person("anna-for-sam").await.unwrap().name, "Mei Tan");
    assert_eq!(client.read_encounter("visit").await.unwrap().id, "visit");
    assert_eq!(client.read_resource("Location", "ward").await.unwrap().resource_type(), "Location");
    for id in ["absent", "deleted", "../secrets", "a?b", ".."] {
        assert!(matches!(client.read_patient(id).await, Err(FhirReadError::NotFound)), "{id}");
    }
    assert!(matches!(client.read_patient("secret").await, Err(FhirReadError::Refused(403))));
    assert!(matches!(client.read_patient("broken").await, Err(FhirReadError::Down(_))));
    for id in ["moved", "html", "large", "other", "group"] {
        assert!(matches!(client.read_patient(id).await, Err(FhirReadError::Malformed(_))), "{id}");
    }
}

#[tokio::test]
async fn a_wrong_token_is_a_refusal_and_a_closed_port_is_down() {
    assert!(matches!(client("wrong").await.read_patient("mei-tan").await, Err(FhirReadError::Refused(401))));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let nowhere = FhirClient::new(&Url::parse("http://127.0.0.1:1/fhir").unwrap(), None, Duration::from_secs(2), http);
    let error = nowhere.read_patient("mei-tan").await.unwrap_err();
    assert!(matches!(&error, FhirReadError::Down(why) if !why.contains("mei-tan")), "{error}");
}

#[tokio::test]
async fn a_server_that_hangs_is_down_when_patience_ends() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = Url::parse(&format!("http://{}/fhir", listener.local_addr().unwrap())).unwrap();
    // it accepts and never says a word
    let silent = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            held.push(socket);
        }
    });
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let client = FhirClient::new(&base_url, None, Duration::from_millis(100), http);
    assert!(matches!(client.read_patient("mei-tan").await, Err(FhirReadError::Down(_))));
    assert!(matches!(client.search("Encounter", &[], 5).await, Err(FhirReadError::Down(_))));
    silent.abort();
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let renewals = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    for (renewed, expected) in [("t", true), ("still wrong", false)] {
        let counted = std::sync::Arc::clone(&renewals);
        let client = client("wrong").await.renewing(std::sync::Arc::new(move || {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Box::pin(async move { Ok(PlainSecret::from_text(renewed)) })
        }));
        assert_eq!(client.read_patient("mei-tan").await.is_ok(), expected);
    }
    assert_eq!(renewals.load(std::sync::atomic::Ordering::Relaxed), 2, "once for each read");
}

#[tokio::test]
async fn what_a_person_types_is_searched_as_a_value() {
    let search =
        PatientSearch { name: Some("Tan, M|ei"), birth_date: Some(" "), identifier: Some("urn:x|7"), limit: 1 };
    let found = client("t").await.search_patients(&search).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].name, r"name=Tan%5C%2C+M%5C%7Cei&identifier=urn%3Ax%7C7&_count=1");
}
