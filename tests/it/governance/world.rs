//! A small world to decide in: two hospitals, their staff, two vendors and their clients.

use std::sync::Arc;

use countersign::app::App;
use countersign::config::{Config, Database, Limits, Mail, Outbound, Server};
use countersign::domain::access_requests::AccessRequest;
use countersign::domain::accounts::{Account, DeveloperMembership, DeveloperRole, StaffMembership, StaffRole};
use countersign::domain::application_providers::ApplicationProvider;
use countersign::domain::approvals::Approval;
use countersign::domain::audit::{AuditRecord, verify_link};
use countersign::domain::clients::{Client, ClientMetadata, ClientRevision, ClientState, ClientType, GrantType};
use countersign::domain::clock::{FrozenClock, UtcMillis};
use countersign::domain::entropy::SeededEntropy;
use countersign::domain::ids::{
    AccessRequestId, AccountId, ApplicationProviderId, ClientId, FhirEndpointId, OrganizationId,
};
use countersign::domain::organizations::{
    FhirEndpoint, FhirEndpointSettings, Organization, OrganizationSettings, Standing,
};
use countersign::governance::Refusal;
use countersign::governance::access_requests::{Ask, Filed, Outcome, ask, file_change_for_revision};
use countersign::governance::actor::{Developer, Staff};
use countersign::governance::approvals::{Life, Yes, approve};
use countersign::governance::client_management::{Review, review};
use countersign::storage::connect::Dialect;
use countersign::storage::{self, StorageError};
use countersign::vault::KeyEncryptionKey;
use fhir_scopes::Release;

use crate::support::TestDatabase;

/// What the reading app of these tests asks for.
pub const READING: &str = "launch/patient patient/Observation.rs patient/Patient.r";

/// The key-encryption key of these tests.
pub const KEY: &[u8; 32] = b"a key that only tests will trust";

/// The world.
pub struct World {
    pub app: Arc<App>,
    pub clock: Arc<FrozenClock>,
    pub database: TestDatabase,
    /// Reviewer, viewer and admin at St. Mary.
    pub reviewer: Staff,
    pub viewer: Staff,
    pub admin: Staff,
    /// Reviewer at the other hospital.
    pub stranger: Staff,
    pub developer: Developer,
    pub rival: Developer,
    pub endpoint: FhirEndpoint,
    pub other_endpoint: FhirEndpoint,
    pub client: Client,
}

impl World {
    pub async fn new(dialect: Dialect) -> Self {
        Self::with(dialect, Outbound::default()).await
    }

    /// A world whose outgoing requests may stay on this machine.
    pub async fn allowing_private_networks(dialect: Dialect) -> Self {
        Self::with(dialect, Outbound { allow_private_networks: true }).await
    }

