//! From planned HTTP requests to what must be asked for: the reading of [`crate::decide`] turned around.

mod links;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::compartment::{PatientClass, patient_class};
use crate::decide::Rule;
use crate::decide::operations::standard_rule;
use crate::decide::query::{is_meaningless_to_read, pairs};
use crate::route::{self, Interaction as Route, OperationTarget};
use crate::{
    Interaction, Level, Limit, Permissions, Release, RequestEntry, ResourceRequest, ResourceType, TypeSelector,
};

/// A planned request for which no scope can be asked.
///
/// ```
/// use fhir_scopes::{Level, Release, ResourceRequest, UnplannableKind};
/// let error = ResourceRequest::from_planned(Level::User, ["GET /Foo/1"], false, Release::R4).unwrap_err();
/// assert_eq!((error.request.as_str(), error.kind), ("GET /Foo/1", UnplannableKind::NoInteraction));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unplannable {
    /// The request as it was given.
    pub request: String,
    /// What is in the way.
    pub kind: UnplannableKind,
}

/// Why no scope can be asked for a request.
///
/// ```
/// assert_ne!(fhir_scopes::UnplannableKind::Bundle, fhir_scopes::UnplannableKind::Operation);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnplannableKind {
    /// It is no FHIR interaction that scopes can permit.
    NoInteraction,
    /// A batch or transaction: plan its entries.
    Bundle,
    /// There is no rule for the operation.
    Operation,
    /// Never permitted at this level: an export for a user, a new patient or a change of what patients share under a patient scope.
    Level,
    /// A search parameter that can reach anything, leads nowhere, or is refused where it stands.
    Parameter,
}

impl fmt::Display for Unplannable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.kind {
            UnplannableKind::NoInteraction => "no FHIR interaction that scopes can permit",
            UnplannableKind::Bundle => "a batch or transaction; plan its entries",
            UnplannableKind::Operation => "no rule for this operation",
            UnplannableKind::Level => "never permitted at this level",
            UnplannableKind::Parameter => "a search parameter that can reach anything, or leads nowhere",
        };
        write!(f, "{}: {why}", self.request)
    }
}

impl core::error::Error for Unplannable {}

impl ResourceRequest {
    /// What an app must ask for to make these requests, written as `GET /Observation?category=x`; a conditional create as
    /// `POST /Patient If-None-Exist: identifier=x`.
    ///
    /// With `granular`, a search by `category` asks only for that category. An `_include` needs `r` on what comes along, everything else that
    /// looks at another type needs `s` on it.
    ///
    /// ```
    /// use fhir_scopes::{Level, Release, ResourceRequest};
    /// let plan = ["GET /Patient/123", "GET /Condition?_revinclude=Provenance:target", "PUT /Goal/1"];
    /// let request = ResourceRequest::from_planned(Level::Patient, plan, false, Release::R4).unwrap();
    /// assert_eq!(request.to_scopes(Release::R4).to_string(), "patient/Condition.s patient/Goal.u patient/Patient.r patient/Provenance.s");
    ///
    /// let lab = ["GET /Observation?patient=123&category=laboratory"];
    /// let request = ResourceRequest::from_planned(Level::Patient, lab, true, Release::R4).unwrap();
    /// assert_eq!(request.to_scopes(Release::R4).to_string(), "patient/Observation.s?category=laboratory");
    /// ```
    pub fn from_planned<S: AsRef<str>>(
        level: Level,
        requests: impl IntoIterator<Item = S>,
        granular: bool,
        release: Release,
    ) -> Result<Self, Unplannable> {
        let mut plan = Plan { level, granular, release, entries: Vec::new() };
        for request in requests {
            let request = request.as_ref();
            plan.request(request).map_err(|kind| Unplannable { request: request.into(), kind })?;
        }
        Ok(Self { entries: plan.entries, ..Self::new(level) })
    }
}

struct Plan {
    level: Level,
    granular: bool,
    release: Release,
    entries: Vec<RequestEntry>,
}

type Planned = Result<(), UnplannableKind>;

