//! What a planned search looks at beyond its own type, parameter by parameter as [`crate::decide`] reads them.

use alloc::vec::Vec;

use super::{Plan, Planned, UnplannableKind};
use crate::decide::query::{MAX_HOPS, Role, pairs, role};
use crate::{Interaction, Permissions, ResourceType, tables};

/// Whether a condition holds an include, which no condition may.
pub(super) fn brings_along(condition: &str) -> bool {
    pairs([condition, ""]).flatten().any(|(name, _)| matches!(role(&name), Role::Include | Role::ReverseInclude))
}

impl Plan {
    /// `from` is the searched type; none where every type is searched, which no chain can start from.
    pub(super) fn links(&mut self, from: Option<ResourceType>, query: &str) -> Planned {
        for pair in pairs([query, ""]) {
            let (name, value) = pair.ok_or(UnplannableKind::Parameter)?;
            match (role(&name), from) {
                (Role::Contained, _) if value == "false" => {}
                (Role::Plain | Role::Format | Role::Types, _) => {}
                (Role::Include, _) => self.include(&value)?,
                (Role::ReverseInclude, _) => {
                    let source = value.split(':').next().and_then(|source| ResourceType::parse(source, self.release));
                    self.one(source.ok_or(UnplannableKind::Parameter)?, Interaction::Search)?;
                }
                (Role::Chain, Some(from)) => self.chain(from, &name)?,
                (Role::Has, Some(_)) => self.has(&name)?,
                (Role::List, Some(_)) => self.list()?,
                (Role::Sort, from) => {
                    for key in value.split(',').filter(|key| key.contains('.')) {
                        self.chain(from.ok_or(UnplannableKind::Parameter)?, key.trim_start_matches('-'))?;
                    }
                }
                (Role::Refused | Role::Contained, _) | (Role::Chain | Role::Has | Role::List, None) => {
                    return Err(UnplannableKind::Parameter);
                }
            }
        }
        Ok(())
    }

    fn include(&mut self, value: &str) -> Planned {
        let mut parts = value.splitn(3, ':');
        let (source, parameter, target) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        if source == "*" || parameter == Some("*") {
            self.all(Interaction::Read);
            return Ok(());
        }
        let source = ResourceType::parse(source, self.release).ok_or(UnplannableKind::Parameter)?;
        let mut targets = self.targets(source, parameter.unwrap_or_default(), target)?;
        // of several, those that never open at this level are simply left out of the answer
        targets.retain(|one| self.reaches(*one, Permissions::READ).is_ok());
        if targets.is_empty() {
            return Err(UnplannableKind::Level);
        }
        targets.into_iter().try_for_each(|one| self.one(one, Interaction::Read))
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

    /// `a:T.b.c`: every type on the way is searched. The last step is a parameter like any other.
    fn chain(&mut self, from: ResourceType, chain: &str) -> Planned {
        let mut here: Vec<ResourceType> = [from].into();
        let Some((steps, last)) = chain.rsplit_once('.') else { return Err(UnplannableKind::Parameter) };
        for (hop, step) in steps.split('.').enumerate() {
            let (name, named) = step.split_once(':').map_or((step, None), |(name, named)| (name, Some(named)));
            let mut next: Vec<ResourceType> =
                here.iter().filter_map(|one| self.targets(*one, name, named).ok()).flatten().collect();
            next.sort_unstable();
            next.dedup();
            if next.is_empty() || hop >= MAX_HOPS {
                return Err(UnplannableKind::Parameter);
            }
            for one in &next {
                self.one(*one, Interaction::Search)?;
            }
            here = next;
        }
        self.last_step(last)
    }

    /// `_has:T:reference:name`, also nested, and with a chain at its end.
    fn has(&mut self, name: &str) -> Planned {
        let mut rest = name;
        for _ in 0..MAX_HOPS {
            let Some(after) = rest.strip_prefix("_has:") else { break };
            let mut parts = after.splitn(3, ':');
            let source = parts
                .next()
                .and_then(|source| ResourceType::parse(source, self.release))
                .ok_or(UnplannableKind::Parameter)?;
            self.one(source, Interaction::Search)?;
            rest = parts.nth(1).ok_or(UnplannableKind::Parameter)?;
            if !rest.starts_with("_has:") {
                return if rest.contains('.') { self.chain(source, rest) } else { self.last_step(rest) };
            }
        }
        Err(UnplannableKind::Parameter)
    }

    /// The parameter at the end of a chain or `_has` may do no more there than in a search of its own, and bring nothing along.
    fn last_step(&mut self, name: &str) -> Planned {
        match role(name) {
            Role::Plain | Role::Format if !name.is_empty() => Ok(()),
            Role::List => self.list(),
            _ => Err(UnplannableKind::Parameter),
        }
    }

    fn list(&mut self) -> Planned {
        let list = ResourceType::parse("List", self.release).ok_or(UnplannableKind::Parameter)?;
        self.one(list, Interaction::Read)
    }
}
