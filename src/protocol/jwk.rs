//! Public keys of clients (RFC 7517), read strictly: only asymmetric keys of a safe size, never a private member.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

use crate::domain::json;

/// Most keys of a set.
const MAX_KEYS: usize = 50;

/// A key we can verify with.
#[derive(Clone, Debug)]
pub struct PublicKey {
    /// `kid`, if it has one.
    pub kid: Option<String>,
    /// Algorithms it may be used with.
    pub algorithms: Vec<Algorithm>,
    material: Material,
}

#[derive(Clone, Debug)]
enum Material {
    Rsa { n: String, e: String },
    Ec { x: String, y: String },
    Ed { x: String },
}

/// Why a set is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKeySet {
    /// Not a JWK Set.
    #[error("this is not a JWK Set")]
    Shape,
    /// Too many keys.
    #[error("a JWK Set may hold 50 keys")]
    TooMany,
    /// A private member: whoever sent it should throw this key away.
    #[error("the set holds a private key; it must hold public keys only, and that key is no longer secret")]
    Private,
    /// A symmetric key.
    #[error("the set holds a symmetric key")]
    Symmetric,
    /// No `kid`, or twice the same.
    #[error("every key needs a kid of its own")]
    KeyId,
    /// Nothing usable.
    #[error("the set holds no key we can use: RSA of 2048 to 8192 bits, P-256, P-384 or Ed25519")]
    Nothing,
}

impl PublicKey {
    /// The same key, however it is written and whatever it is called.
    pub fn is_same_key(&self, other: &Self) -> bool {
        let number = |text: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            bytes[zeros..].to_vec()
        };
        let same = |one: &str, other: &str| number(one) == number(other);
        match (&self.material, &other.material) {
            (Material::Rsa { n, e }, Material::Rsa { n: n2, e: e2 }) => same(n, n2) && same(e, e2),
            (Material::Ec { x, y }, Material::Ec { x: x2, y: y2 }) => same(x, x2) && same(y, y2),
            (Material::Ed { x }, Material::Ed { x: x2 }) => same(x, x2),
            _ => false,
        }
    }
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Map<String, serde_json::Value>>,
}

/// The keys of a set that can be used, others left out; fails only if it is no set at all.
pub fn usable_keys(text: &str) -> Result<Vec<PublicKey>, BadKeySet> {
    let set: Set = json::read(text.as_bytes()).map_err(|_| BadKeySet::Shape)?;
    if set.keys.len() > MAX_KEYS {
        return Err(BadKeySet::TooMany);
    }
    Ok(set.keys.iter().filter_map(public_key).collect())
}

/// Does a set hold a key with this id?
pub fn has_kid(text: &str, kid: &str) -> bool {
    usable_keys(text).is_ok_and(|keys| keys.iter().any(|key| key.kid.as_deref() == Some(kid)))
}

/// Checks a set at registration: everything in it must be fit for use (SMART-AS-02).
pub fn check_for_registration(text: &str) -> Result<(), BadKeySet> {
    let set: Set = json::read(text.as_bytes()).map_err(|_| BadKeySet::Shape)?;
    if set.keys.len() > MAX_KEYS {
        return Err(BadKeySet::TooMany);
    }
    let mut seen = std::collections::BTreeSet::new();
    for key in &set.keys {
        if key.get("kty").and_then(|kty| kty.as_str()) == Some("oct") {
            return Err(BadKeySet::Symmetric);
        }
        if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|member| key.contains_key(*member)) {
            return Err(BadKeySet::Private);
        }
        let kid = key.get("kid").and_then(|kid| kid.as_str()).filter(|kid| !kid.is_empty()).ok_or(BadKeySet::KeyId)?;
        let kty = key.get("kty").and_then(|kty| kty.as_str()).unwrap_or_default();
        if !seen.insert((kty.to_owned(), kid.to_owned())) {
            return Err(BadKeySet::KeyId);
        }
    }
    if set.keys.iter().find_map(public_key).is_none() {
        return Err(BadKeySet::Nothing);
    }
    Ok(())
}

