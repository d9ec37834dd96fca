//! From what governance knows about a request or client to what the pages of a decision show.

use fhir_scopes::ScopeSet;

use super::desk::Desk;
use super::words::{Say, field_key};
use crate::domain::clients::{ClientMetadata, ClientType, GrantType};
use crate::domain::ids::ClientId;
use crate::governance::client_management::{Happened, Review};
use crate::governance::explain::{self, FieldChange, Risk};
use crate::http::pages::console::{self as pages, Changes, Run};
use crate::http::pages::parts::{self, Badge, Fact, HistoryLine, ScopeGroup, ScopeLine, Stand};
use crate::http::present;

/// How a line's state is shown.
pub(super) fn stand(state: &str) -> Stand {
    match state {
        "waiting" => Stand::Waiting,
        "approved" => Stand::Approved,
        "disabled" => Stand::Disabled,
        "rejected" => Stand::Rejected,
        "withdrawn" => Stand::Withdrawn,
        "expired" => Stand::Expired,
        _ => Stand::None,
    }
}

/// How risks are shown.
pub(super) fn risks(risks: &[Risk]) -> Vec<parts::Risk> {
    risks.iter().filter_map(|risk| risk_word(*risk)).collect()
}

fn risk_word(risk: Risk) -> Option<parts::Risk> {
    Some(match risk {
        Risk::LooksLike => parts::Risk::LooksLike,
        Risk::Deletes => parts::Risk::Deletes,
        Risk::Writes => parts::Risk::Writes,
        Risk::AllPatients => parts::Risk::AllPatients,
        Risk::Background => parts::Risk::Background,
        Risk::FutureKinds => parts::Risk::FutureKinds,
        Risk::Sensitive => parts::Risk::Sensitive,
        Risk::NewProvider => parts::Risk::NewProvider,
        Risk::PublicClient => parts::Risk::PublicClient,
        Risk::NeedsKey => parts::Risk::NeedsKey,
        Risk::SharedSecret => parts::Risk::SharedSecret,
        Risk::NoContact => parts::Risk::NoContact,
        Risk::NewHost => parts::Risk::NewHost,
        // said beside the line it is about
        Risk::NeedsCheck => return None,
    })
}

/// An app as a badge, with its logo if it has one.
pub(super) fn badge(name: &str, provider: &str, logo: Option<&str>) -> Badge {
    let badge = Badge::new(name, provider);
    match logo {
        Some(digest) => badge.with_logo(&format!("/logos/{digest}")),
        None => badge,
    }
}

/// A scope set as grouped lines for a reviewer.
pub(super) fn groups(say: &Say<'_>, scopes: &ScopeSet) -> Vec<ScopeGroup> {
    present::groups_of(&explain::for_staff(scopes, present::words_lang(say.lang)), scopes)
}

fn lines(say: &Say<'_>, scopes: &ScopeSet) -> Vec<ScopeLine> {
    groups(say, scopes).into_iter().flat_map(|group| group.lines).collect()
}

/// The one sentence of a review.
pub(super) fn ask(say: &Say<'_>, name: &str, provider: &str, scopes: &ScopeSet) -> Vec<Run> {
    let told = explain::for_staff(scopes, present::words_lang(say.lang));
    let mut runs = vec![
        Run::name(name),
        Run::plain(&say.word("console-ask-by")),
        Run::name(provider),
        Run::plain(&say.word("console-ask-for")),
        Run::strong(&told.summary),
    ];
    runs.extend(alone(say, scopes));
    runs.push(Run::plain("."));
    runs
}

/// The one sentence of a client's page.
pub(super) fn may(say: &Say<'_>, name: &str, scopes: &ScopeSet) -> Vec<Run> {
    let told = explain::for_staff(scopes, present::words_lang(say.lang));
    let mut runs = vec![Run::name(name), Run::plain(" "), Run::strong(&told.summary)];
    runs.extend(alone(say, scopes));
    runs.push(Run::plain("."));
    runs
}

fn alone(say: &Say<'_>, scopes: &ScopeSet) -> Vec<Run> {
    let key = if scopes.has_system_level() {
        "console-ask-alone"
    } else if scopes.has_offline_access() {
        "console-ask-offline"
    } else {
        return Vec::new();
    };
    vec![Run::plain(", "), Run::strong(&say.word(key))]
}

/// What happened, for people.
pub(super) fn history(say: &Say<'_>, happened: &[Happened]) -> Vec<HistoryLine> {
    happened.iter().map(|one| present::history_line(say.pages, say.lang, &one.record, &one.who)).collect()
}

/// One fact of a record.
pub(super) fn detail(happened: &Happened, name: &str) -> Option<String> {
    let details: std::collections::BTreeMap<String, String> = serde_json::from_str(&happened.record.details).ok()?;
    details.get(name).cloned()
}

