//! One's own account: name, language, password, sessions, personal API tokens. And accounts made by the operator (`apply`).

use super::Refusal;
use super::error::Fault;
use super::passwords::{self, LONGEST, SHORTEST};
use super::sign_in::{Opening, open_session};
use crate::app::App;
use crate::domain::accounts::Account;
use crate::domain::audit::{Actor, AuditEvent, Chain};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::AccountId;
use crate::domain::secrets::PlainSecret;
use crate::domain::sessions::Session;
use crate::domain::tokens::{Sealer, TokenKind};
use crate::storage::api_tokens::ApiToken;
use crate::storage::{self, Conn};

/// How many live tokens somebody may have.
const TOKENS: usize = 50;

/// Changes one's name and language.
pub async fn change_profile(app: &App, account: &Account, name: &str, lang: &str) -> Result<(), Refusal> {
    let name = checked_name("name", name)?;
    if !matches!(lang, "en" | "nl") {
        return Err(Refusal::invalid("lang", "unknown", "This language is not known."));
    }
    let (id, lang, now) = (account.id.clone(), lang.to_owned(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                let account = present(conn, &id).await?;
                storage::accounts::update(conn, &Account { name, lang, ..account }).await?;
                storage::audit::append(conn, &event(&id, now, "account.changed")).await?;
                Ok(())
            })
        })
        .await
}

/// Changes one's password, ends every session and personal API token of the account, and opens a new session in this browser: its cookie's value.
pub async fn change_password(
    app: &App,
    account: &Account,
    current: PlainSecret,
    new: PlainSecret,
    device: String,
) -> Result<PlainSecret, Refusal> {
    let faults = password_faults("new_password", &new, account);
    if !faults.is_empty() {
        return Err(Refusal::Invalid(faults));
    }
    let busy = |_| Refusal::conflict("passwords-busy", "too many people change passwords at this moment; try again");
    let now = app.now();
    // the same counter as for signing in: a stolen session is no place to try passwords
    let subject = account.email.clone();
    let attempts = app
        .store
        .write(move |conn| {
            Box::pin(async move { storage::throttles::count(conn, "sign-in", &subject, now, 900).await })
        })
        .await?;
    if attempts > 10 {
        return Err(Refusal::conflict(
            "passwords-throttled",
            "too many wrong passwords; try again in a quarter of an hour",
        ));
    }
    if !passwords::verify(current, account.password_hash.clone()).await.map_err(busy)? {
        return Err(Refusal::invalid("current_password", "wrong-password", "This is not your password."));
    }
    let hash = passwords::hash(new, app.entropy.as_ref()).await.map_err(busy)?;
    let opening = Opening::new(app, device);
    let (id, email) = (account.id.clone(), account.email.clone());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                let account = present(conn, &id).await?;
                let account =
                    Account { password_hash: Some(hash), session_epoch: account.session_epoch + 1, ..account };
                storage::accounts::update(conn, &account).await?;
                storage::throttles::clear(conn, "sign-in", &email).await?;
                let (cookie, session) = open_session(conn, &account, &opening).await?;
                // a new password is for when somebody else may have had the old one: nothing that was begun with it goes on
                storage::session_ends::end_all(conn, &id, Some(session.id), &Actor::User(id.clone()), now).await?;
                let tokens = storage::api_tokens::revoke_all(conn, &id, now).await?;
                let changed =
                    event(&id, now, "account.password_changed").with("api_tokens_revoked", tokens.to_string());
                storage::audit::append(conn, &changed).await?;
                Ok(cookie)
            })
        })
        .await
}

