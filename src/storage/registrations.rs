//! Clients that registered themselves, and the tokens with which they may.

use super::rows::Columns as _;
use super::{Conn, StorageError};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{ClientId, OrganizationId};
use crate::domain::secrets::HashedSecret;

/// A registration: its access token manages its client and nothing else.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Row id.
    pub id: i64,
    /// Of the registration access token.
    pub secret_hash: HashedSecret,
    /// At whose issuer.
    pub organization_id: OrganizationId,
    /// Which client.
    pub client_id: ClientId,
    /// What it last asked for.
    pub scopes: String,
    /// With which initial access token; `None` where anybody may register.
    pub initial_access_token: Option<i64>,
    /// When.
    pub created_at: UtcMillis,
}

/// An initial access token, as staff see it. The token itself was shown once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitialAccessToken {
    /// Row id.
    pub id: i64,
    /// What it is for, in the words of whoever made it.
    pub note: String,
    /// The account that made it.
    pub created_by: String,
    /// When.
    pub created_at: UtcMillis,
    /// Until when it may be used.
    pub expires_at: UtcMillis,
    /// When it was used.
    pub used_at: Option<UtcMillis>,
    /// When it was taken back.
    pub revoked_at: Option<UtcMillis>,
    /// The client that registered with it.
    pub client_id: Option<ClientId>,
}

/// Adds a registration; `registration.id` is ignored, the row's id is returned.
pub async fn insert(conn: &mut Conn, registration: &Registration) -> Result<i64, StorageError> {
    let row = sqlx::query("insert into registrations (secret_hash, organization_id, client_id, scopes, initial_access_token_id, created_at) values ($1, $2, $3, $4, $5, $6) returning id")
        .bind(registration.secret_hash.bytes())
        .bind(registration.organization_id.as_str())
        .bind(registration.client_id.as_str())
        .bind(registration.scopes.as_str())
        .bind(registration.initial_access_token)
        .bind(registration.created_at.0)
        .fetch_one(conn)
        .await?;
    row.int("id")
}

/// The registration with this id and secret.
pub async fn find(conn: &mut Conn, id: i64, secret: &HashedSecret) -> Result<Option<Registration>, StorageError> {
    let row = sqlx::query(
        "select id, secret_hash, organization_id, client_id, scopes, initial_access_token_id, created_at from registrations where id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let found = Registration {
        id: row.int("id")?,
        secret_hash: row.hash("secret_hash")?,
        organization_id: OrganizationId::from_text(row.text("organization_id")?),
        client_id: ClientId::from_text(row.text("client_id")?),
        scopes: row.text("scopes")?,
        initial_access_token: row.int_or_null("initial_access_token_id")?,
        created_at: row.time("created_at")?,
    };
    Ok(Some(found).filter(|found| found.secret_hash.matches(secret)))
}

/// Notes what it asks for now.
pub async fn put_scopes(conn: &mut Conn, id: i64, scopes: &str) -> Result<(), StorageError> {
    sqlx::query("update registrations set scopes = $2 where id = $1").bind(id).bind(scopes).execute(conn).await?;
    Ok(())
}

/// Did this client register itself, at whichever issuer?
pub async fn is_self_registered(conn: &mut Conn, client: &ClientId) -> Result<bool, StorageError> {
    let row = sqlx::query("select count(*) as found from registrations where client_id = $1")
        .bind(client.as_str())
        .fetch_one(conn)
        .await?;
    Ok(row.int("found")? > 0)
}

/// How many registered at an organization since then without anybody's token.
pub async fn count_since(
    conn: &mut Conn,
    organization: &OrganizationId,
    since: UtcMillis,
) -> Result<i64, StorageError> {
    let row = sqlx::query(
        "select count(*) as found from registrations
         where organization_id = $1 and created_at > $2 and initial_access_token_id is null",
    )
    .bind(organization.as_str())
    .bind(since.0)
    .fetch_one(conn)
    .await?;
    row.int("found")
}

