//! A filter as FHIR searches, for servers that cannot look into each result.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::branch::{Branch, Reach};
use super::filter::{Asked, Filter};
use crate::compartment::{CompartmentMode, is_member_type, parameters};
use crate::{Limit, Release, ResourceType, TypeSelector};

/// Where to search and which parameters to add to the client's own. Added parameters AND with what the client sent; they never
/// replace it, nor does the path lose a compartment that the client named: it stands in the path or among the parameters.
///
/// ```
/// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Request}};
/// let grant = Grant::new(&ScopeSet::parse("patient/Observation.rs?status=final", Release::R4).unwrap()).launch_patient("123");
/// let Decision::Filter(filter) = grant.decide(&Request::get("/Observation", "category=a")) else { unreachable!() };
/// let query = filter.as_single_query().unwrap();
/// assert_eq!(query.path, "Patient/123/Observation");
/// assert_eq!(query.with("category=a"), "category=a&status=final");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Relative to the base: a type, or a type in the patient's compartment or in the one that the client named.
    pub path: String,
    /// Parameters to add, percent-encoded; may be empty.
    pub parameters: String,
}

impl Query {
    /// The client's query string with the added parameters behind it.
    ///
    /// ```
    /// use fhir_scopes::decide::Query;
    /// let query = Query { path: "Patient".into(), parameters: "_id=123".into() };
    /// assert_eq!(query.with("name=x"), "name=x&_id=123");
    /// assert_eq!(query.with(""), "_id=123");
    /// ```
    pub fn with(&self, client_query: &str) -> String {
        joined(client_query, &self.parameters)
    }
}

fn joined(first: &str, second: &str) -> String {
    let joint = if first.is_empty() || second.is_empty() { "" } else { "&" };
    [first, joint, second].concat()
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if self.parameters.is_empty() { Ok(()) } else { write!(f, "?{}", self.parameters) }
    }
}

