//! Go on, but only for resources that pass.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::branch::{Branch, On};
use super::bundle::EntryDecision;
use super::gate::Want;
use super::grant::Grant;
use super::handful::Handful;
use super::obligations::{Obligation, Obligations};
use crate::matches::{ResourceView, local_reference, text_of, type_of};
use crate::{ResourceScope, ResourceType, TypeSelector};

/// A request that may go on for the resources that pass.
///
/// ```
/// # #[cfg(feature = "json")] {
/// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, On, Request}};
/// let grant = Grant::new(&ScopeSet::parse("patient/Observation.r", Release::R4).unwrap()).launch_patient("123");
/// let Decision::Filter(filter) = grant.decide(&Request::get("/Observation/1", "")) else { unreachable!() };
/// assert_eq!(filter.on(), On::Target);
/// let stored = serde_json::json!({ "resourceType": "Observation", "subject": { "reference": "Patient/999" } });
/// assert!(!filter.accepts(&stored)); // answer as if it were absent
/// # }
/// ```
#[derive(Debug)]
pub struct Filter<'g> {
    pub(super) grant: &'g Grant,
    pub(super) on: On,
    pub(super) main: Option<Want>,
    pub(super) more: Handful<Want>,
    pub(super) obligations: Obligations,
    /// Whether it is a plain search, so that queries can tell it: no history, no operation, no write.
    pub(super) is_search: bool,
    pub(super) asked: Asked<'g>,
}

/// What the client asked for beyond types: a compartment, which a query must repeat, or the entries of a bundle.
#[derive(Debug)]
pub(super) enum Asked<'g> {
    Nothing,
    #[cfg_attr(not(feature = "json"), allow(dead_code, reason = "without JSON no bundle is read"))]
    Entries(Vec<EntryDecision<'g>>),
    /// The compartment of the launch patient.
    OwnCompartment,
    /// Any other compartment, by its owner.
    Compartment(Box<(ResourceType, String)>),
}

impl<'g> Filter<'g> {
    pub(super) fn new(grant: &'g Grant, on: On, main: Want) -> Self {
        Self::with(grant, on, main, Handful::default(), Obligations::default())
    }

    /// With types that come along, each with its own filter, and what is owed for them.
    #[inline]
    pub(super) fn with(
        grant: &'g Grant,
        on: On,
        main: Want,
        more: Handful<Want>,
        mut obligations: Obligations,
    ) -> Self {
        owe_levels(grant, main, &more, &mut obligations);
        Self { grant, on, main: Some(main), more, obligations, is_search: false, asked: Asked::Nothing }
    }

    /// One more type that is searched beside what is written. Where it is the same type, all of it must pass both.
    #[cfg(feature = "json")]
    pub(super) fn also(&mut self, want: Want) {
        owe_levels(self.grant, want, &[], &mut self.obligations);
        match &mut self.main {
            Some(main) if main.types == want.types => main.letters = main.letters | want.letters,
            _ => self.more.insert(want),
        }
    }

    pub(super) fn wants(&self) -> impl Iterator<Item = Want> {
        self.main.iter().chain(self.more.iter()).copied()
    }

    /// Which resources must pass.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, On, Request}};
    /// # let grant = Grant::new(&ScopeSet::parse("patient/Observation.rs", Release::R4).unwrap()).launch_patient("123");
    /// let Decision::Filter(filter) = grant.decide(&Request::get("/Observation", "")) else { unreachable!() };
    /// assert_eq!(filter.on(), On::Results);
    /// ```
    pub const fn on(&self) -> On {
        self.on
    }

    /// What the server owes besides.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Obligation, Request}};
    /// # let grant = Grant::new(&ScopeSet::parse("patient/Observation.rs", Release::R4).unwrap()).launch_patient("123");
    /// let Decision::Filter(filter) = grant.decide(&Request::get("/Observation", "_include=Observation:subject")) else { unreachable!() };
    /// assert!(filter.obligations().has(Obligation::StripInclude("Observation:subject")));
    /// ```
    pub const fn obligations(&self) -> &Obligations {
        &self.obligations
    }

    /// For a bundle: the decision of each entry, in order. Empty otherwise.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Request}};
    /// # let grant = Grant::new(&ScopeSet::parse("patient/Observation.rs", Release::R4).unwrap()).launch_patient("123");
    /// let Decision::Filter(filter) = grant.decide(&Request::get("/Observation", "")) else { unreachable!() };
    /// assert!(filter.entries().is_empty());
    /// ```
    pub fn entries(&self) -> &[EntryDecision<'g>] {
        match &self.asked {
            Asked::Entries(entries) => entries,
            Asked::Nothing | Asked::OwnCompartment | Asked::Compartment(_) => &[],
        }
    }

