//! The laws of the scope algebra, held against a brute-force evaluator.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "laws/brute_force.rs"]
mod brute_force;

use std::sync::LazyLock;

use brute_force::{Resource, others, rights, world};
use fhir_scopes::{Release, Scope, ScopeSet};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

static WORLD: LazyLock<Vec<Resource>> = LazyLock::new(world);

fn set(text: &str) -> ScopeSet {
    ScopeSet::parse(text, Release::R4).unwrap()
}

fn means(set: &ScopeSet) -> std::collections::BTreeSet<brute_force::Right> {
    rights(&set.to_string(), &WORLD)
}

fn letters() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => subsequence(vec!['c', 'r', 'u', 'd', 's'], 1..=5).prop_map(|letters| letters.into_iter().collect()),
        1 => select(vec!["read", "write", "*"]).prop_map(String::from),
    ]
}

fn clause(name: &'static str, values: Vec<&'static str>) -> impl Strategy<Value = String> {
    proptest::collection::vec(select(values), 1..=3).prop_map(move |values| format!("{name}={}", values.join(",")))
}

fn limit() -> impl Strategy<Value = String> {
    let category = || clause("category", vec!["a", "b", "s|a", "s|b", "t|a", "|a", "s|", "t|"]);
    let tag = || clause("_tag", vec!["x", "|x", "s|y"]);
    prop_oneof![
        category(),
        tag(),
        (category(), category()).prop_map(|(a, b)| format!("{a}&{b}")),
        (tag(), category()).prop_map(|(a, b)| format!("{a}&{b}")),
    ]
}

fn resource_scope() -> impl Strategy<Value = String> {
    // few levels and types, so that scopes meet
    let level = || select(vec!["patient", "patient", "patient", "user", "system"]);
    prop_oneof![
        3 => (level(), select(vec!["*", "Observation", "Observation", "Patient", "Encounter"]), letters()).prop_map(|(level, name, letters)| format!("{level}/{name}.{letters}")),
        3 => (level(), letters(), limit()).prop_map(|(level, letters, limit)| format!("{level}/Observation.{}?{limit}", v2(&letters))),
        1 => (level(), select(vec!["*", "Patient"]), letters(), select(vec!["x", "|x", "s|y", "x,s|y"])).prop_map(|(level, name, letters, tag)| format!("{level}/{name}.{}?_tag={tag}", v2(&letters))),
    ]
}

fn v2(letters: &str) -> &str {
    match letters {
        "read" => "rs",
        "write" => "cud",
        "*" => "cruds",
        letters => letters,
    }
}

fn any_scope() -> impl Strategy<Value = String> {
    let plain = vec![
        "openid",
        "fhirUser",
        "launch",
        "launch/patient",
        "offline_access",
        "foo:bar",
        "__x",
        "https://example.org/x",
    ];
    prop_oneof![5 => resource_scope(), 1 => select(plain).prop_map(String::from)]
}

