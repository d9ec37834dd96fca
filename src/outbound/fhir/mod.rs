//! FHIR resources as fhirbolt elements: the one place where FHIR JSON is read and written.
//!
//! [`R4`] wraps fhirbolt's generic element (no generated models: they cost minutes of compiling). Reading is strict
//! (a member that R4 does not know, or a string where R4 has a boolean, is an error) or tolerant, for other people's
//! servers. Required elements and value sets are not checked. JSON only: fhirbolt's XML reader must never see input
//! from outside.
//!
//! [`views`] are the few facts our pages need of a Patient, Practitioner, RelatedPerson or Encounter;
//! [`records`] are the few that any other type shows; [`client`] fetches them, with a token that [`backend`] may get first; [`outcome`], [`Bundle`](answers::Bundle) and friends write what a FHIR server answers.

pub mod answers;
pub mod backend;
pub mod client;
pub mod records;
pub mod views;

pub use answers::{IssueType, outcome};
pub use client::{FhirClient, FhirReadError};

use fhirbolt::FhirReleases;
use fhirbolt::element::{Element, Primitive, Value as FhirValue};
use fhirbolt::serde::{DeserializationConfig, DeserializationMode};

/// Content type of every FHIR answer and request body (R4 2.6.1).
pub const FHIR_JSON: &str = "application/fhir+json";

/// Not FHIR R4: the sentence says where and why.
#[derive(Debug, thiserror::Error)]
#[error("not valid FHIR R4: {0}")]
pub struct NotFhir(String);

/// One R4 resource as a typed element tree.
#[derive(Debug, Clone, PartialEq)]
pub struct R4(Element<{ FhirReleases::R4 }>);

impl R4 {
    /// Reads a resource; a member unknown to R4 or of the wrong primitive type is an error.
    pub fn read(text: &str) -> Result<Self, NotFhir> {
        Self::read_as(text, DeserializationMode::Strict)
    }

    /// Reads a resource of somebody else's server: members unknown to R4 (of R4B, R5, or vendors') are tolerated.
    pub fn read_tolerant(text: &str) -> Result<Self, NotFhir> {
        Self::read_as(text, DeserializationMode::Compatibility)
    }

    fn read_as(text: &str, mode: DeserializationMode) -> Result<Self, NotFhir> {
        fhirbolt::json::from_str(text, Some(DeserializationConfig { mode }))
            .map_err(|e| NotFhir(e.to_string()))
            .and_then(Self::of_resource)
    }

    /// The same strict reading for a JSON value we built ourselves.
    ///
    /// It goes through text: fhirbolt reads numbers of a `serde_json::Value` less exactly than numbers of a text.
    pub fn from_value(value: &serde_json::Value) -> Result<Self, NotFhir> {
        Self::read(&value.to_string())
    }

    fn of_resource(element: Element<{ FhirReleases::R4 }>) -> Result<Self, NotFhir> {
        match element.get("resourceType") {
            Some(FhirValue::Primitive(Primitive::String(_))) => Ok(Self(element)),
            _ => Err(NotFhir("there is no resourceType".to_owned())),
        }
    }

    /// `resourceType`.
    pub fn resource_type(&self) -> &str {
        match self.0.get("resourceType") {
            Some(FhirValue::Primitive(Primitive::String(name))) => name,
            _ => unreachable!("every constructor checks resourceType"),
        }
    }

    /// The logical id, if there is one.
    pub fn id(&self) -> Option<&str> {
        self.text(&["id"])
    }

    /// First primitive under a path of element names, as text; the first item of a list stands for the list.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        Node(&self.0).text(path)
    }

    /// All elements under a path of element names.
    pub fn all(&self, path: &[&str]) -> Vec<Node<'_>> {
        Node(&self.0).all(path)
    }

    /// The resource as JSON value, members in the order of the specification.
    pub fn to_value(&self) -> serde_json::Value {
        fhirbolt::json::to_json_value(self.0.clone(), None).expect("a strictly read element has only writable values")
    }

    /// The same for a resource of somebody else's server, which may hold what cannot be written.
    pub fn try_value(&self) -> Option<serde_json::Value> {
        fhirbolt::json::to_json_value(self.0.clone(), None).ok()
    }

    /// The resource as JSON text.
    pub fn to_text(&self) -> String {
        self.to_value().to_string()
    }
}

/// One element inside a resource.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a>(&'a Element<{ FhirReleases::R4 }>);

