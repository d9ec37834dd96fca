//! The question of consent: the page, and the person's answer.

use axum::extract::{Path, State};
use axum::response::Response;
use fhir_scopes::describe::{self, Options, known_limits};
use fhir_scopes::{
    Dialect, NonResource, Release, ResourceScope, ResourceType, Scope, ScopeKind, ScopeSet, TypeSelector, us_core,
};
use futures_util::future::join;

use super::authorize::{app_badge, in_launch};
use super::flow::{Fields, Step, field, person, show, sign_in};
use super::pick::{patient_row, record_row};
use crate::domain::accounts::FhirUser;
use crate::http::AppState;
use crate::http::extract::{CsrfForm, Visitor};
use crate::http::pages::Nav;
use crate::http::pages::parts::{Badge, ScopeChoice, ScopeGroup};
use crate::http::pages::{Consent, PatientCard, VisitCard};
use crate::http::present;
use crate::protocol::interaction::{self, Again, Answer, Question};
use crate::protocol::{patients, records};

pub(super) async fn consent_page(
    state: &AppState,
    visitor: &Visitor,
    (slug, step): (&str, &Step),
    question: &Question,
) -> Response {
    let (patient, visit) = join(patient_card(state, visitor, question), visit_card(state, visitor, question)).await;
    let for_patients = !question.user.as_ref().is_some_and(FhirUser::is_clinician);
    let words = |key: &str| state.pages.text(visitor.lang, key, &[]).unwrap_or_default();
    let offline = question.candidate.has_offline_access();
    let shown = question.candidate.filtered(|scope| *scope.kind() != ScopeKind::Plain(NonResource::OfflineAccess));
    let name = Some(patient.name.as_str()).filter(|name| !name.is_empty());
    // a category that US Core published misspelt is told as what it stands for; the tick box still carries what the app asked
    let options = Options { patient: name, for_patients, corrected: true, ..Options::default() };
    let groups = present::scope_groups(&shown, visitor.lang, &options);
    let mut groups = with_choices(groups, &shown, present::words_lang(visitor.lang));
    if let Some((_, answer)) = &question.again {
        tick_as_answered(&mut groups, answer);
    }
    let manage = state.app.url(&format!("/o/{slug}/apps"));
    let page = Consent {
        action: format!("/o/{slug}/consent"),
        flow: step.flow.clone(),
        shown: question.shown.clone(),
        app: app_badge(&question.badges),
        organization: Badge::new(&question.badges.organization.name, ""),
        person: visitor.signed_in.as_ref().map(|(account, _)| account.name.clone()).unwrap_or_default(),
        not_me_href: format!("/o/{slug}/not-me?flow={}", step.flow),
        patient,
        visit,
        groups,
        offline,
        offline_ticked: question.again.as_ref().map_or(offline, |(_, answer)| offline && answer.offline),
        // the window slides with each use: there is no "at most" to promise
        offline_until: String::new(),
        terms_href: question.terms.clone(),
        privacy_href: question.privacy.clone(),
        manage_text: manage.split_once("://").map_or(manage.as_str(), |(_, rest)| rest).to_owned(),
        manage_href: manage,
        error: match question.again {
            None => String::new(),
            Some((Again::NothingChosen, _)) => words("consent-nothing-chosen"),
            Some((Again::StillIncluded, _)) => words("consent-still-included"),
            Some((Again::Changed, _)) => words("consent-changed"),
        },
    };
    let html = state.pages.render(&visitor.frame(Nav::None), &page);
    in_launch(html, &question.badges, &question.redirect_uri)
}

/// Whose data it is. A FHIR server that does not answer leaves the number, which the person may still know.
async fn patient_card(state: &AppState, visitor: &Visitor, question: &Question) -> PatientCard {
    let Some(id) = &question.patient else { return PatientCard::default() };
    match patients::patient(&state.app, &question.endpoint, id).await {
        Ok(view) => {
            let row = patient_row(&view, visitor);
            PatientCard { name: row.name, birth_date: row.birth_date, identifier: row.identifier }
        }
        Err(error) => {
            tracing::warn!(%error, endpoint = question.endpoint.id.as_str(), "a patient could not be read");
            PatientCard { name: id.clone(), ..PatientCard::default() }
        }
    }
}

