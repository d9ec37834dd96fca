//! Identifiers are types with prefixes: swapping two does not compile, and a stray one in a log tells what it is.
//!
//! The body is a UUIDv7 in 26 characters of Crockford's base 32, so ids sort by creation time and hold only `[a-z0-9]`.

use super::clock::UtcMillis;
use super::entropy::Entropy;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

fn body(now: UtcMillis, entropy: &dyn Entropy) -> String {
    let mut random = [0; 10];
    entropy.fill(&mut random);
    let millis = u64::try_from(now.0).unwrap_or(0);
    let mut value = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().as_u128();
    let mut text = [0_u8; 26];
    for place in text.iter_mut().rev() {
        *place = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    text.iter().map(|byte| char::from(*byte)).collect()
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// A new id, unique and sorted by `now`.
            pub fn new(now: UtcMillis, entropy: &dyn Entropy) -> Self {
                Self(format!("{}{}", $prefix, body(now, entropy)))
            }

            /// Takes text from outside or from a row. Any text is taken: an id that does not exist is simply not found.
            pub fn from_text(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(/// A provider organization.
    OrganizationId, "org_");
id!(/// A FHIR endpoint of an organization.
    FhirEndpointId, "fep_");
id!(/// A resource server: the principal with which a FHIR server introspects. Also its `client_id`.
    ResourceServerId, "rs_");
id!(/// A person.
    AccountId, "acc_");
id!(/// An application provider.
    ApplicationProviderId, "apv_");
id!(/// A client: its `client_id` (RFC 6749 2.2).
    ClientId, "app_");
id!(/// A client secret (the record, never the secret itself).
    ClientSecretId, "sec_");
id!(/// An access request.
    AccessRequestId, "req_");
id!(/// A registered webhook.
    WebhookId, "whk_");

/// Could this client id be taken for something else that tokens and records name: a person, a FHIR server, ourselves?
pub fn is_reserved_client_id(text: &str) -> bool {
    let others = [
        OrganizationId::PREFIX,
        FhirEndpointId::PREFIX,
        ResourceServerId::PREFIX,
        AccountId::PREFIX,
        ApplicationProviderId::PREFIX,
        ClientSecretId::PREFIX,
        AccessRequestId::PREFIX,
        WebhookId::PREFIX,
    ];
    text == "countersign" || others.iter().any(|prefix| text.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entropy::SeededEntropy;

    #[test]
    fn ids_sort_by_time_and_hold_only_lower_case_letters_and_digits() {
        let entropy = SeededEntropy::new(1);
        let early = ClientId::new(UtcMillis(1_000), &entropy);
        let late = ClientId::new(UtcMillis(1_700_000_000_000), &entropy);
        assert!(early < late);
        let body = late.as_str().strip_prefix("app_").unwrap();
        assert_eq!(body.len(), 26);
        assert!(body.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    }
}
