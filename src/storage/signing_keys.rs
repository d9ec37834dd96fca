//! Signing keys; see `domain::keys` for their life.

use super::rows::Columns as _;
use super::{Conn, StorageError};
use crate::domain::clock::UtcMillis;
use crate::domain::keys::{KeyState, SigningKey};

/// Adds a key.
pub async fn insert(conn: &mut Conn, key: &SigningKey) -> Result<(), StorageError> {
    sqlx::query(
        "insert into signing_keys (kid, alg, state, public_jwk, sealed_private, created_at, activated_at) values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(key.kid.as_str())
    .bind(key.alg.as_str())
    .bind(key.state.as_str())
    .bind(key.public_jwk.as_str())
    .bind(key.sealed_private.as_slice())
    .bind(key.created_at.0)
    .bind(key.activated_at.map(|at| at.0))
    .execute(conn)
    .await?;
    Ok(())
}

/// Every key, oldest first.
pub async fn list(conn: &mut Conn) -> Result<Vec<SigningKey>, StorageError> {
    sqlx::query("select kid, alg, state, public_jwk, sealed_private, created_at, activated_at, retired_at from signing_keys order by created_at, kid")
        .fetch_all(conn)
        .await?
        .iter()
        .map(|row| {
            let kid = row.text("kid")?;
            let state = row.text("state")?;
            Ok(SigningKey {
                alg: row.text("alg")?,
                state: KeyState::parse(&state).ok_or_else(|| StorageError::inconsistent("signing_keys", kid.clone(), format!("state {state}")))?,
                public_jwk: row.text("public_jwk")?,
                sealed_private: row.bytes("sealed_private")?,
                created_at: row.time("created_at")?,
                activated_at: row.time_or_null("activated_at")?,
                retired_at: row.time_or_null("retired_at")?,
                kid,
            })
        })
        .collect()
}

/// Lets the published key sign and the active one of its algorithm retire; false if it was not waiting.
pub async fn promote(conn: &mut Conn, kid: &str, alg: &str, now: UtcMillis) -> Result<bool, StorageError> {
    let promoted =
        sqlx::query("update signing_keys set state = 'active', activated_at = $2 where kid = $1 and state = 'next'")
            .bind(kid)
            .bind(now.0)
            .execute(&mut *conn)
            .await?;
    if promoted.rows_affected() != 1 {
        return Ok(false);
    }
    sqlx::query(
        "update signing_keys set state = 'retiring', retired_at = $3 where alg = $2 and state = 'active' and kid <> $1",
    )
    .bind(kid)
    .bind(alg)
    .bind(now.0)
    .execute(&mut *conn)
    .await?;
    Ok(true)
}

/// Forgets a retired key; false if somebody did before.
pub async fn forget(conn: &mut Conn, kid: &str) -> Result<bool, StorageError> {
    let done =
        sqlx::query("delete from signing_keys where kid = $1 and state = 'retiring'").bind(kid).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets every key of an algorithm, whatever its state; how many there were.
pub async fn forget_all(conn: &mut Conn, alg: &str) -> Result<u64, StorageError> {
    Ok(sqlx::query("delete from signing_keys where alg = $1").bind(alg).execute(conn).await?.rows_affected())
}
