//! Discovery: what we say of ourselves, in four dialects from one [`Description`], so that they cannot disagree (SMART-DI-20).
//!
//! SMART (`.well-known/smart-configuration` per FHIR endpoint), RFC 8414 (inserted before the issuer's path), OpenID Connect Discovery (appended to it), and
//! the `oauth-uris` extension of a CapabilityStatement, which old clients read. Nothing is advertised that does not work.

use std::sync::LazyLock;

use fhir_scopes::{Level, us_core};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::client_assertion;
use super::signing;
use crate::app::App;
use crate::domain::organizations::{FhirEndpoint, Organization, RegistrationPolicy};
use crate::domain::secrets::hex_digest;

/// How long the documents may be kept.
pub const MAX_AGE_SECONDS: i64 = 300;

/// Everything the documents say.
#[derive(Clone, Debug, Serialize)]
#[allow(clippy::struct_excessive_bools)] // the documents are made of them
pub struct Description {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    management_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_session_endpoint: Option<String>,
    scopes_supported: &'static [String],
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 2],
    grant_types_supported: [&'static str; 3],
    code_challenge_methods_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 4],
    token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    revocation_endpoint_auth_methods_supported: [&'static str; 4],
    revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    introspection_endpoint_auth_methods_supported: [&'static str; 3],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 1],
    claims_supported: [&'static str; 13],
    prompt_values_supported: [&'static str; 4],
    authorization_response_iss_parameter_supported: bool,
    backchannel_logout_supported: bool,
    backchannel_logout_session_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    claims_parameter_supported: bool,
}

/// Scopes every endpoint can grant if they are approved, among them those that US Core and ONC want listed.
static SCOPES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let plain = [
        "openid",
        "fhirUser",
        "profile",
        "email",
        "launch",
        "launch/patient",
        "launch/encounter",
        "offline_access",
        "online_access",
    ];
    let wild = ["*.rs", "*.read", "*.cruds"];
    let levels = Level::ALL.iter().flat_map(|level| wild.iter().map(move |rest| format!("{}/{rest}", level.as_str())));
    let us_core = us_core::RESOURCE_LEVEL.iter().chain(&us_core::GRANULAR).chain(&us_core::GRANULAR_SHOULD).chain(&[
        "Location.rs",
        "Medication.rs",
        PROCEDURE_RESULTS,
    ]);
    // what is outside the patient compartment may be asked at either level (ONC 170.315(g)(10))
    let mut named: Vec<String> = [Level::Patient, Level::User]
        .iter()
        .flat_map(|level| us_core.clone().map(move |rest| format!("{}/{rest}", level.as_str())))
        .collect();
    named.sort_unstable();
    plain.into_iter().map(str::to_owned).chain(levels).chain(named).collect()
});

/// US Core 9 has profiles for results of procedures; its list of scopes has not followed.
const PROCEDURE_RESULTS: &str =
    "Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|procedure";

/// How clients prove themselves wherever they have to.
const CLIENT_METHODS: [&str; 4] = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];

/// Capability names (SMART 2.2, REQUIREMENTS 1.1): only what works.
pub const CAPABILITIES: &[&str] = &[
    "launch-ehr",
    "launch-standalone",
    "authorize-post",
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-banner",
    "context-style",
    "context-ehr-patient",
    "context-ehr-encounter",
    "context-standalone-patient",
    "context-standalone-encounter",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
];

/// The version of FHIR an endpoint speaks, as FHIR writes it.
pub fn fhir_version(endpoint: &FhirEndpoint) -> &'static str {
    match endpoint.release.as_str() {
        "r4b" => "4.3.0",
        "r5" => "5.0.0",
        _ => "4.0.1",
    }
}

/// The style of an EHR launch (SMART 2.2 "styling"): ours, where the EHR sent none.
pub const STYLE: &str = r##"{
  "color_background": "#ffffff",
  "color_error": "#a4262c",
  "color_highlight": "#0b6b74",
  "color_modal_backdrop": "#00000080",
  "color_success": "#1f6f43",
  "color_text": "#1b2a2f",
  "dim_border_radius": "4px",
  "dim_font_size": "16px",
  "dim_spacing_size": "16px",
  "font_family_body": "system-ui, sans-serif",
  "font_family_heading": "system-ui, sans-serif"
}"##;

/// Where the style is: the address changes with the content (SMART-LC-12).
pub fn style_url(app: &App, organization: &Organization) -> String {
    let version = &hex_digest(&[STYLE.as_bytes()])[..12];
    format!("{}/smart-style/{version}", app.issuer(&organization.slug))
}

