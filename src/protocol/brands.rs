//! The user-access brand bundle (SMART 2.2 user-access-brands): the organization, and its FHIR endpoints, as FHIR resources that app galleries collect.
//!
//! Built from the organization's own data each time, and read back strictly through fhirbolt before it leaves: what is not valid FHIR R4 is a fault of ours,
//! never an answer. One brand per organization, so its identifier names exactly one (SMART-UB-04).
//!
//! What a brand should have and the organization has not given carries a reason: `asked-unknown` while no admin has said anything, `asked-declined` once they
//! saved the page that asks and left it empty (SMART-UB-06).

use serde_json::{Value, json};

use super::error::OAuthError;
use crate::app::App;
use crate::domain::brands::{Address, Brand};
use crate::domain::clock::UtcMillis;
use crate::domain::organizations::{FhirEndpoint, Organization, Standing};
use crate::outbound::fhir::R4;
use crate::storage::{self, Conn, StorageError};

/// Everything the bundle is made of.
struct Material<'a> {
    app: &'a App,
    organization: &'a Organization,
    brand: &'a Brand,
    was_asked: bool,
    endpoints: &'a [FhirEndpoint],
    changed: UtcMillis,
}

/// When anything last changed of what our public documents say of an organization.
pub async fn last_change(conn: &mut Conn, organization: &Organization) -> Result<UtcMillis, StorageError> {
    let id = &organization.id;
    let settings = storage::audit::last_of(conn, id, "organization.settings_changed", "fhir_endpoint.%").await?;
    let brand = storage::audit::last_of(conn, id, "organization.changed", "brand.%").await?;
    Ok([settings, brand].into_iter().flatten().fold(organization.created_at, Ord::max))
}

/// The bundle.
pub async fn bundle(app: &App, organization: &Organization) -> Result<Value, OAuthError> {
    let mut conn = app.store.read().await?;
    let endpoints = storage::organizations::list_endpoints(&mut conn, &organization.id).await?;
    let said = storage::brands::find(&mut conn, &organization.id).await?;
    let changed = last_change(&mut conn, organization).await?;
    drop(conn);
    let was_asked = said.is_some();
    let brand = said.map(|(brand, _)| brand).unwrap_or_default();
    let endpoints: Vec<FhirEndpoint> =
        endpoints.into_iter().filter(|endpoint| is_published(&brand, endpoint)).collect();
    let material = Material { app, organization, brand: &brand, was_asked, endpoints: &endpoints, changed };
    let bundle = material.bundle();
    let read = R4::from_value(&bundle)
        .map_err(|error| StorageError::inconsistent("organizations", organization.id.as_str(), error.to_string()))?;
    Ok(read.to_value())
}

fn is_published(brand: &Brand, endpoint: &FhirEndpoint) -> bool {
    endpoint.standing == Standing::Active && !brand.unpublished.contains(&endpoint.id)
}

/// Names the brand of a FHIR endpoint in the bundle; `None` if the endpoint is not published.
pub async fn identifier_for(
    app: &App,
    organization: &Organization,
    endpoint: &FhirEndpoint,
) -> Result<Option<Value>, StorageError> {
    let said = storage::brands::find(&mut *app.store.read().await?, &organization.id).await?;
    let brand = said.map(|(brand, _)| brand).unwrap_or_default();
    Ok(is_published(&brand, endpoint).then(|| identifier(app, organization, &brand)))
}

/// The address of the organization's website, or of its page here.
fn website(app: &App, organization: &Organization, brand: &Brand) -> String {
    match (brand.website.as_str(), organization.settings.website.as_str()) {
        ("", "") => app.url(&format!("/o/{}/apps", organization.slug)),
        ("", website) | (website, _) => website.to_owned(),
    }
}

/// Names the brand among others: its website without `www` and path, as the specification recommends.
fn identifier(app: &App, organization: &Organization, brand: &Brand) -> Value {
    let site = url::Url::parse(&website(app, organization, brand))
        .ok()
        .map(|url| url.origin().ascii_serialization().replacen("://www.", "://", 1));
    json!({ "system": "urn:ietf:rfc:3986", "value": site.unwrap_or_else(|| app.url("")) })
}

