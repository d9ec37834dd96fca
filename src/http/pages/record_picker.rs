//! Choosing a visit, or another record, that an app is launched with.

use serde::Serialize;

use super::parts::Badge;
use super::{Page, samples};

/// The picker of records. Search form: `GET {action}` with `flow` and `q` (a day for visits, a name in a directory). Choice: `POST {action}` with `csrf`,
/// `flow`, `key` (which of the app's wishes it is) and one button `record` whose value is the FHIR id; `decision=without` goes on without one,
/// `decision=other-patient` back to the patient picker, `decision=cancel` back to the app.
#[derive(Clone, Debug, Default, Serialize)]
#[allow(clippy::struct_excessive_bools)] // each is one question the template asks
pub struct RecordPicker {
    /// Where the choice and the search go.
    pub action: String,
    /// The interaction's id.
    pub flow: String,
    /// Which wish: the scope as asked.
    pub key: String,
    /// The app and its provider.
    pub app: Badge,
    /// The organization that keeps the data.
    pub organization: Badge,
    /// It is about a visit, which has words of its own.
    pub is_visit: bool,
    /// The kind of record in words ("Imaging studies").
    pub kind: String,
    /// The role in which the app wants it, a URI; `""` for none.
    pub role: String,
    /// What was searched for.
    pub q: String,
    /// Show the box to search by name.
    pub searchable: bool,
    /// Show the box to search by day.
    pub by_day: bool,
    /// Another patient can be chosen instead.
    pub other_patient: bool,
    /// The records found.
    pub records: Vec<RecordRow>,
    /// There are more than are shown.
    pub more: bool,
    /// The FHIR server did not answer.
    pub unavailable: bool,
}

/// A record in the list.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RecordRow {
    /// The FHIR id.
    pub id: String,
    /// What it is; `""` where the record has no words for it.
    pub title: String,
    /// "Outpatient"; `""` for none.
    pub class: String,
    /// Why; `""` for none.
    pub reason: String,
    /// "finished"; `""` for none.
    pub status: String,
    /// When, as people write it; `""` for none.
    pub when: String,
    /// Until when, if that is another day.
    pub until: String,
}

impl Page for RecordPicker {
    const TEMPLATE: &'static str = "record_picker.html";

    fn samples() -> Vec<Self> {
        let row = |id: &str, title: &str, when: &str, status: &str| RecordRow {
            id: id.into(),
            title: title.into(),
            class: "Outpatient".into(),
            reason: "Type 2 diabetes".into(),
            status: status.into(),
            when: when.into(),
            until: String::new(),
        };
        let visits = Self {
            action: "/o/st-mary/record".into(),
            flow: "flw_01j9".into(),
            key: "launch/encounter".into(),
            app: Badge::new("Growth Chart", "Acme Health B.V."),
            organization: Badge::new("St. Mary Hospital", ""),
            is_visit: true,
            kind: "Visits and hospital stays".into(),
            other_patient: true,
            records: vec![
                row("v1", "Admission", "11 Feb 2026, 08:30", "in progress"),
                RecordRow {
                    until: "18 Feb 2026, 10:00".into(),
                    ..row("v2", "Check-up", "14 Sep 2025, 09:15", "finished")
                },
                RecordRow { id: "v3".into(), when: "2024".into(), ..RecordRow::default() },
            ],
            ..Self::default()
        };
        let places = Self {
            key: "launch/location?role=https://ehr.example/roles/ward".into(),
            is_visit: false,
            kind: "Locations".into(),
            role: "https://ehr.example/roles/ward".into(),
            searchable: true,
            other_patient: false,
            records: vec![RecordRow { id: "w".into(), title: "Ward 3 West".into(), ..RecordRow::default() }],
            ..visits.clone()
        };
        vec![
            Self { records: Vec::new(), ..visits.clone() },
            visits.clone(),
            places.clone(),
            Self { records: Vec::new(), q: "cellar".into(), ..places },
            Self { records: Vec::new(), unavailable: true, ..visits.clone() },
            Self {
                records: (0..50)
                    .map(|_| row("v", samples::LONG_NAME, "31 Dec 1999, 23:59", samples::LONG_WORD))
                    .collect(),
                more: true,
                by_day: true,
                q: "1999-12-31".into(),
                ..visits.clone()
            },
            Self {
                q: samples::MARKUP.into(),
                key: samples::MARKUP.into(),
                role: samples::MARKUP.into(),
                is_visit: false,
                kind: samples::MARKUP.into(),
                records: vec![
                    row(samples::MARKUP, samples::MARKUP, samples::MARKUP, samples::MARKUP),
                    RecordRow { title: samples::RTL.into(), reason: samples::EMOJI.into(), ..RecordRow::default() },
                ],
                ..visits
            },
        ]
    }
}
