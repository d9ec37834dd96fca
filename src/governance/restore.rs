//! After a backup was put in place: what was ended since it was made must not come back (F11).
//!
//! The copy knows nothing of what was decided after it. So every code, token, session, API token and remembered consent in it is dead, and
//! apps and people sign in again. And a client that an organization has disabled since would be enabled in it; so, unless the operator vouches that no decision was made since, every client is disabled until
//! its organization has looked and enabled it again. All of it is one transaction: a restored database is settled, or it was not restored.

use super::client_management::refresh_line;
use super::{Refusal, approvals};
use crate::app::App;
use crate::domain::approvals::ApprovalState;
use crate::domain::audit::{Actor, AuditEvent, Chain};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{AccountId, ClientId, OrganizationId};
use crate::storage::{self, Conn, StorageError};

/// What is known of the time after the copy was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// Organizations may have decided anything: their clients are disabled until they say otherwise.
    Unknown,
    /// The operator vouches that no organization disabled, rejected or narrowed anything since.
    NothingDecided,
}

/// What settling did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Approvals whose codes and tokens are dead.
    pub approvals: u64,
    /// Of these, clients that wait for their organization to enable them.
    pub disabled: u64,
    /// Sessions, API tokens, remembered consents and the like that ended.
    pub handouts: u64,
}

/// The reason staff read.
const REASON: &str = "The server was restored from a backup. What was decided after the backup was made is not known to it: \
                      look at this client again, and enable it if it should have access.";

/// Settles a restored database.
pub async fn settle(app: &App, since: Since) -> Result<Settled, Refusal> {
    let now = app.now();
    app.store.write(move |conn| Box::pin(async move { settle_within(conn, since, now).await })).await
}

async fn settle_within(conn: &mut Conn, since: Since, now: UtcMillis) -> Result<Settled, Refusal> {
    let mut settled = Settled { handouts: storage::restore::end_handouts(conn, now).await?, ..Settled::default() };
    settled.approvals = storage::restore::raise_epochs(conn).await?;
    let mut told = Vec::new();
    for (organization, client) in storage::restore::approvals(conn).await? {
        if since == Since::Unknown && disable(conn, &organization, &client, now).await? {
            settled.disabled += 1;
        }
        if !told.contains(&organization) {
            record(conn, Chain::from(&organization), settled, now).await?;
            told.push(organization);
        }
    }
    record(conn, Chain::Server, settled, now).await?;
    Ok(settled)
}

/// Disables an enabled client in the operator's name; false if it was disabled, or has expired.
async fn disable(
    conn: &mut Conn,
    organization: &OrganizationId,
    client: &ClientId,
    now: UtcMillis,
) -> Result<bool, Refusal> {
    let Some(approval) = storage::approvals::find(conn, organization, client).await? else { return Ok(false) };
    if approval.is_expired(now) || !matches!(approval.state, ApprovalState::Enabled { .. }) {
        return Ok(false);
    }
    let reason = approvals::mandatory_reason(REASON)?;
    let disabled = approval.disable(AccountId::from_text("operator"), reason.clone(), now)?;
    if !storage::approvals::switch(conn, &disabled).await? {
        return Err(Refusal::conflict("database-busy", "somebody else works with this database"));
    }
    let event = AuditEvent::new(organization, now, "client.disabled", Actor::Operator)
        .client(client)
        .subject(disabled.access_request_id.as_str())
        .with("reason", reason)
        .with("epoch", disabled.epoch.to_string());
    storage::audit::append(conn, &event).await?;
    refresh_line(conn, organization, client, now).await?;
    Ok(true)
}

async fn record(conn: &mut Conn, chain: Chain, settled: Settled, now: UtcMillis) -> Result<(), StorageError> {
    let mut event = AuditEvent::new(chain.clone(), now, "database.restored", Actor::Operator);
    if chain == Chain::Server {
        event = event
            .with("approvals", settled.approvals.to_string())
            .with("disabled", settled.disabled.to_string())
            .with("ended", settled.handouts.to_string());
    }
    storage::audit::append(conn, &event).await
}
