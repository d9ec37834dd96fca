//! What a filter says to servers that rewrite a search rather than look at each result.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use allocation_counter::measure;
use fhir_scopes::compartment::CompartmentMode;
use fhir_scopes::decide::{Decision, Filter, Grant, MAX_COMBINATIONS, Request};
use fhir_scopes::{Release, ResourceType, ScopeSet};
use serde_json::json;

const PATIENT: &str = "123";

fn grant(scopes: &str) -> Grant {
    Grant::new(&ScopeSet::parse(scopes, Release::R4).unwrap()).launch_patient(PATIENT)
}

fn filter<'g>(grant: &'g Grant, request: &Request<'_>) -> Filter<'g> {
    match grant.decide(request) {
        Decision::Filter(filter) => filter,
        other => panic!("{request:?}: {}", other.word()),
    }
}

/// As many scopes as a token of 16 kB holds, spelled by their number.
fn many(count: usize, spell: impl Fn(usize) -> String) -> String {
    (0..count).map(spell).collect::<Vec<_>>().join(" ")
}

/// Allocations stand for work here: a clock would measure the machine.
#[test]
fn the_longest_token_stays_affordable_whatever_is_asked_of_its_filter() {
    let both = many(445, |i| format!("user/Task.us?_id={i}"));
    let apart =
        many(445, |i| if i % 2 == 0 { format!("user/Task.u?_id={i}") } else { format!("user/Task.s?_tag=t{i}") });
    let whole = many(445, |i| format!("user/Patient.rs?_id={i}"));
    let halves = many(445, |i| if i % 2 == 0 { format!("user/*.r?_id={i}") } else { format!("user/*.s?_tag=t{i}") });
    let documents = many(400, |i| format!("user/DocumentReference.rs?_id={i}"));
    for (scopes, request) in [
        (&both, Request::new("PATCH", "/Task", "identifier=x")),
        (&apart, Request::new("PATCH", "/Task", "identifier=x")),
        (&both, Request::get("/Task", "")),
        (&both, Request::get("/Task/_history", "")),
        (&halves, Request::get("/_history", "")),
        (&whole, Request::get("/Patient/1/$everything", "")),
        (&halves, Request::get("/Patient/1/$everything", "")),
        (&documents, Request::get("/DocumentReference/$docref", "")),
    ] {
        let grant = grant(scopes);
        let filter = filter(&grant, &request);
        for (what, counted) in [
            ("the decision", measure(|| drop(std::hint::black_box(grant.decide(&request))))),
            ("branches", measure(|| drop(std::hint::black_box(filter.branches())))),
            ("queries", measure(|| drop(std::hint::black_box(filter.as_queries())))),
            ("one query", measure(|| drop(std::hint::black_box(filter.as_single_query())))),
            ("by", measure(|| drop(std::hint::black_box(filter.by())))),
            ("deletions", measure(|| assert!(!filter.accepts_deletion(ResourceType::PATIENT)))),
        ] {
            assert!(counted.count_total < 20_000, "{what} of {request:?}: {} allocations", counted.count_total);
        }
        assert!(filter.branches().len() <= MAX_COMBINATIONS);
    }
}

#[test]
fn a_scope_with_every_letter_is_a_way_by_itself() {
    let grant = grant("user/Task.us?_id=1 user/Task.us?_id=2 user/Task.u?_tag=a user/Task.s?_tag=b");
    let filter = filter(&grant, &Request::new("PATCH", "/Task", "identifier=x"));
    let mut ways: Vec<String> = filter.branches().iter().map(|branch| branch.restriction().unwrap()).collect();
    ways.sort();
    assert_eq!(ways, ["_id=1", "_id=2", "_tag=a&_tag=b"]);
    assert_eq!(filter.by().len(), 4);
}

