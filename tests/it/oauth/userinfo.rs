//! Who the person is: ID tokens and UserInfo (SMART-ID; OpenID Connect Core 2, 5.3).

use axum::http::Method;
use countersign::domain::accounts::FhirUser;
use serde_json::Value;

use super::actors::{FHIR, ISSUER, Stage, Tokens, claims_of, header_of, refused, verifies};
use crate::support::browser::Answer;
use crate::support::on_both;

async fn info(stage: &Stage, method: Method, authorization: Option<&str>, body: &str) -> Answer {
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
    headers.extend(authorization.map(|value| ("authorization", value)));
    stage.app_browser().send(method, &format!("{ISSUER}/userinfo"), &headers, body.to_owned()).await
}

async fn tokens(stage: &Stage, scope: &str) -> Tokens {
    let mut browser = stage.app_browser();
    stage.tokens_for(&mut browser, &stage.request_of(&stage.app, scope)).await
}

#[test]
fn userinfo_reads_the_header_whatever_the_method_and_nothing_else() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let access = tokens.access();
        let bearer = format!("Bearer {access}");
        for method in [Method::GET, Method::POST] {
            for authorization in [bearer.clone(), format!("bearer {access}"), format!("BEARER  {access}")] {
                let answer = info(&stage, method.clone(), Some(&authorization), "").await;
                assert_eq!(answer.status, 200, "{authorization}");
                assert_eq!(answer.header("content-type"), "application/json");
                assert_eq!(answer.header("cache-control"), "no-store");
                assert_eq!(answer.json()["sub"], claims_of(&tokens.text("id_token"))["sub"]);
            }
        }
        // in the form, or twice
        for authorization in [None, Some(bearer.as_str())] {
            let answer = info(&stage, Method::POST, authorization, &format!("access_token={access}")).await;
            refused(&answer, 400, "invalid_request");
        }
        // no token at all: how to bring one, and not a word more (RFC 6750 3.1)
        let answer = info(&stage, Method::GET, None, "").await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (401, ""));
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"countersign\"");
        // a bad one
        for bad in [
            "Bearer x",
            "Bearer ",
            "Basic eDp5",
            &format!("Bearer {}", tokens.refresh()),
            &format!("Bearer {}", tokens.text("id_token")),
        ] {
            let answer = info(&stage, Method::GET, Some(bad), "").await;
            refused(&answer, 401, "invalid_token");
            assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""), "{bad}");
        }
        // another organization's issuer knows no such token
        let headers = [("authorization", bearer.as_str())];
        let elsewhere =
            stage.app_browser().send(Method::GET, "https://countersign.example/o/st-luke/userinfo", &headers, "").await;
        refused(&elsewhere, 401, "invalid_token");
        stage.world().clock.advance_seconds(3600);
        refused(&info(&stage, Method::GET, Some(&bearer), "").await, 401, "invalid_token");
        stage.end().await;
    });
}

#[test]
fn each_claim_needs_its_scope_in_the_id_token_and_at_userinfo_alike() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        stage
            .approve(&stage.app, "launch/patient openid fhirUser profile email offline_access patient/Patient.r")
            .await;
        let (url, name, email) =
            (format!("{FHIR}/Patient/anna"), stage.patient.name.clone(), stage.patient.email.clone());
        for (scope, expected) in [
            ("openid", vec![]),
            ("openid fhirUser", vec![("fhirUser", &url)]),
            ("openid profile", vec![("profile", &url), ("name", &name)]),
            ("openid email", vec![("email", &email)]),
            (
                "openid fhirUser profile email",
                vec![("fhirUser", &url), ("profile", &url), ("name", &name), ("email", &email)],
            ),
        ] {
            let tokens = tokens(&stage, scope).await;
            let claims = claims_of(&tokens.text("id_token"));
            let answer = info(&stage, Method::GET, Some(&format!("Bearer {}", tokens.access())), "").await.json();
            for told in [&claims, &answer] {
                for name in ["fhirUser", "profile", "name", "email"] {
                    let value = expected.iter().find(|(claim, _)| *claim == name).map(|(_, value)| value.as_str());
                    assert_eq!(told.get(name).and_then(Value::as_str), value, "{name} with {scope}");
                }
            }
            assert_eq!(answer["sub"], claims["sub"]);
        }
        // neither without openid
        let tokens = tokens(&stage, "fhirUser launch/patient patient/Patient.r").await;
        assert!(tokens.0.get("id_token").is_none());
        let answer = info(&stage, Method::GET, Some(&format!("Bearer {}", tokens.access())), "").await;
        refused(&answer, 403, "insufficient_scope");
        stage.end().await;
    });
}

