//! EHR launch (SMART 2.2 app-launch): an EHR obtains a launch handle for a client, a person and a context, and opens the app's launch URL with it.
//!
//! A handle is 336 random bits, stored hashed, good for five minutes and one code, at one organization, for one client, one FHIR endpoint and, if the EHR says so,
//! one person: somebody else who is signed in at the same workstation never inherits it.

use std::sync::Arc;

use serde::Deserialize;

use super::redirect_uri;
use crate::app::App;
use crate::domain::accounts::normalized_email;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::ids::{AccountId, ClientId};
use crate::domain::launch_context::LaunchContext;
use crate::domain::organizations::{FhirEndpoint, Organization, Standing};
use crate::domain::permission::client_may_act;
use crate::domain::secrets::PlainSecret;
use crate::domain::tokens::{Sealer, TokenKind};
use crate::storage::launch_handles::LaunchHandle;
use crate::storage::{self, Conn, StorageError};

/// How long a handle may be presented.
const LIFE_SECONDS: i64 = 300;

/// What an EHR asks for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// The app.
    pub client_id: ClientId,
    /// The FHIR base URL, or the endpoint's short name; may be left out where there is one.
    #[serde(default)]
    pub iss: Option<String>,
    /// Who is at the EHR: an e-mail address, or their FHIR resource (`Practitioner/7`). Only this person may use the handle.
    #[serde(default)]
    pub user: Option<String>,
    /// The context: `patient`, `encounter`, `fhirContext`, `need_patient_banner`, `intent`, `smart_style_url`, `tenant`, `appContext`.
    #[serde(default)]
    pub context: LaunchContext,
}

/// A launch, ready.
#[derive(Clone, Debug)]
pub struct Launch {
    /// `launch`.
    pub handle: PlainSecret,
    /// The FHIR base URL: `iss` of the launch.
    pub iss: String,
    /// The app's launch URL with `iss` and `launch`, if the app registered one.
    pub url: Option<String>,
    /// How long it is good.
    pub expires_in: i64,
}

/// Why there is no launch.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NoLaunch {
    /// The wish cannot be met; the sentence says why.
    #[error("{0}")]
    Wrong(String),
    /// The organization does not let this client in.
    #[error("the client is not approved and enabled at this organization")]
    NotApproved,
    /// The database failed.
    #[error("try again later")]
    Unavailable(String),
}

impl From<StorageError> for NoLaunch {
    fn from(error: StorageError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

fn wrong(what: impl Into<String>) -> NoLaunch {
    NoLaunch::Wrong(what.into())
}

/// Makes a launch handle.
pub async fn create(app: &Arc<App>, organization: &Organization, by: Actor, wish: Wish) -> Result<Launch, NoLaunch> {
    let now = app.now();
    wish.context.check().map_err(|bad| wrong(bad.to_string()))?;
    let mut conn = app.store.read().await?;
    let client = storage::clients::lookup(&mut conn, &wish.client_id).await?.ok_or(NoLaunch::NotApproved)?;
    let approval = storage::approvals::find(&mut conn, &organization.id, &wish.client_id).await?;
    let approval =
        client_may_act(now, organization, &client, approval.as_ref()).map_err(|_| NoLaunch::NotApproved)?.clone();
    let endpoints = storage::organizations::list_endpoints(&mut conn, &organization.id).await?;
    let mut usable = endpoints
        .into_iter()
        .filter(|endpoint| endpoint.standing == Standing::Active && approval.fhir_endpoints.contains(&endpoint.id))
        .filter(|endpoint| wish.iss.as_deref().is_none_or(|iss| endpoint.slug == iss || endpoint.is_audience(iss)));
    let endpoint: FhirEndpoint = match (usable.next(), usable.next()) {
        (Some(endpoint), None) => endpoint,
        (Some(_), Some(_)) => return Err(wrong("say with iss which FHIR base URL is meant")),
        (None, _) => return Err(wrong("the client is not approved for this FHIR base URL")),
    };
    let account_id = match &wish.user {
        None => None,
        Some(user) => Some(
            person(&mut conn, organization, user)
                .await?
                .ok_or_else(|| wrong("user is not known at this organization"))?,
        ),
    };
    let revision = storage::clients::find_revision(&mut conn, &client.id, approval.client_revision).await?;
    let launch_uri = revision.and_then(|revision| revision.metadata.launch_uri);
    drop(conn);

    let secret = Sealer::secret(app.entropy.as_ref());
    let row = LaunchHandle {
        id: 0,
        secret_hash: secret.hashed(),
        organization_id: organization.id.clone(),
        client_id: client.id.clone(),
        account_id,
        fhir_endpoint_id: endpoint.id.clone(),
        context: wish.context,
        expires_at: now.plus_seconds(LIFE_SECONDS),
        consumed_at: None,
    };
    let id: i64 = app
        .store
        .write::<_, StorageError, _>(move |conn| {
            Box::pin(async move {
                let id = storage::launch_handles::insert(conn, &row, now).await?;
                let record = AuditEvent::new(&row.organization_id, now, "launch.created", by)
                    .client(&row.client_id)
                    .subject(format!("launch/{id}"));
                storage::audit::append(conn, &record).await?;
                Ok(id)
            })
        })
        .await?;
    let handle = app.sealer.seal(TokenKind::Launch, id, &secret);
    let url = launch_uri
        .map(|uri| redirect_uri::with_query(&uri, &[("iss", &endpoint.base_url), ("launch", handle.reveal())]));
    Ok(Launch { handle, iss: endpoint.base_url, url, expires_in: LIFE_SECONDS })
}

async fn person(conn: &mut Conn, organization: &Organization, user: &str) -> Result<Option<AccountId>, StorageError> {
    let account = match normalized_email(user) {
        Some(email) => storage::accounts::find_by_email(conn, &email).await?.map(|account| account.id),
        None => storage::grants::account_of_fhir_user(conn, &organization.id, user).await?,
    };
    let Some(account) = account else { return Ok(None) };
    let (is_active, _) = storage::grants::person(conn, &organization.id, &account).await?;
    Ok(is_active.then_some(account))
}
