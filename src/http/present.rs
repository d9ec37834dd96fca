//! From facts to what pages show: scopes as grouped lines, moments, states, history. Shared by console, portal, consent and account.

use fhir_scopes::ScopeSet;
use fhir_scopes::describe::{self, Description, Options, describe_with};

use super::pages::parts::{HistoryLine, Moment, ScopeGroup, ScopeLine, Stand};
use super::pages::{Arg, Lang, Pages};
use crate::domain::access_requests::RequestState;
use crate::domain::approvals::{Approval, ApprovalState};
use crate::domain::audit::AuditRecord;
use crate::domain::clock::UtcMillis;
use crate::governance::error::Fault;

/// From which sensitivity on a line is marked as sensitive (see `fhir_scopes::describe`).
const SENSITIVE: u8 = 4;

/// The language of `fhir_scopes` words.
pub fn words_lang(lang: Lang) -> describe::Lang {
    describe::Lang::from_tag(lang.tag())
}

/// A scope set as grouped lines. A line may stand for several literal scopes: its value holds them all, separated by a space, as in a scope list.
pub fn scope_groups(set: &ScopeSet, lang: Lang, options: &Options<'_>) -> Vec<ScopeGroup> {
    groups_of(&describe_with(set, words_lang(lang), options), set)
}

/// The same from a description that is there already.
pub fn groups_of(told: &Description, set: &ScopeSet) -> Vec<ScopeGroup> {
    told.groups
        .iter()
        .map(|group| {
            let lines: Vec<ScopeLine> = group
                .lines
                .iter()
                .map(|line| ScopeLine {
                    scope: line.scopes.join(" "),
                    text: line.short.clone(),
                    detail: more_than(&line.short, &line.long),
                    sensitive: line.sensitivity >= SENSITIVE,
                    writes: writes(set, &line.scopes),
                    ticked: true,
                    ..ScopeLine::default()
                })
                .collect();
            ScopeGroup { title: group.title.clone(), sensitive: lines.iter().any(|line| line.sensitive), lines }
        })
        .collect()
}

/// What the long text says beyond the short one; often nothing but a full stop.
fn more_than(short: &str, long: &str) -> String {
    long.strip_prefix(short).map_or(long, |rest| rest.trim_start_matches('.').trim_start()).to_owned()
}

fn writes(set: &ScopeSet, literals: &[String]) -> bool {
    use fhir_scopes::Permissions;
    set.iter()
        .filter(|scope| literals.iter().any(|literal| literal == scope.literal()))
        .filter_map(fhir_scopes::Scope::resource)
        .any(|right| {
            [Permissions::CREATE, Permissions::UPDATE, Permissions::DELETE]
                .into_iter()
                .any(|letter| right.permissions.contains(letter))
        })
}

/// A moment as people write it, in UTC: "12 Nov 2026, 14:03".
pub fn moment(at: UtcMillis, lang: Lang) -> Moment {
    let Ok(timestamp) = jiff::Timestamp::from_millisecond(at.0) else {
        return Moment::default();
    };
    let at_utc = timestamp.to_zoned_datetime(jiff::tz::TimeZone::UTC);
    let month = month(lang, at_utc.month());
    let text = format!("{} {month} {}, {:02}:{:02}", at_utc.day(), at_utc.year(), at_utc.hour(), at_utc.minute());
    Moment::new(text, at.rfc3339())
}

/// The same where it may never have happened.
pub fn moment_or_never(at: Option<UtcMillis>, lang: Lang) -> Moment {
    at.map_or_else(Moment::default, |at| moment(at, lang))
}

fn month(lang: Lang, month: i8) -> &'static str {
    const EN: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    const NL: [&str; 12] = ["jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"];
    let names = match lang {
        Lang::En => EN,
        Lang::Nl => NL,
    };
    names[usize::try_from(month - 1).unwrap_or(0).min(11)]
}

/// A date as FHIR writes it (`1983-04-12`, perhaps only a year or a month) as people do: "12 Apr 1983".
pub fn date(fhir: &str, lang: Lang) -> String {
    let mut parts = fhir.splitn(3, '-');
    let (year, number, day) = (
        parts.next().unwrap_or(""),
        parts.next().and_then(|text| text.parse::<i8>().ok()),
        parts.next().and_then(|text| text.parse::<u8>().ok()),
    );
    match (number.filter(|number| (1..=12).contains(number)), day) {
        (Some(number), Some(day)) => format!("{day} {} {year}", month(lang, number)),
        (Some(number), None) => format!("{} {year}", month(lang, number)),
        _ => year.to_owned(),
    }
}

