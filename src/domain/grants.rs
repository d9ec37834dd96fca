//! Grants: one user's (or, for a backend service, the client's own) permission under an approval. Parent of codes and tokens.
//!
//! A grant carries the approval's epoch it was made under. Its tokens are the **family**: revoking the grant ends all of them at once, without touching
//! their rows. The refresh tokens of a family form a chain; the rule for presenting a spent one ([`RefreshToken::standing`]) is decision D3:
//!
//! > Only the immediate predecessor, at most 60 seconds after it was spent, while neither its successor nor the successor's access token was used, may be
//! > presented again (the answer got lost on its way). The pair that was lost is replaced. Everything else is reuse, and ends the family.
//!
//! A refresh token that was replaced is never good again. Presented within the same minute, while the pair that replaced it lies unused, it is refused and no
//! more: two tabs asked at once, or an answer came late. Presented later, or after that pair was used, it shows that two have the family's tokens, and ends it.

use fhir_scopes::ScopeSet;

use super::clock::UtcMillis;
use super::ids::{AccountId, ClientId, FhirEndpointId, OrganizationId};
use super::launch_context::LaunchContext;
use super::secrets::HashedSecret;

/// How long a spent refresh token may be presented again.
pub const RETRY_SECONDS: i64 = 60;

/// A grant.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Row id.
    pub id: i64,
    /// At which organization.
    pub organization_id: OrganizationId,
    /// To which client.
    pub client_id: ClientId,
    /// By whom; `None` for a backend service.
    pub account_id: Option<AccountId>,
    /// For which FHIR endpoint: the audience of its tokens.
    pub fhir_endpoint_id: FhirEndpointId,
    /// The session it was given in (as that session began), for `online_access` and back-channel logout.
    pub session_id: Option<i64>,
    /// The approval's epoch when it was made.
    pub epoch: i64,
    /// Granted scopes, in the order and spelling asked.
    pub scopes: String,
    /// What the app is told besides.
    pub context: LaunchContext,
    /// As whom they granted: the FHIR resource that represented them then. The grant holds while it still does (R12).
    pub made_as: Option<String>,
    /// The patient, where it was one of the person's own: themselves or somebody they act for. The grant holds while they do (R12).
    pub related_patient: Option<String>,
    /// The organization consented for its clinicians. The grant holds while it does.
    pub standing_consent: bool,
    /// When the user signed in.
    pub auth_time: Option<UtcMillis>,
    /// `nonce` of the authorization request.
    pub nonce: Option<String>,
    /// When it was made.
    pub created_at: UtcMillis,
    /// When a token was last issued under it.
    pub last_used_at: Option<UtcMillis>,
    /// When it ends by itself.
    pub expires_at: Option<UtcMillis>,
    /// When it was revoked.
    pub revoked_at: Option<UtcMillis>,
}

impl Grant {
    /// Revoked, or ended by itself.
    pub fn is_over(&self, now: UtcMillis) -> bool {
        self.revoked_at.is_some() || self.expires_at.is_some_and(|end| now >= end)
    }
}

/// Does what was granted last as long as the session it was granted in (SMART-AL-33)? Asked for both, background access is the greater.
pub fn lives_with_session(scopes: &ScopeSet) -> bool {
    scopes.has_online_access() && !scopes.has_offline_access()
}

/// An authorization code as it stands in the table.
#[derive(Clone, Debug)]
pub struct Code {
    /// Row id.
    pub id: i64,
    /// Of its secret.
    pub secret_hash: HashedSecret,
    /// Of which grant.
    pub grant_id: i64,
    /// The redirect URI it was sent to, byte for byte.
    pub redirect_uri: String,
    /// S256 challenge (RFC 7636).
    pub code_challenge: String,
    /// When it stops by itself.
    pub expires_at: UtcMillis,
    /// When it was redeemed, or spoilt by a wrong verifier.
    pub redeemed_at: Option<UtcMillis>,
}

/// An access token as it stands in the table.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// Row id.
    pub id: i64,
    /// Of its secret.
    pub secret_hash: HashedSecret,
    /// Of which grant.
    pub grant_id: i64,
    /// The organization whose issuer made it.
    pub organization_id: OrganizationId,
    /// The client it was given to.
    pub client_id: ClientId,
    /// The approval's epoch when it was made.
    pub epoch: i64,
    /// Its scopes: those of the grant, or fewer.
    pub scopes: String,
    /// When it was made.
    pub issued_at: UtcMillis,
    /// When it stops.
    pub expires_at: UtcMillis,
    /// When somebody first asked about it.
    pub first_used_at: Option<UtcMillis>,
    /// When it was revoked by itself.
    pub revoked_at: Option<UtcMillis>,
}

