//! `/account`: one's own name, language, password, tokens and sessions.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::error::Failure;
use super::extract::visitor::flash;
use super::extract::{CsrfForm, SignedIn, Visitor, cookies};
use super::pages::parts::{Choice, Field};
use super::pages::{self, Nav, Tone};
use super::pages::{SessionRow, TokenRow};
use super::present::{moment, moment_or_never};
use super::sign_in::{device, words_of};
use super::{AppState, PageError};
use crate::domain::secrets::PlainSecret;
use crate::governance::error::Fault;
use crate::governance::{Refusal, accounts};
use crate::storage;

/// `GET /account`.
pub async fn show(State(state): State<AppState>, visitor: Visitor, who: SignedIn) -> Result<Response, PageError> {
    let page = page_of(&state, &visitor, &who).await?;
    Ok(state.pages.render(&visitor.frame(Nav::Account), &page).into_response())
}

/// The fields of `POST /account/profile`.
#[derive(Deserialize)]
pub struct ProfileForm {
    name: String,
    lang: String,
}

/// `POST /account/profile`.
pub async fn profile(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    CsrfForm(form): CsrfForm<ProfileForm>,
) -> Result<Response, PageError> {
    match accounts::change_profile(&state.app, &who.account, &form.name, &form.lang).await {
        Ok(()) => {
            let mut response = saved(&state, &visitor, "account-saved");
            // a language chosen here is meant to hold: the switch at the foot of a page must not outvote it
            cookies::remove(&state.app, response.headers_mut(), cookies::LANGUAGE);
            Ok(response)
        }
        Err(Refusal::Invalid(faults)) => {
            let mut page = page_of(&state, &visitor, &who).await?;
            page.name = Field::wrong(form.name, fault_words(&state, &visitor, &faults, "name"));
            Ok(refused(&state, &visitor, &page))
        }
        Err(other) => Err(other.into()),
    }
}

/// The fields of `POST /account/password`.
#[derive(Deserialize)]
pub struct PasswordForm {
    current_password: String,
    new_password: String,
}

/// `POST /account/password`.
pub async fn password(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    headers: HeaderMap,
    CsrfForm(form): CsrfForm<PasswordForm>,
) -> Result<Response, PageError> {
    let current = PlainSecret::from_text(form.current_password);
    let new = PlainSecret::from_text(form.new_password);
    match accounts::change_password(&state.app, &who.account, current, new, device(&headers)).await {
        Ok(cookie) => {
            let mut response = saved(&state, &visitor, "password-changed");
            cookies::set(&state.app, response.headers_mut(), cookies::SESSION, cookie.reveal(), None);
            Ok(response)
        }
        Err(Refusal::Invalid(faults)) => {
            let mut page = page_of(&state, &visitor, &who).await?;
            page.current_password = Field::wrong("", fault_words(&state, &visitor, &faults, "current_password"));
            page.new_password = Field::wrong("", fault_words(&state, &visitor, &faults, "new_password"));
            Ok(refused(&state, &visitor, &page))
        }
        Err(other) => Err(other.into()),
    }
}

/// The fields of `POST /account/tokens`.
#[derive(Deserialize)]
pub struct TokenForm {
    token_name: String,
    token_days: i64,
}

/// `POST /account/tokens`: the answer shows the token, this once.
pub async fn make_token(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    CsrfForm(form): CsrfForm<TokenForm>,
) -> Result<Response, PageError> {
    match accounts::make_api_token(&state.app, &who.account, &form.token_name, Some(form.token_days)).await {
        Ok(token) => {
            let mut page = page_of(&state, &visitor, &who).await?;
            token.reveal().clone_into(&mut page.new_token);
            Ok(state.pages.render(&visitor.frame(Nav::Account), &page).into_response())
        }
        Err(Refusal::Invalid(faults)) => {
            let mut page = page_of(&state, &visitor, &who).await?;
            page.token_name = Field::wrong(form.token_name, fault_words(&state, &visitor, &faults, ""));
            Ok(refused(&state, &visitor, &page))
        }
        Err(other) => Err(other.into()),
    }
}

