//! What we say of ourselves, in every dialect.

use axum::http::Method;
use serde_json::Value;

use countersign::domain::organizations::{OrganizationSettings, RegistrationPolicy, Standing};
use countersign::storage;

use super::actors::{ISSUER, Stage};
use crate::support::browser::Answer;
use crate::support::on_both;

/// Every public document of an organization with one FHIR endpoint.
const DOCUMENTS: [&str; 6] = [
    "https://countersign.example/.well-known/oauth-authorization-server/o/st-mary",
    "https://countersign.example/o/st-mary/.well-known/openid-configuration",
    "https://countersign.example/o/st-mary/fhir/r4/.well-known/smart-configuration",
    "https://countersign.example/o/st-mary/fhir/r4/metadata",
    "https://countersign.example/o/st-mary/jwks",
    "https://countersign.example/o/st-mary/brands",
];

#[track_caller]
fn is_not_here(answer: &Answer) {
    assert_eq!(answer.status, 404, "{}", answer.at);
    assert_eq!(answer.header("content-type"), "application/json", "{}", answer.at);
    assert_eq!(answer.json()["error"], "not_found");
    assert_eq!(answer.header("access-control-allow-origin"), "*", "a browser app can read why");
}

#[test]
fn no_header_of_a_request_changes_what_we_say_of_ourselves() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let spoofed = [
            ("host", "evil.example"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-port", "666"),
            ("x-forwarded-prefix", "/evil"),
            ("x-original-url", "/evil"),
            ("forwarded", "host=evil.example;proto=http"),
        ];
        for url in DOCUMENTS {
            let plain = browser.get(url).await;
            let answer = browser.send(Method::GET, url, &spoofed, "").await;
            assert_eq!((answer.status, &answer.body), (plain.status, &plain.body), "{url}");
        }
        // pages and redirects, too; the request itself goes round by the sign-in, and its address is ours
        for path in ["/console/st-mary", "/o/st-mary/apps", "/sign-in", "/nowhere"] {
            let answer = browser.send(Method::GET, path, &spoofed, "").await;
            let said = format!("{} {}", answer.location(), answer.body);
            assert!(!said.contains("evil") && !said.contains("http://"), "{path}: {said}");
        }
        stage.end().await;
    });
}

#[test]
fn every_document_says_the_same_and_every_url_answers() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let smart_url = format!("{ISSUER}/fhir/r4/.well-known/smart-configuration");
        let mut texts = Vec::new();
        for accept in [None, Some("application/fhir+xml"), Some("text/html"), Some("application/json")] {
            let headers: Vec<_> = accept.iter().map(|accept| ("accept", *accept)).collect();
            let answer = browser.send(Method::GET, &smart_url, &headers, "").await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("content-type"), "application/json");
            assert_eq!(answer.header("access-control-allow-origin"), "*");
            assert_eq!(answer.header("access-control-allow-credentials"), "");
            texts.push((answer.header("etag"), answer.body));
        }
        texts.dedup();
        assert_eq!(texts.len(), 1);
        let etag = texts[0].0.clone();
        let kept = browser.send(Method::GET, &smart_url, &[("if-none-match", &etag)], "").await;
        assert_eq!((kept.status.as_u16(), kept.body.as_str()), (304, ""));
        assert!(kept.header("cache-control").contains("max-age"));

        let smart: Value = serde_json::from_str(&texts[0].1).unwrap();
        let openid = browser.get(&format!("{ISSUER}/.well-known/openid-configuration")).await.json();
        let inserted =
            browser.get("https://countersign.example/.well-known/oauth-authorization-server/o/st-mary").await.json();
        assert_eq!(openid, inserted);
        assert_eq!(openid["issuer"], ISSUER);
        for (name, value) in openid.as_object().unwrap() {
            assert!(!value.is_null() && value != "", "{name}");
            if name != "grant_types_supported" {
                assert_eq!(smart.get(name), Some(value), "{name}");
            }
        }
        assert_eq!(smart["grant_types_supported"], serde_json::json!(["authorization_code", "client_credentials"]));
        assert_eq!(smart["code_challenge_methods_supported"], serde_json::json!(["S256"]));
        assert!(openid["id_token_signing_alg_values_supported"].as_array().unwrap().contains(&"RS256".into()));
        for capability in smart["capabilities"].as_array().unwrap() {
            assert!(capability.is_string());
        }
        for (name, url) in
            smart.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri")
        {
            let url = url.as_str().unwrap();
            assert!(url.starts_with("https://countersign.example/"), "{name} is absolute");
            let answer = browser.get(url).await;
            assert!(answer.status != 404 && !answer.status.is_server_error(), "{name}: {}", answer.status);
        }

        let metadata = browser.get(&format!("{ISSUER}/fhir/r4/metadata")).await;
        assert_eq!(metadata.header("content-type"), "application/fhir+json");
        assert_eq!(metadata.header("access-control-allow-origin"), "*");
        countersign::outbound::fhir::R4::read(&metadata.body).expect("a CapabilityStatement of R4");
        let security = metadata.json()["rest"][0]["security"].clone();
        assert_eq!(security["service"][0]["coding"][0]["code"], "SMART-on-FHIR");
        let named: std::collections::BTreeMap<String, String> = security["extension"][0]["extension"]
            .as_array()
            .unwrap()
            .iter()
            .map(|uri| (uri["url"].as_str().unwrap().to_owned(), uri["valueUri"].as_str().unwrap().to_owned()))
            .collect();
        for (short, member) in [
            ("authorize", "authorization_endpoint"),
            ("token", "token_endpoint"),
            ("introspect", "introspection_endpoint"),
            ("revoke", "revocation_endpoint"),
            ("manage", "management_endpoint"),
            ("register", "registration_endpoint"),
        ] {
            assert_eq!(named.get(short).map(String::as_str), smart[member].as_str(), "{short}");
        }
        stage.end().await;
    });
}

