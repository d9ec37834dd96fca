//! Client secrets (ATTACKS K17 to K20, K27; SMART-SY) and what asks too much (I04, SMART-SY-03).

use countersign::domain::clients::{AssertionAudience, ClientSecret, ClientType};
use countersign::domain::ids::{ClientId, ClientSecretId};
use countersign::domain::secrets::PlainSecret;
use countersign::storage;

use super::actors::{Stage, basic, claims, refused};
use crate::support::browser::Answer;
use crate::support::on_both;

const SCOPE: &str = "system/Patient.rs";
const FIELDS: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("scope", SCOPE)];

async fn with(stage: &Stage, id: &str, secret: &str) -> Answer {
    stage.post("token", &[("authorization", &basic(id, secret))], &FIELDS).await
}

/// Gives a client one more secret that ends by itself.
async fn ending(stage: &Stage, client: &ClientId, seconds: i64) -> String {
    let world = stage.world();
    let (now, plain) = (world.app.now(), PlainSecret::alphanumeric(&*world.app.entropy));
    let secret = ClientSecret {
        id: ClientSecretId::new(now, &*world.app.entropy),
        client_id: client.clone(),
        secret_hash: plain.hashed(),
        hint: "abcd".into(),
        created_at: now,
        last_used_at: None,
        expires_at: Some(now.plus_seconds(seconds)),
        revoked_at: None,
    };
    world
        .write(move |conn| Box::pin(async move { storage::clients::insert_secret(conn, &secret, "acc_test").await }))
        .await;
    plain.reveal().to_owned()
}

#[test]
fn two_secrets_work_side_by_side_until_one_expires_or_is_revoked() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        stage.takes_secrets(true).await;
        let (id, lasting) = stage.backend_with_secret(SCOPE).await;
        let short = ending(&stage, &id, 3600).await;
        for secret in [&lasting, &short] {
            assert_eq!(with(&stage, id.as_str(), secret).await.status, 200);
        }
        stage.world().clock.advance_seconds(3599);
        assert_eq!(with(&stage, id.as_str(), &short).await.status, 200);
        stage.world().clock.advance_seconds(1);
        refused(&with(&stage, id.as_str(), &short).await, 401, "invalid_client");
        assert_eq!(with(&stage, id.as_str(), &lasting).await.status, 200);
        let secrets = {
            let mut conn = stage.world().app.store.read().await.unwrap();
            storage::clients::list_secrets(&mut conn, &id).await.unwrap()
        };
        let (client, revoked, now) = (id.clone(), secrets.last().unwrap().id.clone(), stage.world().app.now());
        stage
            .world()
            .write(move |conn| {
                Box::pin(async move {
                    assert!(storage::clients::revoke_secret(conn, &client, &revoked, now).await?);
                    Ok(())
                })
            })
            .await;
        refused(&with(&stage, id.as_str(), &lasting).await, 401, "invalid_client");
        stage.end().await;
    });
}

#[test]
fn a_secret_has_more_than_128_bits_and_only_its_hash_is_kept() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (id, secret) = stage.backend_with_secret(SCOPE).await;
        assert_eq!(secret.len(), 40);
        assert!(secret.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let mut conn = stage.world().app.store.read().await.unwrap();
        let kept = storage::clients::list_secrets(&mut conn, &id).await.unwrap().remove(0);
        assert_ne!(kept.secret_hash.bytes(), secret.as_bytes());
        assert!(kept.secret_hash.matches(&PlainSecret::from_text(secret.as_str()).hashed()));
        drop(conn);
        stage.end().await;
    });
}

