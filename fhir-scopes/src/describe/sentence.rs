//! One sentence per right: verbs, what, whose.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::limit_words::Subject;
use super::{Lang, Options};
use crate::{Level, Permissions};

/// Puts letters, subject and level into one sentence without a full stop.
pub(super) fn sentence(
    letters: Permissions,
    subject: &Subject,
    level: Level,
    lang: Lang,
    options: &Options<'_>,
) -> String {
    let whose = if subject.personal { whose(level, lang, options) } else { String::new() };
    // an inserted clause ("..., only those with status final") asks for a comma behind it
    let comma = if subject.ends_in_clause { "," } else { "" };
    let name = subject.name.as_str();
    let no_data =
        if subject.sensitivity == 0 { lang.pick(" (no patient data)", " (geen patiëntgegevens)") } else { "" };
    let text = match (lang, letters) {
        (Lang::En, Permissions::ALL) => {
            let comma = if whose.is_empty() { "" } else { "," };
            format!("full control of {name}: read, search, add, change and delete{comma}{whose}{no_data}")
        }
        (Lang::Nl, Permissions::ALL) => {
            let comma = if whose.is_empty() { "" } else { "," };
            format!(
                "volledig beheer van {name}: bekijken, zoeken, toevoegen, wijzigen en verwijderen{comma}{whose}{no_data}"
            )
        }
        (Lang::En, _) => {
            let blind = if blind(letters) { " (without seeing what is there)" } else { "" };
            let known = if letters == Permissions::READ { ", one known item at a time" } else { "" };
            let comma = if whose.is_empty() || !blind.is_empty() { "" } else { comma };
            format!("{} {name}{comma}{blind}{whose}{known}{no_data}", join(&verbs(letters, lang), lang))
        }
        (Lang::Nl, _) => {
            let blind = if blind(letters) { " (zonder te zien wat er al staat)" } else { "" };
            let known = if letters == Permissions::READ { ", alleen als het item al bekend is" } else { "" };
            format!("{name}{comma} {}{blind}{whose}{known}{no_data}", join(&verbs(letters, lang), lang))
        }
    };
    capitalized(&text)
}

/// Several kinds of writing without a look at what is there.
fn blind(letters: Permissions) -> bool {
    !letters.intersects(Permissions::RS) && letters.letters().count() > 1
}

fn verbs(letters: Permissions, lang: Lang) -> Vec<&'static str> {
    let mut verbs = Vec::new();
    match (letters.contains(Permissions::READ), letters.contains(Permissions::SEARCH)) {
        (true, true) => verbs.extend([lang.pick("read", "bekijken"), lang.pick("search", "doorzoeken")]),
        (true, false) => verbs.push(lang.pick("read", "bekijken")),
        (false, true) => verbs.extend([lang.pick("search", "zoeken"), lang.pick("see", "bekijken")]),
        (false, false) => {}
    }
    for (letter, en, nl) in [
        (Permissions::CREATE, "add", "toevoegen"),
        (Permissions::UPDATE, "change", "wijzigen"),
        (Permissions::DELETE, "delete", "verwijderen"),
    ] {
        if letters.contains(letter) {
            verbs.push(lang.pick(en, nl));
        }
    }
    if verbs.is_empty() {
        verbs.push(lang.pick("do nothing with", "niets doen met"));
    }
    verbs
}

fn whose(level: Level, lang: Lang, options: &Options<'_>) -> String {
    match (level, lang) {
        (Level::Patient, Lang::En) => format!(" of {}", options.patient.unwrap_or("this patient")),
        (Level::Patient, Lang::Nl) => format!(" van {}", options.patient.unwrap_or("deze patiënt")),
        (Level::User, _) if options.for_reviewers => lang
            .pick(" of every patient the user has access to", " van alle patiënten waar de gebruiker toegang toe heeft")
            .to_string(),
        (Level::User, _) => {
            lang.pick(" of every patient you have access to", " van alle patiënten waar u toegang toe hebt").to_string()
        }
        (Level::System, _) => lang
            .pick(
                " of everyone in the system, with nobody signed in",
                " van iedereen in het systeem, zonder dat er iemand is ingelogd",
            )
            .to_string(),
    }
}

/// "a, b and c"
pub(super) fn join(words: &[impl AsRef<str>], lang: Lang) -> String {
    join_with(words, lang.pick(" and ", " en "))
}

/// "a, b or c"
pub(super) fn join_or(words: &[impl AsRef<str>], lang: Lang) -> String {
    join_with(words, lang.pick(" or ", " of "))
}

fn join_with(words: &[impl AsRef<str>], last: &str) -> String {
    let mut text = String::new();
    for (i, word) in words.iter().enumerate() {
        if i > 0 {
            text.push_str(if i + 1 == words.len() { last } else { ", " });
        }
        text.push_str(word.as_ref());
    }
    text
}

pub(super) fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// Without the capital, unless the word is an abbreviation ("DNA").
pub(super) fn uncapitalized(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(chars).collect(),
        _ => text.to_string(),
    }
}
