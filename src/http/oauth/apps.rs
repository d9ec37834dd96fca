//! `/o/{organization}/apps`: a person's own apps, and stopping one.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use fhir_scopes::describe::{Options, describe_with};
use serde::Deserialize;

use crate::domain::ids::ClientId;
use crate::domain::organizations::Organization;
use crate::http::error::Failure;
use crate::http::extract::visitor::flash;
use crate::http::extract::{CsrfForm, SignedIn, Visitor};
use crate::http::pages::parts::Badge;
use crate::http::pages::{AppCard, Apps, Arg, StopApp, Tone};
use crate::http::pages::{Html, Nav};
use crate::http::{AppState, PageError, present};
use crate::protocol::apps::{AppWithAccess, list, stop as stop_access};
use crate::protocol::patients;
use crate::storage;

async fn organization(state: &AppState, slug: &str) -> Result<Organization, PageError> {
    let found = storage::organizations::find_by_slug(&mut *state.app.store.read().await?, slug).await?;
    Ok(found.ok_or_else(Failure::not_found)?)
}

fn badge(app: &AppWithAccess) -> Badge {
    let badge = Badge::new(&app.metadata.name, &app.provider);
    match &app.metadata.logo {
        Some(digest) => badge.with_logo(&format!("/logos/{digest}")),
        None => badge,
    }
}

/// `GET /o/{organization}`: whoever opens an issuer in a browser comes to what is theirs here.
pub async fn from_issuer(State(state): State<AppState>, Path(slug): Path<String>) -> Result<Redirect, PageError> {
    let organization = organization(&state, &slug).await?;
    Ok(Redirect::to(&format!("/o/{}/apps", organization.slug)))
}

/// `GET /o/{organization}/apps`.
pub async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    signed_in: SignedIn,
    Path(slug): Path<String>,
) -> Result<Html, PageError> {
    let organization = organization(&state, &slug).await?;
    let mut cards = Vec::new();
    for app in list(&state.app, &organization, &signed_in.account.id).await? {
        let mut names = Vec::new();
        for id in &app.patients {
            names.push(
                patients::patient(&state.app, &app.endpoint, id).await.map_or_else(|_| id.clone(), |view| view.name),
            );
        }
        let patient = names.join(", ");
        let options = Options {
            patient: Some(patient.as_str()).filter(|name| !name.is_empty()),
            for_patients: true,
            corrected: true,
            ..Options::default()
        };
        let told = describe_with(&app.scopes, present::words_lang(visitor.lang), &options);
        let lines = told.groups.iter().filter(|group| group.category != "sign-in").flat_map(|group| &group.lines);
        cards.push(AppCard {
            app: badge(&app),
            since: present::moment(app.since, visitor.lang),
            last_used: present::moment_or_never(app.last_used, visitor.lang),
            patient: patient.clone(),
            may: lines.map(|line| line.short.clone()).collect(),
            offline: app.scopes.has_offline_access(),
            disabled: app.is_stopped_by_organization,
            stop_href: format!("/o/{slug}/apps/{}/stop", app.client_id),
        });
    }
    let page = Apps { organization: Badge::new(&organization.name, ""), apps: cards };
    Ok(state.pages.render(&visitor.frame(Nav::Account), &page))
}

/// `GET /o/{organization}/apps/{client}/stop`.
pub async fn ask(
    State(state): State<AppState>,
    visitor: Visitor,
    signed_in: SignedIn,
    Path((slug, client)): Path<(String, String)>,
) -> Result<Html, PageError> {
    let organization = organization(&state, &slug).await?;
    let apps = list(&state.app, &organization, &signed_in.account.id).await?;
    let app = apps.iter().find(|app| app.client_id.as_str() == client).ok_or_else(Failure::not_found)?;
    let page = StopApp {
        action: format!("/o/{slug}/apps/stop"),
        grant: client,
        app: badge(app),
        organization: Badge::new(&organization.name, ""),
        cancel_href: format!("/o/{slug}/apps"),
    };
    Ok(state.pages.render(&visitor.frame(Nav::Account), &page))
}

/// Which app.
#[derive(Deserialize)]
pub struct Stopped {
    grant: String,
}

/// `POST /o/{organization}/apps/stop`.
pub async fn stop(
    State(state): State<AppState>,
    visitor: Visitor,
    signed_in: SignedIn,
    Path(slug): Path<String>,
    CsrfForm(form): CsrfForm<Stopped>,
) -> Result<Response, PageError> {
    let organization = organization(&state, &slug).await?;
    let client = ClientId::from_text(form.grant);
    let apps = list(&state.app, &organization, &signed_in.account.id).await?;
    let stopped = stop_access(&state.app, &organization, &signed_in.account.id, &client).await?;
    let back = Redirect::to(&format!("/o/{slug}/apps"));
    let app = apps.iter().find(|app| app.client_id == client).filter(|_| stopped);
    let told = app
        .and_then(|app| state.pages.text(visitor.lang, "apps-stopped", &[("app", Arg::Text(&app.metadata.name))]).ok());
    Ok(match told {
        Some(text) => (flash(Tone::Done, text), back).into_response(),
        None => back.into_response(),
    })
}
