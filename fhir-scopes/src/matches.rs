//! Does a resource meet a search limit? The limit as a guard, not as a search.
//!
//! A search may be generous, a guard may not: text is compared exactly (case included), a system must be equal to the letter, an
//! absent element never matches, and a parameter that no plain element path can tell never matches. What the parameters look at
//! comes from the tables; the resource is read through [`ResourceView`], which `serde_json::Value` implements (feature `json`).

mod date;
mod reference;
mod value;

use alloc::vec::Vec;

use crate::tables::{self, Element, Path};
use crate::{Clause, Limit, Release, ResourceType, TypeSelector};

pub(crate) use date::is_comparable_date;
pub use reference::{LocalReference, local_reference};
pub(crate) use reference::{is_id, points_at};
use value::Value;

/// A FHIR resource, or a part of one, seen as JSON: all that matching needs to know of a server's own model.
///
/// ```
/// # #[cfg(feature = "json")] {
/// use fhir_scopes::matches::ResourceView;
/// let patient = serde_json::json!({ "resourceType": "Patient", "active": true });
/// assert_eq!(patient.member("resourceType").and_then(ResourceView::text), Some("Patient"));
/// # }
/// ```
pub trait ResourceView: Sized {
    /// The member of an object.
    ///
    /// ```
    /// # #[cfg(feature = "json")] {
    /// # use fhir_scopes::matches::ResourceView;
    /// let patient = serde_json::json!({ "active": true, "name": [{ "family": "de Vries" }] });
    /// assert!(patient.member("name").is_some());
    /// assert!(patient.member("birthDate").is_none());
    /// # }
    /// ```
    fn member(&self, name: &str) -> Option<&Self>;
    /// The items, if this is an array.
    ///
    /// ```
    /// # #[cfg(feature = "json")] {
    /// # use fhir_scopes::matches::ResourceView;
    /// let patient = serde_json::json!({ "active": true, "name": [{ "family": "de Vries" }] });
    /// assert_eq!(patient.member("name").and_then(ResourceView::items).map(<[_]>::len), Some(1));
    /// # }
    /// ```
    fn items(&self) -> Option<&[Self]>;
    /// The text, if this is a string.
    ///
    /// ```
    /// # #[cfg(feature = "json")] {
    /// # use fhir_scopes::matches::ResourceView;
    /// let patient = serde_json::json!({ "active": true, "name": [{ "family": "de Vries" }] });
    /// let name = &patient["name"][0];
    /// assert_eq!(name.member("family").and_then(ResourceView::text), Some("de Vries"));
    /// # }
    /// ```
    fn text(&self) -> Option<&str>;
    /// The truth, if this is a boolean.
    ///
    /// ```
    /// # #[cfg(feature = "json")] {
    /// # use fhir_scopes::matches::ResourceView;
    /// let patient = serde_json::json!({ "active": true, "name": [{ "family": "de Vries" }] });
    /// assert_eq!(patient.member("active").and_then(ResourceView::truth), Some(true));
    /// # }
    /// ```
    fn truth(&self) -> Option<bool>;
}

#[cfg(feature = "json")]
impl ResourceView for serde_json::Value {
    fn member(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    fn items(&self) -> Option<&[Self]> {
        self.as_array().map(Vec::as_slice)
    }

    fn text(&self) -> Option<&str> {
        self.as_str()
    }

    fn truth(&self) -> Option<bool> {
        self.as_bool()
    }
}

/// The text of a member.
pub(crate) fn text_of<'v, V: ResourceView>(view: &'v V, name: &str) -> Option<&'v str> {
    view.member(name)?.text()
}

/// The type a resource says it is, if the release has it.
///
/// ```
/// # #[cfg(feature = "json")] {
/// use fhir_scopes::{Release, ResourceType, matches};
/// let patient = serde_json::json!({ "resourceType": "Patient" });
/// assert_eq!(matches::type_of(&patient, Release::R4), Some(ResourceType::PATIENT));
/// # }
/// ```
pub fn type_of<V: ResourceView>(resource: &V, release: Release) -> Option<ResourceType> {
    ResourceType::parse(text_of(resource, "resourceType")?, release)
}

