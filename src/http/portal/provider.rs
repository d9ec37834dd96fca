//! The provider's own pages: members, webhooks, settings.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::{Desk, done, fault_text, faults_or, say};
use crate::domain::accounts::DeveloperRole;
use crate::domain::ids::{AccountId, WebhookId};
use crate::governance::error::Fault;
use crate::governance::{application_providers as providers, webhooks};
use crate::http::AppState;
use crate::http::error::PageError;
use crate::http::extract::{CsrfForm, SignedIn, Visitor};
use crate::http::pages::Html;
use crate::http::pages::frame::PortalSection;
use crate::http::pages::parts::{Choice, Field};
use crate::http::pages::portal::{PortalMemberRow, PortalMembers, PortalSettings, PortalWebhookRow, PortalWebhooks};
use crate::http::present::moment;
use crate::storage::{self, Conn};

/// `GET /portal/{provider}/members`.
pub async fn members(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path(provider): Path<String>,
) -> Result<Html, PageError> {
    let mut conn = state.app.store.read().await?;
    let desk = Desk::open(&mut conn, &who, &provider).await?;
    let page = members_page(&state, &visitor, &mut conn, &desk, Field::default()).await?;
    Ok(state.pages.render(&visitor.frame(desk.nav(PortalSection::Members)), &page))
}

async fn members_page(
    state: &AppState,
    visitor: &Visitor,
    conn: &mut Conn,
    desk: &Desk,
    email: Field,
) -> Result<PortalMembers, PageError> {
    let role_words = |role: DeveloperRole| {
        say(
            state,
            visitor,
            match role {
                DeveloperRole::Developer => "portal-role-developer",
                DeveloperRole::Admin => "portal-role-admin",
            },
        )
    };
    Ok(PortalMembers {
        action: format!("{}/members", desk.base),
        may_change: desk.developer.role == DeveloperRole::Admin,
        rows: providers::members(conn, &desk.developer)
            .await?
            .into_iter()
            .map(|member| PortalMemberRow {
                id: member.account.id.to_string(),
                is_self: member.account.id == desk.developer.account.id,
                name: member.account.name,
                email: member.account.email,
                role: role_words(member.role),
            })
            .collect(),
        email,
        roles: vec![
            Choice::current(DeveloperRole::Developer.as_str(), &role_words(DeveloperRole::Developer)),
            Choice::new(DeveloperRole::Admin.as_str(), &role_words(DeveloperRole::Admin)),
        ],
    })
}

/// Somebody to add.
#[derive(Debug, Deserialize)]
pub struct MemberForm {
    email: String,
    role: String,
}

/// `POST /portal/{provider}/members`.
pub async fn add_member(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path(provider): Path<String>,
    CsrfForm(form): CsrfForm<MemberForm>,
) -> Result<Response, PageError> {
    let mut conn = state.app.store.read().await?;
    let desk = Desk::open(&mut conn, &who, &provider).await?;
    let role = DeveloperRole::parse(&form.role).unwrap_or(DeveloperRole::Developer);
    match providers::put_member(&state.app, &desk.developer, &form.email, role).await {
        Ok(()) => Ok(done(say(&state, &visitor, "portal-done-saved"), &format!("{}/members", desk.base))),
        Err(refusal) => {
            let error = fault_text(&state, &visitor, &faults_or(refusal)?, "email");
            let page = members_page(&state, &visitor, &mut conn, &desk, Field::wrong(form.email, error)).await?;
            Ok(bad(state.pages.render(&visitor.frame(desk.nav(PortalSection::Members)), &page)))
        }
    }
}

fn bad(page: Html) -> Response {
    page.with_status(StatusCode::BAD_REQUEST).into_response()
}

/// Somebody to remove.
#[derive(Debug, Deserialize)]
pub struct RemoveMember {
    account: String,
}

/// `POST /portal/{provider}/members/remove`.
pub async fn remove_member(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path(provider): Path<String>,
    CsrfForm(form): CsrfForm<RemoveMember>,
) -> Result<Response, PageError> {
    let desk = Desk::open(&mut *state.app.store.read().await?, &who, &provider).await?;
    providers::remove_member(&state.app, &desk.developer, &AccountId::from_text(form.account)).await?;
    Ok(done(say(&state, &visitor, "portal-done-saved"), &format!("{}/members", desk.base)))
}

