//! What the reader should be careful about.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::limit_words::Subject;
use super::sentence::{join, uncapitalized};
use super::{Lang, Options, catalogue};
use crate::{Level, Permissions, Release, ResourceScope, TypeSelector};

/// A warning in words.
///
/// ```
/// use fhir_scopes::describe::{Lang, WarningKind, describe};
/// use fhir_scopes::{Release, ScopeSet};
/// let told = describe(&ScopeSet::parse("patient/Goal.d", Release::R4).unwrap(), Lang::Nl);
/// assert_eq!(told.warnings[0].kind, WarningKind::Delete);
/// assert_eq!(told.warnings[0].text, "De app kan gegevens verwijderen.");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Warning {
    /// Of which kind.
    pub kind: WarningKind,
    /// One or two full sentences.
    pub text: String,
}

/// The kinds of warnings, the gravest first.
///
/// ```
/// use fhir_scopes::describe::WarningKind;
/// assert!(WarningKind::System < WarningKind::Update);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum WarningKind {
    /// `system/`: without a user, for all patients.
    System,
    /// `*`: every kind of record, also later ones.
    Wildcard,
    /// `user/` shown to a patient: may reach other patients.
    User,
    /// `offline_access`.
    Offline,
    /// `d`.
    Delete,
    /// Writing without `r` and `s`.
    WriteWithoutRead,
    /// A limit or a scope for which there are no words: a person must look.
    NeedsCheck,
    /// Extra sensitive data.
    Sensitive,
    /// `s` without `r`: a search still shows whole records.
    SearchWithoutRead,
    /// `u`: may also create.
    Update,
}

impl WarningKind {
    pub(super) fn warning(self, lang: Lang) -> Warning {
        let (en, nl) = match self {
            Self::System => (
                "Works on its own, without a user, for all patients.",
                "Werkt zelfstandig, zonder gebruiker, voor alle patiënten.",
            ),
            Self::Wildcard => (
                "Covers every kind of record, also ones added later.",
                "Geldt voor alle soorten gegevens, ook die later bijkomen.",
            ),
            Self::User => (
                "Reaches all patients the user can see, not only the one on screen.",
                "Reikt tot alle patiënten die de gebruiker kan zien, niet alleen die op het scherm.",
            ),
            Self::Offline => ("Goes on when nobody is there.", "Gaat door als er niemand bij is."),
            Self::Delete => ("The app can delete records.", "De app kan gegevens verwijderen."),
            Self::WriteWithoutRead => (
                "The app can write without seeing what is there.",
                "De app kan schrijven zonder te zien wat er al staat.",
            ),
            Self::NeedsCheck => (
                "There is no plain name for this; have a person check the technical text.",
                "Hiervoor bestaat geen gewone naam; laat iemand de technische tekst nakijken.",
            ),
            Self::Sensitive => ("Holds extra sensitive data.", "Bevat extra gevoelige gegevens."),
            Self::SearchWithoutRead => (
                "Search shows the full records, not just a list.",
                "Zoeken toont de volledige gegevens, niet alleen een lijst.",
            ),
            Self::Update => (
                "Changing may also create records with an id chosen by the app.",
                "Wijzigen kan ook nieuwe gegevens aanmaken met een id dat de app kiest.",
            ),
        };
        Warning { kind: self, text: lang.pick(en, nl).to_string() }
    }
}

/// The warnings of one right, the gravest first.
pub(super) fn of(
    right: &ResourceScope<'_>,
    subject: &Subject,
    release: Release,
    lang: Lang,
    options: &Options<'_>,
) -> Vec<Warning> {
    let letters = right.permissions;
    let everything = right.types == TypeSelector::All;
    let sees = letters.intersects(Permissions::RS);
    let mut warnings: Vec<Warning> = [
        (right.level == Level::System && subject.personal, WarningKind::System),
        (everything, WarningKind::Wildcard),
        (right.level == Level::User && options.for_patients && subject.personal, WarningKind::User),
        (letters.contains(Permissions::DELETE), WarningKind::Delete),
        (!sees && letters.intersects(Permissions::CUD), WarningKind::WriteWithoutRead),
        (subject.needs_check, WarningKind::NeedsCheck),
        (subject.sensitivity == 4, WarningKind::Sensitive),
        (letters.contains(Permissions::SEARCH) && !letters.contains(Permissions::READ), WarningKind::SearchWithoutRead),
        (letters.contains(Permissions::UPDATE), WarningKind::Update),
    ]
    .into_iter()
    .filter(|(applies, _)| *applies)
    .map(|(_, kind)| kind.warning(lang))
    .collect();
    if let Some(wildcard) = warnings.iter_mut().find(|warning| warning.kind == WarningKind::Wildcard) {
        wildcard.text.push(' ');
        wildcard.text.push_str(&today(release, lang));
    }
    warnings
}

/// What `*` stands for today, with the extra sensitive kinds by name.
fn today(release: Release, lang: Lang) -> String {
    let count = catalogue(release).count();
    let sensitive: Vec<String> = catalogue(release)
        .filter(|entry| entry.sensitivity == 4)
        .map(|entry| uncapitalized(entry.name(lang)))
        .collect();
    match lang {
        Lang::En => format!("Today these are {count} kinds, among them: {}.", join(&sensitive, lang)),
        Lang::Nl => format!("Nu zijn dat {count} soorten, waaronder: {}.", join(&sensitive, lang)),
    }
}