#[test]
fn unknown_wrong_disabled_and_unapproved_answer_with_the_same_bytes() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (known, _) = stage.backend_with_secret(SCOPE).await;
        let (disabled, disabled_secret) = stage.backend_with_secret(SCOPE).await;
        stage.disable(&disabled).await;
        let unapproved = stage.register(|metadata| metadata.client_type = ClientType::ConfidentialSecret).await;
        let unapproved_secret = stage.secret(&unapproved).await;
        let (keyed, key) = stage.backend_with_key(SCOPE, AssertionAudience::Smart).await;
        let proofs = [
            ("app_unknown", "x"),
            (known.as_str(), "x"),
            (disabled.as_str(), "x"),
            (disabled.as_str(), disabled_secret.as_str()),
            (unapproved.as_str(), unapproved_secret.as_str()),
            (keyed.as_str(), "x"),
            (stage.app.as_str(), "x"),
        ];
        let shape = |answer: &Answer| {
            let mut headers: Vec<String> = answer
                .headers
                .iter()
                .filter(|(name, _)| name.as_str() != "x-request-id")
                .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or_default()))
                .collect();
            headers.sort();
            (answer.status, headers, answer.body.clone())
        };
        for in_body in [false, true] {
            for path in ["token", "introspect", "revoke"] {
                let mut shapes = Vec::new();
                for (id, secret) in proofs {
                    let fields = [FIELDS[0], FIELDS[1], ("token", "x"), ("client_id", id), ("client_secret", secret)];
                    let answer = if in_body {
                        stage.post(path, &[], &fields).await
                    } else {
                        stage.post(path, &[("authorization", &basic(id, secret))], &fields[..3]).await
                    };
                    refused(&answer, 401, "invalid_client");
                    shapes.push(shape(&answer));
                }
                shapes.dedup();
                assert_eq!(shapes.len(), 1, "{path}: {shapes:?}");
            }
        }
        // the same by assertion: unknown, another's key, another method
        let stranger = super::actors::Key::new("key-1");
        let mut shapes = Vec::new();
        for (place, (id, key)) in [
            (ClientId::from_text("app_unknown"), &key),
            (keyed.clone(), &stranger),
            (known.clone(), &key),
            (stage.app.clone(), &key),
        ]
        .into_iter()
        .enumerate()
        {
            let jwt = key.sign(&key.header(), &claims(&stage, &id, &format!("j{place}")));
            let assertion = [
                FIELDS[0],
                FIELDS[1],
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", &jwt),
            ];
            let answer = stage.token(&assertion).await;
            refused(&answer, 401, "invalid_client");
            shapes.push(shape(&answer));
        }
        shapes.dedup();
        assert_eq!(shapes.len(), 1, "{shapes:?}");
        stage.end().await;
    });
}

#[test]
fn wrong_secrets_are_slowed_down_and_the_right_one_is_still_taken() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        stage.takes_secrets(true).await;
        let (id, secret) = stage.backend_with_secret(SCOPE).await;
        let (other, other_secret) = stage.backend_with_secret(SCOPE).await;
        let most = stage.world().app.config.limits.wrong_secrets_per_minute;
        for name in [id.as_str(), "app_unknown"] {
            for _ in 0..most {
                refused(&with(&stage, name, "guess").await, 401, "invalid_client");
            }
            let slowed = with(&stage, name, "guess").await;
            refused(&slowed, 429, "temporarily_unavailable");
            assert_eq!(slowed.header("retry-after"), "60");
        }
        let in_body = [FIELDS[0], FIELDS[1], ("client_id", id.as_str()), ("client_secret", "guess")];
        refused(&stage.token(&in_body).await, 429, "temporarily_unavailable");
        assert_eq!(with(&stage, id.as_str(), &secret).await.status, 200, "nobody locks an honest client out");
        assert_eq!(with(&stage, other.as_str(), &other_secret).await.status, 200);
        refused(&with(&stage, other.as_str(), "guess").await, 401, "invalid_client");
        stage.world().clock.advance_seconds(60);
        refused(&with(&stage, id.as_str(), "guess").await, 401, "invalid_client");
        stage.end().await;
    });
}

#[test]
fn a_scan_by_a_resource_server_is_slowed_down_and_good_tokens_are_answered_all_the_while() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let dead = stage.tokens().await;
        stage.post("revoke", &[], &[("token", &dead.access()), ("client_id", stage.app.as_str())]).await;
        let most = stage.world().app.config.limits.dead_tokens_per_minute;
        for number in 0..most {
            // whatever is wrong with it, it counts the same
            let guess = match number % 3 {
                0 => format!("guess-{number}"),
                1 => dead.access(),
                _ => tokens.refresh(),
            };
            assert!(!stage.is_active(&guess).await);
        }
        for guess in ["guess", &dead.access(), &tokens.refresh()] {
            let slowed = stage.introspect(guess).await;
            refused(&slowed, 429, "temporarily_unavailable");
            assert_eq!(slowed.header("retry-after"), "60");
        }
        assert!(stage.is_active(&tokens.access()).await, "a FHIR server's work goes on");
        // another resource server is not slowed down by this one
        let other = super::actors::resource_server(stage.world()).await;
        let answer =
            stage.post("introspect", &[("authorization", &basic(&other.0, &other.1))], &[("token", "guess")]).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, r#"{"active":false}"#));
        stage.world().clock.advance_seconds(60);
        assert!(!stage.is_active("guess").await);
        stage.end().await;
    });
}
