//! What counts as said in a request: parameters without a value, methods of authentication, the audience of a token, lengths, media types.

use axum::http::Method;

use super::actors::{FHIR, ISSUER, Stage, answer_of, basic, refused};
use super::requests::{and, set, tells_the_app};
use crate::support::on_both;

#[test]
fn a_parameter_without_a_value_is_none() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let empty = [
            ("client_secret", ""),
            ("client_assertion", ""),
            ("client_assertion_type", ""),
            ("scope", ""),
            ("resource", ""),
            ("x", ""),
        ];
        // a public client, as libraries send it
        let code = stage.code().await;
        let mut fields = stage.redemption(&code);
        fields.extend(empty);
        let answer = stage.token(&fields).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        // a confidential one: an empty secret beside its header is none, an empty secret in its header is a wrong one
        stage.takes_secrets(true).await;
        let (client, secret) = stage.backend_with_secret("system/Patient.rs").await;
        let fields =
            [("grant_type", "client_credentials"), ("scope", "system/Patient.rs"), ("aud", ""), ("client_id", "")];
        let all = [&fields[..], &empty[..3]].concat();
        let proof = basic(client.as_str(), &secret);
        assert_eq!(stage.post("token", &[("authorization", &proof)], &all).await.status, 200);
        let no_secret = basic(client.as_str(), "");
        refused(&stage.post("token", &[("authorization", &no_secret)], &all).await, 401, "invalid_client");
        let named = [&fields[..2], &[("client_id", client.as_str()), ("client_secret", "")]].concat();
        refused(&stage.token(&named).await, 401, "invalid_client");
        // said twice, once without a value: said once
        let twice = [
            &fields[..2],
            &[("client_id", client.as_str()), ("client_secret", ""), ("client_secret", &secret), ("client_id", "")],
        ]
        .concat();
        assert_eq!(stage.token(&twice).await.status, 200);
        let twice =
            [&fields[..2], &[("client_id", client.as_str()), ("client_secret", &secret), ("client_secret", &secret)]]
                .concat();
        refused(&stage.token(&twice).await, 400, "invalid_request");
        // the authorization endpoint
        let mut browser = stage.app_browser();
        for name in [
            "request",
            "request_uri",
            "nonce",
            "prompt",
            "max_age",
            "launch",
            "resource",
            "id_token_hint",
            "state",
            "aud",
        ] {
            let answer = browser.get(&Stage::authorize_url(&and(stage.request(), name, ""))).await;
            assert!(answer.location().starts_with("/o/st-mary/continue?"), "{name}: {}", answer.location());
        }
        let answer = browser.get(&Stage::authorize_url(&set(stage.request(), "request", "x"))).await;
        tells_the_app(&answer, "request_not_supported", "a request object");
        let answer = browser.get(&Stage::authorize_url(&set(stage.request(), "code_challenge", ""))).await;
        tells_the_app(&answer, "invalid_request", "no challenge");
        stage.end().await;
    });
}

#[test]
fn a_request_authenticates_by_one_method_wherever_it_goes() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        stage.takes_secrets(true).await;
        let (client, secret) = stage.backend_with_secret("system/Patient.rs __introspect").await;
        let proof = basic(client.as_str(), &secret);
        let fields = [("grant_type", "client_credentials"), ("scope", "__introspect")];
        let token = stage.post("token", &[("authorization", &proof)], &fields).await.json();
        let token = token["access_token"].as_str().unwrap().to_owned();
        let bearer = format!("Bearer {token}");
        let asked = |more: &[(&'static str, &'static str)]| [&[("token", "x"), ("client_id", "web")], more].concat();
        assert_eq!(stage.post("introspect", &[("authorization", &bearer)], &asked(&[])).await.status, 200);
        for more in [
            [("client_secret", "wrong")],
            [("client_assertion", "x.y.z")],
            [("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")],
        ] {
            for path in ["introspect", "revoke", "token"] {
                for header in [&bearer, &proof] {
                    let mut fields = asked(&more);
                    fields.push(("grant_type", "client_credentials"));
                    refused(&stage.post(path, &[("authorization", header)], &fields).await, 400, "invalid_request");
                }
            }
        }
        stage.end().await;
    });
}

