//! Telling apps that a session ended (OpenID Connect Back-Channel Logout 1.0).
//!
//! The end of a session and the message that tells it are one transaction (`storage::session_ends`); here the message is delivered. Its logout token is made at
//! that moment, so that it is fresh however long it took to get through: with a new `jti` each time, because an app may have taken the token and lost the answer.
//! A 4xx is the app's last word. Whoever may not act at the organization any more is told nothing. What became of it is recorded with the organization.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::error::OAuthError;
use super::id_token::session_label;
use super::signing::Signer;
use crate::app::App;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::clock::UtcMillis;
use crate::domain::deliveries::next_attempt;
use crate::domain::ids::{ClientId, OrganizationId};
use crate::domain::permission::client_may_act;
use crate::domain::secrets::PlainSecret;
use crate::storage::outbox::Message;
use crate::storage::session_ends::SessionEnded;
use crate::storage::{self, StorageError};

/// A claim is over after this long: whoever took the message is gone.
const CLAIM_SECONDS: i64 = 120;
/// How long a browser on its way back to an app is held up for the others to be told.
const PATIENCE: Duration = Duration::from_secs(2);
/// The life of a logout token: two minutes, as Back-Channel Logout 2.4 recommends.
const LIFE_SECONDS: i64 = 120;

#[derive(Serialize)]
struct LogoutToken<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: &'a str,
    sid: String,
    events: serde_json::Value,
}

/// Tries one message; true if it arrived. Of several that try at once one does.
pub async fn tell(app: &Arc<App>, message: Message, now: UtcMillis) -> Result<bool, StorageError> {
    let (claimed, again_at) = (message.clone(), now.plus_seconds(CLAIM_SECONDS));
    let is_ours: Result<bool, StorageError> = app
        .store
        .write(move |conn| Box::pin(async move { storage::outbox::claim(conn, &claimed, now, again_at).await }))
        .await;
    if !is_ours? {
        return Ok(false);
    }
    let outcome = attempt(app, &message, now).await;
    if let Err(Failed::Ours(error)) = outcome {
        return Err(error);
    }
    note(app, message, outcome, now).await
}

enum Failed {
    /// Trouble: try again.
    Later(String),
    /// The last word.
    Never(String),
    /// Our own database: the claim runs out, and it is tried again.
    Ours(StorageError),
}

impl From<StorageError> for Failed {
    fn from(error: StorageError) -> Self {
        Self::Ours(error)
    }
}

async fn attempt(app: &Arc<App>, message: &Message, now: UtcMillis) -> Result<(), Failed> {
    let ended: SessionEnded = serde_json::from_str(&message.payload)
        .map_err(|error| Failed::Never(format!("the message cannot be read: {error}")))?;
    let (Some(organization), Some(client)) = (&message.organization_id, &message.client_id) else {
        return Err(Failed::Never("the message is about nobody".into()));
    };
    let Some((issuer, uri)) = destination(app, organization, client, now).await? else {
        return Err(Failed::Never("the app may not act here, or asks no longer to be told".into()));
    };
    let token = logout_token(app, &issuer, client, &ended, now)
        .await
        .map_err(|error| Failed::Later(error.because.unwrap_or_else(|| error.text.to_owned())))?;
    let allow_private = app.config.outbound.allow_private_networks;
    app.memory.messenger.deliver(&uri, &token, allow_private).await.map_err(|error| {
        let why = error.to_string();
        if error.is_final() { Failed::Never(why) } else { Failed::Later(why) }
    })
}

