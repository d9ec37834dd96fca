//! Four synthetic patients and the hospital around them: made for this project, no real person behind any of them.
//!
//! [`resources`] expands the seed tables in this folder into about 220 FHIR R4 resources; the same bytes at every
//! start. Ids are fixed and the ones that others rely on are constants in [`ids`].
//!
//! - *Anna de Vries*, 42, diabetes and high blood pressure; mother of Sam.
//! - *Sam de Vries*, 7, asthma and a peanut allergy; Anna has proxy access (`Person/anna-de-vries` links her own
//!   record to `RelatedPerson/anna-for-sam`), so her patient picker has two entries.
//! - *Joseph Okafor*, 75, heart failure, atrial fibrillation, a pacemaker.
//! - *Mei Tan*, 28, depression and anxiety: the sensitive record.

mod anna;
mod chart;
mod house;
pub mod ids;
mod joseph;
mod mei;
mod odd;
mod results;
mod sam;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Every resource of the demo, in a fixed order.
pub fn resources() -> Vec<Value> {
    [house::resources(), anna::chart(), sam::chart(), joseph::chart(), mei::chart(), odd::resources()].concat()
}

fn base64(words: &str) -> String {
    STANDARD.encode(words)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::outbound::fhir::R4;
    use crate::outbound::fhir::views::{EncounterView, PractitionerView, RelatedPersonView};

    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match (name.as_str(), member) {
                        ("reference", Value::String(target)) => found.push(target),
                        ("url", Value::String(target)) if target.starts_with("Binary/") => found.push(target),
                        (_, other) => references(other, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    fn name(resource: &Value) -> String {
        format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap())
    }

    #[test]
    fn every_resource_is_strictly_valid_r4_and_survives_the_round_trip() {
        for resource in resources() {
            let element = R4::from_value(&resource).unwrap_or_else(|e| panic!("{}: {e}", name(&resource)));
            assert_eq!(element.to_value(), resource, "{} changes on its way through the elements", name(&resource));
        }
    }

    #[test]
    fn every_id_is_a_fhir_id_and_names_one_resource_only() {
        let mut seen = BTreeSet::new();
        for resource in resources() {
            let id = resource["id"].as_str().unwrap();
            assert!(crate::outbound::fhir::is_fhir_id(id), "{id}");
            assert!(seen.insert(name(&resource)), "{} occurs twice", name(&resource));
        }
    }

    #[test]
    fn every_reference_leads_to_a_resource_of_the_demo() {
        let all = resources();
        let known: BTreeSet<String> = all.iter().map(name).collect();
        for resource in &all {
            let mut found = Vec::new();
            references(resource, &mut found);
            for target in found {
                assert!(known.contains(target), "{} refers to {target}, which is not there", name(resource));
            }
        }
    }

    #[test]
    fn every_patient_has_about_fifty_resources_and_the_three_condition_categories() {
        let mut count: BTreeMap<&str, usize> = BTreeMap::new();
        let mut categories: BTreeSet<(&str, String)> = BTreeSet::new();
        let all = resources();
        for patient in ids::PATIENTS {
            for resource in &all {
                let mut found = Vec::new();
                references(resource, &mut found);
                if found.contains(&format!("Patient/{patient}").as_str())
                    || name(resource) == format!("Patient/{patient}")
                {
                    *count.entry(patient).or_default() += 1;
                    if resource["resourceType"] == "Condition" {
                        categories.insert((
                            patient,
                            resource["category"][0]["coding"][0]["code"].as_str().unwrap().to_owned(),
                        ));
                    }
                }
            }
            assert!((45..=75).contains(&count[patient]), "{patient} has {}", count[patient]);
            for category in ["problem-list-item", "encounter-diagnosis", "health-concern"] {
                assert!(categories.contains(&(patient, category.to_owned())), "{patient} has no {category}");
            }
        }
    }

    #[test]
    fn the_demo_data_reads_into_views() {
        let all: Vec<R4> = resources().iter().map(|value| R4::from_value(value).unwrap()).collect();
        let related: Vec<_> = all.iter().filter_map(RelatedPersonView::of).collect();
        assert_eq!(related[0].patient.as_deref(), Some("sam-de-vries"));
        assert_eq!(related[0].relationship.as_deref(), Some("mother"));
        let visit = all.iter().filter_map(EncounterView::of).find(|visit| visit.id == "anna-visit-2026-09-14").unwrap();
        assert_eq!((visit.patient.as_deref(), visit.kind.as_deref()), (Some("anna-de-vries"), Some("Check-up")));
        assert!(all.iter().filter_map(PractitionerView::of).any(|p| p.name == "Dr. Ruth Bakker"));
    }
}
