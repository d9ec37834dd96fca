//! Bringing logout tokens to apps (OpenID Connect Back-Channel Logout 1.0, section 2.5): one form field to an address the app registered, guarded like every
//! address that others chose (see [`super::http_client`]).

use std::sync::OnceLock;

use url::Url;

use super::http_client;

/// Why an app was not told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTold {
    /// We do not go there.
    #[error("the address is refused: {0}")]
    Forbidden(String),
    /// Nobody answered.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// The answer was no.
    #[error("the app answered {0}")]
    Status(u16),
}

impl NotTold {
    /// Would another attempt get the same answer? A 4xx is the app's last word (Back-Channel Logout 2.8), but for "too slow" and "too many".
    pub fn is_final(&self) -> bool {
        match self {
            Self::Forbidden(_) => true,
            Self::NoAnswer(_) => false,
            Self::Status(status) => (400..500).contains(status) && !matches!(status, 408 | 425 | 429),
        }
    }
}

/// Brings logout tokens. Its connections are made when first needed.
#[derive(Debug, Default)]
pub struct Messenger(OnceLock<reqwest::Client>);

impl Messenger {
    /// Brings one. `allow_private` is for the demo and tests.
    pub async fn deliver(&self, uri: &str, logout_token: &str, allow_private: bool) -> Result<(), NotTold> {
        let url = Url::parse(uri).map_err(|error| NotTold::Forbidden(error.to_string()))?;
        http_client::check(&url, allow_private).map_err(|error| NotTold::Forbidden(error.to_string()))?;
        let http = self.0.get_or_init(|| http_client::guarded(allow_private));
        let answer = http
            .post(url)
            .form(&[("logout_token", logout_token)])
            .send()
            .await
            .map_err(|error| NotTold::NoAnswer(error.without_url().to_string()))?;
        if answer.status().is_success() { Ok(()) } else { Err(NotTold::Status(answer.status().as_u16())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clear_no_is_the_last_word_and_trouble_is_not() {
        for last in [NotTold::Forbidden("x".into()), NotTold::Status(400), NotTold::Status(404), NotTold::Status(410)] {
            assert!(last.is_final(), "{last}");
        }
        let trouble = [302, 408, 425, 429, 500, 503].map(NotTold::Status);
        for trouble in trouble.into_iter().chain([NotTold::NoAnswer("x".into())]) {
            assert!(!trouble.is_final(), "{trouble}");
        }
    }

    #[tokio::test]
    async fn an_address_inside_our_own_network_is_not_gone_to() {
        let messenger = Messenger::default();
        for inside in
            ["https://127.0.0.1:1/", "http://app.example/", "https://[::ffff:10.0.0.1]/", "https://a@b.example/", "x"]
        {
            assert!(matches!(messenger.deliver(inside, "token", false).await, Err(NotTold::Forbidden(_))), "{inside}");
        }
    }
}
