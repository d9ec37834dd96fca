//! Registering and revising a client: one multipart form (it may carry a logo).

use axum::extract::{FromRequest as _, Multipart, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::{Desk, done, fault_text, faults_or, say};
use crate::domain::clients::{AssertionAudience, ClientMetadata, ClientType, GrantType};
use crate::domain::ids::ClientId;
use crate::governance::clients::{self, MAX_LOGO_BYTES, OwnClient};
use crate::governance::error::Fault;
use crate::http::error::{Failure, PageError};
use crate::http::extract::{CsrfRefused, SignedIn, Visitor};
use crate::http::pages::Html;
use crate::http::pages::frame::PortalSection;
use crate::http::pages::parts::{Choice, Field};
use crate::http::pages::portal::PortalClientForm;
use crate::http::{AppState, logos};
use crate::storage;

/// The largest form: a logo and the words around it.
pub const BODY_LIMIT: usize = MAX_LOGO_BYTES + 256 * 1024;

/// `GET /portal/{provider}/clients/new`.
pub async fn new(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path(provider): Path<String>,
) -> Result<Html, PageError> {
    let desk = Desk::open(&mut *state.app.store.read().await?, &who, &provider).await?;
    let form = Sent {
        grant_types: vec!["authorization_code".into(), "refresh_token".into()],
        client_type: "public".into(),
        ..Sent::default()
    };
    let page = page(&state, &visitor, &desk, None, &form, &[]);
    Ok(state.pages.render(&visitor.frame(desk.nav(PortalSection::Clients)), &page))
}

/// `GET /portal/{provider}/clients/{client}/edit`.
pub async fn edit(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path((provider, client)): Path<(String, String)>,
) -> Result<Html, PageError> {
    let mut conn = state.app.store.read().await?;
    let desk = Desk::open(&mut conn, &who, &provider).await?;
    let own = clients::own(&mut conn, &desk.developer, &ClientId::from_text(client)).await?;
    let asks_why = is_approved_somewhere(&mut conn, &own).await?;
    let mut page = page(&state, &visitor, &desk, Some(&own), &Sent::of(&own), &[]);
    page.asks_why = asks_why;
    Ok(state.pages.render(&visitor.frame(desk.nav(PortalSection::Clients)), &page))
}

/// `POST /portal/{provider}/clients/new`.
pub async fn register(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path(provider): Path<String>,
    request: Request,
) -> Result<Response, PageError> {
    let desk = Desk::open(&mut *state.app.store.read().await?, &who, &provider).await?;
    let mut form = read(&visitor, request).await?;
    let registered = match metadata(&state, &mut form, None).await {
        Ok(metadata) => clients::register(&state.app, &desk.developer, metadata).await.map_err(faults_or),
        Err(faults) => Err(Ok(faults)),
    };
    match registered {
        Ok(client) => {
            Ok(done(say(&state, &visitor, "portal-done-registered"), &format!("{}/clients/{}", desk.base, client.id)))
        }
        Err(faults) => {
            let page = page(&state, &visitor, &desk, None, &form, &faults?);
            Ok(state
                .pages
                .render(&visitor.frame(desk.nav(PortalSection::Clients)), &page)
                .with_status(StatusCode::BAD_REQUEST)
                .into_response())
        }
    }
}

/// `POST /portal/{provider}/clients/{client}/edit`.
pub async fn revise(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path((provider, client)): Path<(String, String)>,
    request: Request,
) -> Result<Response, PageError> {
    let id = ClientId::from_text(client);
    let mut conn = state.app.store.read().await?;
    let desk = Desk::open(&mut conn, &who, &provider).await?;
    let own = clients::own(&mut conn, &desk.developer, &id).await?;
    let mut form = read(&visitor, request).await?;
    let based_on = form.revision.parse().unwrap_or(0);
    let revised = match metadata(&state, &mut form, Some(&own.latest.metadata)).await {
        Ok(metadata) => {
            clients::revise(&state.app, &desk.developer, &id, based_on, metadata, &form.why).await.map_err(faults_or)
        }
        Err(faults) => Err(Ok(faults)),
    };
    match revised {
        Ok(_) => Ok(done(say(&state, &visitor, "portal-done-saved"), &format!("{}/clients/{id}", desk.base))),
        Err(faults) => {
            let asks_why = is_approved_somewhere(&mut conn, &own).await?;
            let mut page = page(&state, &visitor, &desk, Some(&own), &form, &faults?);
            page.asks_why = asks_why;
            Ok(state
                .pages
                .render(&visitor.frame(desk.nav(PortalSection::Clients)), &page)
                .with_status(StatusCode::BAD_REQUEST)
                .into_response())
        }
    }
}

async fn is_approved_somewhere(conn: &mut storage::Conn, own: &OwnClient) -> Result<bool, PageError> {
    Ok(!storage::approvals::list_by_client(conn, &own.client.id).await?.is_empty())
}

/// The form as it was sent.
#[derive(Debug, Default)]
struct Sent {
    revision: String,
    logo: String,
    logo_file: Vec<u8>,
    name: String,
    description: String,
    contacts: String,
    homepage: String,
    privacy: String,
    terms: String,
    client_type: String,
    jwks: String,
    jwks_uri: String,
    /// `smart` or `strict`; empty where the form did not say.
    assertion_audience: String,
    redirect_uris: String,
    launch_uri: String,
    post_logout_redirect_uris: String,
    native: bool,
    grant_types: Vec<String>,
    why: String,
}

impl Sent {
    fn of(own: &OwnClient) -> Self {
        let metadata = &own.latest.metadata;
        Self {
            revision: own.latest.revision.to_string(),
            logo: metadata.logo.clone().unwrap_or_default(),
            logo_file: Vec::new(),
            name: metadata.name.clone(),
            description: metadata.description.clone(),
            contacts: metadata.contacts.join("\n"),
            homepage: metadata.homepage.clone(),
            privacy: metadata.privacy.clone(),
            terms: metadata.terms.clone(),
            client_type: word_of(metadata.client_type).into(),
            jwks: metadata.jwks.clone().unwrap_or_default(),
            jwks_uri: metadata.jwks_uri.clone().unwrap_or_default(),
            assertion_audience: audience_word(metadata.assertion_audience).into(),
            redirect_uris: metadata.redirect_uris.join("\n"),
            launch_uri: metadata.launch_uri.clone().unwrap_or_default(),
            post_logout_redirect_uris: metadata.post_logout_redirect_uris.join("\n"),
            native: metadata.native,
            grant_types: metadata.grant_types.iter().map(|grant_type| grant_type.as_str().to_owned()).collect(),
            why: String::new(),
        }
    }
}

fn word_of(client_type: ClientType) -> &'static str {
    match client_type {
        ClientType::Public => "public",
        ClientType::ConfidentialSecret => "confidential_secret",
        ClientType::ConfidentialKeys => "confidential_keys",
    }
}

