//! Whose data, and what else the app opens with: choices that are offered, and checked again when they come back.
//!
//! First the patient; then, in a standalone launch, a visit (`launch/encounter`) and every other record that was asked for with `launch/<type>`. Where there is
//! exactly one to choose from, nobody is asked. Where there is none, the person is told for a visit, which an app asks for because it cannot work without; for the
//! rest the scope is simply not granted. SMART leaves it to the server which context it provides: a person may always go on without.
//!
//! In an EHR launch the EHR knows the context; `launch/...` beside `launch` is a hint, and what the EHR did not say is not asked (SMART-LC-03).

use std::sync::Arc;

use fhir_scopes::compartment::{PatientClass, patient_class};
use fhir_scopes::{NonResource, ResourceType, ScopeKind};
use serde::{Deserialize, Serialize};

use super::super::authorize::{Badges, Stop};
use super::super::records::{self, Found, Seeker, Way, own_id, way};
use super::super::{consent, patients};
use super::steps::take_up;
use super::{At, Person, Underway, load, save};
use crate::app::App;
use crate::domain::accounts::{FhirUser, UserPatient};
use crate::domain::launch_context::{ContextItem, is_absolute_uri};
use crate::domain::organizations::FhirEndpoint;
use crate::outbound::fhir::FhirReadError;

/// A choice of patient.
#[derive(Clone, Debug)]
pub struct PatientChoice {
    /// Names for the page.
    pub badges: Badges,
    /// Where the app is.
    pub redirect_uri: String,
    /// Whose patients.
    pub endpoint: FhirEndpoint,
    /// The patients of this person; `None` for a clinician, who searches.
    pub patients: Option<Vec<UserPatient>>,
}

/// A choice of another record: a visit, a person, a place, ...
#[derive(Clone, Debug)]
pub struct RecordChoice {
    /// Names for the page.
    pub badges: Badges,
    /// Where the app is.
    pub redirect_uri: String,
    /// Whose records.
    pub endpoint: FhirEndpoint,
    /// Which of the choices it is: the scope as asked.
    pub key: String,
    /// Of which type.
    pub kind: ResourceType,
    /// In which role, if the app named one.
    pub role: Option<String>,
    /// Where they are found.
    pub way: Way,
    /// About which patient.
    pub patient: Option<String>,
    /// Another patient can be chosen instead.
    pub other_patient: bool,
    /// What there is; `None`: the FHIR server does not answer.
    pub found: Option<Found>,
}

/// What became of one choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Pick {
    /// This one.
    Chosen(String),
    /// Nothing: the person goes on without, or there is nothing to choose from.
    Without,
}

/// A record that the app asked for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// The scope as asked.
    pub(super) key: String,
    /// Its type.
    pub(super) kind: ResourceType,
    /// Its role, other than `launch`.
    pub(super) role: Option<String>,
}

impl Wanted {
    fn is_the_encounter(&self) -> bool {
        self.kind == ResourceType::ENCOUNTER && self.role.is_none()
    }
}

pub(super) enum Choice {
    Ask(Box<PatientChoice>),
    Nobody,
}

impl Underway {
    /// The patient of the launch is asked for.
    fn wants_patient(&self, user: Option<&FhirUser>) -> bool {
        let accepted = self.accepted();
        let has_launch_patient = accepted
            .iter()
            .any(|scope| *scope.kind() == ScopeKind::Plain(NonResource::LAUNCH_PATIENT) && scope.own_role().is_none());
        // records of a patient need one first
        let needs_one = self.request.launch.is_none()
            && self
                .wanted()
                .iter()
                .any(|wanted| matches!(way(wanted.kind, self.endpoint.release, user), Some(Way::OfPatient(_))));
        accepted.has_patient_level() || has_launch_patient || needs_one
    }

    /// The EHR said a visit, or a record of the kind that is about a patient.
    fn opens_with_a_record(&self) -> bool {
        let said = &self.request.context;
        let is_about_a_patient = |item: &ContextItem| {
            let kind = item.type_name().and_then(ResourceType::parse_any).filter(|kind| *kind != ResourceType::PATIENT);
            kind.is_some_and(|kind| {
                matches!(patient_class(kind, self.endpoint.release), PatientClass::Member | PatientClass::ViaPatient)
            })
        };
        said.encounter.is_some() || said.fhir_context.iter().any(is_about_a_patient)
    }

    /// The records asked for, in the order asked. The patient of the launch is none of them.
    pub(super) fn wanted(&self) -> Vec<Wanted> {
        let accepted = self.accepted();
        let launch_scopes = accepted.iter().filter_map(|scope| match scope.kind() {
            ScopeKind::Plain(NonResource::LaunchFor(kind)) => {
                let role = scope.own_role().map(str::to_owned);
                Some(Wanted { key: scope.literal().to_owned(), kind: *kind, role })
            }
            _ => None,
        });
        launch_scopes.filter(|wanted| wanted.kind != ResourceType::PATIENT || wanted.role.is_some()).collect()
    }

