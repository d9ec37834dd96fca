//! Plain language for people who decide: what would an app with these scopes be able to do?
//!
//! [`describe`] turns any scope set into groups of lines, most sensitive first, in English or Dutch. It is total: every resource type, every
//! combination of letters, every level and every limit has a sentence. Known limits have names of their own ("lab results"); a limit without
//! a name is told as parameter and value and marked for a person to check.
//!
//! ```
//! use fhir_scopes::describe::{Lang, describe};
//! use fhir_scopes::{Release, ScopeSet};
//!
//! let set = ScopeSet::parse("patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory", Release::R4).unwrap();
//! let told = describe(&set, Lang::En);
//! assert_eq!(told.groups[0].title, "Tests, measurements and images");
//! assert_eq!(told.groups[0].lines[0].short, "Read and search lab results of this patient");
//! assert_eq!(told.summary, "reads lab results, one patient");
//! assert_eq!(describe(&set, Lang::Nl).groups[0].lines[0].short, "Labuitslagen bekijken en doorzoeken van deze patiënt");
//! ```

mod catalogue;
mod fold;
mod limit_words;
mod names;
mod plain_words;
mod sentence;
mod summary;
mod warning;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub use catalogue::{CatalogueEntry, Category, KnownLimit, about, catalogue, known_limits};
pub use warning::{Warning, WarningKind};

use crate::{Dialect, Level, Limit, Permissions, Release, ResourceScope, Scope, ScopeSet, TypeSelector, us_core};
use limit_words::subject;
use sentence::sentence;

/// A language of the sentences.
///
/// ```
/// use fhir_scopes::describe::Lang;
/// assert_eq!(Lang::from_tag("nl-NL"), Lang::Nl);
/// assert_eq!(Lang::from_tag("fr"), Lang::En);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Dutch.
    Nl,
}

impl Lang {
    /// The language of a BCP 47 tag; English for any that has no words here.
    ///
    /// ```
    /// use fhir_scopes::describe::Lang;
    /// assert_eq!(Lang::from_tag("NL"), Lang::Nl);
    /// ```
    pub fn from_tag(tag: &str) -> Self {
        if tag.split('-').next().is_some_and(|language| language.eq_ignore_ascii_case("nl")) {
            Self::Nl
        } else {
            Self::En
        }
    }

    pub(crate) const fn pick(self, en: &'static str, nl: &'static str) -> &'static str {
        match self {
            Self::En => en,
            Self::Nl => nl,
        }
    }
}

/// A scope set in words.
///
/// ```
/// use fhir_scopes::describe::{Lang, WarningKind, describe};
/// use fhir_scopes::{Release, ScopeSet};
/// let set = ScopeSet::parse("system/*.rs offline_access", Release::R4).unwrap();
/// let told = describe(&set, Lang::En);
/// assert!(told.warnings.iter().any(|warning| warning.kind == WarningKind::System));
/// assert!(told.warnings.iter().any(|warning| warning.kind == WarningKind::Offline));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Description {
    /// Lines under headings, most sensitive first; signing in and launch last.
    pub groups: Vec<Group>,
    /// Every warning of the lines, each kind once.
    pub warnings: Vec<Warning>,
    /// The whole in a few words, without a capital: "reads lab results, all patients".
    pub summary: String,
}

/// Lines under one heading.
///
/// ```
/// use fhir_scopes::describe::{Lang, describe};
/// use fhir_scopes::{Release, ScopeSet};
/// let told = describe(&ScopeSet::parse("openid", Release::R4).unwrap(), Lang::En);
/// assert_eq!(told.groups[0].category, "sign-in");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Group {
    /// A stable key: that of a [`Category`], or `everything`, `other`, `sign-in`.
    pub category: &'static str,
    /// The heading.
    pub title: String,
    /// Most sensitive first.
    pub lines: Vec<Line>,
}

/// One right in words, with the scopes that give it.
///
/// ```
/// use fhir_scopes::describe::{Lang, describe};
/// use fhir_scopes::{Release, ScopeSet};
/// let set = ScopeSet::parse("user/Appointment.read user/Appointment.write", Release::R4).unwrap();
/// let told = describe(&set, Lang::En);
/// let line = &told.groups[0].lines[0];
/// assert_eq!(line.scopes, ["user/Appointment.read", "user/Appointment.write"]);
/// assert_eq!(
///     line.short,
///     "Full control of appointments: read, search, add, change and delete, of every patient you have access to"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Line {
    /// One sentence without a full stop.
    pub short: String,
    /// The same with everything one should know before saying yes.
    pub long: String,
    /// What the line is about, in the plural and without a capital: "lab results".
    pub subject: String,
    /// The literals of the scopes that give this right.
    pub scopes: Vec<String>,
    /// 0 no personal data, 1 organisations and staff, 2 personal details, 3 health data, 4 extra sensitive.
    pub sensitivity: u8,
    /// Whether a person must look at the raw scope, since this crate has no name for all of it.
    pub needs_check: bool,
    /// What to be careful about.
    pub warnings: Vec<Warning>,
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) right: Option<Right>,
}

