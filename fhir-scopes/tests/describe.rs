//! The plain language: total, free of scope syntax, and word for word as in the examples.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![cfg(feature = "describe")]

use fhir_scopes::describe::{Lang, Line, Options, WarningKind, describe, describe_scope, describe_with, known_limits};
use fhir_scopes::{
    Dialect, Level, Limit, Permissions, Release, ResourceScope, ResourceType, Scope, ScopeSet, TypeSelector,
};

fn set(text: &str) -> ScopeSet {
    ScopeSet::parse(text, Release::R4).unwrap()
}

#[test]
fn the_examples_read_word_for_word() {
    let wording: serde_json::Value = serde_json::from_str(include_str!("../words/wording.json")).unwrap();
    let examples = wording["examples"].as_array().unwrap();
    assert_eq!(examples.len(), 9);
    for example in examples {
        let set = set(example[0].as_str().unwrap());
        for (lang, sentence) in [(Lang::En, &example[1]), (Lang::Nl, &example[2])] {
            assert_eq!(describe(&set, lang).groups[0].lines[0].short, sentence.as_str().unwrap(), "{set}");
        }
    }
}

fn every_letter_combination() -> Vec<Permissions> {
    let letters = ["", "c", "r", "u", "d", "s"];
    let mut all = vec![];
    for mask in 1..32_usize {
        let word: String = (0..5).filter(|bit| mask & (1 << bit) != 0).map(|bit| letters[bit + 1]).collect();
        all.push(Permissions::parse(&word).unwrap());
    }
    all
}

fn is_plain(text: &str, literal: &str) -> bool {
    let syntax = [
        "patient/", "user/", "system/", "launch/", ".r", ".c", ".u", ".d", ".s", "?", "|", "=", "*", "http", "_", "{",
        "}",
    ];
    !text.is_empty()
        && !text.contains(literal)
        && text.chars().next().is_some_and(char::is_uppercase)
        && !syntax.iter().any(|part| text.contains(part))
        && !text.contains("  ")
}

#[test]
fn every_type_letter_level_and_known_limit_has_a_sentence_without_scope_syntax() {
    let mut sentences = 0;
    for release in Release::ALL {
        let types = ResourceType::all(release).map(TypeSelector::One).chain([TypeSelector::All]);
        for types in types {
            let mut limits = vec![Limit::NONE];
            if let TypeSelector::One(one) = types {
                limits.extend(known_limits(one).filter_map(|known| known.limit(release)));
            }
            for limit in limits {
                for level in Level::ALL {
                    for permissions in every_letter_combination() {
                        let parts =
                            ResourceScope { level, types, permissions, limit: limit.clone(), dialect: Dialect::V2 };
                        let scope = Scope::from_resource(parts);
                        for lang in [Lang::En, Lang::Nl] {
                            let line = describe_scope(&scope, release, lang);
                            assert!(is_plain(&line.short, scope.literal()), "{scope}: {}", line.short);
                            assert!(is_plain(&line.long, scope.literal()), "{scope}: {}", line.long);
                            assert!(line.long.starts_with(&line.short));
                            assert!(!line.needs_check);
                            sentences += 1;
                        }
                    }
                }
            }
        }
    }
    assert!(sentences > 80_000);
}

#[test]
fn every_known_limit_can_be_read_as_a_limit() {
    for one in ResourceType::every() {
        for known in known_limits(one) {
            assert!(known.limit(Release::R4).is_some(), "{one} {}", known.query);
        }
    }
}

fn only_line(text: &str) -> Line {
    let told = describe(&set(text), Lang::En);
    assert_eq!((told.groups.len(), told.groups[0].lines.len()), (1, 1));
    told.groups[0].lines[0].clone()
}

#[test]
fn a_limit_without_a_name_is_told_as_parameter_and_value_and_marked() {
    let line = only_line("user/Condition.rs?clinical-status=active,recurrence");
    assert_eq!(
        line.short,
        "Read and search conditions and diagnoses, only those with clinical status active or recurrence, of every patient you have access to"
    );
    assert!(line.needs_check);
    assert!(line.warnings.iter().any(|warning| warning.kind == WarningKind::NeedsCheck));
}

