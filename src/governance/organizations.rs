//! What an organization's admins keep in order: its members and settings. Its FHIR endpoints are next door (`fhir_endpoints`).

use super::actor::Staff;
use super::client_management::Person;
use super::error::Fault;
use super::{Refusal, words};
use crate::app::App;
use crate::domain::accounts::{StaffMembership, StaffRole, normalized_email};
use crate::domain::audit::AuditEvent;
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{AccountId, OrganizationId};
use crate::domain::organizations::{Organization, OrganizationSettings};
use crate::storage::{self, Conn, StorageError};

/// A member of staff, as the page of members shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub person: Person,
    /// Their e-mail address.
    pub email: String,
    /// As what.
    pub role: StaffRole,
    /// Since when.
    pub since: Option<UtcMillis>,
    /// False: deactivated, they cannot sign in.
    pub active: bool,
}

/// Who is staff, by name.
pub async fn members(app: &App, staff: &Staff) -> Result<Vec<Member>, Refusal> {
    let mut conn = app.store.read().await?;
    let mut members = Vec::new();
    for membership in storage::accounts::staff_of(&mut conn, &staff.organization.id).await? {
        if let Some(account) = storage::accounts::lookup(&mut conn, &membership.account_id).await? {
            let person = Person { id: account.id, name: account.name };
            let since = storage::accounts::staff_since(&mut conn, &staff.organization.id, &person.id).await?;
            members.push(Member { person, email: account.email, role: membership.role, since, active: account.active });
        }
    }
    members.sort_by(|a, b| {
        a.person.name.to_lowercase().cmp(&b.person.name.to_lowercase()).then_with(|| a.email.cmp(&b.email))
    });
    Ok(members)
}

/// Makes somebody who has an account a member of staff.
pub async fn add_member(app: &App, staff: &Staff, email: &str, role: StaffRole) -> Result<(), Refusal> {
    staff.must_be(StaffRole::Admin)?;
    let email = normalized_email(email)
        .ok_or_else(|| Refusal::invalid("email", "not-an-address", "that is no e-mail address"))?;
    let (staff, now) = (staff.clone(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                let account = storage::accounts::find_by_email(conn, &email).await?.ok_or_else(|| {
                    Refusal::invalid("email", "no-account", "nobody with this address has an account yet")
                })?;
                if role_of(conn, &staff.organization.id, &account.id).await?.is_some() {
                    return Err(Refusal::conflict("member-already", "they are a member already"));
                }
                let event = about_member(&staff, "staff.added", &account.id, now).with("role", role.as_str());
                storage::audit::append(conn, &event).await?;
                let membership =
                    StaffMembership { organization_id: staff.organization.id.clone(), account_id: account.id, role };
                storage::accounts::put_staff(conn, &membership, now).await?;
                Ok(())
            })
        })
        .await
}

/// Changes what a member may do. The last admin stays one.
pub async fn change_role(app: &App, staff: &Staff, member: &AccountId, role: StaffRole) -> Result<(), Refusal> {
    staff.must_be(StaffRole::Admin)?;
    let (staff, member, now) = (staff.clone(), member.clone(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                // first, because it locks the organization's chain: of two admins stepping down at once, the second sees the first
                let event = about_member(&staff, "staff.role_changed", &member, now).with("role", role.as_str());
                storage::audit::append(conn, &event).await?;
                let before = role_of(conn, &staff.organization.id, &member).await?.ok_or(Refusal::NotFound)?;
                if before == role {
                    return Err(Refusal::conflict("role-already", "they have this role already"));
                }
                another_admin_stays(conn, &staff.organization.id, &member, before).await?;
                let membership =
                    StaffMembership { organization_id: staff.organization.id.clone(), account_id: member, role };
                storage::accounts::put_staff(conn, &membership, now).await?;
                Ok(())
            })
        })
        .await
}

/// Ends a membership. The last admin stays.
pub async fn remove_member(app: &App, staff: &Staff, member: &AccountId) -> Result<(), Refusal> {
    staff.must_be(StaffRole::Admin)?;
    let (staff, member, now) = (staff.clone(), member.clone(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                storage::audit::append(conn, &about_member(&staff, "staff.removed", &member, now)).await?;
                let before = role_of(conn, &staff.organization.id, &member).await?.ok_or(Refusal::NotFound)?;
                another_admin_stays(conn, &staff.organization.id, &member, before).await?;
                storage::accounts::remove_staff(conn, &staff.organization.id, &member).await?;
                Ok(())
            })
        })
        .await
}

