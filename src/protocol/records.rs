//! Records that a person may choose as context of a standalone launch: visits (`launch/encounter`) and whatever else an app asks for with `launch/<type>`.
//!
//! One table-free rule says where the records of a type are found ([`Way`]), from what FHIR itself says of the type: those of a patient through the parameter that
//! names their subject, directories by name, a clinician's own. What no rule reaches is not offered, and its scope is not granted.
//!
//! The organization's server reads with its own right, so it is this module that keeps the choice to what the person is here for: records about the patient in
//! context, checked on the record itself and not only in the question; and none that is labelled restricted, unless a clinician asks.

use std::sync::Arc;

use fhir_scopes::compartment::{Compartment, CompartmentMode, PatientClass, parameters, patient_class};
use fhir_scopes::{Release, ResourceType};
use futures_util::future::join_all;

use super::reading::reader;
use crate::app::App;
use crate::domain::accounts::FhirUser;
use crate::domain::launch_context::is_logical_id;
use crate::domain::organizations::FhirEndpoint;
use crate::outbound::fhir::client::typed_value;
use crate::outbound::fhir::records::RecordView;
use crate::outbound::fhir::views::PatientView;
use crate::outbound::fhir::{FhirReadError, R4};

/// How many records a page of the picker shows.
pub const PAGE: usize = 50;

/// Where records of a type are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Among the patients this person may choose.
    Patients,
    /// Through this search parameter, whose value is the patient.
    OfPatient(&'static str),
    /// In a directory, by this search parameter for its name.
    Directory(&'static str),
    /// It is the clinician's own: nothing to search.
    Own,
}

/// Directories and knowledge, with the search parameter for their names.
const DIRECTORIES: &[(&str, &str)] = &[
    ("ActivityDefinition", "title"),
    ("HealthcareService", "name"),
    ("Library", "title"),
    ("Location", "name"),
    ("Measure", "title"),
    ("Organization", "name"),
    ("PlanDefinition", "title"),
    ("Practitioner", "name"),
    ("Questionnaire", "title"),
];

/// Parameters that say whom a record is about, the plainest first.
const SUBJECTS: [&str; 6] = ["patient", "subject", "individual", "beneficiary", "candidate", "actor"];

/// The way to records of a type; `None`: there is none here.
pub fn way(kind: ResourceType, release: Release, user: Option<&FhirUser>) -> Option<Way> {
    if kind == ResourceType::PATIENT {
        return Some(Way::Patients);
    }
    if own_id(kind, user).is_some() {
        return Some(Way::Own);
    }
    if let Some((_, parameter)) = DIRECTORIES.iter().find(|(name, _)| *name == kind.name()) {
        return Some(Way::Directory(parameter));
    }
    match patient_class(kind, release) {
        PatientClass::Member => {
            let own: Vec<&str> = parameters(ResourceType::PATIENT, kind, release).collect();
            SUBJECTS.into_iter().find(|subject| own.contains(subject)).map(Way::OfPatient)
        }
        PatientClass::ViaPatient => Some(Way::OfPatient("patient")),
        _ => None,
    }
}

/// The clinician's own resource, if it is of this type.
pub fn own_id(kind: ResourceType, user: Option<&FhirUser>) -> Option<&str> {
    let (own, id) = user.filter(|user| user.is_clinician())?.reference.split_once('/')?;
    (own == kind.name()).then_some(id)
}

/// Whose records, for whom.
#[derive(Clone, Copy, Debug)]
pub struct Seeker<'a> {
    /// Which type.
    pub kind: ResourceType,
    /// The way to them.
    pub way: Way,
    /// The patient in context.
    pub patient: Option<&'a str>,
    /// Who chooses; `None`: nobody the organization knows by a FHIR resource.
    pub user: Option<&'a FhirUser>,
}

/// Records to choose from.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// At most [`PAGE`].
    pub records: Vec<RecordView>,
    /// There are more.
    pub more: bool,
}

