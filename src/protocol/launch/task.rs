//! A launch that a Task asks for (SMART 2.2 task-launch): the Task says which app, for whom, and with what `appContext`.
//!
//! It is read from the organization's own FHIR server. The app it names must be the one the launch is for, by its registered launch URL (SMART-TL-02): a Task is
//! data that many may write, and must not send anybody elsewhere.

use std::sync::Arc;

use super::{NoLaunch, wrong};
use crate::app::App;
use crate::domain::clients::ClientMetadata;
use crate::domain::launch_context::LaunchContext;
use crate::domain::organizations::FhirEndpoint;
use crate::outbound::fhir::{FhirReadError, R4};
use crate::protocol::reading::reader;

/// The code system of the task codes.
const CODES: &str = "http://hl7.org/fhir/smart-app-launch/CodeSystem/smart-codes";

/// What a Task asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    application: String,
    patient: Option<String>,
    encounter: Option<String>,
    app_context: Option<String>,
}

/// The context of a launch from a Task. What the EHR says itself must not contradict it.
pub(super) async fn context(
    app: &Arc<App>,
    endpoint: &FhirEndpoint,
    metadata: &ClientMetadata,
    (id, mut context): (&str, LaunchContext),
) -> Result<LaunchContext, NoLaunch> {
    let id = id.strip_prefix("Task/").unwrap_or(id);
    let read = async { reader(app, endpoint, "Task").await?.read_resource("Task", id).await };
    let task = read.await.map_err(|error| match error {
        FhirReadError::NotFound => wrong("task", "no-such-task", "there is no such Task"),
        FhirReadError::Down(_) | FhirReadError::Refused(_) | FhirReadError::Malformed(_) => {
            tracing::warn!(%error, endpoint = endpoint.id.as_str(), "a Task could not be read");
            NoLaunch::FhirUnavailable
        }
    })?;
    let asked = asked(&task).ok_or_else(|| wrong("task", "not-a-launch", "this Task asks for no EHR launch"))?;
    if metadata.launch_uri.as_deref() != Some(asked.application.as_str()) {
        return Err(wrong("task", "another-app", "this Task asks for another app than this client"));
    }
    take(&mut context.patient, asked.patient, "patient")?;
    take(&mut context.encounter, asked.encounter, "encounter")?;
    take(&mut context.app_context, asked.app_context, "appContext")?;
    context.check()?;
    Ok(context)
}

fn take(said: &mut Option<String>, asked: Option<String>, field: &'static str) -> Result<(), NoLaunch> {
    match (said.as_deref(), asked) {
        (_, None) => {}
        (None, asked) => *said = asked,
        (Some(said), Some(asked)) if said == asked => {}
        (Some(_), Some(_)) => return Err(wrong(field, "not-as-the-task", "the Task says otherwise")),
    }
    Ok(())
}

/// Reads the Task; `None` if it is not about an EHR launch, or over.
fn asked(task: &R4) -> Option<Asked> {
    let is_coded =
        |system: Option<&str>, code: Option<&str>, wanted: &str| system == Some(CODES) && code == Some(wanted);
    let is_launch = task
        .all(&["code", "coding"])
        .iter()
        .any(|coding| is_coded(coding.text(&["system"]), coding.text(&["code"]), "launch-app-ehr"));
    let is_over =
        matches!(task.text(&["status"]), Some("completed" | "cancelled" | "failed" | "rejected" | "entered-in-error"));
    if !is_launch || is_over {
        return None;
    }
    let input = |wanted: &str, value: &str| {
        let inputs = task.all(&["input"]);
        let found = inputs.iter().find(|input| {
            input
                .all(&["type", "coding"])
                .iter()
                .any(|coding| is_coded(coding.text(&["system"]), coding.text(&["code"]), wanted))
        })?;
        found.text(&[value]).map(str::to_owned)
    };
    let id_of = |path: &str, kind: &str| {
        let (before, id) = task.text(&[path, "reference"])?.rsplit_once('/')?;
        (before == kind || before.ends_with(&format!("/{kind}"))).then(|| id.to_owned())
    };
    Some(Asked {
        application: input("smartonfhir-application", "valueUrl")?,
        patient: id_of("for", "Patient"),
        encounter: id_of("encounter", "Encounter"),
        app_context: input("smartonfhir-appcontext", "valueString"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn task() -> Value {
        let coded = |code: &str| json!({ "coding": [{ "system": CODES, "code": code }] });
        json!({
            "resourceType": "Task", "id": "t", "status": "ready", "intent": "proposal", "code": coded("launch-app-ehr"),
            "for": { "reference": "Patient/anna" }, "encounter": { "reference": "https://fhir.example/r4/Encounter/v7" },
            "input": [
                { "type": coded("smartonfhir-application"), "valueUrl": "https://app.example/launch" },
                { "type": coded("smartonfhir-appcontext"), "valueString": "{\"field\":1}" },
            ],
        })
    }

    #[test]
    fn a_task_names_app_patient_encounter_and_context() {
        let found = asked(&R4::from_value(&task()).unwrap()).unwrap();
        let expected = Asked {
            application: "https://app.example/launch".into(),
            patient: Some("anna".into()),
            encounter: Some("v7".into()),
            app_context: Some("{\"field\":1}".into()),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn other_tasks_launch_nothing() {
        for (pointer, value) in [
            ("/status", json!("completed")),
            ("/code/coding/0/code", json!("launch-app-standalone")),
            ("/code/coding/0/system", json!("https://else.example")),
            ("/input/0/type/coding/0/code", json!("something")),
        ] {
            let mut other = task();
            *other.pointer_mut(pointer).unwrap() = value;
            assert_eq!(asked(&R4::from_value(&other).unwrap()), None, "{pointer}");
        }
    }
}
