//! Facts about FHIR: resource types, search parameters as element paths, and compartments of each release.
//!
//! The numbers beside this file are generated; where they come from is told in `tables/README.md`. Element paths are shared by
//! the releases, the rest is one small table per release behind its feature. A release whose feature is off knows no parameter
//! and no compartment, so that every limit and every patient scope in it is refused rather than guessed.

#[cfg(feature = "r4")]
#[rustfmt::skip]
mod r4;
#[cfg(feature = "r4b")]
#[rustfmt::skip]
mod r4b;
#[cfg(feature = "r5")]
#[rustfmt::skip]
mod r5;
#[rustfmt::skip]
mod shared;
#[rustfmt::skip]
mod types;

use crate::{ParameterKind, Release, ResourceType, names};

pub(crate) use types::TYPES;

/// What an element path ends in, as far as matching cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    /// Anything that no guard can compare.
    Other,
    CodeableConcept,
    Coding,
    Code,
    Identifier,
    ContactPoint,
    Boolean,
    Text,
    Uri,
    Reference,
    Date,
    Period,
    Timing,
}

/// Steps (`telecom[system=email]`), element, implied code system, reference targets.
#[derive(Debug)]
pub(crate) struct Path(pub(crate) &'static str, pub(crate) Element, u8, u16);

impl Path {
    /// The code system that a bare `code` element stands for.
    pub(crate) fn system(&self) -> Option<&'static str> {
        shared::SYSTEMS.get(usize::from(self.2)).copied().filter(|system| !system.is_empty())
    }

    /// Whether a reference here may point at this type.
    pub(crate) fn may_target(&self, candidate: ResourceType) -> bool {
        self.targets().iter().any(|place| usize::from(*place) == candidate.index())
    }

    fn targets(&self) -> &'static [u8] {
        shared::TARGETS.get(usize::from(self.3)).copied().unwrap_or_default()
    }
}

/// Name, kind, first path, number of paths.
#[derive(Debug)]
pub(crate) struct Parameter(u16, u8, u16, u8);

struct Tables {
    starts: &'static [u16],
    parameters: &'static [Parameter],
    index: &'static [u16; SLOTS],
    lists: &'static [u16],
    classes: &'static [u8],
    compartments: &'static [&'static [(u8, u16)]],
}

#[cfg(any(feature = "r4", feature = "r4b", feature = "r5"))]
macro_rules! tables_of {
    ($release:ident) => {{
        static INDEX: [u16; SLOTS] = index(&$release::STARTS, &$release::PARAMETERS);
        static TABLES: Tables = Tables {
            starts: &$release::STARTS,
            parameters: &$release::PARAMETERS,
            index: &INDEX,
            lists: &$release::LISTS,
            classes: &$release::CLASSES,
            compartments: &$release::COMPARTMENTS,
        };
        Some(&TABLES)
    }};
}

fn tables(release: Release) -> Option<&'static Tables> {
    match release {
        #[cfg(feature = "r4")]
        Release::R4 => tables_of!(r4),
        #[cfg(feature = "r4b")]
        Release::R4B => tables_of!(r4b),
        #[cfg(feature = "r5")]
        Release::R5 => tables_of!(r5),
        #[allow(unreachable_patterns, reason = "reached when a release's feature is off")]
        _ => None,
    }
}

/// A search parameter of one type: how its values compare and where they stand in the resource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) kind: ParameterKind,
    paths: &'static [u16],
}

impl Found {
    /// A parameter that nothing can meet.
    pub(crate) const UNKNOWN: Self = Self { kind: ParameterKind::Special, paths: &[] };

    pub(crate) fn paths(self) -> impl Iterator<Item = &'static Path> {
        self.paths.iter().filter_map(|place| shared::PATHS.get(usize::from(*place)))
    }

    /// Types that the reference parameter may point at.
    pub(crate) fn targets(self) -> impl Iterator<Item = ResourceType> {
        self.paths().flat_map(Path::targets).filter_map(|place| ResourceType::from_index(*place))
    }
}

impl Tables {
    /// Where the rows of a type begin, and end.
    fn range_of(&self, one: ResourceType) -> (usize, usize) {
        let at = |place: usize| self.starts.get(place).copied().map_or(0, usize::from);
        (at(one.index()), at(one.index() + 1))
    }

