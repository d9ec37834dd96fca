//! Values that no request may hold: U+0000, JSON that is not what it stands for.

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::domain::clients::AssertionAudience;
use serde_json::{Value, json};

use super::actors::{CALLBACK, FHIR, ISSUER, Key, Stage, answer_of, basic, claims, refused};
use super::client_keys::token as token_with;
use super::registration::{good, open, send, with};
use super::requests::{set, stops, without};
use crate::support::browser::Answer;
use crate::support::on_both;

const JSON: (&str, &str) = ("content-type", "application/json");

async fn launch(stage: &Stage, body: &str) -> Answer {
    let (id, secret) = &stage.fhir_server;
    let headers = [JSON, ("authorization", &basic(id, secret))];
    stage.app_browser().send(Method::POST, &format!("{ISSUER}/launch"), &headers, body.to_owned()).await
}

#[test]
fn no_parameter_and_no_credential_holds_a_nul() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let app = stage.app.as_str();
        let (id, secret) = stage.fhir_server.clone();
        let nul_secret = format!("{secret}\0");
        for path in ["token", "introspect", "revoke"] {
            for name in [
                "client_id",
                "client_secret",
                "token",
                "code",
                "refresh_token",
                "scope",
                "resource",
                "grant_type",
                "x\0",
            ] {
                let fields = [("grant_type", "refresh_token"), ("client_id", app), (name, "a\0b")];
                refused(&stage.post(path, &[], &fields[1..]).await, 400, "invalid_request");
            }
            for (id, secret) in [("a\0b", "c"), (id.as_str(), nul_secret.as_str()), ("a%00b", "c")] {
                let fields = [("grant_type", "client_credentials"), ("token", "x"), ("scope", "system/*.rs")];
                let answer = stage.post(path, &[("authorization", &basic(id, secret))], &fields).await;
                refused(&answer, 401, "invalid_client");
            }
        }
        // the authorization endpoint: our page, and nobody is sent anywhere (A11)
        let mut browser = stage.app_browser();
        for name in
            ["client_id", "redirect_uri", "state", "nonce", "scope", "aud", "login_hint", "code_challenge", "unknown"]
        {
            let pairs = set(stage.request(), name, "a\0b");
            stops(&browser.get(&Stage::authorize_url(&pairs)).await, name);
            let form: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            stops(&browser.post(&format!("{ISSUER}/authorize"), &form).await, name);
        }
        for name in ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"] {
            stops(&browser.get(&format!("{ISSUER}/logout?{name}=a%00b")).await, name);
            stops(&browser.post(&format!("{ISSUER}/logout"), &[(name, "a\0b")]).await, name);
        }
        stage.end().await;
    });
}

#[test]
fn no_json_holds_a_nul() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let app = stage.app.as_str();
        for wish in [
            json!({ "client_id": "a\0b" }),
            json!({ "client_id": app, "user": "a\0b" }),
            json!({ "client_id": app, "iss": "\0" }),
            json!({ "client_id": app, "context": { "patient": "a\0b" } }),
            json!({ "client_id": app, "context": { "__x": { "deep": ["\0"] } } }),
            json!({ "client_id": app, "context": { "__\0": 1 } }),
        ] {
            refused(&launch(&stage, &wish.to_string()).await, 400, "invalid_request");
        }
        open(&stage).await;
        for name in ["client_name", "client_uri", "software_id", "scope", "unknown"] {
            let answer = send(&stage, Method::POST, "", None, &with(name, json!("a\0b"))).await;
            refused(&answer, 400, "invalid_client_metadata");
        }
        let (client, key) = stage.backend_with_key("system/Patient.rs", AssertionAudience::Smart).await;
        for name in ["iss", "sub", "jti", "more"] {
            let mut claims = claims(&stage, &client, name);
            claims[name] = json!("a\0b");
            refused(&token_with(&stage, &key.sign(&key.header(), &claims)).await, 401, "invalid_client");
        }
        let kid = json!({ "alg": "ES384", "kid": "a\0b" });
        refused(&token_with(&stage, &key.sign(&kid, &claims(&stage, &client, "k"))).await, 401, "invalid_client");
        stage.end().await;
    });
}

/// A signed JWT of any two parts.
fn signed(key: &Key, header: &Value, claims: &Value) -> String {
    key.sign(header, claims)
}

