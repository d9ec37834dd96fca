//! A token for ourselves at somebody else's authorization server (SMART 2.2 backend services): a signed assertion in, an access token out.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::ACCEPT;
use url::Url;

use super::FhirReadError;
use crate::domain::secrets::PlainSecret;

/// No token answer is longer.
const LARGEST_ANSWER: usize = 64 * 1024;
/// How long a token is used whose answer does not say (RFC 6749 5.1 only recommends `expires_in`; SMART requires it).
const UNSAID_SECONDS: i64 = 60;
/// No token is kept longer, whatever its answer says.
const LONGEST_SECONDS: i64 = 3600;

/// A token request.
#[derive(Debug)]
pub struct TokenWish<'a> {
    /// Where to.
    pub token_endpoint: &'a str,
    /// What to ask for.
    pub scope: &'a str,
    /// Who we are: a JWT signed with a key of ours.
    pub assertion: &'a PlainSecret,
}

/// A token and how many seconds it is good.
#[derive(Debug)]
pub struct BackendToken {
    /// `access_token`.
    pub token: PlainSecret,
    /// `expires_in`, within reason.
    pub seconds: i64,
}

#[derive(serde::Deserialize)]
struct Answer {
    access_token: String,
    token_type: String,
    #[serde(default)]
    expires_in: Option<i64>,
}

/// Asks for a token. Everything but a usable one is an error that says which kind of trouble it is: a refusal is ours to mend, the rest is theirs.
pub async fn token(
    http: &reqwest::Client,
    wish: &TokenWish<'_>,
    timeout: Duration,
) -> Result<BackendToken, FhirReadError> {
    let url =
        Url::parse(wish.token_endpoint).map_err(|_| FhirReadError::Malformed("the token endpoint is no URL".into()))?;
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", wish.scope),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", wish.assertion.reveal()),
    ];
    let down = |error: reqwest::Error| FhirReadError::Down(error.without_url().to_string());
    let request = http.post(url).timeout(timeout).header(ACCEPT, "application/json").form(&form);
    let mut response = request.send().await.map_err(down)?;
    match response.status() {
        StatusCode::OK => {}
        status if status.is_client_error() => return Err(FhirReadError::Refused(status.as_u16())),
        status => return Err(FhirReadError::Down(format!("the token endpoint: status {}", status.as_u16()))),
    }
    let body = super::capped_body(&mut response, LARGEST_ANSWER).await?;
    let answer: Answer = crate::domain::json::read(body.as_bytes())
        .map_err(|_| FhirReadError::Malformed("the token endpoint's answer does not read".into()))?;
    if !answer.token_type.eq_ignore_ascii_case("bearer") || answer.access_token.is_empty() {
        return Err(FhirReadError::Malformed("the token endpoint gave no bearer token".into()));
    }
    let seconds = answer.expires_in.unwrap_or(UNSAID_SECONDS).clamp(0, LONGEST_SECONDS);
    Ok(BackendToken { token: PlainSecret::from_text(answer.access_token), seconds })
}
