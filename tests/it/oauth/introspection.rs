//! Introspection, revocation, userinfo, the person's own apps, and what *Disable client* does to them (ATTACKS groups I and V).

use super::actors::{FHIR, ISSUER, Stage, Tokens, basic, refused};
use crate::support::on_both;

#[test]
fn who_may_not_ask_learns_nothing() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let access = tokens.access();
        let (client, secret) = stage.backend_with_secret("system/Patient.rs").await;
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
        let (client, secret) = stage.backend_with_secret("system/Patient.rs __introspect").await;
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
        let backend = stage.backend("system/Patient.rs").await;
        let service = Tokens(stage.ask_with_key(&backend, "system/Patient.rs").await.json());
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
        stage.disable(&backend.0).await;
        assert!(!stage.is_active(&service.access()).await);
        refused(&stage.ask_with_key(&backend, "system/Patient.rs").await, 401, "invalid_client");
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
        let backend = stage.backend("system/Patient.rs").await;
        let service = Tokens(stage.ask_with_key(&backend, "system/Patient.rs").await.json());
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
fn a_persons_apps_are_listed_with_what_since_when_and_last_used_and_are_theirs_alone_to_stop() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let none = browser.open(&format!("{ISSUER}/apps")).await;
        assert!(none.at.starts_with("/sign-in"), "for whoever is signed in: {}", none.at);
        let tokens = stage.tokens_for(&mut browser, &stage.request()).await;
        let other = stage.register(|metadata| metadata.name = "Other App".into()).await;
        stage.approve(&other, "launch/patient patient/Patient.r").await;
        stage.world().clock.advance_seconds(1200);
        let another =
            stage.tokens_for(&mut browser, &stage.request_of(&other, "launch/patient patient/Patient.r")).await;
        let url = format!("{ISSUER}/apps");
        let page = browser.open(&url).await;
        for words in ["Growth Chart", "Other App", "23 Nov 2025, 12:13", "23 Nov 2025, 12:33", "while you are away"] {
            page.says(words);
        }
        // last used: when a token was issued or first asked about, not when one was refused
        stage.world().clock.advance_seconds(1200);
        stage.refreshes("csr_nonsense").await;
        assert!(!browser.open(&url).await.body.contains("12:53"));
        assert!(stage.refreshes(&tokens.refresh()).await);
        browser.open(&url).await.says("23 Nov 2025, 12:53");
        // somebody else has none of them, and cannot stop them
        let mut stranger = stage.site.signed_in(&stage.world().viewer.account).await;
        let theirs = stranger.open(&url).await;
        assert!(!theirs.body.contains("Growth Chart"));
        let ask = stranger.get(&format!("{url}/{}/stop", stage.app)).await;
        assert_eq!(ask.status, 404);
        let account = stranger.open("/account").await.form("/sign-out");
        let csrf = account.fields.iter().find(|(name, _)| name == "csrf").unwrap().1.clone();
        stranger.post(&format!("{url}/stop"), &[("csrf", &csrf), ("grant", stage.app.as_str())]).await;
        // nor can a form on another page in the person's own browser, nor anybody at another organization
        let forged = browser.post(&format!("{url}/stop"), &[("csrf", "guessed"), ("grant", stage.app.as_str())]).await;
        assert_eq!(forged.status, 403);
        let ask = browser.open(&format!("{url}/{}/stop", stage.app)).await;
        let mut elsewhere = ask.form("/apps/stop");
        elsewhere.action = elsewhere.action.replace("st-mary", "st-luke");
        browser.submit(&elsewhere).await;
        let next = stage.tokens_for(&mut browser, &stage.request()).await;
        assert!(stage.is_active(&next.access()).await);
        // the person can: this app, all of it, at once, and no other
        let done = browser.submit_and_follow(&ask.form("/apps/stop")).await;
        done.says("has no access any more");
        assert!(!done.body.contains(&format!("apps/{}/stop", stage.app)));
        for access in [tokens.access(), next.access()] {
            assert!(!stage.is_active(&access).await);
        }
        assert!(!stage.refreshes(&next.refresh()).await);
        assert!(stage.is_active(&another.access()).await);
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

#[test]
fn an_active_token_is_told_with_every_member_of_its_token_response_and_of_rfc_7662() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let id_token = super::actors::claims_of(&tokens.text("id_token"));
        let seen = stage.introspect(&tokens.access()).await.json();
        let now = stage.world().app.now().seconds();
        assert_eq!(
            (seen["iat"].as_i64(), seen["nbf"].as_i64(), seen["exp"].as_i64()),
            (Some(now), Some(now), Some(now + 3600))
        );
        for name in ["iss", "sub", "fhirUser"] {
            assert_eq!(seen[name], id_token[name], "{name} as in the ID token");
        }
        for name in ["scope", "patient", "need_patient_banner", "token_type"] {
            assert_eq!(seen[name], tokens.0[name], "{name} as in the token response");
        }
        assert_eq!(seen["client_id"], stage.app.as_str());
        assert_eq!(seen["aud"], FHIR);
        // its name is always the same, is no token, and is no part of one
        let jti = seen["jti"].as_str().unwrap().to_owned();
        assert_eq!(stage.introspect(&tokens.access()).await.json()["jti"], jti.as_str());
        assert!(!tokens.access().contains(&jti) && !stage.is_active(&jti).await);
        let next = Tokens(stage.refresh(&tokens.refresh()).await.json());
        let after = stage.introspect(&next.access()).await.json();
        assert_ne!(after["jti"], jti.as_str());
        for name in ["scope", "patient", "need_patient_banner", "iss", "sub", "fhirUser", "aud", "client_id"] {
            assert_eq!(after[name], seen[name], "{name} after a refresh");
        }
        stage.end().await;
    });
}

