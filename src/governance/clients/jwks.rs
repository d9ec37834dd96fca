//! Which keys a client may register (SMART-AS-02, RFC 7517): asymmetric, public, named, strong enough, on curves we verify.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::domain::json;

const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Map<String, serde_json::Value>>,
}

/// Checks an inline JWK Set; the error is a stable code and a sentence.
pub fn check(text: &str) -> Result<(), (&'static str, String)> {
    if text.len() > 64 * 1024 {
        return Err(("jwks-too-long", "a JWK Set may have 64 kB".into()));
    }
    let set: Set = json::read(text.as_bytes()).map_err(|error| ("jwks-json", format!("not a JWK Set: {error}")))?;
    if set.keys.is_empty() || set.keys.len() > 20 {
        return Err(("jwks-count", "a JWK Set has 1 to 20 keys".into()));
    }
    let mut names = BTreeSet::new();
    let mut signs = false;
    for key in &set.keys {
        let member = |name: &str| key.get(name).and_then(serde_json::Value::as_str).unwrap_or("");
        let (kty, kid) = (member("kty"), member("kid"));
        if PRIVATE_MEMBERS.iter().any(|name| key.contains_key(*name)) {
            return Err((
                "jwks-private",
                format!("key {kid}: this is a private or secret key; send the public one, and replace this key"),
            ));
        }
        if kid.is_empty() || kid.len() > 255 {
            return Err(("jwks-kid", "every key needs a kid of 1 to 255 characters".into()));
        }
        if !names.insert((kty.to_owned(), kid.to_owned())) {
            return Err(("jwks-duplicate", format!("key {kid}: two keys of one type have the same kid")));
        }
        if member("use") == "enc" {
            continue; // OpenID clients list it beside the others; no assertion is verified with it
        }
        signs = true;
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(member(name)).unwrap_or_default();
        match (kty, member("crv")) {
            ("RSA", _) => {
                let bits = bits(&bytes("n"));
                if !(2048..=8192).contains(&bits) {
                    return Err((
                        "jwks-rsa-size",
                        format!("key {kid}: an RSA key has 2048 to 8192 bits, this one {bits}"),
                    ));
                }
                let exponent = bytes("e");
                if bits_of_exponent(&exponent) < 2 || exponent.last().is_none_or(|byte| byte % 2 == 0) {
                    return Err(("jwks-rsa-exponent", format!("key {kid}: its public exponent is too small")));
                }
            }
            ("EC", curve @ ("P-256" | "P-384")) => {
                let size = if curve == "P-256" { 32 } else { 48 };
                if bytes("x").len() != size || bytes("y").len() != size {
                    return Err(("jwks-ec-point", format!("key {kid}: x and y have {size} bytes each on {curve}")));
                }
            }
            ("OKP", "Ed25519") if bytes("x").len() == 32 => {}
            (kty, curve) => {
                return Err((
                    "jwks-type",
                    format!("key {kid}: {kty} {curve} is not supported; use RSA, P-256, P-384 or Ed25519"),
                ));
            }
        }
    }
    if signs { Ok(()) } else { Err(("jwks-use", "every key is for encryption, none for signatures".into())) }
}

fn bits(number: &[u8]) -> usize {
    let number = &number[number.iter().take_while(|byte| **byte == 0).count()..];
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

fn bits_of_exponent(exponent: &[u8]) -> usize {
    bits(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EC: &str = r#"{"kty":"EC","crv":"P-384","kid":"1","x":"JQKTsV6PT5Szf4QtDA1qrs0EJ1pbimQmM2SKvzOlIAqlph3h1OHmZ2i7MXahIF2b","y":"bRWWQRJBgDa6CTgwofYrHjVGcO-A7WNEnu4oJA5OUJPPPpczgx1g2NsfinK-D2Rw"}"#;

    fn set(key: &str) -> String {
        format!(r#"{{"keys":[{key}]}}"#)
    }

    #[test]
    fn a_public_p384_key_is_taken() {
        assert_eq!(check(&set(EC)), Ok(()));
    }

    #[test]
    fn a_key_for_encryption_may_stand_beside_one_for_signatures_but_not_alone() {
        let enc = r#"{"kty":"EC","crv":"P-521","kid":"2","use":"enc","x":"AA","y":"AA"}"#;
        assert_eq!(check(&set(&format!("{EC},{enc}"))), Ok(()));
        assert_eq!(check(&set(enc)).unwrap_err().0, "jwks-use");
        let private = enc.replace(r#""kid":"2""#, r#""kid":"2","d":"AA""#);
        assert_eq!(check(&set(&format!("{EC},{private}"))).unwrap_err().0, "jwks-private");
    }

    #[test]
    fn private_symmetric_unnamed_weak_and_doubled_keys_are_refused() {
        let cases = [
            (set(&EC.replace(r#""kid":"1""#, r#""kid":"1","d":"AA""#)), "jwks-private"),
            (set(r#"{"kty":"oct","kid":"1","k":"AAAA"}"#), "jwks-private"),
            (set(r#"{"kty":"oct","kid":"1"}"#), "jwks-type"),
            (set(&EC.replace(r#""kid":"1","#, "")), "jwks-kid"),
            (set(&format!("{EC},{EC}")), "jwks-duplicate"),
            (set(&EC.replace("P-384", "P-521")), "jwks-type"),
            (set(&EC.replace("P-384", "P-256")), "jwks-ec-point"),
            (set(r#"{"kty":"RSA","kid":"1","n":"AQAB","e":"AQAB"}"#), "jwks-rsa-size"),
            ("{}".to_owned(), "jwks-json"),
            ("[]".to_owned(), "jwks-json"),
            (r#"{"keys":[]}"#.to_owned(), "jwks-count"),
        ];
        for (text, code) in cases {
            assert_eq!(check(&text).unwrap_err().0, code, "{text}");
        }
        let strong = URL_SAFE_NO_PAD.encode([0xff; 256]);
        let rsa = |e: &str| set(&format!(r#"{{"kty":"RSA","kid":"1","n":"{strong}","e":"{e}"}}"#));
        assert_eq!(check(&rsa("AQAB")), Ok(()));
        assert_eq!(check(&rsa("AQ")).unwrap_err().0, "jwks-rsa-exponent");
    }
}
