//! Why a text is not a scope, and where.

use alloc::string::String;
use core::fmt;
use core::ops::Range;

/// The place and the reason why a text is not a scope list.
///
/// ```
/// use fhir_scopes::{ParseErrorKind, Release, ScopeSet};
/// let error = ScopeSet::parse("openid patient/Observation.sr", Release::R4).unwrap_err();
/// assert_eq!(error.range, 27..29);
/// assert_eq!(error.kind, ParseErrorKind::Permissions);
/// assert_eq!(error.expected(), "read, write, * or letters of cruds in this order, each at most once");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// The bytes of the input that are wrong.
    pub range: Range<usize>,
    /// What is wrong with them.
    pub kind: ParseErrorKind,
}

/// The kinds of refusal, each with the words for what was expected instead.
///
/// ```
/// use fhir_scopes::{ParseErrorKind, Release, Scope};
/// let error = Scope::parse("patient/Observation.rs?category:not=a", Release::R4).unwrap_err();
/// assert_eq!(error.kind, ParseErrorKind::Modifier);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// The token is empty, or a list has a space too many.
    Empty,
    /// A byte that RFC 6749 does not allow in a scope token.
    Character,
    /// The part before the slash is no level, or is missing.
    Level,
    /// The type is unknown to the release, abstract, misspelt or missing.
    ResourceType,
    /// The part after the dot is missing, out of order, doubled or unknown.
    Permissions,
    /// A v1 word with a limit: v1 has none.
    LimitOnV1,
    /// A limit without `name=value`.
    Pair,
    /// The parameter is not one of the resource type.
    Parameter,
    /// The parameter exists, but no server can be sure to enforce it in a scope.
    UnsupportedParameter,
    /// A search modifier (`category:not=`).
    Modifier,
    /// A chain (`subject.birthdate=`, `_has:`).
    Chain,
    /// A parameter that shapes the answer (`_count`, `_include`), not the data.
    ResultParameter,
    /// A value with an empty or malformed alternative.
    Value,
    /// A date that cannot be compared with one on a resource: no date, a day that there is not, or the prefix `ne` or `ap`.
    Date,
    /// Broken percent-encoding, or one that hides a control character.
    Encoding,
    /// A launch scope with an unknown context or a malformed role.
    Launch,
    /// An extension scope without a name.
    Extension,
    /// More bytes or tokens than this crate reads: see [`crate::MAX_LIST_BYTES`] and [`crate::MAX_TOKENS`].
    TooLong,
}

impl ParseErrorKind {
    /// What the grammar has at this place.
    ///
    /// ```
    /// assert_eq!(fhir_scopes::ParseErrorKind::Level.expected(), "patient/, user/ or system/");
    /// ```
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Empty => "a scope, with single spaces between scopes",
            Self::Character => "printable ASCII without space, quote and backslash",
            Self::Level => "patient/, user/ or system/",
            Self::ResourceType => "* or the exact name of a concrete resource type of this FHIR release",
            Self::Permissions => "read, write, * or letters of cruds in this order, each at most once",
            Self::LimitOnV1 => "v2 letters before a search limit",
            Self::Pair => "name=value pairs joined by &, with = & ? inside values percent-encoded",
            Self::Parameter => "a search parameter of this resource type",
            Self::UnsupportedParameter => "a search parameter that can be evaluated on one resource",
            Self::Modifier => "a parameter name without modifier",
            Self::Chain => "a parameter of the resource itself, no chain",
            Self::ResultParameter => "a parameter that limits resources, not one that shapes the answer",
            Self::Value => "one or more non-empty values joined by commas",
            Self::Date => {
                "dates such as 2024, 2024-05 or 2024-05-31T10:00Z, each with eq, gt, ge, lt, le, sa, eb or no prefix"
            }
            Self::Encoding => "percent-encoded UTF-8 without control characters",
            Self::Launch => "launch, or launch/ and a lower-case resource type, with at most one ?role=",
            Self::Extension => "a name after the two underscores",
            Self::TooLong => "at most 16 kB, 512 scopes, 2 kB per limit",
        }
    }
}

impl ParseError {
    pub(crate) fn new(kind: ParseErrorKind, range: Range<usize>) -> Self {
        Self { range, kind }
    }

    /// What the grammar has at this place.
    ///
    /// ```
    /// use fhir_scopes::{Release, Scope};
    /// let error = Scope::parse("Patient/Observation.rs", Release::R4).unwrap_err();
    /// assert_eq!(error.expected(), "patient/, user/ or system/");
    /// ```
    pub const fn expected(&self) -> &'static str {
        self.kind.expected()
    }

    pub(crate) fn shifted(mut self, by: usize) -> Self {
        self.range = self.range.start + by..self.range.end + by;
        self
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bytes {}..{}: expected {}", self.range.start, self.range.end, self.expected())
    }
}

impl core::error::Error for ParseError {}

/// A token that lenient reading left out, with the reason.
///
/// ```
/// use fhir_scopes::{Release, ScopeSet};
/// let (set, rejected) = ScopeSet::parse_lenient("openid patient/Observation.dus", Release::R4);
/// assert_eq!(set.to_string(), "openid");
/// assert_eq!(rejected[0].token, "patient/Observation.dus");
/// assert_eq!(rejected[0].error.range, 27..30); // within the whole list
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The token as it stood in the list.
    pub token: String,
    /// Why it was left out; the range counts from the start of the list.
    pub error: ParseError,
}
