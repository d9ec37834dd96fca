//! The list of clients, a client's page, its secrets, its end.

use axum::extract::{Path, State};
use axum::response::Response;
use fhir_scopes::ScopeSet;
use serde::Deserialize;

use super::{Desk, code_samples, done, say, say_with};
use crate::domain::access_requests::{AccessRequest, RequestState};
use crate::domain::clients::{ClientMetadata, ClientType, GrantType};
use crate::domain::ids::{ClientId, ClientSecretId, OrganizationId};
use crate::domain::permission::system_needs_key;
use crate::governance::clients::{self, OwnClient};
use crate::governance::explain;
use crate::http::error::PageError;
use crate::http::extract::{CsrfForm, SignedIn, Visitor};
use crate::http::pages::frame::PortalSection;
use crate::http::pages::parts::{Badge, Fact, Stand};
use crate::http::pages::portal::{
    AccessChip, AccessRow, PortalClient, PortalClientRow, PortalClients, PortalConfirm, SecretRow, Step,
};
use crate::http::pages::{Arg, Html};
use crate::http::present::{moment, moment_or_never, stand_of_approval, stand_of_request, words_lang};
use crate::http::{AppState, logos};
use crate::storage::{self, Conn};

/// `GET /portal/{provider}/clients`.
pub async fn list(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path(provider): Path<String>,
) -> Result<Html, PageError> {
    let mut conn = state.app.store.read().await?;
    let desk = Desk::open(&mut conn, &who, &provider).await?;
    let mut rows = Vec::new();
    for client in clients::list(&mut conn, &desk.developer).await? {
        let own = clients::own(&mut conn, &desk.developer, &client.id).await?;
        let mut access = Vec::new();
        for standing in standings(&state, &mut conn, &client.id).await? {
            access.push(AccessChip { organization: standing.organization, stand: standing.stand });
        }
        rows.push(PortalClientRow {
            badge: badge(&own, &type_words(&state, &visitor, &own.latest.metadata)),
            href: format!("{}/clients/{}", desk.base, client.id),
            access,
        });
    }
    let page = PortalClients { new_href: format!("{}/clients/new", desk.base), rows };
    Ok(state.pages.render(&visitor.frame(desk.nav(PortalSection::Clients)), &page))
}

/// `GET /portal/{provider}/clients/{client}`.
pub async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path((provider, client)): Path<(String, String)>,
) -> Result<Html, PageError> {
    let mut conn = state.app.store.read().await?;
    let desk = Desk::open(&mut conn, &who, &provider).await?;
    let page = client_page(&state, &visitor, &mut conn, &desk, &ClientId::from_text(client)).await?;
    Ok(state.pages.render(&visitor.frame(desk.nav(PortalSection::Clients)), &page))
}

/// An empty form.
#[derive(Debug, Deserialize)]
pub struct Nothing {}

/// `POST /portal/{provider}/clients/{client}/secrets`: the answer is the only page that ever shows the secret.
pub async fn make_secret(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path((provider, client)): Path<(String, String)>,
    CsrfForm(_): CsrfForm<Nothing>,
) -> Result<Html, PageError> {
    let id = ClientId::from_text(client);
    let mut conn = state.app.store.read().await?;
    let desk = Desk::open(&mut conn, &who, &provider).await?;
    let secret = clients::make_secret(&state.app, &desk.developer, &id, None).await?;
    let mut page = client_page(&state, &visitor, &mut conn, &desk, &id).await?;
    secret.plain.reveal().clone_into(&mut page.new_secret);
    Ok(state.pages.render(&visitor.frame(desk.nav(PortalSection::Clients)), &page))
}

/// Which secret.
#[derive(Debug, Deserialize)]
pub struct SecretForm {
    secret: String,
}

/// `POST /portal/{provider}/clients/{client}/secrets/revoke`.
pub async fn revoke_secret(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path((provider, client)): Path<(String, String)>,
    CsrfForm(form): CsrfForm<SecretForm>,
) -> Result<Response, PageError> {
    let id = ClientId::from_text(client);
    let desk = Desk::open(&mut *state.app.store.read().await?, &who, &provider).await?;
    clients::revoke_secret(&state.app, &desk.developer, &id, &ClientSecretId::from_text(form.secret)).await?;
    Ok(done(say(&state, &visitor, "portal-done-revoked"), &format!("{}/clients/{id}#credentials", desk.base)))
}

