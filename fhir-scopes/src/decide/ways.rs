//! The ways to pass a filter, collected so that the longest token stays affordable.
//!
//! A scope that gives every letter is a way by itself; the others count only together. Pairs of pairs would grow without end, so what
//! another way covers is dropped at once, and no more than [`MAX_COMBINATIONS`] are looked at.

use alloc::vec::Vec;

use super::branch::{Branch, Reach};
use super::filter::Filter;
use super::gate::Want;
use super::grant::Compiled;
use crate::{Level, Permissions, ResourceScope, TypeSelector};

/// The most scopes, and combinations of scopes, that [`Filter::branches`] looks at.
///
/// ```
/// assert_eq!(fhir_scopes::decide::MAX_COMBINATIONS, 1024);
/// ```
pub const MAX_COMBINATIONS: usize = 1024;

/// Ways to pass of which none covers another.
#[derive(Default)]
pub(super) struct Ways<'g> {
    pub(super) branches: Vec<Branch<'g>>,
    looked_at: usize,
}

impl Ways<'_> {
    /// Whether every combination has been looked at.
    pub(super) const fn are_all(&self) -> bool {
        self.looked_at <= MAX_COMBINATIONS
    }

    /// One more combination; false where there are too many.
    const fn look(&mut self) -> bool {
        if self.are_all() {
            self.looked_at += 1;
        }
        self.are_all()
    }
}

/// Adds a way unless a known one covers it, and drops those that it covers; of equals the first stays.
fn keep<'g>(known: &mut Vec<Branch<'g>>, branch: Branch<'g>) {
    if !known.iter().any(|other| other.covers(&branch)) {
        known.retain(|other| !branch.covers(other));
        known.push(branch);
    }
}

impl<'g> Filter<'g> {
    pub(super) fn ways(&self) -> Ways<'g> {
        let mut ways = Ways::default();
        for want in self.wants() {
            self.add_ways(&mut ways, want);
        }
        ways
    }

    fn add_ways(&self, ways: &mut Ways<'g>, want: Want) {
        // 1 whole scopes
        for branch in self.counted(want, want.letters).filter_map(|compiled| self.branch(want, compiled, want.letters))
        {
            if !ways.look() {
                return;
            }
            keep(&mut ways.branches, branch);
        }
        if want.letters.is_single() {
            return;
        }
        // 2 the rest together: with a whole scope in the combination, that scope alone covers it
        let mut together: Option<Vec<Branch<'g>>> = None;
        for letter in want.letters.letters() {
            let with = self.parts(ways, want, letter);
            let found = match together {
                None => with,
                Some(sofar) => pairwise(ways, &sofar, &with),
            };
            together = Some(found);
        }
        // 3 the combinations do not cover each other any more
        let known = &mut ways.branches;
        let mut fresh = together.unwrap_or_default();
        fresh.retain(|branch| !known.iter().any(|other| other.covers(branch)));
        known.retain(|other| !fresh.iter().any(|branch| branch.covers(other)));
        known.append(&mut fresh);
    }

    /// What the scopes with this letter reach that do not reach it with all letters of the want.
    fn parts(&self, ways: &mut Ways<'g>, want: Want, letter: Permissions) -> Vec<Branch<'g>> {
        let mut parts = Vec::new();
        let is_whole = |compiled: &'g Compiled| {
            compiled.scope.permissions.contains(want.letters) && self.reached(want, compiled, want.letters).is_some()
        };
        for compiled in self.counted(want, letter).filter(|compiled| !is_whole(compiled)) {
            let Some(branch) = self.branch(want, compiled, letter) else { continue };
            if !ways.look() {
                break;
            }
            keep(&mut parts, branch);
        }
        parts
    }

    /// The scopes with these letters that count for a want.
    fn counted(&self, want: Want, letters: Permissions) -> impl Iterator<Item = &'g Compiled> + use<'g> {
        self.grant
            .scopes_with(letters)
            .filter(move |compiled| want.counts(&compiled.scope) && (want.limited || compiled.limit.is_none()))
    }

    /// What a scope reaches with all of these letters, each for the same data.
    fn reached(&self, want: Want, compiled: &'g Compiled, letters: Permissions) -> Option<(TypeSelector, Reach<'g>)> {
        let types = compiled.scope.types.intersect(want.types)?;
        let mut reaches = letters.letters().map(|letter| self.reach(want, compiled, types, letter));
        let reach = reaches.next()??;
        reaches.all(|other| other == Some(reach)).then_some((types, reach))
    }

    fn branch(&self, want: Want, compiled: &'g Compiled, letters: Permissions) -> Option<Branch<'g>> {
        let scope = &compiled.scope;
        let (types, reach) = self.reached(want, compiled, letters)?;
        let limits = if scope.limit.is_none() { Vec::new() } else { [&scope.limit].into() };
        Some(Branch { types, reach, limits, scopes: [scope].into() })
    }

    fn reach(&self, want: Want, compiled: &'g Compiled, types: TypeSelector, letter: Permissions) -> Option<Reach<'g>> {
        match types {
            _ if want.target_in_results => Some(Reach::TargetInResults),
            TypeSelector::One(one) => self.grant.reach(compiled, one, letter),
            TypeSelector::All if compiled.scope.level == Level::Patient => {
                Some(Reach::ByClass(self.grant.patient.as_deref()?))
            }
            TypeSelector::All => Some(Reach::Everyone),
        }
    }

    /// Whether these types pass without a look at the content: each letter is open to everyone, by whatever scope.
    pub(super) fn opens(&self, types: TypeSelector) -> bool {
        let open = |want: Want, letter| {
            self.counted(want, letter).any(|compiled| {
                compiled.limit.is_none()
                    && compiled.scope.types.covers(types)
                    && self.reach(want, compiled, types, letter) == Some(Reach::Everyone)
            })
        };
        self.wants().any(|want| want.types.covers(types) && want.letters.letters().all(|letter| open(want, letter)))
    }

    /// Whether a scope counts whose types do not pass without a look at the content.
    pub(super) fn looks_into_some(&self) -> bool {
        self.wants().any(|want| {
            want.letters.letters().any(|letter| {
                self.counted(want, letter).any(|compiled| {
                    let types = compiled.scope.types.intersect(want.types);
                    types.is_some_and(|types| {
                        self.reach(want, compiled, types, letter)
                            .is_some_and(|reach| reach != Reach::Everyone || compiled.limit.is_some())
                            && !self.opens(types)
                    })
                })
            })
        })
    }

    /// Every scope that may have decided.
    pub(super) fn all_scopes(&self) -> impl Iterator<Item = &'g ResourceScope<'static>> {
        let counts = |compiled: &&'g Compiled| {
            self.wants().any(|want| {
                want.counts(&compiled.scope)
                    && (want.limited || compiled.limit.is_none())
                    && compiled.scope.permissions.intersects(want.letters)
                    && compiled.scope.types.intersect(want.types).is_some()
            })
        };
        self.grant.scopes.iter().filter(counts).map(|compiled| &compiled.scope)
    }
}

/// Every combination that reaches something.
fn pairwise<'g>(ways: &mut Ways<'g>, own: &[Branch<'g>], others: &[Branch<'g>]) -> Vec<Branch<'g>> {
    let mut pairs = Vec::new();
    for one in own {
        for both in others.iter().filter_map(|other| one.both(other)) {
            if !ways.look() {
                return pairs;
            }
            keep(&mut pairs, both);
        }
    }
    pairs
}