/// `GET /portal/{provider}/webhooks`.
pub async fn list_webhooks(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path(provider): Path<String>,
) -> Result<Html, PageError> {
    let mut conn = state.app.store.read().await?;
    let desk = Desk::open(&mut conn, &who, &provider).await?;
    let page = webhooks_page(&visitor, &mut conn, &desk).await?;
    Ok(state.pages.render(&visitor.frame(desk.nav(PortalSection::Webhooks)), &page))
}

async fn webhooks_page(visitor: &Visitor, conn: &mut Conn, desk: &Desk) -> Result<PortalWebhooks, PageError> {
    let rows = storage::webhooks::list_by_provider(conn, &desk.developer.provider.id).await?;
    Ok(PortalWebhooks {
        action: format!("{}/webhooks", desk.base),
        rows: rows
            .into_iter()
            .map(|webhook| PortalWebhookRow {
                id: webhook.id.to_string(),
                url: webhook.url,
                made: moment(webhook.created_at, visitor.lang),
            })
            .collect(),
        ..PortalWebhooks::default()
    })
}

/// Where to.
#[derive(Debug, Deserialize)]
pub struct WebhookForm {
    url: String,
}

/// `POST /portal/{provider}/webhooks`: the answer is the only page that ever shows the signing secret.
pub async fn add_webhook(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path(provider): Path<String>,
    CsrfForm(form): CsrfForm<WebhookForm>,
) -> Result<Response, PageError> {
    let mut conn = state.app.store.read().await?;
    let desk = Desk::open(&mut conn, &who, &provider).await?;
    let added = webhooks::register(&state.app, &desk.developer, &form.url).await;
    let mut page = webhooks_page(&visitor, &mut conn, &desk).await?;
    let frame = visitor.frame(desk.nav(PortalSection::Webhooks));
    match added {
        Ok((_, secret)) => {
            secret.reveal().clone_into(&mut page.new_secret);
            Ok(state.pages.render(&frame, &page).into_response())
        }
        Err(refusal) => {
            let error = fault_text(&state, &visitor, &faults_or(refusal)?, "url");
            page.url = Field::wrong(form.url, error);
            Ok(bad(state.pages.render(&frame, &page)))
        }
    }
}

/// Which one.
#[derive(Debug, Deserialize)]
pub struct RemoveWebhook {
    webhook: String,
}

/// `POST /portal/{provider}/webhooks/remove`.
pub async fn remove_webhook(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path(provider): Path<String>,
    CsrfForm(form): CsrfForm<RemoveWebhook>,
) -> Result<Response, PageError> {
    let desk = Desk::open(&mut *state.app.store.read().await?, &who, &provider).await?;
    webhooks::remove(&state.app, &desk.developer, &WebhookId::from_text(form.webhook)).await?;
    Ok(done(say(&state, &visitor, "portal-done-saved"), &format!("{}/webhooks", desk.base)))
}

/// `GET /portal/{provider}/settings`.
pub async fn settings(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path(provider): Path<String>,
) -> Result<Html, PageError> {
    let desk = Desk::open(&mut *state.app.store.read().await?, &who, &provider).await?;
    let name = Field::of(desk.developer.provider.name.clone());
    let website = Field::of(desk.developer.provider.website.clone());
    Ok(state.pages.render(&visitor.frame(desk.nav(PortalSection::Settings)), &settings_page(&desk, name, website)))
}

fn settings_page(desk: &Desk, name: Field, website: Field) -> PortalSettings {
    PortalSettings {
        action: format!("{}/settings", desk.base),
        may_change: desk.developer.role == DeveloperRole::Admin,
        name,
        website,
    }
}

/// Name and website.
#[derive(Debug, Deserialize)]
pub struct SettingsForm {
    name: String,
    #[serde(default)]
    website: String,
}

/// `POST /portal/{provider}/settings`.
pub async fn change_settings(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path(provider): Path<String>,
    CsrfForm(form): CsrfForm<SettingsForm>,
) -> Result<Response, PageError> {
    let desk = Desk::open(&mut *state.app.store.read().await?, &who, &provider).await?;
    match providers::change_settings(&state.app, &desk.developer, &form.name, &form.website).await {
        Ok(()) => Ok(done(say(&state, &visitor, "portal-done-saved"), &format!("{}/settings", desk.base))),
        Err(refusal) => {
            let faults: Vec<Fault> = faults_or(refusal)?;
            let field = |name: &str, value: &str| Field {
                value: value.to_owned(),
                error: fault_text(&state, &visitor, &faults, name),
            };
            let page = settings_page(&desk, field("name", &form.name), field("website", &form.website));
            Ok(bad(state.pages.render(&visitor.frame(desk.nav(PortalSection::Settings)), &page)))
        }
    }
}
