//! What changes when one set replaces another: for change requests.

use crate::{ResourceScope, Scope, ScopeSet};

/// The rights that a new set adds to, takes from and shares with an old one.
///
/// ```
/// use fhir_scopes::{Release, ScopeSet};
/// let of = |text| ScopeSet::parse(text, Release::R4).unwrap();
/// let change = of("openid patient/Observation.cruds").difference(&of("openid patient/Observation.rs patient/Condition.rs"));
/// assert_eq!(change.added.to_string(), "patient/Observation.cud");
/// assert_eq!(change.removed.to_string(), "patient/Condition.rs");
/// assert_eq!(change.unchanged.to_string(), "openid patient/Observation.rs");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// In the new set, not in the old one: whole scopes as they are spelled, or the letters that are new.
    pub added: ScopeSet,
    /// In the old set, not in the new one.
    pub removed: ScopeSet,
    /// In both.
    pub unchanged: ScopeSet,
}

impl Difference {
    /// Whether both sets give the same rights, however they are spelled.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet};
    /// let of = |text| ScopeSet::parse(text, Release::R4).unwrap();
    /// assert!(of("patient/*.read").difference(&of("patient/*.s patient/*.r")).is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

impl ScopeSet {
    /// What changes for whoever had `old` and gets this set.
    ///
    /// A scope that is wider than before only by its limit counts as added whole: no limit in the scope language says "all but these".
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet};
    /// let of = |text| ScopeSet::parse(text, Release::R4).unwrap();
    /// let change = of("patient/Observation.rs").difference(&of("patient/Observation.rs?status=final"));
    /// assert_eq!(change.added.to_string(), "patient/Observation.rs");
    /// assert!(change.removed.is_empty());
    /// ```
    pub fn difference(&self, old: &Self) -> Difference {
        Difference { added: self.beyond(old), removed: old.beyond(self), unchanged: self.granted_within(old) }
    }

    /// The scopes, or letters of scopes, that `other` does not give.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet};
    /// let of = |text| ScopeSet::parse(text, Release::R4).unwrap();
    /// assert_eq!(of("user/*.rs openid").beyond(&of("user/*.r openid")).to_string(), "user/*.s");
    /// ```
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Self {
        let mut beyond = Self::empty(self.release());
        for scope in self {
            let Some(resource) = scope.resource() else {
                if !other.covers_scope(scope) {
                    beyond.push(scope.clone());
                }
                continue;
            };
            let missing = other.missing_letters(resource);
            if missing == resource.permissions {
                beyond.push(scope.clone());
            } else if !missing.is_empty() {
                beyond.push(Scope::from_resource(ResourceScope { permissions: missing, ..resource.clone() }));
            }
        }
        beyond
    }

    /// Each scope with a v1 word where one is exact; the others as they are.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet};
    /// let set = ScopeSet::parse("user/*.rs user/Patient.u", Release::R4).unwrap();
    /// assert_eq!(set.to_v1().to_string(), "user/*.read user/Patient.u");
    /// ```
    #[must_use]
    pub fn to_v1(&self) -> Self {
        Self::from_scopes(self.iter().map(|scope| scope.to_v1().unwrap_or_else(|| scope.clone())), self.release())
    }

    /// Each scope with letters in place of a v1 word.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet};
    /// let set = ScopeSet::parse("user/*.read", Release::R4).unwrap();
    /// assert_eq!(set.to_v2().to_string(), "user/*.rs");
    /// ```
    #[must_use]
    pub fn to_v2(&self) -> Self {
        Self::from_scopes(self.iter().map(Scope::to_v2), self.release())
    }
}
