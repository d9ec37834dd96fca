//! A database per test: a SQLite file in a fresh folder, or a fresh database on the PostgreSQL server that `cargo xtask test` starts
//! (`COUNTERSIGN_TEST_POSTGRES_URL`). Without that variable the PostgreSQL half is left out, and says so.

use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign::storage::Store;
use countersign::storage::connect::{Dialect, connect};
use sqlx::{ConnectOptions as _, Executor as _};

static NEXT: AtomicU64 = AtomicU64::new(0);

/// A database that goes away with the test.
pub struct TestDatabase {
    /// Its URL, for a second process or connection.
    pub url: String,
    /// The open store.
    pub store: Store,
    cleanup: Cleanup,
}

enum Cleanup {
    Folder(PathBuf),
    Database { admin: String, name: String },
}

fn unique() -> String {
    format!("countersign_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

impl TestDatabase {
    /// A new, migrated database.
    pub async fn new(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Sqlite => {
                let folder = std::env::temp_dir().join(unique());
                std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
                let url = format!("sqlite:{}", folder.join("countersign.db").display());
                let store = connect(&url).await.expect("a new SQLite database opens");
                Self { url, store, cleanup: Cleanup::Folder(folder) }
            }
            Dialect::Postgres => {
                let admin = postgres_url().expect("the caller checked that there is a server");
                let name = unique();
                let mut connection = admin_connection(&admin).await;
                connection
                    .execute(sqlx::AssertSqlSafe(format!("drop database if exists {name}")))
                    .await
                    .expect("an old database can be dropped");
                connection
                    .execute(sqlx::AssertSqlSafe(format!("create database {name}")))
                    .await
                    .expect("a database can be made");
                let mut url = url::Url::parse(&admin).expect("the server's URL is one");
                url.set_path(&name);
                let store = connect(url.as_str()).await.expect("a new PostgreSQL database opens");
                Self { url: url.into(), store, cleanup: Cleanup::Database { admin, name } }
            }
        }
    }

    /// Closes it and takes it away.
    pub async fn remove(self) {
        self.store.close().await;
        match self.cleanup {
            Cleanup::Folder(folder) => drop(std::fs::remove_dir_all(folder)),
            Cleanup::Database { admin, name } => {
                let mut connection = admin_connection(&admin).await;
                connection
                    .execute(sqlx::AssertSqlSafe(format!("drop database if exists {name} with (force)")))
                    .await
                    .expect("the database can be dropped");
            }
        }
    }
}

async fn admin_connection(url: &str) -> sqlx::postgres::PgConnection {
    use std::str::FromStr as _;
    sqlx::postgres::PgConnectOptions::from_str(url)
        .expect("the server's URL is one")
        .connect()
        .await
        .expect("the test server answers")
}

/// Where the PostgreSQL of this test run is, if there is one.
pub fn postgres_url() -> Option<String> {
    std::env::var("COUNTERSIGN_TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty())
}

/// Runs a test on SQLite, then on PostgreSQL.
pub fn on_both<F, Fut>(test: F)
where
    F: Fn(Dialect) -> Fut,
    Fut: Future<Output = ()>,
{
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts");
    runtime.block_on(test(Dialect::Sqlite));
    if postgres_url().is_some() {
        runtime.block_on(test(Dialect::Postgres));
    } else {
        eprintln!("left out on PostgreSQL: COUNTERSIGN_TEST_POSTGRES_URL is not set");
    }
}
