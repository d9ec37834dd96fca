//! Patients for the picker and the consent page, read from the organization's own FHIR server.

use std::sync::Arc;

use super::reading::reader;
use crate::app::App;
use crate::domain::organizations::FhirEndpoint;
use crate::outbound::fhir::FhirReadError;
use crate::outbound::fhir::client::PatientSearch;
use crate::outbound::fhir::views::PatientView;

/// How many patients a page of the picker shows.
pub const PAGE: usize = 20;

/// One patient, for a card.
pub async fn patient(app: &Arc<App>, endpoint: &FhirEndpoint, id: &str) -> Result<PatientView, FhirReadError> {
    reader(app, endpoint, "Patient").await?.read_patient(id).await
}

/// Is this a whole day, as FHIR writes one, that the calendar has?
pub(super) fn is_day(text: &str) -> bool {
    let has_the_form = |text: &str| {
        text.len() == 10
            && text
                .bytes()
                .enumerate()
                .all(|(place, byte)| if place == 4 || place == 7 { byte == b'-' } else { byte.is_ascii_digit() })
    };
    has_the_form(text) && text.parse::<jiff::civil::Date>().is_ok()
}

/// Patients by name, birth date or number, as typed into one box.
pub async fn search(app: &Arc<App>, endpoint: &FhirEndpoint, typed: &str) -> Result<Vec<PatientView>, FhirReadError> {
    let typed = typed.trim();
    let is_date = is_day(typed);
    let has_digit = typed.bytes().any(|byte| byte.is_ascii_digit());
    let search = PatientSearch {
        name: Some(typed).filter(|_| !has_digit),
        birth_date: Some(typed).filter(|_| is_date),
        identifier: Some(typed).filter(|_| has_digit && !is_date),
        limit: PAGE + 1,
    };
    reader(app, endpoint, "Patient").await?.search_patients(&search).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_one_that_the_calendar_has() {
        for day in ["2026-02-28", "2024-02-29", "1984-03-12"] {
            assert!(is_day(day), "{day}");
        }
        for other in [
            "2026-13-45",
            "2026-02-30",
            "2025-02-29",
            "0000-00-00",
            "2026-1-1",
            "2026-01-01x",
            "20260101",
            "",
            "12-03-1984",
        ] {
            assert!(!is_day(other), "{other}");
        }
    }
}
