//! What a search reaches beyond its own type: includes bring resources along, chains and `_has` ask about them.

use alloc::vec::Vec;

use super::branch::Reach;
use super::gate::{Gate, Want};
use super::handful::Handful;
use super::obligations::{Obligation, Obligations};
use super::query::{MAX_HOPS, Role, role};
use super::{Grant, Need, Reason};
use crate::marks::cut;
use crate::resource_type::TypeSet;
use crate::{Permissions, ResourceType, TypeSelector, tables};

/// What the links of one search add up to.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// Types that come along, each with its own filter.
    pub(super) wants: Handful<Want>,
    pub(super) obligations: Obligations,
    /// Whether anything that comes along must be looked at.
    pub(super) narrowed: bool,
    pub(super) refused: Option<Reason>,
    /// What the types that come along need.
    pub(super) needs: Handful<Need>,
    /// What the hops of chains and `_has` need: no scope with a limit.
    pub(super) hops: Handful<Need>,
}

/// What one include brings along.
#[derive(Default)]
struct Brought {
    granted: TypeSet,
    /// Whether any type is granted.
    something: bool,
    /// Whether a type that it names is not granted.
    incomplete: bool,
    /// Whether a granted type is open to everyone.
    untied: bool,
}

impl Links {
    fn want(&mut self, want: Want) {
        self.wants.insert(want);
    }

    fn refuse(&mut self, reason: Reason) {
        self.refused = self.refused.or(Some(reason));
    }

    fn strip(&mut self, value: &str) {
        self.obligations.add(Obligation::StripInclude(value));
        self.narrowed = true;
    }
}

/// `Source:parameter:Target`, of which the last two may be absent. What follows a second colon is one part.
fn in_three(value: &str) -> (&str, Option<&str>, Option<&str>) {
    let Some((source, _, rest)) = cut(value, [b':']) else { return (value, None, None) };
    match cut(rest, [b':']) {
        None => (source, Some(rest), None),
        Some((parameter, _, target)) => (source, Some(parameter), Some(target)),
    }
}

impl Grant {
    /// `_include=Source:parameter[:Target]`: a granted target comes along by `r` or `s`, the others are left out.
    pub(super) fn include(&self, links: &mut Links, value: &str) {
        let (source, parameter, target) = in_three(value);
        let source_type = ResourceType::parse(source, self.release);
        if source == "*" && parameter.is_none() || source_type.is_some() && parameter == Some("*") && target.is_none() {
            return self.include_everything(links, value);
        }
        let (Some(source_type), Some(parameter)) = (source_type, parameter) else { return links.strip(value) };
        let named = match target {
            Some(target) => match ResourceType::parse(target, self.release) {
                Some(target) => Some(target),
                None => return links.strip(value),
            },
            None => None,
        };
        let mut brought = Brought::default();
        match named {
            Some(one) => self.bring_along(links, &mut brought, one),
            None => {
                if let Some(found) = tables::parameter(self.release, source_type, parameter) {
                    found.targets().for_each(|one| self.bring_along(links, &mut brought, one));
                }
            }
        }
        if !brought.something {
            return links.strip(value);
        }
        if brought.incomplete {
            links.narrowed = true;
            // where a granted type is not tied to the patient, the type is all that tells what may come along
            if brought.untied {
                links.obligations.add(Obligation::IncludeTypes(&brought.granted.iter().collect::<Vec<_>>()));
            }
        }
    }

    /// A type that an include brings along, by the better of `r` and `s`.
    fn bring_along(&self, links: &mut Links, brought: &mut Brought, one: ResourceType) {
        let (read, search) = self.gates_along(one);
        for (gate, letter) in [(&read, Permissions::READ), (&search, Permissions::SEARCH)] {
            if !matches!(gate, Gate::Closed(_)) {
                links.want(Want::along(TypeSelector::One(one), letter));
            }
        }
        match (read, search) {
            (Gate::Closed(_), Gate::Closed(_)) => {
                brought.incomplete = true;
                return;
            }
            (Gate::Open(by), _) | (_, Gate::Open(by)) => {
                brought.untied = true;
                links.obligations.add_level(by.scope.level);
            }
            _ => links.narrowed = true,
        }
        brought.something = true;
        brought.granted.insert(one);
        links.needs.insert(Need::of(TypeSelector::One(one), Permissions::READ));
    }

    fn include_everything(&self, links: &mut Links, value: &str) {
        links.needs.push(Need::of(TypeSelector::All, Permissions::READ));
        let mut any = false;
        for letter in [Permissions::READ, Permissions::SEARCH] {
            let want = Want::along(TypeSelector::All, letter);
            match self.gate(want, None) {
                Gate::Open(by) => {
                    links.obligations.add_level(by.scope.level);
                    links.want(want);
                    return;
                }
                Gate::Filtered => {
                    links.want(want);
                    any = true;
                }
                Gate::Closed(_) => {}
            }
        }
        if any { links.narrowed = true } else { links.strip(value) }
    }

