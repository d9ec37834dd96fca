//! Access requests: "may this client have these scopes at this organization, and why?"
//!
//! ```text
//! draft -> waiting -> approved | rejected(reason, may ask again | blocked) | withdrawn | expired
//! ```
//!
//! Transitions are pure; storage writes them with a conditional update, so that of two people deciding at once exactly one does.

use super::clock::UtcMillis;
use super::ids::{AccessRequestId, AccountId, ClientId, FhirEndpointId, OrganizationId};
use super::secrets::hex_digest;

/// A request as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRequest {
    /// Id.
    pub id: AccessRequestId,
    /// Who is asked.
    pub organization_id: OrganizationId,
    /// For which client.
    pub client_id: ClientId,
    /// For which FHIR endpoint.
    pub fhir_endpoint_id: FhirEndpointId,
    /// First time, or a change of what was approved.
    pub kind: RequestKind,
    /// The client revision it is about.
    pub client_revision: i64,
    /// The scopes, literally as asked.
    pub scopes: String,
    /// Why, in the application provider's words. Untrusted text.
    pub reason: String,
    /// Who asked.
    pub requested_by: AccountId,
    /// When it was first sent.
    pub requested_at: UtcMillis,
    /// When it was last edited.
    pub updated_at: UtcMillis,
    /// How often it was edited while it waited; reviewers are told.
    pub edits: i64,
    /// When it stops waiting by itself.
    pub expires_at: UtcMillis,
    /// Where it stands.
    pub state: RequestState,
}

/// First request or change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// The organization has not approved this client.
    Initial,
    /// It has, and is asked for something else. The old approval stays live meanwhile.
    Change,
}

impl RequestKind {
    /// The word of the column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Change => "change",
        }
    }
}

/// Where a request stands, with the facts of that state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestState {
    /// Not sent yet.
    Draft,
    /// With the organization.
    Waiting,
    /// Countersigned.
    Approved {
        /// By whom.
        by: AccountId,
        /// When.
        at: UtcMillis,
        /// Which scopes: as asked, or fewer.
        scopes: String,
    },
    /// Refused.
    Rejected {
        /// By whom.
        by: AccountId,
        /// When.
        at: UtcMillis,
        /// Why, for the application provider to read.
        reason: String,
        /// False: this client is blocked from asking again.
        may_ask_again: bool,
    },
    /// Taken back by the application provider.
    Withdrawn {
        /// By whom.
        by: AccountId,
        /// When.
        at: UtcMillis,
    },
    /// Nobody decided in time.
    Expired {
        /// When.
        at: UtcMillis,
    },
}

impl RequestState {
    /// The word of the column.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Waiting => "waiting",
            Self::Approved { .. } => "approved",
            Self::Rejected { .. } => "rejected",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Expired { .. } => "expired",
        }
    }
}

/// The request is not waiting (any more).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request is {state}, not waiting")]
pub struct NotWaiting {
    /// What it is instead.
    pub state: &'static str,
}

impl AccessRequest {
    /// The digest that travels with the reviewer's form: the client revision, the endpoint, the scopes and the reason as they were on the screen.
    pub fn digest(&self, client_digest: &str) -> String {
        hex_digest(&[
            b"access-request",
            self.id.as_str().as_bytes(),
            &self.client_revision.to_be_bytes(),
            client_digest.as_bytes(),
            self.fhir_endpoint_id.as_str().as_bytes(),
            self.scopes.as_bytes(),
            self.reason.as_bytes(),
        ])
    }

    fn waiting(&self, now: UtcMillis) -> Result<(), NotWaiting> {
        if self.state != RequestState::Waiting {
            return Err(NotWaiting { state: self.state.as_str() });
        }
        // expiry counts when it is due, not when a job gets round to writing it down
        if now >= self.expires_at {
            return Err(NotWaiting { state: "expired" });
        }
        Ok(())
    }

    /// Countersigns it with `scopes`. The caller has made sure that they lie within those asked.
    pub fn approve(mut self, by: AccountId, scopes: String, now: UtcMillis) -> Result<Self, NotWaiting> {
        self.waiting(now)?;
        self.state = RequestState::Approved { by, at: now, scopes };
        Ok(self)
    }

    /// Refuses it.
    pub fn reject(
        mut self,
        by: AccountId,
        reason: String,
        may_ask_again: bool,
        now: UtcMillis,
    ) -> Result<Self, NotWaiting> {
        self.waiting(now)?;
        self.state = RequestState::Rejected { by, at: now, reason, may_ask_again };
        Ok(self)
    }

    /// Takes it back.
    pub fn withdraw(mut self, by: AccountId, now: UtcMillis) -> Result<Self, NotWaiting> {
        self.waiting(now)?;
        self.state = RequestState::Withdrawn { by, at: now };
        Ok(self)
    }

    /// Notes that it waited too long. Only a request that is due expires.
    pub fn expire(mut self, now: UtcMillis) -> Result<Self, NotWaiting> {
        if self.state != RequestState::Waiting || now < self.expires_at {
            return Err(NotWaiting { state: self.state.as_str() });
        }
        self.state = RequestState::Expired { at: now };
        Ok(self)
    }
}
