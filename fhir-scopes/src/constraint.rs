//! The search limit of a granular scope, `?category=a,b&status=final`.
//!
//! A [`Limit`] is an AND of [`Clause`]s; a clause is one parameter and an OR of alternatives. Clauses and alternatives are kept
//! sorted and percent-decoded, so that two spellings of one limit are equal. Values that are written plainly are borrowed from the
//! text, and the usual limit, one parameter with one value, is read without allocating.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use crate::encoding::Encoded;
use crate::few::Few;
use crate::{ParseError, ParseErrorKind, Release, TypeSelector, limit_grammar};

/// The most bytes a limit may have.
///
/// ```
/// assert_eq!(fhir_scopes::MAX_LIMIT_BYTES, 2048);
/// ```
pub const MAX_LIMIT_BYTES: usize = 2048;

/// How the values of a search parameter are compared.
///
/// ```
/// use fhir_scopes::{ParameterKind, Release, Scope};
/// let scope = Scope::parse("patient/Observation.rs?category=laboratory", Release::R4).unwrap();
/// assert_eq!(scope.resource().unwrap().limit.clauses()[0].kind(), ParameterKind::Token);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ParameterKind {
    /// A code, possibly with its system: `system|code`, `code`, `|code`, `system|`.
    Token,
    /// A reference to another resource.
    Reference,
    /// A date or a period.
    Date,
    /// Text.
    String,
    /// A URI.
    Uri,
    /// A number.
    Number,
    /// A number with a unit.
    Quantity,
    /// Several parameters in one.
    Composite,
    /// With rules of its own.
    Special,
}

/// One parameter of a limit with its alternatives: `category=a,b`.
///
/// ```
/// use fhir_scopes::{Release, Scope};
/// let scope = Scope::parse("patient/Observation.rs?category=b,a", Release::R4).unwrap();
/// let clause = &scope.resource().unwrap().limit.clauses()[0];
/// assert_eq!(clause.parameter(), "category");
/// assert_eq!(clause.alternatives(), ["a", "b"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Clause<'a> {
    pub(crate) parameter: &'static str,
    pub(crate) kind: ParameterKind,
    pub(crate) alternatives: Few<Cow<'a, str>>,
}

impl<'a> Clause<'a> {
    /// The name of the search parameter.
    ///
    /// ```
    /// # use fhir_scopes::{Release, Scope};
    /// let scope = Scope::parse("user/*.rs?_tag=t|a", Release::R4).unwrap();
    /// assert_eq!(scope.resource().unwrap().limit.clauses()[0].parameter(), "_tag");
    /// ```
    pub fn parameter(&self) -> &'static str {
        self.parameter
    }

    /// How values are compared.
    ///
    /// ```
    /// # use fhir_scopes::{ParameterKind, Release, Scope};
    /// let scope = Scope::parse("patient/Observation.rs?date=ge2020", Release::R4).unwrap();
    /// assert_eq!(scope.resource().unwrap().limit.clauses()[0].kind(), ParameterKind::Date);
    /// ```
    pub fn kind(&self) -> ParameterKind {
        self.kind
    }

    /// The values, of which one must hold: sorted, percent-decoded, FHIR escapes (`\,`) kept.
    ///
    /// ```
    /// # use fhir_scopes::{Release, Scope};
    /// let scope = Scope::parse("patient/Observation.rs?code=a%5C,b", Release::R4).unwrap();
    /// assert_eq!(scope.resource().unwrap().limit.clauses()[0].alternatives(), [r"a\,b"]);
    /// ```
    pub fn alternatives(&self) -> &[Cow<'a, str>] {
        &self.alternatives
    }

    /// Whether whatever meets this clause also meets `wider`.
    ///
    /// ```
    /// # use fhir_scopes::{Release, Scope};
    /// let scope = Scope::parse("patient/Observation.rs?category=a&category=a,b", Release::R4).unwrap();
    /// let clauses = scope.resource().unwrap().limit.clauses();
    /// assert!(clauses[0].implies(&clauses[1]));
    /// assert!(!clauses[1].implies(&clauses[0]));
    /// ```
    pub fn implies(&self, wider: &Clause<'_>) -> bool {
        self.parameter == wider.parameter
            && self
                .alternatives
                .iter()
                .all(|value| wider.alternatives.iter().any(|other| value_implies(self.kind, value, other)))
    }

    pub(crate) fn narrowed_to(&self, alternative: &Cow<'a, str>) -> Self {
        Self { parameter: self.parameter, kind: self.kind, alternatives: Few::One(alternative.clone()) }
    }

    fn into_owned(self) -> Clause<'static> {
        let owned = |value: Cow<'a, str>| Cow::Owned(value.into_owned());
        Clause { parameter: self.parameter, kind: self.kind, alternatives: self.alternatives.map(owned) }
    }
}