/// Whether a resource of this type meets a limit. `base` is the server's own base URL: without it no absolute reference counts.
///
/// Reads the limit anew on every call; keep a [`CompiledLimit`] where it is asked more than once.
///
/// ```
/// # #[cfg(feature = "json")] {
/// use fhir_scopes::{Limit, Release, ResourceType, TypeSelector, matches};
/// let limit = Limit::parse("status=final,amended", TypeSelector::One(ResourceType::OBSERVATION), Release::R4).unwrap();
/// let observation = serde_json::json!({ "resourceType": "Observation", "status": "final" });
/// assert!(matches::limit_matches(&limit, ResourceType::OBSERVATION, Release::R4, None, &observation));
/// # }
/// ```
pub fn limit_matches<V: ResourceView>(
    limit: &Limit<'_>,
    one: ResourceType,
    release: Release,
    base: Option<&str>,
    resource: &V,
) -> bool {
    CompiledLimit::new(limit, TypeSelector::One(one), release).accepts(resource, base)
}

/// A limit with its parameters looked up and its values taken apart, ready to be asked often.
///
/// ```
/// # #[cfg(feature = "json")] {
/// use fhir_scopes::{Limit, Release, ResourceType, TypeSelector, matches::CompiledLimit};
/// let types = TypeSelector::One(ResourceType::PATIENT);
/// let limit = Limit::parse("gender=female", types, Release::R4).unwrap();
/// let compiled = CompiledLimit::new(&limit, types, Release::R4);
/// assert!(compiled.accepts(&serde_json::json!({ "resourceType": "Patient", "gender": "female" }), None));
/// assert!(!compiled.accepts(&serde_json::json!({ "resourceType": "Patient" }), None));
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct CompiledLimit {
    release: Release,
    clauses: Vec<CompiledClause>,
}

#[derive(Debug, Clone)]
struct CompiledClause {
    parameter: tables::Found,
    values: Vec<Value>,
}

impl CompiledLimit {
    /// Looks the parameters up once. A parameter that the type does not have makes a limit that nothing meets.
    ///
    /// ```
    /// # #[cfg(feature = "json")] {
    /// use fhir_scopes::{Limit, Release, TypeSelector, matches::CompiledLimit};
    /// let limit = Limit::parse("_tag=vip", TypeSelector::All, Release::R4).unwrap();
    /// let tagged = serde_json::json!({ "resourceType": "Basic", "meta": { "tag": [{ "code": "vip" }] } });
    /// assert!(CompiledLimit::new(&limit, TypeSelector::All, Release::R4).accepts(&tagged, None));
    /// # }
    /// ```
    pub fn new(limit: &Limit<'_>, types: TypeSelector, release: Release) -> Self {
        // every type has the parameters that `*` may be limited by, along the same paths
        let one = match types {
            TypeSelector::One(one) => one,
            TypeSelector::All => ResourceType::PATIENT,
        };
        let compile = |clause: &Clause<'_>| {
            let parameter = tables::parameter(release, one, clause.parameter()).unwrap_or(tables::Found::UNKNOWN);
            let values = clause.alternatives().iter().map(|text| Value::read(parameter.kind, text)).collect();
            CompiledClause { parameter, values }
        };
        Self { release, clauses: limit.clauses().iter().map(compile).collect() }
    }

    /// Whether the resource meets every clause.
    ///
    /// ```
    /// # #[cfg(feature = "json")] {
    /// use fhir_scopes::{Limit, Release, ResourceType, TypeSelector, matches::CompiledLimit};
    /// let types = TypeSelector::One(ResourceType::parse("Condition", Release::R4).unwrap());
    /// let limit = Limit::parse("subject=Patient/123", types, Release::R4).unwrap();
    /// let condition = serde_json::json!({ "resourceType": "Condition", "subject": { "reference": "https://a.example/fhir/Patient/123" } });
    /// let compiled = CompiledLimit::new(&limit, types, Release::R4);
    /// assert!(compiled.accepts(&condition, Some("https://a.example/fhir")));
    /// assert!(!compiled.accepts(&condition, Some("https://b.example/fhir")));
    /// # }
    /// ```
    pub fn accepts<V: ResourceView>(&self, resource: &V, base: Option<&str>) -> bool {
        let context = Context { release: self.release, base };
        self.clauses.iter().all(|clause| clause.accepts(resource, context))
    }
}

