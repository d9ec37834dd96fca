//! The compartments of all releases against a second source (`tables/generate.py` writes the fixture from the crate `helios-fhir`).

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;

use fhir_scopes::compartment::{PatientClass, is_member_type, parameters, patient_class};
use fhir_scopes::{Release, ResourceType};

const FIXTURE: &str = include_str!("fixtures/compartments.txt");
const OWNERS: [&str; 5] = ["Patient", "Encounter", "Practitioner", "RelatedPerson", "Device"];

fn release(name: &str) -> Release {
    Release::ALL.into_iter().find(|release| release.as_str() == name).unwrap()
}

fn theirs() -> BTreeMap<(&'static str, &'static str, &'static str), Vec<&'static str>> {
    let rows = FIXTURE.lines().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        ((words[0], words[1], words[2]), words[3..].to_vec())
    });
    rows.filter(|((_, owner, _), _)| OWNERS.contains(owner)).collect()
}

#[test]
fn every_compartment_of_every_release_agrees_with_the_second_source() {
    let theirs = theirs();
    assert!(theirs.len() > 600, "the fixture holds {} rows", theirs.len());
    let mut compared = 0;
    for known in Release::ALL {
        for owner in OWNERS {
            let owner_type = ResourceType::parse(owner, known).unwrap();
            for one in ResourceType::all(known) {
                let ours: Vec<&str> = parameters(owner_type, one, known).collect();
                let expected = theirs.get(&(known.as_str(), owner, one.name())).cloned().unwrap_or_default();
                assert_eq!(ours, expected, "{} {owner} {one}", known.as_str());
                compared += usize::from(!expected.is_empty());
            }
        }
    }
    assert_eq!(compared, theirs.len(), "a row of the fixture names a type that the tables do not have");
}

#[test]
fn the_owner_is_in_its_own_compartment() {
    for known in Release::ALL {
        for owner in OWNERS {
            let owner = ResourceType::parse(owner, known).unwrap();
            assert!(is_member_type(owner, owner, known), "{owner} in {}", known.as_str());
        }
    }
}

#[test]
fn classes_follow_the_release() {
    let class = |name, of| patient_class(ResourceType::parse(name, release(of)).unwrap(), release(of));
    assert_eq!(class("Task", "r4"), PatientClass::ViaPatient);
    assert_eq!(class("Task", "r5"), PatientClass::Member);
    assert_eq!(class("Device", "r4"), PatientClass::ViaPatient);
    // R5 Device lost its link to a patient: refused, not shared
    assert_eq!(class("Device", "r5"), PatientClass::Withheld);
    let count =
        |wanted| ResourceType::all(Release::R4).filter(|one| patient_class(*one, Release::R4) == wanted).count();
    assert_eq!(
        [PatientClass::Member, PatientClass::ViaPatient, PatientClass::Shared, PatientClass::Withheld].map(count),
        [66, 4, 67, 9]
    );
}
