//! Registering a client, and saying something else of it later.

use serde::Serialize;

use super::sample_nav_at;
use crate::http::pages::frame::PortalSection;
use crate::http::pages::parts::{Choice, Field};
use crate::http::pages::{Nav, Page, samples};

/// The form. `POST {action}`, `multipart/form-data`, with `csrf`, `revision` (hidden), `logo` (hidden, digest of the logo so far), `logo_file`,
/// `name`, `description`, `contacts`, `homepage`, `privacy`, `terms`, `client_type`, `jwks`, `jwks_uri`, `assertion_audience`, `redirect_uris`, `launch_uri`,
/// `post_logout_redirect_uris`, `native=1`, `grant_types` (repeated), `why`. Lists are one entry a line.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PortalClientForm {
    /// Where the form goes.
    pub action: String,
    /// The way back.
    pub back_href: String,
    /// Registering, not revising.
    pub is_new: bool,
    /// The client's name so far, for the heading.
    pub heading: String,
    /// The revision this form started from.
    pub revision: String,
    /// How many things are wrong; 0 for none.
    pub mistakes: u32,
    /// Name.
    pub name: Field,
    /// What it is for.
    pub description: Field,
    /// E-mail addresses, one a line.
    pub contacts: Field,
    /// Website.
    pub homepage: Field,
    /// Privacy statement.
    pub privacy: Field,
    /// Terms of use.
    pub terms: Field,
    /// Digest of the logo so far; `""` for none.
    pub logo: String,
    /// URL of the logo so far; `""` for none.
    pub logo_href: String,
    /// What is wrong with the uploaded logo.
    pub logo_error: String,
    /// How it proves who it is: `public`, `confidential_secret`, `confidential_keys`.
    pub client_types: Vec<Choice>,
    /// Inline JWK Set.
    pub jwks: Field,
    /// URL of its JWK Set.
    pub jwks_uri: Field,
    /// Which audience its assertions carry: `smart` or `strict`.
    pub assertion_audiences: Vec<Choice>,
    /// Redirect URIs, one a line.
    pub redirect_uris: Field,
    /// Launch URL.
    pub launch_uri: Field,
    /// Where users may land after signing out, one a line.
    pub post_logout_redirect_uris: Field,
    /// A native app.
    pub native: bool,
    /// Grant types: `authorization_code`, `refresh_token`, `client_credentials`; `current` for ticked ones.
    pub grant_types: Vec<Choice>,
    /// What is wrong with the grant types.
    pub grant_types_error: String,
    /// Organizations have approved it: a change becomes a request to each of them, with this reason.
    pub asks_why: bool,
    /// That reason.
    pub why: Field,
}

impl PortalClientForm {
    fn sample() -> Self {
        Self {
            action: "/portal/apv_1/clients/new".into(),
            back_href: "/portal/apv_1/clients".into(),
            is_new: true,
            client_types: vec![
                Choice::current("public", "Public: it runs in a browser or on a phone and cannot keep a secret"),
                Choice::new("confidential_secret", "Confidential, with a secret: it runs on your server"),
                Choice::new("confidential_keys", "Confidential, with keys: it signs with a key of yours (recommended)"),
            ],
            assertion_audiences: vec![
                Choice::current("smart", "The token address, or the issuer"),
                Choice::new("strict", "The issuer alone"),
            ],
            grant_types: vec![
                Choice::current("authorization_code", "People sign in (authorization_code)"),
                Choice::current("refresh_token", "Stay connected (refresh_token)"),
                Choice::new("client_credentials", "Works on its own (client_credentials)"),
            ],
            ..Self::default()
        }
    }
}

impl Page for PortalClientForm {
    const TEMPLATE: &'static str = "portal/client_form.html";

    fn samples() -> Vec<Self> {
        let editing = Self {
            action: "/portal/apv_1/clients/app_1/edit".into(),
            is_new: false,
            heading: "Growth Chart".into(),
            revision: "3".into(),
            name: Field::of("Growth Chart"),
            contacts: Field::of("dev@acme.example"),
            redirect_uris: Field::of("https://growth.acme.example/callback"),
            asks_why: true,
            ..Self::sample()
        };
        vec![
            Self::sample(),
            editing.clone(),
            Self {
                mistakes: 3,
                name: Field::wrong("", "A name has 1 to 80 characters."),
                redirect_uris: Field::wrong(
                    "http://growth.acme.example/callback",
                    "http is for loopback addresses only; use https.",
                ),
                logo_error: "A logo is a PNG or JPEG picture.".into(),
                grant_types_error: "Choose at least one.".into(),
                ..editing.clone()
            },
            Self {
                heading: samples::LONG_NAME.into(),
                name: Field::of(samples::LONG_NAME),
                redirect_uris: Field::of(samples::LONG_WORD),
                ..editing.clone()
            },
            Self {
                heading: samples::MARKUP.into(),
                name: Field::wrong(samples::RTL, samples::MARKUP),
                jwks: Field::wrong(samples::MARKUP, samples::EMOJI),
                logo_href: samples::BAD_URL.into(),
                ..editing
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav_at(PortalSection::Clients)
    }
}
