//! Keys of clients behind their own URL (SMART-AS-06, 11 to 14; ATTACKS K21 to K24), fetched over real connections.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::http::HeaderMap;
use countersign::domain::clients::{AssertionAudience, ClientType, GrantType};
use countersign::domain::ids::ClientId;
use serde_json::json;

use super::actors::{Key, Stage, claims, refused};
use super::client_keys::token;
use crate::support::on_both;

const SCOPE: &str = "system/Patient.rs";

/// A client's own web server with its keys.
struct KeyServer {
    url: String,
    asked: Arc<AtomicUsize>,
    answer: Arc<Mutex<(u16, String, String)>>,
    accepts: Arc<Mutex<String>>,
}

impl KeyServer {
    async fn new(jwks: &str, cache_control: &str) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let answer = Arc::new(Mutex::new((200, jwks.to_owned(), cache_control.to_owned())));
        let accepts = Arc::new(Mutex::new(String::new()));
        let (counter, told, seen) = (asked.clone(), answer.clone(), accepts.clone());
        let serve = move |headers: HeaderMap| {
            counter.fetch_add(1, Ordering::SeqCst);
            let accept = headers.get("accept").and_then(|value| value.to_str().ok()).unwrap_or_default();
            accept.clone_into(&mut seen.lock().unwrap());
            let (status, body, cache_control) = told.lock().unwrap().clone();
            async move {
                let status = axum::http::StatusCode::from_u16(status).unwrap();
                (status, [("content-type", "application/json".to_owned()), ("cache-control", cache_control)], body)
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(serve)).await });
        Self { url, asked, answer, accepts }
    }

    fn tells(&self, status: u16, jwks: &str, cache_control: &str) {
        *self.answer.lock().unwrap() = (status, jwks.to_owned(), cache_control.to_owned());
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn service_behind(stage: &Stage, url: &str) -> ClientId {
    let url = url.to_owned();
    let id = stage
        .register(|metadata| {
            metadata.client_type = ClientType::ConfidentialKeys;
            metadata.grant_types = vec![GrantType::ClientCredentials];
            metadata.redirect_uris = Vec::new();
            metadata.jwks_uri = Some(url);
        })
        .await;
    stage.approve(&id, SCOPE).await;
    id
}

#[test]
fn a_client_rotates_its_keys_behind_its_url_without_telling_us() {
    on_both(|dialect| async move {
        let stage = Stage::allowing_private_networks(dialect).await;
        let (old, new) = (Key::new("old"), Key::new("new"));
        let server = KeyServer::new(&old.jwks(), "max-age=600").await;
        let id = service_behind(&stage, &server.url).await;
        let sign = |key: &Key, jti: &str| key.sign(&key.header(), &claims(&stage, &id, jti));
        assert_eq!(token(&stage, &sign(&old, "1")).await.status, 200);
        assert_eq!(token(&stage, &sign(&old, "2")).await.status, 200);
        assert_eq!(server.asked(), 1, "kept as long as it may be");
        assert!(server.accepts.lock().unwrap().contains("application/json"));
        // K24: a new key is found by one more fetch, half a minute later at the earliest
        server.tells(200, &new.jwks(), "max-age=600");
        stage.world().clock.advance_seconds(31);
        assert_eq!(token(&stage, &sign(&new, "3")).await.status, 200);
        assert_eq!(server.asked(), 2);
        // the removed one is gone with it
        refused(&token(&stage, &sign(&old, "4")).await, 401, "invalid_client");
        assert_eq!(server.asked(), 2);
        // K23: a flood of unknown keys
        stage.world().clock.advance_seconds(31);
        for number in 0..20 {
            let unknown = Key::new(&format!("unknown-{number}"));
            refused(&token(&stage, &sign(&unknown, &format!("flood-{number}"))).await, 401, "invalid_client");
        }
        assert_eq!(server.asked(), 3);
        assert_eq!(token(&stage, &sign(&new, "5")).await.status, 200, "the honest client works on");
        // a removed key is dead when its time is over, whoever else is asked for
        server.tells(200, &old.jwks(), "max-age=600");
        stage.world().clock.advance_seconds(601);
        refused(&token(&stage, &sign(&new, "6")).await, 401, "invalid_client");
        stage.end().await;
    });
}

#[test]
fn a_key_set_is_never_used_beyond_its_cache_control() {
    on_both(|dialect| async move {
        let stage = Stage::allowing_private_networks(dialect).await;
        for (number, (cache_control, fetches)) in
            [("no-store", 3), ("max-age=0", 3), ("no-cache", 3), ("max-age=60", 1), ("", 1)].into_iter().enumerate()
        {
            let key = Key::new("key-1");
            let server = KeyServer::new(&key.jwks(), cache_control).await;
            let id = service_behind(&stage, &server.url).await;
            let sign = |jti: &str| key.sign(&key.header(), &claims(&stage, &id, &format!("{number}-{jti}")));
            for jti in ["1", "2", "3"] {
                assert_eq!(token(&stage, &sign(jti)).await.status, 200, "{cache_control}");
            }
            assert_eq!(server.asked(), fetches, "{cache_control}");
            // the key is withdrawn: at once where nothing may be kept
            server.tells(200, &Key::new("key-2").jwks(), cache_control);
            let answer = token(&stage, &sign("4")).await;
            assert_eq!(answer.status == 200, fetches == 1, "{cache_control}: {}", answer.body);
            stage.world().clock.advance_seconds(3601);
            refused(&token(&stage, &sign("5")).await, 401, "invalid_client");
        }
        stage.end().await;
    });
}

#[test]
fn a_key_server_that_is_down_lies_or_redirects_proves_nobody_and_is_not_asked_again_and_again() {
    on_both(|dialect| async move {
        let stage = Stage::allowing_private_networks(dialect).await;
        let key = Key::new("key-1");
        let private = json!({ "keys": [{ "kty": "oct", "kid": "key-1", "k": "AAAA" }] }).to_string();
        let twice = json!({ "keys": [key.jwk(), key.jwk()] }).to_string();
        for (number, (status, body)) in [
            (500, key.jwks()),
            (404, key.jwks()),
            (302, key.jwks()),
            (200, "not JSON".to_owned()),
            (200, "[]".to_owned()),
            (200, private),
            (200, twice),
            (200, " ".repeat(300_000)),
        ]
        .into_iter()
        .enumerate()
        {
            let server = KeyServer::new("", "max-age=600").await;
            server.tells(status, &body, "max-age=600");
            let id = service_behind(&stage, &server.url).await;
            for jti in 0..5 {
                let jwt = key.sign(&key.header(), &claims(&stage, &id, &format!("{number}-{jti}")));
                refused(&token(&stage, &jwt).await, 401, "invalid_client");
            }
            assert_eq!(server.asked(), 1, "case {number}");
            // it comes back
            server.tells(200, &key.jwks(), "max-age=600");
            stage.world().clock.advance_seconds(601);
            let jwt = key.sign(&key.header(), &claims(&stage, &id, &format!("{number}-again")));
            assert_eq!(token(&stage, &jwt).await.status, 200, "case {number}");
        }
        stage.end().await;
    });
}

#[test]
fn jku_is_the_registered_url_or_nothing_and_nothing_is_fetched_from_elsewhere() {
    on_both(|dialect| async move {
        let stage = Stage::allowing_private_networks(dialect).await;
        let (key, evil) = (Key::new("key-1"), Key::new("evil"));
        let server = KeyServer::new(&key.jwks(), "max-age=600").await;
        let other = KeyServer::new(&evil.jwks(), "max-age=600").await;
        let id = service_behind(&stage, &server.url).await;
        let sign = |key: &Key, jku: &str, jti: &str| {
            key.sign(&json!({ "alg": "ES384", "kid": key.kid, "jku": jku }), &claims(&stage, &id, jti))
        };
        assert_eq!(token(&stage, &sign(&key, &server.url, "1")).await.status, 200);
        for (number, jku) in
            [other.url.clone(), format!("{}?", server.url), server.url.to_uppercase(), String::new()].iter().enumerate()
        {
            for (key, who) in [(&key, "own"), (&evil, "evil")] {
                let jwt = sign(key, jku, &format!("{number}-{who}"));
                refused(&token(&stage, &jwt).await, 401, "invalid_client");
            }
        }
        assert_eq!(other.asked(), 0);
        // a client with its keys in its registration has no URL to name
        let (inline, own) = stage.backend_with_key(SCOPE, AssertionAudience::Smart).await;
        let header = json!({ "alg": "ES384", "kid": own.kid, "jku": other.url });
        refused(&token(&stage, &own.sign(&header, &claims(&stage, &inline, "j"))).await, 401, "invalid_client");
        assert_eq!(other.asked(), 0);
        stage.end().await;
    });
}
