//! `cargo bench -p fhir-scopes --bench scopes`: reading and comparing scopes.

use divan::{Bencher, black_box};
use fhir_scopes::{Release, ResourceType, Scope, ScopeSet};

/// Runs per sample. Left to itself, the runner takes one run where the first was slow, and reports the clock's steps instead.
const EACH: u32 = 64;

fn main() {
    divan::main();
}

/// What a patient app with lab slices asks: 12 scopes, 477 bytes and more.
const TOKEN: &str = "launch/patient openid fhirUser offline_access patient/Patient.rs patient/Condition.rs patient/AllergyIntolerance.rs \
    patient/MedicationRequest.rs patient/Immunization.rs \
    patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory \
    patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs \
    patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|social-history";

const LIMITED: &str =
    "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory";

#[divan::bench(sample_size = EACH, args = ["patient/Observation.rs", "user/*.cruds", "system/MedicationAdministration.read", "launch/patient", "offline_access"])]
fn parse_one(bencher: Bencher<'_, '_>, text: &str) {
    bencher.bench(|| Scope::parse(black_box(text), Release::R4));
}

#[divan::bench(sample_size = EACH)]
fn parse_one_limited(bencher: Bencher<'_, '_>) {
    bencher.bench(|| Scope::parse(black_box(LIMITED), Release::R4));
}

#[divan::bench(sample_size = EACH)]
fn look_up_a_type(bencher: Bencher<'_, '_>) {
    bencher.bench(|| ResourceType::parse(black_box("MedicationAdministration"), Release::R4));
}

#[divan::bench(sample_size = EACH)]
fn parse_12_scopes(bencher: Bencher<'_, '_>) {
    bencher.bench(|| ScopeSet::parse_lenient(black_box(TOKEN), Release::R4));
}

#[divan::bench(sample_size = EACH)]
fn covers_12_scopes(bencher: Bencher<'_, '_>) {
    let (approved, requested) = (set("launch/patient openid fhirUser offline_access patient/*.rs"), set(TOKEN));
    bencher.bench(|| black_box(&approved).covers(black_box(&requested)));
}

#[divan::bench(sample_size = EACH)]
fn grant_12_scopes_within_an_approval(bencher: Bencher<'_, '_>) {
    let (approved, requested) = (set("launch/patient openid patient/*.rs"), set(TOKEN));
    bencher.bench(|| black_box(&requested).granted_within(black_box(&approved)));
}

#[divan::bench(sample_size = EACH)]
fn normalize_12_scopes(bencher: Bencher<'_, '_>) {
    let set = set(TOKEN);
    bencher.bench(|| black_box(&set).normalized());
}

#[divan::bench(sample_size = EACH)]
fn describe_12_scopes(bencher: Bencher<'_, '_>) {
    let set = set(TOKEN);
    bencher.bench(|| fhir_scopes::describe::describe(black_box(&set), fhir_scopes::describe::Lang::En));
}

fn set(text: &str) -> ScopeSet {
    ScopeSet::parse(text, Release::R4).expect("the list is well-formed")
}
