//! The review of an access request: everything a decision needs, in the order it is needed.

use serde::Serialize;

use super::super::frame::ConsoleSection;
use super::super::parts::{Badge, Choice, Fact, Field, HistoryLine, Moment, Risk, ScopeGroup, ScopeLine, Stand};
use super::super::{Nav, Page, samples};
use super::sample_nav;

/// The review page. Form: `POST {action}` with `csrf`, `digest` (hidden: what was on this screen), `decision=approve|less|reject`,
/// `scope` (the ticked lines; they count only with `less`), `duration` (a value of [`durations`](Self::durations)), `reason`
/// (obligatory with `reject`), `may_ask_again=1`. The answer is [`ApproveConfirm`](super::ApproveConfirm) or
/// [`RejectConfirm`](super::RejectConfirm), this page with an error (422), or [`Changed`] (409).
#[derive(Clone, Debug, Default, Serialize)]
pub struct Review {
    /// Where the form goes.
    pub action: String,
    /// Back to the list, as it was filtered.
    pub list_href: String,
    /// Digest of the client revision and the scopes on this screen.
    pub digest: String,
    /// The app and its provider.
    pub app: Badge,
    /// Where the request stands; the decision panel shows only while it waits.
    pub stand: Stand,
    /// The one sentence, in runs: "**CareCal** by *Acme Health* asks to **read** ...".
    pub ask: Vec<Run>,
    /// When it was asked.
    pub asked: Moment,
    /// By whom.
    pub asked_by: String,
    /// What to see first. [`Risk::NeedsKey`] is explained besides.
    pub risks: Vec<Risk>,
    /// Where the organization can decide to take secrets; `""` for whoever may not.
    pub settings_href: String,
    /// The provider's own words: plain, untrusted text.
    pub reason: String,
    /// How many people met the waiting page because of this request.
    pub people_waiting: u32,
    /// What they said they need it for.
    pub people_notes: Vec<String>,
    /// What it can do, sensitive groups first.
    pub groups: Vec<ScopeGroup>,
    /// It is a change of an approved client: what differs.
    pub change: bool,
    /// The difference; empty for a first request.
    pub changes: Changes,
    /// Type, redirect hosts, keys, contacts, terms, privacy.
    pub about: Vec<Fact>,
    /// What happened before, newest first.
    pub history: Vec<HistoryLine>,
    /// This person may decide; otherwise the panel says who may.
    pub may_decide: bool,
    /// The decision as chosen.
    pub verdict: Verdict,
    /// How long an approval lasts.
    pub durations: Vec<Choice>,
    /// The reason of a rejection, as typed.
    pub reject_reason: Field,
    /// A rejected provider may ask again.
    pub may_ask_again: bool,
    /// What is wrong as a whole; `""` for nothing.
    pub error: String,
}

/// A piece of a sentence with its voice.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Run {
    /// The words, with the spaces around them.
    pub text: String,
    /// How they are set.
    pub voice: Voice,
}

/// How a run is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Voice {
    /// As the rest.
    #[default]
    Plain,
    /// A verb or a quantity that matters.
    Strong,
    /// A name from outside.
    Name,
}

impl Run {
    /// Words between.
    pub fn plain(text: &str) -> Self {
        Self { text: text.into(), voice: Voice::Plain }
    }

    /// Words that matter.
    pub fn strong(text: &str) -> Self {
        Self { text: text.into(), voice: Voice::Strong }
    }

    /// A name.
    pub fn name(text: &str) -> Self {
        Self { text: text.into(), voice: Voice::Name }
    }
}

/// What the reviewer chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing yet.
    #[default]
    Open,
    /// As asked.
    Approve,
    /// With less.
    Less,
    /// No.
    Reject,
}

/// The difference between what is approved and what is asked.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Changes {
    /// New lines of access.
    pub added: Vec<ScopeLine>,
    /// Lines that go.
    pub removed: Vec<ScopeLine>,
    /// Lines that stay.
    pub unchanged: Vec<ScopeLine>,
    /// Redirect addresses, keys, name, logo: before and after.
    pub fields: Vec<FieldChange>,
}

/// A part of the client's registration that changes.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FieldChange {
    /// "Redirect address".
    pub label: String,
    /// As approved; `""` for nothing.
    pub before: String,
    /// As asked; `""` for nothing.
    pub after: String,
}

