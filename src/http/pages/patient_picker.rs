//! Choosing the patient an app is launched for.

use serde::Serialize;

use super::parts::Badge;
use super::{Page, samples};

/// The patient picker. Search form: `GET {search_action}` with `flow` and `q`. Choice: `POST {action}` with `csrf`, `flow`
/// and one button `patient` whose value is the FHIR id; `decision=cancel` goes back to the app without a choice.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PatientPicker {
    /// Where the choice goes.
    pub action: String,
    /// Where the search goes.
    pub search_action: String,
    /// The interaction's id.
    pub flow: String,
    /// The app and its provider.
    pub app: Badge,
    /// The organization that keeps the data.
    pub organization: Badge,
    /// What was searched for.
    pub q: String,
    /// Show the search box (a person with three children needs none).
    pub searchable: bool,
    /// The patients found; never more than this person may see.
    pub patients: Vec<PatientRow>,
    /// There are more than are shown: ask for a better search.
    pub more: bool,
    /// The FHIR server did not answer; nobody can be shown.
    pub unavailable: bool,
    /// What is wrong with the choice as sent; `""` for nothing.
    pub error: String,
}

/// A patient in the list.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PatientRow {
    /// The FHIR id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The birth date as people write it.
    pub birth_date: String,
    /// The organization's patient number.
    pub identifier: String,
    /// "yesterday", "12 Nov 2026"; may be `""`.
    pub last_contact: String,
}

impl Page for PatientPicker {
    const TEMPLATE: &'static str = "patient_picker.html";

    fn samples() -> Vec<Self> {
        let row = |id: &str, name: &str, birth_date: &str, last_contact: &str| PatientRow {
            id: id.into(),
            name: name.into(),
            birth_date: birth_date.into(),
            identifier: format!("MRN {id}"),
            last_contact: last_contact.into(),
        };
        let typical = Self {
            action: "/o/st-mary/patient".into(),
            search_action: "/o/st-mary/patient".into(),
            flow: "flw_01j9".into(),
            app: Badge::new("Growth Chart", "Acme Health B.V."),
            organization: Badge::new("St. Mary Hospital", ""),
            q: "jansen".into(),
            searchable: true,
            patients: vec![
                row("4471290", "Emma Jansen", "4 March 2017", "yesterday"),
                row("4471291", "Jan Jansen", "19 June 1984", "12 Nov 2026"),
                row("4470013", "Johanna Jansen-van den Berg", "30 January 1951", ""),
            ],
            ..Self::default()
        };
        vec![
            Self { q: String::new(), patients: Vec::new(), ..typical.clone() },
            typical.clone(),
            Self { searchable: false, q: String::new(), ..typical.clone() },
            Self { patients: Vec::new(), unavailable: true, ..typical.clone() },
            Self {
                patients: (0..40)
                    .map(|_| row("1", samples::LONG_NAME, "31 December 1999", samples::LONG_WORD))
                    .collect(),
                more: true,
                error: "Choose a patient from the list.".into(),
                ..typical.clone()
            },
            Self {
                q: samples::MARKUP.into(),
                patients: vec![
                    row(samples::MARKUP, samples::MARKUP, samples::RTL, samples::MARKUP),
                    row("2", samples::RTL, "", samples::EMOJI),
                ],
                ..typical
            },
        ]
    }
}
