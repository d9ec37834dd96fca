//! The promises of `Store::write`.

use countersign::domain::audit::{Actor, AuditEvent, Chain, verify_link};
use countersign::domain::clock::UtcMillis;
use countersign::storage::{StorageError, audit};

use crate::support::{TestDatabase, on_both};

fn event(n: i64) -> AuditEvent {
    AuditEvent::new(Chain::Server, UtcMillis(n), "test.happened", Actor::System)
}

#[test]
fn an_error_leaves_no_trace_and_its_neighbours_stand() {
    on_both(async |dialect| {
        let database = TestDatabase::new(dialect).await;
        let store = &database.store;
        let writes = (0..40).map(|n| {
            store.write(move |conn| {
                Box::pin(async move {
                    audit::append(conn, &event(n)).await?;
                    if n % 2 == 0 { Ok(()) } else { Err(StorageError::Unavailable("on purpose".into())) }
                })
            })
        });
        let outcomes = futures_util::future::join_all(writes).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 20);
        let records = audit::page_from(&mut store.read().await.unwrap(), "server", 0, 100).await.unwrap();
        assert_eq!(records.len(), 20);
        assert!(records.iter().all(|record| record.at.0 % 2 == 0));
        database.remove().await;
    });
}

#[test]
fn a_panic_in_one_write_stops_neither_the_writer_nor_its_neighbours() {
    on_both(async |dialect| {
        let database = TestDatabase::new(dialect).await;
        let store = database.store.clone();
        let panicked = tokio::spawn(async move {
            store
                .write(|_| Box::pin(async { if true { panic!("on purpose") } else { Ok::<(), StorageError>(()) } }))
                .await
        })
        .await;
        assert!(!matches!(panicked, Ok(Ok(()))));
        let after = database.store.write(|conn| Box::pin(async move { audit::append(conn, &event(1)).await })).await;
        after.expect("the writer still writes");
        database.remove().await;
    });
}

#[test]
fn audit_records_written_at_once_form_one_whole_chain() {
    on_both(async |dialect| {
        let database = TestDatabase::new(dialect).await;
        let store = &database.store;
        let writes =
            (0..60).map(|n| store.write(move |conn| Box::pin(async move { audit::append(conn, &event(n)).await })));
        for outcome in futures_util::future::join_all(writes).await {
            outcome.unwrap();
        }
        let records = audit::page_from(&mut store.read().await.unwrap(), "server", 0, 100).await.unwrap();
        assert_eq!(records.len(), 60);
        let (mut seq, mut hash) = (0, String::new());
        for record in records {
            verify_link(&record, seq, &hash).unwrap();
            (seq, hash) = (record.seq, record.hash);
        }
        database.remove().await;
    });
}

#[test]
fn a_read_connection_cannot_write_on_sqlite() {
    on_both(async |dialect| {
        if dialect == countersign::storage::connect::Dialect::Postgres {
            return;
        }
        let database = TestDatabase::new(dialect).await;
        let refused = audit::append(&mut database.store.read().await.unwrap(), &event(1)).await;
        assert!(refused.is_err());
        database.remove().await;
    });
}