fn audience_word(audience: AssertionAudience) -> &'static str {
    match audience {
        AssertionAudience::Smart => "smart",
        AssertionAudience::Strict => "strict",
    }
}

/// Reads the multipart form. The anti-forgery token must come before anything is believed.
async fn read(visitor: &Visitor, request: Request) -> Result<Sent, PageError> {
    let unreadable = || Failure::new(StatusCode::BAD_REQUEST, "form", "The form could not be read.");
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| unreadable())?;
    let mut sent = Sent::default();
    let mut proven = false;
    while let Some(part) = parts
        .next_field()
        .await
        .map_err(|refused| Failure::new(refused.status(), "form", "The form could not be read, or is too large."))?
    {
        let name = part.name().unwrap_or("").to_owned();
        let bytes = part.bytes().await.map_err(|refused| {
            Failure::new(refused.status(), "form", "The form could not be read, or is too large.")
        })?;
        if name == "logo_file" {
            sent.logo_file = bytes.to_vec();
            continue;
        }
        let text = String::from_utf8(bytes.to_vec()).map_err(|_| unreadable())?;
        if text.contains('\0') {
            return Err(unreadable().into());
        }
        match name.as_str() {
            "csrf" => proven = visitor.is_csrf(&text),
            "revision" => sent.revision = text,
            "logo" => sent.logo = text,
            "name" => sent.name = text,
            "description" => sent.description = text.replace("\r\n", "\n"),
            "contacts" => sent.contacts = text,
            "homepage" => sent.homepage = text,
            "privacy" => sent.privacy = text,
            "terms" => sent.terms = text,
            "client_type" => sent.client_type = text,
            "jwks" => sent.jwks = text,
            "jwks_uri" => sent.jwks_uri = text,
            "assertion_audience" => sent.assertion_audience = text,
            "redirect_uris" => sent.redirect_uris = text,
            "launch_uri" => sent.launch_uri = text,
            "post_logout_redirect_uris" => sent.post_logout_redirect_uris = text,
            "native" => sent.native = text == "1",
            "grant_types" => sent.grant_types.push(text),
            "why" => sent.why = text,
            _ => {}
        }
    }
    if proven { Ok(sent) } else { Err(CsrfRefused { again: visitor.path.clone() }.into()) }
}

