//! What one decision costs: `cargo bench -p fhir-scopes --bench decide`.

use divan::{Bencher, black_box};
use fhir_scopes::decide::{Decision, Grant, Request};
use fhir_scopes::{Release, ScopeSet};
use serde_json::{Value, json};

/// Runs per sample. Left to itself, the runner takes one run where the first was slow, and reports the clock's steps instead.
const EACH: u32 = 64;

fn main() {
    divan::main();
}

/// A token of twelve scopes, as an app for patients holds it.
const TWELVE: &str = "openid fhirUser launch/patient offline_access patient/Patient.rs patient/Condition.rs patient/Observation.rs \
    patient/MedicationRequest.rs patient/Medication.r patient/AllergyIntolerance.rs patient/Immunization.rs user/Practitioner.r";

/// The same with US Core's slices in place of all observations.
const SLICES: &str = "openid launch/patient patient/Patient.rs \
    patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory \
    patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs";

fn grant(scopes: &str) -> Grant {
    Grant::new(&ScopeSet::parse(scopes, Release::R4).expect("the scopes are well-formed")).launch_patient("123")
}

/// About 2 kB of blood pressure.
fn observation() -> Value {
    let quantity =
        |value: u32| json!({ "value": value, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]" });
    let component = |code: &str, text: &str, value| {
        json!({
            "code": { "coding": [{ "system": "http://loinc.org", "code": code, "display": text }], "text": text },
            "valueQuantity": quantity(value),
            "interpretation": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "N", "display": "Normal" }] }]
        })
    };
    json!({
        "resourceType": "Observation", "id": "blood-pressure-1",
        "meta": { "versionId": "4", "lastUpdated": "2026-03-02T10:11:12Z", "profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-blood-pressure"] },
        "text": { "status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">Blood pressure, sitting, left arm, after five minutes of rest</div>" },
        "identifier": [{ "system": "https://hospital.example/observations", "value": "2026-0302-0001" }],
        "status": "final",
        "category": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs", "display": "Vital Signs" }], "text": "Vital Signs" }],
        "code": { "coding": [{ "system": "http://loinc.org", "code": "85354-9", "display": "Blood pressure panel with all children optional" }], "text": "Blood pressure" },
        "subject": { "reference": "Patient/123", "display": "Anna de Vries" },
        "encounter": { "reference": "Encounter/77" },
        "effectiveDateTime": "2026-03-02T10:05:00+01:00",
        "issued": "2026-03-02T10:11:12Z",
        "performer": [{ "reference": "Practitioner/5", "display": "J. Jansen" }],
        "bodySite": { "coding": [{ "system": "http://snomed.info/sct", "code": "368208006", "display": "Left upper arm structure" }] },
        "component": [component("8480-6", "Systolic blood pressure", 128), component("8462-4", "Diastolic blood pressure", 81)]
    })
}

#[divan::bench(sample_size = EACH)]
fn compile_twelve_scopes(bencher: Bencher) {
    let set = ScopeSet::parse(TWELVE, Release::R4).expect("the scopes are well-formed");
    bencher.bench(|| Grant::new(black_box(&set)));
}

#[divan::bench(sample_size = EACH)]
fn parse_and_compile_twelve_scopes(bencher: Bencher) {
    bencher.bench(|| ScopeSet::parse(black_box(TWELVE), Release::R4).map(|set| Grant::new(&set)));
}

#[divan::bench(sample_size = EACH, args = ["/Patient/123", "/Observation/1", "/Medication/5", "/Practitioner/9", "/Encounter/3"])]
fn decide_read(bencher: Bencher, path: &str) {
    let grant = grant(TWELVE);
    bencher.bench(|| grant.decide(black_box(&Request::get(path, ""))).goes_on());
}

#[divan::bench(sample_size = EACH)]
fn decide_search(bencher: Bencher) {
    let grant = grant(TWELVE);
    bencher.bench(|| {
        grant.decide(black_box(&Request::get("/Observation", "code=http://loinc.org|85354-9&date=ge2026"))).goes_on()
    });
}

#[divan::bench(sample_size = EACH)]
fn decide_search_with_include(bencher: Bencher) {
    let grant = grant(TWELVE);
    bencher.bench(|| {
        grant.decide(black_box(&Request::get("/MedicationRequest", "_include=MedicationRequest:medication"))).goes_on()
    });
}

#[divan::bench(sample_size = EACH)]
fn decide_and_check_a_limited_observation(bencher: Bencher) {
    let grant = grant(SLICES);
    let stored = observation();
    assert!((1_900..2_300).contains(&stored.to_string().len()), "{} bytes", stored.to_string().len());
    bencher.bench(|| match grant.decide(black_box(&Request::get("/Observation/blood-pressure-1", ""))) {
        Decision::Filter(filter) => filter.accepts(black_box(&stored)),
        Decision::Allow(_) | Decision::Deny(_) => false,
    });
}

#[divan::bench(sample_size = EACH)]
fn decide_update_of_a_limited_observation(bencher: Bencher) {
    let grant = grant(
        "patient/Observation.cruds?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs",
    );
    let body = observation();
    bencher.bench(|| {
        grant.decide(black_box(&Request::new("PUT", "/Observation/blood-pressure-1", "").with_json(&body))).goes_on()
    });
}
