//! Refreshing (RFC 6749 6). Rotation for public clients with the retry rule D3; confidential clients keep their refresh token, whose window slides.
//!
//! Narrowing with `scope` concerns the new access token alone: the grant keeps what was granted (SMART-AL-32). A refusal leaves the token as it was (R08),
//! unless it is reuse, which ends the family.
//!
//! A family has no end of its own (R10, X-08): each use opens a new window of `limits.refresh_token_days`, and neither rotation nor age closes it. What ends it is
//! a decision: the approval's expiry or disable, an expiry of the grant, the person, or the organization's scopes no longer holding `offline_access`. An
//! organization that wants an absolute limit sets the expiry of the approval.

use std::sync::Arc;

use fhir_scopes::ScopeSet;

use super::super::client_auth::{self, ProvenClient};
use super::super::error::{Decision, ErrorKind, OAuthError};
use super::super::mint::{self, MintedAccess};
use super::super::oxide::{Recovered, RefreshExchange, check_scope_text};
use super::super::token::{Issued, TokenRequest};
use super::{issue_record, record_refusal};
use crate::app::App;
use crate::domain::clock::UtcMillis;
use crate::domain::grants::{RefreshStanding, RefreshToken};
use crate::domain::permission::{Layer, may_be_used, scopes_within};
use crate::domain::secrets::PlainSecret;
use crate::domain::tokens::{Presented, TokenKind};
use crate::storage::grants::GrantInForce;
use crate::storage::{self, Conn};

struct Refreshing {
    client: ProvenClient,
    presented: Presented,
    organization_id: crate::domain::ids::OrganizationId,
    token: String,
    scope: Option<String>,
    audiences: Vec<String>,
    now: UtcMillis,
}

/// Exchanges a refresh token.
pub async fn refresh(app: &Arc<App>, client: &ProvenClient, request: &TokenRequest<'_>) -> Result<Issued, OAuthError> {
    let params = request.params;
    let token = params.get("refresh_token").ok_or_else(|| OAuthError::request("refresh_token is missing"))?;
    let presented =
        app.sealer.open(TokenKind::Refresh, token).ok_or_else(|| OAuthError::grant("not a refresh token of ours"))?;
    let refreshing = Refreshing {
        client: client.clone(),
        presented,
        organization_id: request.organization.id.clone(),
        token: token.to_owned(),
        scope: params.get("scope").map(str::to_owned),
        audiences: request.audiences(),
        now: app.now(),
    };
    let app = Arc::clone(app);
    let worker = Arc::clone(&app);
    app.store.write(move |conn| Box::pin(async move { in_transaction(conn, &worker, refreshing).await })).await?
}

