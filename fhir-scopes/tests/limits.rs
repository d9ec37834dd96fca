//! Limits at the edge of what a scope can carry.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use fhir_scopes::matches::limit_matches;
use fhir_scopes::{Limit, ParseErrorKind, Release, ResourceType, Scope, TypeSelector};
use serde_json::json;

fn refused(token: &str) -> ParseErrorKind {
    Scope::parse(token, Release::R4).unwrap_err().kind
}

#[test]
fn what_cannot_be_evaluated_on_one_resource_is_refused_when_it_is_read() {
    assert_eq!(refused("patient/Observation.rs?value-quantity=gt5"), ParseErrorKind::UnsupportedParameter);
    assert_eq!(refused("patient/Observation.rs?code-value-quantity=x"), ParseErrorKind::UnsupportedParameter);
    assert_eq!(refused("user/Location.rs?near=52|5"), ParseErrorKind::UnsupportedParameter);
    assert_eq!(refused("user/RiskAssessment.rs?probability=1"), ParseErrorKind::UnsupportedParameter);
}

#[test]
fn each_refusal_names_its_own_reason() {
    for (token, kind) in [
        ("patient/Observation.rs?category:in=x", ParseErrorKind::Modifier),
        ("patient/Observation.rs?subject.birthdate=1990", ParseErrorKind::Chain),
        ("patient/Patient.rs?_has:Observation:patient:code=1", ParseErrorKind::Chain),
        ("patient/Observation.rs?_count=1", ParseErrorKind::ResultParameter),
        ("patient/Observation.rs?nosuch=1", ParseErrorKind::Parameter),
        ("patient/*.rs?category=a", ParseErrorKind::Parameter),
        ("patient/Observation.rs?category=a|b|c", ParseErrorKind::Value),
        ("patient/Observation.rs?category=a%5Cb", ParseErrorKind::Value),
        ("patient/Observation.rs?category=%C3", ParseErrorKind::Encoding),
        ("patient/Observation.rs?category=a=b", ParseErrorKind::Pair),
        ("patient/Observation.read?category=a", ParseErrorKind::LimitOnV1),
    ] {
        assert_eq!(refused(token), kind, "{token}");
    }
}

#[test]
fn a_date_that_can_never_be_compared_is_refused_when_it_is_read() {
    for value in [
        "ne2024",
        "ap2024",
        "yesterday",
        "2024-13-45",
        "2024-02-30",
        "ge",
        "ge2024,ne2020",
        "2024-01-01T25:00Z",
        "2024-01-01T10",
        "2024%5C-01",
    ] {
        for scope in ["user/Observation.rs?date=", "user/*.rs?_lastUpdated=", "patient/Patient.rs?_id=1&birthdate="] {
            let kind = refused(&format!("{scope}{value}"));
            assert!(matches!(kind, ParseErrorKind::Date | ParseErrorKind::Value), "{scope}{value}: {kind:?}");
        }
    }
    assert_eq!(refused("user/Observation.rs?date=ne2024"), ParseErrorKind::Date);
    assert_eq!(refused("user/Observation.rs?date=2024,"), ParseErrorKind::Value);
    for value in ["2024", "eq2024-02-29", "ge2024-01-01T10:00:00.5%2B01:00", "sa2024-01,eb2025", "lt2024-01-01T10:00Z"]
    {
        assert!(Scope::parse(&format!("user/Observation.rs?date={value}"), Release::R4).is_ok(), "{value}");
    }
    let error = Scope::parse("user/Observation.rs?date=2024-13-45", Release::R4).unwrap_err();
    assert_eq!(error.range, 25..35);
}

#[test]
fn a_limit_has_a_bound() {
    let long = format!("patient/Observation.rs?category={}", "a".repeat(2100));
    assert_eq!(refused(&long), ParseErrorKind::TooLong);
}

#[test]
fn a_name_is_compared_by_its_parts_and_never_by_its_use() {
    let patient = ResourceType::PATIENT;
    let resource = json!({"resourceType": "Patient", "name": [{"use": "official", "family": "van Dam", "given": ["Jan", "Piet"]}]});
    for (limit, met) in [
        ("name=van%20Dam", true),
        ("name=Piet", true),
        ("name=official", false),
        ("name=Jan", true),
        ("name=jan", false),
    ] {
        let limit = Limit::parse(limit, TypeSelector::One(patient), Release::R4).unwrap();
        assert_eq!(limit_matches(&limit, patient, Release::R4, None, &resource), met, "{limit}");
    }
}

#[test]
fn each_release_has_its_own_parameters() {
    for (token, releases) in [
        ("patient/Observation.rs?category=a", "r4 r4b r5"),
        ("user/ActivityDefinition.rs?kind=x", "r5"),
        ("user/SubscriptionTopic.rs?derived-or-self=http://a.example/x", "r4b r5"),
        ("patient/Encounter.rs?reason-code=x", "r4 r4b r5"),
        ("patient/Encounter.rs?careteam=CareTeam/1", "r5"),
        ("patient/Condition.rs?participant-function=x", "r5"),
        ("patient/Consent.rs?scope=x", "r4 r4b"),
        ("patient/Goal.rs?start-date=ge2024", "r4 r4b r5"),
        ("user/Citation.rs?classifier=x", "r5"),
        ("user/Ingredient.rs?substance-code=x", "r4b r5"),
        // known by name only: nothing on one resource to compare
        ("user/Patient.rs?deceased=true", ""),
    ] {
        for release in Release::ALL {
            let read = Scope::parse(token, release);
            assert_eq!(
                read.is_ok(),
                releases.split(' ').any(|one| one == release.as_str()),
                "{token} in {release:?}: {read:?}"
            );
        }
    }
}

#[test]
fn a_limit_is_read_along_the_elements_of_its_release() {
    let medication = |resource: serde_json::Value, release| {
        let one = ResourceType::parse("MedicationRequest", release).unwrap();
        let limit = Limit::parse("code=http://a.example|x", TypeSelector::One(one), release).unwrap();
        limit_matches(&limit, one, release, None, &resource)
    };
    let coding = json!({ "coding": [{ "system": "http://a.example", "code": "x" }] });
    let earlier = json!({ "resourceType": "MedicationRequest", "medicationCodeableConcept": coding });
    let later = json!({ "resourceType": "MedicationRequest", "medication": { "concept": coding } });
    for (release, is_later) in [(Release::R4, false), (Release::R4B, false), (Release::R5, true)] {
        assert_eq!(medication(earlier.clone(), release), !is_later, "{release:?}");
        assert_eq!(medication(later.clone(), release), is_later, "{release:?}");
    }
}
