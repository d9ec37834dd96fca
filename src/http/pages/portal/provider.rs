//! The application provider itself: members, webhooks, settings; and the one confirmation page of the portal.

use serde::Serialize;

use super::sample_nav_at;
use crate::http::pages::frame::PortalSection;
use crate::http::pages::parts::{Choice, Field, Moment};
use crate::http::pages::{Nav, Page, samples};

/// For somebody who is no developer anywhere.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PortalNone {
    /// Whom they can ask.
    pub email: String,
}

/// Members. Forms, `POST` with `csrf`: `{action}` (`email`, `role`), `{action}/remove` (`account`).
#[derive(Clone, Debug, Default, Serialize)]
pub struct PortalMembers {
    /// Where forms go.
    pub action: String,
    /// This person may change members.
    pub may_change: bool,
    /// One row a member.
    pub rows: Vec<PortalMemberRow>,
    /// E-mail address of somebody to add.
    pub email: Field,
    /// Roles.
    pub roles: Vec<Choice>,
}

/// A member.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PortalMemberRow {
    /// Account id.
    pub id: String,
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Role in words.
    pub role: String,
    /// It is whoever is looking.
    pub is_self: bool,
}

/// Webhooks. Forms, `POST` with `csrf`: `{action}` (`url`), `{action}/remove` (`webhook`).
#[derive(Clone, Debug, Default, Serialize)]
pub struct PortalWebhooks {
    /// Where forms go.
    pub action: String,
    /// URL of a new one.
    pub url: Field,
    /// The signing secret of one made just now, shown this once; `""` otherwise.
    pub new_secret: String,
    /// One row a webhook.
    pub rows: Vec<PortalWebhookRow>,
}

/// A webhook.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PortalWebhookRow {
    /// Its id.
    pub id: String,
    /// Where messages go.
    pub url: String,
    /// When it was registered.
    pub made: Moment,
}

/// The provider's own name and website. Form: `POST {action}` with `csrf`, `name`, `website`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PortalSettings {
    /// Where the form goes.
    pub action: String,
    /// This person may change it.
    pub may_change: bool,
    /// Name.
    pub name: Field,
    /// Website.
    pub website: Field,
}

/// "Are you sure?" Form: `POST {action}` with `csrf`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PortalConfirm {
    /// Where the form goes.
    pub action: String,
    /// The way back.
    pub back_href: String,
    /// The question.
    pub title: String,
    /// What would happen.
    pub text: String,
    /// The verb on the button.
    pub button: String,
}

impl Page for PortalNone {
    const TEMPLATE: &'static str = "portal/none.html";

    fn samples() -> Vec<Self> {
        vec![
            Self { email: "dana@acme.example".into() },
            Self { email: samples::LONG_WORD.into() },
            Self { email: samples::MARKUP.into() },
        ]
    }
}

impl Page for PortalMembers {
    const TEMPLATE: &'static str = "portal/members.html";

    fn samples() -> Vec<Self> {
        let row = |name: &str, is_self| PortalMemberRow {
            id: "acc_1".into(),
            name: name.into(),
            email: "dana@acme.example".into(),
            role: "Developer".into(),
            is_self,
        };
        let typical = Self {
            action: "/portal/apv_1/members".into(),
            may_change: true,
            rows: vec![row("Dana Dev", true), row("Sam Coder", false)],
            email: Field::default(),
            roles: vec![Choice::current("developer", "Developer"), Choice::new("admin", "Administrator")],
        };
        vec![
            typical.clone(),
            Self { may_change: false, ..typical.clone() },
            Self {
                email: Field::wrong(samples::MARKUP, samples::RTL),
                rows: vec![row(samples::MARKUP, false), row(samples::LONG_NAME, false)],
                ..typical
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav_at(PortalSection::Members)
    }
}

impl Page for PortalWebhooks {
    const TEMPLATE: &'static str = "portal/webhooks.html";

    fn samples() -> Vec<Self> {
        let empty = Self { action: "/portal/apv_1/webhooks".into(), ..Self::default() };
        let row = |url: &str| PortalWebhookRow {
            id: "whk_1".into(),
            url: url.into(),
            made: Moment::new("12 Nov 2026", "2026-11-12T09:00:00Z"),
        };
        vec![
            empty.clone(),
            Self {
                new_secret: "kQ7aT0vXc2mN8pLr4sWz".into(),
                rows: vec![row("https://acme.example/hooks/countersign")],
                ..empty.clone()
            },
            Self {
                url: Field::wrong(samples::MARKUP, "Use https."),
                rows: vec![row(samples::LONG_WORD), row(samples::MARKUP)],
                ..empty
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav_at(PortalSection::Webhooks)
    }
}

impl Page for PortalSettings {
    const TEMPLATE: &'static str = "portal/settings.html";

    fn samples() -> Vec<Self> {
        let typical = Self {
            action: "/portal/apv_1/settings".into(),
            may_change: true,
            name: Field::of("Acme Health"),
            website: Field::of("https://acme.example"),
        };
        vec![
            typical.clone(),
            Self { may_change: false, ..typical.clone() },
            Self {
                name: Field::wrong(samples::MARKUP, samples::EMOJI),
                website: Field::wrong(samples::BAD_URL, "Use https."),
                ..typical
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav_at(PortalSection::Settings)
    }
}

impl Page for PortalConfirm {
    const TEMPLATE: &'static str = "portal/confirm.html";

    fn samples() -> Vec<Self> {
        let typical = Self {
            action: "/portal/apv_1/clients/app_1/delete".into(),
            back_href: "/portal/apv_1/clients/app_1".into(),
            title: "Delete Growth Chart?".into(),
            text: "It stops working everywhere at once, and its client_id is never used again.".into(),
            button: "Delete the client".into(),
        };
        vec![
            typical.clone(),
            Self { title: samples::LONG_WORD.into(), ..typical.clone() },
            Self { title: samples::MARKUP.into(), text: samples::RTL.into(), ..typical },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav_at(PortalSection::Clients)
    }
}
