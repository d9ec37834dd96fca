//! The steps of a launch that people see: `/continue`, the patient picker; [`super::consent`] is next door. Every step goes back to `/continue`, which knows what is next.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::authorize::{app_badge, in_launch, stop_page, to_app};
use super::consent::consent_page;
use crate::http::AppState;
use crate::http::extract::{CsrfForm, Visitor};
use crate::http::pages::Nav;
use crate::http::pages::parts::Badge;
use crate::http::pages::{PatientPicker, PatientRow};
use crate::http::present;
use crate::outbound::fhir::views::PatientView;
use crate::protocol::authorize::Stop;
use crate::protocol::interaction::{self, Next, PatientChoice, Person};
use crate::protocol::patients;

/// What every step carries.
#[derive(Debug, Default, Deserialize)]
pub struct Step {
    #[serde(default)]
    pub(super) flow: String,
    /// A search in the picker.
    #[serde(default)]
    pub(super) q: String,
}

pub(super) fn person(visitor: &Visitor) -> Option<Person<'_>> {
    visitor.signed_in.as_ref().map(|(account, session)| Person { account, session })
}

pub(super) fn sign_in(slug: &str, flow: &str, again: bool, login_hint: Option<&str>) -> Response {
    let next = format!("/o/{slug}/continue?flow={flow}");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", &next);
    if again {
        query.append_pair("again", "1");
    }
    if let Some(hint) = login_hint {
        query.append_pair("login_hint", hint);
    }
    Redirect::to(&format!("/sign-in?{}", query.finish())).into_response()
}

/// `GET /o/{organization}/continue?flow=`.
pub async fn resume(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
    Query(step): Query<Step>,
) -> Response {
    let next = interaction::next(&state.app, &slug, &step.flow, person(&visitor)).await;
    show(&state, &visitor, (&slug, &step), next).await
}

pub(super) async fn show(
    state: &AppState,
    visitor: &Visitor,
    (slug, step): (&str, &Step),
    next: Result<Next, Stop>,
) -> Response {
    match next {
        Ok(Next::SignIn { again, login_hint }) => sign_in(slug, &step.flow, again, login_hint.as_deref()),
        Ok(Next::PickPatient(choice)) => picker(state, visitor, (slug, step), &choice).await,
        Ok(Next::Consent(question)) => consent_page(state, visitor, (slug, step), &question).await,
        Ok(Next::Done(to_client)) => to_app(state, visitor, &to_client),
        Err(stop) => stop_page(state, visitor, &stop),
    }
}

pub(super) fn row(patient: &PatientView, visitor: &Visitor) -> PatientRow {
    PatientRow {
        id: patient.id.clone(),
        name: patient.name.clone(),
        birth_date: patient.birth_date.as_deref().map(|date| present::date(date, visitor.lang)).unwrap_or_default(),
        identifier: patient.identifiers.first().map(|identifier| identifier.value.clone()).unwrap_or_default(),
        last_contact: String::new(),
    }
}

async fn picker(state: &AppState, visitor: &Visitor, (slug, step): (&str, &Step), choice: &PatientChoice) -> Response {
    let mut page = PatientPicker {
        action: format!("/o/{slug}/patient"),
        search_action: format!("/o/{slug}/patient"),
        flow: step.flow.clone(),
        app: app_badge(&choice.badges),
        organization: Badge::new(&choice.badges.organization.name, ""),
        q: step.q.clone(),
        searchable: choice.patients.is_none(),
        ..PatientPicker::default()
    };
    match &choice.patients {
        Some(patients) => {
            for one in patients {
                match patients::patient(&state.app, &choice.endpoint, &one.patient).await {
                    Ok(view) => page.patients.push(row(&view, visitor)),
                    // the person may still know the number
                    Err(_) => page.patients.push(PatientRow {
                        id: one.patient.clone(),
                        name: one.patient.clone(),
                        ..PatientRow::default()
                    }),
                }
            }
        }
        None => match patients::search(&state.app, &choice.endpoint, &step.q).await {
            Ok(found) => {
                page.more = found.len() > patients::PAGE;
                page.patients = found.iter().take(patients::PAGE).map(|patient| row(patient, visitor)).collect();
            }
            Err(error) => {
                tracing::warn!(%error, endpoint = choice.endpoint.id.as_str(), "patients could not be read");
                page.unavailable = true;
            }
        },
    }
    let html = state.pages.render(&visitor.frame(Nav::None), &page);
    in_launch(html, &choice.badges, &choice.redirect_uri)
}

pub(super) type Fields = Vec<(String, String)>;

pub(super) fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

/// `POST /o/{organization}/patient`.
pub async fn pick(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
    CsrfForm(fields): CsrfForm<Fields>,
) -> Response {
    let flow = field(&fields, "flow").to_owned();
    let step = Step { flow, q: String::new() };
    let Some(person) = person(&visitor) else { return sign_in(&slug, &step.flow, false, None) };
    if field(&fields, "decision") == "cancel" {
        let next = interaction::cancel(&state.app, &slug, &step.flow, person).await;
        return show(&state, &visitor, (&slug, &step), next).await;
    }
    match interaction::choose_patient(&state.app, &slug, &step.flow, person, field(&fields, "patient")).await {
        Ok(()) => Redirect::to(&format!("/o/{slug}/continue?flow={}", step.flow)).into_response(),
        Err(stop) => stop_page(&state, &visitor, &stop),
    }
}

/// `GET /o/{organization}/not-me?flow=`: somebody else signs in for this launch.
pub async fn not_me(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
    Query(step): Query<Step>,
) -> Response {
    if let Some(person) = person(&visitor)
        && let Err(stop) = interaction::release(&state.app, &slug, &step.flow, person).await
    {
        return stop_page(&state, &visitor, &stop);
    }
    sign_in(&slug, &step.flow, true, None)
}