impl<'a> Node<'a> {
    /// First primitive under a path, as text.
    pub fn text(self, path: &[&str]) -> Option<&'a str> {
        let Some((first, rest)) = path.split_first() else {
            return primitive(self.0.get("value")?);
        };
        match self.0.get(*first)? {
            FhirValue::Element(element) => Node(element).text(rest),
            FhirValue::Sequence(items) => items.iter().find_map(|item| Node(item).text(rest)),
            // ids of elements and `resourceType` stand bare
            bare @ FhirValue::Primitive(_) => rest.is_empty().then(|| primitive(bare)).flatten(),
        }
    }

    /// All primitives under a path, as text.
    pub fn texts(self, path: &[&str]) -> Vec<&'a str> {
        self.all(path).into_iter().filter_map(|node| node.text(&[])).collect()
    }

    /// A resource inside a resource (a Bundle's entry) as one of its own.
    pub fn to_resource(self) -> Option<R4> {
        R4::of_resource(self.0.clone()).ok()
    }

    /// All elements under a path.
    pub fn all(self, path: &[&str]) -> Vec<Node<'a>> {
        let Some((first, rest)) = path.split_first() else {
            return vec![self];
        };
        match self.0.get(*first) {
            Some(FhirValue::Element(element)) => Node(element).all(rest),
            Some(FhirValue::Sequence(items)) => items.iter().flat_map(|item| Node(item).all(rest)).collect(),
            Some(FhirValue::Primitive(_)) | None => Vec::new(),
        }
    }
}

fn primitive(value: &FhirValue<{ FhirReleases::R4 }>) -> Option<&str> {
    match value {
        FhirValue::Primitive(Primitive::String(text) | Primitive::Decimal(text)) => Some(text),
        FhirValue::Primitive(Primitive::Bool(true)) => Some("true"),
        FhirValue::Primitive(Primitive::Bool(false)) => Some("false"),
        FhirValue::Primitive(Primitive::Integer(_) | Primitive::Integer64(_))
        | FhirValue::Element(_)
        | FhirValue::Sequence(_) => None,
    }
}

/// A body as text, if it is not larger than `most` bytes.
async fn capped_body(response: &mut reqwest::Response, most: usize) -> Result<String, FhirReadError> {
    let mut body = Vec::new();
    while let Some(chunk) =
        response.chunk().await.map_err(|error| FhirReadError::Down(error.without_url().to_string()))?
    {
        if body.len() + chunk.len() > most {
            return Err(FhirReadError::Malformed(format!("more than {most} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body).map_err(|_| FhirReadError::Malformed("not UTF-8".to_owned()))
}

/// Is this a FHIR logical id (`[A-Za-z0-9\-\.]{1,64}`)? Ask before putting one into a URL.
pub fn is_fhir_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENT: &str = r#"{"resourceType":"Patient","id":"p","active":true,"multipleBirthInteger":2,
        "name":[{"family":"Tan","given":["Mei","L."]}],"birthDate":"1998-01-05",
        "_birthDate":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthTime","valueDateTime":"1998-01-05T04:00:00Z"}]}}"#;

    #[test]
    fn a_resource_keeps_every_member_on_its_way_through() {
        let expected: serde_json::Value = serde_json::from_str(PATIENT).unwrap();
        assert_eq!(R4::read(PATIENT).unwrap().to_value(), expected);
    }

    #[test]
    fn decimals_keep_their_trailing_zeros() {
        let text =
            r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":6.10}}"#;
        assert!(R4::read(text).unwrap().to_text().contains("6.10"));
    }

    #[test]
    fn strict_reading_refuses_what_r4_does_not_know_and_tolerant_reading_does_not() {
        let unknown = r#"{"resourceType":"Patient","id":"p","shoeSize":"42"}"#;
        assert!(R4::read(unknown).is_err());
        assert_eq!(R4::read_tolerant(unknown).unwrap().id(), Some("p"));
    }

    #[test]
    fn a_wrong_primitive_type_or_a_missing_type_is_refused() {
        for text in [r#"{"resourceType":"Patient","active":"perhaps"}"#, r#"{"id":"p"}"#, "[]", ""] {
            assert!(R4::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn paths_walk_through_lists() {
        let patient = R4::read(PATIENT).unwrap();
        assert_eq!(patient.text(&["name", "family"]), Some("Tan"));
        assert_eq!(patient.all(&["name"])[0].texts(&["given"]), ["Mei", "L."]);
        assert_eq!(patient.text(&["name", "suffix"]), None);
    }

    #[test]
    fn only_fhir_ids_are_ids() {
        assert!(is_fhir_id("anna-de-vries") && is_fhir_id("A.1"));
        for bad in ["", "a/b", "a?b", "ä", "..%2F", &"x".repeat(65)] {
            assert!(!is_fhir_id(bad), "{bad}");
        }
    }
}