impl Plan {
    fn request(&mut self, request: &str) -> Planned {
        let (line, header) = match request.split_once(" If-None-Exist:") {
            Some((line, query)) => (line, Some(query.trim())),
            None => (request, None),
        };
        let (method, target) = line.trim().split_once(' ').ok_or(UnplannableKind::NoInteraction)?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let route = route::read(method, path, query, self.release).map_err(|_| UnplannableKind::NoInteraction)?;
        match route {
            Route::Open => {}
            Route::Read { one, .. } => self.one(one, Interaction::Read)?,
            Route::VersionRead { one, .. } => self.one(one, Interaction::Vread)?,
            Route::InstanceHistory { one, .. } => self.one(one, Interaction::HistoryInstance)?,
            Route::TypeHistory { one } => {
                self.one(one, Interaction::HistoryType)?;
                self.links(Some(one), query)?;
            }
            Route::SystemHistory => self.across_types(Interaction::HistoryType, query)?,
            Route::Search { one } | Route::CompartmentSearch { one: Some(one), .. } => self.search(one, query)?,
            Route::SystemSearch | Route::CompartmentSearch { one: None, .. } => {
                self.across_types(Interaction::Search, query)?;
            }
            Route::Create { one } => match header {
                Some(condition) => self.conditional(one, Interaction::ConditionalCreate, condition)?,
                None => self.one(one, Interaction::Create)?,
            },
            Route::Update { one, .. } => self.one(one, Interaction::Update)?,
            Route::Patch { one, .. } => self.one(one, Interaction::Patch)?,
            // it could widen the deletion (`_cascade`)
            Route::Delete { .. } if is_meaningless_to_read(query) => return Err(UnplannableKind::Parameter),
            Route::Delete { one, .. } => self.one(one, Interaction::Delete)?,
            Route::ConditionalUpdate { one } | Route::ConditionalPatch { one } => {
                self.conditional(one, Interaction::ConditionalUpdate, query)?;
            }
            Route::ConditionalDelete { one } => self.conditional(one, Interaction::ConditionalDelete, query)?,
            Route::Bundle => return Err(UnplannableKind::Bundle),
            Route::Operation { name, on, .. } => self.operation(name, on, query)?,
        }
        Ok(())
    }

    fn one(&mut self, one: ResourceType, interaction: Interaction) -> Planned {
        self.reaches(one, interaction.permissions())?;
        self.entries.push(RequestEntry::new(TypeSelector::One(one), [interaction]));
        Ok(())
    }

    fn all(&mut self, interaction: Interaction) {
        self.entries.push(RequestEntry::new(TypeSelector::All, [interaction]));
    }

    fn letters(&mut self, types: TypeSelector, letters: Permissions) -> Planned {
        if let TypeSelector::One(one) = types {
            self.reaches(one, letters)?;
        }
        self.any_letters(types, letters);
        Ok(())
    }

    /// Whatever the letters reach.
    fn any_letters(&mut self, types: TypeSelector, letters: Permissions) {
        let single = [
            (Permissions::READ, Interaction::Read),
            (Permissions::SEARCH, Interaction::Search),
            (Permissions::CREATE, Interaction::Create),
            (Permissions::UPDATE, Interaction::Update),
            (Permissions::DELETE, Interaction::Delete),
        ];
        let interactions =
            single.into_iter().filter(|(letter, _)| letters.contains(*letter)).map(|(_, interaction)| interaction);
        self.entries.push(RequestEntry::new(types, interactions));
    }

    /// Whether each of the letters opens anything of the type at this level: a patient scope creates no patient, changes nothing that
    /// patients share, and sees nothing that may be anyone's. A build without the tables of the release cannot tell.
    fn reaches(&self, one: ResourceType, letters: Permissions) -> Planned {
        let class = patient_class(one, self.release);
        let opens = |letter| match class {
            PatientClass::Member => one != ResourceType::PATIENT || letter != Permissions::CREATE,
            PatientClass::ViaPatient => true,
            PatientClass::Shared => Permissions::RS.contains(letter),
            PatientClass::Withheld => letter == Permissions::READ && one.name() == "Binary",
        };
        let is_known = patient_class(ResourceType::PATIENT, self.release) == PatientClass::Member;
        if self.level != Level::Patient || !is_known || letters.letters().all(opens) {
            Ok(())
        } else {
            Err(UnplannableKind::Level)
        }
    }

    fn search(&mut self, one: ResourceType, query: &str) -> Planned {
        self.reaches(one, Permissions::SEARCH)?;
        let types = TypeSelector::One(one);
        let limit = if self.granular { self.category(types, query) } else { Limit::NONE };
        self.entries.push(RequestEntry::new(types, [Interaction::Search]).limited(limit));
        self.links(Some(one), query)
    }