/// Our issuer, and where this app wants to be told: as it stands in the revision that is live at the organization now.
async fn destination(
    app: &App,
    organization: &OrganizationId,
    client: &ClientId,
    now: UtcMillis,
) -> Result<Option<(String, String)>, StorageError> {
    let mut conn = app.store.read().await?;
    let organization = storage::organizations::lookup(&mut conn, organization).await?;
    let found = storage::clients::lookup(&mut conn, client).await?;
    let (Some(organization), Some(found)) = (organization, found) else { return Ok(None) };
    let approval = storage::approvals::find(&mut conn, &organization.id, client).await?;
    let Ok(approval) = client_may_act(now, &organization, &found, approval.as_ref()) else { return Ok(None) };
    let revision = storage::clients::find_revision(&mut conn, client, approval.client_revision).await?;
    let uri = revision.and_then(|revision| revision.metadata.backchannel_logout_uri);
    Ok(uri.map(|uri| (app.issuer(&organization.slug), uri)))
}

/// A logout token (Back-Channel Logout 2.4): never a nonce.
async fn logout_token(
    app: &Arc<App>,
    issuer: &str,
    client: &ClientId,
    ended: &SessionEnded,
    now: UtcMillis,
) -> Result<String, OAuthError> {
    let jti = PlainSecret::random(18, app.entropy.as_ref());
    let claims = LogoutToken {
        iss: issuer,
        sub: ended.account_id.as_str(),
        aud: client.as_str(),
        iat: now.seconds(),
        exp: now.plus_seconds(LIFE_SECONDS).seconds(),
        jti: jti.reveal(),
        sid: session_label(ended.session),
        events: serde_json::json!({ "http://schemas.openid.net/event/backchannel-logout": {} }),
    };
    Signer::active(app).await?.sign("logout+jwt", &claims)
}

async fn note(app: &App, message: Message, outcome: Result<(), Failed>, now: UtcMillis) -> Result<bool, StorageError> {
    let arrived = outcome.is_ok();
    let again_at = next_attempt(message.attempts + 1, now);
    metrics::counter!("logout_messages_total", "arrived" => if arrived { "yes" } else { "no" }).increment(1);
    app.store
        .write(move |conn| {
            Box::pin(async move {
                let (why, again_at) = match outcome {
                    Ok(()) => {
                        storage::outbox::sent(conn, message.id, now).await?;
                        return record(conn, &message, "logout.told", None, now).await;
                    }
                    Err(Failed::Later(why)) => (why, again_at),
                    Err(Failed::Never(why)) => (why, None),
                    Err(Failed::Ours(error)) => return Err(error),
                };
                storage::outbox::failed(conn, message.id, &why, again_at).await?;
                if again_at.is_some() {
                    return Ok(());
                }
                record(conn, &message, "logout.not_told", Some(why), now).await
            })
        })
        .await
        .map(|()| arrived)
}

async fn record(
    conn: &mut storage::Conn,
    message: &Message,
    event: &'static str,
    why: Option<String>,
    now: UtcMillis,
) -> Result<(), StorageError> {
    let (Some(organization), Some(client)) = (&message.organization_id, &message.client_id) else { return Ok(()) };
    let mut record = AuditEvent::new(organization, now, event, Actor::System)
        .client(client)
        .subject(format!("message/{}", message.id));
    if let Some(why) = why {
        record = record.with("because", why).refused();
    }
    storage::audit::append(conn, &record).await
}

/// Tells apps at once, and waits a moment for it: somebody is on the way back to the app that signed them out, and should not meet another that does not know.
/// Whatever does not get through in time stays in the outbox.
pub async fn tell_promptly(app: &Arc<App>, messages: Vec<i64>) {
    if messages.is_empty() {
        return;
    }
    let app = Arc::clone(app);
    let telling = tokio::spawn(async move {
        let one = |id: i64| {
            let app = Arc::clone(&app);
            async move {
                let message = storage::outbox::lookup(&mut *app.store.read().await?, id).await?;
                match message {
                    Some(message) => tell(&app, message, app.now()).await,
                    None => Ok(false),
                }
            }
        };
        for told in futures_util::future::join_all(messages.into_iter().map(one)).await {
            if let Err(error) = told {
                tracing::warn!(%error, "an app could not be told yet that somebody signed out");
            }
        }
    });
    let _ = tokio::time::timeout(PATIENCE, telling).await;
}
