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
    // 2 drop letters that one other scope gives, then those that several give together
    thin(&mut merged, |others, scope| {
        let given = |other: &&&ResourceScope<'_>| {
            other.level == scope.level && other.types.covers(scope.types) && scope.limit.implies(&other.limit)
        };
        others.iter().filter(given).fold(scope.permissions, |left, other| left - other.permissions)
    });
    thin(&mut merged, missing_letters);
    merged
}

fn thin(
    scopes: &mut Vec<ResourceScope<'static>>,
    missing: impl Fn(&[&ResourceScope<'static>], &ResourceScope<'static>) -> crate::Permissions,
) {
    let mut i = 0;
    while let Some(scope) = scopes.get(i) {
        let others: Vec<&ResourceScope<'static>> =
            scopes.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, other)| other).collect();
        let needed = missing(&others, scope);
        if needed.is_empty() {
            scopes.remove(i);
        } else {
            scopes[i].permissions = needed;
            i += 1;
        }
    }
}
