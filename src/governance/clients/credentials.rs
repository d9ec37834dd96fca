//! Client secrets: made by us, shown once, two live at a time so that rotation needs no downtime.

use super::own;
use crate::app::App;
use crate::domain::audit::{AuditEvent, Chain};
use crate::domain::clients::{ClientSecret, ClientType, LIVE_SECRETS};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{ClientId, ClientSecretId};
use crate::domain::secrets::PlainSecret;
use crate::governance::Refusal;
use crate::governance::actor::Developer;
use crate::storage::{self, Conn};

/// A secret that was just made. This is the only time it can be seen.
#[derive(Debug)]
pub struct NewSecret {
    /// Its record.
    pub record: ClientSecret,
    /// The secret.
    pub plain: PlainSecret,
}

/// Makes a secret. Refused while two are live, and for clients that do not use secrets.
pub async fn make_secret(
    app: &App,
    developer: &Developer,
    client: &ClientId,
    expires_at: Option<UtcMillis>,
) -> Result<NewSecret, Refusal> {
    let plain = PlainSecret::alphanumeric(&*app.entropy);
    keep_secret(app, developer, client, plain, expires_at).await
}

/// Keeps a secret that the operator chose (`apply`); the same rules hold.
pub(crate) async fn keep_secret(
    app: &App,
    developer: &Developer,
    client: &ClientId,
    plain: PlainSecret,
    expires_at: Option<UtcMillis>,
) -> Result<NewSecret, Refusal> {
    let now = app.now();
    if expires_at.is_some_and(|at| at <= now) {
        return Err(Refusal::invalid("expires", "expires-in-past", "a secret must expire in the future"));
    }
    let (developer, client) = (developer.clone(), client.clone());
    let id = ClientSecretId::new(now, &*app.entropy);
    app.store
        .write(move |conn| {
            Box::pin(async move { keep_secret_within(conn, &developer, &client, id, (plain, expires_at), now).await })
        })
        .await
}

/// The same inside a transaction of the caller's.
pub(in crate::governance) async fn keep_secret_within(
    conn: &mut Conn,
    developer: &Developer,
    client: &ClientId,
    id: ClientSecretId,
    (plain, expires_at): (PlainSecret, Option<UtcMillis>),
    now: UtcMillis,
) -> Result<NewSecret, Refusal> {
    let own = own(conn, developer, client).await?;
    if own.latest.metadata.client_type != ClientType::ConfidentialSecret {
        return Err(Refusal::conflict("no-secrets", "this client does not use secrets"));
    }
    if own.secrets.iter().filter(|secret| secret.is_live(now)).count() >= LIVE_SECRETS {
        return Err(Refusal::conflict(
            "secrets-full",
            format!("{LIVE_SECRETS} secrets are live already: revoke one first"),
        ));
    }
    let text = plain.reveal();
    let record = ClientSecret {
        id,
        client_id: client.clone(),
        secret_hash: plain.hashed(),
        hint: text.chars().skip(text.chars().count().saturating_sub(4)).collect(),
        created_at: now,
        last_used_at: None,
        expires_at,
        revoked_at: None,
    };
    storage::clients::insert_secret(conn, &record, developer.account.id.as_str()).await?;
    let event = AuditEvent::new(Chain::Server, now, "client_secret.made", developer.audit())
        .client(client)
        .subject(record.id.as_str())
        .with("hint", record.hint.as_str());
    storage::audit::append(conn, &event).await?;
    Ok(NewSecret { record, plain })
}

/// Revokes a secret: from the next request on it proves nothing.
pub async fn revoke_secret(
    app: &App,
    developer: &Developer,
    client: &ClientId,
    secret: &ClientSecretId,
) -> Result<(), Refusal> {
    let now = app.now();
    let (developer, client, secret) = (developer.clone(), client.clone(), secret.clone());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                own(conn, &developer, &client).await?;
                if !storage::clients::revoke_secret(conn, &client, &secret, now).await? {
                    return Err(Refusal::NotFound);
                }
                let event = AuditEvent::new(Chain::Server, now, "client_secret.revoked", developer.audit())
                    .client(&client)
                    .subject(secret.as_str());
                Ok(storage::audit::append(conn, &event).await?)
            })
        })
        .await
}
