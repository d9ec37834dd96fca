//! What an `apply` file may say. Unknown keys are refused. TOML, or the same as JSON.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::domain::clients::ClientMetadata;
use crate::domain::organizations::{FhirEndpointSettings, OrganizationSettings};

/// A whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Declaration {
    /// Provider organizations, with what belongs to them.
    pub organizations: Vec<OrganizationDeclared>,
    /// Application providers.
    pub application_providers: Vec<ProviderDeclared>,
    /// People and their memberships.
    pub accounts: Vec<AccountDeclared>,
    /// Clients.
    pub clients: Vec<ClientDeclared>,
    /// What clients ask of organizations.
    pub access_requests: Vec<RequestDeclared>,
    /// What organizations answer.
    pub approvals: Vec<ApprovalDeclared>,
}

/// The members of some settings that a file gives. What it does not mention is not its business.
#[derive(Clone, Debug)]
pub struct Given<T> {
    members: Map<String, Value>,
    of: PhantomData<T>,
}

impl<T> Default for Given<T> {
    fn default() -> Self {
        Self { members: Map::new(), of: PhantomData }
    }
}

impl<T: Default + Serialize + DeserializeOwned> Given<T> {
    /// The settings with these members in place of what they were.
    pub(super) fn over(&self, before: &T) -> Result<T, serde_json::Error> {
        let mut all = serde_json::to_value(before)?;
        if let Value::Object(all) = &mut all {
            all.extend(self.members.clone());
        }
        serde_json::from_value(all)
    }
}

impl<'de, T: Default + Serialize + DeserializeOwned> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Self { members: Map::deserialize(deserializer)?, of: PhantomData };
        // an unknown member or a value of the wrong kind is a fault of the file
        given.over(&T::default()).map_err(serde::de::Error::custom)?;
        Ok(given)
    }
}

/// The file does not read.
#[derive(Debug, thiserror::Error)]
#[error("the file cannot be read: {0}")]
pub struct Unreadable(String);

impl Declaration {
    /// Reads TOML or JSON.
    pub fn read(text: &str, json: bool) -> Result<Self, Unreadable> {
        if json {
            serde_json::from_str(text).map_err(|error| Unreadable(error.to_string()))
        } else {
            toml::from_str(text).map_err(|error| Unreadable(error.to_string()))
        }
    }
}

/// A provider organization.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationDeclared {
    /// Path segment of its issuer; what other parts of the file call it by.
    pub slug: String,
    /// Name.
    pub name: String,
    /// Settings; those not given stay as they are, and have their defaults in an organization that is new.
    #[serde(default)]
    pub settings: Given<OrganizationSettings>,
    /// FHIR endpoints.
    #[serde(default)]
    pub fhir_endpoints: Vec<EndpointDeclared>,
    /// Resource servers.
    #[serde(default)]
    pub resource_servers: Vec<ResourceServerDeclared>,
}

/// A FHIR endpoint.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointDeclared {
    /// Path segment of its discovery documents; what requests call it by.
    pub slug: String,
    /// Name.
    pub name: String,
    /// FHIR base URL.
    pub base_url: String,
    /// `r4`, `r4b` or `r5`.
    pub release: String,
    /// Settings, likewise.
    #[serde(default)]
    pub settings: Given<FhirEndpointSettings>,
}

/// A resource server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceServerDeclared {
    /// Its `client_id`; one is made if absent.
    #[serde(default)]
    pub id: Option<String>,
    /// Name; what it is known by when it has no `id` here.
    pub name: String,
    /// Its secret; one is made, and printed once, if absent.
    #[serde(default)]
    pub secret: Option<String>,
}

/// An application provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderDeclared {
    /// Name; what other parts of the file call it by.
    pub name: String,
    /// Website.
    #[serde(default)]
    pub website: String,
}

/// A person.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountDeclared {
    /// How they sign in; what other parts of the file call them by.
    pub email: String,
    /// Name.
    pub name: String,
    /// `en` or `nl`.
    #[serde(default = "english")]
    pub lang: String,
    /// The first password. Applied only when the account is made: what somebody chose later is theirs.
    #[serde(default)]
    pub password: Option<String>,
    /// Staff of.
    #[serde(default)]
    pub staff: Vec<StaffDeclared>,
    /// Developer at.
    #[serde(default)]
    pub developer: Vec<DeveloperDeclared>,
    /// Known to organizations as.
    #[serde(default)]
    pub user: Vec<UserDeclared>,
}

fn english() -> String {
    "en".to_owned()
}

/// A staff membership.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaffDeclared {
    /// Slug.
    pub organization: String,
    /// `viewer`, `reviewer` or `admin`.
    pub role: String,
}

/// A developer membership.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeveloperDeclared {
    /// Name of the provider.
    pub application_provider: String,
    /// `developer` or `admin`.
    pub role: String,
}

/// Who somebody is at an organization.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserDeclared {
    /// Slug.
    pub organization: String,
    /// `Patient/1`, `Practitioner/1`, `RelatedPerson/1`, `Person/1`.
    pub fhir_user: String,
    /// Their own records.
    #[serde(default)]
    pub own_patients: Vec<String>,
    /// Records of those they act for.
    #[serde(default)]
    pub proxy_patients: Vec<String>,
}

/// A client.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientDeclared {
    /// Its `client_id`; what requests and approvals call it by. Lower-case letters, digits, `_`, `-` and `.`.
    pub client_id: String,
    /// Name of its provider.
    pub application_provider: String,
    /// Its secret, for a client with secrets; one is made, and printed once, if absent.
    #[serde(default)]
    pub secret: Option<String>,
    /// What it says of itself.
    pub metadata: ClientMetadata,
}

/// An access request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestDeclared {
    /// Which client.
    pub client_id: String,
    /// Slug.
    pub organization: String,
    /// Slug of the endpoint.
    pub fhir_endpoint: String,
    /// The scopes asked.
    pub scopes: String,
    /// Why.
    pub reason: String,
}

/// An approval of the request declared (or waiting) for the same client and organization.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalDeclared {
    /// Which client.
    pub client_id: String,
    /// Slug.
    pub organization: String,
    /// E-mail address of the reviewer in whose name it is approved.
    pub approved_by: String,
    /// Fewer scopes than asked.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
}
