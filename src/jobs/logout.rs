//! Telling apps that sessions ended: what waits in the outbox for them, several at a time, so that one that does not answer holds nobody else up.

use std::sync::Arc;

use futures_util::StreamExt as _;

use crate::app::App;
use crate::domain::clock::UtcMillis;
use crate::protocol::backchannel;
use crate::storage::{self, StorageError};

/// Messages taken at a time.
const BATCH: i64 = 64;
/// Messages under way at once.
const AT_ONCE: usize = 16;

/// Tells everybody who is due; how many were reached.
pub async fn run(app: &Arc<App>, now: UtcMillis) -> Result<usize, StorageError> {
    let mut reached = 0;
    loop {
        let due = storage::outbox::due_logouts(&mut *app.store.read().await?, now, BATCH).await?;
        let full = i64::try_from(due.len()).unwrap_or(BATCH) == BATCH;
        let mut telling = futures_util::stream::iter(due)
            .map(|message| backchannel::tell(app, message, now))
            .buffer_unordered(AT_ONCE);
        while let Some(told) = telling.next().await {
            reached += usize::from(told?);
        }
        if !full {
            return Ok(reached);
        }
    }
}
