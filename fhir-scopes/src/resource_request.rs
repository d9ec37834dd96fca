//! From "these resources and interactions, at this level" to the smallest scope set.

use alloc::vec::Vec;
use core::fmt;

use crate::{
    Dialect, Level, Limit, NonResource, Permissions, Release, ResourceScope, Scope, ScopeKind, ScopeSet, TypeSelector,
};

/// A FHIR interaction on a resource type.
///
/// ```
/// use fhir_scopes::{Interaction, Permissions};
/// assert_eq!(Interaction::Vread.permissions(), Permissions::READ);
/// assert_eq!(Interaction::HistoryType.permissions(), Permissions::SEARCH);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Interaction {
    /// Read one resource by its id.
    Read,
    /// Read one version of a resource.
    Vread,
    /// The history of one resource.
    HistoryInstance,
    /// The history of a whole type.
    HistoryType,
    /// Search a type.
    #[cfg_attr(feature = "serde", serde(alias = "search-type"))]
    Search,
    /// Add a resource.
    Create,
    /// Add a resource unless a search finds one.
    ConditionalCreate,
    /// Replace a resource, or create it under a chosen id.
    Update,
    /// Change parts of a resource.
    Patch,
    /// Update or patch what a search finds.
    ConditionalUpdate,
    /// Delete a resource.
    Delete,
    /// Delete what a search finds.
    ConditionalDelete,
}

impl Interaction {
    /// Every interaction.
    ///
    /// ```
    /// assert_eq!(fhir_scopes::Interaction::ALL.len(), 12);
    /// ```
    pub const ALL: [Self; 12] = [
        Self::Read,
        Self::Vread,
        Self::HistoryInstance,
        Self::HistoryType,
        Self::Search,
        Self::Create,
        Self::ConditionalCreate,
        Self::Update,
        Self::Patch,
        Self::ConditionalUpdate,
        Self::Delete,
        Self::ConditionalDelete,
    ];

    /// The letters it needs. Conditional forms also need `s`: their answer tells what a search would find.
    ///
    /// ```
    /// use fhir_scopes::{Interaction, Permissions};
    /// assert_eq!(Interaction::ConditionalCreate.permissions(), Permissions::CREATE | Permissions::SEARCH);
    /// ```
    pub fn permissions(self) -> Permissions {
        match self {
            Self::Read | Self::Vread | Self::HistoryInstance => Permissions::READ,
            Self::HistoryType | Self::Search => Permissions::SEARCH,
            Self::Create => Permissions::CREATE,
            Self::ConditionalCreate => Permissions::CREATE | Permissions::SEARCH,
            Self::Update | Self::Patch => Permissions::UPDATE,
            Self::ConditionalUpdate => Permissions::UPDATE | Permissions::SEARCH,
            Self::Delete => Permissions::DELETE,
            Self::ConditionalDelete => Permissions::DELETE | Permissions::SEARCH,
        }
    }

    /// The name in kebab case, for forms.
    ///
    /// ```
    /// assert_eq!(fhir_scopes::Interaction::HistoryType.as_str(), "history-type");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Vread => "vread",
            Self::HistoryInstance => "history-instance",
            Self::HistoryType => "history-type",
            Self::Search => "search",
            Self::Create => "create",
            Self::ConditionalCreate => "conditional-create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::ConditionalUpdate => "conditional-update",
            Self::Delete => "delete",
            Self::ConditionalDelete => "conditional-delete",
        }
    }

    /// Finds an interaction by the name that forms and FHIR's CapabilityStatement use.
    ///
    /// ```
    /// use fhir_scopes::Interaction;
    /// assert_eq!(Interaction::from_name("search-type"), Some(Interaction::Search));
    /// assert_eq!(Interaction::from_name("everything"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "search-type" {
            return Some(Self::Search);
        }
        Self::ALL.into_iter().find(|interaction| interaction.as_str() == name)
    }
}

impl fmt::Display for Interaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Interactions on a resource type, possibly on a slice of it.
///
/// ```
/// use fhir_scopes::{Interaction, RequestEntry, ResourceType, TypeSelector};
/// let entry = RequestEntry::new(TypeSelector::One(ResourceType::OBSERVATION), [Interaction::Read, Interaction::Search]);
/// assert_eq!(entry.permissions().to_string(), "rs");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestEntry {
    /// Which type.
    pub types: TypeSelector,
    /// What to do with it.
    pub interactions: Vec<Interaction>,
    /// Only with resources that meet this.
    pub limit: Limit<'static>,
}

impl RequestEntry {
    /// An entry without a limit.
    ///
    /// ```
    /// use fhir_scopes::{Interaction, RequestEntry, TypeSelector};
    /// assert!(RequestEntry::new(TypeSelector::All, [Interaction::Read]).limit.is_none());
    /// ```
    pub fn new(types: TypeSelector, interactions: impl IntoIterator<Item = Interaction>) -> Self {
        Self { types, interactions: interactions.into_iter().collect(), limit: Limit::NONE }
    }

    /// The same with a limit.
    ///
    /// ```
    /// use fhir_scopes::{Interaction, Limit, Release, RequestEntry, ResourceType, TypeSelector};
    /// let types = TypeSelector::One(ResourceType::OBSERVATION);
    /// let limit = Limit::parse("status=final", types, Release::R4).unwrap();
    /// assert_eq!(RequestEntry::new(types, [Interaction::Read]).limited(limit).limit.to_string(), "status=final");
    /// ```
    #[must_use]
    pub fn limited(self, limit: Limit<'static>) -> Self {
        Self { limit, ..self }
    }

