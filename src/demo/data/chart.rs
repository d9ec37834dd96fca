//! A chart under construction: one method per kind of entry, each adding one R4 resource about the chart's patient.
//!
//! The seed tables (`anna`, `sam`, `joseph`, `mei`) call these methods with clinical facts only; ids, references,
//! code systems and `meta` are put together here, so that all charts are shaped alike.

use serde_json::{Map, Value, json};

use super::ids;

pub(super) const LOINC: &str = "http://loinc.org";
pub(super) const SNOMED: &str = "http://snomed.info/sct";
pub(super) const ATC: &str = "http://www.whocc.no/atc";
pub(super) const CVX: &str = "http://hl7.org/fhir/sid/cvx";
pub(super) const UCUM: &str = "http://unitsofmeasure.org";
pub(super) const OBSERVATION_CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
pub(super) const US_CORE_CATEGORY: &str = "http://hl7.org/fhir/us/core/CodeSystem/us-core-category";
pub(super) const CONDITION_CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/condition-category";
pub(super) const US_CORE_CONDITION_CATEGORY: &str = "http://hl7.org/fhir/us/core/CodeSystem/condition-category";

/// A code of a code system with the words people use for it.
pub(super) type Code = (&'static str, &'static str);

/// `{"coding":[{system, code, display}], "text": display}`.
pub(super) fn concept(system: &str, (code, display): Code) -> Value {
    json!({"coding": [{"system": system, "code": code, "display": display}], "text": display})
}

/// `{"coding":[{system, code}]}` for status and category values that need no words.
pub(super) fn coded(system: &str, code: &str) -> Value {
    json!({"coding": [{"system": system, "code": code}]})
}

/// `{"reference": "..."}`.
pub(super) fn reference(to: &str) -> Value {
    json!({"reference": to})
}

/// Mid-morning of a day, the moment of every visit in the charts.
pub(super) fn morning(day: &str) -> String {
    format!("{day}T08:30:00Z")
}

/// A whole resource: type, id and `meta` in front, then the given fields.
pub(super) fn resource(kind: &str, id: &str, updated_day: &str, fields: Value) -> Value {
    let mut whole = Map::new();
    whole.insert("resourceType".to_owned(), json!(kind));
    whole.insert("id".to_owned(), json!(id));
    whole.insert("meta".to_owned(), json!({"versionId": "1", "lastUpdated": format!("{updated_day}T10:00:00Z")}));
    if let Value::Object(fields) = fields {
        whole.extend(fields);
    }
    Value::Object(whole)
}

/// A measured value with its UCUM unit and, for laboratory results, the reference range.
#[derive(Clone, Copy)]
pub(super) struct Measure {
    /// Decimal text, kept as written: `"6.10"` stays `6.10`.
    pub(super) value: &'static str,
    pub(super) unit: &'static str,
    pub(super) range: Option<(&'static str, &'static str)>,
}

/// One patient's chart; `visit` is the encounter that new entries belong to.
pub(super) struct Chart {
    short: &'static str,
    patient: String,
    visit: Option<(String, &'static str, &'static str)>,
    resources: Vec<Value>,
}

impl Chart {
    /// An empty chart; ids of its entries start with `short`.
    pub(super) fn of(patient_id: &str, short: &'static str) -> Self {
        Self { short, patient: format!("Patient/{patient_id}"), visit: None, resources: Vec::new() }
    }

    /// All entries, in the order written.
    pub(super) fn finish(self) -> Vec<Value> {
        self.resources
    }

    fn add(&mut self, kind: &str, slug: &str, day: &str, fields: Value) -> String {
        let id = format!("{}-{slug}", self.short);
        self.resources.push(resource(kind, &id, day, fields));
        format!("{kind}/{id}")
    }

    fn subject(&self) -> Value {
        reference(&self.patient)
    }

    /// The open visit: its reference, its day and who saw the patient.
    fn open_visit(&self) -> (String, &'static str, &'static str) {
        self.visit.clone().expect("the seed tables open a visit before writing entries that belong to one")
    }

