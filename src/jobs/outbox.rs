//! Sending what waits in the outbox: each message is claimed (so that of several nodes one sends it), sent, and noted; after a failure it waits longer each
//! time, and is given up after a day and a half. Staff see where each stands and may send it again.

use std::sync::Arc;

use crate::app::App;
use crate::config::Mail;
use crate::domain::clock::UtcMillis;
use crate::domain::deliveries::next_attempt;
use crate::domain::ids::WebhookId;
use crate::domain::secrets::PlainSecret;
use crate::governance::notifications::Payload;
use crate::outbound::mail::{Letter, Mailer, NotSent};
use crate::outbound::webhook::{Courier, Delivery};
use crate::storage::outbox::{Channel, Message};
use crate::storage::webhooks::Webhook;
use crate::storage::{self, StorageError};

/// Messages taken at a time.
const BATCH: i64 = 50;
/// A claim is over after this long: whoever took the message is gone.
const CLAIM_SECONDS: i64 = 120;
/// Puts a notice into words: the reader's address and the payload become a letter.
pub type Compose = Arc<dyn Fn(&str, &Payload) -> Result<Letter, String> + Send + Sync>;

/// Sends messages.
pub struct Sender {
    app: Arc<App>,
    compose: Compose,
    mailer: Mailer,
    courier: Courier,
}

impl Sender {
    /// As configured.
    pub fn new(app: &Arc<App>, compose: Compose) -> Result<Self, NotSent> {
        let mailer = match &app.config.mail {
            Mail::Console => Mailer::console(),
            Mail::File { folder, from } => Mailer::folder(folder, from)?,
            Mail::Smtp { url, from } => Mailer::smtp(url, from)?,
        };
        Ok(Self::with_mailer(app, compose, mailer))
    }

    /// With another mailer.
    pub fn with_mailer(app: &Arc<App>, compose: Compose, mailer: Mailer) -> Self {
        let courier = Courier::new(app.config.outbound.allow_private_networks);
        Self { app: Arc::clone(app), compose, mailer, courier }
    }

    /// Sends everything that is due and returns how many arrived.
    pub async fn send_due(&self, now: UtcMillis) -> Result<usize, StorageError> {
        let mut arrived = 0;
        loop {
            let due = storage::outbox::due(&mut *self.app.store.read().await?, now, BATCH).await?;
            let full = i64::try_from(due.len()).unwrap_or(BATCH) == BATCH;
            for message in due {
                arrived += usize::from(self.send_one(message, now).await?);
            }
            if !full {
                return Ok(arrived);
            }
        }
    }

    async fn send_one(&self, message: Message, now: UtcMillis) -> Result<bool, StorageError> {
        let (claimed, id, attempts) = (message.clone(), message.id, message.attempts + 1);
        let again_at = now.plus_seconds(CLAIM_SECONDS);
        let mine = self
            .app
            .store
            .write(move |conn| Box::pin(async move { storage::outbox::claim(conn, &claimed, now, again_at).await }))
            .await;
        if !mine? {
            return Ok(false);
        }
        let outcome = match message.channel {
            Channel::Mail => self.mail(&message).await,
            Channel::Webhook => self.webhook(&message, now).await,
            // `due` leaves them to `jobs::logout`
            Channel::Logout => Err("the end of a session is told elsewhere".to_owned()),
        };
        let arrived = outcome.is_ok();
        self.app
            .store
            .write(move |conn| {
                Box::pin(async move {
                    match outcome {
                        Ok(()) => storage::outbox::sent(conn, id, now).await,
                        Err(why) => storage::outbox::failed(conn, id, &why, next_attempt(attempts, now)).await,
                    }
                })
            })
            .await
            .map(|()| arrived)
            .inspect(|_| {
                metrics::counter!("outbox_messages_total", "arrived" => if arrived { "yes" } else { "no" })
                    .increment(1);
            })
    }

    async fn mail(&self, message: &Message) -> Result<(), String> {
        let payload: Payload =
            serde_json::from_str(&message.payload).map_err(|error| format!("the message cannot be read: {error}"))?;
        let letter = (self.compose)(&message.recipient, &payload)?;
        self.mailer.send(&letter).await.map_err(|error| error.to_string())
    }

    async fn webhook(&self, message: &Message, now: UtcMillis) -> Result<(), String> {
        let id = WebhookId::from_text(message.recipient.as_str());
        let found = {
            let mut conn = self.app.store.read().await.map_err(|error| error.to_string())?;
            storage::webhooks::lookup(&mut conn, &id).await.map_err(|error| error.to_string())?
        };
        let Webhook { url, sealed_secret, .. } = found.ok_or("the webhook was removed")?;
        let secret = self.app.vault.open(&Webhook::label(&id), &sealed_secret).map_err(|error| error.to_string())?;
        let secret = PlainSecret::from_text(std::str::from_utf8(&secret).map_err(|error| error.to_string())?);
        let message_id = format!("msg_{}", message.id);
        let delivery = Delivery { url: &url, id: &message_id, body: &message.payload, secret: &secret };
        self.courier.deliver(&delivery, now).await.map_err(|error| error.to_string())
    }
}
