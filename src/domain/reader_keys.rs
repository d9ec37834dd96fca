//! Keys with which this server proves itself to an organization's own FHIR server (SMART backend services, `private_key_jwt`).
//!
//! Each organization has keys of its own, apart from those that sign ID tokens: what one of them signs is worth nothing anywhere else. A key is published a day
//! before it signs, so that whoever caches the key set knows it in time, signs for 90 days, and stays published for another two days.

use super::clock::UtcMillis;
use super::ids::OrganizationId;

/// How long a key is published before it signs.
const PUBLISHED_BEFORE_DAYS: i64 = 1;
/// After how long another one is made.
const RENEWED_AFTER_DAYS: i64 = 90;
/// How long a key stays published after its successor began to sign.
const PUBLISHED_AFTER_DAYS: i64 = 2;

/// A key as it stands in the table.
#[derive(Clone, Debug)]
pub struct ReaderKey {
    /// `kid`.
    pub kid: String,
    /// Whose.
    pub organization_id: OrganizationId,
    /// The public JWK as JSON text, with `kid`, `use` and `alg`.
    pub public_jwk: String,
    /// PKCS #8, sealed.
    pub sealed_private: Vec<u8>,
    /// When it was made.
    pub created_at: UtcMillis,
}

/// What an organization's keys are good for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duties {
    /// Another one is due.
    pub is_due: bool,
    /// The `kid` of the one that signs; `None` where there is none at all.
    pub signs: Option<String>,
    /// Those that nobody needs to know any more.
    pub spent: Vec<String>,
}

/// Judges the keys of one organization, in any order.
pub fn duties(keys: &[ReaderKey], now: UtcMillis) -> Duties {
    let mut by_age: Vec<&ReaderKey> = keys.iter().collect();
    by_age.sort_by(|a, b| (a.created_at.0, &a.kid).cmp(&(b.created_at.0, &b.kid)));
    let is_due = by_age.last().is_none_or(|newest| now >= newest.created_at.plus_days(RENEWED_AFTER_DAYS));
    // the newest that was published long enough; the very first one signs at once, nobody can have cached a set without it
    let is_known = |key: &&&ReaderKey| now >= key.created_at.plus_days(PUBLISHED_BEFORE_DAYS);
    let signs = by_age.iter().rev().find(is_known).or(by_age.first()).copied();
    let spent = signs.map_or_else(Vec::new, |signer| {
        let since = signer.created_at.plus_days(PUBLISHED_BEFORE_DAYS + PUBLISHED_AFTER_DAYS);
        let is_older = |key: &&ReaderKey| key.kid != signer.kid && key.created_at.0 <= signer.created_at.0;
        by_age.iter().copied().filter(is_older).filter(|_| now >= since).map(|key| key.kid.clone()).collect()
    });
    Duties { is_due, signs: signs.map(|key| key.kid.clone()), spent }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kid: &str, day: i64) -> ReaderKey {
        ReaderKey {
            kid: kid.into(),
            organization_id: OrganizationId::from_text("org_1"),
            public_jwk: String::new(),
            sealed_private: Vec::new(),
            created_at: UtcMillis(0).plus_days(day),
        }
    }

    #[test]
    fn a_key_is_published_a_day_before_it_signs_and_two_days_after() {
        let on = |keys: &[ReaderKey], day: i64| duties(keys, UtcMillis(0).plus_days(day));
        assert_eq!(on(&[], 0), Duties { is_due: true, signs: None, spent: Vec::new() });
        let first = [key("a", 0)];
        assert_eq!(on(&first, 0), Duties { is_due: false, signs: Some("a".into()), spent: Vec::new() });
        assert!(!on(&first, 89).is_due && on(&first, 90).is_due);
        let both = [key("b", 90), key("a", 0)];
        assert_eq!(on(&both, 90), Duties { is_due: false, signs: Some("a".into()), spent: Vec::new() });
        assert_eq!(on(&both, 91), Duties { is_due: false, signs: Some("b".into()), spent: Vec::new() });
        assert_eq!(on(&both, 93), Duties { is_due: false, signs: Some("b".into()), spent: vec!["a".into()] });
    }
}
