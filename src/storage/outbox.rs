//! The outbox: messages written in the transaction of what they tell, sent afterwards.

use sqlx::any::AnyRow;

use super::rows::Columns as _;
use super::{Conn, StorageError};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{ClientId, OrganizationId};

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// To an e-mail address.
    Mail,
    /// To a registered webhook.
    Webhook,
    /// To an app's back-channel logout URI.
    Logout,
}

impl Channel {
    /// The word of the column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
            Self::Logout => "logout",
        }
    }
}

/// Where a message stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// To be sent (again) when this time comes.
    Waiting {
        /// The time.
        next_attempt_at: UtcMillis,
    },
    /// It arrived.
    Sent {
        /// When.
        at: UtcMillis,
    },
    /// Given up.
    Failed,
}

/// A message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Row id, 0 before it has one. Receivers of webhooks see it: the same message sent twice has the same id.
    pub id: i64,
    /// The organization it is about.
    pub organization_id: Option<OrganizationId>,
    /// The client it is about.
    pub client_id: Option<ClientId>,
    /// How it travels.
    pub channel: Channel,
    /// What it tells: `access_request.approved`, ...
    pub event: String,
    /// E-mail address, webhook id or client id.
    pub recipient: String,
    /// JSON.
    pub payload: String,
    /// Where it stands.
    pub delivery: Delivery,
    /// How often it was tried.
    pub attempts: i64,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was written.
    pub created_at: UtcMillis,
}

/// Adds a message that waits to be sent; returns its id.
pub async fn insert(conn: &mut Conn, message: &Message) -> Result<i64, StorageError> {
    let row = sqlx::query(
        "insert into outbox (organization_id, client_id, kind, event, recipient, payload, state, next_attempt_at, created_at)
         values ($1, $2, $3, $4, $5, $6, 'waiting', $7, $7) returning id",
    )
    .bind(message.organization_id.as_ref().map(|id| id.as_str().to_owned()))
    .bind(message.client_id.as_ref().map(|id| id.as_str().to_owned()))
    .bind(message.channel.as_str())
    .bind(message.event.as_str())
    .bind(message.recipient.as_str())
    .bind(message.payload.as_str())
    .bind(message.created_at.0)
    .fetch_one(conn)
    .await?;
    row.int("id")
}

/// Mail and webhooks that are due, oldest first, at most `limit`.
pub async fn due(conn: &mut Conn, now: UtcMillis, limit: i64) -> Result<Vec<Message>, StorageError> {
    sqlx::query(
        "select id, organization_id, client_id, kind, event, recipient, payload, state, attempts, next_attempt_at, last_error, created_at, sent_at
         from outbox where state = 'waiting' and next_attempt_at <= $1 and kind <> 'logout' order by next_attempt_at, id limit $2",
    )
    .bind(now.0)
    .bind(limit)
    .fetch_all(conn)
    .await?
    .iter()
    .map(message)
    .collect()
}

/// Ends of sessions that apps are to be told and that are due, oldest first, at most `limit`.
pub async fn due_logouts(conn: &mut Conn, now: UtcMillis, limit: i64) -> Result<Vec<Message>, StorageError> {
    sqlx::query(
        "select id, organization_id, client_id, kind, event, recipient, payload, state, attempts, next_attempt_at, last_error, created_at, sent_at
         from outbox where state = 'waiting' and next_attempt_at <= $1 and kind = 'logout' order by next_attempt_at, id limit $2",
    )
    .bind(now.0)
    .bind(limit)
    .fetch_all(conn)
    .await?
    .iter()
    .map(message)
    .collect()
}

