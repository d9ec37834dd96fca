//! A launch that stops because the organization has not approved the app yet.

use serde::Serialize;

use super::parts::{Badge, Field, Moment, Stand};
use super::{Page, samples};

/// The waiting page. It lets the person say why they need the app: `POST {action}` with `csrf`, `flow`, `reason`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Waiting {
    /// `None` (nobody asked yet), `Waiting`, `Rejected` or `Expired`.
    pub stand: Stand,
    /// The app and its provider.
    pub app: Badge,
    /// The organization that decides.
    pub organization: Badge,
    /// When the provider asked; `""` when it has not.
    pub asked: Moment,
    /// The person may add a line for the staff.
    pub can_ask: bool,
    /// Where that line goes.
    pub action: String,
    /// The interaction's id.
    pub flow: String,
    /// The line.
    pub reason: Field,
    /// It was sent.
    pub sent: bool,
    /// Where this launch is tried again.
    pub check_href: String,
    /// Back to the app with an answer that it may not; `""` when that is not possible.
    pub back_href: String,
    /// What to quote when asking for help.
    pub reference: String,
}

impl Page for Waiting {
    const TEMPLATE: &'static str = "waiting.html";

    fn samples() -> Vec<Self> {
        let typical = Self {
            stand: Stand::Waiting,
            app: Badge::new("CareCal", "Acme Health B.V."),
            organization: Badge::new("St. Mary Hospital", ""),
            asked: Moment::new("3 days ago", "2026-11-20T09:12:00Z"),
            can_ask: true,
            action: "/o/st-mary/waiting".into(),
            flow: "flw_01j9".into(),
            check_href: "/o/st-mary/resume?flow=flw_01j9".into(),
            back_href: "/o/st-mary/cancel?flow=flw_01j9".into(),
            reference: "7Q2M-4KXD".into(),
            ..Self::default()
        };
        vec![
            Self {
                stand: Stand::None,
                asked: Moment::default(),
                can_ask: false,
                back_href: String::new(),
                ..typical.clone()
            },
            typical.clone(),
            Self { sent: true, ..typical.clone() },
            Self { stand: Stand::Rejected, can_ask: false, ..typical.clone() },
            Self { stand: Stand::Expired, can_ask: false, ..typical.clone() },
            Self {
                app: Badge::new(samples::LONG_WORD, samples::LONG_NAME),
                organization: Badge::new(samples::LONG_NAME, ""),
                reason: Field::wrong(samples::LONG_NAME.repeat(9), "Use at most 500 characters."),
                ..typical.clone()
            },
            Self {
                app: Badge::new(samples::MARKUP, samples::RTL),
                organization: Badge::new(samples::EMOJI, ""),
                reason: Field::of(samples::MARKUP),
                check_href: samples::BAD_URL.into(),
                ..typical
            },
        ]
    }
}
