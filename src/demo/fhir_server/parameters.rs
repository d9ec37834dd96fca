//! Which search parameters this server knows for which type, and the elements behind them.
//!
//! A parameter that is not in this table is refused by name (never ignored: an ignored criterion widens the answer).

/// How a parameter's values are compared (R4 3.1.1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Codes, identifiers, booleans: `code`, `system|code`, `|code`, `system|`.
    Token,
    /// Text that starts with the value, whatever the case.
    Text,
    /// Days, moments and periods, with prefixes.
    Date,
    /// A reference by id, `Type/id` or absolute URL.
    Reference,
    /// A reference that counts only if it leads to a Patient.
    Patient,
    /// A whole URI, compared exactly.
    Uri,
}

/// A search parameter: its name and the element paths it looks at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) paths: &'static [&'static str],
}

macro_rules! parameters {
    ($($name:literal $kind:ident $($path:literal)+;)*) => {
        &[$(Parameter { name: $name, kind: Kind::$kind, paths: &[$($path),+] }),*]
    };
}

/// Parameters of every type.
static COMMON: &[Parameter] = parameters! {
    "_id" Token "id";
    "_lastUpdated" Date "meta.lastUpdated";
    "_tag" Token "meta.tag";
    "_security" Token "meta.security";
    "_profile" Uri "meta.profile";
};

