//! The organization's settings.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::desk::{Desk, done, faults_of};
use super::words::life;
use crate::domain::organizations::OrganizationSettings;
use crate::governance::approvals::Life;
use crate::governance::organizations::change_settings;
use crate::http::PageError;
use crate::http::extract::CsrfForm;
use crate::http::pages::Html;
use crate::http::pages::console::Settings;
use crate::http::pages::frame::ConsoleSection;
use crate::http::pages::parts::Field;

/// `GET /console/{org}/settings`.
pub async fn show(desk: Desk) -> Result<Html, PageError> {
    let page = page_of(&desk);
    desk.render(ConsoleSection::Settings, &page).await
}

fn page_of(desk: &Desk) -> Settings {
    let organization = &desk.staff.organization;
    Settings {
        action: desk.path("settings"),
        name: Field::of(organization.name.as_str()),
        contact: Field::of(organization.settings.contact_email.as_str()),
        languages: Vec::new(),
        durations: desk.say().durations(organization.settings.approval_expires_days, None),
        frame_ancestors: Field::of(organization.settings.frame_ancestors.join("\n")),
        issuer: desk.state.app.issuer(&organization.slug),
        may_change: desk.may_change(),
    }
}

/// What is typed.
#[derive(Debug, Deserialize)]
pub struct Typed {
    name: String,
    contact: String,
    #[serde(default)]
    duration: String,
    #[serde(default)]
    frame_ancestors: String,
}

/// `POST /console/{org}/settings`. Settings that the form does not show stay.
pub async fn save(desk: Desk, CsrfForm(typed): CsrfForm<Typed>) -> Result<Response, PageError> {
    let before = &desk.staff.organization.settings;
    let settings = OrganizationSettings {
        approval_expires_days: match life(&typed.duration)? {
            Life::AsConfigured => before.approval_expires_days,
            Life::Unlimited => None,
            Life::Days(days) => Some(days),
        },
        frame_ancestors: typed
            .frame_ancestors
            .split_whitespace()
            .map(|origin| origin.trim_end_matches('/').to_owned())
            .collect(),
        contact_email: typed.contact.trim().to_owned(),
        ..before.clone()
    };
    match change_settings(&desk.state.app, &desk.staff, &typed.name, settings).await {
        Ok(_) => Ok(done(&desk, "console-settings-saved", &desk.path("settings"))),
        Err(refusal) => {
            let faults = faults_of(refusal)?;
            let say = desk.say();
            let mut page = page_of(&desk);
            page.name = Field::wrong(typed.name, say.faults(&faults, "name"));
            page.contact = Field::wrong(typed.contact, say.faults(&faults, "contact_email"));
            page.frame_ancestors = Field::wrong(typed.frame_ancestors, say.faults(&faults, "frame_ancestors"));
            page.durations = say.durations(before.approval_expires_days, Some(&typed.duration));
            let html = desk.render_answer(ConsoleSection::Settings, &desk.path("settings"), &page).await?;
            Ok(html.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}
