//! What a token permits, compiled once.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::heads::Heads;
use super::operations::{OperationRule, STANDARD_OPERATIONS};
use crate::compartment::{Compartment, CompartmentMode};
use crate::matches::CompiledLimit;
use crate::{Level, Permissions, Release, ResourceScope, ResourceType, ScopeKind, ScopeSet};

/// A granted scope set with launch patient, compartment mode and operation table: everything that decides about requests.
///
/// Make it once per token and keep it; [`decide`](Grant::decide) does not change it.
///
/// ```
/// use fhir_scopes::{Release, ScopeSet, decide::{Grant, Request}, compartment::CompartmentMode};
/// let granted = ScopeSet::parse("launch/patient patient/*.rs", Release::R4).unwrap();
/// let grant = Grant::new(&granted)
///     .launch_patient("123")
///     .mode(CompartmentMode::Subject)
///     .base("https://this.example/fhir");
/// assert!(grant.decide(&Request::get("/Patient/123", "")).goes_on());
/// assert!(!grant.decide(&Request::get("/Patient/999", "")).goes_on());
/// ```
#[derive(Debug, Clone)]
pub struct Grant {
    pub(super) release: Release,
    pub(super) scopes: Vec<Compiled>,
    heads: Vec<Heads>,
    /// Before this place stand patient scopes only.
    beyond_patient: usize,
    pub(super) extensions: Vec<String>,
    pub(super) patient: Option<String>,
    pub(super) mode: CompartmentMode,
    pub(super) base: Option<String>,
    pub(super) operations: Cow<'static, [OperationRule]>,
}

/// One resource scope with its limit ready to be asked.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    pub(super) scope: ResourceScope<'static>,
    pub(super) limit: Option<CompiledLimit>,
}

impl Grant {
    /// Compiles a granted set. Without a launch patient its `patient/` scopes grant nothing.
    ///
    /// ```
    /// use fhir_scopes::{Release, ScopeSet, decide::{Grant, Request}};
    /// let grant = Grant::new(&ScopeSet::parse("patient/*.rs", Release::R4).unwrap());
    /// assert!(!grant.decide(&Request::get("/Observation/1", "")).goes_on());
    /// ```
    pub fn new(granted: &ScopeSet) -> Self {
        let release = granted.release();
        let mut scopes = Vec::new();
        let mut heads = Vec::new();
        let mut extensions = Vec::new();
        for scope in granted {
            match scope.kind() {
                ScopeKind::Resource(resource) => {
                    let limit = (!resource.limit.is_none())
                        .then(|| CompiledLimit::new(&resource.limit, resource.types, release));
                    Heads::add(&mut heads, scopes.len(), resource);
                    scopes.push(Compiled { scope: resource.clone(), limit });
                }
                ScopeKind::Extension => extensions.push(scope.literal().into()),
                ScopeKind::Plain(_) | ScopeKind::Unknown => {}
            }
        }
        let operations = Cow::Borrowed(STANDARD_OPERATIONS);
        let beyond_patient = scopes.iter().take_while(|compiled| compiled.scope.level == Level::Patient).count();
        Self {
            release,
            scopes,
            heads,
            beyond_patient,
            extensions,
            patient: None,
            mode: CompartmentMode::default(),
            base: None,
            operations,
        }
    }

    /// Names the launch patient by id. An empty id is no patient.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Grant, Request}};
    /// let grant = Grant::new(&ScopeSet::parse("patient/*.rs", Release::R4).unwrap()).launch_patient("123");
    /// assert!(grant.decide(&Request::get("/Observation/1", "")).goes_on());
    /// ```
    #[must_use]
    pub fn launch_patient(mut self, id: &str) -> Self {
        self.patient = crate::matches::is_id(id).then(|| id.into());
        self
    }

