//! Developer tasks: `cargo xtask test` runs every check there is, `cargo xtask bench` measures.
//!
//! Only the standard library is used, so that the first `cargo xtask` costs a second or two and not a build.

mod bench;
mod checks;
mod needs;
mod postgres;
mod run;
mod tally;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask test  [--list] [--only NAME]...   every check: format, lints, docs, tests on SQLite and PostgreSQL,
                                              third-party clients, browser. Installs what is missing.
cargo xtask bench [micro|http]...             criterion benches; HTTP load against a release build
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let done = match task.as_str() {
        "test" => test::main(&rest),
        "bench" => bench::main(&rest),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

/// The folder of the workspace: the tasks do the same wherever they are called from.
fn workspace() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace")
}

/// Where cargo builds, `CARGO_TARGET_DIR` respected.
fn target() -> std::path::PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => workspace().join(folder),
        None => workspace().join("target"),
    }
}
