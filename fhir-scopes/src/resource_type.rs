//! The registry of resource types: a name becomes one byte.

use core::fmt;
use core::num::NonZeroU8;

use crate::names;
use crate::tables::TYPES;

/// A version of FHIR whose resource types and search parameters this crate knows.
///
/// ```
/// use fhir_scopes::{Release, ResourceType};
/// assert!(ResourceType::parse("SubscriptionTopic", Release::R4).is_none());
/// assert!(ResourceType::parse("SubscriptionTopic", Release::R4B).is_some());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Release {
    /// FHIR 4.0.1.
    #[default]
    R4,
    /// FHIR 4.3.0.
    R4B,
    /// FHIR 5.0.0.
    R5,
}

impl Release {
    /// Every release, oldest first.
    ///
    /// ```
    /// assert_eq!(fhir_scopes::Release::ALL[0], fhir_scopes::Release::R4);
    /// ```
    pub const ALL: [Self; 3] = [Self::R4, Self::R4B, Self::R5];

    const fn bit(self) -> u8 {
        match self {
            Self::R4 => 1,
            Self::R4B => 2,
            Self::R5 => 4,
        }
    }

    /// The lower-case name: `r4`, `r4b`, `r5`.
    ///
    /// ```
    /// assert_eq!(fhir_scopes::Release::R4B.as_str(), "r4b");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::R4 => "r4",
            Self::R4B => "r4b",
            Self::R5 => "r5",
        }
    }
}

/// A concrete FHIR resource type, interned.
///
/// Abstract types (`Resource`, `DomainResource`) are no resource types here: no scope can name them.
///
/// ```
/// use fhir_scopes::{Release, ResourceType};
/// let observation = ResourceType::parse("Observation", Release::R4).unwrap();
/// assert_eq!(observation.name(), "Observation");
/// assert!(ResourceType::parse("observation", Release::R4).is_none()); // case-sensitive
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceType(
    /// The place in the table and one more, so that a selector of types is a single byte.
    NonZeroU8,
);

const SLOTS: usize = 1024;
const FREE: u8 = 0;

/// Open addressing over a cheap hash of the name, laid out when the crate is compiled.
static INDEX: [u8; SLOTS] = index(false);
/// The same over names in lower case, for launch scopes.
static LOWER_CASE_INDEX: [u8; SLOTS] = index(true);

const fn slot(name: &[u8], lower_case: bool) -> usize {
    if lower_case { names::slot_of_letters(name, SLOTS) } else { names::slot(name, SLOTS) }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "the table holds fewer than 255 types, checked here at compile time"
)]
const fn index(lower_case: bool) -> [u8; SLOTS] {
    assert!(TYPES.len() < u8::MAX as usize);
    let mut slots = [FREE; SLOTS];
    let mut i = 0;
    while i < TYPES.len() {
        let mut at = slot(TYPES[i].0.as_bytes(), lower_case);
        while slots[at] != FREE {
            at = (at + 1) % SLOTS;
        }
        slots[at] = i as u8 + 1;
        i += 1;
    }
    slots
}