/// The answer 409: what the decision was about changed meanwhile, and nothing was decided.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Changed {
    /// The app and its provider.
    pub app: Badge,
    /// Where it stands now (somebody else may have decided).
    pub stand: Stand,
    /// Who changed it and when, one sentence.
    pub what: String,
    /// The difference to the screen the decision was made on.
    pub changes: Changes,
    /// The review as it is now.
    pub review_href: String,
}

fn sample_ask() -> Vec<Run> {
    vec![
        Run::name("CareCal"),
        Run::plain(" by "),
        Run::name("Acme Health B.V."),
        Run::plain(" asks to "),
        Run::strong("read"),
        Run::plain(" appointments and patient names, and "),
        Run::strong("add"),
        Run::plain(" appointments, for "),
        Run::strong("all"),
        Run::plain(" patients, "),
        Run::strong("without anyone signed in"),
        Run::plain("."),
    ]
}

pub(super) fn sample_about() -> Vec<Fact> {
    vec![
        Fact::words("Type", "Confidential, with its own keys"),
        Fact::code("Client id", "app_01jd8t3m5k"),
        Fact::code("Redirect address", "https://carecal.acme.example/callback"),
        Fact::words("Keys", "2 signing keys at carecal.acme.example, changed 12 Nov 2026"),
        Fact::words("Contact", "integrations@acme.example"),
        Fact::link("Terms", "https://acme.example/terms"),
        Fact::link("Privacy", "https://acme.example/privacy"),
    ]
}

pub(super) fn sample_history() -> Vec<HistoryLine> {
    vec![
        HistoryLine {
            at: Moment::new("20 Nov 2026, 09:12", "2026-11-20T09:12:00Z"),
            who: "Piet Bakker, Acme Health B.V.".into(),
            text: "Asked for access.".into(),
            note: String::new(),
            stand: Stand::Waiting,
        },
        HistoryLine {
            at: Moment::new("2 Oct 2026, 16:40", "2026-10-02T16:40:00Z"),
            who: "Noor de Vries".into(),
            text: "Rejected; may ask again.".into(),
            note: "Please ask only for appointments, not for the whole record.".into(),
            stand: Stand::Rejected,
        },
    ]
}

fn sample_changes() -> Changes {
    Changes {
        added: vec![ScopeLine {
            writes: true,
            ..ScopeLine::new("system/Appointment.c", "Add appointments of all patients, with nobody signed in.")
        }],
        removed: vec![ScopeLine::new("system/DocumentReference.rs", "See and search documents of all patients.")],
        unchanged: vec![
            ScopeLine::new("system/Appointment.rs", "See and search appointments of all patients."),
            ScopeLine::new("system/Patient.rs", "See and search names and birth dates of all patients."),
        ],
        fields: vec![FieldChange {
            label: "Redirect address".into(),
            before: "https://carecal.acme.example/cb".into(),
            after: "https://carecal.acme.example/callback".into(),
        }],
    }
}

fn hostile_changes() -> Changes {
    let line = || ScopeLine::new(samples::MARKUP, samples::MARKUP);
    Changes {
        added: vec![line()],
        removed: vec![ScopeLine::new(samples::RTL, samples::RTL)],
        unchanged: vec![line()],
        fields: vec![FieldChange { label: "Name".into(), before: samples::MARKUP.into(), after: samples::RTL.into() }],
    }
}

impl Page for Review {
    const TEMPLATE: &'static str = "console/review.html";

