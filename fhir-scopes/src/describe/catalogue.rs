//! Resource types and known limits with plain names, for forms and consent screens.

use super::Lang;
use super::names::{CATEGORIES, LIMITS, NAMES};
use crate::{Limit, Release, ResourceType, TypeSelector};

/// What kind of record a resource type is.
///
/// ```
/// use fhir_scopes::describe::{Category, Lang};
/// assert_eq!(Category::Medications.key(), "medications");
/// assert_eq!(Category::Medications.title(Lang::Nl), "Medicijnen en vaccinaties");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Category {
    /// Health problems and care given.
    Clinical,
    /// Medicines and vaccinations.
    Medications,
    /// Tests, measurements and images.
    Diagnostics,
    /// Documents and attachments.
    Documents,
    /// Care plans and care team.
    CarePlanning,
    /// Devices and aids.
    Devices,
    /// People.
    People,
    /// Visits, appointments and organisations.
    Admin,
    /// Orders, tasks and messages.
    Workflow,
    /// Insurance and payment.
    Billing,
    /// Consent, logging and origin of data.
    Security,
    /// Research.
    Research,
    /// Quality and testing.
    Quality,
    /// Definitions and code lists, no personal data.
    Definitions,
    /// Product information, no personal data.
    ProductDefinitions,
    /// Technical records.
    System,
}

impl Category {
    /// A stable key for pages and tests.
    ///
    /// ```
    /// assert_eq!(fhir_scopes::describe::Category::CarePlanning.key(), "care-planning");
    /// ```
    pub fn key(self) -> &'static str {
        self.entry().map_or("", |entry| entry.1)
    }

    /// The heading.
    ///
    /// ```
    /// use fhir_scopes::describe::{Category, Lang};
    /// assert_eq!(Category::People.title(Lang::En), "People");
    /// ```
    pub fn title(self, lang: Lang) -> &'static str {
        self.entry().map_or("", |entry| lang.pick(entry.2, entry.3))
    }

    /// Every category, in the order of the headings.
    ///
    /// ```
    /// assert_eq!(fhir_scopes::describe::Category::all().count(), 16);
    /// ```
    pub fn all() -> impl Iterator<Item = Self> {
        CATEGORIES.iter().map(|entry| entry.0)
    }

    fn entry(self) -> Option<&'static (Self, &'static str, &'static str, &'static str)> {
        CATEGORIES.iter().find(|entry| entry.0 == self)
    }
}

/// A resource type with its words.
///
/// ```
/// use fhir_scopes::describe::{Lang, about};
/// use fhir_scopes::ResourceType;
/// let observation = about(ResourceType::OBSERVATION);
/// assert_eq!(observation.name(Lang::Nl), "Metingen en labuitslagen");
/// assert_eq!(observation.sensitivity, 3);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CatalogueEntry {
    /// The type.
    pub resource_type: ResourceType,
    /// Under which heading.
    pub category: Category,
    /// 0 no personal data, 1 organisations and staff, 2 personal details, 3 health data, 4 extra sensitive.
    pub sensitivity: u8,
    en: &'static str,
    nl: &'static str,
}

impl CatalogueEntry {
    /// The plain name, in the plural, with a capital.
    ///
    /// ```
    /// use fhir_scopes::describe::{Lang, about};
    /// assert_eq!(about(fhir_scopes::ResourceType::ENCOUNTER).name(Lang::En), "Visits and hospital stays");
    /// ```
    pub fn name(&self, lang: Lang) -> &'static str {
        lang.pick(self.en, self.nl)
    }
}

/// The words of one resource type. A type without words of its own is an extra sensitive technical record.
///
/// ```
/// use fhir_scopes::describe::{Category, about};
/// assert_eq!(about(fhir_scopes::ResourceType::PATIENT).category, Category::People);
/// ```
pub fn about(resource_type: ResourceType) -> CatalogueEntry {
    let found = NAMES.binary_search_by(|entry| entry.0.cmp(resource_type.name())).ok().and_then(|at| NAMES.get(at));
    match found {
        Some(&(_, en, nl, category, sensitivity)) => CatalogueEntry { resource_type, category, sensitivity, en, nl },
        None => CatalogueEntry {
            resource_type,
            category: Category::System,
            sensitivity: 4,
            en: resource_type.name(),
            nl: resource_type.name(),
        },
    }
}

/// Every resource type of a release with its words, sorted by type name.
///
/// ```
/// use fhir_scopes::describe::{Category, catalogue};
/// use fhir_scopes::Release;
/// let medicines = catalogue(Release::R4).filter(|entry| entry.category == Category::Medications);
/// assert!(medicines.count() > 5);
/// ```
pub fn catalogue(release: Release) -> impl Iterator<Item = CatalogueEntry> {
    ResourceType::all(release).map(about)
}

/// A limit that people know by a name, such as lab results: a narrower slice to offer in place of a whole type.
///
/// ```
/// use fhir_scopes::describe::{Lang, known_limits};
/// use fhir_scopes::ResourceType;
/// let lab = known_limits(ResourceType::OBSERVATION).next().unwrap();
/// assert_eq!(lab.name(Lang::En), "Lab results");
/// assert_eq!(lab.query, "category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownLimit {
    pub(super) type_name: &'static str,
    /// The limit as it stands after the question mark of a scope.
    pub query: &'static str,
    pub(super) en: &'static str,
    pub(super) nl: &'static str,
    /// As in [`CatalogueEntry::sensitivity`].
    pub sensitivity: u8,
    /// Whether US Core tells servers to offer it (SHALL or SHOULD).
    pub us_core: bool,
}

impl KnownLimit {
    /// The plain name of what the limit leaves.
    ///
    /// ```
    /// use fhir_scopes::describe::{Lang, known_limits};
    /// use fhir_scopes::{Release, ResourceType};
    /// let condition = ResourceType::parse("Condition", Release::R4).unwrap();
    /// assert!(known_limits(condition).any(|limit| limit.name(Lang::Nl) == "Problemenlijst"));
    /// ```
    pub fn name(&self, lang: Lang) -> &'static str {
        lang.pick(self.en, self.nl)
    }

    /// The limit itself.
    ///
    /// ```
    /// use fhir_scopes::describe::known_limits;
    /// use fhir_scopes::{Release, ResourceType};
    /// let lab = known_limits(ResourceType::OBSERVATION).next().unwrap();
    /// assert_eq!(lab.limit(Release::R4).unwrap().to_string(), lab.query);
    /// ```
    pub fn limit(&self, release: Release) -> Option<Limit<'static>> {
        Limit::parse(self.query, TypeSelector::One(ResourceType::parse_any(self.type_name)?), release).ok()
    }
}

/// The limits with a name on a resource type, those of US Core first.
///
/// ```
/// use fhir_scopes::describe::known_limits;
/// assert_eq!(known_limits(fhir_scopes::ResourceType::OBSERVATION).filter(|limit| limit.us_core).count(), 5);
/// assert_eq!(known_limits(fhir_scopes::ResourceType::PATIENT).count(), 0);
/// ```
pub fn known_limits(resource_type: ResourceType) -> impl Iterator<Item = &'static KnownLimit> {
    LIMITS.iter().filter(move |limit| limit.type_name == resource_type.name())
}
