//! Why not, and what would be needed.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::Grant;
use super::gate::{Gate, Levels, Want};
use super::handful::Handful;
use crate::route::NoRoute;
use crate::{Level, Permissions, TypeSelector};

/// Letters that a request needs on a type.
///
/// ```
/// use fhir_scopes::{Permissions, ResourceType, TypeSelector, decide::Need};
/// let need = Need { types: TypeSelector::One(ResourceType::OBSERVATION), letters: Permissions::RS, either: false };
/// assert_eq!(need.to_string(), "Observation.rs");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// The type, or every type involved.
    pub types: TypeSelector,
    /// The letters.
    pub letters: Permissions,
    /// Whether one of the letters is enough.
    pub either: bool,
}

impl Need {
    pub(super) const fn of(types: TypeSelector, letters: Permissions) -> Self {
        Self { types, letters, either: false }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.", self.types)?;
        for (i, letter) in self.letters.letters().enumerate() {
            write!(f, "{}{letter}", if self.either && i > 0 { "|" } else { "" })?;
        }
        Ok(())
    }
}

/// Why a request is refused, for logs and error bodies.
///
/// ```
/// use fhir_scopes::decide::Reason;
/// assert_eq!(Reason::OtherPatient.to_string(), "the request is about another patient");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// No scope gives the letter on the type.
    NoScope,
    /// A patient scope without a launch patient.
    NoLaunchPatient,
    /// About a patient who is not the launch patient.
    OtherPatient,
    /// A type or interaction that patient scopes do not reach.
    NotAtPatientLevel,
    /// Only a scope with a limit, where no limit can be kept.
    LimitedScope,
    /// The new content is outside what the scopes reach, or no resource of the named type and id.
    Content,
    /// The new content was not given, so it cannot be judged.
    ContentMissing,
    /// No interaction of FHIR.
    NoRoute(NoRoute),
    /// A header that would turn the request into another one.
    MethodOverride,
    /// An operation without a rule.
    UnknownOperation,
    /// A search parameter that can reach anything, or that is not known.
    Parameter,
    /// A body that is no batch and no transaction, or a malformed entry.
    Bundle,
    /// Entries of the bundle are refused.
    Entry,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoScope => "no granted scope permits this",
            Self::NoLaunchPatient => "patient scopes need a launch patient",
            Self::OtherPatient => "the request is about another patient",
            Self::NotAtPatientLevel => "patient scopes do not reach this",
            Self::LimitedScope => "a scope with a limit does not permit this",
            Self::Content => "the content is outside the granted scopes",
            Self::ContentMissing => "the content was not available to the decision",
            Self::NoRoute(_) => "not an interaction that scopes permit",
            Self::MethodOverride => "method override is refused",
            Self::UnknownOperation => "the operation has no rule",
            Self::Parameter => "a search parameter is refused",
            Self::Bundle => "only batch and transaction bundles are accepted",
            Self::Entry => "an entry is refused",
        })
    }
}

/// A refused request.
///
/// ```
/// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Reason, Request}};
/// let grant = Grant::new(&ScopeSet::parse("patient/Observation.r", Release::R4).unwrap()).launch_patient("123");
/// let Decision::Deny(denial) = grant.decide(&Request::get("/Observation", "")) else { unreachable!() };
/// assert_eq!(denial.reason(), Reason::NoScope);
/// assert_eq!(denial.missing(), ["patient/Observation.s"]);
/// ```
#[derive(Debug, Clone)]
pub struct Denial<'g> {
    grant: &'g Grant,
    reason: Reason,
    needs: Handful<Need>,
    /// At which levels scopes would help.
    levels: Levels,
    /// From which of the needs on a scope with a limit does not help.
    unlimited_from: usize,
}

impl<'g> Denial<'g> {
    pub(super) const fn new(grant: &'g Grant, reason: Reason, needs: Handful<Need>) -> Self {
        let unlimited_from = if matches!(reason, Reason::LimitedScope | Reason::Content) { 0 } else { usize::MAX };
        Self { grant, reason, needs, levels: Levels::All, unlimited_from }
    }

    /// The same for a request that only scopes of these levels permit.
    pub(super) fn at(self, levels: Levels) -> Self {
        Self { levels, ..self }
    }

    /// The same where the needs from this place on take no scope with a limit.
    pub(super) fn unlimited_from(self, place: usize) -> Self {
        Self { unlimited_from: place, ..self }
    }

    /// The same for a request that also needs these.
    #[cfg(feature = "json")]
    pub(super) fn needing(mut self, more: impl Iterator<Item = Need>) -> Self {
        more.for_each(|need| self.needs.insert(need));
        self
    }

