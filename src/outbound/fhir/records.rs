//! The few facts by which a person tells one record from another, whatever its type: what it is, when it was, how it stands.

use super::{Node, R4};

/// A record as a picker shows one. Texts are as the record has them; codes are for the caller to put into words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordView {
    /// Logical id.
    pub id: String,
    /// What it is, in words; `""` where the record has none.
    pub title: String,
    /// `Encounter.class`, as a code or in words; `""` for other types.
    pub class: String,
    /// Why, in words.
    pub reason: String,
    /// `status`, as a code.
    pub status: String,
    /// When it was or began, as FHIR writes it.
    pub date: String,
    /// When it ended.
    pub end: String,
    /// Its labels say that not everybody who may see the rest may see this (v3-Confidentiality `R` or `V`).
    pub restricted: bool,
}

/// Where records say what they are, the most telling first.
const TITLES: &[&[&str]] = &[
    &["type", "text"],
    &["type", "coding", "display"],
    &["code", "text"],
    &["code", "coding", "display"],
    &["vaccineCode", "text"],
    &["vaccineCode", "coding", "display"],
    &["medicationCodeableConcept", "text"],
    &["medicationCodeableConcept", "coding", "display"],
    &["deviceName", "name"],
    &["description", "text"],
    &["description"],
    &["relationship", "text"],
    &["category", "text"],
    &["category", "coding", "display"],
];

/// Where records say when they were.
const DATES: &[&[&str]] = &[
    &["period", "start"],
    &["actualPeriod", "start"],
    &["effectiveDateTime"],
    &["effectivePeriod", "start"],
    &["performedDateTime"],
    &["performedPeriod", "start"],
    &["occurrenceDateTime"],
    &["started"],
    &["start"],
    &["onsetDateTime"],
    &["recordedDate"],
    &["authoredOn"],
    &["authored"],
    &["startDate"],
    &["date"],
    &["created"],
    &["issued"],
];

const CLASSES: &[&[&str]] = &[
    &["class", "code"],
    &["class", "coding", "code"],
    &["class", "display"],
    &["class", "text"],
    &["class", "coding", "display"],
];

const REASONS: &[&[&str]] = &[
    &["reasonCode", "text"],
    &["reasonCode", "coding", "display"],
    &["reason", "value", "concept", "text"],
    &["reason", "value", "concept", "coding", "display"],
    &["reasonReference", "display"],
];

impl RecordView {
    /// Reads a resource of any type; `None` if it has no id.
    pub fn of(resource: &R4) -> Option<Self> {
        let first = |paths: &[&[&str]]| {
            let mut found = paths.iter().filter_map(|path| resource.text(path)).filter(|text| !text.trim().is_empty());
            found.next().unwrap_or_default().to_owned()
        };
        let is_encounter = resource.resource_type() == "Encounter";
        let labels = resource.all(&["meta", "security"]);
        Some(Self {
            id: resource.id()?.to_owned(),
            // of knowledge artefacts `name` is for computers, `title` for people
            title: Some(first(&[&["title"]]))
                .filter(|title| !title.is_empty())
                .or_else(|| name_of(resource))
                .unwrap_or_else(|| first(TITLES)),
            class: if is_encounter { first(CLASSES) } else { String::new() },
            reason: first(REASONS),
            status: first(&[&["status"], &["lifecycleStatus"], &["clinicalStatus", "coding", "code"]]),
            date: first(DATES),
            end: first(&[&["period", "end"], &["actualPeriod", "end"]]),
            restricted: labels.iter().any(|label| matches!(label.text(&["code"]), Some("R" | "V"))),
        })
    }

    /// Did it never really take place, or was it never true? Nobody should open an app with it.
    pub fn is_void(&self) -> bool {
        matches!(self.status.as_str(), "entered-in-error" | "cancelled")
    }
}

/// The name of what has one: of a place as text, of a person from its parts.
fn name_of(resource: &R4) -> Option<String> {
    if let Some(text) = resource.text(&["name"]).or_else(|| resource.text(&["name", "text"])) {
        return Some(text.to_owned());
    }
    let name: Node<'_> = resource.all(&["name"]).into_iter().next()?;
    let parts = [name.texts(&["prefix"]), name.texts(&["given"]), name.texts(&["family"])].concat();
    (!parts.is_empty()).then(|| parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(text: &str) -> RecordView {
        RecordView::of(&R4::read_tolerant(text).unwrap()).unwrap()
    }

    #[test]
    fn a_visit_is_told_by_kind_class_reason_status_and_time() {
        let visit = view(
            r#"{"resourceType":"Encounter","id":"v","status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},
            "type":[{"text":"Check-up"}],"reasonCode":[{"coding":[{"display":"Diabetes"}]}],"period":{"start":"2026-09-14T08:30:00Z","end":"2026-09-14T09:00:00Z"}}"#,
        );
        let expected = RecordView {
            id: "v".into(),
            title: "Check-up".into(),
            class: "AMB".into(),
            reason: "Diabetes".into(),
            status: "finished".into(),
            date: "2026-09-14T08:30:00Z".into(),
            end: "2026-09-14T09:00:00Z".into(),
            restricted: false,
        };
        assert_eq!(visit, expected);
        assert!(!visit.is_void());
        assert!(view(r#"{"resourceType":"Encounter","id":"v","status":"entered-in-error"}"#).is_void());
    }

    #[test]
    fn records_of_other_types_are_told_by_what_they_have() {
        for (text, title, date) in [
            (r#"{"resourceType":"Location","id":"w","name":"Ward 3 West"}"#, "Ward 3 West", ""),
            (
                r#"{"resourceType":"RelatedPerson","id":"r","name":[{"family":"de Vries","given":["Anna"]}]}"#,
                "Anna de Vries",
                "",
            ),
            (
                r#"{"resourceType":"ImagingStudy","id":"i","status":"available","started":"2026-01-02","description":"CT head"}"#,
                "CT head",
                "2026-01-02",
            ),
            (r#"{"resourceType":"Questionnaire","id":"q","name":"phq9","title":"PHQ-9"}"#, "PHQ-9", ""),
            (r#"{"resourceType":"Basic","id":"b"}"#, "", ""),
        ] {
            let view = view(text);
            assert_eq!((view.title.as_str(), view.date.as_str()), (title, date), "{text}");
        }
    }

    #[test]
    fn a_visit_of_r5_is_told_too() {
        let visit = view(
            r#"{"resourceType":"Encounter","id":"v","status":"completed","class":[{"coding":[{"code":"IMP"}]}],"type":[{"text":"Admission"}],
            "reason":[{"value":[{"concept":{"text":"Fall"}}]}],"actualPeriod":{"start":"2026-02-11","end":"2026-02-18"}}"#,
        );
        assert_eq!((visit.class.as_str(), visit.reason.as_str(), visit.status.as_str()), ("IMP", "Fall", "completed"));
        assert_eq!((visit.date.as_str(), visit.end.as_str()), ("2026-02-11", "2026-02-18"));
    }

    #[test]
    fn a_restricted_record_says_so() {
        let text = r#"{"resourceType":"Encounter","id":"v","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]}}"#;
        assert!(view(text).restricted);
    }
}