fn public_key(key: &serde_json::Map<String, serde_json::Value>) -> Option<PublicKey> {
    let text = |name: &str| key.get(name).and_then(|value| value.as_str());
    // a key that is published with its private half is nobody's key any more
    if ["d", "p", "q", "k"].iter().any(|member| key.contains_key(*member)) {
        return None;
    }
    if text("use").is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    if let Some(operations) = key.get("key_ops") {
        let may_verify = operations.as_array()?.iter().any(|operation| operation.as_str() == Some("verify"));
        if !may_verify {
            return None;
        }
    }
    let (material, mut algorithms) = match text("kty")? {
        "RSA" => {
            let (n, e) = (text("n")?, text("e")?);
            let modulus = URL_SAFE_NO_PAD.decode(n).ok()?;
            let exponent = URL_SAFE_NO_PAD.decode(e).ok()?;
            let bits = modulus
                .iter()
                .position(|byte| *byte != 0)
                .map_or(0, |zeros| (modulus.len() - zeros) * 8 - modulus[zeros].leading_zeros() as usize);
            let is_odd = exponent.last().is_some_and(|byte| byte % 2 == 1);
            let is_one = exponent.iter().rev().skip(1).all(|byte| *byte == 0) && exponent.last() == Some(&1);
            if !(2048..=8192).contains(&bits) || !is_odd || is_one || exponent.len() > 8 {
                return None;
            }
            let algorithms =
                vec![Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS384];
            (Material::Rsa { n: n.to_owned(), e: e.to_owned() }, algorithms)
        }
        "EC" => {
            let (algorithm, length) = match text("crv")? {
                "P-256" => (Algorithm::ES256, 32),
                "P-384" => (Algorithm::ES384, 48),
                _ => return None,
            };
            let (x, y) = (text("x")?, text("y")?);
            let right_length =
                |coordinate: &str| URL_SAFE_NO_PAD.decode(coordinate).is_ok_and(|bytes| bytes.len() == length);
            if !right_length(x) || !right_length(y) {
                return None;
            }
            (Material::Ec { x: x.to_owned(), y: y.to_owned() }, vec![algorithm])
        }
        "OKP" if text("crv") == Some("Ed25519") => (Material::Ed { x: text("x")?.to_owned() }, vec![Algorithm::EdDSA]),
        _ => return None,
    };
    if let Some(alg) = key.get("alg") {
        let alg: Algorithm = alg.as_str()?.parse().ok()?;
        algorithms.retain(|one| *one == alg);
    }
    Some(PublicKey { kid: text("kid").map(str::to_owned), algorithms, material })
}

/// Verifies a signature with a key that is nobody's, and forgets the answer: whoever is unknown costs as much as whoever is known (K20).
pub fn verify_in_vain(algorithm: Algorithm, signing_input: &str, signature: &str) {
    for nobody in nobodys_keys(algorithm) {
        std::hint::black_box(nobody.verifies(algorithm, signing_input, signature));
    }
}

/// The generators of the curves, whose private half is 1, and a number that is no RSA modulus. Nothing is ever accepted because of them. Read from text, as a
/// registered set is.
fn nobodys_keys(algorithm: Algorithm) -> Vec<PublicKey> {
    let mut key = match algorithm {
        Algorithm::ES256 => serde_json::json!({ "kty": "EC", "crv": "P-256", "x": P256.0, "y": P256.1 }),
        Algorithm::ES384 => serde_json::json!({ "kty": "EC", "crv": "P-384", "x": P384.0, "y": P384.1 }),
        Algorithm::EdDSA => serde_json::json!({ "kty": "OKP", "crv": "Ed25519", "x": ED25519 }),
        _ => serde_json::json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xff; 256]), "e": "AQAB" }),
    };
    key["kid"] = "nobody".into();
    key["use"] = "sig".into();
    usable_keys(&serde_json::json!({ "keys": [key] }).to_string()).unwrap_or_default()
}

const P256: (&str, &str) =
    ("axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY", "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU");
const P384: (&str, &str) = (
    "qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3",
    "NhfeSpYmLG9dnpi_kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f",
);
const ED25519: &str = "WGZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmY";

