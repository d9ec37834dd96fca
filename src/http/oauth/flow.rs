//! The steps of a launch that people see: `/continue`, consent; the pickers are in [`super::pick`]. Every step goes back to `/continue`, which knows what is next.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use fhir_scopes::describe::{self, Options, known_limits};
use fhir_scopes::{Dialect, NonResource, ResourceScope, ResourceType, ScopeKind, ScopeSet, TypeSelector};
use serde::Deserialize;

use super::authorize::{app_badge, in_launch, stop_page, stop_page_leading, to_app};
use super::pick::{patient_picker, patient_row, record_picker};
use crate::http::AppState;
use crate::http::extract::{CsrfForm, Visitor};
use crate::http::pages::Nav;
use crate::http::pages::parts::{Badge, ScopeChoice, ScopeGroup, ScopeLine};
use crate::http::pages::{Consent, PatientCard};
use crate::http::present;
use crate::protocol::authorize::Stop;
use crate::protocol::interaction::{self, Answer, At, Next, Person, Question};
use crate::protocol::patients;

/// What every step carries.
#[derive(Debug, Default, Deserialize)]
pub struct Step {
    #[serde(default)]
    pub(super) flow: String,
    /// A search in a picker.
    #[serde(default)]
    pub(super) q: String,
}

impl Step {
    /// The step of a form that holds the handle.
    pub(super) fn of(fields: &Fields) -> Self {
        Self { flow: field(fields, "flow").to_owned(), q: String::new() }
    }

    /// At this organization.
    pub(super) fn at<'a>(&'a self, slug: &'a str) -> At<'a> {
        At { slug, flow: &self.flow, typed: &self.q }
    }
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
    let next = interaction::next(&state.app, step.at(&slug), person(&visitor)).await;
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
        Ok(Next::PickPatient(choice)) => patient_picker(state, visitor, (slug, step), &choice).await,
        Ok(Next::PickRecord(choice)) => record_picker(state, visitor, (slug, step), &choice),
        Ok(Next::Consent(question)) => consent_page(state, visitor, (slug, step), &question).await,
        Ok(Next::Done(to_client)) => to_app(state, visitor, &to_client),
        Err(stop) => stopped(state, visitor, (slug, step), &stop),
    }
}

/// The page at which a step stops, with a way on where there is one: somebody else signs in, or the same step once more.
pub(super) fn stopped(state: &AppState, visitor: &Visitor, (slug, step): (&str, &Step), stop: &Stop) -> Response {
    let flow = url::form_urlencoded::byte_serialize(step.flow.as_bytes()).collect::<String>();
    let next = match stop {
        Stop::WrongPerson(_) => format!("/o/{slug}/not-me?flow={flow}"),
        Stop::FhirUnavailable(_) | Stop::NotOffered => format!("/o/{slug}/continue?flow={flow}"),
        _ => String::new(),
    };
    stop_page_leading(state, visitor, stop, &next)
}

/// The fields of a form, in order.
pub(super) type Fields = Vec<(String, String)>;

/// One of them; `""` for none.
pub(super) fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

/// `GET /o/{organization}/not-me?flow=`: somebody else signs in for this launch.
pub async fn not_me(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
    Query(step): Query<Step>,
) -> Response {
    if let Some(person) = person(&visitor)
        && let Err(stop) = interaction::release(&state.app, step.at(&slug), person).await
    {
        return stop_page(&state, &visitor, &stop);
    }
    sign_in(&slug, &step.flow, true, None)
}

