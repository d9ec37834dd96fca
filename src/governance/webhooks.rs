//! Webhooks of an application provider: where its answers are sent besides mail.

use url::Url;

use super::Refusal;
use super::actor::Developer;
use crate::app::App;
use crate::domain::audit::{AuditEvent, Chain};
use crate::domain::ids::WebhookId;
use crate::domain::secrets::PlainSecret;
use crate::outbound::{http_client, webhook};
use crate::storage;
use crate::storage::webhooks::Webhook;

/// How many a provider may have.
const WEBHOOKS: usize = 10;

/// Registers a webhook and returns its signing secret, which cannot be shown again.
pub async fn register(app: &App, developer: &Developer, url: &str) -> Result<(Webhook, PlainSecret), Refusal> {
    let parsed = Url::parse(url.trim()).map_err(|_| Refusal::invalid("url", "url-malformed", "This is not a URL."))?;
    http_client::check(&parsed, app.config.outbound.allow_private_networks)
        .map_err(|error| Refusal::invalid("url", "url-refused", format!("This URL cannot be used: {error}.")))?;
    let now = app.now();
    let secret = webhook::new_secret(app.entropy.as_ref());
    let id = WebhookId::new(now, app.entropy.as_ref());
    let sealed = app.vault.seal(&Webhook::label(&id), secret.reveal().as_bytes(), app.entropy.as_ref());
    let provider = developer.provider.id.clone();
    let webhook =
        Webhook { id, application_provider_id: provider, url: parsed.into(), sealed_secret: sealed, created_at: now };
    let (kept, developer) = (webhook.clone(), developer.clone());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                if storage::webhooks::list_by_provider(conn, &developer.provider.id).await?.len() >= WEBHOOKS {
                    return Err(Refusal::conflict(
                        "webhooks-full",
                        format!("there are {WEBHOOKS} webhooks already; remove one first"),
                    ));
                }
                storage::webhooks::insert(conn, &kept).await?;
                let event = AuditEvent::new(Chain::Server, now, "webhook.registered", developer.audit())
                    .subject(kept.id.as_str());
                storage::audit::append(conn, &event).await?;
                Ok(())
            })
        })
        .await?;
    Ok((webhook, secret))
}

/// Takes a webhook out of use.
pub async fn remove(app: &App, developer: &Developer, id: &WebhookId) -> Result<(), Refusal> {
    let (developer, id, now) = (developer.clone(), id.clone(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                if !storage::webhooks::remove(conn, &developer.provider.id, &id).await? {
                    return Err(Refusal::NotFound);
                }
                let event =
                    AuditEvent::new(Chain::Server, now, "webhook.removed", developer.audit()).subject(id.as_str());
                storage::audit::append(conn, &event).await?;
                Ok(())
            })
        })
        .await
}
