//! Who takes part: a hospital with a FHIR server, apps of every kind, patients and a clinician.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use countersign::domain::accounts::{Account, FhirUser, UserPatient};
use countersign::domain::clients::{
    AssertionAudience, Client, ClientMetadata, ClientRevision, ClientSecret, ClientState, ClientType, GrantType,
};
use countersign::domain::ids::{ClientId, ClientSecretId, ResourceServerId};
use countersign::domain::organizations::{OrganizationSettings, ResourceServer, Standing};
use countersign::domain::secrets::PlainSecret;
use countersign::governance::access_requests::{Ask, ask};
use countersign::governance::actor::Staff;
use countersign::governance::approvals::{Life, Yes, approve};
use countersign::governance::client_management::review;
use countersign::governance::organizations::change_settings;
use countersign::storage;
use countersign::storage::connect::Dialect;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::governance::world::{self, World};
use crate::support::Site;
use crate::support::browser::{Answer, Browser};

pub const ISSUER: &str = "https://countersign.example/o/st-mary";
pub const FHIR: &str = "https://fhir.st-mary.example/r4";
pub const CALLBACK: &str = "https://app.acme.example/cb";
pub const PATIENT_SCOPES: &str =
    "launch/patient openid fhirUser offline_access patient/Observation.rs patient/Patient.r";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// The stage.
pub struct Stage {
    pub site: Site,
    /// A public app, approved for [`PATIENT_SCOPES`] and more.
    pub app: ClientId,
    /// A patient with one record.
    pub patient: Account,
    /// Credentials of the hospital's FHIR server.
    pub fhir_server: (String, String),
}

/// What the app was answered.
#[derive(Clone, Debug)]
pub struct Tokens(pub Value);

impl Tokens {
    pub fn text(&self, name: &str) -> String {
        self.0[name].as_str().unwrap_or_else(|| panic!("{name} in {}", self.0)).to_owned()
    }

    pub fn access(&self) -> String {
        self.text("access_token")
    }

    pub fn refresh(&self) -> String {
        self.text("refresh_token")
    }
}

pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

pub fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// What a redirect to the app carries.
pub fn answer_of(answer: &Answer) -> std::collections::BTreeMap<String, String> {
    let location = answer.location();
    let url = url::Url::parse(&location)
        .unwrap_or_else(|_| panic!("a redirect to the app, not {} {location:?}: {}", answer.status, answer.body));
    assert!(!location.starts_with("https://countersign.example"), "{location}");
    url.query_pairs().into_owned().collect()
}

impl Stage {
    pub async fn new(dialect: Dialect) -> Self {
        Self::on(Site::new(dialect).await).await
    }

    /// A stage whose outgoing requests may stay on this machine.
    pub async fn allowing_private_networks(dialect: Dialect) -> Self {
        Self::on(Site::of(World::allowing_private_networks(dialect).await)).await
    }

    async fn on(site: Site) -> Self {
        let world = &site.world;
        let patient = world::account(&world.app, "anna").await;
        site.give_password(&patient).await;
        let fhir_server = resource_server(world).await;
        let stage = Self { app: world.client.id.clone(), patient, fhir_server, site };
        stage.is_patient(&stage.patient, &["anna"]).await;
        stage
            .approve(&stage.app, &format!("{PATIENT_SCOPES} online_access launch profile patient/*.rs user/Patient.rs"))
            .await;
        stage
    }

    pub fn world(&self) -> &World {
        &self.site.world
    }

    /// Gives somebody patients at St. Mary, the first being themselves.
    pub async fn is_patient(&self, account: &Account, patients: &[&str]) {
        let user = FhirUser {
            reference: format!("Patient/{}", patients[0]),
            patients: patients
                .iter()
                .enumerate()
                .map(|(place, patient)| UserPatient { patient: (*patient).into(), is_self: place == 0 })
                .collect(),
        };
        self.is_user(account, user).await;
    }

    pub async fn is_user(&self, account: &Account, user: FhirUser) {
        let (organization, account, now) =
            (self.world().reviewer.organization.id.clone(), account.id.clone(), self.world().app.now());
        self.world()
            .write(move |conn| {
                Box::pin(
                    async move { storage::accounts::put_fhir_user(conn, &organization, &account, &user, now).await },
                )
            })
            .await;
    }

