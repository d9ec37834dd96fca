//! A client at the organization: what it may do, what it does, the switch, and the receipts of what was decided.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::compose;
use super::desk::{Desk, faults_of};
use super::review::receipt as to_receipt;
use crate::domain::approvals::ApprovalState;
use crate::domain::clock::UtcMillis;
use crate::domain::ids::ClientId;
use crate::domain::permission::system_needs_key;
use crate::governance::Refusal;
use crate::governance::approvals::{disable, enable, mandatory_reason};
use crate::governance::client_management::{Detail, Happened, detail, list, record};
use crate::http::PageError;
use crate::http::error::Failure;
use crate::http::extract::CsrfForm;
use crate::http::pages::Html;
use crate::http::pages::console::{self as pages, Outcome, UseChart};
use crate::http::pages::frame::ConsoleSection;
use crate::http::pages::parts::{Badge, Fact, Field, Moment, Stand};
use crate::storage;
use crate::storage::client_management::{Filter, Sort};

const DAY: i64 = 86_400_000;

/// `GET /console/{org}/clients/{client_id}`. One that only waits has nothing but its request.
pub async fn show(desk: Desk, Path((_, id)): Path<(String, String)>) -> Result<Response, PageError> {
    let detail = detail(&desk.state.app, &desk.staff, &ClientId::from_text(id)).await?;
    if detail.line.state == "waiting" {
        return Ok(Redirect::to(&desk.path(&format!("access-requests/{}", detail.request.id))).into_response());
    }
    let page = page_of(&desk, &detail);
    Ok(desk.render(ConsoleSection::Clients, &page).await?.into_response())
}

fn client_path(desk: &Desk, id: &ClientId) -> String {
    desk.path(&format!("clients/{id}"))
}

fn badge(detail: &Detail) -> Badge {
    let metadata = &detail.revision.metadata;
    compose::badge(&metadata.name, &detail.provider.name, metadata.logo.as_deref())
}

fn page_of(desk: &Desk, detail: &Detail) -> pages::Client {
    let say = desk.say();
    let metadata = &detail.revision.metadata;
    let stand = compose::stand(&detail.line.state);
    let approval = detail.approval.as_ref();
    let switch =
        approval.filter(|_| matches!(stand, Stand::Approved | Stand::Disabled)).map(|approval| &approval.state);
    let (reason, since) = match switch {
        Some(ApprovalState::Disabled { reason, at, .. }) => (reason.clone(), Some(*at)),
        Some(ApprovalState::Enabled { at, .. }) => (String::new(), Some(*at)),
        None => (rejection(detail), detail.line.decided_at),
    };
    let expires_at = approval.and_then(|approval| approval.expires_at);
    let uses: i64 = detail.usage.iter().map(|(_, uses)| uses.issued + uses.introspected).sum();
    let path = client_path(desk, &detail.client.id);
    pages::Client {
        list_href: desk.path("clients"),
        app: badge(detail),
        stand,
        since: say.moment_or_never(since),
        by: detail.line.decided_by.clone().unwrap_or_default(),
        reason,
        expires: say.moment_or_never(expires_at),
        expires_soon: stand == Stand::Approved && expires_at.is_some_and(|at| at < detail.now.plus_days(30)),
        change_href: if detail.line.change_waiting {
            desk.path(&format!("access-requests/{}", detail.request.id))
        } else {
            String::new()
        },
        needs_key: stand == Stand::Approved
            && detail.scopes.has_system_level()
            && system_needs_key(&desk.staff.organization, metadata.client_type),
        settings_href: compose::settings_href(desk),
        may: compose::may(&say, &metadata.name, &detail.scopes),
        groups: compose::groups(&say, &detail.scopes),
        live_tokens: say.number(detail.access_tokens + detail.refresh_tokens),
        users: say.number(detail.users),
        uses: say.number(uses),
        last_used: say.moment_or_never(approval.and_then(|approval| approval.last_used_at)),
        chart: chart(desk, detail),
        about: compose::about(&say, &detail.client.id, metadata),
        history: compose::history(&say, &detail.history),
        may_decide: desk.may_decide(),
        disable_action: format!("{path}/disable"),
        enable_action: format!("{path}/enable"),
        switch_reason: Field::default(),
        allow_action: if desk.may_decide() && blocks(detail) {
            desk.path(&format!("access-requests/{}/allow-again", detail.request.id))
        } else {
            String::new()
        },
    }
}

