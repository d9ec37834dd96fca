//! *Client management*: every client's request and approval at this organization, in one list.

use serde::Serialize;

use super::super::frame::ConsoleSection;
use super::super::parts::{Badge, Choice, Moment, Paging, Risk, Stand};
use super::super::{Nav, Page, samples};
use super::sample_nav;

/// The list. Form: `GET {action}` with `q`, `sort` and the hidden `state`; every view is a URL.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Clients {
    /// Where the search goes (this page).
    pub action: String,
    /// How many requests wait; the title says it.
    pub waiting: u32,
    /// For how long the oldest waits ("3 days"); `""` when none waits.
    pub oldest: String,
    /// Filters by state, with counts.
    pub filters: Vec<Filter>,
    /// The state in force, as in the URL; `""` for all.
    pub state: String,
    /// What is searched for.
    pub q: String,
    /// Orders to choose from.
    pub sort: Vec<Choice>,
    /// The rows of this page of the list.
    pub rows: Vec<ClientRow>,
    /// Nobody ever asked here: explain instead of "nothing found".
    pub never_asked: bool,
    /// Which part is shown.
    pub paging: Paging,
}

/// A filter by state.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Filter {
    /// The state; `Stand::None` is *All*.
    pub stand: Stand,
    /// The list with this filter.
    pub href: String,
    /// How many there are ("5,000").
    pub count: String,
    /// The one in force.
    pub current: bool,
}

/// One client at this organization.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ClientRow {
    /// The review when it waits, the client's page otherwise.
    pub href: String,
    /// The app and its provider.
    pub client: Badge,
    /// Where it stands.
    pub stand: Stand,
    /// An approved client asks for a change.
    pub change: bool,
    /// What is asked, in a few words: "reads lab results, all patients".
    pub asks: String,
    /// The gravest risks, at most three.
    pub risks: Vec<Risk>,
    /// When it was asked (waiting) or decided.
    pub when: Moment,
    /// By whom.
    pub who: String,
    /// When it was last used.
    pub last_used: Moment,
    /// Live tokens ("1,204"); `""` where it can have none.
    pub live_tokens: String,
}

impl Page for Clients {
    const TEMPLATE: &'static str = "console/clients.html";

    fn samples() -> Vec<Self> {
        let filter = |stand, count: &str| Filter {
            stand,
            href: "/console/st-mary/clients?state=x".into(),
            count: count.into(),
            current: stand == Stand::Waiting,
        };
        let filters = |counts: [&str; 6]| {
            let stands =
                [Stand::Waiting, Stand::Approved, Stand::Disabled, Stand::Rejected, Stand::Expired, Stand::None];
            stands.into_iter().zip(counts).map(|(stand, count)| filter(stand, count)).collect::<Vec<_>>()
        };
        let row = |client: Badge, stand, asks: &str| ClientRow {
            href: "/console/st-mary/access-requests/req_1".into(),
            client,
            stand,
            asks: asks.into(),
            when: Moment::new("3 days ago", "2026-11-20T09:12:00Z"),
            who: "Piet Bakker".into(),
            ..ClientRow::default()
        };
        let nothing = Self {
            action: "/console/st-mary/clients".into(),
            filters: filters(["0", "0", "0", "0", "0", "0"]),
            state: "waiting".into(),
            sort: vec![
                Choice::current("oldest", "Oldest first"),
                Choice::new("newest", "Newest first"),
                Choice::new("name", "Name"),
            ],
            never_asked: true,
            ..Self::default()
        };
        let carecal = ClientRow {
            risks: vec![Risk::Writes, Risk::AllPatients, Risk::Background],
            ..row(
                Badge::new("CareCal", "Acme Health B.V."),
                Stand::Waiting,
                "reads and adds appointments, all patients",
            )
        };
        let approved = ClientRow {
            live_tokens: "412".into(),
            last_used: Moment::new("2 minutes ago", "2026-11-23T09:58:00Z"),
            when: Moment::new("12 Nov 2026", "2026-11-12T14:03:00Z"),
            ..row(Badge::new("Growth Chart", "Acme Health B.V."), Stand::Approved, "reads measurements, one patient")
        };
        let typical = Self {
            waiting: 4,
            oldest: "3 days".into(),
            filters: filters(["4", "31", "2", "7", "1", "45"]),
            rows: vec![
                carecal,
                ClientRow {
                    change: true,
                    live_tokens: "1,204".into(),
                    last_used: Moment::new("yesterday", "2026-11-22T08:00:00Z"),
                    ..row(
                        Badge::new("LabView", "Northwind Diagnostics"),
                        Stand::Waiting,
                        "adds lab results, all patients",
                    )
                },
                approved,
                row(Badge::new("Ward Board", "Contoso Care"), Stand::Disabled, "reads admissions, all patients"),
                row(Badge::new("SleepWell", "Dream Labs"), Stand::Rejected, "reads everything, one patient"),
                row(Badge::new("Old Portal", "Legacy Soft"), Stand::Expired, "reads documents, one patient"),
            ],
            never_asked: false,
            paging: Paging {
                text: "1 to 6 of 45".into(),
                next: "/console/st-mary/clients?page=2".into(),
                ..Paging::default()
            },
            ..nothing.clone()
        };
        vec![
            nothing,
            typical.clone(),
            Self { rows: Vec::new(), q: "zebra".into(), paging: Paging::default(), ..typical.clone() },
            Self {
                waiting: 12_345,
                filters: filters(["12,345", "5,000", "1,000", "999", "50", "19,394"]),
                q: samples::LONG_NAME.into(),
                rows: (0..50)
                    .map(|_| ClientRow {
                        risks: vec![Risk::Writes, Risk::AllPatients, Risk::FutureKinds],
                        live_tokens: "1,234,567".into(),
                        who: samples::LONG_NAME.into(),
                        ..row(Badge::new(samples::LONG_NAME, samples::LONG_WORD), Stand::Approved, samples::LONG_NAME)
                    })
                    .collect(),
                paging: Paging { text: "51 to 100 of 19,394".into(), previous: "/x".into(), next: "/y".into() },
                ..typical.clone()
            },
            Self {
                oldest: samples::MARKUP.into(),
                q: samples::MARKUP.into(),
                rows: vec![
                    row(Badge::new(samples::MARKUP, samples::RTL), Stand::Waiting, samples::MARKUP),
                    ClientRow {
                        href: samples::BAD_URL.into(),
                        ..row(
                            Badge::new(samples::RTL, samples::EMOJI).with_logo(samples::BAD_URL),
                            Stand::Withdrawn,
                            samples::RTL,
                        )
                    },
                ],
                ..typical
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav(ConsoleSection::Clients)
    }
}
