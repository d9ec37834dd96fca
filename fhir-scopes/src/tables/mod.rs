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
    lists: &'static [u16],
    classes: &'static [u8],
    compartments: &'static [&'static [(u8, u16)]],
}

#[cfg(any(feature = "r4", feature = "r4b", feature = "r5"))]
macro_rules! tables_of {
    ($release:ident) => {{
        static TABLES: Tables = Tables {
            starts: &$release::STARTS,
            parameters: &$release::PARAMETERS,
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
    fn of_type(&self, one: ResourceType) -> &'static [Parameter] {
        let at = |place: usize| self.starts.get(place).copied().map_or(0, usize::from);
        self.parameters.get(at(one.index())..at(one.index() + 1)).unwrap_or_default()
    }

    fn row(&self, one: ResourceType, name: u16) -> Option<&'static Parameter> {
        let rows = self.of_type(one);
        rows.get(rows.binary_search_by_key(&name, |row| row.0).ok()?)
    }

    fn by_place(&self, one: ResourceType, name: u16) -> Option<Found> {
        let row = self.row(one, name)?;
        let first = usize::from(row.2);
        Some(Found {
            kind: KINDS.get(usize::from(row.1)).copied()?,
            paths: self.lists.get(first..first + usize::from(row.3))?,
        })
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

const SLOTS: usize = 4096;
const FREE: u16 = u16::MAX;

/// Open addressing over a cheap hash of the names, laid out when the crate is compiled.
static NAME_INDEX: [u16; SLOTS] = name_index();

#[allow(
    clippy::cast_possible_truncation,
    reason = "the table holds fewer names than half of the slots, checked here at compile time"
)]
const fn name_index() -> [u16; SLOTS] {
    assert!(shared::NAMES.len() < SLOTS / 2);
    let mut slots = [FREE; SLOTS];
    let mut i = 0;
    while i < shared::NAMES.len() {
        let mut at = names::slot(shared::NAMES[i].as_bytes(), SLOTS);
        while slots[at] != FREE {
            at = (at + 1) % SLOTS;
        }
        slots[at] = i as u16;
        i += 1;
    }
    slots
}

/// The place of a parameter's name, whatever type it belongs to.
fn name_place(name: &str) -> Option<u16> {
    if name.len() > 64 {
        return None;
    }
    let mut at = names::slot(name.as_bytes(), SLOTS);
    loop {
        let found = NAME_INDEX[at % SLOTS];
        if found == FREE {
            return None;
        }
        if shared::NAMES.get(usize::from(found)).is_some_and(|known| *known == name) {
            return Some(found);
        }
        at += 1;
    }
}

/// A search parameter of a type in a release.
pub(crate) fn parameter(release: Release, one: ResourceType, name: &str) -> Option<Found> {
    tables(release)?.by_place(one, name_place(name)?)
}

/// The name and kind of a search parameter, [`ParameterKind::Special`] where no element path can tell it.
pub(crate) fn parameter_kind(release: Release, one: ResourceType, name: &str) -> Option<(&'static str, ParameterKind)> {
    let place = name_place(name)?;
    let row = tables(release)?.row(one, place)?;
    let kind = if row.3 == 0 { ParameterKind::Special } else { KINDS.get(usize::from(row.1)).copied()? };
    Some((shared::NAMES.get(usize::from(place)).copied()?, kind))
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
