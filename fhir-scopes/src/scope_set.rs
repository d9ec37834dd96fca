//! A list of scopes as a client asked for it.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::{Level, NonResource, ParseError, ParseErrorKind, Rejected, Release, ResourceScope, Scope, ScopeKind};

/// The most bytes of a scope list.
///
/// ```
/// assert_eq!(fhir_scopes::MAX_LIST_BYTES, 16 * 1024);
/// ```
pub const MAX_LIST_BYTES: usize = 16 * 1024;

/// The most scopes of a list.
///
/// ```
/// assert_eq!(fhir_scopes::MAX_TOKENS, 512);
/// ```
pub const MAX_TOKENS: usize = 512;

/// A set of scopes that remembers how each was spelled and in which order they were asked.
///
/// Its meaning is the union of its scopes; [`Display`](fmt::Display) gives the literal list back.
///
/// ```
/// use fhir_scopes::{Release, ScopeSet};
/// let approved = ScopeSet::parse("openid patient/*.rs", Release::R4).unwrap();
/// let requested = ScopeSet::parse("openid patient/Observation.read patient/Condition.cruds", Release::R4).unwrap();
/// assert!(!approved.covers(&requested));
/// let granted = requested.granted_within(&approved);
/// assert_eq!(granted.to_string(), "openid patient/Observation.read patient/Condition.rs");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScopeSet {
    scopes: Vec<Scope<'static>>,
    release: Release,
}

impl ScopeSet {
    /// An empty set.
    ///
    /// ```
    /// use fhir_scopes::{Release, ScopeSet};
    /// assert!(ScopeSet::empty(Release::R4).is_empty());
    /// ```
    pub const fn empty(release: Release) -> Self {
        Self { scopes: Vec::new(), release }
    }