/// `GET /portal/{provider}/clients/{client}/delete`.
pub async fn ask_delete(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path((provider, client)): Path<(String, String)>,
) -> Result<Html, PageError> {
    let mut conn = state.app.store.read().await?;
    let desk = Desk::open(&mut conn, &who, &provider).await?;
    let own = clients::own(&mut conn, &desk.developer, &ClientId::from_text(client)).await?;
    let back_href = format!("{}/clients/{}", desk.base, own.client.id);
    let page = PortalConfirm {
        action: format!("{back_href}/delete"),
        back_href,
        title: say_with(&state, &visitor, "portal-delete-title", &[("name", Arg::Text(&own.client.name))]),
        text: say(&state, &visitor, "portal-delete-text"),
        button: say(&state, &visitor, "portal-delete"),
    };
    Ok(state.pages.render(&visitor.frame(desk.nav(PortalSection::Clients)), &page))
}

/// `POST /portal/{provider}/clients/{client}/delete`.
pub async fn delete(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path((provider, client)): Path<(String, String)>,
    CsrfForm(_): CsrfForm<Nothing>,
) -> Result<Response, PageError> {
    let desk = Desk::open(&mut *state.app.store.read().await?, &who, &provider).await?;
    clients::delete(&state.app, &desk.developer, &ClientId::from_text(client)).await?;
    Ok(done(say(&state, &visitor, "portal-done-deleted"), &format!("{}/clients", desk.base)))
}

/// Where a client stands at one organization.
pub(super) struct Standing {
    pub organization_id: OrganizationId,
    pub organization: String,
    pub stand: Stand,
    /// The newest request there.
    pub request: AccessRequest,
    /// Approved scopes, or those asked.
    pub scopes: String,
    /// A change waits besides a standing approval.
    pub change_waiting: bool,
    /// It may not ask again.
    pub blocked: bool,
    /// It asks for, or has, access without anyone signed in, and gets no tokens for that until it has a key.
    pub needs_key: bool,
    pub release: fhir_scopes::Release,
}

/// Where a client stands at every organization it ever asked.
pub(super) async fn standings(
    state: &AppState,
    conn: &mut Conn,
    client: &ClientId,
) -> Result<Vec<Standing>, PageError> {
    let now = state.app.now();
    let approvals = storage::approvals::list_by_client(conn, client).await?;
    let mut standings: Vec<Standing> = Vec::new();
    let latest = storage::clients::lookup(conn, client).await?.map_or(1, |client| client.latest_revision);
    // newest first: the first of an organization is the one that counts
    for request in storage::access_requests::list_by_client(conn, client).await? {
        if standings.iter().any(|standing| standing.organization_id == request.organization_id) {
            continue;
        }
        let Some(organization) = storage::organizations::lookup(conn, &request.organization_id).await? else {
            continue;
        };
        let approval = approvals.iter().find(|approval| approval.organization_id == organization.id);
        let endpoint = storage::organizations::lookup_endpoint(conn, &request.fhir_endpoint_id).await?;
        let waits = request.state == RequestState::Waiting && now < request.expires_at;
        let release = endpoint.map(|endpoint| endpoint.release).unwrap_or_default();
        let scopes = approval.map_or_else(|| request.scopes.clone(), |approval| approval.scopes.clone());
        let revision = approval.map_or(latest, |approval| approval.client_revision);
        let revision = storage::clients::find_revision(conn, client, revision).await?;
        standings.push(Standing {
            needs_key: ScopeSet::parse_lenient(&scopes, release).0.has_system_level()
                && revision.is_some_and(|one| system_needs_key(&organization, one.metadata.client_type)),
            organization_id: organization.id,
            organization: organization.name,
            stand: approval
                .map_or_else(|| stand_of_request(&request.state), |approval| stand_of_approval(approval, now)),
            scopes,
            change_waiting: approval.is_some() && waits,
            blocked: matches!(request.state, RequestState::Rejected { may_ask_again: false, .. }),
            release,
            request,
        });
    }
    standings.sort_by(|a, b| a.organization.cmp(&b.organization));
    Ok(standings)
}

