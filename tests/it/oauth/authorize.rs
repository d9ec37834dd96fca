//! The authorization endpoint and the way through it (ATTACKS groups A, L and S).

use axum::http::Method;
use countersign::domain::accounts::FhirUser;

use super::actors::{CALLBACK, FHIR, ISSUER, Stage, Tokens, answer_of};
use super::requests::{and, set, stops, tells_the_app, without};
use crate::governance::world;
use crate::support::on_both;

#[test]
fn until_client_and_redirect_uri_are_known_a_fault_stops_at_our_own_page() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let good = stage.request();
        let mut cases = vec![
            without(good.clone(), "client_id"),
            set(good.clone(), "client_id", "app_unknown"),
            set(good.clone(), "client_id", "<script>alert(1)</script>"),
            without(good.clone(), "redirect_uri"),
            and(good.clone(), "client_id", stage.app.as_str()),
            and(good.clone(), "redirect_uri", CALLBACK),
            and(good.clone(), "state", "x"),
            set(set(good.clone(), "redirect_uri", "https://evil.example/"), "response_type", "token"),
        ];
        for uri in [
            "https://app.acme.example/CB",
            "https://app.acme.example/cb/",
            "https://app.acme.example//cb",
            "https://app.acme.example/cb/../x",
            "https://app.acme.example/cb/..;/x",
            "https://app.acme.example/%2e%2e/cb",
            "https://app.acme.example/cb?x=1",
            "https://app.acme.example/cb#x",
            "https://app.acme.example@evil.example/cb",
            "https://a@b@app.acme.example/cb",
            "https://app.acme.example\\cb",
            "https://app.acme.example/cb\r\nX: y",
            "https://app.acme.example:443/cb",
            "http://app.acme.example/cb",
            "javascript:alert(1)",
            // host
            "https://APP.acme.example/cb",
            "https://app.acme.example./cb",
            "https://app.acme.example.evil.example/cb",
            "https://evil.example/https://app.acme.example/cb",
            "https://app.acme.example%40evil.example/cb",
            "https://app.acme.example%2fcb",
            "https://evil.example\\@app.acme.example/cb",
            "https://app.acme.example:8443/cb",
            "//app.acme.example/cb",
            "app.acme.example/cb",
            // path
            "https://app.acme.example/cb;x",
            "https://app.acme.example/cb/.",
            "https://app.acme.example/./cb",
            "https://app.acme.example/x/../cb",
            "https://app.acme.example/cb%2f..%2fx",
            "https://app.acme.example/cb/%2e%2e/x",
            "https://app.acme.example/cb/%252e%252e/x",
            "https://app.acme.example/c%62",
            "https://app.acme.example/cb%00",
            "https://app.acme.example/cb%0d%0aSet-Cookie:x=1",
            // query and fragment
            "https://app.acme.example/cb?",
            "https://app.acme.example/cb#",
            "https://app.acme.example/cb?code=x",
            "https://app.acme.example/cb&x=1",
            // what is not seen, or looks like something else
            " https://app.acme.example/cb",
            "https://app.acme.example/cb ",
            "https://app.acme.example/cb\t",
            "https://app.acme.example/cb\0",
            "https://app.acme.example/c\u{200b}b",
            "https://app.acme.example/cb\u{202e}",
            "https://\u{430}pp.acme.example/cb",
            "https://app.acme.example/\u{ff43}b",
            "HTTPS://app.acme.example/cb",
            "*",
            "https://*.acme.example/cb",
            // two
            "https://app.acme.example/cb https://evil.example/",
            "https://app.acme.example/cb,https://evil.example/",
        ] {
            cases.push(set(good.clone(), "redirect_uri", uri));
        }
        for pairs in &cases {
            let answer = browser.get(&Stage::authorize_url(pairs)).await;
            stops(&answer, &format!("{pairs:?}"));
            assert!(!answer.body.contains("<script>alert"));
        }
        let malformed = browser.get(&format!("{ISSUER}/authorize?client_id=%ff")).await;
        stops(&malformed, "malformed");
        stops(&browser.get(&format!("{ISSUER}/authorize")).await, "bare");
        // a form, with something in the query too
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&good).finish();
        for (what, query, media_type, body) in [
            ("query and body", "?client_id=x", "application/x-www-form-urlencoded", body.as_str()),
            ("a harmless one in the query", "?ui_locales=nl", "application/x-www-form-urlencoded", &body),
            ("all in the query", &format!("?{body}"), "application/x-www-form-urlencoded", ""),
            ("JSON", "", "application/json", r#"{"client_id":"x"}"#),
            ("no media type", "", "", &body),
            ("multipart", "", "multipart/form-data; boundary=x", "--x--"),
            ("an empty body", "", "application/x-www-form-urlencoded", ""),
            ("repeated client_id", "", "application/x-www-form-urlencoded", &format!("{body}&client_id=x")),
        ] {
            let answer = browser
                .send(
                    Method::POST,
                    &format!("{ISSUER}/authorize{query}"),
                    &[("content-type", media_type)],
                    body.to_owned(),
                )
                .await;
            stops(&answer, what);
        }
        for method in [Method::PUT, Method::DELETE, Method::OPTIONS] {
            let answer = browser
                .send(method.clone(), &Stage::authorize_url(&good), &[("origin", "https://app.acme.example")], "")
                .await;
            assert_eq!(answer.status, 405, "{method}");
            assert!(answer.header("access-control-allow-origin").is_empty(), "A31");
        }
        assert_eq!(stage.grants().await, 0);
        stage.end().await;
    });
}