#[test]
fn documents_of_what_is_not_there_are_not_there() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        for path in [
            "/o/nowhere/.well-known/openid-configuration",
            "/.well-known/oauth-authorization-server/o/nowhere",
            "/o/st-mary/fhir/r5/.well-known/smart-configuration",
            "/o/nowhere/fhir/r4/.well-known/smart-configuration",
            "/o/nowhere/fhir/r4/metadata",
            "/o/nowhere/jwks",
            "/o/nowhere/brands",
        ] {
            is_not_here(&browser.get(path).await);
        }
        // switched off is as not there: the endpoint alone, then the organization
        let mut endpoint = stage.world().endpoint.clone();
        endpoint.standing = Standing::Suspended;
        stage
            .world()
            .write(move |conn| Box::pin(async move { storage::organizations::update_endpoint(conn, &endpoint).await }))
            .await;
        for path in ["fhir/r4/.well-known/smart-configuration", "fhir/r4/metadata"] {
            is_not_here(&browser.get(&format!("{ISSUER}/{path}")).await);
        }
        assert_eq!(browser.get(&format!("{ISSUER}/.well-known/openid-configuration")).await.status, 200);
        let brands = browser.get(&format!("{ISSUER}/brands")).await.json();
        assert_eq!(brands["entry"].as_array().unwrap().len(), 1, "and is in no list");
        let mut organization = stage.world().reviewer.organization.clone();
        organization.standing = Standing::Suspended;
        stage
            .world()
            .write(move |conn| Box::pin(async move { storage::organizations::update(conn, &organization).await }))
            .await;
        for path in [".well-known/openid-configuration", "jwks", "brands", "fhir/r4/metadata"] {
            is_not_here(&browser.get(&format!("{ISSUER}/{path}")).await);
        }
        stage.end().await;
    });
}

