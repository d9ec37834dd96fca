//! Runs a file of scope vectors and prints every disagreement.
//!
//! ```text
//! cargo run -p fhir-scopes --example check_vectors -- FILE.json
//! ```
//!
//! Prints one line per disagreement (id, expected, got) and closes with `N passed, M failed`; the exit code is 1 when any failed.

use std::process::ExitCode;

#[path = "vectors/mod.rs"]
mod vectors;

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: check_vectors FILE.json");
        return ExitCode::from(2);
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("{path}: {error}");
            return ExitCode::from(2);
        }
    };
    let outcome = match vectors::run(&text) {
        Ok(outcome) => outcome,
        Err(error) => {
            eprintln!("{path}: {error}");
            return ExitCode::from(2);
        }
    };
    for disagreement in &outcome.disagreements {
        println!("{disagreement}");
    }
    println!("{} passed, {} failed", outcome.passed, outcome.disagreements.len());
    ExitCode::from(u8::from(!outcome.disagreements.is_empty()))
}