impl CompiledClause {
    fn accepts<V: ResourceView>(&self, resource: &V, context: Context<'_>) -> bool {
        self.parameter.paths().any(|path| {
            walk(resource, path.0, &mut |found| self.values.iter().any(|value| meets(value, path, found, context)))
        })
    }
}

/// What matching must know besides resource and limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) release: Release,
    pub(crate) base: Option<&'a str>,
}

/// Visits what a path leads to, through arrays, until the visitor says yes.
pub(crate) fn walk<V: ResourceView>(view: &V, steps: &str, visit: &mut dyn FnMut(&V) -> bool) -> bool {
    if let Some(items) = view.items() {
        return items.iter().any(|item| walk(item, steps, visit));
    }
    if steps.is_empty() {
        return visit(view);
    }
    let (step, rest) = steps.split_once('.').unwrap_or((steps, ""));
    let Some((name, condition)) = step.split_once('[') else {
        return view.member(step).is_some_and(|child| walk(child, rest, visit));
    };
    let Some((field, wanted)) = condition.strip_suffix(']').and_then(|condition| condition.split_once('=')) else {
        return false;
    };
    view.member(name).is_some_and(|child| {
        walk(child, "", &mut |item| text_of(item, field) == Some(wanted) && walk(item, rest, visit))
    })
}

/// The parts of a name or an address that a text search looks at; never their use or kind.
const PARTS_OF_TEXT: [&str; 11] =
    ["text", "family", "given", "prefix", "suffix", "line", "city", "district", "state", "postalCode", "country"];

fn has_text<V: ResourceView>(view: &V, wanted: &str) -> bool {
    view.text() == Some(wanted)
        || view.items().is_some_and(|items| items.iter().any(|item| item.text() == Some(wanted)))
}

fn meets<V: ResourceView>(value: &Value, path: &Path, found: &V, context: Context<'_>) -> bool {
    match (path.1, value) {
        (Element::CodeableConcept, Value::Token(token)) => found
            .member("coding")
            .and_then(ResourceView::items)
            .unwrap_or_default()
            .iter()
            .any(|coding| token.meets_coding(coding, "code")),
        (Element::Coding, Value::Token(token)) => token.meets_coding(found, "code"),
        (Element::Identifier, Value::Token(token)) => token.meets_coding(found, "value"),
        (Element::Code, Value::Token(token)) => found.text().is_some_and(|code| token.meets_code(code, path.system())),
        (Element::ContactPoint, Value::Token(token)) => {
            text_of(found, "value").is_some_and(|text| token.meets_text(text))
        }
        (Element::Text | Element::Uri, Value::Token(token)) => found.text().is_some_and(|text| token.meets_text(text)),
        (Element::Boolean, Value::Token(token)) => found.truth().is_some_and(|truth| token.meets_boolean(truth)),
        (Element::Text | Element::Uri, Value::Text(wanted)) | (Element::Uri, Value::Reference(wanted)) => {
            found.text() == Some(wanted)
        }
        (Element::Other, Value::Text(wanted)) => {
            PARTS_OF_TEXT.iter().filter_map(|part| found.member(part)).any(|part| has_text(part, wanted))
        }
        (Element::Reference, Value::Reference(wanted)) => {
            text_of(found, "reference").is_some_and(|text| reference::meets(wanted, text, path, context))
        }
        (Element::Date, Value::Date(wanted)) => {
            found.text().and_then(date::span).is_some_and(|span| wanted.meets(span))
        }
        (Element::Period, Value::Date(wanted)) => {
            date::period(text_of(found, "start"), text_of(found, "end")).is_some_and(|span| wanted.meets(span))
        }
        (Element::Timing, Value::Date(wanted)) => {
            let events = found.member("event").and_then(ResourceView::items).unwrap_or_default();
            events.iter().filter_map(|event| date::span(event.text()?)).any(|span| wanted.meets(span))
        }
        _ => false,
    }
}
