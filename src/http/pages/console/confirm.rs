//! The one page between a decision and its effect: the same words again, then yes or back.

use serde::Serialize;

use super::super::frame::ConsoleSection;
use super::super::parts::{Badge, ScopeGroup};
use super::super::{Nav, Page, samples};
use super::sample_nav;

/// What will be granted. Form: `POST {action}` with `csrf`, `digest`, `decision`, `scope`..., `duration`, `confirmed=1`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ApproveConfirm {
    /// Where the form goes: the same address as the review's form.
    pub action: String,
    /// Back to the review.
    pub review_href: String,
    /// The review's digest.
    pub digest: String,
    /// `approve` or `less`.
    pub decision: String,
    /// The literal scopes, each a hidden field `scope` (only with `less`).
    pub scopes: Vec<String>,
    /// The duration's value.
    pub duration: String,
    /// "until 23 Nov 2027"; `""` for no end.
    pub until: String,
    /// The app and its provider.
    pub app: Badge,
    /// What it may do from now on.
    pub groups: Vec<ScopeGroup>,
    /// Sentences of what was asked and is left out.
    pub left_out: Vec<String>,
}

/// What a rejection says. Form: `POST {action}` with `csrf`, `digest`, `decision=reject`, `reason`, `may_ask_again`, `confirmed=1`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RejectConfirm {
    /// Where the form goes: the same address as the review's form.
    pub action: String,
    /// Back to the review.
    pub review_href: String,
    /// The review's digest.
    pub digest: String,
    /// The app and its provider.
    pub app: Badge,
    /// The reason the provider will read.
    pub reason: String,
    /// The provider may ask again.
    pub may_ask_again: bool,
}

/// The one question before a client is switched off. Form: `POST {action}` with `csrf`, `reason`, `confirmed=1`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DisableConfirm {
    /// Where the form goes: the same address as the form on the client's page.
    pub action: String,
    /// Back to the client's page.
    pub client_href: String,
    /// The app and its provider.
    pub app: Badge,
    /// The reason as typed.
    pub reason: String,
    /// Live access and refresh tokens that end ("412").
    pub tokens: String,
    /// People who use it ("37").
    pub users: String,
}

impl Page for ApproveConfirm {
    const TEMPLATE: &'static str = "console/approve_confirm.html";

    fn samples() -> Vec<Self> {
        let typical = Self {
            action: "/console/st-mary/access-requests/req_1/decide".into(),
            review_href: "/console/st-mary/access-requests/req_1".into(),
            digest: "sha256-4f1c".into(),
            decision: "less".into(),
            scopes: vec!["patient/Observation.rs".into()],
            duration: "365".into(),
            until: "23 November 2027".into(),
            app: Badge::new("CareCal", "Acme Health B.V."),
            groups: samples::typical_groups(),
            left_out: vec!["See and search documents.".into()],
        };
        vec![
            Self {
                decision: "approve".into(),
                scopes: Vec::new(),
                until: String::new(),
                left_out: Vec::new(),
                ..typical.clone()
            },
            typical.clone(),
            Self {
                app: Badge::new(samples::LONG_WORD, samples::LONG_NAME),
                groups: samples::sixty_scopes(),
                left_out: vec![samples::LONG_NAME.into(); 20],
                ..typical.clone()
            },
            Self {
                app: Badge::new(samples::MARKUP, samples::RTL),
                scopes: vec![samples::MARKUP.into()],
                groups: samples::hostile_groups(),
                left_out: vec![samples::MARKUP.into()],
                ..typical
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav(ConsoleSection::Clients)
    }
}

impl Page for RejectConfirm {
    const TEMPLATE: &'static str = "console/reject_confirm.html";

    fn samples() -> Vec<Self> {
        let typical = Self {
            action: "/console/st-mary/access-requests/req_1/decide".into(),
            review_href: "/console/st-mary/access-requests/req_1".into(),
            digest: "sha256-4f1c".into(),
            app: Badge::new("CareCal", "Acme Health B.V."),
            reason: "Please ask only for appointments, not for the whole record.".into(),
            may_ask_again: true,
        };
        vec![
            typical.clone(),
            Self { may_ask_again: false, reason: samples::LONG_NAME.repeat(10), ..typical.clone() },
            Self { app: Badge::new(samples::MARKUP, samples::RTL), reason: samples::MARKUP.into(), ..typical },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav(ConsoleSection::Clients)
    }
}

impl Page for DisableConfirm {
    const TEMPLATE: &'static str = "console/disable_confirm.html";

    fn samples() -> Vec<Self> {
        let typical = Self {
            action: "/console/st-mary/clients/app_1/disable".into(),
            client_href: "/console/st-mary/clients/app_1".into(),
            app: Badge::new("CareCal", "Acme Health B.V."),
            reason: "Unusual traffic since this morning.".into(),
            tokens: "449".into(),
            users: "37".into(),
        };
        vec![
            Self { reason: String::new(), tokens: "0".into(), users: "0".into(), ..typical.clone() },
            typical.clone(),
            Self {
                app: Badge::new(samples::LONG_WORD, samples::LONG_NAME),
                tokens: "1,234,567".into(),
                ..typical.clone()
            },
            Self { app: Badge::new(samples::MARKUP, samples::RTL), reason: samples::MARKUP.into(), ..typical },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav(ConsoleSection::Clients)
    }
}
