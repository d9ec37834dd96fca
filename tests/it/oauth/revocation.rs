//! Revocation (RFC 7009; ATTACKS group V).

use std::sync::Arc;

use axum::http::Method;
use countersign::storage::StorageError;

use super::actors::{ISSUER, Stage, Tokens, basic, refused};
use crate::support::browser::Answer;
use crate::support::on_both;

async fn revoke(stage: &Stage, token: &str) -> Answer {
    stage.post("revoke", &[], &[("token", token), ("client_id", stage.app.as_str())]).await
}

/// Takes a table away, or gives it back: the database fails wherever it is needed.
async fn rename_table(stage: &Stage, from: &'static str, to: &'static str) {
    stage
        .world()
        .write(move |conn| {
            Box::pin(async move {
                sqlx::query(sqlx::AssertSqlSafe(format!("alter table {from} rename to {to}"))).execute(conn).await?;
                Ok::<(), StorageError>(())
            })
        })
        .await;
}

#[test]
fn whatever_is_no_live_token_is_answered_like_one_that_was_revoked() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let spent = tokens.refresh();
        let tokens = Tokens(stage.refresh(&spent).await.json());
        let (access, code) = (tokens.access(), stage.code().await);
        let flipped = access.replace(&access[40..41], if &access[40..41] == "A" { "B" } else { "A" });
        for (what, token) in [
            ("nonsense", "x".to_owned()),
            ("markup", "<script>".to_owned()),
            ("flipped", flipped),
            ("truncated", access[..access.len() - 1].to_owned()),
            ("extended", format!("{access}A")),
            ("an ID token", tokens.text("id_token")),
            ("a code", code.clone()),
            ("very long", "x".repeat(10_000)),
        ] {
            let answer = revoke(&stage, &token).await;
            assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "{}"), "{what}");
            assert_eq!(answer.header("cache-control"), "no-store");
        }
        assert!(stage.is_active(&access).await, "none of this was the token");
        assert_eq!(stage.token(&stage.redemption(&code)).await.status, 200, "nor the code");
        // once dead, the same again
        for token in [&access, &access, &tokens.refresh(), &tokens.refresh(), &spent, &access] {
            assert_eq!(revoke(&stage, token).await.status, 200);
        }
        assert_eq!(stage.world().recorded("access_token.revoked").await, 1);
        assert_eq!(stage.world().recorded("grant.revoked").await, 1);
        stage.end().await;
    });
}

#[test]
fn the_hint_decides_nothing() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        for hint in ["access_token", "refresh_token", "id_token", "nonsense"] {
            let tokens = stage.tokens().await;
            let fields = |token: &str| {
                vec![
                    ("token", token.to_owned()),
                    ("token_type_hint", hint.to_owned()),
                    ("client_id", stage.app.as_str().to_owned()),
                ]
            };
            for token in [tokens.access(), tokens.refresh()] {
                let fields = fields(&token);
                let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                assert_eq!(stage.post("revoke", &[], &fields).await.status, 200);
            }
            assert!(!stage.is_active(&tokens.access()).await, "{hint}");
            assert!(!stage.refreshes(&tokens.refresh()).await, "{hint}");
        }
        stage.end().await;
    });
}

#[test]
fn a_spent_or_replaced_refresh_token_still_ends_its_family() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        for lost in [false, true] {
            let first = stage.tokens().await;
            let second = Tokens(stage.refresh(&first.refresh()).await.json());
            let third = Tokens(stage.refresh(if lost { &first } else { &second }.refresh().as_str()).await.json());
            // spent, or replaced
            assert_eq!(revoke(&stage, &second.refresh()).await.status, 200);
            for access in [first.access(), second.access(), third.access()] {
                assert!(!stage.is_active(&access).await, "lost: {lost}");
            }
            refused(&stage.refresh(&third.refresh()).await, 400, "invalid_grant");
        }
        stage.end().await;
    });
}

