//! The organization's settings: everything it decides for itself, in one form.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::desk::{Desk, done, faults_of};
use super::words::life;
use crate::domain::organizations::{OrganizationSettings, RegistrationPolicy};
use crate::governance::approvals::Life;
use crate::governance::error::Fault;
use crate::governance::organizations::change_settings;
use crate::http::PageError;
use crate::http::error::Failure;
use crate::http::extract::CsrfForm;
use crate::http::pages::Html;
use crate::http::pages::console::Settings;
use crate::http::pages::frame::ConsoleSection;
use crate::http::pages::parts::{Choice, Field};

/// `GET /console/{org}/settings`.
pub async fn show(desk: Desk) -> Result<Html, PageError> {
    let page = page_of(&desk);
    desk.render(ConsoleSection::Settings, &page).await
}

fn page_of(desk: &Desk) -> Settings {
    let organization = &desk.staff.organization;
    let settings = &organization.settings;
    Settings {
        action: desk.path("settings"),
        name: Field::of(organization.name.as_str()),
        website: Field::of(settings.website.as_str()),
        contact: Field::of(settings.contact_email.as_str()),
        languages: Vec::new(),
        durations: desk.say().durations(settings.approval_expires_days, None),
        request_days: Field::of(settings.request_expires_days.to_string()),
        clinician_consent: consents(desk, settings.standing_consent_for_clinicians),
        backend_services: proofs(desk, settings.backend_services_may_use_secrets),
        registration: policies(desk, settings.registration),
        registration_href: desk.path("registration"),
        frame_ancestors: Field::of(settings.frame_ancestors.join("\n")),
        issuer: desk.state.app.issuer(&organization.slug),
        may_change: desk.may_change(),
    }
}

fn consents(desk: &Desk, is_standing: bool) -> Vec<Choice> {
    let say = desk.say();
    [("ask", "settings-consent-ask", !is_standing), ("standing", "settings-consent-standing", is_standing)]
        .map(|(value, key, current)| Choice { value: value.into(), text: say.word(key), current })
        .into()
}

fn proofs(desk: &Desk, may_use_secrets: bool) -> Vec<Choice> {
    let say = desk.say();
    [("keys", "settings-backend-keys", !may_use_secrets), ("secrets", "settings-backend-secrets", may_use_secrets)]
        .map(|(value, key, current)| Choice { value: value.into(), text: say.word(key), current })
        .into()
}

/// The word that is sent, what it means, and its words.
const POLICIES: [(&str, RegistrationPolicy, &str); 3] = [
    ("closed", RegistrationPolicy::Closed, "settings-registration-closed"),
    ("token", RegistrationPolicy::Token, "settings-registration-token"),
    ("open", RegistrationPolicy::Open, "settings-registration-open"),
];

fn policies(desk: &Desk, in_force: RegistrationPolicy) -> Vec<Choice> {
    let say = desk.say();
    POLICIES
        .map(|(value, policy, key)| Choice { value: value.into(), text: say.word(key), current: policy == in_force })
        .into()
}

/// What is typed. What is not sent stays as it is.
#[derive(Debug, Deserialize)]
pub struct Typed {
    name: String,
    contact: String,
    website: Option<String>,
    #[serde(default)]
    duration: String,
    request_days: Option<String>,
    clinician_consent: Option<String>,
    backend_services: Option<String>,
    registration: Option<String>,
    #[serde(default)]
    frame_ancestors: String,
}

impl Typed {
    /// The settings this form asks for, from those in force; numbers that are none are reported with the rest.
    fn settings(
        &self,
        before: &OrganizationSettings,
        faults: &mut Vec<Fault>,
    ) -> Result<OrganizationSettings, Failure> {
        let unknown = || Failure::new(StatusCode::BAD_REQUEST, "invalid", "There is no such choice.");
        let request_expires_days = match &self.request_days {
            None => before.request_expires_days,
            Some(text) => text.trim().parse().unwrap_or_else(|_| {
                faults.push(Fault::new("request_expires_days", "not-a-number", "a whole number of days"));
                before.request_expires_days
            }),
        };
        Ok(OrganizationSettings {
            request_expires_days,
            approval_expires_days: match life(&self.duration)? {
                Life::AsConfigured => before.approval_expires_days,
                Life::Unlimited => None,
                Life::Days(days) => Some(days),
            },
            standing_consent_for_clinicians: match self.clinician_consent.as_deref() {
                None => before.standing_consent_for_clinicians,
                Some("ask") => false,
                Some("standing") => true,
                Some(_) => return Err(unknown()),
            },
            frame_ancestors: self
                .frame_ancestors
                .split_whitespace()
                .map(|origin| origin.trim_end_matches('/').to_owned())
                .collect(),
            website: self.website.as_ref().map_or_else(|| before.website.clone(), |text| text.trim().to_owned()),
            contact_email: self.contact.trim().to_owned(),
            registration: match self.registration.as_deref() {
                None => before.registration,
                Some(word) => POLICIES
                    .iter()
                    .find(|(value, ..)| *value == word)
                    .map(|(_, policy, _)| *policy)
                    .ok_or_else(unknown)?,
            },
            backend_services_may_use_secrets: match self.backend_services.as_deref() {
                None => before.backend_services_may_use_secrets,
                Some("keys") => false,
                Some("secrets") => true,
                Some(_) => return Err(unknown()),
            },
        })
    }
}

/// `POST /console/{org}/settings`.
pub async fn save(desk: Desk, CsrfForm(typed): CsrfForm<Typed>) -> Result<Response, PageError> {
    let mut faults = Vec::new();
    let settings = typed.settings(&desk.staff.organization.settings, &mut faults)?;
    let (standing, registration) = (settings.standing_consent_for_clinicians, settings.registration);
    let may_use_secrets = settings.backend_services_may_use_secrets;
    if faults.is_empty() {
        match change_settings(&desk.state.app, &desk.staff, &typed.name, settings).await {
            Ok(_) => return Ok(done(&desk, "console-settings-saved", &desk.path("settings"))),
            Err(refusal) => faults = faults_of(refusal)?,
        }
    }
    let say = desk.say();
    let before = page_of(&desk);
    let page = Settings {
        name: Field::wrong(typed.name, say.faults(&faults, "name")),
        website: Field::wrong(typed.website.unwrap_or(before.website.value.clone()), say.faults(&faults, "website")),
        contact: Field::wrong(typed.contact, say.faults(&faults, "contact_email")),
        durations: say.durations(desk.staff.organization.settings.approval_expires_days, Some(&typed.duration)),
        request_days: Field::wrong(
            typed.request_days.unwrap_or(before.request_days.value.clone()),
            say.faults(&faults, "request_expires_days"),
        ),
        clinician_consent: consents(&desk, standing),
        backend_services: proofs(&desk, may_use_secrets),
        registration: policies(&desk, registration),
        frame_ancestors: Field::wrong(typed.frame_ancestors, say.faults(&faults, "frame_ancestors")),
        ..before
    };
    let html = desk.render_answer(ConsoleSection::Settings, &desk.path("settings"), &page).await?;
    Ok(html.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}
