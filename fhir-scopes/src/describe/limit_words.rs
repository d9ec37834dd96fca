//! What a scope is about: a plain name for the type, or for the slice of it that a limit leaves.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::sentence::{join, join_or, uncapitalized};
use super::{KnownLimit, Lang, about, known_limits};
use crate::{Clause, Limit, ParameterKind, ResourceType, TypeSelector, split_token};

/// The thing a sentence is about.
pub(super) struct Subject {
    /// In the plural, without a capital.
    pub(super) name: String,
    pub(super) sensitivity: u8,
    /// Whether "whose" makes sense.
    pub(super) personal: bool,
    /// Whether the name ends in an inserted clause.
    pub(super) ends_in_clause: bool,
    /// Whether part of the limit has no name.
    pub(super) needs_check: bool,
}

pub(super) fn subject(types: TypeSelector, limit: &Limit<'_>, lang: Lang) -> Subject {
    let mut subject = match types {
        TypeSelector::All => Subject {
            name: lang
                .pick(
                    "everything, including kinds of data that are added later",
                    "alles, ook soorten gegevens die later worden toegevoegd",
                )
                .to_string(),
            sensitivity: 4,
            personal: true,
            ends_in_clause: true,
            needs_check: false,
        },
        TypeSelector::One(one) => {
            let entry = about(one);
            Subject {
                name: uncapitalized(entry.name(lang)),
                sensitivity: entry.sensitivity,
                personal: entry.sensitivity > 1,
                ends_in_clause: false,
                needs_check: false,
            }
        }
    };
    let mut named = false;
    let mut conditions = Vec::new();
    for clause in limit.clauses() {
        let Some(known) = known(types, clause) else {
            subject.needs_check = true;
            conditions.push(condition(clause, lang));
            continue;
        };
        let names: Vec<String> = known.iter().map(|limit| uncapitalized(limit.name(lang))).collect();
        if named {
            conditions.push(format!("{} {}", lang.pick("that are also", "die ook horen bij"), join_or(&names, lang)));
        } else {
            subject.name = join(&names, lang);
            subject.sensitivity = known.iter().map(|limit| limit.sensitivity).max().unwrap_or(subject.sensitivity);
            named = true;
        }
    }
    if !conditions.is_empty() {
        subject.name =
            format!("{}, {} {}", subject.name, lang.pick("only those", "alleen die"), join(&conditions, lang));
        subject.ends_in_clause = true;
    }
    subject
}

/// The names of a clause, if each of its alternatives has one.
fn known(types: TypeSelector, clause: &Clause<'_>) -> Option<Vec<&'static KnownLimit>> {
    let TypeSelector::One(one) = types else { return None };
    clause.alternatives().iter().map(|value| known_value(one, clause.parameter(), value)).collect()
}

fn known_value(one: ResourceType, parameter: &str, value: &str) -> Option<&'static KnownLimit> {
    known_limits(one).find(|limit| limit.query.split_once('=') == Some((parameter, value)))
}

/// "with status final or amended"
fn condition(clause: &Clause<'_>, lang: Lang) -> String {
    let values: Vec<String> =
        clause.alternatives().iter().map(|value| value_words(clause.kind(), value, lang)).collect();
    format!("{} {} {}", lang.pick("with", "met"), parameter_words(clause.parameter(), lang), join_or(&values, lang))
}

fn parameter_words(parameter: &str, lang: Lang) -> String {
    let (en, nl) = match parameter {
        "_id" => ("record number", "recordnummer"),
        "_tag" => ("label", "label"),
        "_security" => ("security label", "beveiligingslabel"),
        "_profile" => ("profile", "profiel"),
        "_source" => ("source", "bron"),
        "_lastUpdated" => ("last change", "laatste wijziging"),
        "category" => ("category", "categorie"),
        "class" => ("class", "klasse"),
        "code" => ("code", "code"),
        "type" => ("type", "type"),
        "status" => ("status", "status"),
        "clinical-status" => ("clinical status", "klinische status"),
        "verification-status" => ("verification status", "verificatiestatus"),
        "intent" => ("intent", "bedoeling"),
        "identifier" => ("identifier", "identificatienummer"),
        "date" | "onset-date" | "recorded-date" | "authoredon" | "issued" | "period" => ("date", "datum"),
        "patient" | "subject" | "beneficiary" => ("patient", "patiënt"),
        "encounter" => ("visit or stay", "contact of opname"),
        "performer" | "practitioner" | "author" | "requester" => ("care professional", "zorgverlener"),
        "organization" | "service-provider" | "managing-organization" => ("organisation", "organisatie"),
        "location" => ("place", "locatie"),
        "gender" => ("gender", "geslacht"),
        "birthdate" => ("date of birth", "geboortedatum"),
        "active" => ("in use", "in gebruik"),
        "email" => ("e-mail address", "e-mailadres"),
        "phone" => ("phone number", "telefoonnummer"),
        "contenttype" => ("file type", "bestandstype"),
        "language" => ("language", "taal"),
        other => return other.trim_start_matches('_').replace('-', " "),
    };
    lang.pick(en, nl).to_string()
}

fn value_words(kind: ParameterKind, value: &str, lang: Lang) -> String {
    let plain = |text: &str| text.replace(r"\,", ",").replace(r"\|", "|").replace(r"\$", "$").replace(r"\\", r"\");
    match kind {
        ParameterKind::Token => match split_token(value) {
            None => plain(value),
            Some(("", code)) => format!("{} ({})", plain(code), lang.pick("of no code list", "zonder codestelsel")),
            Some((system, "")) => {
                format!("{} {}", lang.pick("any of the code list", "alles uit het codestelsel"), plain(system))
            }
            Some((system, code)) => {
                format!("{} ({} {})", plain(code), lang.pick("code list", "codestelsel"), plain(system))
            }
        },
        ParameterKind::Date | ParameterKind::Number | ParameterKind::Quantity => {
            let prefixed =
                value.get(..2).zip(value.get(2..)).and_then(|(prefix, rest)| Some((comparison(prefix, lang)?, rest)));
            match prefixed {
                Some((words, rest)) => format!("{words} {}", plain(rest)),
                None => plain(value),
            }
        }
        _ => plain(value),
    }
}

fn comparison(prefix: &str, lang: Lang) -> Option<&'static str> {
    Some(match prefix {
        "eq" => lang.pick("equal to", "gelijk aan"),
        "ne" => lang.pick("other than", "anders dan"),
        "gt" | "sa" => lang.pick("after", "na"),
        "lt" | "eb" => lang.pick("before", "voor"),
        "ge" => lang.pick("from", "vanaf"),
        "le" => lang.pick("up to", "tot en met"),
        "ap" => lang.pick("about", "ongeveer"),
        _ => return None,
    })
}
