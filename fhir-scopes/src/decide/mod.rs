//! May this request go on? Granted scopes, launch patient and a FHIR request become [`Decision::Allow`], [`Decision::Filter`] or
//! [`Decision::Deny`].
//!
//! SMART ties letters to eleven interactions and leaves conditionals, operations, includes, chains and the enforcement of limits
//! open. What is decided here, and why:
//!
//! - A scope stays whole: its letters count only with its own level, type and limit. Scopes add up, each with its own reach.
//! - *Filter* means: go on, but only for resources that pass. [`Filter::on`] says which: the results, the stored resource, the
//!   search inside a conditional request, the patched resource. A resource that does not pass is answered as if it were absent.
//! - New content is judged here and now; a patient-level or limited write without its content is refused.
//! - Another patient is refused before any look-up, so that existence does not show.
//! - Named types (`_type=A,B`) must all be granted; where none is named, the answer is narrowed. Includes are narrowed.
//! - Chains and `_has` cannot be narrowed: each hop needs an unlimited `s`.
//! - What is not known, be it a route, an operation or a control parameter, is refused.
//!
//! ```
//! # #[cfg(feature = "json")] {
//! use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Request}};
//!
//! let granted = ScopeSet::parse("patient/Observation.rs?category=laboratory", Release::R4).unwrap();
//! let grant = Grant::new(&granted).launch_patient("123");
//! match grant.decide(&Request::get("/Observation", "code=1234-5")) {
//!     Decision::Filter(filter) => {
//!         assert_eq!(filter.as_single_query().unwrap().to_string(), "Patient/123/Observation?category=laboratory");
//!         let own = serde_json::json!({
//!             "resourceType": "Observation",
//!             "subject": { "reference": "Patient/123" },
//!             "category": [{ "coding": [{ "code": "laboratory" }] }]
//!         });
//!         assert!(filter.accepts(&own));
//!     }
//!     Decision::Allow(_) | Decision::Deny(_) => unreachable!(),
//! }
//! # }
//! ```

mod branch;
mod bundle;
mod denial;
mod filter;
mod gate;
mod grant;
mod handful;
mod heads;
mod links;
#[cfg(feature = "json")]
mod lookups;
mod obligations;
pub(crate) mod operations;
mod perform;
mod queries;
pub(crate) mod query;
mod request;
mod search;
mod ways;
mod write;

pub use branch::{Branch, On, Reach};
pub use bundle::EntryDecision;
pub use denial::{Denial, Need, Reason};
pub use filter::Filter;
pub use grant::Grant;
pub use obligations::{Obligation, Obligations};
pub use operations::{Applies, OperationRule, Rule, STANDARD_OPERATIONS};
pub use queries::Query;
pub use request::{Body, Request};
pub use ways::MAX_COMBINATIONS;

use crate::ResourceScope;

/// The answer for one request.
///
/// ```
/// use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Request}};
/// let grant = Grant::new(&ScopeSet::parse("user/Patient.r", Release::R4).unwrap());
/// assert!(matches!(grant.decide(&Request::get("/Patient/1", "")), Decision::Allow(_)));
/// assert!(matches!(grant.decide(&Request::get("/Patient", "name=x")), Decision::Deny(_)));
/// ```
#[derive(Debug)]
#[must_use = "a decision that nobody looks at guards nothing"]
pub enum Decision<'g> {
    /// Go on; no further look at the data is asked by the scopes. The server's own policy still applies.
    Allow(Allowance<'g>),
    /// Go on, but only for resources that pass the filter.
    Filter(Filter<'g>),
    /// Answer 403 (or 404 where existence must not show).
    Deny(Denial<'g>),
}

impl Decision<'_> {
    /// `allow`, `filter` or `deny`.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Grant, Request}};
    /// let grant = Grant::new(&ScopeSet::empty(Release::R4));
    /// assert_eq!(grant.decide(&Request::get("/metadata", "")).word(), "allow");
    /// ```
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Allow(_) => "allow",
            Self::Filter(_) => "filter",
            Self::Deny(_) => "deny",
        }
    }

    /// What the server owes besides; nothing on a refusal.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Grant, Obligation, Request}};
    /// let grant = Grant::new(&ScopeSet::parse("user/Patient.r", Release::R4).unwrap());
    /// let decision = grant.decide(&Request::get("/Patient/1", ""));
    /// assert!(decision.obligations().iter().any(|owed| owed == Obligation::AsUser));
    /// ```
    pub fn obligations(&self) -> &Obligations {
        match self {
            Self::Allow(allowance) => &allowance.obligations,
            Self::Filter(filter) => filter.obligations(),
            Self::Deny(_) => Obligations::NOTHING,
        }
    }

    /// Whether the request goes on, filtered or not.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Grant, Request}};
    /// let grant = Grant::new(&ScopeSet::empty(Release::R4));
    /// assert!(!grant.decide(&Request::get("/Patient/1", "")).goes_on());
    /// ```
    pub const fn goes_on(&self) -> bool {
        !matches!(self, Self::Deny(_))
    }
}

/// A request that may go on as it is.
///
/// ```
/// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Request}};
/// let grant = Grant::new(&ScopeSet::parse("system/*.rs", Release::R4).unwrap());
/// let Decision::Allow(allowance) = grant.decide(&Request::get("/Patient/1", "")) else { unreachable!() };
/// assert_eq!(allowance.by().unwrap().to_string(), "system/*.rs");
/// ```
#[derive(Debug)]
pub struct Allowance<'g> {
    pub(crate) by: Option<&'g ResourceScope<'static>>,
    pub(crate) obligations: Obligations,
}

impl<'g> Allowance<'g> {
    /// The scope that decided; none where the request is open to everyone.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Request}};
    /// let grant = Grant::new(&ScopeSet::empty(Release::R4));
    /// let Decision::Allow(allowance) = grant.decide(&Request::get("/metadata", "")) else { unreachable!() };
    /// assert!(allowance.by().is_none());
    /// ```
    pub const fn by(&self) -> Option<&'g ResourceScope<'static>> {
        self.by
    }

    /// What the server owes besides.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Obligation, Request}};
    /// let grant = Grant::new(&ScopeSet::parse("patient/Patient.u", Release::R4).unwrap()).launch_patient("123");
    /// let Decision::Allow(allowance) = grant.decide(&Request::new("DELETE", "/metadata", "")) else { return };
    /// assert!(allowance.obligations().is_empty());
    /// ```
    pub const fn obligations(&self) -> &Obligations {
        &self.obligations
    }
}