#[test]
fn an_assertion_is_two_json_objects_in_which_nothing_is_null() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (client, key) = stage.backend_with_key("system/Patient.rs", AssertionAudience::Smart).await;
        let good = claims(&stage, &client, "first");
        assert_eq!(token_with(&stage, &signed(&key, &key.header(), &good)).await.status, 200);
        let id = client.as_str();
        let listed = json!([id, id, good["aud"], good["exp"], null, null, "second"]);
        let mut wrong = vec![
            signed(&key, &json!(["ES384", "key-1", "JWT"]), &claims(&stage, &client, "third")),
            signed(&key, &json!(["ES384", "key-1", "JWT"]), &listed),
            signed(&key, &key.header(), &listed),
        ];
        for (place, (in_header, name)) in [
            (true, "crit"),
            (true, "jku"),
            (true, "jwk"),
            (true, "x5c"),
            (true, "x5u"),
            (true, "typ"),
            (false, "nbf"),
            (false, "iat"),
        ]
        .into_iter()
        .enumerate()
        {
            let (mut header, mut claims) = (key.header(), claims(&stage, &client, &format!("null-{place}")));
            let part = if in_header { &mut header } else { &mut claims };
            part[name] = Value::Null;
            wrong.push(signed(&key, &header, &claims));
        }
        // a member said twice, known or not
        let twice = claims(&stage, &client, "twice").to_string().replacen('{', "{\"x\":1,\"x\":2,", 1);
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(key.header().to_string()), URL_SAFE_NO_PAD.encode(twice));
        wrong.push(key.sign_input(&input));
        for jwt in wrong {
            refused(&token_with(&stage, &jwt).await, 401, "invalid_client");
        }
        stage.end().await;
    });
}

#[test]
fn a_body_of_json_is_an_object_and_so_is_all_that_is_one_in_it() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let app = stage.app.as_str();
        for body in [
            json!([app, FHIR]),
            json!([app]),
            json!(app),
            json!({ "client_id": app, "context": ["anna"] }),
            json!({ "client_id": app, "context": { "fhirContext": [["Observation/1"]] } }),
            json!({ "client_id": [app] }),
            json!({ "client_id": app, "nonsense": 1 }),
        ] {
            let answer = launch(&stage, &body.to_string()).await;
            refused(&answer, 400, "invalid_request");
            for ours in ["struct", "Wish", "LaunchContext", "ContextItem", "ClientId"] {
                assert!(!answer.body.contains(ours), "{}", answer.body);
            }
        }
        let twice = format!(r#"{{"client_id":"{app}","context":{{"__x":1,"__x":2}}}}"#);
        refused(&launch(&stage, &twice).await, 400, "invalid_request");
        let odd = json!({ "client_id": app, "\u{e9}\"\\": 1 });
        refused(&launch(&stage, &odd.to_string()).await, 400, "invalid_request");
        // the API
        let world = stage.world();
        let token =
            countersign::governance::accounts::make_api_token(&world.app, &world.reviewer.account, "t", Some(1)).await;
        let authorization = format!("Bearer {}", token.unwrap().reveal());
        let disable = format!("/api/v1/organizations/st-mary/clients/{app}/disable");
        for body in [
            r#"["because"]"#,
            r#"{"reason":"a","reason":"b"}"#,
            r#"{"reason":"a\u0000"}"#,
            r#""because""#,
            r#"{"reason":["a"]}"#,
        ] {
            let headers = [JSON, ("authorization", authorization.as_str())];
            let answer = stage.app_browser().send(Method::POST, &disable, &headers, body).await;
            assert_eq!(answer.status, 400, "{body}: {}", answer.body);
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert!(!answer.body.contains("struct"), "{}", answer.body);
        }
        assert!(stage.is_active(&stage.tokens().await.access()).await, "nobody was disabled");
        // registration
        open(&stage).await;
        for body in [json!([good()]), with("jwks", json!([["EC"]])).parse().unwrap(), json!("x")] {
            refused(&send(&stage, Method::POST, "", None, &body.to_string()).await, 400, "invalid_client_metadata");
        }
        stage.end().await;
    });
}

