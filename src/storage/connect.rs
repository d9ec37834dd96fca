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

/// Writes a consistent copy of a SQLite file (`vacuum into`) while others use it, checks the copy, and returns when it is on the disk. The copy is new, and its
/// owner's alone: it holds what the database holds.
pub async fn copy_sqlite(from: &Path, to: &Path) -> Result<(), StorageError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let at =
        |path: &Path, error: &dyn std::fmt::Display| StorageError::Unavailable(format!("{}: {error}", path.display()));
    let mut source = sqlite_file(from).connect().await.map_err(|error| at(from, &error))?;
    source.execute("pragma busy_timeout = 5000").await?;
    // SQLite fills an empty file; made here, so that nobody else can read it even for a moment
    let file = std::fs::OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(to)
        .map_err(|error| at(to, &error))?;
    sqlx::query("vacuum into $1").bind(to.to_string_lossy().into_owned()).execute(&mut source).await?;
    check_integrity(&mut sqlite_file(to).connect().await?, to).await?;
    file.sync_all().map_err(|error| at(to, &error))
}

fn sqlite_file(path: &Path) -> sqlx::sqlite::SqliteConnectOptions {
    sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(false)
}

async fn check_integrity(conn: &mut sqlx::sqlite::SqliteConnection, path: &Path) -> Result<(), StorageError> {
    let verdict: String = sqlx::query("pragma integrity_check").fetch_one(&mut *conn).await?.try_get(0)?;
    if verdict != "ok" {
        return Err(StorageError::inconsistent("the database", path.to_string_lossy(), verdict));
    }
    let loose = sqlx::query("pragma foreign_key_check").fetch_all(conn).await?.len();
    if loose == 0 {
        return Ok(());
    }
    Err(StorageError::inconsistent("the database", path.to_string_lossy(), format!("{loose} rows refer to nothing")))
}

/// Is this a whole SQLite database of this product, and not of a later version of it?
pub async fn examine_sqlite(path: &Path) -> Result<(), StorageError> {
    let unfit = |what: &str| StorageError::inconsistent("the backup", path.to_string_lossy(), what);
    let mut conn = sqlite_file(path).connect().await.map_err(|error| unfit(&error.to_string()))?;
    check_integrity(&mut conn, path).await.map_err(|error| unfit(&error.to_string()))?;
    let known = migrations_in(&mut conn).await.map_err(|_| unfit("is no database of this product"))?;
    let ours: Vec<(i64, Vec<u8>)> = our_migrations();
    if known.iter().all(|one| ours.contains(one)) {
        Ok(())
    } else {
        Err(unfit("was written by another version of this product"))
    }
}

/// Has this SQLite file exactly the schema of this program? For commands beside a running server, which must not change it under its feet.
pub async fn has_our_schema(path: &Path) -> Result<bool, StorageError> {
    let mut conn = sqlite_file(path).connect().await?;
    conn.execute("pragma busy_timeout = 5000").await?;
    Ok(migrations_in(&mut conn).await? == our_migrations())
}

fn our_migrations() -> Vec<(i64, Vec<u8>)> {
    sqlx::migrate!("migrations/sqlite").iter().map(|one| (one.version, one.checksum.to_vec())).collect()
}

async fn migrations_in(conn: &mut sqlx::sqlite::SqliteConnection) -> Result<Vec<(i64, Vec<u8>)>, StorageError> {
    let rows = sqlx::query("select version, checksum from _sqlx_migrations order by version").fetch_all(conn).await?;
    rows.iter().map(|row| Ok((row.try_get("version")?, row.try_get("checksum")?))).collect()
}

/// Takes everything that stands beside a closed SQLite database into it, so that it is one file, on the disk.
pub async fn settle_sqlite_file(path: &Path) -> Result<(), StorageError> {
    let mut conn = sqlite_file(path).connect().await?;
    conn.execute("pragma wal_checkpoint(truncate)").await?;
    check_integrity(&mut conn, path).await?;
    sqlx::Connection::close(conn).await?;
    let unavailable = |error: std::io::Error| StorageError::Unavailable(format!("{}: {error}", path.display()));
    std::fs::File::open(path).and_then(|file| file.sync_all()).map_err(unavailable)
}
