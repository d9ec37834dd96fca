//! Revocation (RFC 7009): an access token ends alone, a refresh token takes its whole family along.
//!
//! An unknown or dead token and somebody else's are answered alike, with 200 and no effect (V01). A storage failure never is (V03).

use std::sync::Arc;

use super::access_token;
use super::client_auth::{self, Door, Offered};
use super::error::OAuthError;
use super::mint;
use super::params::Params;
use crate::app::App;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::ClientId;
use crate::domain::organizations::Organization;
use crate::domain::tokens::TokenKind;
use crate::storage::{self, Conn};

/// Revokes a token.
pub async fn revoke(
    app: &Arc<App>,
    organization: &Organization,
    authorization: Option<&str>,
    params: &Params,
) -> Result<(), OAuthError> {
    if params.any_repeated() {
        return Err(OAuthError::request("a parameter is repeated"));
    }
    let text = params.get("token").ok_or_else(|| OAuthError::request("token is missing"))?;
    let found = find(app, organization, text).await?;
    // 1 who: a public client may be named by its token, as when it refreshes
    let offered = client_auth::offered(authorization, params)?;
    let client = match (&offered, &found) {
        (Offered::Nothing, Some(found)) => client_auth::named_by_token(app, organization, &found.client_id).await?,
        _ => client_auth::authenticate(app, Door { organization, is_token_endpoint: false }, &offered).await?,
    };
    // 2 what
    let Some(found) = found.filter(|found| found.client_id == client.client.id) else { return Ok(()) };
    let (organization_id, now) = (organization.id.clone(), app.now());
    app.store
        .write::<_, OAuthError, _>(move |conn| {
            Box::pin(async move {
                let event = end(conn, &found, now).await?;
                if let Some(event) = event {
                    let record = AuditEvent::new(&organization_id, now, event, Actor::Client(found.client_id.clone()))
                        .client(&found.client_id)
                        .subject(format!("grant/{}", found.grant_id));
                    storage::audit::append(conn, &record).await?;
                }
                Ok(())
            })
        })
        .await
}

#[derive(Clone, Debug)]
struct Found {
    kind: TokenKind,
    id: i64,
    grant_id: i64,
    client_id: ClientId,
}

/// Finds a token of either kind at this organization; the hint would only save one look at a prefix.
async fn find(app: &Arc<App>, organization: &Organization, text: &str) -> Result<Option<Found>, OAuthError> {
    let access = access_token::open(app, organization, text).await?;
    let mut conn = app.store.read().await?;
    if let Some(access_token::Opened { presented, .. }) = access {
        let token = storage::tokens::find_access(&mut conn, presented.unverified_id, &presented.secret).await?;
        return Ok(token.filter(|token| token.organization_id == organization.id).map(|token| Found {
            kind: TokenKind::Access,
            id: token.id,
            grant_id: token.grant_id,
            client_id: token.client_id,
        }));
    }
    if let Some(presented) = app.sealer.open(TokenKind::Refresh, text) {
        let token = storage::tokens::find_refresh(&mut conn, presented.unverified_id, &presented.secret).await?;
        return Ok(token.filter(|token| token.organization_id == organization.id).map(|token| Found {
            kind: TokenKind::Refresh,
            id: token.id,
            grant_id: token.grant_id,
            client_id: token.client_id,
        }));
    }
    Ok(None)
}

async fn end(conn: &mut Conn, found: &Found, now: UtcMillis) -> Result<Option<&'static str>, OAuthError> {
    storage::grants::hold(conn, found.grant_id).await?;
    let Some(in_force) = storage::grants::in_force(conn, found.grant_id, now).await? else { return Ok(None) };
    if found.kind == TokenKind::Access {
        let Some(expires_at) = storage::tokens::revoke_access(conn, found.id, now).await? else { return Ok(None) };
        mint::uncount_access(conn, &in_force.grant, expires_at).await?;
        return Ok(Some("access_token.revoked"));
    }
    storage::tokens::revoke_refresh(conn, found.id, now).await?;
    let ended = storage::grants::revoke(conn, found.grant_id, "revoked_by_client", now).await?;
    Ok(ended.then_some("grant.revoked"))
}