    /// The visit that was chosen.
    pub(super) fn chosen_encounter(&self) -> Option<String> {
        self.wanted().iter().filter(|wanted| wanted.is_the_encounter()).find_map(|wanted| {
            match self.progress.picked.get(&wanted.key)? {
                Pick::Chosen(id) => Some(id.clone()),
                Pick::Without => None,
            }
        })
    }

    /// The other records that were chosen, each in its role.
    pub(super) fn chosen_items(&self) -> Vec<ContextItem> {
        let mut items: Vec<ContextItem> = Vec::new();
        for wanted in self.wanted().iter().filter(|wanted| !wanted.is_the_encounter()) {
            let Some(Pick::Chosen(id)) = self.progress.picked.get(&wanted.key) else { continue };
            let item = ContextItem {
                reference: Some(format!("{}/{id}", wanted.kind)),
                // only an absolute URI may be said back; another role is answered without
                role: wanted.role.clone().filter(|role| is_absolute_uri(role)),
                ..ContextItem::default()
            };
            if !items.contains(&item) {
                items.push(item);
            }
        }
        items
    }
}

/// Must somebody choose a patient? Settles it silently for a person with exactly one.
///
/// Nobody chooses one for a visit or a record that the EHR opened without saying whose it is: it is not another patient's.
pub(super) fn patient_choice(underway: &mut Underway, user: Option<&FhirUser>) -> Option<Choice> {
    let is_settled = underway.context().patient.is_some() || underway.opens_with_a_record();
    if !underway.wants_patient(user) || is_settled {
        return None;
    }
    let patients = match user {
        Some(user) if user.is_clinician() => None,
        Some(user) => Some(user.patients.clone()),
        None => Some(Vec::new()),
    };
    match patients.as_deref() {
        Some([]) => return Some(Choice::Nobody),
        Some([only]) => {
            underway.progress.patient = Some(only.patient.clone());
            return None;
        }
        Some(_) | None => {}
    }
    Some(Choice::Ask(Box::new(PatientChoice {
        badges: underway.asker.badges.clone(),
        redirect_uri: underway.request.redirect_uri.clone(),
        endpoint: underway.endpoint.clone(),
        patients,
    })))
}

/// A patient was chosen: checked again, whatever the page showed (SMART-LC-15).
pub async fn choose_patient(app: &Arc<App>, at: At<'_>, person: Person<'_>, patient: &str) -> Result<(), Stop> {
    let mut underway = load(app, at).await?;
    let user = take_up(app, &underway, person).await?;
    let Some(Choice::Ask(choice)) = patient_choice(&mut underway, user.as_ref()) else { return Ok(()) };
    let is_allowed = match &choice.patients {
        Some(patients) => patients.iter().any(|one| one.patient == patient),
        None => match patients::patient(app, &choice.endpoint, patient).await {
            Ok(found) => found.id == patient,
            Err(FhirReadError::NotFound | FhirReadError::Refused(403)) => false,
            Err(error) => {
                tracing::warn!(%error, endpoint = choice.endpoint.id.as_str(), "a patient could not be read");
                return Err(Stop::FhirUnavailable(choice.badges.clone()));
            }
        },
    };
    if !is_allowed {
        return Err(Stop::NotOffered);
    }
    underway.progress.patient = Some(patient.to_owned());
    save(app, &underway).await
}

/// "Another patient": what was chosen about the one before is forgotten.
pub async fn choose_again(app: &Arc<App>, at: At<'_>, person: Person<'_>) -> Result<(), Stop> {
    let mut underway = load(app, at).await?;
    take_up(app, &underway, person).await?;
    underway.progress.patient = None;
    underway.progress.picked.clear();
    save(app, &underway).await
}

/// The next record that somebody must choose. What needs no choice is settled on the way, and written down.
pub(super) async fn record_choice(
    app: &Arc<App>,
    underway: &mut Underway,
    user: Option<&FhirUser>,
    typed: &str,
) -> Result<Option<RecordChoice>, Stop> {
    let mut has_news = false;
    let mut asked = None;
    for wanted in open_choices(underway) {
        match one_record(app, underway, user, (&wanted, typed)).await {
            Settled::Pick(pick) => {
                underway.progress.picked.insert(wanted.key, pick);
                has_news = true;
            }
            Settled::Ask(choice) => {
                asked = Some(*choice);
                break;
            }
        }
    }
    if has_news {
        save(app, underway).await?;
    }
    Ok(asked)
}

fn open_choices(underway: &Underway) -> Vec<Wanted> {
    // the EHR has said what is in context
    if underway.request.launch.is_some() {
        return Vec::new();
    }
    underway.wanted().into_iter().filter(|wanted| !underway.progress.picked.contains_key(&wanted.key)).collect()
}

enum Settled {
    Pick(Pick),
    Ask(Box<RecordChoice>),
}

