//! Clients' JWK Sets from their URLs (SMART-AS-12, 13, 14).
//!
//! - A set is kept no longer than its `Cache-Control` allows, and an hour at most; `no-store`, `no-cache` and `max-age=0` mean not at all.
//! - Many requests that need the same set at the same time cause one fetch, also of a set that must not be kept.
//! - A key id that is not in a set we kept causes one new fetch, but no URL is asked more than once in 30 seconds for keys it does not have.
//! - A URL that failed is left alone for ten seconds: a flood of requests must neither wait three seconds each nor be passed on. What was kept beyond its time is
//!   not used instead.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::{ACCEPT, CACHE_CONTROL};
use url::Url;

use super::http_client;
use crate::domain::clock::UtcMillis;

const MAX_BYTES: usize = 256 * 1024;
const MAX_AGE_SECONDS: i64 = 3600;
const DEFAULT_AGE_SECONDS: i64 = 300;
/// How often a URL may be asked again for a key it did not have.
pub const UNKNOWN_KEY_PAUSE_SECONDS: i64 = 30;

/// How long a URL that failed is left alone.
pub const FAILURE_PAUSE_SECONDS: i64 = 10;

/// Why there are no keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// We do not go there.
    #[error(transparent)]
    Forbidden(#[from] http_client::Forbidden),
    /// Not a URL.
    #[error("the JWK Set URL is not a URL")]
    NotAUrl,
    /// It did not answer, not with 200, too slowly or too much.
    #[error("the JWK Set could not be fetched: {0}")]
    Fetch(String),
}

/// A set as fetched.
#[derive(Clone, Debug)]
struct Fetched {
    text: Arc<str>,
    at: UtcMillis,
    keep_until: UtcMillis,
}

/// What is known of one URL.
#[derive(Default)]
struct Slot {
    /// How many fetches began. Whoever sees it change while waiting may take what that fetch brought.
    begun: AtomicU64,
    known: tokio::sync::Mutex<Known>,
}

#[derive(Default)]
struct Known {
    set: Option<Fetched>,
    /// The fetch after which `set` or `failed` was written.
    fetch: u64,
    failed: Option<(UtcMillis, JwksError)>,
}

/// The sets this process remembers.
#[derive(Default)]
pub struct JwksCache {
    slots: Mutex<HashMap<String, Arc<Slot>>>,
    clients: std::sync::OnceLock<[reqwest::Client; 2]>,
}

impl JwksCache {
    /// The JWK Set at `url` as JSON text. `has_key` says whether a set has the key that is needed: a kept set without it is fetched anew, once.
    pub async fn get(
        &self,
        url: &str,
        allow_private: bool,
        now: UtcMillis,
        has_key: impl Fn(&str) -> bool + Send,
    ) -> Result<Arc<str>, JwksError> {
        let parsed = Url::parse(url).map_err(|_| JwksError::NotAUrl)?;
        http_client::check(&parsed, allow_private)?;
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            if slots.len() > 10_000 {
                slots.clear();
            }
            Arc::clone(slots.entry(url.to_owned()).or_default())
        };
        let before = slot.begun.load(Ordering::SeqCst);
        // whoever holds the slot fetches; the others wait and find what it brought
        let mut known = slot.known.lock().await;
        let mut pause = FAILURE_PAUSE_SECONDS;
        if let Some(set) = known.set.as_ref() {
            let found = has_key(&set.text);
            let is_fresh = now < set.keep_until || known.fetch > before;
            if found && is_fresh {
                return Ok(Arc::clone(&set.text));
            }
            if !found {
                pause = UNKNOWN_KEY_PAUSE_SECONDS;
                if (set.at..set.at.plus_seconds(pause)).contains(&now) {
                    return Ok(Arc::clone(&set.text));
                }
            }
        }
        if let Some((at, error)) = &known.failed
            && (*at..at.plus_seconds(pause)).contains(&now)
        {
            return Err(error.clone());
        }
        let number = slot.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let fetched = self.fetch(parsed, allow_private, now).await;
        known.fetch = number;
        match fetched {
            Ok(fetched) => {
                let text = Arc::clone(&fetched.text);
                known.failed = None;
                known.set = Some(fetched);
                Ok(text)
            }
            Err(error) => {
                known.failed = Some((now, error.clone()));
                Err(error)
            }
        }
    }

    async fn fetch(&self, url: Url, allow_private: bool, now: UtcMillis) -> Result<Fetched, JwksError> {
        let failed = |error: reqwest::Error| JwksError::Fetch(error.without_url().to_string());
        let clients = self.clients.get_or_init(|| [http_client::guarded(false), http_client::guarded(true)]);
        let mut response = clients[usize::from(allow_private)]
            .get(url)
            .header(ACCEPT, "application/json")
            .send()
            .await
            .map_err(failed)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(JwksError::Fetch(format!("status {}", response.status().as_u16())));
        }
        let cache_control: Vec<&str> =
            response.headers().get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok()).collect();
        let keep_until = now.plus_seconds(allowed_age(&cache_control.join(",")));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BYTES {
                return Err(JwksError::Fetch("too long".into()));
            }
        }
        let text = String::from_utf8(body).map_err(|_| JwksError::Fetch("not UTF-8".into()))?;
        Ok(Fetched { text: text.into(), at: now, keep_until })
    }
}