    /// Opens a visit; what follows belongs to it. `class` is a v3-ActCode (`AMB`, `IMP`, `EMER`, `VR`).
    pub(super) fn visit(&mut self, day: &'static str, class: &str, why: Code, seen_by: &'static str) -> &mut Self {
        let location = match class {
            "AMB" => ids::LOCATION_CLINIC,
            _ => ids::LOCATION_WARD,
        };
        let fields = json!({
            "identifier": [{"system": "https://st-mary.example/encounters", "value": format!("{}-{day}", self.short)}],
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": class},
            "type": [concept(SNOMED, why)],
            "subject": self.subject(),
            "participant": [{"individual": reference(seen_by)}],
            "period": {"start": morning(day), "end": format!("{day}T09:00:00Z")},
            "location": [{"location": reference(&format!("Location/{location}"))}],
            "serviceProvider": reference(&format!("Organization/{}", ids::ORGANIZATION)),
        });
        let visit = self.add("Encounter", &format!("visit-{day}"), day, fields);
        self.visit = Some((visit, day, seen_by));
        self
    }

    /// A condition of the given US Core category; an `end` day makes it resolved.
    pub(super) fn condition(
        &mut self,
        category: &str,
        slug: &str,
        what: Code,
        onset: &str,
        end: Option<&str>,
    ) -> &mut Self {
        let (visit, day, seen_by) = self.open_visit();
        let system = if category == "health-concern" { US_CORE_CONDITION_CATEGORY } else { CONDITION_CATEGORY };
        let clinical = if end.is_some() { "resolved" } else { "active" };
        let mut fields = json!({
            "clinicalStatus": coded("http://terminology.hl7.org/CodeSystem/condition-clinical", clinical),
            "verificationStatus": coded("http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed"),
            "category": [coded(system, category)],
            "code": concept(SNOMED, what),
            "subject": self.subject(),
            "encounter": reference(&visit),
            "onsetDateTime": onset,
            "recordedDate": morning(day),
            "recorder": reference(seen_by),
        });
        if let Some(end) = end {
            fields["abatementDateTime"] = json!(end);
        }
        self.add("Condition", &format!("condition-{slug}"), day, fields);
        self
    }

