//! Audit records: appended in the transaction of what they record, never changed.

use sqlx::any::AnyRow;

use super::rows::Columns as _;
use super::{Conn, StorageError};
use crate::domain::audit::{AuditEvent, AuditRecord};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{ClientId, OrganizationId};

/// Appends a record to its chain. The chain's head is one row, so of two transactions one waits for the other.
///
/// Where a transaction also counts a use ([`usage::add`](super::usage::add)), it counts first, as every issue does: on PostgreSQL two transactions that take both rows in
/// different orders wait for each other until one is given up.
pub async fn append(conn: &mut Conn, event: &AuditEvent) -> Result<(), StorageError> {
    let chain = event.chain.as_str();
    sqlx::query("insert into audit_heads (chain, seq, hash) values ($1, 0, '') on conflict (chain) do nothing")
        .bind(chain)
        .execute(&mut *conn)
        .await?;
    // raising seq locks the head until this transaction ends; the hash it returns is that of the record before
    let head = sqlx::query("update audit_heads set seq = seq + 1 where chain = $1 returning seq, hash")
        .bind(chain)
        .fetch_one(&mut *conn)
        .await?;
    let record = event.record(head.int("seq")?, &head.text("hash")?);
    sqlx::query(
        "insert into audit_records
         (chain, seq, at, event, outcome, actor_kind, actor_id, client_id, subject, details, previous_hash, hash)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(record.chain.as_str())
    .bind(record.seq)
    .bind(record.at.0)
    .bind(record.event.as_str())
    .bind(record.outcome.as_str())
    .bind(record.actor_kind.as_str())
    .bind(record.actor_id.as_str())
    .bind(record.client_id.as_deref())
    .bind(record.subject.as_deref())
    .bind(record.details.as_str())
    .bind(record.previous_hash.as_str())
    .bind(record.hash.as_str())
    .execute(&mut *conn)
    .await?;
    sqlx::query("update audit_heads set hash = $2 where chain = $1")
        .bind(chain)
        .bind(record.hash.as_str())
        .execute(&mut *conn)
        .await?;
    Ok(())
}

/// Records `after` a sequence number, oldest first, at most `limit`: for the verifier and for export.
pub async fn page_from(conn: &mut Conn, chain: &str, after: i64, limit: i64) -> Result<Vec<AuditRecord>, StorageError> {
    sqlx::query(
        "select chain, seq, at, event, outcome, actor_kind, actor_id, client_id, subject, details, previous_hash, hash
         from audit_records where chain = $1 and seq > $2 order by seq limit $3",
    )
    .bind(chain)
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await?
    .iter()
    .map(record)
    .collect()
}

/// Records before a sequence number, newest first, at most `limit`: for the activity page.
pub async fn page_before(
    conn: &mut Conn,
    chain: &str,
    before: i64,
    limit: i64,
) -> Result<Vec<AuditRecord>, StorageError> {
    sqlx::query(
        "select chain, seq, at, event, outcome, actor_kind, actor_id, client_id, subject, details, previous_hash, hash
         from audit_records where chain = $1 and seq < $2 order by seq desc limit $3",
    )
    .bind(chain)
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await?
    .iter()
    .map(record)
    .collect()
}

/// What to look for in a chain.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// How the event begins: one of these; empty for any.
    pub beginnings: [&'a str; 6],
    /// Part of the event, of an id or of the details; empty for any.
    pub text: &'a str,
}

/// Records before a sequence number that fit a search, newest first, at most `limit`.
pub async fn search_before(
    conn: &mut Conn,
    chain: &str,
    before: i64,
    search: &Search<'_>,
    limit: i64,
) -> Result<Vec<AuditRecord>, StorageError> {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    sqlx::query(
        "select chain, seq, at, event, outcome, actor_kind, actor_id, client_id, subject, details, previous_hash, hash
         from audit_records where chain = $1 and seq < $2 and (event like $5 escape '\\' or event like $6 escape '\\' or event like $7 escape '\\'
           or event like $8 escape '\\' or event like $9 escape '\\' or event like $10 escape '\\')
         and lower(event || ' ' || actor_id || ' ' || coalesce(client_id, '') || ' ' || coalesce(subject, '') || ' ' || details) like $3 escape '\\'
         order by seq desc limit $4",
    )
    .bind(chain)
    .bind(before)
    .bind(format!("%{}%", escaped(&search.text.trim().to_lowercase())))
    .bind(limit)
    .bind(format!("{}%", escaped(search.beginnings[0])))
    .bind(format!("{}%", escaped(search.beginnings[1])))
    .bind(format!("{}%", escaped(search.beginnings[2])))
    .bind(format!("{}%", escaped(search.beginnings[3])))
    .bind(format!("{}%", escaped(search.beginnings[4])))
    .bind(format!("{}%", escaped(search.beginnings[5])))
    .fetch_all(conn)
    .await?
    .iter()
    .map(record)
    .collect()
}

/// The newest decisions about a client at an organization, newest first: the history on its pages. What a busy client does all day (tokens, grants) is not read.
pub async fn history_of_client(
    conn: &mut Conn,
    organization: &OrganizationId,
    client: &ClientId,
    limit: i64,
) -> Result<Vec<AuditRecord>, StorageError> {
    sqlx::query(
        "select chain, seq, at, event, outcome, actor_kind, actor_id, client_id, subject, details, previous_hash, hash
         from audit_records where chain = $1 and client_id = $2 and event in (
          'access_request.sent', 'access_request.edited', 'access_request.approved', 'access_request.rejected', 'access_request.withdrawn',
          'access_request.expired', 'access_request.allowed_again', 'approval.narrowed', 'approval.revision_narrowed', 'approval.expired', 'approval.ended',
          'client.disabled', 'client.enabled')
         order by seq desc limit $3",
    )
    .bind(organization.as_str())
    .bind(client.as_str())
    .bind(limit)
    .fetch_all(conn)
    .await?
    .iter()
    .map(record)
    .collect()
}

/// When something of these kinds last happened at an organization: an event, or a pattern of events.
pub async fn last_of(
    conn: &mut Conn,
    organization: &OrganizationId,
    event: &str,
    pattern: &str,
) -> Result<Option<UtcMillis>, StorageError> {
    let row = sqlx::query("select max(at) as at from audit_records where chain = $1 and (event = $2 or event like $3)")
        .bind(organization.as_str())
        .bind(event)
        .bind(pattern)
        .fetch_one(conn)
        .await?;
    row.time_or_null("at")
}

/// Where a chain stands: (seq, hash) of its last record, by chain.
pub async fn heads(conn: &mut Conn) -> Result<Vec<(String, i64, String)>, StorageError> {
    sqlx::query("select chain, seq, hash from audit_heads order by chain")
        .fetch_all(conn)
        .await?
        .iter()
        .map(|row| Ok((row.text("chain")?, row.int("seq")?, row.text("hash")?)))
        .collect()
}

fn record(row: &AnyRow) -> Result<AuditRecord, StorageError> {
    Ok(AuditRecord {
        chain: row.text("chain")?,
        seq: row.int("seq")?,
        at: row.time("at")?,
        event: row.text("event")?,
        outcome: row.text("outcome")?,
        actor_kind: row.text("actor_kind")?,
        actor_id: row.text("actor_id")?,
        client_id: row.text_or_null("client_id")?,
        subject: row.text_or_null("subject")?,
        details: row.text("details")?,
        previous_hash: row.text("previous_hash")?,
        hash: row.text("hash")?,
    })
}
