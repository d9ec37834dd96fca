//! `cargo xtask bench`: what the parts cost (`micro`, criterion), and what the whole serves (`http`, load on a running demo).

use std::process::Command;

use crate::run;

/// Runs the kinds named, or both.
pub fn main(arguments: &[String]) -> Result<bool, String> {
    let all = ["micro".to_owned(), "http".to_owned()];
    let mut ok = true;
    for kind in if arguments.is_empty() { &all } else { arguments } {
        let mut command = Command::new("cargo");
        match kind.as_str() {
            "micro" => command.args(["bench", "--locked", "--package", "fhir-scopes"]),
            "http" => command.args(["bench", "--locked", "--bench", "http"]),
            other => return Err(format!("what is {other}? (micro, http)")),
        };
        ok &= run::shown(&mut command, |_| true)?.ok;
    }
    Ok(ok)
}
