//! Trying an EHR launch.

use serde::Serialize;

use super::super::frame::ConsoleSection;
use super::super::parts::{Choice, Field};
use super::super::{Nav, Page, samples};
use super::sample_nav;

/// "Try a launch". Form: `POST {action}` with `csrf`, `client_id`, `iss` (an endpoint's short name), `user`, `patient`, `encounter`, `need_patient_banner`
/// (`yes`, `no` or nothing), `intent`, `smart_style_url`, `tenant`, `app_context`, `extensions` (a JSON object), and for each entry of `fhirContext`
/// `reference_N`, `type_N`, `canonical_N`, `identifier_system_N`, `identifier_value_N`, `role_N`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Launches {
    /// Where the form goes.
    pub action: String,
    /// This person may make launches.
    pub may_try: bool,
    /// Approved clients; none hides the form.
    pub clients: Vec<Choice>,
    /// What is wrong with the client; `""` for nothing.
    pub client_error: String,
    /// FHIR endpoints.
    pub endpoints: Vec<Choice>,
    /// What is wrong with the endpoint.
    pub endpoint_error: String,
    /// Who will sign in.
    pub user: Field,
    /// The patient's FHIR id.
    pub patient: Field,
    /// The encounter's FHIR id.
    pub encounter: Field,
    /// Whether the app must show who the patient is.
    pub banners: Vec<Choice>,
    /// `intent`.
    pub intent: Field,
    /// `smart_style_url`.
    pub smart_style_url: Field,
    /// `tenant`.
    pub tenant: Field,
    /// `appContext`.
    pub app_context: Field,
    /// Further members, as JSON.
    pub extensions: Field,
    /// Room for entries of `fhirContext`.
    pub items: Vec<LaunchItem>,
    /// Something is filled in below *More context*.
    pub more_open: bool,
    /// The launch made just now; a handle of `""` for none.
    pub ready: LaunchReady,
}

/// One entry of `fhirContext`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LaunchItem {
    /// Its number, from 1, as in the names of its fields.
    pub number: String,
    /// `Type/id`.
    pub reference: Field,
    /// Resource type.
    pub resource_type: Field,
    /// Canonical URL.
    pub canonical: Field,
    /// `identifier.system`.
    pub identifier_system: Field,
    /// `identifier.value`.
    pub identifier_value: Field,
    /// Absolute URI.
    pub role: Field,
}

/// A launch that is ready.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LaunchReady {
    /// The app's name.
    pub app: String,
    /// Its launch URL with `iss` and `launch`; `""` where it registered none.
    pub href: String,
    /// The FHIR base URL.
    pub iss: String,
    /// The handle, shown this once; `""` for no launch.
    pub handle: String,
    /// Who must sign in.
    pub person: String,
}

impl Page for Launches {
    const TEMPLATE: &'static str = "console/launches.html";

    fn samples() -> Vec<Self> {
        let item = |number: &str| LaunchItem { number: number.into(), ..LaunchItem::default() };
        let typical = Self {
            action: "/console/st-mary/launches".into(),
            may_try: true,
            clients: vec![Choice::current("app_1", "Growth Chart"), Choice::new("app_2", "Ward Board")],
            endpoints: vec![Choice::current("main", "Main record"), Choice::new("lab", "Laboratory")],
            user: Field::of("noor@st-mary.example"),
            patient: Field::of("anna-de-vries"),
            banners: vec![Choice::current("", "Not said"), Choice::new("yes", "Yes"), Choice::new("no", "No")],
            items: vec![item("1"), item("2"), item("3")],
            ..Self::default()
        };
        vec![
            Self { clients: Vec::new(), ..typical.clone() },
            typical.clone(),
            Self { may_try: false, ..typical.clone() },
            Self {
                ready: LaunchReady {
                    app: "Growth Chart".into(),
                    href: "https://app.acme.example/launch?iss=https%3A%2F%2Ffhir.st-mary.example%2Fr4&launch=csl_8Qm2vJd4kT1n".into(),
                    iss: "https://fhir.st-mary.example/r4".into(),
                    handle: "csl_8Qm2vJd4kT1nXe0WzRbC7uYhLs9aFgPi3oKtNqVx5rMyBdEw".into(),
                    person: "noor@st-mary.example".into(),
                },
                ..typical.clone()
            },
            Self {
                client_error: "Choose an app that is approved and switched on.".into(),
                endpoint_error: "The app is not approved for this FHIR endpoint.".into(),
                user: Field::wrong(samples::LONG_WORD, "Nobody here is known under this name."),
                patient: Field::wrong(samples::LONG_WORD, "Use the id alone, without Patient/."),
                encounter: Field::wrong("Encounter/7", "Use the id alone."),
                smart_style_url: Field::wrong("style.json", "Not a web address."),
                intent: Field::of(samples::LONG_NAME),
                extensions: Field::wrong("{", "Not a JSON object."),
                items: vec![LaunchItem {
                    reference: Field::wrong("Patient/7", "A role is needed."),
                    role: Field::wrong("friend", "A role is a web address or another URI."),
                    canonical: Field::wrong("x", "Not a canonical URL."),
                    resource_type: Field::wrong("imaging", "There is no such type."),
                    identifier_system: Field::wrong("x", "Fill in the system or the value."),
                    ..item("1")
                }],
                more_open: true,
                ..typical.clone()
            },
            Self {
                clients: vec![Choice::current(samples::MARKUP, samples::MARKUP)],
                user: Field::wrong(samples::MARKUP, samples::RTL),
                app_context: Field::of(samples::MARKUP),
                ready: LaunchReady {
                    app: samples::MARKUP.into(),
                    href: samples::BAD_URL.into(),
                    iss: samples::MARKUP.into(),
                    handle: samples::MARKUP.into(),
                    person: samples::RTL.into(),
                },
                ..typical
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav(ConsoleSection::Launches)
    }
}
