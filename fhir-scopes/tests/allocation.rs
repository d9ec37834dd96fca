//! The allow path allocates nothing: a guard runs on every request.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use allocation_counter::measure;
use fhir_scopes::decide::{Grant, Request};
use fhir_scopes::{Release, ScopeSet};
use serde_json::json;

fn allocations(grant: &Grant, request: &Request<'_>, word: &str) -> u64 {
    assert_eq!(grant.decide(request).word(), word, "{request:?}");
    measure(|| drop(std::hint::black_box(grant.decide(request)))).count_total
}

#[test]
fn an_allowed_request_costs_no_allocation() {
    let text = "openid patient/Patient.rus patient/Medication.rs patient/Observation.c user/Practitioner.cruds user/Observation.rs";
    let grant = Grant::new(&ScopeSet::parse(text, Release::R4).unwrap())
        .launch_patient("123")
        .base("https://this.example/fhir");
    let own =
        json!({ "resourceType": "Observation", "subject": { "reference": "https://this.example/fhir/Patient/123" } });
    for request in [
        Request::get("/metadata", ""),
        Request::get("/Patient/123", "_format=json"),
        Request::get("/Patient/123/_history", ""),
        Request::get("/Medication", "code=http://snomed.info/sct|1"),
        Request::get("/Practitioner/7", ""),
        Request::get("/Practitioner", "name=x&_count=20"),
        Request::get("/Observation/_history", ""),
        Request::get("/Patient/999/Observation", "date=ge2026-01-01"),
        Request::new("DELETE", "/Practitioner/7", ""),
        Request::new("POST", "/Observation", "").with_json(&own),
    ] {
        assert_eq!(allocations(&grant, &request, "allow"), 0, "{request:?}");
    }
}

#[test]
fn a_filtered_read_and_its_check_cost_no_allocation_either() {
    let text = "patient/Observation.rs?category=laboratory";
    let grant = Grant::new(&ScopeSet::parse(text, Release::R4).unwrap()).launch_patient("123");
    let request = Request::get("/Observation/1", "");
    assert_eq!(allocations(&grant, &request, "filter"), 0);
    let fhir_scopes::decide::Decision::Filter(filter) = grant.decide(&request) else { unreachable!() };
    let own = json!({
        "resourceType": "Observation", "subject": { "reference": "Patient/123" },
        "category": [{ "coding": [{ "code": "laboratory" }] }]
    });
    assert!(filter.accepts(&own));
    assert_eq!(measure(|| assert!(filter.accepts(&own))).count_total, 0);
}
