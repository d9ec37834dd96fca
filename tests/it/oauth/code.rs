//! Redeeming codes (ATTACKS group C).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::actors::{CALLBACK, FHIR, ISSUER, PATIENT_SCOPES, Stage, Tokens, VERIFIER, basic, refused};
use crate::support::on_both;

#[test]
fn a_patient_launches_an_app_and_it_reads_with_what_was_granted() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let answer = stage.launch(&mut browser, &stage.request()).await;
        assert_eq!(answer["state"], "st-4711");
        assert_eq!(answer["iss"], ISSUER);
        let answer = stage.token(&stage.redemption(&answer["code"])).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("pragma"), "no-cache");
        let tokens = Tokens(answer.json());
        assert_eq!(tokens.text("token_type"), "Bearer");
        assert_eq!(tokens.text("scope"), PATIENT_SCOPES, "literally what was asked, in its order");
        assert_eq!(tokens.0["expires_in"].as_i64(), Some(3600));
        assert_eq!(tokens.text("patient"), "anna");
        let seen = stage.introspect(&tokens.access()).await.json();
        assert_eq!(seen["active"], true);
        assert_eq!(seen["scope"], PATIENT_SCOPES);
        assert_eq!(seen["patient"], "anna");
        assert_eq!(seen["client_id"], stage.app.as_str());
        assert_eq!(seen["iss"], ISSUER);
        assert_eq!(seen["aud"], FHIR);
        assert_eq!(seen["fhirUser"], format!("{FHIR}/Patient/anna"));
        assert_eq!(seen["exp"].as_i64().unwrap(), stage.world().app.now().seconds() + 3600);
        let refreshed = stage.refresh(&tokens.refresh()).await;
        assert_eq!(refreshed.status, 200, "{}", refreshed.body);
        assert_eq!(refreshed.json()["patient"], "anna");
        stage.end().await;
    });
}

#[test]
fn an_id_token_names_the_person_the_app_and_the_moment() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut request = stage.request();
        request.push(("nonce".into(), "n-0S6_WzA2Mj".into()));
        let code = stage.code_for(&request).await;
        let tokens = Tokens(stage.token(&stage.redemption(&code)).await.json());
        let id_token = tokens.text("id_token");
        let part = |place: usize| -> Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(id_token.split('.').nth(place).unwrap()).unwrap()).unwrap()
        };
        let (header, claims) = (part(0), part(1));
        assert_eq!(header["alg"], "RS256");
        assert_eq!(claims["iss"], ISSUER);
        assert_eq!(claims["aud"], stage.app.as_str());
        assert_eq!(claims["sub"], stage.patient.id.as_str());
        assert_eq!(claims["nonce"], "n-0S6_WzA2Mj");
        assert_eq!(claims["fhirUser"], format!("{FHIR}/Patient/anna"));
        assert!(claims["exp"].is_i64() && claims["iat"].is_i64() && claims["auth_time"].is_i64());
        use sha2::{Digest as _, Sha256};
        assert_eq!(claims["at_hash"], URL_SAFE_NO_PAD.encode(&Sha256::digest(tokens.access())[..16]));
        // verified with our published key, by somebody who knows nothing else
        let jwks = stage.app_browser().get(&format!("{ISSUER}/jwks")).await.json();
        let set: jsonwebtoken::jwk::JwkSet = serde_json::from_value(jwks.clone()).unwrap();
        let key = jsonwebtoken::DecodingKey::from_jwk(set.find(header["kid"].as_str().unwrap()).unwrap()).unwrap();
        let (input, signature) = id_token.rsplit_once('.').unwrap();
        assert!(
            jsonwebtoken::crypto::verify(signature, input.as_bytes(), &key, jsonwebtoken::Algorithm::RS256).unwrap()
        );
        for key in jwks["keys"].as_array().unwrap() {
            for private in ["d", "p", "q", "dp", "dq", "qi"] {
                assert!(key.get(private).is_none());
            }
        }
        stage.end().await;
    });
}

