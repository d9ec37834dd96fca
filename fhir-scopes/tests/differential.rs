//! This crate against an older implementation from a registry, over the syntax both know.
//!
//! `differential/generate.py` recorded the answers of `fhir.smart.scopes` 0.0.2 (PyPI). Where the two differ, the reason stands here, and a
//! difference without a reason fails the test, as does a reason that no longer explains anything.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;

use fhir_scopes::{Level, Permissions, Release, ResourceType, Scope, ScopeKind, ScopeSet};
use serde_json::Value;

fn answers() -> Value {
    serde_json::from_str(include_str!("differential/answers.json")).unwrap()
}

type Reason = (&'static str, fn(&str) -> bool);

/// The differences in what is read, and why they are right.
const REASONS: [Reason; 6] = [
    ("SMART 2.2 lets servers keep the words of v1; the older one knows letters only", |token| {
        [".read", ".write", ".*"].iter().any(|word| token.ends_with(word))
    }),
    ("limits are read here and refused there", |token| token.contains("?category=a") || token.contains("?_tag=a")),
    ("roles of launch scopes are read here and refused there", |token| {
        token.starts_with("launch/") && token.contains("?role=")
    }),
    ("profile and email are scopes of OpenID Connect", |token| matches!(token, "profile" | "email")),
    (
        "its pattern has an unescaped dot and lets all letters be missing, so that any text after a level is an empty scope",
        |token| {
            matches!(
                token,
                "patient/Observation." | "patient/Observation" | "patient/Observationxrs" | "system/bulk-submit"
            )
        },
    ),
    ("a level alone is taken for a scope without resource", |token| token == "patient"),
];

#[test]
fn both_read_the_same_tokens_except_for_reasons_given() {
    let mut used = BTreeSet::new();
    for answer in answers()["tokens"].as_array().unwrap() {
        let token = answer["token"].as_str().unwrap();
        let known = |scope: &Scope<'_>| matches!(scope.kind(), ScopeKind::Resource(_) | ScopeKind::Plain(_));
        let ours = Scope::parse(token, Release::R5).is_ok_and(|scope| known(&scope));
        let theirs = answer["accepted"].as_bool().unwrap();
        let reason = REASONS.iter().position(|(_, applies)| applies(token));
        if ours != theirs {
            used.insert(
                reason.unwrap_or_else(|| panic!("{token}: read here {ours}, there {theirs}, and no reason is given")),
            );
        }
    }
    assert_eq!(used.len(), REASONS.len(), "a reason explains nothing: {used:?}");
}

/// The rights on the types that the answers show, and the other scopes.
fn atoms(set: &ScopeSet) -> BTreeSet<String> {
    let mut atoms = BTreeSet::new();
    for scope in set {
        let Some(resource) = scope.resource() else {
            atoms.insert(scope.literal().to_string());
            continue;
        };
        for name in ["Observation", "Patient", "Encounter", "Goal"] {
            if resource.types.includes(ResourceType::parse(name, Release::R5).unwrap()) {
                atoms
                    .extend(resource.permissions.letters().map(|letter| format!("{}/{name}.{letter}", resource.level)));
            }
        }
    }
    atoms
}

fn expected(answer: &Value, member: &str) -> BTreeSet<String> {
    answer[member].as_array().unwrap().iter().map(|atom| atom.as_str().unwrap().to_string()).collect()
}

#[test]
fn both_agree_on_what_two_lists_have_in_common_and_on_what_is_missing() {
    let answers = answers();
    let pairs = answers["pairs"].as_array().unwrap();
    assert!(pairs.len() > 400);
    for answer in pairs {
        let read = |member: &str| ScopeSet::parse(answer[member].as_str().unwrap(), Release::R5).unwrap();
        let (allowed, requested) = (read("allowed"), read("requested"));
        assert_eq!(atoms(&allowed.intersect(&requested)), expected(answer, "both"), "{allowed} and {requested}");
        assert_eq!(
            atoms(&requested.granted_within(&allowed)),
            expected(answer, "both"),
            "{requested} within {allowed}"
        );
        // the older one takes `*` for the list of today's types: the one way in which less can be missing there
        let missing = atoms(&requested.beyond(&allowed));
        let wildcard = |level: Level, letter: Permissions| {
            requested.resources().any(|r| r.level == level && r.permissions.contains(letter) && r.types.as_str() == "*")
        };
        let by_wildcard = |atom: &String| {
            Level::ALL.into_iter().any(|level| {
                Permissions::ALL.letters().any(|letter| {
                    atom.starts_with(level.as_str()) && atom.ends_with(&format!(".{letter}")) && wildcard(level, letter)
                })
            })
        };
        let theirs = expected(answer, "missing");
        assert!(
            missing.is_superset(&theirs) && missing.difference(&theirs).all(by_wildcard),
            "{requested} beyond {allowed}"
        );
    }
}

#[test]
fn both_agree_on_covering_except_that_no_list_of_types_covers_the_wildcard() {
    let mut differences = vec![];
    for answer in answers()["pairs"].as_array().unwrap() {
        let read = |member: &str| ScopeSet::parse(answer[member].as_str().unwrap(), Release::R5).unwrap();
        let (allowed, requested) = (read("allowed"), read("requested"));
        if allowed.covers(&requested) != answer["covers"].as_bool().unwrap() {
            differences.push(requested.to_string());
        }
    }
    assert_eq!(differences, ["patient/*.r"], "every type of today, listed one by one, is not every type of tomorrow");
}
