//! From request to decision.

use alloc::boxed::Box;

use super::branch::On;
use super::filter::{Asked, Filter};
use super::gate::{Gate, Levels, Want};
use super::handful::Handful;
use super::obligations::{Obligation, Obligations};
use super::query::is_meaningless_to_read;
use super::request::Request;
use super::write::{create_letters, needs_of};
use super::{Allowance, Decision, Grant, Need, Reason};
use crate::route::{self, Interaction, NoRoute};
use crate::{Permissions, ResourceType, TypeSelector};

impl Grant {
    /// Decides about one request. Allocates nothing where the answer is [`Decision::Allow`] for a request without links.
    ///
    /// ```
    /// use fhir_scopes::{Release, ScopeSet, decide::{Grant, Request}};
    /// let grant = Grant::new(&ScopeSet::parse("patient/Observation.rs", Release::R4).unwrap()).launch_patient("123");
    /// assert_eq!(grant.decide(&Request::get("/Observation/1", "")).word(), "filter");
    /// assert_eq!(grant.decide(&Request::get("/Patient/123", "")).word(), "deny");
    /// ```
    pub fn decide(&self, request: &Request<'_>) -> Decision<'_> {
        let interaction = route::read(request.method, request.path, request.query, self.release);
        if let Some(overriding) = request.method_override {
            let meant = route::read(overriding, request.path, request.query, self.release).or(interaction);
            return self.deny(Reason::MethodOverride, meant.map(needs).unwrap_or_default());
        }
        match interaction {
            Err(NoRoute::SystemDelete) => {
                let needs =
                    [Permissions::DELETE, Permissions::SEARCH].map(|letter| Need::of(TypeSelector::All, letter));
                self.deny(Reason::NoRoute(NoRoute::SystemDelete), needs)
            }
            Err(no_route) => self.deny(Reason::NoRoute(no_route), []),
            Ok(interaction) => self.perform(interaction, request),
        }
    }

    pub(super) fn perform(&self, interaction: Interaction<'_>, request: &Request<'_>) -> Decision<'_> {
        match interaction {
            Interaction::Open => Decision::Allow(Allowance { by: None, obligations: Obligations::default() }),
            Interaction::Read { one, id } | Interaction::VersionRead { one, id, .. } => {
                self.read(one, id, On::Target, request)
            }
            Interaction::InstanceHistory { one, id } => self.read(one, id, On::Results, request),
            Interaction::TypeHistory { one } => without_deletions(self.search(one, Levels::All, request)),
            Interaction::SystemHistory => without_deletions(self.search_all(Levels::All, request)),
            Interaction::Search { one } => as_search(self.search(one, Levels::All, request)),
            Interaction::SystemSearch => as_search(self.search_all(Levels::All, request)),
            Interaction::CompartmentSearch { owner, id, one } => self.search_in(owner, id, one, request),
            Interaction::Create { one } => {
                self.with_lookups(self.create(one, request), one, create_letters(request), request)
            }
            Interaction::Update { one, id } => {
                self.with_lookups(self.update(one, id, request), one, Permissions::UPDATE, request)
            }
            Interaction::ConditionalUpdate { one } => {
                let decision = self.conditional(one, Permissions::UPDATE, On::ConditionAndTarget, request);
                self.with_lookups(decision, one, Permissions::UPDATE | Permissions::SEARCH, request)
            }
            Interaction::Patch { one, id } => self.patch(one, id),
            Interaction::ConditionalPatch { one } => {
                self.conditional(one, Permissions::UPDATE, On::ConditionAndTargetAndResult, request)
            }
            Interaction::Delete { one, id } => self.delete_with(one, id, request),
            Interaction::ConditionalDelete { one } => {
                self.conditional(one, Permissions::DELETE, On::ConditionAndTarget, request)
            }
            Interaction::Bundle => self.bundle(request),
            Interaction::Operation { name, on, post } => self.operation(name, on, post, request),
        }
    }

