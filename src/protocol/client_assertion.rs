//! `private_key_jwt`: client assertions (RFC 7523 3, SMART 2.2 client-confidential-asymmetric).
//!
//! [`Assertion::read`] takes a JWT apart without believing it; [`Assertion::check`] applies every rule that needs no key; [`Assertion::verify`] finds the one key
//! that may verify it. Replay ([`Assertion::replay_key`]) is checked last, in the database. Every failure is the same `invalid_client` on the wire.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::jwk::{self, PublicKey};
use crate::domain::clients::AssertionAudience;
use crate::domain::clock::UtcMillis;
use crate::domain::json;
use crate::domain::secrets::hex_digest;

/// `client_assertion_type` (RFC 7523 2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Algorithms we verify assertions with; discovery lists exactly these.
pub const ALGORITHMS: &[(&str, Algorithm)] = &[
    ("RS384", Algorithm::RS384),
    ("ES384", Algorithm::ES384),
    ("ES256", Algorithm::ES256),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("EdDSA", Algorithm::EdDSA),
];
/// How far a client's clock may be off.
const SKEW_SECONDS: i64 = 30;
/// How long an assertion may live (SMART-AS-09).
const LIFE_SECONDS: i64 = 300;
const MAX_BYTES: usize = 16 * 1024;
const MAX_JTI: usize = 256;

/// Members that are not there are not there: `null` is neither a time (RFC 7519 2) nor a list of names (RFC 7515 4.1.11) nor a key.
const HEADER_MEMBERS: &[&str] = &["alg", "kid", "typ", "jku", "crit", "jwk", "x5u", "x5c"];
const CLAIMS: &[&str] = &["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// Reads one part of a JWT: base64url of a JSON object.
fn read_part<T: DeserializeOwned>(part: &str, never_null: &[&str]) -> Result<T, &'static str> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| "the assertion is not base64url")?;
    let members = json::object(&bytes).map_err(|_| "a part of the assertion is not a plain JSON object")?;
    if never_null.iter().any(|name| members.get(*name).is_some_and(serde_json::Value::is_null)) {
        return Err("a member of the assertion is null");
    }
    json::from_members(members).map_err(|_| "a member of the assertion is missing or of the wrong type")
}

/// A JWT taken apart. Nothing in it is proven.
#[derive(Clone, Debug)]
pub struct Assertion {
    header: Header,
    claims: Claims,
    algorithm: Algorithm,
    signing_input: String,
    signature: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    jku: Option<String>,
    #[serde(default)]
    crit: Option<serde_json::Value>,
    #[serde(default)]
    jwk: Option<serde_json::Value>,
    #[serde(default)]
    x5u: Option<serde_json::Value>,
    #[serde(default)]
    x5c: Option<serde_json::Value>,
}

#[derive(Clone, Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    // whole seconds only: a fraction, a negative life or a number beyond 64 bits is refused by the type or by the comparison
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    iat: Option<i64>,
    jti: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// At which endpoint an assertion is presented, and what is right there.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Our issuer at this organization.
    pub issuer: &'a str,
    /// The token URL, at the token endpoint only.
    pub token_url: Option<&'a str>,
    /// The client's rule (D1, X-01).
    pub audience: AssertionAudience,
    /// The client's registered JWK Set URL.
    pub jwks_uri: Option<&'a str>,
    /// The one algorithm the client registered, if it did (X-03).
    pub algorithm: Option<&'a str>,
    /// The present moment.
    pub now: UtcMillis,
}

