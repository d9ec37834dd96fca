//! Client metadata on the wire (RFC 7591 2, OpenID Connect Registration 2): read strictly, told completely.
//!
//! - A member twice, at any depth, is refused: two parsers could believe two things (D13). A `null` member is one that was not sent (RFC 7592 2.2).
//! - Members we do not know are ignored, as RFC 7591 2 asks; among them everything a client could wish to say about its own approval (D06). Members that would
//!   promise a protection we do not give (encrypted ID tokens, bound access tokens, pairwise subjects) are refused rather than forgotten.
//! - `contacts` may be left out, and reviewers are told that there is nobody to write to; what is sent must be e-mail addresses. A `logo_uri` is checked and
//!   never fetched: a logo is uploaded by a person.
//! - SMART has no member for launch URLs; here it is `launch_uri`. `assertion_audience` (`smart` or `strict`) is the audience rule of client assertions.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::domain::clients::{
    ASSERTION_ALGORITHMS, AssertionAudience, ClientMetadata, ClientType, Declared, GrantType,
};
use crate::domain::json;
use crate::governance::clients::{self, OwnClient};
use crate::outbound::http_client;
use crate::protocol::{ErrorKind, OAuthError};

/// Most URIs or contacts of a kind.
const MOST: usize = 20;

/// Members that would promise what is not done here.
const UNSUPPORTED: &[&str] = &[
    "sector_identifier_uri",
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "userinfo_signed_response_alg",
    "userinfo_encrypted_response_alg",
    "userinfo_encrypted_response_enc",
    "introspection_signed_response_alg",
    "introspection_encrypted_response_alg",
    "introspection_encrypted_response_enc",
    "authorization_signed_response_alg",
    "authorization_encrypted_response_alg",
    "authorization_encrypted_response_enc",
    "request_object_encryption_alg",
    "request_object_encryption_enc",
];
/// The same for members that are true or false.
const UNSUPPORTED_IF_TRUE: &[&str] = &[
    "require_signed_request_object",
    "require_pushed_authorization_requests",
    "dpop_bound_access_tokens",
    "tls_client_certificate_bound_access_tokens",
    "frontchannel_logout_session_required",
];

/// Client metadata as sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    client_name: Option<String>,
    client_uri: Option<String>,
    logo_uri: Option<String>,
    tos_uri: Option<String>,
    policy_uri: Option<String>,
    contacts: Vec<String>,
    redirect_uris: Vec<String>,
    post_logout_redirect_uris: Vec<String>,
    backchannel_logout_uri: Option<String>,
    launch_uri: Option<String>,
    initiate_login_uri: Option<String>,
    token_endpoint_auth_method: Option<String>,
    token_endpoint_auth_signing_alg: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    application_type: Option<String>,
    scope: Option<String>,
    jwks: Option<Value>,
    jwks_uri: Option<String>,
    software_id: Option<String>,
    software_version: Option<String>,
    default_max_age: Option<i64>,
    require_auth_time: Option<bool>,
    id_token_signed_response_alg: Option<String>,
    subject_type: Option<String>,
    assertion_audience: Option<AssertionAudience>,
}

fn invalid(text: &'static str) -> OAuthError {
    OAuthError::new(ErrorKind::InvalidClientMetadata, text)
}

/// Reads a body as a JSON object in which nothing is said twice and nothing is null.
pub(super) fn members(body: &[u8]) -> Result<Map<String, Value>, OAuthError> {
    let read = json::object(body);
    let mut members = read.map_err(|error| invalid("the body is not client metadata").because(error.to_string()))?;
    members.retain(|_, value| !value.is_null());
    Ok(members)
}

impl Sent {
    /// What the members say. `allow_private` allows addresses on this machine, for the demo and for tests.
    pub(super) fn read(members: &Map<String, Value>, allow_private: bool) -> Result<Self, OAuthError> {
        if members.contains_key("software_statement") {
            let text = "no issuer of software statements is trusted here";
            return Err(OAuthError::new(ErrorKind::InvalidSoftwareStatement, text));
        }
        let is_unsupported = UNSUPPORTED.iter().any(|name| members.contains_key(*name))
            || UNSUPPORTED_IF_TRUE.iter().any(|name| members.get(*name) == Some(&Value::Bool(true)));
        if is_unsupported {
            return Err(invalid("a member asks for what is not supported here"));
        }
        let sent: Self = json::from_members(members.clone())
            .map_err(|error| invalid("a member has the wrong type").because(error.to_string()))?;
        sent.check(allow_private)?;
        Ok(sent)
    }