impl AccessToken {
    /// Neither revoked nor at its end. There is no grace: at `expires_at` it is over (I07).
    pub fn is_live(&self, now: UtcMillis) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

/// A refresh token as it stands in the table.
#[derive(Clone, Debug)]
pub struct RefreshToken {
    /// Row id.
    pub id: i64,
    /// Of its secret.
    pub secret_hash: HashedSecret,
    /// Of which grant.
    pub grant_id: i64,
    /// The organization whose issuer made it.
    pub organization_id: OrganizationId,
    /// The client it was given to.
    pub client_id: ClientId,
    /// The approval's epoch when it was made.
    pub epoch: i64,
    /// When it was made: the moment its predecessor was spent.
    pub issued_at: UtcMillis,
    /// When it stops unless used.
    pub expires_at: UtcMillis,
    /// When it was exchanged for its successor.
    pub spent_at: Option<UtcMillis>,
    /// The refresh token that came after it.
    pub successor_id: Option<i64>,
    /// The access token that came with the successor.
    pub successor_access_id: Option<i64>,
    /// When it was revoked by itself.
    pub revoked_at: Option<UtcMillis>,
    /// The secret that was presented is one that was replaced.
    pub is_replaced: bool,
}

/// What came after a spent refresh token, or instead of a replaced one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Successors {
    /// The next refresh token was spent or revoked.
    pub refresh_used: bool,
    /// The access token that came with it was used or revoked.
    pub access_used: bool,
}

/// What presenting a refresh token amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshStanding {
    /// It is the leaf of its chain.
    Leaf,
    /// The answer that carried its successor got lost: replace that pair.
    Retry,
    /// It was replaced, and nothing shows yet that two have the family's tokens: refuse, and nothing else.
    Replaced,
    /// Somebody has a token they should not have: end the family.
    Reuse,
    /// It ran out or was revoked: refuse, and nothing else.
    Dead,
}

impl RefreshToken {
    /// Judges a presented refresh token whose secret is right.
    pub fn standing(&self, successors: Option<Successors>, now: UtcMillis) -> RefreshStanding {
        if self.revoked_at.is_some() {
            return RefreshStanding::Dead;
        }
        if self.is_replaced {
            let in_time = now <= self.issued_at.plus_seconds(RETRY_SECONDS);
            return match successors {
                Some(Successors { refresh_used: false, access_used: false }) if in_time => RefreshStanding::Replaced,
                Some(_) | None => RefreshStanding::Reuse,
            };
        }
        let Some(spent_at) = self.spent_at else {
            return if now < self.expires_at { RefreshStanding::Leaf } else { RefreshStanding::Dead };
        };
        let in_time = now <= spent_at.plus_seconds(RETRY_SECONDS);
        match successors {
            Some(Successors { refresh_used: false, access_used: false }) if in_time => RefreshStanding::Retry,
            Some(_) | None => RefreshStanding::Reuse,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secrets::PlainSecret;

    fn token() -> RefreshToken {
        RefreshToken {
            id: 1,
            secret_hash: PlainSecret::from_text("x").hashed(),
            grant_id: 1,
            organization_id: OrganizationId::from_text("org_1"),
            client_id: ClientId::from_text("app_1"),
            epoch: 1,
            issued_at: UtcMillis(5_000),
            expires_at: UtcMillis(1_000_000),
            spent_at: None,
            successor_id: None,
            successor_access_id: None,
            revoked_at: None,
            is_replaced: false,
        }
    }

    #[test]
    fn a_spent_refresh_token_may_come_again_only_soon_and_while_nothing_after_it_was_used() {
        let spent = RefreshToken { spent_at: Some(UtcMillis(10_000)), successor_id: Some(2), ..token() };
        let unused = Some(Successors { refresh_used: false, access_used: false });
        assert_eq!(spent.standing(unused, UtcMillis(70_000)), RefreshStanding::Retry);
        assert_eq!(spent.standing(unused, UtcMillis(70_001)), RefreshStanding::Reuse);
        assert_eq!(spent.standing(None, UtcMillis(11_000)), RefreshStanding::Reuse);
        for used in [
            Successors { refresh_used: true, access_used: false },
            Successors { refresh_used: false, access_used: true },
        ] {
            assert_eq!(spent.standing(Some(used), UtcMillis(11_000)), RefreshStanding::Reuse);
        }
    }

    #[test]
    fn a_replaced_refresh_token_is_never_good_and_ends_the_family_once_two_have_it() {
        let replaced = RefreshToken { is_replaced: true, ..token() };
        let unused = Some(Successors { refresh_used: false, access_used: false });
        assert_eq!(replaced.standing(unused, UtcMillis(65_000)), RefreshStanding::Replaced);
        assert_eq!(replaced.standing(unused, UtcMillis(65_001)), RefreshStanding::Reuse);
        assert_eq!(replaced.standing(None, UtcMillis(6_000)), RefreshStanding::Reuse);
        for used in [
            Successors { refresh_used: true, access_used: false },
            Successors { refresh_used: false, access_used: true },
        ] {
            assert_eq!(replaced.standing(Some(used), UtcMillis(6_000)), RefreshStanding::Reuse);
        }
        let revoked = RefreshToken { revoked_at: Some(UtcMillis(5_500)), ..replaced };
        assert_eq!(revoked.standing(unused, UtcMillis(6_000)), RefreshStanding::Dead);
    }

    #[test]
    fn a_revoked_or_expired_refresh_token_is_dead_also_inside_the_window() {
        let revoked =
            RefreshToken { spent_at: Some(UtcMillis(10_000)), revoked_at: Some(UtcMillis(10_500)), ..token() };
        assert_eq!(
            revoked.standing(Some(Successors { refresh_used: false, access_used: false }), UtcMillis(11_000)),
            RefreshStanding::Dead
        );
        assert_eq!(token().standing(None, UtcMillis(999_999)), RefreshStanding::Leaf);
        assert_eq!(token().standing(None, UtcMillis(1_000_000)), RefreshStanding::Dead);
    }
}
