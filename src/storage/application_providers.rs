//! Application providers and their developers.

use sqlx::any::AnyRow;

use super::rows::Columns as _;
use super::{Conn, StorageError};
use crate::domain::accounts::{DeveloperMembership, DeveloperRole};
use crate::domain::application_providers::ApplicationProvider;
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{AccountId, ApplicationProviderId};
use crate::domain::organizations::Standing;

/// Adds an application provider.
pub async fn insert(conn: &mut Conn, provider: &ApplicationProvider) -> Result<(), StorageError> {
    sqlx::query("insert into application_providers (id, name, website, state, created_at) values ($1, $2, $3, $4, $5)")
        .bind(provider.id.as_str())
        .bind(provider.name.as_str())
        .bind(provider.website.as_str())
        .bind(provider.standing.as_str())
        .bind(provider.created_at.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Rewrites name, website and standing.
pub async fn update(conn: &mut Conn, provider: &ApplicationProvider) -> Result<(), StorageError> {
    sqlx::query("update application_providers set name = $2, website = $3, state = $4 where id = $1")
        .bind(provider.id.as_str())
        .bind(provider.name.as_str())
        .bind(provider.website.as_str())
        .bind(provider.standing.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

/// By id.
pub async fn lookup(conn: &mut Conn, id: &ApplicationProviderId) -> Result<Option<ApplicationProvider>, StorageError> {
    sqlx::query("select id, name, website, state, created_at from application_providers where id = $1")
        .bind(id.as_str())
        .fetch_optional(conn)
        .await?
        .map(|row| provider(&row))
        .transpose()
}

/// By exact name; for `apply`, where a file names providers.
pub async fn find_by_name(conn: &mut Conn, name: &str) -> Result<Option<ApplicationProvider>, StorageError> {
    sqlx::query(
        "select id, name, website, state, created_at from application_providers where name = $1 order by id limit 1",
    )
    .bind(name)
    .fetch_optional(conn)
    .await?
    .map(|row| provider(&row))
    .transpose()
}

fn provider(row: &AnyRow) -> Result<ApplicationProvider, StorageError> {
    Ok(ApplicationProvider {
        id: ApplicationProviderId::from_text(row.text("id")?),
        name: row.text("name")?,
        website: row.text("website")?,
        standing: Standing::parse(&row.text("state")?),
        created_at: row.time("created_at")?,
    })
}

/// Makes somebody a developer there, or changes their role.
pub async fn put_developer(
    conn: &mut Conn,
    membership: &DeveloperMembership,
    now: UtcMillis,
) -> Result<(), StorageError> {
    sqlx::query(
        "insert into developers (application_provider_id, account_id, role, created_at) values ($1, $2, $3, $4)
         on conflict (application_provider_id, account_id) do update set role = excluded.role",
    )
    .bind(membership.application_provider_id.as_str())
    .bind(membership.account_id.as_str())
    .bind(membership.role.as_str())
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a membership; true if there was one.
pub async fn remove_developer(
    conn: &mut Conn,
    provider: &ApplicationProviderId,
    account: &AccountId,
) -> Result<bool, StorageError> {
    let done = sqlx::query("delete from developers where application_provider_id = $1 and account_id = $2")
        .bind(provider.as_str())
        .bind(account.as_str())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Where somebody is a developer.
pub async fn developer_memberships(
    conn: &mut Conn,
    account: &AccountId,
) -> Result<Vec<DeveloperMembership>, StorageError> {
    sqlx::query("select application_provider_id, account_id, role from developers where account_id = $1 order by application_provider_id")
        .bind(account.as_str())
        .fetch_all(conn)
        .await?
        .iter()
        .map(membership)
        .collect()
}

/// Who is a developer there.
pub async fn developers_of(
    conn: &mut Conn,
    provider: &ApplicationProviderId,
) -> Result<Vec<DeveloperMembership>, StorageError> {
    sqlx::query("select application_provider_id, account_id, role from developers where application_provider_id = $1 order by account_id")
        .bind(provider.as_str())
        .fetch_all(conn)
        .await?
        .iter()
        .map(membership)
        .collect()
}

fn membership(row: &AnyRow) -> Result<DeveloperMembership, StorageError> {
    let role = row.text("role")?;
    Ok(DeveloperMembership {
        application_provider_id: ApplicationProviderId::from_text(row.text("application_provider_id")?),
        account_id: AccountId::from_text(row.text("account_id")?),
        role: DeveloperRole::parse(&role)
            .ok_or_else(|| StorageError::inconsistent("developers", role.clone(), "unknown role"))?,
    })
}