impl Assertion {
    /// Takes a JWT apart.
    pub fn read(jwt: &str) -> Result<Self, &'static str> {
        if jwt.len() > MAX_BYTES {
            return Err("the assertion is too long");
        }
        let (signing_input, signature) = jwt.rsplit_once('.').ok_or("the assertion is no JWT")?;
        let (header, claims) = signing_input.split_once('.').ok_or("the assertion is no JWT")?;
        if claims.contains('.') {
            return Err("the assertion is no JWS");
        }
        let header: Header = read_part(header, HEADER_MEMBERS)?;
        let claims: Claims = read_part(claims, CLAIMS)?;
        let algorithm = ALGORITHMS.iter().find(|(name, _)| *name == header.alg).map(|(_, algorithm)| *algorithm);
        let algorithm = algorithm.ok_or("the algorithm is not one we verify")?;
        Ok(Self { header, claims, algorithm, signing_input: signing_input.to_owned(), signature: signature.to_owned() })
    }

    /// Whose assertion it claims to be.
    pub fn unverified_client_id(&self) -> &str {
        &self.claims.sub
    }

    /// `kid`.
    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// Every rule that needs no key.
    pub fn check(&self, expected: &Expected<'_>) -> Result<(), &'static str> {
        let header = &self.header;
        // K07: keys come from registration, never from the assertion itself
        if header.jwk.is_some() || header.x5u.is_some() || header.x5c.is_some() {
            return Err("the assertion brings its own key");
        }
        if expected.algorithm.is_some_and(|registered| registered != header.alg) {
            return Err("the algorithm is not the registered one");
        }
        if header.crit.is_some() {
            return Err("the assertion has a critical header we do not know");
        }
        // SMART-AS-05, SMART-AS-11: the key is the one the assertion names
        if header.kid.is_none() && expected.audience == AssertionAudience::Smart {
            return Err("the assertion names no key");
        }
        if header.jku.as_deref().is_some_and(|jku| Some(jku) != expected.jwks_uri) {
            return Err("jku is not the registered JWK Set URL");
        }
        let is_issuer_only = match header.typ.as_deref() {
            None => false,
            Some(typ) if typ.eq_ignore_ascii_case("jwt") => false,
            Some("client-authentication+jwt") => true,
            Some(_) => return Err("typ is not that of a client assertion"),
        };
        if self.claims.iss != self.claims.sub {
            return Err("iss and sub differ");
        }
        if self.claims.jti.is_empty() || self.claims.jti.len() > MAX_JTI {
            return Err("jti is empty or too long");
        }
        self.check_audience(expected, is_issuer_only)?;
        let now = expected.now.seconds();
        if self.claims.exp <= now - SKEW_SECONDS {
            return Err("the assertion has expired");
        }
        if self.claims.exp > now + LIFE_SECONDS + SKEW_SECONDS {
            return Err("the assertion lives too long");
        }
        if [self.claims.nbf, self.claims.iat].iter().flatten().any(|at| *at < 0 || *at > now + SKEW_SECONDS) {
            return Err("the assertion is from the future");
        }
        Ok(())
    }

    fn check_audience(&self, expected: &Expected<'_>, is_issuer_only: bool) -> Result<(), &'static str> {
        let is_strict = expected.audience == AssertionAudience::Strict;
        let audience = match &self.claims.aud {
            Audience::One(audience) => audience,
            Audience::Many(list) if list.len() == 1 && !is_strict => &list[0],
            Audience::Many(_) => return Err("aud is not one value"),
        };
        let is_issuer = audience == expected.issuer;
        let is_token_url = !is_strict && !is_issuer_only && Some(audience.as_str()) == expected.token_url;
        if is_issuer || is_token_url { Ok(()) } else { Err("aud is not us, or not what this endpoint takes") }
    }

    /// Verifies the signature with the one key that fits; none and several are both a refusal (SMART-AS-11).
    pub fn verify(&self, keys: &[PublicKey]) -> Result<(), &'static str> {
        let mut candidates = keys.iter().filter(|key| {
            key.algorithms.contains(&self.algorithm)
                && self.header.kid.as_ref().is_none_or(|kid| key.kid.as_ref() == Some(kid))
        });
        let (Some(key), None) = (candidates.next(), candidates.next()) else {
            self.verify_in_vain();
            return Err("not exactly one registered key fits");
        };
        if key.verifies(self.algorithm, &self.signing_input, &self.signature) {
            Ok(())
        } else {
            Err("the signature is wrong")
        }
    }

    /// The work of [`Assertion::verify`] without a key: for a client that does not exist, or has no key that fits.
    pub fn verify_in_vain(&self) {
        jwk::verify_in_vain(self.algorithm, &self.signing_input, &self.signature);
    }

    /// The key under which this assertion is used up, and until when it must be remembered: longer than it would be accepted (K14).
    pub fn replay_key(&self) -> (String, UtcMillis) {
        let key = hex_digest(&[self.claims.iss.as_bytes(), self.claims.jti.as_bytes()]);
        (key, UtcMillis(self.claims.exp.saturating_mul(1000)).plus_seconds(2 * SKEW_SECONDS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn jwt(header: &str, claims: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    fn claims(aud: &str, exp: &str) -> String {
        format!(r#"{{"iss":"app_1","sub":"app_1","aud":{aud},"exp":{exp},"jti":"j1"}}"#)
    }

    fn expected(audience: AssertionAudience, at_token: bool) -> Expected<'static> {
        Expected {
            issuer: "https://id.example/o/a",
            token_url: at_token.then_some("https://id.example/o/a/token"),
            audience,
            jwks_uri: Some("https://app.example/jwks"),
            algorithm: None,
            now: UtcMillis(NOW * 1000),
        }
    }

    const HEADER: &str = r#"{"alg":"ES384","kid":"k"}"#;
    const TOKEN: &str = r#""https://id.example/o/a/token""#;
    const ISSUER: &str = r#""https://id.example/o/a""#;

    fn accepted(header: &str, claims: &str, expected: &Expected<'_>) -> bool {
        Assertion::read(&jwt(header, claims)).and_then(|assertion| assertion.check(expected)).is_ok()
    }

    #[test]
    fn the_audience_follows_the_clients_rule_and_the_endpoint() {
        let in_a_minute = (NOW + 60).to_string();
        let typed = r#"{"alg":"ES384","kid":"k","typ":"client-authentication+jwt"}"#;
        use AssertionAudience::{Smart, Strict};
        for (rule, at_token, header, aud, good) in [
            (Smart, true, HEADER, TOKEN, true),
            (Smart, true, HEADER, ISSUER, true),
            (Smart, false, HEADER, TOKEN, false),
            (Smart, false, HEADER, ISSUER, true),
            (Strict, true, HEADER, TOKEN, false),
            (Strict, true, HEADER, ISSUER, true),
            (Smart, true, typed, TOKEN, false),
            (Smart, true, typed, ISSUER, true),
            (Smart, true, HEADER, r#"["https://id.example/o/a/token"]"#, true),
            (Strict, true, HEADER, r#"["https://id.example/o/a"]"#, false),
            (Smart, true, HEADER, r#"["https://id.example/o/a","https://evil.example"]"#, false),
            (Smart, true, HEADER, "[]", false),
            (Smart, true, HEADER, r#""https://id.example/o/a/""#, false),
            (Smart, true, HEADER, r#""https://ID.example/o/a""#, false),
            (Smart, true, HEADER, r#""https://id.example:443/o/a""#, false),
            (Smart, true, HEADER, r#""https://id.example/o/b""#, false),
            (Smart, true, HEADER, r#""https://id.example/o/a/introspect""#, false),
        ] {
            assert_eq!(
                accepted(header, &claims(aud, &in_a_minute), &expected(rule, at_token)),
                good,
                "{rule:?} {at_token} {header} {aud}"
            );
        }
    }

    #[test]
    fn times_are_whole_seconds_within_five_minutes() {
        let at = expected(AssertionAudience::Smart, true);
        for (exp, good) in [
            ((NOW + 300).to_string(), true),
            ((NOW + 310).to_string(), true),
            ((NOW + 361).to_string(), false),
            ((NOW - 10).to_string(), true),
            ((NOW - 61).to_string(), false),
            (format!("\"{}\"", NOW + 60), false),
            (format!("{}.5", NOW + 60), false),
            ("-1".into(), false),
            ("18446744073709551615".into(), false),
            ("null".into(), false),
        ] {
            assert_eq!(accepted(HEADER, &claims(TOKEN, &exp), &at), good, "{exp}");
        }
        let without_exp = claims(TOKEN, "1").replace(r#""exp":1,"#, "");
        assert!(!accepted(HEADER, &without_exp, &at));
        for (iat, good) in [(NOW + 20, true), (NOW + 61, false), (-1, false)] {
            let with_iat = claims(TOKEN, &(NOW + 60).to_string()).replace(r#""jti""#, &format!(r#""iat":{iat},"jti""#));
            assert_eq!(accepted(HEADER, &with_iat, &at), good, "{iat}");
        }
    }

    #[test]
    fn the_algorithms_of_registration_are_those_we_verify() {
        let ours: Vec<&str> = ALGORITHMS.iter().map(|(name, _)| *name).collect();
        assert_eq!(ours, crate::domain::clients::ASSERTION_ALGORITHMS);
    }

    #[test]
    fn a_client_that_registered_an_algorithm_uses_no_other() {
        let good = claims(TOKEN, &(NOW + 60).to_string());
        for (registered, is_taken) in
            [(None, true), (Some("ES384"), true), (Some("RS384"), false), (Some("PS256"), false)]
        {
            let at = Expected { algorithm: registered, ..expected(AssertionAudience::Smart, true) };
            assert_eq!(accepted(HEADER, &good, &at), is_taken, "{registered:?}");
        }
    }

    #[test]
    fn headers_that_bring_keys_or_unknown_rules_are_refused() {
        let at = expected(AssertionAudience::Smart, true);
        let good = claims(TOKEN, &(NOW + 60).to_string());
        for header in [
            r#"{"alg":"none","kid":"k"}"#,
            r#"{"alg":"ES384","typ":"JWT"}"#,
            r#"{"alg":"HS256","kid":"k"}"#,
            r#"{"alg":"RS256","kid":"k"}"#,
            r#"{"alg":"ES384","kid":"k","jwk":{"kty":"EC"}}"#,
            r#"{"alg":"ES384","kid":"k","x5u":"https://x"}"#,
            r#"{"alg":"ES384","kid":"k","x5c":["x"]}"#,
            r#"{"alg":"ES384","kid":"k","crit":["exp"]}"#,
            r#"{"alg":"ES384","kid":"k","jku":"https://evil.example/jwks"}"#,
            r#"{"alg":"ES384","kid":"k","typ":"at+jwt"}"#,
        ] {
            assert!(!accepted(header, &good, &at), "{header}");
        }
        assert!(accepted(r#"{"alg":"ES384","kid":"k","typ":"JWT","jku":"https://app.example/jwks"}"#, &good, &at));
    }

    #[test]
    fn claims_that_do_not_name_one_client_once_are_refused() {
        let at = expected(AssertionAudience::Smart, true);
        let good = claims(TOKEN, &(NOW + 60).to_string());
        assert!(accepted(HEADER, &good, &at));
        for (from, to) in [
            (r#""sub":"app_1""#, r#""sub":"app_2""#),
            (r#","jti":"j1""#, ""),
            (r#""jti":"j1""#, r#""jti":"""#),
            (r#""jti":"j1""#, r#""jti":7"#),
            (r#""iss":"app_1""#, r#""iss":["app_1"]"#),
            (r#""aud""#, r#""iss":"app_1","aud""#),
        ] {
            assert!(!accepted(HEADER, &good.replace(from, to), &at), "{from} -> {to}");
        }
        let long = good.replace("\"j1\"", &format!("\"{}\"", "x".repeat(10_240)));
        assert!(!accepted(HEADER, &long, &at));
        assert!(Assertion::read(&"a".repeat(20_000)).is_err());
        let deep = format!(r#"{{"alg":"ES384","jwk":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
        assert!(Assertion::read(&jwt(&deep, &good)).is_err());
        assert!(Assertion::read("a.b.c.d.e").is_err());
    }

    #[test]
    fn an_assertion_is_remembered_longer_than_it_is_accepted() {
        let assertion = Assertion::read(&jwt(HEADER, &claims(TOKEN, &NOW.to_string()))).unwrap();
        let (_, until) = assertion.replay_key();
        let last =
            Expected { now: UtcMillis((NOW + SKEW_SECONDS) * 1000 - 1), ..expected(AssertionAudience::Smart, true) };
        assert!(assertion.check(&last).is_ok());
        assert!(until > last.now);
    }
}
