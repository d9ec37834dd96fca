//! Opening the database: the only file that knows which one it is.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Once;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{ConnectOptions as _, Executor as _, Row as _};

use super::error::StorageError;
use super::store::Store;

/// The SQLite we are willing to trust with promise 1: before it, two connections in WAL mode could lose commits.
const SQLITE_AT_LEAST: (u32, u32, u32) = (3, 51, 3);

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// One file, one machine.
    Sqlite,
    /// One server, many nodes.
    Postgres,
}

static DRIVERS: Once = Once::new();

/// Connects, brings the schema up to date, and refuses a database it does not understand.
///
/// `url` is `sqlite:PATH` or `postgres://...`.
pub async fn connect(url: &str) -> Result<Store, StorageError> {
    DRIVERS.call_once(sqlx::any::install_default_drivers);
    if let Some(path) = url.strip_prefix("sqlite:") {
        return sqlite(Path::new(path.trim_start_matches("//"))).await;
    }
    if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        return postgres(url).await;
    }
    Err(StorageError::Unavailable("a database URL starts with sqlite: or postgres:".into()))
}

async fn sqlite(path: &Path) -> Result<Store, StorageError> {
    let path: PathBuf = std::path::absolute(path).map_err(|error| StorageError::Unavailable(error.to_string()))?;
    let mut url = url::Url::parse("sqlite:///").map_err(|error| StorageError::Unavailable(error.to_string()))?;
    url.set_path(&path.to_string_lossy());
    url.set_query(Some("mode=rwc"));
    let options = AnyConnectOptions::from_str(url.as_str())?;

    let mut writer = options.connect().await?;
    let row = sqlx::query("select sqlite_version() as version").fetch_one(&mut writer).await?;
    let version: String = row.try_get("version")?;
    if parse_version(&version) < SQLITE_AT_LEAST {
        return Err(StorageError::Unavailable(format!("SQLite {version} is too old: it may lose commits")));
    }
    writer.execute("pragma journal_mode = wal").await?;
    for pragma in PRAGMAS {
        writer.execute(*pragma).await?;
    }
    sqlx::migrate!("migrations/sqlite")
        .run(&mut writer)
        .await
        .map_err(|error| StorageError::Unavailable(error.to_string()))?;

    let pool = AnyPoolOptions::new()
        .max_connections(4)
        .after_connect(|connection, _| {
            Box::pin(async move {
                for pragma in PRAGMAS {
                    connection.execute(*pragma).await?;
                }
                // reads only: whoever forgets to write through the writer is told at once
                connection.execute("pragma query_only = on").await?;
                Ok(())
            })
        })
        .connect_with(options)
        .await?;
    Ok(Store::new(pool, Dialect::Sqlite, Some(writer)))
}

/// FULL: an acknowledged disable survives a power cut.
const PRAGMAS: &[&str] = &["pragma synchronous = full", "pragma foreign_keys = on", "pragma busy_timeout = 5000"];

fn parse_version(text: &str) -> (u32, u32, u32) {
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

async fn postgres(url: &str) -> Result<Store, StorageError> {
    let pool = AnyPoolOptions::new()
        .max_connections(16)
        .after_connect(|connection, _| {
            Box::pin(async move {
                for setting in [
                    "set synchronous_commit = on",
                    "set statement_timeout = '10s'",
                    "set lock_timeout = '5s'",
                    "set idle_in_transaction_session_timeout = '15s'",
                ] {
                    connection.execute(setting).await?;
                }
                Ok(())
            })
        })
        .connect(url)
        .await?;
    sqlx::migrate!("migrations/postgres")
        .run(&pool)
        .await
        .map_err(|error| StorageError::Unavailable(error.to_string()))?;
    Ok(Store::new(pool, Dialect::Postgres, None))
}

/// Writes a consistent copy of a SQLite file (`vacuum into`) while others use it, and checks the copy.
pub async fn copy_sqlite(from: &Path, to: &Path) -> Result<(), StorageError> {
    use sqlx::sqlite::SqliteConnectOptions;
    let mut source = SqliteConnectOptions::new().filename(from).create_if_missing(false).connect().await?;
    source.execute("pragma busy_timeout = 5000").await?;
    sqlx::query("vacuum into $1").bind(to.to_string_lossy().into_owned()).execute(&mut source).await?;
    let mut copy = SqliteConnectOptions::new().filename(to).create_if_missing(false).connect().await?;
    let verdict: String = sqlx::query("pragma integrity_check").fetch_one(&mut copy).await?.try_get(0)?;
    if verdict == "ok" { Ok(()) } else { Err(StorageError::inconsistent("the copy", to.to_string_lossy(), verdict)) }
}
