//! Accounts, staff memberships, FHIR identities.

use sqlx::any::AnyRow;

use super::rows::Columns as _;
use super::{Conn, StorageError};
use crate::domain::accounts::{Account, FhirUser, StaffMembership, StaffRole, UserPatient};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{AccountId, OrganizationId};

/// Adds an account. `Duplicate` if the address is taken.
pub async fn insert(conn: &mut Conn, account: &Account) -> Result<(), StorageError> {
    sqlx::query(
        "insert into accounts (id, email, name, password_hash, state, lang, session_epoch, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(account.id.as_str())
    .bind(account.email.as_str())
    .bind(account.name.as_str())
    .bind(account.password_hash.as_deref())
    .bind(if account.active { "active" } else { "disabled" })
    .bind(account.lang.as_str())
    .bind(account.session_epoch)
    .bind(account.created_at.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// Rewrites everything but the address.
pub async fn update(conn: &mut Conn, account: &Account) -> Result<(), StorageError> {
    sqlx::query(
        "update accounts set name = $2, password_hash = $3, state = $4, lang = $5, session_epoch = $6 where id = $1",
    )
    .bind(account.id.as_str())
    .bind(account.name.as_str())
    .bind(account.password_hash.as_deref())
    .bind(if account.active { "active" } else { "disabled" })
    .bind(account.lang.as_str())
    .bind(account.session_epoch)
    .execute(conn)
    .await?;
    Ok(())
}

/// By id.
pub async fn lookup(conn: &mut Conn, id: &AccountId) -> Result<Option<Account>, StorageError> {
    sqlx::query(
        "select id, email, name, password_hash, state, lang, session_epoch, created_at from accounts where id = $1",
    )
    .bind(id.as_str())
    .fetch_optional(conn)
    .await?
    .map(|row| account(&row))
    .transpose()
}

/// By normalised address.
pub async fn find_by_email(conn: &mut Conn, email: &str) -> Result<Option<Account>, StorageError> {
    sqlx::query(
        "select id, email, name, password_hash, state, lang, session_epoch, created_at from accounts where email = $1",
    )
    .bind(email)
    .fetch_optional(conn)
    .await?
    .map(|row| account(&row))
    .transpose()
}

fn account(row: &AnyRow) -> Result<Account, StorageError> {
    Ok(Account {
        id: AccountId::from_text(row.text("id")?),
        email: row.text("email")?,
        name: row.text("name")?,
        password_hash: row.text_or_null("password_hash")?,
        active: row.text("state")? == "active",
        lang: row.text("lang")?,
        session_epoch: row.int("session_epoch")?,
        created_at: row.time("created_at")?,
    })
}

/// Makes somebody a member of staff, or changes their role.
pub async fn put_staff(conn: &mut Conn, membership: &StaffMembership, now: UtcMillis) -> Result<(), StorageError> {
    sqlx::query(
        "insert into staff_members (organization_id, account_id, role, created_at) values ($1, $2, $3, $4)
         on conflict (organization_id, account_id) do update set role = excluded.role",
    )
    .bind(membership.organization_id.as_str())
    .bind(membership.account_id.as_str())
    .bind(membership.role.as_str())
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a membership; true if there was one.
pub async fn remove_staff(
    conn: &mut Conn,
    organization: &OrganizationId,
    account: &AccountId,
) -> Result<bool, StorageError> {
    let done = sqlx::query("delete from staff_members where organization_id = $1 and account_id = $2")
        .bind(organization.as_str())
        .bind(account.as_str())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Where somebody is staff.
pub async fn staff_memberships(conn: &mut Conn, account: &AccountId) -> Result<Vec<StaffMembership>, StorageError> {
    sqlx::query(
        "select organization_id, account_id, role from staff_members where account_id = $1 order by organization_id",
    )
    .bind(account.as_str())
    .fetch_all(conn)
    .await?
    .iter()
    .map(membership)
    .collect()
}

/// Who is staff there.
pub async fn staff_of(conn: &mut Conn, organization: &OrganizationId) -> Result<Vec<StaffMembership>, StorageError> {
    sqlx::query(
        "select organization_id, account_id, role from staff_members where organization_id = $1 order by account_id",
    )
    .bind(organization.as_str())
    .fetch_all(conn)
    .await?
    .iter()
    .map(membership)
    .collect()
}

/// Since when somebody is staff there.
pub async fn staff_since(
    conn: &mut Conn,
    organization: &OrganizationId,
    account: &AccountId,
) -> Result<Option<UtcMillis>, StorageError> {
    sqlx::query("select created_at from staff_members where organization_id = $1 and account_id = $2")
        .bind(organization.as_str())
        .bind(account.as_str())
        .fetch_optional(conn)
        .await?
        .map(|row| row.time("created_at"))
        .transpose()
}

fn membership(row: &AnyRow) -> Result<StaffMembership, StorageError> {
    let role = row.text("role")?;
    Ok(StaffMembership {
        organization_id: OrganizationId::from_text(row.text("organization_id")?),
        account_id: AccountId::from_text(row.text("account_id")?),
        role: StaffRole::parse(&role)
            .ok_or_else(|| StorageError::inconsistent("staff_members", role.clone(), "unknown role"))?,
    })
}

/// Says who somebody is at an organization; replaces what was said before.
pub async fn put_fhir_user(
    conn: &mut Conn,
    organization: &OrganizationId,
    account: &AccountId,
    user: &FhirUser,
    now: UtcMillis,
) -> Result<(), StorageError> {
    sqlx::query(
        "insert into fhir_users (organization_id, account_id, fhir_user, created_at) values ($1, $2, $3, $4)
         on conflict (organization_id, account_id) do update set fhir_user = excluded.fhir_user",
    )
    .bind(organization.as_str())
    .bind(account.as_str())
    .bind(user.reference.as_str())
    .bind(now.0)
    .execute(&mut *conn)
    .await?;
    sqlx::query("delete from user_patients where organization_id = $1 and account_id = $2")
        .bind(organization.as_str())
        .bind(account.as_str())
        .execute(&mut *conn)
        .await?;
    for patient in &user.patients {
        sqlx::query("insert into user_patients (organization_id, account_id, patient, relation, created_at) values ($1, $2, $3, $4, $5)")
            .bind(organization.as_str())
            .bind(account.as_str())
            .bind(patient.patient.as_str())
            .bind(if patient.is_self { "self" } else { "proxy" })
            .bind(now.0)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// Who somebody is at an organization; `None` if they are nobody there.
pub async fn find_fhir_user(
    conn: &mut Conn,
    organization: &OrganizationId,
    account: &AccountId,
) -> Result<Option<FhirUser>, StorageError> {
    let Some(row) = sqlx::query("select fhir_user from fhir_users where organization_id = $1 and account_id = $2")
        .bind(organization.as_str())
        .bind(account.as_str())
        .fetch_optional(&mut *conn)
        .await?
    else {
        return Ok(None);
    };
    let patients = sqlx::query("select patient, relation from user_patients where organization_id = $1 and account_id = $2 order by relation desc, patient")
        .bind(organization.as_str())
        .bind(account.as_str())
        .fetch_all(&mut *conn)
        .await?
        .iter()
        .map(|row| Ok(UserPatient { patient: row.text("patient")?, is_self: row.text("relation")? == "self" }))
        .collect::<Result<_, StorageError>>()?;
    Ok(Some(FhirUser { reference: row.text("fhir_user")?, patients }))
}

/// The organizations at which somebody is a user (has a FHIR identity), by name.
pub async fn organizations_of_user(
    conn: &mut Conn,
    account: &AccountId,
) -> Result<Vec<NamedOrganization>, StorageError> {
    sqlx::query(
        "select organizations.slug as slug, organizations.name as name from fhir_users
         join organizations on organizations.id = fhir_users.organization_id
         where fhir_users.account_id = $1 and organizations.state = 'active' order by organizations.name, organizations.id",
    )
    .bind(account.as_str())
    .fetch_all(conn)
    .await?
    .iter()
    .map(|row| Ok(NamedOrganization { slug: row.text("slug")?, name: row.text("name")? }))
    .collect()
}

/// An organization as people see it.
#[derive(Clone, Debug)]
pub struct NamedOrganization {
    /// The path segment.
    pub slug: String,
    /// Its name.
    pub name: String,
}
