//! `cargo xtask test`: every check, one summary.
//!
//! A step that fails does not hide the later ones; the exit status is that of the whole. Installing (packages, npm, pip)
//! goes on beside the first cargo steps, so a new machine loses little time by it.

use std::collections::BTreeMap;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::checks::{self, Check, Failure};
use crate::needs::Need;
use crate::tally::Tally;

/// One check.
struct Step {
    name: &'static str,
    story: &'static str,
    needs: &'static [Need],
    check: Check,
}

const DENY: Need = Need::Python("deny", "xtask/deny-requirements.txt");
const INTEROP_PYTHON: Need = Need::Python("interop", "tests/interop/requirements.txt");

/// In this order: the cheapest judge first, and the build of the tests before those who drive the built program.
const STEPS: &[Step] = &[
    step("fmt", "rustfmt has nothing to change", &[], checks::fmt),
    step("deny", "licences, sources, bans and duplicates of dependencies", &[DENY], checks::deny),
    step("locks", "lock files name no host to download from", &[], checks::locks),
    step("clippy", "no lint speaks, missing docs included", &[], checks::clippy),
    step("docs", "rustdoc builds without a warning", &[], checks::docs),
    step("tests", "every Rust test, on SQLite and on PostgreSQL", &[Need::Postgres], checks::tests),
    step("doctests", "the examples in the documentation", &[], checks::doctests),
    step("vectors", "fhir-scopes against the scope vectors", &[], checks::vectors),
    step("interop-node", "third-party clients for Node", &[Need::Npm], checks::interop_node),
    step("interop-python", "third-party clients for Python", &[INTEROP_PYTHON], checks::interop_python),
    step("browser", "pages and apps in Chromium", &[Need::Chromium, Need::Npm], checks::browser),
];

const fn step(name: &'static str, story: &'static str, needs: &'static [Need], check: Check) -> Step {
    Step { name, story, needs, check }
}

/// Runs the steps asked for (all, without `--only`); true when all of them passed.
pub fn main(arguments: &[String]) -> Result<bool, String> {
    let mut chosen: Vec<&Step> = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--list" => {
                for step in STEPS {
                    println!("{:<16}{}", step.name, step.story);
                }
                return Ok(true);
            }
            "--only" => {
                let name = rest.next().ok_or("--only wants the name of a step")?;
                let named = STEPS.iter().find(|step| step.name == name);
                chosen.push(named.ok_or_else(|| format!("no step is called {name}; see --list"))?);
            }
            other => return Err(format!("what is {other}? (--list, --only NAME)")),
        }
    }
    if chosen.is_empty() {
        chosen.extend(STEPS);
    }
    Ok(run_all(&chosen))
}

fn run_all(steps: &[&Step]) -> bool {
    let begun = Instant::now();
    let mut getting = get_beside(steps);
    let mut rows = Vec::new();
    let mut sum = Tally::default();
    for step in steps {
        println!("\n==> {}: {}", step.name, step.story);
        let started = Instant::now();
        let mut result = Ok(Tally::default());
        for need in step.needs {
            let name = format!("{need:?}");
            let got = match getting.remove(&name) {
                Some(thread) => thread.join().expect("getting things does not panic"),
                None => need.get(), // an earlier step waited for it
            };
            result = result.and_then(|tally| got.map(|()| tally).map_err(Failure::from));
        }
        let result = result.and_then(|_| (step.check)());
        let took = started.elapsed();
        let (tally, word, because) = match result {
            Ok(tally) => (tally, "ok", String::new()),
            Err(failure) => (failure.tally, "FAILED", failure.because),
        };
        if !because.is_empty() {
            println!("{because}");
        }
        sum += tally;
        sum += Tally { passed: usize::from(word == "ok"), failed: usize::from(word != "ok"), skipped: 0 };
        rows.push(summary_row(step.name, word, took, tally));
    }
    println!("\n==> summary");
    for row in rows {
        println!("{row}");
    }
    println!("{:<16}{:<8}{:>7.1} s   steps and test cases together:", "all", "", begun.elapsed().as_secs_f64());
    println!("{} passed, {} failed", sum.passed, sum.failed);
    sum.failed == 0
}

fn summary_row(name: &str, word: &str, took: Duration, tally: Tally) -> String {
    let cases = match tally {
        Tally { passed: 0, failed: 0, .. } => String::new(),
        Tally { passed, failed, skipped: 0 } => format!("{passed} passed, {failed} failed"),
        Tally { passed, failed, skipped } => format!("{passed} passed, {failed} failed, {skipped} skipped"),
    };
    format!("{name:<16}{word:<8}{:>7.1} s   {cases}", took.as_secs_f64())
}

/// Starts getting everything the steps need, in the background, each thing once.
fn get_beside(steps: &[&Step]) -> BTreeMap<String, JoinHandle<Result<(), String>>> {
    let mut getting = BTreeMap::new();
    for need in steps.iter().flat_map(|step| step.needs) {
        getting.entry(format!("{need:?}")).or_insert_with(|| std::thread::spawn(|| need.get()));
    }
    getting
}