    async fn with(dialect: Dialect, outbound: Outbound) -> Self {
        let database = TestDatabase::new(dialect).await;
        let now = UtcMillis(1_763_900_000_000);
        let clock = Arc::new(FrozenClock::at(now));
        let key = KeyEncryptionKey::new(*KEY);
        let config = Config {
            server: Server {
                base_url: "https://countersign.example".into(),
                listen: "127.0.0.1:0".into(),
                operations_listen: None,
                key_file: String::new(),
            },
            database: Database { url: database.url.clone() },
            mail: Mail::default(),
            outbound,
            limits: Limits::default(),
        };
        let app = Arc::new(App {
            store: database.store.clone(),
            clock: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(7)),
            sealer: key.sealer(),
            vault: key.vault(),
            config,
            memory: countersign::app::Memory::default(),
        });
        let mary = organization(&app, "st-mary").await;
        let luke = organization(&app, "st-luke").await;
        let endpoint = fhir_endpoint(&app, &mary).await;
        let other_endpoint = fhir_endpoint(&app, &luke).await;
        let (acme, rival) = (provider(&app, "Acme Health").await, provider(&app, "Rival Soft").await);
        let mut world = Self {
            reviewer: staff(&app, &mary, "noor", StaffRole::Reviewer).await,
            viewer: staff(&app, &mary, "vera", StaffRole::Viewer).await,
            admin: staff(&app, &mary, "adam", StaffRole::Admin).await,
            stranger: staff(&app, &luke, "sam", StaffRole::Admin).await,
            developer: developer(&app, &acme, "piet").await,
            rival: developer(&app, &rival, "rita").await,
            endpoint,
            other_endpoint,
            client: Client {
                id: ClientId::from_text("unset"),
                application_provider_id: acme.id.clone(),
                state: ClientState::Active,
                latest_revision: 0,
                name: String::new(),
                created_at: now,
            },
            app,
            clock,
            database,
        };
        world.client = world.register("Growth Chart").await;
        world
    }

    /// Registers another client of the first provider.
    pub async fn register(&self, name: &str) -> Client {
        let now = self.app.now();
        let metadata = metadata(name);
        let client = Client {
            id: ClientId::new(now, &*self.app.entropy),
            application_provider_id: self.developer.provider.id.clone(),
            state: ClientState::Active,
            latest_revision: 1,
            name: name.into(),
            created_at: now,
        };
        let revision = ClientRevision {
            client_id: client.id.clone(),
            revision: 1,
            digest: metadata.digest(),
            metadata,
            created_at: now,
        };
        let kept = client.clone();
        self.write(move |conn| {
            Box::pin(async move { storage::clients::insert(conn, &kept, &revision, "acc_test").await })
        })
        .await;
        client
    }

    /// Files a new revision and puts it before the organizations.
    pub async fn revise(&self, change: impl FnOnce(&mut ClientMetadata)) -> Vec<Filed> {
        self.try_revise(change).await.unwrap()
    }

    /// The same where it may be refused.
    pub async fn try_revise(&self, change: impl FnOnce(&mut ClientMetadata)) -> Result<Vec<Filed>, Refusal> {
        let mut conn = self.app.store.read().await.unwrap();
        let client = storage::clients::lookup(&mut conn, &self.client.id).await.unwrap().unwrap();
        let latest =
            storage::clients::find_revision(&mut conn, &client.id, client.latest_revision).await.unwrap().unwrap();
        drop(conn);
        let mut metadata = latest.metadata;
        change(&mut metadata);
        let now = self.app.now();
        let revision = ClientRevision {
            client_id: client.id,
            revision: client.latest_revision + 1,
            digest: metadata.digest(),
            metadata,
            created_at: now,
        };
        let (developer, entropy) = (self.developer.clone(), self.app.entropy.clone());
        self.app
            .store
            .write(move |conn| {
                Box::pin(async move {
                    assert!(storage::clients::add_revision(conn, &revision, "acc_test").await?);
                    file_change_for_revision(conn, &developer, &revision, "We moved.", now, &*entropy).await
                })
            })
            .await
    }

    /// What the first provider's client asks of St. Mary.
    pub fn question(&self, scopes: &str) -> Ask {
        Ask {
            client_id: self.client.id.clone(),
            organization_id: self.reviewer.organization.id.clone(),
            fhir_endpoint_id: self.endpoint.id.clone(),
            scopes: scopes.into(),
            reason: "Children's growth, for their parents.".into(),
        }
    }

    /// Asks it.
    pub async fn ask(&self, scopes: &str) -> (AccessRequest, Outcome) {
        ask(&self.app, &self.developer, self.question(scopes)).await.unwrap()
    }

    /// Looks at it as the reviewer does.
    pub async fn review(&self, id: &AccessRequestId) -> Review {
        review(&self.app, &self.reviewer, id).await.unwrap()
    }

    /// Approves it as asked.
    pub async fn approve(&self, id: &AccessRequestId) -> Result<Approval, Refusal> {
        let digest = self.review(id).await.digest;
        approve(&self.app, &self.reviewer, id, Yes { digest, scopes: None, life: Life::AsConfigured }).await
    }

    /// A client that is approved.
    pub async fn approved(&self, scopes: &str) -> Approval {
        let (request, _) = self.ask(scopes).await;
        self.approve(&request.id).await.unwrap()
    }

    pub async fn request(&self, id: &AccessRequestId) -> AccessRequest {
        storage::access_requests::lookup(&mut self.app.store.read().await.unwrap(), id).await.unwrap().unwrap()
    }

    pub async fn approval(&self) -> Option<Approval> {
        let mut conn = self.app.store.read().await.unwrap();
        storage::approvals::find(&mut conn, &self.reviewer.organization.id, &self.client.id).await.unwrap()
    }

    pub async fn line(&self) -> storage::client_management::Line {
        let mut conn = self.app.store.read().await.unwrap();
        storage::client_management::find(&mut conn, &self.reviewer.organization.id, &self.client.id)
            .await
            .unwrap()
            .unwrap()
    }

    /// The records of St. Mary's chain, after checking that it is whole.
    pub async fn audit(&self) -> Vec<AuditRecord> {
        let mut conn = self.app.store.read().await.unwrap();
        let records =
            storage::audit::page_from(&mut conn, self.reviewer.organization.id.as_str(), 0, 1000).await.unwrap();
        let (mut seq, mut hash) = (0, String::new());
        for record in &records {
            verify_link(record, seq, &hash).unwrap();
            (seq, hash) = (record.seq, record.hash.clone());
        }
        records
    }

    /// How often an event stands in St. Mary's chain.
    pub async fn recorded(&self, event: &str) -> usize {
        self.audit().await.iter().filter(|record| record.event == event).count()
    }

    /// The events that were written to the outbox for an address, oldest first.
    pub async fn told(&self, email: &str) -> Vec<String> {
        let mut conn = self.app.store.read().await.unwrap();
        let organization = &self.reviewer.organization.id;
        let mut messages = storage::outbox::list_by_organization(&mut conn, organization, None, 1000).await.unwrap();
        messages.reverse();
        messages.into_iter().filter(|message| message.recipient == email).map(|message| message.event).collect()
    }

    pub async fn write<F>(&self, work: F)
    where
        F: for<'c> FnOnce(&'c mut storage::Conn) -> futures_util::future::BoxFuture<'c, Result<(), StorageError>>
            + Send
            + 'static,
    {
        self.app.store.write(work).await.unwrap();
    }

    pub async fn end(self) {
        drop(self.app);
        self.database.remove().await;
    }
}

