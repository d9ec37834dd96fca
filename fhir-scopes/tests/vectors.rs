//! Every vector of the file that comes with the crate, by the code of `examples/check_vectors.rs`.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "../examples/vectors/mod.rs"]
mod vectors;

#[test]
fn every_vector_passes() {
    let outcome = vectors::run(include_str!("scope-vectors.json")).unwrap();
    let told: Vec<String> = outcome.disagreements.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    assert_eq!(outcome.passed, 441);
}

#[test]
fn a_wrong_expectation_is_noticed() {
    let wrong = r#"{"vectors": [
        {"id": "1", "kind": "parse", "in": "patient/Observation.sr", "valid": true, "class": "resource", "normal": "patient/Observation.rs"},
        {"id": "2", "kind": "covers", "a": "openid", "b": "openid", "expect": false},
        {"id": "3", "kind": "no such kind"},
        {"id": "4", "kind": "covers", "a": "openid", "b": "openid", "expect": true}
    ]}"#;
    let outcome = vectors::run(wrong).unwrap();
    assert_eq!((outcome.passed, outcome.disagreements.len()), (1, 3));
}
