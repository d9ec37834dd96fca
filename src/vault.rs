//! Secrets we must be able to read again (signing keys, webhook secrets), sealed with AES-256-GCM under the key-encryption key of this installation.
//!
//! The key never enters the database. From it come, by HKDF with separate labels, the sealing key and the key that permutes row ids inside tokens.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};

use crate::domain::entropy::Entropy;
use crate::domain::tokens::Sealer;

/// The key-encryption key: 32 bytes from a file or the environment.
#[derive(Clone)]
pub struct KeyEncryptionKey(zeroize::Zeroizing<[u8; 32]>);

impl KeyEncryptionKey {
    /// Takes the bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(zeroize::Zeroizing::new(bytes))
    }

    fn derive<const N: usize>(&self, label: &'static [u8]) -> [u8; N] {
        struct Length(usize);
        impl KeyType for Length {
            fn len(&self) -> usize {
                self.0
            }
        }
        let mut key = [0; N];
        Salt::new(HKDF_SHA256, b"countersign")
            .extract(&*self.0)
            .expand(&[label], Length(N))
            .and_then(|material| material.fill(&mut key))
            .expect("HKDF-SHA256 yields up to 8160 bytes");
        key
    }

    /// The sealer of row ids.
    pub fn sealer(&self) -> Sealer {
        Sealer::new(self.derive(b"token-selector-v1"))
    }

    /// The vault.
    pub fn vault(&self) -> Vault {
        let key =
            UnboundKey::new(&AES_256_GCM, &self.derive::<32>(b"vault-v1")).expect("a 32-byte key is an AES-256 key");
        Vault { key: std::sync::Arc::new(LessSafeKey::new(key)) }
    }

    /// A value that tells one key from another without giving either away: kept in the database, so that a wrong key is refused at the start.
    pub fn check_value(&self) -> String {
        crate::domain::secrets::hex_digest(&[b"kek-check-v1", &self.derive::<32>(b"check-v1")])
    }
}

/// Seals and opens.
#[derive(Clone)]
pub struct Vault {
    key: std::sync::Arc<LessSafeKey>,
}

/// A sealed value that does not open: another key, another label, or changed bytes.
#[derive(Debug, thiserror::Error)]
#[error("a sealed value does not open")]
pub struct DoesNotOpen;

impl Vault {
    /// Seals `plain` for `label` (what it is: `signing-key|KID`); the label is bound into it.
    pub fn seal(&self, label: &str, plain: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut sealed = plain.to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(label.as_bytes()), &mut sealed)
            .expect("AES-256-GCM seals anything below 64 GiB");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Opens what was sealed for the same `label`.
    pub fn open(&self, label: &str, sealed: &[u8]) -> Result<zeroize::Zeroizing<Vec<u8>>, DoesNotOpen> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(DoesNotOpen)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| DoesNotOpen)?;
        let mut body = zeroize::Zeroizing::new(body.to_vec());
        let length =
            self.key.open_in_place(nonce, Aad::from(label.as_bytes()), &mut body).map_err(|_| DoesNotOpen)?.len();
        body.truncate(length);
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entropy::SeededEntropy;

    #[test]
    fn a_sealed_value_opens_only_with_its_key_and_its_label() {
        let kek = KeyEncryptionKey::new([1; 32]);
        let sealed = kek.vault().seal("webhook|1", b"secret", &SeededEntropy::new(1));
        assert_eq!(kek.vault().open("webhook|1", &sealed).unwrap().as_slice(), b"secret");
        assert!(kek.vault().open("webhook|2", &sealed).is_err());
        assert!(KeyEncryptionKey::new([2; 32]).vault().open("webhook|1", &sealed).is_err());
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
    }
}
