//! Resources that test a compartment rule: about nobody, about several people, or about someone without saying so.

use serde_json::{Value, json};

use super::chart::{LOINC, OBSERVATION_CATEGORY, coded, concept, reference, resource};
use super::ids;

const DAY: &str = "2026-09-14";

pub(super) fn resources() -> Vec<Value> {
    let anna = format!("Patient/{}", ids::ANNA);
    let joseph = format!("Patient/{}", ids::JOSEPH);
    vec![
        resource(
            "Binary",
            "anna-check-up-note",
            DAY,
            json!({
                "contentType": "text/plain; charset=utf-8",
                "securityContext": reference("DocumentReference/anna-note-check-up"),
                "data": super::base64("HbA1c down to 6.8 %. Feels stretched between work and Sam's asthma. Starts atorvastatin."),
            }),
        ),
        // Anna measured the room for a neighbour: she is the performer, not the subject.
        resource(
            "Observation",
            ids::PERFORMER_ONLY,
            DAY,
            json!({
                "status": "final",
                "category": [coded(OBSERVATION_CATEGORY, "survey")],
                "code": concept(LOINC, ("60832-3", "Room temperature")),
                "subject": reference(&format!("Location/{}", ids::LOCATION_CLINIC)),
                "effectiveDateTime": "2026-09-14T09:00:00Z",
                "performer": [reference(&anna)],
                "valueQuantity": {"value": 21, "unit": "°C", "system": "http://unitsofmeasure.org", "code": "Cel"},
            }),
        ),
        resource(
            "Group",
            "diabetes-and-heart-failure",
            DAY,
            json!({
                "type": "person",
                "actual": true,
                "name": "Invited for the walking group",
                "member": [{"entity": reference(&anna)}, {"entity": reference(&joseph)}],
            }),
        ),
        resource(
            "Task",
            "call-joseph",
            DAY,
            json!({
                "status": "requested",
                "intent": "order",
                "code": {"text": "Call about the morning weights"},
                "description": "Two kilograms more than last week.",
                "for": reference(&joseph),
                "authoredOn": "2026-09-14T08:00:00Z",
                "requester": reference(&format!("Practitioner/{}", ids::DR_RAHMAN)),
                "owner": reference(&format!("Practitioner/{}", ids::NURSE_HENDRIKS)),
            }),
        ),
        resource(
            "Task",
            "order-test-strips",
            DAY,
            json!({
                "status": "completed",
                "intent": "order",
                "code": {"text": "Order glucose test strips"},
                "for": reference(&anna),
                "authoredOn": "2026-09-14T09:40:00Z",
                "requester": reference(&format!("Practitioner/{}", ids::DR_BAKKER)),
                "owner": reference(&format!("Practitioner/{}", ids::NURSE_HENDRIKS)),
            }),
        ),
    ]
}