    /// Whether this resource passes: one branch for its type, with the patient's compartment and the limit, holds for it.
    ///
    /// A resource of the searched type passes by what may be searched, also where an include would bring more of that type along. In a
    /// search of every type, [`accepts_match`](Self::accepts_match) tells what was found from what came along.
    /// For a conditional request it must pass both as something found and as something changed. Provenance that may pass only
    /// because its target is in the answer is told by [`accepts_all`](Self::accepts_all).
    ///
    /// ```
    /// # #[cfg(feature = "json")] {
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Request}};
    /// # let grant = Grant::new(&ScopeSet::parse("patient/Observation.rs", Release::R4).unwrap()).launch_patient("123");
    /// let Decision::Filter(filter) = grant.decide(&Request::get("/Observation", "")) else { unreachable!() };
    /// assert!(filter.accepts(&serde_json::json!({ "resourceType": "Observation", "subject": { "reference": "Patient/123" } })));
    /// # }
    /// ```
    pub fn accepts<V: ResourceView>(&self, resource: &V) -> bool {
        let Some(one) = type_of(resource, self.grant.release) else { return false };
        let searched = self.main.is_some_and(|want| want.types == TypeSelector::One(one));
        self.wants()
            .filter(|want| !(searched && want.comes_along))
            .any(|want| self.grant.want_accepts(want, one, resource))
    }

    /// Whether a resource passes that the search itself found (`Bundle.entry.search.mode` is `match`): the letters and limits of what an
    /// include may bring along do not count for it.
    ///
    /// ```
    /// # #[cfg(feature = "json")] {
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Request}};
    /// let granted = ScopeSet::parse("user/Observation.s?status=final user/Observation.r user/Encounter.s", Release::R4).unwrap();
    /// let grant = Grant::new(&granted);
    /// let Decision::Filter(filter) = grant.decide(&Request::get("/", "_include=*")) else { unreachable!() };
    /// let draft = serde_json::json!({ "resourceType": "Observation", "status": "preliminary" });
    /// assert!(filter.accepts(&draft)); // an encounter may refer to it
    /// assert!(!filter.accepts_match(&draft));
    /// # }
    /// ```
    pub fn accepts_match<V: ResourceView>(&self, resource: &V) -> bool {
        let Some(one) = type_of(resource, self.grant.release) else { return false };
        self.wants().filter(|want| !want.comes_along).any(|want| self.grant.want_accepts(want, one, resource))
    }

    /// Whether anything may be in the answer that was not searched for.
    pub(super) fn brings_along(&self) -> bool {
        self.wants().any(|want| want.comes_along)
    }

    /// Whether the deletion of a resource of this type may be shown: only where the type alone decides, since a deletion carries no
    /// content.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ResourceType, ScopeSet, decide::{Decision, Grant, Request}};
    /// let grant = Grant::new(&ScopeSet::parse("system/Observation.s", Release::R4).unwrap());
    /// let Decision::Filter(filter) = grant.decide(&Request::get("/_history", "")) else { unreachable!() };
    /// assert!(filter.accepts_deletion(ResourceType::OBSERVATION));
    /// assert!(!filter.accepts_deletion(ResourceType::PATIENT));
    /// ```
    pub fn accepts_deletion(&self, one: ResourceType) -> bool {
        !self.obligations.has(Obligation::DropDeletedEntries) && self.opens(TypeSelector::One(one))
    }

    /// Judges the entries of one answer together: Provenance asked for by `_revinclude=Provenance:target` passes when a target of
    /// it passes.
    ///
    /// ```
    /// # #[cfg(feature = "json")] {
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Request}};
    /// let grant = Grant::new(&ScopeSet::parse("patient/Condition.rs patient/Provenance.rs", Release::R4).unwrap()).launch_patient("123");
    /// let Decision::Filter(filter) = grant.decide(&Request::get("/Condition", "_revinclude=Provenance:target")) else { unreachable!() };
    /// let condition = serde_json::json!({ "resourceType": "Condition", "id": "7", "subject": { "reference": "Patient/123" } });
    /// let own = serde_json::json!({ "resourceType": "Provenance", "target": [{ "reference": "Condition/7" }] });
    /// let other = serde_json::json!({ "resourceType": "Provenance", "target": [{ "reference": "Condition/8" }] });
    /// assert_eq!(filter.accepts_all(&[condition, own, other]), [true, true, false]);
    /// # }
    /// ```
    pub fn accepts_all<V: ResourceView>(&self, results: &[V]) -> Vec<bool> {
        let mut passed: Vec<bool> = results.iter().map(|resource| self.accepts(resource)).collect();
        let Some(want) = self.more.iter().copied().find(|want| want.target_in_results) else { return passed };
        let release = self.grant.release;
        let known: Vec<_> = results
            .iter()
            .zip(&passed)
            .filter(|(_, passed)| **passed)
            .filter_map(|(resource, _)| Some((type_of(resource, release)?, text_of(resource, "id")?)))
            .collect();
        let base = self.grant.base.as_deref();
        for (resource, passed) in results.iter().zip(&mut passed) {
            let Some(one) = type_of(resource, release).filter(|one| !*passed && want.types.includes(*one)) else {
                continue;
            };
            let targets = resource.member("target").and_then(ResourceView::items).unwrap_or_default();
            let points_inside = targets.iter().any(|target| {
                let found = text_of(target, "reference").and_then(|text| local_reference(text, base, release));
                found.is_some_and(|found| known.contains(&(found.target, found.id)))
            });
            *passed = points_inside && self.limits_accept(want, one, resource);
        }
        passed
    }

    fn limits_accept<V: ResourceView>(&self, want: Want, one: ResourceType, resource: &V) -> bool {
        self.grant.scopes_with(want.letters).any(|compiled| {
            compiled.scope.types.includes(one)
                && self.grant.reach(compiled, one, want.letters).is_some()
                && compiled.limit.as_ref().is_none_or(|limit| limit.accepts(resource, self.grant.base.as_deref()))
        })
    }

    /// The ways to pass, those that another one covers left out. A resource passes when any of them holds.
    ///
    /// A scope with every letter is a way by itself; scopes that have the letters only together make one for each combination. Of a
    /// token that makes more than [`MAX_COMBINATIONS`] of them the rest is left out, which only ever narrows the answer:
    /// [`accepts`](Self::accepts) knows them all.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Request}};
    /// let granted = ScopeSet::parse("patient/Observation.rs?category=a user/Observation.rs?category=b", Release::R4).unwrap();
    /// let grant = Grant::new(&granted).launch_patient("123");
    /// let Decision::Filter(filter) = grant.decide(&Request::get("/Observation", "")) else { unreachable!() };
    /// assert_eq!(filter.branches().len(), 2); // each keeps its own reach
    /// ```
    ///
    /// [`MAX_COMBINATIONS`]: super::MAX_COMBINATIONS
    pub fn branches(&self) -> Vec<Branch<'g>> {
        self.ways().branches
    }

    /// Whether any way to pass depends on more than the type.
    pub(super) fn looks_at_content(&self) -> bool {
        // one type that is not simply open is always looked into
        if self.more.is_empty() && self.main.is_some_and(|want| want.types != TypeSelector::All) {
            return true;
        }
        self.looks_into_some()
    }

    /// The scopes that decided, without repetition.
    ///
    /// ```
    /// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Request}};
    /// # let grant = Grant::new(&ScopeSet::parse("patient/Observation.rs", Release::R4).unwrap()).launch_patient("123");
    /// let Decision::Filter(filter) = grant.decide(&Request::get("/Observation", "")) else { unreachable!() };
    /// assert_eq!(filter.by()[0].to_string(), "patient/Observation.rs");
    /// ```
    pub fn by(&self) -> Vec<&'g ResourceScope<'static>> {
        let ways = self.ways();
        if !ways.are_all() {
            return self.all_scopes().collect();
        }
        let mut scopes: Vec<&'g ResourceScope<'static>> = Vec::new();
        for scope in ways.branches.iter().flat_map(|branch| &branch.scopes) {
            if !scopes.iter().any(|known| core::ptr::eq(*known, *scope)) {
                scopes.push(scope);
            }
        }
        scopes
    }
}

/// The obligations of the levels of all branches.
fn owe_levels(grant: &Grant, main: Want, more: &[Want], obligations: &mut Obligations) {
    for scope in grant.scopes_beyond_patient() {
        let counts = |want: &Want| {
            scope.permissions.intersects(want.letters)
                && scope.types.intersect(want.types).is_some()
                && want.counts(scope)
        };
        if counts(&main) || more.iter().any(counts) {
            obligations.add_level(scope.level);
        }
    }
}