    /// `_revinclude=Source:parameter`: a search of the source type, so it needs `s`.
    pub(super) fn reverse_include(&self, links: &mut Links, value: &str) {
        let (source, parameter, _target) = in_three(value);
        let source = ResourceType::parse(source, self.release);
        let Some(source) = source else { return links.strip(value) };
        links.needs.push(Need::of(TypeSelector::One(source), Permissions::SEARCH));
        let want = Want::along(TypeSelector::One(source), Permissions::SEARCH);
        match self.gate(want, None) {
            Gate::Open(by) => {
                links.obligations.add_level(by.scope.level);
                links.want(want);
            }
            // US Core asks for the provenance of what is in the answer; only that of the Patient is in the compartment itself
            Gate::Filtered if source.name() == "Provenance" && parameter == Some("target") => {
                links.want(Want { target_in_results: true, ..want });
                if !self.only_patient(source) {
                    links.want(want);
                }
                links.narrowed = true;
            }
            Gate::Filtered => {
                links.want(want);
                links.narrowed = true;
            }
            Gate::Closed(_) => links.strip(value),
        }
    }

    fn only_patient(&self, one: ResourceType) -> bool {
        self.scopes_with(Permissions::SEARCH)
            .filter(|compiled| compiled.scope.types.includes(one))
            .all(|compiled| compiled.scope.level == crate::Level::Patient)
    }

    /// `a.b.c` on a type: every type on the way is searched.
    pub(super) fn chain(&self, links: &mut Links, from: ResourceType, chain: &str) {
        let mut here: TypeSet = [from].into_iter().collect();
        for (hop, step) in chain.split('.').enumerate() {
            if hop > 0 {
                for one in here.iter() {
                    self.hop(links, one);
                }
            }
            if chain.split('.').count() == hop + 1 {
                return self.last_step(links, step);
            }
            if hop == MAX_HOPS || step.is_empty() {
                return links.refuse(Reason::Parameter);
            }
            here = match self.follow(&here, step) {
                Some(next) => next,
                None => return links.refuse(Reason::Parameter),
            };
        }
    }

    /// What the types at the end of a chain or `_has` are asked for.
    fn last_step(&self, links: &mut Links, name: &str) {
        match role(name) {
            Role::Plain | Role::Format if !name.is_empty() => {}
            Role::List => self.list(links),
            _ => links.refuse(Reason::Parameter),
        }
    }

    /// The types that one step of a chain leads to; without `:Type` every target counts.
    fn follow(&self, from: &TypeSet, step: &str) -> Option<TypeSet> {
        let (name, named) = match step.split_once(':') {
            Some((name, target)) => (name, Some(ResourceType::parse(target, self.release)?)),
            None => (step, None),
        };
        let mut targets = TypeSet::default();
        for one in from.iter() {
            let Some(found) = tables::parameter(self.release, one, name) else { continue };
            match named {
                Some(named) => targets.extend([named]),
                None => targets.extend(found.targets()),
            }
        }
        (!targets.is_empty()).then_some(targets)
    }

    /// `_has:T:reference:name`, also nested, and with a chain at its end.
    pub(super) fn has(&self, links: &mut Links, name: &str) {
        let mut rest = name;
        for _ in 0..MAX_HOPS {
            let mut parts = rest.splitn(4, ':');
            let (_has, source, _reference, last) = (parts.next(), parts.next(), parts.next(), parts.next());
            let source = source.and_then(|source| ResourceType::parse(source, self.release));
            let (Some(source), Some(last)) = (source, last) else { return links.refuse(Reason::Parameter) };
            self.hop(links, source);
            if last.starts_with("_has:") {
                rest = last;
                continue;
            }
            return if last.contains('.') {
                self.chain(links, source, last);
            } else {
                self.last_step(links, last);
            };
        }
        links.refuse(Reason::Parameter);
    }

    /// `_sort=a.b`: orders by data of another type.
    pub(super) fn chained_sort(&self, links: &mut Links, from: ResourceType, value: &str) {
        for key in value.split(',').filter(|key| key.contains('.')) {
            self.chain(links, from, key.trim_start_matches('-'));
        }
    }

    /// `_list=id`: shows what a List holds.
    pub(super) fn list(&self, links: &mut Links) {
        let Some(list) = ResourceType::parse("List", self.release) else { return links.refuse(Reason::Parameter) };
        self.hop_with(links, list, Permissions::READ);
    }

    fn hop(&self, links: &mut Links, one: ResourceType) {
        self.hop_with(links, one, Permissions::SEARCH);
    }

    /// A hop cannot be narrowed: some scope without a limit must open it.
    fn hop_with(&self, links: &mut Links, one: ResourceType, letter: Permissions) {
        let need = Need::of(TypeSelector::One(one), letter);
        links.hops.insert(need);
        let reaches = |compiled: &super::grant::Compiled| {
            if compiled.limit.is_some() || !compiled.scope.types.includes(one) {
                None
            } else {
                self.reach(compiled, one, letter)
            }
        };
        let (mut open, mut inside) = (None, false);
        for compiled in self.scopes_with(letter) {
            match reaches(compiled) {
                Some(Reach::Everyone | Reach::Shared) => open = open.max(Some(compiled.scope.level)),
                Some(_) => inside = true,
                None => {}
            }
        }
        if let Some(level) = open {
            return links.obligations.add_level(level);
        }
        if inside {
            links.obligations.add(Obligation::ChainInCompartment);
            // following a chain freely would tell about others, so the answer is never simply allowed
            links.narrowed = true;
            return;
        }
        let limited =
            self.scopes_with(letter).any(|compiled| compiled.limit.is_some() && compiled.scope.types.includes(one));
        links.refuse(if limited { Reason::LimitedScope } else { Reason::NoScope });
    }
}