#[test]
fn a_registration_that_is_refused_names_what_was_sent() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        open(&stage).await;
        for (name, value) in [
            ("client_name", json!("x".repeat(100))),
            ("client_uri", json!("https://x.example/%zz")),
            ("policy_uri", json!("https://x.example/#a")),
            ("tos_uri", json!("https://x.example/a b%")),
            ("scope", json!("nonsense/*.rs")),
            ("contacts", json!(["mailto:a@b.example"])),
            ("redirect_uris", json!(["https://x.example/%zz"])),
        ] {
            let answer = send(&stage, Method::POST, "", None, &with(name, value)).await;
            assert_eq!(answer.status, 400, "{name}: {}", answer.body);
            let told = answer.json()["error_description"].as_str().unwrap().to_owned();
            assert!(told.starts_with(&format!("{name}:")), "{name}: {told}");
        }
        // nobody is told that a token is wrong who sent none
        set_closed(&stage).await;
        for path in ["", "/app_x"] {
            let method = if path.is_empty() { Method::POST } else { Method::GET };
            let answer = send(&stage, method.clone(), path, None, &good().to_string()).await;
            assert_eq!(
                (answer.status.as_u16(), answer.header("www-authenticate").as_str()),
                (401, "Bearer realm=\"countersign\"")
            );
            let answer = send(&stage, method, path, Some("wrong"), &good().to_string()).await;
            assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""));
        }
        stage.end().await;
    });
}

async fn set_closed(stage: &Stage) {
    super::registration::set(stage, countersign::domain::organizations::RegistrationPolicy::Token).await;
}

#[test]
fn a_loopback_port_is_written_in_one_way() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let native = stage
            .register(|metadata| {
                metadata.native = true;
                metadata.redirect_uris = vec!["http://127.0.0.1/cb".into(), "http://[::1]/cb".into(), CALLBACK.into()];
            })
            .await;
        stage.approve(&native, super::actors::PATIENT_SCOPES).await;
        let request = set(stage.request(), "client_id", native.as_str());
        let mut browser = stage.app_browser();
        for (uri, is_good) in [
            ("http://127.0.0.1:80/cb", true),
            ("http://[::1]:49152/cb", true),
            ("http://127.0.0.1:00080/cb", false),
            ("http://[::1]:080/cb", false),
        ] {
            let answer = browser.get(&Stage::authorize_url(&set(request.clone(), "redirect_uri", uri))).await;
            if is_good {
                assert_eq!(answer.status, 303, "{uri}");
            } else {
                stops(&answer, uri);
            }
        }
        // the page of a native app on IPv6 loopback lets its form end there: in the words that a policy has for it
        let page = browser.open(&Stage::authorize_url(&set(request, "redirect_uri", "http://[::1]:49152/cb"))).await;
        let page = stage.through_sign_in(&mut browser, page).await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains("form-action 'self' https: http:;") && !policy.contains('['), "{policy}");
        let answer = browser.submit(&page.form("/consent").with("decision", "allow")).await;
        assert!(answer.location().starts_with("http://[::1]:49152/cb?code="), "{}", answer.location());
        stage.end().await;
    });
}

#[test]
fn the_language_link_of_a_launch_stays_in_the_launch() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let page = browser.open(&Stage::authorize_url(&stage.request())).await;
        let form = page.form("/sign-in");
        let failed = browser.submit(&form.with("email", &stage.patient.email).with("password", "wrong")).await;
        let page = browser.open(&crate::platform::surface::language_link(&failed)).await;
        page.says("lang=\"nl\"");
        let page = stage.through_sign_in(&mut browser, page).await;
        // consent with nothing ticked
        let form = page.form("/consent").without("scope").without("offline").with("decision", "allow");
        let page = browser.submit(&form).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let link = crate::platform::surface::language_link(&page);
        assert!(link.starts_with("/o/st-mary/continue?flow="), "{link}");
        let again = browser.open(&link).await;
        let answer = browser.submit(&again.form("/consent").with("decision", "allow")).await;
        assert!(answer_of(&answer).contains_key("code"));
        // a refused POST to the authorization endpoint is read in another language by asking again
        let pairs = without(stage.request(), "client_id");
        let form: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let page = browser.post(&format!("{ISSUER}/authorize"), &form).await;
        stops(&page, "no client");
        let again = browser.open(&crate::platform::surface::language_link(&page)).await;
        stops(&again, "still no client");
        again.says("client_id is missing");
        stage.end().await;
    });
}
