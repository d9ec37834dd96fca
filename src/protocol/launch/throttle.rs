//! Bounds for launches: a principal that makes handles without end, and a client with which somebody guesses them.
//!
//! Guessing 336 bits is hopeless; what the bound saves is the work, and what it gives is an alarm. A guess that is wrong once too often is answered by a page of
//! ours with status 429 instead of a redirect; a handle that is right is never refused for the guesses of others.

use std::sync::Arc;

use crate::app::App;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{ClientId, OrganizationId};
use crate::storage::{self, Conn, StorageError};

/// At most so many in a window.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// What it is kept under.
    pub kind: &'static str,
    /// How many.
    pub attempts: i64,
    /// The window, seconds.
    pub window: i64,
}

/// Handles that one principal makes: twenty a second, which no hospital needs for long.
pub const CREATIONS: Bound = Bound { kind: "launch", attempts: 6000, window: 300 };
/// Handles that are no good, presented by one client at one organization.
pub const GUESSES: Bound = Bound { kind: "launch-guess", attempts: 100, window: 900 };

/// Counts, and says whether this is one too many; with the count itself, to tell the first from the rest.
async fn counted(conn: &mut Conn, bound: Bound, subject: &str, now: UtcMillis) -> Result<(bool, i64), StorageError> {
    let count = storage::throttles::count(conn, bound.kind, subject, now, bound.window).await?;
    Ok((count > bound.attempts, count))
}

/// Does this principal make too many handles? Counts this one.
pub(super) async fn is_flooding(conn: &mut Conn, by: &Actor, now: UtcMillis) -> Result<bool, StorageError> {
    let (kind, id) = by.columns();
    let (is_over, count) = counted(conn, CREATIONS, &format!("{kind}/{id}"), now).await?;
    if count == CREATIONS.attempts + 1 {
        tracing::warn!(principal = id, "very many launches are being made");
    }
    Ok(is_over)
}

/// Was a handle guessed wrong too often? Counts this one; the first beyond the bound leaves a record.
pub async fn is_guessing(
    app: &Arc<App>,
    organization: &OrganizationId,
    client: &ClientId,
) -> Result<bool, StorageError> {
    let (organization, client, now) = (organization.clone(), client.clone(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                let subject = format!("{organization}/{client}");
                let (is_over, count) = counted(conn, GUESSES, &subject, now).await?;
                if count == GUESSES.attempts + 1 {
                    let record = AuditEvent::new(&organization, now, "launch.guessed", Actor::Client(client.clone()))
                        .client(&client)
                        .refused();
                    storage::audit::append(conn, &record).await?;
                }
                Ok(is_over)
            })
        })
        .await
}