#[test]
fn what_is_left_out_of_the_branches_is_still_accepted_and_never_told_as_a_query() {
    let scopes = many(400, |i| if i % 2 == 0 { format!("user/*.r?_tag=r{i}") } else { format!("user/*.s?_tag=s{i}") });
    let grant = grant(&format!("user/Patient.r?_id=1 {scopes}"));
    let filter = filter(&grant, &Request::get("/Patient/1/$everything", ""));
    let last = json!({ "resourceType": "Condition", "meta": { "tag": [{ "code": "r398" }, { "code": "s399" }] } });
    assert!(filter.accepts(&last));
    assert!(filter.as_queries().is_none() && filter.as_single_query().is_none());
    assert_eq!(filter.by().len(), 401);
}

/// The queries, joined; nothing where there are none.
fn queries(grant: &Grant, path: &str) -> Option<String> {
    let filter = filter(grant, &Request::get(path, ""));
    let all = filter.as_queries().map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
    let single = filter.as_single_query().map(|query| query.to_string());
    assert!(single.is_none() || single == all, "{path}: {single:?} is not {all:?}");
    all
}

#[test]
fn a_query_stays_in_the_compartment_that_the_client_named() {
    for (scopes, path, expected) in [
        ("user/Observation.s?status=final", "/Patient/999/Observation", Some("Patient/999/Observation?status=final")),
        ("user/Observation.s?status=final", "/Patient/123/Observation", Some("Patient/123/Observation?status=final")),
        ("user/Observation.s?status=final", "/Encounter/5/Observation", Some("Encounter/5/Observation?status=final")),
        ("user/Observation.s?status=final", "/Observation", Some("Observation?status=final")),
        ("patient/Observation.s", "/Observation", Some("Patient/123/Observation")),
        ("patient/Observation.s", "/Patient/123/Observation", Some("Patient/123/Observation")),
        // an observation is in an encounter's compartment by one parameter, in the patient's by two
        ("patient/Observation.s", "/Encounter/5/Observation", Some("Patient/123/Observation?encounter=Encounter/5")),
        (
            "patient/Observation.s?status=final",
            "/Encounter/5/Observation",
            Some("Patient/123/Observation?encounter=Encounter/5&status=final"),
        ),
        (
            "patient/Observation.s",
            "/Practitioner/5/Observation",
            Some("Patient/123/Observation?performer=Practitioner/5"),
        ),
        // by two parameters in the practitioner's compartment, by one in the patient's
        ("patient/Encounter.s", "/Practitioner/5/Encounter", Some("Practitioner/5/Encounter?patient=Patient/123")),
        // two on either side: no plain query says both
        ("patient/AllergyIntolerance.s", "/Practitioner/5/AllergyIntolerance", None),
        // an encounter is in its own compartment without naming itself
        ("patient/Encounter.s", "/Encounter/5/Encounter", Some("Encounter/5/Encounter?patient=Patient/123")),
        ("patient/Patient.s?name=x", "/Patient/123/Patient", Some("Patient/123/Patient?_id=123&name=x")),
        ("patient/Device.s", "/Device", Some("Device?patient=Patient/123")),
    ] {
        assert_eq!(queries(&grant(scopes), path).as_deref(), expected, "{scopes} {path}");
    }
    let narrow = grant("patient/Observation.s").mode(CompartmentMode::Subject);
    for (path, expected) in [
        ("/Observation", "Observation?subject=Patient/123"),
        ("/Patient/123/Observation", "Patient/123/Observation?subject=Patient/123"),
        ("/Encounter/5/Observation", "Encounter/5/Observation?subject=Patient/123"),
    ] {
        assert_eq!(queries(&narrow, path).as_deref(), Some(expected), "{path}");
    }
}

#[test]
fn what_is_no_plain_search_is_not_told_as_one() {
    let grant = grant("patient/*.cruds user/Observation.rs?status=final");
    for path in [
        "/Observation/1",
        "/Observation/1/_history",
        "/Observation/1/_history/2",
        "/Observation/_history",
        "/_history",
        "/Observation/$lastn",
        "/Patient/123/$everything",
        "/DocumentReference/$docref",
    ] {
        assert_eq!(queries(&grant, path), None, "{path}");
    }
    let conditional = filter(&grant, &Request::new("DELETE", "/Condition", "code=x"));
    assert!(conditional.as_queries().is_none() && conditional.as_single_query().is_none());
}