    /// A condition may ask about other types only where the answer needs no narrowing, and brings nothing along.
    fn conditional(&mut self, one: ResourceType, interaction: Interaction, condition: &str) -> Planned {
        self.one(one, interaction)?;
        let known = self.entries.len();
        self.links(Some(one), condition)?;
        let beyond = self.entries.get(known..).unwrap_or_default();
        if links::brings_along(condition) {
            return Err(UnplannableKind::Parameter);
        }
        let is_shared = |entry: &RequestEntry| match entry.types {
            TypeSelector::One(one) => patient_class(one, self.release) == PatientClass::Shared,
            TypeSelector::All => false,
        };
        if self.level == Level::Patient && !beyond.iter().all(is_shared) { Err(UnplannableKind::Level) } else { Ok(()) }
    }

    /// The category limit of a search, if it has one that scopes can carry.
    fn category(&self, types: TypeSelector, query: &str) -> Limit<'static> {
        let clauses: Vec<&str> = query.split('&').filter(|pair| pair.starts_with("category=")).collect();
        if clauses.is_empty() {
            Limit::NONE
        } else {
            Limit::parse(&clauses.join("&"), types, self.release).map(Limit::into_owned).unwrap_or_default()
        }
    }

    /// On the types that `_type` names, or on all.
    fn across_types(&mut self, interaction: Interaction, query: &str) -> Planned {
        let named = self.named_types(query)?;
        if named.is_empty() {
            self.all(interaction);
        }
        for one in named {
            self.one(one, interaction)?;
        }
        self.links(None, query)
    }

    fn named_types(&self, query: &str) -> Result<Vec<ResourceType>, UnplannableKind> {
        let mut named = Vec::new();
        for pair in pairs([query, ""]) {
            let (name, value) = pair.ok_or(UnplannableKind::Parameter)?;
            if name == "_type" {
                for name in value.split(',') {
                    named.push(ResourceType::parse(name, self.release).ok_or(UnplannableKind::Parameter)?);
                }
            }
        }
        Ok(named)
    }

    fn operation(&mut self, name: &str, on: OperationTarget<'_>, query: &str) -> Planned {
        let types = on.one().map_or(TypeSelector::All, TypeSelector::One);
        let system_only = |plan: &Self| if plan.level == Level::Patient { Err(UnplannableKind::Level) } else { Ok(()) };
        match standard_rule(name, on) {
            Rule::Search => match on.one() {
                Some(one) => self.search(one, query)?,
                None => self.all(Interaction::Search),
            },
            Rule::Results(letters) | Rule::Instance(letters) => self.letters(types, letters)?,
            // one of the letters is enough, the first, whatever it reaches: nothing stored is shown
            Rule::AnyOf(letters) => self.any_letters(types, letters.letters().next().unwrap_or_default()),
            Rule::WholeType(letters) => {
                system_only(self)?;
                self.letters(types, letters)?;
            }
            Rule::AcrossPatients => {
                system_only(self)?;
                self.letters(types, Permissions::SEARCH)?;
            }
            Rule::Everything => {
                self.letters(types, Permissions::READ)?;
                self.each_named(query)?;
            }
            Rule::Document => {
                self.letters(types, Permissions::READ)?;
                self.all(Interaction::Read);
            }
            Rule::Export => {
                if self.level != Level::System {
                    return Err(UnplannableKind::Level);
                }
                if let Some(on) = on.one() {
                    self.letters(TypeSelector::One(ResourceType::PATIENT), Permissions::RS)?;
                    self.letters(TypeSelector::One(on), Permissions::RS)?;
                }
                self.each_named(query)?;
            }
            Rule::Scope(_) | Rule::Refuse => return Err(UnplannableKind::Operation),
        }
        Ok(())
    }

    /// `rs` on each type of `_type`, or on all.
    fn each_named(&mut self, query: &str) -> Planned {
        let named = self.named_types(query)?;
        if named.is_empty() {
            self.any_letters(TypeSelector::All, Permissions::RS);
        }
        for one in named {
            self.letters(TypeSelector::One(one), Permissions::RS)?;
        }
        Ok(())
    }
}
