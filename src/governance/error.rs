//! Why something was not done, in words that every face can show.

use crate::domain::access_requests::NotWaiting;
use crate::domain::approvals::NotPossible;
use crate::storage::StorageError;

/// A refusal. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no such thing, or it is somebody else's: the two look exactly alike.
    #[error("not found")]
    NotFound,
    /// It exists, and the actor may see it, but not do this.
    #[error("not allowed: {0}")]
    Forbidden(&'static str),
    /// What was sent cannot be used; one entry per mistake.
    #[error("{}", .0.iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<Fault>),
    /// It is not in the state this needs; try again from what it is now.
    #[error("{}", .0.detail)]
    Conflict(Conflict),
    /// It changed since the actor looked; they must look again before deciding.
    #[error("it changed since you looked")]
    Changed,
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// One mistake in what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The form field or JSON member.
    pub field: &'static str,
    /// A stable code, which pages translate (`fault-{code}` in the locales).
    pub code: &'static str,
    /// A sentence in English, for machines' logs and the API.
    pub message: String,
}

impl Fault {
    /// A mistake in `field`.
    pub fn new(field: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self { field, code, message: message.into() }
    }
}

/// Why something cannot be done as things stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// A stable code, which pages translate (`conflict-{code}` in the locales).
    pub code: &'static str,
    /// A sentence in English, for machines' logs and the API.
    pub detail: String,
}

impl From<NotPossible> for Refusal {
    fn from(error: NotPossible) -> Self {
        match error {
            NotPossible::AlreadyDisabled => Self::conflict("disabled-already", error.to_string()),
            NotPossible::AlreadyEnabled => Self::conflict("enabled-already", error.to_string()),
            NotPossible::Expired => Self::conflict("approval-expired", error.to_string()),
        }
    }
}

impl From<NotWaiting> for Refusal {
    fn from(error: NotWaiting) -> Self {
        Self::conflict("not-waiting", error.to_string())
    }
}

impl Refusal {
    /// It is not in the state this needs.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Conflict(Conflict { code, detail: detail.into() })
    }

    /// A single mistake.
    pub fn invalid(field: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault::new(field, code, message)])
    }
}