    /// Chooses the reading of the patient compartment; the definition of the release unless said otherwise.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, compartment::CompartmentMode, decide::{Grant, Request}};
    /// let grant = Grant::new(&ScopeSet::parse("patient/*.rs", Release::R4).unwrap()).launch_patient("123");
    /// let group = Request::get("/Group/1", "");
    /// assert!(grant.decide(&group).goes_on());
    /// assert!(!grant.mode(CompartmentMode::Subject).decide(&group).goes_on());
    /// ```
    #[must_use]
    pub fn mode(mut self, mode: CompartmentMode) -> Self {
        self.mode = mode;
        self
    }

    /// Names the server's own base URL, so that absolute references to it count, and absolute URLs in bundle entries.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, decide::Grant};
    /// let grant = Grant::new(&ScopeSet::empty(Release::R4)).base("https://this.example/fhir");
    /// # let _ = grant;
    /// ```
    #[must_use]
    pub fn base(mut self, base: &str) -> Self {
        self.base = Some(base.trim_end_matches('/').into());
        self
    }

    /// Replaces the table of operations, [`STANDARD_OPERATIONS`] unless said otherwise.
    ///
    /// ```
    /// use fhir_scopes::{Release, ScopeSet, decide::{Applies, Grant, OperationRule, Request, Rule, STANDARD_OPERATIONS}};
    /// let mut rules = STANDARD_OPERATIONS.to_vec();
    /// rules.push(OperationRule::new("sync", None, Applies::System, Rule::Scope("https://a.example/OperationDefinition/sync")));
    /// let granted = ScopeSet::parse("https://a.example/OperationDefinition/sync", Release::R4).unwrap();
    /// let grant = Grant::new(&granted).operations(rules);
    /// assert!(grant.decide(&Request::new("POST", "/$sync", "")).goes_on());
    /// ```
    #[must_use]
    pub fn operations(mut self, rules: impl Into<Cow<'static, [OperationRule]>>) -> Self {
        self.operations = rules.into();
        self
    }

    /// The release of the scopes.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, decide::Grant};
    /// assert_eq!(Grant::new(&ScopeSet::empty(Release::R5)).release(), Release::R5);
    /// ```
    pub const fn release(&self) -> Release {
        self.release
    }

    /// The compartment of the launch patient.
    pub(super) fn compartment(&self) -> Option<Compartment<'_>> {
        Some(Compartment {
            release: self.release,
            owner: ResourceType::PATIENT,
            id: self.patient.as_deref()?,
            mode: self.mode,
            base: self.base.as_deref(),
        })
    }

    /// The level to name when something is missing: the narrowest at which this grant works at all.
    pub(super) fn usual_level(&self) -> Level {
        let has = |level| self.scopes.iter().any(|compiled| compiled.scope.level == level);
        let works = |level| has(level) && (level != Level::Patient || self.patient.is_some());
        let nothing_yet = if self.patient.is_some() { Level::Patient } else { Level::User };
        Level::ALL.into_iter().find(|level| works(*level)).unwrap_or(nothing_yet)
    }

    /// The scopes that are not about the launch patient.
    pub(super) fn scopes_beyond_patient(&self) -> impl Iterator<Item = &ResourceScope<'static>> {
        let rest = self.scopes.get(self.beyond_patient..).unwrap_or_default();
        rest.iter().map(|compiled| &compiled.scope).filter(|scope| scope.level != Level::Patient)
    }

    /// The scopes that give a letter on a type.
    pub(super) fn scopes_for(&self, one: ResourceType, letter: Permissions) -> impl Iterator<Item = &Compiled> {
        Heads::places(&self.heads, one, letter).filter_map(|place| self.scopes.get(place))
    }

    /// The scopes that give any letter on a type.
    pub(super) fn scopes_about(&self, one: ResourceType) -> impl Iterator<Item = &Compiled> {
        self.scopes_for(one, Permissions::NONE)
    }

    pub(super) fn scopes_with(&self, letter: Permissions) -> impl Iterator<Item = &Compiled> {
        self.scopes.iter().filter(move |compiled| compiled.scope.permissions.contains(letter))
    }
}
