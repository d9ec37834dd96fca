//! An application provider's own affairs: members, name and website. Its webhooks have a room of their own.

use super::actor::Developer;
use super::clients::web_address;
use super::error::Fault;
use super::{Refusal, words};
use crate::app::App;
use crate::domain::accounts::{Account, DeveloperMembership, DeveloperRole, normalized_email};
use crate::domain::audit::{AuditEvent, Chain};
use crate::domain::ids::AccountId;
use crate::storage::{self, Conn};

/// A member and their role.
#[derive(Clone, Debug)]
pub struct Member {
    /// Who.
    pub account: Account,
    /// As what.
    pub role: DeveloperRole,
}

/// Every member, by name.
pub async fn members(conn: &mut Conn, developer: &Developer) -> Result<Vec<Member>, Refusal> {
    let mut members = Vec::new();
    for membership in storage::application_providers::developers_of(conn, &developer.provider.id).await? {
        if let Some(account) = storage::accounts::lookup(conn, &membership.account_id).await? {
            members.push(Member { account, role: membership.role });
        }
    }
    members.sort_by(|a, b| a.account.name.cmp(&b.account.name));
    Ok(members)
}

fn must_be_admin(developer: &Developer) -> Result<(), Refusal> {
    if developer.role < DeveloperRole::Admin { Err(Refusal::Forbidden("admin")) } else { Ok(()) }
}

/// Makes somebody a member, or changes their role. They need an account; the answer does not tell more about who has one than this form needs to.
pub async fn put_member(app: &App, developer: &Developer, email: &str, role: DeveloperRole) -> Result<(), Refusal> {
    must_be_admin(developer)?;
    let email = normalized_email(email)
        .ok_or_else(|| Refusal::invalid("email", "contact-not-email", "not an e-mail address"))?;
    let (developer, now) = (developer.clone(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                let account = storage::accounts::find_by_email(conn, &email).await?.ok_or_else(|| {
                    Refusal::invalid("email", "no-account", "nobody with this address has an account here")
                })?;
                if role < DeveloperRole::Admin {
                    another_admin_stays(conn, &developer, &account.id).await?;
                }
                let membership = DeveloperMembership {
                    application_provider_id: developer.provider.id.clone(),
                    account_id: account.id.clone(),
                    role,
                };
                storage::application_providers::put_developer(conn, &membership, now).await?;
                let event = AuditEvent::new(Chain::Server, now, "developer.added", developer.audit())
                    .subject(account.id.as_str())
                    .with("application_provider", developer.provider.id.as_str())
                    .with("role", role.as_str());
                Ok(storage::audit::append(conn, &event).await?)
            })
        })
        .await
}

/// Ends a membership. The last administrator stays.
pub async fn remove_member(app: &App, developer: &Developer, member: &AccountId) -> Result<(), Refusal> {
    must_be_admin(developer)?;
    let (developer, member, now) = (developer.clone(), member.clone(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                another_admin_stays(conn, &developer, &member).await?;
                if !storage::application_providers::remove_developer(conn, &developer.provider.id, &member).await? {
                    return Err(Refusal::NotFound);
                }
                let event = AuditEvent::new(Chain::Server, now, "developer.removed", developer.audit())
                    .subject(member.as_str())
                    .with("application_provider", developer.provider.id.as_str());
                Ok(storage::audit::append(conn, &event).await?)
            })
        })
        .await
}

async fn another_admin_stays(conn: &mut Conn, developer: &Developer, leaving: &AccountId) -> Result<(), Refusal> {
    let stays = storage::application_providers::developers_of(conn, &developer.provider.id)
        .await?
        .iter()
        .any(|membership| membership.role == DeveloperRole::Admin && membership.account_id != *leaving);
    if stays { Ok(()) } else { Err(Refusal::conflict("last-admin", "the last administrator stays")) }
}

/// Changes name and website.
pub async fn change_settings(app: &App, developer: &Developer, name: &str, website: &str) -> Result<(), Refusal> {
    must_be_admin(developer)?;
    let mut faults = Vec::new();
    let name = words::one_line("name", name, 80, &mut faults);
    let website = website.trim().to_owned();
    if !website.is_empty()
        && let Err((code, message)) = web_address(&website, app.config.outbound.allow_private_networks)
    {
        faults.push(Fault::new("website", code, message));
    }
    if !faults.is_empty() {
        return Err(Refusal::Invalid(faults));
    }
    let (developer, now) = (developer.clone(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                let mut provider = developer.provider.clone();
                let event = AuditEvent::new(Chain::Server, now, "application_provider.changed", developer.audit())
                    .subject(provider.id.as_str())
                    .with("name_before", provider.name.as_str())
                    .with("name", name.as_str());
                provider.name = name;
                provider.website = website;
                storage::application_providers::update(conn, &provider).await?;
                Ok(storage::audit::append(conn, &event).await?)
            })
        })
        .await
}