#[test]
fn keys_rotate_without_a_failed_verification() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let kid = |set: &Value, place: usize| set["keys"][place]["kid"].as_str().unwrap_or_default().to_owned();
        let mut browser = stage.app_browser();
        let jwks = format!("{ISSUER}/jwks");
        let before = browser.get(&jwks).await.json();
        let first = kid(&before, 0);
        // a day before it is due the next key is published, and does not sign
        stage.world().clock.advance_seconds(89 * 86_400);
        countersign::protocol::signing::rotate(&stage.world().app).await.unwrap();
        let published = browser.get(&jwks).await.json();
        assert_eq!(published["keys"].as_array().unwrap().len(), 2);
        let signed_by = |tokens: super::actors::Tokens| {
            let header = tokens.text("id_token").split('.').next().unwrap().to_owned();
            use base64::Engine as _;
            let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap();
            serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
        };
        assert_eq!(signed_by(stage.tokens().await), first);
        // then it signs, and the old one stays published until all it signed has ended
        stage.world().clock.advance_seconds(86_400);
        countersign::protocol::signing::rotate(&stage.world().app).await.unwrap();
        let both = browser.get(&jwks).await.json();
        assert_eq!(both["keys"].as_array().unwrap().len(), 2);
        assert_ne!(signed_by(stage.tokens().await), first);
        stage.world().clock.advance_seconds(3 * 86_400);
        countersign::protocol::signing::rotate(&stage.world().app).await.unwrap();
        let after = browser.get(&jwks).await.json();
        assert_eq!(after["keys"].as_array().unwrap().len(), 1);
        assert_ne!(kid(&after, 0), first);
        stage.end().await;
    });
}

#[test]
fn every_document_is_for_everybody_kept_for_minutes_and_answered_alike_however_it_is_asked() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        for url in DOCUMENTS {
            let plain = browser.get(url).await;
            let kind = if url.ends_with("metadata") || url.ends_with("brands") {
                "application/fhir+json"
            } else {
                "application/json"
            };
            for headers in [
                vec![],
                vec![("accept", "application/fhir+xml")],
                vec![("accept", "text/html")],
                vec![("accept", "application/json;q=0.1, */*;q=0")],
                vec![("accept", "nonsense")],
                vec![("origin", "https://any.example")],
                vec![("origin", "null")],
                vec![("authorization", "Bearer not-a-token")],
                vec![("authorization", "nonsense")],
                vec![("cookie", "a=b")],
                vec![("if-none-match", "\"other\"")],
            ] {
                let answer = browser.send(Method::GET, url, &headers, "").await;
                assert_eq!(answer.status, 200, "{url} {headers:?}");
                assert_eq!(answer.body, plain.body, "{url} {headers:?}");
                assert_eq!(answer.header("content-type"), kind);
                assert_eq!(answer.header("etag"), plain.header("etag"));
                assert_eq!(answer.header("access-control-allow-origin"), "*", "{url}");
                assert_eq!(answer.header("access-control-allow-credentials"), "");
                let lifetime = answer.header("cache-control");
                let seconds: u32 = lifetime.strip_prefix("public, max-age=").unwrap().parse().unwrap();
                assert!((30..=3600).contains(&seconds), "{url}: {lifetime}");
                assert!(answer.header("set-cookie").is_empty());
            }
            let head = browser.send(Method::HEAD, url, &[], "").await;
            assert_eq!((head.status.as_u16(), head.body.as_str()), (200, ""), "{url}");
            assert_eq!(head.header("etag"), plain.header("etag"));
            assert_eq!(head.header("content-type"), kind);
            let etag = plain.header("etag");
            let strong = etag.trim_start_matches("W/").to_owned();
            for known in [etag.as_str(), &strong, "*", &format!("\"x\", {etag}"), &format!("W/\"x\",{strong}")] {
                let kept = browser.send(Method::GET, url, &[("if-none-match", known)], "").await;
                assert_eq!((kept.status.as_u16(), kept.body.as_str()), (304, ""), "{url} {known}");
                assert_eq!(kept.header("etag"), etag);
                assert!(!kept.header("cache-control").is_empty() && kept.header("access-control-allow-origin") == "*");
            }
            // SMART-AL-35: what a browser asks first
            for wish in ["authorization", "content-type", "accept", "prefer"] {
                let asked = [
                    ("origin", "https://any.example"),
                    ("access-control-request-method", "GET"),
                    ("access-control-request-headers", wish),
                ];
                let preflight = browser.send(Method::OPTIONS, url, &asked, "").await;
                assert_eq!(preflight.status, 204, "{url}");
                assert_eq!(preflight.header("access-control-allow-origin"), "*");
                let allowed = preflight.header("access-control-allow-headers");
                assert!(allowed.split(", ").any(|one| one == wish), "{wish} in {allowed}");
                assert!(preflight.header("access-control-allow-methods").contains("GET"));
                assert!(preflight.header("access-control-allow-credentials").is_empty());
            }
            for method in [Method::POST, Method::PUT, Method::DELETE] {
                assert_eq!(browser.send(method, url, &[], "").await.status, 405, "{url}");
            }
        }
        stage.end().await;
    });
}