fn blocks(detail: &Detail) -> bool {
    matches!(detail.request.state, crate::domain::access_requests::RequestState::Rejected { may_ask_again: false, .. })
}

fn rejection(detail: &Detail) -> String {
    match &detail.request.state {
        crate::domain::access_requests::RequestState::Rejected { reason, .. } => reason.clone(),
        _ => String::new(),
    }
}

/// The last 30 days, those without any use included.
fn chart(desk: &Desk, detail: &Detail) -> UseChart {
    let say = desk.say();
    let today = detail.now.day();
    let days: Vec<(String, String, u64)> = (today - 29..=today)
        .map(|day| {
            let uses = detail
                .usage
                .iter()
                .find(|(known, _)| *known == day)
                .map_or(0, |(_, uses)| uses.issued + uses.introspected);
            // "12 Nov 2026, 00:00" without the year
            let text = say.moment(UtcMillis(day * DAY)).text;
            let label = text.split(' ').take(2).collect::<Vec<_>>().join(" ");
            (label, say.number(uses), u64::try_from(uses).unwrap_or(0))
        })
        .collect();
    UseChart::of(&days)
}

/// The form of the switch.
#[derive(Debug, Deserialize)]
pub struct SwitchForm {
    #[serde(default)]
    reason: String,
    confirmed: Option<String>,
}

