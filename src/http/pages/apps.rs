//! A person's own list of apps with access, and stopping one.

use serde::Serialize;

use super::parts::{Badge, Moment};
use super::{Nav, Page, samples};

/// The list.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Apps {
    /// The organization that keeps the data.
    pub organization: Badge,
    /// Apps with access, last used first.
    pub apps: Vec<AppCard>,
}

/// One app with access.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AppCard {
    /// The app and its provider.
    pub app: Badge,
    /// Since when.
    pub since: Moment,
    /// When it last used its access; `""` for never.
    pub last_used: Moment,
    /// Whose data; `""` when it is not about one patient.
    pub patient: String,
    /// What it may see, one sentence each.
    pub may: Vec<String>,
    /// It also works while the person is away.
    pub offline: bool,
    /// The organization switched the app off: it can do nothing at the moment.
    pub disabled: bool,
    /// The page that asks before stopping ([`StopApp`]).
    pub stop_href: String,
}

impl Page for Apps {
    const TEMPLATE: &'static str = "apps.html";

    fn samples() -> Vec<Self> {
        let card = |name: &str, by: &str| AppCard {
            app: Badge::new(name, by),
            since: Moment::new("12 Nov 2026", "2026-11-12T14:03:00Z"),
            last_used: Moment::new("yesterday", "2026-11-22T08:00:00Z"),
            patient: "Emma Jansen".into(),
            may: vec!["See and search measurements and test results.".into(), "See and search appointments.".into()],
            offline: true,
            disabled: false,
            stop_href: "/o/st-mary/apps/grt_1/stop".into(),
        };
        let organization = Badge::new("St. Mary Hospital", "");
        let unused = AppCard {
            last_used: Moment::default(),
            offline: false,
            disabled: true,
            ..card("CareCal", "Acme Health B.V.")
        };
        vec![
            Self { organization: organization.clone(), apps: Vec::new() },
            Self { organization: organization.clone(), apps: vec![card("Growth Chart", "Acme Health B.V."), unused] },
            Self {
                organization: Badge::new(samples::LONG_NAME, ""),
                apps: (0..12)
                    .map(|_| AppCard {
                        may: vec![samples::LONG_NAME.into(); 60],
                        patient: samples::LONG_WORD.into(),
                        ..card(samples::LONG_NAME, samples::LONG_WORD)
                    })
                    .collect(),
            },
            Self {
                organization,
                apps: vec![AppCard {
                    may: vec![samples::MARKUP.into(), samples::RTL.into()],
                    patient: samples::EMOJI.into(),
                    stop_href: samples::BAD_URL.into(),
                    ..card(samples::MARKUP, samples::RTL)
                }],
            },
        ]
    }

    fn sample_nav() -> Nav {
        Nav::Account
    }
}

/// The one question before access ends. Form: `POST {action}` with `csrf`, `grant`, `confirmed=1`; `cancel_href` leaves it as it is.
#[derive(Clone, Debug, Default, Serialize)]
pub struct StopApp {
    /// Where the form goes.
    pub action: String,
    /// The grant's id.
    pub grant: String,
    /// The app and its provider.
    pub app: Badge,
    /// The organization that keeps the data.
    pub organization: Badge,
    /// Back to the list.
    pub cancel_href: String,
}

impl Page for StopApp {
    const TEMPLATE: &'static str = "stop_app.html";

    fn samples() -> Vec<Self> {
        let typical = Self {
            action: "/o/st-mary/apps/stop".into(),
            grant: "grt_1".into(),
            app: Badge::new("Growth Chart", "Acme Health B.V."),
            organization: Badge::new("St. Mary Hospital", ""),
            cancel_href: "/o/st-mary/apps".into(),
        };
        vec![
            typical.clone(),
            Self { app: Badge::new(samples::LONG_WORD, samples::LONG_NAME), ..typical.clone() },
            Self { app: Badge::new(samples::MARKUP, samples::RTL), cancel_href: samples::BAD_URL.into(), ..typical },
        ]
    }

    fn sample_nav() -> Nav {
        Nav::Account
    }
}
