//! The authorization endpoint and the way through it (ATTACKS groups A, L and S).

use axum::http::Method;
use countersign::domain::accounts::FhirUser;

use super::actors::{CALLBACK, FHIR, ISSUER, PATIENT_SCOPES, Stage, Tokens, answer_of};
use crate::governance::world;
use crate::support::browser::Answer;
use crate::support::on_both;

type Pairs = Vec<(String, String)>;

fn set(mut pairs: Pairs, name: &str, value: &str) -> Pairs {
    match pairs.iter_mut().find(|(key, _)| key == name) {
        Some(pair) => value.clone_into(&mut pair.1),
        None => pairs.push((name.to_owned(), value.to_owned())),
    }
    pairs
}

fn without(mut pairs: Pairs, name: &str) -> Pairs {
    pairs.retain(|(key, _)| key != name);
    pairs
}

fn and(mut pairs: Pairs, name: &str, value: &str) -> Pairs {
    pairs.push((name.to_owned(), value.to_owned()));
    pairs
}

/// Our own page, and nobody redirected.
#[track_caller]
fn stops(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 400, "{what}: {}", answer.location());
    assert!(answer.location().is_empty(), "{what}");
    assert!(answer.header("content-type").starts_with("text/html"), "{what}");
    assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{what}");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert!(answer.header("access-control-allow-origin").is_empty());
}

#[track_caller]
fn tells_the_app(answer: &Answer, error: &str, what: &str) {
    assert_eq!(answer.status, 303, "{what}: {}", answer.body);
    let told = answer_of(answer);
    assert!(answer.location().starts_with(CALLBACK), "{what}");
    assert_eq!(told.get("error").map(String::as_str), Some(error), "{what}: {told:?}");
    assert_eq!(told["iss"], ISSUER, "{what}");
    assert!(!told.contains_key("code"), "{what}");
}

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
        let both = browser
            .send(
                Method::POST,
                &format!("{ISSUER}/authorize?client_id=x"),
                &[("content-type", "application/x-www-form-urlencoded")],
                "a=b",
            )
            .await;
        stops(&both, "query and body");
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
fn a_launch_under_way_stops_when_the_client_is_disabled() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let page = browser.open(&Stage::authorize_url(&stage.request())).await;
        let page = stage.through_sign_in(&mut browser, page).await;
        let form = page.form("/consent").with("decision", "allow");
        stage.disable(&stage.app).await;
        stops(&browser.submit(&form).await, "disabled between question and answer");
        assert_eq!(stage.grants().await, 0);
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
            ("no challenge", without(good.clone(), "code_challenge"), "invalid_request"),
            ("empty challenge", set(good.clone(), "code_challenge", ""), "invalid_request"),
            ("plain", set(good.clone(), "code_challenge_method", "plain"), "invalid_request"),
            ("no method", without(good.clone(), "code_challenge_method"), "invalid_request"),
            ("unknown method", set(good.clone(), "code_challenge_method", "S512"), "invalid_request"),
            ("short challenge", set(good.clone(), "code_challenge", "abc"), "invalid_request"),
            ("odd challenge", set(good.clone(), "code_challenge", &"!".repeat(43)), "invalid_request"),
            ("no aud", without(good.clone(), "aud"), "invalid_request"),
            ("foreign aud", set(good.clone(), "aud", "https://fhir.st-luke.example/r4"), "invalid_request"),
            ("bogus aud", set(good.clone(), "aud", "https://evil.example/"), "invalid_request"),
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
            ("negative max_age", and(good.clone(), "max_age", "-1"), "invalid_request"),
            ("odd max_age", and(good.clone(), "max_age", "abc"), "invalid_request"),
            ("request object", and(good.clone(), "request", "eyJ"), "request_not_supported"),
            ("request_uri", and(good.clone(), "request_uri", "https://x"), "request_uri_not_supported"),
            ("fragment", and(good.clone(), "response_mode", "fragment"), "invalid_request"),
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
fn saying_no_is_told_to_the_app() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let page = browser.open(&Stage::authorize_url(&stage.request())).await;
        let page = stage.through_sign_in(&mut browser, page).await;
        let form = page.form("/consent");
        tells_the_app(&browser.submit(&form.clone().with("decision", "deny")).await, "access_denied", "deny");
        stops(&browser.submit(&form.with("decision", "allow")).await, "the back button");
        assert_eq!(stage.grants().await, 0);
        stage.end().await;
    });
}

