//! Where to go after signing in: a path of ours, and nothing else (open redirects start here).

/// Longer than any path of ours.
const LONGEST: usize = 2000;

/// `next` if it is a path on this host, `/` otherwise.
pub fn local_path(next: &str) -> &str {
    if is_local_path(next) { next } else { "/" }
}

/// A path that every browser reads as one on this host: it starts with one slash, holds no backslash (which browsers read as a slash), no control
/// character (which they drop) and nothing outside ASCII, and does not lead back to signing in or out.
fn is_local_path(next: &str) -> bool {
    let base = url::Url::parse("https://host.invalid/").expect("a constant URL parses");
    let same_host = || base.join(next).is_ok_and(|url| url.origin() == base.origin());
    next.len() <= LONGEST
        && next.starts_with('/')
        && !next.starts_with("//")
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && !next.starts_with("/sign-")
        && same_host()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_ours_is_kept() {
        for path in [
            "/",
            "/console/st-mary/clients?state=waiting&page=2",
            "/o/st-mary/authorize?client_id=a&redirect_uri=https%3A%2F%2Fapp.example%2Fcb",
        ] {
            assert_eq!(local_path(path), path);
        }
    }

    #[test]
    fn anything_that_could_lead_elsewhere_becomes_the_start_page() {
        let long = format!("/{}", "x".repeat(LONGEST));
        for next in [
            "",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example/",
            "https:evil.example",
            "javascript:alert(1)",
            "evil.example",
            " /console",
            "/\t/evil.example",
            "/\r\nLocation: https://evil.example",
            "/\n/evil.example",
            "///evil.example",
            "/sign-in?next=/sign-in",
            "/sign-out",
            "/caf\u{e9}",
            &long,
        ] {
            assert_eq!(local_path(next), "/", "{next:?}");
        }
    }
}
