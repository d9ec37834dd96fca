//! Webhooks of application providers.

use sqlx::any::AnyRow;

use super::rows::Columns as _;
use super::{Conn, StorageError};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{ApplicationProviderId, WebhookId};

/// A registered webhook.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Id.
    pub id: WebhookId,
    /// Whose.
    pub application_provider_id: ApplicationProviderId,
    /// Where to.
    pub url: String,
    /// The signing secret, sealed under [`Webhook::label`].
    pub sealed_secret: Vec<u8>,
    /// When it was registered.
    pub created_at: UtcMillis,
}

impl Webhook {
    /// What its secret is sealed for.
    pub fn label(id: &WebhookId) -> String {
        format!("webhook|{id}")
    }
}

/// Adds a webhook.
pub async fn insert(conn: &mut Conn, webhook: &Webhook) -> Result<(), StorageError> {
    sqlx::query("insert into webhooks (id, application_provider_id, url, sealed_secret, state, created_at) values ($1, $2, $3, $4, 'active', $5)")
        .bind(webhook.id.as_str())
        .bind(webhook.application_provider_id.as_str())
        .bind(webhook.url.as_str())
        .bind(webhook.sealed_secret.as_slice())
        .bind(webhook.created_at.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// The webhooks of a provider that are in use, oldest first.
pub async fn list_by_provider(conn: &mut Conn, provider: &ApplicationProviderId) -> Result<Vec<Webhook>, StorageError> {
    sqlx::query(
        "select id, application_provider_id, url, sealed_secret, created_at from webhooks
         where application_provider_id = $1 and state = 'active' order by id",
    )
    .bind(provider.as_str())
    .fetch_all(conn)
    .await?
    .iter()
    .map(webhook)
    .collect()
}

/// By id, if it is in use.
pub async fn lookup(conn: &mut Conn, id: &WebhookId) -> Result<Option<Webhook>, StorageError> {
    sqlx::query("select id, application_provider_id, url, sealed_secret, created_at from webhooks where id = $1 and state = 'active'")
        .bind(id.as_str())
        .fetch_optional(conn)
        .await?
        .map(|row| webhook(&row))
        .transpose()
}

/// Takes a webhook of this provider out of use; false if it has no such one.
pub async fn remove(conn: &mut Conn, provider: &ApplicationProviderId, id: &WebhookId) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "update webhooks set state = 'removed' where application_provider_id = $1 and id = $2 and state = 'active'",
    )
    .bind(provider.as_str())
    .bind(id.as_str())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

fn webhook(row: &AnyRow) -> Result<Webhook, StorageError> {
    Ok(Webhook {
        id: WebhookId::from_text(row.text("id")?),
        application_provider_id: ApplicationProviderId::from_text(row.text("application_provider_id")?),
        url: row.text("url")?,
        sealed_secret: row.bytes("sealed_secret")?,
        created_at: row.time("created_at")?,
    })
}
