//! What happened (the audit record as people read it), and what was sent about it.

use serde::Serialize;

use super::super::frame::ConsoleSection;
use super::super::parts::{Choice, Moment, Paging};
use super::super::{Nav, Page, samples};
use super::sample_nav;

/// The audit record. Form: `GET {action}` with `q`, `kind`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Activity {
    /// Where the search goes (this page).
    pub action: String,
    /// What is searched for.
    pub q: String,
    /// Kinds of events to choose from.
    pub kinds: Vec<Choice>,
    /// Newest first.
    pub rows: Vec<ActivityRow>,
    /// Which part is shown.
    pub paging: Paging,
    /// "The chain of 18,204 records is unbroken, checked 2 minutes ago."; `""` when unknown.
    pub chain: String,
    /// The chain is broken: `chain` says where, and it is shown as a problem.
    pub chain_broken: bool,
}

/// One event.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ActivityRow {
    /// When.
    pub at: Moment,
    /// Who; `""` for the system.
    pub who: String,
    /// A whole sentence: "Disabled CareCal."
    pub text: String,
    /// A reason or detail somebody gave; may be `""`.
    pub note: String,
    /// The record's number and the beginning of its fingerprint.
    pub record: String,
    /// Where the concerned thing is; `""` for none.
    pub href: String,
}

/// What was sent to application providers and others.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Notifications {
    /// Filters by state (`value` is the URL).
    pub filters: Vec<Choice>,
    /// Newest first. Retry form: `POST {retry_action}` with `csrf`, `notification`.
    pub rows: Vec<NotificationRow>,
    /// Where *Send again* goes.
    pub retry_action: String,
    /// Which part is shown.
    pub paging: Paging,
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// Not sent yet.
    #[default]
    Queued,
    /// Arrived at the other side's server.
    Sent,
    /// Failed, will be tried again.
    Retrying,
    /// Given up.
    Failed,
}

/// One message.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NotificationRow {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub at: Moment,
    /// What it says: "CareCal is live".
    pub subject: String,
    /// To whom: an address or a webhook.
    pub to: String,
    /// `true` for a webhook, `false` for mail.
    pub webhook: bool,
    /// Where it stands.
    pub delivery: Delivery,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried again; `""` for never.
    pub next: Moment,
    /// What the other side said; `""` for nothing.
    pub error: String,
}

impl Page for Activity {
    const TEMPLATE: &'static str = "console/activity.html";

    fn samples() -> Vec<Self> {
        let row = |text: &str, who: &str, note: &str| ActivityRow {
            at: Moment::new("23 Nov 2026, 14:03:07", "2026-11-23T14:03:07Z"),
            who: who.into(),
            text: text.into(),
            note: note.into(),
            record: "18204 · 9f3a77c1".into(),
            href: "/console/st-mary/clients/app_1".into(),
        };
        let nothing = Self {
            action: "/console/st-mary/activity".into(),
            kinds: vec![
                Choice::current("", "Everything"),
                Choice::new("decisions", "Decisions"),
                Choice::new("tokens", "Tokens"),
            ],
            ..Self::default()
        };
        let typical = Self {
            rows: vec![
                row("Disabled CareCal.", "Noor de Vries", "Unusual traffic since this morning."),
                ActivityRow { href: String::new(), ..row("Rotated the signing key.", "", "") },
                row("Approved Growth Chart with less than was asked.", "Eva Smit", ""),
            ],
            paging: Paging { text: "1 to 3 of 18,204".into(), next: "/x".into(), ..Paging::default() },
            chain: "The chain of 18,204 records is unbroken, checked 2 minutes ago.".into(),
            ..nothing.clone()
        };
        vec![
            nothing,
            typical.clone(),
            Self {
                chain_broken: true,
                chain: "Record 17,003 does not follow from record 17,002.".into(),
                ..typical.clone()
            },
            Self {
                rows: (0..50)
                    .map(|_| row(&samples::LONG_NAME.repeat(3), samples::LONG_WORD, samples::LONG_NAME))
                    .collect(),
                ..typical.clone()
            },
            Self {
                q: samples::MARKUP.into(),
                rows: vec![
                    row(samples::MARKUP, samples::RTL, samples::MARKUP),
                    ActivityRow { href: samples::BAD_URL.into(), ..row(samples::EMOJI, samples::MARKUP, samples::RTL) },
                ],
                ..typical
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav(ConsoleSection::Activity)
    }
}

impl Page for Notifications {
    const TEMPLATE: &'static str = "console/notifications.html";

    fn samples() -> Vec<Self> {
        let row = |subject: &str, delivery| NotificationRow {
            id: "ntf_1".into(),
            at: Moment::new("23 Nov 2026, 14:03", "2026-11-23T14:03:07Z"),
            subject: subject.into(),
            to: "integrations@acme.example".into(),
            delivery,
            attempts: 1,
            ..NotificationRow::default()
        };
        let nothing = Self {
            filters: vec![Choice::current("?state=", "All"), Choice::new("?state=failed", "Failed")],
            retry_action: "/console/st-mary/notifications/retry".into(),
            ..Self::default()
        };
        let typical = Self {
            rows: vec![
                row("CareCal is switched off", Delivery::Queued),
                row("Growth Chart is live", Delivery::Sent),
                NotificationRow {
                    webhook: true,
                    to: "https://acme.example/hooks/countersign".into(),
                    attempts: 3,
                    next: Moment::new("in 4 minutes", "2026-11-23T14:07:00Z"),
                    error: "HTTP 502 from acme.example".into(),
                    ..row("Growth Chart is live", Delivery::Retrying)
                },
                NotificationRow {
                    attempts: 12,
                    error: "550 no such mailbox".into(),
                    ..row("SleepWell was rejected", Delivery::Failed)
                },
            ],
            paging: Paging { text: "1 to 4 of 4".into(), ..Paging::default() },
            ..nothing.clone()
        };
        vec![
            nothing,
            typical.clone(),
            Self {
                rows: (0..50)
                    .map(|_| NotificationRow {
                        to: samples::LONG_WORD.into(),
                        error: samples::LONG_NAME.repeat(3),
                        attempts: 12_000,
                        ..row(samples::LONG_NAME, Delivery::Failed)
                    })
                    .collect(),
                ..typical.clone()
            },
            Self {
                rows: vec![NotificationRow {
                    to: samples::MARKUP.into(),
                    error: samples::MARKUP.into(),
                    ..row(samples::RTL, Delivery::Failed)
                }],
                ..typical
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav(ConsoleSection::Notifications)
    }
}