/// How many clients that registered without anybody's token wait for this organization's answer.
pub async fn count_waiting(
    conn: &mut Conn,
    organization: &OrganizationId,
    now: UtcMillis,
) -> Result<i64, StorageError> {
    let row = sqlx::query(
        "select count(*) as found from access_requests q
         join registrations r on r.client_id = q.client_id and r.organization_id = q.organization_id
         where q.organization_id = $1 and q.state = 'waiting' and q.expires_at > $2 and r.initial_access_token_id is null",
    )
    .bind(organization.as_str())
    .bind(now.0)
    .fetch_one(conn)
    .await?;
    row.int("found")
}

/// Adds an initial access token; returns its id.
pub async fn insert_initial(
    conn: &mut Conn,
    organization: &OrganizationId,
    secret: &HashedSecret,
    (note, by): (&str, &str),
    (now, expires_at): (UtcMillis, UtcMillis),
) -> Result<i64, StorageError> {
    let row = sqlx::query(
        "insert into initial_access_tokens (secret_hash, organization_id, note, created_by, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6) returning id",
    )
    .bind(secret.bytes())
    .bind(organization.as_str())
    .bind(note)
    .bind(by)
    .bind(now.0)
    .bind(expires_at.0)
    .fetch_one(conn)
    .await?;
    row.int("id")
}

/// Could an initial access token be used now? Nothing is used up.
pub async fn is_usable_initial(
    conn: &mut Conn,
    organization: &OrganizationId,
    id: i64,
    secret: &HashedSecret,
    now: UtcMillis,
) -> Result<bool, StorageError> {
    let row = sqlx::query(
        "select secret_hash from initial_access_tokens
         where id = $1 and organization_id = $2 and used_at is null and revoked_at is null and expires_at > $3",
    )
    .bind(id)
    .bind(organization.as_str())
    .bind(now.0)
    .fetch_optional(conn)
    .await?;
    row.map_or(Ok(false), |row| Ok(row.hash("secret_hash")?.matches(secret)))
}

/// Uses an initial access token up; false if it is unknown, another organization's, over, taken back, or used.
pub async fn use_initial(
    conn: &mut Conn,
    organization: &OrganizationId,
    id: i64,
    secret: &HashedSecret,
    now: UtcMillis,
) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "update initial_access_tokens set used_at = $4
         where id = $1 and organization_id = $2 and secret_hash = $3 and used_at is null and revoked_at is null and expires_at > $4",
    )
    .bind(id)
    .bind(organization.as_str())
    .bind(secret.bytes())
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes an initial access token back; false if it is another organization's, used, or taken back already.
pub async fn revoke_initial(
    conn: &mut Conn,
    organization: &OrganizationId,
    id: i64,
    now: UtcMillis,
) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "update initial_access_tokens set revoked_at = $3
         where id = $1 and organization_id = $2 and used_at is null and revoked_at is null",
    )
    .bind(id)
    .bind(organization.as_str())
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The initial access tokens of an organization, newest first.
pub async fn list_initial(
    conn: &mut Conn,
    organization: &OrganizationId,
    most: i64,
) -> Result<Vec<InitialAccessToken>, StorageError> {
    sqlx::query(
        "select t.id, t.note, t.created_by, t.created_at, t.expires_at, t.used_at, t.revoked_at, r.client_id
         from initial_access_tokens t left join registrations r on r.initial_access_token_id = t.id
         where t.organization_id = $1 order by t.id desc limit $2",
    )
    .bind(organization.as_str())
    .bind(most)
    .fetch_all(conn)
    .await?
    .iter()
    .map(|row| {
        Ok(InitialAccessToken {
            id: row.int("id")?,
            note: row.text("note")?,
            created_by: row.text("created_by")?,
            created_at: row.time("created_at")?,
            expires_at: row.time("expires_at")?,
            used_at: row.time_or_null("used_at")?,
            revoked_at: row.time_or_null("revoked_at")?,
            client_id: row.text_or_null("client_id")?.map(ClientId::from_text),
        })
    })
    .collect()
}
