//! The first page, `/`.

use serde::Serialize;

use super::frame::Switch;
use super::{Page, samples};

/// What this server is, and the doors that are open to whoever looks.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Start {
    /// Nobody is signed in: show the way in.
    pub sign_in_href: String,
    /// Consoles of organizations this person is staff of.
    pub consoles: Vec<Switch>,
    /// Portals of application providers this person is a member of.
    pub portals: Vec<Switch>,
    /// This person's own lists of apps, one per organization.
    pub apps: Vec<Switch>,
    /// The operator's pages; `""` for everybody else.
    pub operator_href: String,
}

impl Page for Start {
    const TEMPLATE: &'static str = "start.html";

    fn samples() -> Vec<Self> {
        let door = |name: &str, href: &str| Switch { name: name.into(), href: href.into() };
        vec![
            Self { sign_in_href: "/sign-in".into(), ..Self::default() },
            Self {
                consoles: vec![door("St. Mary Hospital", "/console/st-mary")],
                portals: vec![door("Acme Health", "/portal/acme")],
                apps: vec![door("St. Mary Hospital", "/o/st-mary/apps")],
                operator_href: "/operator".into(),
                ..Self::default()
            },
            Self {
                consoles: (0..20).map(|_| door(samples::LONG_NAME, "/console/x")).collect(),
                portals: vec![door(samples::LONG_WORD, "/portal/x")],
                ..Self::default()
            },
            Self {
                consoles: vec![door(samples::MARKUP, samples::BAD_URL), door(samples::RTL, "/x")],
                apps: vec![door(samples::EMOJI, "/x")],
                ..Self::default()
            },
        ]
    }
}
