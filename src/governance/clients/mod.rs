//! Clients, as their application provider keeps them: register, revise, rotate credentials, delete.
//!
//! What a client says of itself is checked here once (`validate`), whichever face it came through. Registering gives a client no access anywhere:
//! that is for organizations to decide, one by one. Revising one that organizations have approved files a change request with each of them, in the same transaction.

mod credentials;
mod jwks;
mod logo;
mod redirect_uris;
mod validate;

pub(crate) use credentials::keep_secret;
pub(super) use credentials::keep_secret_within;
pub use credentials::{NewSecret, make_secret, revoke_secret};
pub use jwks::check as check_key_set;
pub use logo::{LogoRefused, MAX_LOGO_BYTES, keep_logo, normalized_png};
pub(super) use redirect_uris::check_https as web_address;
pub use validate::{validate, validate_self_registered};

use super::actor::Developer;
use super::{Refusal, access_requests};
use crate::app::App;
use crate::domain::audit::{AuditEvent, Chain};
use crate::domain::clients::{Client, ClientMetadata, ClientRevision, ClientSecret, ClientState};
use crate::domain::clock::UtcMillis;
use crate::domain::entropy::Entropy;
use crate::domain::ids::ClientId;
use crate::storage::{self, Conn};

/// How many active clients an application provider may have, so that nobody floods reviewers' queues.
pub const CLIENTS_PER_PROVIDER: usize = 200;

/// A client with its latest revision and its secrets, for its owner.
#[derive(Clone, Debug)]
pub struct OwnClient {
    /// The client.
    pub client: Client,
    /// Its newest revision.
    pub latest: ClientRevision,
    /// Secrets that were not revoked, newest first.
    pub secrets: Vec<ClientSecret>,
}

/// Registers a client. It starts without access to anything.
pub async fn register(app: &App, developer: &Developer, metadata: ClientMetadata) -> Result<Client, Refusal> {
    let id = ClientId::new(app.now(), &*app.entropy);
    register_as(app, developer, id, metadata).await
}

/// Registers a client under an id that the caller chose: for `apply`, where files name clients.
pub async fn register_as(
    app: &App,
    developer: &Developer,
    id: ClientId,
    metadata: ClientMetadata,
) -> Result<Client, Refusal> {
    let metadata = validate(metadata, app.config.outbound.allow_private_networks)?;
    let (developer, now) = (developer.clone(), app.now());
    app.store
        .write(move |conn| Box::pin(async move { register_within(conn, &developer, id, metadata, now).await }))
        .await
}

/// [`register_as`] inside a transaction of the caller's, with metadata that [`validate`] has taken.
pub(super) async fn register_within(
    conn: &mut Conn,
    developer: &Developer,
    id: ClientId,
    metadata: ClientMetadata,
    now: UtcMillis,
) -> Result<Client, Refusal> {
    logo_is_kept(conn, &metadata).await?;
    if storage::clients::list_by_provider(conn, &developer.provider.id).await?.len() >= CLIENTS_PER_PROVIDER {
        return Err(Refusal::conflict(
            "clients-full",
            format!("an application provider may have {CLIENTS_PER_PROVIDER} clients"),
        ));
    }
    let client = Client {
        id,
        application_provider_id: developer.provider.id.clone(),
        state: ClientState::Active,
        latest_revision: 1,
        name: metadata.name.clone(),
        created_at: now,
    };
    let revision = ClientRevision {
        client_id: client.id.clone(),
        revision: 1,
        digest: metadata.digest(),
        metadata,
        created_at: now,
    };
    storage::clients::insert(conn, &client, &revision, developer.account.id.as_str()).await?;
    let event = AuditEvent::new(Chain::Server, now, "client.registered", developer.audit())
        .client(&client.id)
        .subject(developer.provider.id.as_str())
        .with("digest", revision.digest.as_str());
    storage::audit::append(conn, &event).await?;
    Ok(client)
}

/// Files a new revision. `based_on` is the revision the developer edited; if another came in between, nothing is lost: the answer is [`Refusal::Changed`].
///
/// `why` goes to the organizations that approved the client, whose change request this becomes. Saying the same again files nothing.
pub async fn revise(
    app: &App,
    developer: &Developer,
    id: &ClientId,
    based_on: i64,
    metadata: ClientMetadata,
    why: &str,
) -> Result<ClientRevision, Refusal> {
    let metadata = validate(metadata, app.config.outbound.allow_private_networks)?;
    let (developer, id, now, entropy) = (developer.clone(), id.clone(), app.now(), app.entropy.clone());
    let edit = Edit { based_on, metadata, why: why.trim().to_owned() };
    app.store
        .write(move |conn| {
            Box::pin(async move { Ok(revise_within(conn, &developer, &id, edit, now, &*entropy).await?.0) })
        })
        .await
}

