//! The end of a session, with everything that lives with it: in one transaction the session ends, the families that were given `online_access` for as long as
//! it lasts are revoked (SMART-AL-33), and every app that asked to be told has a message in the outbox (OpenID Connect Back-Channel Logout 1.0).
//!
//! Whoever ends a session (its owner here or elsewhere, a new password, somebody else signing in at the same browser) comes through here.

use fhir_scopes::ScopeSet;
use serde::{Deserialize, Serialize};

use super::outbox::{Channel, Delivery, Message};
use super::{Conn, StorageError};
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::clock::UtcMillis;
use crate::domain::grants::lives_with_session;
use crate::domain::ids::AccountId;
use crate::domain::sessions::Session;

/// What the outbox keeps of a session's end: whose session, and which. The logout token is made when it is delivered, so that it is always fresh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionEnded {
    /// Whose.
    pub account_id: AccountId,
    /// The session it began as.
    pub session: i64,
}

/// Ends a session and what lived with it; the messages to apps, by id. `None` if it was over already.
pub async fn end(
    conn: &mut Conn,
    session: &Session,
    by: &Actor,
    now: UtcMillis,
) -> Result<Option<Vec<i64>>, StorageError> {
    if !super::sessions::end(conn, session.id, now).await? {
        return Ok(None);
    }
    let began_as = session.began_as();
    let mut messages = Vec::new();
    let mut told = Vec::new();
    for grant in super::grants::list_for_session(conn, &session.account_id, began_as).await? {
        let Some(in_force) = super::grants::in_force(conn, grant.id, now).await? else { continue };
        let scopes = ScopeSet::parse_lenient(&grant.scopes, in_force.endpoint.release).0;
        if lives_with_session(&scopes) && super::grants::revoke(conn, grant.id, "session_ended", now).await? {
            let record = AuditEvent::new(&grant.organization_id, now, "grant.ended_with_session", by.clone())
                .client(&grant.client_id)
                .subject(format!("grant/{}", grant.id));
            super::audit::append(conn, &record).await?;
        }
        let app = (grant.organization_id.clone(), grant.client_id.clone());
        let wants_to_know = scopes.has_openid() && in_force.metadata.backchannel_logout_uri.is_some();
        if !wants_to_know || told.contains(&app) {
            continue;
        }
        let ended = SessionEnded { account_id: session.account_id.clone(), session: began_as };
        let message = Message {
            id: 0,
            organization_id: Some(grant.organization_id.clone()),
            client_id: Some(grant.client_id.clone()),
            channel: Channel::Logout,
            event: "session.ended".to_owned(),
            recipient: grant.client_id.as_str().to_owned(),
            payload: super::rows::json_text(&ended),
            delivery: Delivery::Waiting { next_attempt_at: now },
            attempts: 0,
            last_error: None,
            created_at: now,
        };
        messages.push(super::outbox::insert(conn, &message).await?);
        told.push(app);
    }
    Ok(Some(messages))
}

/// Ends every session of an account but `keep`, each with what lived with it; how many there were.
pub async fn end_all(
    conn: &mut Conn,
    account: &AccountId,
    keep: Option<i64>,
    by: &Actor,
    now: UtcMillis,
) -> Result<usize, StorageError> {
    let mut ended = 0;
    for session in super::sessions::list_open(conn, account, now).await? {
        if keep != Some(session.id) && end(conn, &session, by, now).await?.is_some() {
            ended += 1;
        }
    }
    Ok(ended)
}
