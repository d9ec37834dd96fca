//! The FHIR endpoints of an organization, and the credentials with which its FHIR servers introspect.

use super::actor::Staff;
use super::error::Fault;
use super::{Refusal, words};
use crate::app::App;
use crate::domain::accounts::StaffRole;
use crate::domain::audit::AuditEvent;
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{FhirEndpointId, ResourceServerId};
use crate::domain::organizations::{
    BackendReading, FhirEndpoint, FhirEndpointSettings, ResourceServer, Standing, is_slug,
};
use crate::domain::secrets::PlainSecret;
use crate::storage::{self, StorageError};
use fhir_scopes::Release;

/// The FHIR endpoints, by name.
pub async fn endpoints(app: &App, staff: &Staff) -> Result<Vec<FhirEndpoint>, Refusal> {
    Ok(storage::organizations::list_endpoints(&mut *app.store.read().await?, &staff.organization.id).await?)
}

/// What an admin says of a FHIR endpoint.
#[derive(Clone, Debug)]
pub struct EndpointForm {
    /// Path segment of its discovery documents; cannot be changed afterwards.
    pub slug: String,
    /// Name shown to people.
    pub name: String,
    /// The FHIR base URL: the `aud` of SMART.
    pub base_url: String,
    /// The FHIR release, as `r4`, `r4b`, `r5`.
    pub release: String,
    /// See [`FhirEndpointSettings`].
    pub jwt_access_tokens: bool,
    /// Other base URLs that are this endpoint.
    pub aliases: Vec<String>,
    /// See [`FhirEndpointSettings`].
    pub reading: Option<BackendReading>,
    /// In use?
    pub active: bool,
}

impl EndpointForm {
    /// What stands now.
    pub fn of(endpoint: &FhirEndpoint) -> Self {
        Self {
            slug: endpoint.slug.clone(),
            name: endpoint.name.clone(),
            base_url: endpoint.base_url.clone(),
            release: endpoint.release.as_str().to_owned(),
            jwt_access_tokens: endpoint.settings.jwt_access_tokens,
            aliases: endpoint.settings.aliases.clone(),
            reading: endpoint.settings.reading.clone(),
            active: endpoint.standing == Standing::Active,
        }
    }
}

/// One of the organization's own endpoints.
pub async fn endpoint_of(app: &App, staff: &Staff, id: &FhirEndpointId) -> Result<FhirEndpoint, Refusal> {
    let found = storage::organizations::lookup_endpoint(&mut *app.store.read().await?, id).await?;
    found.filter(|endpoint| endpoint.organization_id == staff.organization.id).ok_or(Refusal::NotFound)
}

/// A path segment from a name, other than those taken: "Main record" becomes `main-record`.
pub fn slug_from_name(name: &str, taken: &[String]) -> String {
    let mut slug = String::new();
    for c in name.trim().to_lowercase().chars() {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            slug.push(c);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let slug = slug.chars().take(50).collect::<String>();
    let slug = slug.trim_end_matches('-');
    let slug = if slug.is_empty() { "fhir" } else { slug };
    let numbered = (2..).map(|number| format!("{slug}-{number}"));
    std::iter::once(slug.to_owned()).chain(numbered).find(|one| !taken.contains(one)).unwrap_or_default()
}

/// The resource servers of the organization that may introspect.
pub async fn resource_servers(app: &App, staff: &Staff) -> Result<Vec<ResourceServer>, Refusal> {
    let mut conn = app.store.read().await?;
    let all = storage::organizations::list_resource_servers(&mut conn, &staff.organization.id).await?;
    Ok(all.into_iter().filter(|server| server.standing == Standing::Active).collect())
}

/// Takes the credentials of a FHIR server back: from now on it is nobody. `NotFound` if the organization has no such server that may introspect.
pub async fn revoke_resource_server(app: &App, staff: &Staff, id: &ResourceServerId) -> Result<(), Refusal> {
    staff.must_be(StaffRole::Admin)?;
    let (staff, id, now) = (staff.clone(), id.clone(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                let server = storage::organizations::find_resource_server(conn, &staff.organization.id, &id)
                    .await?
                    .filter(|server| server.standing == Standing::Active)
                    .ok_or(Refusal::NotFound)?;
                let revoked = ResourceServer { standing: Standing::Suspended, ..server };
                storage::organizations::update_resource_server(conn, &revoked).await?;
                let event = AuditEvent::new(&staff.organization.id, now, "resource_server.revoked", staff.audit())
                    .subject(id.as_str())
                    .with("name", revoked.name);
                storage::audit::append(conn, &event).await?;
                Ok::<(), Refusal>(())
            })
        })
        .await
}

