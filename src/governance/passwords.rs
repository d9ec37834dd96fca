//! People's passwords: argon2id, on blocking threads, never more at once than we can afford.
//!
//! One hash costs about 20 ms and 19 MiB. The two bounds are of this process, because processors and memory are; a flood of sign-ins waits here or
//! is told to come back, and the token endpoint does not notice.

use std::sync::{Arc, LazyLock};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

use crate::domain::entropy::Entropy;
use crate::domain::secrets::PlainSecret;

/// The shortest password we accept, characters.
pub const SHORTEST: usize = 12;
/// The longest, bytes: beyond it hashing is work that a stranger chooses the amount of.
pub const LONGEST: usize = 1024;

/// At work at once: half of the processors.
static AT_WORK: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(1, |count| (count.get() / 2).max(1))))
});
/// At work or waiting.
static ADMITTED: Semaphore = Semaphore::const_new(64);
/// What an unknown address is compared with, so that it takes as long as a known one.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_now(b"nobody has this password", &[7; 16]));

/// Too many passwords are being checked; come back in a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked at once")]
pub struct Busy;

fn hash_now(password: &[u8], salt: &[u8; 16]) -> String {
    let hash: PasswordHash = Argon2::default()
        .hash_password_with_salt(password, salt)
        .expect("argon2id takes any password and a salt of 16 bytes");
    hash.to_string()
}

/// The PHC string of a password.
pub async fn hash(password: PlainSecret, entropy: &dyn Entropy) -> Result<String, Busy> {
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    off_the_runtime(move || hash_now(password.reveal().as_bytes(), &salt)).await
}

/// Is it the password of this PHC string? Without one it never is, and takes as long.
pub async fn verify(password: PlainSecret, stored: Option<String>) -> Result<bool, Busy> {
    if password.reveal().len() > LONGEST {
        return Ok(false);
    }
    off_the_runtime(move || {
        let known = stored.is_some();
        let text = stored.unwrap_or_else(|| NOBODY.clone());
        let right = PasswordHash::new(&text)
            .is_ok_and(|hash| Argon2::default().verify_password(password.reveal().as_bytes(), &hash).is_ok());
        right && known
    })
    .await
}

async fn off_the_runtime<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
    let _admitted = ADMITTED.try_acquire().map_err(|_| Busy)?;
    let at_work = Arc::clone(&AT_WORK).acquire_owned().await.map_err(|_| Busy)?;
    tokio::task::spawn_blocking(move || {
        // held until the hash is done, even if nobody waits for it any more
        let _at_work = at_work;
        work()
    })
    .await
    .map_err(|_| Busy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entropy::SeededEntropy;

    #[tokio::test]
    async fn only_the_right_password_of_somebody_is_right() {
        let stored = hash(PlainSecret::from_text("correct horse battery"), &SeededEntropy::new(1)).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify(PlainSecret::from_text("correct horse battery"), Some(stored.clone())).await.unwrap());
        assert!(!verify(PlainSecret::from_text("correct horse batterx"), Some(stored)).await.unwrap());
        assert!(!verify(PlainSecret::from_text("nobody has this password"), None).await.unwrap());
        assert!(!verify(PlainSecret::from_text("x".repeat(LONGEST + 1)), None).await.unwrap());
    }
}
