//! Notifications: who is told what. [`enqueue`] writes messages in the transaction of the event itself, so that nothing is told that did not
//! happen and nothing that happened goes untold; the outbox job (`jobs::outbox`) sends them.
//!
//! Application providers are told about answers: every developer of the provider by mail, every webhook of it by a signed POST. Staff who may
//! decide are told by mail about what waits for them.

use crate::domain::accounts::StaffRole;
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{ClientId, OrganizationId};
use crate::storage::outbox::{Channel, Delivery, Message};
use crate::storage::{self, Conn, StorageError};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An access request arrived, or a waiting one was edited. To staff.
    RequestReceived,
    /// It was taken back. To staff.
    RequestWithdrawn,
    /// It was approved: the integration is live. To the provider.
    RequestApproved,
    /// It was rejected. To the provider.
    RequestRejected,
    /// Nobody decided in time. To the provider.
    RequestExpired,
    /// Staff disabled the client. To the provider.
    ClientDisabled,
    /// Staff enabled it again. To the provider.
    ClientEnabled,
    /// The approval ended by itself. To the provider.
    ApprovalExpired,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 8] = [
        Self::RequestReceived,
        Self::RequestWithdrawn,
        Self::RequestApproved,
        Self::RequestRejected,
        Self::RequestExpired,
        Self::ClientDisabled,
        Self::ClientEnabled,
        Self::ApprovalExpired,
    ];

    /// The stable word: in the outbox and in webhooks.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RequestReceived => "access_request.received",
            Self::RequestWithdrawn => "access_request.withdrawn",
            Self::RequestApproved => "access_request.approved",
            Self::RequestRejected => "access_request.rejected",
            Self::RequestExpired => "access_request.expired",
            Self::ClientDisabled => "client.disabled",
            Self::ClientEnabled => "client.enabled",
            Self::ApprovalExpired => "approval.expired",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == word)
    }

    fn is_for_staff(self) -> bool {
        matches!(self, Self::RequestReceived | Self::RequestWithdrawn)
    }
}

/// What is to be told. Names are looked up when it is written down.
#[derive(Clone, Debug)]
pub struct Notice {
    /// What happened.
    pub event: Event,
    /// At which organization.
    pub organization_id: OrganizationId,
    /// About which client.
    pub client_id: ClientId,
    /// The access request, where it is about one.
    pub access_request_id: Option<String>,
    /// Why, in the words of whoever decided or asked.
    pub reason: Option<String>,
}

impl Notice {
    /// A notice without a request or a reason.
    pub fn new(event: Event, organization_id: &OrganizationId, client_id: &ClientId) -> Self {
        Self {
            event,
            organization_id: organization_id.clone(),
            client_id: client_id.clone(),
            access_request_id: None,
            reason: None,
        }
    }

    /// About this request.
    #[must_use]
    pub fn request(mut self, id: impl Into<String>) -> Self {
        self.access_request_id = Some(id.into());
        self
    }

    /// For this reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// The payload of a message: what mail templates are filled with and what a webhook receives (with `id` and `at` around it).
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Payload {
    /// The event's word.
    pub event: String,
    /// When, RFC 3339.
    pub at: String,
    /// The organization.
    pub organization: Named,
    /// The client: its id and name.
    pub client: Named,
    /// The application provider's name.
    pub application_provider: String,
    /// The access request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_request: Option<String>,
    /// Why. Untrusted text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Path of the page about it, below the base URL.
    pub path: String,
    /// The reader's name and language, for mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader: Option<Reader>,
}

/// Something with an id that people know and a name.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Named {
    /// Slug or `client_id`.
    pub id: String,
    /// Name. Untrusted text.
    pub name: String,
}

/// Who reads a mail.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Reader {
    /// Name.
    pub name: String,
    /// Language.
    pub lang: String,
}

/// Writes the messages of a notice into the outbox, inside the caller's transaction.
pub async fn enqueue(conn: &mut Conn, notice: &Notice, now: UtcMillis) -> Result<(), StorageError> {
    let missing = |what: &str| {
        StorageError::inconsistent("outbox", notice.client_id.as_str(), format!("a notice about an absent {what}"))
    };
    let organization =
        storage::organizations::lookup(conn, &notice.organization_id).await?.ok_or_else(|| missing("organization"))?;
    let client = storage::clients::lookup(conn, &notice.client_id).await?.ok_or_else(|| missing("client"))?;
    let provider = storage::application_providers::lookup(conn, &client.application_provider_id)
        .await?
        .ok_or_else(|| missing("provider"))?;
    let to_staff = notice.event.is_for_staff();
    let mut readers = Vec::new();
    if to_staff {
        for member in storage::accounts::staff_of(conn, &organization.id).await? {
            if member.role >= StaffRole::Reviewer {
                readers.push(member.account_id);
            }
        }
    } else {
        readers.extend(
            storage::application_providers::developers_of(conn, &provider.id)
                .await?
                .into_iter()
                .map(|member| member.account_id),
        );
    }
    let mut payload = Payload {
        event: notice.event.as_str().to_owned(),
        at: now.rfc3339(),
        organization: Named { id: organization.slug.clone(), name: organization.name.clone() },
        client: Named { id: client.id.as_str().to_owned(), name: client.name.clone() },
        application_provider: provider.name.clone(),
        access_request: notice.access_request_id.clone(),
        reason: notice.reason.clone(),
        path: if to_staff {
            format!("/console/{}/clients/{}", organization.slug, client.id)
        } else {
            format!("/portal/{}/clients/{}", provider.id, client.id)
        },
        reader: None,
    };
    let message = |channel, recipient: String, payload: &Payload| Message {
        id: 0,
        organization_id: Some(organization.id.clone()),
        client_id: Some(client.id.clone()),
        channel,
        event: payload.event.clone(),
        recipient,
        payload: serde_json::to_string(payload).expect("a payload of text serializes"),
        delivery: Delivery::Waiting { next_attempt_at: now },
        attempts: 0,
        last_error: None,
        created_at: now,
    };
    if !to_staff {
        for webhook in storage::webhooks::list_by_provider(conn, &provider.id).await? {
            let message = message(Channel::Webhook, webhook.id.as_str().to_owned(), &payload);
            storage::outbox::insert(conn, &message).await?;
        }
    }
    for reader in readers {
        let Some(account) = storage::accounts::lookup(conn, &reader).await?.filter(|account| account.active) else {
            continue;
        };
        payload.reader = Some(Reader { name: account.name, lang: account.lang });
        let message = message(Channel::Mail, account.email, &payload);
        storage::outbox::insert(conn, &message).await?;
    }
    Ok(())
}
