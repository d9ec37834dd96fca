//! Requests to addresses that others chose: JWK Set URLs, webhooks. Guarded against being sent to our own network (SSRF).
//!
//! - https only, no userinfo, no redirects, three seconds.
//! - Names are resolved here and every address is checked before the connection goes to exactly those addresses, so that a name cannot change its mind in
//!   between (DNS rebinding). An address literal is checked as it stands; `url` has already turned odd spellings (`0x7f.1`, `2130706433`) into plain ones.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// An address we do not go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// Not `https:`.
    #[error("only https is allowed")]
    Scheme,
    /// `https://user:password@host`.
    #[error("a user name or password in the URL is not allowed")]
    Userinfo,
    /// No host, or an address of a private, local or special network.
    #[error("the host is not a public address")]
    Host,
}

/// Is this an address of the public internet?
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b)) // carriers' shared space, RFC 6598
        || (a == 192 && b == 0 && c == 0) // RFC 6890
        || (a == 192 && b == 88 && c == 99) // relays of 6to4, RFC 7526
        || (a == 198 && (b == 18 || b == 19))) // benchmarking, RFC 2544
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // an IPv4 address in IPv6 clothes is judged as what it is: mapped, NAT64, 6to4
    if let Some(v4) = address.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    let segments = address.segments();
    if segments[0] == 0x64 && segments[1] == 0xff9b {
        return false;
    }
    if segments[0] == 0x2002 {
        let [a, b] = segments[1].to_be_bytes();
        let [c, d] = segments[2].to_be_bytes();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    // only global unicast (2000::/3), without documentation (RFC 3849, RFC 9637) and the block of protocol assignments (RFC 2928), where Teredo hides IPv4 addresses
    (segments[0] & 0xe000) == 0x2000
        && !(segments[0] == 0x2001 && (segments[1] == 0xdb8 || segments[1] < 0x200))
        && !(segments[0] == 0x3fff && segments[1] < 0x1000)
}

/// Checks a URL before anything is sent. `allow_private` is for the demo and tests: it also allows http.
pub fn check(url: &Url, allow_private: bool) -> Result<(), Forbidden> {
    let scheme_is_fine = url.scheme() == "https" || (allow_private && url.scheme() == "http");
    if !scheme_is_fine {
        return Err(Forbidden::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Forbidden::Userinfo);
    }
    match url.host() {
        Some(_) if allow_private => Ok(()),
        Some(Host::Ipv4(v4)) if is_public_v4(v4) => Ok(()),
        Some(Host::Ipv6(v6)) if is_public_v6(v6) => Ok(()),
        Some(Host::Domain(name)) if name != "localhost" && !name.ends_with(".localhost") => Ok(()),
        Some(Host::Ipv4(_) | Host::Ipv6(_) | Host::Domain(_)) | None => Err(Forbidden::Host),
    }
}

struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(only_public(addresses)?.into_iter()) as Addrs)
        })
    }
}

/// The addresses a name stands for, if all of them are public: one private address among public ones is an attack, not an accident. The connection goes to one of
/// exactly these, whatever the name stands for a moment later.
fn only_public(addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Forbidden> {
    if addresses.is_empty() || addresses.iter().any(|address| !is_public(address.ip())) {
        return Err(Forbidden::Host);
    }
    Ok(addresses)
}

/// A client that goes to public addresses only, or, with `allow_private`, anywhere. Call [`check`] on every URL first: literals do not pass the resolver.
pub fn guarded(allow_private: bool) -> reqwest::Client {
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(3))
        .user_agent("countersign")
        .no_proxy();
    if !allow_private {
        builder = builder.dns_resolver(PublicOnly).https_only(true);
    }
    builder.build().expect("a client without certificates of its own can be built")
}

/// One set of connections to servers inside the organizations' own networks, made when first needed.
#[derive(Default)]
pub struct InternalClient(std::sync::OnceLock<reqwest::Client>);

impl InternalClient {
    /// The client; cheap to clone.
    pub fn get(&self) -> reqwest::Client {
        self.0.get_or_init(|| guarded(true)).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_not_public_are_refused_in_every_spelling() {
        for bad in [
            "https://127.0.0.1/jwks",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://169.254.169.254/latest",
            "https://10.0.0.1/",
            "https://100.64.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[64:ff9b::a00:1]/",
            "https://[2002:a00:1::]/",
            "https://[fe80::1]/",
            "https://[fd00::1]/",
            "https://[::a00:1]/",
            "https://[2001:0:a00:1::]/",
            "https://[2001:db8::1]/",
            "https://[3fff::1]/",
            "https://192.88.99.1/",
            "https://0.0.0.0/",
            "https://[::]/",
            "https://255.255.255.255/",
            "https://0177.0.0.1/",
            "https://017700000001/",
            "https://127.1/",
            "https://①②⑦.0.0.1/",
            "https://LOCALHOST/",
            "https://localhost/",
            "https://a.localhost/",
            "http://example.com/",
            "https://user:secret@example.com/",
            "file:///etc/passwd",
        ] {
            assert!(check(&Url::parse(bad).unwrap(), false).is_err(), "{bad}");
        }
        assert!(check(&Url::parse("https://example.com/jwks").unwrap(), false).is_ok());
        assert!(check(&Url::parse("https://93.184.216.34/").unwrap(), false).is_ok());
        assert!(check(&Url::parse("http://127.0.0.1:9/").unwrap(), true).is_ok());
    }

    #[test]
    fn a_name_that_stands_for_one_private_address_among_public_ones_is_refused() {
        let at = |text: &str| SocketAddr::new(text.parse().unwrap(), 0);
        let public = vec![at("93.184.216.34"), at("2606:2800:220:1::1")];
        assert_eq!(only_public(public.clone()), Ok(public.clone()), "the connection goes to what was checked");
        for private in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd00::1"] {
            assert_eq!(only_public([public.clone(), vec![at(private)]].concat()), Err(Forbidden::Host), "{private}");
        }
        assert_eq!(only_public(Vec::new()), Err(Forbidden::Host));
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_ourselves_is_not_fetched() {
        let error = guarded(false).get("https://localhost.localdomain:1/").send().await.unwrap_err();
        assert!(error.is_connect() || error.is_request(), "{error}");
    }
}
