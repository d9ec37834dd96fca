//! Access requests, as the application provider follows them.

use serde::Serialize;

use super::sample_nav_at;
use crate::http::pages::frame::PortalSection;
use crate::http::pages::parts::{Badge, Fact, HistoryLine, Moment, ScopeGroup, Stand};
use crate::http::pages::{Nav, Page, samples};

/// The requests of a provider, newest first.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PortalRequests {
    /// One row a request.
    pub rows: Vec<PortalRequestRow>,
}

/// A request in the list.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PortalRequestRow {
    /// The client.
    pub client: Badge,
    /// Whom it asked.
    pub organization: String,
    /// Its state.
    pub stand: Stand,
    /// When it was sent.
    pub sent: Moment,
    /// Its page.
    pub href: String,
}

/// One request. Form: `POST {withdraw_action}` with `csrf`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PortalRequest {
    /// The client's page.
    pub back_href: String,
    /// The client.
    pub client: Badge,
    /// Whom it asks.
    pub organization: String,
    /// Its state.
    pub stand: Stand,
    /// What to do next; a whole sentence.
    pub next: String,
    /// Why it was refused, in the organization's words; `""` for nothing.
    pub refusal: String,
    /// Why it was asked.
    pub reason: String,
    /// Facts: endpoint, sent, by whom, expires.
    pub facts: Vec<Fact>,
    /// What was asked, in plain words.
    pub groups: Vec<ScopeGroup>,
    /// What was granted, where that is less; empty otherwise.
    pub granted: Vec<ScopeGroup>,
    /// What happened so far.
    pub history: Vec<HistoryLine>,
    /// Where it is withdrawn; `""` when it cannot be.
    pub withdraw_action: String,
    /// Where it is edited or asked again; `""` when it cannot be.
    pub ask_href: String,
    /// That link asks again; otherwise it edits what is waiting.
    pub asks_again: bool,
}

impl Page for PortalRequests {
    const TEMPLATE: &'static str = "portal/requests.html";

    fn samples() -> Vec<Self> {
        let row = |name: &str, organization: &str, stand| PortalRequestRow {
            client: Badge::new(name, ""),
            organization: organization.into(),
            stand,
            sent: Moment::new("12 Nov 2026", "2026-11-12T09:00:00Z"),
            href: "/portal/apv_1/requests/req_1".into(),
        };
        vec![
            Self::default(),
            Self {
                rows: vec![
                    row("Growth Chart", "St. Mary Hospital", Stand::Waiting),
                    row("CareCal", "Lakeside", Stand::Approved),
                ],
            },
            Self { rows: (0..60).map(|_| row(samples::LONG_NAME, samples::LONG_NAME, Stand::Withdrawn)).collect() },
            Self { rows: vec![row(samples::MARKUP, samples::RTL, Stand::Rejected)] },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav_at(PortalSection::Requests)
    }
}

impl Page for PortalRequest {
    const TEMPLATE: &'static str = "portal/request.html";

    fn samples() -> Vec<Self> {
        let waiting = Self {
            back_href: "/portal/apv_1/clients/app_1".into(),
            client: Badge::new("Growth Chart", "Acme Health"),
            organization: "St. Mary Hospital".into(),
            next: "The organization decides. You will get a message.".into(),
            reason: "Parents want to see how their child grows.".into(),
            facts: vec![Fact::words("FHIR endpoint", "Hospital record (FHIR R4)")],
            groups: samples::typical_groups(),
            history: vec![HistoryLine {
                at: Moment::new("12 Nov 2026", "2026-11-12T09:00:00Z"),
                who: "Dana Dev".into(),
                text: "Asked.".into(),
                ..HistoryLine::default()
            }],
            withdraw_action: "/portal/apv_1/requests/req_1/withdraw".into(),
            ask_href: "/portal/apv_1/clients/app_1/ask/what?at=st-mary%2Fr4".into(),
            ..Self::default()
        };
        vec![
            waiting.clone(),
            Self {
                stand: Stand::Rejected,
                refusal: "We do not share growth data with apps that keep it outside the country.".into(),
                next: "Read the reason, change what is needed, and ask again.".into(),
                withdraw_action: String::new(),
                asks_again: true,
                ..waiting.clone()
            },
            Self {
                stand: Stand::Approved,
                granted: samples::typical_groups(),
                withdraw_action: String::new(),
                ask_href: String::new(),
                ..waiting.clone()
            },
            Self { organization: samples::LONG_NAME.into(), groups: samples::sixty_scopes(), ..waiting.clone() },
            Self {
                client: Badge::new(samples::RTL, samples::MARKUP),
                refusal: samples::MARKUP.into(),
                reason: samples::MARKUP.into(),
                groups: samples::hostile_groups(),
                stand: Stand::Rejected,
                ..waiting
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav_at(PortalSection::Requests)
    }
}
