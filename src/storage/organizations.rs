//! Organizations, FHIR endpoints, resource servers.

use sqlx::any::AnyRow;

use super::rows::{Columns as _, json_text};
use super::{Conn, StorageError};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{FhirEndpointId, OrganizationId, ResourceServerId};
use crate::domain::organizations::{FhirEndpoint, Organization, ResourceServer, Standing};

/// Adds an organization. `Duplicate` if the slug is taken.
pub async fn insert(conn: &mut Conn, organization: &Organization) -> Result<(), StorageError> {
    sqlx::query(
        "insert into organizations (id, slug, name, state, settings, created_at) values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(organization.id.as_str())
    .bind(organization.slug.as_str())
    .bind(organization.name.as_str())
    .bind(organization.standing.as_str())
    .bind(json_text(&organization.settings))
    .bind(organization.created_at.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// Rewrites name, standing and settings.
pub async fn update(conn: &mut Conn, organization: &Organization) -> Result<(), StorageError> {
    sqlx::query("update organizations set name = $2, state = $3, settings = $4 where id = $1")
        .bind(organization.id.as_str())
        .bind(organization.name.as_str())
        .bind(organization.standing.as_str())
        .bind(json_text(&organization.settings))
        .execute(conn)
        .await?;
    Ok(())
}

/// By the path segment of its issuer.
pub async fn find_by_slug(conn: &mut Conn, slug: &str) -> Result<Option<Organization>, StorageError> {
    sqlx::query("select id, slug, name, state, settings, created_at from organizations where slug = $1")
        .bind(slug)
        .fetch_optional(conn)
        .await?
        .map(|row| organization(&row))
        .transpose()
}

/// By id.
pub async fn lookup(conn: &mut Conn, id: &OrganizationId) -> Result<Option<Organization>, StorageError> {
    sqlx::query("select id, slug, name, state, settings, created_at from organizations where id = $1")
        .bind(id.as_str())
        .fetch_optional(conn)
        .await?
        .map(|row| organization(&row))
        .transpose()
}

/// All that are active, by name: whom an application provider may ask.
pub async fn list_active(conn: &mut Conn) -> Result<Vec<Organization>, StorageError> {
    sqlx::query("select id, slug, name, state, settings, created_at from organizations where state = 'active' order by name, id")
        .fetch_all(conn)
        .await?
        .iter()
        .map(organization)
        .collect()
}

fn organization(row: &AnyRow) -> Result<Organization, StorageError> {
    Ok(Organization {
        id: OrganizationId::from_text(row.text("id")?),
        slug: row.text("slug")?,
        name: row.text("name")?,
        standing: Standing::parse(&row.text("state")?),
        settings: row.json("settings")?,
        created_at: row.time("created_at")?,
    })
}

/// Adds a FHIR endpoint. `Duplicate` if its base URL or slug is taken.
pub async fn insert_endpoint(conn: &mut Conn, endpoint: &FhirEndpoint, now: UtcMillis) -> Result<(), StorageError> {
    sqlx::query(
        "insert into fhir_endpoints (id, organization_id, slug, name, base_url, release, settings, state, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(endpoint.id.as_str())
    .bind(endpoint.organization_id.as_str())
    .bind(endpoint.slug.as_str())
    .bind(endpoint.name.as_str())
    .bind(endpoint.base_url.as_str())
    .bind(endpoint.release.as_str())
    .bind(json_text(&endpoint.settings))
    .bind(endpoint.standing.as_str())
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// Rewrites what can change of an endpoint.
pub async fn update_endpoint(conn: &mut Conn, endpoint: &FhirEndpoint) -> Result<(), StorageError> {
    sqlx::query(
        "update fhir_endpoints set name = $2, base_url = $3, release = $4, settings = $5, state = $6 where id = $1",
    )
    .bind(endpoint.id.as_str())
    .bind(endpoint.name.as_str())
    .bind(endpoint.base_url.as_str())
    .bind(endpoint.release.as_str())
    .bind(json_text(&endpoint.settings))
    .bind(endpoint.standing.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

const ENDPOINT_BY_ID: &str =
    "select id, organization_id, slug, name, base_url, release, settings, state from fhir_endpoints where id = $1";

/// By id, of any organization: compare `organization_id`, or let the permission function do it.
pub async fn lookup_endpoint(conn: &mut Conn, id: &FhirEndpointId) -> Result<Option<FhirEndpoint>, StorageError> {
    sqlx::query(ENDPOINT_BY_ID).bind(id.as_str()).fetch_optional(conn).await?.map(|row| endpoint(&row)).transpose()
}

/// Every endpoint of an organization, by name.
pub async fn list_endpoints(conn: &mut Conn, organization: &OrganizationId) -> Result<Vec<FhirEndpoint>, StorageError> {
    sqlx::query(
        "select id, organization_id, slug, name, base_url, release, settings, state from fhir_endpoints
         where organization_id = $1 order by name, id",
    )
    .bind(organization.as_str())
    .fetch_all(conn)
    .await?
    .iter()
    .map(endpoint)
    .collect()
}

fn parse_release(id: &str, word: &str) -> Result<fhir_scopes::Release, StorageError> {
    fhir_scopes::Release::ALL
        .into_iter()
        .find(|release| release.as_str() == word)
        .ok_or_else(|| StorageError::inconsistent("fhir_endpoints", id, format!("unknown release {word}")))
}

/// Reads the columns `o_*` of a query that joins organizations to something else.
pub(super) fn joined(row: &AnyRow, id: &OrganizationId) -> Result<Organization, StorageError> {
    Ok(Organization {
        id: id.clone(),
        slug: row.text("o_slug")?,
        name: row.text("o_name")?,
        standing: Standing::parse(&row.text("o_state")?),
        settings: row.json("o_settings")?,
        created_at: row.time("o_created_at")?,
    })
}

/// Reads the columns `e_*` of a query that joins FHIR endpoints to something else.
pub(super) fn joined_endpoint(row: &AnyRow, id: &FhirEndpointId) -> Result<FhirEndpoint, StorageError> {
    Ok(FhirEndpoint {
        id: id.clone(),
        organization_id: OrganizationId::from_text(row.text("e_organization")?),
        slug: row.text("e_slug")?,
        name: row.text("e_name")?,
        base_url: row.text("e_base_url")?,
        release: parse_release(id.as_str(), &row.text("e_release")?)?,
        settings: row.json("e_settings")?,
        standing: Standing::parse(&row.text("e_state")?),
    })
}

fn endpoint(row: &AnyRow) -> Result<FhirEndpoint, StorageError> {
    let id = row.text("id")?;
    let release = parse_release(&id, &row.text("release")?)?;
    Ok(FhirEndpoint {
        id: FhirEndpointId::from_text(id),
        organization_id: OrganizationId::from_text(row.text("organization_id")?),
        slug: row.text("slug")?,
        name: row.text("name")?,
        base_url: row.text("base_url")?,
        release,
        settings: row.json("settings")?,
        standing: Standing::parse(&row.text("state")?),
    })
}

/// Adds a resource server.
pub async fn insert_resource_server(
    conn: &mut Conn,
    server: &ResourceServer,
    now: UtcMillis,
) -> Result<(), StorageError> {
    sqlx::query("insert into resource_servers (id, organization_id, name, secret_hash, state, created_at) values ($1, $2, $3, $4, $5, $6)")
        .bind(server.id.as_str())
        .bind(server.organization_id.as_str())
        .bind(server.name.as_str())
        .bind(server.secret_hash.bytes())
        .bind(server.standing.as_str())
        .bind(now.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Rewrites name, secret and standing.
pub async fn update_resource_server(conn: &mut Conn, server: &ResourceServer) -> Result<(), StorageError> {
    sqlx::query("update resource_servers set name = $2, secret_hash = $3, state = $4 where id = $1")
        .bind(server.id.as_str())
        .bind(server.name.as_str())
        .bind(server.secret_hash.bytes())
        .bind(server.standing.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

/// By id, within an organization.
pub async fn find_resource_server(
    conn: &mut Conn,
    organization: &OrganizationId,
    id: &ResourceServerId,
) -> Result<Option<ResourceServer>, StorageError> {
    sqlx::query("select id, organization_id, name, secret_hash, state, last_used_at from resource_servers where organization_id = $1 and id = $2")
        .bind(organization.as_str())
        .bind(id.as_str())
        .fetch_optional(conn)
        .await?
        .map(|row| resource_server(&row))
        .transpose()
}

/// Is this the id of a resource server, of whatever organization?
pub async fn resource_server_exists(conn: &mut Conn, id: &ResourceServerId) -> Result<bool, StorageError> {
    let row =
        sqlx::query("select id from resource_servers where id = $1").bind(id.as_str()).fetch_optional(conn).await?;
    Ok(row.is_some())
}

/// Every resource server of an organization, by name.
pub async fn list_resource_servers(
    conn: &mut Conn,
    organization: &OrganizationId,
) -> Result<Vec<ResourceServer>, StorageError> {
    sqlx::query("select id, organization_id, name, secret_hash, state, last_used_at from resource_servers where organization_id = $1 order by name, id")
        .bind(organization.as_str())
        .fetch_all(conn)
        .await?
        .iter()
        .map(resource_server)
        .collect()
}

/// Notes that a resource server introspected.
pub async fn touch_resource_server(conn: &mut Conn, id: &ResourceServerId, now: UtcMillis) -> Result<(), StorageError> {
    sqlx::query("update resource_servers set last_used_at = $2 where id = $1")
        .bind(id.as_str())
        .bind(now.0)
        .execute(conn)
        .await?;
    Ok(())
}

fn resource_server(row: &AnyRow) -> Result<ResourceServer, StorageError> {
    Ok(ResourceServer {
        id: ResourceServerId::from_text(row.text("id")?),
        organization_id: OrganizationId::from_text(row.text("organization_id")?),
        name: row.text("name")?,
        secret_hash: row.hash("secret_hash")?,
        standing: Standing::parse(&row.text("state")?),
        last_used_at: row.time_or_null("last_used_at")?,
    })
}
