//! The command `countersign`. See `countersign help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign::cli::run()
}
