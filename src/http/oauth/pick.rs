//! The pickers of a launch: the patient, a visit, another record. What comes back is checked again before it counts.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use fhir_scopes::{ResourceType, describe};
use futures_util::future::join_all;

use super::authorize::{app_badge, in_launch};
use super::flow::{Fields, Step, field, person, show, sign_in, stopped};
use crate::http::AppState;
use crate::http::extract::{CsrfForm, Visitor};
use crate::http::pages::Nav;
use crate::http::pages::parts::Badge;
use crate::http::pages::{PatientPicker, PatientRow, RecordPicker, RecordRow};
use crate::http::present;
use crate::outbound::fhir::records::RecordView;
use crate::outbound::fhir::views::PatientView;
use crate::protocol::interaction::{self, PatientChoice, RecordChoice};
use crate::protocol::patients;
use crate::protocol::records::Way;

/// A patient as a line of the picker.
pub(super) fn patient_row(patient: &PatientView, visitor: &Visitor) -> PatientRow {
    PatientRow {
        id: patient.id.clone(),
        name: patient.name.clone(),
        birth_date: patient.birth_date.as_deref().map(|date| present::date(date, visitor.lang)).unwrap_or_default(),
        identifier: patient.identifiers.first().map(|identifier| identifier.value.clone()).unwrap_or_default(),
        last_contact: String::new(),
    }
}

/// The patient picker.
pub(super) async fn patient_picker(
    state: &AppState,
    visitor: &Visitor,
    (slug, step): (&str, &Step),
    choice: &PatientChoice,
) -> Response {
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
            let views = patients.iter().map(|one| patients::patient(&state.app, &choice.endpoint, &one.patient));
            for (one, view) in patients.iter().zip(join_all(views).await) {
                match view {
                    Ok(view) => page.patients.push(patient_row(&view, visitor)),
                    // the person may still know the number
                    Err(error) => {
                        tracing::warn!(%error, endpoint = choice.endpoint.id.as_str(), "a patient could not be read");
                        page.patients.push(PatientRow {
                            id: one.patient.clone(),
                            name: one.patient.clone(),
                            ..PatientRow::default()
                        });
                    }
                }
            }
        }
        None => match patients::search(&state.app, &choice.endpoint, &step.q).await {
            Ok(found) => {
                page.more = found.len() > patients::PAGE;
                page.patients =
                    found.iter().take(patients::PAGE).map(|patient| patient_row(patient, visitor)).collect();
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

/// The picker of visits and other records.
pub(super) fn record_picker(
    state: &AppState,
    visitor: &Visitor,
    (slug, step): (&str, &Step),
    choice: &RecordChoice,
) -> Response {
    let is_visit = choice.kind == ResourceType::ENCOUNTER;
    let found = choice.found.clone().unwrap_or_default();
    let page = RecordPicker {
        action: format!("/o/{slug}/record"),
        flow: step.flow.clone(),
        key: choice.key.clone(),
        app: app_badge(&choice.badges),
        organization: Badge::new(&choice.badges.organization.name, ""),
        is_visit,
        kind: describe::about(choice.kind).name(present::words_lang(visitor.lang)).to_owned(),
        role: choice.role.clone().unwrap_or_default(),
        q: step.q.clone(),
        searchable: matches!(choice.way, Way::Directory(_)) || (choice.way == Way::Patients && found.more),
        by_day: is_visit && (found.more || !step.q.is_empty()),
        other_patient: choice.other_patient,
        records: found.records.iter().map(|record| record_row(state, visitor, record)).collect(),
        more: found.more,
        unavailable: choice.found.is_none(),
    };
    let html = state.pages.render(&visitor.frame(Nav::None), &page);
    in_launch(html, &choice.badges, &choice.redirect_uri)
}

pub(super) fn record_row(state: &AppState, visitor: &Visitor, record: &RecordView) -> RecordRow {
    RecordRow {
        id: record.id.clone(),
        title: record.title.clone(),
        class: present::visit_class(&state.pages, visitor.lang, &record.class),
        reason: record.reason.clone(),
        status: present::record_status(&state.pages, visitor.lang, &record.status),
        when: present::date_or_moment(&record.date, visitor.lang),
        until: if same_day(&record.date, &record.end) {
            String::new()
        } else {
            present::date_or_moment(&record.end, visitor.lang)
        },
    }
}

fn same_day(one: &str, other: &str) -> bool {
    other.is_empty() || one.get(..10).is_some_and(|day| other.starts_with(day))
}

/// `POST /o/{organization}/patient`.
pub async fn patient(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
    CsrfForm(fields): CsrfForm<Fields>,
) -> Response {
    let step = Step::of(&fields);
    let Some(person) = person(&visitor) else { return sign_in(&slug, &step.flow, false, None) };
    if field(&fields, "decision") == "cancel" {
        let next = interaction::cancel(&state.app, step.at(&slug), person).await;
        return show(&state, &visitor, (&slug, &step), next).await;
    }
    match interaction::choose_patient(&state.app, step.at(&slug), person, field(&fields, "patient")).await {
        Ok(()) => Redirect::to(&format!("/o/{slug}/continue?flow={}", step.flow)).into_response(),
        Err(stop) => stopped(&state, &visitor, (&slug, &step), &stop),
    }
}

/// `POST /o/{organization}/record`: a visit or another record, going on without one, another patient, or back to the app.
pub async fn record(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
    CsrfForm(fields): CsrfForm<Fields>,
) -> Response {
    let step = Step::of(&fields);
    let Some(person) = person(&visitor) else { return sign_in(&slug, &step.flow, false, None) };
    let (at, key) = (step.at(&slug), field(&fields, "key"));
    let done = match field(&fields, "decision") {
        "cancel" => {
            let next = interaction::cancel(&state.app, at, person).await;
            return show(&state, &visitor, (&slug, &step), next).await;
        }
        "without" => interaction::choose_record(&state.app, at, person, (key, None)).await,
        "other-patient" => interaction::choose_again(&state.app, at, person).await,
        _ => interaction::choose_record(&state.app, at, person, (key, Some(field(&fields, "record")))).await,
    };
    match done {
        Ok(()) => Redirect::to(&format!("/o/{slug}/continue?flow={}", step.flow)).into_response(),
        Err(stop) => stopped(&state, &visitor, (&slug, &step), &stop),
    }
}
