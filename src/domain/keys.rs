//! Signing keys of this installation: `next -> active -> retiring -> gone`.
//!
//! A key is published before it signs (`next`), signs (`active`), and stays published until everything it signed has expired (`retiring`), so that nobody
//! who caches our key set ever meets a signature they cannot verify (SMART-ID-10).
//!
//! Rotation goes by time. The operator may ask for it earlier (`countersign keys rotate`): a key made long before the active one is due can only have been asked for,
//! and signs as soon as everybody can know it.

use super::clock::UtcMillis;

/// How long a key is published before it may sign: longer than anybody may cache our key set.
pub const PUBLISHED_BEFORE_USE_SECONDS: i64 = 2 * 3600;
/// How long a key signs.
pub const SIGNS_DAYS: i64 = 90;
/// How long a key stays published after its last signature: longer than the longest life of what we sign.
pub const RETIRING_DAYS: i64 = 2;
/// How long others may cache our key set.
pub const KEY_SET_MAX_AGE_SECONDS: i64 = 900;

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Published, does not sign yet.
    Next,
    /// Signs.
    Active,
    /// Published, signs no more.
    Retiring,
}

impl KeyState {
    /// The word of the column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retiring => "retiring",
        }
    }

    /// Reads the column.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "next" => Some(Self::Next),
            "active" => Some(Self::Active),
            "retiring" => Some(Self::Retiring),
            _ => None,
        }
    }
}

/// A signing key as it stands in the table. The private part is sealed.
#[derive(Clone, Debug)]
pub struct SigningKey {
    /// `kid`.
    pub kid: String,
    /// `RS256`.
    pub alg: String,
    /// Where it stands.
    pub state: KeyState,
    /// The public JWK as JSON text, with `kid`, `use` and `alg`; never a private member.
    pub public_jwk: String,
    /// PKCS #8, sealed for `signing-key|{kid}`.
    pub sealed_private: Vec<u8>,
    /// When it was made.
    pub created_at: UtcMillis,
    /// Since when it signs.
    pub activated_at: Option<UtcMillis>,
    /// Since when it signs no more.
    pub retired_at: Option<UtcMillis>,
}

/// A private key, opened and ready to sign; shared, because opening one takes time.
pub type OpenedKey = std::sync::Arc<jsonwebtoken::EncodingKey>;

/// What rotation has to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// Nothing.
    Rest,
    /// Make a key that signs at once: there is none.
    MakeActive,
    /// Make a key to be published: the active one is due soon.
    MakeNext,
    /// Let this key sign instead of the active one.
    Promote(String),
    /// Forget this key: nothing it signed can still be alive.
    Forget(String),
}

/// The one next step, given every key of an algorithm. Call it until it rests.
pub fn next_step(keys: &[SigningKey], now: UtcMillis) -> Rotation {
    let Some(active) = keys.iter().find(|key| key.state == KeyState::Active) else { return Rotation::MakeActive };
    let spent = keys.iter().find(|key| {
        key.state == KeyState::Retiring && key.retired_at.is_none_or(|at| now >= at.plus_days(RETIRING_DAYS))
    });
    if let Some(spent) = spent {
        return Rotation::Forget(spent.kid.clone());
    }
    let due = active.activated_at.unwrap_or(active.created_at).plus_days(SIGNS_DAYS);
    match keys.iter().find(|key| key.state == KeyState::Next) {
        Some(next) if now >= signs_from(next, due) => Rotation::Promote(next.kid.clone()),
        // a day ahead, so that the new key is known everywhere when the old one is due
        None if now >= due.plus_days(-1) => Rotation::MakeNext,
        Some(_) | None => Rotation::Rest,
    }
}

/// From when a published key signs, if the active one is due at `due`.
fn signs_from(next: &SigningKey, due: UtcMillis) -> UtcMillis {
    let known_everywhere = next.created_at.plus_seconds(PUBLISHED_BEFORE_USE_SECONDS);
    let was_asked_for = next.created_at < due.plus_days(-1);
    if was_asked_for { known_everywhere } else { known_everywhere.max(due) }
}

/// When the next key will sign, if there is one.
pub fn next_signs_from(keys: &[SigningKey]) -> Option<UtcMillis> {
    let active = keys.iter().find(|key| key.state == KeyState::Active)?;
    let next = keys.iter().find(|key| key.state == KeyState::Next)?;
    Some(signs_from(next, active.activated_at.unwrap_or(active.created_at).plus_days(SIGNS_DAYS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kid: &str, state: KeyState, at: UtcMillis) -> SigningKey {
        SigningKey {
            kid: kid.into(),
            alg: "RS256".into(),
            state,
            public_jwk: String::new(),
            sealed_private: Vec::new(),
            created_at: at,
            activated_at: (state != KeyState::Next).then_some(at),
            retired_at: (state == KeyState::Retiring).then_some(at),
        }
    }

    #[test]
    fn a_key_is_published_before_it_signs_and_after() {
        let start = UtcMillis(0);
        assert_eq!(next_step(&[], start), Rotation::MakeActive);
        let active = key("a", KeyState::Active, start);
        assert_eq!(next_step(std::slice::from_ref(&active), start.plus_days(88)), Rotation::Rest);
        assert_eq!(next_step(std::slice::from_ref(&active), start.plus_days(89)), Rotation::MakeNext);
        let next = key("b", KeyState::Next, start.plus_days(90));
        let both = [active.clone(), next];
        assert_eq!(next_step(&both, start.plus_days(90)), Rotation::Rest);
        assert_eq!(next_step(&both, start.plus_days(91)), Rotation::Promote("b".into()));
        // asked for by the operator: two hours, whenever the other is due
        let asked = [active, key("c", KeyState::Next, start.plus_days(10))];
        assert_eq!(next_step(&asked, start.plus_days(10).plus_seconds(7199)), Rotation::Rest);
        assert_eq!(next_step(&asked, start.plus_days(10).plus_seconds(7200)), Rotation::Promote("c".into()));
        assert_eq!(next_signs_from(&asked), Some(start.plus_days(10).plus_seconds(7200)));
        assert_eq!(next_signs_from(&both), Some(start.plus_days(90).plus_seconds(7200)));
        let after =
            [key("a", KeyState::Retiring, start.plus_days(91)), key("b", KeyState::Active, start.plus_days(91))];
        assert_eq!(next_step(&after, start.plus_days(92)), Rotation::Rest);
        assert_eq!(next_step(&after, start.plus_days(93)), Rotation::Forget("a".into()));
    }
}
