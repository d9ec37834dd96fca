//! The user-access brand bundle (SMART 2.2 user-access-brands): the organization, and its FHIR endpoints, as FHIR resources that app galleries collect.
//!
//! Built from the organization's own data each time, and read back strictly through fhirbolt before it leaves: what is not valid FHIR R4 is a fault of ours,
//! never an answer.

use serde_json::{Value, json};

use super::error::OAuthError;
use crate::app::App;
use crate::domain::clock::UtcMillis;
use crate::domain::organizations::{FhirEndpoint, Organization, Standing};
use crate::outbound::fhir::R4;
use crate::storage::{self, StorageError};

/// The bundle as JSON text, and when it last changed.
pub async fn bundle(app: &App, organization: &Organization) -> Result<Value, OAuthError> {
    let mut conn = app.store.read().await?;
    let endpoints = storage::organizations::list_endpoints(&mut conn, &organization.id).await?;
    let changed =
        storage::audit::last_of(&mut conn, &organization.id, "organization.settings_changed", "fhir_endpoint.%")
            .await?;
    drop(conn);
    let endpoints: Vec<FhirEndpoint> =
        endpoints.into_iter().filter(|endpoint| endpoint.standing == Standing::Active).collect();
    let changed = changed.unwrap_or(organization.created_at).max(organization.created_at);
    let bundle = written(app, organization, &endpoints, changed);
    let read = R4::from_value(&bundle)
        .map_err(|error| StorageError::inconsistent("organizations", organization.id.as_str(), error.to_string()))?;
    Ok(read.to_value())
}

/// The address of the organization's website, or of this server.
fn website(app: &App, organization: &Organization) -> String {
    match organization.settings.website.as_str() {
        "" => app.url(&format!("/o/{}/apps", organization.slug)),
        website => website.to_owned(),
    }
}

/// Names the brand among others: its website without `www` and path, as the specification recommends.
pub fn identifier(app: &App, organization: &Organization) -> Value {
    let site = url::Url::parse(&website(app, organization))
        .ok()
        .map(|url| url.origin().ascii_serialization().replace("://www.", "://"));
    json!({ "system": "urn:ietf:rfc:3986", "value": site.unwrap_or_else(|| app.url("")) })
}

fn written(app: &App, organization: &Organization, endpoints: &[FhirEndpoint], changed: UtcMillis) -> Value {
    let base = format!("{}/brands", app.issuer(&organization.slug));
    let meta = json!({ "lastUpdated": changed.rfc3339() });
    let website = website(app, organization);
    let references: Vec<Value> =
        endpoints.iter().map(|endpoint| json!({ "reference": format!("Endpoint/{}", endpoint.slug) })).collect();
    let mut portal = vec![
        json!({ "url": "portalName", "valueString": organization.name }),
        json!({ "url": "portalUrl", "valueUrl": website }),
    ];
    portal.extend(references.iter().map(|reference| json!({ "url": "portalEndpoint", "valueReference": reference })));
    let mut brand = json!({
        "resourceType": "Organization",
        "id": organization.slug,
        "meta": meta,
        "extension": [{ "url": "http://hl7.org/fhir/StructureDefinition/organization-portal", "extension": portal }],
        "identifier": [identifier(app, organization)],
        "active": true,
        "type": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/organization-type", "code": "prov" }] }],
        "name": organization.name,
        "telecom": [{ "system": "url", "value": website }],
    });
    if !references.is_empty() {
        brand["endpoint"] = references.into();
    }
    let mut entries =
        vec![json!({ "fullUrl": format!("{base}/Organization/{}", organization.slug), "resource": brand })];
    entries.extend(endpoints.iter().map(|endpoint| {
        json!({ "fullUrl": format!("{base}/Endpoint/{}", endpoint.slug), "resource": endpoint_resource(endpoint, &meta, &website) })
    }));
    json!({
        "resourceType": "Bundle",
        "id": organization.slug,
        "meta": meta,
        "type": "collection",
        "timestamp": changed.rfc3339(),
        "entry": entries,
    })
}

fn endpoint_resource(endpoint: &FhirEndpoint, meta: &Value, website: &str) -> Value {
    json!({
        "resourceType": "Endpoint",
        "id": endpoint.slug,
        "meta": meta,
        "extension": [{
            "url": "http://hl7.org/fhir/StructureDefinition/endpoint-fhir-version",
            "valueCode": super::discovery::fhir_version(endpoint),
        }],
        "status": "active",
        "connectionType": { "system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type", "code": "hl7-fhir-rest" },
        "name": endpoint.name,
        "contact": [{ "system": "url", "value": website }],
        "payloadType": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/endpoint-payload-type", "code": "none" }] }],
        "address": endpoint.base_url,
    })
}
