//! The allow path allocates nothing: a guard runs on every request.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use allocation_counter::measure;
use fhir_scopes::decide::{Grant, Request};
use fhir_scopes::{Release, Scope, ScopeSet};
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

#[test]
fn a_search_costs_no_allocation_whatever_comes_along() {
    let text = "patient/Patient.rs patient/Condition.s patient/Provenance.s patient/MedicationRequest.rs patient/Medication.r user/Practitioner.rs";
    let grant = Grant::new(&ScopeSet::parse(text, Release::R4).unwrap()).launch_patient("123");
    for (request, word) in [
        (Request::get("/MedicationRequest", "_include=MedicationRequest:medication"), "filter"),
        (
            Request::get(
                "/MedicationRequest",
                "_include=MedicationRequest:patient&_include=MedicationRequest:medication",
            ),
            "filter",
        ),
        (Request::get("/Condition", "_revinclude=Provenance:target&_sort=-date&_count=20"), "filter"),
        (Request::get("/Practitioner", "_id=1&_lastUpdated=ge2026"), "allow"),
        (Request::get("/Condition", "patient:Patient.name=x"), "filter"),
        (Request::get("/", "_type=Condition,Provenance"), "filter"),
        (Request::get("/Condition/_history", ""), "filter"),
        (Request::get("/Observation", ""), "deny"),
        (Request::get("/Patient/999", ""), "deny"),
    ] {
        assert_eq!(allocations(&grant, &request, word), 0, "{request:?}");
    }
}

#[test]
fn reading_a_scope_costs_no_allocation_nor_does_its_usual_limit() {
    for text in [
        "launch/patient",
        "patient/Observation.rs",
        "system/*.read",
        "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
        "user/*.rs?_tag=http://example.org/tags|research",
        "https://ehr.example.org/scopes/profilePhoto.manage",
    ] {
        let counted = measure(|| drop(std::hint::black_box(Scope::parse(text, Release::R4).unwrap())));
        assert_eq!(counted.count_total, 0, "{text}");
    }
}

/// Allocations stand for work here: a clock would measure the machine.
#[test]
fn the_longest_request_within_the_longest_approval_stays_affordable() {
    let list = |name: &str| {
        let scopes: Vec<String> = (0..5_000).map(|i| format!("patient/Observation.rs?{name}=c{i}")).collect();
        ScopeSet::parse_lenient(&scopes.join(" "), Release::R4).0
    };
    let (requested, approved) = (list("category"), list("_tag"));
    assert!(requested.len() > 400 && approved.len() > 400);
    for (what, counted) in [
        ("granted", measure(|| drop(std::hint::black_box(requested.granted_within(&approved))))),
        ("intersection", measure(|| drop(std::hint::black_box(requested.intersect(&approved))))),
        ("difference", measure(|| drop(std::hint::black_box(requested.difference(&approved))))),
        ("normal form", measure(|| drop(std::hint::black_box(requested.normalized())))),
    ] {
        assert!(counted.count_total < 100_000, "{what}: {} allocations", counted.count_total);
    }
}
