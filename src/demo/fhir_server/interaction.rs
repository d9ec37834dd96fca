//! What a request asks for, from its method and path (R4 3.1.0).

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, request};

use super::parameters::is_held;
use super::refusal::Refusal;
use crate::outbound::fhir::is_fhir_id;

/// One FHIR interaction.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Interaction {
    /// Read, or vread with a version.
    Read {
        kind: String,
        id: String,
        version: Option<String>,
    },
    /// Type search, or search in a Patient's compartment; `pairs` is query string and form body together.
    Search {
        kind: String,
        compartment: Option<String>,
        pairs: String,
    },
    Create {
        kind: String,
    },
    Update {
        kind: String,
        id: String,
    },
    Delete {
        kind: String,
        id: String,
    },
    /// FHIR has it, this server has not: said only after the scopes allowed it.
    Unsupported(&'static str),
}

impl Interaction {
    /// Reads method and base-relative path. No FHIR path needs percent-escapes, so any is an unknown address.
    pub(super) fn read(parts: &request::Parts, path: &str, body: &Bytes) -> Result<Self, Refusal> {
        let segments: Vec<&str> = path.split('/').collect();
        let well_formed = |segment: &&str| is_fhir_id(segment) || segment.starts_with(['_', '$']) || *segment == "*";
        if path.contains(['%', ';', '\\']) || !(path.is_empty() || segments.iter().all(well_formed)) {
            return Err(Refusal::not_found());
        }
        let is_get = matches!(parts.method, Method::GET | Method::HEAD);
        let is_post = parts.method == Method::POST;
        let asked = match segments[..] {
            [""] if is_post => Self::Unsupported("Batches and transactions are not supported."),
            ["" | "_search"] => Self::Unsupported("Searching all types at once is not supported."),
            ["_history"] | [_, "_history"] | [_, _, "_history"] if is_get => {
                Self::Unsupported("History is not supported.")
            }
            [operation] | [_, operation] | [_, _, operation] if operation.starts_with('$') => {
                Self::Unsupported("Operations are not supported.")
            }
            [kind, ..] if !is_held(kind) => return Err(Refusal::not_found()),
            [kind] if is_get => Self::search(kind, None, parts, None)?,
            [kind, "_search"] if is_post => Self::search(kind, None, parts, Some(body))?,
            [kind] if is_post => {
                if parts.headers.contains_key("if-none-exist") {
                    return Ok(Self::Unsupported("Conditional create is not supported."));
                }
                Self::Create { kind: kind.to_owned() }
            }
            [_] if matches!(parts.method, Method::PUT | Method::DELETE | Method::PATCH) => {
                Self::Unsupported("Conditional update, patch and delete are not supported.")
            }
            [kind, id] if is_get => Self::Read { kind: kind.to_owned(), id: id.to_owned(), version: None },
            [kind, id] if parts.method == Method::PUT => Self::Update { kind: kind.to_owned(), id: id.to_owned() },
            [kind, id] if parts.method == Method::DELETE => Self::Delete { kind: kind.to_owned(), id: id.to_owned() },
            [_, _] if parts.method == Method::PATCH => {
                Self::Unsupported("Patch is not supported; send the whole resource with PUT.")
            }
            [kind, id, "_history", version] if is_get => {
                Self::Read { kind: kind.to_owned(), id: id.to_owned(), version: Some(version.to_owned()) }
            }
            [_, _, "*"] => Self::Unsupported("Searching all types of a compartment is not supported."),
            ["Patient", id, kind] if is_get && is_held(kind) => Self::search(kind, Some(id), parts, None)?,
            ["Patient", id, kind, "_search"] if is_post && is_held(kind) => {
                Self::search(kind, Some(id), parts, Some(body))?
            }
            [_, _, kind] if is_get && is_held(kind) => Self::Unsupported("Only the Patient compartment is supported."),
            _ => return Err(Refusal::wrong_method()),
        };
        Ok(asked)
    }

    fn search(
        kind: &str,
        compartment: Option<&str>,
        parts: &request::Parts,
        form: Option<&Bytes>,
    ) -> Result<Self, Refusal> {
        let pairs = all_pairs(parts, form)?;
        Ok(Self::Search { kind: kind.to_owned(), compartment: compartment.map(str::to_owned), pairs })
    }
}

/// Query string and form body as one list of pairs: both count in a search by POST.
fn all_pairs(parts: &request::Parts, form: Option<&Bytes>) -> Result<String, Refusal> {
    let query = parts.uri.query().unwrap_or_default();
    let Some(form) = form.filter(|form| !form.is_empty()) else {
        return Ok(query.to_owned());
    };
    if !is_form(&parts.headers) {
        return Err(Refusal::wrong_content());
    }
    let form = std::str::from_utf8(form).map_err(|_| Refusal::invalid("The form is not UTF-8."))?;
    Ok(if query.is_empty() { form.to_owned() } else { format!("{query}&{form}") })
}

/// Is the body a form?
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