#[test]
fn clients_that_may_not_act_here_are_never_redirected_to() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let unasked = stage.register(|_| {}).await;
        let request = set(stage.request(), "client_id", unasked.as_str());
        stops(&browser.get(&Stage::authorize_url(&request)).await, "never asked");
        // also with a fault that a known client would be told about
        stops(
            &browser.get(&Stage::authorize_url(&set(request, "response_type", "token"))).await,
            "never asked, and wrong",
        );
        stage.disable(&stage.app).await;
        stops(&browser.get(&Stage::authorize_url(&stage.request())).await, "disabled");
        stage.end().await;
    });
}

#[test]
fn every_later_fault_is_told_to_the_app_with_state_and_issuer() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let good = stage.request();
        let long = "s".repeat(4097);
        for (what, pairs, error) in [
            ("no response_type", without(good.clone(), "response_type"), "invalid_request"),
            ("token", set(good.clone(), "response_type", "token"), "unsupported_response_type"),
            ("id_token", set(good.clone(), "response_type", "id_token"), "unsupported_response_type"),
            ("hybrid", set(good.clone(), "response_type", "code id_token"), "unsupported_response_type"),
            ("code token", set(good.clone(), "response_type", "code token"), "unsupported_response_type"),
            ("none", set(good.clone(), "response_type", "none"), "unsupported_response_type"),
            ("code twice", set(good.clone(), "response_type", "code code"), "unsupported_response_type"),
            ("CODE", set(good.clone(), "response_type", "CODE"), "unsupported_response_type"),
            ("repeated response_type", and(good.clone(), "response_type", "token"), "invalid_request"),
            ("repeated aud", and(good.clone(), "aud", FHIR), "invalid_request"),
            ("repeated code_challenge", and(good.clone(), "code_challenge", "x"), "invalid_request"),
            ("repeated unknown", and(and(good.clone(), "x", "1"), "x", "2"), "invalid_request"),
            ("no challenge", without(good.clone(), "code_challenge"), "invalid_request"),
            ("empty challenge", set(good.clone(), "code_challenge", ""), "invalid_request"),
            ("plain", set(good.clone(), "code_challenge_method", "plain"), "invalid_request"),
            ("no method", without(good.clone(), "code_challenge_method"), "invalid_request"),
            ("unknown method", set(good.clone(), "code_challenge_method", "S512"), "invalid_request"),
            ("short challenge", set(good.clone(), "code_challenge", "abc"), "invalid_request"),
            ("odd challenge", set(good.clone(), "code_challenge", &"!".repeat(43)), "invalid_request"),
            ("long challenge", set(good.clone(), "code_challenge", &"A".repeat(44)), "invalid_request"),
            (
                "padded challenge",
                set(good.clone(), "code_challenge", &format!("{}=", "A".repeat(42))),
                "invalid_request",
            ),
            (
                "base64 challenge",
                set(good.clone(), "code_challenge", &format!("+{}", "A".repeat(42))),
                "invalid_request",
            ),
            ("method s256", set(good.clone(), "code_challenge_method", "s256"), "invalid_request"),
            ("empty method", set(good.clone(), "code_challenge_method", ""), "invalid_request"),
            ("no aud", without(good.clone(), "aud"), "invalid_request"),
            ("foreign aud", set(good.clone(), "aud", "https://fhir.st-luke.example/r4"), "invalid_request"),
            ("bogus aud", set(good.clone(), "aud", "https://evil.example/"), "invalid_request"),
            ("aud in capitals", set(good.clone(), "aud", &FHIR.to_uppercase()), "invalid_request"),
            ("aud with two slashes", set(good.clone(), "aud", &format!("{FHIR}//")), "invalid_request"),
            ("aud above", set(good.clone(), "aud", FHIR.trim_end_matches("/r4")), "invalid_request"),
            ("aud below", set(good.clone(), "aud", &format!("{FHIR}/Patient")), "invalid_request"),
            ("aud of ours", set(good.clone(), "aud", ISSUER), "invalid_request"),
            (
                "bogus resource",
                set(without(good.clone(), "aud"), "resource", "https://evil.example/"),
                "invalid_request",
            ),
            ("aud and another resource", and(good.clone(), "resource", "https://evil.example/"), "invalid_target"),
            ("long state", set(good.clone(), "state", &long), "invalid_request"),
            ("repeated scope", and(good.clone(), "scope", "openid"), "invalid_request"),
            ("no scope", without(good.clone(), "scope"), "invalid_scope"),
            ("unapproved scope", set(good.clone(), "scope", "user/Observation.cruds"), "invalid_scope"),
            ("system scope", set(good.clone(), "scope", "system/Patient.rs"), "invalid_scope"),
            ("bad charset", set(good.clone(), "scope", "openid \"x\""), "invalid_scope"),
            (
                "launch scope without launch",
                set(good.clone(), "scope", "launch openid patient/Patient.r"),
                "invalid_scope",
            ),
            ("launch without its scope", and(good.clone(), "launch", "csl_x"), "invalid_scope"),
            ("unknown launch", and(set(good.clone(), "scope", "launch openid"), "launch", "csl_x"), "invalid_request"),
            ("prompt none and login", and(good.clone(), "prompt", "none login"), "invalid_request"),
            ("prompt none and consent", and(good.clone(), "prompt", "consent none"), "invalid_request"),
            ("prompt none and account", and(good.clone(), "prompt", "none select_account"), "invalid_request"),
            ("prompt unknown", and(good.clone(), "prompt", "login sometimes"), "invalid_request"),
            ("prompt in capitals", and(good.clone(), "prompt", "NONE"), "invalid_request"),
            ("negative max_age", and(good.clone(), "max_age", "-1"), "invalid_request"),
            ("odd max_age", and(good.clone(), "max_age", "abc"), "invalid_request"),
            ("signed max_age", and(good.clone(), "max_age", "+60"), "invalid_request"),
            ("fractional max_age", and(good.clone(), "max_age", "1.5"), "invalid_request"),
            ("endless max_age", and(good.clone(), "max_age", "99999999999999999999"), "invalid_request"),
            ("request object", and(good.clone(), "request", "eyJ"), "request_not_supported"),
            ("request_uri", and(good.clone(), "request_uri", "https://x"), "request_uri_not_supported"),
            ("fragment", and(good.clone(), "response_mode", "fragment"), "invalid_request"),
            ("a mode we do not have", and(good.clone(), "response_mode", "query.jwt"), "invalid_request"),
            ("nobody signed in", and(good.clone(), "prompt", "none"), "login_required"),
            ("bad hint", and(good.clone(), "id_token_hint", "x.y.z"), "invalid_request"),
        ] {
            let answer = browser.open(&Stage::authorize_url(&pairs)).await;
            tells_the_app(&answer, error, what);
            if what != "long state" {
                assert_eq!(answer_of(&answer)["state"], "st-4711", "{what}");
            }
        }
        assert_eq!(stage.grants().await, 0);
        stage.end().await;
    });
}

