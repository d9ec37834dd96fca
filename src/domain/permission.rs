//! "May this be used?" - the one function behind every door.
//!
//! Tokens are issued, refreshed, introspected and used at userinfo only while **all** layers say yes: the organization is active; the client is registered; the organization's
//! approval exists, is enabled, has not expired, and is of the same epoch; the grant is not revoked; the person is active; the FHIR endpoint is this organization's and
//! part of the approval; somebody who may has consented; and the scopes lie within the approved ones.
//!
//! When the answer is no, it knows **which** layer said so. That goes to the audit record and to staff; the wire answer does not leak it.

use fhir_scopes::ScopeSet;

use super::approvals::{Approval, ApprovalState};
use super::clients::{Client, ClientState};
use super::clock::UtcMillis;
use super::organizations::{FhirEndpoint, Organization, Standing};

/// Everything the decision depends on, gathered in one transaction or one query.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The present moment.
    pub now: UtcMillis,
    /// The organization whose issuer is asked.
    pub organization: &'a Organization,
    /// The client.
    pub client: &'a Client,
    /// The organization's answer about it, if it gave one.
    pub approval: Option<&'a Approval>,
    /// The epoch that the code, token or grant carries; `None` where nothing was issued yet.
    pub epoch: Option<i64>,
    /// The FHIR endpoint that the token is for.
    pub endpoint: &'a FhirEndpoint,
    /// Is the person who granted it active and known here? `None` where no person takes part (client credentials).
    pub person_is_active: Option<bool>,
    /// Did someone who may agree to it?
    pub consent: Consent,
    /// The grant was revoked: by the user, by a replay, by logout.
    pub grant_is_revoked: bool,
}

/// Who agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// The user, to these scopes.
    Given,
    /// The organization, for its clinicians.
    Standing,
    /// No person takes part: the organization's approval is the consent (SMART Backend Services).
    NotNeeded,
    /// Nobody yet: the question is being prepared (authorization endpoint, before the consent page).
    Pending,
    /// Nobody.
    Missing,
}

/// Which layer said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The organization is suspended.
    Organization,
    /// The client was deleted by its owner.
    Client,
    /// The organization never approved it.
    NotApproved,
    /// The organization disabled it.
    Disabled,
    /// The approval ran out.
    ApprovalExpired,
    /// It was issued before the last disable.
    Epoch,
    /// The grant was revoked.
    Grant,
    /// The person was deactivated or is not known at this organization.
    Person,
    /// The FHIR endpoint is another organization's, suspended, or not part of the approval.
    Endpoint,
    /// Nobody consented.
    Consent,
    /// Nothing of what is asked is approved.
    Scopes,
}

impl Layer {
    /// A stable word, for audit records and for staff pages to translate.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Organization => "organization_suspended",
            Self::Client => "client_deleted",
            Self::NotApproved => "not_approved",
            Self::Disabled => "disabled",
            Self::ApprovalExpired => "approval_expired",
            Self::Epoch => "issued_before_disable",
            Self::Grant => "grant_revoked",
            Self::Person => "person_inactive",
            Self::Endpoint => "endpoint_not_approved",
            Self::Consent => "no_consent",
            Self::Scopes => "scopes_not_approved",
        }
    }
}

/// All layers but the scopes say yes. Only [`Standing`](Permit) facts are in it: hold it no longer than the transaction that gathered them.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Permit<'a> {
    /// The approval in force.
    pub approval: &'a Approval,
}

/// The first layers, which need no grant: may this client act at this organization at all? Client authentication ends with this question, so that a client
/// that may not act here gets the answer of one that does not exist.
pub fn client_may_act<'a>(
    now: UtcMillis,
    organization: &Organization,
    client: &Client,
    approval: Option<&'a Approval>,
) -> Result<&'a Approval, Layer> {
    if organization.standing != Standing::Active {
        return Err(Layer::Organization);
    }
    if client.state != ClientState::Active {
        return Err(Layer::Client);
    }
    let approval = approval
        .filter(|approval| approval.client_id == client.id && approval.organization_id == organization.id)
        .ok_or(Layer::NotApproved)?;
    if matches!(approval.state, ApprovalState::Disabled { .. }) {
        return Err(Layer::Disabled);
    }
    if approval.is_expired(now) {
        return Err(Layer::ApprovalExpired);
    }
    Ok(approval)
}

/// Asks every layer but the scopes. The order is the order of the story above; the first no is the answer.
pub fn may_be_used<'a>(facts: &Facts<'a>) -> Result<Permit<'a>, Layer> {
    let approval = client_may_act(facts.now, facts.organization, facts.client, facts.approval)?;
    if facts.epoch.is_some_and(|epoch| epoch != approval.epoch) {
        return Err(Layer::Epoch);
    }
    if facts.grant_is_revoked {
        return Err(Layer::Grant);
    }
    if facts.person_is_active == Some(false) {
        return Err(Layer::Person);
    }
    let endpoint_is_ours =
        facts.endpoint.organization_id == facts.organization.id && facts.endpoint.standing == Standing::Active;
    if !endpoint_is_ours || !approval.fhir_endpoints.contains(&facts.endpoint.id) {
        return Err(Layer::Endpoint);
    }
    if facts.consent == Consent::Missing {
        return Err(Layer::Consent);
    }
    Ok(Permit { approval })
}

/// What of `asked` may be granted under this permit: within the approved scopes, in the spelling asked (SMART 2.2 scopes, "literal echo"). Never empty.
pub fn scopes_within(permit: &Permit<'_>, asked: &ScopeSet, endpoint: &FhirEndpoint) -> Result<ScopeSet, Layer> {
    let approved = ScopeSet::parse_lenient(&permit.approval.scopes, endpoint.release).0;
    let granted = asked.granted_within(&approved);
    if granted.is_empty() { Err(Layer::Scopes) } else { Ok(granted) }
}
