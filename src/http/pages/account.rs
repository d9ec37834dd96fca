//! A person's own account: name, language, password, personal API tokens, sessions.

use serde::Serialize;

use super::parts::{Choice, Field, Moment};
use super::{Nav, Page, samples};

/// The account page. Forms, all `POST` with `csrf`:
/// - `/account/profile`: `name`, `lang`;
/// - `/account/password`: `current_password`, `new_password`;
/// - `/account/tokens`: `token_name`, `token_days`; the answer is this page with [`new_token`](Self::new_token) set;
/// - `/account/tokens/revoke`: `token`;
/// - `/account/sessions/end`: `session` (`all` ends every other one).
#[derive(Clone, Debug, Default, Serialize)]
pub struct Account {
    /// The name as typed.
    pub name: Field,
    /// The e-mail address; only the operator changes it.
    pub email: String,
    /// Languages.
    pub languages: Vec<Choice>,
    /// The current password: only its error.
    pub current_password: Field,
    /// The new password: only its error.
    pub new_password: Field,
    /// Name for a new token, as typed.
    pub token_name: Field,
    /// How long a new token lives.
    pub token_days: Vec<Choice>,
    /// A token made just now, shown this once; `""` otherwise.
    pub new_token: String,
    /// Tokens there are.
    pub tokens: Vec<TokenRow>,
    /// Sessions there are.
    pub sessions: Vec<SessionRow>,
}

/// A personal API token.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TokenRow {
    /// Its id.
    pub id: String,
    /// What the person called it.
    pub name: String,
    /// When it was made.
    pub made: Moment,
    /// When it was last used; `""` for never.
    pub last_used: Moment,
    /// When it ends; `""` for never.
    pub ends: Moment,
}

/// A session in some browser.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SessionRow {
    /// Its id.
    pub id: String,
    /// "Firefox on Windows".
    pub device: String,
    /// Since when.
    pub since: Moment,
    /// When it was last seen.
    pub seen: Moment,
    /// This one.
    pub current: bool,
}

impl Page for Account {
    const TEMPLATE: &'static str = "account.html";

    fn samples() -> Vec<Self> {
        let moment = || Moment::new("12 Nov 2026, 14:03", "2026-11-12T14:03:00Z");
        let nothing = Self {
            name: Field::of("Noor de Vries"),
            email: "noor@st-mary.example".into(),
            languages: vec![Choice::current("en", "English"), Choice::new("nl", "Nederlands")],
            token_days: vec![
                Choice::new("30", "30 days"),
                Choice::current("90", "90 days"),
                Choice::new("365", "1 year"),
            ],
            sessions: vec![SessionRow {
                id: "ses_1".into(),
                device: "Firefox on Windows".into(),
                since: moment(),
                seen: Moment::new("now", "2026-11-23T10:00:00Z"),
                current: true,
            }],
            ..Self::default()
        };
        let other = |device: &str| SessionRow {
            id: "ses_2".into(),
            device: device.into(),
            since: moment(),
            seen: moment(),
            current: false,
        };
        let token = |name: &str| TokenRow {
            id: "pat_1".into(),
            name: name.into(),
            made: moment(),
            last_used: Moment::default(),
            ends: Moment::new("10 Feb 2027", "2027-02-10T00:00:00Z"),
        };
        let typical = Self {
            new_token: "csp_8Qm2vJd4kT1nXe0WzRbC7uYhLs9aFgPi3oKtNqVx5rMyBdEw".into(),
            tokens: vec![token("Nightly export"), token("Script on my laptop")],
            sessions: [nothing.sessions.clone(), vec![other("Safari on iPhone")]].concat(),
            ..nothing.clone()
        };
        vec![
            nothing,
            typical.clone(),
            Self {
                name: Field::wrong(samples::LONG_NAME, "Use at most 60 characters."),
                current_password: Field::wrong("", "This is not your password."),
                new_password: Field::wrong("", "Use at least 12 characters."),
                token_name: Field::wrong("", "Give the token a name."),
                tokens: (0..30).map(|_| token(samples::LONG_WORD)).collect(),
                sessions: (0..30).map(|_| other(samples::LONG_NAME)).collect(),
                ..typical.clone()
            },
            Self {
                name: Field::wrong(samples::MARKUP, samples::RTL),
                email: samples::MARKUP.into(),
                new_token: samples::MARKUP.into(),
                tokens: vec![token(samples::MARKUP), token(samples::RTL)],
                sessions: vec![other(samples::MARKUP), other(samples::EMOJI)],
                ..typical
            },
        ]
    }

    fn sample_nav() -> Nav {
        Nav::Account
    }
}