async fn in_transaction(conn: &mut Conn, app: &App, refreshing: Refreshing) -> Decision<Issued> {
    let Refreshing { client, presented, organization_id, now, .. } = &refreshing;
    let now = *now;
    // 1 the token, and its family held
    let Some(first_look) = storage::tokens::find_refresh(conn, presented.unverified_id, &presented.secret).await?
    else {
        return Ok(Err(OAuthError::grant("unknown refresh token")));
    };
    if first_look.organization_id != *organization_id || first_look.client_id != client.client.id {
        record_refusal(
            conn,
            &first_look.organization_id,
            &client.client.id,
            ("refresh_token.presented_by_stranger", first_look.grant_id),
            now,
        )
        .await?;
        return Ok(Err(OAuthError::grant("the refresh token belongs to another client or organization")));
    }
    storage::grants::hold(conn, first_look.grant_id).await?;
    let Some(in_force) = storage::grants::in_force(conn, first_look.grant_id, now).await? else {
        return Err(
            storage::StorageError::inconsistent("refresh_tokens", first_look.id.to_string(), "has no grant").into()
        );
    };
    let Some(token) = storage::tokens::find_refresh(conn, presented.unverified_id, &presented.secret).await? else {
        return Ok(Err(OAuthError::grant("the refresh token was replaced a moment ago")));
    };
    // 2 what presenting it amounts to
    let successors = storage::tokens::successors(conn, &token).await?;
    let standing = token.standing(successors, now);
    match standing {
        RefreshStanding::Dead => return Ok(Err(OAuthError::grant("the refresh token has expired or was revoked"))),
        RefreshStanding::Replaced => {
            record_refusal(
                conn,
                &token.organization_id,
                &token.client_id,
                ("refresh_token.replaced_presented", token.grant_id),
                now,
            )
            .await?;
            return Ok(Err(OAuthError::grant("the refresh token was replaced when its answer got lost")));
        }
        RefreshStanding::Reuse => {
            storage::grants::revoke(conn, token.grant_id, "refresh_token_reused", now).await?;
            record_refusal(
                conn,
                &token.organization_id,
                &token.client_id,
                ("refresh_token.reused", token.grant_id),
                now,
            )
            .await?;
            return Ok(Err(OAuthError::grant("refresh token reused, family revoked")));
        }
        RefreshStanding::Retry => {
            // a lost answer is asked for again once or twice; a storm of them is answered with a pause (R15)
            let grant = token.grant_id.to_string();
            let retries = storage::throttles::count(conn, "refresh-retry", &grant, now, 60).await?;
            if retries > app.config.limits.refresh_retries_per_minute {
                return Ok(Err(OAuthError::too_many(60, "too many retries of one refresh")));
            }
        }
        RefreshStanding::Leaf => {}
    }
    // 3 may it be used, now, and for which scopes?
    let scopes = match decide(&in_force, &token, &refreshing) {
        Ok(scopes) => scopes,
        Err(refusal) => return Ok(Err(refusal)),
    };
    // 4 oxide-auth agrees, and asks for the tokens
    let grant = &in_force.grant;
    let recovered = Recovered {
        client_id: grant.client_id.as_str().to_owned(),
        redirect_uri: "urn:countersign:refresh".to_owned(),
        owner: grant.account_id.as_ref().map_or_else(String::new, |id| id.as_str().to_owned()),
        scopes: grant.scopes.clone(),
    };
    let issuing = match RefreshExchange::begin(client.client.id.as_str(), &refreshing.token)
        .and_then(|flow| flow.recovered(recovered))
    {
        Ok(issuing) => issuing,
        Err(refusal) => return Ok(Err(refusal)),
    };
    // 5 mint, record
    let (access, refresh) = match (standing, client.is_public()) {
        (RefreshStanding::Retry, _) => match replace(conn, app, &in_force, &token, &scopes, now).await? {
            Ok(pair) => pair,
            Err(refusal) => return Ok(Err(refusal)),
        },
        (_, true) => rotate(conn, app, &in_force, &token, &scopes, now).await?,
        (_, false) => {
            let access = keep(conn, app, &in_force, &token, &scopes, now).await?;
            // said again: there are clients that forget a refresh token which a response does not repeat
            (access, Some(PlainSecret::from_text(refreshing.token.as_str())))
        }
    };
    storage::grants::touch(conn, grant.id, now).await?;
    client_auth::note_use(conn, client, now).await?;
    storage::audit::append(
        conn,
        &issue_record(&grant.organization_id, &grant.client_id, grant.id, "refresh_token", now),
    )
    .await?;
    issuing.issued()?;
    Ok(Ok(Issued {
        access: access.token,
        jti: access.jti,
        seconds: access.seconds,
        refresh,
        scopes,
        for_code: false,
        now,
        grant: in_force,
    }))
}