impl Filter<'_> {
    /// One query per branch: run each and merge by id. None where the request is no plain search (a history, an operation, a write),
    /// where a branch is none (every type at once, a Binary by its security context, what an include brings along), where no query is in
    /// both the patient's compartment and the one that the client named, and beyond [`MAX_COMBINATIONS`](super::MAX_COMBINATIONS).
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Request}};
    /// let granted = ScopeSet::parse("patient/Observation.rs?category=a patient/Observation.rs?code=b", Release::R4).unwrap();
    /// let grant = Grant::new(&granted).launch_patient("123");
    /// let Decision::Filter(filter) = grant.decide(&Request::get("/Observation", "")) else { unreachable!() };
    /// assert!(filter.as_single_query().is_none());
    /// let queries: Vec<String> = filter.as_queries().unwrap().iter().map(|query| query.to_string()).collect();
    /// assert_eq!(queries, ["Patient/123/Observation?category=a", "Patient/123/Observation?code=b"]);
    ///
    /// let Decision::Filter(filter) = grant.decide(&Request::get("/Encounter/5/Observation", "")) else { unreachable!() };
    /// assert_eq!(filter.as_queries().unwrap()[0].to_string(), "Patient/123/Observation?encounter=Encounter/5&category=a");
    /// ```
    pub fn as_queries(&self) -> Option<Vec<Query>> {
        if !self.is_plain_search() {
            return None;
        }
        let ways = self.ways();
        if !ways.are_all() {
            return None;
        }
        ways.branches.iter().map(|branch| self.query(branch, branch.limit())).collect()
    }

    /// The filter as one plain FHIR search, where there is one: a single branch, or branches that differ in one parameter only.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Request}};
    /// let granted = ScopeSet::parse("patient/Observation.rs?category=a patient/Observation.rs?category=b", Release::R4).unwrap();
    /// let grant = Grant::new(&granted).launch_patient("123");
    /// let Decision::Filter(filter) = grant.decide(&Request::get("/Observation", "")) else { unreachable!() };
    /// assert_eq!(filter.as_single_query().unwrap().parameters, "category=a,b");
    /// ```
    pub fn as_single_query(&self) -> Option<Query> {
        if !self.is_plain_search() {
            return None;
        }
        let ways = self.ways();
        let (first, rest) = ways.branches.split_first().filter(|_| ways.are_all())?;
        if rest.is_empty() {
            return self.query(first, first.limit());
        }
        let mut merged = first.limit()?;
        for branch in rest {
            if branch.types != first.types || branch.reach != first.reach {
                return None;
            }
            merged = merged.or_single(branch.limit()?)?;
        }
        self.query(first, Some(merged))
    }

    fn is_plain_search(&self) -> bool {
        self.is_search && !self.brings_along()
    }

    fn query(&self, branch: &Branch<'_>, limit: Option<Limit<'_>>) -> Option<Query> {
        let TypeSelector::One(one) = branch.types else { return None };
        let own = match branch.reach {
            Reach::Everyone | Reach::Shared => None,
            Reach::Itself(id) => Some(["_id=", id].concat()),
            Reach::ViaPatient(id) => Some(["patient=Patient/", id].concat()),
            Reach::Compartment(id) if self.grant.mode == CompartmentMode::Spec => {
                return Some(with_limit(self.in_both(one, id)?, limit));
            }
            // the narrow mode: one parameter says it, since those of a type all look at the same element
            Reach::Compartment(id) => {
                let name = crate::compartment::subject_parameter(one, self.grant.release)?;
                Some([name, "=Patient/", id].concat())
            }
            Reach::SecurityContext(_) | Reach::ByClass(_) | Reach::TargetInResults => return None,
        };
        let path = match self.asked_compartment() {
            Some((owner, id)) => in_compartment(owner, id, one, self.grant.release)?,
            None => one.to_string(),
        };
        Some(with_limit(Query { path, parameters: own.unwrap_or_default() }, limit))
    }

    /// The compartment that the client named in a search.
    fn asked_compartment(&self) -> Option<(ResourceType, &str)> {
        match &self.asked {
            Asked::Nothing | Asked::Entries(_) => None,
            Asked::OwnCompartment => Some((ResourceType::PATIENT, self.grant.patient.as_deref()?)),
            Asked::Compartment(named) => Some((named.0, &named.1)),
        }
    }

    /// In the patient's compartment and in the one that the client named. A path has room for one of them; the other must be what a
    /// single parameter says.
    fn in_both(&self, one: ResourceType, patient: &str) -> Option<Query> {
        let release = self.grant.release;
        let own = |parameters| {
            Some(Query { path: in_compartment(ResourceType::PATIENT, patient, one, release)?, parameters })
        };
        match self.asked_compartment() {
            None | Some((ResourceType::PATIENT, _)) => own(String::new()),
            Some((owner, id)) => {
                match (membership(owner, id, one, release), membership(ResourceType::PATIENT, patient, one, release)) {
                    (Some(parameters), _) => own(parameters),
                    (None, Some(parameters)) => {
                        Some(Query { path: in_compartment(owner, id, one, release)?, parameters })
                    }
                    (None, None) => None,
                }
            }
        }
    }
}

fn with_limit(mut query: Query, limit: Option<Limit<'_>>) -> Query {
    if let Some(limit) = limit {
        query.parameters = joined(&query.parameters, &limit.to_string());
    }
    query
}

/// `Patient/123/Observation`; none where the compartment holds no such type.
fn in_compartment(owner: ResourceType, id: &str, one: ResourceType, release: Release) -> Option<String> {
    is_member_type(owner, one, release).then(|| [owner.name(), "/", id, "/", one.name()].concat())
}

/// The parameter that says what membership of a compartment says, where it takes only one.
fn membership(owner: ResourceType, id: &str, one: ResourceType, release: Release) -> Option<String> {
    let mut names = parameters(owner, one, release);
    match (names.next(), names.next()) {
        // a resource is in its own compartment without naming itself
        (Some(name), None) if owner != one => Some([name, "=", owner.name(), "/", id].concat()),
        _ => None,
    }
}
