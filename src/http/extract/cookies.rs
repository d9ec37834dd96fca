//! Our cookies. All are `HttpOnly; SameSite=Lax; Path=/`. Over https they carry `Secure` and the prefix `__Host-`, so that no neighbouring
//! host can plant one; on a plain-http loopback (the demo), where browsers refuse that prefix, they go by their plain names.
//!
//! In a frame (an EHR's embedded launch) a browser sends no `Lax` cookie to another site than the one in its address bar. There our cookies are `SameSite=None;
//! Partitioned` instead: kept in a jar of their own per EHR, which no other site's frames and no ordinary visit to us ever sees. Which pages may be framed at all,
//! and by whom, is decided by `frame-ancestors`.

use axum::http::{HeaderMap, HeaderValue, header};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};

use crate::app::App;

/// The session.
pub const SESSION: &str = "cs_session";
/// Before signing in: what the anti-forgery token of the sign-in form is bound to.
pub const VISIT: &str = "cs_visit";
/// The language somebody chose.
pub const LANGUAGE: &str = "cs_lang";
/// One message for the next page.
pub const FLASH: &str = "cs_flash";

/// Are we served over https?
pub fn is_secure(app: &App) -> bool {
    app.config.server.base_url.starts_with("https://")
}

fn full_name(app: &App, name: &str) -> String {
    if is_secure(app) { format!("__Host-{name}") } else { name.to_owned() }
}

/// The value of one of our cookies in a request.
pub fn read(app: &App, headers: &HeaderMap, name: &str) -> Option<String> {
    let jar = CookieJar::from_headers(headers);
    jar.get(&full_name(app, name)).map(|cookie| cookie.value().to_owned()).filter(|value| !value.is_empty())
}

/// Sets one of our cookies in a response; `max_age_seconds` of `None` lasts as long as the browser.
pub fn set(app: &App, headers: &mut HeaderMap, name: &str, value: &str, max_age_seconds: Option<i64>) {
    let age = max_age_seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let cookie = Cookie::build((full_name(app, name), value.to_owned()))
        .path("/")
        .http_only(true)
        .secure(is_secure(app))
        .same_site(SameSite::Lax)
        .build();
    if let Ok(value) = HeaderValue::from_str(&format!("{cookie}{age}")) {
        headers.append(header::SET_COOKIE, value);
    }
}

/// Takes one of our cookies away.
pub fn remove(app: &App, headers: &mut HeaderMap, name: &str) {
    set(app, headers, name, "", Some(0));
}

/// Does this request load a frame?
pub fn is_framed(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-dest").is_some_and(|dest| dest == "iframe")
}

/// Lets the cookies of an answer be kept for the frame it is shown in, and nowhere else.
pub fn partition(headers: &mut HeaderMap) {
    let set: Vec<HeaderValue> = headers
        .get_all(header::SET_COOKIE)
        .iter()
        .filter_map(|cookie| cookie.to_str().ok())
        .filter_map(|cookie| {
            let loosened = cookie.replace("SameSite=Lax", "SameSite=None");
            HeaderValue::from_str(&format!("{loosened}; Partitioned")).ok()
        })
        .collect();
    headers.remove(header::SET_COOKIE);
    for cookie in set {
        headers.append(header::SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_frame_a_cookie_is_kept_for_that_frame_alone() {
        let mut headers = HeaderMap::new();
        for cookie in
            ["__Host-a=1; HttpOnly; SameSite=Lax; Secure; Path=/", "__Host-b=2; HttpOnly; SameSite=Lax; Secure; Path=/"]
        {
            headers.append(header::SET_COOKIE, HeaderValue::from_static(cookie));
        }
        partition(&mut headers);
        let set: Vec<&str> =
            headers.get_all(header::SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok()).collect();
        assert_eq!(set.len(), 2);
        assert!(
            set.iter().all(|cookie| cookie.contains("SameSite=None") && cookie.ends_with("; Partitioned")),
            "{set:?}"
        );
    }
}
