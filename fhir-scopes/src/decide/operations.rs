//! Operations have no letters. Each known one is told in letters by a rule; one without a rule is refused.

use alloc::vec::Vec;

use super::branch::On;
use super::filter::Filter;
use super::gate::{Gate, Levels, Want};
use super::handful::Handful;
use super::links::Links;
use super::obligations::Obligations;
use super::perform::owe;
use super::query::pairs;
use super::request::{Body, Request};
use super::write::needs_of;
use super::{Allowance, Decision, Denial, Grant, Need, Obligation, Reason};
use crate::route::{NoRoute, OperationTarget};
use crate::{Permissions, ResourceType, TypeSelector};

/// What an operation is called on for a rule to apply.
///
/// ```
/// use fhir_scopes::decide::Applies;
/// assert_ne!(Applies::Type, Applies::Instance);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Applies {
    /// `/$name`
    System,
    /// `/T/$name`
    Type,
    /// `/T/id/$name`
    Instance,
    /// A type or an instance of it.
    TypeOrInstance,
}

/// What an operation needs.
///
/// ```
/// use fhir_scopes::{Permissions, decide::Rule};
/// assert_ne!(Rule::Instance(Permissions::READ), Rule::Everything);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// Like a search of the type: `s`, filtered results, links in its query count.
    Search,
    /// These letters on the type, filtered results.
    Results(Permissions),
    /// These letters on the type, filtered on the instance. `u` and `d` only by POST.
    Instance(Permissions),
    /// One of the letters on the type, and no stored data is shown.
    AnyOf(Permissions),
    /// These letters on the type without limit, and never at patient level: the answer is about all its resources.
    WholeType(Permissions),
    /// A search across patients: `s`, never at patient level.
    AcrossPatients,
    /// `Patient.r`, then the record of that patient narrowed to types with `rs`.
    Everything,
    /// `Composition.r`, then whatever it refers to, narrowed to types with `r`.
    Document,
    /// Bulk export: `system/` scopes without limit, `rs` on each type.
    Export,
    /// Whoever was granted this extension scope.
    Scope(&'static str),
    /// Refused.
    Refuse,
}

/// One row of the operation table.
///
/// ```
/// use fhir_scopes::decide::{Applies, OperationRule, Rule};
/// let row = OperationRule::new("lastn", Some("Observation"), Applies::Type, Rule::Search);
/// assert_eq!(row.name, "lastn");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationRule {
    /// Without the dollar sign.
    pub name: &'static str,
    /// The type it is called on; none for any.
    pub one: Option<&'static str>,
    /// What it is called on.
    pub applies: Applies,
    /// What it needs.
    pub rule: Rule,
}

impl OperationRule {
    /// A row.
    ///
    /// ```
    /// # use fhir_scopes::decide::{Applies, OperationRule, Rule};
    /// const ROW: OperationRule = OperationRule::new("merge", Some("Patient"), Applies::Type, Rule::Refuse);
    /// # let _ = ROW;
    /// ```
    pub const fn new(name: &'static str, one: Option<&'static str>, applies: Applies, rule: Rule) -> Self {
        Self { name, one, applies, rule }
    }

    fn fits(&self, name: &str, on: OperationTarget<'_>) -> bool {
        let place = match on {
            OperationTarget::System => self.applies == Applies::System,
            OperationTarget::Type(_) => matches!(self.applies, Applies::Type | Applies::TypeOrInstance),
            OperationTarget::Instance(..) => matches!(self.applies, Applies::Instance | Applies::TypeOrInstance),
        };
        self.name == name && place && self.one.is_none_or(|one| on.one().is_some_and(|on| on.name() == one))
    }
}

const R: Permissions = Permissions::READ;

