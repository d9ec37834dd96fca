//! The provider's clients.

use serde::Serialize;

use super::sample_nav_at;
use crate::http::pages::frame::PortalSection;
use crate::http::pages::parts::{Badge, Stand};
use crate::http::pages::{Nav, Page, samples};

/// The list of a provider's clients.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PortalClients {
    /// Where a client is registered.
    pub new_href: String,
    /// One row a client.
    pub rows: Vec<PortalClientRow>,
}

/// A client in the list.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PortalClientRow {
    /// Logo, name and what kind of client it is.
    pub badge: Badge,
    /// Its page.
    pub href: String,
    /// Where it has asked for access.
    pub access: Vec<AccessChip>,
}

/// Where a client stands at one organization.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AccessChip {
    /// The organization's name.
    pub organization: String,
    /// The state.
    pub stand: Stand,
}

impl Page for PortalClients {
    const TEMPLATE: &'static str = "portal/clients.html";

    fn samples() -> Vec<Self> {
        let new_href = "/portal/apv_1/clients/new".to_owned();
        let row = |name: &str, organization: &str, stand| PortalClientRow {
            badge: Badge::new(name, "Public client"),
            href: "/portal/apv_1/clients/app_1".into(),
            access: vec![
                AccessChip { organization: organization.into(), stand },
                AccessChip { organization: "Lakeside".into(), stand: Stand::Waiting },
            ],
        };
        vec![
            Self { new_href: new_href.clone(), rows: Vec::new() },
            Self {
                new_href: new_href.clone(),
                rows: vec![
                    row("Growth Chart", "St. Mary Hospital", Stand::Approved),
                    PortalClientRow { access: Vec::new(), ..row("CareCal", "", Stand::None) },
                ],
            },
            Self {
                new_href: new_href.clone(),
                rows: (0..60).map(|_| row(samples::LONG_NAME, samples::LONG_NAME, Stand::Disabled)).collect(),
            },
            Self {
                new_href,
                rows: vec![
                    row(samples::MARKUP, samples::RTL, Stand::Rejected),
                    row(samples::EMOJI, samples::MARKUP, Stand::Expired),
                ],
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav_at(PortalSection::Clients)
    }
}