/// The records a person may choose from, newest first. `typed` narrows: a day for a patient's records, a name in a directory.
pub async fn search(
    app: &Arc<App>,
    endpoint: &FhirEndpoint,
    seeker: Seeker<'_>,
    typed: &str,
) -> Result<Found, FhirReadError> {
    let typed = typed.trim();
    let mut criteria: Vec<(&str, String)> = Vec::new();
    match (seeker.way, seeker.patient) {
        (Way::OfPatient(parameter), Some(patient)) => {
            criteria.push((parameter, format!("Patient/{patient}")));
            if super::patients::is_day(typed) && seeker.kind == ResourceType::ENCOUNTER {
                criteria.push(("date", typed.to_owned()));
            }
            if seeker.kind == ResourceType::ENCOUNTER {
                criteria.push(("_sort", "-date".to_owned()));
            }
        }
        (Way::Directory(parameter), _) if !typed.is_empty() => criteria.push((parameter, typed_value(typed, false))),
        (Way::Directory(_), _) => {}
        (Way::Patients, _) => return patients_found(app, endpoint, seeker.user, typed).await,
        (Way::OfPatient(_), None) | (Way::Own, _) => return Ok(Found::default()),
    }
    let client = reader(app, endpoint, seeker.kind.name()).await?;
    let asked = client.search(seeker.kind.name(), &criteria, PAGE + 1).await;
    let resources = match asked {
        // not every server sorts: the order of its first page is then its own, and ours within it
        Err(FhirReadError::Refused(400)) if criteria.iter().any(|(name, _)| *name == "_sort") => {
            criteria.retain(|(name, _)| *name != "_sort");
            client.search(seeker.kind.name(), &criteria, PAGE + 1).await?
        }
        asked => asked?,
    };
    let more = resources.len() > PAGE;
    let mut records: Vec<RecordView> =
        resources.iter().take(PAGE).filter_map(|resource| offered(endpoint, seeker, resource)).collect();
    match seeker.way {
        Way::Directory(_) => records.sort_by_key(|record| record.title.to_lowercase()),
        // what still goes on comes first, then the newest: FHIR's dates sort as text
        Way::OfPatient(_) | Way::Patients | Way::Own => {
            records.sort_by(|a, b| {
                let place = |record: &RecordView| record.status != "in-progress";
                place(a).cmp(&place(b)).then_with(|| b.date.cmp(&a.date))
            });
        }
    }
    Ok(Found { records, more })
}

/// Whose a visit is, as it says itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// This patient's.
    Patient(String),
    /// A patient's whom another server keeps.
    Elsewhere,
    /// No single patient's: a group's, or it does not say.
    Nobody,
}

/// Whose a visit is. Read with the organization's own right: who may know it is the caller's question.
pub async fn subject_of_visit(app: &Arc<App>, endpoint: &FhirEndpoint, id: &str) -> Result<Subject, FhirReadError> {
    let kind = ResourceType::ENCOUNTER.name();
    let visit = reader(app, endpoint, kind).await?.read_resource(kind, id).await?;
    let Some(reference) = visit.text(&["subject", "reference"]) else { return Ok(Subject::Nobody) };
    let bases = std::iter::once(&endpoint.base_url).chain(&endpoint.settings.aliases);
    let own = reference.strip_prefix("Patient/").or_else(|| {
        bases.into_iter().find_map(|base| reference.strip_prefix(base.trim_end_matches('/'))?.strip_prefix("/Patient/"))
    });
    Ok(match own.and_then(|rest| rest.split('/').next()).filter(|id| is_logical_id(id)) {
        Some(patient) => Subject::Patient(patient.to_owned()),
        None if reference.contains("Patient/") => Subject::Elsewhere,
        None => Subject::Nobody,
    })
}

/// The visit of a launch, for the page on which its patient is shown; `None` if it is not for this person to read about.
pub async fn visit_in_context(
    app: &Arc<App>,
    endpoint: &FhirEndpoint,
    (user, patient): (Option<&FhirUser>, Option<&str>),
    id: &str,
) -> Result<Option<RecordView>, FhirReadError> {
    let kind = ResourceType::ENCOUNTER;
    let Some(way) = way(kind, endpoint.release, user) else { return Ok(None) };
    let client = reader(app, endpoint, kind.name()).await?;
    let visit = client.read_resource(kind.name(), id).await?;
    Ok(offered(endpoint, Seeker { kind, way, patient, user }, &visit))
}