    /// A set of scopes in the given order; a literal that comes twice is kept once.
    ///
    /// ```
    /// use fhir_scopes::{Release, Scope, ScopeSet};
    /// let openid = Scope::parse("openid", Release::R4).unwrap();
    /// assert_eq!(ScopeSet::from_scopes([openid.clone(), openid], Release::R4).len(), 1);
    /// ```
    pub fn from_scopes<'a>(scopes: impl IntoIterator<Item = Scope<'a>>, release: Release) -> Self {
        let mut set = Self::empty(release);
        for scope in scopes {
            set.push(scope);
        }
        set
    }

    pub(crate) fn push(&mut self, scope: Scope<'_>) {
        if !self.contains_literal(scope.literal()) {
            self.scopes.push(scope.into_owned());
        }
    }

    /// Reads a list strictly: single spaces, every token well-formed, the first fault refuses the whole.
    ///
    /// Tokens that belong to no known form (`foo:bar`) are well-formed; they are kept and grant nothing.
    ///
    /// ```
    /// use fhir_scopes::{Release, ScopeSet};
    /// let set = ScopeSet::parse("launch openid patient/*.rs", Release::R4).unwrap();
    /// assert_eq!(set.len(), 3);
    /// let error = ScopeSet::parse("openid  launch", Release::R4).unwrap_err();
    /// assert_eq!(error.range, 7..7);
    /// ```
    pub fn parse(text: &str, release: Release) -> Result<Self, ParseError> {
        if text.len() > MAX_LIST_BYTES {
            return Err(ParseError::new(ParseErrorKind::TooLong, MAX_LIST_BYTES..text.len()));
        }
        let mut set = Self::empty(release);
        if text.is_empty() {
            return Ok(set);
        }
        for (count, (start, token)) in tokens(text).enumerate() {
            if count == MAX_TOKENS {
                return Err(ParseError::new(ParseErrorKind::TooLong, start..text.len()));
            }
            set.push(Scope::parse(token, release).map_err(|error| error.shifted(start))?);
        }
        Ok(set)
    }

    /// Reads a list leniently: keeps what is well-formed and tells why each other token was left out. Spaces too many are no fault.
    ///
    /// A list beyond the bounds is cut there; what lies behind comes back as one rejected token.
    ///
    /// ```
    /// use fhir_scopes::{Release, ScopeSet};
    /// let (set, rejected) = ScopeSet::parse_lenient("patient/Observation.dus  patient/Condition.rs", Release::R4);
    /// assert_eq!(set.to_string(), "patient/Condition.rs");
    /// assert_eq!(rejected.len(), 1);
    /// ```
    pub fn parse_lenient(text: &str, release: Release) -> (Self, Vec<Rejected>) {
        let mut set = Self::empty(release);
        let mut rejected = Vec::new();
        for (count, (start, token)) in tokens(text).filter(|(_, token)| !token.is_empty()).enumerate() {
            if count == MAX_TOKENS || start + token.len() > MAX_LIST_BYTES {
                let error = ParseError::new(ParseErrorKind::TooLong, start..text.len());
                rejected.push(Rejected { token: shown(text.get(start..).unwrap_or_default()), error });
                break;
            }
            match Scope::parse(token, release) {
                Ok(scope) => set.push(scope),
                Err(error) => rejected.push(Rejected { token: shown(token), error: error.shifted(start) }),
            }
        }
        (set, rejected)
    }

    /// The scopes in the order they were asked.
    ///
    /// ```
    /// use fhir_scopes::{Release, ScopeSet};
    /// let set = ScopeSet::parse("openid launch", Release::R4).unwrap();
    /// let literals: Vec<_> = set.iter().map(|scope| scope.literal()).collect();
    /// assert_eq!(literals, ["openid", "launch"]);
    /// ```
    pub fn iter(&self) -> core::slice::Iter<'_, Scope<'static>> {
        self.scopes.iter()
    }

    /// The scopes about resources, in order.
    ///
    /// ```
    /// use fhir_scopes::{Release, ScopeSet};
    /// let set = ScopeSet::parse("openid user/Patient.rs", Release::R4).unwrap();
    /// assert_eq!(set.resources().count(), 1);
    /// ```
    pub fn resources(&self) -> impl Iterator<Item = &ResourceScope<'static>> {
        self.scopes.iter().filter_map(Scope::resource)
    }

    /// The release whose types and parameters the scopes were read with.
    ///
    /// ```
    /// use fhir_scopes::{Release, ScopeSet};
    /// assert_eq!(ScopeSet::parse("openid", Release::R5).unwrap().release(), Release::R5);
    /// ```
    pub fn release(&self) -> Release {
        self.release
    }

    /// How many scopes.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet};
    /// assert_eq!(ScopeSet::parse("openid openid", Release::R4).unwrap().len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.scopes.len()
    }

    /// Whether there is no scope.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet};
    /// assert!(ScopeSet::parse("", Release::R4).unwrap().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.scopes.is_empty()
    }

    /// Whether a scope with exactly this spelling is in the set.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet};
    /// let set = ScopeSet::parse("patient/*.read", Release::R4).unwrap();
    /// assert!(set.contains_literal("patient/*.read"));
    /// assert!(!set.contains_literal("patient/*.rs"));
    /// ```
    pub fn contains_literal(&self, literal: &str) -> bool {
        self.scopes.iter().any(|scope| scope.literal() == literal)
    }

    /// Whether a scope of SMART or OpenID Connect that is not about resources is in the set, in either spelling.
    ///
    /// ```
    /// # use fhir_scopes::{NonResource, Release, ScopeSet};
    /// assert!(ScopeSet::parse("fhirUser openid", Release::R4).unwrap().has(NonResource::FhirUser));
    /// ```
    pub fn has(&self, plain: NonResource) -> bool {
        self.scopes.iter().any(|scope| *scope.kind() == ScopeKind::Plain(plain))
    }

    /// Whether a refresh token that outlives the session is asked.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet};
    /// assert!(ScopeSet::parse("offline_access", Release::R4).unwrap().has_offline_access());
    /// ```
    pub fn has_offline_access(&self) -> bool {
        self.has(NonResource::OfflineAccess)
    }

    /// Whether a refresh token for as long as the user stays signed in is asked.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet};
    /// assert!(ScopeSet::parse("online_access", Release::R4).unwrap().has_online_access());
    /// ```
    pub fn has_online_access(&self) -> bool {
        self.has(NonResource::OnlineAccess)
    }

    /// Whether an ID token is asked.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet};
    /// assert!(ScopeSet::parse("openid", Release::R4).unwrap().has_openid());
    /// ```
    pub fn has_openid(&self) -> bool {
        self.has(NonResource::OpenId)
    }

    /// Whether any scope reaches data at this level.
    ///
    /// ```
    /// # use fhir_scopes::{Level, Release, ScopeSet};
    /// assert!(ScopeSet::parse("system/*.rs", Release::R4).unwrap().has_level(Level::System));
    /// ```
    pub fn has_level(&self, level: Level) -> bool {
        self.resources().any(|resource| resource.level == level)
    }

    /// Whether a `patient/` scope is in the set: then a launch patient is needed.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet};
    /// assert!(ScopeSet::parse("patient/*.rs", Release::R4).unwrap().has_patient_level());
    /// ```
    pub fn has_patient_level(&self) -> bool {
        self.has_level(Level::Patient)
    }

    /// Whether a `user/` scope is in the set.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet};
    /// assert!(ScopeSet::parse("user/*.rs", Release::R4).unwrap().has_user_level());
    /// ```
    pub fn has_user_level(&self) -> bool {
        self.has_level(Level::User)
    }

    /// Whether a `system/` scope is in the set.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet};
    /// assert!(!ScopeSet::parse("user/*.rs", Release::R4).unwrap().has_system_level());
    /// ```
    pub fn has_system_level(&self) -> bool {
        self.has_level(Level::System)
    }

    /// The set without the scopes of these spellings.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet};
    /// let set = ScopeSet::parse("openid offline_access", Release::R4).unwrap();
    /// assert_eq!(set.without(&["offline_access"]).to_string(), "openid");
    /// ```
    #[must_use]
    pub fn without<S: AsRef<str>>(&self, literals: &[S]) -> Self {
        self.filtered(|scope| !literals.iter().any(|literal| literal.as_ref() == scope.literal()))
    }

    /// The set with only the scopes that pass.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet};
    /// let set = ScopeSet::parse("openid user/*.rs", Release::R4).unwrap();
    /// assert_eq!(set.filtered(|scope| scope.resource().is_some()).to_string(), "user/*.rs");
    /// ```
    #[must_use]
    pub fn filtered(&self, mut keep: impl FnMut(&Scope<'static>) -> bool) -> Self {
        Self { scopes: self.scopes.iter().filter(|scope| keep(scope)).cloned().collect(), release: self.release }
    }

    /// The set with every `user/` and `system/` scope narrowed to the launch patient: for a policy that allows an app less reach than it asks.
    ///
    /// Nothing in this crate does so by itself.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet};
    /// let set = ScopeSet::parse("openid user/Observation.read", Release::R4).unwrap();
    /// assert_eq!(set.narrow_to_patient().to_string(), "openid patient/Observation.read");
    /// ```
    #[must_use]
    pub fn narrow_to_patient(&self) -> Self {
        let narrowed = self.scopes.iter().map(|scope| match scope.resource() {
            Some(resource) if resource.level != Level::Patient => {
                Scope::from_resource(ResourceScope { level: Level::Patient, ..resource.clone() })
            }
            _ => scope.clone(),
        });
        Self::from_scopes(narrowed, self.release)
    }

    /// Both sets, this one first.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet};
    /// let of = |text| ScopeSet::parse(text, Release::R4).unwrap();
    /// assert_eq!(of("openid").union(&of("launch openid")).to_string(), "openid launch");
    /// ```
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::from_scopes(self.scopes.iter().chain(&other.scopes).cloned(), self.release)
    }
}

/// Splits at every single space and tells where each part starts.
fn tokens(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split(' ').map(move |token| {
        let here = start;
        start += token.len() + 1;
        (here, token)
    })
}

/// At most 200 characters of a token, for reports.
fn shown(token: &str) -> String {
    match token.char_indices().nth(200) {
        Some((end, _)) => [token.get(..end).unwrap_or_default(), "..."].concat(),
        None => token.to_string(),
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, scope) in self.scopes.iter().enumerate() {
            write!(f, "{}{scope}", if i > 0 { " " } else { "" })?;
        }
        Ok(())
    }
}

impl<'a> IntoIterator for &'a ScopeSet {
    type Item = &'a Scope<'static>;
    type IntoIter = core::slice::Iter<'a, Scope<'static>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
