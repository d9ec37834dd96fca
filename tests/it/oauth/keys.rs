//! Our signing keys through their life: no signature ever meets a key set that lacks its key (ATTACKS, invariant 20).

use std::sync::Arc;

use countersign::app::{App, Memory};
use countersign::domain::keys::{KEY_SET_MAX_AGE_SECONDS, KeyState};
use countersign::protocol::signing::{self, Signer};
use countersign::storage;
use serde_json::Value;

use super::actors::{ISSUER, Stage, claims_of, header_of, verifies};
use crate::support::on_both;

/// Another node on the same database, which remembers nothing of this one.
pub fn node(app: &App) -> Arc<App> {
    Arc::new(App {
        store: app.store.clone(),
        clock: app.clock.clone(),
        entropy: app.entropy.clone(),
        sealer: app.sealer.clone(),
        vault: app.vault.clone(),
        config: app.config.clone(),
        memory: Memory::default(),
    })
}

async fn sign(app: &Arc<App>) -> (i64, String) {
    let now = app.now().seconds();
    let claims = serde_json::json!({ "iss": ISSUER, "iat": now, "exp": now + 3600 });
    (now, Signer::active(app).await.unwrap().sign("JWT", &claims).unwrap())
}

async fn key_set(stage: &Stage) -> (i64, Value) {
    (stage.world().app.now().seconds(), stage.app_browser().get(&format!("{ISSUER}/jwks")).await.json())
}

async fn states(app: &App) -> Vec<KeyState> {
    let keys = storage::signing_keys::list(&mut app.store.read().await.unwrap()).await.unwrap();
    keys.iter().map(|key| key.state).collect()
}

#[test]
fn every_signature_verifies_with_every_key_set_that_anybody_may_hold_until_it_expires() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let one = stage.world().app.clone();
        let two = node(&one);
        signing::rotate(&one).await.unwrap();
        let (mut signed, mut sets) = (Vec::new(), Vec::new());
        // through one whole rotation, densest where something happens: a key set is fetched before and after each signature, and two nodes rotate at once
        let hours = [1, 24 * 88, 22, 1, 1, 1, 1, 10, 9, 1, 1, 1, 1, 1, 24, 22, 1, 1, 1];
        for hour in hours {
            for minutes in [1, 13, 15, 31] {
                stage.world().clock.advance_seconds(minutes * 60);
                sets.push(key_set(&stage).await);
                let load = async {
                    let mut signed = Vec::new();
                    for app in [&one, &two, &one] {
                        signed.push(sign(app).await);
                    }
                    signed
                };
                let (first, second, under_load) = tokio::join!(signing::rotate(&one), signing::rotate(&two), load);
                first.unwrap();
                second.unwrap();
                signed.extend(under_load);
                sets.push(key_set(&stage).await);
            }
            stage.world().clock.advance_seconds((hour - 1) * 3600);
        }
        let mut checked = 0;
        for (made, jwt) in &signed {
            for (fetched, jwks) in &sets {
                // fetched before it was made, and kept as long as our headers allow; or fetched before it expired
                if *fetched >= made - KEY_SET_MAX_AGE_SECONDS && *fetched <= made + 3600 {
                    assert!(verifies(jwt, jwks), "signed at {made} by {}, key set of {fetched}", header_of(jwt)["kid"]);
                    checked += 1;
                }
            }
        }
        assert!(checked > 1000, "{checked}");
        let kids: std::collections::BTreeSet<_> =
            signed.iter().map(|(_, jwt)| header_of(jwt)["kid"].to_string()).collect();
        assert_eq!(kids.len(), 2, "it did rotate, once");
        assert_eq!(states(&one).await, [KeyState::Active], "and the old key was forgotten");
        stage.end().await;
    });
}

#[test]
fn two_nodes_that_start_at_once_make_one_key() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let app = &stage.world().app;
        let nodes: Vec<_> = (0..3).map(|_| node(app)).collect();
        let starts = nodes.iter().map(|node| async move { signing::rotate(node).await.unwrap() });
        futures_util::future::join_all(starts).await;
        assert_eq!(states(app).await, [KeyState::Active]);
        stage.world().clock.advance_seconds(89 * 86_400);
        let rotations = nodes.iter().map(|node| async move { signing::rotate(node).await.unwrap() });
        futures_util::future::join_all(rotations).await;
        assert_eq!(states(app).await, [KeyState::Active, KeyState::Next]);
        stage.end().await;
    });
}

#[test]
fn a_rotation_asked_for_publishes_first_and_signs_two_hours_later() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let app = &stage.world().app;
        let (_, before) = sign(app).await;
        stage.world().clock.advance_seconds(1);
        signing::begin_rotation(app).await.unwrap();
        signing::begin_rotation(app).await.unwrap();
        assert_eq!(states(app).await, [KeyState::Active, KeyState::Next], "asked twice, made once");
        stage.world().clock.advance_seconds(7199);
        signing::rotate(app).await.unwrap();
        assert_eq!(header_of(&sign(app).await.1)["kid"], header_of(&before)["kid"]);
        stage.world().clock.advance_seconds(1);
        signing::rotate(app).await.unwrap();
        let (_, after) = sign(app).await;
        assert_ne!(header_of(&after)["kid"], header_of(&before)["kid"]);
        let (_, jwks) = key_set(&stage).await;
        assert!(verifies(&after, &jwks) && verifies(&before, &jwks));
        stage.end().await;
    });
}

#[test]
fn keys_that_others_know_are_worth_nothing_from_one_moment_to_the_next() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let app = &stage.world().app;
        let mut browser = stage.app_browser();
        let old = stage.tokens_for(&mut browser, &stage.request()).await;
        signing::begin_rotation(app).await.unwrap();
        signing::replace_compromised(app).await.unwrap();
        assert_eq!(states(app).await, [KeyState::Active]);
        let (_, jwks) = key_set(&stage).await;
        assert!(!verifies(&old.text("id_token"), &jwks));
        let new = stage.tokens().await.text("id_token");
        assert!(verifies(&new, &jwks));
        assert_eq!(claims_of(&new)["sub"], claims_of(&old.text("id_token"))["sub"]);
        // as a hint it is not believed either
        let asked = browser.get(&format!("{ISSUER}/logout?id_token_hint={}", old.text("id_token"))).await;
        assert_eq!((asked.status.as_u16(), asked.location()), (200, String::new()));
        assert!(stage.is_active(&old.access()).await, "opaque tokens are not signed");
        stage.end().await;
    });
}

#[test]
fn the_key_set_holds_public_members_only_and_says_how_long_it_may_be_kept() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        signing::begin_rotation(&stage.world().app).await.unwrap();
        let answer = stage.app_browser().get(&format!("{ISSUER}/jwks")).await;
        assert_eq!(answer.header("cache-control"), format!("public, max-age={KEY_SET_MAX_AGE_SECONDS}"));
        let keys = answer.json()["keys"].as_array().unwrap().clone();
        assert_eq!(keys.len(), 2);
        for key in &keys {
            let members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
            let mut expected = ["alg", "e", "kid", "kty", "n", "use"];
            expected.sort_unstable();
            let mut members = members;
            members.sort_unstable();
            assert_eq!(members, expected);
            assert_eq!(
                (key["kty"].as_str(), key["alg"].as_str(), key["use"].as_str()),
                (Some("RSA"), Some("RS256"), Some("sig"))
            );
        }
        assert_ne!(keys[0]["kid"], keys[1]["kid"]);
        stage.end().await;
    });
}
