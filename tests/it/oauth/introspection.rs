//! Introspection, revocation, userinfo, the person's own apps, and what *Disable client* does to them (ATTACKS groups I and V).

use super::actors::{FHIR, ISSUER, Stage, Tokens, basic, refused};
use crate::support::on_both;

#[test]
fn who_may_not_ask_learns_nothing() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let access = tokens.access();
        let (client, secret) = stage.backend("system/Patient.rs").await;
        let (id, own) = &stage.fhir_server;
        let token = [("token", access.as_str())];
        refused(&stage.post("introspect", &[], &token).await, 401, "invalid_client");
        refused(
            &stage.post("introspect", &[("authorization", &basic(id, "wrong"))], &token).await,
            401,
            "invalid_client",
        );
        refused(
            &stage.post("introspect", &[("authorization", &basic("rs_other", own))], &token).await,
            401,
            "invalid_client",
        );
        refused(
            &stage.post("introspect", &[], &[token[0], ("client_id", stage.app.as_str())]).await,
            401,
            "invalid_client",
        );
        refused(
            &stage.post("introspect", &[("authorization", &basic(client.as_str(), &secret))], &token).await,
            403,
            "insufficient_scope",
        );
        refused(
            &stage.post("introspect", &[("authorization", &format!("Bearer {access}"))], &token).await,
            403,
            "insufficient_scope",
        );
        refused(&stage.post("introspect", &[("authorization", "Bearer nonsense")], &token).await, 401, "invalid_token");
        refused(&stage.post("introspect", &[("authorization", &basic(id, own))], &[]).await, 400, "invalid_request");
        assert_eq!(stage.app_browser().get(&format!("{ISSUER}/introspect")).await.status, 405);
        // the other hospital knows neither this server nor this token
        let body = format!("token={access}");
        let elsewhere = stage
            .app_browser()
            .send(
                axum::http::Method::POST,
                "https://countersign.example/o/st-luke/introspect",
                &[("content-type", "application/x-www-form-urlencoded"), ("authorization", &basic(id, own))],
                body,
            )
            .await;
        refused(&elsewhere, 401, "invalid_client");
        stage.end().await;
    });
}

#[test]
fn a_bearer_with_the_introspection_scope_may_ask_about_any_client() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let (client, secret) = stage.backend("system/Patient.rs __introspect").await;
        let fields = [("grant_type", "client_credentials"), ("scope", "__introspect")];
        let own =
            Tokens(stage.post("token", &[("authorization", &basic(client.as_str(), &secret))], &fields).await.json());
        let bearer = format!("Bearer {}", own.access());
        let answer = stage.post("introspect", &[("authorization", &bearer)], &[("token", &tokens.access())]).await;
        assert_eq!(answer.json()["active"], true, "{}", answer.body);
        stage.end().await;
    });
}

#[test]
fn everything_that_is_not_good_looks_the_same() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let access = tokens.access();
        let flipped = access.replace(&access[40..41], if &access[40..41] == "A" { "B" } else { "A" });
        for dead in [
            tokens.refresh(),
            flipped,
            access[..50].to_owned(),
            format!("{access}x"),
            "x".into(),
            "csa_".into(),
            "é".into(),
        ] {
            assert!(!stage.is_active(&dead).await, "{dead}");
        }
        for hint in ["refresh_token", "access_token", "nonsense"] {
            let (id, secret) = &stage.fhir_server;
            let answer = stage
                .post(
                    "introspect",
                    &[("authorization", &basic(id, secret))],
                    &[("token", &access), ("token_type_hint", hint)],
                )
                .await;
            assert_eq!(answer.json()["active"], true);
            assert_eq!(answer.header("cache-control"), "no-store");
        }
        stage.world().clock.advance_seconds(3599);
        assert!(stage.is_active(&access).await);
        stage.world().clock.advance_seconds(1);
        assert!(!stage.is_active(&access).await, "at its end it is over, without grace");
        stage.end().await;
    });
}

