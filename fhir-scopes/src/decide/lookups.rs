//! Conditional references (FHIR "conditional references" of the transaction interaction): content that says `Encounter?identifier=a|1` in
//! place of an id makes the server search.
//!
//! FHIR defines them inside transactions, and some servers resolve them in every write, so they count wherever content is given. The
//! answer tells whether there is a match, and what is stored then points at it: such a write needs `s` on the type, and the search sees
//! only what passes. Content that is not handed in, and a patch, is the server's to look at.

use serde_json::Value;

use super::filter::Filter;
use super::gate::{Gate, Want};
use super::handful::Handful;
use super::obligations::Obligations;
use super::write::needs_of;
use super::{Allowance, Body, Decision, Grant, Need, On, Reason, Request};
use crate::{Permissions, ResourceType, TypeSelector};

/// What content makes the server search for.
#[derive(Default)]
struct Lookups {
    types: Handful<ResourceType>,
    /// Whether a condition asks about more than its own type.
    reach_further: bool,
}

impl Lookups {
    fn wants(&self) -> impl Iterator<Item = Want> {
        self.types.iter().map(|one| Want::one(*one, Permissions::SEARCH))
    }

    fn needs(&self) -> impl Iterator<Item = Need> {
        self.types.iter().map(|one| Need::of(TypeSelector::One(*one), Permissions::SEARCH))
    }
}

impl Grant {
    /// The decision about a write that needs these letters on a type, together with what its content makes the server search for.
    pub(super) fn with_lookups<'g>(
        &'g self,
        decision: Decision<'g>,
        one: ResourceType,
        letters: Permissions,
        request: &Request<'_>,
    ) -> Decision<'g> {
        let Body::Json(content) = request.body else { return decision };
        let mut lookups = Lookups::default();
        self.collect(content, &mut lookups);
        if lookups.types.is_empty() {
            return decision;
        }
        let needs = || needs_of(one, letters).iter().copied().chain(lookups.needs()).collect::<Handful<_>>();
        if lookups.reach_further {
            return self.deny(Reason::Parameter, needs());
        }
        if let Decision::Deny(denial) = decision {
            return Decision::Deny(denial.needing(lookups.needs()));
        }
        let (mut levels, mut narrowed) = (Obligations::default(), false);
        for want in lookups.wants() {
            match self.gate(want, None) {
                Gate::Open(by) => levels.add_level(by.scope.level),
                Gate::Filtered => narrowed = true,
                Gate::Closed(reason) => return self.deny(reason, needs()),
            }
        }
        match decision {
            Decision::Allow(Allowance { by, mut obligations }) if !narrowed => {
                obligations.add_all(&levels);
                Decision::Allow(Allowance { by, obligations })
            }
            Decision::Filter(mut filter) => {
                lookups.wants().for_each(|want| filter.also(want));
                Decision::Filter(filter)
            }
            decision => {
                let mut wants = lookups.wants();
                let Some(first) = wants.next() else { return decision };
                let owed = decision.obligations().clone();
                Decision::Filter(Filter::with(self, On::Condition, first, wants.collect(), owed))
            }
        }
    }

    fn collect(&self, content: &Value, lookups: &mut Lookups) {
        match content {
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(text) if name == "reference" => self.collect_one(text, lookups),
                        other => self.collect(other, lookups),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item, lookups)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn collect_one(&self, reference: &str, lookups: &mut Lookups) {
        let Some((target, condition)) = reference.split_once('?') else { return };
        // what leaves this server or names no type is searched by nobody
        let Some(name) = self.relative(target).map(|own| own.trim_start_matches('/')) else { return };
        let Some(one) = ResourceType::parse(name, self.release) else { return };
        lookups.types.insert(one);
        lookups.reach_further |= self.conditions_reach_further(one, condition);
    }
}
