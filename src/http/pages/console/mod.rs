//! The console: what provider staff see, below `/console/{organization}/`.

mod activity;
mod brand;
mod client;
mod clients;
mod confirm;
mod launches;
mod receipt;
mod registration;
mod review;
mod settings;

pub use activity::{Activity, ActivityRow, Delivery, NotificationRow, Notifications};
pub use brand::Brand;
pub use client::{Client, Day, UseChart};
pub use clients::{ClientRow, Clients, Filter};
pub use confirm::{ApproveConfirm, DisableConfirm, RejectConfirm};
pub use launches::{LaunchItem, LaunchReady, Launches};
pub use receipt::{Outcome, Receipt};
pub use registration::{InitialTokenRow, Registration};
pub use review::{Changed, Changes, FieldChange, Review, Run, Verdict, Voice};
pub use settings::{FhirEndpointRow, FhirEndpoints, MemberRow, Members, ResourceServerRow, Settings};

use super::Nav;
use super::frame::{ConsoleNav, ConsoleSection, Switch};

/// The navigation samples stand in.
fn sample_nav(section: ConsoleSection) -> Nav {
    Nav::Console(ConsoleNav {
        organization: "St. Mary Hospital".into(),
        slug: "st-mary".into(),
        section,
        others: vec![Switch { name: "Elm Street Practice".into(), href: "/console/elm-street".into() }],
        waiting: 4,
    })
}