    /// Has the hospital approve a client.
    pub async fn approve(&self, client: &ClientId, scopes: &str) {
        let world = self.world();
        let question = Ask { client_id: client.clone(), ..world.question(scopes) };
        let (request, _) = ask(&world.app, &world.developer, question).await.unwrap();
        let digest = review(&world.app, &world.reviewer, &request.id).await.unwrap().digest;
        approve(&world.app, &world.reviewer, &request.id, Yes { digest, scopes: None, life: Life::AsConfigured })
            .await
            .unwrap();
    }

    pub async fn disable(&self, client: &ClientId) {
        let world = self.world();
        countersign::governance::approvals::disable(&world.app, &world.reviewer, client, "Too curious.").await.unwrap();
    }

    pub async fn enable(&self, client: &ClientId) {
        let world = self.world();
        countersign::governance::approvals::enable(&world.app, &world.reviewer, client, "Settled.").await.unwrap();
    }

    /// Registers a client.
    pub async fn register(&self, change: impl FnOnce(&mut ClientMetadata)) -> ClientId {
        let world = self.world();
        let now = world.app.now();
        let mut metadata = world::metadata("Another App");
        change(&mut metadata);
        let client = Client {
            id: ClientId::new(now, &*world.app.entropy),
            application_provider_id: world.developer.provider.id.clone(),
            state: ClientState::Active,
            latest_revision: 1,
            name: metadata.name.clone(),
            created_at: now,
        };
        let id = client.id.clone();
        let revision =
            ClientRevision { client_id: id.clone(), revision: 1, digest: metadata.digest(), metadata, created_at: now };
        world
            .write(move |conn| {
                Box::pin(async move { storage::clients::insert(conn, &client, &revision, "acc_test").await })
            })
            .await;
        id
    }

    /// Gives a client a secret.
    pub async fn secret(&self, client: &ClientId) -> String {
        let world = self.world();
        let (now, plain) = (world.app.now(), PlainSecret::alphanumeric(&*world.app.entropy));
        let secret = ClientSecret {
            id: ClientSecretId::new(now, &*world.app.entropy),
            client_id: client.clone(),
            secret_hash: plain.hashed(),
            hint: "abcd".into(),
            created_at: now,
            last_used_at: None,
            expires_at: None,
            revoked_at: None,
        };
        world
            .write(move |conn| {
                Box::pin(async move { storage::clients::insert_secret(conn, &secret, "acc_test").await })
            })
            .await;
        plain.reveal().to_owned()
    }

    /// Does this hospital give `system/` scopes to clients with a secret too? Not unless somebody decides so here.
    pub async fn takes_secrets(&self, yes: bool) {
        decide_on_secrets(self.world(), &self.world().admin, yes).await;
    }

    /// A plain OAuth client that acts for itself with a secret, approved.
    pub async fn backend_with_secret(&self, scopes: &str) -> (ClientId, String) {
        let id = self
            .register(|metadata| {
                metadata.client_type = ClientType::ConfidentialSecret;
                metadata.grant_types = vec![GrantType::ClientCredentials];
                metadata.redirect_uris = Vec::new();
            })
            .await;
        let secret = self.secret(&id).await;
        self.approve(&id, scopes).await;
        (id, secret)
    }

    /// A confidential app with a secret, approved like the public one.
    pub async fn confidential(&self) -> (ClientId, String) {
        let id = self.register(|metadata| metadata.client_type = ClientType::ConfidentialSecret).await;
        let secret = self.secret(&id).await;
        self.approve(&id, PATIENT_SCOPES).await;
        (id, secret)
    }

    /// A backend service with a key, approved.
    pub async fn backend_with_key(&self, scopes: &str, audience: AssertionAudience) -> (ClientId, Key) {
        let key = Key::new("key-1");
        let jwks = key.jwks();
        let id = self
            .register(|metadata| {
                metadata.client_type = ClientType::ConfidentialKeys;
                metadata.grant_types = vec![GrantType::ClientCredentials];
                metadata.redirect_uris = Vec::new();
                metadata.jwks = Some(jwks);
                metadata.assertion_audience = audience;
            })
            .await;
        self.approve(&id, scopes).await;
        (id, key)
    }

    /// A backend service as SMART has it: with a key, approved.
    pub async fn backend(&self, scopes: &str) -> (ClientId, Key) {
        self.backend_with_key(scopes, AssertionAudience::Smart).await
    }

    /// What a backend service is answered that asks for these scopes with its key.
    pub async fn ask_with_key(&self, (id, key): &(ClientId, Key), scope: &str) -> Answer {
        self.ask_as(id, key, scope).await
    }

