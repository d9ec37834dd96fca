//! What a FHIR server says: OperationOutcome, searchset Bundle, CapabilityStatement. All pass the strict reading.

use serde_json::{Value, json};

use super::R4;

/// Why something failed, as FHIR codes it (`http://hl7.org/fhir/issue-type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueType {
    /// The content or a parameter is not valid.
    Invalid,
    /// Sign in first: no token, or a token that is no good.
    Login,
    /// The token is good but does not reach this far.
    Forbidden,
    /// There is no such resource, or it is not yours.
    NotFound,
    /// It was there and has been deleted.
    Deleted,
    /// This server does not do that.
    NotSupported,
    /// The stored version is another one than the caller thought.
    Conflict,
    /// Too much at once.
    TooCostly,
    /// Try again in a moment.
    Transient,
}

impl IssueType {
    /// The code on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Login => "login",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::Deleted => "deleted",
            Self::NotSupported => "not-supported",
            Self::Conflict => "conflict",
            Self::TooCostly => "too-costly",
            Self::Transient => "transient",
        }
    }
}

/// An OperationOutcome with one error and one sentence for a person.
pub fn outcome(issue: IssueType, sentence: &str) -> R4 {
    built(&json!({
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": issue.code(), "diagnostics": sentence}],
    }))
}

/// One resource in an answer, with its full URL and why it is there.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Absolute URL of the resource.
    pub full_url: String,
    /// The resource.
    pub resource: &'a R4,
    /// `match` or `include`.
    pub mode: &'static str,
}

/// A searchset Bundle: one page of matches and the links to its neighbours.
#[derive(Debug)]
pub struct Bundle<'a> {
    /// All matches the caller may see, on all pages.
    pub total: usize,
    /// `(relation, absolute URL)`: `self`, `next`, `previous`.
    pub links: Vec<(&'static str, String)>,
    /// This page.
    pub entries: Vec<Entry<'a>>,
}

impl Bundle<'_> {
    /// The Bundle as a resource.
    pub fn write(&self) -> R4 {
        let links: Vec<Value> =
            self.links.iter().map(|(relation, url)| json!({"relation": relation, "url": url})).collect();
        let mut bundle = json!({"resourceType": "Bundle", "type": "searchset", "total": self.total, "link": links});
        if !self.entries.is_empty() {
            let entries = self.entries.iter().map(|entry| {
                json!({"fullUrl": entry.full_url, "resource": entry.resource.to_value(), "search": {"mode": entry.mode}})
            });
            bundle["entry"] = entries.collect();
        }
        built(&bundle)
    }
}

/// What the conformance statement says about security: where to send people for a token.
#[derive(Debug, Clone)]
pub struct SmartEndpoints {
    /// Absolute URL of the authorization endpoint.
    pub authorize: String,
    /// Absolute URL of the token endpoint.
    pub token: String,
    /// Absolute URL of the introspection endpoint.
    pub introspect: Option<String>,
    /// Absolute URL of the revocation endpoint.
    pub revoke: Option<String>,
    /// Absolute URL of the page where a person manages apps.
    pub manage: Option<String>,
    /// Absolute URL of the registration endpoint.
    pub register: Option<String>,
}

/// `rest.security` of a CapabilityStatement (SMART 2.2 conformance, kept for version 1 clients).
pub fn smart_security(endpoints: &SmartEndpoints) -> Value {
    let named = [
        ("authorize", Some(&endpoints.authorize)),
        ("token", Some(&endpoints.token)),
        ("introspect", endpoints.introspect.as_ref()),
        ("revoke", endpoints.revoke.as_ref()),
        ("manage", endpoints.manage.as_ref()),
        ("register", endpoints.register.as_ref()),
    ];
    let uris: Vec<Value> =
        named.into_iter().filter_map(|(name, url)| url.map(|url| json!({"url": name, "valueUri": url}))).collect();
    json!({
        "extension": [{"url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris", "extension": uris}],
        "cors": true,
        "service": [{
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/restful-security-service", "code": "SMART-on-FHIR"}],
            "text": "OAuth 2 with SMART on FHIR",
        }],
    })
}

/// Makes a resource of JSON that this program wrote itself.
pub fn built(value: &Value) -> R4 {
    R4::from_value(value).expect("answers are written from strictly valid parts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_strictly_valid_r4() {
        let refusal = outcome(IssueType::Forbidden, "The token does not allow this.");
        assert_eq!(refusal.text(&["issue", "code"]), Some("forbidden"));
        let bundle = Bundle {
            total: 1,
            links: vec![("self", "https://example.org/fhir/Patient".to_owned())],
            entries: vec![Entry {
                full_url: "https://example.org/fhir/x".to_owned(),
                resource: &refusal,
                mode: "match",
            }],
        };
        assert_eq!(bundle.write().to_value()["total"], json!(1));
    }
}
