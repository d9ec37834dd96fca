//! Searches: of a type, of everything, of a compartment.

use alloc::borrow::Cow;
use core::mem::take;

use super::branch::On;
use super::filter::Filter;
use super::gate::{Gate, Levels, Want};
use super::handful::Handful;
use super::links::Links;
#[cfg(feature = "json")]
use super::operations::each_parameter;
use super::query::{Pairs, Role, role};
use super::request::{Body, Request};
use super::{Allowance, Decision, Denial, Grant, Need, Reason};
use crate::route::NoRoute;
use crate::{Permissions, ResourceType, TypeSelector};

impl Grant {
    /// `GET T?...`, `POST T/_search`, and the same in a compartment.
    pub(super) fn search(&self, one: ResourceType, levels: Levels, request: &Request<'_>) -> Decision<'_> {
        let want = Want { levels, ..Want::one(one, Permissions::SEARCH) };
        let gate = self.gate(want, None);
        let mut links = Links::default();
        match self.scan(Some(one), request, &mut links, &mut Handful::default()) {
            Ok(()) => self.answer(gate, want, &mut links),
            Err(reason) => self.deny_want(reason, want, None, [Need::of(want.types, want.letters)]),
        }
    }

    fn answer<'g>(&'g self, gate: Gate<'g>, want: Want, links: &mut Links) -> Decision<'g> {
        let refused = if let Gate::Closed(reason) = gate { Some(reason) } else { links.refused };
        if let Some(reason) = refused {
            let (needs, hops_from) = needs_of(want, links);
            let denial = Denial::new(self, reason, needs).at(want.levels);
            return Decision::Deny(if want.limited {
                denial.unlimited_from(hops_from)
            } else {
                denial.unlimited_from(0)
            });
        }
        match gate {
            Gate::Open(by) if !links.narrowed => {
                let mut obligations = take(&mut links.obligations);
                obligations.add_level(by.scope.level);
                Decision::Allow(Allowance { by: Some(&by.scope), obligations })
            }
            _ => {
                let (more, obligations) = (take(&mut links.wants), take(&mut links.obligations));
                Decision::Filter(Filter::with(self, On::Results, want, more, obligations))
            }
        }
    }

    /// `GET /?...`, `POST /_search`, `GET Patient/123/*`: named types must all be granted, otherwise the answer is narrowed.
    pub(super) fn search_all(&self, levels: Levels, request: &Request<'_>) -> Decision<'_> {
        let everything = Want { levels, ..Want::of(TypeSelector::All, Permissions::SEARCH) };
        let (mut links, mut types) = (Links::default(), Handful::default());
        match self.scan(None, request, &mut links, &mut types) {
            Err(reason) => self.deny(reason, []),
            Ok(()) if types.is_empty() => self.answer(self.gate(everything, None), everything, &mut links),
            Ok(()) => {
                let mut wants = types.iter().map(|one| Want { levels, ..Want::one(*one, Permissions::SEARCH) });
                let needs: Handful<Need> = wants.clone().map(|want| Need::of(want.types, want.letters)).collect();
                let mut first: Option<(Want, Gate<'_>)> = None;
                for want in wants.by_ref() {
                    match self.gate(want, None) {
                        Gate::Closed(reason) => return self.deny_want(reason, want, None, needs),
                        gate => {
                            match gate {
                                Gate::Open(by) => links.obligations.add_level(by.scope.level),
                                _ => links.narrowed = true,
                            }
                            match first {
                                None => first = Some((want, gate)),
                                Some(_) => links.wants.push(want),
                            }
                        }
                    }
                }
                match first {
                    Some((want, gate)) => self.answer(gate, want, &mut links),
                    None => self.deny(Reason::NoScope, needs),
                }
            }
        }
    }

    /// Reads query string and form body together: both count. Adds up what they reach, and the types that `_type` names.
    pub(super) fn scan(
        &self,
        one: Option<ResourceType>,
        request: &Request<'_>,
        links: &mut Links,
        types: &mut Handful<ResourceType>,
    ) -> Result<(), Reason> {
        self.links_of(request.query, one, links, types)?;
        match request.body {
            Body::Form(form) => self.links_of(form, one, links, types),
            #[cfg(feature = "json")]
            Body::Json(_) => {
                // an operation that searches takes its parameters in a Parameters resource, too
                let body = Request { query: "", ..*request };
                each_parameter(&body, |name, value| self.link(name, || Ok(Cow::Borrowed(value)), one, links, types))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn links_of(
        &self,
        part: &str,
        one: Option<ResourceType>,
        links: &mut Links,
        types: &mut Handful<ResourceType>,
    ) -> Result<(), Reason> {
        for pair in Pairs::from_first_link(part) {
            let name = pair.name().ok_or(Reason::Parameter)?;
            self.link(&name, || pair.value().ok_or(Reason::Parameter), one, links, types)?;
        }
        Ok(())
    }

    /// What one parameter reaches.
    #[inline]
    fn link<'v>(
        &self,
        name: &str,
        value: impl Fn() -> Result<Cow<'v, str>, Reason>,
        one: Option<ResourceType>,
        links: &mut Links,
        types: &mut Handful<ResourceType>,
    ) -> Result<(), Reason> {
        match (role(name), one) {
            (Role::Plain | Role::Format, _) | (Role::Types, Some(_)) => {}
            (Role::Include, _) => self.include(links, &value()?),
            (Role::ReverseInclude, _) => self.reverse_include(links, &value()?),
            (Role::Chain, Some(one)) => self.chain(links, one, name),
            (Role::Has, Some(_)) => self.has(links, name),
            (Role::Sort, Some(one)) => self.chained_sort(links, one, &value()?),
            (Role::Sort, None) if !value()?.contains('.') => {}
            (Role::List, Some(_)) => self.list(links),
            (Role::Contained, _) if value()? == "false" => {}
            (Role::Types, None) => self.named_in(&value()?, types)?,
            (Role::Refused | Role::Contained, _) | (Role::Chain | Role::Has | Role::Sort | Role::List, None) => {
                return Err(Reason::Parameter);
            }
        }
        Ok(())
    }

    fn named_in(&self, list: &str, types: &mut Handful<ResourceType>) -> Result<(), Reason> {
        for name in list.split(',') {
            types.insert(ResourceType::parse(name, self.release).ok_or(Reason::NoRoute(NoRoute::UnknownType))?);
        }
        Ok(())
    }
}

/// All that a search needs, and from where on it is hops.
fn needs_of(want: Want, links: &Links) -> (Handful<Need>, usize) {
    let mut needs = Handful::from([Need::of(want.types, want.letters)]);
    let is_more = |need: &&Need| need.types != want.types || need.letters != want.letters;
    links.needs.iter().filter(is_more).for_each(|need| needs.push(*need));
    let hops_from = needs.len();
    links.hops.iter().for_each(|need| needs.push(*need));
    (needs, hops_from)
}
