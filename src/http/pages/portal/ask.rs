//! Asking an organization for access, in three steps: where, what, why.

use serde::Serialize;

use super::sample_nav_at;
use crate::http::pages::frame::PortalSection;
use crate::http::pages::parts::{Badge, Choice, Field, ScopeGroup, Stand};
use crate::http::pages::{Nav, Page, samples};

/// Step 1, where. Form: `GET {action}` with `at` (`slug/endpoint`).
#[derive(Clone, Debug, Default, Serialize)]
pub struct AskWhere {
    /// Where the form goes.
    pub action: String,
    /// The client's page.
    pub back_href: String,
    /// The client.
    pub client: Badge,
    /// Every FHIR endpoint that can be asked.
    pub endpoints: Vec<EndpointChoice>,
    /// What is wrong.
    pub error: String,
}

/// A FHIR endpoint to ask for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EndpointChoice {
    /// `slug/endpoint`.
    pub value: String,
    /// The organization.
    pub organization: String,
    /// The endpoint's name and release.
    pub endpoint: String,
    /// Its base URL.
    pub base_url: String,
    /// Where the client stands there.
    pub stand: Stand,
    /// What asking would do there ("Changes the request that is waiting"); `""` for a first request.
    pub note: String,
    /// It cannot be asked (blocked).
    pub closed: bool,
}

/// Step 2, what. Form: `POST {action}` with `csrf`, `at`, `level`, `pick` (repeated, `Type.letters`), `sign_in`, `launch`, `launch_patient`,
/// `offline`, `scopes` (pasted; used instead when not empty).
#[derive(Clone, Debug, Default, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "one per tick box of the page")]
pub struct AskWhat {
    /// Where the form goes.
    pub action: String,
    /// Step 1.
    pub back_href: String,
    /// The client.
    pub client: Badge,
    /// `slug/endpoint`.
    pub at: String,
    /// The organization.
    pub organization: String,
    /// The endpoint.
    pub endpoint: String,
    /// Whose data: `patient`, `user`, `system`.
    pub levels: Vec<Choice>,
    /// The organization gives access without anyone signed in to clients with a key only, and this one has none.
    pub needs_key: bool,
    /// Where the client gets one.
    pub edit_href: String,
    /// Types by people's words.
    pub groups: Vec<PickGroup>,
    /// `openid fhirUser`.
    pub sign_in: bool,
    /// `launch`.
    pub launch: bool,
    /// `launch/patient`.
    pub launch_patient: bool,
    /// `offline_access`.
    pub offline: bool,
    /// Pasted scopes.
    pub scopes: Field,
    /// What is wrong.
    pub error: String,
}

/// A category of types.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PickGroup {
    /// Its heading.
    pub title: String,
    /// Something in it is ticked: shown open.
    pub open: bool,
    /// Its types.
    pub rows: Vec<PickRow>,
}

/// A type.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PickRow {
    /// In people's words.
    pub name: String,
    /// The FHIR type.
    pub resource_type: String,
    /// Extra sensitive.
    pub sensitive: bool,
    /// Read, add, change, delete.
    pub boxes: Vec<PickBox>,
}

/// A tick box.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PickBox {
    /// `Observation.rs`.
    pub value: String,
    /// "Read and search".
    pub label: String,
    /// Ticked.
    pub ticked: bool,
}

/// Step 3, why, with the whole of it in plain words. Form: `POST {action}` with `csrf`, `at`, `scopes` (hidden), `reason`, `step` (`send`, or `back` to change what).
#[derive(Clone, Debug, Default, Serialize)]
pub struct AskWhy {
    /// Where the form goes.
    pub action: String,
    /// Step 1.
    pub back_href: String,
    /// The client.
    pub client: Badge,
    /// `slug/endpoint`.
    pub at: String,
    /// The organization.
    pub organization: String,
    /// The endpoint.
    pub endpoint: String,
    /// The scopes that will be asked, as one string.
    pub scopes: String,
    /// In a few words.
    pub summary: String,
    /// In plain words.
    pub groups: Vec<ScopeGroup>,
    /// This asks for access without anyone signed in, which the organization gives to clients with a key only, and this one has none.
    pub needs_key: bool,
    /// Where the client gets one.
    pub edit_href: String,
    /// What a reviewer will see in front.
    pub warnings: Vec<String>,
    /// A request is waiting there already: this changes it.
    pub replaces_waiting: bool,
    /// Something is approved there already: this asks for a change.
    pub is_change: bool,
    /// Why.
    pub reason: Field,
}

fn client() -> Badge {
    Badge::new("Growth Chart", "Acme Health")
}

impl Page for AskWhere {
    const TEMPLATE: &'static str = "portal/ask_where.html";

