//! From planned HTTP requests to what must be asked for: the reading of [`crate::decide`] turned around.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::decide::Rule;
use crate::decide::operations::standard_rule;
use crate::decide::query::pairs;
use crate::route::{self, Interaction as Route, OperationTarget};
use crate::{
    Interaction, Level, Limit, Permissions, Release, RequestEntry, ResourceRequest, ResourceType, TypeSelector, tables,
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
    /// The operation is never permitted at this level.
    Level,
    /// A search parameter that can reach anything, or leads nowhere.
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
            Route::Read { one, .. } => self.one(one, [Interaction::Read]),
            Route::VersionRead { one, .. } => self.one(one, [Interaction::Vread]),
            Route::InstanceHistory { one, .. } => self.one(one, [Interaction::HistoryInstance]),
            Route::TypeHistory { one } => self.one(one, [Interaction::HistoryType]),
            Route::SystemHistory => self.all([Interaction::HistoryType]),
            Route::Search { one } | Route::CompartmentSearch { one: Some(one), .. } => self.search(one, query)?,
            Route::SystemSearch | Route::CompartmentSearch { one: None, .. } => self.system_search(query)?,
            Route::Create { one } => match header {
                Some(condition) => {
                    self.one(one, [Interaction::ConditionalCreate]);
                    self.links(Some(one), condition)?;
                }
                None => self.one(one, [Interaction::Create]),
            },
            Route::Update { one, .. } => self.one(one, [Interaction::Update]),
            Route::Patch { one, .. } => self.one(one, [Interaction::Patch]),
            Route::Delete { one, .. } => self.one(one, [Interaction::Delete]),
            Route::ConditionalUpdate { one } | Route::ConditionalPatch { one } => {
                self.one(one, [Interaction::ConditionalUpdate]);
                self.links(Some(one), query)?;
            }
            Route::ConditionalDelete { one } => {
                self.one(one, [Interaction::ConditionalDelete]);
                self.links(Some(one), query)?;
            }
            Route::Bundle => return Err(UnplannableKind::Bundle),
            Route::Operation { name, on, .. } => self.operation(name, on, query)?,
        }
        Ok(())
    }

    fn one<const N: usize>(&mut self, one: ResourceType, interactions: [Interaction; N]) {
        self.entries.push(RequestEntry::new(TypeSelector::One(one), interactions));
    }

    fn all<const N: usize>(&mut self, interactions: [Interaction; N]) {
        self.entries.push(RequestEntry::new(TypeSelector::All, interactions));
    }

    fn letters(&mut self, types: TypeSelector, letters: Permissions) {
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

    fn search(&mut self, one: ResourceType, query: &str) -> Planned {
        let types = TypeSelector::One(one);
        let limit = if self.granular { self.category(types, query) } else { Limit::NONE };
        self.entries.push(RequestEntry::new(types, [Interaction::Search]).limited(limit));
        self.links(Some(one), query)
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

    fn system_search(&mut self, query: &str) -> Planned {
        let named = self.named_types(query)?;
        if named.is_empty() {
            self.all([Interaction::Search]);
        }
        for one in &named {
            self.one(*one, [Interaction::Search]);
        }
        self.links(named.first().copied(), query)
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

    /// What a search looks at beyond its own type.
    fn links(&mut self, from: Option<ResourceType>, query: &str) -> Planned {
        for pair in pairs([query, ""]) {
            let (name, value) = pair.ok_or(UnplannableKind::Parameter)?;
            let stem = name.split(':').next().unwrap_or_default();
            match stem {
                "_include" => self.include(&value)?,
                "_revinclude" => {
                    let source = value.split(':').next().and_then(|source| ResourceType::parse(source, self.release));
                    self.one(source.ok_or(UnplannableKind::Parameter)?, [Interaction::Search]);
                }
                "_has" => self.has(&name)?,
                "_list" => self.one(
                    ResourceType::parse("List", self.release).ok_or(UnplannableKind::Parameter)?,
                    [Interaction::Read],
                ),
                "_filter" | "_query" => return Err(UnplannableKind::Parameter),
                "_sort" => {
                    for key in value.split(',').filter(|key| key.contains('.')) {
                        self.chain(from, key.trim_start_matches('-'))?;
                    }
                }
                _ if name.contains('.') => self.chain(from, &name)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn include(&mut self, value: &str) -> Planned {
        let mut parts = value.splitn(3, ':');
        let (source, parameter, target) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        if source == "*" || parameter == Some("*") {
            self.all([Interaction::Read]);
            return Ok(());
        }
        let source = ResourceType::parse(source, self.release).ok_or(UnplannableKind::Parameter)?;
        for one in self.targets(source, parameter.unwrap_or_default(), target)? {
            self.one(one, [Interaction::Read]);
        }
        Ok(())
    }

    /// The types a reference parameter leads to; without a named one every target counts.
    fn targets(
        &self,
        from: ResourceType,
        parameter: &str,
        named: Option<&str>,
    ) -> Result<Vec<ResourceType>, UnplannableKind> {
        let found = tables::parameter(self.release, from, parameter).ok_or(UnplannableKind::Parameter)?;
        let targets: Vec<ResourceType> = match named {
            Some(named) => [ResourceType::parse(named, self.release).ok_or(UnplannableKind::Parameter)?].into(),
            None => found.targets().collect(),
        };
        if targets.is_empty() { Err(UnplannableKind::Parameter) } else { Ok(targets) }
    }

    /// `a:T.b.c`: every type on the way is searched.
    fn chain(&mut self, from: Option<ResourceType>, chain: &str) -> Planned {
        let mut here: Vec<ResourceType> = from.into_iter().collect();
        let Some((steps, _last)) = chain.rsplit_once('.') else { return Ok(()) };
        for step in steps.split('.').take(9) {
            let (name, named) = step.split_once(':').map_or((step, None), |(name, named)| (name, Some(named)));
            let mut next: Vec<ResourceType> =
                here.iter().filter_map(|one| self.targets(*one, name, named).ok()).flatten().collect();
            next.sort_unstable();
            next.dedup();
            if next.is_empty() {
                return Err(UnplannableKind::Parameter);
            }
            for one in &next {
                self.one(*one, [Interaction::Search]);
            }
            here = next;
        }
        Ok(())
    }

    /// `_has:T:reference:name`, also nested, and with a chain at its end.
    fn has(&mut self, name: &str) -> Planned {
        let mut rest = name;
        while let Some(after) = rest.strip_prefix("_has:") {
            let mut parts = after.splitn(3, ':');
            let source = parts
                .next()
                .and_then(|source| ResourceType::parse(source, self.release))
                .ok_or(UnplannableKind::Parameter)?;
            self.one(source, [Interaction::Search]);
            rest = parts.nth(1).ok_or(UnplannableKind::Parameter)?;
            if !rest.starts_with("_has:") {
                return self.chain(Some(source), rest);
            }
        }
        Err(UnplannableKind::Parameter)
    }

    fn operation(&mut self, name: &str, on: OperationTarget<'_>, query: &str) -> Planned {
        let types = on.one().map_or(TypeSelector::All, TypeSelector::One);
        let system_only = |plan: &Self| if plan.level == Level::Patient { Err(UnplannableKind::Level) } else { Ok(()) };
        match standard_rule(name, on) {
            Rule::Search => match on.one() {
                Some(one) => self.search(one, query)?,
                None => self.all([Interaction::Search]),
            },
            Rule::Results(letters) | Rule::Instance(letters) => self.letters(types, letters),
            // one of the letters is enough: the first
            Rule::AnyOf(letters) => self.letters(types, letters.letters().next().unwrap_or_default()),
            Rule::WholeType(letters) => {
                system_only(self)?;
                self.letters(types, letters);
            }
            Rule::AcrossPatients => {
                system_only(self)?;
                self.letters(types, Permissions::SEARCH);
            }
            Rule::Everything => {
                self.letters(types, Permissions::READ);
                self.each_named(query)?;
            }
            Rule::Document => {
                self.letters(types, Permissions::READ);
                self.all([Interaction::Read]);
            }
            Rule::Export => {
                if self.level != Level::System {
                    return Err(UnplannableKind::Level);
                }
                if let Some(on) = on.one() {
                    self.letters(TypeSelector::One(ResourceType::PATIENT), Permissions::RS);
                    self.letters(TypeSelector::One(on), Permissions::RS);
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
            self.letters(TypeSelector::All, Permissions::RS);
        }
        for one in named {
            self.letters(TypeSelector::One(one), Permissions::RS);
        }
        Ok(())
    }
}
