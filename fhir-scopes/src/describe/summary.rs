//! The whole set in a few words: "reads lab results and 3 more, adds appointments, all patients".

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::sentence::join;
use super::{Group, Lang, Line, Right};
use crate::{Level, Permissions};

/// At most this many names before "and n more".
const NAMES: usize = 3;

pub(super) fn summary(groups: &[Group], lang: Lang) -> String {
    let lines: Vec<(&Line, Right)> =
        groups.iter().flat_map(|group| &group.lines).filter_map(|line| Some((line, line.right?))).collect();
    let mut parts = Vec::new();
    for (letters, en, nl) in [
        (Permissions::RS, "reads", "leest"),
        (Permissions::CREATE, "adds", "voegt toe:"),
        (Permissions::UPDATE, "changes", "wijzigt"),
        (Permissions::DELETE, "deletes", "verwijdert"),
    ] {
        let mut names: Vec<&str> = Vec::new();
        for (line, right) in lines.iter().filter(|(_, right)| right.permissions.intersects(letters)) {
            let name = if right.everything && !right.limited {
                lang.pick("everything", "alles")
            } else {
                line.subject.as_str()
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.contains(&lang.pick("everything", "alles")) {
            names.retain(|name| *name == lang.pick("everything", "alles"));
        }
        if !names.is_empty() {
            parts.push(format!("{} {}", lang.pick(en, nl), few(&names, lang)));
        }
    }
    let plain: Vec<&Line> = groups.iter().flat_map(|group| &group.lines).filter(|line| line.right.is_none()).collect();
    if parts.is_empty() {
        return match plain.first() {
            Some(_) if plain.iter().any(|line| line.needs_check) => lang
                .pick("asks for a permission outside the standard", "vraagt een recht buiten de standaard")
                .to_string(),
            Some(_) => lang.pick("reaches no records", "raakt geen gegevens").to_string(),
            None => lang.pick("nothing", "niets").to_string(),
        };
    }
    let personal = |level| lines.iter().any(|(line, right)| right.level == level && line.sensitivity > 1);
    let reach = if personal(Level::System) {
        Some(lang.pick("all patients", "alle patiënten"))
    } else if personal(Level::User) {
        Some(lang.pick("every patient the user can see", "alle patiënten die de gebruiker kan zien"))
    } else if personal(Level::Patient) {
        Some(lang.pick("one patient", "één patiënt"))
    } else {
        None
    };
    parts.extend(reach.map(ToString::to_string));
    parts.join(", ")
}

fn few(names: &[&str], lang: Lang) -> String {
    if names.len() <= NAMES {
        return join(names, lang);
    }
    let (shown, rest) = names.split_at(NAMES - 1);
    let more = match lang {
        Lang::En => format!("{} more", rest.len()),
        Lang::Nl => format!("{} andere", rest.len()),
    };
    join(&shown.iter().copied().chain([more.as_str()]).collect::<Vec<_>>(), lang)
}
