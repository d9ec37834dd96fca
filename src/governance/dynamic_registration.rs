//! Clients that register themselves at an organization's issuer (RFC 7591, 7592).
//!
//! A registration is what a developer does in the portal, by machine: the same checks, the same revisions, the same access request in the reviewers' queue. It gives no
//! access. Each self-registered client stands under an application provider of its own, which reviewers see as new.
//!
//! Registering is one transaction: using the initial access token up, the provider, the client, its secret, its question to the organization and its registration
//! access token. What is refused leaves no trace, and a token that was good before a bad request is good after it.
//!
//! The registration access token can say what the client says of itself, and take the client away. It cannot approve, enable or widen anything: a change
//! becomes a pending revision, and while the organization has the client disabled the token does nothing at all. A client that the organization has blocked
//! from asking can read itself and delete itself, and change nothing that would have to be asked.

use crate::app::App;
use crate::domain::access_requests::AccessRequest;
use crate::domain::accounts::{Account, DeveloperRole};
use crate::domain::application_providers::ApplicationProvider;
use crate::domain::approvals::ApprovalState;
use crate::domain::audit::{Actor, AuditEvent, Chain};
use crate::domain::clients::{ClientMetadata, ClientType};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{AccessRequestId, AccountId, ApplicationProviderId, ClientId, ClientSecretId};
use crate::domain::organizations::{FhirEndpoint, Organization, RegistrationPolicy, Standing};
use crate::domain::secrets::PlainSecret;
use crate::domain::tokens::{Presented, Sealer, TokenKind};
use crate::storage::registrations::Registration;
use crate::storage::{self, Conn, StorageError};

use super::Refusal;
use super::access_requests::{Ask, Filed, ask_within, is_block};
use super::actor::Developer;
use super::clients::{self, Edit, OwnClient};

/// The developer of every self-registered client: nobody. Shown as the source in histories.
const BY_ITSELF: &str = "acc_dynamic_registration";

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

/// What lets somebody register. Looked at, not used up: that happens with the registration.
#[derive(Clone, Copy, Debug)]
pub enum Pass {
    /// The organization lets anybody.
    Anybody,
    /// An initial access token that was good when it was looked at.
    Token(Presented),
}

/// Why nobody was registered. Nothing was changed.
#[derive(Debug)]
pub enum NotRegistered {
    /// The organization lets nobody register, or not with this.
    NotAllowed,
    /// Enough registered for now, or wait for an answer.
    TooMany,
    /// What was sent cannot be registered.
    Refused(Refusal),
}