#[test]
fn state_comes_back_as_it_was_or_not_at_all() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        for state in ["&code=x", "ä ö/?#%", "a+b c", "\u{1f3e5}", &"s".repeat(2000)] {
            let answer = stage.launch(&mut browser, &set(stage.request(), "state", state)).await;
            assert_eq!(answer["state"], state);
            assert!(answer["code"].starts_with("csc_"));
        }
        let answer = stage.launch(&mut browser, &without(stage.request(), "state")).await;
        assert!(!answer.contains_key("state") && answer.contains_key("code"));
        stage.end().await;
    });
}

#[test]
fn a_form_post_request_means_the_same_and_a_trailing_slash_on_aud_is_forgiven() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(set(stage.request(), "aud", &format!("{FHIR}/")))
            .finish();
        let answer = browser
            .send(
                Method::POST,
                &format!("{ISSUER}/authorize"),
                &[("content-type", "application/x-www-form-urlencoded")],
                body,
            )
            .await;
        assert_eq!(answer.status, 303);
        let page = browser.follow(answer).await;
        let page = stage.through_sign_in(&mut browser, page).await;
        let answer = browser.submit(&page.form("/consent").with("decision", "allow")).await;
        let code = answer_of(&answer)["code"].clone();
        assert_eq!(stage.token(&stage.redemption(&code)).await.status, 200);
        // resource is another name for aud
        let named = set(without(stage.request(), "aud"), "resource", FHIR);
        assert!(stage.launch(&mut browser, &named).await.contains_key("code"));
        // and the answer may be a form
        let page = browser.open(&Stage::authorize_url(&and(stage.request(), "response_mode", "form_post"))).await;
        let form = page.form("https://app.acme.example/cb");
        assert_eq!(form.value("state"), "st-4711");
        assert!(form.value("code").starts_with("csc_") && form.value("iss") == ISSUER);
        stage.end().await;
    });
}

