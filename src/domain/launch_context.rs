//! Launch context: what an app is told besides the token (SMART 2.2 "launch context parameters").
//!
//! It is fixed when the grant is made and repeated unchanged in every token response, refresh and introspection of that grant: an app never changes it,
//! whatever it sends.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use url::Url;

/// More entries of `fhirContext` than any screen of an EHR holds.
const MOST_ITEMS: usize = 50;

/// The context of one grant or launch handle.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct LaunchContext {
    /// Logical id of the patient, without `Patient/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient: Option<String>,
    /// Logical id of the encounter, without `Encounter/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encounter: Option<String>,
    /// Further resources in context.
    #[serde(rename = "fhirContext", skip_serializing_if = "Vec::is_empty")]
    pub fhir_context: Vec<ContextItem>,
    /// Must the app show who the patient is?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub need_patient_banner: Option<bool>,
    /// What the app should open with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// Where the EHR's style sheet is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smart_style_url: Option<String>,
    /// The EHR's own word for who its customer is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Passed through from a CDS Hooks link or a Task.
    #[serde(rename = "appContext", skip_serializing_if = "Option::is_none")]
    pub app_context: Option<String>,
    /// Members of the EHR's own, passed on as they are. Their names are absolute URIs or begin with `__` (SMART-LC-14): [`check`](Self::check) refuses any other,
    /// so that a misspelt member is a mistake that is told, and no extension takes the place of a member of the token response.
    #[serde(flatten)]
    pub extensions: BTreeMap<String, Value>,
}

/// One entry of `fhirContext`.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContextItem {
    /// Relative reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Canonical URL, with or without a version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canonical: Option<String>,
    /// FHIR Identifier: at least a `system` or a `value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Map<String, Value>>,
    /// Resource type, for `canonical` and `identifier`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// Absolute URI; absent means `launch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// What is wrong with a context somebody sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {}", .fault.sentence())]
pub struct BadContext {
    /// Which member; of an entry of `fhirContext`, which of its own (`reference`, `role`, ...).
    pub member: &'static str,
    /// Which entry of `fhirContext`, from 0; `None` outside of it.
    pub item: Option<usize>,
    /// Why.
    pub fault: ContextFault,
}

/// What can be wrong with a member of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextFault {
    /// Not a logical id.
    NotAnId,
    /// Not the absolute https or http URL of a style sheet.
    NotAUrl,
    /// Not a relative reference to a resource type of FHIR.
    NotAReference,
    /// Patient and Encounter belong into `fhirContext` only with a role of their own.
    NeedsRole,
    /// Not a canonical URL.
    NotACanonical,
    /// An Identifier without system and value.
    NotAnIdentifier,
    /// Not a resource type of FHIR, or another one than the reference's.
    NotAType,
    /// Not an absolute URI.
    NotARole,
    /// An entry that refers to nothing.
    NothingMeant,
    /// More entries than we pass on.
    TooMany,
    /// A member that SMART does not know, whose name is neither an absolute URI nor begins with `__`.
    UnknownMember,
}

impl ContextFault {
    /// A stable code: words for people are looked up by it.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotAnId => "not-a-logical-id",
            Self::NotAUrl => "not-a-url",
            Self::NotAReference => "not-a-reference",
            Self::NeedsRole => "needs-role",
            Self::NotACanonical => "not-a-canonical",
            Self::NotAnIdentifier => "not-an-identifier",
            Self::NotAType => "not-a-type",
            Self::NotARole => "not-a-role",
            Self::NothingMeant => "nothing-meant",
            Self::TooMany => "too-long",
            Self::UnknownMember => "unknown-member",
        }
    }

    /// For whoever wrote the caller.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NotAnId => "not a logical id",
            Self::NotAUrl => "not an absolute http or https URL",
            Self::NotAReference => "a reference is Type/id, relative to the FHIR base URL",
            Self::NeedsRole => "Patient and Encounter belong here only with a role",
            Self::NotACanonical => "a canonical is an absolute URI",
            Self::NotAnIdentifier => "an identifier has a system or a value",
            Self::NotAType => "not a resource type, or not that of the reference",
            Self::NotARole => "a role is an absolute URI",
            Self::NothingMeant => "needs a reference, a canonical or an identifier",
            Self::TooMany => "too many entries",
            Self::UnknownMember => {
                "there is no such member; the name of an extension is an absolute URI or begins with two underscores"
            }
        }
    }
}

