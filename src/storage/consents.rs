//! What users agreed to, so that the same or less is not asked again. Survives a disable: a consent is the user's, not the organization's.

use super::rows::Columns as _;
use super::{Conn, StorageError};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{AccountId, ClientId, FhirEndpointId, OrganizationId};

/// A remembered consent.
#[derive(Clone, Debug)]
pub struct RememberedConsent {
    /// The client revision that was on the user's screen.
    pub client_revision: i64,
    /// The patient that was on it.
    pub patient: Option<String>,
    /// What was agreed to.
    pub scopes: String,
    /// When.
    pub granted_at: UtcMillis,
}

/// Where a consent was given: the organization, and which of its FHIR endpoints. At another endpoint nobody agreed.
pub type Place<'a> = (&'a OrganizationId, &'a FhirEndpointId);

/// Remembers a consent; replaces the one before.
pub async fn put(
    conn: &mut Conn,
    (organization, endpoint): Place<'_>,
    account: &AccountId,
    client: &ClientId,
    consent: &RememberedConsent,
) -> Result<(), StorageError> {
    sqlx::query(
        "insert into consents (organization_id, account_id, client_id, fhir_endpoint_id, client_revision, patient, scopes, granted_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (organization_id, account_id, client_id, fhir_endpoint_id) do update set client_revision = excluded.client_revision,
           patient = excluded.patient, scopes = excluded.scopes, granted_at = excluded.granted_at, withdrawn_at = null",
    )
    .bind(organization.as_str())
    .bind(account.as_str())
    .bind(client.as_str())
    .bind(endpoint.as_str())
    .bind(consent.client_revision)
    .bind(consent.patient.clone())
    .bind(consent.scopes.as_str())
    .bind(consent.granted_at.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// The remembered consent, unless it was withdrawn.
pub async fn find(
    conn: &mut Conn,
    (organization, endpoint): Place<'_>,
    account: &AccountId,
    client: &ClientId,
) -> Result<Option<RememberedConsent>, StorageError> {
    let row = sqlx::query(
        "select client_revision, patient, scopes, granted_at from consents
         where organization_id = $1 and account_id = $2 and client_id = $3 and fhir_endpoint_id = $4 and withdrawn_at is null",
    )
    .bind(organization.as_str())
    .bind(account.as_str())
    .bind(client.as_str())
    .bind(endpoint.as_str())
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(RememberedConsent {
            client_revision: row.int("client_revision")?,
            patient: row.text_or_null("patient")?,
            scopes: row.text("scopes")?,
            granted_at: row.time("granted_at")?,
        })
    })
    .transpose()
}

/// Forgets it, at every FHIR endpoint: the user is asked anew next time. False if there was nothing to forget.
pub async fn withdraw(
    conn: &mut Conn,
    organization: &OrganizationId,
    account: &AccountId,
    client: &ClientId,
    now: UtcMillis,
) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "update consents set withdrawn_at = $4 where organization_id = $1 and account_id = $2 and client_id = $3 and withdrawn_at is null",
    )
    .bind(organization.as_str())
    .bind(account.as_str())
    .bind(client.as_str())
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}