fn decide(in_force: &GrantInForce, token: &RefreshToken, refreshing: &Refreshing) -> Result<ScopeSet, OAuthError> {
    let permit = may_be_used(&in_force.facts(token.epoch, refreshing.now))?;
    let granted = ScopeSet::parse_lenient(&in_force.grant.scopes, in_force.endpoint.release).0;
    // online access ends with the session it came from (SMART-AL-33)
    if !granted.has_offline_access() && in_force.session_is_open == Some(false) {
        return Err(OAuthError::grant(Layer::Grant.as_str()));
    }
    // and either is the organization's to approve: what it takes back is not refreshed any more (R09)
    let standing = scopes_within(&permit, &granted, &in_force.endpoint)?;
    if !standing.has_offline_access() && !standing.has_online_access() {
        return Err(OAuthError::grant("refreshing is not approved any more"));
    }
    if !refreshing.audiences.iter().all(|audience| in_force.endpoint.is_named(audience)) {
        return Err(OAuthError::new(ErrorKind::InvalidTarget, "the resource is not that of the grant"));
    }
    let asked = match &refreshing.scope {
        None => granted,
        Some(text) => {
            check_scope_text(text)?;
            let (asked, rejected) = ScopeSet::parse_lenient(text, in_force.endpoint.release);
            if !rejected.is_empty() || asked.is_empty() || !granted.covers(&asked) {
                return Err(OAuthError::new(ErrorKind::InvalidScope, "the scope is more than was granted"));
            }
            asked
        }
    };
    Ok(scopes_within(&permit, &asked, &in_force.endpoint)?)
}

type Pair = (MintedAccess, Option<PlainSecret>);

async fn rotate(
    conn: &mut Conn,
    app: &App,
    in_force: &GrantInForce,
    token: &RefreshToken,
    scopes: &ScopeSet,
    now: UtcMillis,
) -> Result<Pair, OAuthError> {
    let grant = &in_force.grant;
    let access =
        mint::access(conn, app, grant, &scopes.to_string(), mint::life(app, &in_force.endpoint, false), now).await?;
    let (successor, refresh) = mint::refresh(conn, app, grant, Some(token.id), now).await?;
    if !storage::tokens::spend_refresh(conn, token.id, successor, access.id, now).await? {
        // the family's row is held: nobody can have been in between
        return Err(storage::StorageError::inconsistent(
            "refresh_tokens",
            token.id.to_string(),
            "was spent under our hands",
        )
        .into());
    }
    Ok((access, Some(refresh)))
}

async fn keep(
    conn: &mut Conn,
    app: &App,
    in_force: &GrantInForce,
    token: &RefreshToken,
    scopes: &ScopeSet,
    now: UtcMillis,
) -> Result<MintedAccess, OAuthError> {
    let grant = &in_force.grant;
    let access =
        mint::access(conn, app, grant, &scopes.to_string(), mint::life(app, &in_force.endpoint, false), now).await?;
    let until = mint::refresh_until(app, grant, now);
    storage::tokens::extend_refresh(conn, token.id, until).await?;
    storage::grants::count_refresh(conn, grant.id, Some(until)).await?;
    Ok(access)
}

/// The answer got lost: the pair it carried gets new secrets, in the same two rows.
async fn replace(
    conn: &mut Conn,
    app: &App,
    in_force: &GrantInForce,
    token: &RefreshToken,
    scopes: &ScopeSet,
    now: UtcMillis,
) -> Decision<Pair> {
    let used = || OAuthError::grant("the successor was used a moment ago");
    let (Some(successor), Some(successor_access)) = (token.successor_id, token.successor_access_id) else {
        return Ok(Err(used()));
    };
    let Some(before) = storage::tokens::secret_of_refresh(conn, successor).await? else {
        return Ok(Err(used()));
    };
    let grant = &in_force.grant;
    let text = scopes.to_string();
    let life = (mint::life(app, &in_force.endpoint, false), now);
    let Some(access) = mint::replace_access(conn, app, successor_access, (grant, &text), life).await? else {
        return Ok(Err(used()));
    };
    let refresh = mint::replace_refresh(conn, app, (successor, &before), grant, now).await?;
    let Some(refresh) = refresh else {
        // half a pair must not be handed out
        return Err(storage::StorageError::inconsistent(
            "refresh_tokens",
            successor.to_string(),
            "was used under our hands",
        )
        .into());
    };
    Ok(Ok((access, Some(refresh))))
}
