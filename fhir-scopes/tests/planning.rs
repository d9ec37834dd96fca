//! Planned requests: what is asked for opens them, and what cannot be planned is never permitted.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use fhir_scopes::decide::{Grant, Request};
use fhir_scopes::{Level, Release, ResourceRequest, ScopeSet, UnplannableKind};
use serde_json::{Value, json};

const LEVELS: [Level; 3] = [Level::Patient, Level::User, Level::System];

fn plan(level: Level, request: &str) -> Result<ScopeSet, UnplannableKind> {
    ResourceRequest::from_planned(level, [request], false, Release::R4)
        .map(|request| request.to_scopes(Release::R4))
        .map_err(|error| error.kind)
}

/// The decision about a planned request under these scopes, with content of the launch patient where the method takes some.
fn goes_on(scopes: &ScopeSet, planned: &str) -> bool {
    let (line, condition) =
        planned.split_once(" If-None-Exist: ").map_or((planned, None), |(line, condition)| (line, Some(condition)));
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let kind = path.split('/').nth(1).unwrap_or_default();
    let mut body = json!({ "resourceType": kind, "subject": { "reference": "Patient/123" }, "patient": { "reference": "Patient/123" } });
    if kind == "Patient" {
        body = json!({ "resourceType": "Patient", "id": "123" });
    }
    let content: Option<&Value> = matches!(method, "POST" | "PUT").then_some(&body);
    let request = Request { if_none_exist: condition, ..Request::new(method, path, query) };
    let request = content.map_or(request, |body| request.with_json(body));
    Grant::new(scopes).launch_patient("123").decide(&request).goes_on()
}

/// Requests of every kind, possible and impossible.
const PLANS: [&str; 66] = [
    "GET /Observation/1",
    "GET /Observation/1/_history",
    "GET /Observation/_history",
    "GET /Observation/_history?_since=2024&_include=Observation:subject",
    "GET /Observation/_history?_filter=x",
    "GET /_history",
    "GET /_history?_type=Observation,Condition",
    "GET /_history?_has:Observation:patient:code=1",
    "GET /Observation?code=x",
    "GET /Observation?_cascade=x",
    "GET /Observation?_expunge=true",
    "GET /Observation?_query=x",
    "GET /Observation?_unknown=x",
    "GET /Observation?_count=5&_sort=-date&_elements=id&_format=json&_summary=true",
    "GET /Observation?_contained=false",
    "GET /Observation?subject:Patient.name=x",
    "GET /Observation?subject.name=x",
    "GET /Observation?subject:Patient.name:exact=x",
    "GET /Observation?subject:Patient.organization.name=x",
    "GET /Observation?subject:Patient.nosuch.name=x",
    "GET /Observation?nosuch.name=x",
    "GET /Observation?_sort=subject:Patient.birthdate",
    "GET /Observation?_list=1",
    "GET /Observation?_include=Observation:subject",
    "GET /Observation?_include=Observation:encounter",
    "GET /Observation?_include=*",
    "GET /Observation?_revinclude=Provenance:target",
    "GET /Patient?_has:Observation:patient:code=1",
    "GET /Patient?_has:Observation:patient:encounter.status=x",
    "GET /Patient?_has:Observation:patient:_has:AuditEvent:entity:agent=1",
    "GET /Patient?_has:Nosuch:patient:code=1",
    "GET /Patient?_has:Observation=1",
    "GET /?_type=Observation,Condition",
    "GET /?_type=Observation&_list=1",
    "GET /?_type=Observation&subject.name=x",
    "GET /?_type=Observation&_sort=subject.name",
    "GET /?_type=Observation&_sort=_lastUpdated",
    "GET /?_type=Nosuch",
    "GET /Patient/123/*",
    "GET /Patient/123/Observation?code=x",
    "GET /Subscription/1",
    "GET /Subscription?status=x",
    "GET /Binary/1",
    "GET /Binary",
    "GET /Medication/1",
    "POST /Medication",
    "PATCH /Medication/1",
    "DELETE /Medication/1",
    "POST /Patient",
    "PUT /Patient/123",
    "POST /Observation",
    "POST /Observation If-None-Exist: identifier=x",
    "POST /Observation If-None-Exist: subject:Patient.name=x",
    "POST /Observation If-None-Exist: _include=Observation:subject",
    "POST /Observation If-None-Exist: _cascade=x",
    "PATCH /Observation?identifier=x",
    "PATCH /Observation?encounter.status=x",
    "DELETE /Observation/1",
    "DELETE /Observation/1?_cascade=delete",
    "DELETE /Observation?identifier=x",
    "DELETE /Observation?_expunge=true",
    "GET /Patient/123/$everything",
    "GET /Patient/123/$everything?_type=Observation",
    "GET /Observation/$lastn?code=x",
    "GET /DocumentReference/$docref",
    "GET /$export?_type=Observation",
];

