//! `countersign apply FILE [--dry-run]`.

use std::path::PathBuf;

use super::{ConfigFile, Failed, open};
use crate::governance::apply;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
    /// What is to be: TOML, or JSON when the name ends in .json
    #[arg(value_name = "FILE")]
    declaration: PathBuf,
    /// Only print what would change
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failed> {
    let text = std::fs::read_to_string(&arguments.declaration)
        .map_err(|error| Failed(format!("{}: {error}", arguments.declaration.display())))?;
    let json = arguments.declaration.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let declaration = apply::Declaration::read(&text, json)?;
    let config = open::configuration(&arguments.file)?;
    let _lock = open::lock(&config)?;
    let app = open::app(config).await?;
    let report = apply::apply(&app, &declaration, arguments.dry_run).await?;
    for change in &report.changes {
        println!("{change}");
    }
    for secret in &report.secrets {
        println!("secret {} {}", secret.of, secret.plain.reveal());
    }
    match (report.changes.len(), arguments.dry_run) {
        (0, _) => println!("nothing to change"),
        (count, true) => println!("{count} changes would be made"),
        (count, false) => println!("{count} changes made"),
    }
    app.store.clone().close().await;
    Ok(())
}