    /// The same with a key of one's choice.
    pub async fn ask_as(&self, id: &ClientId, key: &Key, scope: &str) -> Answer {
        let jti = PlainSecret::alphanumeric(&*self.world().app.entropy);
        let assertion = key.sign(&key.header(), &claims(self, id, jti.reveal()));
        self.token(&[
            ("grant_type", "client_credentials"),
            ("scope", scope),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ])
        .await
    }

    /// What a client is answered that asks for these scopes with its secret.
    pub async fn ask_with_secret(&self, (id, secret): &(ClientId, String), scope: &str) -> Answer {
        let fields = [("grant_type", "client_credentials"), ("scope", scope)];
        self.post("token", &[("authorization", &basic(id.as_str(), secret))], &fields).await
    }

    pub fn app_browser(&self) -> Browser {
        self.site.browser()
    }

    /// The query of a good authorization request, as pairs to change.
    pub fn request(&self) -> Vec<(String, String)> {
        [
            ("response_type", "code"),
            ("client_id", self.app.as_str()),
            ("redirect_uri", CALLBACK),
            ("scope", PATIENT_SCOPES),
            ("state", "st-4711"),
            ("aud", FHIR),
            ("code_challenge", challenge(VERIFIER).as_str()),
            ("code_challenge_method", "S256"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
    }

    pub fn authorize_url(pairs: &[(String, String)]) -> String {
        format!(
            "{ISSUER}/authorize?{}",
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
        )
    }

    /// A patient goes through a launch and allows everything: what the app's redirect URI gets.
    pub async fn launch(
        &self,
        browser: &mut Browser,
        pairs: &[(String, String)],
    ) -> std::collections::BTreeMap<String, String> {
        let page = browser.open(&Self::authorize_url(pairs)).await;
        let page = self.through_sign_in(browser, page).await;
        if page.location().starts_with(CALLBACK) {
            return answer_of(&page);
        }
        let answer = browser.submit(&page.form("/consent").with("decision", "allow")).await;
        answer_of(&answer)
    }

    /// Signs the patient in if asked to, and goes on.
    pub async fn through_sign_in(&self, browser: &mut Browser, page: Answer) -> Answer {
        if !page.at.starts_with("/sign-in") {
            return page;
        }
        let form =
            page.form("/sign-in").with("email", &self.patient.email).with("password", crate::support::site::PASSWORD);
        browser.submit_and_follow(&form).await
    }

    /// A code for the public app.
    pub async fn code(&self) -> String {
        self.code_for(&self.request()).await
    }

    pub async fn code_for(&self, pairs: &[(String, String)]) -> String {
        let mut browser = self.site.browser();
        let answer = self.launch(&mut browser, pairs).await;
        answer.get("code").unwrap_or_else(|| panic!("a code in {answer:?}")).clone()
    }

    /// POST to an endpoint of the issuer.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend_from_slice(headers);
        self.site.browser().send(Method::POST, &format!("{ISSUER}/{path}"), &all, body).await
    }

    pub async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        self.post("token", &[], fields).await
    }