#[test]
fn what_is_asked_for_opens_the_request_and_what_is_not_planned_is_never_open() {
    for level in LEVELS {
        let everything = ScopeSet::parse(&format!("{level}/*.cruds"), Release::R4).unwrap();
        for planned in PLANS {
            match plan(level, planned) {
                Ok(asked) => assert!(goes_on(&asked, planned), "{level}: {asked} does not open {planned}"),
                Err(kind) => assert!(!goes_on(&everything, planned), "{level}: {planned} is open, yet {kind:?}"),
            }
        }
    }
}

#[test]
fn a_parameter_that_every_decision_refuses_is_not_planned() {
    for planned in [
        "GET /Observation?_cascade=x",
        "GET /Observation?_nosuch=x",
        "GET /Observation?_filter=x",
        "GET /Observation/_history?_query=x",
        "GET /Observation?_contained=true",
        "GET /Observation?_contained=both",
        "GET /Observation?subject:Patient._include=x",
        "GET /Observation?subject:Patient._contained=false",
        "GET /Observation?subject:Patient._filter=x",
        "GET /Observation?subject:Patient.=x",
        "GET /Patient?_has:Observation:patient:_query=x",
        "GET /Patient?_has:Observation:patient:encounter._revinclude=x",
        "GET /?_list=1",
        "POST /Observation If-None-Exist: _include=Observation:subject",
        "DELETE /Observation/1?_cascade=delete",
    ] {
        assert_eq!(plan(Level::User, planned), Err(UnplannableKind::Parameter), "{planned}");
    }
    let list = plan(Level::User, "GET /Observation?subject:Patient._list=1").unwrap();
    assert_eq!(list.to_string(), "user/List.r user/Observation.s user/Patient.s");
    let list = plan(Level::User, "GET /Patient?_has:Observation:patient:_list=1").unwrap();
    assert_eq!(list.to_string(), "user/List.r user/Observation.s user/Patient.s");
}

#[test]
fn what_a_patient_scope_never_opens_is_not_planned_at_that_level() {
    for planned in [
        "POST /Patient",
        "POST /Patient If-None-Exist: identifier=x",
        "PUT /Medication/1",
        "DELETE /Practitioner/1",
        "GET /Subscription/1",
        "GET /Binary",
        "PATCH /Observation?subject:Patient.name=x",
        "GET /Observation?_revinclude=Subscription:contact",
    ] {
        assert_eq!(plan(Level::Patient, planned), Err(UnplannableKind::Level), "{planned}");
        assert!(plan(Level::User, planned).is_ok(), "{planned}");
    }
    for (planned, asked) in [
        ("GET /Binary/1", "patient/Binary.r"),
        ("PUT /Patient/123", "patient/Patient.u"),
        ("GET /Medication", "patient/Medication.s"),
        ("PUT /Device/1", "patient/Device.u"),
    ] {
        assert_eq!(plan(Level::Patient, planned).unwrap().to_string(), asked);
    }
}
