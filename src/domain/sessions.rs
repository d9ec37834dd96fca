//! Browser sessions: made at sign-in, dead after disuse, after a fixed life, at sign-out, and when the account's epoch moves on.

use super::clock::UtcMillis;
use super::ids::AccountId;

/// A browser session.
#[derive(Clone, Debug)]
pub struct Session {
    /// Row id; grants refer to it.
    pub id: i64,
    /// Whose.
    pub account_id: AccountId,
    /// The session that this one continues: the same person proved again who they are. `None`: it began itself.
    pub continues: Option<i64>,
    /// The account's `session_epoch` when it was made; under any other it is dead.
    pub session_epoch: i64,
    /// The anti-forgery token of every form shown in it.
    pub csrf: String,
    /// When the person last proved who they are (OpenID Connect `auth_time`).
    pub auth_time: UtcMillis,
    /// In which browser, as far as it says: "Firefox, Windows".
    pub device: String,
    /// When it was made.
    pub created_at: UtcMillis,
    /// When it was last used, to the minute.
    pub last_seen_at: UtcMillis,
    /// When it ends however much it is used.
    pub expires_at: UtcMillis,
    /// When it was ended.
    pub ended_at: Option<UtcMillis>,
}

impl Session {
    /// The session this one began as, which `sid` and grants refer to: it stays the same when somebody signs in again.
    pub fn began_as(&self) -> i64 {
        self.continues.unwrap_or(self.id)
    }

    /// Is it still good, for an account of this epoch, when it may lie unused for so many minutes?
    pub fn is_live(&self, session_epoch: i64, idle_minutes: i64, now: UtcMillis) -> bool {
        self.ended_at.is_none()
            && self.session_epoch == session_epoch
            && now < self.expires_at
            && now < self.last_seen_at.plus_seconds(idle_minutes.saturating_mul(60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_dies_by_disuse_age_epoch_and_sign_out() {
        let start = UtcMillis(1_000_000);
        let session = Session {
            id: 1,
            account_id: AccountId::from_text("acc_1"),
            continues: None,
            session_epoch: 2,
            csrf: String::new(),
            auth_time: start,
            device: String::new(),
            created_at: start,
            last_seen_at: start,
            expires_at: start.plus_seconds(3600),
            ended_at: None,
        };
        assert!(session.is_live(2, 30, start.plus_seconds(1799)));
        assert!(!session.is_live(2, 30, start.plus_seconds(1800)), "disuse");
        assert!(!session.is_live(3, 30, start), "epoch");
        assert!(!Session { ended_at: Some(start), ..session.clone() }.is_live(2, 30, start), "sign-out");
        let used = Session { last_seen_at: start.plus_seconds(3599), ..session };
        assert!(used.is_live(2, 30, start.plus_seconds(3599)));
        assert!(!used.is_live(2, 30, start.plus_seconds(3600)), "age");
    }
}
