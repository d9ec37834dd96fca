//! Clients that register themselves at an organization's issuer (RFC 7591, 7592).
//!
//! A registration is what a developer does in the portal, by machine: the same checks, the same revisions, the same access request in the reviewers' queue. It gives no
//! access. Each self-registered client stands under an application provider of its own, which reviewers see as new.
//!
//! The registration access token can say what the client says of itself, and take the client away. It cannot approve, enable or widen anything: a change
//! becomes a pending revision, and while the organization has the client disabled the token does nothing at all.

use crate::app::App;
use crate::domain::accounts::{Account, DeveloperRole};
use crate::domain::application_providers::ApplicationProvider;
use crate::domain::approvals::ApprovalState;
use crate::domain::audit::{Actor, AuditEvent, Chain};
use crate::domain::clients::{Client, ClientMetadata, ClientType};
use crate::domain::ids::{AccountId, ApplicationProviderId, ClientId};
use crate::domain::organizations::{FhirEndpoint, Organization, RegistrationPolicy, Standing};
use crate::domain::secrets::PlainSecret;
use crate::domain::tokens::{Sealer, TokenKind};
use crate::storage::registrations::Registration;
use crate::storage::{self, StorageError};

use super::access_requests::{Ask, ask};
use super::actor::{Developer, Staff};
use super::clients::{self, OwnClient};
use super::{Refusal, words};

/// The developer of every self-registered client: nobody. Shown as the source in histories.
const BY_ITSELF: &str = "acc_dynamic_registration";
/// How many may register at an organization in an hour, so that the reviewers' queue stays usable.
const PER_HOUR: i64 = 30;
/// How long an initial access token may be used.
const INITIAL_DAYS: i64 = 7;

/// A client that just registered.
#[derive(Debug)]
pub struct Registered {
    /// The client, with its first revision.
    pub own: OwnClient,
    /// Its secret, if it is of that type.
    pub secret: Option<PlainSecret>,
    /// Its registration access token.
    pub token: PlainSecret,
    /// What it asked for.
    pub scopes: String,
}

/// A client behind its registration access token.
#[derive(Debug)]
pub struct Managed {
    registration: Registration,
    developer: Developer,
    /// The client, with its newest revision.
    pub own: OwnClient,
}

impl Managed {
    /// What it last asked for.
    pub fn scopes(&self) -> &str {
        &self.registration.scopes
    }
}

/// Why a registration access token does nothing.
#[derive(Debug)]
pub enum NotManaged {
    /// It is none, or not that client's.
    Unknown,
    /// The organization has the client disabled.
    Disabled,
    /// The database failed.
    Storage(StorageError),
}