impl fmt::Display for Clause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", self.parameter)?;
        for (i, value) in self.alternatives.iter().enumerate() {
            write!(f, "{}{}", if i > 0 { "," } else { "" }, Encoded(value))?;
        }
        Ok(())
    }
}

/// Whether one value of a parameter is a case of another. Only tokens have an order; everything else is compared as text.
fn value_implies(kind: ParameterKind, value: &str, wider: &str) -> bool {
    if value == wider {
        return true;
    }
    if kind != ParameterKind::Token {
        return false;
    }
    let (Some((system, code)), None | Some((_, ""))) = (split_token(value), split_token(wider)) else { return false };
    if code.is_empty() {
        return false;
    }
    match split_token(wider) {
        None => code == wider,
        Some((wider_system, _)) => !system.is_empty() && system == wider_system,
    }
}

/// Splits a token value at its first bar that is not escaped.
///
/// ```
/// use fhir_scopes::split_token;
/// assert_eq!(split_token("http://loinc.org|4548-4"), Some(("http://loinc.org", "4548-4")));
/// assert_eq!(split_token("final"), None);
/// assert_eq!(split_token(r"a\|b"), None);
/// ```
pub fn split_token(value: &str) -> Option<(&str, &str)> {
    let at = unescaped(value, b'|').next()?;
    Some((value.get(..at)?, value.get(at + 1..)?))
}

/// Places of a separator byte that no FHIR backslash precedes.
pub(crate) fn unescaped(value: &str, separator: u8) -> impl Iterator<Item = usize> {
    let mut escaped = false;
    value.bytes().enumerate().filter_map(move |(i, byte)| {
        let here = !escaped && byte == separator;
        escaped = !escaped && byte == b'\\';
        here.then_some(i)
    })
}

/// The limit of a scope: every clause must hold. Without clauses there is no limit.
///
/// ```
/// use fhir_scopes::{Release, Scope};
/// let a = Scope::parse("patient/Observation.rs?status=final&category=a", Release::R4).unwrap();
/// let b = Scope::parse("patient/Observation.rs?category=%61&status=final", Release::R4).unwrap();
/// assert_eq!(a.resource().unwrap().limit, b.resource().unwrap().limit);
/// assert_eq!(a.resource().unwrap().limit.to_string(), "category=a&status=final");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Limit<'a> {
    clauses: Few<Clause<'a>>,
}

impl<'a> Limit<'a> {
    /// No limit.
    ///
    /// ```
    /// assert!(fhir_scopes::Limit::NONE.is_none());
    /// ```
    pub const NONE: Self = Self { clauses: Few::None };

    /// Reads the text after the question mark of a scope, and borrows from it.
    ///
    /// ```
    /// use fhir_scopes::{Limit, Release, ResourceType, TypeSelector};
    /// let observation = TypeSelector::One(ResourceType::OBSERVATION);
    /// let limit = Limit::parse("category=laboratory", observation, Release::R4).unwrap();
    /// assert_eq!(limit.to_string(), "category=laboratory");
    /// assert!(Limit::parse("category=", observation, Release::R4).is_err());
    /// ```
    pub fn parse(text: &'a str, types: TypeSelector, release: Release) -> Result<Self, ParseError> {
        if text.len() > MAX_LIMIT_BYTES {
            return Err(ParseError::new(ParseErrorKind::TooLong, 0..text.len()));
        }
        Self::plain(text, types, release).map_or_else(|| Self::parse_pairs(text, types, release), Ok)
    }

    /// The usual limit, one pair with one plain value; none when it is not quite so.
    #[inline]
    pub(crate) fn plain(text: &'a str, types: TypeSelector, release: Release) -> Option<Self> {
        if text.len() > MAX_LIMIT_BYTES {
            return None;
        }
        Some(Self { clauses: Few::One(limit_grammar::plain_clause(text, types, release)?) })
    }

    fn parse_pairs(text: &'a str, types: TypeSelector, release: Release) -> Result<Self, ParseError> {
        let mut clauses = Vec::with_capacity(2);
        let mut start = 0;
        for pair in text.split('&') {
            clauses.push(limit_grammar::clause(pair, types, release).map_err(|error| error.shifted(start))?);
            start += pair.len() + 1;
        }
        Ok(Self::from_clauses(clauses))
    }

    fn from_clauses(mut clauses: Vec<Clause<'a>>) -> Self {
        clauses.sort_unstable();
        clauses.dedup();
        Self { clauses: clauses.into() }
    }