impl Material<'_> {
    fn bundle(&self) -> Value {
        let base = format!("{}/brands", self.app.issuer(&self.organization.slug));
        let full = |kind: &str, id: &str, resource: Value| json!({ "fullUrl": format!("{base}/{kind}/{id}"), "resource": resource });
        let mut entries = vec![full("Organization", &self.organization.slug, self.brand_resource())];
        entries.extend(
            self.endpoints.iter().map(|endpoint| full("Endpoint", &endpoint.slug, self.endpoint_resource(endpoint))),
        );
        json!({
            "resourceType": "Bundle",
            "id": self.organization.slug,
            "meta": self.meta("user-access-brands-bundle"),
            "type": "collection",
            "timestamp": self.changed.rfc3339(),
            "entry": entries,
        })
    }

    fn meta(&self, profile: &str) -> Value {
        json!({
            "lastUpdated": self.changed.rfc3339(),
            "profile": [format!("http://hl7.org/fhir/smart-app-launch/StructureDefinition/{profile}")],
        })
    }

    fn website(&self) -> String {
        website(self.app, self.organization, self.brand)
    }

    fn name(&self) -> &str {
        if self.brand.name.is_empty() { &self.organization.name } else { &self.brand.name }
    }

    /// Why something is not there.
    fn absent(&self) -> Value {
        let reason = if self.was_asked { "asked-declined" } else { "asked-unknown" };
        json!([{ "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": reason }])
    }

    fn brand_resource(&self) -> Value {
        let brand = self.brand;
        let mut identifiers = vec![identifier(self.app, self.organization, brand)];
        for one in &brand.identifiers {
            let one = json!({ "system": one.system, "value": one.value });
            if !identifiers.contains(&one) {
                identifiers.push(one);
            }
        }
        let mut resource = json!({
            "resourceType": "Organization",
            "id": self.organization.slug,
            "meta": self.meta("user-access-brand"),
            "extension": [self.logo(), self.portal()],
            "identifier": identifiers,
            "active": true,
            "type": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/organization-type", "code": brand.kind }] }],
            "name": self.name(),
            "telecom": [{ "system": "url", "value": self.website() }],
            "address": if brand.addresses.is_empty() {
                json!([{ "extension": self.absent() }])
            } else {
                brand.addresses.iter().map(address).collect()
            },
        });
        let references = self.references();
        if !references.is_empty() {
            resource["endpoint"] = references.into();
        }
        resource
    }

    fn references(&self) -> Vec<Value> {
        let reference = |endpoint: &FhirEndpoint| json!({ "reference": format!("Endpoint/{}", endpoint.slug), "display": endpoint.name });
        self.endpoints.iter().map(reference).collect()
    }

    fn logo(&self) -> Value {
        let logo = match &self.brand.logo {
            Some(digest) => json!({ "url": "brandLogo", "valueUrl": self.app.url(&format!("/logos/{digest}")) }),
            None => json!({ "url": "brandLogo", "_valueUrl": { "extension": self.absent() } }),
        };
        let mut parts = vec![logo];
        if self.brand.logo.is_some() && !self.brand.logo_license.is_empty() {
            parts.push(json!({ "url": "brandLogoLicense", "valueUrl": self.brand.logo_license }));
        }
        json!({ "url": "http://hl7.org/fhir/StructureDefinition/organization-brand", "extension": parts })
    }

    fn portal(&self) -> Value {
        let portal = &self.brand.portal;
        let name = if portal.name.is_empty() { self.name() } else { &portal.name };
        let url = if portal.url.is_empty() { self.website() } else { portal.url.clone() };
        let mut parts = vec![json!({ "url": "portalName", "valueString": name })];
        if !portal.description.is_empty() {
            parts.push(json!({ "url": "portalDescription", "valueMarkdown": portal.description }));
        }
        parts.push(json!({ "url": "portalUrl", "valueUrl": url }));
        parts.extend(
            self.references()
                .into_iter()
                .map(|reference| json!({ "url": "portalEndpoint", "valueReference": reference })),
        );
        json!({ "url": "http://hl7.org/fhir/StructureDefinition/organization-portal", "extension": parts })
    }

    fn endpoint_resource(&self, endpoint: &FhirEndpoint) -> Value {
        json!({
            "resourceType": "Endpoint",
            "id": endpoint.slug,
            "meta": self.meta("user-access-endpoint"),
            "extension": [{
                "url": "http://hl7.org/fhir/StructureDefinition/endpoint-fhir-version",
                "valueCode": super::discovery::fhir_version(endpoint),
            }],
            "status": "active",
            "connectionType": { "system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type", "code": "hl7-fhir-rest" },
            "name": endpoint.name,
            "contact": [{ "system": "url", "value": self.website() }],
            "payloadType": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/endpoint-payload-type", "code": "none" }] }],
            "address": endpoint.base_url,
        })
    }
}

fn address(address: &Address) -> Value {
    let mut parts = serde_json::Map::new();
    if !address.line.is_empty() {
        parts.insert("line".into(), json!([address.line]));
    }
    for (name, value) in [
        ("city", &address.city),
        ("state", &address.state),
        ("postalCode", &address.postal_code),
        ("country", &address.country),
    ] {
        if !value.is_empty() {
            parts.insert(name.into(), value.as_str().into());
        }
    }
    Value::Object(parts)
}
