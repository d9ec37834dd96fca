//! Launch context: what an app is told besides the token (SMART 2.2 "launch context parameters").
//!
//! It is fixed when the grant is made and repeated unchanged in every token response, refresh and introspection of that grant: an app never changes it,
//! whatever it sends.

use std::collections::BTreeMap;

/// The context of one grant or launch handle.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
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
    /// FHIR Identifier: `system` and `value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<BTreeMap<String, String>>,
    /// Resource type, for `canonical` and `identifier`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// Absolute URI; absent means `launch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// What is wrong with a context somebody sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {what}")]
pub struct BadContext {
    /// Which member.
    pub member: &'static str,
    /// Why.
    pub what: &'static str,
}

/// Is this a FHIR logical id (`[A-Za-z0-9\-.]{1,64}`)?
pub fn is_logical_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}

impl LaunchContext {
    /// Checks the rules of SMART-LC-02, 06, 07 and 08.
    pub fn check(&self) -> Result<(), BadContext> {
        let bad = |member, what| Err(BadContext { member, what });
        if self.patient.as_deref().is_some_and(|id| !is_logical_id(id)) {
            return bad("patient", "not a logical id");
        }
        if self.encounter.as_deref().is_some_and(|id| !is_logical_id(id)) {
            return bad("encounter", "not a logical id");
        }
        if self.smart_style_url.as_deref().is_some_and(|url| url::Url::parse(url).is_err()) {
            return bad("smart_style_url", "not an absolute URL");
        }
        self.fhir_context.iter().try_for_each(ContextItem::check)
    }

    /// The members of a token response or introspection answer, in a fixed order. `objects` is false for clients that read SMART 2.0, where `fhirContext` is a
    /// list of reference strings (SMART-LC-09).
    pub fn members(&self, objects: bool) -> serde_json::Map<String, serde_json::Value> {
        let mut members = match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(members)) => members,
            _ => serde_json::Map::new(),
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
}

impl ContextItem {
    fn check(&self) -> Result<(), BadContext> {
        let bad = |what| Err(BadContext { member: "fhirContext", what });
        if self.reference.is_none() && self.canonical.is_none() && self.identifier.is_none() {
            return bad("needs a reference, a canonical or an identifier");
        }
        if let Some(reference) = &self.reference {
            let Some((resource_type, id)) = reference.split_once('/') else { return bad("a reference is Type/id") };
            if fhir_scopes::ResourceType::parse_any(resource_type).is_none() || !is_logical_id(id) {
                return bad("a reference is Type/id, relative to the FHIR base URL");
            }
            let is_launch = self.role.as_deref().is_none_or(|role| role == "launch");
            if is_launch && matches!(resource_type, "Patient" | "Encounter") {
                return bad("Patient and Encounter belong here only with a role");
            }
        }
        if self.canonical.as_deref().is_some_and(|canonical| !canonical.starts_with("http")) {
            return bad("a canonical is a URL");
        }
        match self.role.as_deref() {
            None | Some("launch") => Ok(()),
            Some(role) if url::Url::parse(role).is_ok() => Ok(()),
            Some(_) => bad("a role is an absolute URI"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_context_of_a_2_0_client_is_a_list_of_references() {
        let context = LaunchContext {
            patient: Some("anna".into()),
            fhir_context: vec![ContextItem { reference: Some("ImagingStudy/7".into()), ..ContextItem::default() }],
            ..LaunchContext::default()
        };
        assert_eq!(context.members(false)["fhirContext"].to_string(), r#"["ImagingStudy/7"]"#);
        assert_eq!(context.members(true)["fhirContext"].to_string(), r#"[{"reference":"ImagingStudy/7"}]"#);
    }

    #[test]
    fn contexts_against_the_rules_are_refused() {
        let item = |reference: &str, role: Option<&str>| LaunchContext {
            fhir_context: vec![ContextItem {
                reference: Some(reference.into()),
                role: role.map(str::to_owned),
                ..ContextItem::default()
            }],
            ..LaunchContext::default()
        };
        assert!(item("ImagingStudy/7", None).check().is_ok());
        assert!(item("Patient/7", Some("https://example.org/roles/sibling")).check().is_ok());
        assert!(item("Patient/7", None).check().is_err());
        assert!(item("Nothing/7", None).check().is_err());
        assert!(item("https://x/ImagingStudy/7", None).check().is_err());
        assert!(item("ImagingStudy/7", Some("")).check().is_err());
        assert!(LaunchContext { patient: Some("Patient/7".into()), ..LaunchContext::default() }.check().is_err());
        assert!(
            LaunchContext { fhir_context: vec![ContextItem::default()], ..LaunchContext::default() }.check().is_err()
        );
    }
}
