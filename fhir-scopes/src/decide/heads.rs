//! Which scopes give a letter on a type, asked of eight scopes at a time: nearly every scope of a token is about another type.

use crate::{Permissions, ResourceScope, ResourceType, TypeSelector};

const EACH: u64 = u64::from_ne_bytes([1; 8]);
const LOW_BITS: u64 = u64::from_ne_bytes([0x7f; 8]);

/// Types and letters of up to eight scopes, a byte each. A place without a scope has no letters.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Heads {
    types: u64,
    letters: u64,
}

impl Heads {
    /// Adds a scope to the list; its place is the number of scopes added before.
    pub(super) fn add(list: &mut alloc::vec::Vec<Self>, place: usize, scope: &ResourceScope<'_>) {
        if place.is_multiple_of(8) {
            list.push(Self::default());
        }
        if let Some(last) = list.last_mut() {
            let shift = place % 8 * 8;
            last.types |= u64::from(scope.types.byte()) << shift;
            last.letters |= u64::from(scope.permissions.bits()) << shift;
        }
    }

    /// The places of the scopes that give all these letters on the type.
    pub(super) fn places(list: &[Self], one: ResourceType, letters: Permissions) -> impl Iterator<Item = usize> {
        let (one, letters) = (EACH * u64::from(TypeSelector::One(one).byte()), EACH * u64::from(letters.bits()));
        list.iter().enumerate().flat_map(move |(turn, heads)| {
            let hits = (zeros(heads.types) | zeros(heads.types ^ one)) & zeros(heads.letters & letters ^ letters);
            Hits(hits).map(move |lane| turn * 8 + lane)
        })
    }
}

/// The highest bit of every byte that is zero.
const fn zeros(word: u64) -> u64 {
    !(((word & LOW_BITS) + LOW_BITS) | word | LOW_BITS)
}

/// The bytes whose highest bit is set, first to last.
struct Hits(u64);

impl Iterator for Hits {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let lane = (self.0 != 0).then(|| self.0.trailing_zeros() as usize / 8);
        self.0 &= self.0.wrapping_sub(1);
        lane
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use alloc::vec::Vec;

    use super::Heads;
    use crate::{Permissions, Release, ResourceType, Scope};

    #[test]
    fn the_places_are_those_of_a_walk_over_the_scopes() {
        let texts = ["patient/*.rs", "user/Observation.cruds", "patient/Patient.r", "system/Observation.s", "user/*.c"];
        let scopes: Vec<_> = (0..40)
            .map(|i| Scope::parse(texts[i * i % texts.len()], Release::R4).unwrap().resource().unwrap().clone())
            .collect();
        for count in 0..scopes.len() {
            let scopes = &scopes[..count];
            let mut heads = Vec::new();
            scopes.iter().enumerate().for_each(|(place, scope)| Heads::add(&mut heads, place, scope));
            for one in [ResourceType::OBSERVATION, ResourceType::PATIENT, ResourceType::GROUP] {
                for letters in [Permissions::READ, Permissions::SEARCH, Permissions::CREATE, Permissions::RS] {
                    let found: Vec<_> = Heads::places(&heads, one, letters).collect();
                    let gives = |place: &usize| {
                        scopes[*place].permissions.contains(letters) && scopes[*place].types.includes(one)
                    };
                    assert_eq!(found, (0..count).filter(gives).collect::<Vec<_>>());
                }
            }
        }
    }
}
