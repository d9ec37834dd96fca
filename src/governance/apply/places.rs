//! Organizations, FHIR endpoints, resource servers, application providers.

use super::super::fhir_endpoints::{base_url, check_reading};
use super::super::organizations::check_settings;
use super::{
    Applying, EndpointDeclared, MadeSecret, NotApplied, OrganizationDeclared, ProviderDeclared, ResourceServerDeclared,
    differences, invalid, refused,
};
use crate::domain::application_providers::ApplicationProvider;
use crate::domain::audit::{Actor, AuditEvent, Chain};
use crate::domain::ids::{ApplicationProviderId, ClientId, FhirEndpointId, OrganizationId, ResourceServerId};
use crate::domain::organizations::{FhirEndpoint, Organization, ResourceServer, Standing, is_slug};
use crate::domain::secrets::PlainSecret;
use crate::governance::Refusal;
use crate::storage::{self, StorageError};

/// A secret shorter than this is one that somebody thought up.
const SHORTEST_SECRET: usize = 24;

impl Applying<'_> {
    pub(super) async fn organization(&mut self, declared: &OrganizationDeclared) -> Result<(), NotApplied> {
        let what = format!("organization {}", declared.slug);
        if !is_slug(&declared.slug) {
            return Err(invalid(&what, "slug", "1 to 63 lower-case letters, digits and hyphens"));
        }
        if declared.name.trim().is_empty() {
            return Err(invalid(&what, "name", "must not be empty"));
        }
        let now = self.app.now();
        let found = storage::organizations::find_by_slug(&mut *self.app.store.read().await?, &declared.slug).await?;
        let before = found.as_ref().map(|organization| organization.settings.clone()).unwrap_or_default();
        let settings =
            declared.settings.over(&before).map_err(|error| invalid(&what, "settings", &error.to_string()))?;
        let mut faults = Vec::new();
        check_settings(&settings, self.app.config.outbound.allow_private_networks, &mut faults);
        if !faults.is_empty() {
            return Err(refused(&what)(Refusal::Invalid(faults)));
        }
        let id = if let Some(mut organization) = found {
            let how = differences(&[
                ("name", organization.name == declared.name),
                ("settings", organization.settings == settings),
            ]);
            if !how.is_empty() {
                self.changed(&what, &how);
                organization.name.clone_from(&declared.name);
                organization.settings = settings;
                let changed = organization.clone();
                self.write(move |conn| {
                    Box::pin(async move {
                        storage::organizations::update(conn, &changed).await?;
                        let event = AuditEvent::new(&changed.id, now, "organization.changed", Actor::Operator)
                            .subject(changed.id.as_str())
                            .with("changed", how);
                        storage::audit::append(conn, &event).await
                    })
                })
                .await?;
            }
            organization.id
        } else {
            self.added(&what);
            let organization = Organization {
                id: OrganizationId::new(now, &*self.app.entropy),
                slug: declared.slug.clone(),
                name: declared.name.clone(),
                standing: Standing::Active,
                settings,
                created_at: now,
            };
            let id = organization.id.clone();
            self.write(move |conn| {
                Box::pin(async move {
                    storage::organizations::insert(conn, &organization).await?;
                    let event = AuditEvent::new(&organization.id, now, "organization.added", Actor::Operator)
                        .subject(organization.id.as_str())
                        .with("slug", organization.slug.as_str())
                        .with("name", organization.name.as_str());
                    storage::audit::append(conn, &event).await
                })
            })
            .await?;
            id
        };
        for endpoint in &declared.fhir_endpoints {
            self.endpoint(&id, &declared.slug, endpoint).await?;
        }
        for server in &declared.resource_servers {
            self.resource_server(&id, &declared.slug, server).await?;
        }
        Ok(())
    }

    async fn endpoint(
        &mut self,
        organization: &OrganizationId,
        slug: &str,
        declared: &EndpointDeclared,
    ) -> Result<(), NotApplied> {
        let what = format!("FHIR endpoint {slug}/{}", declared.slug);
        let now = self.app.now();
        let release = fhir_scopes::Release::ALL.into_iter().find(|release| release.as_str() == declared.release);
        let release = release.ok_or_else(|| invalid(&what, "release", "r4, r4b or r5"))?;
        let mut faults = Vec::new();
        if !is_slug(&declared.slug) {
            return Err(invalid(&what, "slug", "1 to 63 lower-case letters, digits and hyphens"));
        }
        let url =
            base_url("base_url", &declared.base_url, self.app.config.outbound.allow_private_networks, &mut faults);
        let known = storage::organizations::list_endpoints(&mut *self.app.store.read().await?, organization).await?;
        let before = known.into_iter().find(|endpoint| endpoint.slug == declared.slug);
        let decided = before.as_ref().map(|endpoint| endpoint.settings.clone()).unwrap_or_default();
        let mut settings =
            declared.settings.over(&decided).map_err(|error| invalid(&what, "settings", &error.to_string()))?;
        let is_loose = self.app.config.outbound.allow_private_networks;
        check_reading(settings.reading.as_ref(), is_loose, &mut faults);
        settings.aliases =
            settings.aliases.iter().map(|alias| base_url("aliases", alias, is_loose, &mut faults)).collect();
        if !faults.is_empty() {
            return Err(refused(&what)(Refusal::Invalid(faults)));
        }
        let endpoint = FhirEndpoint {
            id: before
                .as_ref()
                .map_or_else(|| FhirEndpointId::new(now, &*self.app.entropy), |endpoint| endpoint.id.clone()),
            organization_id: organization.clone(),
            slug: declared.slug.clone(),
            name: declared.name.clone(),
            base_url: url,
            release,
            settings,
            standing: before.as_ref().map_or(Standing::Active, |endpoint| endpoint.standing),
        };
        let event = match &before {
            None => {
                self.added(&what);
                "fhir_endpoint.added"
            }
            Some(before) => {
                let how = differences(&[
                    ("name", before.name == endpoint.name),
                    ("base_url", before.base_url == endpoint.base_url),
                    ("release", before.release == endpoint.release),
                    ("settings", before.settings == endpoint.settings),
                ]);
                if how.is_empty() {
                    return Ok(());
                }
                self.changed(&what, how);
                "fhir_endpoint.changed"
            }
        };
        self.write(move |conn| {
            Box::pin(async move {
                if before.is_some() {
                    storage::organizations::update_endpoint(conn, &endpoint).await?;
                } else {
                    storage::organizations::insert_endpoint(conn, &endpoint, now).await?;
                }
                let event = AuditEvent::new(&endpoint.organization_id, now, event, Actor::Operator)
                    .subject(endpoint.id.as_str())
                    .with("name", endpoint.name.as_str())
                    .with("base_url", endpoint.base_url.as_str())
                    .with("release", endpoint.release.as_str());
                storage::audit::append(conn, &event).await
            })
        })
        .await
    }

    async fn resource_server(
        &mut self,
        organization: &OrganizationId,
        slug: &str,
        declared: &ResourceServerDeclared,
    ) -> Result<(), NotApplied> {
        let what = format!("resource server {slug}/{}", declared.name);
        if declared.secret.as_ref().is_some_and(|secret| secret.len() < SHORTEST_SECRET) {
            return Err(invalid(&what, "secret", "at least 24 random characters"));
        }
        let now = self.app.now();
        let known =
            storage::organizations::list_resource_servers(&mut *self.app.store.read().await?, organization).await?;
        let before = known
            .into_iter()
            .find(|server| declared.id.as_ref().map_or(server.name == declared.name, |id| server.id.as_str() == id));
        let given = declared.secret.as_deref().map(PlainSecret::from_text);
        let (event, server) = if let Some(mut server) = before {
            let same_secret = given.as_ref().is_none_or(|secret| secret.hashed().matches(&server.secret_hash));
            let how = differences(&[("name", server.name == declared.name), ("secret", same_secret)]);
            if how.is_empty() {
                return Ok(());
            }
            self.changed(&what, how);
            server.name.clone_from(&declared.name);
            if let Some(secret) = given {
                // a new secret is a new start for one whose credentials were revoked; the old one stays revoked
                server.standing = if same_secret { server.standing } else { Standing::Active };
                server.secret_hash = secret.hashed();
            }
            ("resource_server.changed", server)
        } else {
            let client = declared.id.as_deref().map(ClientId::from_text);
            if let Some(client) = client
                && storage::clients::lookup(&mut *self.app.store.read().await?, &client).await?.is_some()
            {
                return Err(invalid(&what, "id", "a client has this id"));
            }
            self.added(&what);
            let id = declared
                .id
                .clone()
                .map_or_else(|| ResourceServerId::new(now, &*self.app.entropy), ResourceServerId::from_text);
            let made = given.is_none();
            let secret = given.unwrap_or_else(|| PlainSecret::alphanumeric(&*self.app.entropy));
            let server = ResourceServer {
                id,
                organization_id: organization.clone(),
                name: declared.name.clone(),
                secret_hash: secret.hashed(),
                standing: Standing::Active,
                last_used_at: None,
            };
            if made && !self.dry_run {
                self.report.secrets.push(MadeSecret { of: server.id.as_str().to_owned(), plain: secret });
            }
            ("resource_server.added", server)
        };
        self.write(move |conn| {
            Box::pin(async move {
                if event == "resource_server.added" {
                    storage::organizations::insert_resource_server(conn, &server, now).await?;
                } else {
                    storage::organizations::update_resource_server(conn, &server).await?;
                }
                let event = AuditEvent::new(&server.organization_id, now, event, Actor::Operator)
                    .subject(server.id.as_str())
                    .with("name", server.name);
                storage::audit::append(conn, &event).await
            })
        })
        .await
    }

    pub(super) async fn provider(&mut self, declared: &ProviderDeclared) -> Result<(), NotApplied> {
        let what = format!("application provider {}", declared.name);
        if declared.name.trim().is_empty() {
            return Err(invalid(&what, "name", "must not be empty"));
        }
        let now = self.app.now();
        let before =
            storage::application_providers::find_by_name(&mut *self.app.store.read().await?, &declared.name).await?;
        let (event, provider) = match before {
            Some(provider) if provider.website == declared.website => return Ok(()),
            Some(provider) => {
                self.changed(&what, "website");
                ("application_provider.changed", ApplicationProvider { website: declared.website.clone(), ..provider })
            }
            None => {
                self.added(&what);
                let provider = ApplicationProvider {
                    id: ApplicationProviderId::new(now, &*self.app.entropy),
                    name: declared.name.clone(),
                    website: declared.website.clone(),
                    standing: Standing::Active,
                    created_at: now,
                };
                ("application_provider.added", provider)
            }
        };
        self.write(move |conn| {
            Box::pin(async move {
                if event == "application_provider.added" {
                    storage::application_providers::insert(conn, &provider).await?;
                } else {
                    storage::application_providers::update(conn, &provider).await?;
                }
                let event = AuditEvent::new(Chain::Server, now, event, Actor::Operator)
                    .subject(provider.id.as_str())
                    .with("name", provider.name);
                storage::audit::append(conn, &event).await
            })
        })
        .await
    }

    /// One transaction, unless this is a dry run.
    pub(super) async fn write<F>(&self, work: F) -> Result<(), NotApplied>
    where
        F: for<'c> FnOnce(&'c mut storage::Conn) -> futures_util::future::BoxFuture<'c, Result<(), StorageError>>
            + Send
            + 'static,
    {
        if self.dry_run {
            return Ok(());
        }
        Ok(self.app.store.write(work).await?)
    }
}
