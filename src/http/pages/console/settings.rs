//! The organization's own house: members, FHIR endpoints with their resource servers, settings.

use serde::Serialize;

use super::super::frame::ConsoleSection;
use super::super::parts::{Choice, Field, Moment};
use super::super::{Nav, Page, samples};
use super::sample_nav;

/// Staff of this organization. Forms: `POST {action}/add` with `csrf`, `email`, `role`; `POST {action}/role` with `csrf`, `member`,
/// `role`; `POST {action}/remove` with `csrf`, `member`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Members {
    /// Base of the forms' addresses.
    pub action: String,
    /// Everybody.
    pub rows: Vec<MemberRow>,
    /// This person may change members.
    pub may_change: bool,
    /// E-mail address of a new member, as typed.
    pub email: Field,
    /// Roles to choose from.
    pub roles: Vec<Choice>,
}

/// One member.
#[derive(Clone, Debug, Default, Serialize)]
pub struct MemberRow {
    /// The membership's id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// The role in words.
    pub role: String,
    /// The roles, with this one's current.
    pub roles: Vec<Choice>,
    /// Since when.
    pub since: Moment,
    /// When last seen; `""` for never.
    pub seen: Moment,
    /// The person who looks: they cannot remove themselves.
    pub me: bool,
}

/// The organization's FHIR base URLs and who may introspect for them. Forms: `POST {action}/add` with `csrf`, `name`, `base_url`,
/// `version`; `POST {action}/resource-server` with `csrf`, `endpoint` (makes credentials, shown once); `POST {action}/{id}/reading` with `csrf`,
/// `reading` (`own` or `backend`), `token_endpoint`, `client_id`, `scope`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FhirEndpoints {
    /// Base of the forms' addresses.
    pub action: String,
    /// All endpoints.
    pub rows: Vec<FhirEndpointRow>,
    /// This person may change them.
    pub may_change: bool,
    /// Name of a new endpoint, as typed.
    pub name: Field,
    /// Its base URL, as typed.
    pub base_url: Field,
    /// FHIR versions.
    pub versions: Vec<Choice>,
    /// Who may introspect.
    pub servers: Vec<ResourceServerRow>,
    /// Where the keys are with which this server proves itself when it reads.
    pub reader_jwks: String,
    /// Credentials made just now: the id; `""` otherwise.
    pub new_client_id: String,
    /// And the secret, shown this once.
    pub new_client_secret: String,
}

/// One FHIR endpoint.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FhirEndpointRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The FHIR base URL: the `aud` of SMART.
    pub base_url: String,
    /// "R4".
    pub version: String,
    /// Where its smart-configuration is served by us.
    pub smart_configuration: String,
    /// This server reads as a client of another authorization server; otherwise with tokens of its own.
    pub reads_by_backend: bool,
    /// The form about reading stands open.
    pub reading_open: bool,
    /// That server's token endpoint.
    pub token_endpoint: Field,
    /// Who this server is there.
    pub reader_client_id: Field,
    /// What it asks for.
    pub reader_scope: Field,
}

/// One resource server.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ResourceServerRow {
    /// The client id it introspects with.
    pub client_id: String,
    /// What it was made for.
    pub name: String,
    /// When it last did; `""` for never.
    pub last_used: Moment,
}

/// Settings. Form: `POST {action}` with `csrf`, `name`, `website`, `contact`, `lang`, `duration`, `request_days`, `clinician_consent` (`ask` or `standing`),
/// `backend_services` (`keys` or `secrets`), `registration` (`closed`, `token` or `open`), `frame_ancestors`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Settings {
    /// Where the form goes.
    pub action: String,
    /// The organization's name.
    pub name: Field,
    /// The organization's website.
    pub website: Field,
    /// Contact for application providers and users.
    pub contact: Field,
    /// The language of mails and of whoever says nothing else.
    pub languages: Vec<Choice>,
    /// How long approvals last unless said otherwise.
    pub durations: Vec<Choice>,
    /// How many days a request waits before it expires.
    pub request_days: Field,
    /// Whether clinicians are asked for consent.
    pub clinician_consent: Vec<Choice>,
    /// How an app proves itself that works without anyone signed in.
    pub backend_services: Vec<Choice>,
    /// Who may register a client by machine.
    pub registration: Vec<Choice>,
    /// The page of initial access tokens.
    pub registration_href: String,
    /// Origins of EHRs that may show launches in a frame, one per line.
    pub frame_ancestors: Field,
    /// The issuer, for copying.
    pub issuer: String,
    /// This person may change settings.
    pub may_change: bool,
}

fn sample_roles(current: &str) -> Vec<Choice> {
    [("admin", "Administrator"), ("reviewer", "Reviewer"), ("viewer", "Viewer")]
        .into_iter()
        .map(|(value, text)| Choice { current: value == current, ..Choice::new(value, text) })
        .collect()
}

impl Page for Members {
    const TEMPLATE: &'static str = "console/members.html";