/// The part of a resource scope that folding and the summary look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Right {
    pub(crate) level: Level,
    pub(crate) permissions: Permissions,
    pub(crate) everything: bool,
    pub(crate) limited: bool,
}

/// To whom and about whom the words are.
///
/// ```
/// use fhir_scopes::describe::{Lang, Options, describe_with};
/// use fhir_scopes::{Release, ScopeSet};
/// let set = ScopeSet::parse("patient/Condition.rs", Release::R4).unwrap();
/// let told = describe_with(&set, Lang::En, &Options { patient: Some("Anna de Vries"), ..Options::default() });
/// assert_eq!(told.groups[0].lines[0].short, "Read and search conditions and diagnoses of Anna de Vries");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options<'a> {
    /// The name of the launch patient, where it is known; else "this patient".
    pub patient: Option<&'a str>,
    /// Whether the reader is a patient: then `user/` scopes get a warning, since they may reach other patients too.
    pub for_patients: bool,
    /// Whether the reader is somebody other than the user of the app: a reviewer who approves it for others.
    pub for_reviewers: bool,
    /// Whether the server puts US Core's misspelt categories right ([`us_core::corrected`]): then they are told as what they stand for, beside the scopes as they
    /// were asked.
    ///
    /// ```
    /// use fhir_scopes::describe::{Lang, Options, describe_with};
    /// use fhir_scopes::{Release, ScopeSet};
    /// let asked = "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/Observation-category|laboratory";
    /// let set = ScopeSet::parse(asked, Release::R4).unwrap();
    /// let line = &describe_with(&set, Lang::En, &Options { corrected: true, ..Options::default() }).groups[0].lines[0];
    /// assert_eq!(line.short, "Read and search lab results of this patient");
    /// assert_eq!(line.scopes, [asked]);
    /// ```
    pub corrected: bool,
}

/// Tells a scope set in words.
///
/// ```
/// use fhir_scopes::describe::{Lang, describe};
/// use fhir_scopes::{Release, ScopeSet};
/// let set = ScopeSet::parse("patient/MedicationRequest.s", Release::R4).unwrap();
/// let line = &describe(&set, Lang::En).groups[0].lines[0];
/// assert_eq!(line.short, "Search and see prescriptions of this patient");
/// assert_eq!(line.long, "Search and see prescriptions of this patient. Search shows the full records, not just a list.");
/// ```
pub fn describe(set: &ScopeSet, lang: Lang) -> Description {
    describe_with(set, lang, &Options::default())
}

