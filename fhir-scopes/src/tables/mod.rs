//! Facts about FHIR: resource types and search parameters of each release.

mod types;

use crate::{ParameterKind, Release, ResourceType};

pub(crate) use types::TYPES;

/// The kind of a search parameter of one resource type in one release.
pub(crate) fn parameter_kind(_release: Release, _type: ResourceType, name: &str) -> Option<ParameterKind> {
    Some(match name {
        "patient" | "subject" | "encounter" => ParameterKind::Reference,
        "date" | "authored" | "issued" => ParameterKind::Date,
        "category" | "code" | "status" | "identifier" | "type" | "intent" | "active" | "gender" | "email" | "contenttype" | "clinical-status" => {
            ParameterKind::Token
        }
        _ => return None,
    })
}
