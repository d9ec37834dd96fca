//! The shortest spelling of a set.

use alloc::vec::Vec;

use crate::covers::missing_letters;
use crate::{Dialect, ResourceScope, Scope, ScopeSet};

impl ScopeSet {
    /// The normal form: v1 told as v2, limits sorted and simplified, letters of one (level, type, limit) merged, what other scopes
    /// already give dropped, sorted by ASCII.
    ///
    /// Limits of different scopes are not folded into one (`?category=a` and `?category=b` stay two scopes): clients and test kits look for the exact strings.
    ///
    /// ```
    /// use fhir_scopes::{Release, ScopeSet};
    /// let of = |text| ScopeSet::parse(text, Release::R4).unwrap().normalized().to_string();
    /// assert_eq!(of("patient/Observation.write patient/Observation.read"), "patient/Observation.cruds");
    /// assert_eq!(of("patient/*.rs patient/Observation.cruds"), "patient/*.rs patient/Observation.cud");
    /// assert_eq!(of("patient/Observation.r?status=final patient/Observation.s"), "patient/Observation.r?status=final patient/Observation.s");
    /// ```
    #[must_use]
    pub fn normalized(&self) -> Self {
        let mut scopes: Vec<Scope<'static>> =
            shortest(self.resources()).into_iter().map(Scope::from_resource).collect();
        for scope in self.iter().filter(|scope| scope.resource().is_none()) {
            if !scopes.iter().any(|kept| kept.same_plain(scope)) {
                scopes.push(Scope { literal: scope.canonical().into(), kind: scope.kind().clone() });
            }
        }
        scopes.sort_unstable_by(|a, b| a.literal().cmp(b.literal()));
        Self::from_scopes(scopes, self.release())
    }
}

/// Merges and thins resource scopes; the result is in v2.
pub(crate) fn shortest<'a>(scopes: impl Iterator<Item = &'a ResourceScope<'static>>) -> Vec<ResourceScope<'static>> {
    // 1 one entry per (level, type, limit), with all its letters
    let mut all: Vec<ResourceScope<'static>> = scopes
        .map(|scope| ResourceScope { limit: scope.limit.simplified(), dialect: Dialect::V2, ..scope.clone() })
        .collect();
    all.sort_unstable_by(|a, b| a.key().cmp(&b.key()));
    let mut merged: Vec<ResourceScope<'static>> = Vec::new();
    for scope in all {
        match merged.last_mut() {
            Some(last) if last.key() == scope.key() => last.permissions = last.permissions | scope.permissions,
            _ => merged.push(scope),
        }
    }
    // 2 drop letters that one other scope gives, then those that several give together, which takes a limit with alternatives
    thin(&mut merged, |all, at, scope| {
        let given = |(i, other): &(usize, &ResourceScope<'_>)| {
            *i != at
                && other.permissions.intersects(scope.permissions)
                && other.level == scope.level
                && other.types.covers(scope.types)
                && scope.limit.implies(&other.limit)
        };
        all.iter().enumerate().filter(given).fold(scope.permissions, |left, (_, other)| left - other.permissions)
    });
    thin(&mut merged, |all, at, scope| {
        if scope.limit.clauses().iter().all(|clause| clause.alternatives().len() == 1) {
            return scope.permissions;
        }
        let others: Vec<_> = all.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, other)| other).collect();
        missing_letters(&others, scope)
    });
    merged
}

/// Leaves to each scope the letters that are needed of it, given the scopes that are left.
fn thin(
    scopes: &mut Vec<ResourceScope<'static>>,
    needed: impl Fn(&[ResourceScope<'static>], usize, &ResourceScope<'static>) -> crate::Permissions,
) {
    let mut i = 0;
    while let Some(scope) = scopes.get(i) {
        let needed = needed(scopes, i, scope);
        if needed.is_empty() {
            scopes.remove(i);
        } else {
            scopes[i].permissions = needed;
            i += 1;
        }
    }
}