    fn samples() -> Vec<Self> {
        let empty = Self {
            action: "/portal/apv_1/clients/app_1/ask/what".into(),
            back_href: "/portal/apv_1/clients/app_1".into(),
            client: client(),
            ..Self::default()
        };
        let endpoint = |organization: &str| EndpointChoice {
            value: "st-mary/r4".into(),
            organization: organization.into(),
            endpoint: "Hospital record (FHIR R4)".into(),
            base_url: "https://fhir.st-mary.example/r4".into(),
            ..EndpointChoice::default()
        };
        let typical = Self {
            endpoints: vec![
                endpoint("St. Mary Hospital"),
                EndpointChoice {
                    stand: Stand::Waiting,
                    note: "This changes the request that is waiting there.".into(),
                    ..endpoint("Lakeside")
                },
                EndpointChoice {
                    stand: Stand::Rejected,
                    closed: true,
                    note: "They do not want to be asked again.".into(),
                    ..endpoint("Hillside")
                },
            ],
            ..empty.clone()
        };
        vec![
            empty,
            typical.clone(),
            Self {
                endpoints: (0..60).map(|_| endpoint(samples::LONG_NAME)).collect(),
                error: "Choose one.".into(),
                ..typical.clone()
            },
            Self {
                client: Badge::new(samples::RTL, samples::MARKUP),
                endpoints: vec![endpoint(samples::MARKUP), endpoint(samples::RTL)],
                ..typical
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav_at(PortalSection::Clients)
    }
}

impl Page for AskWhat {
    const TEMPLATE: &'static str = "portal/ask_what.html";

    fn samples() -> Vec<Self> {
        let row = |name: &str, resource_type: &str, ticked| PickRow {
            name: name.into(),
            resource_type: resource_type.into(),
            sensitive: ticked,
            boxes: [("rs", "Read and search"), ("c", "Add"), ("u", "Change"), ("d", "Delete")]
                .map(|(letters, label)| PickBox {
                    value: format!("{resource_type}.{letters}"),
                    label: label.into(),
                    ticked: ticked && letters == "rs",
                })
                .into(),
        };
        let typical = Self {
            action: "/portal/apv_1/clients/app_1/ask/why".into(),
            back_href: "/portal/apv_1/clients/app_1/ask".into(),
            client: client(),
            at: "st-mary/r4".into(),
            organization: "St. Mary Hospital".into(),
            endpoint: "Hospital record (FHIR R4)".into(),
            levels: vec![
                Choice::current("patient", "One patient, chosen when the app is opened"),
                Choice::new("user", "Every patient the person who uses the app may see"),
                Choice::new("system", "Everyone, with nobody signed in"),
            ],
            groups: vec![
                PickGroup {
                    title: "Tests, measurements and images".into(),
                    open: true,
                    rows: vec![row("Test results and measurements", "Observation", true)],
                },
                PickGroup {
                    title: "People".into(),
                    open: false,
                    rows: vec![row("Patients", "Patient", false), row("Care professionals", "Practitioner", false)],
                },
            ],
            sign_in: true,
            launch_patient: true,
            ..Self::default()
        };
        vec![
            typical.clone(),
            Self { needs_key: true, edit_href: "/portal/apv_1/clients/app_1/edit".into(), ..typical.clone() },
            Self {
                error: "Choose at least one kind of data.".into(),
                scopes: Field::wrong("patient/observation.rs", "patient/observation.rs: there is no such type."),
                ..typical.clone()
            },
            Self {
                organization: samples::LONG_NAME.into(),
                groups: (0..16)
                    .map(|group| PickGroup {
                        title: samples::LONG_NAME.into(),
                        open: group % 2 == 0,
                        rows: (0..20)
                            .map(|one| row(samples::LONG_NAME, &format!("Type{group}x{one}"), false))
                            .collect(),
                    })
                    .collect(),
                ..typical.clone()
            },
            Self {
                client: Badge::new(samples::MARKUP, samples::RTL),
                organization: samples::MARKUP.into(),
                needs_key: true,
                edit_href: samples::BAD_URL.into(),
                scopes: Field::wrong(samples::MARKUP, samples::RTL),
                ..typical
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav_at(PortalSection::Clients)
    }
}

impl Page for AskWhy {
    const TEMPLATE: &'static str = "portal/ask_why.html";

    fn samples() -> Vec<Self> {
        let typical = Self {
            action: "/portal/apv_1/clients/app_1/ask/send".into(),
            back_href: "/portal/apv_1/clients/app_1/ask".into(),
            client: client(),
            at: "st-mary/r4".into(),
            organization: "St. Mary Hospital".into(),
            endpoint: "Hospital record (FHIR R4)".into(),
            scopes: "openid fhirUser launch/patient patient/Observation.rs".into(),
            summary: "reads test results of one patient".into(),
            groups: samples::typical_groups(),
            warnings: vec!["It keeps its access when nobody is there.".into()],
            ..Self::default()
        };
        vec![
            typical.clone(),
            Self { needs_key: true, edit_href: "/portal/apv_1/clients/app_1/edit".into(), ..typical.clone() },
            Self {
                is_change: true,
                replaces_waiting: true,
                reason: Field::wrong("", "Say why: a person will read it."),
                ..typical.clone()
            },
            Self { organization: samples::LONG_NAME.into(), groups: samples::sixty_scopes(), ..typical.clone() },
            Self {
                client: Badge::new(samples::MARKUP, samples::RTL),
                groups: samples::hostile_groups(),
                organization: samples::MARKUP.into(),
                needs_key: true,
                edit_href: samples::BAD_URL.into(),
                warnings: vec![samples::MARKUP.into()],
                reason: Field::wrong(samples::MARKUP, samples::EMOJI),
                ..typical
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav_at(PortalSection::Clients)
    }
}
