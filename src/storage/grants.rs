//! Grants, and everything the permission function wants to know about one, in one query.

use sqlx::any::AnyRow;

use super::rows::{Columns as _, json_text};
use super::token_counters::{self, Counted};
use super::{Conn, StorageError};
use crate::domain::accounts::{FhirUser, is_clinician};
use crate::domain::approvals::Approval;
use crate::domain::clients::{Client, ClientMetadata};
use crate::domain::clock::UtcMillis;
use crate::domain::grants::Grant;
use crate::domain::ids::{AccountId, ClientId, FhirEndpointId, OrganizationId};
use crate::domain::organizations::{FhirEndpoint, Organization};
use crate::domain::permission::{Consent, Facts};

/// Adds a grant; `grant.id` is ignored, the row's id is returned.
pub async fn insert(conn: &mut Conn, grant: &Grant) -> Result<i64, StorageError> {
    let row = sqlx::query(
        "insert into grants
         (organization_id, client_id, account_id, fhir_endpoint_id, session_id, epoch, scopes, context, auth_time, nonce, created_at, last_used_at,
          expires_at, made_as, related_patient, standing_consent)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) returning id",
    )
    .bind(grant.organization_id.as_str())
    .bind(grant.client_id.as_str())
    .bind(grant.account_id.as_ref().map(|id| id.as_str().to_owned()))
    .bind(grant.fhir_endpoint_id.as_str())
    .bind(grant.session_id)
    .bind(grant.epoch)
    .bind(grant.scopes.as_str())
    .bind(json_text(&grant.context))
    .bind(grant.auth_time.map(|at| at.0))
    .bind(grant.nonce.clone())
    .bind(grant.created_at.0)
    .bind(grant.last_used_at.map(|at| at.0))
    .bind(grant.expires_at.map(|at| at.0))
    .bind(grant.made_as.clone())
    .bind(grant.related_patient.clone())
    .bind(i64::from(grant.standing_consent))
    .fetch_one(conn)
    .await?;
    row.int("id")
}

/// Changes nothing, and on PostgreSQL holds the family's row until the transaction ends: of two redemptions, refreshes or revocations of one family one waits
/// for the other. Every write to a family begins with this.
pub async fn hold(conn: &mut Conn, id: i64) -> Result<(), StorageError> {
    sqlx::query("update grants set last_used_at = last_used_at where id = $1").bind(id).execute(conn).await?;
    Ok(())
}

/// Notes a use: a token was issued under it, or first used.
pub async fn touch(conn: &mut Conn, id: i64, now: UtcMillis) -> Result<(), StorageError> {
    sqlx::query("update grants set last_used_at = $2 where id = $1").bind(id).bind(now.0).execute(conn).await?;
    Ok(())
}

/// Ends a family; true if it was alive. Its refresh token is counted no more.
pub async fn revoke(conn: &mut Conn, id: i64, because: &str, now: UtcMillis) -> Result<bool, StorageError> {
    let done =
        sqlx::query("update grants set revoked_at = $2, revoked_because = $3 where id = $1 and revoked_at is null")
            .bind(id)
            .bind(now.0)
            .bind(because)
            .execute(&mut *conn)
            .await?;
    if done.rows_affected() != 1 {
        return Ok(false);
    }
    count_refresh(conn, id, None).await?;
    Ok(true)
}

/// Ends every family of one user for one client; how many were alive.
pub async fn revoke_for_user(
    conn: &mut Conn,
    organization: &OrganizationId,
    account: &AccountId,
    client: &ClientId,
    because: &str,
    now: UtcMillis,
) -> Result<u64, StorageError> {
    let alive = sqlx::query(
        "select id from grants
         where organization_id = $1 and account_id = $2 and client_id = $3 and revoked_at is null order by id",
    )
    .bind(organization.as_str())
    .bind(account.as_str())
    .bind(client.as_str())
    .fetch_all(&mut *conn)
    .await?;
    let mut ended = 0;
    for row in alive {
        ended += u64::from(revoke(conn, row.int("id")?, because, now).await?);
    }
    Ok(ended)
}