/// Type, addresses, keys, contacts, terms, privacy.
pub(super) fn about(say: &Say<'_>, id: &ClientId, metadata: &ClientMetadata) -> Vec<Fact> {
    let label = |name: &str| field_key(name).map_or_else(|| name.to_owned(), |key| say.word(key));
    let mut facts = vec![
        Fact::words(&label("client_type"), &say.word(client_type(metadata.client_type))),
        Fact::code(&say.word("console-field-client-id"), id.as_str()),
    ];
    if !metadata.description.is_empty() {
        facts.push(Fact::words(&label("description"), &metadata.description));
    }
    let uses: Vec<String> = metadata.grant_types.iter().map(|one| say.word(grant_type(*one))).collect();
    facts.push(Fact::words(&label("grant_types"), &uses.join(", ")));
    for uri in &metadata.redirect_uris {
        facts.push(Fact::code(&label("redirect_uris"), uri));
    }
    for (name, uri) in [
        ("launch_uri", &metadata.launch_uri),
        ("jwks_uri", &metadata.jwks_uri),
        ("backchannel_logout_uri", &metadata.backchannel_logout_uri),
    ] {
        if let Some(uri) = uri {
            facts.push(Fact::code(&label(name), uri));
        }
    }
    if metadata.jwks.is_some() {
        facts.push(Fact::words(&label("jwks"), &say.word("console-jwks-inline")));
    }
    if !metadata.contacts.is_empty() {
        facts.push(Fact::words(&label("contacts"), &metadata.contacts.join(", ")));
    }
    for (name, page) in [("homepage", &metadata.homepage), ("privacy", &metadata.privacy), ("terms", &metadata.terms)] {
        if !page.is_empty() {
            facts.push(Fact::link(&label(name), page));
        }
    }
    facts
}

fn client_type(client_type: ClientType) -> &'static str {
    match client_type {
        ClientType::Public => "console-type-public",
        ClientType::ConfidentialSecret => "console-type-confidential-secret",
        ClientType::ConfidentialKeys => "console-type-confidential-keys",
    }
}

fn grant_type(grant_type: GrantType) -> &'static str {
    match grant_type {
        GrantType::AuthorizationCode => "console-grant-authorization-code",
        GrantType::RefreshToken => "console-grant-refresh-token",
        GrantType::ClientCredentials => "console-grant-client-credentials",
    }
}

/// What differs between two states of access and registration.
pub(super) fn changes(say: &Say<'_>, now: &ScopeSet, before: &ScopeSet, fields: &[FieldChange]) -> Changes {
    let difference = now.difference(before);
    Changes {
        added: lines(say, &difference.added),
        removed: lines(say, &difference.removed),
        unchanged: lines(say, &difference.unchanged),
        fields: fields
            .iter()
            .map(|change| pages::FieldChange {
                label: field_key(change.field).map_or_else(|| change.field.to_owned(), |key| say.word(key)),
                before: change.before.join("\n"),
                after: change.after.join("\n"),
            })
            .collect(),
    }
}

/// The settings, for whoever may change them; `""` for everybody else.
pub(super) fn settings_href(desk: &Desk) -> String {
    if desk.may_change() { desk.path("settings") } else { String::new() }
}

/// The review page of a request as it is now, with nothing decided yet.
pub(super) fn review(desk: &Desk, review: &Review) -> pages::Review {
    let say = desk.say();
    let metadata = &review.revision.metadata;
    let changes = match (&review.approval, &review.approved_revision) {
        (Some(approval), Some(approved)) => {
            let before = ScopeSet::parse_lenient(&approval.scopes, review.endpoint.release).0;
            changes(&say, &review.asked, &before, &explain::field_changes(&approved.metadata, metadata))
        }
        _ => Changes::default(),
    };
    let mut about = about(&say, &review.client.id, metadata);
    about.insert(0, Fact::code(&say.word("console-field-fhir-endpoint"), &review.endpoint.base_url));
    pages::Review {
        action: desk.path(&format!("access-requests/{}/decide", review.request.id)),
        list_href: desk.path("clients"),
        digest: review.digest.clone(),
        app: badge(&metadata.name, &review.provider.name, metadata.logo.as_deref()),
        stand: present::stand_of_request(&review.request.state),
        ask: ask(&say, &metadata.name, &review.provider.name, &review.asked),
        asked: say.moment(review.request.updated_at),
        asked_by: review.requested_by.name.clone(),
        settings_href: settings_href(desk),
        risks: risks(&explain::risks(review)),
        reason: review.request.reason.clone(),
        groups: groups(&say, &review.asked),
        change: review.approval.is_some()
            && review.request.state == crate::domain::access_requests::RequestState::Waiting,
        changes,
        about,
        history: history(&say, &review.history),
        may_decide: desk.may_decide(),
        durations: say.durations(desk.staff.organization.settings.approval_expires_days, None),
        may_ask_again: true,
        ..pages::Review::default()
    }
}
