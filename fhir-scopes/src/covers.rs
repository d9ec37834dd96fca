//! Whether one set permits all that another permits.
//!
//! The meaning of a set is the union over its scopes of {(level, type, letter, resource) : the limit holds}. So letters are looked at
//! one by one, and a limit with alternatives may be covered by several scopes together, alternative by alternative.

use alloc::vec::Vec;

use crate::{Limit, Permissions, ResourceScope, Scope, ScopeSet};

/// How many comparisons of limits are spent on cases before the answer is "not covered". Safe: never too wide.
const MAX_COMPARISONS: usize = 4096;

impl ScopeSet {
    /// Whether this set permits everything that `other` permits, level by level, without reasoning across levels.
    ///
    /// Scopes that are not about resources are covered by themselves only; `launch/patient?role=launch` is `launch/patient`. Dates, numbers and references are compared as text:
    /// the answer errs on the side of "no", never on that of "yes".
    ///
    /// ```
    /// use fhir_scopes::{Release, ScopeSet};
    /// let of = |text| ScopeSet::parse(text, Release::R4).unwrap();
    /// assert!(of("patient/*.r patient/Observation.s").covers(&of("patient/Observation.rs")));
    /// assert!(!of("patient/*.r user/*.s").covers(&of("patient/Observation.rs")));
    /// assert!(of("patient/Observation.rs?category=a,b").covers(&of("patient/Observation.rs?category=a")));
    /// assert!(of("launch/patient").covers(&of("launch/patient?role=launch")));
    /// assert!(!of("launch/patient").covers(&of("launch/patient?role=https://x.example/twin")));
    /// ```
    pub fn covers(&self, other: &Self) -> bool {
        other.iter().all(|scope| self.covers_scope(scope))
    }

    /// Whether this set permits everything that one scope permits.
    ///
    /// ```
    /// use fhir_scopes::{Release, Scope, ScopeSet};
    /// let set = ScopeSet::parse("user/*.read", Release::R4).unwrap();
    /// assert!(set.covers_scope(&Scope::parse("user/Patient.rs", Release::R4).unwrap()));
    /// ```
    pub fn covers_scope(&self, scope: &Scope<'_>) -> bool {
        match scope.resource() {
            Some(resource) => self.missing_letters(resource).is_empty(),
            None => self.iter().any(|own| own.same_plain(scope)),
        }
    }

    /// The letters of a resource scope that this set does not give.
    pub(crate) fn missing_letters(&self, wanted: &ResourceScope<'_>) -> Permissions {
        missing_letters(&self.resources().collect::<Vec<_>>(), wanted)
    }
}

/// The letters of `wanted` that the scopes together do not give.
pub(crate) fn missing_letters(given: &[&ResourceScope<'static>], wanted: &ResourceScope<'_>) -> Permissions {
    let related = |own: &&&ResourceScope<'_>| {
        own.level == wanted.level && own.types.covers(wanted.types) && own.permissions.intersects(wanted.permissions)
    };
    let related: Vec<&ResourceScope<'static>> = given.iter().filter(related).copied().collect();
    let mut missing = wanted.permissions;
    for own in &related {
        if missing.intersects(own.permissions) && wanted.limit.implies(&own.limit) {
            missing = missing - own.permissions;
        }
    }
    // only a limit with alternatives can be covered by several scopes together
    if missing.is_empty() || wanted.limit.clauses().iter().all(|clause| clause.alternatives().len() == 1) {
        return missing;
    }
    let mut still_missing = missing;
    for letter in missing.letters() {
        let limits: Vec<&Limit<'static>> =
            related.iter().filter(|own| own.permissions.contains(letter)).map(|own| &own.limit).collect();
        if limits.len() > 1 && covered_case_by_case(&wanted.limit, &limits) {
            still_missing = still_missing - letter;
        }
    }
    still_missing
}

/// Splits the limit into its alternatives until each case implies one of the given limits.
///
/// For limits made of independent alternatives this is exact: a conjunction of single values implies a union of limits only if it implies
/// one of them.
fn covered_case_by_case(limit: &Limit<'_>, given: &[&Limit<'_>]) -> bool {
    let mut open = Vec::from([(limit.clone(), 0)]);
    let mut comparisons = 0;
    while let Some((case, from)) = open.pop() {
        comparisons += given.len();
        if comparisons > MAX_COMPARISONS {
            return false;
        }
        if given.iter().any(|own| case.implies(own)) {
            continue;
        }
        let Some((at, clause)) =
            case.clauses().iter().enumerate().skip(from).find(|(_, clause)| clause.alternatives().len() > 1)
        else {
            return false;
        };
        open.extend(clause.alternatives().iter().map(|alternative| (case.with_alternative(at, alternative), at + 1)));
    }
    true
}
