//! The desk: a member of staff, signed in, at the organization in the path. Everybody else is sent to sign in, or finds nothing here.

use std::collections::HashMap;

use axum::extract::{FromRef, FromRequestParts, Path};
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};

use super::words::Say;
use crate::domain::accounts::StaffRole;
use crate::governance::Refusal;
use crate::governance::actor::Staff;
use crate::governance::client_management;
use crate::http::error::Failure;
use crate::http::extract::{SignedIn, Visitor};
use crate::http::pages::frame::{ConsoleNav, ConsoleSection, Switch};
use crate::http::pages::{Frame, Html, Nav, Page};
use crate::http::{AppState, PageError};
use crate::storage;

/// Who works here, and with what.
pub struct Desk {
    /// The application and its pages.
    pub state: AppState,
    /// Who asks: language, anti-forgery token, session.
    pub visitor: Visitor,
    /// As what they act.
    pub staff: Staff,
}

impl<S> FromRequestParts<S> for Desk
where
    S: Send + Sync,
    AppState: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, outer: &S) -> Result<Self, Self::Rejection> {
        let state = AppState::from_ref(outer);
        let who = SignedIn::from_request_parts(parts, outer).await?;
        let visitor =
            Visitor::from_request_parts(parts, outer).await.map_err(axum::response::IntoResponse::into_response)?;
        let found = async {
            let path = Path::<HashMap<String, String>>::from_request_parts(parts, outer)
                .await
                .map_err(|_| Failure::not_found())?;
            let slug = path.0.get("org").ok_or_else(Failure::not_found)?;
            let mut conn = state.app.store.read().await?;
            Ok::<Staff, PageError>(Staff::at(&mut conn, &who.account, slug).await?)
        };
        let staff = found.await.map_err(axum::response::IntoResponse::into_response)?;
        Ok(Self { state, visitor, staff })
    }
}

impl Desk {
    /// A path below the organization's console.
    pub fn path(&self, rest: &str) -> String {
        format!("/console/{}/{rest}", self.staff.organization.slug)
    }

    /// May this person decide?
    pub fn may_decide(&self) -> bool {
        self.staff.role >= StaffRole::Reviewer
    }

    /// May this person change members, endpoints and settings?
    pub fn may_change(&self) -> bool {
        self.staff.role >= StaffRole::Admin
    }

    /// Words in the language of whoever looks.
    pub(super) fn say(&self) -> Say<'_> {
        Say { pages: &self.state.pages, lang: self.visitor.lang, now: self.state.app.now() }
    }

    /// A page in the console's frame.
    pub async fn render<P: Page>(&self, section: ConsoleSection, page: &P) -> Result<Html, PageError> {
        self.render_answer(section, &self.visitor.path, page).await
    }

    /// The same after a POST, whose own address has no page: `path` is where the language switch leads.
    pub async fn render_answer<P: Page>(
        &self,
        section: ConsoleSection,
        path: &str,
        page: &P,
    ) -> Result<Html, PageError> {
        let waiting = client_management::waiting(&self.state.app, &self.staff).await?;
        let mut others = Vec::new();
        let mut conn = self.state.app.store.read().await?;
        for membership in storage::accounts::staff_memberships(&mut conn, &self.staff.account.id).await? {
            if membership.organization_id == self.staff.organization.id {
                continue;
            }
            if let Some(other) = storage::organizations::lookup(&mut conn, &membership.organization_id).await? {
                others.push(Switch { name: other.name, href: format!("/console/{}/clients", other.slug) });
            }
        }
        let nav = ConsoleNav {
            organization: self.staff.organization.name.clone(),
            slug: self.staff.organization.slug.clone(),
            section,
            others,
            waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
        };
        let frame = Frame { path: path.to_owned(), ..self.visitor.frame(Nav::Console(nav)) };
        Ok(self.state.pages.render(&frame, page))
    }
}

/// An answer that is a redirect with a message on top of the next page.
pub(super) fn done(desk: &Desk, key: &str, to: &str) -> Response {
    let said = crate::http::extract::visitor::flash(crate::http::pages::Tone::Done, desk.say().word(key));
    (said, axum::response::Redirect::to(to)).into_response()
}

/// The faults of a refusal that a form can show beside its fields; any other refusal is passed on.
pub(super) fn faults_of(refusal: Refusal) -> Result<Vec<crate::governance::error::Fault>, PageError> {
    match refusal {
        Refusal::Invalid(faults) => Ok(faults),
        other => Err(other.into()),
    }
}