#[test]
fn a_fresh_sign_in_is_asked_for_when_the_app_asks_for_one() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        stage.launch(&mut browser, &stage.request()).await;
        stage.world().clock.advance_seconds(120);
        for (name, value) in [("prompt", "login"), ("max_age", "60"), ("max_age", "0")] {
            let page = browser.open(&Stage::authorize_url(&and(stage.request(), name, value))).await;
            assert!(page.at.starts_with("/sign-in"), "{name}={value}: {}", page.at);
            // going on without signing in does not help
            let flow = page.at.split("flow%3D").nth(1).unwrap().split('&').next().unwrap().to_owned();
            let page = browser.open(&format!("{ISSUER}/continue?flow={flow}")).await;
            assert!(page.at.starts_with("/sign-in"), "{name}={value}: {}", page.at);
            let answer = stage.through_sign_in(&mut browser, page).await;
            let code = answer_of(&answer)["code"].clone();
            let tokens = Tokens(stage.token(&stage.redemption(&code)).await.json());
            use base64::Engine as _;
            let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD
                .decode(tokens.text("id_token").split('.').nth(1).unwrap())
                .unwrap();
            let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
            assert_eq!(claims["auth_time"].as_i64(), Some(stage.world().app.now().seconds()), "{name}={value}");
            stage.world().clock.advance_seconds(120);
        }
        let fresh = browser.open(&Stage::authorize_url(&and(stage.request(), "max_age", "1000"))).await;
        assert!(answer_of(&fresh).contains_key("code"));
        stage.end().await;
    });
}

