//! When something does not work out: what happened, whose move it is, and a reference. Never a dead end.

use axum::http::StatusCode;
use serde::Serialize;

use super::parts::Badge;
use super::{Page, samples};

/// What happened. Title, explanation and "whose move" are words of ours (`trouble-{kind}-title|text|move`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// No such page, or not for this person: one answer for both (404).
    #[default]
    NotFound,
    /// Signed in, but this action needs another role (403).
    NotAllowed,
    /// The form is too old or came from elsewhere (403).
    StaleForm,
    /// What was sent does not read, or does not fit the page it came from (400).
    Unusable,
    /// What was to be done is no longer possible, or never was, as things stand (409).
    Conflict,
    /// A choice that was not offered (403).
    NotOffered,
    /// The sign-in or launch took too long or was already finished (400).
    FlowEnded,
    /// The app's request is malformed: its provider has to mend it; never redirected (400).
    BadRequest,
    /// Unknown app, or a redirect address that is not registered; never redirected (400).
    UnknownApp,
    /// The organization has not approved this app (403).
    NotApproved,
    /// The organization switched this app off (403).
    AppDisabled,
    /// The launch was made for somebody else (403).
    WrongPerson,
    /// This account is not known at this organization, or switched off there (403).
    AccountUnknown,
    /// The organization's FHIR server did not answer (502).
    FhirUnavailable,
    /// Too many attempts; wait (429).
    TooMany,
    /// We are busy or our database does not answer (503).
    Busy,
    /// A mistake of ours (500).
    Broken,
}

impl Trouble {
    /// Every kind, for tests.
    pub const ALL: [Trouble; 17] = [
        Trouble::NotFound,
        Trouble::NotAllowed,
        Trouble::StaleForm,
        Trouble::Unusable,
        Trouble::Conflict,
        Trouble::NotOffered,
        Trouble::FlowEnded,
        Trouble::BadRequest,
        Trouble::UnknownApp,
        Trouble::NotApproved,
        Trouble::AppDisabled,
        Trouble::WrongPerson,
        Trouble::AccountUnknown,
        Trouble::FhirUnavailable,
        Trouble::TooMany,
        Trouble::Busy,
        Trouble::Broken,
    ];

    /// The status to answer with: `pages.render(&frame, &page).with_status(page.trouble.status())`.
    pub fn status(self) -> StatusCode {
        match self {
            Trouble::NotFound => StatusCode::NOT_FOUND,
            Trouble::FlowEnded | Trouble::Unusable | Trouble::BadRequest | Trouble::UnknownApp => {
                StatusCode::BAD_REQUEST
            }
            Trouble::Conflict => StatusCode::CONFLICT,
            Trouble::NotAllowed
            | Trouble::StaleForm
            | Trouble::NotOffered
            | Trouble::NotApproved
            | Trouble::AppDisabled
            | Trouble::WrongPerson
            | Trouble::AccountUnknown => StatusCode::FORBIDDEN,
            Trouble::FhirUnavailable => StatusCode::BAD_GATEWAY,
            Trouble::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Trouble::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Trouble::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// The error page; also where a launch stops when the app is not approved or is switched off.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ErrorPage {
    /// What happened.
    pub trouble: Trouble,
    /// Where; a name of `""` when no organization is concerned.
    pub organization: Badge,
    /// Which app; a name of `""` when none is concerned or known.
    pub app: Badge,
    /// Whom to write to: the provider's contact for an app's mistake, else the organization's; `""` for none.
    pub contact: String,
    /// `mailto:` or `https:` for that contact.
    pub contact_href: String,
    /// What stands in the way, in place of the general words; `""` for those.
    pub why: String,
    /// One exact sentence for the person who can mend it ("redirect_uri is not registered for this client"); may be `""`.
    pub detail: String,
    /// What to quote when asking for help; also in our log.
    pub reference: String,
    /// Where to try again or go on; `""` for the first page.
    pub next_href: String,
}

impl Page for ErrorPage {
    const TEMPLATE: &'static str = "error.html";

    fn samples() -> Vec<Self> {
        let typical = |trouble: Trouble| Self {
            trouble,
            organization: Badge::new("St. Mary Hospital", ""),
            app: Badge::new("Growth Chart", "Acme Health B.V."),
            contact: "support@acme.example".into(),
            contact_href: "mailto:support@acme.example".into(),
            why: String::new(),
            detail: "redirect_uri is not registered for this client".into(),
            reference: "7Q2M-4KXD".into(),
            next_href: String::new(),
        };
        let nothing = Self { reference: "7Q2M-4KXD".into(), ..Self::default() };
        let mut all = vec![nothing];
        all.extend(Trouble::ALL.into_iter().map(typical));
        all.push(Self {
            trouble: Trouble::Conflict,
            why: "The client is switched off already.".into(),
            reference: "7Q2M-4KXD".into(),
            next_href: "/console/st-mary/clients/c1".into(),
            ..Self::default()
        });
        all.push(Self { next_href: "/o/st-mary/not-me?flow=csi_1".into(), ..typical(Trouble::WrongPerson) });
        all.extend([Trouble::NotOffered, Trouble::Unusable].map(|trouble| Self {
            reference: "7Q2M-4KXD".into(),
            next_href: "/o/st-mary/continue?flow=csi_1".into(),
            ..Self { trouble, ..Self::default() }
        }));
        all.push(Self {
            organization: Badge::new(samples::LONG_NAME, ""),
            app: Badge::new(samples::LONG_WORD, samples::LONG_NAME),
            contact: format!("{}@example.org", samples::LONG_WORD),
            detail: format!("redirect_uri https://example.org/{} is not registered", samples::LONG_WORD.repeat(3)),
            ..typical(Trouble::UnknownApp)
        });
        all.push(Self {
            organization: Badge::new(samples::RTL, ""),
            app: Badge::new(samples::MARKUP, samples::MARKUP),
            contact: samples::MARKUP.into(),
            contact_href: samples::BAD_URL.into(),
            why: samples::MARKUP.into(),
            detail: samples::MARKUP.into(),
            reference: samples::MARKUP.into(),
            next_href: samples::BAD_URL.into(),
            ..typical(Trouble::AppDisabled)
        });
        all
    }
}