/// Is this a FHIR logical id (`[A-Za-z0-9\-.]{1,64}`)?
pub fn is_logical_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}

/// Is this an absolute URI: what a role, a canonical and the name of an extension are?
pub fn is_absolute_uri(text: &str) -> bool {
    !text.chars().any(|c| c.is_whitespace() || c.is_control()) && Url::parse(text).is_ok()
}

impl LaunchContext {
    /// Checks the rules of SMART-LC-02, 06, 07, 08, 12 and 14.
    pub fn check(&self) -> Result<(), BadContext> {
        let bad = |member, fault| Err(BadContext { member, item: None, fault });
        if self.patient.as_deref().is_some_and(|id| !is_logical_id(id)) {
            return bad("patient", ContextFault::NotAnId);
        }
        if self.encounter.as_deref().is_some_and(|id| !is_logical_id(id)) {
            return bad("encounter", ContextFault::NotAnId);
        }
        let is_web_address =
            |text: &str| Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
        if self.smart_style_url.as_deref().is_some_and(|url| !is_web_address(url)) {
            return bad("smart_style_url", ContextFault::NotAUrl);
        }
        if self.fhir_context.len() > MOST_ITEMS {
            return bad("fhirContext", ContextFault::TooMany);
        }
        if !self.extensions.keys().all(|name| name.starts_with("__") || is_absolute_uri(name)) {
            return bad("context", ContextFault::UnknownMember);
        }
        self.fhir_context.iter().enumerate().try_for_each(|(place, item)| {
            item.check().map_err(|(member, fault)| BadContext { member, item: Some(place), fault })
        })
    }

    /// The members of a token response or introspection answer, in a fixed order. `objects` is false for clients that read SMART 2.0, where `fhirContext` is a
    /// list of reference strings (SMART-LC-09).
    pub fn members(&self, objects: bool) -> Map<String, Value> {
        let mut members = match serde_json::to_value(self) {
            Ok(Value::Object(members)) => members,
            _ => Map::new(),
        };
        if !objects && !self.fhir_context.is_empty() {
            let references: Vec<&str> = self.fhir_context.iter().filter_map(|item| item.reference.as_deref()).collect();
            if references.is_empty() {
                members.remove("fhirContext");
            } else {
                members.insert("fhirContext".to_owned(), references.into());
            }
        }
        members
    }

    /// Could anything in it be about a person: a patient, a visit, further resources, or what only the app and the EHR understand?
    pub fn may_be_about_somebody(&self) -> bool {
        self.patient.is_some()
            || self.encounter.is_some()
            || self.app_context.is_some()
            || !self.fhir_context.is_empty()
            || !self.extensions.is_empty()
    }

    /// Is there a resource of this type among the further ones, in whatever role?
    pub fn has_type(&self, resource_type: &str) -> bool {
        self.fhir_context.iter().any(|item| item.type_name() == Some(resource_type))
    }
}

impl ContextItem {
    /// The resource type it is about, if it says so.
    pub fn type_name(&self) -> Option<&str> {
        self.reference.as_deref().and_then(|reference| reference.split('/').next()).or(self.resource_type.as_deref())
    }

