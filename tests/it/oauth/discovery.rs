//! What we say of ourselves, in every dialect.

use axum::http::Method;
use serde_json::Value;

use super::actors::{ISSUER, Stage};
use crate::support::on_both;

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
            "/o/nowhere/fhir/r4/metadata",
            "/o/nowhere/jwks",
        ] {
            assert_eq!(browser.get(path).await.status, 404, "{path}");
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