#[test]
fn a_code_redeemed_twice_revokes_the_whole_family() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let code = stage.code().await;
        let tokens = Tokens(stage.token(&stage.redemption(&code)).await.json());
        assert!(stage.is_active(&tokens.access()).await);
        refused(&stage.token(&stage.redemption(&code)).await, 400, "invalid_grant");
        assert!(!stage.is_active(&tokens.access()).await);
        refused(&stage.refresh(&tokens.refresh()).await, 400, "invalid_grant");
        assert_eq!(stage.world().recorded("code.replayed").await, 1);
        stage.end().await;
    });
}

#[test]
fn a_spent_code_without_its_verifier_is_no_switch_to_end_a_family_with() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let code = stage.code().await;
        let tokens = Tokens(stage.token(&stage.redemption(&code)).await.json());
        let mut stolen = stage.redemption(&code);
        stolen.retain(|(name, _)| *name != "code_verifier");
        stolen.push(("code_verifier", "0000000000000000000000000000000000000000000"));
        refused(&stage.token(&stolen).await, 400, "invalid_grant");
        assert!(stage.is_active(&tokens.access()).await);
        assert_eq!(stage.world().recorded("code.replayed").await, 1);
        stage.end().await;
    });
}

#[test]
fn fifty_redemptions_at_once_yield_one_family_which_the_others_end() {
    on_both(|dialect| async move {
        let stage = Arc::new(Stage::new(dialect).await);
        let code = stage.code().await;
        let all = (0..50).map(|_| {
            let (stage, code) = (stage.clone(), code.clone());
            tokio::spawn(async move { stage.token(&stage.redemption(&code)).await })
        });
        let answers = futures_util::future::join_all(all).await;
        let mut good = Vec::new();
        for answer in answers.into_iter().map(Result::unwrap) {
            match answer.status.as_u16() {
                200 => good.push(Tokens(answer.json())),
                _ => refused(&answer, 400, "invalid_grant"),
            }
        }
        assert_eq!(good.len(), 1, "one family");
        assert!(!stage.is_active(&good[0].access()).await, "and 49 replays ended it");
        assert_eq!(stage.grants().await, 0);
        Arc::into_inner(stage).unwrap().end().await;
    });
}

#[test]
fn a_code_is_bound_to_client_redirect_uri_verifier_and_a_minute() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (other, secret) = stage.confidential().await;
        // another client: refused, and the code still good for its owner
        let code = stage.code().await;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let answer = stage.post("token", &[("authorization", &basic(other.as_str(), &secret))], &fields).await;
        refused(&answer, 400, "invalid_grant");
        // another or no redirect URI: refused, and the code still good
        for uri in [
            Some("https://old.acme.example/cb"),
            Some("https://app.acme.example:443/cb"),
            Some("https://app.acme.example/x/../cb"),
            None,
        ] {
            let mut fields = stage.redemption(&code);
            fields.retain(|(name, _)| *name != "redirect_uri");
            fields.extend(uri.map(|uri| ("redirect_uri", uri)));
            refused(&stage.token(&fields).await, 400, "invalid_grant");
        }
        assert_eq!(stage.token(&stage.redemption(&code)).await.status, 200);
        // a wrong verifier spoils it
        let long = "a".repeat(129);
        for verifier in [
            "",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "short",
            &long,
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjX!",
        ] {
            let code = stage.code().await;
            let mut fields = stage.redemption(&code);
            fields.retain(|(name, _)| *name != "code_verifier");
            fields.push(("code_verifier", verifier));
            refused(&stage.token(&fields).await, 400, "invalid_grant");
            refused(&stage.token(&stage.redemption(&code)).await, 400, "invalid_grant");
        }
        // a minute
        let code = stage.code().await;
        stage.world().clock.advance_seconds(60);
        refused(&stage.token(&stage.redemption(&code)).await, 400, "invalid_grant");
        stage.end().await;
    });
}

