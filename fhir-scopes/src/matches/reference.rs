//! References: only a literal one to a resource of this very server counts.

use super::Context;
use crate::tables::Path;
use crate::{Release, ResourceType};

/// A literal reference to a resource on this server: `Patient/123`, also with a version.
///
/// ```
/// use fhir_scopes::{Release, ResourceType, matches::local_reference};
/// let found = local_reference("https://this.example/fhir/Patient/123/_history/4", Some("https://this.example/fhir"), Release::R4).unwrap();
/// assert_eq!((found.target, found.id), (ResourceType::PATIENT, "123"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalReference<'a> {
    /// The type it points at.
    pub target: ResourceType,
    /// The id it points at.
    pub id: &'a str,
}

/// Reads a reference as one to this server. Contained (`#x`), `urn:`, conditional and foreign ones are none.
///
/// ```
/// use fhir_scopes::{Release, matches::local_reference};
/// assert!(local_reference("Patient/123", None, Release::R4).is_some());
/// for foreign in ["#123", "urn:uuid:1", "https://other.example/fhir/Patient/123", "patient/123", "Patient?identifier=1"] {
///     assert!(local_reference(foreign, Some("https://this.example/fhir"), Release::R4).is_none());
/// }
/// ```
pub fn local_reference<'a>(text: &'a str, base: Option<&str>, release: Release) -> Option<LocalReference<'a>> {
    let relative = match base {
        Some(base) => {
            text.strip_prefix(base.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/')).unwrap_or(text)
        }
        None => text,
    };
    let mut parts = relative.split('/');
    let target = ResourceType::parse(parts.next()?, release)?;
    let id = parts.next().filter(|id| is_id(id))?;
    match (parts.next(), parts.next(), parts.next()) {
        (None, None, None) => {}
        (Some("_history"), Some(version), None) if is_id(version) => {}
        _ => return None,
    }
    Some(LocalReference { target, id })
}

/// FHIR's id: 1 to 64 of letters, digits, `-` and `.`; a dot alone would be a path step.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
        && text != "."
        && text != ".."
}

/// Whether the text of a reference means this resource.
pub(crate) fn points_at(text: &str, target: ResourceType, id: &str, context: Context<'_>) -> bool {
    local_reference(text, context.base, context.release).is_some_and(|found| found.target == target && found.id == id)
}

/// A wanted reference is a bare id (any type that the element may point at), `Type/id`, or an absolute URL.
pub(super) fn meets(wanted: &str, text: &str, path: &Path, context: Context<'_>) -> bool {
    if is_id(wanted) {
        return local_reference(text, context.base, context.release)
            .is_some_and(|found| found.id == wanted && path.may_target(found.target));
    }
    match local_reference(wanted, context.base, context.release) {
        Some(wanted) => path.may_target(wanted.target) && points_at(text, wanted.target, wanted.id, context),
        // another server's resource: only the same text
        None => wanted.contains("://") && wanted == text,
    }
}