/// What a developer made of a revision.
pub(super) struct Edit {
    /// The revision they edited.
    pub(super) based_on: i64,
    /// What [`validate`] has taken.
    pub(super) metadata: ClientMetadata,
    /// For the organizations.
    pub(super) why: String,
}

/// [`revise`] inside a transaction of the caller's, and what it led to at each organization.
pub(super) async fn revise_within(
    conn: &mut Conn,
    developer: &Developer,
    id: &ClientId,
    edit: Edit,
    now: UtcMillis,
    entropy: &dyn Entropy,
) -> Result<(ClientRevision, Vec<access_requests::Filed>), Refusal> {
    let own = own(conn, developer, id).await?;
    if own.client.latest_revision != edit.based_on {
        return Err(Refusal::Changed);
    }
    if own.latest.metadata == edit.metadata {
        return Ok((own.latest, Vec::new()));
    }
    logo_is_kept(conn, &edit.metadata).await?;
    let revision = ClientRevision {
        client_id: id.clone(),
        revision: edit.based_on + 1,
        digest: edit.metadata.digest(),
        metadata: edit.metadata,
        created_at: now,
    };
    if !storage::clients::add_revision(conn, &revision, developer.account.id.as_str()).await? {
        return Err(Refusal::Changed);
    }
    let event = AuditEvent::new(Chain::Server, now, "client.revised", developer.audit())
        .client(id)
        .with("revision", revision.revision.to_string())
        .with("digest", revision.digest.as_str());
    storage::audit::append(conn, &event).await?;
    let filed = access_requests::file_change_for_revision(conn, developer, &revision, &edit.why, now, entropy).await?;
    Ok((revision, filed))
}

/// Deletes a client for good: every token everywhere is dead, its id is never used again, its history stays.
pub async fn delete(app: &App, developer: &Developer, id: &ClientId) -> Result<(), Refusal> {
    let (developer, id, now) = (developer.clone(), id.clone(), app.now());
    app.store.write(move |conn| Box::pin(async move { delete_within(conn, &developer, &id, now).await })).await
}

/// [`delete`] inside a transaction of the caller's.
pub(super) async fn delete_within(
    conn: &mut Conn,
    developer: &Developer,
    id: &ClientId,
    now: UtcMillis,
) -> Result<(), Refusal> {
    let own = own(conn, developer, id).await?;
    if !storage::clients::delete(conn, id, now).await? {
        return Err(Refusal::NotFound);
    }
    let event = AuditEvent::new(Chain::Server, now, "client.deleted", developer.audit())
        .client(id)
        .with("name", own.client.name);
    storage::audit::append(conn, &event).await?;
    access_requests::client_was_deleted(conn, developer, id, now).await
}

/// A client of this developer's provider; somebody else's answers as an absent one.
pub async fn own(conn: &mut Conn, developer: &Developer, id: &ClientId) -> Result<OwnClient, Refusal> {
    let client = storage::clients::lookup(conn, id)
        .await?
        .filter(|client| client.application_provider_id == developer.provider.id && client.state == ClientState::Active)
        .ok_or(Refusal::NotFound)?;
    let latest = storage::clients::find_revision(conn, id, client.latest_revision).await?.ok_or(Refusal::NotFound)?;
    let secrets = storage::clients::list_secrets(conn, id).await?;
    Ok(OwnClient { client, latest, secrets })
}

/// The clients of this developer's provider, by name.
pub async fn list(conn: &mut Conn, developer: &Developer) -> Result<Vec<Client>, Refusal> {
    Ok(storage::clients::list_by_provider(conn, &developer.provider.id).await?)
}

async fn logo_is_kept(conn: &mut Conn, metadata: &ClientMetadata) -> Result<(), Refusal> {
    if let Some(digest) = &metadata.logo
        && storage::clients::find_logo(conn, digest).await?.is_none()
    {
        return Err(Refusal::invalid("logo", "logo-unknown", "upload the logo first"));
    }
    Ok(())
}