impl From<Refusal> for NotRegistered {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StorageError> for NotRegistered {
    fn from(error: StorageError) -> Self {
        Self::Refused(error.into())
    }
}

/// Why a registration access token does not do this.
#[derive(Debug)]
pub enum NotManaged {
    /// It is none, or not that client's.
    Unknown,
    /// The organization has the client disabled.
    Disabled,
    /// The organization has blocked the client from asking, and this would have to be asked.
    Blocked,
    /// What was sent cannot be registered.
    Refused(Refusal),
}

impl From<Refusal> for NotManaged {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StorageError> for NotManaged {
    fn from(error: StorageError) -> Self {
        Self::Refused(error.into())
    }
}

/// May somebody with this bearer token (or none) register here? Nothing is used up by asking.
pub async fn pass(app: &App, organization: &Organization, bearer: Option<&str>) -> Result<Option<Pass>, StorageError> {
    if organization.standing != Standing::Active {
        return Ok(None);
    }
    match (organization.settings.registration, bearer) {
        (RegistrationPolicy::Closed, _) | (RegistrationPolicy::Token, None) => Ok(None),
        (RegistrationPolicy::Open, None) => Ok(Some(Pass::Anybody)),
        (RegistrationPolicy::Token | RegistrationPolicy::Open, Some(token)) => {
            let Some(presented) = app.sealer.open(TokenKind::Link, token) else { return Ok(None) };
            let is_usable = storage::registrations::is_usable_initial(
                &mut *app.store.read().await?,
                &organization.id,
                presented.unverified_id,
                &presented.secret,
                app.now(),
            )
            .await?;
            Ok(is_usable.then_some(Pass::Token(presented)))
        }
    }
}

/// What a client wishes to register.
#[derive(Clone, Debug)]
pub struct Wish {
    /// What it says of itself.
    pub metadata: ClientMetadata,
    /// What it asks the organization for.
    pub scopes: String,
}

/// Registers a client and files its access request: all of it, or nothing.
pub async fn register(
    app: &App,
    organization: &Organization,
    pass: Pass,
    wish: Wish,
) -> Result<Registered, NotRegistered> {
    let now = app.now();
    let metadata = clients::validate_self_registered(wish.metadata, app.config.outbound.allow_private_networks)?;
    let developer = Developer {
        account: by_itself(now),
        provider: ApplicationProvider {
            id: ApplicationProviderId::new(now, &*app.entropy),
            name: format!("{} (registered by itself)", metadata.name),
            website: metadata.homepage.clone(),
            standing: Standing::Active,
            created_at: now,
        },
        role: DeveloperRole::Developer,
    };
    let secret =
        (metadata.client_type == ClientType::ConfidentialSecret).then(|| PlainSecret::alphanumeric(&*app.entropy));
    let token = Sealer::secret(&*app.entropy);
    let birth = Birth {
        organization: organization.clone(),
        pass,
        developer,
        client: ClientId::new(now, &*app.entropy),
        metadata,
        secret: secret.clone().map(|plain| (ClientSecretId::new(now, &*app.entropy), plain)),
        request: AccessRequestId::new(now, &*app.entropy),
        scopes: wish.scopes.clone(),
        token_hash: token.hashed(),
        most: (app.config.limits.registrations_per_hour, app.config.limits.waiting_registrations),
        now,
    };
    let (own, id) = app.store.write(move |conn| Box::pin(async move { in_transaction(conn, birth).await })).await?;
    Ok(Registered { own, secret, token: app.sealer.seal(TokenKind::Registration, id, &token), scopes: wish.scopes })
}

/// Everything that comes into being with a registration.
struct Birth {
    organization: Organization,
    pass: Pass,
    developer: Developer,
    client: ClientId,
    metadata: ClientMetadata,
    secret: Option<(ClientSecretId, PlainSecret)>,
    request: AccessRequestId,
    scopes: String,
    token_hash: crate::domain::secrets::HashedSecret,
    most: (i64, i64),
    now: UtcMillis,
}

async fn in_transaction(conn: &mut Conn, birth: Birth) -> Result<(OwnClient, i64), NotRegistered> {
    let Birth { organization: at, developer, client, now, .. } = birth;
    let (organization, developer, client) = (&at.id, &developer, &client);
    // 1 may it, still? The record comes first: it holds the organization's chain, so that two who register at once are counted one after the other
    let event = AuditEvent::new(organization, now, "client.registered_itself", Actor::System).client(client);
    let event = match birth.pass {
        Pass::Anybody => event,
        Pass::Token(token) => event.with("initial_access_token", format!("initial/{}", token.unverified_id)),
    };
    storage::audit::append(conn, &event).await?;
    let settings = storage::organizations::lookup(conn, organization).await?.map(|found| found.settings);
    let policy = settings.map_or(RegistrationPolicy::Closed, |settings| settings.registration);
    let initial_access_token = match (policy, birth.pass) {
        (RegistrationPolicy::Closed, _) | (RegistrationPolicy::Token, Pass::Anybody) => {
            return Err(NotRegistered::NotAllowed);
        }
        (RegistrationPolicy::Open, Pass::Anybody) => {
            let in_an_hour = storage::registrations::count_since(conn, organization, now.plus_seconds(-3600)).await?;
            let waiting = storage::registrations::count_waiting(conn, organization, now).await?;
            if in_an_hour >= birth.most.0 || waiting >= birth.most.1 {
                return Err(NotRegistered::TooMany);
            }
            None
        }
        (RegistrationPolicy::Token | RegistrationPolicy::Open, Pass::Token(token)) => {
            let id = token.unverified_id;
            if !storage::registrations::use_initial(conn, organization, id, &token.secret, now).await? {
                return Err(NotRegistered::NotAllowed);
            }
            Some(id)
        }
    };
    // 2 somebody it belongs to, and the client with its secret
    storage::application_providers::insert(conn, &developer.provider).await?;
    let event = AuditEvent::new(Chain::Server, now, "application_provider.registered_itself", Actor::System)
        .subject(developer.provider.id.as_str());
    storage::audit::append(conn, &event).await?;
    clients::register_within(conn, developer, client.clone(), birth.metadata, now).await?;
    if let Some((id, plain)) = birth.secret {
        clients::keep_secret_within(conn, developer, client, id, (plain, None), now).await?;
    }
    // 3 its question to the organization
    let question = Ask {
        client_id: client.clone(),
        organization_id: organization.clone(),
        fhir_endpoint_id: first_endpoint(conn, &at).await?.id,
        scopes: birth.scopes.clone(),
        reason: "The app registered itself and gave no reason.".into(),
    };
    ask_within(conn, developer, &question, birth.request, now).await?;
    // 4 its token
    let registration = Registration {
        id: 0,
        secret_hash: birth.token_hash,
        organization_id: organization.clone(),
        client_id: client.clone(),
        scopes: birth.scopes,
        initial_access_token,
        created_at: now,
    };
    let id = storage::registrations::insert(conn, &registration).await?;
    Ok((clients::own(conn, developer, client).await?, id))
}

async fn first_endpoint(conn: &mut Conn, organization: &Organization) -> Result<FhirEndpoint, Refusal> {
    let endpoints = storage::organizations::list_endpoints(conn, &organization.id).await?;
    let mut active = endpoints.into_iter().filter(|endpoint| endpoint.standing == Standing::Active);
    active.next().ok_or_else(|| Refusal::conflict("no-fhir-endpoint", "the organization has no FHIR endpoint"))
}

fn by_itself(now: UtcMillis) -> Account {
    Account {
        id: AccountId::from_text(BY_ITSELF),
        email: String::new(),
        name: "Dynamic registration".into(),
        password_hash: None,
        active: true,
        lang: "en".into(),
        session_epoch: 0,
        created_at: now,
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
    let developer = Developer { account: by_itself(app.now()), provider, role: DeveloperRole::Developer };
    let own = clients::own(&mut conn, &developer, client).await.map_err(|refusal| match refusal {
        Refusal::Storage(error) => error.into(),
        _ => NotManaged::Unknown,
    })?;
    let managed = Managed { registration, developer, own };
    is_not_disabled(&mut conn, &managed).await?;
    Ok(managed)
}

async fn is_not_disabled(conn: &mut Conn, managed: &Managed) -> Result<(), NotManaged> {
    let Registration { organization_id, client_id, .. } = &managed.registration;
    let approval = storage::approvals::find(conn, organization_id, client_id).await?;
    if approval.is_some_and(|approval| matches!(approval.state, ApprovalState::Disabled { .. })) {
        return Err(NotManaged::Disabled);
    }
    Ok(())
}

/// Says something else of a client: a pending revision where an organization has approved the one before. A client that is neither approved nor waiting
/// asks anew with it.
pub async fn change(app: &App, managed: Managed, wish: Wish) -> Result<OwnClient, NotManaged> {
    let (now, entropy) = (app.now(), app.entropy.clone());
    let metadata = clients::validate_self_registered(wish.metadata, app.config.outbound.allow_private_networks)?;
    let scopes = wish.scopes;
    app.store
        .write(move |conn| {
            Box::pin(async move {
                // 1 may it, still?
                is_not_disabled(conn, &managed).await?;
                let Managed { registration, developer, own } = &managed;
                let (id, organization) = (&own.client.id, &registration.organization_id);
                // 2 what it says of itself
                let why = "The app changed what it says of itself.".to_owned();
                let edit = Edit { based_on: own.client.latest_revision, metadata, why };
                let (_, filed) = clients::revise_within(conn, developer, id, edit, now, &*entropy).await?;
                if filed.iter().any(|filed| matches!(filed, Filed::Blocked(at) if at == organization)) {
                    return Err(NotManaged::Blocked);
                }
                // 3 what it asks
                if scopes != registration.scopes || !stands(conn, registration, now).await? {
                    ask_again(conn, &managed, &scopes, (AccessRequestId::new(now, &*entropy), now)).await?;
                    storage::registrations::put_scopes(conn, registration.id, &scopes).await?;
                }
                Ok(clients::own(conn, developer, id).await?)
            })
        })
        .await
}

/// Is there an answer of the organization's that holds, or a question that waits for one?
async fn stands(conn: &mut Conn, registration: &Registration, now: UtcMillis) -> Result<bool, StorageError> {
    let Registration { organization_id, client_id, .. } = registration;
    let approval = storage::approvals::find(conn, organization_id, client_id).await?;
    let waiting = storage::access_requests::find_waiting(conn, organization_id, client_id).await?;
    Ok(approval.is_some_and(|approval| !approval.is_expired(now))
        || waiting.is_some_and(|waiting| now < waiting.expires_at))
}

async fn ask_again(
    conn: &mut Conn,
    managed: &Managed,
    scopes: &str,
    (id, now): (AccessRequestId, UtcMillis),
) -> Result<AccessRequest, NotManaged> {
    let Registration { organization_id, client_id, .. } = &managed.registration;
    let latest = storage::access_requests::find_latest(conn, organization_id, client_id).await?;
    if latest.as_ref().is_some_and(is_block) {
        return Err(NotManaged::Blocked);
    }
    let organization = storage::organizations::lookup(conn, organization_id).await?.ok_or(NotManaged::Unknown)?;
    let question = Ask {
        client_id: client_id.clone(),
        organization_id: organization_id.clone(),
        fhir_endpoint_id: first_endpoint(conn, &organization).await?.id,
        scopes: scopes.to_owned(),
        reason: "The app asks for other access than before, or asks again.".into(),
    };
    Ok(ask_within(conn, &managed.developer, &question, id, now).await?.0)
}

/// Takes a client away for good.
pub async fn delete(app: &App, managed: Managed) -> Result<(), NotManaged> {
    let now = app.now();
    app.store
        .write(move |conn| {
            Box::pin(async move {
                is_not_disabled(conn, &managed).await?;
                Ok(clients::delete_within(conn, &managed.developer, &managed.own.client.id, now).await?)
            })
        })
        .await
}
