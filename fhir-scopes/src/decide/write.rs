//! Writes: the stored resource and the new content must both pass, else a client could pull a record into its slice or push one out.

use super::branch::On;
use super::filter::Filter;
use super::gate::{Gate, Want};
use super::grant::Compiled;
use super::handful::Handful;
use super::links::Links;
use super::obligations::{Obligation, Obligations};
use super::query::has_condition;
use super::request::{Body, Request};
use super::{Allowance, Decision, Grant, Need, Reason};
use crate::{Permissions, ResourceType, TypeSelector};

/// What the content of a write says about the request.
enum Content<'g> {
    /// With the scope that takes it, where the content decides that.
    Passes(Option<&'g Compiled>),
    Refused(Reason),
}

impl Grant {
    /// `POST T`. With `If-None-Exist` it also searches: its answer shows whether a match exists.
    pub(super) fn create(&self, one: ResourceType, request: &Request<'_>) -> Decision<'_> {
        let want = Want::one(one, Permissions::CREATE);
        let needs = || needs_of(one, create_letters(request));
        let gate = self.gate(want, None);
        if let Gate::Closed(reason) = gate {
            return self.deny(reason, needs());
        }
        let by = match (self.content(want, None, gate, request.body), gate) {
            (Content::Refused(reason), _) => return self.deny(reason, needs()),
            (Content::Passes(_), Gate::Open(by)) => Some(by),
            (Content::Passes(by), _) => by,
        };
        let mut obligations = by.map_or_else(Obligations::default, |by| Obligations::of_level(by.scope.level));
        if let Some(condition) = request.if_none_exist {
            if self.conditions_reach_further(one, condition) {
                return self.deny(Reason::Parameter, needs());
            }
            let condition = Want::one(one, Permissions::SEARCH);
            match self.gate(condition, None) {
                Gate::Closed(reason) => return self.deny(reason, needs()),
                Gate::Filtered => {
                    let more = Handful::default();
                    return Decision::Filter(Filter::with(self, On::Condition, condition, more, obligations));
                }
                Gate::Open(by) => obligations.add_level(by.scope.level),
            }
        }
        Decision::Allow(Allowance { by: by.map(|by| &by.scope), obligations })
    }

    /// `PUT T/id`, also where nothing is stored yet.
    pub(super) fn update(&self, one: ResourceType, id: &str, request: &Request<'_>) -> Decision<'_> {
        let want = Want::one(one, Permissions::UPDATE);
        let gate = self.gate(want, Some(id));
        if let Gate::Closed(reason) = gate {
            return self.deny_want(reason, want, Some(id), needs_of(one, Permissions::UPDATE));
        }
        if let Content::Refused(reason) = self.content(want, Some(id), gate, request.body) {
            return self.deny(reason, needs_of(one, Permissions::UPDATE));
        }
        self.changed(one, gate, On::Target, want)
    }

    /// `PATCH T/id`: the patched resource must pass as well as the stored one.
    pub(super) fn patch(&self, one: ResourceType, id: &str) -> Decision<'_> {
        let want = Want::one(one, Permissions::UPDATE);
        match self.gate(want, Some(id)) {
            Gate::Closed(reason) => self.deny_want(reason, want, Some(id), needs_of(one, Permissions::UPDATE)),
            gate => self.changed(one, gate, On::TargetAndResult, want),
        }
    }

    /// `DELETE T/id`
    pub(super) fn delete(&self, one: ResourceType, id: &str) -> Decision<'_> {
        let want = Want::one(one, Permissions::DELETE);
        match self.gate(want, Some(id)) {
            Gate::Closed(reason) => self.deny_want(reason, want, Some(id), needs_of(one, Permissions::DELETE)),
            Gate::Filtered => Decision::Filter(Filter::new(self, On::Target, want)),
            Gate::Open(by) => self.written(one, by, want),
        }
    }