    /// The fields of a good redemption by the public app.
    pub fn redemption<'a>(&'a self, code: &'a str) -> Vec<(&'a str, &'a str)> {
        vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
            ("client_id", self.app.as_str()),
        ]
    }

    /// A good authorization request of another public app.
    pub fn request_of(&self, app: &ClientId, scope: &str) -> Vec<(String, String)> {
        let mut request = self.request();
        request[1].1 = app.as_str().into();
        request[3].1 = scope.into();
        request
    }

    /// What another public app gets for a launch in this browser.
    pub async fn tokens_for(&self, browser: &mut Browser, request: &[(String, String)]) -> Tokens {
        let answer = self.launch(browser, request).await;
        let code = answer.get("code").unwrap_or_else(|| panic!("a code in {answer:?}"));
        let mut fields = self.redemption(code);
        fields.retain(|(name, _)| *name != "client_id");
        fields.push(("client_id", &request[1].1));
        let answer = self.token(&fields).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        Tokens(answer.json())
    }

    /// Does this refresh token still yield something? It is used up by asking.
    pub async fn refreshes(&self, token: &str) -> bool {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await.status == 200
    }

    /// Tokens of the public app.
    pub async fn tokens(&self) -> Tokens {
        let code = self.code().await;
        let answer = self.token(&self.redemption(&code)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        Tokens(answer.json())
    }

    pub async fn refresh(&self, token: &str) -> Answer {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", self.app.as_str())]).await
    }

    pub async fn introspect(&self, token: &str) -> Answer {
        let (id, secret) = &self.fhir_server;
        self.post("introspect", &[("authorization", &basic(id, secret))], &[("token", token)]).await
    }

    pub async fn is_active(&self, token: &str) -> bool {
        let answer = self.introspect(token).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let active = answer.json()["active"].as_bool().unwrap();
        if !active {
            assert_eq!(answer.body, r#"{"active":false}"#);
        }
        active
    }

    pub async fn grants(&self) -> usize {
        let mut conn = self.world().app.store.read().await.unwrap();
        storage::grants::list_for_user(&mut conn, &self.world().reviewer.organization.id, &self.patient.id)
            .await
            .unwrap()
            .len()
    }

    pub async fn end(self) {
        self.site.remove().await;
    }
}

/// Decides in the settings of somebody's organization whether it gives `system/` scopes to clients with a secret.
pub async fn decide_on_secrets(world: &World, admin: &Staff, yes: bool) {
    let found = {
        let mut conn = world.app.store.read().await.unwrap();
        storage::organizations::lookup(&mut conn, &admin.organization.id).await.unwrap().unwrap()
    };
    let settings = OrganizationSettings { backend_services_may_use_secrets: yes, ..found.settings };
    change_settings(&world.app, admin, &found.name, settings).await.unwrap();
}

pub async fn resource_server(world: &World) -> (String, String) {
    let (now, secret) = (world.app.now(), PlainSecret::alphanumeric(&*world.app.entropy));
    let server = ResourceServer {
        id: ResourceServerId::new(now, &*world.app.entropy),
        organization_id: world.reviewer.organization.id.clone(),
        name: "Records".into(),
        secret_hash: secret.hashed(),
        standing: Standing::Active,
        last_used_at: None,
    };
    let id = server.id.as_str().to_owned();
    world
        .write(move |conn| {
            Box::pin(async move { storage::organizations::insert_resource_server(conn, &server, now).await })
        })
        .await;
    (id, secret.reveal().to_owned())
}

/// `{"error": error}` with the headers every token answer has.
#[track_caller]
pub fn refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str()), (status, Some(error)), "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("pragma"), "no-cache");
    assert_eq!(answer.header("content-type"), "application/json");
    let description = answer.json()["error_description"].as_str().unwrap_or_default().to_owned();
    assert!(
        description.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\'),
        "{description:?}"
    );
}

/// The claims of a JWT, unverified.
pub fn claims_of(jwt: &str) -> Value {
    let json = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1).unwrap_or_else(|| panic!("a JWT, not {jwt}"))).unwrap();
    serde_json::from_slice(&json).unwrap()
}

/// The header of a JWT.
pub fn header_of(jwt: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(jwt.split('.').next().unwrap()).unwrap()).unwrap()
}

/// Does a JWT verify with a key set, by the key its header names? As somebody who knows nothing else.
pub fn verifies(jwt: &str, jwks: &Value) -> bool {
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_value(jwks.clone()).unwrap();
    let header = header_of(jwt);
    let Some(jwk) = set.find(header["kid"].as_str().unwrap()) else { return false };
    let key = jsonwebtoken::DecodingKey::from_jwk(jwk).unwrap();
    let (input, signature) = jwt.rsplit_once('.').unwrap();
    header["alg"] == "RS256"
        && jsonwebtoken::crypto::verify(signature, input.as_bytes(), &key, jsonwebtoken::Algorithm::RS256).unwrap()
}

/// A client's key.
pub struct Key {
    pub kid: String,
    pair: EcdsaKeyPair,
}

impl Key {
    pub fn new(kid: &str) -> Self {
        Self { kid: kid.into(), pair: EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap() }
    }

    pub fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let (x, y) = point[1..].split_at(48);
        serde_json::json!({ "kty": "EC", "crv": "P-384", "kid": self.kid, "use": "sig", "alg": "ES384", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) })
    }

    pub fn jwks(&self) -> String {
        serde_json::json!({ "keys": [self.jwk()] }).to_string()
    }

    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_input(&format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        ))
    }

    /// A JWT of parts that are encoded already.
    pub fn sign_input(&self, input: &str) -> String {
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub fn header(&self) -> Value {
        serde_json::json!({ "alg": "ES384", "kid": self.kid, "typ": "JWT" })
    }
}

/// Claims of a good assertion of a client.
pub fn claims(stage: &Stage, client: &ClientId, jti: &str) -> Value {
    serde_json::json!({
        "iss": client.as_str(), "sub": client.as_str(), "aud": format!("{ISSUER}/token"),
        "exp": stage.world().app.now().seconds() + 240, "jti": jti,
    })
}
