//! Initial access tokens (RFC 7591 3): with one of them one client may register itself at an organization's issuer.
//!
//! An admin makes it, with a note on what it is for, and it is shown once. It lasts a week, can be taken back until it is used, and gives no access to anything:
//! the client that registers with it waits for the organization's answer like any other.

use super::Refusal;
use super::actor::Staff;
use super::client_management::Person;
use super::error::Fault;
use super::words;
use crate::app::App;
use crate::domain::accounts::StaffRole;
use crate::domain::audit::AuditEvent;
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{AccountId, ClientId};
use crate::domain::secrets::PlainSecret;
use crate::domain::tokens::{Sealer, TokenKind};
use crate::storage;

/// How long an initial access token may be used.
pub const DAYS: i64 = 7;
/// How many tokens the list shows, and how many may be usable at once.
const MOST: i64 = 200;
/// The longest note, in characters.
const NOTE: usize = 200;

/// A token as its page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its id, to take it back by.
    pub id: i64,
    /// What it is for.
    pub note: String,
    /// Who made it.
    pub by: Person,
    /// When.
    pub made_at: UtcMillis,
    /// Where it stands.
    pub standing: TokenStanding,
}

/// Where a token stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenStanding {
    /// It can be used.
    Usable {
        /// Until then.
        until: UtcMillis,
    },
    /// A client registered with it.
    Used {
        /// When.
        at: UtcMillis,
        /// Which, with the name it has now; `None` for one of the time before this was written down.
        client: Option<(ClientId, String)>,
    },
    /// Staff took it back.
    Revoked {
        /// When.
        at: UtcMillis,
    },
    /// It was never used.
    Expired {
        /// When.
        at: UtcMillis,
    },
}

/// Makes a token. The answer is the only time it can be seen.
pub async fn make(app: &App, staff: &Staff, note: &str) -> Result<PlainSecret, Refusal> {
    staff.must_be(StaffRole::Admin)?;
    let mut faults = Vec::new();
    let note = words::one_line("note", note, NOTE, &mut faults);
    if !faults.is_empty() {
        return Err(Refusal::Invalid(faults));
    }
    let (secret, now, staff) = (Sealer::secret(&*app.entropy), app.now(), staff.clone());
    let hash = secret.hashed();
    let id = app
        .store
        .write::<_, Refusal, _>(move |conn| {
            Box::pin(async move {
                let organization = &staff.organization.id;
                let known = storage::registrations::list_initial(conn, organization, MOST).await?;
                let usable = known
                    .iter()
                    .filter(|token| token.used_at.is_none() && token.revoked_at.is_none() && now < token.expires_at);
                if i64::try_from(usable.count()).unwrap_or(MOST) >= MOST {
                    let fault = Fault::new("note", "too-many-tokens", "revoke a token that is not needed first");
                    return Err(Refusal::Invalid(vec![fault]));
                }
                let times = (now, now.plus_days(DAYS));
                let by = staff.account.id.as_str();
                let id = storage::registrations::insert_initial(conn, organization, &hash, (&note, by), times).await?;
                let event = AuditEvent::new(organization, now, "initial_access_token.made", staff.audit())
                    .subject(format!("initial/{id}"))
                    .with("note", note);
                storage::audit::append(conn, &event).await?;
                Ok(id)
            })
        })
        .await?;
    Ok(app.sealer.seal(TokenKind::Link, id, &secret))
}

/// Takes a token back; one that was used is not there to take back.
pub async fn revoke(app: &App, staff: &Staff, id: i64) -> Result<(), Refusal> {
    staff.must_be(StaffRole::Admin)?;
    let (staff, now) = (staff.clone(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                if !storage::registrations::revoke_initial(conn, &staff.organization.id, id, now).await? {
                    return Err(Refusal::NotFound);
                }
                let event = AuditEvent::new(&staff.organization.id, now, "initial_access_token.revoked", staff.audit())
                    .subject(format!("initial/{id}"));
                Ok(storage::audit::append(conn, &event).await?)
            })
        })
        .await
}

/// The newest tokens of an organization.
pub async fn list(app: &App, staff: &Staff) -> Result<Vec<Shown>, Refusal> {
    let now = app.now();
    let mut conn = app.store.read().await?;
    let mut shown = Vec::new();
    for token in storage::registrations::list_initial(&mut conn, &staff.organization.id, MOST).await? {
        let id = AccountId::from_text(token.created_by.as_str());
        let name = storage::accounts::lookup(&mut conn, &id).await?.map_or(token.created_by, |account| account.name);
        let standing = match (token.used_at, token.revoked_at) {
            (Some(at), _) => {
                let client = match token.client_id {
                    Some(id) => storage::clients::lookup(&mut conn, &id).await?.map(|client| (id, client.name)),
                    None => None,
                };
                TokenStanding::Used { at, client }
            }
            (None, Some(at)) => TokenStanding::Revoked { at },
            (None, None) if now < token.expires_at => TokenStanding::Usable { until: token.expires_at },
            (None, None) => TokenStanding::Expired { at: token.expires_at },
        };
        shown.push(Shown {
            id: token.id,
            note: token.note,
            by: Person { id, name },
            made_at: token.created_at,
            standing,
        });
    }
    Ok(shown)
}
