//! Consent: what an app would get from this person, and Allow or Deny.

use serde::Serialize;

use super::parts::{Badge, ScopeGroup};
use super::{Page, samples};

/// The consent page. Form: `POST {action}` with `csrf`, `flow`, `shown` (hidden), `scope` (one per ticked or fixed line or choice,
/// the literal scope as its value), `offline=1` when background access is ticked, `decision=allow|deny`.
///
/// A line with [`choices`](super::parts::ScopeLine::choices) sends its own scope when it is ticked (the choices then add
/// nothing) and the narrower scopes of the ticked choices when it is not. What comes back is never more than was asked:
/// the handler intersects.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Consent {
    /// Where the form goes.
    pub action: String,
    /// The interaction's id.
    pub flow: String,
    /// A digest of what the page is about, given back with the answer.
    pub shown: String,
    /// The app and its provider.
    pub app: Badge,
    /// The organization that keeps the data.
    pub organization: Badge,
    /// Who is signed in.
    pub person: String,
    /// Where somebody else signs in instead.
    pub not_me_href: String,
    /// Whose data it is; a name of `""` when the access is not about one patient.
    pub patient: PatientCard,
    /// With which visit the app opens; a title of `""` for none.
    pub visit: VisitCard,
    /// The access in plain words, sensitive groups first.
    pub groups: Vec<ScopeGroup>,
    /// The app asks for access while the person is away (`offline_access`).
    pub offline: bool,
    /// The tick box of that question starts ticked.
    pub offline_ticked: bool,
    /// How long that lasts ("for at most 1 year"); may be `""`.
    pub offline_until: String,
    /// The provider's terms; `""` for none.
    pub terms_href: String,
    /// The provider's privacy statement; `""` for none.
    pub privacy_href: String,
    /// Where access can be stopped any time.
    pub manage_href: String,
    /// The same as people read it ("mary.example/apps").
    pub manage_text: String,
    /// What is wrong with the form as sent ("Choose at least one kind of data, or deny."); `""` for nothing.
    pub error: String,
}

/// A patient as a card.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PatientCard {
    /// The name.
    pub name: String,
    /// The birth date as people write it.
    pub birth_date: String,
    /// The organization's patient number.
    pub identifier: String,
}

/// A visit as a card.
#[derive(Clone, Debug, Default, Serialize)]
pub struct VisitCard {
    /// What it is: "Check-up".
    pub title: String,
    /// "Outpatient"; `""` for none.
    pub class: String,
    /// When, as people write it; `""` where it is not known.
    pub when: String,
    /// Until when, if that is another day.
    pub until: String,
    /// The FHIR id, where nothing else is known; else `""`.
    pub id: String,
}

impl Page for Consent {
    const TEMPLATE: &'static str = "consent.html";

    fn samples() -> Vec<Self> {
        let typical = Self {
            action: "/o/st-mary/consent".into(),
            flow: "flw_01j9".into(),
            shown: "5f0c".into(),
            app: Badge::new("Growth Chart", "Acme Health B.V."),
            organization: Badge::new("St. Mary Hospital", ""),
            person: "Jan Jansen".into(),
            not_me_href: "/o/st-mary/not-me".into(),
            patient: PatientCard {
                name: "Emma Jansen".into(),
                birth_date: "4 March 2017".into(),
                identifier: "MRN 4471290".into(),
            },
            visit: VisitCard {
                title: "Check-up".into(),
                class: "Outpatient".into(),
                when: "14 Sep 2026, 08:30".into(),
                ..VisitCard::default()
            },
            groups: samples::typical_groups(),
            offline: true,
            offline_ticked: false,
            offline_until: "1 year".into(),
            terms_href: "https://acme.example/terms".into(),
            privacy_href: "https://acme.example/privacy".into(),
            manage_href: "/o/st-mary/apps".into(),
            manage_text: "id.example/o/st-mary/apps".into(),
            error: String::new(),
        };
        vec![
            Self {
                patient: PatientCard::default(),
                visit: VisitCard::default(),
                groups: Vec::new(),
                offline: false,
                terms_href: String::new(),
                privacy_href: String::new(),
                ..typical.clone()
            },
            typical.clone(),
            Self {
                groups: samples::everything(),
                visit: VisitCard { title: "Visit".into(), id: "visit-7".into(), ..VisitCard::default() },
                ..typical.clone()
            },
            Self {
                app: Badge::new(samples::LONG_NAME, samples::LONG_WORD),
                person: samples::LONG_NAME.into(),
                visit: VisitCard {
                    title: samples::LONG_NAME.into(),
                    class: "Hospital stay".into(),
                    when: "11 Feb 2026, 09:05".into(),
                    until: "18 Feb 2026, 16:40".into(),
                    id: String::new(),
                },
                groups: samples::sixty_scopes(),
                offline_ticked: true,
                error: "Choose at least one kind of data, or deny.".into(),
                ..typical.clone()
            },
            Self {
                app: Badge::new(samples::MARKUP, samples::RTL),
                organization: Badge::new(samples::EMOJI, ""),
                person: samples::RTL.into(),
                patient: PatientCard {
                    name: samples::MARKUP.into(),
                    birth_date: samples::RTL.into(),
                    identifier: samples::EMOJI.into(),
                },
                visit: VisitCard {
                    title: samples::MARKUP.into(),
                    class: samples::RTL.into(),
                    when: samples::MARKUP.into(),
                    until: samples::EMOJI.into(),
                    id: samples::MARKUP.into(),
                },
                groups: samples::hostile_groups(),
                terms_href: samples::BAD_URL.into(),
                privacy_href: samples::MARKUP.into(),
                manage_href: samples::BAD_URL.into(),
                manage_text: samples::MARKUP.into(),
                ..typical
            },
        ]
    }
}
