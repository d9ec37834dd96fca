//! What a client may say of itself. Every mistake is reported at once.

use super::{jwks, redirect_uris};
use crate::domain::accounts::normalized_email;
use crate::domain::clients::{ASSERTION_ALGORITHMS, ClientMetadata, ClientType, GrantType};
use crate::governance::Refusal;
use crate::governance::error::Fault;

/// Longest name, characters.
const NAME: usize = 80;
/// Longest description, characters.
const DESCRIPTION: usize = 2000;

/// Tidies what may be tidied (spaces around it, order of grant types) and checks all of it. `local` allows http on loopback addresses for server-side URLs:
/// for the demo and for tests.
pub fn validate(metadata: ClientMetadata, local: bool) -> Result<ClientMetadata, Refusal> {
    judged(metadata, local, Contacts::Needed)
}

/// The same for a client that registers itself: `contacts` may be left out (RFC 7591 2), which its reviewers are told.
pub fn validate_self_registered(metadata: ClientMetadata, local: bool) -> Result<ClientMetadata, Refusal> {
    judged(metadata, local, Contacts::Optional)
}

/// Must there be somebody to write to?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Contacts {
    Needed,
    Optional,
}

fn judged(mut metadata: ClientMetadata, local: bool, contacts: Contacts) -> Result<ClientMetadata, Refusal> {
    tidy(&mut metadata);
    let mut faults = Vec::new();
    words(&metadata, contacts, &mut faults);
    pages(&metadata, local, &mut faults);
    redirects(&metadata, local, &mut faults);
    credentials(&metadata, local, &mut faults);
    grants(&metadata, &mut faults);
    declared(&metadata, local, &mut faults);
    if faults.is_empty() { Ok(metadata) } else { Err(Refusal::Invalid(faults)) }
}

fn tidy(metadata: &mut ClientMetadata) {
    let optional = |text: &mut Option<String>| {
        if let Some(inner) = text {
            *inner = inner.trim().to_owned();
        }
        if text.as_ref().is_some_and(String::is_empty) {
            *text = None;
        }
    };
    for text in [
        &mut metadata.name,
        &mut metadata.description,
        &mut metadata.homepage,
        &mut metadata.privacy,
        &mut metadata.terms,
    ] {
        *text = text.trim().to_owned();
    }
    for text in [
        &mut metadata.jwks,
        &mut metadata.jwks_uri,
        &mut metadata.launch_uri,
        &mut metadata.backchannel_logout_uri,
        &mut metadata.logo,
        &mut metadata.declared.assertion_algorithm,
        &mut metadata.declared.initiate_login_uri,
        &mut metadata.declared.software_id,
        &mut metadata.declared.software_version,
    ] {
        optional(text);
    }
    for list in [&mut metadata.redirect_uris, &mut metadata.post_logout_redirect_uris, &mut metadata.contacts] {
        let mut seen = Vec::new();
        for entry in list.drain(..) {
            let entry = entry.trim().to_owned();
            if !entry.is_empty() && !seen.contains(&entry) {
                seen.push(entry);
            }
        }
        *list = seen;
    }
    // what means nothing for another way to prove itself
    if metadata.client_type != ClientType::ConfidentialKeys {
        metadata.declared.assertion_algorithm = None;
    }
    if metadata.client_type != ClientType::ConfidentialSecret {
        metadata.declared.secret_in_body = false;
    }
    metadata.grant_types.sort_unstable();
    metadata.grant_types.dedup();
}

/// Text that can be told from what it looks like: no control characters, no invisible ones, nothing that turns the reading direction.
fn is_plain_text(text: &str, lines: bool) -> bool {
    !text.chars().any(|c| {
        (c.is_control() && !(lines && matches!(c, '\n' | '\r' | '\t')))
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{e0000}'..='\u{e007f}')
    })
}

fn words(metadata: &ClientMetadata, contacts: Contacts, faults: &mut Vec<Fault>) {
    if metadata.name.is_empty() || metadata.name.chars().count() > NAME {
        faults.push(Fault::new("name", "name-length", format!("a name has 1 to {NAME} characters")));
    }
    if !is_plain_text(&metadata.name, false) {
        faults.push(Fault::new(
            "name",
            "invisible-characters",
            "invisible characters and changes of reading direction are not allowed",
        ));
    }
    if metadata.description.chars().count() > DESCRIPTION || !is_plain_text(&metadata.description, true) {
        faults.push(Fault::new(
            "description",
            "description",
            format!("plain text of at most {DESCRIPTION} characters"),
        ));
    }
    let is_nobody = metadata.contacts.is_empty() && contacts == Contacts::Needed;
    if is_nobody || metadata.contacts.len() > 10 {
        faults.push(Fault::new("contacts", "contacts-count", "1 to 10 e-mail addresses"));
    }
    for contact in &metadata.contacts {
        if normalized_email(contact).is_none() {
            faults.push(Fault::new("contacts", "contact-not-email", format!("{contact}: not an e-mail address")));
        }
    }
}

