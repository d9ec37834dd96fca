//! A visit and its patient belong together: an app that opens with a visit of one patient must not be given another one (SMART-LC-02, patient safety).
//!
//! What the visit itself says is read from the organization's FHIR server. An EHR that says the visit alone has its patient taken from there, and is told when that
//! is not possible: it can say the patient too. One that says both is believed where the visit cannot be read, and refused where it says otherwise.

use std::sync::Arc;

use super::{NoLaunch, wrong};
use crate::app::App;
use crate::domain::launch_context::LaunchContext;
use crate::domain::organizations::FhirEndpoint;
use crate::outbound::fhir::FhirReadError;
use crate::protocol::records::{Subject, subject_of_visit};

/// The context, with the patient of its visit.
pub(super) async fn with_its_patient(
    app: &Arc<App>,
    endpoint: &FhirEndpoint,
    mut context: LaunchContext,
) -> Result<LaunchContext, NoLaunch> {
    let Some(visit) = &context.encounter else { return Ok(context) };
    let subject = subject_of_visit(app, endpoint, visit).await;
    if let Err(error) = &subject {
        tracing::warn!(%error, endpoint = endpoint.id.as_str(), "the visit of a launch could not be read");
    }
    match (subject, &context.patient) {
        (Ok(Subject::Patient(own)), None) => context.patient = Some(own),
        (Ok(Subject::Patient(own)), Some(said)) if own == *said => {}
        (Ok(Subject::Patient(_) | Subject::Elsewhere), _) => {
            return Err(wrong("encounter", "another-patient", "this visit is another patient's"));
        }
        (Ok(Subject::Nobody), _) | (Err(_), Some(_)) => {}
        (Err(FhirReadError::Down(_)), None) => return Err(NoLaunch::FhirUnavailable),
        (Err(_), None) => {
            return Err(wrong("patient", "visit-unreadable", "say the patient too: this visit cannot be read"));
        }
    }
    Ok(context)
}
