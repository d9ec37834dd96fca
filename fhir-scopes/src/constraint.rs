//! The search limit of a granular scope, `?category=a,b&status=final`.
//!
//! A [`Limit`] is an AND of [`Clause`]s; a clause is one parameter and an OR of alternatives. Clauses and alternatives are kept
//! sorted and percent-decoded, so that two spellings of one limit are equal.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::encoding::{Encoded, decode};
use crate::{ParseError, ParseErrorKind, Release, TypeSelector, tables};

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
pub struct Clause {
    parameter: &'static str,
    kind: ParameterKind,
    alternatives: Vec<String>,
}

impl Clause {
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
    pub fn alternatives(&self) -> &[String] {
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
    pub fn implies(&self, wider: &Self) -> bool {
        self.parameter == wider.parameter
            && self
                .alternatives
                .iter()
                .all(|value| wider.alternatives.iter().any(|other| value_implies(self.kind, value, other)))
    }

    pub(crate) fn narrowed_to(&self, alternative: &str) -> Self {
        Self { parameter: self.parameter, kind: self.kind, alternatives: [alternative.to_string()].into() }
    }
}

impl fmt::Display for Clause {
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
fn unescaped(value: &str, separator: u8) -> impl Iterator<Item = usize> {
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
pub struct Limit {
    clauses: Vec<Clause>,
}

impl Limit {
    /// No limit.
    ///
    /// ```
    /// assert!(fhir_scopes::Limit::NONE.is_none());
    /// ```
    pub const NONE: Self = Self { clauses: Vec::new() };

    /// Reads the text after the question mark of a scope.
    ///
    /// ```
    /// use fhir_scopes::{Limit, Release, ResourceType, TypeSelector};
    /// let observation = TypeSelector::One(ResourceType::OBSERVATION);
    /// let limit = Limit::parse("category=laboratory", observation, Release::R4).unwrap();
    /// assert_eq!(limit.to_string(), "category=laboratory");
    /// assert!(Limit::parse("category=", observation, Release::R4).is_err());
    /// ```
    pub fn parse(text: &str, types: TypeSelector, release: Release) -> Result<Self, ParseError> {
        if text.len() > MAX_LIMIT_BYTES {
            return Err(ParseError::new(ParseErrorKind::TooLong, 0..text.len()));
        }
        let mut clauses = Vec::new();
        let mut start = 0;
        for pair in text.split('&') {
            clauses.push(parse_clause(pair, types, release).map_err(|error| error.shifted(start))?);
            start += pair.len() + 1;
        }
        Ok(Self::from_clauses(clauses))
    }

    fn from_clauses(mut clauses: Vec<Clause>) -> Self {
        clauses.sort_unstable();
        clauses.dedup();
        Self { clauses }
    }

    /// The clauses, sorted by parameter.
    ///
    /// ```
    /// assert!(fhir_scopes::Limit::NONE.clauses().is_empty());
    /// ```
    pub fn clauses(&self) -> &[Clause] {
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
    pub fn implies(&self, wider: &Self) -> bool {
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
        Self::from_clauses(self.clauses.iter().chain(&other.clauses).cloned().collect()).simplified()
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
        let implied = |i: usize, clause: &Clause| {
            self.clauses
                .iter()
                .enumerate()
                .any(|(j, other)| i != j && other.implies(clause) && (!clause.implies(other) || j < i))
        };
        let kept = self.clauses.iter().enumerate().filter(|(i, clause)| !implied(*i, clause));
        Self { clauses: kept.map(|(_, clause)| clause.clone()).collect() }
    }

    /// The limit that holds where either holds, when both differ in one clause only and that clause is about one parameter:
    /// `category=a` or `category=b` is `category=a,b`. Only for queries; as scopes the two stay apart.
    pub(crate) fn or_single(&self, other: &Self) -> Option<Self> {
        let mut own = self.clauses.iter().enumerate().filter(|(_, clause)| !other.clauses.contains(clause));
        let mut others = other.clauses.iter().filter(|clause| !self.clauses.contains(clause));
        let ((at, first), second) = (own.next()?, others.next()?);
        if own.next().is_some()
            || others.next().is_some()
            || self.clauses.len() != other.clauses.len()
            || first.parameter != second.parameter
        {
            return None;
        }
        let mut either = self.clone();
        let clause = either.clauses.get_mut(at)?;
        clause.alternatives.extend_from_slice(&second.alternatives);
        clause.alternatives.sort_unstable();
        clause.alternatives.dedup();
        Some(either)
    }

    /// The same limit with one clause narrowed to one of its alternatives.
    pub(crate) fn with_alternative(&self, at: usize, alternative: &str) -> Self {
        let mut clauses = self.clauses.clone();
        if let Some(clause) = clauses.get_mut(at) {
            *clause = clause.narrowed_to(alternative);
        }
        Self { clauses }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, clause) in self.clauses.iter().enumerate() {
            write!(f, "{}{clause}", if i > 0 { "&" } else { "" })?;
        }
        Ok(())
    }
}

fn parse_clause(pair: &str, types: TypeSelector, release: Release) -> Result<Clause, ParseError> {
    let Some((name, value)) = pair.split_once('=') else {
        return Err(ParseError::new(ParseErrorKind::Pair, 0..pair.len()));
    };
    let (parameter, kind) = parameter(name, types, release).map_err(|kind| ParseError::new(kind, 0..name.len()))?;
    let start = name.len() + 1;
    let refuse = |kind| ParseError::new(kind, start..pair.len());
    // most values are plain: one alternative, nothing encoded, nothing escaped
    let signs = value.bytes().fold(0, |signs, byte| signs + SIGNS[usize::from(byte)]);
    let bars = signs & (INTRICATE - 1);
    if signs >= SEPARATOR {
        let at = value.bytes().position(|byte| SIGNS[usize::from(byte)] == SEPARATOR).unwrap_or(0);
        return Err(ParseError::new(ParseErrorKind::Pair, start + at..start + at + 1));
    }
    if signs < INTRICATE
        && !value.is_empty()
        && (kind != ParameterKind::Token || bars == 0 || bars == 1 && value.len() > 1)
    {
        return Ok(Clause { parameter, kind, alternatives: [value.to_string()].into() });
    }
    let value = decode(value).ok_or_else(|| refuse(ParseErrorKind::Encoding))?;
    let mut alternatives = Vec::with_capacity(1);
    let mut from = 0;
    for at in unescaped(&value, b',').chain([value.len()]) {
        let alternative = value.get(from..at).unwrap_or_default();
        if !well_formed(kind, alternative) {
            return Err(refuse(ParseErrorKind::Value));
        }
        alternatives.push(alternative.to_string());
        from = at + 1;
    }
    if alternatives.len() > 1 {
        alternatives.sort_unstable_by(|a, b| Encoded(a).cmp(&Encoded(b)));
        alternatives.dedup();
    }
    Ok(Clause { parameter, kind, alternatives })
}

/// A value is at most [`MAX_LIMIT_BYTES`] long, so that adding up the signs of its bytes counts each kind apart.
const INTRICATE: u64 = 1 << 16;
/// `=` or `?`, which may not stand in a value.
const SEPARATOR: u64 = 1 << 32;

/// One for a bar; what needs a closer look; what may not be there.
static SIGNS: [u64; 256] = {
    let mut signs = [INTRICATE; 256];
    let mut byte = 0x20;
    while byte < 0x7f {
        signs[byte] = 0;
        byte += 1;
    }
    signs[b'|' as usize] = 1;
    signs[b'%' as usize] = INTRICATE;
    signs[b',' as usize] = INTRICATE;
    signs[b'\\' as usize] = INTRICATE;
    signs[b'=' as usize] = SEPARATOR;
    signs[b'?' as usize] = SEPARATOR;
    signs
};

/// A value that says something: not empty, no dangling escape, and for tokens one bar at most with something beside it.
fn well_formed(kind: ParameterKind, value: &str) -> bool {
    let mut escaped = false;
    let mut bars = 0;
    for byte in value.bytes() {
        if escaped {
            if !matches!(byte, b',' | b'|' | b'$' | b'\\') {
                return false;
            }
            escaped = false;
        } else {
            escaped = byte == b'\\';
            bars += usize::from(byte == b'|');
        }
    }
    !value.is_empty() && !escaped && (kind != ParameterKind::Token || value != "|" && bars <= 1)
}

/// Parameters that every resource type has.
fn universal(name: &str) -> Option<(&'static str, ParameterKind)> {
    Some(match name {
        "_id" => ("_id", ParameterKind::Token),
        "_tag" => ("_tag", ParameterKind::Token),
        "_security" => ("_security", ParameterKind::Token),
        "_profile" => ("_profile", ParameterKind::Uri),
        "_source" => ("_source", ParameterKind::Uri),
        "_lastUpdated" => ("_lastUpdated", ParameterKind::Date),
        _ => return None,
    })
}

/// Parameters that shape the answer or search in ways of their own, and so are no limit on resources.
const RESULT_PARAMETERS: [&str; 14] = [
    "_include",
    "_revinclude",
    "_count",
    "_sort",
    "_elements",
    "_format",
    "_pretty",
    "_summary",
    "_total",
    "_contained",
    "_containedType",
    "_score",
    "_type",
    "_maxresults",
];

fn parameter(
    name: &str,
    types: TypeSelector,
    release: Release,
) -> Result<(&'static str, ParameterKind), ParseErrorKind> {
    if name.is_empty() {
        return Err(ParseErrorKind::Pair);
    }
    if name.starts_with('_')
        && let Some(universal) = universal(name)
    {
        return Ok(universal);
    }
    if let TypeSelector::One(one) = types
        && let Some(found) = tables::parameter_kind(release, one, name)
    {
        return match found {
            // what cannot be compared on one resource is refused here rather than never met later
            (
                _,
                ParameterKind::Composite | ParameterKind::Special | ParameterKind::Number | ParameterKind::Quantity,
            ) => Err(ParseErrorKind::UnsupportedParameter),
            known => Ok(known),
        };
    }
    Err(if name.starts_with("_has") {
        ParseErrorKind::Chain
    } else if name.contains(':') {
        ParseErrorKind::Modifier
    } else if name.contains('.') {
        ParseErrorKind::Chain
    } else if RESULT_PARAMETERS.contains(&name) {
        ParseErrorKind::ResultParameter
    } else {
        ParseErrorKind::Parameter
    })
}