/// `POST /console/{org}/clients/{client_id}/disable`: asks once, then does it.
pub async fn switch_off(
    desk: Desk,
    Path((_, id)): Path<(String, String)>,
    CsrfForm(form): CsrfForm<SwitchForm>,
) -> Result<Response, PageError> {
    let id = ClientId::from_text(id);
    let path = client_path(&desk, &id);
    if form.confirmed.as_deref() == Some("1") {
        disable(&desk.state.app, &desk.staff, &id, &form.reason).await?;
        return to_receipt(&desk, &id, &["client.disabled"]).await;
    }
    desk.staff.must_be(crate::domain::accounts::StaffRole::Reviewer)?;
    let detail = detail(&desk.state.app, &desk.staff, &id).await?;
    if detail.line.state != "approved" {
        let what = format!("the client is {}, not approved", detail.line.state);
        return Err(Refusal::conflict("not-approved", what).into());
    }
    let say = desk.say();
    match mandatory_reason(&form.reason) {
        Ok(reason) => {
            let page = pages::DisableConfirm {
                action: format!("{path}/disable"),
                client_href: path.clone(),
                app: badge(&detail),
                reason,
                tokens: say.number(detail.access_tokens + detail.refresh_tokens),
                users: say.number(detail.users),
            };
            Ok(desk.render_answer(ConsoleSection::Clients, &path, &page).await?.into_response())
        }
        Err(refusal) => {
            let faults = faults_of(refusal)?;
            let mut page = page_of(&desk, &detail);
            page.switch_reason = Field::wrong(form.reason, say.faults(&faults, "reason"));
            let html = desk.render_answer(ConsoleSection::Clients, &path, &page).await?;
            Ok(html.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

/// `POST /console/{org}/clients/{client_id}/enable`.
pub async fn switch_on(
    desk: Desk,
    Path((_, id)): Path<(String, String)>,
    CsrfForm(form): CsrfForm<SwitchForm>,
) -> Result<Response, PageError> {
    let id = ClientId::from_text(id);
    enable(&desk.state.app, &desk.staff, &id, &form.reason).await?;
    to_receipt(&desk, &id, &["client.enabled"]).await
}

/// `GET /console/{org}/receipts/{seq}`: the proof of a decision, from its audit record.
pub async fn receipt(desk: Desk, Path((_, seq)): Path<(String, String)>) -> Result<Html, PageError> {
    let seq = seq.parse().map_err(|_| Failure::not_found())?;
    let happened = record(&desk.state.app, &desk.staff, seq).await?;
    let fact = |name: &str| compose::detail(&happened, name).unwrap_or_default();
    let (outcome, stand, reason) = match happened.record.event.as_str() {
        "access_request.approved" if fact("granted_scopes") == fact("scopes") => {
            (Outcome::Approved, Stand::Approved, String::new())
        }
        "access_request.approved" => (Outcome::ApprovedLess, Stand::Approved, String::new()),
        "access_request.rejected" => (Outcome::Rejected, Stand::Rejected, fact("decision_reason")),
        "client.disabled" => (Outcome::Disabled, Stand::Disabled, fact("reason")),
        "client.enabled" => (Outcome::Enabled, Stand::Approved, fact("reason")),
        _ => return Err(Failure::not_found().into()),
    };
    let client = ClientId::from_text(happened.record.client_id.clone().unwrap_or_default());
    let mut conn = desk.state.app.store.read().await?;
    let line = storage::client_management::find(&mut conn, &desk.staff.organization.id, &client).await?;
    drop(conn);
    let app =
        line.map_or_else(|| Badge::new(client.as_str(), ""), |line| Badge::new(&line.client_name, &line.provider_name));
    let page = pages::Receipt {
        outcome,
        stand,
        app,
        at: to_the_second(&desk, happened.record.at),
        by: happened.who.clone(),
        reason,
        facts: facts(&desk, &happened),
        record: fingerprint(&happened),
        client_href: client_path(&desk, &client),
        next_href: next_waiting(&desk).await?,
        list_href: desk.path("clients"),
    };
    desk.render(ConsoleSection::Clients, &page).await
}

fn facts(desk: &Desk, happened: &Happened) -> Vec<Fact> {
    let say = desk.say();
    let mut facts = Vec::new();
    for (name, key) in
        [("access_tokens", "console-ended-access-tokens"), ("refresh_tokens", "console-ended-refresh-tokens")]
    {
        if let Some(count) = compose::detail(happened, name).and_then(|count| count.parse().ok()) {
            facts.push(Fact::words(&say.word(key), &say.number(count)));
        }
    }
    if let Some(scopes) = compose::detail(happened, "granted_scopes") {
        facts.push(Fact::words(&say.word("console-granted-scopes"), &scopes));
    }
    if let Some(expires) = compose::detail(happened, "expires_at").and_then(|text| text.parse::<jiff::Timestamp>().ok())
    {
        facts.push(Fact::words(&say.word("console-expires"), &say.moment(UtcMillis(expires.as_millisecond())).text));
    }
    facts
}

/// Number and beginning of the hash of a record: enough to find it again and to see that it is the same.
pub(super) fn fingerprint(happened: &Happened) -> String {
    let hash = &happened.record.hash;
    let groups: Vec<&str> = (0..4).filter_map(|group| hash.get(group * 4..group * 4 + 4)).collect();
    format!("{} · {}", happened.record.seq, groups.join(" "))
}

/// A moment with its seconds: a receipt says when, not about when.
fn to_the_second(desk: &Desk, at: UtcMillis) -> Moment {
    let moment = desk.say().moment(at);
    let seconds = at.seconds().rem_euclid(60);
    Moment { text: format!("{}:{seconds:02}", moment.text), ..moment }
}

async fn next_waiting(desk: &Desk) -> Result<String, PageError> {
    let filter =
        Filter { state: Some("waiting".into()), search: String::new(), sort: Sort::Oldest, limit: 1, offset: 0 };
    let listing = list(&desk.state.app, &desk.staff, &filter).await?;
    Ok(listing
        .lines
        .first()
        .map(|line| desk.path(&format!("access-requests/{}", line.line.access_request_id)))
        .unwrap_or_default())
}
