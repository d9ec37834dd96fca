//! The form of everything we hand out and later want back: codes, access and refresh tokens, sessions, API tokens, flow handles.
//!
//! `prefix` + `selector` (22 characters) + `secret` (56 characters) + `checksum` (6 characters), all base64url.
//!
//! - The prefix names the kind, so that secret scanners recognise it and a code is never tried as a token.
//! - The selector is the row's sequential id under a keyed permutation (AES-128 of id, kind and padding): look-up is by primary key, rows are
//!   written in key order, and nobody can tell from a token how many exist. A selector of another kind or another installation does not open.
//! - The secret is 336 random bits; an audit profile that logs the last 32 characters of a token leaves more than enough. Only its SHA-256 is stored.
//! - The checksum (CRC-32 of all before it) catches truncated or mistyped tokens before any look-up. It is not a defence: the secret is.

use aes::Aes128;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::entropy::Entropy;
use super::secrets::{HashedSecret, PlainSecret};

const SELECTOR: usize = 22;
const SECRET: usize = 56;
const CHECKSUM: usize = 6;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Authorization code (RFC 6749 4.1.2).
    Code,
    /// Access token (RFC 6749 1.4).
    Access,
    /// Refresh token (RFC 6749 1.5).
    Refresh,
    /// SMART launch handle.
    Launch,
    /// A browser session.
    Session,
    /// A personal token for `/api/v1`.
    Api,
    /// An authorization request on its way through sign-in and consent.
    Interaction,
    /// Registration access token (RFC 7592).
    Registration,
    /// A link for one use: invitation, password reset, initial access token.
    Link,
}

impl TokenKind {
    /// What tokens of this kind begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Code => "csc_",
            Self::Access => "csa_",
            Self::Refresh => "csr_",
            Self::Launch => "csl_",
            Self::Session => "css_",
            Self::Api => "csp_",
            Self::Interaction => "csi_",
            Self::Registration => "csg_",
            Self::Link => "csk_",
        }
    }
}

/// A token somebody presented that has the right form. Nothing about it is proven yet.
#[derive(Clone, Copy, Debug)]
pub struct Presented {
    /// The row it claims to be.
    pub unverified_id: i64,
    /// To be compared with the row's hash.
    pub secret: HashedSecret,
}

/// Seals row ids into selectors and opens them.
#[derive(Clone)]
pub struct Sealer {
    cipher: Aes128,
}

impl Sealer {
    /// A sealer under a key of this installation.
    pub fn new(key: [u8; 16]) -> Self {
        Self { cipher: Aes128::new(&Array::from(key)) }
    }

    /// A new secret part for a token: store the hash in a row, then [`Sealer::seal`] the row's id with it.
    pub fn secret(entropy: &dyn Entropy) -> PlainSecret {
        PlainSecret::random(SECRET / 4 * 3, entropy)
    }

    /// The finished token.
    pub fn seal(&self, kind: TokenKind, id: i64, secret: &PlainSecret) -> PlainSecret {
        let mut block = Array::from([0_u8; 16]);
        block[..8].copy_from_slice(&id.to_be_bytes());
        block[8..12].copy_from_slice(kind.prefix().as_bytes());
        self.cipher.encrypt_block(&mut block);
        let mut token = String::with_capacity(4 + SELECTOR + SECRET + CHECKSUM);
        token.push_str(kind.prefix());
        token.push_str(&URL_SAFE_NO_PAD.encode(block));
        token.push_str(secret.reveal());
        let sum = checksum(&token);
        token.push_str(&sum);
        PlainSecret::from_text(token)
    }

    /// Opens a presented token of this kind; `None` if it has not exactly the right form.
    pub fn open(&self, kind: TokenKind, token: &str) -> Option<Presented> {
        let body = token.strip_prefix(kind.prefix())?;
        if body.len() != SELECTOR + SECRET + CHECKSUM || !body.is_ascii() {
            return None;
        }
        let (signed, sum) = token.split_at(token.len() - CHECKSUM);
        if checksum(signed) != sum {
            return None;
        }
        let (selector, secret) = body[..SELECTOR + SECRET].split_at(SELECTOR);
        let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(selector).ok()?.try_into().ok()?;
        let mut block = Array::from(bytes);
        self.cipher.decrypt_block(&mut block);
        let (id, rest) = block.split_at(8);
        if rest[..4] != *kind.prefix().as_bytes() || rest[4..] != [0; 4] {
            return None;
        }
        Some(Presented {
            unverified_id: i64::from_be_bytes(id.try_into().ok()?),
            secret: PlainSecret::from_text(secret).hashed(),
        })
    }
}

fn checksum(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(crc32fast::hash(text.as_bytes()).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entropy::SeededEntropy;

    fn token(kind: TokenKind, id: i64) -> (Sealer, PlainSecret) {
        let sealer = Sealer::new([7; 16]);
        let secret = Sealer::secret(&SeededEntropy::new(3));
        let token = sealer.seal(kind, id, &secret);
        (sealer, token)
    }

    #[test]
    fn a_sealed_token_opens_to_its_row() {
        let (sealer, token) = token(TokenKind::Access, 42);
        let open = sealer.open(TokenKind::Access, token.reveal()).unwrap();
        assert_eq!(open.unverified_id, 42);
        assert!(token.reveal().len() - 4 - SELECTOR - CHECKSUM >= 54);
    }

    #[test]
    fn a_token_of_one_kind_is_no_token_of_another() {
        let (sealer, token) = token(TokenKind::Refresh, 42);
        for kind in [TokenKind::Code, TokenKind::Access, TokenKind::Launch, TokenKind::Session, TokenKind::Api] {
            assert!(sealer.open(kind, token.reveal()).is_none());
            let renamed = format!("{}{}", kind.prefix(), &token.reveal()[4..]);
            assert!(sealer.open(kind, &renamed).is_none());
            let resummed =
                format!("{}{}", &renamed[..renamed.len() - CHECKSUM], checksum(&renamed[..renamed.len() - CHECKSUM]));
            assert!(sealer.open(kind, &resummed).is_none());
        }
    }

    #[test]
    fn a_truncated_extended_or_flipped_token_does_not_open() {
        let (sealer, token) = token(TokenKind::Access, 42);
        let text = token.reveal();
        assert!(sealer.open(TokenKind::Access, &text[..text.len() - 1]).is_none());
        assert!(sealer.open(TokenKind::Access, &format!("{text}A")).is_none());
        for place in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let flipped = String::from_utf8(bytes).unwrap();
            if flipped != text {
                assert!(sealer.open(TokenKind::Access, &flipped).is_none(), "place {place}");
            }
        }
        assert!(Sealer::new([8; 16]).open(TokenKind::Access, text).is_none());
    }
}