/// The type in whose slot chain `fits` says yes.
fn find(slots: &[u8; SLOTS], first: usize, fits: impl Fn(&str) -> bool) -> Option<ResourceType> {
    let mut at = first;
    loop {
        let found = ResourceType(NonZeroU8::new(slots[at % SLOTS])?);
        if fits(found.name()) {
            return Some(found);
        }
        at += 1;
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the table holds fewer than 255 types")]
const fn known(name: &str) -> ResourceType {
    let mut i = 0;
    while i < TYPES.len() {
        if equal(TYPES[i].0.as_bytes(), name.as_bytes())
            && let Some(place) = NonZeroU8::new(i as u8 + 1)
        {
            return ResourceType(place);
        }
        i += 1;
    }
    panic!("a type named in this crate is in the table")
}

const fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

impl ResourceType {
    /// `Patient`.
    pub const PATIENT: Self = known("Patient");
    /// `Encounter`.
    pub const ENCOUNTER: Self = known("Encounter");
    /// `Group`.
    pub const GROUP: Self = known("Group");
    /// `Observation`.
    pub const OBSERVATION: Self = known("Observation");

    /// Finds a type by its exact name among the types of a release.
    ///
    /// ```
    /// use fhir_scopes::{Release, ResourceType};
    /// assert!(ResourceType::parse("DocumentManifest", Release::R4).is_some());
    /// assert!(ResourceType::parse("DocumentManifest", Release::R5).is_none());
    /// assert!(ResourceType::parse("Resource", Release::R4).is_none());
    /// ```
    pub fn parse(name: &str, release: Release) -> Option<Self> {
        Self::parse_any(name).filter(|found| found.is_in(release))
    }

    /// Finds a type by its exact name in any release.
    ///
    /// ```
    /// assert!(fhir_scopes::ResourceType::parse_any("DeviceAssociation").is_some());
    /// ```
    pub fn parse_any(name: &str) -> Option<Self> {
        if name.is_empty() || name.len() > 40 {
            return None;
        }
        find(&INDEX, slot(name.as_bytes(), false), |known| known == name)
    }

    /// Finds the type that a launch scope names in lower case (`launch/imagingstudy`).
    ///
    /// ```
    /// use fhir_scopes::{Release, ResourceType};
    /// assert_eq!(ResourceType::parse_lower_case("patient", Release::R4), Some(ResourceType::PATIENT));
    /// assert_eq!(ResourceType::parse_lower_case("Patient", Release::R4), None);
    /// ```
    pub fn parse_lower_case(name: &str, release: Release) -> Option<Self> {
        if name.is_empty() || name.len() > 40 || name.bytes().any(|byte| !byte.is_ascii_lowercase()) {
            return None;
        }
        find(&LOWER_CASE_INDEX, slot(name.as_bytes(), true), |known| known.eq_ignore_ascii_case(name))
            .filter(|found| found.is_in(release))
    }

    /// The name as FHIR writes it.
    ///
    /// ```
    /// assert_eq!(fhir_scopes::ResourceType::PATIENT.name(), "Patient");
    /// ```
    pub fn name(self) -> &'static str {
        TYPES[self.index()].0
    }

    /// Whether a release defines the type.
    ///
    /// ```
    /// use fhir_scopes::{Release, ResourceType};
    /// assert!(ResourceType::PATIENT.is_in(Release::R5));
    /// ```
    pub fn is_in(self, release: Release) -> bool {
        TYPES[self.index()].1 & release.bit() != 0
    }

    /// Every type of a release, sorted by name.
    ///
    /// ```
    /// use fhir_scopes::{Release, ResourceType};
    /// assert_eq!(ResourceType::all(Release::R4).count(), 146);
    /// ```
    pub fn all(release: Release) -> impl Iterator<Item = Self> {
        Self::every().filter(move |candidate| candidate.is_in(release))
    }

    /// Every type of every release, sorted by name.
    ///
    /// ```
    /// assert!(fhir_scopes::ResourceType::every().count() > 146);
    /// ```
    pub fn every() -> impl Iterator<Item = Self> {
        (0..u8::MAX).map_while(Self::from_index)
    }

    pub(crate) fn from_index(place: u8) -> Option<Self> {
        if usize::from(place) < TYPES.len() { NonZeroU8::new(place + 1).map(Self) } else { None }
    }

    /// The place in the table, for arrays indexed by type.
    ///
    /// ```
    /// use fhir_scopes::ResourceType;
    /// assert!(ResourceType::PATIENT.index() < ResourceType::every().count());
    /// ```
    pub fn index(self) -> usize {
        usize::from(self.0.get()) - 1
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of types, in the order of the table.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TypeSet([u64; 4]);

impl TypeSet {
    /// Whether it was not there before.
    pub(crate) fn insert(&mut self, one: ResourceType) -> bool {
        let (word, bit) = (&mut self.0[one.index() / 64], 1 << (one.index() % 64));
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = ResourceType> {
        self.0.into_iter().zip([0_u8, 64, 128, 192]).flat_map(|(mut word, start)| {
            core::iter::from_fn(move || {
                let lowest = u8::try_from(word.trailing_zeros()).ok().filter(|bit| *bit < 64)?;
                word &= word - 1;
                ResourceType::from_index(start + lowest)
            })
        })
    }
}

impl FromIterator<ResourceType> for TypeSet {
    fn from_iter<I: IntoIterator<Item = ResourceType>>(types: I) -> Self {
        let mut set = Self::default();
        set.extend(types);
        set
    }
}

impl Extend<ResourceType> for TypeSet {
    fn extend<I: IntoIterator<Item = ResourceType>>(&mut self, types: I) {
        for one in types {
            self.insert(one);
        }
    }
}

/// Which types a scope is about: every one, also those added later, or a single one.
///
/// ```
/// use fhir_scopes::{ResourceType, TypeSelector};
/// let observation = TypeSelector::One(ResourceType::OBSERVATION);
/// assert!(TypeSelector::All.covers(observation));
/// assert!(!observation.covers(TypeSelector::All));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TypeSelector {
    /// `*`
    All,
    /// One type.
    One(ResourceType),
}

impl TypeSelector {
    /// Whether this selector holds every type of the other. No list of types covers `*`.
    ///
    /// ```
    /// use fhir_scopes::TypeSelector;
    /// assert!(TypeSelector::All.covers(TypeSelector::All));
    /// ```
    pub fn covers(self, other: Self) -> bool {
        self == Self::All || self == other
    }

    /// The types both selectors hold.
    ///
    /// ```
    /// use fhir_scopes::{ResourceType, TypeSelector};
    /// let patient = TypeSelector::One(ResourceType::PATIENT);
    /// assert_eq!(TypeSelector::All.intersect(patient), Some(patient));
    /// ```
    pub fn intersect(self, other: Self) -> Option<Self> {
        if self.covers(other) { Some(other) } else { other.covers(self).then_some(self) }
    }

    /// Whether the selector holds one given type.
    ///
    /// ```
    /// use fhir_scopes::{ResourceType, TypeSelector};
    /// assert!(TypeSelector::All.includes(ResourceType::PATIENT));
    /// ```
    pub fn includes(self, one: ResourceType) -> bool {
        self.covers(Self::One(one))
    }

    /// All in one byte: nothing for `*`.
    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::All => 0,
            Self::One(one) => one.0.get(),
        }
    }

    /// The text in a scope: `*` or the name.
    ///
    /// ```
    /// assert_eq!(fhir_scopes::TypeSelector::All.as_str(), "*");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "*",
            Self::One(one) => one.name(),
        }
    }
}

impl fmt::Display for TypeSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
