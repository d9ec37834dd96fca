//! A page on its way out: body, status and the headers that keep it from being framed, sniffed, cached or leaked.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::Url;

/// A rendered page. Answering it sets, besides the media type:
/// - `Content-Security-Policy`: only our own assets, no framing, forms only to ourselves; each is loosened by a method here;
/// - `Referrer-Policy: no-referrer` (URLs of the flow carry codes and handles), `X-Content-Type-Options: nosniff`;
/// - `Cache-Control: no-store`: pages name people and patients.
#[derive(Clone, Debug)]
#[must_use = "a page is to be answered"]
pub struct Html {
    body: String,
    status: StatusCode,
    nonce: Option<String>,
    frame_ancestors: Vec<String>,
    leads_to: Option<String>,
}

impl Html {
    pub(super) fn new(body: String, nonce: Option<String>) -> Self {
        Self { body, status: StatusCode::OK, nonce, frame_ancestors: Vec::new(), leads_to: None }
    }

    /// Answers with another status than 200.
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Lets these origins show the page in a frame (an EHR's embedded launch). What does not read as an `http(s)` origin
    /// is left out: a header is no place for surprises.
    pub fn framed_by<'a>(mut self, origins: impl IntoIterator<Item = &'a str>) -> Self {
        self.frame_ancestors = origins.into_iter().filter_map(http_origin).collect();
        self
    }

    /// Says that a form on this page ends at an app's redirect URI.
    ///
    /// Chromium holds *every* hop of the redirect that answers a form against `form-action`, also those the app adds
    /// after its callback, which we cannot know. So a page of the launch allows any `https:` target, besides the app's own
    /// loopback origin or private-use scheme (RFC 8252 7.1, 7.3).
    pub fn leads_to(mut self, redirect_uri: &str) -> Self {
        self.leads_to = Url::parse(redirect_uri).ok().map(|url| match url.scheme() {
            // a policy has no way to write an IPv6 address (CSP 3, 2.3.1): Chromium drops such a source, and then blocks the form
            "http" if matches!(url.host(), Some(url::Host::Ipv6(_))) => "https: http:".to_owned(),
            "http" => format!("https: {}", url.origin().ascii_serialization()),
            "https" => "https:".to_owned(),
            scheme => format!("https: {scheme}:"),
        });
        self
    }

    /// The markup.
    pub fn body(&self) -> &str {
        &self.body
    }

    fn policy(&self) -> String {
        let script = self.nonce.as_ref().map(|nonce| format!(" 'nonce-{nonce}'")).unwrap_or_default();
        let ancestors =
            if self.frame_ancestors.is_empty() { "'none'".to_owned() } else { self.frame_ancestors.join(" ") };
        let forms = self.leads_to.as_ref().map(|target| format!(" {target}")).unwrap_or_default();
        format!(
            "default-src 'self'; script-src 'self'{script}; style-src 'self'; img-src 'self' data:; object-src 'none'; \
             base-uri 'none'; form-action 'self'{forms}; frame-ancestors {ancestors}"
        )
    }
}

/// The origin of a URL as a source expression, or nothing when it is not a plain http(s) origin.
fn http_origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}

impl IntoResponse for Html {
    fn into_response(self) -> Response {
        let policy = HeaderValue::from_str(&self.policy());
        let mut response = (self.status, axum::response::Html(self.body)).into_response();
        let headers = response.headers_mut();
        // A nonce with a control character is the only way to get here without a policy; then nothing may load at all.
        let policy = policy.unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"));
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin-allow-popups"),
        );
        if self.frame_ancestors.is_empty() {
            headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy_of(html: Html) -> String {
        let response = html.into_response();
        response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned()
    }

    #[test]
    fn a_page_may_not_be_framed_cached_or_referred_from() {
        let response = Html::new(String::new(), None).into_response();
        let header = |name: HeaderName| response.headers()[name].to_str().unwrap().to_owned();
        let policy = header(header::CONTENT_SECURITY_POLICY);
        assert!(policy.contains("default-src 'self'"));
        assert!(policy.contains("frame-ancestors 'none'"));
        assert!(policy.ends_with("form-action 'self'; frame-ancestors 'none'"));
        assert_eq!(header(header::X_FRAME_OPTIONS), "DENY");
        assert_eq!(header(header::CACHE_CONTROL), "no-store");
        assert_eq!(header(header::REFERRER_POLICY), "no-referrer");
        assert_eq!(header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    }

    #[test]
    fn an_embedded_launch_names_the_origins_that_may_frame_it_and_no_header_is_smuggled() {
        let html =
            Html::new(String::new(), None).framed_by(["https://ehr.example/x", "*; script-src *", "javascript:1"]);
        let policy = policy_of(html);
        assert!(policy.ends_with("frame-ancestors https://ehr.example"), "{policy}");
    }

    #[test]
    fn forms_of_a_launch_may_end_at_the_app() {
        let policy = |uri: &str| policy_of(Html::new(String::new(), None).leads_to(uri));
        assert!(policy("https://app.example/cb").contains("form-action 'self' https:;"));
        assert!(policy("http://127.0.0.1:3000/cb").contains("form-action 'self' https: http://127.0.0.1:3000;"));
        assert!(policy("http://[::1]:3000/cb").contains("form-action 'self' https: http:;"));
        assert!(policy("org.example.app:/cb").contains("form-action 'self' https: org.example.app:;"));
        assert!(policy("not a url").contains("form-action 'self';"));
    }
}