#[test]
fn disabling_a_client_ends_all_it_has_here_in_the_same_moment_and_enabling_revives_nothing() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let patient = stage.tokens().await;
        let (backend, secret) = stage.backend("system/Patient.rs").await;
        let fields = [("grant_type", "client_credentials"), ("scope", "system/Patient.rs")];
        let credentials = basic(backend.as_str(), &secret);
        let service = Tokens(stage.post("token", &[("authorization", &credentials)], &fields).await.json());
        let code = stage.code().await;
        assert!(stage.is_active(&patient.access()).await && stage.is_active(&service.access()).await);
        stage.disable(&stage.app).await;
        assert!(!stage.is_active(&patient.access()).await);
        assert!(stage.is_active(&service.access()).await, "another client is untouched");
        refused(&stage.token(&stage.redemption(&code)).await, 401, "invalid_client");
        let mut browser = stage.app_browser();
        let launch = browser.open(&Stage::authorize_url(&stage.request())).await;
        assert_eq!(launch.status, 400);
        assert!(launch.location().is_empty(), "a disabled client is never redirected to");
        let info = browser
            .send(
                axum::http::Method::GET,
                &format!("{ISSUER}/userinfo"),
                &[("authorization", &format!("Bearer {}", patient.access()))],
                "",
            )
            .await;
        assert_eq!(info.status, 401);
        stage.enable(&stage.app).await;
        assert!(!stage.is_active(&patient.access()).await);
        refused(&stage.refresh(&patient.refresh()).await, 400, "invalid_grant");
        stage.disable(&backend).await;
        assert!(!stage.is_active(&service.access()).await);
        refused(&stage.post("token", &[("authorization", &credentials)], &fields).await, 401, "invalid_client");
        // and a new launch works again, without a new question of consent
        let again = stage.tokens().await;
        assert!(stage.is_active(&again.access()).await);
        stage.end().await;
    });
}

#[test]
fn revoking_an_access_token_ends_it_alone_and_a_refresh_token_its_family() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let next = Tokens(stage.refresh(&tokens.refresh()).await.json());
        let revoke = |token: String| {
            let stage = &stage;
            async move {
                stage.post("revoke", &[], &[("token", &token), ("client_id", stage.app.as_str())]).await.status.as_u16()
            }
        };
        for unknown in ["x".to_owned(), format!("{}x", next.access())] {
            assert_eq!(revoke(unknown).await, 200);
        }
        // somebody else's token is untouched
        let (other, secret) = stage.confidential().await;
        let answer = stage
            .post("revoke", &[("authorization", &basic(other.as_str(), &secret))], &[("token", &next.refresh())])
            .await;
        assert_eq!(answer.status, 200);
        assert!(stage.is_active(&next.access()).await && stage.is_active(&tokens.access()).await);
        assert_eq!(revoke(next.access()).await, 200);
        assert!(!stage.is_active(&next.access()).await);
        assert!(stage.is_active(&tokens.access()).await);
        let last = Tokens(stage.refresh(&next.refresh()).await.json());
        assert_eq!(revoke(last.refresh()).await, 200);
        for access in [tokens.access(), last.access()] {
            assert!(!stage.is_active(&access).await);
        }
        // inside the window of the retry rule, too
        refused(&stage.refresh(&next.refresh()).await, 400, "invalid_grant");
        refused(&stage.refresh(&last.refresh()).await, 400, "invalid_grant");
        assert_eq!(revoke(last.refresh()).await, 200, "dead already");
        assert_eq!(stage.world().recorded("grant.revoked").await, 1);
        refused(&stage.post("revoke", &[], &[("token", "x")]).await, 401, "invalid_client");
        refused(&stage.post("revoke", &[], &[("client_id", stage.app.as_str())]).await, 400, "invalid_request");
        stage.end().await;
    });
}

