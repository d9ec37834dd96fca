//! A filter as FHIR searches, for servers that cannot look into each result.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::branch::{Branch, On, Reach};
use super::filter::Filter;
use crate::compartment::CompartmentMode;
use crate::{Limit, TypeSelector};

/// Where to search and which parameters to add to the client's own. Added parameters AND with what the client sent; they never
/// replace it.
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
    /// Relative to the base: a type, or a type in the patient's compartment.
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
        let joint = if client_query.is_empty() || self.parameters.is_empty() { "" } else { "&" };
        [client_query, joint, &self.parameters].concat()
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if self.parameters.is_empty() { Ok(()) } else { write!(f, "?{}", self.parameters) }
    }
}

impl Filter<'_> {
    /// One query per branch: run each and merge by id. None where a branch is no search: every type at once, a Binary by its
    /// security context, what an include brings along, or a filter on something else than results.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Request}};
    /// let granted = ScopeSet::parse("patient/Observation.rs?category=a patient/Observation.rs?code=b", Release::R4).unwrap();
    /// let grant = Grant::new(&granted).launch_patient("123");
    /// let Decision::Filter(filter) = grant.decide(&Request::get("/Observation", "")) else { unreachable!() };
    /// assert!(filter.as_single_query().is_none());
    /// let queries: Vec<String> = filter.as_queries().unwrap().iter().map(|query| query.to_string()).collect();
    /// assert_eq!(queries, ["Patient/123/Observation?category=a", "Patient/123/Observation?code=b"]);
    /// ```
    pub fn as_queries(&self) -> Option<Vec<Query>> {
        if self.on == On::Entries || self.main.is_none() || self.brings_along() {
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
        if self.on == On::Entries || self.brings_along() {
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

    fn query(&self, branch: &Branch<'_>, limit: Option<Limit<'_>>) -> Option<Query> {
        let TypeSelector::One(one) = branch.types else { return None };
        let (path, own) = match branch.reach {
            Reach::Everyone | Reach::Shared => (one.to_string(), None),
            Reach::Itself(id) => (one.to_string(), Some(["_id=", id].concat())),
            Reach::ViaPatient(id) => (one.to_string(), Some(["patient=Patient/", id].concat())),
            Reach::Compartment(id) if self.grant.mode == CompartmentMode::Spec => {
                (["Patient/", id, "/", one.name()].concat(), None)
            }
            // the narrow mode: one parameter says it, since those of a type all look at the same element
            Reach::Compartment(id) => {
                let name = crate::compartment::subject_parameter(one, self.grant.release)?;
                (one.to_string(), Some([name, "=Patient/", id].concat()))
            }
            Reach::SecurityContext(_) | Reach::ByClass(_) | Reach::TargetInResults => return None,
        };
        let limit = limit.map(|limit| limit.to_string());
        let parameters = own.into_iter().chain(limit).collect::<Vec<_>>().join("&");
        Some(Query { path, parameters })
    }
}
