//! What sqlx's `Any` costs: the look-up behind every introspection, through our storage room and through sqlx's own SQLite types, on one database in one run.
//!
//! `cargo bench --bench storage`. The figure to look at is the ratio; see `src/storage/mod.rs` for what follows from it.

use std::time::{Duration, Instant};

use countersign::domain::clock::UtcMillis;
use countersign::domain::grants::AccessToken;
use countersign::domain::ids::{ClientId, OrganizationId};
use countersign::domain::secrets::PlainSecret;
use countersign::storage::{self, StorageError};
use sqlx::{ConnectOptions as _, Row as _};

const TOKENS: i64 = 10_000;
const EACH: Duration = Duration::from_secs(2);

fn main() {
    let folder = std::env::temp_dir().join(format!("countersign-bench-storage-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(measure(&folder.join("bench.db")));
    let _ = std::fs::remove_dir_all(folder);
}

async fn measure(path: &std::path::Path) {
    let store = storage::connect::connect(&format!("sqlite:{}", path.display())).await.expect("a new database opens");
    let secret = PlainSecret::from_text("secret").hashed();
    store
        .write(move |conn| {
            Box::pin(async move {
                for _ in 0..TOKENS {
                    let token = AccessToken {
                        id: 0,
                        secret_hash: secret,
                        grant_id: 1,
                        organization_id: OrganizationId::from_text("org_1"),
                        client_id: ClientId::from_text("app_1"),
                        epoch: 1,
                        scopes: "openid fhirUser launch/patient patient/Observation.rs patient/Condition.rs".into(),
                        issued_at: UtcMillis(0),
                        expires_at: UtcMillis(i64::MAX),
                        first_used_at: None,
                        revoked_at: None,
                    };
                    storage::tokens::insert_access(conn, &token).await?;
                }
                Ok::<(), StorageError>(())
            })
        })
        .await
        .expect("the rows are written");

    let mut ours = store.read().await.expect("a connection for reading");
    let mut bare =
        sqlx::sqlite::SqliteConnectOptions::new().filename(path).connect().await.expect("the same database opens");
    let (mut any, mut direct) = (Vec::new(), Vec::new());
    for round in 0..3 {
        any.push(
            rate(async |id| {
                storage::tokens::find_access(&mut ours, id, &secret)
                    .await
                    .expect("the database answers")
                    .expect("the row is there");
            })
            .await,
        );
        direct.push(
            rate(async |id| {
                let row = sqlx::query(
                    "select id, secret_hash, grant_id, organization_id, client_id, epoch, scopes, issued_at, expires_at, first_used_at, revoked_at
                     from access_tokens where id = $1",
                )
                .bind(id)
                .fetch_one(&mut bare)
                .await
                .expect("the row is there");
                let scopes: String = row.get("scopes");
                let hash: Vec<u8> = row.get("secret_hash");
                std::hint::black_box((scopes, hash));
            })
            .await,
        );
        println!("round {}: any {:.1} us, sqlite {:.1} us", round + 1, any[round], direct[round]);
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[1]
    };
    let (any, direct) = (median(&mut any), median(&mut direct));
    println!("a look-up by primary key: any {any:.1} us, sqlite {direct:.1} us, ratio {:.2}", any / direct);
}

/// Microseconds a call, over [`EACH`].
async fn rate(mut call: impl AsyncFnMut(i64)) -> f64 {
    let start = Instant::now();
    let mut calls = 0_u32;
    while start.elapsed() < EACH {
        for _ in 0..100 {
            calls += 1;
            call(i64::from(calls) * 7919 % TOKENS + 1).await;
        }
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(calls)
}
