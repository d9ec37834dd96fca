//! Deleting rows that are dead already. Nothing depends on it: whatever it deletes was refused before.

use crate::app::App;
use crate::domain::clock::UtcMillis;
use crate::storage::{self, StorageError};

/// How long the ends of sessions are kept.
const SESSIONS_DAYS: i64 = 7;
/// How long codes and tokens are kept after their end.
const TOKENS_DAYS: i64 = 7;
/// How long sent messages are kept for staff to look at.
const OUTBOX_DAYS: i64 = 180;

/// Deletes what nobody can use any more.
pub async fn run(app: &App, now: UtcMillis) -> Result<(), StorageError> {
    let swept: Result<[u64; 9], StorageError> = app
        .store
        .write(move |conn| {
            Box::pin(async move {
                let sessions = storage::sessions::sweep(conn, now.plus_days(-SESSIONS_DAYS)).await?;
                let throttles = storage::throttles::sweep(conn, now.plus_days(-1)).await?;
                let messages = storage::outbox::sweep(conn, now.plus_days(-OUTBOX_DAYS)).await?;
                // a token is kept for a while after its end: a replayed refresh token is recognised as one, not taken for a stranger
                let tokens = storage::tokens::sweep(conn, now.plus_days(-TOKENS_DAYS)).await?;
                let codes = storage::codes::sweep(conn, now.plus_days(-TOKENS_DAYS)).await?;
                let interactions = storage::interactions::sweep(conn, now.plus_days(-1)).await?;
                let handles = storage::launch_handles::sweep(conn, now.plus_days(-1)).await?;
                let single_use = storage::single_use::sweep(conn, now).await?;
                let counters = storage::token_counters::sweep(conn, now).await?;
                Ok([sessions, throttles, messages, tokens, codes, interactions, handles, single_use, counters])
            })
        })
        .await;
    let rows: u64 = swept?.iter().sum();
    tracing::debug!(rows, "swept");
    Ok(())
}