#[test]
fn an_answer_only_narrows_and_a_forged_one_is_refused() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let page = browser.open(&Stage::authorize_url(&stage.request())).await;
        let page = stage.through_sign_in(&mut browser, page).await;
        let form = page.form("/consent").with("decision", "allow");
        for more in ["patient/Observation.cruds", "user/Patient.rs", "patient/*.rs", "system/*.rs"] {
            stops(&browser.submit(&form.clone().and("scope", more)).await, more);
        }
        let nothing = browser.submit(&form.clone().without("scope")).await;
        assert_eq!(nothing.status, 200, "asked again");
        let forged = form.clone().with("csrf", "x");
        assert_eq!(browser.submit(&forged).await.status, 403);
        // somebody else's launch
        let stranger = world::account(&stage.world().app, "mallory").await;
        stage.is_patient(&stranger, &["mallory"]).await;
        let mut other = stage.site.signed_in(&stranger).await;
        let own = other.open("/account").await.form("/sign-out");
        let answer = other.submit(&form.clone().with("csrf", own.value("csrf"))).await;
        stops(&answer, "another person's flow");
        // the person themselves, with less, and one category only
        let less = form.without("offline").with(
            "scope",
            "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
        );
        let answer = browser.submit(&less).await;
        let code = answer_of(&answer)["code"].clone();
        let tokens = Tokens(stage.token(&stage.redemption(&code)).await.json());
        assert_eq!(
            tokens.text("scope"),
            "launch/patient openid fhirUser patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
        );
        assert!(tokens.0.get("refresh_token").is_none(), "no background access was given");
        // remembered for the same or less, not for more
        let again = browser.open(&Stage::authorize_url(&stage.request())).await;
        again.form("/consent");
        stage.end().await;
    });
}

#[test]
fn what_was_agreed_is_remembered_for_the_same_or_less() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        stage.launch(&mut browser, &stage.request()).await;
        let silent = |scope: &str| set(and(stage.request(), "prompt", "none"), "scope", scope);
        for (scope, agreed) in [
            (PATIENT_SCOPES, true),
            ("launch/patient patient/Patient.r", true),
            ("launch/patient openid patient/*.rs", false),
        ] {
            let answer = browser.open(&Stage::authorize_url(&silent(scope))).await;
            let told = answer_of(&answer);
            assert_eq!(told.contains_key("code"), agreed, "{scope}: {told:?}");
            assert_eq!(told.get("error").map(String::as_str), (!agreed).then_some("consent_required"));
        }
        let asked = browser.open(&Stage::authorize_url(&and(stage.request(), "prompt", "consent"))).await;
        asked.form("/consent");
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
fn v1_scopes_come_back_as_they_were_asked() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        for (asked, granted) in [
            ("launch/patient patient/*.read", "launch/patient patient/*.read"),
            ("launch/patient patient/*.*", "launch/patient patient/*.read"),
            ("patient/Observation.read launch/patient foo:bar __x", "patient/Observation.read launch/patient"),
            ("openid openid launch/patient patient/Patient.r", "openid launch/patient patient/Patient.r"),
            ("launch/patient patient/Observation.cruds", "launch/patient patient/Observation.rs"),
        ] {
            let code = stage.code_for(&set(stage.request(), "scope", asked)).await;
            let tokens = Tokens(stage.token(&stage.redemption(&code)).await.json());
            assert_eq!(tokens.text("scope"), granted, "{asked}");
        }
        stage.end().await;
    });
}