/// Makes credentials with which a FHIR server of the organization introspects. The secret is shown this once.
pub async fn make_resource_server(
    app: &App,
    staff: &Staff,
    endpoint: &FhirEndpointId,
) -> Result<(ResourceServer, PlainSecret), Refusal> {
    staff.must_be(StaffRole::Admin)?;
    let endpoint = endpoint_of(app, staff, endpoint).await?;
    let now = app.now();
    let secret = PlainSecret::alphanumeric(&*app.entropy);
    let server = ResourceServer {
        id: ResourceServerId::new(now, &*app.entropy),
        organization_id: staff.organization.id.clone(),
        name: endpoint.name,
        secret_hash: secret.hashed(),
        standing: Standing::Active,
        last_used_at: None,
    };
    let (staff, made) = (staff.clone(), server.clone());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                storage::organizations::insert_resource_server(conn, &made, now).await?;
                let event = AuditEvent::new(&staff.organization.id, now, "resource_server.added", staff.audit())
                    .subject(made.id.as_str())
                    .with("name", made.name.as_str());
                storage::audit::append(conn, &event).await?;
                Ok::<(), Refusal>(())
            })
        })
        .await?;
    Ok((server, secret))
}

/// Adds a FHIR endpoint.
pub async fn add_endpoint(app: &App, staff: &Staff, form: &EndpointForm) -> Result<FhirEndpoint, Refusal> {
    staff.must_be(StaffRole::Admin)?;
    let now = app.now();
    let id = FhirEndpointId::new(now, &*app.entropy);
    let mut faults = Vec::new();
    if !is_slug(&form.slug) {
        faults.push(Fault::new("slug", "not-a-slug", "lower-case letters, digits and hyphens"));
    }
    let endpoint = checked_endpoint(app, staff, id, form, faults)?;
    let (staff, added) = (staff.clone(), endpoint.clone());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                storage::organizations::insert_endpoint(conn, &added, now).await.map_err(taken)?;
                storage::audit::append(conn, &about_endpoint(&staff, "fhir_endpoint.added", &added, now)).await?;
                Ok::<(), Refusal>(())
            })
        })
        .await?;
    Ok(endpoint)
}

/// Changes a FHIR endpoint. A new base URL or release applies to what is issued from now on.
pub async fn change_endpoint(
    app: &App,
    staff: &Staff,
    id: &FhirEndpointId,
    form: &EndpointForm,
) -> Result<FhirEndpoint, Refusal> {
    staff.must_be(StaffRole::Admin)?;
    let now = app.now();
    let endpoint = checked_endpoint(app, staff, id.clone(), form, Vec::new())?;
    let (staff, changed) = (staff.clone(), endpoint.clone());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                let before = storage::organizations::lookup_endpoint(conn, &changed.id)
                    .await?
                    .filter(|before| before.organization_id == staff.organization.id)
                    .ok_or(Refusal::NotFound)?;
                storage::organizations::update_endpoint(conn, &changed).await.map_err(taken)?;
                let event = about_endpoint(&staff, "fhir_endpoint.changed", &changed, now)
                    .with("base_url_before", before.base_url);
                storage::audit::append(conn, &event).await?;
                Ok::<(), Refusal>(())
            })
        })
        .await?;
    Ok(endpoint)
}