/// A family has one live refresh token at most. Counts the one it has now, which ends at `until` (`None`: it has none), instead of the one before.
pub async fn count_refresh(conn: &mut Conn, id: i64, until: Option<UtcMillis>) -> Result<(), StorageError> {
    let row = sqlx::query("select organization_id, client_id, epoch, live_refresh_until from grants where id = $1")
        .bind(id)
        .fetch_one(&mut *conn)
        .await?;
    let organization = OrganizationId::from_text(row.text("organization_id")?);
    let client = ClientId::from_text(row.text("client_id")?);
    let epoch = row.int("epoch")?;
    for (expires_at, tokens) in [(row.time_or_null("live_refresh_until")?, -1), (until, 1)] {
        if let Some(expires_at) = expires_at {
            let counted = Counted { organization: &organization, client: &client, epoch, kind: "refresh", expires_at };
            token_counters::add(conn, &counted, tokens).await?;
        }
    }
    sqlx::query("update grants set live_refresh_until = $2 where id = $1")
        .bind(id)
        .bind(until.map(|at| at.0))
        .execute(conn)
        .await?;
    Ok(())
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select g.id, g.organization_id, g.client_id, g.account_id, g.fhir_endpoint_id, g.session_id, g.epoch, g.scopes, g.context, g.made_as, \
             g.related_patient, g.standing_consent, g.auth_time, g.nonce, g.created_at, g.last_used_at, g.expires_at, g.revoked_at ",
            $rest
        )
    };
}

/// The grants of a user at an organization that were not revoked, newest first.
pub async fn list_for_user(
    conn: &mut Conn,
    organization: &OrganizationId,
    account: &AccountId,
) -> Result<Vec<Grant>, StorageError> {
    sqlx::query(select!(
        "from grants g where g.organization_id = $1 and g.account_id = $2 and g.revoked_at is null order by g.id desc"
    ))
    .bind(organization.as_str())
    .bind(account.as_str())
    .fetch_all(conn)
    .await?
    .iter()
    .map(grant)
    .collect()
}

/// The grants made in a session that were not revoked: whom to tell about its end.
pub async fn list_for_session(conn: &mut Conn, account: &AccountId, session: i64) -> Result<Vec<Grant>, StorageError> {
    sqlx::query(select!(
        "from grants g where g.account_id = $1 and g.session_id = $2 and g.revoked_at is null order by g.id"
    ))
    .bind(account.as_str())
    .bind(session)
    .fetch_all(conn)
    .await?
    .iter()
    .map(grant)
    .collect()
}

fn grant(row: &AnyRow) -> Result<Grant, StorageError> {
    Ok(Grant {
        id: row.int("id")?,
        organization_id: OrganizationId::from_text(row.text("organization_id")?),
        client_id: ClientId::from_text(row.text("client_id")?),
        account_id: row.text_or_null("account_id")?.map(AccountId::from_text),
        fhir_endpoint_id: FhirEndpointId::from_text(row.text("fhir_endpoint_id")?),
        session_id: row.int_or_null("session_id")?,
        epoch: row.int("epoch")?,
        scopes: row.text("scopes")?,
        context: row.json("context")?,
        made_as: row.text_or_null("made_as")?,
        related_patient: row.text_or_null("related_patient")?,
        standing_consent: row.int("standing_consent")? != 0,
        auth_time: row.time_or_null("auth_time")?,
        nonce: row.text_or_null("nonce")?,
        created_at: row.time("created_at")?,
        last_used_at: row.time_or_null("last_used_at")?,
        expires_at: row.time_or_null("expires_at")?,
        revoked_at: row.time_or_null("revoked_at")?,
    })
}

/// A grant with all it depends on, as it stands now.
#[derive(Clone, Debug)]
pub struct GrantInForce {
    /// The grant.
    pub grant: Grant,
    /// Whose.
    pub organization: Organization,
    /// To whom.
    pub client: Client,
    /// What the client says of itself in the revision that is live here.
    pub metadata: ClientMetadata,
    /// The organization's answer.
    pub approval: Option<Approval>,
    /// For which FHIR base URL.
    pub endpoint: FhirEndpoint,
    /// Who granted it; `None` for a backend service.
    pub person: Option<PersonInForce>,
    /// Is the session it was made in still open? `None` without a session.
    pub session_is_open: Option<bool>,
}

