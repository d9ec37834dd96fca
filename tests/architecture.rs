//! The house, checked: floors look only down, and each big dependency lives in one room.
//!
//! Read from the sources, so that a wrong `use` fails here with file and line, whatever the compiler thinks of it.

#![allow(clippy::unwrap_used, reason = "a source that cannot be read fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The floors from the ground up, with the rooms on each: a room may name itself and every room on a floor below.
const FLOORS: &[&[&str]] = &[
    &["domain"],
    &["config", "vault"],
    &["storage", "outbound"],
    &["app"],
    &["protocol", "governance"],
    &["http", "jobs"],
    &["cli"],
    &["main"],
];

/// The tour stands outside the house: it speaks HTTP and declares what it needs, like any customer. Only the commands know it.
const OUTSIDE: &str = "demo";

/// Crates that are named in one place only, so that replacing one is a change of one room.
const HOMES: &[(&str, &[&str])] = &[
    ("axum", &["http", "demo", "cli"]),
    ("axum_extra", &["http", "demo"]),
    ("sqlx", &["storage"]),
    ("tera", &["http/pages", "http/mail", "outbound/mail"]),
    ("fluent_templates", &["http/pages", "http/mail", "outbound/mail"]),
    ("oxide_auth", &["protocol/oxide"]),
    ("oxide_auth_async", &["protocol/oxide"]),
    ("jsonwebtoken", &["protocol", "outbound/jwks", "domain/keys"]),
    ("fhirbolt", &["outbound/fhir", "demo"]),
    ("lettre", &["outbound/mail"]),
    ("reqwest", &["outbound", "demo", "cli"]),
    ("clap", &["cli"]),
];

#[test]
fn floors_look_only_down() {
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(room) = room_of(&source.name) else { continue };
        let mut named = source.names_after("crate::");
        named.extend(source.names_after("countersign::"));
        for (line, other) in named {
            if !may_name(room, &other) {
                wrong.push(format!("src/{}:{line}: {room} must not know {other}", source.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn may_name(room: &str, other: &str) -> bool {
    let floor = |room: &str| FLOORS.iter().position(|rooms| rooms.contains(&room));
    if room == other || (floor(other).is_none() && other != OUTSIDE) {
        return true; // a macro or an item of the crate's root
    }
    match (floor(room), floor(other)) {
        (Some(above), Some(below)) => above > below,
        (Some(_), None) => room == "cli",
        (None, _) => {
            assert_eq!(room, OUTSIDE, "{room} stands on no floor: add it to FLOORS");
            // its FHIR server reads and writes FHIR with the same adapter
            other == "outbound"
        }
    }
}

#[test]
fn each_big_dependency_lives_in_its_home() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (dependency, homes) in HOMES {
            let at_home = homes.iter().any(|home| source.name.starts_with(home));
            if let Some(line) = source.first_line_naming(dependency).filter(|_| !at_home) {
                wrong.push(format!("src/{}:{line}: {dependency} lives in {}", source.name, homes.join(", ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_opens_with_its_story() {
    let silent: Vec<String> = sources()
        .into_iter()
        .filter(|source| !source.lines.first().is_some_and(|line| line.starts_with("//!")))
        .map(|source| format!("src/{} does not begin with //!", source.name))
        .collect();
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

#[test]
fn no_room_is_called_after_nothing() {
    let empty_words: BTreeSet<&str> = ["utils", "util", "helpers", "common", "manager", "service", "misc"].into();
    let vague: Vec<String> = sources()
        .into_iter()
        .filter(|source| source.name.trim_end_matches(".rs").split('/').any(|part| empty_words.contains(part)))
        .map(|source| source.name)
        .collect();
    assert!(vague.is_empty(), "say what it holds: {vague:?}");
}

#[test]
fn the_reader_of_sources_sees_what_it_must() {
    let source = Source::new(
        "governance/x.rs",
        "//! Story.\nuse crate::{http::pages, domain};\nuse crate::app;\n// crate::jobs in a comment\nlet a = crate::cli::b; // crate::demo\nuse sqlx::Row;\nlet my_sqlx = 1;\nuse crate::{\n    storage::{a, b},\n    protocol::token,\n};\n",
    );
    let names: Vec<(usize, String)> = source.names_after("crate::");
    let expected = [(2, "http"), (2, "domain"), (3, "app"), (5, "cli"), (8, "storage"), (8, "protocol")];
    assert_eq!(names, expected.map(|(line, name)| (line, name.to_owned())));
    assert_eq!(source.first_line_naming("sqlx"), Some(6));
    assert_eq!(source.first_line_naming("tera"), None);
    for (room, other, fine) in [
        ("http", "governance", true),
        ("governance", "http", false),
        ("governance", "protocol", false),
        ("storage", "outbound", false),
        ("cli", "demo", true),
        ("http", "demo", false),
        ("demo", "governance", false),
        ("demo", "outbound", true),
    ] {
        assert_eq!(may_name(room, other), fine, "{room} names {other}");
    }
}

/// One file under `src/`, comments blanked.
struct Source {
    name: String,
    lines: Vec<String>,
    code: String,
}

impl Source {
    fn new(name: &str, text: &str) -> Self {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let code = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
        Self { name: name.to_owned(), lines, code }
    }

    /// The names that follow `prefix`: one, or the heads of a group in braces; with the line of the prefix.
    fn names_after(&self, prefix: &str) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (at, _) in self.code.match_indices(prefix) {
            if self.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let line = self.code[..at].matches('\n').count() + 1;
            let rest = &self.code[at + prefix.len()..];
            let heads = if let Some(group) = rest.strip_prefix('{') { heads_of(group) } else { vec![head(rest)] };
            found.extend(heads.into_iter().filter(|name| !name.is_empty()).map(|name| (line, name)));
        }
        found
    }

    fn first_line_naming(&self, dependency: &str) -> Option<usize> {
        let path = format!("{dependency}::");
        let alone = format!("use {dependency};");
        self.code
            .lines()
            .position(|line| {
                line.contains(&alone)
                    || line
                        .match_indices(&path)
                        .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "_:".contains(c)))
            })
            .map(|at| at + 1)
    }
}

/// The first name of every branch of a group: `a::b, c::{d, e}, f}` gives a, c, f.
fn heads_of(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let mut depth = 0;
    let mut branch = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                heads.push(head(&group[branch..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads.push(head(&group[branch..at]));
                branch = at + 1;
            }
            _ => {}
        }
    }
    heads
}

fn head(path: &str) -> String {
    path.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// `http` for `http/oauth/token.rs` and for `http.rs`; nothing for the page that describes the house.
fn room_of(name: &str) -> Option<&str> {
    let room = name.split('/').next()?.trim_end_matches(".rs");
    (room != "lib").then_some(room)
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                let text = fs::read_to_string(&path).unwrap();
                // the tests at the end of a file stand outside the house: they may put up a server to talk to
                let text = text.split("\n#[cfg(test)]\nmod tests").next().unwrap();
                found.push(Source::new(&name, text));
            }
        }
    }
    assert!(!found.is_empty(), "no sources under {}", root.display());
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}