fn taken(error: StorageError) -> Refusal {
    match error {
        StorageError::Duplicate(_) => {
            Refusal::invalid("base_url", "taken", "another endpoint has this base URL or slug")
        }
        other => Refusal::Storage(other),
    }
}

fn checked_endpoint(
    app: &App,
    staff: &Staff,
    id: FhirEndpointId,
    form: &EndpointForm,
    mut faults: Vec<Fault>,
) -> Result<FhirEndpoint, Refusal> {
    let name = words::one_line("name", &form.name, 120, &mut faults);
    let loose = app.config.outbound.allow_private_networks;
    let base_url = base_url("base_url", &form.base_url, loose, &mut faults);
    let aliases = form.aliases.iter().map(|alias| alias.trim()).filter(|alias| !alias.is_empty());
    let aliases = aliases.map(|alias| self::base_url("aliases", alias, loose, &mut faults)).collect();
    check_reading(form.reading.as_ref(), loose, &mut faults);
    let release = Release::ALL.into_iter().find(|release| release.as_str() == form.release);
    if release.is_none() {
        faults.push(Fault::new("release", "unknown", "r4, r4b or r5"));
    }
    match release {
        Some(release) if faults.is_empty() => Ok(FhirEndpoint {
            id,
            organization_id: staff.organization.id.clone(),
            slug: form.slug.clone(),
            name,
            base_url,
            release,
            settings: FhirEndpointSettings {
                jwt_access_tokens: form.jwt_access_tokens,
                aliases,
                reading: form.reading.clone(),
            },
            standing: if form.active { Standing::Active } else { Standing::Suspended },
        }),
        _ => Err(Refusal::Invalid(faults)),
    }
}

/// How we read: a token endpoint (a URL that may have a query), who we are there, what we ask for.
pub(super) fn check_reading(reading: Option<&BackendReading>, loose: bool, faults: &mut Vec<Fault>) {
    let Some(reading) = reading else { return };
    let is_address = url::Url::parse(&reading.token_endpoint).is_ok_and(|url| {
        (url.scheme() == "https" || (loose && url.scheme() == "http"))
            && url.host_str().is_some()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && reading.token_endpoint.len() <= 500
    });
    if !is_address {
        faults.push(Fault::new("token_endpoint", "not-a-url", "an https URL"));
    }
    if reading.client_id.trim().is_empty() {
        faults.push(Fault::new("reader_client_id", "missing", "who this server is there"));
    } else {
        words::one_line("reader_client_id", &reading.client_id, 200, faults);
    }
    let (scopes, rejected) = fhir_scopes::ScopeSet::parse_lenient(&reading.scope, Release::R4);
    if !rejected.is_empty() || !scopes.has_system_level() {
        faults.push(Fault::new("reader_scope", "not-system-scopes", "system scopes, separated by spaces"));
    }
}

/// A FHIR base URL: https (http too where private networks are allowed), without query, fragment, user and trailing slash.
pub(super) fn base_url(field: &'static str, text: &str, loose: bool, faults: &mut Vec<Fault>) -> String {
    let text = text.trim().trim_end_matches('/');
    let good = url::Url::parse(text).is_ok_and(|url| {
        (url.scheme() == "https" || (loose && url.scheme() == "http"))
            && url.host_str().is_some()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && text.len() <= 500
    });
    if !good {
        faults.push(Fault::new(field, "not-a-base-url", "an https URL without query or fragment"));
    }
    text.to_owned()
}

fn about_endpoint(staff: &Staff, event: &'static str, endpoint: &FhirEndpoint, now: UtcMillis) -> AuditEvent {
    AuditEvent::new(&staff.organization.id, now, event, staff.audit())
        .subject(endpoint.id.as_str())
        .with("name", endpoint.name.as_str())
        .with("base_url", endpoint.base_url.as_str())
        .with("release", endpoint.release.as_str())
        .with("state", endpoint.standing.as_str())
        .with("reads", if endpoint.settings.reading.is_some() { "as a client" } else { "with tokens of our own" })
        .with("jwt_access_tokens", if endpoint.settings.jwt_access_tokens { "yes" } else { "no" })
}