#[test]
fn only_an_unchanged_code_is_a_code() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let code = stage.code().await;
        let changed = format!("{}{}", &code[..code.len() - 1], if code.ends_with('A') { 'B' } else { 'A' });
        for not_a_code in [
            tokens.refresh(),
            tokens.access(),
            changed,
            code[..code.len() - 1].to_owned(),
            format!("{code}x"),
            "x".into(),
        ] {
            refused(&stage.token(&stage.redemption(&not_a_code)).await, 400, "invalid_grant");
        }
        refused(&stage.refresh(&tokens.access()).await, 400, "invalid_grant");
        refused(&stage.refresh(&code).await, 400, "invalid_grant");
        assert_eq!(stage.token(&stage.redemption(&code)).await.status, 200);
        stage.end().await;
    });
}

#[test]
fn malformed_token_requests_are_refused_and_never_a_fault_of_ours() {
    on_both(|dialect| async move {
        use axum::http::Method;
        let stage = Stage::new(dialect).await;
        let code = stage.code().await;
        let url = format!("{ISSUER}/token");
        let mut browser = stage.app_browser();
        assert_eq!(browser.get(&url).await.status, 405);
        let form = "application/x-www-form-urlencoded";
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(stage.redemption(&code)).finish();
        for (content_type, url, body) in [
            ("application/json", url.clone(), r#"{"grant_type":"authorization_code"}"#.to_owned()),
            ("text/plain", url.clone(), body.clone()),
            ("", url.clone(), body.clone()),
            (form, format!("{url}?{body}"), String::new()),
            (form, format!("{url}?grant_type=authorization_code"), body.clone()),
            (form, url.clone(), format!("{body}&code=x")),
            (form, url.clone(), format!("{body}&unknown=1&unknown=2")),
            (form, url.clone(), format!("{body}&bad=%ff")),
            (form, url.clone(), "grant_type".into()),
            (form, url.clone(), String::new()),
        ] {
            let answer = browser.send(Method::POST, &url, &[("content-type", content_type)], body.clone()).await;
            refused(&answer, 400, "invalid_request");
        }
        let with = |grant_type: &'static str| {
            let mut fields = stage.redemption(&code);
            fields.retain(|(name, _)| *name != "grant_type");
            fields.push(("grant_type", grant_type));
            fields
        };
        refused(&stage.token(&with("password")).await, 400, "unsupported_grant_type");
        refused(&stage.token(&with("implicit")).await, 400, "unsupported_grant_type");
        refused(&stage.token(&with("client_credentials")).await, 400, "unauthorized_client");
        let mut more = stage.redemption(&code);
        more.push(("scope", "openid patient/*.cruds"));
        refused(&stage.token(&more).await, 400, "invalid_scope");
        assert_eq!(stage.token(&stage.redemption(&code)).await.status, 200, "none of this used the code up");
        stage.end().await;
    });
}

#[test]
fn a_code_is_worthless_once_the_client_or_the_person_is_switched_off() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let code = stage.code().await;
        stage.disable(&stage.app).await;
        refused(&stage.token(&stage.redemption(&code)).await, 401, "invalid_client");
        stage.enable(&stage.app).await;
        refused(&stage.token(&stage.redemption(&code)).await, 400, "invalid_grant");
        let code = stage.code().await;
        let off = countersign::domain::accounts::Account { active: false, ..stage.patient.clone() };
        stage
            .world()
            .write(move |conn| Box::pin(async move { countersign::storage::accounts::update(conn, &off).await }))
            .await;
        refused(&stage.token(&stage.redemption(&code)).await, 400, "invalid_grant");
        stage.end().await;
    });
}

