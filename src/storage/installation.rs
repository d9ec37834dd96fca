//! Facts about this installation: the check value of its key, its pulse.

use super::rows::Columns as _;
use super::{Conn, StorageError};

/// A fact.
pub async fn find(conn: &mut Conn, name: &str) -> Result<Option<String>, StorageError> {
    sqlx::query("select value from installation where name = $1")
        .bind(name)
        .fetch_optional(conn)
        .await?
        .map(|row| row.text("value"))
        .transpose()
}

/// States a fact unless it is stated already, and returns what is.
pub async fn put_once(conn: &mut Conn, name: &str, value: &str) -> Result<String, StorageError> {
    sqlx::query("insert into installation (name, value) values ($1, $2) on conflict (name) do nothing")
        .bind(name)
        .bind(value)
        .execute(&mut *conn)
        .await?;
    find(conn, name)
        .await?
        .ok_or_else(|| StorageError::inconsistent("installation", name, "a fact just stated is not there"))
}

/// States a fact, whatever was stated before.
pub async fn put(conn: &mut Conn, name: &str, value: &str) -> Result<(), StorageError> {
    sqlx::query("insert into installation (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value")
        .bind(name)
        .bind(value)
        .execute(conn)
        .await?;
    Ok(())
}
