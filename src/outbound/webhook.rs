//! Webhooks, signed as Standard Webhooks 1.0 says, so that receivers need no code of ours: `webhook-id`, `webhook-timestamp` (seconds) and
//! `webhook-signature: v1,<base64 of HMAC-SHA-256 over "id.timestamp.body">`. A receiver checks the signature and the age, and drops an id it has seen.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{CONTENT_TYPE, HeaderName};
use url::Url;

use super::http_client;
use crate::domain::clock::UtcMillis;
use crate::domain::entropy::Entropy;
use crate::domain::secrets::PlainSecret;

/// What a secret begins with.
const PREFIX: &str = "whsec_";

/// A signed request to be made.
#[derive(Debug)]
pub struct Delivery<'a> {
    /// Where to.
    pub url: &'a str,
    /// The same for every attempt of the same message.
    pub id: &'a str,
    /// JSON.
    pub body: &'a str,
    /// `whsec_...`.
    pub secret: &'a PlainSecret,
}

/// Why a webhook was not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotDelivered {
    /// We do not go there.
    #[error("the URL is refused: {0}")]
    Forbidden(String),
    /// Nobody answered.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// The answer was no.
    #[error("the receiver answered {0}")]
    Status(u16),
}

/// A new secret.
pub fn new_secret(entropy: &dyn Entropy) -> PlainSecret {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    entropy.fill(&mut *bytes);
    PlainSecret::from_text(format!("{PREFIX}{}", STANDARD.encode(*bytes)))
}

/// The value of `webhook-signature`.
pub fn signature(secret: &PlainSecret, id: &str, seconds: i64, body: &str) -> String {
    let key = secret
        .reveal()
        .strip_prefix(PREFIX)
        .and_then(|text| STANDARD.decode(text).ok())
        .unwrap_or_else(|| secret.reveal().as_bytes().to_vec());
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let tag = hmac::sign(&key, format!("{id}.{seconds}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag))
}

/// Brings webhooks.
#[derive(Clone, Debug)]
pub struct Courier {
    http: reqwest::Client,
    allow_private: bool,
}

impl Courier {
    /// One that goes to public addresses only, or, with `allow_private`, anywhere.
    pub fn new(allow_private: bool) -> Self {
        Self { http: http_client::guarded(allow_private), allow_private }
    }

    /// Delivers; any 2xx is taken for "received".
    pub async fn deliver(&self, delivery: &Delivery<'_>, now: UtcMillis) -> Result<(), NotDelivered> {
        let url = Url::parse(delivery.url).map_err(|error| NotDelivered::Forbidden(error.to_string()))?;
        http_client::check(&url, self.allow_private).map_err(|error| NotDelivered::Forbidden(error.to_string()))?;
        let answer = self
            .http
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(HeaderName::from_static("webhook-id"), delivery.id)
            .header(HeaderName::from_static("webhook-timestamp"), now.seconds())
            .header(
                HeaderName::from_static("webhook-signature"),
                signature(delivery.secret, delivery.id, now.seconds(), delivery.body),
            )
            .body(delivery.body.to_owned())
            .send()
            .await
            .map_err(|error| NotDelivered::NoAnswer(error.without_url().to_string()))?;
        if answer.status().is_success() { Ok(()) } else { Err(NotDelivered::Status(answer.status().as_u16())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification.
    #[test]
    fn signatures_are_those_of_standard_webhooks() {
        let secret = PlainSecret::from_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = r#"{"test": 2432232314}"#;
        assert_eq!(
            signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }
}
