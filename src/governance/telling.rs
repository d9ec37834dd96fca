//! Who is told what: the application provider about decisions, reviewers about requests. Always in the transaction of what happened.

use crate::domain::access_requests::{AccessRequest, RequestState};
use crate::domain::clients::Client;
use crate::domain::clock::UtcMillis;
use crate::domain::organizations::Organization;
use crate::storage::{Conn, StorageError};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    RequestSent,
    RequestEdited,
    RequestWithdrawn,
    RequestExpired,
    Approved,
    Rejected,
    ApprovalNarrowed,
    ApprovalExpired,
    Disabled,
    Enabled,
}

/// News with what it is about.
#[derive(Clone, Debug)]
pub(super) struct Told {
    news: News,
    reason: String,
}

impl News {
    /// About a request: a refusal carries its reason.
    pub(super) fn about(self, request: &AccessRequest) -> Told {
        let reason = match &request.state {
            RequestState::Rejected { reason, .. } => reason.clone(),
            _ => String::new(),
        };
        Told { news: self, reason }
    }

    /// With a reason that somebody gave.
    pub(super) fn because(self, reason: &str) -> Told {
        Told { news: self, reason: reason.to_owned() }
    }
}

/// Tells whom it concerns.
pub(super) async fn tell(_conn: &mut Conn, _organization: &Organization, _client: &Client, _told: Told, _now: UtcMillis) -> Result<(), StorageError> {
    Ok(())
}
