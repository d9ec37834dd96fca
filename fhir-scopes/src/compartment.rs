//! Whose resource is it? Compartments as the CompartmentDefinitions draw them, and how each type stands to a patient.
//!
//! Two modes, because the definition is wide: it puts a record about someone else into the compartment of the person who wrote,
//! received or paid for it (`Observation.performer`, `Communication.recipient`, `Coverage.subscriber`).
//!
//! - [`CompartmentMode::Spec`]: as HL7 says; what conformance tests expect.
//! - [`CompartmentMode::Subject`]: only the parameters `patient`, `subject`, `individual`, `beneficiary`, `candidate`, and `actor`
//!   of Appointment and Schedule. No Group membership, no `Patient.link`.
//!
//! A decision about `patient/` scopes never follows `Patient.link`: the launch patient is one Patient resource.

use crate::matches::{Context, ResourceView, points_at, text_of, type_of, walk};
use crate::{Release, ResourceType, tables};

/// Which parameters put a resource into a patient's compartment.
///
/// ```
/// assert_eq!(fhir_scopes::compartment::CompartmentMode::default(), fhir_scopes::compartment::CompartmentMode::Spec);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum CompartmentMode {
    /// All that the CompartmentDefinition of the release lists.
    #[default]
    Spec,
    /// Only those that say whom the record is about.
    Subject,
}

/// How a type stands to a patient.
///
/// ```
/// use fhir_scopes::{Release, ResourceType, compartment::{PatientClass, patient_class}};
/// let class = |name| patient_class(ResourceType::parse(name, Release::R4).unwrap(), Release::R4);
/// assert_eq!(class("Observation"), PatientClass::Member);
/// assert_eq!(class("Device"), PatientClass::ViaPatient);
/// assert_eq!(class("Medication"), PatientClass::Shared);
/// assert_eq!(class("Subscription"), PatientClass::Withheld);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PatientClass {
    /// In the patient compartment, the Patient itself included.
    Member,
    /// Outside the compartment, but with a `patient` parameter.
    ViaPatient,
    /// Knowledge and directories: readable under a patient scope, never writable.
    Shared,
    /// May hold anyone's data: nothing under a patient scope without a rule of its own.
    Withheld,
}

/// How a type stands to a patient in a release. A type that the release or the build does not know is withheld.
///
/// ```
/// use fhir_scopes::{Release, ResourceType, compartment::{PatientClass, patient_class}};
/// assert_eq!(patient_class(ResourceType::PATIENT, Release::R4), PatientClass::Member);
/// ```
pub fn patient_class(one: ResourceType, release: Release) -> PatientClass {
    match tables::class(release, one).0 {
        1 => PatientClass::Member,
        2 => PatientClass::ViaPatient,
        3 => PatientClass::Shared,
        _ => PatientClass::Withheld,
    }
}

const OWNERS: [&str; 5] = ["Patient", "Encounter", "Practitioner", "RelatedPerson", "Device"];

/// Where the compartment of an owner type stands in the tables; only five types own one.
fn place(owner: ResourceType) -> Option<usize> {
    OWNERS.iter().position(|name| *name == owner.name())
}

/// Whether a type owns compartments.
///
/// ```
/// use fhir_scopes::{ResourceType, compartment::is_owner};
/// assert!(is_owner(ResourceType::ENCOUNTER));
/// assert!(!is_owner(ResourceType::OBSERVATION));
/// ```
pub fn is_owner(one: ResourceType) -> bool {
    place(one).is_some()
}

/// Whether resources of a type can be in a compartment of this owner type.
///
/// ```
/// use fhir_scopes::{Release, ResourceType, compartment::is_member_type};
/// assert!(is_member_type(ResourceType::PATIENT, ResourceType::OBSERVATION, Release::R4));
/// let medication = ResourceType::parse("Medication", Release::R4).unwrap();
/// assert!(!is_member_type(ResourceType::PATIENT, medication, Release::R4));
/// ```
pub fn is_member_type(owner: ResourceType, one: ResourceType, release: Release) -> bool {
    place(owner).is_some_and(|place| {
        owner == one && one.is_in(release) || tables::compartment(release, place, one).next().is_some()
    })
}

/// The search parameters that put a type into a compartment of this owner type.
///
/// ```
/// use fhir_scopes::{Release, ResourceType, compartment::parameters};
/// let names: Vec<_> = parameters(ResourceType::PATIENT, ResourceType::OBSERVATION, Release::R4).collect();
/// assert_eq!(names, ["performer", "subject"]);
/// ```
pub fn parameters(owner: ResourceType, one: ResourceType, release: Release) -> impl Iterator<Item = &'static str> {
    place(owner).into_iter().flat_map(move |place| tables::compartment(release, place, one)).map(|(name, _)| name)
}