/// The rules that hold unless a server brings its own. The last row that fits decides; without one the operation is refused, as
/// are `$graphql`, `$process-message`, `$merge`, `$import`, `$purge-history`, `$apply` and `$evaluate-measure`.
///
/// ```
/// use fhir_scopes::decide::STANDARD_OPERATIONS;
/// assert!(STANDARD_OPERATIONS.iter().any(|row| row.name == "everything"));
/// assert!(!STANDARD_OPERATIONS.iter().any(|row| row.name == "graphql"));
/// ```
pub const STANDARD_OPERATIONS: &[OperationRule] = &[
    OperationRule::new("everything", Some("Patient"), Applies::Instance, Rule::Everything),
    OperationRule::new("export", None, Applies::System, Rule::Export),
    OperationRule::new("export", Some("Patient"), Applies::Type, Rule::Export),
    OperationRule::new("export", Some("Group"), Applies::Instance, Rule::Export),
    OperationRule::new("lastn", Some("Observation"), Applies::Type, Rule::Search),
    OperationRule::new("stats", Some("Observation"), Applies::Type, Rule::Search),
    OperationRule::new("docref", Some("DocumentReference"), Applies::Type, Rule::Results(Permissions::RS)),
    OperationRule::new("validate", None, Applies::Type, Rule::AnyOf(Permissions::CREATE.with(Permissions::UPDATE))),
    OperationRule::new("validate", None, Applies::Instance, Rule::Instance(R)),
    OperationRule::new("meta", None, Applies::Type, Rule::WholeType(R)),
    OperationRule::new("meta", None, Applies::Instance, Rule::Instance(R)),
    OperationRule::new("meta-add", None, Applies::Instance, Rule::Instance(Permissions::UPDATE)),
    OperationRule::new("meta-delete", None, Applies::Instance, Rule::Instance(Permissions::UPDATE)),
    OperationRule::new("expand", Some("ValueSet"), Applies::TypeOrInstance, Rule::Instance(R)),
    OperationRule::new("validate-code", Some("ValueSet"), Applies::TypeOrInstance, Rule::Instance(R)),
    OperationRule::new("validate-code", Some("CodeSystem"), Applies::TypeOrInstance, Rule::Instance(R)),
    OperationRule::new("lookup", Some("CodeSystem"), Applies::Type, Rule::Instance(R)),
    OperationRule::new("subsumes", Some("CodeSystem"), Applies::TypeOrInstance, Rule::Instance(R)),
    OperationRule::new("find-matches", Some("CodeSystem"), Applies::TypeOrInstance, Rule::Instance(R)),
    OperationRule::new("translate", Some("ConceptMap"), Applies::TypeOrInstance, Rule::Instance(R)),
    OperationRule::new("match", Some("Patient"), Applies::Type, Rule::AcrossPatients),
    OperationRule::new("document", Some("Composition"), Applies::Instance, Rule::Document),
];

/// The standard rule for an operation.
pub(crate) fn standard_rule(name: &str, on: OperationTarget<'_>) -> Rule {
    STANDARD_OPERATIONS.iter().rev().find(|row| row.fits(name, on)).map_or(Rule::Refuse, |row| row.rule)
}

