//! Which redirect URIs may be registered. They are parsed here, once, and compared as bytes ever after (RFC 9700 2.1, SMART-AL-01/02/09).
//!
//! - `https`, anywhere;
//! - `http` on a loopback address, for native apps (RFC 8252 7.3: the port is then free) and for trying things out on one's own machine;
//! - a private-use scheme with a dot in it, for native apps (RFC 8252 7.1).
//!
//! Nothing that two parsers could read differently: no fragment, user info, dot segments, backslash, control or non-ASCII character.

use url::{Host, Url};

/// Why a URI is refused: a stable code and a sentence.
pub(in crate::governance) type Fault = (&'static str, String);

/// Checks one redirect URI.
pub(super) fn check(text: &str, native: bool) -> Result<(), Fault> {
    let url = plain_url(text)?;
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        "http" => Err(("uri-needs-https", format!("{text}: http is for loopback addresses only; use https"))),
        scheme if native && scheme.contains('.') => Ok(()),
        scheme if native => Err((
            "uri-scheme-without-dot",
            format!("{scheme}: a private-use scheme is a reversed domain name, such as com.example.app"),
        )),
        _ => Err(("uri-needs-https", format!("{text}: only native apps may use a scheme of their own"))),
    }
}

/// Checks a web page or an API of the client: https, or http on this machine where `allow_loopback` says so.
pub(in crate::governance) fn check_https(text: &str, allow_loopback: bool) -> Result<(), Fault> {
    let url = plain_url(text)?;
    match url.scheme() {
        "https" => Ok(()),
        "http" if allow_loopback && is_loopback(&url) => Ok(()),
        _ => Err(("uri-needs-https", format!("{text}: use https"))),
    }
}

fn plain_url(text: &str) -> Result<Url, Fault> {
    let refuse = |code, why: &str| Err((code, format!("{text}: {why}")));
    if text.len() > 2000 {
        return Err(("uri-too-long", "a URI may have 2000 characters".into()));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic())
        || text.contains(['\\', '"', '<', '>', '^', '`', '{', '|', '}'])
    {
        return refuse("uri-characters", "only the characters of RFC 3986 may be used");
    }
    let is_escape = |rest: &str| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if !text.split('%').skip(1).all(is_escape) {
        return refuse("uri-characters", "a % is followed by two hexadecimal digits");
    }
    let Ok(url) = Url::parse(text) else {
        return refuse("uri-not-absolute", "not an absolute URI");
    };
    if text.contains('#') {
        return refuse("uri-fragment", "a fragment is not allowed");
    }
    if text.contains('*') {
        return refuse("uri-wildcard", "wildcards are not allowed: register each URI");
    }
    let path = text.split_once("://").map_or("", |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let path = path.split('?').next().unwrap_or("");
    let decoded = path.to_ascii_lowercase().replace("%2e", ".");
    if decoded.split('/').any(|segment| segment == "." || segment == ".." || segment.starts_with("..;"))
        || decoded.contains("%25")
    {
        return refuse("uri-dot-segments", "dot segments are not allowed");
    }
    if matches!(url.scheme(), "http" | "https") {
        if url.host().is_none() {
            return refuse("uri-not-absolute", "it names no host");
        }
        // the authority as written, not as a parser tidied it up
        let authority = text.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?']).next().unwrap_or(""));
        if authority.contains('@') || !url.username().is_empty() || url.password().is_some() {
            return refuse("uri-userinfo", "user information is not allowed");
        }
        let written = authority
            .rsplit_once(':')
            .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
            .map_or(authority, |(host, _)| host);
        if url.host_str().is_none_or(|host| !host.eq_ignore_ascii_case(written)) {
            return refuse("uri-host", "write the host in its usual form");
        }
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_loopback_and_private_use_redirects_are_taken() {
        for (uri, native) in [
            ("https://app.example/cb", false),
            ("https://app.example:8443/cb?tenant=1", false),
            ("http://127.0.0.1:3000/cb", false),
            ("http://127.0.0.1/cb", true),
            ("http://[::1]/cb", true),
            ("http://localhost:9000/", false),
            ("com.example.app:/cb", true),
            ("https://APP.example/cb", false),
        ] {
            assert_eq!(check(uri, native), Ok(()), "{uri}");
        }
    }

    #[test]
    fn whatever_two_parsers_could_read_differently_is_refused() {
        for uri in [
            "http://app.example/cb",
            "https://app.example/cb#x",
            "https://app.example/../cb",
            "https://app.example/%2e%2E/cb",
            "https://app.example/%252e/cb",
            "https://app.example/..;/cb",
            "https://app@evil.example/cb",
            "https://a@b@c/cb",
            "https://app.example\\@evil.example/cb",
            "https://app.example/c b",
            "https://app.example/%zz",
            "https://app.example/cb?a=%",
            "https://app.example/cb?a=%4",
            "https://%zz.example/cb",
            "https://app.example/\tcb",
            "https://app.example/cb\u{e9}",
            "https://*.example/cb",
            "https://127.1/cb",
            "http://2130706433/cb",
            "https:///cb",
            "https:app.example",
            "//app.example/cb",
            "/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "com.example.app:/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://localhost.evil.example/cb",
        ] {
            assert!(check(uri, false).is_err(), "{uri}");
        }
        assert!(check("myapp:/cb", true).is_err());
        assert!(check("javascript:alert(1)", true).is_err());
    }
}