#[test]
fn a_code_is_redeemed_for_the_resource_it_was_granted_for_and_no_other() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let code = stage.code().await;
        for (name, value) in [
            ("resource", "https://evil.example/fhir"),
            ("aud", "https://evil.example/fhir"),
            ("audience", "https://evil.example/fhir"),
            ("resource", "https://fhir.st-mary.example/R4"),
            ("resource", "https://fhir.st-mary.example/r4/Patient"),
        ] {
            let mut fields = stage.redemption(&code);
            fields.push((name, value));
            refused(&stage.token(&fields).await, 400, "invalid_target");
        }
        let mut fields = stage.redemption(&code);
        fields.extend([("resource", FHIR), ("aud", "https://evil.example/fhir")]);
        refused(&stage.token(&fields).await, 400, "invalid_target");
        // nothing was used up by that
        let slashed = format!("{FHIR}/");
        let mut fields = stage.redemption(&code);
        fields.extend([("resource", FHIR), ("aud", &slashed)]);
        let answer = stage.token(&fields).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let refresh = answer.json()["refresh_token"].as_str().unwrap().to_owned();
        for name in ["resource", "aud", "audience"] {
            let fields = [
                ("grant_type", "refresh_token"),
                ("refresh_token", refresh.as_str()),
                (name, "https://evil.example/fhir"),
            ];
            refused(&stage.token(&fields).await, 400, "invalid_target");
        }
        stage.takes_secrets(true).await;
        let (client, secret) = stage.backend_with_secret("system/Patient.rs").await;
        let proof = basic(client.as_str(), &secret);
        let fields = [
            ("grant_type", "client_credentials"),
            ("scope", "system/Patient.rs"),
            ("aud", FHIR),
            ("resource", "https://evil.example/fhir"),
        ];
        refused(&stage.post("token", &[("authorization", &proof)], &fields).await, 400, "invalid_target");
        stage.end().await;
    });
}

#[test]
fn what_is_too_long_is_told_so_and_what_fits_is_good_all_the_way() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        for (name, most) in [("state", 4096), ("nonce", 1024), ("login_hint", 512)] {
            let pairs = set(stage.request(), name, &"x".repeat(most + 1));
            let form: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let answer = browser.post(&format!("{ISSUER}/authorize"), &form).await;
            tells_the_app(&answer, "invalid_request", name);
            let told = answer_of(&answer)["error_description"].clone();
            assert!(told.contains(name) && told.contains(&most.to_string()), "{told}");
        }
        let long = "x".repeat(fhir_scopes::MAX_LIST_BYTES + 1);
        let pairs = set(stage.request(), "scope", &long);
        let form: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = browser.post(&format!("{ISSUER}/authorize"), &form).await;
        tells_the_app(&answer, "invalid_scope", "scope");
        assert!(answer_of(&answer)["error_description"].contains("16384"));
        let tokens = stage.tokens().await;
        let answer = stage
            .token(&[("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh()), ("scope", &long)])
            .await;
        refused(&answer, 400, "invalid_scope");
        assert!(answer.body.contains("16384"), "{}", answer.body);
        // the longest of all, in characters that grow when they are written into a URL
        let most = |bytes: usize| "\u{e9}".repeat(bytes / 2);
        let pairs =
            set(set(set(stage.request(), "state", &most(4096)), "nonce", &most(1024)), "login_hint", &most(512));
        let form: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = browser.post(&format!("{ISSUER}/authorize"), &form).await;
        let page = browser.follow(answer).await;
        assert!(page.at.len() < 8000, "an address every proxy takes: {}", page.at.len());
        assert_eq!(page.form("/sign-in").value("email"), most(512));
        // they agreed to all of it above
        let told = answer_of(&stage.through_sign_in(&mut browser, page).await);
        assert_eq!(told["state"], most(4096));
        let answer = stage.token(&stage.redemption(&told["code"])).await;
        let id_token = answer.json()["id_token"].as_str().unwrap().to_owned();
        assert!(id_token.len() < 8000, "{}", id_token.len());
        // a form that comes without our cookie goes round as an address, if that can be as long
        let mut nobody = stage.app_browser();
        for (length, status) in [(1000, 303), (16_384, 400), (60_000, 400)] {
            let state = "s".repeat(length);
            let answer = nobody.post(&format!("{ISSUER}/logout"), &[("state", &state), ("client_id", "x")]).await;
            assert_eq!(answer.status, status, "{length}");
        }
        let url = format!("{ISSUER}/logout?id_token_hint={id_token}");
        assert_eq!(browser.get(&url).await.status, 303, "it is good for signing out");
        stage.end().await;
    });
}

#[test]
fn a_body_is_of_one_media_type() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let code = stage.code().await;
        let form = "application/x-www-form-urlencoded";
        for other in ["text/plain", form] {
            refused(
                &stage.post("token", &[("content-type", other)], &stage.redemption(&code)).await,
                400,
                "invalid_request",
            );
        }
        let loud = stage.app_browser();
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(stage.redemption(&code)).finish();
        let kind = [("content-type", "Application/X-WWW-Form-URLEncoded ; charset=UTF-8")];
        assert_eq!(loud.clone().send(Method::POST, &format!("{ISSUER}/token"), &kind, body).await.status, 200);
        stage.end().await;
    });
}