    /// `GET Patient/123/T?...`, `GET Patient/123/*`. By itself, so that the usual search does not carry what this one keeps.
    #[inline(never)]
    fn search_in(
        &self,
        owner: ResourceType,
        id: &str,
        one: Option<ResourceType>,
        request: &Request<'_>,
    ) -> Decision<'_> {
        let foreign = owner == ResourceType::PATIENT && self.patient.as_deref() != Some(id);
        let levels = if foreign { Levels::NotPatient } else { Levels::All };
        let decision = match one {
            Some(one) => self.search(one, levels, request),
            None => self.search_all(levels, request),
        };
        let mut decision = as_search(decision);
        if let Decision::Filter(filter) = &mut decision {
            filter.asked = match owner {
                ResourceType::PATIENT if !foreign => Asked::OwnCompartment,
                owner => Asked::Compartment(Box::new((owner, id.into()))),
            };
        }
        decision
    }

    fn read(&self, one: ResourceType, id: &str, on: On, request: &Request<'_>) -> Decision<'_> {
        let want = Want::one(one, Permissions::READ);
        let mut decision = match self.gate(want, Some(id)) {
            Gate::Closed(reason) => self.deny_want(reason, want, Some(id), needs_of(one, Permissions::READ)),
            Gate::Open(by) => {
                Decision::Allow(Allowance { by: Some(&by.scope), obligations: Obligations::of_level(by.scope.level) })
            }
            Gate::Filtered => Decision::Filter(Filter::new(self, on, want)),
        };
        if on == On::Results {
            return without_deletions(decision);
        }
        if is_meaningless_to_read(request.query) {
            owe(&mut decision, Obligation::IgnoreQuery);
        }
        decision
    }

    /// A query on a delete could widen it behind the guard (`_cascade=delete`).
    fn delete_with(&self, one: ResourceType, id: &str, request: &Request<'_>) -> Decision<'_> {
        let mut decision = self.delete(one, id);
        if !request.query.is_empty() && decision.goes_on() {
            if is_meaningless_to_read(request.query) {
                return self.deny(Reason::Parameter, needs_of(one, Permissions::DELETE));
            }
            owe(&mut decision, Obligation::IgnoreQuery);
        }
        decision
    }
}

/// Only a plain search can be told as queries.
#[inline]
fn as_search(mut decision: Decision<'_>) -> Decision<'_> {
    if let Decision::Filter(filter) = &mut decision {
        filter.is_search = true;
    }
    decision
}

pub(super) fn owe(decision: &mut Decision<'_>, one: Obligation<'_>) {
    match decision {
        Decision::Allow(allowance) => allowance.obligations.add(one),
        Decision::Filter(filter) => filter.obligations.add(one),
        Decision::Deny(_) => {}
    }
}

/// Deletions carry no content to check, so a history filtered by content leaves them out. Where only the type decides, the type of
/// a deletion is known.
fn without_deletions(mut decision: Decision<'_>) -> Decision<'_> {
    if let Decision::Filter(filter) = &mut decision
        && filter.looks_at_content()
    {
        filter.obligations.add(Obligation::DropDeletedEntries);
    }
    decision
}

/// The letters of an interaction, for a request that is refused before it is judged.
fn needs(interaction: Interaction<'_>) -> Handful<Need> {
    match interaction {
        Interaction::Read { one, .. }
        | Interaction::VersionRead { one, .. }
        | Interaction::InstanceHistory { one, .. } => needs_of(one, Permissions::READ),
        Interaction::TypeHistory { one }
        | Interaction::Search { one }
        | Interaction::CompartmentSearch { one: Some(one), .. } => needs_of(one, Permissions::SEARCH),
        Interaction::SystemHistory | Interaction::SystemSearch | Interaction::CompartmentSearch { one: None, .. } => {
            [Need::of(TypeSelector::All, Permissions::SEARCH)].into()
        }
        Interaction::Create { one } => needs_of(one, Permissions::CREATE),
        Interaction::Update { one, .. } | Interaction::Patch { one, .. } => needs_of(one, Permissions::UPDATE),
        Interaction::ConditionalUpdate { one } | Interaction::ConditionalPatch { one } => {
            needs_of(one, Permissions::UPDATE | Permissions::SEARCH)
        }
        Interaction::Delete { one, .. } => needs_of(one, Permissions::DELETE),
        Interaction::ConditionalDelete { one } => needs_of(one, Permissions::DELETE | Permissions::SEARCH),
        Interaction::Open | Interaction::Bundle | Interaction::Operation { .. } => Handful::default(),
    }
}