    /// The same limit, free of the text it was read from.
    ///
    /// ```
    /// use fhir_scopes::{Limit, Release, TypeSelector};
    /// let owned: Limit<'static> = Limit::parse(&String::from("_tag=a"), TypeSelector::All, Release::R4).unwrap().into_owned();
    /// assert_eq!(owned.to_string(), "_tag=a");
    /// ```
    pub fn into_owned(self) -> Limit<'static> {
        Limit { clauses: self.clauses.map(Clause::into_owned) }
    }

    /// The clauses, sorted by parameter.
    ///
    /// ```
    /// assert!(fhir_scopes::Limit::NONE.clauses().is_empty());
    /// ```
    pub fn clauses(&self) -> &[Clause<'a>] {
        &self.clauses
    }

    /// Whether nothing is limited.
    ///
    /// ```
    /// # use fhir_scopes::{Release, Scope};
    /// let scope = Scope::parse("patient/Observation.rs", Release::R4).unwrap();
    /// assert!(scope.resource().unwrap().limit.is_none());
    /// ```
    pub fn is_none(&self) -> bool {
        self.clauses.is_empty()
    }

    /// Whether whatever meets this limit also meets `wider`.
    ///
    /// ```
    /// # use fhir_scopes::{Limit, Release, ResourceType, TypeSelector};
    /// # let of = |text| Limit::parse(text, TypeSelector::One(ResourceType::OBSERVATION), Release::R4).unwrap();
    /// assert!(of("category=http://loinc.org|x").implies(&of("category=x")));
    /// assert!(of("category=a&category=b").implies(&of("category=a,b")));
    /// assert!(!of("category=a,b").implies(&of("category=a")));
    /// ```
    pub fn implies(&self, wider: &Limit<'_>) -> bool {
        wider.clauses.iter().all(|clause| self.clauses.iter().any(|own| own.implies(clause)))
    }

    /// The limit that holds where both hold. Values of one parameter do not cancel: a resource may carry several.
    ///
    /// ```
    /// # use fhir_scopes::{Limit, Release, ResourceType, TypeSelector};
    /// # let of = |text| Limit::parse(text, TypeSelector::One(ResourceType::OBSERVATION), Release::R4).unwrap();
    /// assert_eq!(of("category=a,b").and(&of("category=b,c")).to_string(), "category=a,b&category=b,c");
    /// assert_eq!(of("category=a").and(&of("category=a,b")).to_string(), "category=a");
    /// ```
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self::from_clauses(self.clauses.iter().chain(other.clauses.iter()).cloned().collect()).simplified()
    }

    /// The same limit without clauses that another clause implies.
    ///
    /// ```
    /// # use fhir_scopes::{Limit, Release, ResourceType, TypeSelector};
    /// # let of = |text| Limit::parse(text, TypeSelector::One(ResourceType::OBSERVATION), Release::R4).unwrap();
    /// assert_eq!(of("category=a&category=a,b").simplified().to_string(), "category=a");
    /// ```
    #[must_use]
    pub fn simplified(&self) -> Self {
        let implied = |i: usize, clause: &Clause<'a>| {
            self.clauses
                .iter()
                .enumerate()
                .any(|(j, other)| i != j && other.implies(clause) && (!clause.implies(other) || j < i))
        };
        if self.clauses.len() < 2 {
            return self.clone();
        }
        let kept = self.clauses.iter().enumerate().filter(|(i, clause)| !implied(*i, clause));
        Self { clauses: kept.map(|(_, clause)| clause.clone()).collect::<Vec<_>>().into() }
    }

    /// The limit that holds where either holds, when both differ in one clause only and that clause is about one parameter:
    /// `category=a` or `category=b` is `category=a,b`. Only for queries; as scopes the two stay apart.
    pub(crate) fn or_single(self, other: Self) -> Option<Self> {
        let mut own = self.clauses.iter().enumerate().filter(|(_, clause)| !other.clauses.contains(clause));
        let mut others = other.clauses.iter().enumerate().filter(|(_, clause)| !self.clauses.contains(clause));
        let ((at, first), (from, second)) = (own.next()?, others.next()?);
        if own.next().is_some()
            || others.next().is_some()
            || self.clauses.len() != other.clauses.len()
            || first.parameter != second.parameter
        {
            return None;
        }
        let mut clauses = self.clauses.into_vec();
        let clause = clauses.get_mut(at)?;
        let mut alternatives = core::mem::take(&mut clause.alternatives).into_vec();
        alternatives.extend(other.clauses.into_vec().into_iter().nth(from)?.alternatives.into_vec());
        alternatives.sort_unstable();
        alternatives.dedup();
        clause.alternatives = alternatives.into();
        Some(Self { clauses: clauses.into() })
    }

    /// The same limit with one clause narrowed to one of its alternatives.
    pub(crate) fn with_alternative(&self, at: usize, alternative: &Cow<'a, str>) -> Self {
        let mut clauses = self.clauses.to_vec();
        if let Some(clause) = clauses.get_mut(at) {
            *clause = clause.narrowed_to(alternative);
        }
        Self { clauses: clauses.into() }
    }
}

impl fmt::Display for Limit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, clause) in self.clauses.iter().enumerate() {
            write!(f, "{}{clause}", if i > 0 { "&" } else { "" })?;
        }
        Ok(())
    }
}
