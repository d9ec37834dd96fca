//! Clients, their revisions, secrets and logos.

use sqlx::any::AnyRow;

use super::rows::{Columns as _, json_text};
use super::{Conn, StorageError};
use crate::domain::clients::{Client, ClientRevision, ClientSecret, ClientState};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{ApplicationProviderId, ClientId, ClientSecretId};

/// Adds a client with its first revision.
pub async fn insert(conn: &mut Conn, client: &Client, revision: &ClientRevision, by: &str) -> Result<(), StorageError> {
    sqlx::query("insert into clients (id, application_provider_id, state, latest_revision, name, created_at) values ($1, $2, 'active', $3, $4, $5)")
        .bind(client.id.as_str())
        .bind(client.application_provider_id.as_str())
        .bind(revision.revision)
        .bind(revision.metadata.name.as_str())
        .bind(client.created_at.0)
        .execute(&mut *conn)
        .await?;
    insert_revision(conn, revision, by).await
}

/// Adds the next revision. False if somebody else filed that revision first, or the client is gone: nothing is written then.
pub async fn add_revision(conn: &mut Conn, revision: &ClientRevision, by: &str) -> Result<bool, StorageError> {
    let moved = sqlx::query("update clients set latest_revision = $2, name = $3 where id = $1 and latest_revision = $2 - 1 and state = 'active'")
        .bind(revision.client_id.as_str())
        .bind(revision.revision)
        .bind(revision.metadata.name.as_str())
        .execute(&mut *conn)
        .await?;
    if moved.rows_affected() != 1 {
        return Ok(false);
    }
    insert_revision(conn, revision, by).await?;
    Ok(true)
}

