//! Provider organizations, their FHIR endpoints, and the resource servers that introspect for them.

use super::clock::UtcMillis;
use super::ids::{FhirEndpointId, OrganizationId, ResourceServerId};
use super::secrets::HashedSecret;

/// Whether something takes part at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// In use.
    Active,
    /// Switched off by the operator or the organization; nothing is issued or answered for it.
    Suspended,
}

impl Standing {
    /// The word of the column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    /// Reads the column; anything unknown is not active.
    pub fn parse(word: &str) -> Self {
        if word == "active" { Self::Active } else { Self::Suspended }
    }
}

/// A provider organization: its own OAuth issuer.
#[derive(Clone, Debug)]
pub struct Organization {
    /// Id.
    pub id: OrganizationId,
    /// The path segment of its issuer: `https://HOST/o/{slug}`. Lower-case letters, digits and hyphens.
    pub slug: String,
    /// Name shown to people.
    pub name: String,
    /// Active or suspended.
    pub standing: Standing,
    /// What the organization decides for itself.
    pub settings: OrganizationSettings,
    /// When it was set up.
    pub created_at: UtcMillis,
}

/// Settings of an organization; every one has a safe default.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrganizationSettings {
    /// How long a request waits before it expires, in days.
    pub request_expires_days: i64,
    /// How long an approval holds unless the reviewer says otherwise, in days; `None`: until withdrawn.
    pub approval_expires_days: Option<i64>,
    /// Clinicians are not asked for consent: the organization has decided for them.
    pub standing_consent_for_clinicians: bool,
    /// Origins that may frame sign-in and consent (embedded EHR launch).
    pub frame_ancestors: Vec<String>,
    /// The organization's website.
    pub website: String,
    /// Whom users and developers write to.
    pub contact_email: String,
    /// Who may register a client at this issuer by machine (RFC 7591). It then waits for approval like any other.
    pub registration: RegistrationPolicy,
    /// Clients with a shared secret are given `system/` scopes too. SMART Backend Services takes keys only, and so does an organization that did not decide otherwise.
    pub backend_services_may_use_secrets: bool,
}

/// Who may register a client by machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationPolicy {
    /// Nobody.
    Closed,
    /// Whoever got an initial access token from the organization's staff.
    #[default]
    Token,
    /// Everybody.
    Open,
}

impl Default for OrganizationSettings {
    fn default() -> Self {
        Self {
            request_expires_days: 90,
            approval_expires_days: None,
            standing_consent_for_clinicians: false,
            frame_ancestors: Vec::new(),
            website: String::new(),
            contact_email: String::new(),
            registration: RegistrationPolicy::default(),
            backend_services_may_use_secrets: false,
        }
    }
}

/// Is this a slug we accept: 1 to 63 of `[a-z0-9-]`, not starting or ending with a hyphen?
pub fn is_slug(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// A FHIR base URL of an organization.
#[derive(Clone, Debug)]
pub struct FhirEndpoint {
    /// Id.
    pub id: FhirEndpointId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// The path segment of its discovery documents.
    pub slug: String,
    /// Name shown to people.
    pub name: String,
    /// The FHIR base URL without a trailing slash: the `aud` of SMART and of its tokens.
    pub base_url: String,
    /// The FHIR release it speaks.
    pub release: fhir_scopes::Release,
    /// What can be set per endpoint.
    pub settings: FhirEndpointSettings,
    /// Active or suspended.
    pub standing: Standing,
}

impl FhirEndpoint {
    /// Is `aud` this endpoint? Compared byte for byte, but for one trailing slash (SMART-AL-13).
    pub fn is_audience(&self, aud: &str) -> bool {
        aud.strip_suffix('/').unwrap_or(aud) == self.base_url
    }

    /// The same for every name it goes by.
    pub fn is_named(&self, aud: &str) -> bool {
        let trimmed = |text: &str| text.strip_suffix('/').unwrap_or(text).to_owned();
        self.is_audience(aud) || self.settings.aliases.iter().any(|alias| trimmed(alias) == trimmed(aud))
    }
}

/// Settings of a FHIR endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FhirEndpointSettings {
    /// Access tokens are JWTs (RFC 9068) of at most five minutes, which a disable cannot reach before they end. Off unless chosen.
    pub jwt_access_tokens: bool,
    /// Other FHIR base URLs that are this endpoint (a proxy's name).
    pub aliases: Vec<String>,
    /// How this server itself reads from it, for its own pages; `None`: with tokens of its own, which the FHIR server introspects like any other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<BackendReading>,
}

/// This server as a client of another authorization server, the one that a FHIR server trusts (SMART 2.2 backend services).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackendReading {
    /// Its token endpoint: an absolute URL.
    pub token_endpoint: String,
    /// Who this server is there.
    pub client_id: String,
    /// What it asks for.
    #[serde(default = "BackendReading::usual_scope")]
    pub scope: String,
}

impl BackendReading {
    /// What the pages of a launch read: people, visits and places.
    pub fn usual_scope() -> String {
        "system/Patient.rs system/Encounter.rs system/Practitioner.rs system/RelatedPerson.rs system/Location.rs".into()
    }
}

/// The principal with which a FHIR server introspects tokens; it sees tokens of its organization only.
#[derive(Clone, Debug)]
pub struct ResourceServer {
    /// Id, also its `client_id`.
    pub id: ResourceServerId,
    /// Whose tokens it may ask about.
    pub organization_id: OrganizationId,
    /// Name shown to people.
    pub name: String,
    /// Of its secret.
    pub secret_hash: HashedSecret,
    /// Active, or suspended: revoked by an admin.
    pub standing: Standing,
    /// When it last introspected, to the minute.
    pub last_used_at: Option<UtcMillis>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_were_stored_before_a_member_existed_read_with_its_default() {
        let stored = r#"{"request_expires_days":30,"registration":"open"}"#;
        let settings: OrganizationSettings = serde_json::from_str(stored).unwrap();
        assert_eq!((settings.request_expires_days, settings.registration), (30, RegistrationPolicy::Open));
        assert!(!settings.backend_services_may_use_secrets, "keys only, unless somebody decides otherwise");
    }
}
