//! Values in words: numbers, spans of time, faults, in the language of whoever looks.

use crate::domain::clock::UtcMillis;
use crate::governance::approvals::Life;
use crate::governance::error::Fault;
use crate::http::error::Failure;
use crate::http::pages::parts::{Choice, Moment};
use crate::http::pages::{Arg, Lang, Pages};
use crate::http::present;

/// Words for one reader at one moment.
#[derive(Clone, Copy)]
pub(super) struct Say<'a> {
    pub(super) pages: &'a Pages,
    pub(super) lang: Lang,
    pub(super) now: UtcMillis,
}

impl Say<'_> {
    /// The words of a key; the key itself should they be missing, which a test would have found.
    pub(super) fn word(&self, key: &str) -> String {
        self.words(key, &[])
    }

    /// The same with arguments.
    pub(super) fn words(&self, key: &str, args: &[(&str, Arg<'_>)]) -> String {
        self.pages.text(self.lang, key, args).unwrap_or_else(|error| {
            tracing::error!(%error, "words are missing");
            key.to_owned()
        })
    }

    /// A number as people write it.
    pub(super) fn number(&self, count: i64) -> String {
        self.words("console-number", &[("count", Arg::Count(count))])
    }

    /// A span of time, roughly: "3 days".
    pub(super) fn span(&self, since: UtcMillis) -> String {
        let minutes = (self.now.0 - since.0).max(0) / 60_000;
        let (key, count) = match minutes {
            0..60 => ("console-minutes", minutes.max(1)),
            60..2880 => ("console-hours", minutes / 60),
            _ => ("console-days", minutes / 1440),
        };
        self.words(key, &[("count", Arg::Count(count))])
    }

    /// A moment, as the other faces write it.
    pub(super) fn moment(&self, at: UtcMillis) -> Moment {
        present::moment(at, self.lang)
    }

    /// A moment that may not have been.
    pub(super) fn moment_or_never(&self, at: Option<UtcMillis>) -> Moment {
        present::moment_or_never(at, self.lang)
    }

    /// What is wrong with a field, in whole sentences; `""` for nothing. A fault without words of its own is told in English.
    pub(super) fn faults(&self, faults: &[Fault], field: &str) -> String {
        let own = faults.iter().filter(|fault| field.is_empty() || fault.field == field);
        let told = own.map(|fault| present::fault_words(self.pages, self.lang, fault));
        told.collect::<Vec<_>>().join(" ")
    }

    /// How long an approval may last, with the organization's own choice in force.
    pub(super) fn durations(&self, configured: Option<i64>, chosen: Option<&str>) -> Vec<Choice> {
        let mut days = vec![30, 90, 365, 730];
        if let Some(own) = configured.filter(|own| !days.contains(own)) {
            days.push(own);
            days.sort_unstable();
        }
        let current =
            chosen.map_or_else(|| configured.map_or_else(|| "none".to_owned(), |days| days.to_string()), str::to_owned);
        let choice = |value: String, text: String| Choice { current: value == current, value, text };
        let mut choices: Vec<Choice> = days
            .into_iter()
            .map(|days| choice(days.to_string(), self.words("console-days", &[("count", Arg::Count(days))])))
            .collect();
        choices.push(choice("none".into(), self.word("console-no-end")));
        choices
    }
}

/// The words for a member of a client's metadata; `None` for one that has none.
pub(super) fn field_key(field: &str) -> Option<&'static str> {
    Some(match field {
        "name" => "console-field-name",
        "description" => "console-field-description",
        "logo" => "console-field-logo",
        "client_type" => "console-field-client-type",
        "redirect_uris" => "console-field-redirect-uris",
        "launch_uri" => "console-field-launch-uri",
        "jwks_uri" => "console-field-jwks-uri",
        "jwks" => "console-field-jwks",
        "grant_types" => "console-field-grant-types",
        "post_logout_redirect_uris" => "console-field-post-logout-redirect-uris",
        "backchannel_logout_uri" => "console-field-backchannel-logout-uri",
        "native" => "console-field-native",
        "contacts" => "console-field-contacts",
        "homepage" => "console-field-homepage",
        "privacy" => "console-field-privacy",
        "terms" => "console-field-terms",
        "assertion_audience" => "console-field-assertion-audience",
        "fhir_context_objects" => "console-field-fhir-context-objects",
        "declared" => "console-field-declared",
        _ => return None,
    })
}

/// Reads a value of [`Say::durations`].
pub(super) fn life(duration: &str) -> Result<Life, Failure> {
    match duration {
        "" => Ok(Life::AsConfigured),
        "none" => Ok(Life::Unlimited),
        days => days
            .parse()
            .map(Life::Days)
            .map_err(|_| Failure::new(axum::http::StatusCode::BAD_REQUEST, "invalid", "There is no such duration.")),
    }
}
