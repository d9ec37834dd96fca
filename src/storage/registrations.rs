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
    /// When.
    pub created_at: UtcMillis,
}

/// Adds a registration; `registration.id` is ignored, the row's id is returned.
pub async fn insert(conn: &mut Conn, registration: &Registration) -> Result<i64, StorageError> {
    let row = sqlx::query("insert into registrations (secret_hash, organization_id, client_id, scopes, created_at) values ($1, $2, $3, $4, $5) returning id")
        .bind(registration.secret_hash.bytes())
        .bind(registration.organization_id.as_str())
        .bind(registration.client_id.as_str())
        .bind(registration.scopes.as_str())
        .bind(registration.created_at.0)
        .fetch_one(conn)
        .await?;
    row.int("id")
}

/// The registration with this id and secret.
pub async fn find(conn: &mut Conn, id: i64, secret: &HashedSecret) -> Result<Option<Registration>, StorageError> {
    let row = sqlx::query(
        "select id, secret_hash, organization_id, client_id, scopes, created_at from registrations where id = $1",
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

/// How many registered at an organization since then.
pub async fn count_since(
    conn: &mut Conn,
    organization: &OrganizationId,
    since: UtcMillis,
) -> Result<i64, StorageError> {
    let row = sqlx::query("select count(*) as found from registrations where organization_id = $1 and created_at > $2")
        .bind(organization.as_str())
        .bind(since.0)
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

/// Uses an initial access token up; false if it is unknown, another organization's, over, or used.
pub async fn use_initial(
    conn: &mut Conn,
    organization: &OrganizationId,
    id: i64,
    secret: &HashedSecret,
    now: UtcMillis,
) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "update initial_access_tokens set used_at = $4
         where id = $1 and organization_id = $2 and secret_hash = $3 and used_at is null and expires_at > $4",
    )
    .bind(id)
    .bind(organization.as_str())
    .bind(secret.bytes())
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
