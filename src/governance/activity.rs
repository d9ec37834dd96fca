//! What happened at an organization, for its staff to read, and what was told to whom. Reading the record is itself recorded.

use super::Refusal;
use super::actor::Staff;
use super::client_management::{Happened, with_names};
use crate::app::App;
use crate::domain::accounts::StaffRole;
use crate::domain::audit::{AuditEvent, AuditRecord};
use crate::domain::ids::WebhookId;
use crate::storage;
use crate::storage::outbox::{Channel, Message};

/// Which events to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Every one.
    #[default]
    All,
    /// About access requests and approvals.
    Requests,
    /// Clients being disabled and enabled.
    Clients,
    /// About members.
    Staff,
    /// Tokens and sign-ins.
    Tokens,
}

impl Kind {
    /// Every kind, in the order shown.
    pub const ALL: [Self; 5] = [Self::All, Self::Requests, Self::Clients, Self::Staff, Self::Tokens];

    /// The word of a URL; empty for all.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Requests => "requests",
            Self::Clients => "clients",
            Self::Staff => "staff",
            Self::Tokens => "tokens",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// How the events of this kind begin.
    fn beginnings(self) -> [&'static str; 6] {
        match self {
            Self::All => [""; 6],
            Self::Requests => ["access_request.", "approval.", "approval.", "approval.", "approval.", "approval."],
            Self::Clients => ["client."; 6],
            Self::Staff => ["staff.", "member.", "user.", "user.", "user.", "user."],
            Self::Tokens => ["token.", "access_token.", "refresh_token.", "code.", "grant.", "launch."],
        }
    }
}

/// A view of the activity.
#[derive(Clone, Debug)]
pub struct ActivityFilter {
    /// Only what is older than this sequence number.
    pub before: Option<i64>,
    /// Of which kind.
    pub kind: Kind,
    /// Part of an event, an id or a detail.
    pub search: String,
    /// How many.
    pub limit: i64,
}

/// A page of the activity, newest first. Reading it is itself recorded, once per view.
pub async fn activity(app: &App, staff: &Staff, filter: &ActivityFilter) -> Result<Vec<Happened>, Refusal> {
    staff.must_be(StaffRole::Viewer)?;
    if filter.before.is_some_and(|before| before < 1) || !(1..=500).contains(&filter.limit) {
        return Err(Refusal::invalid("before", "out-of-range", "there is no such page"));
    }
    if filter.search.chars().count() > 200 {
        return Err(Refusal::invalid("q", "too-long", "search for at most 200 characters"));
    }
    let mut conn = app.store.read().await?;
    let search = storage::audit::Search { beginnings: filter.kind.beginnings(), text: &filter.search };
    let chain = staff.organization.id.as_str();
    let records =
        storage::audit::search_before(&mut conn, chain, filter.before.unwrap_or(i64::MAX), &search, filter.limit)
            .await?;
    let happened = with_names(&mut conn, records).await?;
    drop(conn);
    let event = AuditEvent::new(&staff.organization.id, app.now(), "audit.viewed", staff.audit())
        .with("records", happened.len().to_string());
    app.store.write(move |conn| Box::pin(async move { storage::audit::append(conn, &event).await })).await?;
    Ok(happened)
}

/// What was told to whom, newest first: each message with the address it goes to.
pub async fn notifications(
    app: &App,
    staff: &Staff,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<(Message, String)>, Refusal> {
    staff.must_be(StaffRole::Viewer)?;
    let mut conn = app.store.read().await?;
    let mut told = Vec::new();
    for message in storage::outbox::list_by_organization(&mut conn, &staff.organization.id, before, limit).await? {
        let to = match message.channel {
            Channel::Mail | Channel::Logout => message.recipient.clone(),
            // where a webhook leads is the provider's; its host is enough to tell whether it arrived
            Channel::Webhook => storage::webhooks::lookup(&mut conn, &WebhookId::from_text(message.recipient.as_str()))
                .await?
                .and_then(|webhook| url::Url::parse(&webhook.url).ok())
                .and_then(|url| url.host_str().map(str::to_owned))
                .unwrap_or_else(|| message.recipient.clone()),
        };
        told.push((message, to));
    }
    Ok(told)
}

/// Sends a message again that was given up.
pub async fn send_again(app: &App, staff: &Staff, message: i64) -> Result<(), Refusal> {
    staff.must_be(StaffRole::Reviewer)?;
    let (staff, now) = (staff.clone(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                if !storage::outbox::retry(conn, &staff.organization.id, message, now).await? {
                    return Err(Refusal::NotFound);
                }
                let event = AuditEvent::new(&staff.organization.id, now, "notification.sent_again", staff.audit())
                    .subject(message.to_string());
                storage::audit::append(conn, &event).await?;
                Ok(())
            })
        })
        .await
}

/// Records after a sequence number, oldest first, for a copy outside. For admins; recorded too.
pub async fn export(app: &App, staff: &Staff, after: i64, limit: i64) -> Result<Vec<AuditRecord>, Refusal> {
    staff.must_be(StaffRole::Admin)?;
    if after < 0 || !(1..=1000).contains(&limit) {
        return Err(Refusal::invalid("after", "out-of-range", "there is no such page"));
    }
    let records =
        storage::audit::page_from(&mut *app.store.read().await?, staff.organization.id.as_str(), after, limit).await?;
    let event = AuditEvent::new(&staff.organization.id, app.now(), "audit.exported", staff.audit())
        .with("after", after.to_string())
        .with("records", records.len().to_string());
    app.store.write(move |conn| Box::pin(async move { storage::audit::append(conn, &event).await })).await?;
    Ok(records)
}