    /// The first rule it breaks, and the member that breaks it.
    fn check(&self) -> Result<(), (&'static str, ContextFault)> {
        if self.reference.is_none() && self.canonical.is_none() && self.identifier.is_none() {
            return Err(("reference", ContextFault::NothingMeant));
        }
        let is_type = |name: &str| fhir_scopes::ResourceType::parse_any(name).is_some();
        if let Some(reference) = &self.reference {
            let parts = reference.split_once('/').filter(|(kind, id)| is_type(kind) && is_logical_id(id));
            let Some((kind, _)) = parts else { return Err(("reference", ContextFault::NotAReference)) };
            if self.resource_type.as_deref().is_some_and(|named| named != kind) {
                return Err(("type", ContextFault::NotAType));
            }
        }
        if self.canonical.as_deref().is_some_and(|canonical| !is_absolute_uri(canonical)) {
            return Err(("canonical", ContextFault::NotACanonical));
        }
        let is_text = |value: Option<&Value>| value.and_then(Value::as_str).is_some_and(|text| !text.is_empty());
        if self.identifier.as_ref().is_some_and(|it| !is_text(it.get("system")) && !is_text(it.get("value"))) {
            return Err(("identifier", ContextFault::NotAnIdentifier));
        }
        if self.resource_type.as_deref().is_some_and(|name| !is_type(name)) {
            return Err(("type", ContextFault::NotAType));
        }
        let is_launch = self.role.as_deref().is_none_or(|role| role == "launch");
        if is_launch && matches!(self.type_name(), Some("Patient" | "Encounter")) {
            return Err(("role", ContextFault::NeedsRole));
        }
        // the one role that SMART itself names is `launch`; every other is somebody's own, and says whose
        if !is_launch && self.role.as_deref().is_some_and(|role| !is_absolute_uri(role)) {
            return Err(("role", ContextFault::NotARole));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &Value) -> LaunchContext {
        serde_json::from_str(&value.to_string()).unwrap()
    }

    #[test]
    fn the_context_of_a_2_0_client_is_a_list_of_references() {
        let context = LaunchContext {
            patient: Some("anna".into()),
            fhir_context: vec![ContextItem { reference: Some("ImagingStudy/7".into()), ..ContextItem::default() }],
            ..LaunchContext::default()
        };
        assert_eq!(context.members(false)["fhirContext"].to_string(), r#"["ImagingStudy/7"]"#);
        assert_eq!(context.members(true)["fhirContext"].to_string(), r#"[{"reference":"ImagingStudy/7"}]"#);
        let canonical =
            read(&json!({ "fhirContext": [{ "canonical": "https://x.example/q|2", "type": "Questionnaire" }] }));
        assert!(!canonical.members(false).contains_key("fhirContext"), "2.0 has no way to say it");
    }

    #[test]
    fn what_the_rules_allow_is_passed_on_as_it_came() {
        let context = json!({
            "patient": "anna", "encounter": "v.1-2", "need_patient_banner": false, "intent": "", "tenant": "t", "appContext": "{\"a\":1}",
            "smart_style_url": "https://ehr.example/s.json",
            "fhirContext": [
                { "reference": "ImagingStudy/7" },
                { "reference": "Patient/ben", "role": "https://ehr.example/roles/sibling" },
                { "reference": "Practitioner/7", "role": "launch" },
                { "reference": "Task/7", "role": "urn:oid:1.2.3", "type": "Task" },
                { "canonical": "https://x.example/Questionnaire/phq9|2.1", "type": "Questionnaire" },
                { "identifier": { "system": "urn:x", "value": "7", "type": { "text": "case" } }, "type": "EpisodeOfCare" },
            ],
            "__ward": { "beds": 12 }, "https://ehr.example/desk": ["a", null],
        });
        let read = read(&context);
        read.check().unwrap();
        assert_eq!(Value::Object(read.members(true)), context);
        let exact = r#"{"__ward":{"beds":12,"free":0.50}}"#;
        let kept: LaunchContext = serde_json::from_str(exact).unwrap();
        assert_eq!(serde_json::to_string(&kept).unwrap(), exact, "numbers stay as they were written");
        assert!(read.has_type("EpisodeOfCare") && read.has_type("Patient") && !read.has_type("Encounter"));
    }

    #[test]
    fn contexts_against_the_rules_are_refused_by_member() {
        let item = |item: Value| json!({ "fhirContext": [{ "reference": "Task/1" }, item] });
        for (context, member, fault) in [
            (json!({ "patient": "Patient/7" }), "patient", ContextFault::NotAnId),
            (json!({ "patient": "" }), "patient", ContextFault::NotAnId),
            (json!({ "patient": "x".repeat(65) }), "patient", ContextFault::NotAnId),
            (json!({ "encounter": "Encounter/7" }), "encounter", ContextFault::NotAnId),
            (json!({ "encounter": "a b" }), "encounter", ContextFault::NotAnId),
            (json!({ "smart_style_url": "/style.json" }), "smart_style_url", ContextFault::NotAUrl),
            (json!({ "smart_style_url": "javascript:alert(1)" }), "smart_style_url", ContextFault::NotAUrl),
            (json!({ "access_token": "mine" }), "context", ContextFault::UnknownMember),
            (json!({ "scope": "user/*.cruds" }), "context", ContextFault::UnknownMember),
            (json!({ "_x": 1 }), "context", ContextFault::UnknownMember),
            (json!({ "fhircontext": [] }), "context", ContextFault::UnknownMember),
            (item(json!({})), "reference", ContextFault::NothingMeant),
            (item(json!({ "type": "Task" })), "reference", ContextFault::NothingMeant),
            (item(json!({ "reference": "Nothing/7" })), "reference", ContextFault::NotAReference),
            (item(json!({ "reference": "ImagingStudy" })), "reference", ContextFault::NotAReference),
            (item(json!({ "reference": "ImagingStudy/7/_history/1" })), "reference", ContextFault::NotAReference),
            (item(json!({ "reference": "https://x/ImagingStudy/7" })), "reference", ContextFault::NotAReference),
            (item(json!({ "reference": "ImagingStudy/7", "type": "Task" })), "type", ContextFault::NotAType),
            (item(json!({ "canonical": "https://x/y", "type": "task" })), "type", ContextFault::NotAType),
            (item(json!({ "canonical": "Questionnaire/7" })), "canonical", ContextFault::NotACanonical),
            (item(json!({ "identifier": {} })), "identifier", ContextFault::NotAnIdentifier),
            (item(json!({ "identifier": { "value": "" } })), "identifier", ContextFault::NotAnIdentifier),
            (item(json!({ "reference": "ImagingStudy/7", "role": "" })), "role", ContextFault::NotARole),
            (item(json!({ "reference": "ImagingStudy/7", "role": "friend" })), "role", ContextFault::NotARole),
            (item(json!({ "reference": "ImagingStudy/7", "role": "/roles/x" })), "role", ContextFault::NotARole),
            (item(json!({ "reference": "ImagingStudy/7", "role": "https://x/ y" })), "role", ContextFault::NotARole),
            (item(json!({ "reference": "Patient/7" })), "role", ContextFault::NeedsRole),
            (item(json!({ "reference": "Patient/7", "role": "launch" })), "role", ContextFault::NeedsRole),
            (item(json!({ "reference": "Encounter/7" })), "role", ContextFault::NeedsRole),
            (item(json!({ "identifier": { "value": "7" }, "type": "Patient" })), "role", ContextFault::NeedsRole),
            (
                json!({ "fhirContext": vec![json!({ "reference": "Task/1" }); 51] }),
                "fhirContext",
                ContextFault::TooMany,
            ),
        ] {
            let bad = read(&context).check().expect_err(&context.to_string());
            assert_eq!((bad.member, bad.fault), (member, fault), "{context}");
            let is_inside = context["fhirContext"].as_array().is_some_and(|items| items.len() == 2);
            assert_eq!(bad.item, is_inside.then_some(1), "{context}");
        }
        for wrong in
            [json!({ "need_patient_banner": "true" }), json!({ "fhirContext": [{ "reference": "Task/1", "x": 1 }] })]
        {
            assert!(serde_json::from_str::<LaunchContext>(&wrong.to_string()).is_err(), "{wrong}");
        }
    }
}