impl PublicKey {
    /// Verifies a JWS signature (RFC 7515 5.2). A point that is not on its curve fails here.
    pub fn verifies(&self, algorithm: Algorithm, signing_input: &str, signature: &str) -> bool {
        if !self.algorithms.contains(&algorithm) {
            return false;
        }
        let key = match &self.material {
            Material::Rsa { n, e } => DecodingKey::from_rsa_components(n, e),
            Material::Ec { x, y } => DecodingKey::from_ec_components(x, y),
            Material::Ed { x } => DecodingKey::from_ed_components(x),
        };
        key.is_ok_and(|key| {
            jsonwebtoken::crypto::verify(signature, signing_input.as_bytes(), &key, algorithm).unwrap_or(false)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rsa(bytes: usize, e: &str) -> String {
        format!(
            r#"{{"keys":[{{"kty":"RSA","kid":"a","n":"{}","e":"{e}"}}]}}"#,
            URL_SAFE_NO_PAD.encode(vec![0xff; bytes])
        )
    }

    #[test]
    fn weak_and_oversized_rsa_keys_are_left_out() {
        assert_eq!(usable_keys(&rsa(256, "AQAB")).unwrap().len(), 1);
        assert_eq!(usable_keys(&rsa(255, "AQAB")).unwrap().len(), 0);
        assert_eq!(usable_keys(&rsa(1025, "AQAB")).unwrap().len(), 0);
        assert_eq!(usable_keys(&rsa(256, "AQ")).unwrap().len(), 0, "e = 1");
        assert_eq!(usable_keys(&rsa(256, "Ag")).unwrap().len(), 0, "e = 2");
        let padded = format!(
            r#"{{"keys":[{{"kty":"RSA","n":"{}","e":"AQAB"}}]}}"#,
            URL_SAFE_NO_PAD.encode([vec![0; 200], vec![0xff; 100]].concat())
        );
        assert_eq!(usable_keys(&padded).unwrap().len(), 0, "zeros in front do not make a key longer");
    }

    #[test]
    fn a_set_with_a_private_symmetric_or_nameless_key_cannot_be_registered() {
        let public = rsa(256, "AQAB");
        assert_eq!(check_for_registration(&public), Ok(()));
        assert_eq!(check_for_registration(&public.replace(r#""kid":"a","#, "")), Err(BadKeySet::KeyId));
        assert_eq!(
            check_for_registration(&public.replace(r#""e":"AQAB""#, r#""e":"AQAB","d":"x""#)),
            Err(BadKeySet::Private)
        );
        assert_eq!(check_for_registration(r#"{"keys":[{"kty":"oct","kid":"a","k":"x"}]}"#), Err(BadKeySet::Symmetric));
        assert_eq!(check_for_registration(r#"{"keys":[]}"#), Err(BadKeySet::Nothing));
        assert_eq!(check_for_registration("[]"), Err(BadKeySet::Shape));
        assert!(usable_keys(r#"{"keys":[{"kty":"oct","kid":"a","k":"x"}]}"#).unwrap().is_empty());
    }

    #[test]
    fn the_keys_of_nobody_are_keys_and_cost_a_verification() {
        use aws_lc_rs::rand::SystemRandom;
        use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
        let mut one = [0; 48];
        one[47] = 1;
        let point =
            [&[4][..], &URL_SAFE_NO_PAD.decode(P384.0).unwrap(), &URL_SAFE_NO_PAD.decode(P384.1).unwrap()].concat();
        let pair =
            EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P384_SHA384_FIXED_SIGNING, &one, &point).unwrap();
        assert_eq!(pair.public_key().as_ref(), point, "the generator");
        let signature = URL_SAFE_NO_PAD.encode(pair.sign(&SystemRandom::new(), b"input").unwrap());
        let key = nobodys_keys(Algorithm::ES384).remove(0);
        assert!(key.verifies(Algorithm::ES384, "input", &signature), "it verifies, so the work is that of a real key");
        for algorithm in [Algorithm::RS384, Algorithm::ES384, Algorithm::ES256, Algorithm::PS256, Algorithm::EdDSA] {
            assert_eq!(nobodys_keys(algorithm).len(), 1, "{algorithm:?}");
        }
    }

    #[test]
    fn a_point_that_is_not_on_its_curve_verifies_nothing() {
        for (x, y) in [(P384.0, P384.0), (P384.1, P384.0)] {
            let set = format!(r#"{{"keys":[{{"kty":"EC","crv":"P-384","kid":"a","x":"{x}","y":"{y}"}}]}}"#);
            for key in usable_keys(&set).unwrap() {
                assert!(!key.verifies(Algorithm::ES384, "input", &URL_SAFE_NO_PAD.encode([1; 96])));
            }
        }
    }

    #[test]
    fn the_use_operations_and_algorithm_of_a_key_bind() {
        let with = |member: &str| {
            usable_keys(&rsa(256, "AQAB").replace(r#""kid":"a""#, &format!(r#""kid":"a",{member}"#))).unwrap()
        };
        assert!(with(r#""use":"enc""#).is_empty());
        assert!(with(r#""key_ops":["encrypt"]"#).is_empty());
        assert_eq!(with(r#""alg":"RS384""#)[0].algorithms, [Algorithm::RS384]);
        assert!(with(r#""alg":"HS256""#)[0].algorithms.is_empty());
    }
}
