//! The scopes that US Core and the US certification program ask for, and three misspellings that US Core itself has published.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::{Level, Release, Scope, ScopeSet};

const OBSERVATION: &str = "http://terminology.hl7.org/CodeSystem/observation-category|";

/// Limited scopes that servers SHALL support, without the level (US Core 6.1 to 9.0, "Granular scopes").
///
/// ```
/// assert_eq!(fhir_scopes::us_core::GRANULAR.len(), 8);
/// ```
pub const GRANULAR: [&str; 8] = [
    "Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis",
    "Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item",
    "Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern",
    "Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
    "Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|social-history",
    "Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs",
    "Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|survey",
    "Observation.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|sdoh",
];

/// Limited scopes that servers SHOULD support.
///
/// ```
/// assert!(fhir_scopes::us_core::GRANULAR_SHOULD[0].starts_with("DocumentReference.rs"));
/// ```
pub const GRANULAR_SHOULD: [&str; 1] = [
    "DocumentReference.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category|clinical-note",
];

/// Scopes on whole types that servers SHALL support for the types they serve; `Location` and `Medication` are optional.
///
/// ```
/// assert_eq!(fhir_scopes::us_core::RESOURCE_LEVEL.len(), 25);
/// ```
pub const RESOURCE_LEVEL: [&str; 25] = [
    "AllergyIntolerance.rs",
    "CarePlan.rs",
    "CareTeam.rs",
    "Condition.rs",
    "Coverage.rs",
    "Device.rs",
    "DiagnosticReport.rs",
    "DocumentReference.rs",
    "Encounter.rs",
    "FamilyMemberHistory.rs",
    "Goal.rs",
    "Immunization.rs",
    "MedicationDispense.rs",
    "MedicationRequest.rs",
    "Observation.rs",
    "Organization.rs",
    "Patient.rs",
    "Practitioner.rs",
    "PractitionerRole.rs",
    "Procedure.rs",
    "Provenance.rs",
    "QuestionnaireResponse.rs",
    "RelatedPerson.rs",
    "ServiceRequest.rs",
    "Specimen.rs",
];

/// Everything a US Core server SHALL list in `scopes_supported` at one level.
///
/// ```
/// use fhir_scopes::{Level, Release, us_core};
/// let scopes = us_core::scopes(Level::Patient, Release::R4);
/// assert_eq!(scopes.len(), 33);
/// assert!(scopes.contains_literal("patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"));
/// ```
pub fn scopes(level: Level, release: Release) -> ScopeSet {
    let texts: Vec<String> =
        RESOURCE_LEVEL.iter().chain(&GRANULAR).map(|rest| [level.as_str(), "/", rest].concat()).collect();
    ScopeSet::from_scopes(texts.iter().filter_map(|text| Scope::parse(text, release).ok()), release)
}

/// A scope whose misspelt code system was replaced.
///
/// ```
/// use fhir_scopes::{Release, ScopeSet, us_core};
/// let asked = ScopeSet::parse("patient/Observation.rs?category=http://terminology.hl7.org//CodeSystem-observation-category|social-history", Release::R4).unwrap();
/// let (_, corrections) = us_core::corrected(&asked);
/// assert_eq!(corrections[0].asked, asked.to_string());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// As the client asked.
    pub asked: String,
    /// As it was meant.
    pub meant: String,
}

/// Misspelt and right start of a category, as US Core's own data had them from 7.0.0 on; other software copied them.
const MISSPELT: [&str; 3] = [
    "http://terminology.hl7.org//CodeSystem-observation-category|",
    "http://terminology.hl7.org/3.1.0/CodeSystem-observation-category.html|",
    "http://terminology.hl7.org/CodeSystem/Observation-category|",
];

/// The set with the three published misspellings of the observation category put right, and what was changed.
///
/// A misspelt scope is well-formed and matches no resource: granting it would give an app nothing. Correcting is a decision of the server,
/// so [`ScopeSet::parse`] does not do it; show the approver the corrected scope.
///
/// ```
/// use fhir_scopes::{Release, ScopeSet, us_core};
/// let asked = ScopeSet::parse("openid patient/Observation.rs?category=http://terminology.hl7.org//CodeSystem-observation-category|social-history", Release::R4).unwrap();
/// let (meant, corrections) = us_core::corrected(&asked);
/// assert!(meant.contains_literal("patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|social-history"));
/// assert_eq!(corrections.len(), 1);
/// ```
pub fn corrected(set: &ScopeSet) -> (ScopeSet, Vec<Correction>) {
    let mut corrections = Vec::new();
    let scopes = set.iter().map(|scope| {
        let Some(meant) = meant(scope, set.release()) else { return scope.clone() };
        corrections.push(Correction { asked: scope.literal().to_string(), meant: meant.literal().to_string() });
        meant
    });
    let scopes: Vec<_> = scopes.collect();
    (ScopeSet::from_scopes(scopes, set.release()), corrections)
}

/// What a misspelt scope stands for; none where it is no such scope.
pub(crate) fn meant(scope: &Scope<'static>, release: Release) -> Option<Scope<'static>> {
    MISSPELT.iter().find_map(|wrong| put_right(scope, wrong, release))
}

fn put_right(scope: &Scope<'static>, wrong: &str, release: Release) -> Option<Scope<'static>> {
    let limit = &scope.resource()?.limit;
    if !limit.clauses().iter().any(|clause| {
        clause.parameter() == "category" && clause.alternatives().iter().any(|value| value.starts_with(wrong))
    }) {
        return None;
    }
    let text = scope.canonical().replace(wrong, OBSERVATION);
    Scope::parse(&text, release).ok().map(Scope::into_owned)
}
