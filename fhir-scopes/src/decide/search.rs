//! Searches: of a type, of everything, of a compartment.

use super::branch::On;
use super::filter::Filter;
use super::gate::{Gate, Levels, Want};
use super::handful::Handful;
use super::links::Links;
use super::obligations::Obligations;
use super::query::{Role, first_of, pairs, role};
use super::request::{Body, Request};
use super::{Allowance, Decision, Grant, Need, Reason};
use crate::route::NoRoute;
use crate::{Permissions, ResourceType, TypeSelector};

/// What a search asks for, before its links.
pub(super) struct Scan {
    /// Named by `_type`; empty when none is.
    pub(super) types: Handful<ResourceType>,
    pub(super) links: Links,
}

impl Grant {
    /// `GET T?...`, `POST T/_search`, and the same in a compartment.
    pub(super) fn search(&self, one: ResourceType, levels: Levels, request: &Request<'_>) -> Decision<'_> {
        let want = Want { levels, ..Want::one(one, Permissions::SEARCH) };
        let gate = self.gate(want, None);
        // the common case: nothing but plain parameters
        if !has_links(request) {
            return self.answer(gate, want, Links::default());
        }
        match self.scan(Some(one), request) {
            Ok(scan) => self.answer(gate, want, scan.links),
            Err(reason) => self.deny(reason, [Need::of(want.types, want.letters)]),
        }
    }

    fn answer<'g>(&'g self, gate: Gate<'g>, want: Want, links: Links) -> Decision<'g> {
        if let Gate::Closed(reason) = gate {
            return self.deny(reason, with_main(want, &links.needs));
        }
        if let Some(reason) = links.refused {
            return self.deny(reason, with_main(want, &links.needs));
        }
        match gate {
            Gate::Open(by) if !links.narrowed => {
                let mut obligations = Obligations::of_level(by.scope.level);
                obligations.add_all(&links.obligations);
                Decision::Allow(Allowance { by: Some(&by.scope), obligations })
            }
            _ => {
                let mut filter = Filter::with(self, On::Results, want, links.wants);
                filter.obligations.add_all(&links.obligations);
                Decision::Filter(filter)
            }
        }
    }

    /// `GET /?...`, `POST /_search`, `GET Patient/123/*`: named types must all be granted, otherwise the answer is narrowed.
    pub(super) fn search_all(&self, levels: Levels, request: &Request<'_>) -> Decision<'_> {
        let everything = Want { levels, ..Want::of(TypeSelector::All, Permissions::SEARCH) };
        match self.scan(None, request) {
            Err(reason) => self.deny(reason, []),
            Ok(Scan { types, links }) if types.is_empty() => {
                self.answer(self.gate(everything, None), everything, links)
            }
            Ok(Scan { types, mut links }) => {
                let mut wants = types.iter().map(|one| Want { levels, ..Want::one(*one, Permissions::SEARCH) });
                let needs: Handful<Need> = wants.clone().map(|want| Need::of(want.types, want.letters)).collect();
                let mut first: Option<(Want, Gate<'_>)> = None;
                for want in wants.by_ref() {
                    match self.gate(want, None) {
                        Gate::Closed(reason) => return self.deny(reason, needs),
                        gate => {
                            links.narrowed |= matches!(gate, Gate::Filtered);
                            match first {
                                None => first = Some((want, gate)),
                                Some(_) => links.wants.push(want),
                            }
                        }
                    }
                }
                match first {
                    Some((want, gate)) => self.answer(gate, want, links),
                    None => self.deny(Reason::NoScope, needs),
                }
            }
        }
    }

    /// Reads query string and form body together: both count.
    pub(super) fn scan(&self, one: Option<ResourceType>, request: &Request<'_>) -> Result<Scan, Reason> {
        let mut scan = Scan { types: Handful::default(), links: Links::default() };
        let links = &mut scan.links;
        for pair in pairs([request.query, form(request)]) {
            let Some((name, value)) = pair else { return Err(Reason::Parameter) };
            match (role(&name), one) {
                (Role::Plain | Role::Format, _) | (Role::Types, Some(_)) => {}
                (Role::Include, _) => self.include(links, &value),
                (Role::ReverseInclude, _) => self.reverse_include(links, &value),
                (Role::Chain, Some(one)) => self.chain(links, one, &name),
                (Role::Has, Some(_)) => self.has(links, &name),
                (Role::Sort, Some(one)) => self.chained_sort(links, one, &value),
                (Role::Sort, None) if !value.contains('.') => {}
                (Role::List, Some(_)) => self.list(links),
                (Role::Types, None) => {
                    for name in value.split(',') {
                        let one =
                            ResourceType::parse(name, self.release).ok_or(Reason::NoRoute(NoRoute::UnknownType))?;
                        scan.types.insert(one);
                    }
                }
                (Role::Refused, _) | (Role::Chain | Role::Has | Role::Sort | Role::List, None) => {
                    return Err(Reason::Parameter);
                }
            }
        }
        Ok(scan)
    }
}

fn form<'a>(request: &Request<'a>) -> &'a str {
    match request.body {
        Body::Form(form) => form,
        _ => "",
    }
}

/// Whether any parameter could reach beyond the searched type. Looks at the bytes of names only, so that plain searches cost little.
fn has_links(request: &Request<'_>) -> bool {
    [request.query, form(request)].into_iter().any(|part| {
        let mut rest = part.as_bytes();
        while !rest.is_empty() {
            let name = first_of(rest, [b'=', b'&']).unwrap_or(rest.len());
            if first_of(rest.get(..name).unwrap_or_default(), [b'_', b'%', b'+', b'.']).is_some() {
                return true;
            }
            rest = rest.get(name..).unwrap_or_default();
            let next = first_of(rest, [b'&']).map_or(rest.len(), |at| at + 1);
            rest = rest.get(next..).unwrap_or_default();
        }
        false
    })
}

fn with_main(want: Want, more: &[Need]) -> Handful<Need> {
    let mut needs = Handful::from([Need::of(want.types, want.letters)]);
    for need in more.iter().filter(|need| need.types != want.types || need.letters != want.letters) {
        needs.push(*need);
    }
    needs
}