/// A moment as FHIR writes it, on the clock of whoever wrote it: "12 Apr 2026, 08:30"; a mere date as [`date`] does.
pub fn date_or_moment(fhir: &str, lang: Lang) -> String {
    let (day, clock) = fhir.split_once('T').unwrap_or((fhir, ""));
    match clock.get(..5).filter(|clock| clock.as_bytes()[2] == b':') {
        Some(clock) => format!("{}, {clock}", date(day, lang)),
        None => date(day, lang),
    }
}

/// The words for an `Encounter.class` (v3-ActCode); one that we have no words for is shown as it is.
pub fn visit_class(pages: &Pages, lang: Lang, code: &str) -> String {
    let key = match code {
        "AMB" => "visit-class-amb",
        "EMER" => "visit-class-emer",
        "FLD" => "visit-class-fld",
        "HH" => "visit-class-hh",
        "IMP" => "visit-class-imp",
        "ACUTE" => "visit-class-acute",
        "NONAC" => "visit-class-nonac",
        "OBSENC" => "visit-class-obsenc",
        "PRENC" => "visit-class-prenc",
        "SS" => "visit-class-ss",
        "VR" => "visit-class-vr",
        _ => return code.to_owned(),
    };
    pages.text(lang, key, &[]).unwrap_or_else(|_| code.to_owned())
}

/// The words for a `status` of FHIR; one that we have no words for is shown as it is.
pub fn record_status(pages: &Pages, lang: Lang, code: &str) -> String {
    let key = match code {
        "planned" => "record-status-planned",
        "arrived" => "record-status-arrived",
        "triaged" => "record-status-triaged",
        "in-progress" => "record-status-in-progress",
        "on-hold" => "record-status-on-hold",
        "onleave" => "record-status-onleave",
        "discharged" => "record-status-discharged",
        "completed" => "record-status-completed",
        "finished" => "record-status-finished",
        "active" => "record-status-active",
        "inactive" => "record-status-inactive",
        "draft" => "record-status-draft",
        "final" => "record-status-final",
        "available" => "record-status-available",
        "current" => "record-status-current",
        "requested" => "record-status-requested",
        "booked" => "record-status-booked",
        _ => return code.to_owned(),
    };
    pages.text(lang, key, &[]).unwrap_or_else(|_| code.to_owned())
}

/// How a request's state is shown.
pub fn stand_of_request(state: &RequestState) -> Stand {
    match state {
        RequestState::Draft => Stand::Draft,
        RequestState::Waiting => Stand::Waiting,
        RequestState::Approved { .. } => Stand::Approved,
        RequestState::Rejected { .. } => Stand::Rejected,
        RequestState::Withdrawn { .. } => Stand::Withdrawn,
        RequestState::Expired { .. } => Stand::Expired,
    }
}

/// How an approval's state is shown.
pub fn stand_of_approval(approval: &Approval, now: UtcMillis) -> Stand {
    if approval.is_expired(now) {
        return Stand::Expired;
    }
    match approval.state {
        ApprovalState::Enabled { .. } => Stand::Approved,
        ApprovalState::Disabled { .. } => Stand::Disabled,
    }
}

/// What an audit record says to people: see [`event_words`], and the reason somebody gave. `who` is the name of the actor, if known.
pub fn history_line(pages: &Pages, lang: Lang, record: &AuditRecord, who: &str) -> HistoryLine {
    let details: std::collections::BTreeMap<String, String> = serde_json::from_str(&record.details).unwrap_or_default();
    let detail = |name: &str| details.get(name).cloned().unwrap_or_default();
    let mut text = event_words(pages, lang, &record.event);
    // whose words are shown: those of whoever did this, not those of the request it was done to
    let note = match record.event.as_str() {
        "access_request.rejected" => detail("decision_reason"),
        "access_request.approved" | "access_request.withdrawn" | "access_request.expired" => String::new(),
        _ => detail("reason"),
    };
    if record.event == "access_request.approved" && details.get("granted_scopes") != details.get("scopes") {
        text = pages.text(lang, "event-access-request-approved-less", &[]).unwrap_or(text);
    }
    let stand = match record.event.as_str() {
        "access_request.sent" | "access_request.edited" => Stand::Waiting,
        "access_request.approved" | "client.enabled" => Stand::Approved,
        "access_request.rejected" => Stand::Rejected,
        "access_request.withdrawn" => Stand::Withdrawn,
        "access_request.expired" | "approval.expired" => Stand::Expired,
        "client.disabled" => Stand::Disabled,
        _ => Stand::None,
    };
    HistoryLine { at: moment(record.at, lang), who: who.to_owned(), text, note, stand }
}