/// Makes a personal API token and returns it; it cannot be shown again.
pub async fn make_api_token(
    app: &App,
    account: &Account,
    name: &str,
    days: Option<i64>,
) -> Result<PlainSecret, Refusal> {
    let name = checked_name("token_name", name)?;
    if days.is_some_and(|days| !(1..=366).contains(&days)) {
        return Err(Refusal::invalid("token_days", "out-of-range", "A token lives between 1 and 366 days."));
    }
    let now = app.now();
    let secret = Sealer::secret(app.entropy.as_ref());
    let sealer = app.sealer.clone();
    let id = account.id.clone();
    app.store
        .write(move |conn| {
            Box::pin(async move {
                let live =
                    storage::api_tokens::list(conn, &id).await?.iter().filter(|token| token.is_live(now)).count();
                if live >= TOKENS {
                    return Err(Refusal::conflict(
                        "tokens-full",
                        format!("there are {TOKENS} live tokens already; revoke one first"),
                    ));
                }
                let token = ApiToken {
                    id: 0,
                    account_id: id.clone(),
                    name: name.clone(),
                    created_at: now,
                    expires_at: days.map(|days| now.plus_days(days)),
                    last_used_at: None,
                    revoked_at: None,
                };
                let row = storage::api_tokens::insert(conn, &token, &secret.hashed()).await?;
                storage::audit::append(
                    conn,
                    &event(&id, now, "api_token.made").with("token", row.to_string()).with("name", name),
                )
                .await?;
                Ok(sealer.seal(TokenKind::Api, row, &secret))
            })
        })
        .await
}

/// Revokes one of one's own tokens.
pub async fn revoke_api_token(app: &App, account: &Account, token: i64) -> Result<(), Refusal> {
    let (id, now) = (account.id.clone(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                if !storage::api_tokens::revoke(conn, &id, token, now).await? {
                    return Err(Refusal::NotFound);
                }
                storage::audit::append(conn, &event(&id, now, "api_token.revoked").with("token", token.to_string()))
                    .await?;
                Ok(())
            })
        })
        .await
}

/// Ends one of one's own sessions, or with `None` every one but this.
pub async fn end_sessions(app: &App, account: &Account, here: &Session, which: Option<i64>) -> Result<(), Refusal> {
    let (id, keep, now) = (account.id.clone(), here.id, app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                let by = Actor::User(id.clone());
                match which {
                    Some(one) => {
                        let session = storage::sessions::find_open(conn, &id, one, now).await?;
                        let session = session.ok_or(Refusal::NotFound)?;
                        storage::session_ends::end(conn, &session, &by, now).await?;
                    }
                    None => {
                        storage::session_ends::end_all(conn, &id, Some(keep), &by, now).await?;
                    }
                }
                storage::audit::append(conn, &event(&id, now, "account.sessions_ended")).await?;
                Ok(())
            })
        })
        .await
}

async fn present(conn: &mut Conn, id: &AccountId) -> Result<Account, Refusal> {
    storage::accounts::lookup(conn, id).await?.ok_or(Refusal::NotFound)
}

fn event(id: &AccountId, now: UtcMillis, what: &'static str) -> AuditEvent {
    AuditEvent::new(Chain::Server, now, what, Actor::User(id.clone())).subject(id.as_str())
}

fn checked_name(field: &'static str, name: &str) -> Result<String, Refusal> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Refusal::invalid(field, "missing", "A name is needed."));
    }
    if name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(Refusal::invalid(field, "too-long", "A name has at most 100 characters, on one line."));
    }
    Ok(name.to_owned())
}

/// What is wrong with a new password.
pub(super) fn password_faults(field: &'static str, password: &PlainSecret, account: &Account) -> Vec<Fault> {
    let text = password.reveal();
    if text.chars().count() < SHORTEST {
        return vec![Fault::new(field, "password-short", format!("A password has at least {SHORTEST} characters."))];
    }
    if text.len() > LONGEST {
        return vec![Fault::new(field, "password-long", format!("A password has at most {LONGEST} bytes."))];
    }
    if text.to_lowercase().contains(&account.email) || text.chars().all(|c| text.starts_with(c)) {
        return vec![Fault::new(field, "password-guessable", "This password is easy to guess.")];
    }
    Vec::new()
}
