//! `countersign restore`: puts a backup in place, and sees to it that nothing which ended since comes back (see `governance::restore`).
//!
//! The copy is examined, opened with the key file, brought up to date and settled beside the database it replaces; only then is it put in its place, and the other
//! one kept next to it. Until that last step nothing has changed.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::{ConfigFile, Failed, open};
use crate::config::Config;
use crate::domain::clock::{Clock as _, SystemClock};
use crate::governance::restore::{Settled, Since, settle};
use crate::storage::connect;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
    /// The backup; without one, the database was put in place by other means (`pg_restore`) and is only settled
    #[arg(value_name = "BACKUP")]
    from: Option<PathBuf>,
    /// Put it in the place of the database that is there; that one is kept beside it
    #[arg(long)]
    replace: bool,
    /// You vouch that no organization disabled, rejected or narrowed anything since the backup was made: clients stay as they were then. Without this, every client
    /// is disabled until its organization enables it again
    #[arg(long)]
    nothing_decided_since: bool,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failed> {
    let config = open::configuration(&arguments.file)?;
    let _lock = open::lock(&config)?;
    let since = if arguments.nothing_decided_since { Since::NothingDecided } else { Since::Unknown };
    let settled = match (&arguments.from, open::sqlite_path(&config)) {
        (None, _) => settled(config, since).await?,
        (Some(_), None) => {
            return Err(Failed(
                "this is a PostgreSQL database: restore it with PostgreSQL's own tools, then run `countersign restore` without a file".into(),
            ));
        }
        (Some(from), Some(to)) => put_in_place(config, from, &to, (arguments.replace, since)).await?,
    };
    println!("{} approvals: every code and token from before is dead; apps sign in again", settled.approvals);
    println!(
        "{} sessions, API tokens, links and remembered consents ended; people sign in again, make new ones and are asked again",
        settled.handouts
    );
    if settled.disabled > 0 {
        println!("{} clients are disabled until their organizations have looked and enabled them", settled.disabled);
    }
    println!(
        "passwords, client secrets, members and roles are as they were in the backup: change again what was changed since"
    );
    Ok(())
}

async fn settled(config: Config, since: Since) -> Result<Settled, Failed> {
    let app = open::app(config).await?;
    let settled = settle(&app, since).await.map_err(|refusal| Failed(refusal.to_string()))?;
    app.store.clone().close().await;
    Ok(settled)
}

async fn put_in_place(
    config: Config,
    from: &Path,
    to: &Path,
    (replace, since): (bool, Since),
) -> Result<Settled, Failed> {
    let is_there = to.exists();
    if is_there && !replace {
        return Err(Failed(format!(
            "{} exists; say --replace to keep it aside and put the backup in its place",
            to.display()
        )));
    }
    // 1 a whole database, and of this product
    connect::examine_sqlite(from).await?;
    // 2 beside its place: a copy of our own, opened with our key, settled
    let new = to.with_added_extension("restoring");
    remove(&new)?;
    connect::copy_sqlite(from, &new).await?;
    let mut beside = config.clone();
    beside.database.url = format!("sqlite:{}", new.display());
    let settled = match settled(beside, since).await {
        Ok(settled) => settled,
        Err(error) => {
            remove(&new)?;
            return Err(error);
        }
    };
    connect::settle_sqlite_file(&new).await?;
    // 3 the other one aside, this one in
    if is_there {
        let aside = to.with_added_extension(format!("before-restore-{}", SystemClock.now().seconds()));
        for (from, to) in files(to).into_iter().zip(files(&aside)) {
            if from.exists() {
                rename(&from, &to)?;
            }
        }
        println!("{} is kept as {}", to.display(), aside.display());
    }
    rename(&new, to)?;
    if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| at(folder, &error))?;
    }
    println!("{} is in place", to.display());
    Ok(settled)
}

/// A SQLite database and what may stand beside it. The database comes last: without it the others mean nothing.
fn files(database: &Path) -> [PathBuf; 3] {
    let beside = |suffix: &str| {
        let mut name = database.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    [beside("-wal"), beside("-shm"), database.to_owned()]
}

fn remove(database: &Path) -> Result<(), Failed> {
    for file in files(database) {
        if file.exists() {
            std::fs::remove_file(&file).map_err(|error| at(&file, &error))?;
        }
    }
    Ok(())
}

fn rename(from: &Path, to: &Path) -> Result<(), Failed> {
    std::fs::rename(from, to).map_err(|error| at(from, &error))
}

fn at(path: &Path, error: &std::io::Error) -> Failed {
    Failed(format!("{}: {error}", path.display()))
}