/// What happened, as one sentence without the name of who did it. An event without words of its own shows its code.
pub fn event_words(pages: &Pages, lang: Lang, event: &str) -> String {
    let key = match event {
        "access_request.approved" => "event-access-request-approved",
        "access_request.allowed_again" => "event-access-request-allowed-again",
        "access_request.edited" => "event-access-request-edited",
        "access_request.expired" => "event-access-request-expired",
        "access_request.rejected" => "event-access-request-rejected",
        "access_request.sent" => "event-access-request-sent",
        "access_request.withdrawn" => "event-access-request-withdrawn",
        "approval.ended" => "event-approval-ended",
        "approval.expired" => "event-approval-expired",
        "approval.narrowed" => "event-approval-narrowed",
        "approval.revision_narrowed" => "event-approval-revision-narrowed",
        "client.deleted" => "event-client-deleted",
        "client.disabled" => "event-client-disabled",
        "client.enabled" => "event-client-enabled",
        "client.registered" => "event-client-registered",
        "client.registered_itself" => "event-client-registered-itself",
        "initial_access_token.made" => "event-initial-access-token-made",
        "initial_access_token.revoked" => "event-initial-access-token-revoked",
        "client.revised" => "event-client-revised",
        "client_secret.made" => "event-client-secret-made",
        "client_secret.revoked" => "event-client-secret-revoked",
        "audit.exported" => "event-audit-exported",
        "audit.viewed" => "event-audit-viewed",
        "fhir_endpoint.added" => "event-fhir-endpoint-added",
        "fhir_endpoint.changed" => "event-fhir-endpoint-changed",
        "notification.sent_again" => "event-notification-sent-again",
        "brand.changed" => "event-brand-changed",
        "organization.settings_changed" => "event-organization-settings-changed",
        "resource_server.added" => "event-resource-server-added",
        "resource_server.revoked" => "event-resource-server-revoked",
        "staff.added" => "event-staff-added",
        "staff.removed" => "event-staff-removed",
        "staff.role_changed" => "event-staff-role-changed",
        "code.presented_by_stranger" => "event-code-presented-by-stranger",
        "code.replayed" => "event-code-replayed",
        "code.wrong_verifier" => "event-code-wrong-verifier",
        "refresh_token.presented_by_stranger" => "event-refresh-token-presented-by-stranger",
        "refresh_token.reused" => "event-refresh-token-reused",
        "refresh_token.replaced_presented" => "event-refresh-token-replaced-presented",
        "access_token.revoked" => "event-access-token-revoked",
        "launch.presented_by_stranger" => "event-launch-presented-by-stranger",
        "grant.ended_with_session" => "event-grant-ended-with-session",
        "launch.created" => "event-launch-created",
        "launch.guessed" => "event-launch-guessed",
        "reader_key.made" => "event-reader-key-made",
        "grant.made" => "event-grant-made",
        "grant.revoked" => "event-grant-revoked",
        "grant.stopped_by_user" => "event-grant-stopped-by-user",
        "logout.told" => "event-logout-told",
        "logout.not_told" => "event-logout-not-told",
        "database.restored" => "event-database-restored",
        "token.issued" => "event-token-issued",
        "token.needs_key" => "event-token-needs-key",
        "member.added" => "event-member-added",
        "user.linked" => "event-user-linked",
        "organization.added" => "event-organization-added",
        "organization.changed" => "event-organization-changed",
        "resource_server.changed" => "event-resource-server-changed",
        code => return code.to_owned(),
    };
    pages.text(lang, key, &[]).unwrap_or_else(|_| event.to_owned())
}

/// What is wrong with what was sent, as a whole sentence: `fault-` and its code. The message names the very entry that is wrong (which scope, which URI, which key)
/// before a colon, which the words may repeat. A fault without words of ours is told in its own English ones.
pub fn fault_words(pages: &Pages, lang: Lang, fault: &Fault) -> String {
    let (about, detail) = fault.message.split_once(": ").unwrap_or(("", &fault.message));
    let about = about.strip_prefix("key ").unwrap_or(about);
    pages
        .text(lang, &format!("fault-{}", fault.code), &[("about", Arg::Text(about)), ("detail", Arg::Text(detail))])
        .unwrap_or_else(|_| fault.message.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_dates_are_written_as_people_do() {
        assert_eq!(moment(UtcMillis(1_794_915_780_000), Lang::En).text, "17 Nov 2026, 11:43");
        assert_eq!(moment(UtcMillis(1_794_915_780_000), Lang::Nl).text, "17 nov 2026, 11:43");
        assert_eq!(date("1983-04-12", Lang::En), "12 Apr 1983");
        assert_eq!(date("1983-05", Lang::Nl), "mei 1983");
        assert_eq!(date("1983", Lang::En), "1983");
        assert_eq!(date("", Lang::En), "");
        assert_eq!(date_or_moment("2026-09-14T08:30:00+02:00", Lang::En), "14 Sep 2026, 08:30");
        assert_eq!(date_or_moment("2026-09-14", Lang::Nl), "14 sep 2026");
        assert_eq!(date_or_moment("2026-09-14Tx", Lang::En), "14 Sep 2026");
    }
}