/// Where this person may look for a record that was asked for; `None`: nowhere.
fn seeker<'a>(
    underway: &Underway,
    wanted: &Wanted,
    (user, patient): (Option<&'a FhirUser>, Option<&'a str>),
) -> Option<Seeker<'a>> {
    let way = way(wanted.kind, underway.endpoint.release, user)?;
    // a patient or an encounter can only be told with a role that may be said back (SMART-LC-08)
    let needs_role = matches!(wanted.kind, ResourceType::PATIENT | ResourceType::ENCOUNTER);
    if needs_role && wanted.role.as_deref().is_some_and(|role| !is_absolute_uri(role)) {
        return None;
    }
    if matches!(way, Way::OfPatient(_)) && patient.is_none() {
        return None;
    }
    Some(Seeker { kind: wanted.kind, way, patient, user })
}

async fn one_record(
    app: &Arc<App>,
    underway: &Underway,
    user: Option<&FhirUser>,
    (wanted, typed): (&Wanted, &str),
) -> Settled {
    let patient = underway.context().patient;
    let Some(seeker) = seeker(underway, wanted, (user, patient.as_deref())) else {
        return Settled::Pick(Pick::Without);
    };
    if let Some(own) = own_id(seeker.kind, user) {
        return Settled::Pick(Pick::Chosen(own.to_owned()));
    }
    let is_the_encounter = wanted.is_the_encounter();
    let found = match records::search(app, &underway.endpoint, seeker, typed).await {
        Ok(found) => {
            if let ([only], false, "") = (found.records.as_slice(), found.more, typed.trim()) {
                return Settled::Pick(Pick::Chosen(only.id.clone()));
            }
            if found.records.is_empty() && typed.trim().is_empty() && !is_the_encounter {
                return Settled::Pick(Pick::Without);
            }
            Some(found)
        }
        // this server has no such records, or no way to search them
        Err(FhirReadError::NotFound | FhirReadError::Refused(400 | 403 | 405)) if !is_the_encounter => {
            return Settled::Pick(Pick::Without);
        }
        Err(error) => {
            tracing::warn!(%error, endpoint = underway.endpoint.id.as_str(), kind = wanted.kind.name(), "records could not be read");
            None
        }
    };
    let chooses_patients = user.is_some_and(|user| user.is_clinician() || user.patients.len() > 1);
    Settled::Ask(Box::new(RecordChoice {
        badges: underway.asker.badges.clone(),
        redirect_uri: underway.request.redirect_uri.clone(),
        endpoint: underway.endpoint.clone(),
        key: wanted.key.clone(),
        kind: wanted.kind,
        role: wanted.role.clone(),
        way: seeker.way,
        other_patient: matches!(seeker.way, Way::OfPatient(_))
            && underway.progress.patient.is_some()
            && chooses_patients,
        patient,
        found,
    }))
}

/// A record was chosen, or the person goes on without (`None`): checked again, whatever the page showed (SMART-LC-15).
pub async fn choose_record(
    app: &Arc<App>,
    at: At<'_>,
    person: Person<'_>,
    (key, id): (&str, Option<&str>),
) -> Result<(), Stop> {
    let mut underway = load(app, at).await?;
    let user = take_up(app, &underway, person).await?;
    if patient_choice(&mut underway, user.as_ref()).is_some() {
        return Err(Stop::NotOffered);
    }
    let Some(wanted) = open_choices(&underway).into_iter().find(|wanted| wanted.key == key) else { return Ok(()) };
    let pick = match id {
        None => Pick::Without,
        Some(id) => {
            let patient = underway.context().patient;
            let seeker = seeker(&underway, &wanted, (user.as_ref(), patient.as_deref())).ok_or(Stop::NotOffered)?;
            match records::may_be_chosen(app, &underway.endpoint, seeker, id).await {
                Ok(true) => Pick::Chosen(id.to_owned()),
                Ok(false) => return Err(Stop::NotOffered),
                Err(error) => {
                    tracing::warn!(%error, endpoint = underway.endpoint.id.as_str(), "a record could not be read");
                    return Err(Stop::FhirUnavailable(underway.asker.badges.clone()));
                }
            }
        }
    };
    underway.progress.picked.insert(wanted.key, pick);
    save(app, &underway).await
}

/// Are the choices still this person's to make, at the moment of the grant? Somebody may have lost a patient since they chose.
pub(super) fn are_still_allowed(underway: &Underway, user: Option<&FhirUser>) -> bool {
    let Some(chosen) = &underway.progress.patient else { return true };
    user.is_some_and(|user| user.is_clinician() || user.has_patient(chosen))
}

/// What can be granted with what was chosen.
pub(super) fn candidate(underway: &Underway, user: Option<&FhirUser>) -> fhir_scopes::ScopeSet {
    consent::candidate(&underway.accepted(), &underway.asker.metadata, user, &underway.context())
}