#[test]
fn a_caller_sees_the_tokens_of_its_organization_and_of_no_other() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        // a caller of St. Mary with a bearer, at St. Luke's
        let (client, secret) = stage.backend_with_secret("system/Patient.rs __introspect").await;
        let fields = [("grant_type", "client_credentials"), ("scope", "__introspect")];
        let own =
            Tokens(stage.post("token", &[("authorization", &basic(client.as_str(), &secret))], &fields).await.json());
        let bearer = format!("Bearer {}", own.access());
        let form = "application/x-www-form-urlencoded";
        let elsewhere = "https://countersign.example/o/st-luke/introspect";
        let headers = [("content-type", form), ("authorization", bearer.as_str())];
        let body = format!("token={}", tokens.access());
        let answer = stage.app_browser().send(axum::http::Method::POST, elsewhere, &headers, body.clone()).await;
        refused(&answer, 401, "invalid_token");
        // St. Luke's own server, about a token of St. Mary's
        let secret = countersign::domain::secrets::PlainSecret::from_text("a secret of St. Luke's");
        let server = countersign::domain::organizations::ResourceServer {
            id: countersign::domain::ids::ResourceServerId::from_text("rs_luke"),
            organization_id: stage.world().stranger.organization.id.clone(),
            name: "Luke".into(),
            secret_hash: secret.hashed(),
            standing: countersign::domain::organizations::Standing::Active,
            last_used_at: None,
        };
        let now = stage.world().app.now();
        stage
            .world()
            .write(move |conn| {
                Box::pin(async move {
                    countersign::storage::organizations::insert_resource_server(conn, &server, now).await
                })
            })
            .await;
        let luke = basic("rs_luke", secret.reveal());
        let headers = [("content-type", form), ("authorization", luke.as_str())];
        let answer = stage.app_browser().send(axum::http::Method::POST, elsewhere, &headers, body).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, r#"{"active":false}"#));
        refused(
            &stage.post("introspect", &[("authorization", &luke)], &[("token", &tokens.access())]).await,
            401,
            "invalid_client",
        );
        // the bearer that asks dies like any other
        assert_eq!(
            stage.post("introspect", &[("authorization", &bearer)], &[("token", &tokens.access())]).await.json()["active"],
            true
        );
        stage.world().clock.advance_seconds(300);
        refused(
            &stage.post("introspect", &[("authorization", &bearer)], &[("token", &tokens.access())]).await,
            401,
            "invalid_token",
        );
        stage.end().await;
    });
}

#[test]
fn of_several_marks_the_strictest_wins_in_whatever_order_they_are_set_and_taken_away() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let suspended = async |is_suspended: bool| {
            use countersign::domain::organizations::{Organization, Standing};
            let standing = if is_suspended { Standing::Suspended } else { Standing::Active };
            let organization = Organization { standing, ..stage.world().reviewer.organization.clone() };
            stage
                .world()
                .write(move |conn| {
                    Box::pin(async move { countersign::storage::organizations::update(conn, &organization).await })
                })
                .await;
        };
        let person = async |active: bool| {
            let account = countersign::domain::accounts::Account { active, ..stage.patient.clone() };
            stage
                .world()
                .write(move |conn| {
                    Box::pin(async move { countersign::storage::accounts::update(conn, &account).await })
                })
                .await;
        };
        suspended(true).await;
        person(false).await;
        suspended(false).await;
        assert!(!stage.is_active(&tokens.access()).await, "the person is off");
        person(true).await;
        assert!(stage.is_active(&tokens.access()).await, "neither is a revocation");
        stage.disable(&stage.app).await;
        person(false).await;
        stage.enable(&stage.app).await;
        person(true).await;
        assert!(!stage.is_active(&tokens.access()).await, "a disable is one, for good");
        stage.end().await;
    });
}

#[test]
fn a_jwt_access_token_names_the_user_only_where_the_app_may_know_or_the_fhir_server_must() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut endpoint = stage.world().endpoint.clone();
        endpoint.settings.jwt_access_tokens = true;
        stage
            .world()
            .write(move |conn| {
                Box::pin(async move { countersign::storage::organizations::update_endpoint(conn, &endpoint).await })
            })
            .await;
        let jwks = stage.app_browser().get(&format!("{ISSUER}/jwks")).await.json();
        for (scope, named) in [
            ("openid launch/patient patient/Patient.r", false),
            ("openid fhirUser launch/patient patient/Patient.r", true),
            ("launch/patient user/Patient.rs", true),
        ] {
            let mut browser = stage.app_browser();
            let tokens = stage.tokens_for(&mut browser, &stage.request_of(&stage.app, scope)).await;
            let jwt = tokens.access();
            assert!(super::actors::verifies(&jwt, &jwks));
            let claims = super::actors::claims_of(&jwt);
            assert_eq!(claims.get("fhirUser").is_some(), named, "{scope}");
            for name in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti", "scope", "auth_time"] {
                assert!(claims.get(name).is_some(), "{name} (RFC 9068 2.2)");
            }
            let seen = stage.introspect(&jwt).await.json();
            for name in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti", "scope"] {
                assert_eq!(seen[name], claims[name], "{name} at introspection");
            }
            // X-09: its end is at most five minutes off, and where it is introspected, a disable at once
            stage.world().clock.advance_seconds(299);
            assert!(stage.is_active(&jwt).await);
            stage.world().clock.advance_seconds(1);
            assert!(!stage.is_active(&jwt).await);
        }
        stage.end().await;
    });
}