impl From<StorageError> for NotManaged {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// Hands out an initial access token, for one registration.
pub async fn make_initial_access_token(app: &App, staff: &Staff, note: &str) -> Result<PlainSecret, Refusal> {
    staff.must_be(crate::domain::accounts::StaffRole::Admin)?;
    let (secret, now) = (Sealer::secret(&*app.entropy), app.now());
    let (hash, organization, by, actor, note) = (
        secret.hashed(),
        staff.organization.id.clone(),
        staff.account.id.clone(),
        staff.audit(),
        note.trim().to_owned(),
    );
    let id = app
        .store
        .write::<_, Refusal, _>(move |conn| {
            Box::pin(async move {
                let times = (now, now.plus_days(INITIAL_DAYS));
                let id =
                    storage::registrations::insert_initial(conn, &organization, &hash, (&note, by.as_str()), times)
                        .await?;
                let event = AuditEvent::new(&organization, now, "initial_access_token.made", actor)
                    .subject(format!("initial/{id}"));
                storage::audit::append(conn, &event).await?;
                Ok(id)
            })
        })
        .await?;
    Ok(app.sealer.seal(TokenKind::Link, id, &secret))
}

/// May somebody with this bearer token (or none) register here? A token is used up by asking.
pub async fn may_register(app: &App, organization: &Organization, bearer: Option<&str>) -> Result<bool, StorageError> {
    if organization.standing != Standing::Active {
        return Ok(false);
    }
    match (organization.settings.registration, bearer) {
        (RegistrationPolicy::Closed, _) | (RegistrationPolicy::Token, None) => Ok(false),
        (RegistrationPolicy::Open, None) => Ok(true),
        (RegistrationPolicy::Token | RegistrationPolicy::Open, Some(token)) => {
            let Some(presented) = app.sealer.open(TokenKind::Link, token) else { return Ok(false) };
            let (organization, now) = (organization.id.clone(), app.now());
            app.store
                .write(move |conn| {
                    Box::pin(async move {
                        storage::registrations::use_initial(
                            conn,
                            &organization,
                            presented.unverified_id,
                            &presented.secret,
                            now,
                        )
                        .await
                    })
                })
                .await
        }
    }
}

/// Has this organization's queue had enough for now?
pub async fn is_flooded(app: &App, organization: &Organization) -> Result<bool, StorageError> {
    let since = app.now().plus_seconds(-3600);
    Ok(storage::registrations::count_since(&mut *app.store.read().await?, &organization.id, since).await? >= PER_HOUR)
}

/// Registers a client and files its access request.
pub async fn register(
    app: &App,
    organization: &Organization,
    metadata: ClientMetadata,
    scopes: &str,
    reason: &str,
) -> Result<Registered, Refusal> {
    let now = app.now();
    let metadata = clients::validate(metadata, app.config.outbound.allow_private_networks)?;
    let endpoint = first_endpoint(app, organization).await?;
    // 1 somebody it belongs to
    let provider = ApplicationProvider {
        id: ApplicationProviderId::new(now, &*app.entropy),
        name: format!("{} (registered by itself)", metadata.name),
        website: metadata.homepage.clone(),
        standing: Standing::Active,
        created_at: now,
    };
    let kept = provider.clone();
    app.store
        .write::<_, Refusal, _>(move |conn| {
            Box::pin(async move {
                storage::application_providers::insert(conn, &kept).await?;
                let event =
                    AuditEvent::new(Chain::Server, now, "application_provider.registered_itself", Actor::System)
                        .subject(kept.id.as_str());
                Ok(storage::audit::append(conn, &event).await?)
            })
        })
        .await?;
    let developer = Developer { account: by_itself(app), provider, role: DeveloperRole::Developer };
    // 2 the client
    let client: Client = clients::register(app, &developer, metadata).await?;
    let is_secret = {
        let own = clients::own(&mut *app.store.read().await?, &developer, &client.id).await?;
        own.latest.metadata.client_type == ClientType::ConfidentialSecret
    };
    let secret =
        if is_secret { Some(clients::make_secret(app, &developer, &client.id, None).await?.plain) } else { None };
    // 3 its question to the organization
    let question = Ask {
        client_id: client.id.clone(),
        organization_id: organization.id.clone(),
        fhir_endpoint_id: endpoint.id,
        scopes: scopes.to_owned(),
        reason: words_or_default(reason),
    };
    ask(app, &developer, question).await?;
    // 4 its token
    let token = Sealer::secret(&*app.entropy);
    let registration = Registration {
        id: 0,
        secret_hash: token.hashed(),
        organization_id: organization.id.clone(),
        client_id: client.id.clone(),
        scopes: scopes.to_owned(),
        created_at: now,
    };
    let id = app
        .store
        .write::<_, StorageError, _>(move |conn| {
            Box::pin(async move { storage::registrations::insert(conn, &registration).await })
        })
        .await?;
    let own = clients::own(&mut *app.store.read().await?, &developer, &client.id).await?;
    Ok(Registered {
        own,
        secret,
        token: app.sealer.seal(TokenKind::Registration, id, &token),
        scopes: scopes.to_owned(),
    })
}

fn words_or_default(reason: &str) -> String {
    let mut faults = Vec::new();
    let reason = words::mandatory("reason", reason, &mut faults);
    if faults.is_empty() { reason } else { "The app registered itself and gave no reason.".to_owned() }
}

async fn first_endpoint(app: &App, organization: &Organization) -> Result<FhirEndpoint, Refusal> {
    let endpoints = storage::organizations::list_endpoints(&mut *app.store.read().await?, &organization.id).await?;
    let mut active = endpoints.into_iter().filter(|endpoint| endpoint.standing == Standing::Active);
    active.next().ok_or_else(|| Refusal::Conflict("the organization has no FHIR endpoint".into()))
}

fn by_itself(app: &App) -> Account {
    Account {
        id: AccountId::from_text(BY_ITSELF),
        email: String::new(),
        name: "Dynamic registration".into(),
        password_hash: None,
        active: true,
        lang: "en".into(),
        session_epoch: 0,
        created_at: app.now(),
    }
}

/// The client that a registration access token manages at this organization, if it manages this one.
pub async fn managed(
    app: &App,
    organization: &Organization,
    client: &ClientId,
    token: &str,
) -> Result<Managed, NotManaged> {
    let presented = app.sealer.open(TokenKind::Registration, token).ok_or(NotManaged::Unknown)?;
    let mut conn = app.store.read().await?;
    let registration = storage::registrations::find(&mut conn, presented.unverified_id, &presented.secret)
        .await?
        .filter(|found| found.organization_id == organization.id && found.client_id == *client)
        .ok_or(NotManaged::Unknown)?;
    let found = storage::clients::lookup(&mut conn, client).await?.ok_or(NotManaged::Unknown)?;
    let provider = storage::application_providers::lookup(&mut conn, &found.application_provider_id)
        .await?
        .ok_or(NotManaged::Unknown)?;
    let developer = Developer { account: by_itself(app), provider, role: DeveloperRole::Developer };
    let own = clients::own(&mut conn, &developer, client).await.map_err(|refusal| match refusal {
        Refusal::Storage(error) => NotManaged::Storage(error),
        _ => NotManaged::Unknown,
    })?;
    let approval = storage::approvals::find(&mut conn, &organization.id, client).await?;
    if approval.is_some_and(|approval| matches!(approval.state, ApprovalState::Disabled { .. })) {
        return Err(NotManaged::Disabled);
    }
    Ok(Managed { registration, developer, own })
}

/// Says something else of a client: a pending revision where an organization has approved the one before.
pub async fn change(
    app: &App,
    organization: &Organization,
    managed: &Managed,
    metadata: ClientMetadata,
    scopes: &str,
) -> Result<OwnClient, Refusal> {
    let id = managed.own.client.id.clone();
    let why = "The app changed what it says of itself.";
    clients::revise(app, &managed.developer, &id, managed.own.client.latest_revision, metadata, why).await?;
    if scopes != managed.registration.scopes {
        let endpoint = first_endpoint(app, organization).await?;
        let question = Ask {
            client_id: id.clone(),
            organization_id: organization.id.clone(),
            fhir_endpoint_id: endpoint.id,
            scopes: scopes.to_owned(),
            reason: "The app asks for other access than before.".into(),
        };
        ask(app, &managed.developer, question).await?;
        let (row, scopes) = (managed.registration.id, scopes.to_owned());
        app.store
            .write::<_, StorageError, _>(move |conn| {
                Box::pin(async move { storage::registrations::put_scopes(conn, row, &scopes).await })
            })
            .await?;
    }
    clients::own(&mut *app.store.read().await?, &managed.developer, &id).await
}

/// Takes a client away for good.
pub async fn delete(app: &App, managed: &Managed) -> Result<(), Refusal> {
    clients::delete(app, &managed.developer, &managed.own.client.id).await
}
