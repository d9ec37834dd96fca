//! Opening an installation from the command line: configuration, lock, application.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::sync::Arc;

use super::{ConfigFile, Failed};
use crate::app::App;
use crate::config::{self, Config, Loaded};
use crate::domain::clock::SystemClock;
use crate::domain::entropy::SystemEntropy;
use crate::storage::connect;

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
    try_lock(config)?.ok_or_else(|| {
        let path = sqlite_path(config).unwrap_or_default().with_added_extension("lock");
        Failed(format!("another process works with this database ({} is locked)", path.display()))
    })
}

fn try_lock(config: &Config) -> Result<Option<Lock>, Failed> {
    let Some(path) = sqlite_path(config) else { return Ok(Some(Lock(None))) };
    let path = path.with_added_extension("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| Failed(format!("{}: {error}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock(Some(file)))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(Failed(format!("{}: {error}", path.display()))),
    }
}

/// Opens the application. Whoever writes holds the lock.
pub(super) async fn app(config: Config) -> Result<App, Failed> {
    Ok(App::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?)
}

/// Opens the application for a short command that may run beside the server: the database lets one write after the other. Beside a server of another version it
/// does not, for opening would bring the schema up to date.
pub(super) async fn app_beside(config: Config) -> Result<(App, Lock), Failed> {
    let lock = try_lock(&config)?;
    if lock.is_none()
        && let Some(path) = sqlite_path(&config)
        && !connect::has_our_schema(&path).await?
    {
        return Err(Failed(
            "the server that works with this database is of another version: use the program it was started with"
                .into(),
        ));
    }
    Ok((app(config).await?, lock.unwrap_or(Lock(None))))
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
