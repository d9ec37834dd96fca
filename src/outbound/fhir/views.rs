//! The few facts our pages need about people and visits, read from FHIR elements.

use super::{Node, R4};

/// A business identifier, such as a patient number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentifierView {
    /// The namespace, if given.
    pub system: Option<String>,
    /// The value.
    pub value: String,
}

/// A patient as a picker shows one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatientView {
    /// Logical id.
    pub id: String,
    /// Name as people say it; "Name unknown" when the record has none.
    pub name: String,
    /// Birth date as recorded: a year, a month or a day.
    pub birth_date: Option<String>,
    /// Administrative gender code.
    pub gender: Option<String>,
    /// Business identifiers.
    pub identifiers: Vec<IdentifierView>,
    /// `false` only if the record says so.
    pub active: bool,
}

/// A practitioner, for `fhirUser`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PractitionerView {
    /// Logical id.
    pub id: String,
    /// Name as people say it.
    pub name: String,
    /// Business identifiers.
    pub identifiers: Vec<IdentifierView>,
    /// `false` only if the record says so.
    pub active: bool,
}

/// Someone who may act for a patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelatedPersonView {
    /// Logical id.
    pub id: String,
    /// Name as people say it.
    pub name: String,
    /// Id of the patient.
    pub patient: Option<String>,
    /// The relationship in words or as a code.
    pub relationship: Option<String>,
}

/// A visit, for a launch with an encounter in context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncounterView {
    /// Logical id.
    pub id: String,
    /// `Encounter.status`.
    pub status: Option<String>,
    /// What kind of visit, in words if the record has them.
    pub kind: Option<String>,
    /// Id of the patient.
    pub patient: Option<String>,
    /// When it began.
    pub start: Option<String>,
    /// When it ended.
    pub end: Option<String>,
}

impl PatientView {
    /// Reads a Patient; `None` if the resource is of another type or has no id.
    pub fn of(resource: &R4) -> Option<Self> {
        Some(Self {
            id: id_of(resource, "Patient")?,
            name: name(resource),
            birth_date: owned(resource.text(&["birthDate"])),
            gender: owned(resource.text(&["gender"])),
            identifiers: identifiers(resource),
            active: resource.text(&["active"]) != Some("false"),
        })
    }
}

impl PractitionerView {
    /// Reads a Practitioner; `None` if the resource is of another type or has no id.
    pub fn of(resource: &R4) -> Option<Self> {
        Some(Self {
            id: id_of(resource, "Practitioner")?,
            name: name(resource),
            identifiers: identifiers(resource),
            active: resource.text(&["active"]) != Some("false"),
        })
    }
}

impl RelatedPersonView {
    /// Reads a RelatedPerson; `None` if the resource is of another type or has no id.
    pub fn of(resource: &R4) -> Option<Self> {
        let words = resource.text(&["relationship", "text"]);
        let code = || resource.text(&["relationship", "coding", "code"]);
        Some(Self {
            id: id_of(resource, "RelatedPerson")?,
            name: name(resource),
            patient: patient_id(resource.text(&["patient", "reference"])),
            relationship: owned(words.or_else(code)),
        })
    }
}

impl EncounterView {
    /// Reads an Encounter; `None` if the resource is of another type or has no id.
    pub fn of(resource: &R4) -> Option<Self> {
        let words = resource.text(&["type", "text"]);
        let display = || resource.text(&["type", "coding", "display"]);
        let class = || resource.text(&["class", "display"]).or_else(|| resource.text(&["class", "code"]));
        Some(Self {
            id: id_of(resource, "Encounter")?,
            status: owned(resource.text(&["status"])),
            kind: owned(words.or_else(display).or_else(class)),
            patient: patient_id(resource.text(&["subject", "reference"])),
            start: owned(resource.text(&["period", "start"])),
            end: owned(resource.text(&["period", "end"])),
        })
    }
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

fn id_of(resource: &R4, kind: &str) -> Option<String> {
    (resource.resource_type() == kind).then(|| resource.id()).flatten().map(str::to_owned)
}

fn patient_id(reference: Option<&str>) -> Option<String> {
    let (before, id) = reference?.rsplit_once('/')?;
    (before == "Patient" || before.ends_with("/Patient")).then(|| id.to_owned())
}

fn identifiers(resource: &R4) -> Vec<IdentifierView> {
    let view = |node: Node<'_>| {
        Some(IdentifierView { system: owned(node.text(&["system"])), value: node.text(&["value"])?.to_owned() })
    };
    resource.all(&["identifier"]).into_iter().filter_map(view).collect()
}

/// The name in use: an official or usual one first, its text or else its parts; old names never.
fn name(resource: &R4) -> String {
    let rank = |node: &Node<'_>| match node.text(&["use"]) {
        Some("usual") => 0,
        Some("official") => 1,
        Some("old" | "maiden") => 9,
        _ => 5,
    };
    let best = resource.all(&["name"]).into_iter().min_by_key(rank);
    let Some(best) = best.filter(|node| rank(node) < 9) else {
        return "Name unknown".to_owned();
    };
    if let Some(text) = best.text(&["text"]) {
        return text.to_owned();
    }
    let parts: Vec<&str> = [best.texts(&["prefix"]), best.texts(&["given"]), best.texts(&["family"])].concat();
    if parts.is_empty() { "Name unknown".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patient_is_shown_by_the_name_in_use() {
        let resource = R4::read(
            r#"{"resourceType":"Patient","id":"a","name":[{"use":"old","text":"Anna Smit"},
            {"use":"official","family":"de Vries","given":["Anna","Maria"]}],"birthDate":"1984-03-12",
            "identifier":[{"system":"urn:x","value":"7"},{"system":"urn:empty"}],"active":false}"#,
        );
        let view = PatientView::of(&resource.unwrap()).unwrap();
        assert_eq!(
            (view.name.as_str(), view.birth_date.as_deref(), view.active),
            ("Anna Maria de Vries", Some("1984-03-12"), false)
        );
        assert_eq!(view.identifiers, [IdentifierView { system: Some("urn:x".to_owned()), value: "7".to_owned() }]);
    }

    #[test]
    fn a_record_without_a_name_says_so() {
        let resource =
            R4::read(r#"{"resourceType":"Patient","id":"a","name":[{"use":"old","text":"Anna Smit"}]}"#).unwrap();
        assert_eq!(PatientView::of(&resource).unwrap().name, "Name unknown");
    }

    #[test]
    fn a_view_of_another_type_is_nothing() {
        let resource = R4::read(r#"{"resourceType":"Group","id":"a","type":"person","actual":true}"#).unwrap();
        assert!(PatientView::of(&resource).is_none());
    }
}