    /// Why.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Reason, Request}};
    /// # let grant = Grant::new(&ScopeSet::empty(Release::R4));
    /// let Decision::Deny(denial) = grant.decide(&Request::get("/Patient/1/$unheard-of", "")) else { unreachable!() };
    /// assert_eq!(denial.reason(), Reason::UnknownOperation);
    /// ```
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// The letters that the request needs, granted or not.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Request}};
    /// # let grant = Grant::new(&ScopeSet::empty(Release::R4));
    /// let Decision::Deny(denial) = grant.decide(&Request::get("/Patient/1", "")) else { unreachable!() };
    /// assert_eq!(denial.needs()[0].to_string(), "Patient.r");
    /// ```
    pub fn needs(&self) -> &[Need] {
        &self.needs
    }

    /// The smallest scopes that are missing, at the level this grant works at. Empty where no letter is missing: then no scope of
    /// that level would help (another patient, an unknown operation).
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Request}};
    /// let grant = Grant::new(&ScopeSet::parse("patient/Patient.r", Release::R4).unwrap()).launch_patient("123");
    /// let Decision::Deny(denial) = grant.decide(&Request::get("/Patient/999", "")) else { unreachable!() };
    /// assert!(denial.missing().is_empty());
    /// ```
    pub fn missing(&self) -> Vec<String> {
        let level = if self.levels == Levels::OnlySystem { Level::System } else { self.grant.usual_level() };
        // no scope makes a refused parameter or an unknown operation right, and none of this level reaches another patient
        if matches!(self.reason, Reason::Parameter | Reason::UnknownOperation) || !self.levels.count(level) {
            return Vec::new();
        }
        let mut found: Vec<(TypeSelector, Permissions)> = Vec::new();
        for (place, need) in self.needs.iter().enumerate() {
            let limited = place < self.unlimited_from && self.levels != Levels::OnlySystem;
            let lacks = |letter: &Permissions| {
                let levels = if self.levels == Levels::OnlySystem { self.levels } else { Levels::All };
                let want = Want { levels, limited, ..Want::of(need.types, *letter) };
                match self.grant.gate(want, None) {
                    Gate::Closed(Reason::NoScope | Reason::NoLaunchPatient | Reason::LimitedScope) => true,
                    Gate::Closed(_) => self.levels == Levels::OnlySystem,
                    Gate::Open(_) | Gate::Filtered => false,
                }
            };
            let mut lacking: Vec<Permissions> = need.letters.letters().filter(lacks).collect();
            // what this level never opens leaves nothing to ask for, but for the other entries of a bundle
            let opens = |letter: &Permissions| self.grant.would_open(level, need.types, *letter);
            if need.either || self.reason == Reason::Entry {
                lacking.retain(opens);
            } else if !lacking.iter().all(opens) {
                return Vec::new();
            }
            let lacking: &[Permissions] = if need.either {
                if lacking.len() < need.letters.letters().count() { &[] } else { lacking.get(..1).unwrap_or_default() }
            } else {
                &lacking
            };
            for letter in lacking {
                match found.iter_mut().find(|(types, _)| *types == need.types) {
                    Some((_, letters)) => *letters = *letters | *letter,
                    None => found.push((need.types, *letter)),
                }
            }
        }
        // what is said of every type need not be said of one
        let of_all =
            found.iter().find(|(types, _)| *types == TypeSelector::All).map_or(Permissions::NONE, |(_, all)| *all);
        for (types, letters) in &mut found {
            if *types != TypeSelector::All {
                *letters = *letters - of_all;
            }
        }
        found.retain(|(_, letters)| !letters.is_empty());
        found.sort_unstable();
        found.iter().map(|(types, letters)| format!("{level}/{types}.{letters}")).collect()
    }

    /// The value of the header `WWW-Authenticate` for the 403 (RFC 6750 3.1), naming the smallest missing scopes where there are any.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Request}};
    /// let grant = Grant::new(&ScopeSet::parse("patient/Observation.r", Release::R4).unwrap()).launch_patient("123");
    /// let Decision::Deny(denial) = grant.decide(&Request::get("/Observation", "")) else { unreachable!() };
    /// assert_eq!(
    ///     denial.www_authenticate(),
    ///     r#"Bearer error="insufficient_scope", error_description="no granted scope permits this", scope="patient/Observation.s""#
    /// );
    /// ```
    pub fn www_authenticate(&self) -> String {
        let mut value = format!("Bearer error=\"insufficient_scope\", error_description=\"{}\"", self.reason);
        let missing = self.missing();
        if !missing.is_empty() {
            value.push_str(", scope=\"");
            value.push_str(&missing.join(" "));
            value.push('"');
        }
        value
    }
}

impl fmt::Display for Denial<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason.to_string())
    }
}