/// The types this server holds, with their own parameters, in alphabetical order.
pub(super) static TYPES: &[(&str, &[Parameter])] = &[
    (
        "AllergyIntolerance",
        parameters! {
            "patient" Patient "patient"; "code" Token "code"; "category" Token "category"; "type" Token "type";
            "clinical-status" Token "clinicalStatus"; "verification-status" Token "verificationStatus";
            "criticality" Token "criticality"; "date" Date "recordedDate"; "recorder" Reference "recorder";
        },
    ),
    (
        "Appointment",
        parameters! {
            "patient" Patient "participant.actor"; "actor" Reference "participant.actor"; "practitioner" Reference "participant.actor";
            "location" Reference "participant.actor"; "status" Token "status"; "date" Date "start"; "identifier" Token "identifier";
        },
    ),
    ("Binary", &[]),
    (
        "CarePlan",
        parameters! {
            "patient" Patient "subject"; "subject" Reference "subject"; "category" Token "category"; "status" Token "status";
            "intent" Token "intent"; "date" Date "period"; "encounter" Reference "encounter"; "care-team" Reference "careTeam"; "goal" Reference "goal";
        },
    ),
    (
        "CareTeam",
        parameters! {
            "patient" Patient "subject"; "subject" Reference "subject"; "status" Token "status"; "category" Token "category";
            "participant" Reference "participant.member"; "encounter" Reference "encounter"; "date" Date "period";
        },
    ),
    (
        "Condition",
        parameters! {
            "patient" Patient "subject"; "subject" Reference "subject"; "category" Token "category"; "code" Token "code";
            "clinical-status" Token "clinicalStatus"; "verification-status" Token "verificationStatus"; "encounter" Reference "encounter";
            "onset-date" Date "onsetDateTime" "onsetPeriod"; "abatement-date" Date "abatementDateTime" "abatementPeriod";
            "recorded-date" Date "recordedDate"; "identifier" Token "identifier";
        },
    ),
    (
        "Coverage",
        parameters! {
            "patient" Patient "beneficiary"; "beneficiary" Reference "beneficiary"; "status" Token "status"; "type" Token "type";
            "payor" Reference "payor"; "identifier" Token "identifier";
        },
    ),
    (
        "Device",
        parameters! {
            "patient" Patient "patient"; "type" Token "type"; "status" Token "status"; "identifier" Token "identifier";
        },
    ),
    (
        "DiagnosticReport",
        parameters! {
            "patient" Patient "subject"; "subject" Reference "subject"; "category" Token "category"; "code" Token "code"; "status" Token "status";
            "date" Date "effectiveDateTime" "effectivePeriod"; "issued" Date "issued"; "encounter" Reference "encounter";
            "performer" Reference "performer"; "result" Reference "result"; "identifier" Token "identifier";
        },
    ),
    (
        "DocumentReference",
        parameters! {
            "patient" Patient "subject"; "subject" Reference "subject"; "category" Token "category"; "type" Token "type"; "status" Token "status";
            "date" Date "date"; "period" Date "context.period"; "encounter" Reference "context.encounter"; "author" Reference "author";
            "identifier" Token "identifier" "masterIdentifier";
        },
    ),
    (
        "Encounter",
        parameters! {
            "patient" Patient "subject"; "subject" Reference "subject"; "status" Token "status"; "class" Token "class"; "type" Token "type";
            "date" Date "period"; "identifier" Token "identifier"; "location" Reference "location.location";
            "participant" Reference "participant.individual"; "practitioner" Reference "participant.individual";
            "service-provider" Reference "serviceProvider";
        },
    ),
    (
        "FamilyMemberHistory",
        parameters! {
            "patient" Patient "patient"; "code" Token "condition.code"; "relationship" Token "relationship"; "status" Token "status";
            "date" Date "date"; "identifier" Token "identifier";
        },
    ),
    (
        "Goal",
        parameters! {
            "patient" Patient "subject"; "subject" Reference "subject"; "lifecycle-status" Token "lifecycleStatus"; "category" Token "category";
            "start-date" Date "startDate"; "target-date" Date "target.dueDate"; "identifier" Token "identifier";
        },
    ),
    (
        "Group",
        parameters! {
            "member" Reference "member.entity"; "type" Token "type"; "actual" Token "actual"; "code" Token "code"; "identifier" Token "identifier";
        },
    ),
    (
        "Immunization",
        parameters! {
            "patient" Patient "patient"; "status" Token "status"; "vaccine-code" Token "vaccineCode"; "date" Date "occurrenceDateTime";
            "performer" Reference "performer.actor"; "identifier" Token "identifier";
        },
    ),
    (
        "Location",
        parameters! {
            "name" Text "name" "alias"; "status" Token "status"; "type" Token "type"; "organization" Reference "managingOrganization";
            "identifier" Token "identifier";
        },
    ),
    (
        "Medication",
        parameters! {
            "code" Token "code"; "status" Token "status"; "form" Token "form"; "identifier" Token "identifier";
        },
    ),
    (
        "MedicationDispense",
        parameters! {
            "patient" Patient "subject"; "subject" Reference "subject"; "status" Token "status"; "type" Token "type";
            "code" Token "medicationCodeableConcept"; "medication" Reference "medicationReference"; "whenhandedover" Date "whenHandedOver";
            "whenprepared" Date "whenPrepared"; "prescription" Reference "authorizingPrescription"; "identifier" Token "identifier";
        },
    ),
    (
        "MedicationRequest",
        parameters! {
            "patient" Patient "subject"; "subject" Reference "subject"; "status" Token "status"; "intent" Token "intent"; "category" Token "category";
            "code" Token "medicationCodeableConcept"; "medication" Reference "medicationReference"; "authoredon" Date "authoredOn";
            "encounter" Reference "encounter"; "requester" Reference "requester"; "identifier" Token "identifier";
        },
    ),
    (
        "Observation",
        parameters! {
            "patient" Patient "subject"; "subject" Reference "subject"; "category" Token "category"; "code" Token "code"; "status" Token "status";
            "date" Date "effectiveDateTime" "effectivePeriod" "effectiveInstant"; "encounter" Reference "encounter";
            "performer" Reference "performer"; "value-concept" Token "valueCodeableConcept"; "component-code" Token "component.code";
            "combo-code" Token "code" "component.code"; "identifier" Token "identifier";
        },
    ),
    (
        "Organization",
        parameters! {
            "name" Text "name" "alias"; "identifier" Token "identifier"; "type" Token "type"; "active" Token "active"; "partof" Reference "partOf";
        },
    ),
    (
        "Patient",
        parameters! {
            "name" Text "name"; "family" Text "name.family"; "given" Text "name.given"; "birthdate" Date "birthDate"; "gender" Token "gender";
            "identifier" Token "identifier"; "active" Token "active"; "general-practitioner" Reference "generalPractitioner";
            "organization" Reference "managingOrganization"; "email" Token "telecom"; "telecom" Token "telecom"; "address-city" Text "address.city";
        },
    ),
    (
        "Person",
        parameters! {
            "name" Text "name"; "birthdate" Date "birthDate"; "gender" Token "gender"; "patient" Patient "link.target"; "link" Reference "link.target";
            "relatedperson" Reference "link.target"; "identifier" Token "identifier";
        },
    ),
    (
        "Practitioner",
        parameters! {
            "name" Text "name"; "family" Text "name.family"; "given" Text "name.given"; "identifier" Token "identifier"; "active" Token "active";
        },
    ),
    (
        "PractitionerRole",
        parameters! {
            "practitioner" Reference "practitioner"; "organization" Reference "organization"; "role" Token "code"; "specialty" Token "specialty";
            "location" Reference "location"; "active" Token "active"; "identifier" Token "identifier";
        },
    ),
    (
        "Procedure",
        parameters! {
            "patient" Patient "subject"; "subject" Reference "subject"; "status" Token "status"; "code" Token "code"; "category" Token "category";
            "date" Date "performedDateTime" "performedPeriod"; "encounter" Reference "encounter"; "performer" Reference "performer.actor";
            "identifier" Token "identifier";
        },
    ),
    (
        "Provenance",
        parameters! {
            "patient" Patient "target"; "target" Reference "target"; "recorded" Date "recorded"; "agent" Reference "agent.who";
        },
    ),
    (
        "QuestionnaireResponse",
        parameters! {
            "patient" Patient "subject"; "subject" Reference "subject"; "status" Token "status"; "authored" Date "authored";
            "author" Reference "author"; "encounter" Reference "encounter"; "questionnaire" Uri "questionnaire"; "identifier" Token "identifier";
        },
    ),
    (
        "RelatedPerson",
        parameters! {
            "patient" Patient "patient"; "name" Text "name"; "birthdate" Date "birthDate"; "relationship" Token "relationship";
            "identifier" Token "identifier"; "active" Token "active";
        },
    ),
    (
        "ServiceRequest",
        parameters! {
            "patient" Patient "subject"; "subject" Reference "subject"; "status" Token "status"; "intent" Token "intent"; "category" Token "category";
            "code" Token "code"; "authored" Date "authoredOn"; "encounter" Reference "encounter"; "requester" Reference "requester";
            "identifier" Token "identifier";
        },
    ),
    (
        "Specimen",
        parameters! {
            "patient" Patient "subject"; "subject" Reference "subject"; "type" Token "type"; "status" Token "status";
            "collected" Date "collection.collectedDateTime" "collection.collectedPeriod"; "identifier" Token "identifier";
        },
    ),
    (
        "Task",
        parameters! {
            "patient" Patient "for"; "subject" Reference "for"; "status" Token "status"; "code" Token "code"; "intent" Token "intent";
            "owner" Reference "owner"; "requester" Reference "requester"; "authored-on" Date "authoredOn"; "identifier" Token "identifier";
        },
    ),
];