#[test]
fn a_person_with_several_patients_chooses_one_of_them_and_no_other() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        stage.is_patient(&stage.patient, &["anna", "ben", "cleo"]).await;
        let mut browser = stage.app_browser();
        let page = browser.open(&Stage::authorize_url(&stage.request())).await;
        let page = stage.through_sign_in(&mut browser, page).await;
        let form = page.forms("/patient").remove(0);
        for wrong in ["dora", "", "anna/../x", "Patient/anna"] {
            let answer = browser.submit(&form.clone().with("patient", wrong)).await;
            assert_eq!(answer.status, 403, "{wrong}");
        }
        let page = browser.submit_and_follow(&form.clone().with("patient", "ben")).await;
        let answer = browser.submit(&page.form("/consent").with("decision", "allow")).await;
        let code = answer_of(&answer)["code"].clone();
        let tokens = Tokens(stage.token(&stage.redemption(&code)).await.json());
        assert_eq!(tokens.text("patient"), "ben");
        assert_eq!(stage.introspect(&tokens.access()).await.json()["patient"], "ben");
        // asked again each time: an old yes was about another patient
        let page = browser.open(&Stage::authorize_url(&stage.request())).await;
        let form = page.forms("/patient").remove(0);
        let silent = browser.open(&Stage::authorize_url(&and(stage.request(), "prompt", "none"))).await;
        tells_the_app(&silent, "interaction_required", "prompt=none");
        tells_the_app(&browser.submit(&form.with("decision", "cancel")).await, "access_denied", "cancel");
        stage.end().await;
    });
}

#[test]
fn patient_scopes_are_never_granted_without_a_patient() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        // inferred without launch/patient
        let mut browser = stage.app_browser();
        let code = stage.launch(&mut browser, &set(stage.request(), "scope", "openid patient/Patient.r")).await["code"]
            .clone();
        assert_eq!(Tokens(stage.token(&stage.redemption(&code)).await.json()).text("patient"), "anna");
        // nobody's patient: somebody known here without a record
        let nobody = world::account(&stage.world().app, "nobody").await;
        stage.is_user(&nobody, FhirUser { reference: "Person/9".into(), patients: Vec::new() }).await;
        let mut browser = stage.site.signed_in(&nobody).await;
        tells_the_app(&browser.open(&Stage::authorize_url(&stage.request())).await, "access_denied", "no patient");
        // unknown here altogether
        let stranger = world::account(&stage.world().app, "stranger").await;
        let mut browser = stage.site.signed_in(&stranger).await;
        let answer = browser.open(&Stage::authorize_url(&stage.request())).await;
        assert_eq!(answer.status, 403);
        assert!(answer.location().is_empty());
        // context is ours to say
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let sent = and(and(stage.request(), "patient", "ben"), "encounter", "7");
        let code = stage.launch(&mut browser, &sent).await["code"].clone();
        let mut fields = stage.redemption(&code);
        fields.push(("patient", "ben"));
        let tokens = Tokens(stage.token(&fields).await.json());
        assert_eq!(tokens.text("patient"), "anna");
        assert!(tokens.0.get("encounter").is_none());
        stage.end().await;
    });
}