#[test]
fn userinfo_tells_who_it_is_to_the_header_only() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let url = format!("{ISSUER}/userinfo");
        let bearer = format!("Bearer {}", tokens.access());
        let mut browser = stage.app_browser();
        let get = axum::http::Method::GET;
        let answer = browser.send(get.clone(), &url, &[("authorization", &bearer)], "").await;
        assert_eq!(answer.json()["sub"], stage.patient.id.as_str());
        assert_eq!(answer.json()["fhirUser"], format!("{FHIR}/Patient/anna"));
        let in_query = browser.get(&format!("{url}?access_token={}", tokens.access())).await;
        refused(&in_query, 400, "invalid_request");
        let none = browser.get(&url).await;
        refused(&none, 401, "invalid_token");
        assert!(none.header("www-authenticate").starts_with("Bearer"));
        let (backend, secret) = stage.backend("system/Patient.rs").await;
        let fields = [("grant_type", "client_credentials"), ("scope", "system/Patient.rs")];
        let service =
            Tokens(stage.post("token", &[("authorization", &basic(backend.as_str(), &secret))], &fields).await.json());
        let answer = browser.send(get, &url, &[("authorization", &format!("Bearer {}", service.access()))], "").await;
        refused(&answer, 403, "insufficient_scope");
        stage.end().await;
    });
}

#[test]
fn a_person_stops_an_app_and_it_is_asked_for_anew() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let code = stage.launch(&mut browser, &stage.request()).await["code"].clone();
        let tokens = Tokens(stage.token(&stage.redemption(&code)).await.json());
        let page = browser.open(&format!("{ISSUER}/apps")).await;
        page.says("Growth Chart");
        let ask = browser.open(&format!("{ISSUER}/apps/{}/stop", stage.app)).await;
        let done = browser.submit(&ask.form("/apps/stop")).await;
        assert_eq!(done.status, 303, "{}", done.body);
        assert!(!stage.is_active(&tokens.access()).await);
        refused(&stage.refresh(&tokens.refresh()).await, 400, "invalid_grant");
        assert_eq!(stage.world().recorded("grant.stopped_by_user").await, 1);
        let page = browser.open(&Stage::authorize_url(&stage.request())).await;
        assert!(page.at.contains("/continue"), "consent is asked again: {}", page.at);
        page.form("/consent");
        stage.end().await;
    });
}

#[test]
fn a_jwt_access_token_is_asked_for_per_endpoint_lives_five_minutes_and_is_introspected_like_any_other() {
    on_both(|dialect| async move {
        use base64::Engine as _;
        let stage = Stage::new(dialect).await;
        let mut endpoint = stage.world().endpoint.clone();
        endpoint.settings.jwt_access_tokens = true;
        stage
            .world()
            .write(move |conn| {
                Box::pin(async move { countersign::storage::organizations::update_endpoint(conn, &endpoint).await })
            })
            .await;
        let tokens = stage.tokens().await;
        let jwt = tokens.access();
        let part = |place: usize| -> serde_json::Value {
            let json =
                base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(jwt.split('.').nth(place).unwrap()).unwrap();
            serde_json::from_slice(&json).unwrap()
        };
        assert_eq!(part(0)["typ"], "at+jwt");
        let claims = part(1);
        assert_eq!((claims["aud"].as_str(), claims["patient"].as_str()), (Some(FHIR), Some("anna")));
        assert_eq!(tokens.0["expires_in"].as_i64(), Some(300));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
        assert!(stage.is_active(&jwt).await);
        // its name is no token, an ID token is none, and a changed one is none
        assert!(!stage.is_active(claims["jti"].as_str().unwrap()).await);
        assert!(!stage.is_active(&tokens.text("id_token")).await);
        let (signed, signature) = jwt.rsplit_once('.').unwrap();
        let forged = format!("{signed}.{}", signature.chars().rev().collect::<String>());
        assert!(!stage.is_active(&forged).await);
        stage.disable(&stage.app).await;
        assert!(!stage.is_active(&jwt).await);
        stage.end().await;
    });
}
