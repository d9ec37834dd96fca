//! Commands: `serve`, `demo`, `check`, `migrate`, `apply`, `audit verify`, `keys`, `backup`, `restore`.
//!
//! Logs go to stderr (`COUNTERSIGN_LOG=debug`, `COUNTERSIGN_LOG_FORMAT=json`); what a command was asked for goes to stdout.

mod apply;
mod audit;
mod backup;
mod check;
mod demo;
mod keys;
mod log;
mod open;
mod restore;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(
    name = "countersign",
    version,
    about = "A SMART on FHIR authorization server in which the provider organization countersigns every app"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Where the configuration is.
#[derive(Clone, Debug, clap::Args)]
struct ConfigFile {
    /// The configuration file; without one, everything comes from the environment (COUNTERSIGN_...)
    #[arg(long, env = "COUNTERSIGN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the server
    Serve(ConfigFile),
    /// Start the whole product with synthetic people, apps and patients, and print a guided tour
    Demo(demo::Arguments),
    /// Check the configuration without starting; every mistake is reported
    Check(ConfigFile),
    /// Bring the database up to date and stop
    Migrate(ConfigFile),
    /// Declare organizations, endpoints, accounts, providers, clients, requests and approvals from a TOML or JSON file
    Apply(apply::Arguments),
    /// The audit record
    #[command(subcommand)]
    Audit(audit::Command),
    /// The keys that sign ID tokens
    #[command(subcommand)]
    Keys(keys::Command),
    /// Write a consistent copy of a SQLite database while the server runs
    Backup(backup::Arguments),
    /// Put a backup in place, without anything that ended since coming back
    Restore(restore::Arguments),
}

/// Reads the command line and does what it says.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    log::start();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&Failed::from(error)),
    };
    let done = runtime.block_on(async {
        match cli.command {
            Command::Serve(file) => serve::run(&file).await,
            Command::Demo(arguments) => demo::run(arguments).await,
            Command::Check(file) => check::run(&file),
            Command::Migrate(file) => open::migrate(&file).await,
            Command::Apply(arguments) => apply::run(arguments).await,
            Command::Audit(command) => audit::run(command).await,
            Command::Keys(command) => keys::run(command).await,
            Command::Backup(arguments) => backup::run(arguments).await,
            Command::Restore(arguments) => restore::run(arguments).await,
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &Failed) -> ExitCode {
    // several lines (mistakes of a configuration) are a list
    for line in error.0.lines() {
        eprintln!("countersign: {line}");
    }
    ExitCode::FAILURE
}

/// Why a command did not do what it was asked; for the person at the terminal.
#[derive(Debug)]
struct Failed(String);

impl<E: std::error::Error> From<E> for Failed {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !text.contains(&cause_text) {
                text = format!("{text}: {cause_text}");
            }
            source = cause.source();
        }
        Self(text)
    }
}
