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
