//! This server's own policy: which patients the signed-in person may see. Scopes only ever narrow it.
//!
//! - A Practitioner who works here sees every patient.
//! - A Patient, RelatedPerson or Person sees the records of the patients they are or act for: `Person.link` ties a
//!   parent's own record to their role in the child's.
//! - A person this server does not know sees knowledge and directories at most.
//! - A token without a person (a backend service, or an app that did not ask who signed in) is the client's own: its
//!   `system/` and `patient/` scopes count, its `user/` scopes reach nobody.

use fhir_scopes::compartment::{Compartment, CompartmentMode, PatientClass, patient_class};
use fhir_scopes::{Release, ResourceType};
use serde_json::Value;

use super::criteria::at;
use super::store::{Found, Store};

/// The part of this server's data a token's person may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Person {
    /// No person behind the token.
    Absent,
    /// Staff: all patients.
    Staff,
    /// These patients only.
    ActsFor(Vec<String>),
}

impl Person {
    /// Looks up who `fhirUser` (as `Type/id`) is here.
    pub(super) fn of(fhir_user: Option<&str>, store: &Store) -> Self {
        let Some(fhir_user) = fhir_user else {
            return Self::Absent;
        };
        let known = fhir_user.split_once('/').and_then(|(kind, id)| match store.find(kind, id) {
            Found::Present(stored) if stored.json["active"] != false => Some((kind, id, &stored.json)),
            Found::Present(_) | Found::Deleted { .. } | Found::Nothing => None,
        });
        match known {
            Some(("Practitioner" | "PractitionerRole", _, _)) => Self::Staff,
            Some(("Patient", id, _)) => Self::ActsFor(with_proxies(id, fhir_user, store)),
            Some(("RelatedPerson", _, json)) => Self::ActsFor(patient_of(&json["patient"]).into_iter().collect()),
            Some(("Person", _, json)) => Self::ActsFor(linked(json, store)),
            Some(_) | None => Self::ActsFor(Vec::new()),
        }
    }

    /// Do `user/` scopes mean anything?
    pub(super) fn is_known(&self) -> bool {
        match self {
            Self::Absent => false,
            Self::Staff => true,
            Self::ActsFor(patients) => !patients.is_empty(),
        }
    }

    /// May this person see, or write, the resource?
    pub(super) fn may_see(&self, resource: &Value) -> bool {
        match self {
            Self::Absent | Self::Staff => true,
            Self::ActsFor(patients) => {
                let kind = resource["resourceType"].as_str().and_then(|name| ResourceType::parse(name, Release::R4));
                match kind.map(|kind| patient_class(kind, Release::R4)) {
                    Some(PatientClass::Shared) => true,
                    Some(_) => patients.iter().any(|patient| is_about(resource, patient)),
                    None => false,
                }
            }
        }
    }
}

/// Is the record about this patient? Who wrote, paid or received it does not count.
fn is_about(resource: &Value, patient: &str) -> bool {
    let compartment = Compartment {
        release: Release::R4,
        owner: ResourceType::PATIENT,
        id: patient,
        mode: CompartmentMode::Subject,
        base: None,
    };
    let beside = match resource["resourceType"].as_str() {
        Some("Device") => "patient.reference",
        Some("Task") => "for.reference",
        _ => return compartment.contains(resource),
    };
    at(resource, beside).iter().any(|reference| patient_in(reference).as_deref() == Some(patient))
}

/// The patient and everyone they act for through a Person that links to them.
fn with_proxies(id: &str, reference: &str, store: &Store) -> Vec<String> {
    let mut patients = vec![id.to_owned()];
    for person in store.of_type("Person") {
        if at(&person.json, "link.target.reference").iter().any(|target| *target == reference) {
            patients.extend(linked(&person.json, store));
        }
    }
    patients.sort_unstable();
    patients.dedup();
    patients
}

/// The patients a Person is or acts for.
fn linked(person: &Value, store: &Store) -> Vec<String> {
    let mut patients = Vec::new();
    for target in at(person, "link.target.reference") {
        let related = target.as_str().and_then(|target| target.strip_prefix("RelatedPerson/"));
        match related.map(|id| store.find("RelatedPerson", id)) {
            Some(Found::Present(stored)) if stored.json["active"] != false => {
                patients.extend(patient_of(&stored.json["patient"]));
            }
            Some(_) => {}
            None => patients.extend(patient_in(target)),
        }
    }
    patients
}

fn patient_of(reference: &Value) -> Option<String> {
    patient_in(&reference["reference"])
}

fn patient_in(reference: &Value) -> Option<String> {
    reference.as_str()?.strip_prefix("Patient/").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::data;
    use serde_json::json;

    #[test]
    fn a_person_sees_themselves_and_those_they_act_for() {
        let store = Store::load(&data::resources()).unwrap();
        let both = Person::ActsFor(vec!["anna-de-vries".to_owned(), "sam-de-vries".to_owned()]);
        for (user, expected) in [
            (None, Person::Absent),
            (Some("Practitioner/ruth-bakker"), Person::Staff),
            (Some("Patient/anna-de-vries"), both.clone()),
            (Some("Person/anna-de-vries"), both),
            (Some("RelatedPerson/anna-for-sam"), Person::ActsFor(vec!["sam-de-vries".to_owned()])),
            (Some("Patient/sam-de-vries"), Person::ActsFor(vec!["sam-de-vries".to_owned()])),
            (Some("Practitioner/nobody"), Person::ActsFor(Vec::new())),
            (Some("https://other.example/Practitioner/ruth-bakker"), Person::ActsFor(Vec::new())),
        ] {
            assert_eq!(Person::of(user, &store), expected, "{user:?}");
        }
    }

    #[test]
    fn a_list_of_several_people_is_not_about_one_of_them() {
        let anna = Person::ActsFor(vec!["anna-de-vries".to_owned()]);
        let member = json!({"resourceType": "Group", "member": [{"entity": {"reference": "Patient/anna-de-vries"}}]});
        assert!(!anna.may_see(&member));
        assert!(anna.may_see(&json!({"resourceType": "Task", "for": {"reference": "Patient/anna-de-vries"}})));
        assert!(anna.may_see(&json!({"resourceType": "Organization"})));
        assert!(!anna.may_see(&json!({"resourceType": "Binary"})));
    }
}
