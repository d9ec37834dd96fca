//! Signing out for apps: RP-initiated (OpenID Connect RP-Initiated Logout 1.0) and telling apps (OpenID Connect Back-Channel Logout 1.0).
//!
//! The end of a session ends what lived with it: families with `online_access` and without `offline_access`. Background access stays; it is stopped at `/apps`.

use std::sync::Arc;

use fhir_scopes::ScopeSet;
use serde::Serialize;

use super::error::OAuthError;
use super::id_token::session_label;
use super::params::Params;
use super::redirect_uri;
use super::signing::{Signer, verified_claims};
use crate::app::App;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{AccountId, ClientId};
use crate::domain::organizations::Organization;
use crate::domain::sessions::Session;
use crate::outbound::http_client;
use crate::storage::{self, StorageError};

/// What an app asks for by sending the browser to `/logout`.
#[derive(Clone, Debug, Default)]
pub struct LogoutRequest {
    /// The person and session the app means, if it proved them with an ID token of ours.
    pub hinted: Option<Hinted>,
    /// Where the browser goes afterwards: registered by the app that the hint or `client_id` names.
    pub then: Option<String>,
}

/// What an `id_token_hint` says.
#[derive(Clone, Debug)]
pub struct Hinted {
    /// Whose.
    pub account: String,
    /// In which session.
    pub sid: Option<String>,
}

/// Reads the request. What cannot be trusted is left out, so that the browser never goes anywhere that was not registered.
pub async fn read(app: &Arc<App>, organization: &Organization, params: &Params) -> Result<LogoutRequest, OAuthError> {
    if params.any_repeated() {
        return Ok(LogoutRequest::default());
    }
    let claims = match params.get("id_token_hint") {
        Some(hint) => verified_claims(app, hint).await?,
        None => None,
    };
    let text = |name: &str| {
        claims.as_ref().and_then(|claims| claims.get(name)).and_then(|value| value.as_str()).map(str::to_owned)
    };
    let is_ours = text("iss").as_deref() == Some(app.issuer(&organization.slug).as_str());
    let hinted = text("sub").filter(|_| is_ours).map(|account| Hinted { account, sid: text("sid") });
    let hinted_client = text("aud").filter(|_| is_ours);
    let named = params.get("client_id").map(str::to_owned);
    let client = match (hinted_client, named) {
        // an ID token of one client in another's hands proves nothing
        (Some(own), Some(named)) if own != named => return Ok(LogoutRequest::default()),
        (Some(client), _) | (None, Some(client)) => Some(client),
        (None, None) => None,
    };
    let wanted = params.get("post_logout_redirect_uri");
    let then = match (client, wanted) {
        (Some(client), Some(wanted)) => {
            let is_registered = is_registered(app, organization, &ClientId::from_text(client), wanted).await?;
            is_registered.then(|| match params.get("state") {
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
                && hinted.sid.as_deref().is_none_or(|sid| sid == session_label(session.id))
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
    let Some(approval) = storage::approvals::find(&mut conn, &organization.id, client).await? else { return Ok(false) };
    let revision = storage::clients::find_revision(&mut conn, client, approval.client_revision).await?;
    Ok(revision.is_some_and(|revision| revision.metadata.post_logout_redirect_uris.iter().any(|one| one == uri)))
}

/// Somebody to be told.
#[derive(Clone, Debug)]
pub struct ToTell {
    issuer: String,
    client_id: ClientId,
    account_id: AccountId,
    session_id: i64,
    uri: String,
}

/// Ends a session with everything that lived with it; returns the apps that want to be told.
pub async fn end_session(app: &Arc<App>, session: &Session) -> Result<Vec<ToTell>, StorageError> {
    let (session_id, account, now) = (session.id, session.account_id.clone(), app.now());
    let worker = Arc::clone(app);
    app.store
        .write(move |conn| Box::pin(async move { end_within(conn, &worker, (session_id, &account), now).await }))
        .await
}

async fn end_within(
    conn: &mut storage::Conn,
    app: &App,
    (session_id, account): (i64, &AccountId),
    now: UtcMillis,
) -> Result<Vec<ToTell>, StorageError> {
    let grants = storage::grants::list_for_session(conn, account, session_id).await?;
    storage::sessions::end(conn, session_id, now).await?;
    let mut to_tell: Vec<ToTell> = Vec::new();
    for grant in grants {
        let Some(in_force) = storage::grants::in_force(conn, grant.id, now).await? else { continue };
        let scopes = ScopeSet::parse_lenient(&grant.scopes, in_force.endpoint.release).0;
        if scopes.has_online_access()
            && !scopes.has_offline_access()
            && storage::grants::revoke(conn, grant.id, "signed_out", now).await?
        {
            let record =
                AuditEvent::new(&grant.organization_id, now, "grant.ended_with_session", Actor::User(account.clone()))
                    .client(&grant.client_id)
                    .subject(format!("grant/{}", grant.id));
            storage::audit::append(conn, &record).await?;
        }
        let Some(uri) = in_force.metadata.backchannel_logout_uri.clone().filter(|_| scopes.has_openid()) else {
            continue;
        };
        let issuer = app.issuer(&in_force.organization.slug);
        if to_tell.iter().all(|one| one.client_id != grant.client_id || one.issuer != issuer) {
            to_tell.push(ToTell { issuer, client_id: grant.client_id, account_id: account.clone(), session_id, uri });
        }
    }
    Ok(to_tell)
}

#[derive(Serialize)]
struct LogoutToken<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    sid: String,
    events: serde_json::Value,
}

/// A logout token (Back-Channel Logout 2.4).
pub async fn logout_token(app: &Arc<App>, to_tell: &ToTell) -> Result<String, OAuthError> {
    let now = app.now();
    let jti = crate::domain::secrets::PlainSecret::random(18, app.entropy.as_ref());
    let claims = LogoutToken {
        iss: &to_tell.issuer,
        sub: to_tell.account_id.as_str(),
        aud: to_tell.client_id.as_str(),
        iat: now.seconds(),
        exp: now.plus_seconds(120).seconds(),
        jti: jti.reveal().to_owned(),
        sid: session_label(to_tell.session_id),
        events: serde_json::json!({ "http://schemas.openid.net/event/backchannel-logout": {} }),
    };
    Signer::active(app).await?.sign("logout+jwt", &claims)
}

/// Tells the apps, beside the answer to the person: an app that does not listen holds nobody up.
pub fn tell(app: &Arc<App>, to_tell: Vec<ToTell>) {
    if to_tell.is_empty() {
        return;
    }
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let allow_private = app.config.outbound.allow_private_networks;
        let http = http_client::guarded(allow_private);
        for one in to_tell {
            let told = async {
                let url = url::Url::parse(&one.uri).map_err(|error| error.to_string())?;
                http_client::check(&url, allow_private).map_err(|error| error.to_string())?;
                let token = logout_token(&app, &one).await.map_err(|error| error.to_string())?;
                let answer = http
                    .post(url)
                    .form(&[("logout_token", token)])
                    .send()
                    .await
                    .map_err(|error| error.without_url().to_string())?;
                answer.error_for_status().map(|_| ()).map_err(|error| error.without_url().to_string())
            };
            if let Err(error) = told.await {
                tracing::warn!(
                    client = one.client_id.as_str(),
                    error,
                    "an app could not be told that somebody signed out"
                );
            }
        }
    });
}