/// What matters of the person behind a grant.
#[derive(Clone, Debug)]
pub struct PersonInForce {
    /// Active, known at this organization (as a FHIR user or as staff), and still who they were when they granted: the same FHIR user, with the same relation
    /// to the patient.
    pub is_active: bool,
    /// The FHIR resource that represents them here, relative.
    pub fhir_user: Option<String>,
    /// Name, for `profile`.
    pub name: String,
    /// Address, for `email`.
    pub email: String,
}

impl GrantInForce {
    /// For the permission function. `epoch` is that of the code or token presented.
    pub fn facts(&self, epoch: i64, now: UtcMillis) -> Facts<'_> {
        // an approval of another epoch than the grant's is as dead as one of another epoch than the token's
        let epoch = if epoch == self.grant.epoch { epoch } else { -1 };
        Facts {
            now,
            organization: &self.organization,
            client: &self.client,
            client_type: self.metadata.client_type,
            approval: self.approval.as_ref(),
            epoch: Some(epoch),
            endpoint: &self.endpoint,
            person_is_active: self
                .grant
                .account_id
                .as_ref()
                .map(|_| self.person.as_ref().is_some_and(|person| person.is_active)),
            consent: self.consent(),
            grant_is_revoked: self.grant.is_over(now),
        }
    }

    /// Who agreed, and does still. The organization's consent for its clinicians holds while it is the organization's rule, for a clinician.
    fn consent(&self) -> Consent {
        if self.grant.account_id.is_none() {
            return Consent::NotNeeded;
        }
        if !self.grant.standing_consent {
            return Consent::Given;
        }
        let is_clinician =
            self.person.as_ref().and_then(|person| person.fhir_user.as_deref()).is_some_and(is_clinician);
        if is_clinician && self.organization.settings.standing_consent_for_clinicians {
            Consent::Standing
        } else {
            Consent::Missing
        }
    }

    /// `fhirUser` as an absolute URL.
    pub fn fhir_user_url(&self) -> Option<String> {
        let user: &String = self.person.as_ref()?.fhir_user.as_ref()?;
        Some(format!("{}/{user}", self.endpoint.base_url))
    }
}

/// Gathers a grant and all it depends on. `None` if there is no such grant.
pub async fn in_force(conn: &mut Conn, id: i64, now: UtcMillis) -> Result<Option<GrantInForce>, StorageError> {
    let row = sqlx::query(
        "select g.id, g.organization_id, g.client_id, g.account_id, g.fhir_endpoint_id, g.session_id, g.epoch, g.scopes, g.context, g.made_as,
          g.related_patient, g.standing_consent, g.auth_time, g.nonce, g.created_at, g.last_used_at, g.expires_at, g.revoked_at,
          o.slug as o_slug, o.name as o_name, o.state as o_state, o.settings as o_settings, o.created_at as o_created_at,
          c.application_provider_id as c_provider, c.state as c_state, c.latest_revision as c_latest, c.name as c_name, c.created_at as c_created_at,
          c.deleted_at as c_deleted_at, r.metadata as r_metadata,
          e.organization_id as e_organization, e.slug as e_slug, e.name as e_name, e.base_url as e_base_url, e.release as e_release,
          e.settings as e_settings, e.state as e_state,
          a.access_request_id as a_request, a.client_revision as a_revision, a.digest as a_digest, a.scopes as a_scopes,
          a.fhir_endpoints as a_endpoints, a.epoch as a_epoch, a.state as a_state, a.state_by as a_state_by, a.state_at as a_state_at,
          a.state_reason as a_state_reason, a.approved_by as a_approved_by, a.approved_at as a_approved_at, a.expires_at as a_expires_at,
          a.last_used_at as a_last_used_at,
          p.name as p_name, p.email as p_email, p.state as p_state, u.fhir_user as u_fhir_user,
          (select count(*) from staff_members m where m.organization_id = g.organization_id and m.account_id = g.account_id) as m_staff,
          (select count(*) from user_patients x
             where x.organization_id = g.organization_id and x.account_id = g.account_id and x.patient = g.related_patient) as x_related,
          (select count(*) from sessions s where (s.id = g.session_id or s.continues = g.session_id) and s.ended_at is null and s.expires_at > $2
             and s.session_epoch = p.session_epoch) as s_open
         from grants g
         join organizations o on o.id = g.organization_id
         join clients c on c.id = g.client_id
         join fhir_endpoints e on e.id = g.fhir_endpoint_id
         left join approvals a on a.organization_id = g.organization_id and a.client_id = g.client_id
         left join client_revisions r on r.client_id = c.id and r.revision = coalesce(a.client_revision, c.latest_revision)
         left join accounts p on p.id = g.account_id
         left join fhir_users u on u.organization_id = g.organization_id and u.account_id = g.account_id
         where g.id = $1",
    )
    .bind(id)
    .bind(now.0)
    .fetch_optional(conn)
    .await?;
    row.map(|row| all_of(&row)).transpose()
}

