//! After a decision: proof of what happened.

use serde::Serialize;

use super::super::frame::ConsoleSection;
use super::super::parts::{Badge, Fact, Moment, Stand};
use super::super::{Nav, Page, samples};
use super::sample_nav;

/// What was decided; chooses the words (`receipt-{outcome}-title|text`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Approved as asked.
    #[default]
    Approved,
    /// Approved with less.
    ApprovedLess,
    /// Rejected.
    Rejected,
    /// Switched off.
    Disabled,
    /// Switched on again.
    Enabled,
}

/// The receipt: a page one can print or come back to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Receipt {
    /// What was decided.
    pub outcome: Outcome,
    /// Where the client stands now.
    pub stand: Stand,
    /// The app and its provider.
    pub app: Badge,
    /// When it took effect, to the second.
    pub at: Moment,
    /// Who decided.
    pub by: String,
    /// The reason; may be `""`.
    pub reason: String,
    /// What it did: tokens ended, users, expiry, who was told.
    pub facts: Vec<Fact>,
    /// Number and fingerprint of the audit record.
    pub record: String,
    /// The client's page.
    pub client_href: String,
    /// The next request that waits; `""` for none.
    pub next_href: String,
    /// Back to the list.
    pub list_href: String,
}

impl Page for Receipt {
    const TEMPLATE: &'static str = "console/receipt.html";

    fn samples() -> Vec<Self> {
        let typical = |outcome, stand| Self {
            outcome,
            stand,
            app: Badge::new("CareCal", "Acme Health B.V."),
            at: Moment::new("23 Nov 2026, 14:03:07", "2026-11-23T14:03:07Z"),
            by: "Noor de Vries".into(),
            reason: "Unusual traffic since this morning.".into(),
            facts: vec![
                Fact::words("Access tokens ended", "412"),
                Fact::words("Refresh tokens ended", "37"),
                Fact::words("Told", "integrations@acme.example"),
            ],
            record: "18204 · 9f3a 77c1 02be 5d40".into(),
            client_href: "/console/st-mary/clients/app_1".into(),
            next_href: "/console/st-mary/access-requests/req_2".into(),
            list_href: "/console/st-mary/clients".into(),
        };
        vec![
            Self {
                reason: String::new(),
                facts: Vec::new(),
                next_href: String::new(),
                ..typical(Outcome::Enabled, Stand::Approved)
            },
            typical(Outcome::Disabled, Stand::Disabled),
            typical(Outcome::Approved, Stand::Approved),
            typical(Outcome::ApprovedLess, Stand::Approved),
            typical(Outcome::Rejected, Stand::Rejected),
            Self {
                app: Badge::new(samples::LONG_WORD, samples::LONG_NAME),
                reason: samples::LONG_NAME.repeat(8),
                ..typical(Outcome::Disabled, Stand::Disabled)
            },
            Self {
                app: Badge::new(samples::MARKUP, samples::RTL),
                by: samples::RTL.into(),
                reason: samples::MARKUP.into(),
                facts: vec![Fact::words("Told", samples::MARKUP)],
                record: samples::MARKUP.into(),
                ..typical(Outcome::Rejected, Stand::Rejected)
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav(ConsoleSection::Clients)
    }
}