fn list() -> impl Strategy<Value = String> {
    proptest::collection::vec(any_scope(), 0..6).prop_map(|scopes| {
        let mut seen = vec![];
        for scope in scopes {
            if !seen.contains(&scope) {
                seen.push(scope);
            }
        }
        seen.join(" ")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printing_what_was_read_gives_the_same_text(text in list()) {
        prop_assert_eq!(set(&text).to_string(), text);
    }

    #[test]
    fn the_canonical_text_means_the_same_and_is_stable(text in any_scope()) {
        let canonical = Scope::parse(&text, Release::R4).unwrap().canonical();
        prop_assert_eq!(rights(&canonical, &WORLD), rights(&text, &WORLD));
        let twice = Scope::parse(&canonical, Release::R4).unwrap().canonical();
        prop_assert_eq!(twice, canonical);
    }

    #[test]
    fn covers_says_yes_exactly_when_every_right_is_there(a in list(), b in list()) {
        let expected = rights(&b, &WORLD).is_subset(&rights(&a, &WORLD)) && others(&b).is_subset(&others(&a));
        prop_assert_eq!(set(&a).covers(&set(&b)), expected, "{} covers {}", a, b);
    }

    #[test]
    fn one_limit_is_covered_by_several_scopes_exactly_when_every_right_is_there(
        a in proptest::collection::vec(limit(), 1..5), b in limit(),
    ) {
        let given = set(&a.iter().map(|limit| format!("user/Observation.s?{limit}")).collect::<Vec<_>>().join(" "));
        let asked = set(&format!("user/Observation.s?{b}"));
        prop_assert_eq!(given.covers(&asked), means(&asked).is_subset(&means(&given)));
    }

    #[test]
    fn covering_is_reflexive_and_transitive(a in list(), b in list(), c in list()) {
        let (a, b, c) = (set(&a), set(&b), set(&c));
        prop_assert!(a.covers(&a));
        prop_assert!(!(a.covers(&b) && b.covers(&c)) || a.covers(&c));
    }

    #[test]
    fn the_intersection_holds_what_both_hold(a in list(), b in list()) {
        let both = set(&a).intersect(&set(&b));
        let expected: std::collections::BTreeSet<_> = rights(&a, &WORLD).intersection(&rights(&b, &WORLD)).copied().collect();
        prop_assert_eq!(means(&both), expected);
        let text = both.to_string();
        let common: std::collections::BTreeSet<_> = others(&a).intersection(&others(&b)).copied().collect();
        prop_assert_eq!(others(&text), common);
    }

    #[test]
    fn intersecting_is_commutative_associative_and_idempotent(a in list(), b in list(), c in list()) {
        let (a, b, c) = (set(&a), set(&b), set(&c));
        prop_assert_eq!(a.intersect(&b).to_string(), b.intersect(&a).to_string());
        prop_assert_eq!(a.intersect(&a).to_string(), a.normalized().to_string());
        let (left, right) = (a.intersect(&b).intersect(&c), a.intersect(&b.intersect(&c)));
        prop_assert!(left.covers(&right) && right.covers(&left), "{} against {}", left, right);
    }

    #[test]
    fn the_intersection_is_the_greatest_lower_bound(a in list(), b in list(), x in list()) {
        let (a, b, x) = (set(&a), set(&b), set(&x));
        let both = a.intersect(&b);
        prop_assert!(a.covers(&both) && b.covers(&both));
        prop_assert!(!(a.covers(&x) && b.covers(&x)) || both.covers(&x), "{} leaves out {}", both, x);
    }

    #[test]
    fn the_normal_form_keeps_the_meaning_and_is_its_own_normal_form(a in list()) {
        let normal = set(&a).normalized();
        prop_assert_eq!(means(&normal), rights(&a, &WORLD));
        let text = normal.to_string();
        prop_assert_eq!(others(&text), others(&a));
        prop_assert_eq!(normal.normalized().to_string(), normal.to_string());
        prop_assert_eq!(set(&normal.to_string()).to_string(), normal.to_string());
    }

    #[test]
    fn the_normal_form_does_not_depend_on_the_order(a in proptest::collection::vec(any_scope(), 0..6), seed in any::<proptest::sample::Index>()) {
        let mut turned = a.clone();
        if !turned.is_empty() {
            let by = seed.index(turned.len());
            turned.rotate_left(by);
        }
        prop_assert_eq!(set(&a.join(" ")).normalized().to_string(), set(&turned.join(" ")).normalized().to_string());
    }

    #[test]
    fn what_is_granted_was_requested_and_approved(requested in list(), approved in list()) {
        let (requested, approved) = (set(&requested), set(&approved));
        let granted = requested.granted_within(&approved);
        prop_assert!(requested.covers(&granted) && approved.covers(&granted));
        let expected: std::collections::BTreeSet<_> = means(&requested).intersection(&means(&approved)).copied().collect();
        prop_assert_eq!(means(&granted), expected);
        for scope in requested.iter().filter(|scope| approved.covers_scope(scope)) {
            prop_assert!(granted.contains_literal(scope.literal()));
        }
        prop_assert_eq!(granted.granted_within(&approved).to_string(), granted.to_string());
    }

    #[test]
    fn a_difference_accounts_for_every_right(new in list(), old in list()) {
        let (new, old) = (set(&new), set(&old));
        let change = new.difference(&old);
        prop_assert_eq!(means(&change.unchanged.union(&change.added)), means(&new));
        prop_assert_eq!(means(&change.unchanged.union(&change.removed)), means(&old));
        prop_assert_eq!(change.is_empty(), new.covers(&old) && old.covers(&new));
    }

    #[test]
    fn v1_and_v2_spellings_mean_the_same(a in list()) {
        let asked = set(&a);
        prop_assert_eq!(means(&asked.to_v1()), means(&asked));
        prop_assert_eq!(means(&asked.to_v2()), means(&asked));
    }

    #[test]
    fn the_uri_spelling_is_read_as_the_same_scope(a in any_scope()) {
        let scope = Scope::parse(&a, Release::R4).unwrap();
        if let Some(uri) = scope.to_uri() {
            prop_assert_eq!(Scope::parse(&uri, Release::R4).unwrap().canonical(), scope.canonical());
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic_and_every_error_points_into_it(text in "\\PC{0,80}|[patientuserOb/.*?=&,|%a-z ]{0,60}") {
        if let Err(error) = ScopeSet::parse(&text, Release::R4) {
            prop_assert!(error.range.start <= error.range.end && error.range.end <= text.len());
            prop_assert!(text.get(error.range.clone()).is_some());
        }
        let (kept, rejected) = ScopeSet::parse_lenient(&text, Release::R5);
        prop_assert!(kept.len() + rejected.len() <= text.split(' ').count());
        prop_assert!(rejected.iter().all(|rejected| text.get(rejected.error.range.clone()).is_some()));
        let again = ScopeSet::parse(&kept.to_string(), Release::R5);
        prop_assert_eq!(again.unwrap().to_string(), kept.to_string());
    }
}

#[test]
fn an_error_points_into_the_text_even_where_something_is_missing() {
    for text in [
        "patient/*?._ele",
        "patient/",
        "patient/Observation",
        "patient/Observation.",
        "patient/Observation?a=b",
        "launch/",
        "__",
        "patient/Observation.rs?",
        "a  b",
    ] {
        let error = ScopeSet::parse(text, Release::R4).unwrap_err();
        assert!(text.get(error.range.clone()).is_some(), "{text}: {error:?}");
    }
}