    /// `PUT T?...`, `PATCH T?...`, `DELETE T?...`: the letter and `s`.
    pub(super) fn conditional(
        &self,
        one: ResourceType,
        letter: Permissions,
        on: On,
        request: &Request<'_>,
    ) -> Decision<'_> {
        let letters = letter | Permissions::SEARCH;
        let want = Want::one(one, letters);
        // without a condition these would be about every resource of the type
        if !has_condition(request.query) || self.conditions_reach_further(one, request.query) {
            return self.deny(Reason::Parameter, needs_of(one, letters));
        }
        let gate = self.gate(want, None);
        if let Gate::Closed(reason) = gate {
            return self.deny(reason, needs_of(one, letters));
        }
        let replaces = on == On::ConditionAndTarget && letter == Permissions::UPDATE;
        if replaces {
            let content = Want::one(one, letter);
            if let Content::Refused(reason) = self.content(content, None, self.gate(content, None), request.body) {
                return self.deny(reason, needs_of(one, letters));
            }
        }
        match gate {
            Gate::Filtered if letter == Permissions::DELETE => Decision::Filter(Filter::new(self, on, want)),
            Gate::Open(by) => self.written(one, by, want),
            gate => self.changed(one, gate, on, want),
        }
    }

    /// Chains and the like inside a condition would ask about other types.
    pub(super) fn conditions_reach_further(&self, one: ResourceType, query: &str) -> bool {
        let condition = Request::get("", query);
        let mut links = Links::default();
        let read = self.scan(Some(one), &condition, &mut links, &mut Handful::default());
        read.is_err() || links.refused.is_some() || links.narrowed || !links.wants.is_empty()
    }

    /// The answer to an update or patch would show the record to a client that may not read it.
    fn changed<'g>(&'g self, one: ResourceType, gate: Gate<'g>, on: On, want: Want) -> Decision<'g> {
        if let Gate::Open(by) = gate {
            return self.written(one, by, want);
        }
        let mut filter = Filter::new(self, on, want);
        if !self.may_show(one) {
            filter.obligations.add(Obligation::ReturnMinimal);
        }
        Decision::Filter(filter)
    }

    fn written<'g>(&'g self, one: ResourceType, by: &'g Compiled, want: Want) -> Decision<'g> {
        let mut obligations = Obligations::of_level(by.scope.level);
        self.owe_letters(want, &mut obligations);
        if want.letters.contains(Permissions::UPDATE) && !self.may_show(one) {
            obligations.add(Obligation::ReturnMinimal);
        }
        Decision::Allow(Allowance { by: Some(&by.scope), obligations })
    }

    /// Whether every scope that may change the type comes with a right to read the same resources.
    fn may_show(&self, one: ResourceType) -> bool {
        let includes = |compiled: &&Compiled| compiled.scope.types.includes(one);
        self.scopes_with(Permissions::UPDATE).filter(includes).all(|writes| {
            self.scopes_with(Permissions::READ).filter(includes).any(|reads| {
                reads.scope.level == writes.scope.level && writes.scope.limit.implies(&reads.scope.limit)
                    || reads.scope.level != crate::Level::Patient && reads.scope.limit.is_none()
            })
        })
    }

    #[cfg(feature = "json")]
    fn content(&self, want: Want, id: Option<&str>, gate: Gate<'_>, body: Body<'_>) -> Content<'_> {
        let Body::Json(resource) = body else {
            return if matches!(gate, Gate::Open(by) if by.scope.level != crate::Level::Patient) {
                Content::Passes(None)
            } else {
                Content::Refused(Reason::ContentMissing)
            };
        };
        let TypeSelector::One(one) = want.types else { return Content::Refused(Reason::Content) };
        let body_id = resource.get("id").and_then(serde_json::Value::as_str);
        let other_type = resource.get("resourceType").and_then(serde_json::Value::as_str) != Some(one.name());
        if other_type
            || id.is_some_and(|id| body_id.is_some_and(|own| own != id))
            || resource.get("id").is_some() && body_id.is_none()
        {
            return Content::Refused(Reason::Content);
        }
        match self.taker(want, one, resource) {
            Some(by) => Content::Passes(Some(by)),
            None => Content::Refused(Reason::Content),
        }
    }

    #[cfg(not(feature = "json"))]
    #[allow(clippy::unused_self, reason = "the one that looks at content needs it")]
    pub(super) const fn with_lookups<'g>(
        &self,
        decision: Decision<'g>,
        _one: ResourceType,
        _letters: Permissions,
        _request: &Request<'_>,
    ) -> Decision<'g> {
        decision
    }

    #[cfg(not(feature = "json"))]
    #[allow(clippy::unused_self, reason = "the one that looks at content needs it")]
    fn content(&self, _want: Want, _id: Option<&str>, gate: Gate<'_>, _body: Body<'_>) -> Content<'_> {
        match gate {
            Gate::Open(by) if by.scope.level != crate::Level::Patient => Content::Passes(None),
            _ => Content::Refused(Reason::ContentMissing),
        }
    }
}

/// What a create needs: with `If-None-Exist` it also searches.
pub(super) fn create_letters(request: &Request<'_>) -> Permissions {
    if request.if_none_exist.is_some() { Permissions::CREATE | Permissions::SEARCH } else { Permissions::CREATE }
}

/// Each letter by itself, as requests are told in words.
pub(super) fn needs_of(one: ResourceType, letters: Permissions) -> Handful<Need> {
    letters.letters().map(|letter| Need::of(TypeSelector::One(one), letter)).collect()
}
