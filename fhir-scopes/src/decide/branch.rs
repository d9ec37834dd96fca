//! One way to pass a filter: a type, whose data, and limits.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::{Limit, ResourceScope, TypeSelector};

/// Which resources a filter is about. Of a write whose content has conditional references (`Encounter?identifier=a|1`), what the server
/// finds for them as well: each search sees only what passes.
///
/// ```
/// assert_eq!(fhir_scopes::decide::On::ConditionAndTarget.to_string(), "condition+target");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum On {
    /// Each entry of the answer, before counting and paging.
    Results,
    /// The stored resource that the request names; nothing stored means nothing to check.
    Target,
    /// The search inside a conditional create: it sees only what passes.
    Condition,
    /// The stored resource, and the patched one before it is stored.
    TargetAndResult,
    /// The search inside a conditional update or delete, and the resource that it finds.
    ConditionAndTarget,
    /// The search inside a conditional patch, the resource that it finds, and the patched one.
    ConditionAndTargetAndResult,
    /// Each entry of a bundle has a decision of its own.
    Entries,
}

impl On {
    /// As the test vectors write it.
    ///
    /// ```
    /// assert_eq!(fhir_scopes::decide::On::Results.as_str(), "results");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Results => "results",
            Self::Target => "target",
            Self::Condition => "condition",
            Self::TargetAndResult => "target+result",
            Self::ConditionAndTarget => "condition+target",
            Self::ConditionAndTargetAndResult => "condition+target+result",
            Self::Entries => "entries",
        }
    }
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whose data a branch reaches.
///
/// ```
/// use fhir_scopes::decide::Reach;
/// assert_eq!(Reach::Compartment("123").to_string(), "in Patient/123");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reach<'g> {
    /// Whatever the user or client may see.
    Everyone,
    /// A shared type under a patient scope: no personal data, no restriction.
    Shared,
    /// The launch patient's own Patient resource.
    Itself(&'g str),
    /// Members of the launch patient's compartment.
    Compartment(&'g str),
    /// Resources whose `patient` parameter names the launch patient.
    ViaPatient(&'g str),
    /// A Binary whose `securityContext` names the launch patient.
    SecurityContext(&'g str),
    /// Every granted type, each by its own class.
    ByClass(&'g str),
    /// Provenance whose target is in the answer.
    TargetInResults,
}

impl fmt::Display for Reach<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("everyone"),
            Self::Shared => f.write_str("shared"),
            Self::Itself(id) => write!(f, "_id={id}"),
            Self::Compartment(id) | Self::ByClass(id) => write!(f, "in Patient/{id}"),
            Self::ViaPatient(id) => write!(f, "patient=Patient/{id}"),
            Self::SecurityContext(id) => write!(f, "via securityContext in Patient/{id}"),
            Self::TargetInResults => f.write_str("target in results"),
        }
    }
}

/// One way to pass a filter: the type, whose data, and the limits that must all hold.
///
/// ```
/// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Reach, Request}};
/// let granted = ScopeSet::parse("patient/Observation.rs?status=final", Release::R4).unwrap();
/// let grant = Grant::new(&granted).launch_patient("123");
/// let Decision::Filter(filter) = grant.decide(&Request::get("/Observation", "")) else { unreachable!() };
/// let branches = filter.branches();
/// assert_eq!(branches.len(), 1);
/// assert_eq!(branches[0].reach, Reach::Compartment("123"));
/// assert_eq!(branches[0].restriction().unwrap(), "status=final");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch<'g> {
    /// The type, or all that the scope covers.
    pub types: TypeSelector,
    /// Whose data.
    pub reach: Reach<'g>,
    /// Limits of the scopes behind it; all must hold.
    pub limits: Vec<&'g Limit<'static>>,
    /// The scopes behind it.
    pub scopes: Vec<&'g ResourceScope<'static>>,
}

impl Branch<'_> {
    /// The limits as one search restriction, none where there is no limit.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Request}};
    /// let grant = Grant::new(&ScopeSet::parse("patient/Observation.rs", Release::R4).unwrap()).launch_patient("123");
    /// let Decision::Filter(filter) = grant.decide(&Request::get("/Observation", "")) else { unreachable!() };
    /// assert!(filter.branches()[0].restriction().is_none());
    /// ```
    pub fn restriction(&self) -> Option<String> {
        self.limit().map(|limit| limit.to_string())
    }

    pub(super) fn limit(&self) -> Option<Limit<'static>> {
        self.limits
            .iter()
            .fold(None, |all: Option<Limit<'static>>, one| Some(all.map_or_else(|| (*one).clone(), |all| all.and(one))))
    }

    pub(super) fn covers(&self, other: &Self) -> bool {
        let reach = self.reach == other.reach
            || self.reach == Reach::Everyone
            || matches!(self.reach, Reach::ByClass(_))
                && !matches!(other.reach, Reach::Everyone | Reach::TargetInResults);
        reach
            && self.types.covers(other.types)
            && self.limits.iter().all(|limit| other.limits.iter().any(|narrow| narrow.implies(limit)))
    }

    pub(super) fn both(&self, other: &Self) -> Option<Self> {
        let types = self.types.intersect(other.types)?;
        let reach = match (self.reach, other.reach) {
            (Reach::Everyone | Reach::ByClass(_), reach) | (reach, Reach::Everyone | Reach::ByClass(_)) => reach,
            (reach, other) if reach == other => reach,
            _ => return None,
        };
        let mut limits = self.limits.clone();
        limits.extend(other.limits.iter().filter(|limit| !self.limits.contains(limit)));
        let mut scopes = self.scopes.clone();
        scopes.extend(other.scopes.iter().filter(|scope| !self.scopes.contains(scope)));
        Some(Self { types, reach, limits, scopes })
    }
}
