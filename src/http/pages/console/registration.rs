//! Apps that register themselves at the organization.

use serde::Serialize;

use super::super::frame::ConsoleSection;
use super::super::parts::{Field, Moment};
use super::super::{Nav, Page, samples};
use super::sample_nav;

/// Initial access tokens. Forms: `POST {action}/tokens` with `csrf`, `note` (the answer shows the token once); `POST {action}/tokens/revoke` with `csrf`,
/// `token`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Registration {
    /// Base of the forms' addresses.
    pub action: String,
    /// The settings, where the policy is chosen.
    pub settings_href: String,
    /// Who may register, in a sentence.
    pub policy: String,
    /// Nobody may: tokens do nothing.
    pub is_closed: bool,
    /// Where apps register, for copying.
    pub endpoint: String,
    /// A token made just now, shown this once; `""` otherwise.
    pub new_token: String,
    /// Until when it may be used.
    pub new_token_ends: Moment,
    /// The newest tokens.
    pub rows: Vec<InitialTokenRow>,
    /// What a new token is for, as typed.
    pub note: Field,
    /// This person may make and revoke tokens.
    pub may_change: bool,
}

/// One token.
#[derive(Clone, Debug, Default, Serialize)]
pub struct InitialTokenRow {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub note: String,
    /// Who made it.
    pub by: String,
    /// When.
    pub made: Moment,
    /// Where it stands, in a word or two: "Can be used until".
    pub standing: String,
    /// The moment that belongs to it.
    pub at: Moment,
    /// The client that registered with it; `""` for none.
    pub client: String,
    /// Its page.
    pub client_href: String,
    /// It can still be used, and so revoked.
    pub usable: bool,
}

impl Page for Registration {
    const TEMPLATE: &'static str = "console/registration.html";

    fn samples() -> Vec<Self> {
        let moment = || Moment::new("12 Nov 2026, 14:03", "2026-11-12T14:03:00Z");
        let row = |note: &str, by: &str| InitialTokenRow {
            id: "7".into(),
            note: note.into(),
            by: by.into(),
            made: moment(),
            standing: "Can be used until".into(),
            at: moment(),
            usable: true,
            ..InitialTokenRow::default()
        };
        let used = |note: &str, client: &str| InitialTokenRow {
            standing: "Used".into(),
            client: client.into(),
            client_href: "/console/st-mary/clients/app_1".into(),
            usable: false,
            ..row(note, "Noor de Vries")
        };
        let nothing = Self {
            action: "/console/st-mary/registration".into(),
            settings_href: "/console/st-mary/settings".into(),
            policy: "Apps register themselves with a token from you.".into(),
            endpoint: "https://id.example/o/st-mary/register".into(),
            may_change: true,
            ..Self::default()
        };
        let typical = Self {
            rows: vec![
                row("Growth Chart of Acme Health", "Noor de Vries"),
                used("Pilot with CareCal", "CareCal"),
                InitialTokenRow {
                    standing: "Expired".into(),
                    usable: false,
                    ..row("Test of the laboratory", "Eva Smit")
                },
            ],
            ..nothing.clone()
        };
        vec![
            nothing.clone(),
            typical.clone(),
            Self {
                new_token: "csk_8Qm2vJd4kT1nXe0WzRbC7uYhLs9aFgPi3oKtNqVx5rMyBdEw8Qm2vJd4kT1nXe0WzRbC7uYhLs9aFg".into(),
                new_token_ends: moment(),
                ..typical.clone()
            },
            Self {
                policy: "Apps cannot register themselves here.".into(),
                is_closed: true,
                may_change: false,
                ..typical.clone()
            },
            Self {
                rows: (0..30).map(|_| row(samples::LONG_NAME, samples::LONG_WORD)).collect(),
                note: Field::wrong("", "This must be filled in."),
                ..nothing.clone()
            },
            Self {
                rows: vec![row(samples::MARKUP, samples::RTL), used(samples::RTL, samples::MARKUP)],
                note: Field::wrong(samples::MARKUP, samples::MARKUP),
                new_token: samples::MARKUP.into(),
                ..nothing
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav(ConsoleSection::Settings)
    }
}
