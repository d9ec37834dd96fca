//! Deleting rows that are dead already. Nothing depends on it: whatever it deletes was refused before.

use crate::app::App;
use crate::domain::clock::UtcMillis;
use crate::storage::{self, StorageError};

/// How long the ends of sessions are kept.
const SESSIONS_DAYS: i64 = 7;
/// How long sent messages are kept for staff to look at.
const OUTBOX_DAYS: i64 = 180;

/// Deletes what nobody can use any more.
pub async fn run(app: &App, now: UtcMillis) -> Result<(), StorageError> {
    let swept: Result<(u64, u64, u64), StorageError> = app
        .store
        .write(move |conn| {
            Box::pin(async move {
                let sessions = storage::sessions::sweep(conn, now.plus_days(-SESSIONS_DAYS)).await?;
                let throttles = storage::throttles::sweep(conn, now.plus_days(-1)).await?;
                let messages = storage::outbox::sweep(conn, now.plus_days(-OUTBOX_DAYS)).await?;
                Ok((sessions, throttles, messages))
            })
        })
        .await;
    let (sessions, throttles, messages) = swept?;
    tracing::debug!(sessions, throttles, messages, "swept");
    Ok(())
}
