//! Apps that register themselves: what this organization lets them do, and the initial access tokens with which they may.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::desk::{Desk, done, faults_of};
use crate::domain::organizations::RegistrationPolicy;
use crate::governance::initial_access_tokens::{self as tokens, TokenStanding};
use crate::http::PageError;
use crate::http::error::Failure;
use crate::http::extract::CsrfForm;
use crate::http::pages::Html;
use crate::http::pages::console::{InitialTokenRow, Registration};
use crate::http::pages::frame::ConsoleSection;
use crate::http::pages::parts::Field;

/// `GET /console/{org}/registration`.
pub async fn show(desk: Desk) -> Result<Html, PageError> {
    let page = page_of(&desk).await?;
    desk.render(ConsoleSection::Settings, &page).await
}

async fn page_of(desk: &Desk) -> Result<Registration, PageError> {
    let say = desk.say();
    let organization = &desk.staff.organization;
    let policy = match organization.settings.registration {
        RegistrationPolicy::Closed => "registration-policy-closed",
        RegistrationPolicy::Token => "registration-policy-token",
        RegistrationPolicy::Open => "registration-policy-open",
    };
    let mut rows = Vec::new();
    for token in tokens::list(&desk.state.app, &desk.staff).await? {
        let (standing, at, client) = match token.standing {
            TokenStanding::Usable { until } => ("registration-usable", until, None),
            TokenStanding::Used { at, client } => ("registration-used", at, client),
            TokenStanding::Revoked { at } => ("registration-revoked", at, None),
            TokenStanding::Expired { at } => ("registration-expired", at, None),
        };
        let client_href = client.as_ref().map(|(id, _)| desk.path(&format!("clients/{id}")));
        rows.push(InitialTokenRow {
            id: token.id.to_string(),
            note: token.note,
            by: token.by.name,
            made: say.moment(token.made_at),
            standing: say.word(standing),
            at: say.moment(at),
            client: client.map(|(_, name)| name).unwrap_or_default(),
            client_href: client_href.unwrap_or_default(),
            usable: standing == "registration-usable",
        });
    }
    Ok(Registration {
        action: desk.path("registration"),
        settings_href: desk.path("settings"),
        policy: say.word(policy),
        is_closed: organization.settings.registration == RegistrationPolicy::Closed,
        endpoint: format!("{}/register", desk.state.app.issuer(&organization.slug)),
        rows,
        may_change: desk.may_change(),
        ..Registration::default()
    })
}

/// What a token is for.
#[derive(Debug, Deserialize)]
pub struct Typed {
    note: String,
}

/// `POST /console/{org}/registration/tokens`: the answer shows the token, this once.
pub async fn make(desk: Desk, CsrfForm(typed): CsrfForm<Typed>) -> Result<Response, PageError> {
    let made = tokens::make(&desk.state.app, &desk.staff, &typed.note).await;
    let mut page = page_of(&desk).await?;
    let status = match made {
        Ok(token) => {
            token.reveal().clone_into(&mut page.new_token);
            page.new_token_ends = desk.say().moment(desk.state.app.now().plus_days(tokens::DAYS));
            StatusCode::OK
        }
        Err(refusal) => {
            let faults = faults_of(refusal)?;
            page.note = Field::wrong(typed.note, desk.say().faults(&faults, "note"));
            StatusCode::UNPROCESSABLE_ENTITY
        }
    };
    let html = desk.render_answer(ConsoleSection::Settings, &desk.path("registration"), &page).await?;
    Ok(html.with_status(status).into_response())
}

/// Which token.
#[derive(Debug, Deserialize)]
pub struct Which {
    token: String,
}

/// `POST /console/{org}/registration/tokens/revoke`.
pub async fn revoke(desk: Desk, CsrfForm(which): CsrfForm<Which>) -> Result<Response, PageError> {
    let id = which.token.parse().map_err(|_| Failure::not_found())?;
    tokens::revoke(&desk.state.app, &desk.staff, id).await?;
    Ok(done(&desk, "registration-revoked-done", &desk.path("registration")))
}
