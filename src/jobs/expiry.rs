//! Requests that nobody decided in time, approvals that ended by themselves. Both count as expired the moment they are due; this writes it down, tells
//! people, and keeps the lists right.

use crate::app::App;
use crate::domain::clock::UtcMillis;
use crate::governance::{Refusal, access_requests, approvals};

/// Writes down everything that is due.
pub async fn run(app: &App, now: UtcMillis) -> Result<(), Refusal> {
    // each call does a hundred at most, so that no single run holds others up
    while access_requests::expire_due(app, now).await? > 0 {}
    while approvals::expire_due(app, now).await? > 0 {}
    Ok(())
}
