//! The portal's handlers: `/portal/{application provider}/...`. Read, call `governance`, answer.

pub mod ask;
pub mod client_form;
pub mod clients;
mod code_samples;
pub mod provider;
pub mod requests;

use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::error::PageError;
use super::extract::{SignedIn, Visitor};
use super::pages::frame::{PortalNav, PortalSection, Switch};
use super::pages::portal::PortalNone;
use super::pages::{Arg, Nav};
use super::{AppState, extract};
use crate::domain::ids::ApplicationProviderId;
use crate::governance::Refusal;
use crate::governance::actor::Developer;
use crate::governance::error::Fault;
use crate::storage::{self, Conn};

/// `GET /portal`: leads to the first provider this person works for.
pub async fn home(State(state): State<AppState>, visitor: Visitor, who: SignedIn) -> Result<Response, PageError> {
    let mut conn = state.app.store.read().await?;
    let first =
        storage::application_providers::developer_memberships(&mut conn, &who.account.id).await?.into_iter().next();
    Ok(match first {
        Some(membership) => {
            Redirect::to(&format!("/portal/{}/clients", membership.application_provider_id)).into_response()
        }
        None => state.pages.render(&visitor.frame(Nav::None), &PortalNone { email: who.account.email }).into_response(),
    })
}

/// `GET /portal/{provider}`.
pub async fn provider_home(axum::extract::Path(provider): axum::extract::Path<String>) -> Redirect {
    Redirect::to(&format!("/portal/{}/clients", ApplicationProviderId::from_text(encoded(&provider))))
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A developer at their desk: who, for whom, and the pages' base path.
pub(super) struct Desk {
    pub developer: Developer,
    pub base: String,
    others: Vec<Switch>,
}

impl Desk {
    /// `account` at the provider in the path; somebody else's provider is not found.
    pub async fn open(conn: &mut Conn, who: &SignedIn, provider: &str) -> Result<Self, PageError> {
        let developer = Developer::at(conn, &who.account, &ApplicationProviderId::from_text(provider)).await?;
        let mut others = Vec::new();
        for membership in storage::application_providers::developer_memberships(conn, &who.account.id).await? {
            if membership.application_provider_id != developer.provider.id
                && let Some(other) =
                    storage::application_providers::lookup(conn, &membership.application_provider_id).await?
            {
                others.push(Switch { name: other.name, href: format!("/portal/{}/clients", other.id) });
            }
        }
        Ok(Self { base: format!("/portal/{}", developer.provider.id), developer, others })
    }

    /// The navigation.
    pub fn nav(&self, section: PortalSection) -> Nav {
        Nav::Portal(PortalNav {
            provider: self.developer.provider.name.clone(),
            base: self.base.clone(),
            section,
            others: self.others.clone(),
        })
    }
}

/// Words of ours in the visitor's language.
pub(super) fn say(state: &AppState, visitor: &Visitor, key: &str) -> String {
    say_with(state, visitor, key, &[])
}

pub(super) fn say_with(state: &AppState, visitor: &Visitor, key: &str, args: &[(&str, Arg<'_>)]) -> String {
    state.pages.text(visitor.lang, key, args).unwrap_or_else(|_| key.to_owned())
}

/// The faults of one field as one text, in the visitor's language where we have the words.
pub(super) fn fault_text(state: &AppState, visitor: &Visitor, faults: &[Fault], field: &str) -> String {
    faults
        .iter()
        .filter(|fault| fault.field == field)
        .map(|fault| super::present::fault_words(&state.pages, visitor.lang, fault))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Mistakes are for the form to show; anything else is for the error page.
pub(super) fn faults_or(refusal: Refusal) -> Result<Vec<Fault>, PageError> {
    match refusal {
        Refusal::Invalid(faults) => Ok(faults),
        Refusal::NotFound | Refusal::Forbidden(_) | Refusal::Conflict(_) | Refusal::Changed | Refusal::Storage(_) => {
            Err(refusal.into())
        }
    }
}

/// A redirect with a message on the page it leads to.
pub(super) fn done(text: String, href: &str) -> Response {
    (extract::visitor::flash(super::pages::Tone::Done, text), Redirect::to(href)).into_response()
}