#[test]
fn a_client_gives_back_its_own_tokens_and_nobody_elses() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let (other, secret) = stage.confidential().await;
        let credentials = basic(other.as_str(), &secret);
        for token in [tokens.access(), tokens.refresh()] {
            let as_other = stage.post("revoke", &[("authorization", &credentials)], &[("token", &token)]).await;
            let unknown = stage.post("revoke", &[("authorization", &credentials)], &[("token", "x")]).await;
            assert_eq!((as_other.status, &as_other.body), (unknown.status, &unknown.body), "no tell");
        }
        // a confidential client's token, without its proof
        let mut browser = stage.app_browser();
        let mut request = stage.request();
        request[1].1 = other.as_str().into();
        let code = stage.launch(&mut browser, &request).await["code"].clone();
        let mut fields = stage.redemption(&code);
        fields.retain(|(name, _)| *name != "client_id");
        let theirs = Tokens(stage.post("token", &[("authorization", &credentials)], &fields).await.json());
        for fields in [
            vec![("token", theirs.refresh())],
            vec![("token", theirs.refresh()), ("client_id", other.as_str().to_owned())],
            vec![
                ("token", theirs.refresh()),
                ("client_id", other.as_str().to_owned()),
                ("client_secret", "wrong".to_owned()),
            ],
        ] {
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            refused(&stage.post("revoke", &[], &fields).await, 401, "invalid_client");
        }
        // under a stranger's name
        let fields = [("token", theirs.access()), ("client_id", stage.app.as_str().to_owned())];
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(stage.post("revoke", &[], &fields).await.status, 200);
        // elsewhere
        let body = format!("token={}&client_id={}", tokens.refresh(), stage.app);
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let elsewhere = "https://countersign.example/o/st-luke/revoke";
        let answer = stage.app_browser().send(Method::POST, elsewhere, &form, body).await;
        refused(&answer, 401, "invalid_client");
        for access in [tokens.access(), theirs.access()] {
            assert!(stage.is_active(&access).await, "untouched by all of it");
        }
        // with its own proof; and a public client by the token alone, as it refreshes
        assert_eq!(
            stage.post("revoke", &[("authorization", &credentials)], &[("token", &theirs.refresh())]).await.status,
            200
        );
        assert_eq!(stage.post("revoke", &[], &[("token", &tokens.refresh())]).await.status, 200);
        for access in [tokens.access(), theirs.access()] {
            assert!(!stage.is_active(&access).await);
        }
        stage.end().await;
    });
}

#[test]
fn requests_that_do_not_read_are_refused() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let (access, app) = (tokens.access(), stage.app.as_str().to_owned());
        let mut browser = stage.app_browser();
        let url = format!("{ISSUER}/revoke");
        assert_eq!(browser.get(&url).await.status, 405);
        let form = "application/x-www-form-urlencoded";
        for (content_type, url, body) in [
            (form, url.clone(), String::new()),
            (form, url.clone(), format!("client_id={app}")),
            (form, url.clone(), format!("token=&client_id={app}")),
            (form, url.clone(), format!("token={access}&token={access}&client_id={app}")),
            (form, format!("{url}?token={access}"), format!("client_id={app}")),
            ("application/json", url.clone(), format!("{{\"token\":\"{access}\"}}")),
        ] {
            let answer = browser.send(Method::POST, &url, &[("content-type", content_type)], body.clone()).await;
            refused(&answer, 400, "invalid_request");
        }
        refused(&stage.post("revoke", &[], &[("token", "x")]).await, 401, "invalid_client");
        refused(
            &stage.post("revoke", &[], &[("token", "x"), ("client_id", "app_unknown")]).await,
            401,
            "invalid_client",
        );
        stage.disable(&stage.app).await;
        refused(&revoke(&stage, &access).await, 401, "invalid_client");
        stage.end().await;
    });
}

#[test]
fn a_family_that_was_revoked_is_not_brought_back_by_a_retry_and_its_neighbours_live() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        // offline and online access of one app in one session, and offline access of another launch
        let mut browser = stage.app_browser();
        let request = |scope: &str| stage.request_of(&stage.app, scope);
        let offline = stage.tokens_for(&mut browser, &request("launch/patient offline_access patient/Patient.r")).await;
        let online = stage.tokens_for(&mut browser, &request("launch/patient online_access patient/Patient.r")).await;
        let again = stage.tokens_for(&mut browser, &request("launch/patient offline_access patient/Patient.r")).await;
        let next = Tokens(stage.refresh(&offline.refresh()).await.json());
        assert_eq!(revoke(&stage, &next.refresh()).await.status, 200);
        // inside the window of the retry rule, with a successor that was never used
        refused(&stage.refresh(&offline.refresh()).await, 400, "invalid_grant");
        refused(&stage.refresh(&next.refresh()).await, 400, "invalid_grant");
        for access in [offline.access(), next.access()] {
            assert!(!stage.is_active(&access).await);
        }
        for alive in [&online, &again] {
            assert!(stage.is_active(&alive.access()).await);
            assert!(stage.refreshes(&alive.refresh()).await);
        }
        stage.end().await;
    });
}