fn all_of(row: &AnyRow) -> Result<GrantInForce, StorageError> {
    let grant = grant(row)?;
    let person = match row.text_or_null("p_name")? {
        None => None,
        Some(name) => {
            let fhir_user = row.text_or_null("u_fhir_user")?;
            let is_known = fhir_user.is_some() || row.int("m_staff")? > 0;
            let is_themselves = grant.made_as.is_none() || grant.made_as == fhir_user;
            let is_related = grant.related_patient.is_none() || row.int("x_related")? > 0;
            let is_active = row.text("p_state")? == "active" && is_known && is_themselves && is_related;
            Some(PersonInForce { is_active, fhir_user, name, email: row.text("p_email")? })
        }
    };
    let approval = match row.text_or_null("a_request")? {
        None => None,
        Some(_) => Some(super::approvals::joined(row, &grant.organization_id, &grant.client_id)?),
    };
    Ok(GrantInForce {
        organization: super::organizations::joined(row, &grant.organization_id)?,
        client: super::clients::joined(row, &grant.client_id)?,
        metadata: row.json("r_metadata")?,
        endpoint: super::organizations::joined_endpoint(row, &grant.fhir_endpoint_id)?,
        session_is_open: match grant.session_id {
            None => None,
            Some(_) => Some(row.int("s_open")? > 0),
        },
        approval,
        person,
        grant,
    })
}

/// May this person take part at this organization at all, and as whom?
pub async fn person(
    conn: &mut Conn,
    organization: &OrganizationId,
    account: &AccountId,
) -> Result<(bool, Option<FhirUser>), StorageError> {
    let user = super::accounts::find_fhir_user(conn, organization, account).await?;
    let row = sqlx::query(
        "select p.state, (select count(*) from staff_members m where m.organization_id = $1 and m.account_id = $2) as staff
         from accounts p where p.id = $2",
    )
    .bind(organization.as_str())
    .bind(account.as_str())
    .fetch_optional(conn)
    .await?;
    let active = match row {
        None => false,
        Some(row) => row.text("state")? == "active" && (user.is_some() || row.int("staff")? > 0),
    };
    Ok((active, user))
}

/// Whom a FHIR resource represents at an organization; `None` if nobody, or not exactly one.
pub async fn account_of_fhir_user(
    conn: &mut Conn,
    organization: &OrganizationId,
    fhir_user: &str,
) -> Result<Option<AccountId>, StorageError> {
    let rows = sqlx::query("select account_id from fhir_users where organization_id = $1 and fhir_user = $2 limit 2")
        .bind(organization.as_str())
        .bind(fhir_user)
        .fetch_all(conn)
        .await?;
    match rows.as_slice() {
        [only] => Ok(Some(AccountId::from_text(only.text("account_id")?))),
        _ => Ok(None),
    }
}