    fn samples() -> Vec<Self> {
        let durations = vec![
            Choice::new("90", "90 days"),
            Choice::current("365", "1 year"),
            Choice::new("730", "2 years"),
            Choice::new("none", "No end"),
        ];
        let nothing = Self {
            action: "/console/st-mary/access-requests/req_1/decide".into(),
            list_href: "/console/st-mary/clients".into(),
            digest: "sha256-4f1c".into(),
            app: Badge::new("CareCal", "Acme Health B.V."),
            ask: sample_ask(),
            asked: Moment::new("3 days ago", "2026-11-20T09:12:00Z"),
            asked_by: "Piet Bakker".into(),
            may_decide: true,
            durations,
            ..Self::default()
        };
        let typical = Self {
            risks: vec![Risk::Writes, Risk::AllPatients, Risk::Background, Risk::NewProvider],
            reason: "CareCal keeps the hospital's calendar and the family's calendar the same.\nWe need to add appointments because patients reschedule in our app.".into(),
            people_waiting: 3,
            people_notes: vec!["My physiotherapist asked me to use this.".into()],
            groups: samples::typical_groups(),
            about: sample_about(),
            history: sample_history(),
            ..nothing.clone()
        };
        vec![
            nothing,
            typical.clone(),
            Self { change: true, changes: sample_changes(), verdict: Verdict::Less, ..typical.clone() },
            Self {
                verdict: Verdict::Reject,
                reject_reason: Field::wrong("", "Say why, so that the provider can do better."),
                error: "The rejection needs a reason.".into(),
                may_ask_again: true,
                ..typical.clone()
            },
            Self { may_decide: false, ..typical.clone() },
            Self {
                risks: vec![Risk::AllPatients, Risk::Background, Risk::NeedsKey],
                settings_href: "/console/st-mary/settings".into(),
                ..typical.clone()
            },
            Self { risks: vec![Risk::NeedsKey], may_decide: false, ..typical.clone() },
            Self { stand: Stand::Approved, ..typical.clone() },
            Self {
                app: Badge::new(samples::LONG_NAME, samples::LONG_WORD),
                ask: vec![Run::name(samples::LONG_WORD), Run::plain(" asks to "), Run::strong(samples::LONG_NAME)],
                risks: vec![
                    Risk::LooksLike,
                    Risk::Writes,
                    Risk::Deletes,
                    Risk::AllPatients,
                    Risk::FutureKinds,
                    Risk::Background,
                    Risk::Bulk,
                    Risk::Sensitive,
                    Risk::NewProvider,
                    Risk::UnverifiedDomain,
                    Risk::PublicClient,
                    Risk::NeedsKey,
                    Risk::SharedSecret,
                    Risk::NoContact,
                    Risk::NewHost,
                ],
                reason: samples::LONG_NAME.repeat(12),
                groups: samples::sixty_scopes(),
                verdict: Verdict::Less,
                about: (0..20).map(|_| Fact::code(samples::LONG_NAME, &samples::LONG_WORD.repeat(2))).collect(),
                ..typical.clone()
            },
            Self {
                app: Badge::new(samples::MARKUP, samples::RTL),
                risks: vec![Risk::NeedsKey],
                settings_href: samples::BAD_URL.into(),
                ask: vec![
                    Run::name(samples::MARKUP),
                    Run::plain(" by "),
                    Run::name(samples::RTL),
                    Run::strong(samples::EMOJI),
                ],
                reason: format!("{}\n{}\n{}", samples::MARKUP, samples::RTL, samples::EMOJI),
                people_notes: vec![samples::MARKUP.into()],
                groups: samples::hostile_groups(),
                change: true,
                changes: hostile_changes(),
                about: vec![
                    Fact::words("Type", samples::MARKUP),
                    Fact::code("Client id", samples::MARKUP),
                    Fact::link("Terms", samples::BAD_URL),
                ],
                history: vec![HistoryLine {
                    text: "Asked.".into(),
                    who: samples::RTL.into(),
                    note: samples::MARKUP.into(),
                    ..HistoryLine::default()
                }],
                reject_reason: Field::of(samples::MARKUP),
                ..typical
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav(ConsoleSection::Clients)
    }
}

impl Page for Changed {
    const TEMPLATE: &'static str = "console/changed.html";

    fn samples() -> Vec<Self> {
        let typical = Self {
            app: Badge::new("CareCal", "Acme Health B.V."),
            stand: Stand::Waiting,
            what: "Piet Bakker of Acme Health B.V. changed the request at 10:42.".into(),
            changes: sample_changes(),
            review_href: "/console/st-mary/access-requests/req_1".into(),
        };
        vec![
            Self { changes: Changes::default(), ..typical.clone() },
            typical.clone(),
            Self {
                stand: Stand::Approved,
                what: "Eva Smit approved the request at 10:42.".into(),
                changes: Changes::default(),
                ..typical.clone()
            },
            Self {
                app: Badge::new(samples::MARKUP, samples::RTL),
                what: samples::MARKUP.into(),
                changes: hostile_changes(),
                review_href: samples::BAD_URL.into(),
                ..typical
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav(ConsoleSection::Clients)
    }
}