#[test]
fn only_pages_of_the_app_may_read_its_tokens() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        for (origin, allowed) in [
            ("https://app.acme.example", true),
            ("https://evil.example", false),
            ("null", false),
            ("https://app.acme.example:444", false),
        ] {
            let code = stage.code().await;
            let answer = stage.post("token", &[("origin", origin)], &stage.redemption(&code)).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("access-control-allow-origin"), if allowed { origin } else { "" });
            assert_eq!(answer.header("access-control-allow-credentials"), "");
            let answer = stage.post("token", &[("origin", origin)], &stage.redemption(&code)).await;
            assert_eq!(answer.header("access-control-allow-origin"), if allowed { origin } else { "" }, "errors too");
            let preflight = stage
                .app_browser()
                .send(axum::http::Method::OPTIONS, &format!("{ISSUER}/token"), &[("origin", origin)], "")
                .await;
            assert_eq!(preflight.status, 204);
            assert_eq!(preflight.header("access-control-allow-origin"), if allowed { origin } else { "" });
        }
        stage.end().await;
    });
}

/// D2: a copy of a spent code ends the family only in the hands of who could have redeemed it, and always leaves a mark.
#[test]
fn a_replay_ends_the_family_with_proof_and_only_with_proof_however_late() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (other, secret) = stage.confidential().await;
        let credentials = basic(other.as_str(), &secret);
        let wrong = "0000000000000000000000000000000000000000000";
        for (what, seconds, client, verifier, dies) in [
            ("at once", 0, None, Some(VERIFIER), true),
            ("after a second", 1, None, Some(VERIFIER), true),
            ("after half a minute", 30, None, Some(VERIFIER), true),
            ("after the code has expired", 600, None, Some(VERIFIER), true),
            ("without a verifier", 0, None, None, false),
            ("with a wrong verifier", 1, None, Some(wrong), false),
            ("by another client with its own proof", 1, Some(&credentials), Some(VERIFIER), false),
        ] {
            let code = stage.code().await;
            let tokens = Tokens(stage.token(&stage.redemption(&code)).await.json());
            stage.world().clock.advance_seconds(seconds);
            let mut fields = stage.redemption(&code);
            fields.retain(|(name, _)| *name != "code_verifier" && (client.is_none() || *name != "client_id"));
            fields.extend(verifier.map(|verifier| ("code_verifier", verifier)));
            let headers: Vec<(&str, &str)> =
                client.map(|credentials| ("authorization", credentials.as_str())).into_iter().collect();
            let before = stage.world().audit().await.iter().filter(|record| record.outcome == "refused").count();
            refused(&stage.post("token", &headers, &fields).await, 400, "invalid_grant");
            let after = stage.world().audit().await.iter().filter(|record| record.outcome == "refused").count();
            assert_eq!(after, before + 1, "{what} is on record");
            assert_eq!(stage.is_active(&tokens.access()).await, !dies, "{what}: the access token");
            assert_eq!(stage.refreshes(&tokens.refresh()).await, !dies, "{what}: the refresh token");
        }
        stage.end().await;
    });
}

/// A confidential client's proof is its secret: a replay under it needs no verifier to be its own.
#[test]
fn a_confidential_client_that_redeems_twice_loses_the_family_whatever_verifier_it_sends() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (client, secret) = stage.confidential().await;
        let credentials = basic(client.as_str(), &secret);
        let mut request = stage.request();
        request[1].1 = client.as_str().into();
        let code = stage.code_for(&request).await;
        let mut fields = stage.redemption(&code);
        fields.retain(|(name, _)| *name != "client_id");
        // without proof, with a wrong one, and as a public client: refused, and the code still good (C03, SMART-AL-19)
        for (headers, extra) in [
            (vec![], vec![]),
            (vec![], vec![("client_id", client.as_str())]),
            (vec![], vec![("client_id", client.as_str()), ("client_secret", "wrong")]),
        ] {
            let fields: Vec<_> = fields.iter().copied().chain(extra).collect();
            refused(&stage.post("token", &headers, &fields).await, 401, "invalid_client");
        }
        let wrong = basic(client.as_str(), "wrong");
        let answer = stage.post("token", &[("authorization", &wrong)], &fields).await;
        refused(&answer, 401, "invalid_client");
        assert!(answer.header("www-authenticate").starts_with("Basic "));
        // client_id beside Basic: tolerated if equal, refused if not (SMART-AL-18)
        let mut other = fields.clone();
        other.push(("client_id", stage.app.as_str()));
        refused(&stage.post("token", &[("authorization", &credentials)], &other).await, 401, "invalid_client");
        let mut equal = fields.clone();
        equal.push(("client_id", client.as_str()));
        let tokens = Tokens(stage.post("token", &[("authorization", &credentials)], &equal).await.json());
        assert!(stage.is_active(&tokens.access()).await);
        fields.retain(|(name, _)| *name != "code_verifier");
        refused(&stage.post("token", &[("authorization", &credentials)], &fields).await, 400, "invalid_grant");
        assert!(!stage.is_active(&tokens.access()).await);
        stage.end().await;
    });
}

