//! The portal: what application providers see.

mod ask;
mod client;
mod client_form;
mod clients;
mod provider;
mod request;

pub use ask::{AskWhat, AskWhere, AskWhy, EndpointChoice, PickBox, PickGroup, PickRow};
pub use client::{AccessRow, CodeSample, PortalClient, SecretRow, Step};
pub use client_form::PortalClientForm;
pub use clients::{AccessChip, PortalClientRow, PortalClients};
pub use provider::{
    PortalConfirm, PortalMemberRow, PortalMembers, PortalNone, PortalSettings, PortalWebhookRow, PortalWebhooks,
};
pub use request::{PortalRequest, PortalRequestRow, PortalRequests};

use super::frame::{PortalNav, PortalSection, Switch};
use super::{Nav, samples};

/// The navigation samples stand in.
fn sample_nav_at(section: PortalSection) -> Nav {
    Nav::Portal(PortalNav {
        provider: "Acme Health".into(),
        base: "/portal/apv_1".into(),
        section,
        others: vec![Switch { name: samples::LONG_NAME.into(), href: "/portal/apv_2/clients".into() }],
    })
}
