//! Redirect URIs: compared byte for byte (RFC 9700 4.1.3), but for the port of a native app's loopback address (RFC 8252 7.3).

/// Is `asked` one of the registered ones?
pub fn is_registered(asked: &str, registered: &[String], is_native: bool) -> bool {
    registered.iter().any(|one| one == asked || (is_native && same_but_for_port(asked, one)))
}

fn same_but_for_port(asked: &str, registered: &str) -> bool {
    ["http://127.0.0.1", "http://[::1]"].iter().any(|host| match (rest(asked, host), rest(registered, host)) {
        (Some(asked), Some(registered)) => asked == registered,
        (_, None) | (None, _) => false,
    })
}

/// What follows host and port; `None` if the host is another one, or the port is none.
fn rest<'a>(uri: &'a str, host: &str) -> Option<&'a str> {
    let after = uri.strip_prefix(host)?;
    let Some(with_port) = after.strip_prefix(':') else {
        return (after.is_empty() || after.starts_with('/') || after.starts_with('?')).then_some(after);
    };
    let digits = with_port.bytes().take_while(u8::is_ascii_digit).count();
    let (port, rest) = with_port.split_at(digits);
    let port_is_one = !port.starts_with('0') && port.parse::<u16>().is_ok();
    (port_is_one && (rest.is_empty() || rest.starts_with('/') || rest.starts_with('?'))).then_some(rest)
}

/// Could another app of the person's own machine be listening there? Only a claimed `https` address proves whose it is (RFC 8252 8.6): without one a native app is
/// asked for consent each time.
pub fn may_be_another_apps(uri: &str) -> bool {
    !uri.starts_with("https://")
}

/// `uri` with parameters added to its query; what is there stays as it is.
pub fn with_query(uri: &str, params: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    let join = match uri.find('?') {
        None => "?",
        Some(place) if place + 1 == uri.len() => "",
        Some(_) => "&",
    };
    format!("{uri}{join}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_same_uri_is_registered() {
        let registered = ["https://app.example/cb".to_owned(), "https://app.example/q?a=1&b=2".to_owned()];
        assert!(is_registered("https://app.example/cb", &registered, false));
        for other in [
            "https://app.example/CB",
            "https://APP.example/cb",
            "https://app.example/cb/",
            "https://app.example//cb",
            "https://app.example/cb/../x",
            "https://app.example/x/../cb",
            "https://app.example/cb/..;/x",
            "https://app.example/cb;x",
            "https://app.example/%2e%2e/cb",
            "https://app.example/%252e/cb",
            "https://app.example/cb?x=1",
            "https://app.example/cb#x",
            "https://app.example/q?b=2&a=1",
            "https://app.example/q?a=1",
            "https://app@evil.example/cb",
            "https://app.example:443/cb",
            "https://a@b@app.example/cb",
            "https://app.example\\cb",
            "https://app.example/cb\t",
            "https://app.example/cb\r\nX: y",
            "https://app.example/cb\0",
            "http://app.example/cb",
            "",
        ] {
            assert!(!is_registered(other, &registered, true), "{other:?}");
        }
    }

    #[test]
    fn a_native_app_may_listen_on_any_port_of_its_loopback_address() {
        let registered = ["http://127.0.0.1/cb".to_owned(), "http://[::1]:8000/cb".to_owned()];
        assert!(is_registered("http://127.0.0.1:49152/cb", &registered, true));
        assert!(is_registered("http://[::1]:1/cb", &registered, true));
        assert!(!is_registered("http://127.0.0.1:49152/cb", &registered, false), "not a native app");
        for other in [
            "http://127.0.0.1:49152/other",
            "http://127.0.0.1:49152/cb?x",
            "http://localhost:49152/cb",
            "http://127.1:49152/cb",
            "http://127.0.0.1.evil.com/cb",
            "http://127.0.0.1:49152@evil.com/cb",
            "https://127.0.0.1:49152/cb",
            "http://127.0.0.1:99999/cb",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:00080/cb",
            "http://127.0.0.1:/cb",
        ] {
            assert!(!is_registered(other, &registered, true), "{other}");
        }
        let https = ["https://127.0.0.1/cb".to_owned()];
        assert!(!is_registered("https://127.0.0.1:4000/cb", &https, true), "only http on loopback");
    }

    #[test]
    fn parameters_are_added_to_what_is_there() {
        assert_eq!(with_query("https://a/cb", &[("code", "1&2")]), "https://a/cb?code=1%262");
        assert_eq!(with_query("https://a/cb?x=1", &[("code", "1")]), "https://a/cb?x=1&code=1");
        assert_eq!(with_query("app.example:/cb", &[("state", "ä b")]), "app.example:/cb?state=%C3%A4+b");
    }
}