fn pages(metadata: &ClientMetadata, local: bool, faults: &mut Vec<Fault>) {
    for (field, text) in [("homepage", &metadata.homepage), ("privacy", &metadata.privacy), ("terms", &metadata.terms)]
    {
        if !text.is_empty()
            && let Err((code, message)) = redirect_uris::check_https(text, local)
        {
            faults.push(Fault::new(field, code, message));
        }
    }
}

fn redirects(metadata: &ClientMetadata, local: bool, faults: &mut Vec<Fault>) {
    if metadata.redirect_uris.len() > 20 || metadata.post_logout_redirect_uris.len() > 20 {
        faults.push(Fault::new("redirect_uris", "uris-count", "at most 20 URIs"));
        return;
    }
    let lists = [
        ("redirect_uris", &metadata.redirect_uris),
        ("post_logout_redirect_uris", &metadata.post_logout_redirect_uris),
    ];
    for (field, list) in lists {
        for uri in list {
            if let Err((code, message)) = redirect_uris::check(uri, metadata.native) {
                faults.push(Fault::new(field, code, message));
            }
        }
    }
    if let Some(uri) = &metadata.launch_uri {
        // an EHR opens it in a browser on the user's machine, where loopback is the user's own
        if let Err((code, message)) = redirect_uris::check_https(uri, true) {
            faults.push(Fault::new("launch_uri", code, message));
        }
    }
    if let Some(uri) = &metadata.backchannel_logout_uri
        && let Err((code, message)) = redirect_uris::check_https(uri, local)
    {
        faults.push(Fault::new("backchannel_logout_uri", code, message));
    }
    let needs_redirect = metadata.may_use(GrantType::AuthorizationCode);
    if needs_redirect && metadata.redirect_uris.is_empty() {
        faults.push(Fault::new(
            "redirect_uris",
            "redirect-missing",
            "a client that signs users in needs a redirect URI",
        ));
    }
}

fn credentials(metadata: &ClientMetadata, local: bool, faults: &mut Vec<Fault>) {
    match (metadata.client_type, &metadata.jwks, &metadata.jwks_uri) {
        (ClientType::ConfidentialKeys, None, None) => {
            faults.push(Fault::new("jwks", "keys-missing", "a JWK Set, or the URL of one, is needed"));
        }
        (ClientType::ConfidentialKeys, Some(_), Some(_)) => {
            faults.push(Fault::new("jwks", "keys-twice", "either a JWK Set or the URL of one, not both (RFC 7591 2)"));
        }
        (ClientType::ConfidentialKeys, Some(set), None) => {
            if let Err((code, message)) = jwks::check(set) {
                faults.push(Fault::new("jwks", code, message));
            }
        }
        (ClientType::ConfidentialKeys, None, Some(uri)) => {
            if let Err((code, message)) = redirect_uris::check_https(uri, local) {
                faults.push(Fault::new("jwks_uri", code, message));
            }
        }
        (ClientType::Public | ClientType::ConfidentialSecret, None, None) => {}
        (ClientType::Public | ClientType::ConfidentialSecret, _, _) => {
            faults.push(Fault::new(
                "jwks",
                "keys-unused",
                "only clients that prove themselves with keys register keys",
            ));
        }
    }
}

fn grants(metadata: &ClientMetadata, faults: &mut Vec<Fault>) {
    let signs_in = metadata.may_use(GrantType::AuthorizationCode);
    let alone = metadata.may_use(GrantType::ClientCredentials);
    if !signs_in && !alone {
        faults.push(Fault::new(
            "grant_types",
            "grant-types-missing",
            "choose authorization_code, client_credentials, or both",
        ));
    }
    if metadata.may_use(GrantType::RefreshToken) && !signs_in {
        faults.push(Fault::new("grant_types", "refresh-alone", "refresh_token goes with authorization_code"));
    }
    if alone && metadata.client_type == ClientType::Public {
        faults.push(Fault::new(
            "grant_types",
            "public-client-credentials",
            "a client that cannot keep a secret cannot act on its own (RFC 6749 4.4)",
        ));
    }
}