    fn samples() -> Vec<Self> {
        let row = |name: &str, email: &str| MemberRow {
            id: "mem_1".into(),
            name: name.into(),
            email: email.into(),
            role: "Reviewer".into(),
            roles: sample_roles("reviewer"),
            since: Moment::new("12 Nov 2026", "2026-11-12T14:03:00Z"),
            ..MemberRow::default()
        };
        let me = MemberRow {
            me: true,
            seen: Moment::new("now", "2026-11-23T14:03:00Z"),
            ..row("Noor de Vries", "noor@st-mary.example")
        };
        let nothing = Self {
            action: "/console/st-mary/members".into(),
            rows: vec![me],
            may_change: true,
            roles: sample_roles("reviewer"),
            ..Self::default()
        };
        let typical = Self {
            rows: [nothing.rows.clone(), vec![row("Eva Smit", "eva@st-mary.example")]].concat(),
            ..nothing.clone()
        };
        vec![
            nothing,
            typical.clone(),
            Self { may_change: false, ..typical.clone() },
            Self {
                rows: (0..30).map(|_| row(samples::LONG_NAME, samples::LONG_WORD)).collect(),
                email: Field::wrong("eva", "This does not look like an e-mail address."),
                ..typical.clone()
            },
            Self {
                rows: vec![row(samples::MARKUP, samples::RTL)],
                email: Field::wrong(samples::MARKUP, samples::MARKUP),
                ..typical
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav(ConsoleSection::Members)
    }
}

impl Page for FhirEndpoints {
    const TEMPLATE: &'static str = "console/fhir_endpoints.html";

    fn samples() -> Vec<Self> {
        let row = |name: &str| FhirEndpointRow {
            id: "fep_1".into(),
            name: name.into(),
            base_url: "https://fhir.st-mary.example/r4".into(),
            version: "R4".into(),
            smart_configuration: "https://id.example/o/st-mary/fhir/main/.well-known/smart-configuration".into(),
            ..FhirEndpointRow::default()
        };
        let nothing = Self {
            action: "/console/st-mary/fhir-endpoints".into(),
            reader_jwks: "https://id.example/o/st-mary/reader-jwks".into(),
            may_change: true,
            versions: vec![Choice::current("R4", "R4"), Choice::new("R4B", "R4B"), Choice::new("R5", "R5")],
            ..Self::default()
        };
        let typical = Self {
            rows: vec![
                row("Main record"),
                FhirEndpointRow {
                    reads_by_backend: true,
                    reading_open: true,
                    token_endpoint: Field::wrong("http://as.example", "This is not a web address."),
                    reader_client_id: Field::of("countersign-st-mary"),
                    reader_scope: Field::of("system/Patient.rs system/Encounter.rs"),
                    ..row("Laboratory")
                },
            ],
            servers: vec![
                ResourceServerRow {
                    client_id: "rs_01jd8t3m5k".into(),
                    name: "Main record".into(),
                    last_used: Moment::new("now", "2026-11-23T14:03:00Z"),
                },
                ResourceServerRow {
                    client_id: "rs_01jd8t3m5m".into(),
                    name: "Laboratory".into(),
                    ..Default::default()
                },
            ],
            ..nothing.clone()
        };
        vec![
            nothing,
            typical.clone(),
            Self {
                new_client_id: "rs_01jd8t3m5k".into(),
                new_client_secret: "css_8Qm2vJd4kT1nXe0WzRbC7uYhLs9aFgPi3oKtNqVx5rMyBdEw".into(),
                ..typical.clone()
            },
            Self { may_change: false, ..typical.clone() },
            Self {
                rows: (0..20)
                    .map(|_| FhirEndpointRow {
                        base_url: format!("https://example.org/{}", samples::LONG_WORD),
                        ..row(samples::LONG_NAME)
                    })
                    .collect(),
                base_url: Field::wrong("http://x", "Use https."),
                ..typical.clone()
            },
            Self {
                rows: vec![FhirEndpointRow {
                    base_url: samples::BAD_URL.into(),
                    smart_configuration: samples::MARKUP.into(),
                    ..row(samples::MARKUP)
                }],
                name: Field::wrong(samples::MARKUP, samples::RTL),
                new_client_id: samples::MARKUP.into(),
                new_client_secret: samples::MARKUP.into(),
                ..typical
            },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav(ConsoleSection::FhirEndpoints)
    }
}

impl Page for Settings {
    const TEMPLATE: &'static str = "console/settings.html";

    fn samples() -> Vec<Self> {
        let typical = Self {
            action: "/console/st-mary/settings".into(),
            name: Field::of("St. Mary Hospital"),
            website: Field::of("https://st-mary.example"),
            contact: Field::of("integrations@st-mary.example"),
            languages: vec![Choice::current("en", "English"), Choice::new("nl", "Nederlands")],
            durations: vec![
                Choice::new("90", "90 days"),
                Choice::current("365", "1 year"),
                Choice::new("none", "No end"),
            ],
            request_days: Field::of("90"),
            clinician_consent: vec![
                Choice::current("ask", "Each clinician is asked, once per app"),
                Choice::new("standing", "The organization has agreed for all of them"),
            ],
            backend_services: vec![
                Choice::current("keys", "Need a key of their own"),
                Choice::new("secrets", "May use a shared secret too"),
            ],
            registration: vec![
                Choice::new("closed", "Nobody"),
                Choice::current("token", "Whoever has a token from you"),
                Choice::new("open", "Anybody"),
            ],
            registration_href: "/console/st-mary/registration".into(),
            frame_ancestors: Field::of("https://ehr.st-mary.example"),
            issuer: "https://id.example/o/st-mary".into(),
            may_change: true,
        };
        vec![
            Self { contact: Field::default(), frame_ancestors: Field::default(), ..typical.clone() },
            typical.clone(),
            Self { may_change: false, ..typical.clone() },
            Self {
                name: Field::wrong(samples::LONG_NAME, "Use at most 60 characters."),
                frame_ancestors: Field::wrong("*", "Name each origin: https://ehr.example."),
                ..typical.clone()
            },
            Self { name: Field::wrong(samples::MARKUP, samples::RTL), issuer: samples::MARKUP.into(), ..typical },
        ]
    }

    fn sample_nav() -> Nav {
        sample_nav(ConsoleSection::Settings)
    }
}
