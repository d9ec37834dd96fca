//! U+0000 below the edge: whatever lets one through, the database's refusal is not taken for a failure of the database.

use axum::http::StatusCode;
use countersign::domain::audit::{Actor, AuditEvent, Chain};
use countersign::domain::clock::UtcMillis;
use countersign::domain::ids::ClientId;
use countersign::http::error::Failure;
use countersign::protocol::{ErrorKind, OAuthError};
use countersign::storage::{StorageError, audit, clients, organizations};

use crate::support::{TestDatabase, on_both};

/// Nothing found, or the asker's mistake.
#[track_caller]
fn is_clean<T: std::fmt::Debug>(answer: Result<Option<T>, StorageError>) {
    match answer {
        Ok(None) => {}
        Err(error) => {
            assert!(matches!(error, StorageError::Unstorable), "{error}");
            assert_eq!(OAuthError::from(error).kind, ErrorKind::InvalidRequest);
        }
        Ok(Some(found)) => panic!("{found:?}"),
    }
}

#[test]
fn a_text_with_a_nul_finds_nothing_and_is_never_a_failure_of_the_database() {
    on_both(async |dialect| {
        let database = TestDatabase::new(dialect).await;
        let mut conn = database.store.read().await.unwrap();
        is_clean(organizations::find_by_slug(&mut conn, "a\0b").await);
        is_clean(clients::lookup(&mut conn, &ClientId::from_text("a\0b")).await);
        drop(conn);
        // a write of one is refused or done, and the next write is
        for (text, may_be_refused) in [("a\0b", true), ("ab", false)] {
            let event = AuditEvent::new(Chain::Server, UtcMillis(1), "test.happened", Actor::System).subject(text);
            let written =
                database.store.write(move |conn| Box::pin(async move { audit::append(conn, &event).await })).await;
            match written {
                Ok(()) => {}
                Err(error) => assert!(may_be_refused && matches!(error, StorageError::Unstorable), "{text:?}: {error}"),
            }
        }
        assert_eq!(Failure::from(StorageError::Unstorable).status, StatusCode::BAD_REQUEST);
        database.remove().await;
    });
}