    /// The row of a type's parameter, and its name as it is kept.
    fn row(&self, one: ResourceType, name: &str) -> Option<(&'static Parameter, &'static str)> {
        if name.len() > 64 {
            return None;
        }
        let (from, to) = self.range_of(one);
        let mut at = slot(one.index(), name.as_bytes());
        loop {
            let found = self.index[at % SLOTS];
            if found == FREE {
                return None;
            }
            let place = usize::from(found);
            if (from..to).contains(&place)
                && let Some(row) = self.parameters.get(place)
                && let Some(known) = shared::NAMES.get(usize::from(row.0)).filter(|known| **known == name)
            {
                return Some((row, known));
            }
            at += 1;
        }
    }

    fn found(&self, row: &Parameter) -> Option<Found> {
        let first = usize::from(row.2);
        Some(Found {
            kind: KINDS.get(usize::from(row.1)).copied()?,
            paths: self.lists.get(first..first + usize::from(row.3))?,
        })
    }

    /// By the place of its name; the rows of a type are sorted by it.
    fn by_place(&self, one: ResourceType, name: u16) -> Option<Found> {
        let (from, to) = self.range_of(one);
        let rows = self.parameters.get(from..to)?;
        self.found(rows.get(rows.binary_search_by_key(&name, |row| row.0).ok()?)?)
    }
}

const KINDS: [ParameterKind; 9] = [
    ParameterKind::Number,
    ParameterKind::Date,
    ParameterKind::String,
    ParameterKind::Token,
    ParameterKind::Reference,
    ParameterKind::Composite,
    ParameterKind::Quantity,
    ParameterKind::Uri,
    ParameterKind::Special,
];

const SLOTS: usize = 8192;
const FREE: u16 = u16::MAX;

const fn slot(one: usize, name: &[u8]) -> usize {
    names::slot_within(one, name, SLOTS)
}

/// Open addressing over a cheap hash of type and name, laid out when the crate is compiled: the places of the rows.
#[cfg(any(feature = "r4", feature = "r4b", feature = "r5"))]
#[allow(
    clippy::cast_possible_truncation,
    reason = "the table holds fewer rows than half of the slots, checked here at compile time"
)]
const fn index(starts: &[u16], parameters: &[Parameter]) -> [u16; SLOTS] {
    assert!(parameters.len() < SLOTS / 2);
    let mut slots = [FREE; SLOTS];
    let mut one = 0;
    let mut row = 0;
    while row < parameters.len() {
        while starts[one + 1] as usize <= row {
            one += 1;
        }
        let mut at = slot(one, shared::NAMES[parameters[row].0 as usize].as_bytes());
        while slots[at] != FREE {
            at = (at + 1) % SLOTS;
        }
        slots[at] = row as u16;
        row += 1;
    }
    slots
}

/// A search parameter of a type in a release.
pub(crate) fn parameter(release: Release, one: ResourceType, name: &str) -> Option<Found> {
    let tables = tables(release)?;
    tables.found(tables.row(one, name)?.0)
}

/// The name and kind of a search parameter, [`ParameterKind::Special`] where no element path can tell it.
pub(crate) fn parameter_kind(release: Release, one: ResourceType, name: &str) -> Option<(&'static str, ParameterKind)> {
    let (row, known) = tables(release)?.row(one, name)?;
    let kind = if row.3 == 0 { ParameterKind::Special } else { KINDS.get(usize::from(row.1)).copied()? };
    Some((known, kind))
}

/// How a type stands to a patient, and whether the narrow mode knows it.
pub(crate) fn class(release: Release, one: ResourceType) -> (u8, bool) {
    let class = tables(release).and_then(|tables| tables.classes.get(one.index()).copied()).unwrap_or_default();
    (class & 7, class & 8 != 0)
}

/// The parameters by which a type belongs to the compartment with this place in [`crate::compartment`].
pub(crate) fn compartment(
    release: Release,
    place: usize,
    one: ResourceType,
) -> impl Iterator<Item = (&'static str, Found)> {
    let tables = tables(release);
    let rows = tables.and_then(|tables| tables.compartments.get(place).copied()).unwrap_or_default();
    let type_of = |row: &(u8, u16)| usize::from(row.0);
    let from = rows.partition_point(|row| type_of(row) < one.index());
    let rows = rows.get(from..).unwrap_or_default();
    rows.iter().take_while(move |row| type_of(row) == one.index()).filter_map(move |(_, name)| {
        Some((shared::NAMES.get(usize::from(*name)).copied()?, tables?.by_place(one, *name)?))
    })
}
