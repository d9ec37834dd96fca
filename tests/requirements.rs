//! Which test proves which requirement, and that those tests are there.
//!
//! `requirements.csv` has a row for every requirement of SMART App Launch, Bulk Data, (g)(10), US Core and for every case of the attack
//! catalogue that this server answers for: `id,level,requirement,tests`. `tests` holds references separated by `;`, each `path::name`, where
//! `name` is a function with `#[test]` (Rust), the title of a `test(...)` (JavaScript) or a function `test_...` (Python); or `n/a: reason`.
//! `requirement-ids.txt` lists the ids that must be there, each with its level: a row is owed for all but SHOULD, MAY and notes.
//!
//! A title built from a table is written with its placeholders, as it stands in the source.

#![allow(clippy::unwrap_used, reason = "a table that cannot be read fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Levels a row may have: of the sources, ours (`*`), and `case` for the attack catalogue.
const LEVELS: &[&str] = &["SHALL", "SHALL*", "SHOULD", "SHOULD*", "MAY", "test", "note", "case"];
/// Levels whose ids must have a row.
const OWED: &[&str] = &["SHALL", "SHALL*", "test", "case"];

struct Row {
    line: usize,
    id: String,
    level: String,
    requirement: String,
    tests: Vec<String>,
}

#[test]
fn every_row_is_whole_and_no_id_comes_twice() {
    let mut wrong = Vec::new();
    let mut seen = BTreeMap::new();
    let known = ids();
    for row in rows() {
        let here = format!("line {}: {}", row.line, row.id);
        if let Some(first) = seen.insert(row.id.clone(), row.line) {
            wrong.push(format!("{here} stands on line {first} already"));
        }
        if !LEVELS.contains(&row.level.as_str()) {
            wrong.push(format!("{here}: no level is called {:?}", row.level));
        }
        if let Some(level) = known.get(&row.id).filter(|level| **level != row.level) {
            wrong.push(format!("{here} is a {level}, not a {}", row.level));
        }
        if row.requirement.is_empty() {
            wrong.push(format!("{here} says nothing"));
        }
        if row.tests.is_empty() {
            wrong.push(format!("{here} names no test and no reason"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_test_a_row_names_is_there() {
    let mut sources = BTreeMap::new();
    let mut wrong = Vec::new();
    for row in rows() {
        for reference in &row.tests {
            if let Some(missing) = missing(reference, &mut sources) {
                wrong.push(format!("line {}: {}: {missing}", row.line, row.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_requirement_has_a_row() {
    let there: BTreeSet<String> = rows().into_iter().map(|row| row.id).collect();
    let owed = ids().into_iter().filter(|(_, level)| OWED.contains(&level.as_str()));
    let absent: Vec<String> = owed.map(|(id, _)| id).filter(|id| !there.contains(id)).collect();
    assert!(absent.is_empty(), "{} requirements have no row: {}", absent.len(), absent.join(", "));
}

#[test]
fn what_this_judge_calls_missing_is_missing() {
    let mut sources = BTreeMap::new();
    let mut good = |reference: &str| missing(reference, &mut sources).is_none();
    assert!(good("tests/requirements.rs::what_this_judge_calls_missing_is_missing"));
    assert!(good("tests/architecture.rs::floors_look_only_down"));
    assert!(good("tests/browser/no-javascript.test.mjs::what a person unticks is not granted"));
    assert!(good("tests/interop/test_requests_oauthlib.py::test_plain_pkce_is_refused"));
    assert!(good("n/a: TLS ends at the proxy"));
    for bad in [
        "n/a:",
        "n/a:  ",
        "",
        "tests/nowhere.rs::a_test",
        "tests/requirements.rs",
        "tests/requirements.rs::",
        "tests/requirements.rs::missing", // a function, but no test
        "tests/requirements.rs::what_this_judge_calls_missing", // the beginning of a name
        "tests/browser/no-javascript.test.mjs::what a person unticks",
        "tests/interop/conftest.py::demo", // no test
        "tests/../tests/requirements.rs::every_requirement_has_a_row",
        "/etc/passwd::root",
    ] {
        assert!(!good(bad), "{bad:?} is not a reference");
    }
    let source =
        "#[test]\nfn a() {}\n#[tokio::test]\nasync fn b() {}\n#[test]\n#[ignore = \"later\"]\nfn c() {}\nfn d() {}";
    assert_eq!(rust_tests(source), BTreeSet::from(["a", "b"]));
    let text = "id,level,requirement,tests\nA,SHALL,\"one, two \"\"three\"\"\",n/a: because\n";
    assert_eq!(parse(text)[1], ["A", "SHALL", "one, two \"three\"", "n/a: because"]);
}

/// Why a reference does not lead to a test, or nothing. Files read are kept in `sources`.
fn missing(reference: &str, sources: &mut BTreeMap<String, Option<String>>) -> Option<String> {
    if let Some(reason) = reference.strip_prefix("n/a:") {
        return reason.trim().is_empty().then(|| "n/a needs a reason".to_owned());
    }
    let Some((path, name)) = reference.split_once("::").filter(|(_, name)| !name.is_empty()) else {
        return Some(format!("{reference:?} is not of the form path::test"));
    };
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return Some(format!("{path} is not a path from the top of the repository"));
    }
    let read = || fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).ok();
    let Some(source) = sources.entry(path.to_owned()).or_insert_with(read) else {
        return Some(format!("there is no file {path}"));
    };
    let found = match path.rsplit('.').next() {
        Some("rs") => rust_tests(source).contains(name),
        Some("mjs") => ['\'', '`', '"'].iter().any(|quote| source.contains(&format!("test({quote}{name}{quote}"))),
        Some("py") => name.starts_with("test_") && source.contains(&format!("\ndef {name}(")),
        _ => false,
    };
    (!found).then(|| format!("{path} has no test {name:?}"))
}

/// Functions with an attribute whose last word is `test` and without `ignore`.
fn rust_tests(source: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let (mut marked, mut ignored) = (false, false);
    for line in source.lines().map(str::trim) {
        if let Some(attribute) = line.strip_prefix("#[") {
            let word = attribute.split([']', '(']).next().unwrap_or_default();
            marked |= word.rsplit("::").next() == Some("test");
            ignored |= word.starts_with("ignore");
        } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| marked && !ignored) {
            names.insert(rest.split(['(', '<']).next().unwrap_or_default());
            (marked, ignored) = (false, false);
        } else if !line.starts_with("//") {
            (marked, ignored) = (false, false);
        }
    }
    names
}

fn ids() -> BTreeMap<String, String> {
    let lines = include_str!("requirement-ids.txt").lines();
    lines.map(|line| line.split_once(' ').unwrap()).map(|(id, level)| (id.to_owned(), level.to_owned())).collect()
}

fn rows() -> Vec<Row> {
    let table = parse(include_str!("requirements.csv"));
    assert_eq!(table[0], ["id", "level", "requirement", "tests"]);
    let lines = table.into_iter().enumerate().skip(1).map(|(at, cells)| {
        let [id, level, requirement, tests] =
            cells.try_into().unwrap_or_else(|cells| panic!("row {}: four cells are wanted, not {cells:?}", at + 1));
        // a reason is a sentence, and may hold a semicolon
        let parts: Vec<&str> = if tests.starts_with("n/a") { vec![&tests] } else { tests.split(';').collect() };
        let tests = parts.into_iter().map(|each| each.trim().to_owned()).filter(|each| !each.is_empty()).collect();
        Row { line: at + 1, id, level, requirement, tests }
    });
    lines.collect()
}

/// RFC 4180: cells separated by commas, quoted where they hold a comma, a quote doubled inside quotes.
fn parse(text: &str) -> Vec<Vec<String>> {
    let mut table = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let mut cells = vec![String::new()];
        let mut quoted = false;
        let mut characters = line.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '"' if quoted && characters.next_if_eq(&'"').is_some() => cells.last_mut().unwrap().push('"'),
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(String::new()),
                other => cells.last_mut().unwrap().push(other),
            }
        }
        assert!(!quoted, "a quote is not closed: {line}");
        table.push(cells);
    }
    table
}