fn declared(metadata: &ClientMetadata, local: bool, faults: &mut Vec<Fault>) {
    let declared = &metadata.declared;
    for (field, text) in [("software_id", &declared.software_id), ("software_version", &declared.software_version)] {
        if text.as_ref().is_some_and(|text| text.chars().count() > 200 || !is_plain_text(text, false)) {
            faults.push(Fault::new(field, "declared-text", "one line of plain text of at most 200 characters"));
        }
    }
    if declared.default_max_age.is_some_and(|seconds| !(0..=i64::from(i32::MAX)).contains(&seconds)) {
        faults.push(Fault::new("default_max_age", "declared-age", "a number of seconds"));
    }
    if let Some(uri) = &declared.initiate_login_uri
        && let Err((code, message)) = redirect_uris::check_https(uri, local)
    {
        faults.push(Fault::new("initiate_login_uri", code, message));
    }
    if let Some(algorithm) = &declared.assertion_algorithm
        && !ASSERTION_ALGORITHMS.contains(&algorithm.as_str())
    {
        let message = format!("one of {}", ASSERTION_ALGORITHMS.join(", "));
        faults.push(Fault::new("token_endpoint_auth_signing_alg", "declared-algorithm", message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clients::{AssertionAudience, Declared};

    fn good() -> ClientMetadata {
        ClientMetadata {
            name: "Growth Chart".into(),
            description: String::new(),
            logo: None,
            contacts: vec!["dev@example.org".into()],
            homepage: String::new(),
            privacy: String::new(),
            terms: String::new(),
            client_type: ClientType::Public,
            jwks: None,
            jwks_uri: None,
            redirect_uris: vec!["https://app.example/cb".into()],
            launch_uri: None,
            post_logout_redirect_uris: Vec::new(),
            backchannel_logout_uri: None,
            native: false,
            grant_types: vec![GrantType::RefreshToken, GrantType::AuthorizationCode],
            assertion_audience: AssertionAudience::Smart,
            fhir_context_objects: true,
            declared: Declared::default(),
        }
    }

    fn codes(metadata: ClientMetadata) -> Vec<&'static str> {
        match validate(metadata, false) {
            Ok(_) => Vec::new(),
            Err(Refusal::Invalid(faults)) => faults.into_iter().map(|fault| fault.code).collect(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_good_client_is_taken_and_tidied() {
        let taken = validate(ClientMetadata { name: "  Growth Chart ".into(), ..good() }, false).unwrap();
        assert_eq!(taken.name, "Growth Chart");
        assert_eq!(taken.grant_types, [GrantType::AuthorizationCode, GrantType::RefreshToken]);
        let declared =
            Declared { assertion_algorithm: Some("ES384".into()), secret_in_body: true, ..Declared::default() };
        let taken = validate(ClientMetadata { declared, ..good() }, false).unwrap();
        assert!(taken.declared.is_nothing(), "for a public client neither means anything");
    }

    #[test]
    fn each_mistake_has_its_fault() {
        let cases = [
            (ClientMetadata { name: String::new(), ..good() }, "name-length"),
            (ClientMetadata { name: "x".repeat(81), ..good() }, "name-length"),
            (ClientMetadata { name: "abc\u{202e}gpj".into(), ..good() }, "invisible-characters"),
            (ClientMetadata { name: "a\u{200b}b".into(), ..good() }, "invisible-characters"),
            (ClientMetadata { contacts: vec![], ..good() }, "contacts-count"),
            (ClientMetadata { contacts: vec!["nobody".into()], ..good() }, "contact-not-email"),
            (ClientMetadata { homepage: "http://app.example".into(), ..good() }, "uri-needs-https"),
            (ClientMetadata { privacy: "javascript:alert(1)".into(), ..good() }, "uri-needs-https"),
            (ClientMetadata { redirect_uris: vec![], ..good() }, "redirect-missing"),
            (ClientMetadata { client_type: ClientType::ConfidentialKeys, ..good() }, "keys-missing"),
            (ClientMetadata { jwks_uri: Some("https://app.example/jwks".into()), ..good() }, "keys-unused"),
            (ClientMetadata { grant_types: vec![GrantType::ClientCredentials], ..good() }, "public-client-credentials"),
            (ClientMetadata { grant_types: vec![], ..good() }, "grant-types-missing"),
            (
                ClientMetadata {
                    declared: Declared { software_id: Some("a\u{202e}b".into()), ..Declared::default() },
                    ..good()
                },
                "declared-text",
            ),
            (
                ClientMetadata { declared: Declared { default_max_age: Some(-1), ..Declared::default() }, ..good() },
                "declared-age",
            ),
            (
                ClientMetadata {
                    declared: Declared {
                        initiate_login_uri: Some("http://app.example/".into()),
                        ..Declared::default()
                    },
                    ..good()
                },
                "uri-needs-https",
            ),
            (
                ClientMetadata {
                    client_type: ClientType::ConfidentialKeys,
                    declared: Declared { assertion_algorithm: Some("HS256".into()), ..Declared::default() },
                    ..good()
                },
                "declared-algorithm",
            ),
            (
                ClientMetadata {
                    client_type: ClientType::ConfidentialSecret,
                    grant_types: vec![GrantType::ClientCredentials, GrantType::RefreshToken],
                    ..good()
                },
                "refresh-alone",
            ),
        ];
        for (metadata, code) in cases {
            assert!(codes(metadata.clone()).contains(&code), "{code}: {:?}", codes(metadata));
        }
    }

    #[test]
    fn only_a_client_that_registers_itself_may_name_nobody() {
        let nobody = ClientMetadata { contacts: vec![], ..good() };
        assert!(validate_self_registered(nobody.clone(), false).is_ok());
        assert!(validate(nobody, false).is_err());
        let wrong = ClientMetadata { contacts: vec!["nobody".into()], ..good() };
        assert!(validate_self_registered(wrong, false).is_err());
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let faults = codes(ClientMetadata {
            name: String::new(),
            contacts: vec![],
            redirect_uris: vec!["http://x.example/".into()],
            ..good()
        });
        assert_eq!(faults, ["name-length", "contacts-count", "uri-needs-https"]);
    }
}