    fn check(&self, allow_private: bool) -> Result<(), OAuthError> {
        if [&self.redirect_uris, &self.post_logout_redirect_uris, &self.contacts].iter().any(|list| list.len() > MOST) {
            return Err(invalid("there are too many URIs or contacts"));
        }
        if self.id_token_signed_response_alg.as_deref().is_some_and(|alg| alg != "RS256") {
            return Err(invalid("id_token_signed_response_alg must be RS256"));
        }
        if self.subject_type.as_deref().is_some_and(|kind| kind != "public") {
            return Err(invalid("subject_type must be public"));
        }
        if self.response_types.as_ref().is_some_and(|types| types.iter().any(|kind| kind != "code")) {
            return Err(invalid("response_types must be code"));
        }
        if self.application_type.as_deref().is_some_and(|kind| kind != "web" && kind != "native") {
            return Err(invalid("application_type must be web or native"));
        }
        if self.jwks.is_some() && self.jwks_uri.is_some() {
            return Err(invalid("jwks and jwks_uri exclude each other"));
        }
        let algorithm = self.token_endpoint_auth_signing_alg.as_deref();
        if algorithm.is_some_and(|algorithm| !ASSERTION_ALGORITHMS.contains(&algorithm)) {
            return Err(invalid("token_endpoint_auth_signing_alg is not supported"));
        }
        if let Some(jwks) = &self.jwks {
            clients::check_key_set(&jwks.to_string())
                .map_err(|(_, message)| invalid("jwks is not a set of good public keys").because(message))?;
        }
        for uri in [
            &self.logo_uri,
            &self.jwks_uri,
            &self.policy_uri,
            &self.tos_uri,
            &self.client_uri,
            &self.backchannel_logout_uri,
            &self.initiate_login_uri,
        ]
        .into_iter()
        .flatten()
        {
            let is_fine = url::Url::parse(uri).is_ok_and(|url| http_client::check(&url, allow_private).is_ok());
            if !is_fine {
                return Err(invalid("a URI is not a public https address"));
            }
        }
        Ok(())
    }

    /// What it asks the organization for, if it says.
    pub(super) fn scopes(&self) -> Option<&str> {
        self.scope.as_deref().map(str::trim).filter(|scope| !scope.is_empty())
    }

    /// What was sent as what we keep; `before` keeps what these members cannot say.
    pub(super) fn metadata(self, before: Option<&ClientMetadata>) -> Result<ClientMetadata, OAuthError> {
        let method = self.token_endpoint_auth_method.as_deref().unwrap_or("client_secret_basic");
        let client_type = match method {
            "none" => ClientType::Public,
            "client_secret_basic" | "client_secret_post" => ClientType::ConfidentialSecret,
            "private_key_jwt" => ClientType::ConfidentialKeys,
            _ => return Err(invalid("token_endpoint_auth_method is not supported")),
        };
        let has_keys = client_type == ClientType::ConfidentialKeys;
        let words = self.grant_types.unwrap_or_else(|| vec!["authorization_code".into()]);
        let grant_types: Option<Vec<GrantType>> = words.iter().map(|word| GrantType::parse(word)).collect();
        let grant_types = grant_types.ok_or_else(|| invalid("a grant type is not supported"))?;
        let declared = Declared {
            secret_in_body: method == "client_secret_post",
            // keys and their algorithm mean nothing for other methods; they are not registered then (RFC 7591 3.2.1)
            assertion_algorithm: self.token_endpoint_auth_signing_alg.filter(|_| has_keys),
            default_max_age: self.default_max_age,
            require_auth_time: self.require_auth_time == Some(true),
            initiate_login_uri: self.initiate_login_uri,
            software_id: self.software_id,
            software_version: self.software_version,
        };
        Ok(ClientMetadata {
            name: self.client_name.unwrap_or_else(|| "Unnamed app".into()),
            description: before.map(|before| before.description.clone()).unwrap_or_default(),
            logo: before.and_then(|before| before.logo.clone()),
            contacts: self.contacts,
            homepage: self.client_uri.unwrap_or_default(),
            privacy: self.policy_uri.unwrap_or_default(),
            terms: self.tos_uri.unwrap_or_default(),
            client_type,
            jwks: self.jwks.filter(|_| has_keys).as_ref().map(Value::to_string),
            jwks_uri: self.jwks_uri.filter(|_| has_keys),
            redirect_uris: self.redirect_uris,
            launch_uri: self.launch_uri,
            post_logout_redirect_uris: self.post_logout_redirect_uris,
            backchannel_logout_uri: self.backchannel_logout_uri,
            native: self.application_type.as_deref() == Some("native"),
            grant_types,
            assertion_audience: self
                .assertion_audience
                .or(before.map(|before| before.assertion_audience))
                .unwrap_or_default(),
            fhir_context_objects: before.is_none_or(|before| before.fhir_context_objects),
            declared,
        })
    }
}

