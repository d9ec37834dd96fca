//! Signing in, and having signed out.

use serde::Serialize;

use super::parts::{Badge, Field};
use super::{FormValue, Page, samples};

/// The sign-in page. Form: `POST {action}` with `csrf`, `return_to` (hidden, as given), `email`, `password`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SignIn {
    /// Where the form goes.
    pub action: String,
    /// Where the person goes afterwards; an opaque value of the handler's, not shown.
    pub return_to: String,
    /// The organization one signs in at; its name `""` shows the product instead.
    pub organization: Badge,
    /// The app one goes on to ("to continue to Growth Chart"); `""` for our own pages.
    pub continue_to: String,
    /// The e-mail address as typed.
    pub email: Field,
    /// The password field: only its error, the password itself never comes back.
    pub password: Field,
    /// What is wrong as a whole ("E-mail address or password is not right."); `""` for nothing.
    pub error: String,
    /// Where a person who forgot their password goes; `""` hides the link.
    pub forgot_href: String,
}

impl Page for SignIn {
    const TEMPLATE: &'static str = "sign_in.html";

    fn samples() -> Vec<Self> {
        let typical = Self {
            action: "/sign-in".into(),
            return_to: "k3v9".into(),
            organization: Badge::new("St. Mary Hospital", ""),
            continue_to: "Growth Chart".into(),
            forgot_href: "/forgot-password".into(),
            ..Self::default()
        };
        vec![
            Self { action: "/sign-in".into(), ..Self::default() },
            typical.clone(),
            Self {
                email: Field::wrong("nurse@st-mary", "This does not look like an e-mail address."),
                password: Field::wrong("", "Enter your password."),
                error: "We could not sign you in.".into(),
                ..typical.clone()
            },
            Self {
                organization: Badge::new(samples::LONG_NAME, ""),
                continue_to: samples::LONG_WORD.into(),
                email: Field::of(format!("{}@example.org", samples::LONG_WORD)),
                ..typical.clone()
            },
            Self {
                organization: Badge::new(samples::MARKUP, ""),
                continue_to: samples::RTL.into(),
                email: Field::wrong(samples::MARKUP, samples::EMOJI),
                error: samples::MARKUP.into(),
                forgot_href: samples::BAD_URL.into(),
                ..typical
            },
        ]
    }
}

/// After signing out.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SignedOut {
    /// The organization one was signed in at; its name may be `""`.
    pub organization: Badge,
    /// Where one may sign in again.
    pub sign_in_href: String,
    /// Where the app that asked for the sign-out wants people back; `""` for none.
    pub back_href: String,
    /// That app's name.
    pub back_name: String,
}

impl Page for SignedOut {
    const TEMPLATE: &'static str = "signed_out.html";

    fn samples() -> Vec<Self> {
        vec![
            Self { sign_in_href: "/sign-in".into(), ..Self::default() },
            Self {
                organization: Badge::new("St. Mary Hospital", ""),
                sign_in_href: "/sign-in".into(),
                back_href: "https://chart.example/".into(),
                back_name: "Growth Chart".into(),
            },
            Self {
                organization: Badge::new(samples::RTL, ""),
                sign_in_href: "/sign-in".into(),
                back_href: samples::BAD_URL.into(),
                back_name: samples::MARKUP.into(),
            },
        ]
    }
}

/// The one question before an app signs somebody out. Form: `POST {action}` with `csrf` and what the app sent, as hidden fields.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SignOutQuestion {
    /// Where the form goes.
    pub action: String,
    /// The organization.
    pub organization: Badge,
    /// What the app sent: carried along.
    pub fields: Vec<FormValue>,
    /// Where one goes without signing out.
    pub stay_href: String,
}

impl Page for SignOutQuestion {
    const TEMPLATE: &'static str = "sign_out.html";

    fn samples() -> Vec<Self> {
        let typical = Self {
            action: "/o/st-mary/logout".into(),
            organization: Badge::new("St. Mary Hospital", ""),
            fields: vec![FormValue { name: "state".into(), value: "x y".into() }],
            stay_href: "/".into(),
        };
        vec![
            Self { organization: Badge::default(), fields: Vec::new(), ..typical.clone() },
            typical.clone(),
            Self { organization: Badge::new(samples::LONG_NAME, ""), ..typical.clone() },
            Self {
                organization: Badge::new(samples::MARKUP, ""),
                fields: vec![FormValue { name: "state".into(), value: samples::MARKUP.into() }],
                ..typical
            },
        ]
    }
}