#[test]
fn of_revocations_racing_refreshes_nothing_survives() {
    on_both(|dialect| async move {
        let stage = Arc::new(Stage::new(dialect).await);
        let mut browser = stage.app_browser();
        for round in 0..60_usize {
            let tokens = stage.tokens_for(&mut browser, &stage.request()).await;
            let tasks = (0..4_usize).map(|place| {
                let (stage, token) = (stage.clone(), tokens.refresh());
                tokio::spawn(async move {
                    if place == round % 4 {
                        assert_eq!(revoke(&stage, &token).await.status, 200);
                        return None;
                    }
                    let answer = stage.refresh(&token).await;
                    (answer.status == 200).then(|| Tokens(answer.json()))
                })
            });
            let pairs = futures_util::future::join_all(tasks.collect::<Vec<_>>()).await;
            assert!(!stage.is_active(&tokens.access()).await);
            for pair in pairs.into_iter().filter_map(Result::unwrap) {
                assert!(!stage.is_active(&pair.access()).await);
                refused(&stage.refresh(&pair.refresh()).await, 400, "invalid_grant");
            }
        }
        Arc::into_inner(stage).unwrap().end().await;
    });
}

#[test]
fn a_jwt_access_token_is_revoked_like_any_other() {
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
        let tokens = stage.tokens().await;
        assert!(stage.is_active(&tokens.access()).await);
        assert_eq!(revoke(&stage, &tokens.access()).await.status, 200);
        assert!(!stage.is_active(&tokens.access()).await);
        assert!(stage.refreshes(&tokens.refresh()).await, "it ended alone");
        stage.end().await;
    });
}

/// Every table that these doors need, one after the other: never a 200 without its effect, never an active token, and afterwards everything is as it was (V03, C16).
#[test]
fn a_database_that_fails_is_a_503_at_every_door_and_nothing_is_issued_lost_or_ended() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let (other, secret) = stage.confidential().await;
        let credentials = basic(other.as_str(), &secret);
        let tokens = stage.tokens_for(&mut browser, &stage.request()).await;
        let code = stage.launch(&mut browser, &stage.request()).await["code"].clone();
        let grants = stage.grants().await;
        let unavailable = |answer: &Answer, what: &str| {
            assert_eq!(answer.status, 503, "{what}: {}", answer.body);
            assert_eq!(answer.header("retry-after"), "2", "{what}");
            assert!(!answer.body.contains("gone"), "{what} gives nothing away: {}", answer.body);
        };
        let bearer = format!("Bearer {}", tokens.access());
        for table in ["grants", "organizations", "approvals", "clients", "accounts", "sessions", "fhir_endpoints"] {
            rename_table(&stage, table, "gone").await;
            unavailable(&revoke(&stage, &tokens.refresh()).await, table);
            unavailable(&stage.refresh(&tokens.refresh()).await, table);
            unavailable(&stage.token(&stage.redemption(&code)).await, table);
            unavailable(&stage.introspect(&tokens.access()).await, table);
            let info = stage
                .app_browser()
                .send(Method::GET, &format!("{ISSUER}/userinfo"), &[("authorization", &bearer)], "")
                .await;
            unavailable(&info, table);
            rename_table(&stage, "gone", table).await;
        }
        for table in ["refresh_tokens", "audit_records", "audit_heads", "token_counters"] {
            rename_table(&stage, table, "gone").await;
            unavailable(&revoke(&stage, &tokens.refresh()).await, table);
            unavailable(&stage.refresh(&tokens.refresh()).await, table);
            if table != "refresh_tokens" {
                unavailable(&revoke(&stage, &tokens.access()).await, table);
            }
            unavailable(&stage.token(&stage.redemption(&code)).await, table);
            rename_table(&stage, "gone", table).await;
        }
        rename_table(&stage, "client_secrets", "gone").await;
        unavailable(
            &stage.post("revoke", &[("authorization", &credentials)], &[("token", "x")]).await,
            "client_secrets",
        );
        rename_table(&stage, "gone", "client_secrets").await;
        // nothing issued, nothing lost
        assert_eq!(stage.grants().await, grants);
        assert!(stage.is_active(&tokens.access()).await);
        assert_eq!(stage.refresh(&tokens.refresh()).await.status, 200);
        assert_eq!(stage.token(&stage.redemption(&code)).await.status, 200);
        stage.world().audit().await;
        stage.end().await;
    });
}