/// One message.
pub async fn lookup(conn: &mut Conn, id: i64) -> Result<Option<Message>, StorageError> {
    sqlx::query(
        "select id, organization_id, client_id, kind, event, recipient, payload, state, attempts, next_attempt_at, last_error, created_at, sent_at
         from outbox where id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?
    .map(|row| message(&row))
    .transpose()
}

/// Takes a due message for sending: of several nodes exactly one gets `true`. Should the taker die, it is due again at `again_at`.
pub async fn claim(
    conn: &mut Conn,
    message: &Message,
    now: UtcMillis,
    again_at: UtcMillis,
) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "update outbox set attempts = attempts + 1, next_attempt_at = $3
         where id = $1 and state = 'waiting' and attempts = $2 and next_attempt_at <= $4",
    )
    .bind(message.id)
    .bind(message.attempts)
    .bind(again_at.0)
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that a message arrived.
pub async fn sent(conn: &mut Conn, id: i64, now: UtcMillis) -> Result<(), StorageError> {
    sqlx::query("update outbox set state = 'sent', sent_at = $2, last_error = null where id = $1")
        .bind(id)
        .bind(now.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes that an attempt failed, and when to try again; `None` gives up.
pub async fn failed(conn: &mut Conn, id: i64, error: &str, again_at: Option<UtcMillis>) -> Result<(), StorageError> {
    let state = if again_at.is_some() { "waiting" } else { "failed" };
    sqlx::query("update outbox set state = $2, last_error = $3, next_attempt_at = $4 where id = $1")
        .bind(id)
        .bind(state)
        .bind(error)
        .bind(again_at.map_or(0, |at| at.0))
        .execute(conn)
        .await?;
    Ok(())
}

/// The mails and webhooks about an organization's clients, newest first, at most `limit`: for its staff, who need not know who signs out when. `before` pages on from an id.
pub async fn list_by_organization(
    conn: &mut Conn,
    organization: &OrganizationId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Message>, StorageError> {
    sqlx::query(
        "select id, organization_id, client_id, kind, event, recipient, payload, state, attempts, next_attempt_at, last_error, created_at, sent_at
         from outbox where organization_id = $1 and id < $2 and kind <> 'logout' order by id desc limit $3",
    )
    .bind(organization.as_str())
    .bind(before.unwrap_or(i64::MAX))
    .bind(limit)
    .fetch_all(conn)
    .await?
    .iter()
    .map(message)
    .collect()
}

/// Sends a message of this organization again, now; false if it has no such message that failed or waits.
pub async fn retry(
    conn: &mut Conn,
    organization: &OrganizationId,
    id: i64,
    now: UtcMillis,
) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "update outbox set state = 'waiting', attempts = 0, next_attempt_at = $3
         where organization_id = $1 and id = $2 and kind <> 'logout' and state in ('waiting', 'failed')",
    )
    .bind(organization.as_str())
    .bind(id)
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes what was sent or given up before `before`; returns how many.
pub async fn sweep(conn: &mut Conn, before: UtcMillis) -> Result<u64, StorageError> {
    let done = sqlx::query("delete from outbox where state in ('sent', 'failed') and created_at < $1")
        .bind(before.0)
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}

fn message(row: &AnyRow) -> Result<Message, StorageError> {
    let id = row.int("id")?;
    let delivery = match (row.text("state")?.as_str(), row.time_or_null("sent_at")?) {
        ("waiting", _) => Delivery::Waiting { next_attempt_at: row.time("next_attempt_at")? },
        ("sent", Some(at)) => Delivery::Sent { at },
        ("failed", _) => Delivery::Failed,
        (other, _) => {
            return Err(StorageError::inconsistent(
                "outbox",
                id.to_string(),
                format!("state {other} with the wrong facts"),
            ));
        }
    };
    let channel = match row.text("kind")?.as_str() {
        "mail" => Channel::Mail,
        "webhook" => Channel::Webhook,
        "logout" => Channel::Logout,
        other => return Err(StorageError::inconsistent("outbox", id.to_string(), format!("unknown kind {other}"))),
    };
    Ok(Message {
        id,
        organization_id: row.text_or_null("organization_id")?.map(OrganizationId::from_text),
        client_id: row.text_or_null("client_id")?.map(ClientId::from_text),
        channel,
        event: row.text("event")?,
        recipient: row.text("recipient")?,
        payload: row.text("payload")?,
        delivery,
        attempts: row.int("attempts")?,
        last_error: row.text_or_null("last_error")?,
        created_at: row.time("created_at")?,
    })
}