async fn client_page(
    state: &AppState,
    visitor: &Visitor,
    conn: &mut Conn,
    desk: &Desk,
    id: &ClientId,
) -> Result<PortalClient, PageError> {
    let now = state.app.now();
    let own = clients::own(conn, &desk.developer, id).await?;
    let standings = standings(state, conn, id).await?;
    let metadata = &own.latest.metadata;
    let href = format!("{}/clients/{id}", desk.base);
    let live = own.secrets.iter().filter(|secret| secret.is_live(now)).count();
    let uses_secrets = metadata.client_type == ClientType::ConfidentialSecret;

    let mut steps =
        vec![Step { done: true, text: say(state, visitor, "portal-check-registered"), href: String::new() }];
    if metadata.may_use(GrantType::AuthorizationCode) {
        steps.push(Step {
            done: !metadata.redirect_uris.is_empty(),
            text: say(state, visitor, "portal-check-redirect"),
            href: format!("{href}/edit"),
        });
    }
    if uses_secrets {
        steps.push(Step {
            done: live > 0,
            text: say(state, visitor, "portal-check-secret"),
            href: "#credentials".into(),
        });
    }
    steps.push(Step {
        done: !standings.is_empty(),
        text: say(state, visitor, "portal-check-ask"),
        href: format!("{href}/ask"),
    });
    steps.push(Step {
        done: standings.iter().any(|standing| standing.stand == Stand::Approved),
        text: say(state, visitor, "portal-check-live"),
        href: "#access".into(),
    });

    Ok(PortalClient {
        back_href: format!("{}/clients", desk.base),
        badge: badge(&own, &type_words(state, visitor, metadata)),
        description: metadata.description.clone(),
        client_id: id.to_string(),
        steps,
        edit_href: format!("{href}/edit"),
        facts: facts(state, visitor, &own),
        uses_secrets,
        secret_action: format!("{href}/secrets"),
        new_secret: String::new(),
        secrets: own
            .secrets
            .iter()
            .filter(|secret| secret.is_live(now))
            .map(|secret| SecretRow {
                id: secret.id.to_string(),
                hint: secret.hint.clone(),
                made: moment(secret.created_at, visitor.lang),
                last_used: moment_or_never(secret.last_used_at, visitor.lang),
                ends: moment_or_never(secret.expires_at, visitor.lang),
            })
            .collect(),
        may_make_secret: live < crate::domain::clients::LIVE_SECRETS,
        access: standings
            .iter()
            .map(|standing| AccessRow {
                organization: standing.organization.clone(),
                stand: standing.stand,
                summary: explain::summary(&standing.scopes, standing.release, words_lang(visitor.lang)),
                next: say(state, visitor, next_key(standing)),
                change_waiting: standing.change_waiting,
                href: format!("{}/requests/{}", desk.base, standing.request.id),
            })
            .collect(),
        ask_href: format!("{href}/ask"),
        samples: code_samples::of(&state.app, id, metadata),
        delete_href: format!("{href}/delete"),
    })
}

/// What to do next, as a key of the words.
pub(super) fn next_key(standing: &Standing) -> &'static str {
    match standing.stand {
        Stand::Rejected if standing.blocked => "portal-next-blocked",
        Stand::Rejected => "portal-next-rejected",
        Stand::Draft | Stand::None => "portal-next-draft",
        Stand::Waiting if standing.needs_key => "portal-next-waiting-needs-key",
        Stand::Waiting => "portal-next-waiting",
        Stand::Approved if standing.needs_key => "portal-next-needs-key",
        Stand::Approved => "portal-next-approved",
        Stand::Disabled => "portal-next-disabled",
        Stand::Withdrawn => "portal-next-withdrawn",
        Stand::Expired => "portal-next-expired",
    }
}

pub(super) fn badge(own: &OwnClient, by: &str) -> Badge {
    let badge = Badge::new(&own.latest.metadata.name, by);
    match &own.latest.metadata.logo {
        Some(digest) => badge.with_logo(&logos::href(digest)),
        None => badge,
    }
}

pub(super) fn type_words(state: &AppState, visitor: &Visitor, metadata: &ClientMetadata) -> String {
    let key = match metadata.client_type {
        ClientType::Public => "portal-type-public",
        ClientType::ConfidentialSecret => "portal-type-confidential-secret",
        ClientType::ConfidentialKeys => "portal-type-confidential-keys",
    };
    say(state, visitor, key)
}

fn facts(state: &AppState, visitor: &Visitor, own: &OwnClient) -> Vec<Fact> {
    let metadata = &own.latest.metadata;
    let word = |key| say(state, visitor, key);
    let grants = metadata.grant_types.iter().map(|grant_type| grant_type.as_str()).collect::<Vec<_>>().join(", ");
    let mut facts = vec![Fact::words(&word("portal-fact-grant-types"), &grants)];
    facts.extend(metadata.redirect_uris.iter().map(|uri| Fact::code(&word("portal-fact-redirect-uri"), uri)));
    facts.extend(metadata.launch_uri.iter().map(|uri| Fact::code(&word("portal-launch-uri"), uri)));
    facts.extend(metadata.jwks_uri.iter().map(|uri| Fact::code(&word("portal-jwks-uri"), uri)));
    if metadata.jwks.is_some() {
        facts.push(Fact::words(&word("portal-fact-keys"), &word("portal-fact-keys-inline")));
    }
    facts.push(Fact::words(&word("portal-contacts"), &metadata.contacts.join(", ")));
    for (key, url) in [
        ("portal-homepage", &metadata.homepage),
        ("portal-privacy", &metadata.privacy),
        ("portal-terms", &metadata.terms),
    ] {
        if !url.is_empty() {
            facts.push(Fact::link(&word(key), url));
        }
    }
    facts.push(Fact::words(&word("portal-fact-registered"), &moment(own.client.created_at, visitor.lang).text));
    facts.push(Fact::words(&word("portal-fact-revision"), &own.latest.revision.to_string()));
    facts
}
