//! Refreshing (ATTACKS group R).

use std::sync::Arc;

use countersign::storage;

use super::actors::{PATIENT_SCOPES, Stage, Tokens, basic, refused};
use crate::support::on_both;

#[test]
fn a_public_client_may_refresh_without_saying_who_it_is() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let answer = stage.token(&[("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh())]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["scope"], PATIENT_SCOPES);
        assert_ne!(answer.json()["refresh_token"].as_str(), Some(tokens.refresh().as_str()), "rotated");
        stage.end().await;
    });
}

#[test]
fn a_confidential_client_must_prove_itself_and_keeps_its_refresh_token() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (client, secret) = stage.confidential().await;
        let mut request = stage.request();
        request[1].1 = client.as_str().to_owned();
        let code = stage.code_for(&request).await;
        let credentials = basic(client.as_str(), &secret);
        let mut fields = stage.redemption(&code);
        fields.retain(|(name, _)| *name != "client_id");
        let tokens = Tokens(stage.post("token", &[("authorization", &credentials)], &fields).await.json());
        let refresh = tokens.refresh();
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        refused(&stage.token(&fields).await, 401, "invalid_client");
        refused(&stage.token(&[fields[0], fields[1], ("client_id", client.as_str())]).await, 401, "invalid_client");
        for _ in 0..3 {
            let answer = stage.post("token", &[("authorization", &credentials)], &fields).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert_eq!(answer.json()["refresh_token"], refresh.as_str(), "the same one, said again");
        }
        stage.end().await;
    });
}

#[test]
fn a_lost_answer_is_given_again_for_a_minute_while_nothing_of_it_was_used() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let lost = Tokens(stage.refresh(&tokens.refresh()).await.json());
        stage.world().clock.advance_seconds(59);
        let again = stage.refresh(&tokens.refresh()).await;
        assert_eq!(again.status, 200, "{}", again.body);
        let again = Tokens(again.json());
        // one live leaf: the lost pair is gone
        assert!(!stage.is_active(&lost.access()).await);
        refused(&stage.refresh(&lost.refresh()).await, 400, "invalid_grant");
        assert!(stage.is_active(&again.access()).await);
        // now the successor's access token was used: the same again is reuse
        refused(&stage.refresh(&tokens.refresh()).await, 400, "invalid_grant");
        assert!(!stage.is_active(&again.access()).await);
        refused(&stage.refresh(&again.refresh()).await, 400, "invalid_grant");
        assert_eq!(stage.world().recorded("refresh_token.reused").await, 1);
        stage.end().await;
    });
}

#[test]
fn a_spent_refresh_token_ends_the_family_late_or_after_its_successor_was_used() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        // late
        let tokens = stage.tokens().await;
        let next = Tokens(stage.refresh(&tokens.refresh()).await.json());
        stage.world().clock.advance_seconds(61);
        refused(&stage.refresh(&tokens.refresh()).await, 400, "invalid_grant");
        refused(&stage.refresh(&next.refresh()).await, 400, "invalid_grant");
        // the grandparent, inside the window
        let first = stage.tokens().await;
        let second = Tokens(stage.refresh(&first.refresh()).await.json());
        let third = Tokens(stage.refresh(&second.refresh()).await.json());
        refused(&stage.refresh(&first.refresh()).await, 400, "invalid_grant");
        refused(&stage.refresh(&third.refresh()).await, 400, "invalid_grant");
        assert!(!stage.is_active(&third.access()).await);
        stage.end().await;
    });
}

#[test]
fn fifty_refreshes_at_once_leave_at_most_one_live_leaf() {
    on_both(|dialect| async move {
        let stage = Arc::new(Stage::new(dialect).await);
        let tokens = stage.tokens().await;
        let all = (0..50).map(|_| {
            let (stage, token) = (stage.clone(), tokens.refresh());
            tokio::spawn(async move { stage.refresh(&token).await })
        });
        let mut pairs = Vec::new();
        for answer in futures_util::future::join_all(all).await.into_iter().map(Result::unwrap) {
            match answer.status.as_u16() {
                200 => pairs.push(Tokens(answer.json())),
                _ => refused(&answer, 400, "invalid_grant"),
            }
        }
        assert!(!pairs.is_empty());
        let mut live = 0;
        for pair in &pairs {
            live += usize::from(stage.is_active(&pair.access()).await);
        }
        assert!(live <= 1, "{live} live access tokens");
        let mut leaves = 0;
        for pair in &pairs {
            leaves += usize::from(stage.refresh(&pair.refresh()).await.status == 200);
        }
        assert!(leaves <= 1, "{leaves} live refresh tokens");
        Arc::into_inner(stage).unwrap().end().await;
    });
}

#[test]
fn a_thousand_retries_leave_one_pair_of_rows() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let most = stage.world().app.config.limits.refresh_retries_per_minute;
        for retry in 0..1000 {
            let answer = stage.refresh(&tokens.refresh()).await;
            // the first is no retry
            if retry <= most {
                assert_eq!(answer.status, 200, "retry {retry}: {}", answer.body);
            } else {
                refused(&answer, 429, "temporarily_unavailable");
                assert_eq!(answer.header("retry-after"), "60");
            }
        }
        let world = stage.world();
        let live = {
            let mut conn = world.app.store.read().await.unwrap();
            countersign::storage::token_counters::live(
                &mut conn,
                &world.reviewer.organization.id,
                &stage.app,
                1,
                world.app.now(),
            )
            .await
            .unwrap()
        };
        assert!(live.0 <= 2 && live.1 <= 1, "{live:?}");
        stage.end().await;
    });
}