#[test]
fn two_tabs_with_two_requests_keep_apart() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let one = browser.open(&Stage::authorize_url(&set(stage.request(), "state", "one"))).await;
        let two = browser.open(&Stage::authorize_url(&set(stage.request(), "state", "two"))).await;
        let answer_two = answer_of(&browser.submit(&two.form("/consent").with("decision", "allow")).await);
        let answer_one = answer_of(&browser.submit(&one.form("/consent").with("decision", "allow")).await);
        assert_eq!((answer_one["state"].as_str(), answer_two["state"].as_str()), ("one", "two"));
        assert_ne!(answer_one["code"], answer_two["code"]);
        stage.end().await;
    });
}

#[test]
fn a_native_app_is_answered_on_the_port_it_listens_on_and_nowhere_else() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let uris = ["http://127.0.0.1/cb", "http://[::1]:8000/cb", "org.acme.app:/cb", "https://127.0.0.1/tls"];
        let native = stage
            .register(|metadata| {
                metadata.native = true;
                metadata.redirect_uris = uris.map(str::to_owned).to_vec();
            })
            .await;
        let web = stage.register(|metadata| metadata.redirect_uris = uris.map(str::to_owned).to_vec()).await;
        for client in [&native, &web] {
            stage.approve(client, "launch/patient openid patient/Patient.r").await;
        }
        let of = |client: &countersign::domain::ids::ClientId, uri: &str| {
            let request = set(stage.request(), "client_id", client.as_str());
            set(set(request, "scope", "launch/patient openid patient/Patient.r"), "redirect_uri", uri)
        };
        // A13
        for uri in ["http://127.0.0.1:49152/cb", "http://127.0.0.1/cb", "http://[::1]:1/cb", "org.acme.app:/cb"] {
            let mut browser = stage.app_browser();
            let page = browser.open(&Stage::authorize_url(&of(&native, uri))).await;
            let page = stage.through_sign_in(&mut browser, page).await;
            let answer = browser.submit(&page.form("/consent").with("decision", "allow")).await;
            let location = answer.location();
            assert!(location.starts_with(&format!("{uri}?code=csc_")), "{uri}: {location}");
            let code = answer_of(&answer)["code"].clone();
            let mut fields = stage.redemption(&code);
            fields[2].1 = uri;
            fields[4].1 = native.as_str();
            assert_eq!(stage.token(&fields).await.status, 200, "{uri}");
            // whoever listens there now is not known: asked again, though it was agreed to
            if uri.starts_with("http:") {
                browser.open(&Stage::authorize_url(&of(&native, uri))).await.form("/consent");
            }
        }
        // A14
        let mut browser = stage.app_browser();
        for uri in [
            "http://127.0.0.1:49152/other",
            "http://127.0.0.1:49152/cb?x=1",
            "http://127.0.0.1:49152/cb/",
            "http://localhost:49152/cb",
            "http://localhost/cb",
            "http://127.1:49152/cb",
            "http://127.0.0.2:49152/cb",
            "http://2130706433:49152/cb",
            "http://0x7f.1/cb",
            "http://127.0.0.1.evil.com/cb",
            "http://127.0.0.1:49152@evil.com/cb",
            "http://x@127.0.0.1:49152/cb",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:65536/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:80a/cb",
            "https://127.0.0.1:49152/tls",
            "http://[::ffff:127.0.0.1]:8000/cb",
            "http://[0:0:0:0:0:0:0:1]:8000/cb",
            "org.acme.app://cb",
            "ORG.ACME.APP:/cb",
            "org.acme.app:/cb/../x",
        ] {
            stops(&browser.get(&Stage::authorize_url(&of(&native, uri))).await, uri);
        }
        stops(&browser.get(&Stage::authorize_url(&of(&web, "http://127.0.0.1:49152/cb"))).await, "not a native app");
        stage.end().await;
    });
}