/// Names of HL7, as SMART 2.2 lists them.
const NAMES: [&str; 20] = [
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
    "smart-app-state",
];

#[test]
fn the_capabilities_are_names_of_the_specification_and_make_every_set() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let smart = stage.app_browser().get(DOCUMENTS[2]).await.json();
        let capabilities: Vec<&str> =
            smart["capabilities"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
        for capability in &capabilities {
            assert!(NAMES.contains(capability), "{capability}");
        }
        let mut once = capabilities.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), capabilities.len());
        for (set, members) in [
            ("a client", "client-public client-confidential-symmetric"),
            ("Patient Access Standalone", "launch-standalone context-standalone-patient permission-patient"),
            ("Patient Access EHR", "launch-ehr context-ehr-patient permission-patient"),
            ("Clinician Standalone", "launch-standalone permission-user permission-patient"),
            (
                "Clinician EHR",
                "launch-ehr context-ehr-patient context-ehr-encounter permission-user permission-patient",
            ),
            (
                "ONC",
                "launch-ehr launch-standalone authorize-post client-public client-confidential-symmetric client-confidential-asymmetric \
                 sso-openid-connect context-banner context-style context-ehr-patient context-ehr-encounter context-standalone-patient \
                 permission-offline permission-patient permission-user permission-v1 permission-v2",
            ),
            (
                "IPA",
                "launch-standalone context-standalone-patient permission-patient permission-offline sso-openid-connect client-public \
                 client-confidential-asymmetric",
            ),
        ] {
            for member in members.split_ascii_whitespace() {
                assert!(capabilities.contains(&member), "{set} needs {member}");
            }
        }
        assert!(!capabilities.contains(&"smart-app-state"), "not ours to serve");
        // SMART-DI-05..11
        for member in ["issuer", "jwks_uri", "authorization_endpoint", "token_endpoint"] {
            assert!(smart[member].as_str().unwrap().starts_with("https://"), "{member}");
        }
        assert!(smart.get("token_endpoint_auth_methods").is_none(), "the name of version 1.0");
        let methods: Vec<&str> = smart["token_endpoint_auth_methods_supported"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one.as_str().unwrap())
            .collect();
        assert_eq!(methods, ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]);
        let algorithms = smart["token_endpoint_auth_signing_alg_values_supported"].as_array().unwrap();
        assert!(
            algorithms.contains(&"RS384".into())
                && algorithms.contains(&"ES384".into())
                && !algorithms.contains(&"none".into())
        );
        stage.end().await;
    });
}

#[test]
fn nothing_is_null_nothing_is_empty_and_registration_is_told_where_it_is_open() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        for policy in [RegistrationPolicy::Closed, RegistrationPolicy::Token, RegistrationPolicy::Open] {
            let mut after = stage.world().reviewer.organization.clone();
            after.settings = OrganizationSettings { registration: policy, ..after.settings };
            stage
                .world()
                .write(move |conn| Box::pin(async move { storage::organizations::update(conn, &after).await }))
                .await;
            for url in DOCUMENTS {
                let body = browser.get(url).await.json();
                has_substance(&body, url);
                if url.contains("configuration") || url.contains("authorization-server") {
                    let told = body.get("registration_endpoint").is_some();
                    assert_eq!(told, policy != RegistrationPolicy::Closed, "{url} {policy:?}");
                    let answer = browser
                        .send(
                            Method::POST,
                            &format!("{ISSUER}/register"),
                            &[("content-type", "application/json")],
                            "{}",
                        )
                        .await;
                    let expected = match policy {
                        RegistrationPolicy::Open => 400,
                        RegistrationPolicy::Token | RegistrationPolicy::Closed => 401,
                    };
                    assert_eq!(answer.status, expected, "{policy:?}: {}", answer.body);
                }
            }
            let metadata = browser.get(DOCUMENTS[3]).await;
            assert_eq!(metadata.body.contains("\"register\""), policy != RegistrationPolicy::Closed);
        }
        stage.end().await;
    });
}

