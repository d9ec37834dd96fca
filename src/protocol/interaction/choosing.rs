//! Whose data: the choice of a patient, offered and checked again when it comes back.

use std::sync::Arc;

use fhir_scopes::NonResource;

use super::super::authorize::Stop;
use super::super::patients;
use super::steps::take_up;
use super::{PatientChoice, Person, Underway, load, save};
use crate::app::App;
use crate::domain::accounts::FhirUser;
use crate::outbound::fhir::FhirReadError;

pub(super) enum Choice {
    Ask(Box<PatientChoice>),
    Nobody,
}

/// Must somebody choose a patient? Settles it silently for a person with exactly one.
pub(super) fn patient_choice(underway: &mut Underway, user: Option<&FhirUser>) -> Option<Choice> {
    let accepted = underway.accepted();
    let wants_patient = accepted.has_patient_level() || accepted.has(NonResource::LAUNCH_PATIENT);
    if !wants_patient || underway.context().patient.is_some() {
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
pub async fn choose_patient(
    app: &Arc<App>,
    slug: &str,
    flow: &str,
    person: Person<'_>,
    patient: &str,
) -> Result<(), Stop> {
    let mut underway = load(app, slug, flow).await?;
    let user = take_up(app, &underway, person).await?;
    let Some(Choice::Ask(choice)) = patient_choice(&mut underway, user.as_ref()) else { return Ok(()) };
    let is_allowed = match &choice.patients {
        Some(patients) => patients.iter().any(|one| one.patient == patient),
        None => match patients::patient(app, &choice.endpoint, patient).await {
            Ok(found) => found.id == patient,
            Err(FhirReadError::NotFound | FhirReadError::Refused(_)) => false,
            Err(FhirReadError::Down(_) | FhirReadError::Malformed(_)) => {
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