impl Grant {
    pub(super) fn operation(
        &self,
        name: &str,
        on: OperationTarget<'_>,
        post: bool,
        request: &Request<'_>,
    ) -> Decision<'_> {
        let rule = self.operations.iter().rev().find(|row| row.fits(name, on)).map_or(Rule::Refuse, |row| row.rule);
        match (rule, on) {
            (Rule::Search, OperationTarget::Type(one)) => self.search(one, Levels::All, request),
            (Rule::Results(letters), OperationTarget::Type(one)) => {
                let needs = [Need::of(TypeSelector::One(one), letters)];
                self.filtered(Want::one(one, letters), None, On::Results, &needs)
            }
            (Rule::Instance(letters), OperationTarget::Type(one)) => {
                self.filtered(Want::one(one, letters), None, On::Results, &needs_of(one, letters))
            }
            (Rule::Instance(letters), OperationTarget::Instance(one, id)) => {
                if !post && letters != Permissions::READ {
                    return self.deny(Reason::NoRoute(NoRoute::NoInteraction), needs_of(one, letters));
                }
                let mut decision =
                    self.filtered(Want::one(one, letters), Some(id), On::Target, &needs_of(one, letters));
                let shows =
                    matches!(self.gate(Want::one(one, Permissions::READ), Some(id)), Gate::Open(_) | Gate::Filtered);
                if !letters.contains(Permissions::READ) && !shows {
                    owe(&mut decision, Obligation::ReturnMinimal);
                }
                decision
            }
            (Rule::AnyOf(letters), OperationTarget::Type(one)) => self.any_of(one, letters),
            (Rule::WholeType(letters), OperationTarget::Type(one)) => {
                let want = Want { levels: Levels::NotPatient, limited: false, ..Want::one(one, letters) };
                self.filtered(want, None, On::Results, &needs_of(one, letters))
            }
            (Rule::AcrossPatients, OperationTarget::Type(one)) => {
                let want = Want { levels: Levels::NotPatient, ..Want::one(one, Permissions::SEARCH) };
                self.filtered(want, None, On::Results, &needs_of(one, Permissions::SEARCH))
            }
            (Rule::Everything, OperationTarget::Instance(one, id)) => self.record(one, id, Permissions::RS, request),
            (Rule::Document, OperationTarget::Instance(one, id)) => self.record(one, id, Permissions::READ, request),
            (Rule::Export, on) => self.export(on.one(), request),
            (Rule::Scope(scope), _) if self.extensions.iter().any(|granted| granted == scope) => {
                Decision::Allow(Allowance { by: None, obligations: Obligations::default() })
            }
            (Rule::Scope(_), _) => self.deny(Reason::NoScope, []),
            _ => self.deny(Reason::UnknownOperation, []),
        }
    }

    fn filtered(&self, want: Want, id: Option<&str>, on: On, needs: &[Need]) -> Decision<'_> {
        match self.gate(want, id) {
            Gate::Closed(reason) => self.deny_want(reason, want, id, needs),
            Gate::Open(by) => {
                let mut obligations = Obligations::of_level(by.scope.level);
                self.owe_letters(want, &mut obligations);
                Decision::Allow(Allowance { by: Some(&by.scope), obligations })
            }
            Gate::Filtered => Decision::Filter(Filter::new(self, on, want)),
        }
    }

    /// Nothing stored is shown, so having a letter is enough; a patient scope still needs its patient.
    fn any_of(&self, one: ResourceType, letters: Permissions) -> Decision<'_> {
        let counts = |scope: &&crate::ResourceScope<'_>| {
            scope.types.includes(one)
                && scope.permissions.intersects(letters)
                && (scope.level != crate::Level::Patient || self.patient.is_some())
        };
        match self.scopes.iter().map(|compiled| &compiled.scope).filter(counts).max_by_key(|scope| scope.level) {
            Some(by) => Decision::Allow(Allowance { by: Some(by), obligations: Obligations::of_level(by.level) }),
            None => self.deny(Reason::NoScope, [Need { types: TypeSelector::One(one), letters, either: true }]),
        }
    }

    /// A resource and all that comes with it: `r` on the type, then everything narrowed to what the letters open.
    fn record(&self, one: ResourceType, id: &str, letters: Permissions, request: &Request<'_>) -> Decision<'_> {
        let main = Want::one(one, Permissions::READ);
        if letters == Permissions::READ && persists(request) {
            // the document is stored, too: new content that nobody has seen yet
            let bundle = ResourceType::parse("Bundle", self.release).map(|one| Want::one(one, Permissions::CREATE));
            if !bundle.is_some_and(|want| matches!(self.gate(want, None), Gate::Open(_))) {
                let bundle = bundle.map_or(TypeSelector::All, |want| want.types);
                let needs = [Need::of(main.types, main.letters), Need::of(bundle, Permissions::CREATE)];
                return self.deny(Reason::NoScope, needs);
            }
        }
        // what a document refers to is no search of its own
        let comes_along = letters == Permissions::READ;
        let all = Want { comes_along, ..Want::of(TypeSelector::All, letters) };
        let Ok(named) = self.named_types(request) else {
            let needs = [Need::of(main.types, main.letters), Need::of(TypeSelector::All, letters)];
            return self.deny(Reason::NoRoute(NoRoute::UnknownType), needs);
        };
        let mut needs = Handful::from([Need::of(main.types, main.letters)]);
        if named.is_empty() {
            needs.push(Need::of(TypeSelector::All, letters));
        }
        for one in &named {
            needs.push(Need::of(TypeSelector::One(*one), letters));
        }
        let head = self.gate(main, Some(id));
        if let Gate::Closed(reason) = head {
            return self.deny_want(reason, main, Some(id), needs);
        }
        let wants: Handful<Want> = if named.is_empty() {
            [all].into()
        } else {
            named.iter().map(|one| Want { comes_along, ..Want::one(*one, letters) }).collect()
        };
        let mut open = matches!(head, Gate::Open(_));
        let (mut more, mut obligations) = (Handful::default(), Obligations::default());
        for want in wants.iter().copied() {
            match self.gate(want, None) {
                Gate::Open(by) => {
                    obligations.add_level(by.scope.level);
                    self.owe_letters(want, &mut obligations);
                    more.push(want);
                }
                Gate::Filtered => {
                    open = false;
                    more.push(want);
                }
                // nothing beyond the resource itself
                Gate::Closed(_) if named.is_empty() => open = false,
                Gate::Closed(reason) => return self.deny(reason, needs),
            }
        }
        match head {
            Gate::Open(by) if open => {
                obligations.add_level(by.scope.level);
                Decision::Allow(Allowance { by: Some(&by.scope), obligations })
            }
            _ => Decision::Filter(Filter::with(self, On::Results, main, more, obligations)),
        }
    }

    /// The route picks patients (or a group of them), so these types count too. A job must keep the narrowed list of types.
    fn export(&self, on: Option<ResourceType>, request: &Request<'_>) -> Decision<'_> {
        let want = |types| Want { levels: Levels::OnlySystem, limited: false, ..Want::of(types, Permissions::RS) };
        let mut route = Handful::default();
        if let Some(on) = on {
            route.push(ResourceType::PATIENT);
            if on != ResourceType::PATIENT {
                route.push(on);
            }
        }
        let Ok(named) = self.named_types(request) else { return self.deny(Reason::NoRoute(NoRoute::UnknownType), []) };
        if !self.filters_stay(request) {
            return self.deny(Reason::Parameter, []);
        }
        let mut needs: Handful<Need> =
            route.iter().map(|one| Need::of(TypeSelector::One(*one), Permissions::RS)).collect();
        if named.is_empty() {
            needs.push(Need::of(TypeSelector::All, Permissions::RS));
        }
        let with = self.associated(request);
        for one in named.iter().filter(|one| !route.contains(one)) {
            needs.push(Need::of(TypeSelector::One(*one), Permissions::RS));
        }
        // data that `_type` does not name comes along
        for types in with.iter().filter(|_| !named.is_empty()) {
            needs.insert(Need::of(*types, Permissions::RS));
        }
        let mut allowed = None;
        let mut narrowed = false;
        for need in needs.iter() {
            match self.gate(want(need.types), None) {
                Gate::Open(by) => allowed = Some(by),
                Gate::Filtered => narrowed = true,
                Gate::Closed(reason) => {
                    let reason = if reason == Reason::OtherPatient { Reason::NoScope } else { reason };
                    return Decision::Deny(Denial::new(self, reason, needs).at(Levels::OnlySystem));
                }
            }
        }
        match allowed {
            Some(by) if !narrowed => {
                Decision::Allow(Allowance { by: Some(&by.scope), obligations: Obligations::of_level(by.scope.level) })
            }
            _ => Decision::Filter(Filter::new(self, On::Results, want(TypeSelector::All))),
        }
    }

    /// The types of `_type`, in the query, a form, or a Parameters body.
    fn named_types(&self, request: &Request<'_>) -> Result<Vec<ResourceType>, Reason> {
        let mut named = Vec::new();
        each_parameter(request, |name, value| {
            if name == "_type" {
                for name in value.split(',') {
                    named.push(ResourceType::parse(name, self.release).ok_or(Reason::NoRoute(NoRoute::UnknownType))?);
                }
            }
            Ok(())
        })?;
        named.sort_unstable();
        named.dedup();
        Ok(named)
    }

    /// What `includeAssociatedData` adds to an export (Bulk Data Access, "query parameters"): Provenance by its two names; any other name may stand for anything.
    fn associated(&self, request: &Request<'_>) -> Handful<TypeSelector> {
        let mut types = Handful::default();
        let read = each_parameter(request, |name, value| {
            if name == "includeAssociatedData" {
                for name in value.split(',') {
                    let provenance = matches!(name, "LatestProvenanceResources" | "RelevantProvenanceResources")
                        .then(|| ResourceType::parse("Provenance", self.release))
                        .flatten();
                    types.insert(provenance.map_or(TypeSelector::All, TypeSelector::One));
                }
            }
            Ok(())
        });
        if read.is_err() {
            types.insert(TypeSelector::All);
        }
        types
    }

    /// Whether the filters of an export stay with the types that they filter: a chain in one would tell about others.
    fn filters_stay(&self, request: &Request<'_>) -> bool {
        let stays = |filter: &str| {
            let (one, query) = filter.split_once('?').unwrap_or((filter, ""));
            let mut links = Links::default();
            let one = ResourceType::parse(one, self.release);
            one.is_some()
                && self.links_of(query, one, &mut links, &mut Handful::default()).is_ok()
                && links.refused.is_none()
                && !links.narrowed
        };
        let read = each_parameter(request, |name, value| {
            let fine = name != "_typeFilter" || value.split(',').all(stays);
            if fine { Ok(()) } else { Err(Reason::Parameter) }
        });
        read.is_ok()
    }
}

/// Whether the bundle of a document is to be stored, by a parameter in the query, a form or a Parameters body.
fn persists(request: &Request<'_>) -> bool {
    let mut persists = false;
    let read = each_parameter(request, |name, value| {
        persists |= name == "persist" && value != "false";
        Ok(())
    });
    persists || read.is_err()
}

/// Shows every parameter of an operation, wherever it stands: in the query, a form or a Parameters body.
pub(super) fn each_parameter(
    request: &Request<'_>,
    mut look: impl FnMut(&str, &str) -> Result<(), Reason>,
) -> Result<(), Reason> {
    let form = if let Body::Form(form) = request.body { form } else { "" };
    for pair in pairs([request.query, form]) {
        let (name, value) = pair.ok_or(Reason::Parameter)?;
        look(&name, &value)?;
    }
    #[cfg(feature = "json")]
    if let Body::Json(parameters) = request.body {
        for parameter in parameters.get("parameter").and_then(serde_json::Value::as_array).into_iter().flatten() {
            let name = parameter.get("name").and_then(serde_json::Value::as_str).unwrap_or_default();
            let value = parameter.as_object().into_iter().flatten().find(|(name, _)| name.starts_with("value"));
            match value {
                Some((_, serde_json::Value::String(text))) => look(name, text)?,
                Some((_, serde_json::Value::Bool(flag))) => look(name, if *flag { "true" } else { "false" })?,
                // no parameter that decides has a value of another kind
                _ => look(name, "")?,
            }
        }
    }
    Ok(())
}
