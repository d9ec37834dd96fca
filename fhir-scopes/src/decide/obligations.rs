//! What the server owes besides the decision itself.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::{Level, ResourceType};

/// One thing owed.
///
/// ```
/// use fhir_scopes::decide::Obligation;
/// assert_eq!(Obligation::ReturnMinimal.to_string(), "return-minimal");
/// assert_eq!(Obligation::StripInclude("Observation:subject").to_string(), "strip-include:Observation:subject");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Obligation<'a> {
    /// Go on with the rights of the signed-in user: a `user/` scope decided.
    AsUser,
    /// Go on with the rights of the client: a `system/` scope decided.
    AsSystem,
    /// Answer without the resource: the client may change it, not read it.
    ReturnMinimal,
    /// Leave deletions out of a history: they carry no content that could be checked.
    DropDeletedEntries,
    /// Ignore the query string: it means nothing to this interaction.
    IgnoreQuery,
    /// Follow chains, `_has` and lists only inside the patient's compartment.
    ChainInCompartment,
    /// Leave this `_include` or `_revinclude` out of the query.
    StripInclude(&'a str),
    /// Of an include that names no type, take only these.
    IncludeTypes(&'a [ResourceType]),
}

impl fmt::Display for Obligation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AsUser => f.write_str("as-user"),
            Self::AsSystem => f.write_str("as-system"),
            Self::ReturnMinimal => f.write_str("return-minimal"),
            Self::DropDeletedEntries => f.write_str("drop-deleted-entries"),
            Self::IgnoreQuery => f.write_str("ignore-query"),
            Self::ChainInCompartment => f.write_str("chain-in-compartment"),
            Self::StripInclude(include) => write!(f, "strip-include:{include}"),
            Self::IncludeTypes(types) => {
                f.write_str("include-types:")?;
                for (i, one) in types.iter().enumerate() {
                    write!(f, "{}{one}", if i > 0 { "," } else { "" })?;
                }
                Ok(())
            }
        }
    }
}

const FLAGS: [Obligation<'static>; 6] = [
    Obligation::AsUser,
    Obligation::AsSystem,
    Obligation::ReturnMinimal,
    Obligation::DropDeletedEntries,
    Obligation::IgnoreQuery,
    Obligation::ChainInCompartment,
];

/// All that is owed with one decision.
///
/// ```
/// # use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Request}};
/// let grant = Grant::new(&ScopeSet::parse("user/Patient.r", Release::R4).unwrap());
/// let decision = grant.decide(&Request::get("/Patient/1", "_include=*"));
/// let owed: Vec<String> = decision.obligations().iter().map(|one| one.to_string()).collect();
/// assert_eq!(owed, ["as-user", "ignore-query"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Obligations {
    flags: u8,
    /// None while nothing is in it, so that most decisions carry little.
    about_includes: Option<Box<AboutIncludes>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct AboutIncludes {
    strip: Vec<String>,
    types: Vec<ResourceType>,
}

impl Obligations {
    pub(super) const NOTHING: &'static Self = &Self { flags: 0, about_includes: None };

    pub(super) fn of_level(level: Level) -> Self {
        let mut owed = Self::default();
        owed.add_level(level);
        owed
    }

    pub(super) fn add_level(&mut self, level: Level) {
        match level {
            Level::Patient => {}
            Level::User => self.add(Obligation::AsUser),
            Level::System => self.add(Obligation::AsSystem),
        }
    }

    pub(super) fn add(&mut self, one: Obligation<'_>) {
        match one {
            Obligation::StripInclude(include) => {
                let strip = &mut self.about_includes.get_or_insert_default().strip;
                if !strip.iter().any(|known| known == include) {
                    strip.push(include.into());
                }
            }
            Obligation::IncludeTypes(more) => {
                let types = &mut self.about_includes.get_or_insert_default().types;
                types.extend_from_slice(more);
                types.sort_unstable();
                types.dedup();
            }
            // the bits are the places in `FLAGS`
            Obligation::AsUser => self.flags |= 1,
            Obligation::AsSystem => self.flags |= 1 << 1,
            Obligation::ReturnMinimal => self.flags |= 1 << 2,
            Obligation::DropDeletedEntries => self.flags |= 1 << 3,
            Obligation::IgnoreQuery => self.flags |= 1 << 4,
            Obligation::ChainInCompartment => self.flags |= 1 << 5,
        }
    }

    #[cfg(feature = "json")]
    pub(super) fn add_all(&mut self, other: &Self) {
        self.flags |= other.flags;
        if let Some(other) = &other.about_includes {
            for include in &other.strip {
                self.add(Obligation::StripInclude(include));
            }
            if !other.types.is_empty() {
                self.add(Obligation::IncludeTypes(&other.types));
            }
        }
    }

    /// Whether nothing is owed.
    ///
    /// ```
    /// assert!(fhir_scopes::decide::Obligations::default().is_empty());
    /// ```
    pub const fn is_empty(&self) -> bool {
        self.flags == 0 && self.about_includes.is_none()
    }

    /// Each thing owed.
    ///
    /// ```
    /// assert_eq!(fhir_scopes::decide::Obligations::default().iter().count(), 0);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = Obligation<'_>> {
        let flags = FLAGS.into_iter().enumerate().filter(|(bit, _)| self.flags & 1 << bit != 0).map(|(_, one)| one);
        let about = self.about_includes.as_deref();
        let strip = about.into_iter().flat_map(|about| &about.strip).map(|include| Obligation::StripInclude(include));
        let types = about.filter(|about| !about.types.is_empty()).map(|about| Obligation::IncludeTypes(&about.types));
        flags.chain(strip).chain(types)
    }

    /// Whether this flag is owed.
    ///
    /// ```
    /// use fhir_scopes::decide::{Obligation, Obligations};
    /// assert!(!Obligations::default().has(Obligation::AsUser));
    /// ```
    pub fn has(&self, wanted: Obligation<'_>) -> bool {
        self.iter().any(|one| one == wanted)
    }
}