/// The Patient compartment of R4 (CompartmentDefinition/patient) for the types above; `{0}` would be the Patient.
static PATIENT_COMPARTMENT: &[(&str, &[&str])] = &[
    ("AllergyIntolerance", &["patient", "recorder", "asserter"]),
    ("Appointment", &["participant.actor"]),
    ("CarePlan", &["subject", "activity.detail.performer"]),
    ("CareTeam", &["subject", "participant.member"]),
    ("Condition", &["subject", "asserter"]),
    ("Coverage", &["policyHolder", "subscriber", "beneficiary", "payor"]),
    ("DiagnosticReport", &["subject"]),
    ("DocumentReference", &["subject", "author"]),
    ("Encounter", &["subject"]),
    ("FamilyMemberHistory", &["patient"]),
    ("Goal", &["subject"]),
    ("Group", &["member.entity"]),
    ("Immunization", &["patient"]),
    ("MedicationDispense", &["subject", "receiver"]),
    ("MedicationRequest", &["subject"]),
    ("Observation", &["subject", "performer"]),
    ("Patient", &["link.other"]),
    ("Person", &["link.target"]),
    ("Procedure", &["subject", "performer.actor"]),
    ("Provenance", &["target"]),
    ("QuestionnaireResponse", &["subject", "author"]),
    ("RelatedPerson", &["patient"]),
    ("ServiceRequest", &["subject", "performer"]),
    ("Specimen", &["subject"]),
];

/// Does this server hold resources of the type?
pub(super) fn is_held(kind: &str) -> bool {
    TYPES.iter().any(|(held, _)| *held == kind)
}

/// The parameter of that name for a type.
pub(super) fn find(kind: &str, name: &str) -> Option<&'static Parameter> {
    let own = TYPES.iter().find(|(held, _)| *held == kind).map_or(&[][..], |(_, own)| own);
    COMMON.iter().chain(own).find(|parameter| parameter.name == name)
}

/// All parameters of a type, for the conformance statement.
pub(super) fn of_type(own: &'static [Parameter]) -> impl Iterator<Item = &'static Parameter> {
    COMMON.iter().chain(own)
}

/// The element paths that put a resource of this type into a Patient's compartment; none if the type is not in it.
pub(super) fn compartment_paths(kind: &str) -> Option<&'static [&'static str]> {
    PATIENT_COMPARTMENT.iter().find(|(member, _)| *member == kind).map(|(_, paths)| *paths)
}

impl Kind {
    /// `SearchParameter.type` on the wire.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Text => "string",
            Self::Date => "date",
            Self::Reference | Self::Patient => "reference",
            Self::Uri => "uri",
        }
    }
}
