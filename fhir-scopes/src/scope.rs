//! One scope: the token as asked, and what it means.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use crate::{Level, Limit, ParseError, Permissions, Release, ResourceType, TypeSelector, grammar, uri};

/// One scope token with its meaning.
///
/// Reading borrows: a token without a limit, or with the usual one of one parameter and one plainly written value, costs no allocation.
/// [`Scope::into_owned`] cuts the tie to the text.
///
/// ```
/// use fhir_scopes::{Level, Permissions, Release, Scope};
/// let scope = Scope::parse("patient/Observation.read", Release::R4).unwrap();
/// let resource = scope.resource().unwrap();
/// assert_eq!(resource.level, Level::Patient);
/// assert_eq!(resource.permissions, Permissions::RS);
/// assert_eq!(scope.literal(), "patient/Observation.read");
/// assert_eq!(scope.canonical(), "patient/Observation.rs");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope<'a> {
    pub(crate) literal: Cow<'a, str>,
    pub(crate) kind: ScopeKind<'a>,
}

/// What a scope is about.
///
/// ```
/// use fhir_scopes::{NonResource, Release, Scope, ScopeKind};
/// let scope = Scope::parse("launch/patient", Release::R4).unwrap();
/// assert_eq!(*scope.kind(), ScopeKind::Plain(NonResource::LAUNCH_PATIENT));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScopeKind<'a> {
    /// Rights on resources.
    Resource(ResourceScope<'a>),
    /// Identity, refresh and launch scopes of SMART and OpenID Connect.
    Plain(NonResource),
    /// A full URI, or a name that starts with two underscores.
    Extension,
    /// Anything else that RFC 6749 allows: kept as it is, equal only to itself, and no right to any resource.
    Unknown,
}

impl ScopeKind<'_> {
    /// The same meaning, free of the text it was read from.
    ///
    /// ```
    /// use fhir_scopes::{Release, Scope, ScopeKind};
    /// let kind: ScopeKind<'static> = Scope::parse("__sync", Release::R4).unwrap().kind().clone().into_owned();
    /// assert_eq!(kind, ScopeKind::Extension);
    /// ```
    pub fn into_owned(self) -> ScopeKind<'static> {
        match self {
            Self::Resource(resource) => ScopeKind::Resource(resource.into_owned()),
            Self::Plain(plain) => ScopeKind::Plain(plain),
            Self::Extension => ScopeKind::Extension,
            Self::Unknown => ScopeKind::Unknown,
        }
    }
}

/// The scopes of SMART and OpenID Connect that are not about resource rights.
///
/// ```
/// use fhir_scopes::{NonResource, Release, ScopeSet};
/// let set = ScopeSet::parse("openid launch/patient", Release::R4).unwrap();
/// assert!(set.has(NonResource::OpenId));
/// assert!(set.has(NonResource::LAUNCH_PATIENT));
/// assert!(!set.has(NonResource::Launch));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NonResource {
    /// `openid`
    OpenId,
    /// `fhirUser`
    FhirUser,
    /// `profile`
    Profile,
    /// `email`
    Email,
    /// `offline_access`
    OfflineAccess,
    /// `online_access`
    OnlineAccess,
    /// `launch`
    Launch,
    /// `launch/patient` and the like, with or without a role.
    LaunchFor(ResourceType),
}

impl NonResource {
    /// `launch/patient`
    ///
    /// ```
    /// assert_eq!(fhir_scopes::NonResource::LAUNCH_PATIENT.to_string(), "launch/patient");
    /// ```
    pub const LAUNCH_PATIENT: Self = Self::LaunchFor(ResourceType::PATIENT);
    /// `launch/encounter`
    ///
    /// ```
    /// assert_eq!(fhir_scopes::NonResource::LAUNCH_ENCOUNTER.to_string(), "launch/encounter");
    /// ```
    pub const LAUNCH_ENCOUNTER: Self = Self::LaunchFor(ResourceType::ENCOUNTER);
}

