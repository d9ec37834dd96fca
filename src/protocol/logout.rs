//! Signing out for apps (OpenID Connect RP-Initiated Logout 1.0).
//!
//! An app that proves whom it means with an ID token of ours, expired or not, gets them signed out without a question; everybody else, after one. The browser goes
//! back to an address that the app has registered in the revision the organization approved, and nowhere else: not with a hint that does not verify, or that is
//! another issuer's, another client's, or no ID token at all; not to a client that may not act here now.
//!
//! The end of a session ends what lived with it: families with `online_access` and without `offline_access`. Background access stays; it is stopped at `/apps`.

use std::sync::Arc;

use super::error::OAuthError;
use super::id_token::{self, Hint, session_label};
use super::params::Params;
use super::redirect_uri;
use crate::app::App;
use crate::domain::audit::{Actor, AuditEvent, Chain};
use crate::domain::ids::ClientId;
use crate::domain::organizations::Organization;
use crate::domain::permission::client_may_act;
use crate::domain::sessions::Session;
use crate::storage::{self, StorageError};

/// What an app asks for by sending the browser to `/logout`.
#[derive(Clone, Debug, Default)]
pub struct LogoutRequest {
    /// The person and session the app means, if it proved them with an ID token of ours.
    pub hinted: Option<Hint>,
    /// Where the browser goes afterwards: registered by the app that the hint or `client_id` names.
    pub then: Option<String>,
}

/// Reads the request. What cannot be trusted is left out, so that the browser never goes anywhere that was not registered.
pub async fn read(app: &Arc<App>, organization: &Organization, params: &Params) -> Result<LogoutRequest, OAuthError> {
    if params.any_repeated() {
        return Ok(LogoutRequest::default());
    }
    let hinted = match params.get("id_token_hint") {
        None => None,
        Some(jwt) => match id_token::read_hint(app, organization, jwt).await? {
            Some(hint) => Some(hint),
            // whatever else stands beside a forged or foreign hint is not believed either
            None => return Ok(LogoutRequest::default()),
        },
    };
    let named = params.get("client_id").map(ClientId::from_text);
    let client = match (&hinted, named) {
        // an ID token of one client in another's hands proves nothing
        (Some(hint), Some(named)) if hint.client_id != named => return Ok(LogoutRequest::default()),
        (Some(hint), _) => Some(hint.client_id.clone()),
        (None, named) => named,
    };
    let then = match (client, params.get("post_logout_redirect_uri")) {
        (Some(client), Some(wanted)) if is_registered(app, organization, &client, wanted).await? => {
            Some(match params.get("state") {
                Some(state) => redirect_uri::with_query(wanted, &[("state", state)]),
                None => wanted.to_owned(),
            })
        }
        _ => None,
    };
    Ok(LogoutRequest { hinted, then })
}

impl LogoutRequest {
    /// May the browser's session end without a question: did the app prove that it means this very session or person?
    pub fn means(&self, session: &Session) -> bool {
        self.hinted.as_ref().is_some_and(|hinted| {
            hinted.account == session.account_id.as_str()
                && hinted.sid.as_deref().is_none_or(|sid| sid == session_label(session.began_as()))
        })
    }
}

async fn is_registered(
    app: &App,
    organization: &Organization,
    client: &ClientId,
    uri: &str,
) -> Result<bool, StorageError> {
    let mut conn = app.store.read().await?;
    let Some(found) = storage::clients::lookup(&mut conn, client).await? else { return Ok(false) };
    let approval = storage::approvals::find(&mut conn, &organization.id, client).await?;
    // nobody is sent to a client that may not act here (D4)
    let Ok(approval) = client_may_act(app.now(), organization, &found, approval.as_ref()) else { return Ok(false) };
    let revision = storage::clients::find_revision(&mut conn, client, approval.client_revision).await?;
    Ok(revision.is_some_and(|revision| revision.metadata.post_logout_redirect_uris.iter().any(|one| one == uri)))
}

/// Ends a session with everything that lived with it; returns the messages that tell apps (see [`super::backchannel`]).
pub async fn end_session(app: &Arc<App>, session: &Session) -> Result<Vec<i64>, StorageError> {
    let (session, now) = (session.clone(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                let by = Actor::User(session.account_id.clone());
                let Some(messages) = storage::session_ends::end(conn, &session, &by, now).await? else {
                    return Ok(Vec::new());
                };
                let record =
                    AuditEvent::new(Chain::Server, now, "account.signed_out", by).subject(session.account_id.as_str());
                storage::audit::append(conn, &record).await?;
                Ok(messages)
            })
        })
        .await
}