fn allowed_age(cache_control: &str) -> i64 {
    let mut age = DEFAULT_AGE_SECONDS;
    for directive in cache_control.split(',').map(|part| part.trim().to_ascii_lowercase()) {
        match directive.split_once('=') {
            None if directive == "no-store" || directive == "no-cache" => return 0,
            Some(("max-age", seconds)) => age = seconds.trim_matches('"').parse().unwrap_or(0),
            Some(_) | None => {}
        }
    }
    age.clamp(0, MAX_AGE_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[test]
    fn a_set_is_kept_no_longer_than_its_headers_allow() {
        assert_eq!(allowed_age(""), DEFAULT_AGE_SECONDS);
        assert_eq!(allowed_age("public, max-age=60"), 60);
        assert_eq!(allowed_age("max-age=0"), 0);
        assert_eq!(allowed_age("max-age=60, no-store"), 0);
        assert_eq!(allowed_age("no-cache"), 0);
        assert_eq!(allowed_age("max-age=99999999"), MAX_AGE_SECONDS);
        assert_eq!(allowed_age("max-age=soon"), 0);
    }

    /// A server that answers with this status line and `Cache-Control`, and counts.
    async fn serving(
        status: &'static str,
        cache_control: &'static str,
        more: &'static str,
    ) -> (String, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
                let mut request = [0; 2048];
                let _ = stream.read(&mut request).await;
                let body = format!("set {number}");
                let answer = format!(
                    "HTTP/1.1 {status}\r\ncache-control: {cache_control}\r\n{more}content-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        (url, asked)
    }

    async fn served(cache_control: &'static str) -> (String, Arc<AtomicUsize>) {
        serving("200 OK", cache_control, "").await
    }

    #[tokio::test]
    async fn fifty_requests_cause_one_fetch_and_an_unknown_key_one_more_in_thirty_seconds() {
        let (url, asked) = served("max-age=600").await;
        let cache = Arc::new(JwksCache::default());
        let now = UtcMillis(1_000_000);
        let many = (0..50).map(|_| {
            let (cache, url) = (Arc::clone(&cache), url.clone());
            tokio::spawn(async move { cache.get(&url, true, now, |_| true).await.unwrap() })
        });
        for one in futures_util::future::join_all(many).await {
            assert_eq!(&*one.unwrap(), "set 1");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        for second in 0..30 {
            cache.get(&url, true, now.plus_seconds(second), |_| false).await.unwrap();
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1, "an unknown key inside the pause asks nobody");
        for second in 30..60 {
            cache.get(&url, true, now.plus_seconds(second), |_| false).await.unwrap();
        }
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn what_must_not_be_kept_is_fetched_each_time() {
        let (url, asked) = served("no-store").await;
        let cache = JwksCache::default();
        for _ in 0..3 {
            cache.get(&url, true, UtcMillis(0), |_| true).await.unwrap();
        }
        assert_eq!(asked.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_private_address_gets_not_one_byte() {
        let (url, asked) = served("").await;
        let error = JwksCache::default().get(&url, false, UtcMillis(0), |_| true).await.unwrap_err();
        assert!(matches!(error, JwksError::Forbidden(_)), "{error}");
        assert_eq!(asked.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn a_set_is_used_until_its_time_is_over_and_not_a_second_longer() {
        let (url, asked) = served("max-age=60").await;
        let cache = JwksCache::default();
        let start = UtcMillis(1_000_000);
        for (second, fetches) in [(0, 1), (59, 1), (60, 2), (119, 2), (120, 3)] {
            cache.get(&url, true, start.plus_seconds(second), |_| true).await.unwrap();
            assert_eq!(asked.load(Ordering::SeqCst), fetches, "second {second}");
        }
    }

    #[tokio::test]
    async fn a_url_that_fails_is_left_alone_for_a_while_whoever_asks() {
        let (url, asked) = serving("500 Oops", "max-age=600", "").await;
        let cache = JwksCache::default();
        let start = UtcMillis(1_000_000);
        for second in 0..10 {
            assert!(cache.get(&url, true, start.plus_seconds(second), |_| true).await.is_err());
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert!(cache.get(&url, true, start.plus_seconds(FAILURE_PAUSE_SECONDS), |_| true).await.is_err());
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let (inside, asked_inside) = served("").await;
        let location: &'static str = Box::leak(format!("location: {inside}\r\n").into_boxed_str());
        let (url, _) = serving("302 Found", "", location).await;
        let error = JwksCache::default().get(&url, true, UtcMillis(0), |_| true).await.unwrap_err();
        assert_eq!(error, JwksError::Fetch("status 302".into()));
        assert_eq!(asked_inside.load(Ordering::SeqCst), 0, "not one byte");
    }

    #[tokio::test]
    async fn a_set_that_is_too_long_is_not_taken() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 2048];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
            let chunk = vec![b' '; 64 * 1024];
            while stream.write_all(&chunk).await.is_ok() {}
        });
        let error = JwksCache::default().get(&url, true, UtcMillis(0), |_| true).await.unwrap_err();
        assert_eq!(error, JwksError::Fetch("too long".into()));
    }
}
