//! Every vector of the file that comes with the crate, by the code of `examples/check_vectors.rs`.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "../examples/vectors/mod.rs"]
mod vectors;

/// All of a file pass, and they are as many as there should be.
fn all_pass(file: &str, count: usize) {
    let outcome = vectors::run(file).unwrap();
    let told: Vec<String> = outcome.disagreements.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    assert_eq!(outcome.passed, count);
}

#[test]
fn every_vector_passes() {
    all_pass(include_str!("scope-vectors.json"), 441);
}

#[test]
fn every_further_vector_passes() {
    all_pass(include_str!("more-vectors.json"), 511);
}

#[test]
fn every_judged_vector_passes() {
    all_pass(include_str!("judged-vectors.json"), 1226);
}

#[test]
fn every_vector_of_a_third_author_passes() {
    all_pass(include_str!("further-vectors.json"), 1798);
}

#[test]
fn another_outcome_passes_only_where_the_vector_names_it() {
    let file = |more: &str| {
        format!(
            r#"[{{"id": "1", "kind": "decide", "scopes": "patient/Observation.rs", "patient": "123", "decision": "allow"{more},
                "request": {{"method": "GET", "path": "/Observation", "query": "", "body": null}}}},
               {{"id": "2", "kind": "intersect", "granted": "user/*.rs", "requested": "user/*.r", "expect": ""{more}}}]"#
        )
    };
    let passed = |more: &str| vectors::run(&file(more)).unwrap().passed;
    assert_eq!(passed(""), 0);
    assert_eq!(passed(r#", "alsoAcceptable": ["deny"]"#), 0);
    assert_eq!(passed(r#", "alsoAcceptable": ["deny", "filter"]"#), 1);
    assert_eq!(passed(r#", "alt": "user/*.r""#), 1);
    assert_eq!(passed(r#", "alt": ["user/*.r", "filter"]"#), 2);
}

#[test]
fn a_body_written_as_json_text_is_read_as_json() {
    let vector = r#"[{"id": "1", "kind": "decide", "fhir": "R4", "scopes": "patient/Observation.c", "patient": "Patient/123", "decision": "allow",
        "request": {"method": "POST", "path": "/Observation?_pretty=true",
            "body": "{\"resourceType\": \"Observation\", \"subject\": {\"reference\": \"Patient/123\"}}"}}]"#;
    assert_eq!(vectors::run(vector).unwrap().passed, 1);
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