#[test]
fn an_id_token_holds_what_openid_connect_asks_and_verifies_with_the_published_key() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let mut request = stage.request();
        request.push(("nonce".into(), "n \"1\" é".into()));
        let tokens = stage.tokens_for(&mut browser, &request).await;
        let id_token = tokens.text("id_token");
        let (header, claims) = (header_of(&id_token), claims_of(&id_token));
        let jwks = browser.get(&format!("{ISSUER}/jwks")).await.json();
        assert!(verifies(&id_token, &jwks));
        assert_eq!(header, serde_json::json!({ "typ": "JWT", "alg": "RS256", "kid": header["kid"] }));
        let now = stage.world().app.now().seconds();
        assert_eq!(claims["iss"], ISSUER);
        assert_eq!(claims["aud"], stage.app.as_str());
        assert_eq!(claims["sub"], stage.patient.id.as_str());
        assert_eq!(claims["nonce"], "n \"1\" é");
        assert_eq!((claims["iat"].as_i64(), claims["exp"].as_i64()), (Some(now), Some(now + 3600)));
        assert_eq!(claims["auth_time"].as_i64(), Some(now));
        assert!(claims["sid"].is_string() && claims["at_hash"].is_string());
        let sub = claims["sub"].as_str().unwrap();
        assert!(sub.is_ascii() && sub.len() <= 255 && sub.starts_with("acc_"));
        // refreshed: the same person, session and sign-in, no nonce
        stage.world().clock.advance_seconds(10);
        let later = Tokens(stage.refresh(&tokens.refresh()).await.json());
        let refreshed = claims_of(&later.text("id_token"));
        for name in ["iss", "sub", "aud", "sid", "auth_time", "fhirUser"] {
            assert_eq!(refreshed[name], claims[name], "{name}");
        }
        assert!(refreshed.get("nonce").is_none());
        assert_eq!(refreshed["iat"].as_i64(), Some(now + 10));
        assert_ne!(refreshed["at_hash"], claims["at_hash"], "of the new access token");
        stage.end().await;
    });
}

#[test]
fn a_person_has_one_sub_for_every_app_and_no_client_has_it() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let other = stage.register(|_| {}).await;
        stage.approve(&other, "openid launch/patient patient/Patient.r").await;
        let mut browser = stage.app_browser();
        let one = stage.tokens_for(&mut browser, &stage.request()).await;
        let two =
            stage.tokens_for(&mut browser, &stage.request_of(&other, "openid launch/patient patient/Patient.r")).await;
        let sub = claims_of(&one.text("id_token"))["sub"].clone();
        assert_eq!(claims_of(&two.text("id_token"))["sub"], sub);
        // X-11: a backend service's sub is its client id, which no account id can be
        let service = stage.backend("system/Patient.rs").await;
        let backend = service.0.clone();
        let service = Tokens(stage.ask_with_key(&service, "system/Patient.rs").await.json());
        let seen = stage.introspect(&service.access()).await.json();
        assert_eq!(
            (seen["sub"].as_str(), seen["client_id"].as_str()),
            (Some(backend.as_str()), Some(backend.as_str()))
        );
        assert!(backend.as_str().starts_with("app_") && sub.as_str().unwrap().starts_with("acc_"));
        assert!(service.0.get("id_token").is_none() && service.0.get("refresh_token").is_none());
        refused(
            &info(&stage, Method::GET, Some(&format!("Bearer {}", service.access())), "").await,
            403,
            "insufficient_scope",
        );
        stage.end().await;
    });
}

#[test]
fn every_kind_of_fhir_user_is_named_by_an_absolute_url_and_nobody_else_is_named() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let app = stage.register(|_| {}).await;
        stage.approve(&app, "openid fhirUser user/Patient.rs").await;
        let request = stage.request_of(&app, "openid fhirUser user/Patient.rs");
        for reference in ["Patient/anna", "Practitioner/7", "PractitionerRole/8", "RelatedPerson/9", "Person/4"] {
            stage.is_user(&stage.patient, FhirUser { reference: reference.into(), patients: Vec::new() }).await;
            let tokens = stage.tokens_for(&mut stage.app_browser(), &request).await;
            assert_eq!(claims_of(&tokens.text("id_token"))["fhirUser"], format!("{FHIR}/{reference}"));
            assert_eq!(stage.introspect(&tokens.access()).await.json()["fhirUser"], format!("{FHIR}/{reference}"));
        }
        // staff without a FHIR resource: the scope is not granted (SMART-ID-06)
        let mut browser = stage.site.signed_in(&stage.world().viewer.account).await;
        let tokens = stage.tokens_for(&mut browser, &request).await;
        assert_eq!(tokens.text("scope"), "openid user/Patient.rs");
        assert!(claims_of(&tokens.text("id_token")).get("fhirUser").is_none());
        stage.end().await;
    });
}
