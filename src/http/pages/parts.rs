//! The values pages are made of. All are ready to show: times, counts and sentences are formatted before they get here.
//!
//! One rule keeps templates free of guesses: **every field is always there**. `""` and `[]` mean "nothing", and a
//! template may ask `{% if page.reason %}`; there is no `Option` in a page.

use serde::Serialize;

/// Where a request or an approval stands, as people see it. Shown by `<ui.state state={...}/>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stand {
    /// Being written by the application provider.
    Draft,
    /// Waits for the organization.
    #[default]
    Waiting,
    /// Approved and enabled.
    Approved,
    /// Switched off by the organization.
    Disabled,
    /// Refused.
    Rejected,
    /// Taken back by the application provider.
    Withdrawn,
    /// The approval ran out.
    Expired,
    /// Not asked yet, or not known here.
    None,
}

/// What a reviewer should see before anything else. Shown by `<ui.risk .../>` as icon and words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// Its name looks like another app's.
    LooksLike,
    /// Creates or changes data.
    Writes,
    /// Deletes data.
    Deletes,
    /// Reaches all patients (`system/`, `user/`).
    AllPatients,
    /// A wildcard: also kinds of data added later.
    FutureKinds,
    /// Works with nobody signed in, or stays after the person left.
    Background,
    /// Whole-population exports.
    Bulk,
    /// Data of a sensitive kind: mental health, sexual health, genetics, notes.
    Sensitive,
    /// This application provider was never approved here before.
    NewProvider,
    /// The provider's domain is not proven.
    UnverifiedDomain,
    /// The app cannot keep a secret.
    PublicClient,
    /// Works with nobody signed in, and proves itself with a shared secret, which is not taken here.
    NeedsKey,
    /// Works with nobody signed in, and proves itself with a shared secret.
    SharedSecret,
    /// There is nobody to write to about it.
    NoContact,
    /// A redirect or webhook host that was not there before.
    NewHost,
}

/// A moment: for people, and for machines in `<time datetime>`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Moment {
    /// "12 Nov 2026, 14:03" or "3 days ago"; `""` means never.
    pub text: String,
    /// RFC 3339.
    pub iso: String,
}

impl Moment {
    /// Both forms at once.
    pub fn new(text: impl Into<String>, iso: impl Into<String>) -> Self {
        Self { text: text.into(), iso: iso.into() }
    }
}

/// An app or an organization as a badge: logo or initials, name, and who stands behind it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Badge {
    /// The name.
    pub name: String,
    /// The application provider behind an app; `""` for an organization.
    pub by: String,
    /// URL of the logo on our own host; `""` shows the initials.
    pub logo: String,
    /// One or two letters.
    pub initials: String,
}

impl Badge {
    /// A badge without a logo; the initials are the first letters of the first two words.
    pub fn new(name: &str, by: &str) -> Self {
        let letters = name.split_whitespace().filter_map(|word| word.chars().find(|letter| letter.is_alphanumeric()));
        let initials = letters.take(2).flat_map(char::to_uppercase).collect();
        Self { name: name.into(), by: by.into(), logo: String::new(), initials }
    }

    /// The same with a logo.
    #[must_use]
    pub fn with_logo(mut self, href: &str) -> Self {
        self.logo = href.into();
        self
    }
}

/// A form field's value as typed, and what is wrong with it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Field {
    /// What was typed, to be typed again by nobody.
    pub value: String,
    /// A whole sentence, or `""` when nothing is wrong.
    pub error: String,
}

impl Field {
    /// A value with nothing wrong.
    pub fn of(value: impl Into<String>) -> Self {
        Self { value: value.into(), error: String::new() }
    }

    /// A value and what is wrong with it.
    pub fn wrong(value: impl Into<String>, error: impl Into<String>) -> Self {
        Self { value: value.into(), error: error.into() }
    }
}

