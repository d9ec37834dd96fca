//! Secrets: [`PlainSecret`] is shown once and never printed, [`HashedSecret`] is the only one with a column.
//!
//! Secrets made here are random, so SHA-256 is the right hash: nothing to guess, and a token endpoint is not slowed down by its own defence.
//! People's passwords are another matter and use argon2id.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::entropy::Entropy;

/// A secret in the clear. It has no `Display`, its `Debug` is blind, and its memory is wiped.
#[derive(Clone)]
pub struct PlainSecret(zeroize::Zeroizing<String>);

impl PlainSecret {
    /// `bytes` random bytes as base64url without padding.
    pub fn random(bytes: usize, entropy: &dyn Entropy) -> Self {
        let mut raw = zeroize::Zeroizing::new(vec![0; bytes]);
        entropy.fill(&mut raw);
        Self::from_text(URL_SAFE_NO_PAD.encode(&*raw))
    }

    /// A client secret: 40 letters and digits (more than 200 bits), so that every reading of HTTP Basic agrees on it.
    pub fn alphanumeric(entropy: &dyn Entropy) -> Self {
        const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut text = String::with_capacity(40);
        let mut byte = [0];
        while text.len() < 40 {
            entropy.fill(&mut byte);
            // 248 = 4 * 62: refusing the rest keeps every character equally likely
            if byte[0] < 248 {
                text.push(char::from(ALPHABET[usize::from(byte[0] % 62)]));
            }
        }
        Self::from_text(text)
    }

    /// Takes a secret that somebody presented.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(zeroize::Zeroizing::new(text.into()))
    }

    /// Shows the secret. Every use of this is a place to look at in a review.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored.
    pub fn hashed(&self) -> HashedSecret {
        HashedSecret(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for PlainSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainSecret(..)")
    }
}

/// SHA-256 of a secret.
#[derive(Clone, Copy)]
pub struct HashedSecret([u8; 32]);

impl HashedSecret {
    /// The bytes of a column.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads a column; `None` if it does not hold 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// As lower-case hexadecimal: 64 characters.
    pub fn hex(&self) -> String {
        hexadecimal(&self.0)
    }

    /// Is it among `hashes`, a text of such hexadecimal one after the other?
    pub fn is_among(&self, hashes: &str) -> bool {
        let own = self.hex();
        hashes.as_bytes().chunks(64).any(|one| own.as_bytes().ct_eq(one).into())
    }

    /// Compares in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for HashedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashedSecret(..)")
    }
}

/// SHA-256 as lower-case hexadecimal, for digests that people and pages compare.
pub fn hex_digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // a length before each part: no two lists of parts read the same
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hexadecimal(&hash.finalize())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        use fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
        text
    })
}