/// The visit the app opens with, as the picker told it; the number alone where it cannot be read, or is not for this person to read about.
async fn visit_card(state: &AppState, visitor: &Visitor, question: &Question) -> VisitCard {
    let Some(id) = &question.encounter else { return VisitCard::default() };
    let whose = (question.user.as_ref(), question.patient.as_deref());
    let found = records::visit_in_context(&state.app, &question.endpoint, whose, id).await.unwrap_or_else(|error| {
        tracing::warn!(%error, endpoint = question.endpoint.id.as_str(), "a visit could not be read");
        None
    });
    let a_visit = || state.pages.text(visitor.lang, "record-visit", &[]).unwrap_or_default();
    let Some(visit) = found else { return VisitCard { title: a_visit(), id: id.clone(), ..VisitCard::default() } };
    let row = record_row(state, visitor, &visit);
    let (title, class) = match (row.title.is_empty(), row.class.is_empty()) {
        (false, _) => (row.title, row.class),
        (true, false) => (row.class, String::new()),
        (true, true) => (a_visit(), String::new()),
    };
    VisitCard { title, class, when: row.when, until: row.until, id: String::new() }
}

/// Ticks what the person had ticked, and nothing else.
fn tick_as_answered(groups: &mut [ScopeGroup], answer: &Answer) {
    let was_ticked =
        |literals: &str| literals.split(' ').all(|one| answer.scopes.split(' ').any(|ticked| ticked == one));
    for line in groups.iter_mut().flat_map(|group| &mut group.lines).filter(|line| !line.fixed) {
        line.ticked = was_ticked(&line.scope);
        for choice in &mut line.choices {
            choice.ticked = was_ticked(&choice.scope);
        }
    }
}

/// Marks what is no choice, and offers the narrower choices: by kind of data under a wildcard, by category where US Core names categories.
fn with_choices(mut groups: Vec<ScopeGroup>, shown: &ScopeSet, lang: describe::Lang) -> Vec<ScopeGroup> {
    for line in groups.iter_mut().flat_map(|group| &mut group.lines) {
        let literals: Vec<&str> = line.scope.split(' ').collect();
        // scopes of one line differ in their letters at most
        let right = shown
            .iter()
            .filter(|scope| literals.contains(&scope.literal()))
            .filter_map(Scope::resource)
            .cloned()
            .reduce(|one, other| ResourceScope { permissions: one.permissions | other.permissions, ..one });
        line.fixed = right.is_none();
        line.choices = right.map(|right| choices(&right, shown.release(), lang)).unwrap_or_default();
    }
    groups
}

/// Kinds of data a person knows by name, offered under a wildcard beside those of US Core.
const MORE_KINDS: [&str; 3] = ["Appointment", "MedicationAdministration", "MedicationStatement"];

/// What may be chosen instead of the whole. Every choice is within what was asked; the words of the first version know no limits, so a category is told in the
/// second.
fn choices(right: &ResourceScope, release: Release, lang: describe::Lang) -> Vec<ScopeChoice> {
    if !right.limit.is_none() {
        return Vec::new();
    }
    match right.types {
        TypeSelector::One(kind) => categories(right, kind, release, lang)
            .into_iter()
            .map(|(scope, text)| ScopeChoice { scope, text: text.to_owned(), ticked: false })
            .collect(),
        TypeSelector::All => {
            let names = us_core::RESOURCE_LEVEL.iter().filter_map(|scope| scope.split('.').next()).chain(MORE_KINDS);
            let mut kinds: Vec<(&str, ResourceType)> = names
                .filter_map(|name| ResourceType::parse(name, release))
                .map(|kind| (describe::about(kind).name(lang), kind))
                .collect();
            kinds.sort_unstable_by_key(|(name, _)| name.to_lowercase());
            kinds
                .into_iter()
                .flat_map(|(name, kind)| {
                    let whole = ResourceScope { types: TypeSelector::One(kind), ..right.clone() };
                    let parts = categories(&whole, kind, release, lang).into_iter().map(|(scope, text)| ScopeChoice {
                        scope,
                        text: format!("{name}: {text}"),
                        ticked: false,
                    });
                    let whole = ScopeChoice { scope: whole.to_string(), text: name.to_owned(), ticked: false };
                    std::iter::once(whole).chain(parts.collect::<Vec<_>>())
                })
                .collect()
        }
    }
}

/// The categories that a patient can choose (US Core "granular scopes", ONC 170.315(g)(10)): literal scope and name.
fn categories(
    right: &ResourceScope,
    kind: ResourceType,
    release: Release,
    lang: describe::Lang,
) -> Vec<(String, &'static str)> {
    known_limits(kind)
        .filter(|known| known.us_core || known.query == PROCEDURE)
        .filter_map(|known| {
            let narrower = ResourceScope { limit: known.limit(release)?, dialect: Dialect::V2, ..right.clone() };
            Some((narrower.to_string(), known.name(lang)))
        })
        .collect()
}

/// US Core 9 has profiles for results of procedures, and so a category to choose.
const PROCEDURE: &str = "category=http://terminology.hl7.org/CodeSystem/observation-category|procedure";

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
        shown: field(&fields, "shown").to_owned(),
    };
    let next = interaction::decide(&state.app, step.at(&slug), person, answer).await;
    show(&state, &visitor, (&slug, &step), next).await
}
