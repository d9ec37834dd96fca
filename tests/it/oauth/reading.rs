//! How this server itself reads from the organization's FHIR server, in every mood of it.

use countersign::domain::organizations::BackendReading;
use countersign::storage;
use serde_json::{Value, json};

use super::actors::{FHIR, ISSUER, Stage};
use super::choosing::{allowed, doctor, scene, wish};
use super::record_server::Mood;
use crate::support::on_both;

#[test]
fn a_fhir_server_in_any_bad_mood_is_said_clearly_and_nothing_is_lost() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (server, app) = scene(&stage).await;
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let pairs = wish(&stage, &server, &app, "launch/patient launch/encounter openid");
        let page = browser.open(&Stage::authorize_url(&pairs)).await;
        let form = page.forms("/record").remove(0).with("record", "new");
        let doctor = doctor(&stage).await;
        let mut clinician = stage.site.signed_in(&doctor).await;
        for mood in [Mood::Broken, Mood::Garbage, Mood::Refusing, Mood::Silent] {
            server.mood(mood);
            let again = browser.open(&page.at).await;
            again.says("The records cannot be reached");
            let chosen = browser.submit(&form).await;
            assert_eq!(chosen.status, 502, "{mood:?}: {}", chosen.body);
            chosen.says("The record system does not answer");
            let patients = clinician.open(&Stage::authorize_url(&pairs)).await;
            patients.says("The patient list cannot be reached");
        }
        // nobody listens there at all
        let nowhere = "http://127.0.0.1:1/fhir";
        stage.reads_from(nowhere, None).await;
        browser.open(&page.at).await.says("The records cannot be reached");
        // it is back, and the same interaction goes on
        stage.reads_from(&server.base_url, None).await;
        server.mood(Mood::Good);
        let consent = browser.submit_and_follow(&form).await;
        let tokens = allowed(&stage, &app, &mut browser, consent).await;
        assert_eq!(tokens.text("encounter"), "new");
        stage.end().await;
    });
}

#[test]
fn a_fhir_server_that_trusts_another_authorization_server_is_read_as_its_client() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (server, app) = scene(&stage).await;
        let reading = BackendReading {
            token_endpoint: server.token_endpoint(),
            client_id: "countersign-at-st-mary".into(),
            scope: "system/Patient.rs system/Encounter.rs".into(),
        };
        stage.reads_from(&server.base_url, Some(reading)).await;
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let pairs = wish(&stage, &server, &app, "launch/patient launch/encounter openid");
        browser.open(&Stage::authorize_url(&pairs)).await.says("Kind of new");
        browser.open(&Stage::authorize_url(&pairs)).await.says("Kind of new");
        // one token for both, asked for with an assertion that our published key proves
        let assertions = server.assertions();
        assert_eq!(assertions.len(), 1);
        assert!(server.asked().iter().all(|(_, token)| token == "token-1"));
        let keys = browser.get(&format!("{ISSUER}/reader-jwks")).await.json();
        let key = &keys["keys"][0];
        assert!(key.get("d").is_none(), "only the public half");
        let (claims, header) = verified(key, &assertions[0]);
        assert_eq!((&header["alg"], &header["typ"], &header["kid"]), (&json!("ES384"), &json!("JWT"), &key["kid"]));
        let now = stage.world().app.now().seconds();
        assert_eq!(claims["iss"], "countersign-at-st-mary");
        assert_eq!(claims["sub"], "countersign-at-st-mary");
        assert_eq!(claims["aud"], server.token_endpoint());
        assert_eq!((claims["iat"].as_i64(), claims["exp"].as_i64()), (Some(now), Some(now + 120)));
        assert!(claims["jti"].as_str().unwrap().len() >= 32);
        // it is not the key of our ID tokens, and not another organization's
        let signing = browser.get(&format!("{ISSUER}/jwks")).await.body;
        assert!(!signing.contains(key["kid"].as_str().unwrap()));
        let other = browser.get("https://countersign.example/o/st-luke/reader-jwks").await.json();
        assert_ne!(other["keys"][0]["kid"], key["kid"]);
        assert_eq!(browser.get("https://countersign.example/o/nowhere/reader-jwks").await.status, 404);
        // a token that is no longer good is replaced once, without anybody noticing
        server.mood(Mood::Forgetful);
        browser.open(&Stage::authorize_url(&pairs)).await.says("Kind of new");
        assert_eq!(server.assertions().len(), 2);
        // at its end it is not used any more
        stage.world().clock.advance_seconds(271);
        server.mood(Mood::Good);
        browser.open(&Stage::authorize_url(&pairs)).await.says("Kind of new");
        assert_eq!(server.assertions().len(), 3);
        let jtis: std::collections::BTreeSet<String> =
            server.assertions().iter().map(|one| verified(key, one).0["jti"].as_str().unwrap().to_owned()).collect();
        assert_eq!(jtis.len(), 3);
        // the authorization server is gone
        stage
            .reads_from(
                &server.base_url,
                Some(BackendReading {
                    token_endpoint: "http://127.0.0.1:1/token".into(),
                    client_id: "x".into(),
                    scope: "system/Patient.rs".into(),
                }),
            )
            .await;
        browser.open(&Stage::authorize_url(&pairs)).await.says("The records cannot be reached");
        stage.end().await;
    });
}

fn verified(key: &Value, jwt: &str) -> (Value, Value) {
    use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let point = [vec![4], bytes(key["x"].as_str().unwrap()), bytes(key["y"].as_str().unwrap())].concat();
    let (input, signature) = jwt.rsplit_once('.').unwrap();
    UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).verify(input.as_bytes(), &bytes(signature)).unwrap();
    let (header, claims) = input.split_once('.').unwrap();
    (serde_json::from_slice(&bytes(claims)).unwrap(), serde_json::from_slice(&bytes(header)).unwrap())
}

#[test]
fn a_reading_token_is_for_one_endpoint_two_minutes_and_no_client() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (server, app) = scene(&stage).await;
        let mut browser = stage.site.signed_in(&stage.patient).await;
        browser.open(&Stage::authorize_url(&wish(&stage, &server, &app, "launch/encounter openid"))).await;
        let (_, token) = server.asked().remove(0);
        assert!(stage.is_active(&token).await);
        let other = format!("{}x", &token[..token.len() - 1]);
        assert!(!stage.is_active(&other).await);
        // at another issuer it is nothing
        let info = browser
            .send(
                axum::http::Method::GET,
                &format!("{ISSUER}/userinfo"),
                &[("authorization", &format!("Bearer {token}"))],
                "",
            )
            .await;
        assert_eq!(info.status, 401);
        stage.world().clock.advance_seconds(120);
        assert!(!stage.is_active(&token).await);
        let mut conn = stage.world().app.store.read().await.unwrap();
        let none =
            storage::grants::list_for_user(&mut conn, &stage.world().reviewer.organization.id, &stage.patient.id)
                .await
                .unwrap();
        assert!(none.is_empty());
        drop(conn);
        assert_ne!(server.base_url, FHIR);
        stage.end().await;
    });
}
