//! What two sets both permit, and what a client is told it got.

use alloc::vec::Vec;

use crate::normal::shortest;
use crate::{Dialect, MAX_TOKENS, ResourceScope, Scope, ScopeSet, uri};

impl ResourceScope<'_> {
    /// The rights in both scopes: same level, the narrower type, common letters, both limits.
    ///
    /// ```
    /// # use fhir_scopes::{Release, Scope};
    /// let a = Scope::parse("patient/*.cruds", Release::R4).unwrap();
    /// let b = Scope::parse("patient/Observation.rs?status=final", Release::R4).unwrap();
    /// let both = a.resource().unwrap().intersect(b.resource().unwrap()).unwrap();
    /// assert_eq!(both.to_string(), "patient/Observation.rs?status=final");
    /// ```
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        let permissions = self.permissions & other.permissions;
        if self.level != other.level || permissions.is_empty() {
            return None;
        }
        let types = self.types.intersect(other.types)?;
        Some(Self { level: self.level, types, permissions, limit: self.limit.and(&other.limit), dialect: Dialect::V2 })
    }
}

impl ScopeSet {
    /// The rights in both sets, in normal form. Scopes that are not about resources by equality.
    ///
    /// Values of one parameter do not cancel: `category=a` with `category=b` is `category=a&category=b`, since a resource may carry both.
    /// A result of more than [`MAX_TOKENS`] scopes is cut, which only ever narrows it.
    ///
    /// ```
    /// use fhir_scopes::{Release, ScopeSet};
    /// let of = |text| ScopeSet::parse(text, Release::R4).unwrap();
    /// assert_eq!(of("patient/*.cruds openid").intersect(&of("patient/Observation.read launch")).to_string(), "patient/Observation.rs");
    /// let (ab, bc) = (of("patient/Observation.rs?category=a,b"), of("patient/Observation.rs?category=b,c"));
    /// assert_eq!(ab.intersect(&bc).to_string(), "patient/Observation.rs?category=a,b&category=b,c");
    /// ```
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let (own, others) = (shortest(self.resources()), shortest(other.resources()));
        let pairs = shortest(pairwise(&own, &others).iter());
        let plain = self.iter().filter(|scope| scope.resource().is_none() && other.covers_scope(scope)).cloned();
        let scopes = pairs.into_iter().map(Scope::from_resource).chain(plain);
        Self::from_scopes(scopes, self.release()).normalized()
    }

    /// What of this request may be granted under an approval: each scope verbatim when it is fully approved, otherwise the part
    /// that is, spelled in the way the client asked (v1 where a v1 word is exact, else v2).
    ///
    /// Scopes that are not about resources are granted only when the approval holds them too. Nothing unknown is ever granted for something known.
    ///
    /// ```
    /// use fhir_scopes::{Release, ScopeSet};
    /// let of = |text| ScopeSet::parse(text, Release::R4).unwrap();
    /// let approved = of("patient/Patient.rs patient/Condition.r launch/patient");
    /// let granted = of("launch/patient offline_access patient/*.read").granted_within(&approved);
    /// assert_eq!(granted.to_string(), "launch/patient patient/Condition.r patient/Patient.read");
    /// ```
    #[must_use]
    pub fn granted_within(&self, approved: &Self) -> Self {
        let approved_resources = shortest(approved.resources());
        let verbatim = self.filtered(|scope| approved.covers_scope(scope));
        let mut granted = Self::empty(self.release());
        for scope in self {
            if verbatim.contains_literal(scope.literal()) {
                granted.push(scope.clone());
                continue;
            }
            // a full set takes no more parts, so that a long request costs no more either
            let Some(resource) = scope.resource().filter(|_| granted.len() < MAX_TOKENS) else { continue };
            let mut parts: Vec<Scope<'static>> =
                shortest(pairwise(core::slice::from_ref(resource), &approved_resources).iter())
                    .into_iter()
                    .map(|part| in_the_way_of(scope, resource.dialect, part))
                    .filter(|part| !verbatim.covers_scope(part) && !granted.covers_scope(part))
                    .collect();
            parts.sort_unstable_by(|a, b| a.literal().cmp(b.literal()));
            for part in parts.into_iter().take(MAX_TOKENS.saturating_sub(granted.len())) {
                granted.push(part);
            }
        }
        granted
    }
}

/// Spells a part of a scope as the whole was spelled.
fn in_the_way_of(asked: &Scope<'_>, dialect: Dialect, part: ResourceScope<'static>) -> Scope<'static> {
    let part = Scope::from_resource(ResourceScope { dialect, ..part });
    if !uri::is_spelled_out(asked.literal()) {
        return part;
    }
    match part.to_uri() {
        Some(literal) => Scope { literal: literal.into(), kind: part.kind },
        None => part,
    }
}

/// Every pair of scopes that have rights in common. A pair in which one covers the other whole is the narrower one.
fn pairwise(own: &[ResourceScope<'static>], others: &[ResourceScope<'static>]) -> Vec<ResourceScope<'static>> {
    let mut common: Vec<ResourceScope<'static>> = Vec::new();
    // 1 whatever is covered whole needs no further pairs
    common.extend(own.iter().filter(|a| others.iter().any(|b| b.covers(a))).cloned());
    common.extend(others.iter().filter(|b| own.iter().any(|a| a.covers(b))).cloned());
    let whole = common.len();
    // 2 the rest pair by pair
    let rest_of_others: Vec<_> = others.iter().filter(|b| !own.iter().any(|a| a.covers(b))).collect();
    for a in own.iter().filter(|a| !others.iter().any(|b| b.covers(a))) {
        for b in rest_of_others.iter().copied() {
            if common.len() >= whole + MAX_TOKENS {
                return common;
            }
            if let Some(both) = a.intersect(b).filter(|both| !common.iter().any(|known| known.covers(both))) {
                common.push(both);
            }
        }
    }
    common
}