#[test]
fn a_public_client_that_offers_a_secret_or_no_name_is_refused_and_its_code_stays_good() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let code = stage.code().await;
        let app = stage.app.as_str();
        let mut nameless = stage.redemption(&code);
        nameless.retain(|(name, _)| *name != "client_id");
        refused(&stage.token(&nameless).await, 401, "invalid_client");
        let mut secretive = stage.redemption(&code);
        secretive.push(("client_secret", "guessed"));
        refused(&stage.token(&secretive).await, 401, "invalid_client");
        refused(
            &stage.post("token", &[("authorization", &basic(app, "guessed"))], &stage.redemption(&code)).await,
            401,
            "invalid_client",
        );
        let mut unknown = nameless.clone();
        unknown.push(("client_id", "BAD_CLIENT_ID"));
        refused(&stage.token(&unknown).await, 401, "invalid_client");
        let mut missing = stage.redemption(&code);
        missing.retain(|(name, _)| *name != "code");
        refused(&stage.token(&missing).await, 400, "invalid_request");
        missing.push(("code", "BAD_CODE"));
        refused(&stage.token(&missing).await, 400, "invalid_grant");
        assert_eq!(stage.token(&stage.redemption(&code)).await.status, 200);
        stage.end().await;
    });
}

#[test]
fn members_are_there_when_they_were_granted_and_only_then() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        for (scope, id_token, refresh, patient) in [
            ("launch/patient openid offline_access patient/Patient.r", true, true, true),
            ("launch/patient openid online_access patient/Patient.r", true, true, true),
            ("launch/patient openid patient/Patient.r", true, false, true),
            ("launch/patient patient/Patient.r", false, false, true),
            ("user/Patient.rs", false, false, false),
        ] {
            let tokens = stage.tokens_for(&mut browser, &stage.request_of(&stage.app, scope)).await;
            let has = |name: &str| tokens.0.get(name).is_some();
            assert_eq!(
                (has("id_token"), has("refresh_token"), has("patient")),
                (id_token, refresh, patient),
                "{scope}"
            );
            assert_eq!(tokens.text("scope"), scope);
            assert_eq!((tokens.text("token_type").as_str(), tokens.0["expires_in"].as_i64()), ("Bearer", Some(3600)));
            assert!(tokens.0.as_object().unwrap().values().all(|value| !value.is_null()));
            assert!(!has("authorization_details") && !has("cnf"), "DPoP and RAR only where asked for (X-04)");
        }
        // a client that may not refresh is not granted background access (SMART-AL-34)
        let app = stage
            .register(|metadata| {
                metadata.grant_types = vec![countersign::domain::clients::GrantType::AuthorizationCode];
            })
            .await;
        let scope = "launch/patient openid offline_access patient/Patient.r";
        stage.approve(&app, scope).await;
        let tokens = stage.tokens_for(&mut browser, &stage.request_of(&app, scope)).await;
        assert_eq!(tokens.text("scope"), "launch/patient openid patient/Patient.r");
        assert!(tokens.0.get("refresh_token").is_none());
        stage.end().await;
    });
}