async fn insert_revision(conn: &mut Conn, revision: &ClientRevision, by: &str) -> Result<(), StorageError> {
    sqlx::query("insert into client_revisions (client_id, revision, metadata, digest, created_by, created_at) values ($1, $2, $3, $4, $5, $6)")
        .bind(revision.client_id.as_str())
        .bind(revision.revision)
        .bind(json_text(&revision.metadata))
        .bind(revision.digest.as_str())
        .bind(by)
        .bind(revision.created_at.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Holds a client at its latest revision until the transaction ends: whoever files a newer one waits. False if `revision` is not the latest (any more).
pub async fn hold_revision(conn: &mut Conn, id: &ClientId, revision: i64) -> Result<bool, StorageError> {
    let held = sqlx::query(
        "update clients set latest_revision = latest_revision where id = $1 and latest_revision = $2 and state = 'active'",
    )
    .bind(id.as_str())
    .bind(revision)
    .execute(conn)
    .await?;
    Ok(held.rows_affected() == 1)
}

/// Deletes a client for good; false if it was not active. Its id and its history stay.
pub async fn delete(conn: &mut Conn, id: &ClientId, now: UtcMillis) -> Result<bool, StorageError> {
    let done = sqlx::query("update clients set state = 'deleted', deleted_at = $2 where id = $1 and state = 'active'")
        .bind(id.as_str())
        .bind(now.0)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// By `client_id`, deleted ones included.
pub async fn lookup(conn: &mut Conn, id: &ClientId) -> Result<Option<Client>, StorageError> {
    sqlx::query("select id, application_provider_id, state, latest_revision, name, created_at, deleted_at from clients where id = $1")
        .bind(id.as_str())
        .fetch_optional(conn)
        .await?
        .map(|row| client(&row))
        .transpose()
}

/// The active clients of a provider, by name.
pub async fn list_by_provider(conn: &mut Conn, provider: &ApplicationProviderId) -> Result<Vec<Client>, StorageError> {
    sqlx::query(
        "select id, application_provider_id, state, latest_revision, name, created_at, deleted_at from clients
         where application_provider_id = $1 and state = 'active' order by name, id",
    )
    .bind(provider.as_str())
    .fetch_all(conn)
    .await?
    .iter()
    .map(client)
    .collect()
}

fn client(row: &AnyRow) -> Result<Client, StorageError> {
    let id = row.text("id")?;
    let state = match (row.text("state")?.as_str(), row.time_or_null("deleted_at")?) {
        ("active", None) => ClientState::Active,
        ("deleted", Some(at)) => ClientState::Deleted { at },
        (other, _) => {
            return Err(StorageError::inconsistent("clients", id, format!("state {other} with the wrong facts")));
        }
    };
    Ok(Client {
        id: ClientId::from_text(id),
        application_provider_id: ApplicationProviderId::from_text(row.text("application_provider_id")?),
        state,
        latest_revision: row.int("latest_revision")?,
        name: row.text("name")?,
        created_at: row.time("created_at")?,
    })
}

/// Reads the columns `c_*` of a query that joins clients to something else.
pub(super) fn joined(row: &AnyRow, id: &ClientId) -> Result<Client, StorageError> {
    let state = match (row.text("c_state")?.as_str(), row.time_or_null("c_deleted_at")?) {
        ("active", None) => ClientState::Active,
        ("deleted", Some(at)) => ClientState::Deleted { at },
        (other, _) => {
            return Err(StorageError::inconsistent(
                "clients",
                id.as_str(),
                format!("state {other} with the wrong facts"),
            ));
        }
    };
    Ok(Client {
        id: id.clone(),
        application_provider_id: ApplicationProviderId::from_text(row.text("c_provider")?),
        state,
        latest_revision: row.int("c_latest")?,
        name: row.text("c_name")?,
        created_at: row.time("c_created_at")?,
    })
}

/// One revision.
pub async fn find_revision(
    conn: &mut Conn,
    client: &ClientId,
    revision: i64,
) -> Result<Option<ClientRevision>, StorageError> {
    sqlx::query("select client_id, revision, metadata, digest, created_at from client_revisions where client_id = $1 and revision = $2")
        .bind(client.as_str())
        .bind(revision)
        .fetch_optional(conn)
        .await?
        .map(|row| self::revision(&row))
        .transpose()
}

/// These revisions, of those that there are; in one statement.
pub async fn find_revisions(
    conn: &mut Conn,
    client: &ClientId,
    [one, other]: [i64; 2],
) -> Result<Vec<ClientRevision>, StorageError> {
    sqlx::query(
        "select client_id, revision, metadata, digest, created_at from client_revisions where client_id = $1 and revision in ($2, $3)",
    )
    .bind(client.as_str())
    .bind(one)
    .bind(other)
    .fetch_all(conn)
    .await?
    .iter()
    .map(revision)
    .collect()
}

/// Every revision, oldest first.
pub async fn list_revisions(conn: &mut Conn, client: &ClientId) -> Result<Vec<ClientRevision>, StorageError> {
    sqlx::query("select client_id, revision, metadata, digest, created_at from client_revisions where client_id = $1 order by revision")
        .bind(client.as_str())
        .fetch_all(conn)
        .await?
        .iter()
        .map(revision)
        .collect()
}

fn revision(row: &AnyRow) -> Result<ClientRevision, StorageError> {
    Ok(ClientRevision {
        client_id: ClientId::from_text(row.text("client_id")?),
        revision: row.int("revision")?,
        metadata: row.json("metadata")?,
        digest: row.text("digest")?,
        created_at: row.time("created_at")?,
    })
}

/// Adds a secret.
pub async fn insert_secret(conn: &mut Conn, secret: &ClientSecret, by: &str) -> Result<(), StorageError> {
    sqlx::query("insert into client_secrets (id, client_id, secret_hash, hint, created_by, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7)")
        .bind(secret.id.as_str())
        .bind(secret.client_id.as_str())
        .bind(secret.secret_hash.bytes())
        .bind(secret.hint.as_str())
        .bind(by)
        .bind(secret.created_at.0)
        .bind(secret.expires_at.map(|at| at.0))
        .execute(conn)
        .await?;
    Ok(())
}

/// Every secret of a client that was not revoked, newest first; see [`ClientSecret::is_live`] for expiry.
pub async fn list_secrets(conn: &mut Conn, client: &ClientId) -> Result<Vec<ClientSecret>, StorageError> {
    sqlx::query(
        "select id, client_id, secret_hash, hint, created_at, last_used_at, expires_at, revoked_at from client_secrets
         where client_id = $1 and revoked_at is null order by id desc",
    )
    .bind(client.as_str())
    .fetch_all(conn)
    .await?
    .iter()
    .map(|row| {
        Ok(ClientSecret {
            id: ClientSecretId::from_text(row.text("id")?),
            client_id: ClientId::from_text(row.text("client_id")?),
            secret_hash: row.hash("secret_hash")?,
            hint: row.text("hint")?,
            created_at: row.time("created_at")?,
            last_used_at: row.time_or_null("last_used_at")?,
            expires_at: row.time_or_null("expires_at")?,
            revoked_at: row.time_or_null("revoked_at")?,
        })
    })
    .collect()
}

/// Revokes a secret; false if it was not live.
pub async fn revoke_secret(
    conn: &mut Conn,
    client: &ClientId,
    id: &ClientSecretId,
    now: UtcMillis,
) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "update client_secrets set revoked_at = $3 where client_id = $1 and id = $2 and revoked_at is null",
    )
    .bind(client.as_str())
    .bind(id.as_str())
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that a secret was used.
pub async fn touch_secret(conn: &mut Conn, id: &ClientSecretId, now: UtcMillis) -> Result<(), StorageError> {
    sqlx::query("update client_secrets set last_used_at = $2 where id = $1")
        .bind(id.as_str())
        .bind(now.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Keeps a logo under its digest; the same picture is kept once.
pub async fn put_logo(
    conn: &mut Conn,
    digest: &str,
    media_type: &str,
    bytes: &[u8],
    now: UtcMillis,
) -> Result<(), StorageError> {
    sqlx::query("insert into logos (digest, media_type, bytes, created_at) values ($1, $2, $3, $4) on conflict (digest) do nothing")
        .bind(digest)
        .bind(media_type)
        .bind(bytes)
        .bind(now.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// A logo: media type and bytes.
pub async fn find_logo(conn: &mut Conn, digest: &str) -> Result<Option<(String, Vec<u8>)>, StorageError> {
    sqlx::query("select media_type, bytes from logos where digest = $1")
        .bind(digest)
        .fetch_optional(conn)
        .await?
        .map(|row| Ok((row.text("media_type")?, row.bytes("bytes")?)))
        .transpose()
}