    fn observation(&mut self, category: (&str, &str), slug: &str, what: Code, more: Value) -> String {
        let (visit, day, seen_by) = self.open_visit();
        let mut fields = json!({
            "status": "final",
            "category": [coded(category.0, category.1)],
            "code": concept(LOINC, what),
            "subject": self.subject(),
            "encounter": reference(&visit),
            "effectiveDateTime": morning(day),
            "issued": morning(day),
            "performer": [reference(seen_by)],
        });
        if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
            fields.extend(more);
        }
        self.add("Observation", &format!("{slug}-{day}"), day, fields)
    }

    /// One vital sign.
    pub(super) fn vital(&mut self, slug: &str, what: Code, value: &'static str, unit: &'static str) -> &mut Self {
        let measure = Measure { value, unit, range: None };
        self.observation(
            (OBSERVATION_CATEGORY, "vital-signs"),
            slug,
            what,
            json!({"valueQuantity": quantity(measure)}),
        );
        self
    }

    /// A blood pressure panel with its two components, in mm[Hg].
    pub(super) fn blood_pressure(&mut self, systolic: &'static str, diastolic: &'static str) -> &mut Self {
        let component = |what: Code, value| {
            json!({
                "code": concept(LOINC, what),
                "valueQuantity": quantity(Measure { value, unit: "mm[Hg]", range: None }),
            })
        };
        let more = json!({"component": [
            component(("8480-6", "Systolic blood pressure"), systolic),
            component(("8462-4", "Diastolic blood pressure"), diastolic),
        ]});
        self.observation((OBSERVATION_CATEGORY, "vital-signs"), "blood-pressure", ("85354-9", "Blood pressure"), more);
        self
    }

    /// The usual round of vital signs: weight in kg, height in cm, pulse, temperature in Cel.
    pub(super) fn round(
        &mut self,
        weight: &'static str,
        height: &'static str,
        pulse: &'static str,
        temperature: &'static str,
    ) -> &mut Self {
        self.vital("weight", ("29463-7", "Body weight"), weight, "kg")
            .vital("height", ("8302-2", "Body height"), height, "cm")
            .vital("pulse", ("8867-4", "Heart rate"), pulse, "/min")
            .vital("temperature", ("8310-5", "Body temperature"), temperature, "Cel")
    }

    /// A laboratory panel: one observation per result and a report that lists them.
    pub(super) fn panel(&mut self, slug: &str, panel: Code, results: &[(&str, Code, Measure)]) -> &mut Self {
        let (visit, day, _) = self.open_visit();
        let mut members = Vec::new();
        for (result, what, measure) in results {
            let mut more = json!({"valueQuantity": quantity(*measure)});
            if let Some((low, high)) = measure.range {
                let bound = |value| quantity(Measure { value, unit: measure.unit, range: None });
                more["referenceRange"] = json!([{"low": bound(low), "high": bound(high)}]);
                more["interpretation"] = json!([coded(
                    "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
                    interpretation(measure.value, low, high),
                )]);
            }
            more["performer"] = json!([reference(&format!("Organization/{}", ids::LABORATORY))]);
            members.push(reference(&self.observation(
                (OBSERVATION_CATEGORY, "laboratory"),
                &format!("lab-{result}"),
                *what,
                more,
            )));
        }
        let fields = json!({
            "status": "final",
            "category": [coded("http://terminology.hl7.org/CodeSystem/v2-0074", "LAB")],
            "code": concept(LOINC, panel),
            "subject": self.subject(),
            "encounter": reference(&visit),
            "effectiveDateTime": morning(day),
            "issued": morning(day),
            "performer": [reference(&format!("Organization/{}", ids::LABORATORY))],
            "result": members,
        });
        self.add("DiagnosticReport", &format!("report-{slug}-{day}"), day, fields);
        self
    }

    /// An imaging or cardiology report in words.
    pub(super) fn study(&mut self, slug: &str, category: &str, what: Code, conclusion: &str) -> &mut Self {
        let (visit, day, seen_by) = self.open_visit();
        let fields = json!({
            "status": "final",
            "category": [coded(LOINC, category)],
            "code": concept(LOINC, what),
            "subject": self.subject(),
            "encounter": reference(&visit),
            "effectiveDateTime": morning(day),
            "issued": morning(day),
            "performer": [reference(seen_by)],
            "conclusion": conclusion,
        });
        self.add("DiagnosticReport", &format!("report-{slug}-{day}"), day, fields);
        self
    }

    /// Something about the person's life (category `social-history`).
    pub(super) fn social(&mut self, slug: &str, what: Code, answer: Code) -> &mut Self {
        let more = json!({"valueCodeableConcept": concept(SNOMED, answer)});
        self.observation((OBSERVATION_CATEGORY, "social-history"), slug, what, more);
        self
    }

    /// A questionnaire score (category `survey`), counted in `{score}`.
    pub(super) fn survey(&mut self, slug: &str, what: Code, score: &'static str) -> &mut Self {
        let measure = Measure { value: score, unit: "{score}", range: None };
        self.observation((OBSERVATION_CATEGORY, "survey"), slug, what, json!({"valueQuantity": quantity(measure)}));
        self
    }

    /// A finding about social needs (US Core category `sdoh`, beside `survey`).
    pub(super) fn social_need(&mut self, slug: &str, what: Code, answer: Code) -> &mut Self {
        let more = json!({
            "category": [coded(OBSERVATION_CATEGORY, "survey"), coded(US_CORE_CATEGORY, "sdoh")],
            "valueCodeableConcept": concept(LOINC, answer),
        });
        self.observation((US_CORE_CATEGORY, "sdoh"), slug, what, more);
        self
    }

    /// An allergy; `category` is `food`, `medication`, `environment` or `biologic`.
    pub(super) fn allergy(
        &mut self,
        category: &str,
        slug: &str,
        to: Code,
        reaction: Code,
        criticality: &str,
    ) -> &mut Self {
        let (_, day, seen_by) = self.open_visit();
        let fields = json!({
            "clinicalStatus": coded("http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "active"),
            "verificationStatus": coded("http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "confirmed"),
            "type": "allergy",
            "category": [category],
            "criticality": criticality,
            "code": concept(SNOMED, to),
            "patient": self.subject(),
            "recordedDate": morning(day),
            "recorder": reference(seen_by),
            "reaction": [{"manifestation": [concept(SNOMED, reaction)], "severity": "moderate"}],
        });
        self.add("AllergyIntolerance", &format!("allergy-{slug}"), day, fields);
        self
    }

    /// A prescription with its dosage in words; `status` as in MedicationRequest.status.
    pub(super) fn medication(&mut self, status: &str, slug: &str, what: Code, dosage: &str) -> &mut Self {
        let (visit, day, seen_by) = self.open_visit();
        let fields = json!({
            "status": status,
            "intent": "order",
            "category": [coded("http://terminology.hl7.org/CodeSystem/medicationrequest-category", "community")],
            "medicationCodeableConcept": concept(ATC, what),
            "subject": self.subject(),
            "encounter": reference(&visit),
            "authoredOn": morning(day),
            "requester": reference(seen_by),
            "dosageInstruction": [{"text": dosage}],
        });
        self.add("MedicationRequest", &format!("medication-{slug}"), day, fields);
        self
    }

    /// A vaccine given on a day (no visit needed).
    pub(super) fn vaccine(&mut self, day: &str, what: Code) -> &mut Self {
        let fields = json!({
            "status": "completed",
            "vaccineCode": concept(CVX, what),
            "patient": self.subject(),
            "occurrenceDateTime": day,
            "primarySource": true,
            "performer": [{"actor": reference(&format!("Organization/{}", ids::ORGANIZATION))}],
        });
        self.add("Immunization", &format!("vaccine-{}-{day}", what.0), day, fields);
        self
    }

    /// A procedure done during the open visit.
    pub(super) fn procedure(&mut self, slug: &str, what: Code) -> &mut Self {
        let (visit, day, seen_by) = self.open_visit();
        let fields = json!({
            "status": "completed",
            "code": concept(SNOMED, what),
            "subject": self.subject(),
            "encounter": reference(&visit),
            "performedDateTime": morning(day),
            "performer": [{"actor": reference(seen_by)}],
        });
        self.add("Procedure", &format!("procedure-{slug}"), day, fields);
        self
    }

    /// A clinical note; its words are inside the attachment.
    pub(super) fn note(&mut self, slug: &str, kind: Code, words: &str) -> &mut Self {
        let attachment =
            json!({"contentType": "text/plain; charset=utf-8", "data": super::base64(words), "title": kind.1});
        self.document(slug, kind, &attachment)
    }

    /// A clinical note whose words are in a `Binary` of their own.
    pub(super) fn filed_note(&mut self, slug: &str, kind: Code, binary: &str) -> &mut Self {
        let attachment =
            json!({"contentType": "text/plain; charset=utf-8", "url": format!("Binary/{binary}"), "title": kind.1});
        self.document(slug, kind, &attachment)
    }

    fn document(&mut self, slug: &str, kind: Code, attachment: &Value) -> &mut Self {
        let (visit, day, seen_by) = self.open_visit();
        let fields = json!({
            "status": "current",
            "docStatus": "final",
            "type": concept(LOINC, kind),
            "category": [coded("http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category", "clinical-note")],
            "subject": self.subject(),
            "date": morning(day),
            "author": [reference(seen_by)],
            "custodian": reference(&format!("Organization/{}", ids::ORGANIZATION)),
            "content": [{"attachment": attachment}],
            "context": {"encounter": [reference(&visit)], "period": {"start": morning(day)}},
        });
        self.add("DocumentReference", &format!("note-{slug}"), day, fields);
        self
    }

    /// The care team, a goal with its target day, and a care plan that names both.
    pub(super) fn plan(&mut self, team: &[&str], goal: &str, due: &str, plan: &str) -> &mut Self {
        let (_, day, seen_by) = self.open_visit();
        let participants: Vec<Value> = team.iter().map(|member| json!({"member": reference(member)})).collect();
        let care_team = self.add(
            "CareTeam",
            "team",
            day,
            json!({
                "status": "active",
                "name": "Care team",
                "subject": self.subject(),
                "participant": participants,
                "managingOrganization": [reference(&format!("Organization/{}", ids::ORGANIZATION))],
            }),
        );
        let goal = self.add(
            "Goal",
            "goal",
            day,
            json!({
                "lifecycleStatus": "active",
                "description": {"text": goal},
                "subject": self.subject(),
                "startDate": day,
                "target": [{"dueDate": due}],
                "expressedBy": reference(seen_by),
            }),
        );
        self.add(
            "CarePlan",
            "plan",
            day,
            json!({
                "status": "active",
                "intent": "plan",
                "category": [coded("http://hl7.org/fhir/us/core/CodeSystem/careplan-category", "assess-plan")],
                "description": plan,
                "subject": self.subject(),
                "period": {"start": day, "end": due},
                "careTeam": [reference(&care_team)],
                "goal": [reference(&goal)],
            }),
        );
        self
    }

    /// Health insurance in force from a day.
    pub(super) fn coverage(&mut self, since: &str, member: &str) -> &mut Self {
        let fields = json!({
            "status": "active",
            "type": {"text": "Basic health insurance"},
            "subscriberId": member,
            "beneficiary": self.subject(),
            "relationship": coded("http://terminology.hl7.org/CodeSystem/subscriber-relationship", "self"),
            "period": {"start": since},
            "payor": [reference(&format!("Organization/{}", ids::INSURER))],
        });
        self.add("Coverage", "coverage", since, fields);
        self
    }

    /// A device of the patient's.
    pub(super) fn device(&mut self, slug: &str, kind: Code, since: &str) -> &mut Self {
        let fields = json!({
            "status": "active",
            "distinctIdentifier": format!("{}-{slug}", self.short),
            "manufactureDate": since,
            "type": concept(SNOMED, kind),
            "patient": self.subject(),
        });
        self.add("Device", &format!("device-{slug}"), since, fields);
        self
    }

    /// A coming appointment with a practitioner.
    pub(super) fn appointment(&mut self, day: &str, with: &str, about: &str) -> &mut Self {
        let fields = json!({
            "status": "booked",
            "description": about,
            "start": morning(day),
            "end": format!("{day}T08:50:00Z"),
            "participant": [
                {"actor": self.subject(), "status": "accepted"},
                {"actor": reference(with), "status": "accepted"},
                {"actor": reference(&format!("Location/{}", ids::LOCATION_CLINIC)), "status": "accepted"},
            ],
        });
        self.add("Appointment", &format!("appointment-{day}"), "2026-09-01", fields);
        self
    }

    /// Where the demographics came from: a Provenance of the Patient itself.
    pub(super) fn provenance(&mut self, day: &str) -> &mut Self {
        let fields = json!({
            "target": [self.subject()],
            "recorded": format!("{day}T10:00:00Z"),
            "agent": [{
                "type": coded("http://terminology.hl7.org/CodeSystem/provenance-participant-type", "author"),
                "who": reference(&format!("Organization/{}", ids::ORGANIZATION)),
            }],
        });
        self.add("Provenance", "provenance", day, fields);
        self
    }
}

fn quantity(measure: Measure) -> Value {
    let value: serde_json::Number = measure.value.parse().expect("the seed tables hold decimal numbers");
    let shown = match measure.unit {
        "mm[Hg]" => "mmHg",
        "Cel" => "°C",
        "{score}" => "points",
        "10*3/uL" => "10³/µL",
        "m[IU]/L" => "mIU/L",
        other => other,
    };
    json!({"value": value, "unit": shown, "system": UCUM, "code": measure.unit})
}

fn interpretation(value: &str, low: &str, high: &str) -> &'static str {
    let number = |text: &str| text.parse::<f64>().expect("the seed tables hold decimal numbers");
    match number(value) {
        value if value < number(low) => "L",
        value if value > number(high) => "H",
        _ => "N",
    }
}
