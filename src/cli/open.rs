//! Opening an installation from the command line: configuration, lock, application.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::sync::Arc;

use super::{ConfigFile, Failed};
use crate::app::App;
use crate::config::{self, Config, Loaded};
use crate::domain::clock::SystemClock;
use crate::domain::entropy::SystemEntropy;

/// Reads the configuration of the command line and the environment.
pub(super) fn configuration(file: &ConfigFile) -> Result<Config, Failed> {
    Ok(load(file)?.config)
}

/// The same, with what is allowed but hardly meant.
pub(super) fn load(file: &ConfigFile) -> Result<Loaded, Failed> {
    Ok(config::load(
        file.config.as_deref(),
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
    )?)
}

/// The proof that no other process writes to the same SQLite file; held as long as the process lives. PostgreSQL takes as many as come.
#[derive(Debug)]
pub(super) struct Lock(#[allow(dead_code, reason = "held, not read")] Option<File>);

/// The path of the SQLite file, if it is one.
pub(super) fn sqlite_path(config: &Config) -> Option<PathBuf> {
    config.database.url.strip_prefix("sqlite:").map(|path| PathBuf::from(path.trim_start_matches("//")))
}

/// Takes the lock, or says who might have it.
pub(super) fn lock(config: &Config) -> Result<Lock, Failed> {
    let Some(path) = sqlite_path(config) else { return Ok(Lock(None)) };
    let path = path.with_added_extension("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| Failed(format!("{}: {error}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(Some(file))),
        Err(TryLockError::WouldBlock) => {
            Err(Failed(format!("another process works with this database ({} is locked)", path.display())))
        }
        Err(TryLockError::Error(error)) => Err(Failed(format!("{}: {error}", path.display()))),
    }
}

/// Opens the application. Whoever writes holds the lock.
pub(super) async fn app(config: Config) -> Result<App, Failed> {
    Ok(App::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?)
}

/// `countersign migrate`: opening brings the schema up to date.
pub(super) async fn migrate(file: &ConfigFile) -> Result<(), Failed> {
    let config = configuration(file)?;
    let _lock = lock(&config)?;
    let app = app(config).await?;
    app.store.clone().close().await;
    println!("the database is up to date");
    Ok(())
}
