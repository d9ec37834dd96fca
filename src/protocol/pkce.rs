//! Proof Key for Code Exchange (RFC 7636), S256 only. `plain` has no code path.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Is this an S256 challenge: 43 characters of base64url that stand for 32 bytes (RFC 7636 4.2)?
pub fn is_challenge(text: &str) -> bool {
    text.len() == 43 && URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// Is this a verifier: 43 to 128 unreserved characters (RFC 7636 4.1)?
pub fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// Does the verifier belong to the challenge (RFC 7636 4.6)?
pub fn matches(verifier: &str, challenge: &str) -> bool {
    let expected = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    is_verifier(verifier) && expected.as_bytes().ct_eq(challenge.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_matches_and_its_challenge_is_no_verifier_for_itself() {
        let (verifier, challenge) =
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(is_challenge(challenge));
        assert!(matches(verifier, challenge));
        assert!(!matches(challenge, challenge));
        assert!(!matches("", challenge));
        assert!(!is_challenge(&challenge[1..]));
        assert!(!is_challenge(&format!("{}=", &challenge[1..])));
        assert!(!is_verifier(&"a".repeat(42)));
        assert!(!is_verifier(&"a".repeat(129)));
        assert!(is_verifier(&"a".repeat(128)));
        assert!(!is_verifier(&"ä".repeat(43)));
    }

    #[test]
    fn the_pair_of_the_smart_guide_matches() {
        let verifier = "o28xyrYY7-lGYfnKwRjHEZWlFIPlzVnFPYMWbH-g_BsNnQNem-IAg9fDh92X0KtvHCPO5_C-RJd2QhApKQ-2cRp-S_W3qmTidTEPkeWyniKQSF9Q_k10Q5wMc8fGzoyF";
        assert!(matches(verifier, "YPXe7B8ghKrj8PsT4L6ltupgI12NQJ5vblB07F4rGaw"));
    }
}