/// How a line of a change request relates to what is approved now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// As before, or there is no before.
    #[default]
    Unchanged,
    /// New.
    Added,
    /// Gone.
    Removed,
}

/// Lines of access under one heading of people's words ("Measurements", "Medication").
#[derive(Clone, Debug, Default, Serialize)]
pub struct ScopeGroup {
    /// The heading.
    pub title: String,
    /// Sensitive groups come first and say so.
    pub sensitive: bool,
    /// What may be done.
    pub lines: Vec<ScopeLine>,
}

/// One line of access in plain words, with the literal scope behind it.
#[derive(Clone, Debug, Default, Serialize)]
#[allow(clippy::struct_excessive_bools)] // each is one mark beside the line
pub struct ScopeLine {
    /// The literal scope, or several separated by a space: value of the tick box `scope`, and what *technical details* shows.
    pub scope: String,
    /// One sentence: "See and search measurements such as blood pressure and weight."
    pub text: String,
    /// More, for who wants it; may be `""`.
    pub detail: String,
    /// Marked as sensitive.
    pub sensitive: bool,
    /// Marked as changing data.
    pub writes: bool,
    /// The tick box starts ticked.
    pub ticked: bool,
    /// There is no choice: the line comes with the app (`openid`, `launch`), a hidden field carries it.
    pub fixed: bool,
    /// Narrower choices inside this line (categories of observations and conditions).
    pub choices: Vec<ScopeChoice>,
}

impl ScopeLine {
    /// A ticked line.
    pub fn new(scope: &str, text: &str) -> Self {
        Self { scope: scope.into(), text: text.into(), ticked: true, ..Self::default() }
    }
}

/// A narrower scope inside a line, chosen when the line itself is not ticked.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ScopeChoice {
    /// The literal, narrower scope: value of a tick box `scope`.
    pub scope: String,
    /// "Vital signs", "Laboratory results".
    pub text: String,
    /// The tick box starts ticked.
    pub ticked: bool,
}

/// One thing that happened.
#[derive(Clone, Debug, Default, Serialize)]
pub struct HistoryLine {
    /// When.
    pub at: Moment,
    /// Who, as shown; `""` for the system.
    pub who: String,
    /// A whole sentence without the name: "Approved with less than was asked, for 1 year."
    pub text: String,
    /// Words somebody added (a reason); quoted, never markup.
    pub note: String,
    /// The state it led to; `Stand::None` for none.
    pub stand: Stand,
}

/// A label and a value, for what does not deserve a heading.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Fact {
    /// The label in the page's language.
    pub label: String,
    /// The value.
    pub value: String,
    /// Set in the monospace face and with a copy button (ids, URLs).
    pub code: bool,
    /// A link out; `""` for none.
    pub href: String,
}

impl Fact {
    /// Plain words.
    pub fn words(label: &str, value: &str) -> Self {
        Self { label: label.into(), value: value.into(), ..Self::default() }
    }

    /// Something to copy.
    pub fn code(label: &str, value: &str) -> Self {
        Self { code: true, ..Self::words(label, value) }
    }

    /// Something to visit.
    pub fn link(label: &str, href: &str) -> Self {
        Self { href: href.into(), ..Self::words(label, href) }
    }
}

/// An option of a drop-down list or a filter.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Choice {
    /// The value that is sent.
    pub value: String,
    /// What people read.
    pub text: String,
    /// The one in force.
    pub current: bool,
}

impl Choice {
    /// A choice that is not in force.
    pub fn new(value: &str, text: &str) -> Self {
        Self { value: value.into(), text: text.into(), current: false }
    }

    /// The choice in force.
    pub fn current(value: &str, text: &str) -> Self {
        Self { current: true, ..Self::new(value, text) }
    }
}

/// Which part of a long list is shown. Links are ready URLs of the same view; `""` where there is none.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Paging {
    /// "1 to 50 of 5,000".
    pub text: String,
    /// The page before.
    pub previous: String,
    /// The page after.
    pub next: String,
}