    /// The letters all interactions need.
    ///
    /// ```
    /// use fhir_scopes::{Interaction, RequestEntry, TypeSelector};
    /// assert_eq!(RequestEntry::new(TypeSelector::All, [Interaction::Patch]).permissions().to_string(), "u");
    /// ```
    pub fn permissions(&self) -> Permissions {
        self.interactions.iter().fold(Permissions::NONE, |all, interaction| all | interaction.permissions())
    }
}

/// What an app needs, in FHIR's own terms.
///
/// ```
/// use fhir_scopes::{Interaction, Level, Release, RequestEntry, ResourceRequest, ResourceType, TypeSelector};
/// let observation = TypeSelector::One(ResourceType::OBSERVATION);
/// let mut request = ResourceRequest::new(Level::Patient);
/// request.entries.push(RequestEntry::new(observation, [Interaction::Read, Interaction::Search]));
/// request.launch_patient = true;
/// request.offline = true;
/// assert_eq!(request.to_scopes(Release::R4).to_string(), "launch/patient offline_access patient/Observation.rs");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a tick on a form, and they are independent")]
pub struct ResourceRequest {
    /// Whose data.
    pub level: Level,
    /// Which resources and interactions.
    pub entries: Vec<RequestEntry>,
    /// Started from within the record system (`launch`).
    pub launch: bool,
    /// A patient is to be selected (`launch/patient`).
    pub launch_patient: bool,
    /// The user signs in and the app learns who it is (`openid fhirUser`).
    pub sign_in: bool,
    /// Access goes on when nobody is there (`offline_access`).
    pub offline: bool,
    /// Access goes on while the user stays signed in (`online_access`).
    pub online: bool,
}

impl ResourceRequest {
    /// A request for nothing yet.
    ///
    /// ```
    /// use fhir_scopes::{Level, Release, ResourceRequest};
    /// assert!(ResourceRequest::new(Level::User).to_scopes(Release::R4).is_empty());
    /// ```
    pub fn new(level: Level) -> Self {
        Self {
            level,
            entries: Vec::new(),
            launch: false,
            launch_patient: false,
            sign_in: false,
            offline: false,
            online: false,
        }
    }

    /// The smallest scope set for all of it, in normal form. A list of alternatives in a limit becomes one scope for each, the form that
    /// servers publish.
    ///
    /// ```
    /// use fhir_scopes::{Interaction, Level, Limit, Release, RequestEntry, ResourceRequest, ResourceType, TypeSelector};
    /// let types = TypeSelector::One(ResourceType::OBSERVATION);
    /// let limit = Limit::parse("category=a,b", types, Release::R4).unwrap();
    /// let mut request = ResourceRequest::new(Level::User);
    /// request.entries.push(RequestEntry::new(types, [Interaction::Search]).limited(limit));
    /// assert_eq!(request.to_scopes(Release::R4).to_string(), "user/Observation.s?category=a user/Observation.s?category=b");
    /// ```
    pub fn to_scopes(&self, release: Release) -> ScopeSet {
        let mut scopes = Vec::new();
        for entry in self.entries.iter().filter(|entry| !entry.permissions().is_empty()) {
            for limit in entry.limit.split() {
                scopes.push(Scope::from_resource(ResourceScope {
                    level: self.level,
                    types: entry.types,
                    permissions: entry.permissions(),
                    limit,
                    dialect: Dialect::V2,
                }));
            }
        }
        let plain = [
            (self.launch, NonResource::Launch),
            (self.launch_patient, NonResource::LAUNCH_PATIENT),
            (self.sign_in, NonResource::OpenId),
            (self.sign_in, NonResource::FhirUser),
            (self.offline, NonResource::OfflineAccess),
            (self.online, NonResource::OnlineAccess),
        ];
        scopes.extend(plain.into_iter().filter(|(asked, _)| *asked).map(|(_, plain)| Scope::from_plain(plain)));
        ScopeSet::from_scopes(scopes, release).normalized()
    }
}

impl Scope<'_> {
    /// A scope that is not about resources, from its meaning.
    ///
    /// ```
    /// use fhir_scopes::{NonResource, Scope};
    /// assert_eq!(Scope::from_plain(NonResource::LAUNCH_PATIENT).literal(), "launch/patient");
    /// ```
    pub fn from_plain(plain: NonResource) -> Scope<'static> {
        Scope { literal: alloc::string::ToString::to_string(&plain).into(), kind: ScopeKind::Plain(plain) }
    }
}

impl<'a> Limit<'a> {
    /// The limits that together mean the same, if one clause has alternatives: one for each of them. Else the limit itself.
    ///
    /// ```
    /// use fhir_scopes::{Limit, Release, ResourceType, TypeSelector};
    /// let limit = Limit::parse("category=a,b&status=final", TypeSelector::One(ResourceType::OBSERVATION), Release::R4).unwrap();
    /// let parts: Vec<String> = limit.split().iter().map(ToString::to_string).collect();
    /// assert_eq!(parts, ["category=a&status=final", "category=b&status=final"]);
    /// ```
    pub fn split(&self) -> Vec<Limit<'a>> {
        let mut lists = self.clauses().iter().enumerate().filter(|(_, clause)| clause.alternatives().len() > 1);
        match (lists.next(), lists.next()) {
            (Some((at, clause)), None) => {
                clause.alternatives().iter().map(|alternative| self.with_alternative(at, alternative)).collect()
            }
            _ => [self.clone()].into(),
        }
    }
}
