//! One client, read from top to bottom as a checklist.

use serde::Serialize;

use super::sample_nav_at;
use crate::http::pages::frame::PortalSection;
use crate::http::pages::parts::{Badge, Fact, Moment, Stand};
use crate::http::pages::{Nav, Page, samples};

/// A client's page. Forms, all `POST` with `csrf`: `{secret_action}` (`days`), `{secret_action}/revoke` (`secret`).
#[derive(Clone, Debug, Default, Serialize)]
pub struct PortalClient {
    /// The list.
    pub back_href: String,
    /// Logo, name, kind.
    pub badge: Badge,
    /// What it is for.
    pub description: String,
    /// Its `client_id`.
    pub client_id: String,
    /// What is done and what is still to do.
    pub steps: Vec<Step>,
    /// Where it is edited.
    pub edit_href: String,
    /// Everything registered.
    pub facts: Vec<Fact>,
    /// It proves itself with secrets.
    pub uses_secrets: bool,
    /// Where secrets are made and revoked.
    pub secret_action: String,
    /// A secret made just now, shown this once; `""` otherwise.
    pub new_secret: String,
    /// The live secrets.
    pub secrets: Vec<SecretRow>,
    /// Another one may be made.
    pub may_make_secret: bool,
    /// Where it stands at each organization.
    pub access: Vec<AccessRow>,
    /// Where access is asked for.
    pub ask_href: String,
    /// How to use it, with its real `client_id`.
    pub samples: Vec<CodeSample>,
    /// Where it is deleted.
    pub delete_href: String,
}

/// A line of the checklist.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Step {
    /// Done, or still to do.
    pub done: bool,
    /// What.
    pub text: String,
    /// Where to do it; `""` for nowhere.
    pub href: String,
}

/// A secret.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SecretRow {
    /// Its id.
    pub id: String,
    /// Its last characters.
    pub hint: String,
    /// When it was made.
    pub made: Moment,
    /// When it was last used; `""` for never.
    pub last_used: Moment,
    /// When it ends; `""` for never.
    pub ends: Moment,
}

/// Where the client stands at an organization.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AccessRow {
    /// The organization.
    pub organization: String,
    /// The state of the approval, or of the request where there is none.
    pub stand: Stand,
    /// What may be done there, in a few words.
    pub summary: String,
    /// What to do next; a whole sentence.
    pub next: String,
    /// A change is waiting besides.
    pub change_waiting: bool,
    /// The newest request.
    pub href: String,
}

/// How to use the client from one language.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CodeSample {
    /// The language or tool.
    pub name: String,
    /// The code.
    pub code: String,
}

impl Page for PortalClient {
    const TEMPLATE: &'static str = "portal/client.html";

    fn samples() -> Vec<Self> {
        let fresh = Self {
            back_href: "/portal/apv_1/clients".into(),
            badge: Badge::new("Growth Chart", "Confidential client with a secret"),
            client_id: "app_01kb3t7p2m9x4z6w8v0q5r1s3d".into(),
            steps: vec![
                Step { done: true, text: "Register the client".into(), href: String::new() },
                Step { done: false, text: "Make a secret".into(), href: "#credentials".into() },
                Step {
                    done: false,
                    text: "Ask an organization for access".into(),
                    href: "/portal/apv_1/clients/app_1/ask".into(),
                },
            ],
            edit_href: "/portal/apv_1/clients/app_1/edit".into(),
            facts: vec![
                Fact::words("Grant types", "authorization_code, refresh_token"),
                Fact::code("Redirect URI", "https://growth.acme.example/callback"),
            ],
            uses_secrets: true,
            secret_action: "/portal/apv_1/clients/app_1/secrets".into(),
            may_make_secret: true,
            ask_href: "/portal/apv_1/clients/app_1/ask".into(),
            samples: vec![CodeSample {
                name: "curl".into(),
                code: "curl https://auth.example/o/st-mary/token \\\n  -d grant_type=client_credentials".into(),
            }],
            delete_href: "/portal/apv_1/clients/app_1/delete".into(),
            ..Self::default()
        };
        let secret = SecretRow {
            id: "sec_1".into(),
            hint: "x7Qa".into(),
            made: Moment::new("12 Nov 2026", "2026-11-12T09:00:00Z"),
            last_used: Moment::new("today, 14:03", "2026-11-23T14:03:00Z"),
            ends: Moment::default(),
        };
        let access = |organization: &str, stand| AccessRow {
            organization: organization.into(),
            stand,
            summary: "reads lab results, all patients".into(),
            next: "It may be used now.".into(),
            change_waiting: stand == Stand::Approved,
            href: "/portal/apv_1/requests/req_1".into(),
        };
        let typical = Self {
            description: "Shows how a child grows.".into(),
            secrets: vec![secret.clone(), SecretRow { last_used: Moment::default(), ..secret }],
            may_make_secret: false,
            access: vec![access("St. Mary Hospital", Stand::Approved), access("Lakeside", Stand::Rejected)],
            ..fresh.clone()
        };
        vec![
            fresh,
            typical.clone(),
            Self { new_secret: "kQ7aT0vXc2mN8pLr4sWz6yB1dF3gH5jK9eU0iO2A".into(), ..typical.clone() },
            Self {
                badge: Badge::new(samples::LONG_NAME, samples::LONG_NAME),
                description: samples::LONG_WORD.into(),
                access: (0..40).map(|_| access(samples::LONG_NAME, Stand::Waiting)).collect(),
                ..typical.clone()
            },
            Self {
                badge: Badge::new(samples::MARKUP, samples::RTL),
                description: samples::MARKUP.into(),
                facts: vec![Fact::link(samples::MARKUP, samples::BAD_URL)],
                access: vec![access(samples::MARKUP, Stand::Disabled)],
                samples: vec![CodeSample { name: samples::RTL.into(), code: samples::MARKUP.into() }],
                ..typical
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav_at(PortalSection::Clients)
    }
}