#[test]
fn narrowing_concerns_one_access_token_and_widening_is_refused() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut tokens = stage.tokens().await;
        let with = |token: String, scope: &'static str| {
            let stage = &stage;
            async move {
                stage
                    .token(&[
                        ("grant_type", "refresh_token"),
                        ("refresh_token", &token),
                        ("client_id", stage.app.as_str()),
                        ("scope", scope),
                    ])
                    .await
            }
        };
        for wider in [
            "openid patient/Observation.cruds",
            "patient/*.rs",
            "patient/Observation.*",
            "user/Observation.rs",
            "nonsense",
            "launch/patient system/*.rs",
        ] {
            refused(&with(tokens.refresh(), wider).await, 400, "invalid_scope");
        }
        for narrower in [
            "patient/Observation.rs",
            "patient/Observation.r",
            "patient/Observation.read",
            "patient/Observation.rs?category=laboratory",
            "openid",
        ] {
            let answer = with(tokens.refresh(), narrower).await;
            assert_eq!(answer.status, 200, "{narrower}: {}", answer.body);
            tokens = Tokens(answer.json());
            assert_eq!(tokens.text("scope"), narrower);
            assert_eq!(stage.introspect(&tokens.access()).await.json()["scope"], narrower);
        }
        let full = Tokens(stage.refresh(&tokens.refresh()).await.json());
        assert_eq!(full.text("scope"), PATIENT_SCOPES);
        stage.end().await;
    });
}

#[test]
fn nothing_is_refreshed_for_strangers_after_a_disable_or_elsewhere() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let (other, secret) = stage.confidential().await;
        let refresh = tokens.refresh();
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        refused(
            &stage.post("token", &[("authorization", &basic(other.as_str(), &secret))], &fields).await,
            400,
            "invalid_grant",
        );
        // at another hospital's issuer
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let elsewhere = "https://countersign.example/o/st-luke/token";
        let answer = stage
            .app_browser()
            .send(axum::http::Method::POST, elsewhere, &[("content-type", "application/x-www-form-urlencoded")], body)
            .await;
        refused(&answer, 400, "invalid_grant");
        assert_eq!(stage.token(&fields).await.status, 200, "the token is its owner's still");
        // disabled, enabled
        let tokens = stage.tokens().await;
        stage.disable(&stage.app).await;
        refused(&stage.refresh(&tokens.refresh()).await, 401, "invalid_client");
        refused(
            &stage.token(&[("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh())]).await,
            401,
            "invalid_client",
        );
        stage.enable(&stage.app).await;
        refused(&stage.refresh(&tokens.refresh()).await, 400, "invalid_grant");
        assert!(!stage.is_active(&tokens.access()).await, "enabling revives nothing");
        stage.end().await;
    });
}

#[test]
fn the_window_slides_with_each_use_and_closes_without() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut tokens = stage.tokens().await;
        for _ in 0..4 {
            stage.world().clock.advance_seconds(91 * 86_400);
            let answer = stage.refresh(&tokens.refresh()).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            tokens = Tokens(answer.json());
        }
        stage.world().clock.advance_seconds(100 * 86_400);
        refused(&stage.refresh(&tokens.refresh()).await, 400, "invalid_grant");
        stage.end().await;
    });
}

#[test]
fn online_access_ends_with_the_session() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut request = stage.request();
        request[3].1 = "launch/patient openid online_access patient/Patient.r".into();
        let mut browser = stage.app_browser();
        let code = stage.launch(&mut browser, &request).await["code"].clone();
        let tokens = Tokens(stage.token(&stage.redemption(&code)).await.json());
        assert!(stage.is_active(&tokens.access()).await);
        let next = stage.refresh(&tokens.refresh()).await;
        assert_eq!(next.status, 200, "{}", next.body);
        let next = Tokens(next.json());
        let page = browser.open("/account").await;
        let out = browser.submit(&page.form("/sign-out")).await;
        assert_eq!(out.status, 303);
        assert!(!stage.is_active(&next.access()).await);
        refused(&stage.refresh(&next.refresh()).await, 400, "invalid_grant");
        stage.end().await;
    });
}

#[test]
fn live_tokens_are_counted_right_through_the_life_of_a_family() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let live = async || {
            let world = stage.world();
            let organization = &world.reviewer.organization.id;
            let mut conn = world.app.store.read().await.unwrap();
            let epoch = storage::approvals::find(&mut conn, organization, &stage.app).await.unwrap().unwrap().epoch;
            storage::token_counters::live(&mut conn, organization, &stage.app, epoch, world.app.now()).await.unwrap()
        };
        assert_eq!(live().await, (0, 0));
        let first = stage.tokens().await;
        assert_eq!(live().await, (1, 1));
        let second = Tokens(stage.refresh(&first.refresh()).await.json());
        assert_eq!(live().await, (2, 1), "one family has one live refresh token");
        let client = stage.app.as_str().to_owned();
        let revoked = stage.post("revoke", &[], &[("token", &first.access()), ("client_id", &client)]).await;
        assert_eq!(revoked.status, 200);
        assert_eq!(live().await, (1, 1));
        // long after the access tokens have ended, the refresh token still counts until its family is revoked
        stage.world().clock.advance_seconds(7200);
        assert_eq!(live().await, (0, 1));
        let revoked = stage.post("revoke", &[], &[("token", &second.refresh()), ("client_id", &client)]).await;
        assert_eq!(revoked.status, 200);
        assert_eq!(live().await, (0, 0));
        stage.end().await;
    });
}