/// The field of `POST /account/tokens/revoke`.
#[derive(Deserialize)]
pub struct RevokeForm {
    token: i64,
}

/// `POST /account/tokens/revoke`.
pub async fn revoke_token(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    CsrfForm(form): CsrfForm<RevokeForm>,
) -> Result<Response, PageError> {
    accounts::revoke_api_token(&state.app, &who.account, form.token).await?;
    Ok(saved(&state, &visitor, "token-revoked"))
}

/// The field of `POST /account/sessions/end`.
#[derive(Deserialize)]
pub struct EndForm {
    session: String,
}

/// `POST /account/sessions/end`.
pub async fn end_session(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    CsrfForm(form): CsrfForm<EndForm>,
) -> Result<Response, PageError> {
    let which = match form.session.as_str() {
        "all" => None,
        id => Some(id.parse().map_err(|_| Failure::not_found())?),
    };
    accounts::end_sessions(&state.app, &who.account, &who.session, which).await?;
    Ok(saved(&state, &visitor, "sessions-ended"))
}

fn saved(state: &AppState, visitor: &Visitor, key: &str) -> Response {
    (flash_answer(state, visitor, key), Redirect::to("/account")).into_response()
}

fn flash_answer(state: &AppState, visitor: &Visitor, key: &str) -> axum::Extension<super::extract::visitor::FlashNext> {
    flash(Tone::Done, words_of(state, visitor, key))
}

fn refused(state: &AppState, visitor: &Visitor, page: &pages::Account) -> Response {
    state.pages.render(&visitor.frame(Nav::Account), page).with_status(StatusCode::BAD_REQUEST).into_response()
}

/// What is wrong with a field, in the reader's language; `""` for nothing. An empty `field` takes every fault.
fn fault_words(state: &AppState, visitor: &Visitor, faults: &[Fault], field: &str) -> String {
    let own = faults.iter().filter(|fault| field.is_empty() || fault.field == field);
    let words = own.map(|fault| super::present::fault_words(&state.pages, visitor.lang, fault));
    words.collect::<Vec<_>>().join(" ")
}

async fn page_of(state: &AppState, visitor: &Visitor, who: &SignedIn) -> Result<pages::Account, PageError> {
    let now = state.app.now();
    let mut conn = state.app.store.read().await?;
    let tokens = storage::api_tokens::list(&mut conn, &who.account.id).await?;
    let sessions = storage::sessions::list(&mut conn, &who.account.id, now).await?;
    drop(conn);
    let limits = &state.app.config.limits;
    let language = |tag: &str, name: &str| {
        if who.account.lang == tag { Choice::current(tag, name) } else { Choice::new(tag, name) }
    };
    let days = |count: i64| {
        let text = state
            .pages
            .text(visitor.lang, "token-days-count", &[("days", pages::Arg::Count(count))])
            .unwrap_or_else(|_| count.to_string());
        if count == 90 { Choice::current(&count.to_string(), &text) } else { Choice::new(&count.to_string(), &text) }
    };
    Ok(pages::Account {
        name: Field::of(who.account.name.as_str()),
        email: who.account.email.clone(),
        languages: vec![language("en", "English"), language("nl", "Nederlands")],
        token_days: vec![days(30), days(90), days(365)],
        tokens: tokens
            .iter()
            .filter(|token| token.is_live(now))
            .map(|token| TokenRow {
                id: token.id.to_string(),
                name: token.name.clone(),
                made: moment(token.created_at, visitor.lang),
                last_used: moment_or_never(token.last_used_at, visitor.lang),
                ends: moment_or_never(token.expires_at, visitor.lang),
            })
            .collect(),
        sessions: sessions
            .iter()
            .filter(|session| session.is_live(who.account.session_epoch, limits.session_idle_minutes, now))
            .map(|session| SessionRow {
                id: session.id.to_string(),
                device: if session.device.is_empty() {
                    words_of(state, visitor, "session-unknown-device")
                } else {
                    session.device.clone()
                },
                since: moment(session.created_at, visitor.lang),
                seen: moment(session.last_seen_at, visitor.lang),
                current: session.id == who.session.id,
            })
            .collect(),
        ..pages::Account::default()
    })
}
