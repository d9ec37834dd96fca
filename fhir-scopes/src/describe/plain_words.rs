//! Words for scopes that are not about resources.

use alloc::format;
use alloc::string::{String, ToString};

use super::sentence::uncapitalized;
use super::{Heading, Lang, Line, Options, WarningKind, about};
use crate::{NonResource, ResourceType, Scope, ScopeKind};

pub(super) fn line(scope: &Scope<'_>, lang: Lang, options: &Options<'_>) -> (Heading, Line) {
    let (heading, short, sensitivity, warning) = match scope.kind() {
        ScopeKind::Plain(plain) => {
            let offline = (*plain == NonResource::OfflineAccess).then_some(WarningKind::Offline);
            (Heading::SignIn, words(*plain, scope.own_role(), lang, options), sensitivity(*plain), offline)
        }
        ScopeKind::Extension | ScopeKind::Unknown | ScopeKind::Resource(_) => {
            let name = scope.literal();
            let text = match lang {
                Lang::En => format!("A permission outside the standard, named {name}"),
                Lang::Nl => format!("Een recht buiten de standaard, met de naam {name}"),
            };
            (Heading::Other, text, 4, Some(WarningKind::NeedsCheck))
        }
    };
    let warnings: alloc::vec::Vec<_> = warning.map(|kind| kind.warning(lang)).into_iter().collect();
    let mut long = format!("{short}.");
    for warning in &warnings {
        long.push(' ');
        long.push_str(&warning.text);
    }
    let needs_check = heading == Heading::Other;
    let subject = uncapitalized(&short);
    (
        heading,
        Line {
            short,
            long,
            subject,
            scopes: [scope.literal().to_string()].into(),
            sensitivity,
            needs_check,
            warnings,
            right: None,
        },
    )
}

fn sensitivity(plain: NonResource) -> u8 {
    match plain {
        NonResource::OpenId | NonResource::FhirUser | NonResource::Profile | NonResource::Email => 2,
        NonResource::Launch | NonResource::LaunchFor(_) | NonResource::OfflineAccess | NonResource::OnlineAccess => 1,
    }
}

fn words(plain: NonResource, role: Option<&str>, lang: Lang, options: &Options<'_>) -> String {
    let (en, nl) = match plain {
        NonResource::OpenId if options.for_reviewers => ("Know who the user is", "Weten wie de gebruiker is"),
        NonResource::OpenId => ("Know who you are", "Weten wie u bent"),
        NonResource::FhirUser if options.for_reviewers => (
            "See which person or professional record belongs to the user",
            "Zien welk persoons- of zorgverlenersdossier van de gebruiker is",
        ),
        NonResource::FhirUser => {
            ("See which person or professional record is yours", "Zien welk persoons- of zorgverlenersdossier van u is")
        }
        NonResource::Profile if options.for_reviewers => ("See the name of the user", "De naam van de gebruiker zien"),
        NonResource::Profile => ("See your name", "Uw naam zien"),
        NonResource::Email if options.for_reviewers => {
            ("See the e-mail address of the user", "Het e-mailadres van de gebruiker zien")
        }
        NonResource::Email => ("See your e-mail address", "Uw e-mailadres zien"),
        NonResource::OfflineAccess if options.for_reviewers => (
            "Keep this access when the user is not there, until the user or the organisation withdraws it",
            "Deze toegang houden als de gebruiker er niet bij is, tot de gebruiker of de organisatie haar intrekt",
        ),
        NonResource::OfflineAccess => (
            "Keep this access when you are not there, until you or the organisation withdraws it",
            "Deze toegang houden als u er niet bij bent, tot u of de organisatie haar intrekt",
        ),
        NonResource::OnlineAccess if options.for_reviewers => (
            "Keep this access as long as the user stays signed in",
            "Deze toegang houden zolang de gebruiker ingelogd is",
        ),
        NonResource::OnlineAccess => {
            ("Keep this access as long as you stay signed in", "Deze toegang houden zolang u ingelogd bent")
        }
        NonResource::Launch => (
            "Know what is open on the screen in the record system",
            "Weten wat er in het dossiersysteem op het scherm openstaat",
        ),
        NonResource::LaunchFor(ResourceType::PATIENT) => {
            ("Know which patient is selected", "Weten welke patiënt is gekozen")
        }
        NonResource::LaunchFor(ResourceType::ENCOUNTER) => {
            ("Know which visit or stay is selected", "Weten welk contact of welke opname is gekozen")
        }
        NonResource::LaunchFor(other) => {
            let name = uncapitalized(about(other).name(lang));
            let text = match lang {
                Lang::En => format!("Know which of these is selected: {name}"),
                Lang::Nl => format!("Weten welke hiervan is gekozen: {name}"),
            };
            return with_role(text, role, lang);
        }
    };
    with_role(lang.pick(en, nl).to_string(), role, lang)
}

fn with_role(text: String, role: Option<&str>, lang: Lang) -> String {
    match role.and_then(|role| role.rsplit(['/', '#', ':']).find(|part| !part.is_empty())) {
        Some(role) => format!("{text} ({} {})", lang.pick("in the role", "in de rol"), role.replace('-', " ")),
        None => text,
    }
}
