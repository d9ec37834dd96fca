//! Our cookies. All are `HttpOnly; SameSite=Lax; Path=/`. Over https they carry `Secure` and the prefix `__Host-`, so that no neighbouring
//! host can plant one; on a plain-http loopback (the demo), where browsers refuse that prefix, they go by their plain names.

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