impl fmt::Display for NonResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenId => "openid",
            Self::FhirUser => "fhirUser",
            Self::Profile => "profile",
            Self::Email => "email",
            Self::OfflineAccess => "offline_access",
            Self::OnlineAccess => "online_access",
            Self::Launch => "launch",
            Self::LaunchFor(context) => return write!(f, "launch/{}", context.name().to_ascii_lowercase()),
        })
    }
}

/// The spelling of the permission part.
///
/// ```
/// use fhir_scopes::{Dialect, Release, Scope};
/// let scope = Scope::parse("user/*.write", Release::R4).unwrap();
/// assert_eq!(scope.resource().unwrap().dialect, Dialect::V1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// `read`, `write`, `*`
    V1,
    /// Letters of `cruds`.
    V2,
}

/// The meaning of a resource scope. Taking these parts from each other is the source of most scope bugs: keep them together.
///
/// ```
/// use fhir_scopes::{Dialect, Level, Limit, Permissions, ResourceScope, TypeSelector};
/// let scope = ResourceScope {
///     level: Level::User,
///     types: TypeSelector::All,
///     permissions: Permissions::RS,
///     limit: Limit::NONE,
///     dialect: Dialect::V1,
/// };
/// assert_eq!(scope.to_string(), "user/*.read");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResourceScope<'a> {
    /// Whose data.
    pub level: Level,
    /// Which types.
    pub types: TypeSelector,
    /// Which letters.
    pub permissions: Permissions,
    /// Only resources that meet this search limit.
    pub limit: Limit<'a>,
    /// How the letters were spelled.
    pub dialect: Dialect,
}

impl<'a> ResourceScope<'a> {
    /// Whether this one scope permits all that the other permits.
    ///
    /// ```
    /// # use fhir_scopes::{Release, Scope};
    /// let all = Scope::parse("patient/*.rs", Release::R4).unwrap();
    /// let one = Scope::parse("patient/Observation.r?status=final", Release::R4).unwrap();
    /// assert!(all.resource().unwrap().covers(one.resource().unwrap()));
    /// ```
    pub fn covers(&self, other: &ResourceScope<'_>) -> bool {
        self.level == other.level
            && self.permissions.contains(other.permissions)
            && self.types.covers(other.types)
            && other.limit.implies(&self.limit)
    }

    /// The same scope, free of the text it was read from.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ResourceScope, Scope};
    /// let scope = Scope::parse("patient/Observation.rs?status=final", Release::R4).unwrap();
    /// let owned: ResourceScope<'static> = scope.resource().unwrap().clone().into_owned();
    /// assert_eq!(owned.to_string(), "patient/Observation.rs?status=final");
    /// ```
    pub fn into_owned(self) -> ResourceScope<'static> {
        ResourceScope {
            level: self.level,
            types: self.types,
            permissions: self.permissions,
            limit: self.limit.into_owned(),
            dialect: self.dialect,
        }
    }

    /// The same rights, spelled with letters.
    pub(crate) fn in_v2(&self) -> Self {
        Self { dialect: Dialect::V2, ..self.clone() }
    }

    /// The v1 word with exactly these rights, if there is one.
    pub(crate) fn v1_word(&self) -> Option<&'static str> {
        if self.limit.is_none() { self.permissions.v1_word() } else { None }
    }

    pub(crate) fn key(&self) -> (Level, TypeSelector, &Limit<'a>) {
        (self.level, self.types, &self.limit)
    }
}

impl fmt::Display for ResourceScope<'_> {
    /// In its own dialect where that is exact, else in v2.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}.", self.level, self.types)?;
        match self.v1_word() {
            Some(word) if self.dialect == Dialect::V1 => f.write_str(word),
            _ => write!(f, "{}", self.permissions),
        }?;
        if self.limit.is_none() { Ok(()) } else { write!(f, "?{}", self.limit) }
    }
}