/// Tells a scope set in words for a given reader.
///
/// ```
/// use fhir_scopes::describe::{Lang, Options, WarningKind, describe_with};
/// use fhir_scopes::{Release, ScopeSet};
/// let set = ScopeSet::parse("user/Condition.rs", Release::R4).unwrap();
/// let told = describe_with(&set, Lang::En, &Options { for_patients: true, ..Options::default() });
/// assert_eq!(told.warnings[0].kind, WarningKind::User);
/// ```
pub fn describe_with(set: &ScopeSet, lang: Lang, options: &Options<'_>) -> Description {
    // 1 one line per (level, type, limit), with all its letters and literals
    let mut rights: Vec<(ResourceScope<'static>, Vec<String>)> = Vec::new();
    let mut groups: Vec<(u8, usize, Group)> = Vec::new();
    for scope in set {
        let corrected = if options.corrected { us_core::meant(scope, set.release()) } else { None };
        match corrected.as_ref().unwrap_or(scope).resource() {
            None => {
                let (heading, line) = plain_words::line(scope, lang, options);
                place(&mut groups, heading, lang, line);
            }
            Some(resource) => {
                let limit = resource.limit.simplified();
                let key = (resource.level, resource.types, &limit);
                if let Some((known, literals)) = rights.iter_mut().find(|(known, _)| known.key() == key) {
                    known.permissions = known.permissions | resource.permissions;
                    literals.push(scope.literal().to_string());
                } else {
                    let right = ResourceScope { limit, dialect: Dialect::V2, ..resource.clone() };
                    rights.push((right, [scope.literal().to_string()].into()));
                }
            }
        }
    }
    for (right, literals) in rights {
        let heading = match right.types {
            TypeSelector::All => Heading::Everything,
            TypeSelector::One(one) => Heading::Category(about(one).category),
        };
        place(&mut groups, heading, lang, resource_line(&right, literals, set.release(), lang, options));
    }
    // 2 most sensitive first
    for (most, _, group) in &mut groups {
        group.lines.sort_by(|a, b| b.sensitivity.cmp(&a.sensitivity).then_with(|| a.subject.cmp(&b.subject)));
        *most = group.lines.iter().map(|line| line.sensitivity).max().unwrap_or(0);
    }
    groups.sort_by_key(|(most, order, group)| {
        (group.category == Heading::SignIn.key(), core::cmp::Reverse(*most), *order)
    });
    let groups: Vec<Group> = groups.into_iter().map(|(_, _, group)| group).collect();
    // 3 every warning once
    let mut warnings: Vec<Warning> = Vec::new();
    for warning in groups.iter().flat_map(|group| &group.lines).flat_map(|line| &line.warnings) {
        if !warnings.iter().any(|known| known.kind == warning.kind) {
            warnings.push(warning.clone());
        }
    }
    warnings.sort_by_key(|warning| warning.kind);
    let summary = summary::summary(&groups, lang);
    Description { groups, warnings, summary }
}

/// Tells one scope in words.
///
/// ```
/// use fhir_scopes::describe::{Lang, describe_scope};
/// use fhir_scopes::{Release, Scope};
/// let scope = Scope::parse("user/Appointment.c", Release::R4).unwrap();
/// assert_eq!(describe_scope(&scope, Release::R4, Lang::En).short, "Add appointments of every patient you have access to");
/// ```
pub fn describe_scope(scope: &Scope<'_>, release: Release, lang: Lang) -> Line {
    let options = Options::default();
    match scope.resource() {
        Some(resource) => resource_line(resource, [scope.literal().to_string()].into(), release, lang, &options),
        None => plain_words::line(scope, lang, &options).1,
    }
}

fn resource_line(
    right: &ResourceScope<'_>,
    scopes: Vec<String>,
    release: Release,
    lang: Lang,
    options: &Options<'_>,
) -> Line {
    let subject = subject(right.types, &right.limit, lang);
    let short = sentence(right.permissions, &subject, right.level, lang, options);
    let warnings = warning::of(right, &subject, release, lang, options);
    let mut long = short.clone();
    long.push('.');
    for warning in &warnings {
        long.push(' ');
        long.push_str(&warning.text);
    }
    Line {
        short,
        long,
        scopes,
        sensitivity: subject.sensitivity,
        needs_check: subject.needs_check,
        warnings,
        right: Some(Right {
            level: right.level,
            permissions: right.permissions,
            everything: right.types == TypeSelector::All,
            limited: right.limit != Limit::NONE,
        }),
        subject: subject.name,
    }
}

/// Under which heading a line stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heading {
    Everything,
    Category(Category),
    Other,
    SignIn,
}

impl Heading {
    fn key(self) -> &'static str {
        match self {
            Self::Everything => "everything",
            Self::Category(category) => category.key(),
            Self::Other => "other",
            Self::SignIn => "sign-in",
        }
    }

    fn title(self, lang: Lang) -> &'static str {
        match self {
            Self::Everything => lang.pick("Everything", "Alles"),
            Self::Category(category) => category.title(lang),
            Self::Other => lang.pick("Other permissions", "Overige rechten"),
            Self::SignIn => lang.pick("Signing in and staying connected", "Inloggen en verbonden blijven"),
        }
    }

    fn order(self) -> usize {
        match self {
            Self::Everything => 0,
            Self::Category(category) => 1 + Category::all().position(|known| known == category).unwrap_or(0),
            Self::Other => 98,
            Self::SignIn => 99,
        }
    }
}

fn place(groups: &mut Vec<(u8, usize, Group)>, heading: Heading, lang: Lang, line: Line) {
    if let Some((_, _, group)) = groups.iter_mut().find(|(_, _, group)| group.category == heading.key()) {
        group.lines.push(line);
    } else {
        let group = Group { category: heading.key(), title: heading.title(lang).to_string(), lines: [line].into() };
        groups.push((0, heading.order(), group));
    }
}
