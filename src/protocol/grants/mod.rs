//! The grant types of the token endpoint.

pub mod authorization_code;
pub mod client_credentials;
pub mod refresh_token;

use super::error::OAuthError;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{ClientId, OrganizationId};
use crate::storage::usage::Uses;
use crate::storage::{self, Conn};

/// A refusal that leaves a mark: recorded in the transaction, which commits.
pub(super) async fn record_refusal(
    conn: &mut Conn,
    organization: &OrganizationId,
    client: &ClientId,
    (event, subject): (&'static str, i64),
    now: UtcMillis,
) -> Result<(), OAuthError> {
    let record = AuditEvent::new(organization, now, event, Actor::Client(client.clone()))
        .client(client)
        .subject(format!("grant/{subject}"))
        .refused();
    mark_refused(conn, organization, client, &record, now).await
}

/// A client asked for `system/` scopes without the key that this organization wants for them: staff read in the activity why it does not work.
pub(super) async fn record_keyless(
    conn: &mut Conn,
    organization: &OrganizationId,
    client: &ClientId,
    now: UtcMillis,
) -> Result<(), OAuthError> {
    let record =
        AuditEvent::new(organization, now, "token.needs_key", Actor::Client(client.clone())).client(client).refused();
    mark_refused(conn, organization, client, &record, now).await
}

/// Counts before it records, as every issue does: who waits for the end of the audit chain must not hold what those before it still need.
async fn mark_refused(
    conn: &mut Conn,
    organization: &OrganizationId,
    client: &ClientId,
    record: &AuditEvent,
    now: UtcMillis,
) -> Result<(), OAuthError> {
    storage::usage::add(conn, organization, client, Uses { refused: 1, ..Uses::default() }, now).await?;
    storage::audit::append(conn, record).await?;
    Ok(())
}

/// The audit record of an issue.
pub(super) fn issue_record(
    organization: &OrganizationId,
    client: &ClientId,
    grant: i64,
    grant_type: &'static str,
    now: UtcMillis,
) -> AuditEvent {
    AuditEvent::new(organization, now, "token.issued", Actor::Client(client.clone()))
        .client(client)
        .subject(format!("grant/{grant}"))
        .with("grant_type", grant_type)
}
