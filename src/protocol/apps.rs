//! A person's own list of apps with access at an organization, and stopping one: effective at once, because it ends the families (SMART `management_endpoint`).

use std::sync::Arc;

use fhir_scopes::ScopeSet;

use crate::app::App;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::clients::ClientMetadata;
use crate::domain::clock::UtcMillis;
use crate::domain::grants::Grant;
use crate::domain::ids::{AccountId, ClientId};
use crate::domain::organizations::{FhirEndpoint, Organization};
use crate::domain::permission::client_may_act;
use crate::storage::{self, StorageError};

/// An app with access.
#[derive(Clone, Debug)]
pub struct AppWithAccess {
    /// Which.
    pub client_id: ClientId,
    /// What it says of itself in the revision that is live here.
    pub metadata: ClientMetadata,
    /// Its application provider.
    pub provider: String,
    /// Since when.
    pub since: UtcMillis,
    /// When it last got a token.
    pub last_used: Option<UtcMillis>,
    /// About which patients.
    pub patients: Vec<String>,
    /// What it may do, over all its grants.
    pub scopes: ScopeSet,
    /// The organization lets it do nothing at the moment.
    pub is_stopped_by_organization: bool,
    /// For names of patients.
    pub endpoint: FhirEndpoint,
}

/// The apps of a person, last used first.
pub async fn list(
    app: &App,
    organization: &Organization,
    account: &AccountId,
) -> Result<Vec<AppWithAccess>, StorageError> {
    let now = app.now();
    let mut conn = app.store.read().await?;
    let grants = storage::grants::list_for_user(&mut conn, &organization.id, account).await?;
    let mut apps: Vec<AppWithAccess> = Vec::new();
    for grant in grants.into_iter().filter(|grant| !grant.is_over(now)) {
        if let Some(known) = apps.iter_mut().find(|known| known.client_id == grant.client_id) {
            merge(known, &grant);
            continue;
        }
        let Some(client) = storage::clients::lookup(&mut conn, &grant.client_id).await? else { continue };
        let approval = storage::approvals::find(&mut conn, &organization.id, &grant.client_id).await?;
        // what was granted before a disable is dead for good
        if approval.as_ref().is_none_or(|approval| approval.epoch != grant.epoch) {
            continue;
        }
        let revision = approval.as_ref().map_or(client.latest_revision, |approval| approval.client_revision);
        let Some(revision) = storage::clients::find_revision(&mut conn, &grant.client_id, revision).await? else {
            continue;
        };
        let Some(endpoint) = storage::organizations::lookup_endpoint(&mut conn, &grant.fhir_endpoint_id).await? else {
            continue;
        };
        let provider = storage::application_providers::lookup(&mut conn, &client.application_provider_id).await?;
        apps.push(AppWithAccess {
            client_id: grant.client_id.clone(),
            metadata: revision.metadata,
            provider: provider.map(|provider| provider.name).unwrap_or_default(),
            since: grant.created_at,
            last_used: grant.last_used_at,
            patients: grant.context.patient.iter().cloned().collect(),
            scopes: ScopeSet::parse_lenient(&grant.scopes, endpoint.release).0,
            is_stopped_by_organization: client_may_act(now, organization, &client, approval.as_ref()).is_err(),
            endpoint,
        });
    }
    apps.sort_by_key(|one| std::cmp::Reverse((one.last_used, one.since)));
    Ok(apps)
}

fn merge(known: &mut AppWithAccess, grant: &Grant) {
    known.since = known.since.min(grant.created_at);
    known.last_used = known.last_used.max(grant.last_used_at);
    if let Some(patient) = grant.context.patient.as_ref().filter(|patient| !known.patients.contains(patient)) {
        known.patients.push(patient.clone());
    }
    known.scopes = known.scopes.union(&ScopeSet::parse_lenient(&grant.scopes, known.endpoint.release).0);
}

/// Stops an app: every family of this person for it ends, and its consent is forgotten. Returns whether there was anything to stop.
pub async fn stop(
    app: &Arc<App>,
    organization: &Organization,
    account: &AccountId,
    client: &ClientId,
) -> Result<bool, StorageError> {
    let (organization_id, account, client, now) = (organization.id.clone(), account.clone(), client.clone(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                let ended =
                    storage::grants::revoke_for_user(conn, &organization_id, &account, &client, "stopped_by_user", now)
                        .await?;
                let forgotten = storage::consents::withdraw(conn, &organization_id, &account, &client, now).await?;
                if ended == 0 && !forgotten {
                    return Ok(false);
                }
                let record = AuditEvent::new(&organization_id, now, "grant.stopped_by_user", Actor::User(account))
                    .client(&client)
                    .with("grants", ended.to_string());
                storage::audit::append(conn, &record).await?;
                Ok(true)
            })
        })
        .await
}