impl<'a> Scope<'a> {
    /// Reads one token. Both SMART URI spellings are read like the short form.
    ///
    /// ```
    /// use fhir_scopes::{Release, Scope};
    /// assert!(Scope::parse("system/*.rs", Release::R4).is_ok());
    /// assert!(Scope::parse("system/*.sr", Release::R4).is_err());
    /// let spelled_out = Scope::parse("http://smarthealthit.org/fhir/scopes/system/*.rs", Release::R4).unwrap();
    /// assert_eq!(spelled_out.canonical(), "system/*.rs");
    /// ```
    pub fn parse(token: &'a str, release: Release) -> Result<Self, ParseError> {
        Ok(Self { kind: grammar::parse(token, release)?, literal: Cow::Borrowed(token) })
    }

    /// The token as it was asked.
    ///
    /// ```
    /// # use fhir_scopes::{Release, Scope};
    /// assert_eq!(Scope::parse("user/*.read", Release::R4).unwrap().literal(), "user/*.read");
    /// ```
    pub fn literal(&self) -> &str {
        &self.literal
    }

    /// What the scope is about.
    ///
    /// ```
    /// # use fhir_scopes::{Release, Scope, ScopeKind};
    /// assert_eq!(*Scope::parse("__sync", Release::R4).unwrap().kind(), ScopeKind::Extension);
    /// ```
    pub fn kind(&self) -> &ScopeKind<'a> {
        &self.kind
    }

    /// The rights on resources, if it is about them.
    ///
    /// ```
    /// # use fhir_scopes::{Release, Scope};
    /// assert!(Scope::parse("openid", Release::R4).unwrap().resource().is_none());
    /// ```
    pub fn resource(&self) -> Option<&ResourceScope<'a>> {
        match &self.kind {
            ScopeKind::Resource(resource) => Some(resource),
            ScopeKind::Plain(_) | ScopeKind::Extension | ScopeKind::Unknown => None,
        }
    }

    /// The role asked for in `launch/<type>?role=<role>`.
    ///
    /// ```
    /// # use fhir_scopes::{Release, Scope};
    /// let scope = Scope::parse("launch/relatedperson?role=friend", Release::R4).unwrap();
    /// assert_eq!(scope.launch_role(), Some("friend"));
    /// ```
    pub fn launch_role(&self) -> Option<&str> {
        match self.kind {
            ScopeKind::Plain(NonResource::LaunchFor(_)) => self.literal.split_once("?role=").map(|(_, role)| role),
            _ => None,
        }
    }

    /// The role asked for, other than `launch`: that one is meant where none is named (SMART 2.2 "launch context with roles").
    ///
    /// ```
    /// # use fhir_scopes::{Release, Scope};
    /// assert_eq!(Scope::parse("launch/patient?role=launch", Release::R4).unwrap().own_role(), None);
    /// assert_eq!(Scope::parse("launch/patient?role=urn:x", Release::R4).unwrap().own_role(), Some("urn:x"));
    /// ```
    pub fn own_role(&self) -> Option<&str> {
        self.launch_role().filter(|role| *role != "launch")
    }

    /// The canonical text: v1 told as v2, limits sorted and in canonical encoding, no URI prefix.
    ///
    /// ```
    /// # use fhir_scopes::{Release, Scope};
    /// let scope = Scope::parse("patient/Observation.rs?code=x&category=b,a", Release::R4).unwrap();
    /// assert_eq!(scope.canonical(), "patient/Observation.rs?category=a,b&code=x");
    /// ```
    pub fn canonical(&self) -> String {
        match &self.kind {
            ScopeKind::Resource(resource) => resource.in_v2().to_string(),
            ScopeKind::Plain(plain) => match self.own_role() {
                Some(role) => format!("{plain}?role={role}"),
                None => plain.to_string(),
            },
            ScopeKind::Extension | ScopeKind::Unknown => self.literal.to_string(),
        }
    }

    /// Whether two scopes that are not about resources ask for the same.
    pub(crate) fn same_plain(&self, other: &Scope<'_>) -> bool {
        match (&self.kind, &other.kind) {
            (ScopeKind::Plain(own), ScopeKind::Plain(others)) => own == others && self.own_role() == other.own_role(),
            (ScopeKind::Extension, ScopeKind::Extension) | (ScopeKind::Unknown, ScopeKind::Unknown) => {
                self.literal == other.literal
            }
            _ => false,
        }
    }

    /// The same scope, free of the text it was read from.
    ///
    /// ```
    /// # use fhir_scopes::{Release, Scope};
    /// let owned: Scope<'static> = Scope::parse(&String::from("openid"), Release::R4).unwrap().into_owned();
    /// assert_eq!(owned.literal(), "openid");
    /// ```
    pub fn into_owned(self) -> Scope<'static> {
        Scope { literal: Cow::Owned(self.literal.into_owned()), kind: self.kind.into_owned() }
    }

    /// The URI spelling: SMART's prefix, or that of OpenID Connect for its scopes. Extensions and unknown tokens have none.
    ///
    /// ```
    /// # use fhir_scopes::{Release, Scope};
    /// let scope = Scope::parse("patient/*.r", Release::R4).unwrap();
    /// assert_eq!(scope.to_uri().unwrap(), "http://smarthealthit.org/fhir/scopes/patient/*.r");
    /// ```
    pub fn to_uri(&self) -> Option<String> {
        uri::spell(self)
    }

    /// The scope with letters in place of a v1 word; anything else as it is.
    ///
    /// ```
    /// # use fhir_scopes::{Release, Scope};
    /// let scope = Scope::parse("user/*.*", Release::R4).unwrap();
    /// assert_eq!(scope.to_v2().literal(), "user/*.cruds");
    /// ```
    #[must_use]
    pub fn to_v2(&self) -> Scope<'static> {
        match self.resource() {
            Some(resource) if resource.dialect == Dialect::V1 => Scope::from_resource(resource.in_v2()),
            _ => self.clone().into_owned(),
        }
    }

    /// The scope with a v1 word, if one means exactly the same. Never rounds up; scopes that are not about resources stay as they are.
    ///
    /// ```
    /// # use fhir_scopes::{Release, Scope};
    /// let v1 = |text| Scope::parse(text, Release::R4).unwrap().to_v1().map(|scope| scope.literal().to_string());
    /// assert_eq!(v1("patient/Observation.rs").as_deref(), Some("patient/Observation.read"));
    /// assert_eq!(v1("patient/Observation.cu"), None);
    /// ```
    pub fn to_v1(&self) -> Option<Scope<'static>> {
        let Some(resource) = self.resource() else { return Some(self.clone().into_owned()) };
        resource.v1_word()?;
        if resource.dialect == Dialect::V1 {
            return Some(self.clone().into_owned());
        }
        Some(Scope::from_resource(ResourceScope { dialect: Dialect::V1, ..resource.clone() }))
    }

    /// A scope from its parts, spelled in its dialect where that is exact.
    ///
    /// ```
    /// use fhir_scopes::{Dialect, Level, Limit, Permissions, ResourceScope, Scope, TypeSelector};
    /// let parts = ResourceScope {
    ///     level: Level::System,
    ///     types: TypeSelector::All,
    ///     permissions: Permissions::RS,
    ///     limit: Limit::NONE,
    ///     dialect: Dialect::V2,
    /// };
    /// assert_eq!(Scope::from_resource(parts).literal(), "system/*.rs");
    /// ```
    pub fn from_resource(resource: ResourceScope<'_>) -> Scope<'static> {
        let mut resource = resource.into_owned();
        if resource.v1_word().is_none() {
            resource.dialect = Dialect::V2;
        }
        Scope { literal: Cow::Owned(resource.to_string()), kind: ScopeKind::Resource(resource) }
    }
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.literal)
    }
}
