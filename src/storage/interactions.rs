//! Authorization requests on their way through sign-in, patient picker and consent. The handle is the only thing that travels; everything else stays here.

use super::rows::{Columns as _, json_text};
use super::{Conn, StorageError};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{AccountId, ClientId, OrganizationId};
use crate::domain::secrets::HashedSecret;

/// A row; `request` and `progress` are JSON of the protocol's own types.
#[derive(Clone, Debug)]
pub struct InteractionRow {
    /// Row id.
    pub id: i64,
    /// Of its secret.
    pub secret_hash: HashedSecret,
    /// At which organization.
    pub organization_id: OrganizationId,
    /// For which client.
    pub client_id: ClientId,
    /// Who took it up, once somebody did: nobody else may go on with it.
    pub account_id: Option<AccountId>,
    /// In which session.
    pub session_id: Option<i64>,
    /// The authorization request, as accepted.
    pub request: serde_json::Value,
    /// What was chosen so far.
    pub progress: serde_json::Value,
    /// When it began.
    pub created_at: UtcMillis,
    /// When it stops by itself.
    pub expires_at: UtcMillis,
    /// When it ended in a code or a denial.
    pub finished_at: Option<UtcMillis>,
}

/// Adds an interaction; returns its id.
pub async fn insert(conn: &mut Conn, row: &InteractionRow) -> Result<i64, StorageError> {
    let inserted = sqlx::query(
        "insert into interactions (secret_hash, organization_id, client_id, account_id, session_id, request, progress, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id",
    )
    .bind(row.secret_hash.bytes())
    .bind(row.organization_id.as_str())
    .bind(row.client_id.as_str())
    .bind(row.account_id.as_ref().map(|id| id.as_str().to_owned()))
    .bind(row.session_id)
    .bind(json_text(&row.request))
    .bind(json_text(&row.progress))
    .bind(row.created_at.0)
    .bind(row.expires_at.0)
    .fetch_one(conn)
    .await?;
    inserted.int("id")
}

/// The interaction with this id and secret.
pub async fn find(conn: &mut Conn, id: i64, secret: &HashedSecret) -> Result<Option<InteractionRow>, StorageError> {
    let row = sqlx::query(
        "select id, secret_hash, organization_id, client_id, account_id, session_id, request, progress, created_at, expires_at, finished_at
         from interactions where id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let found = InteractionRow {
        id: row.int("id")?,
        secret_hash: row.hash("secret_hash")?,
        organization_id: OrganizationId::from_text(row.text("organization_id")?),
        client_id: ClientId::from_text(row.text("client_id")?),
        account_id: row.text_or_null("account_id")?.map(AccountId::from_text),
        session_id: row.int_or_null("session_id")?,
        request: row.json("request")?,
        progress: row.json("progress")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        finished_at: row.time_or_null("finished_at")?,
    };
    Ok(Some(found).filter(|found| found.secret_hash.matches(secret)))
}

/// Binds an interaction to who takes it up; false if somebody else did before.
pub async fn take_up(conn: &mut Conn, id: i64, account: &AccountId, session: i64) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "update interactions set account_id = $2, session_id = $3
         where id = $1 and finished_at is null and (account_id is null or account_id = $2)",
    )
    .bind(id)
    .bind(account.as_str())
    .bind(session)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes down what was chosen; false if it is finished.
pub async fn put_progress(conn: &mut Conn, id: i64, progress: &serde_json::Value) -> Result<bool, StorageError> {
    let done = sqlx::query("update interactions set progress = $2 where id = $1 and finished_at is null")
        .bind(id)
        .bind(json_text(progress))
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends an interaction; false if it ended before. Whoever gets true may issue the code.
pub async fn finish(conn: &mut Conn, id: i64, now: UtcMillis) -> Result<bool, StorageError> {
    let done = sqlx::query("update interactions set finished_at = $2 where id = $1 and finished_at is null")
        .bind(id)
        .bind(now.0)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets interactions that ended before `before`.
pub async fn sweep(conn: &mut Conn, before: UtcMillis) -> Result<u64, StorageError> {
    Ok(sqlx::query("delete from interactions where expires_at < $1")
        .bind(before.0)
        .execute(conn)
        .await?
        .rows_affected())
}

/// Gives an interaction free for somebody else to take up ("this is not me"); false if it was not theirs.
pub async fn release(conn: &mut Conn, id: i64, account: &AccountId) -> Result<bool, StorageError> {
    let done = sqlx::query("update interactions set account_id = null, session_id = null, progress = '{}' where id = $1 and account_id = $2 and finished_at is null")
        .bind(id)
        .bind(account.as_str())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}