fn about_member(staff: &Staff, event: &'static str, member: &AccountId, now: UtcMillis) -> AuditEvent {
    AuditEvent::new(&staff.organization.id, now, event, staff.audit()).subject(member.as_str())
}

async fn role_of(
    conn: &mut Conn,
    organization: &OrganizationId,
    account: &AccountId,
) -> Result<Option<StaffRole>, StorageError> {
    let memberships = storage::accounts::staff_memberships(conn, account).await?;
    Ok(memberships
        .into_iter()
        .find(|membership| membership.organization_id == *organization)
        .map(|membership| membership.role))
}

async fn another_admin_stays(
    conn: &mut Conn,
    organization: &OrganizationId,
    member: &AccountId,
    role: StaffRole,
) -> Result<(), Refusal> {
    if role != StaffRole::Admin {
        return Ok(());
    }
    for other in storage::accounts::staff_of(conn, organization).await? {
        if other.role == StaffRole::Admin && other.account_id != *member {
            // a deactivated admin cannot let anybody in
            if storage::accounts::lookup(conn, &other.account_id).await?.is_some_and(|account| account.active) {
                return Ok(());
            }
        }
    }
    Err(Refusal::conflict("last-admin", "the last admin stays"))
}

/// Whether the settings hold together, whoever decided them. `loose` takes plain http too.
pub(super) fn check_settings(settings: &OrganizationSettings, loose: bool, faults: &mut Vec<Fault>) {
    if !(1..=3650).contains(&settings.request_expires_days) {
        faults.push(Fault::new("request_expires_days", "out-of-range", "1 to 3650 days"));
    }
    if settings.approval_expires_days.is_some_and(|days| !(1..=super::approvals::LONGEST_DAYS).contains(&days)) {
        faults.push(Fault::new("approval_expires_days", "out-of-range", "1 to 3650 days, or empty"));
    }
    for origin in &settings.frame_ancestors {
        let good = url::Url::parse(origin).is_ok_and(|url| {
            url.origin().ascii_serialization() == *origin
                && (url.scheme() == "https" || (loose && url.scheme() == "http"))
        });
        if !good {
            faults.push(Fault::new(
                "frame_ancestors",
                "not-an-origin",
                format!("{}: an origin such as https://ehr.example.org", origin.chars().take(200).collect::<String>()),
            ));
        }
    }
    if !settings.website.is_empty()
        && !url::Url::parse(&settings.website).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
    {
        faults.push(Fault::new("website", "not-a-url", "a web address"));
    }
    if !settings.contact_email.is_empty() && normalized_email(&settings.contact_email).is_none() {
        faults.push(Fault::new("contact_email", "not-an-address", "that is no e-mail address"));
    }
}

/// Changes the organization's name and settings.
pub async fn change_settings(
    app: &App,
    staff: &Staff,
    name: &str,
    settings: OrganizationSettings,
) -> Result<Organization, Refusal> {
    staff.must_be(StaffRole::Admin)?;
    let mut faults = Vec::new();
    let name = words::one_line("name", name, 120, &mut faults);
    check_settings(&settings, app.config.outbound.allow_private_networks, &mut faults);
    if !faults.is_empty() {
        return Err(Refusal::Invalid(faults));
    }
    let now = app.now();
    let staff = staff.clone();
    app.store
        .write(move |conn| {
            Box::pin(async move {
                // read again: the operator may have suspended the organization meanwhile
                let current =
                    storage::organizations::lookup(conn, &staff.organization.id).await?.ok_or(Refusal::NotFound)?;
                let changed = Organization { name, settings, ..current };
                storage::organizations::update(conn, &changed).await?;
                let settings =
                    serde_json::to_string(&changed.settings).expect("settings are plain values and serialize");
                let event = AuditEvent::new(&changed.id, now, "organization.settings_changed", staff.audit())
                    .with("name", changed.name.as_str())
                    .with("settings", settings);
                storage::audit::append(conn, &event).await?;
                Ok(changed)
            })
        })
        .await
}
