//! Approvals: the organization's standing answer for (client, organization).
//!
//! ```text
//! enabled <-> disabled        (ends: replaced by a later approval, expired, client deleted)
//! ```
//!
//! Disabling raises the **epoch**. Every grant, code and token carries the epoch it was made under, and is dead under any other. So the cost of a disable does
//! not grow with the number of tokens, and enabling again revives none of them.

use super::clock::UtcMillis;
use super::ids::{AccessRequestId, AccountId, ClientId, FhirEndpointId, OrganizationId};

/// A standing answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Whose answer.
    pub organization_id: OrganizationId,
    /// About which client.
    pub client_id: ClientId,
    /// The request it answers.
    pub access_request_id: AccessRequestId,
    /// The client revision that was reviewed and is live here.
    pub client_revision: i64,
    /// What was on the reviewer's screen.
    pub digest: String,
    /// The approved scopes.
    pub scopes: String,
    /// The FHIR endpoints it holds for.
    pub fhir_endpoints: Vec<FhirEndpointId>,
    /// Raised by every disable; nothing of an older epoch is ever good again.
    pub epoch: i64,
    /// Enabled or disabled.
    pub state: ApprovalState,
    /// Who countersigned.
    pub approved_by: AccountId,
    /// When.
    pub approved_at: UtcMillis,
    /// When it ends by itself.
    pub expires_at: Option<UtcMillis>,
    /// When a token was last issued or introspected under it.
    pub last_used_at: Option<UtcMillis>,
}

/// Enabled or disabled, by whom and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApprovalState {
    /// Tokens may be issued.
    Enabled {
        /// Who approved or enabled it.
        by: AccountId,
        /// When.
        at: UtcMillis,
    },
    /// Nothing is issued and nothing old is good.
    Disabled {
        /// Who disabled it.
        by: AccountId,
        /// When.
        at: UtcMillis,
        /// Why.
        reason: String,
    },
}

/// A transition that does not start where the approval stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPossible {
    /// It is disabled already.
    #[error("the client is disabled already")]
    AlreadyDisabled,
    /// It is enabled already.
    #[error("the client is enabled already")]
    AlreadyEnabled,
    /// It ended by itself; a new request must be approved.
    #[error("the approval has expired")]
    Expired,
}

impl Approval {
    /// Has it ended by itself?
    pub fn is_expired(&self, now: UtcMillis) -> bool {
        self.expires_at.is_some_and(|expires| now >= expires)
    }

    /// Is it in force?
    pub fn is_enabled(&self, now: UtcMillis) -> bool {
        matches!(self.state, ApprovalState::Enabled { .. }) && !self.is_expired(now)
    }

    /// Switches it off and raises the epoch.
    pub fn disable(mut self, by: AccountId, reason: String, now: UtcMillis) -> Result<Self, NotPossible> {
        if matches!(self.state, ApprovalState::Disabled { .. }) {
            return Err(NotPossible::AlreadyDisabled);
        }
        self.epoch += 1;
        self.state = ApprovalState::Disabled { by, at: now, reason };
        Ok(self)
    }

    /// Switches it on. The epoch stays: nothing old comes back.
    pub fn enable(mut self, by: AccountId, now: UtcMillis) -> Result<Self, NotPossible> {
        if matches!(self.state, ApprovalState::Enabled { .. }) {
            return Err(NotPossible::AlreadyEnabled);
        }
        if self.is_expired(now) {
            return Err(NotPossible::Expired);
        }
        self.state = ApprovalState::Enabled { by, at: now };
        Ok(self)
    }
}
