//! How the organization appears to people who look for it.

use serde::Serialize;

use super::super::frame::ConsoleSection;
use super::super::parts::{Badge, Choice, Field};
use super::super::{Nav, Page, samples};
use super::sample_nav;

/// How the organization appears in the brand bundle, which apps collect. Form: `POST {action}` as `multipart/form-data` with `csrf`, `display_name`, `kind`,
/// `website`, `logo` (a PNG or JPEG), `remove_logo=1`, `logo_license`, `portal_name`, `portal_url`, `portal_description`, `line`, `postal_code`, `city`,
/// `state`, `country`, `places` (one per line: `City, Country` or `City, State, Country`), `identifiers` (one per line: `system|value`), `publish` (one per FHIR
/// endpoint that is published).
#[derive(Clone, Debug, Default, Serialize)]
pub struct Brand {
    /// Where the form goes.
    pub action: String,
    /// How it appears now.
    pub badge: Badge,
    /// Where the brand bundle is served.
    pub bundle: String,
    /// How many things are wrong with what was typed.
    pub mistakes: u32,
    /// The name people see.
    pub display_name: Field,
    /// Of what kind it is.
    pub kinds: Vec<Choice>,
    /// The organization's own site.
    pub website: Field,
    /// What is wrong with an uploaded logo: only its error.
    pub logo: Field,
    /// Where the licence of the logo is told.
    pub logo_license: Field,
    /// The patient portal's name.
    pub portal_name: Field,
    /// Where it is.
    pub portal_url: Field,
    /// What it is for.
    pub portal_description: Field,
    /// Street and number.
    pub line: Field,
    /// Postal code.
    pub postal_code: Field,
    /// Town.
    pub city: Field,
    /// State or province.
    pub state: Field,
    /// Country, two letters.
    pub country: Field,
    /// Other places, one per line.
    pub places: Field,
    /// Identifiers, one per line.
    pub identifiers: Field,
    /// The FHIR endpoints, those that are published ticked.
    pub endpoints: Vec<Choice>,
    /// This person may change it.
    pub may_change: bool,
}

impl Page for Brand {
    const TEMPLATE: &'static str = "console/brand.html";

    fn samples() -> Vec<Self> {
        let nothing = Self {
            action: "/console/st-mary/brand".into(),
            badge: Badge::new("St. Mary Hospital", ""),
            bundle: "https://id.example/o/st-mary/brands".into(),
            kinds: vec![
                Choice::current("prov", "Healthcare provider"),
                Choice::new("laboratory", "Laboratory"),
                Choice::new("ins", "Insurer"),
            ],
            endpoints: vec![Choice::current("fep_1", "Main record (https://fhir.st-mary.example/r4)")],
            may_change: true,
            ..Self::default()
        };
        let typical = Self {
            display_name: Field::of("St. Mary Hospital"),
            website: Field::of("https://www.st-mary.example"),
            logo_license: Field::of("https://www.st-mary.example/logo-license"),
            portal_name: Field::of("My St. Mary"),
            portal_url: Field::of("https://my.st-mary.example"),
            portal_description: Field::of("For patients and whoever cares for them."),
            line: Field::of("Long Street 1"),
            postal_code: Field::of("1012 AB"),
            city: Field::of("Amsterdam"),
            country: Field::of("NL"),
            places: Field::of("Utrecht, NL\nHaarlem, NL"),
            identifiers: Field::of("http://hl7.org/fhir/sid/us-npi|1234567893"),
            endpoints: vec![
                Choice::current("fep_1", "Main record (https://fhir.st-mary.example/r4)"),
                Choice::new("fep_2", "Test record (https://test.st-mary.example/r4)"),
            ],
            ..nothing.clone()
        };
        vec![
            nothing,
            typical.clone(),
            Self {
                badge: typical.badge.clone().with_logo("/assets/favicon.svg"),
                may_change: false,
                ..typical.clone()
            },
            Self {
                badge: Badge::new(samples::LONG_NAME, ""),
                mistakes: 4,
                display_name: Field::wrong(samples::LONG_WORD, "This is too long."),
                logo: Field::wrong("", "This is not a PNG or JPEG picture."),
                country: Field::wrong("Netherlands", "Use the two letters of the country, such as NL."),
                identifiers: Field::wrong(samples::LONG_WORD, "Write each as system|value."),
                endpoints: (0..12).map(|_| Choice::new("fep_1", samples::LONG_WORD)).collect(),
                ..typical.clone()
            },
            Self {
                badge: Badge::new(samples::MARKUP, "").with_logo(samples::BAD_URL),
                website: Field::wrong(samples::BAD_URL, samples::MARKUP),
                portal_description: Field::wrong(samples::MARKUP, samples::RTL),
                places: Field::of(samples::RTL),
                kinds: vec![Choice::new(samples::MARKUP, samples::MARKUP)],
                endpoints: vec![Choice::new(samples::MARKUP, samples::MARKUP)],
                ..typical
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav(ConsoleSection::Brand)
    }
}