impl Description {
    /// Of an organization's issuer.
    pub fn of(app: &App, organization: &Organization) -> Self {
        let issuer = app.issuer(&organization.slug);
        let at = |path: &str| format!("{issuer}/{path}");
        let algorithms: Vec<&str> = client_assertion::ALGORITHMS.iter().map(|(name, _)| *name).collect();
        Self {
            authorization_endpoint: at("authorize"),
            token_endpoint: at("token"),
            introspection_endpoint: at("introspect"),
            revocation_endpoint: at("revoke"),
            userinfo_endpoint: at("userinfo"),
            jwks_uri: at("jwks"),
            management_endpoint: at("apps"),
            registration_endpoint: (organization.settings.registration != RegistrationPolicy::Closed)
                .then(|| at("register")),
            end_session_endpoint: Some(at("logout")),
            scopes_supported: &SCOPES,
            response_types_supported: ["code"],
            response_modes_supported: ["query", "form_post"],
            grant_types_supported: ["authorization_code", "refresh_token", "client_credentials"],
            code_challenge_methods_supported: ["S256"],
            token_endpoint_auth_methods_supported: CLIENT_METHODS,
            token_endpoint_auth_signing_alg_values_supported: algorithms.clone(),
            revocation_endpoint_auth_methods_supported: CLIENT_METHODS,
            revocation_endpoint_auth_signing_alg_values_supported: algorithms,
            // a resource server's secret, or a bearer token (RFC 8414 2 names both kinds here)
            introspection_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "Bearer"],
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: [signing::ALGORITHM],
            claims_supported: [
                "iss",
                "sub",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "nonce",
                "at_hash",
                "sid",
                "fhirUser",
                "profile",
                "name",
                "email",
            ],
            prompt_values_supported: ["none", "login", "consent", "select_account"],
            authorization_response_iss_parameter_supported: true,
            backchannel_logout_supported: true,
            backchannel_logout_session_supported: true,
            request_parameter_supported: false,
            request_uri_parameter_supported: false,
            claims_parameter_supported: false,
            issuer,
        }
    }

    fn members(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(members)) => members,
            _ => unreachable!("a struct serializes as an object"),
        }
    }

    /// RFC 8414 and OpenID Connect Discovery: one document serves both.
    pub fn authorization_server(&self) -> Value {
        Value::Object(self.members())
    }

    /// SMART 2.2 `smart-configuration` of one FHIR endpoint; `brand` names the organization in its brand bundle, if the endpoint is in there.
    pub fn smart(&self, brand: Option<Value>) -> Value {
        let mut members = self.members();
        if let Some(brand) = brand {
            members.insert("user_access_brand_bundle".into(), format!("{}/brands", self.issuer).into());
            members.insert("user_access_brand_identifier".into(), brand);
        }
        members.insert("capabilities".into(), CAPABILITIES.into());
        // SMART names two grant types; refresh is told by permission-offline (SMART-DI-07)
        members.insert("grant_types_supported".into(), json!(["authorization_code", "client_credentials"]));
        Value::Object(members)
    }

    /// A CapabilityStatement that says how to get in; for a FHIR server to take over into its own, or for a proxy to serve.
    pub fn capability_statement(&self, endpoint: &FhirEndpoint, date: &str) -> Value {
        let uri = |name: &str, value: &str| json!({ "url": name, "valueUri": value });
        let mut uris = vec![
            uri("authorize", &self.authorization_endpoint),
            uri("token", &self.token_endpoint),
            uri("introspect", &self.introspection_endpoint),
            uri("revoke", &self.revocation_endpoint),
            uri("manage", &self.management_endpoint),
        ];
        uris.extend(self.registration_endpoint.as_deref().map(|url| uri("register", url)));
        let version = fhir_version(endpoint);
        json!({
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": date,
            "kind": "instance",
            "implementation": { "description": endpoint.name, "url": endpoint.base_url },
            "fhirVersion": version,
            "format": ["application/fhir+json"],
            "rest": [{
                "mode": "server",
                "security": {
                    "cors": true,
                    "service": [{
                        "coding": [{
                            "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                            "code": "SMART-on-FHIR",
                            "display": "SMART-on-FHIR"
                        }],
                        "text": "OAuth2 using SMART-on-FHIR profile (see http://docs.smarthealthit.org)"
                    }],
                    "extension": [{
                        "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                        "extension": uris
                    }]
                }
            }]
        })
    }
}
