//! Who is acting: a member of an organization's staff, or of an application provider.
//!
//! An actor can only be had from here, by looking the membership up at the time of the act; somebody removed a second ago is no actor. Organizations and
//! providers that the account has nothing to do with answer as absent ones do.

use super::Refusal;
use crate::domain::accounts::{Account, DeveloperRole, StaffRole};
use crate::domain::application_providers::ApplicationProvider;
use crate::domain::audit::Actor;
use crate::domain::ids::ApplicationProviderId;
use crate::domain::organizations::Organization;
use crate::storage::{self, Conn};

/// A member of staff, at work at one organization.
#[derive(Clone, Debug)]
pub struct Staff {
    /// Who.
    pub account: Account,
    /// Where.
    pub organization: Organization,
    /// As what.
    pub role: StaffRole,
}

impl Staff {
    /// `account` as staff of the organization with this slug.
    pub async fn at(conn: &mut Conn, account: &Account, slug: &str) -> Result<Self, Refusal> {
        let organization = storage::organizations::find_by_slug(conn, slug).await?.ok_or(Refusal::NotFound)?;
        let membership = storage::accounts::staff_memberships(conn, &account.id)
            .await?
            .into_iter()
            .find(|membership| membership.organization_id == organization.id)
            .ok_or(Refusal::NotFound)?;
        if !account.active {
            return Err(Refusal::NotFound);
        }
        Ok(Self { account: account.clone(), organization, role: membership.role })
    }

    /// Refuses whoever may only look.
    pub fn must_be(&self, role: StaffRole) -> Result<(), Refusal> {
        if self.role >= role {
            return Ok(());
        }
        Err(Refusal::Forbidden(match role {
            StaffRole::Viewer => "viewer",
            StaffRole::Reviewer => "reviewer",
            StaffRole::Admin => "admin",
        }))
    }

    /// For the audit record.
    pub fn audit(&self) -> Actor {
        Actor::Staff(self.account.id.clone())
    }
}

/// A developer, at work for one application provider.
#[derive(Clone, Debug)]
pub struct Developer {
    /// Who.
    pub account: Account,
    /// For whom.
    pub provider: ApplicationProvider,
    /// As what.
    pub role: DeveloperRole,
}

impl Developer {
    /// `account` as a developer of this provider.
    pub async fn at(conn: &mut Conn, account: &Account, provider: &ApplicationProviderId) -> Result<Self, Refusal> {
        let membership = storage::application_providers::developer_memberships(conn, &account.id)
            .await?
            .into_iter()
            .find(|membership| membership.application_provider_id == *provider)
            .ok_or(Refusal::NotFound)?;
        let provider = storage::application_providers::lookup(conn, provider).await?.ok_or(Refusal::NotFound)?;
        if !account.active {
            return Err(Refusal::NotFound);
        }
        Ok(Self { account: account.clone(), provider, role: membership.role })
    }

    /// For the audit record.
    pub fn audit(&self) -> Actor {
        Actor::Developer(self.account.id.clone())
    }
}