#[test]
fn hints_prefill_and_bind_but_never_prove() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        // login_hint is only typed for the person, as text
        let mut browser = stage.app_browser();
        for hint in ["anna@example.org", "\"><script>alert(1)</script>"] {
            let page = browser.open(&Stage::authorize_url(&and(stage.request(), "login_hint", hint))).await;
            assert_eq!(page.form("/sign-in").value("email"), hint);
            assert!(!page.body.contains("<script>alert"));
        }
        let id_token = stage.tokens().await.text("id_token");
        // whom the hint names is signed in: silently
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let silent = and(and(stage.request(), "prompt", "none"), "id_token_hint", &id_token);
        assert!(answer_of(&browser.open(&Stage::authorize_url(&silent)).await).contains_key("code"));
        // somebody else is
        let other = world::account(&stage.world().app, "ben").await;
        stage.is_patient(&other, &["ben"]).await;
        let mut browser = stage.site.signed_in(&other).await;
        tells_the_app(&browser.open(&Stage::authorize_url(&silent)).await, "login_required", "somebody else");
        let page = browser.open(&Stage::authorize_url(&and(stage.request(), "id_token_hint", &id_token))).await;
        let form = page.form("/sign-in").with("email", &other.email).with("password", crate::support::site::PASSWORD);
        tells_the_app(&browser.submit_and_follow(&form).await, "access_denied", "and stays somebody else");
        for forged in [&id_token[..id_token.len() - 4], "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhY2NfeCJ9.", "x"] {
            let pairs = and(stage.request(), "id_token_hint", forged);
            tells_the_app(&browser.open(&Stage::authorize_url(&pairs)).await, "invalid_request", forged);
        }
        stage.end().await;
    });
}

#[test]
fn the_code_of_each_tab_is_for_its_own_client_and_its_own_challenge() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let other = stage.register(|_| {}).await;
        stage.approve(&other, super::actors::PATIENT_SCOPES).await;
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let verifier = "another-verifier-of-more-than-forty-three-characters";
        let second = set(stage.request(), "client_id", other.as_str());
        let second = set(second, "code_challenge", &super::actors::challenge(verifier));
        let one = browser.open(&Stage::authorize_url(&stage.request())).await;
        let two = browser.open(&Stage::authorize_url(&second)).await;
        let code_two =
            answer_of(&browser.submit(&two.form("/consent").with("decision", "allow")).await)["code"].clone();
        let code_one =
            answer_of(&browser.submit(&one.form("/consent").with("decision", "allow")).await)["code"].clone();
        // A39: crossed, neither works, and neither is spoilt for its owner
        super::actors::refused(&stage.token(&stage.redemption(&code_two)).await, 400, "invalid_grant");
        let mut fields = stage.redemption(&code_two);
        fields[3].1 = verifier;
        fields[4].1 = other.as_str();
        assert_eq!(stage.token(&fields).await.status, 200);
        assert_eq!(stage.token(&stage.redemption(&code_one)).await.status, 200);
        stage.end().await;
    });
}

#[test]
fn an_issuer_answers_in_its_own_name_only() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        // A37: the other hospital has not approved the app: nobody is sent anywhere from there, whatever the fault
        for pairs in
            [stage.request(), set(stage.request(), "response_type", "token"), without(stage.request(), "scope")]
        {
            let url = Stage::authorize_url(&pairs).replace("/o/st-mary/", "/o/st-luke/");
            stops(&browser.get(&url).await, "another issuer");
        }
        let answer = stage.launch(&mut browser, &stage.request()).await;
        let metadata = browser.get(&format!("{ISSUER}/.well-known/openid-configuration")).await.json();
        assert_eq!(metadata["issuer"], answer["iss"].as_str());
        // X-10: the request form of authorization_details is not ours, and changes nothing
        let details = r#"[{"type":"smart_on_fhir","scope":"system/*.cruds"}]"#;
        let answer = stage.launch(&mut browser, &and(stage.request(), "authorization_details", details)).await;
        let tokens = stage.token(&stage.redemption(&answer["code"])).await.json();
        assert_eq!(tokens["scope"], super::actors::PATIENT_SCOPES);
        assert!(tokens.get("authorization_details").is_none());
        stage.end().await;
    });
}