#[test]
fn a_list_of_known_alternatives_joins_their_names() {
    let category = "http://terminology.hl7.org/CodeSystem/observation-category";
    let line = only_line(&format!("patient/Observation.rs?category={category}|laboratory,{category}|survey"));
    assert_eq!(line.short, "Read and search lab results and questionnaire and screening answers of this patient");
    assert_eq!(line.sensitivity, 4);
}

#[test]
fn v1_reads_in_the_same_words_as_v2() {
    assert_eq!(only_line("user/*.read").short, only_line("user/*.rs").short);
}

#[test]
fn the_most_sensitive_comes_first_and_signing_in_last() {
    let told = describe(
        &set("openid patient/Medication.rs patient/Consent.rs patient/Condition.rs patient/Flag.rs"),
        Lang::En,
    );
    let keys: Vec<_> = told.groups.iter().map(|group| group.category).collect();
    assert_eq!(keys, ["clinical", "security", "medications", "sign-in"]);
    assert_eq!(told.groups[0].lines[0].scopes, ["patient/Flag.rs"]);
}

#[test]
fn every_grave_right_has_its_own_warning() {
    for (text, kind) in [
        ("system/Condition.rs", WarningKind::System),
        ("patient/*.rs", WarningKind::Wildcard),
        ("offline_access", WarningKind::Offline),
        ("patient/Condition.d", WarningKind::Delete),
        ("patient/Condition.c", WarningKind::WriteWithoutRead),
        ("patient/Consent.rs", WarningKind::Sensitive),
        ("patient/Condition.s", WarningKind::SearchWithoutRead),
        ("patient/Condition.ru", WarningKind::Update),
        ("foo:bar", WarningKind::NeedsCheck),
    ] {
        assert!(describe(&set(text), Lang::En).warnings.iter().any(|warning| warning.kind == kind), "{text}");
    }
    assert!(describe(&set("patient/Condition.r"), Lang::En).warnings.is_empty());
}

#[test]
fn a_wildcard_names_the_extra_sensitive_kinds() {
    let line = only_line("patient/*.rs");
    assert!(line.long.contains("Today these are 146 kinds"));
    assert!(line.long.contains("DNA, RNA and protein sequences"));
}

#[test]
fn deleting_is_never_folded_away() {
    let told = describe(&set("patient/Goal.d patient/CarePlan.d patient/CareTeam.rs"), Lang::En);
    assert_eq!(told.groups[0].folded(Lang::En).len(), 3);
}

#[test]
fn the_summary_fits_on_one_line() {
    for (text, en, nl) in [
        (
            "system/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
            "reads lab results, all patients",
            "leest labuitslagen, alle patiënten",
        ),
        ("openid", "reaches no records", "raakt geen gegevens"),
        ("", "nothing", "niets"),
        (
            "patient/*.rs patient/Goal.rs user/Goal.cu",
            "reads everything, adds treatment goals, changes treatment goals, every patient the user can see",
            "leest alles, voegt toe: behandeldoelen, wijzigt behandeldoelen, alle patiënten die de gebruiker kan zien",
        ),
        ("user/Organization.rs", "reads care organisations", "leest zorgorganisaties"),
    ] {
        assert_eq!(describe(&set(text), Lang::En).summary, en);
        assert_eq!(describe(&set(text), Lang::Nl).summary, nl);
    }
}

#[test]
fn a_reviewer_is_not_addressed_as_the_user() {
    let options = Options { for_reviewers: true, ..Options::default() };
    for lang in [Lang::En, Lang::Nl] {
        let told = describe_with(
            &set("openid fhirUser profile email offline_access online_access user/Condition.rs launch"),
            lang,
            &options,
        );
        for line in told.groups.iter().flat_map(|group| &group.lines) {
            assert!(
                !line.short.split(' ').any(|word| matches!(word, "you" | "your" | "yours" | "u" | "uw")),
                "{}",
                line.short
            );
        }
    }
}
