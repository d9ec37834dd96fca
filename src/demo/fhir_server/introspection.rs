//! Asking the authorization server about a token, over HTTP and with our own credentials (RFC 7662).
//!
//! On every request, without a cache: when staff disable a client, its next request here must fail.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::ACCEPT;
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use super::FhirServer;
use super::refusal::Refusal;

const LARGEST_ANSWER: usize = 64 * 1024;

/// What the authorization server says about a live token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LiveToken {
    /// The granted scopes, as text.
    pub(super) scope: String,
    /// The launch patient, if the token has one.
    pub(super) patient: Option<String>,
    /// Who signed in, as `Type/id`.
    pub(super) fhir_user: Option<String>,
}

/// The bearer token of a request.
///
/// One `Authorization` header with the scheme `Bearer` in any case. A token in the query string is not looked at; beside one in the header it makes the
/// request malformed (RFC 6750 2, 3.1).
pub(super) fn bearer<'a>(headers: &'a HeaderMap, query: Option<&str>) -> Result<&'a str, Refusal> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let Some(header) = all.next() else {
        return Err(Refusal::no_token());
    };
    let in_query =
        url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).any(|(name, _)| name == "access_token");
    if in_query || all.next().is_some() {
        return Err(Refusal::several_tokens());
    }
    let (scheme, token) = header.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(Refusal::no_token)?;
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(Refusal::no_token());
    }
    let token68 = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    if token.len() > 8192 || !token.bytes().all(token68) {
        return Err(Refusal::bad_token());
    }
    Ok(token)
}

/// Asks about a token: live and meant for this server, or refused.
///
/// Anything but a clear answer is 503: a broken connection must not look like a bad token, and never like a good one.
pub(super) async fn ask(server: &FhirServer, token: &str) -> Result<LiveToken, Refusal> {
    let config = &server.config;
    // RFC 6749 2.3.1: both parts form-encoded, then base64
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let credentials = STANDARD.encode(format!("{}:{}", encoded(&config.client_id), encoded(&config.client_secret.0)));
    let request = server
        .http
        .post(&config.introspection_endpoint)
        .header(reqwest::header::AUTHORIZATION, format!("Basic {credentials}"))
        .header(ACCEPT, "application/json")
        .form(&[("token", token), ("token_type_hint", "access_token")]);
    let response = request.send().await.map_err(|e| {
        tracing::warn!(error = %e, "the introspection endpoint does not answer");
        Refusal::no_answer_from_authorization()
    })?;
    if response.status() != reqwest::StatusCode::OK {
        tracing::warn!(status = response.status().as_u16(), "the introspection endpoint refuses this server");
        return Err(Refusal::no_answer_from_authorization());
    }
    let answer = body_of(response).await.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let answer = answer.ok_or_else(Refusal::no_answer_from_authorization)?;
    live(&answer, &config.base_url, &config.issuer).ok_or_else(Refusal::bad_token)
}

/// Reads an introspection answer: `None` unless active, from our issuer, for our base URL.
fn live(answer: &Value, base_url: &str, issuer: &str) -> Option<LiveToken> {
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    let ours = |audience: &Value| audience.as_str().is_some_and(|url| url.trim_end_matches('/') == base_url);
    let for_us = match &answer["aud"] {
        Value::Array(audiences) => audiences.iter().any(ours),
        audience => ours(audience),
    };
    let from_our_issuer = answer.get("iss").is_none_or(|iss| iss == issuer);
    let is_access_token = answer["token_type"].as_str().is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
    (answer["active"] == true && for_us && from_our_issuer && is_access_token).then(|| LiveToken {
        scope: text("scope").unwrap_or_default(),
        patient: text("patient"),
        fhir_user: text("fhirUser").map(|url| local_reference(&url, base_url)),
    })
}

/// `https://base/Patient/1` as `Patient/1`; a foreign URL stays whole and so names nobody here.
fn local_reference(url: &str, base_url: &str) -> String {
    url.strip_prefix(base_url).map_or(url, |rest| rest.trim_start_matches('/')).to_owned()
}

/// The body as text, if it is of a sane size.
pub(super) async fn body_of(mut response: reqwest::Response) -> Option<String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const BASE: &str = "https://fhir.example/r4";
    const ISSUER: &str = "https://as.example/o/st-mary";

    #[test]
    fn only_an_active_token_from_our_issuer_for_our_base_is_live() {
        let good = json!({"active": true, "aud": [BASE], "iss": ISSUER, "scope": "patient/*.rs", "patient": "p"});
        assert!(live(&good, BASE, ISSUER).is_some());
        for (name, value) in [
            ("active", json!(false)),
            ("active", json!("true")),
            ("aud", json!("https://fhir.example/r4/other")),
            ("aud", json!(null)),
            ("aud", json!([])),
            ("iss", json!("https://evil.example")),
            ("token_type", json!("refresh_token")),
        ] {
            let mut bad = good.clone();
            bad[name] = value.clone();
            assert_eq!(live(&bad, BASE, ISSUER), None, "{name}={value}");
        }
        let slash = json!({"active": true, "aud": format!("{BASE}/")});
        assert_eq!(live(&slash, BASE, ISSUER).unwrap().scope, "");
    }

    #[test]
    fn a_foreign_fhir_user_names_nobody_here() {
        assert_eq!(local_reference("https://fhir.example/r4/Patient/1", BASE), "Patient/1");
        assert_eq!(local_reference("https://other.example/Patient/1", BASE), "https://other.example/Patient/1");
    }
}
