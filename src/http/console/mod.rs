//! The console: provider staff at work, below `/console/{organization}/`. Handlers read, call `governance`, and answer with a page; no rule lives here.

pub mod activity;
pub mod brand;
pub mod client;
pub mod clients;
mod compose;
pub mod desk;
pub mod endpoints;
pub mod launches;
pub mod members;
pub mod reading;
pub mod registration;
pub mod review;
pub mod settings;
mod words;

use axum::extract::State;
use axum::response::Redirect;

use super::extract::SignedIn;
use super::{AppState, PageError};
use crate::storage;
use desk::Desk;

/// `GET /console`: straight to the organization of whoever has only one; others choose on the start page.
pub async fn start(State(state): State<AppState>, who: SignedIn) -> Result<Redirect, PageError> {
    let mut conn = state.app.store.read().await?;
    let memberships = storage::accounts::staff_memberships(&mut conn, &who.account.id).await?;
    if let [only] = memberships.as_slice()
        && let Some(organization) = storage::organizations::lookup(&mut conn, &only.organization_id).await?
    {
        return Ok(Redirect::to(&format!("/console/{}/clients", organization.slug)));
    }
    Ok(Redirect::to("/"))
}

/// `GET /console/{org}`.
pub async fn home(desk: Desk) -> Redirect {
    Redirect::to(&desk.path("clients"))
}