/// One compartment: whose, and by which reading.
///
/// ```
/// # #[cfg(feature = "json")] {
/// use fhir_scopes::{Release, ResourceType, compartment::{Compartment, CompartmentMode}};
/// let compartment = Compartment {
///     release: Release::R4,
///     owner: ResourceType::PATIENT,
///     id: "123",
///     mode: CompartmentMode::Spec,
///     base: None,
/// };
/// let own = serde_json::json!({ "resourceType": "Observation", "performer": [{ "reference": "Patient/123" }] });
/// assert!(compartment.contains(&own));
/// assert!(!Compartment { mode: CompartmentMode::Subject, ..compartment }.contains(&own));
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Compartment<'a> {
    /// The release whose definition counts.
    pub release: Release,
    /// Patient, Encounter, Practitioner, RelatedPerson or Device.
    pub owner: ResourceType,
    /// The owner's id.
    pub id: &'a str,
    /// Which parameters count. The narrow mode is about patients; other owners always use the definition.
    pub mode: CompartmentMode,
    /// The server's own base URL: without it no absolute reference counts.
    pub base: Option<&'a str>,
}

impl Compartment<'_> {
    /// Whether the resource is in this compartment. The owner itself is.
    ///
    /// ```
    /// # #[cfg(feature = "json")] {
    /// # use fhir_scopes::{Release, ResourceType, compartment::{Compartment, CompartmentMode}};
    /// # let compartment = Compartment { release: Release::R4, owner: ResourceType::PATIENT, id: "123", mode: CompartmentMode::Spec, base: None };
    /// assert!(compartment.contains(&serde_json::json!({ "resourceType": "Patient", "id": "123" })));
    /// assert!(!compartment.contains(&serde_json::json!({ "resourceType": "Patient", "id": "124" })));
    /// # }
    /// ```
    pub fn contains<V: ResourceView>(&self, resource: &V) -> bool {
        type_of(resource, self.release).is_some_and(|one| self.contains_as(one, resource))
    }

    /// The same for a resource whose type is already known.
    pub(crate) fn contains_as<V: ResourceView>(&self, one: ResourceType, resource: &V) -> bool {
        let Some(place) = place(self.owner) else { return false };
        if one == self.owner && text_of(resource, "id") == Some(self.id) {
            return true;
        }
        tables::compartment(self.release, place, one)
            .filter(|(name, _)| self.counts(one, name))
            .any(|(_, parameter)| self.follows(parameter, resource))
    }

    /// Whether the resource points at the owner through its `patient` parameter, for types outside the compartment.
    pub(crate) fn links_by_patient<V: ResourceView>(&self, one: ResourceType, resource: &V) -> bool {
        tables::parameter(self.release, one, "patient").is_some_and(|parameter| self.follows(parameter, resource))
    }

    fn counts(&self, one: ResourceType, name: &str) -> bool {
        self.mode == CompartmentMode::Spec
            || self.owner != ResourceType::PATIENT
            || matches!(name, "patient" | "subject" | "individual" | "beneficiary" | "candidate")
            || name == "actor" && matches!(one.name(), "Appointment" | "Schedule")
    }

    fn follows<V: ResourceView>(&self, parameter: tables::Found, resource: &V) -> bool {
        let context = Context { release: self.release, base: self.base };
        parameter.paths().filter(|path| path.may_target(self.owner)).any(|path| {
            walk(resource, path.0, &mut |found| {
                text_of(found, "reference").is_some_and(|text| points_at(text, self.owner, self.id, context))
            })
        })
    }
}

/// Whether a resource is in a compartment: the free-standing form of [`Compartment::contains`].
///
/// ```
/// # #[cfg(feature = "json")] {
/// use fhir_scopes::{Release, ResourceType, compartment::{self, Compartment, CompartmentMode}};
/// let patient = Compartment { release: Release::R5, owner: ResourceType::PATIENT, id: "123", mode: CompartmentMode::Spec, base: None };
/// assert!(compartment::contains(&patient, &serde_json::json!({ "resourceType": "Task", "for": { "reference": "Patient/123" } })));
/// # }
/// ```
pub fn contains<V: ResourceView>(compartment: &Compartment<'_>, resource: &V) -> bool {
    compartment.contains(resource)
}

/// Whether the narrow mode leaves a member type any parameter.
pub(crate) fn has_subject(one: ResourceType, release: Release) -> bool {
    tables::class(release, one).1
}

/// The one parameter that names the subject in the narrow mode; none where several would have to be asked as OR.
pub(crate) fn subject_parameter(one: ResourceType, release: Release) -> Option<&'static str> {
    let narrow =
        |name: &&str| matches!(*name, "patient" | "subject" | "individual" | "beneficiary" | "candidate" | "actor");
    let mut names = parameters(ResourceType::PATIENT, one, release).filter(narrow);
    let first = names.next()?;
    // `patient` and `subject` of one type look at one element; `subject` also finds what `patient` finds
    match names.next() {
        None => Some(first),
        Some(second) if names.next().is_none() && (first, second) == ("patient", "subject") => Some(second),
        Some(_) => None,
    }
}