/// What the form says of the client. A new logo is kept at once, so that it is not lost when something else is wrong.
async fn metadata(
    state: &AppState,
    sent: &mut Sent,
    before: Option<&ClientMetadata>,
) -> Result<ClientMetadata, Vec<Fault>> {
    let mut faults = Vec::new();
    if !sent.logo_file.is_empty() {
        match clients::keep_logo(&state.app, std::mem::take(&mut sent.logo_file)).await {
            Ok(digest) => sent.logo = digest,
            Err(crate::governance::Refusal::Invalid(wrong)) => faults.extend(wrong),
            Err(other) => faults.push(Fault::new("logo", "logo-unreadable", other.to_string())),
        }
    }
    let client_type = match sent.client_type.as_str() {
        "public" => ClientType::Public,
        "confidential_secret" => ClientType::ConfidentialSecret,
        "confidential_keys" => ClientType::ConfidentialKeys,
        _ => {
            faults.push(Fault::new("client_type", "client-type", "choose a client type"));
            ClientType::Public
        }
    };
    let optional = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let lines = |text: &str| {
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect::<Vec<_>>()
    };
    let metadata = ClientMetadata {
        name: sent.name.clone(),
        description: sent.description.clone(),
        logo: optional(&sent.logo),
        contacts: lines(&sent.contacts),
        homepage: sent.homepage.clone(),
        privacy: sent.privacy.clone(),
        terms: sent.terms.clone(),
        client_type,
        jwks: optional(&sent.jwks),
        jwks_uri: optional(&sent.jwks_uri),
        redirect_uris: lines(&sent.redirect_uris),
        launch_uri: optional(&sent.launch_uri),
        post_logout_redirect_uris: lines(&sent.post_logout_redirect_uris),
        // not on this form: a revision keeps what the API or `apply` set
        backchannel_logout_uri: before.and_then(|before| before.backchannel_logout_uri.clone()),
        assertion_audience: match sent.assertion_audience.as_str() {
            "strict" => AssertionAudience::Strict,
            "smart" => AssertionAudience::Smart,
            _ => before.map(|before| before.assertion_audience).unwrap_or_default(),
        },
        fhir_context_objects: before.is_none_or(|before| before.fhir_context_objects),
        declared: before.map(|before| before.declared.clone()).unwrap_or_default(),
        native: sent.native,
        grant_types: sent.grant_types.iter().filter_map(|word| GrantType::parse(word)).collect(),
    };
    if faults.is_empty() { Ok(metadata) } else { Err(faults) }
}

fn page(
    state: &AppState,
    visitor: &Visitor,
    desk: &Desk,
    own: Option<&OwnClient>,
    sent: &Sent,
    faults: &[Fault],
) -> PortalClientForm {
    let base = match own {
        Some(own) => format!("{}/clients/{}", desk.base, own.client.id),
        None => format!("{}/clients", desk.base),
    };
    let field =
        |name: &str, value: &str| Field { value: value.to_owned(), error: fault_text(state, visitor, faults, name) };
    let types = [
        ("public", "portal-type-public-long"),
        ("confidential_secret", "portal-type-confidential-secret-long"),
        ("confidential_keys", "portal-type-confidential-keys-long"),
    ];
    let grants = [
        ("authorization_code", "portal-grant-authorization-code"),
        ("refresh_token", "portal-grant-refresh-token"),
        ("client_credentials", "portal-grant-client-credentials"),
    ];
    let choice =
        |value: &str, key: &str, current: bool| Choice { value: value.into(), text: say(state, visitor, key), current };
    PortalClientForm {
        action: if own.is_some() { format!("{base}/edit") } else { format!("{base}/new") },
        back_href: base,
        is_new: own.is_none(),
        heading: own.map(|own| own.client.name.clone()).unwrap_or_default(),
        revision: sent.revision.clone(),
        mistakes: u32::try_from(faults.len()).unwrap_or(u32::MAX),
        name: field("name", &sent.name),
        description: field("description", &sent.description),
        contacts: field("contacts", &sent.contacts),
        homepage: field("homepage", &sent.homepage),
        privacy: field("privacy", &sent.privacy),
        terms: field("terms", &sent.terms),
        logo: sent.logo.clone(),
        logo_href: if sent.logo.is_empty() { String::new() } else { logos::href(&sent.logo) },
        logo_error: fault_text(state, visitor, faults, "logo"),
        client_types: types.map(|(value, key)| choice(value, key, sent.client_type == value)).into(),
        jwks: field("jwks", &sent.jwks),
        jwks_uri: field("jwks_uri", &sent.jwks_uri),
        assertion_audiences: [("smart", "portal-audience-smart"), ("strict", "portal-audience-strict")]
            .map(|(value, key)| choice(value, key, (sent.assertion_audience == "strict") == (value == "strict")))
            .into(),
        redirect_uris: field("redirect_uris", &sent.redirect_uris),
        launch_uri: field("launch_uri", &sent.launch_uri),
        post_logout_redirect_uris: field("post_logout_redirect_uris", &sent.post_logout_redirect_uris),
        native: sent.native,
        grant_types: grants
            .map(|(value, key)| choice(value, key, sent.grant_types.iter().any(|word| word == value)))
            .into(),
        grant_types_error: fault_text(state, visitor, faults, "grant_types"),
        asks_why: false,
        why: field("reason", &sent.why),
    }
}