/// What is registered, member by member: everything that is in force, and nothing that is not.
pub(super) fn told(own: &OwnClient, scopes: &str) -> Map<String, Value> {
    let metadata = &own.latest.metadata;
    let declared = &metadata.declared;
    let method = match metadata.client_type {
        ClientType::Public => "none",
        ClientType::ConfidentialSecret if declared.secret_in_body => "client_secret_post",
        ClientType::ConfidentialSecret => "client_secret_basic",
        ClientType::ConfidentialKeys => "private_key_jwt",
    };
    let mut members = Map::new();
    let mut tell = |name: &str, value: Value| {
        let is_nothing = value.is_null() || value == "" || value.as_array().is_some_and(Vec::is_empty);
        if !is_nothing {
            members.insert(name.to_owned(), value);
        }
    };
    tell("client_id", own.client.id.as_str().into());
    tell("client_id_issued_at", own.client.created_at.seconds().into());
    tell("client_name", metadata.name.as_str().into());
    tell("client_uri", metadata.homepage.as_str().into());
    tell("policy_uri", metadata.privacy.as_str().into());
    tell("tos_uri", metadata.terms.as_str().into());
    tell("contacts", metadata.contacts.clone().into());
    tell("software_id", json!(declared.software_id));
    tell("software_version", json!(declared.software_version));
    tell("redirect_uris", metadata.redirect_uris.clone().into());
    tell("post_logout_redirect_uris", metadata.post_logout_redirect_uris.clone().into());
    tell("backchannel_logout_uri", json!(metadata.backchannel_logout_uri));
    if metadata.backchannel_logout_uri.is_some() {
        // logout tokens always carry sid
        tell("backchannel_logout_session_required", true.into());
    }
    tell("launch_uri", json!(metadata.launch_uri));
    tell("initiate_login_uri", json!(declared.initiate_login_uri));
    tell("jwks_uri", json!(metadata.jwks_uri));
    tell("jwks", metadata.jwks.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null));
    tell("token_endpoint_auth_method", method.into());
    tell("token_endpoint_auth_signing_alg", json!(declared.assertion_algorithm));
    if metadata.client_type == ClientType::ConfidentialKeys {
        tell("assertion_audience", json!(metadata.assertion_audience));
    }
    tell("grant_types", metadata.grant_types.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().into());
    if metadata.may_use(GrantType::AuthorizationCode) {
        tell("response_types", json!(["code"]));
        tell("id_token_signed_response_alg", "RS256".into());
        tell("subject_type", "public".into());
        tell("default_max_age", json!(declared.default_max_age));
        tell("require_auth_time", declared.require_auth_time.into());
    }
    tell("application_type", if metadata.native { "native" } else { "web" }.into());
    tell("scope", scopes.into());
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_read_strictly_is_refused_and_null_is_not_said() {
        for bad in [r#"{"jwks":{"keys":[{"kid":"a","kid":"b"}]}}"#, "[]", ""] {
            assert!(members(bad.as_bytes()).is_err(), "{bad}");
        }
        let read = members(br#" {"a":null,"b":[1,-2,0.5,true,"x",{"c":null}]} "#).unwrap();
        assert_eq!(Value::Object(read), json!({ "b": [1, -2, 0.5, true, "x", { "c": null }] }));
    }
}