/// Is this the id of a record that may be chosen? Asked of the FHIR server again, whatever the page showed (SMART-LC-15).
pub async fn may_be_chosen(
    app: &Arc<App>,
    endpoint: &FhirEndpoint,
    seeker: Seeker<'_>,
    id: &str,
) -> Result<bool, FhirReadError> {
    match (seeker.way, seeker.user) {
        (Way::Own, user) => return Ok(own_id(seeker.kind, user) == Some(id)),
        (Way::Patients, None) => return Ok(false),
        (Way::Patients, Some(user)) if !user.is_clinician() => {
            return Ok(user.patients.iter().any(|one| one.patient == id));
        }
        (Way::Patients | Way::OfPatient(_) | Way::Directory(_), _) => {}
    }
    let client = reader(app, endpoint, seeker.kind.name()).await?;
    match client.read_resource(seeker.kind.name(), id).await {
        Ok(resource) => Ok(offered(endpoint, seeker, &resource).is_some()),
        Err(FhirReadError::NotFound | FhirReadError::Refused(403 | 404 | 410)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A record as it is offered; `None` if it is not this person's to choose.
fn offered(endpoint: &FhirEndpoint, seeker: Seeker<'_>, resource: &R4) -> Option<RecordView> {
    let view = RecordView::of(resource)?;
    let is_clinician = seeker.user.is_some_and(FhirUser::is_clinician);
    if view.is_void() || (view.restricted && !is_clinician) {
        return None;
    }
    match (seeker.way, seeker.patient) {
        (Way::OfPatient(_), Some(patient)) => is_about(endpoint, resource, patient).then_some(view),
        (Way::Directory(_) | Way::Patients, _) => Some(view),
        (Way::OfPatient(_), None) | (Way::Own, _) => None,
    }
}

/// Patients in a role of their own (`launch/patient?role=`): those the person may choose anyway.
async fn patients_found(
    app: &Arc<App>,
    endpoint: &FhirEndpoint,
    user: Option<&FhirUser>,
    typed: &str,
) -> Result<Found, FhirReadError> {
    let Some(user) = user else { return Ok(Found::default()) };
    let mut found = Found::default();
    let record = |patient: PatientView| RecordView {
        title: patient.name,
        date: patient.birth_date.unwrap_or_default(),
        id: patient.id,
        ..RecordView::default()
    };
    if user.is_clinician() {
        let patients = super::patients::search(app, endpoint, typed).await?;
        found.more = patients.len() > super::patients::PAGE;
        found.records = patients.into_iter().take(super::patients::PAGE).map(record).collect();
        return Ok(found);
    }
    let views = user.patients.iter().map(|one| super::patients::patient(app, endpoint, &one.patient));
    for view in join_all(views).await {
        found.records.push(record(view?));
    }
    Ok(found)
}

/// Does the record itself say that it is about this patient? A server that ignored our criterion must not decide.
fn is_about(endpoint: &FhirEndpoint, resource: &R4, patient: &str) -> bool {
    let compartment = Compartment {
        release: endpoint.release,
        owner: ResourceType::PATIENT,
        id: patient,
        mode: CompartmentMode::Subject,
        base: Some(&endpoint.base_url),
    };
    let Some(json) = resource.try_value() else { return false };
    if compartment.contains(&json) {
        return true;
    }
    // types outside the compartment that have a `patient` parameter all the same (Task, Device)
    let whole = [format!("Patient/{patient}"), format!("{}/Patient/{patient}", endpoint.base_url)];
    let kind = ResourceType::parse_any(resource.resource_type());
    kind.is_some_and(|kind| patient_class(kind, endpoint.release) == PatientClass::ViaPatient)
        && ["patient", "for", "subject"]
            .iter()
            .any(|member| json[*member]["reference"].as_str().is_some_and(|text| whole.iter().any(|own| own == text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, user: Option<&FhirUser>) -> Option<Way> {
        way(ResourceType::parse(name, Release::R4).unwrap(), Release::R4, user)
    }

    #[test]
    fn every_kind_of_record_has_its_way_or_none() {
        let doctor = FhirUser { reference: "Practitioner/7".into(), patients: Vec::new() };
        let nurse = FhirUser { reference: "PractitionerRole/9".into(), patients: Vec::new() };
        for (name, user, expected) in [
            ("Encounter", None, Some(Way::OfPatient("patient"))),
            ("RelatedPerson", None, Some(Way::OfPatient("patient"))),
            ("ImagingStudy", None, Some(Way::OfPatient("patient"))),
            ("QuestionnaireResponse", None, Some(Way::OfPatient("subject"))),
            ("Coverage", None, Some(Way::OfPatient("beneficiary"))),
            ("Appointment", None, Some(Way::OfPatient("actor"))),
            ("Device", None, Some(Way::OfPatient("patient"))),
            ("Task", None, Some(Way::OfPatient("patient"))),
            ("Location", None, Some(Way::Directory("name"))),
            ("Questionnaire", None, Some(Way::Directory("title"))),
            ("Practitioner", None, Some(Way::Directory("name"))),
            ("Practitioner", Some(&doctor), Some(Way::Own)),
            ("PractitionerRole", Some(&doctor), None),
            ("PractitionerRole", Some(&nurse), Some(Way::Own)),
            ("Patient", None, Some(Way::Patients)),
            ("Binary", None, None),
            ("Subscription", None, None),
        ] {
            assert_eq!(of(name, user), expected, "{name}");
        }
    }
}