#[track_caller]
fn has_substance(value: &Value, at: &str) {
    match value {
        Value::Null => panic!("{at} is null"),
        Value::String(text) => assert!(!text.is_empty(), "{at} is empty"),
        Value::Array(items) => {
            assert!(!items.is_empty(), "{at} is empty");
            items.iter().enumerate().for_each(|(place, item)| has_substance(item, &format!("{at}[{place}]")));
        }
        Value::Object(members) => {
            assert!(!members.is_empty(), "{at} is empty");
            members.iter().for_each(|(name, member)| has_substance(member, &format!("{at}.{name}")));
        }
        Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn every_way_in_that_is_listed_works_and_others_do_not() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let openid = stage.app_browser().get(DOCUMENTS[1]).await.json();
        let list = |name: &str| -> Vec<String> {
            openid[name].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
        };
        // introspection (RFC 8414 2): a resource server's secret both ways, and a bearer token
        assert_eq!(
            list("introspection_endpoint_auth_methods_supported"),
            ["client_secret_basic", "client_secret_post", "Bearer"]
        );
        let access = stage.tokens().await.access();
        assert_eq!(stage.introspect(&access).await.status, 200);
        let (id, secret) = &stage.fhir_server;
        let posted =
            stage.post("introspect", &[], &[("token", &access), ("client_id", id), ("client_secret", secret)]).await;
        assert_eq!(posted.json()["active"], true);
        let (backend, backend_secret) = stage.backend_with_secret("__introspect").await;
        let basic = super::actors::basic(backend.as_str(), &backend_secret);
        let grant = [("grant_type", "client_credentials"), ("scope", "__introspect")];
        let bearer = stage.post("token", &[("authorization", &basic)], &grant).await.json()["access_token"]
            .as_str()
            .unwrap()
            .to_owned();
        let asked =
            stage.post("introspect", &[("authorization", &format!("Bearer {bearer}"))], &[("token", &access)]).await;
        assert_eq!(asked.json()["active"], true);
        assert_eq!(stage.post("introspect", &[], &[("token", &access)]).await.status, 401);
        // revocation: whatever a client proves itself with at the token endpoint
        assert_eq!(list("revocation_endpoint_auth_methods_supported"), list("token_endpoint_auth_methods_supported"));
        assert_eq!(
            list("revocation_endpoint_auth_signing_alg_values_supported"),
            list("token_endpoint_auth_signing_alg_values_supported")
        );
        let revoked = stage.post("revoke", &[], &[("token", &access), ("client_id", stage.app.as_str())]).await;
        assert_eq!(revoked.status, 200);
        assert!(!stage.is_active(&access).await);
        // the response modes and the prompts that are listed are the ones that are taken
        for mode in list("response_modes_supported") {
            let pairs =
                super::requests::and(super::requests::and(stage.request(), "response_mode", &mode), "prompt", "none");
            let answer = stage.app_browser().open(&Stage::authorize_url(&pairs)).await;
            let said = if mode == "query" { answer.location() } else { answer.body };
            assert!(said.contains("login_required"), "{mode}");
        }
        for prompt in list("prompt_values_supported") {
            let pairs = super::requests::and(stage.request(), "prompt", &prompt);
            let answer = stage.app_browser().open(&Stage::authorize_url(&pairs)).await;
            assert!(!answer.location().contains("invalid_request"), "{prompt}");
        }
        stage.end().await;
    });
}

#[test]
fn a_base_url_with_a_path_has_its_document_below_it_and_an_issuer_with_a_path_has_its_own_inserted() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        // SMART and OpenID append, RFC 8414 inserts (X-07, SMART-DI-01): the other way round there is nothing
        for url in &DOCUMENTS[..3] {
            assert_eq!(browser.get(url).await.status, 200, "{url}");
        }
        for other in [
            "/.well-known/openid-configuration/o/st-mary",
            "/.well-known/smart-configuration/o/st-mary/fhir/r4",
            "/o/st-mary/.well-known/oauth-authorization-server",
            "/o/st-mary/.well-known/smart-configuration",
            "/.well-known/oauth-authorization-server",
            "/.well-known/udap",
        ] {
            assert_eq!(browser.get(other).await.status, 404, "{other}");
        }
        assert_eq!(browser.get(DOCUMENTS[0]).await.json()["issuer"], ISSUER);
        stage.end().await;
    });
}