/// A public app with two redirect URIs.
pub fn metadata(name: &str) -> ClientMetadata {
    ClientMetadata {
        name: name.into(),
        description: String::new(),
        logo: None,
        contacts: vec!["help@acme.example".into()],
        homepage: String::new(),
        privacy: String::new(),
        terms: String::new(),
        client_type: ClientType::Public,
        jwks: None,
        jwks_uri: None,
        redirect_uris: vec!["https://app.acme.example/cb".into(), "https://old.acme.example/cb".into()],
        launch_uri: None,
        post_logout_redirect_uris: Vec::new(),
        backchannel_logout_uri: None,
        native: false,
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        assertion_audience: countersign::domain::clients::AssertionAudience::Smart,
        fhir_context_objects: true,
        declared: countersign::domain::clients::Declared::default(),
    }
}

async fn organization(app: &App, slug: &str) -> Organization {
    let now = app.now();
    let organization = Organization {
        id: OrganizationId::new(now, &*app.entropy),
        slug: slug.into(),
        name: format!("Hospital {slug}"),
        standing: Standing::Active,
        settings: OrganizationSettings::default(),
        created_at: now,
    };
    let kept = organization.clone();
    app.store
        .write(move |conn| Box::pin(async move { storage::organizations::insert(conn, &kept).await }))
        .await
        .unwrap();
    organization
}

async fn fhir_endpoint(app: &App, organization: &Organization) -> FhirEndpoint {
    let now = app.now();
    let endpoint = FhirEndpoint {
        id: FhirEndpointId::new(now, &*app.entropy),
        organization_id: organization.id.clone(),
        slug: "r4".into(),
        name: "Records".into(),
        base_url: format!("https://fhir.{}.example/r4", organization.slug),
        release: Release::R4,
        settings: FhirEndpointSettings::default(),
        standing: Standing::Active,
    };
    let kept = endpoint.clone();
    app.store
        .write(move |conn| Box::pin(async move { storage::organizations::insert_endpoint(conn, &kept, now).await }))
        .await
        .unwrap();
    endpoint
}

pub async fn account(app: &App, name: &str) -> Account {
    let account = Account {
        id: AccountId::new(app.now(), &*app.entropy),
        email: format!("{name}@example.org"),
        name: name.into(),
        password_hash: None,
        active: true,
        lang: "en".into(),
        session_epoch: 0,
        created_at: app.now(),
    };
    let kept = account.clone();
    app.store.write(move |conn| Box::pin(async move { storage::accounts::insert(conn, &kept).await })).await.unwrap();
    account
}

async fn staff(app: &App, organization: &Organization, name: &str, role: StaffRole) -> Staff {
    let account = account(app, name).await;
    let now = app.now();
    let membership = StaffMembership { organization_id: organization.id.clone(), account_id: account.id.clone(), role };
    app.store
        .write(move |conn| Box::pin(async move { storage::accounts::put_staff(conn, &membership, now).await }))
        .await
        .unwrap();
    Staff { account, organization: organization.clone(), role }
}

async fn provider(app: &App, name: &str) -> ApplicationProvider {
    let provider = ApplicationProvider {
        id: ApplicationProviderId::new(app.now(), &*app.entropy),
        name: name.into(),
        website: String::new(),
        standing: Standing::Active,
        created_at: app.now(),
    };
    let kept = provider.clone();
    app.store
        .write(move |conn| Box::pin(async move { storage::application_providers::insert(conn, &kept).await }))
        .await
        .unwrap();
    provider
}

async fn developer(app: &App, provider: &ApplicationProvider, name: &str) -> Developer {
    let account = account(app, name).await;
    let now = app.now();
    let membership = DeveloperMembership {
        application_provider_id: provider.id.clone(),
        account_id: account.id.clone(),
        role: DeveloperRole::Admin,
    };
    app.store
        .write(move |conn| {
            Box::pin(async move { storage::application_providers::put_developer(conn, &membership, now).await })
        })
        .await
        .unwrap();
    Developer { account, provider: provider.clone(), role: DeveloperRole::Admin }
}
