//! `countersign keys`: which keys sign, and a new one before its time.

use std::sync::Arc;

use clap::Subcommand;

use super::{ConfigFile, Failed, open};
use crate::protocol::signing;
use crate::storage;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show every signing key and where it stands
    List(ConfigFile),
    /// Take every step of the rotation that is due (the server does so by itself every hour)
    Rotate(ConfigFile),
}

pub(super) async fn run(command: Command) -> Result<(), Failed> {
    match command {
        Command::List(file) => list(&file).await,
        Command::Rotate(file) => rotate(&file).await,
    }
}

async fn list(file: &ConfigFile) -> Result<(), Failed> {
    let app = open::app(open::configuration(file)?).await?;
    let keys = storage::signing_keys::list(&mut *app.store.read().await?).await?;
    for key in keys {
        println!("{} {} {} since {}", key.kid, key.alg, key.state.as_str(), key.activated_at.unwrap_or(key.created_at));
    }
    Ok(())
}

async fn rotate(file: &ConfigFile) -> Result<(), Failed> {
    let config = open::configuration(file)?;
    let _lock = open::lock(&config)?;
    let app = Arc::new(open::app(config).await?);
    let steps = signing::rotate(&app).await?;
    println!("{steps} steps taken");
    app.store.clone().close().await;
    Ok(())
}
