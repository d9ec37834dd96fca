//! Requests that only sign a person in: OpenID Connect as a plain relying party speaks it (OpenID Connect Core 3.1.2.1).
//!
//! SMART wants `aud` and PKCE in every authorization request, and so do we wherever a FHIR server is concerned (SMART-AL-13, SMART-AL-15). A staff portal that only
//! wants to know who somebody is knows neither. What it asks for opens no FHIR server: no resource scope, no launch context, no `fhirUser`. It gets an ID token, and
//! an access token that is good for userinfo alone. For such a request, and no other:
//!
//! - `aud` may be left out. One that is sent is checked.
//! - PKCE may be left out by a client that proves itself at the token endpoint, where a stolen code is of no use to anybody else (RFC 9700 2.1.1: recommended, not
//!   required, for confidential clients). A challenge that is sent counts; a public client always sends one.

use super::params::Params;
use crate::domain::clients::{ClientMetadata, ClientType};

/// Scopes of OpenID Connect Core 5.4 and 11; any other makes it a SMART request.
const SCOPES: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

/// What a request may leave out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waived {
    /// `code_challenge`.
    pub pkce: bool,
    /// `aud`.
    pub audience: bool,
}

/// What this request leaves out, and may.
pub fn waived(metadata: &ClientMetadata, params: &Params) -> Waived {
    let words: Vec<&str> = params.get("scope").unwrap_or_default().split(' ').filter(|word| !word.is_empty()).collect();
    let only_signs_in = words.contains(&"openid") && words.iter().all(|word| SCOPES.contains(word));
    if !only_signs_in || params.has("launch") {
        return Waived::default();
    }
    let names = |name: &str| params.has(name);
    Waived {
        pkce: metadata.client_type != ClientType::Public && !names("code_challenge") && !names("code_challenge_method"),
        audience: !names("aud") && !names("resource"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(client_type: &str) -> ClientMetadata {
        serde_json::from_value(serde_json::json!({
            "name": "x", "client_type": client_type, "grant_types": ["authorization_code"]
        }))
        .unwrap()
    }

    fn of(client_type: &str, query: &str) -> (bool, bool) {
        let waived = waived(&client(client_type), &Params::parse(query).unwrap());
        (waived.pkce, waived.audience)
    }

    #[test]
    fn only_what_opens_no_fhir_server_may_leave_out_aud_and_pkce() {
        assert_eq!(of("confidential_secret", "scope=openid+profile+email+offline_access"), (true, true));
        for smart in [
            "scope=openid+fhirUser",
            "scope=openid+launch/patient",
            "scope=openid+patient/Patient.rs",
            "scope=openid+system/*.rs",
            "scope=openid+online_access",
            "scope=openid+anything",
            "scope=openid&launch=x",
            "scope=profile",
            "scope=",
            "",
        ] {
            assert_eq!(of("confidential_secret", smart), (false, false), "{smart}");
        }
    }

    #[test]
    fn a_public_client_sends_a_challenge_and_what_is_sent_counts() {
        assert_eq!(of("public", "scope=openid"), (false, true));
        assert_eq!(of("confidential_keys", "scope=openid&code_challenge=x"), (false, true));
        assert_eq!(of("confidential_keys", "scope=openid&code_challenge_method=plain"), (false, true));
        assert_eq!(of("confidential_keys", "scope=openid&aud=x"), (true, false));
        assert_eq!(of("confidential_keys", "scope=openid&resource=x"), (true, false));
        assert_eq!(of("confidential_keys", "scope=openid&resource=&aud&code_challenge=&launch="), (true, true));
    }
}
