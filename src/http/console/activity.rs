//! What happened, and what was told to whom.

use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::client::fingerprint;
use super::compose;
use super::desk::{Desk, done};
use crate::governance::activity::{self, ActivityFilter, Kind};
use crate::governance::client_management::Happened;
use crate::governance::notifications::Event;
use crate::http::PageError;
use crate::http::error::Failure;
use crate::http::extract::CsrfForm;
use crate::http::pages::console::{Activity, ActivityRow, Delivery, NotificationRow, Notifications};
use crate::http::pages::frame::ConsoleSection;
use crate::http::pages::parts::{Choice, Paging};
use crate::http::pages::{Arg, Html};
use crate::storage::outbox::{self, Channel, Message};

/// Rows a page.
const PAGE: i64 = 50;

/// A view of the activity or of the notifications.
#[derive(Debug, Default, Deserialize)]
pub struct View {
    #[serde(default)]
    q: String,
    #[serde(default)]
    kind: String,
    /// Only what is older than this number.
    before: Option<String>,
}

impl View {
    fn before(&self) -> Result<Option<i64>, Failure> {
        let wrong = || Failure::new(axum::http::StatusCode::BAD_REQUEST, "invalid", "There is no such page.");
        match self.before.as_deref() {
            None | Some("") => Ok(None),
            Some(text) => text.parse().ok().filter(|before| *before > 0).map(Some).ok_or_else(wrong),
        }
    }
}

/// `GET /console/{org}/activity?q=&kind=&before=`.
pub async fn show(desk: Desk, Query(view): Query<View>) -> Result<Html, PageError> {
    let wrong = || Failure::new(axum::http::StatusCode::BAD_REQUEST, "invalid", "There is no such kind.");
    let kind = Kind::parse(&view.kind).ok_or_else(wrong)?;
    let filter = ActivityFilter { before: view.before()?, kind, search: view.q.trim().to_owned(), limit: PAGE };
    let happened = activity::activity(&desk.state.app, &desk.staff, &filter).await?;
    let say = desk.say();
    let lines = compose::history(&say, &happened);
    let rows = happened.iter().zip(lines).map(|(one, line)| ActivityRow {
        at: line.at,
        who: one.who.clone(),
        text: if one.client.is_empty() { line.text } else { format!("{}: {}", one.client, line.text) },
        note: line.note,
        record: fingerprint(one),
        href: concerned(&desk, one),
    });
    let link = |before: Option<i64>| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("q", &filter.search).append_pair("kind", kind.as_str());
        if let Some(before) = before {
            query.append_pair("before", &before.to_string());
        }
        desk.path(&format!("activity?{}", query.finish()))
    };
    let page = Activity {
        action: desk.path("activity"),
        q: view.q.clone(),
        kinds: Kind::ALL
            .into_iter()
            .map(|one| Choice { current: one == kind, ..Choice::new(one.as_str(), &say.word(kind_key(one))) })
            .collect(),
        paging: Paging {
            text: String::new(),
            previous: if filter.before.is_some() { link(None) } else { String::new() },
            next: happened
                .last()
                .filter(|_| is_full(happened.len()))
                .map(|last| link(Some(last.record.seq)))
                .unwrap_or_default(),
        },
        rows: rows.collect(),
        ..Activity::default()
    };
    desk.render(ConsoleSection::Activity, &page).await
}

fn kind_key(kind: Kind) -> &'static str {
    match kind {
        Kind::All => "console-kind-all",
        Kind::Requests => "console-kind-requests",
        Kind::Clients => "console-kind-clients",
        Kind::Staff => "console-kind-staff",
        Kind::Tokens => "console-kind-tokens",
    }
}

fn news_key(event: Event) -> &'static str {
    match event {
        Event::RequestReceived => "console-news-access-request-received",
        Event::RequestWithdrawn => "console-news-access-request-withdrawn",
        Event::RequestApproved => "console-news-access-request-approved",
        Event::RequestRejected => "console-news-access-request-rejected",
        Event::RequestExpired => "console-news-access-request-expired",
        Event::ClientDisabled => "console-news-client-disabled",
        Event::ClientEnabled => "console-news-client-enabled",
        Event::ApprovalExpired => "console-news-approval-expired",
    }
}

fn is_full(rows: usize) -> bool {
    i64::try_from(rows).is_ok_and(|rows| rows == PAGE)
}

fn concerned(desk: &Desk, happened: &Happened) -> String {
    match (&happened.record.client_id, happened.record.event.as_str()) {
        (Some(_), "access_request.approved" | "access_request.rejected" | "client.disabled" | "client.enabled") => {
            desk.path(&format!("receipts/{}", happened.record.seq))
        }
        (Some(client), _) => desk.path(&format!("clients/{client}")),
        (None, _) => String::new(),
    }
}

/// `GET /console/{org}/notifications?before=`.
pub async fn notifications(desk: Desk, Query(view): Query<View>) -> Result<Html, PageError> {
    let before = view.before()?;
    let messages = activity::notifications(&desk.state.app, &desk.staff, before, PAGE).await?;
    let page = Notifications {
        filters: Vec::new(),
        retry_action: desk.path("notifications/retry"),
        paging: Paging {
            text: String::new(),
            previous: if before.is_some() { desk.path("notifications") } else { String::new() },
            next: messages
                .last()
                .filter(|_| is_full(messages.len()))
                .map(|(last, _)| desk.path(&format!("notifications?before={}", last.id)))
                .unwrap_or_default(),
        },
        rows: messages.iter().map(|(message, to)| row(&desk, message, to)).collect(),
    };
    desk.render(ConsoleSection::Notifications, &page).await
}

fn row(desk: &Desk, message: &Message, to: &str) -> NotificationRow {
    let say = desk.say();
    let payload: Option<crate::governance::notifications::Payload> = serde_json::from_str(&message.payload).ok();
    let client = payload.map(|payload| payload.client.name).unwrap_or_default();
    let (delivery, next) = match &message.delivery {
        outbox::Delivery::Sent { .. } => (Delivery::Sent, None),
        outbox::Delivery::Failed => (Delivery::Failed, None),
        outbox::Delivery::Waiting { .. } if message.attempts == 0 => (Delivery::Queued, None),
        outbox::Delivery::Waiting { next_attempt_at } => (Delivery::Retrying, Some(*next_attempt_at)),
    };
    NotificationRow {
        id: message.id.to_string(),
        at: say.moment(message.created_at),
        subject: Event::parse(&message.event).map_or_else(
            || message.event.clone(),
            |event| say.words(news_key(event), &[("client", Arg::Text(&client))]),
        ),
        to: to.to_owned(),
        webhook: message.channel == Channel::Webhook,
        delivery,
        attempts: u32::try_from(message.attempts).unwrap_or(0),
        next: say.moment_or_never(next),
        error: message.last_error.clone().unwrap_or_default(),
    }
}

/// Which message to send again.
#[derive(Debug, Deserialize)]
pub struct RetryForm {
    notification: String,
}

/// `POST /console/{org}/notifications/retry`.
pub async fn retry(desk: Desk, CsrfForm(form): CsrfForm<RetryForm>) -> Result<Response, PageError> {
    let id = form.notification.parse().map_err(|_| Failure::not_found())?;
    activity::send_again(&desk.state.app, &desk.staff, id).await?;
    Ok(done(&desk, "console-will-be-sent", &desk.path("notifications")))
}
