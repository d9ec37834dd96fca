//! `countersign backup`: a consistent copy of a SQLite database, taken while the server runs, and checked. PostgreSQL has its own tools.

use std::path::PathBuf;

use super::{ConfigFile, Failed, open};
use crate::storage::connect;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
    /// Where the copy goes; it must not exist yet
    #[arg(value_name = "COPY")]
    to: PathBuf,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failed> {
    let config = open::configuration(&arguments.file)?;
    let Some(from) = open::sqlite_path(&config) else {
        return Err(Failed("this is a PostgreSQL database: use pg_dump or its physical backups".into()));
    };
    if arguments.to.exists() {
        return Err(Failed(format!("{} exists already", arguments.to.display())));
    }
    if !from.exists() {
        return Err(Failed(format!("there is no database at {}", from.display())));
    }
    connect::copy_sqlite(&from, &arguments.to).await?;
    println!(
        "{} is a complete copy; the key file ({}) is not in it and must be kept too",
        arguments.to.display(),
        config.server.key_file
    );
    Ok(())
}