async fn consent_page(
    state: &AppState,
    visitor: &Visitor,
    (slug, step): (&str, &Step),
    question: &Question,
) -> Response {
    let patient = match &question.patient {
        None => PatientCard::default(),
        Some(id) => match patients::patient(&state.app, &question.endpoint, id).await {
            Ok(view) => {
                let row = patient_row(&view, visitor);
                PatientCard { name: row.name, birth_date: row.birth_date, identifier: row.identifier }
            }
            Err(_) => PatientCard { name: id.clone(), ..PatientCard::default() },
        },
    };
    let offline = question.candidate.has_offline_access();
    let shown = question.candidate.filtered(|scope| *scope.kind() != ScopeKind::Plain(NonResource::OfflineAccess));
    let name = Some(patient.name.as_str()).filter(|name| !name.is_empty());
    let options = Options { patient: name, for_patients: question.for_patients, for_reviewers: false };
    let groups =
        with_choices(present::scope_groups(&shown, visitor.lang, &options), &shown, present::words_lang(visitor.lang));
    let manage = state.app.url(&format!("/o/{slug}/apps"));
    let page = Consent {
        action: format!("/o/{slug}/consent"),
        flow: step.flow.clone(),
        app: app_badge(&question.badges),
        organization: Badge::new(&question.badges.organization.name, ""),
        person: visitor.signed_in.as_ref().map(|(account, _)| account.name.clone()).unwrap_or_default(),
        not_me_href: format!("/o/{slug}/not-me?flow={}", step.flow),
        patient,
        groups,
        offline,
        offline_ticked: offline,
        // the window slides with each use: there is no "at most" to promise
        offline_until: String::new(),
        terms_href: question.terms.clone(),
        privacy_href: question.privacy.clone(),
        manage_text: manage.split_once("://").map_or(manage.as_str(), |(_, rest)| rest).to_owned(),
        manage_href: manage,
        error: if question.nothing_chosen {
            state.pages.text(visitor.lang, "consent-nothing-chosen", &[]).unwrap_or_default()
        } else {
            String::new()
        },
    };
    let html = state.pages.render(&visitor.frame(Nav::None), &page);
    in_launch(html, &question.badges, &question.redirect_uri)
}

/// Marks what is no choice, and offers the narrower choices: by kind of data under a wildcard, by category under observations and conditions.
fn with_choices(mut groups: Vec<ScopeGroup>, shown: &ScopeSet, lang: describe::Lang) -> Vec<ScopeGroup> {
    for line in groups.iter_mut().flat_map(|group| &mut group.lines) {
        let literals: Vec<&str> = line.scope.split(' ').collect();
        let rights: Vec<&ResourceScope> = shown
            .iter()
            .filter(|scope| literals.contains(&scope.literal()))
            .filter_map(fhir_scopes::Scope::resource)
            .collect();
        line.fixed = rights.is_empty();
        if let [right] = rights.as_slice() {
            line.choices = choices(right, shown.release(), lang);
        }
    }
    groups.retain(|group: &ScopeGroup| !group.lines.iter().all(is_blank));
    groups
}

fn is_blank(line: &ScopeLine) -> bool {
    line.scope.is_empty()
}

/// Kinds of data a person knows by name, offered under a wildcard.
const KINDS: &[&str] = &[
    "AllergyIntolerance",
    "Appointment",
    "CarePlan",
    "CareTeam",
    "Condition",
    "Coverage",
    "Device",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "Goal",
    "Immunization",
    "MedicationDispense",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Patient",
    "Procedure",
    "Provenance",
    "RelatedPerson",
    "ServiceRequest",
    "Specimen",
];

fn choices(right: &ResourceScope, release: fhir_scopes::Release, lang: describe::Lang) -> Vec<ScopeChoice> {
    if !right.limit.is_none() {
        return Vec::new();
    }
    match right.types {
        TypeSelector::All => KINDS
            .iter()
            .filter_map(|name| ResourceType::parse(name, release))
            .map(|kind| {
                let narrower = ResourceScope { types: TypeSelector::One(kind), ..right.clone() };
                ScopeChoice {
                    scope: narrower.to_string(),
                    text: describe::about(kind).name(lang).to_owned(),
                    ticked: false,
                }
            })
            .collect(),
        TypeSelector::One(kind) => known_limits(kind)
            .filter(|limit| limit.us_core)
            .filter_map(|known| {
                let narrower = ResourceScope { limit: known.limit(release)?, dialect: Dialect::V2, ..right.clone() };
                Some(ScopeChoice { scope: narrower.to_string(), text: known.name(lang).to_owned(), ticked: false })
            })
            .collect(),
    }
}

/// `POST /o/{organization}/consent`.
pub async fn consent(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
    CsrfForm(fields): CsrfForm<Fields>,
) -> Response {
    let step = Step::of(&fields);
    let Some(person) = person(&visitor) else { return sign_in(&slug, &step.flow, false, None) };
    let ticked: Vec<&str> =
        fields.iter().filter(|(name, _)| name == "scope").map(|(_, value)| value.as_str()).collect();
    let answer = Answer {
        allow: field(&fields, "decision") == "allow",
        scopes: ticked.join(" "),
        offline: field(&fields, "offline") == "1",
    };
    let next = interaction::decide(&state.app, step.at(&slug), person, answer).await;
    show(&state, &visitor, (&slug, &step), next).await
}
