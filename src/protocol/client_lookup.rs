//! The client that a request names, with all that its proof is held against.

use std::sync::PoisonError;

use super::error::OAuthError;
use super::jwk::{self, PublicKey};
use crate::app::App;
use crate::domain::approvals::Approval;
use crate::domain::clients::{Client, ClientMetadata, ClientRevision, ClientSecret};
use crate::domain::ids::ClientId;
use crate::domain::organizations::Organization;
use crate::storage::{self, StorageError};

/// A client that exists, before it has proved anything.
pub(super) struct Known {
    pub client: Client,
    /// What it says of itself in the revision that is live at this organization; in its latest one where it has no approval.
    pub metadata: ClientMetadata,
    /// The keys of its latest revision, where both this one and the live one have them inline.
    pub latest_inline_keys: Option<Vec<PublicKey>>,
    pub approval: Option<Approval>,
    pub secrets: Vec<ClientSecret>,
}

/// The client that one of these ids names. An id that names nobody costs the same statements and as many rows: those of a client that was here before, which are
/// read and forgotten.
pub(super) async fn lookup(app: &App, organization: &Organization, ids: &[&str]) -> Result<Option<Known>, OAuthError> {
    let mut conn = app.store.read().await?;
    let mut found = None;
    for id in ids {
        let id = ClientId::from_text(*id);
        let client = storage::clients::lookup(&mut conn, &id).await?;
        let asked = stand_in(app, client.as_ref()).unwrap_or(id);
        let approval = storage::approvals::find(&mut conn, &organization.id, &asked).await?;
        let latest = client.as_ref().map_or(1, |client| client.latest_revision);
        let live = approval.as_ref().map_or(latest, |approval| approval.client_revision);
        let revisions = storage::clients::find_revisions(&mut conn, &asked, [live, latest]).await?;
        let secrets = storage::clients::list_secrets(&mut conn, &asked).await?;
        let Some(client) = client else { continue };
        let (metadata, latest_inline_keys) = metadata_of(&revisions, live, latest).ok_or_else(|| {
            StorageError::inconsistent("approvals", asked.as_str(), "approves a revision that does not exist")
        })?;
        found = found.or(Some(Known { client, metadata, latest_inline_keys, approval, secrets }));
    }
    Ok(found)
}

/// The live metadata, and the keys that the latest revision holds inline if the live one holds its own inline too.
fn metadata_of(
    revisions: &[ClientRevision],
    live: i64,
    latest: i64,
) -> Option<(ClientMetadata, Option<Vec<PublicKey>>)> {
    let of = |number: i64| revisions.iter().find(|revision| revision.revision == number);
    let metadata = of(live)?.metadata.clone();
    let latest = of(latest).filter(|_| live != latest && metadata.jwks.is_some());
    let inline = latest.and_then(|latest| latest.metadata.jwks.as_deref());
    Some((metadata, inline.map(|text| jwk::usable_keys(text).unwrap_or_default())))
}

/// Whom to ask for instead of a client that does not exist; remembers one that does.
fn stand_in(app: &App, client: Option<&Client>) -> Option<ClientId> {
    let mut known = app.memory.stand_in.lock().unwrap_or_else(PoisonError::into_inner);
    match client {
        Some(client) => {
            *known = Some(client.id.clone());
            None
        }
        None => known.clone(),
    }
}
