//! Redeeming a code (RFC 6749 4.1.3, RFC 7636 4.5).
//!
//! One transaction, which begins by holding the family's row. Of many redemptions exactly one finds the code unspent. What the others find depends on who they
//! are (D2): the client itself, with its proof or the right verifier, has a copy too many, and the family dies; anybody else is refused and recorded, and
//! nothing dies, so that a spent code that leaked is no switch to kill a session with. A wrong verifier spoils the code.

use std::sync::Arc;

use fhir_scopes::ScopeSet;

use super::super::client_auth::{self, ProvenClient};
use super::super::error::{Decision, ErrorKind, OAuthError};
use super::super::oxide::{CodeExchange, Recovered, check_scope_text};
use super::super::token::{Issued, TokenRequest};
use super::super::{mint, pkce};
use super::{issue_record, record_refusal};
use crate::app::App;
use crate::domain::clients::GrantType;
use crate::domain::clock::UtcMillis;
use crate::domain::permission::{may_be_used, scopes_within};
use crate::domain::tokens::{Presented, TokenKind};
use crate::storage::{self, Conn};

/// What a redemption brings along.
struct Redemption {
    client: ProvenClient,
    presented: Presented,
    organization_id: crate::domain::ids::OrganizationId,
    code: String,
    redirect_uri: Option<String>,
    verifier: Option<String>,
    scope: Option<String>,
    audiences: Vec<String>,
    now: UtcMillis,
}

/// Redeems a code for tokens.
pub async fn redeem(app: &Arc<App>, client: &ProvenClient, request: &TokenRequest<'_>) -> Result<Issued, OAuthError> {
    let params = request.params;
    let code = params.get("code").ok_or_else(|| OAuthError::request("code is missing"))?;
    let presented = app.sealer.open(TokenKind::Code, code).ok_or_else(|| OAuthError::grant("not a code of ours"))?;
    let redemption = Redemption {
        client: client.clone(),
        presented,
        organization_id: request.organization.id.clone(),
        code: code.to_owned(),
        redirect_uri: params.get("redirect_uri").map(str::to_owned),
        verifier: params.get("code_verifier").map(str::to_owned),
        scope: params.get("scope").map(str::to_owned),
        audiences: request.audiences(),
        now: app.now(),
    };
    let app = Arc::clone(app);
    let worker = Arc::clone(&app);
    app.store.write(move |conn| Box::pin(async move { in_transaction(conn, &worker, redemption).await })).await?
}

async fn in_transaction(conn: &mut Conn, app: &App, redemption: Redemption) -> Decision<Issued> {
    let Redemption { client, presented, organization_id, now, .. } = &redemption;
    let now = *now;
    // 1 the code, and its family held
    let Some(code) = storage::codes::find(conn, presented.unverified_id, &presented.secret).await? else {
        return Ok(Err(OAuthError::grant("unknown code")));
    };
    storage::grants::hold(conn, code.grant_id).await?;
    let Some(in_force) = storage::grants::in_force(conn, code.grant_id, now).await? else {
        return Err(
            storage::StorageError::inconsistent("authorization_codes", code.id.to_string(), "has no grant").into()
        );
    };
    let Some(code) = storage::codes::find(conn, presented.unverified_id, &presented.secret).await? else {
        return Ok(Err(OAuthError::grant("unknown code")));
    };
    let grant = &in_force.grant;
    // 2 is it this organization's and this client's?
    if grant.organization_id != *organization_id || grant.client_id != client.client.id {
        record_refusal(conn, &grant.organization_id, &client.client.id, ("code.presented_by_stranger", grant.id), now)
            .await?;
        return Ok(Err(OAuthError::grant("the code belongs to another client or organization")));
    }
    let verifier_is_right = match redemption.verifier.as_deref() {
        Some(verifier) => pkce::matches(verifier, &code.code_challenge),
        // without a challenge there is nothing to verify, and a verifier is one too many: somebody took the challenge out of the request (RFC 9700 2.1.1)
        None => code.code_challenge.is_empty(),
    };
    // 3 a second time?
    if code.redeemed_at.is_some() {
        let has_proof = !client.is_public() || verifier_is_right;
        if has_proof {
            storage::grants::revoke(conn, grant.id, "code_replayed", now).await?;
        }
        record_refusal(conn, &grant.organization_id, &client.client.id, ("code.replayed", grant.id), now).await?;
        return Ok(Err(OAuthError::grant(if has_proof {
            "code replayed, family revoked"
        } else {
            "code replayed without proof"
        })));
    }
    if now >= code.expires_at {
        return Ok(Err(OAuthError::grant("the code has expired")));
    }
    // 4 the same redirect URI, byte for byte
    if redemption.redirect_uri.as_deref() != Some(code.redirect_uri.as_str()) {
        return Ok(Err(OAuthError::grant("redirect_uri is not that of the authorization request")));
    }
    // 5 the verifier: a wrong one spoils the code
    if !verifier_is_right {
        storage::codes::consume(conn, code.id, now).await?;
        record_refusal(conn, &grant.organization_id, &client.client.id, ("code.wrong_verifier", grant.id), now).await?;
        return Ok(Err(OAuthError::grant("wrong code_verifier, the code is spoilt")));
    }
    // 6 a code's audience and scopes are settled; asking for another or for more here is refused, and the code stays good
    if !redemption.audiences.iter().all(|audience| in_force.endpoint.is_named(audience)) {
        return Ok(Err(OAuthError::new(ErrorKind::InvalidTarget, "the resource is not that of the grant")));
    }
    let granted = ScopeSet::parse_lenient(&grant.scopes, in_force.endpoint.release).0;
    if let Some(asked) = &redemption.scope {
        if let Err(refusal) = check_scope_text(asked) {
            return Ok(Err(refusal));
        }
        let asked = ScopeSet::parse_lenient(asked, in_force.endpoint.release).0;
        if !granted.covers(&asked) {
            return Ok(Err(OAuthError::new(ErrorKind::InvalidScope, "the scope is more than was granted")));
        }
    }
    // 7 may it be used, now?
    let permit = match may_be_used(&in_force.facts(grant.epoch, now)) {
        Ok(permit) => permit,
        Err(layer) => return Ok(Err(layer.into())),
    };
    let scopes = match scopes_within(&permit, &granted, &in_force.endpoint) {
        Ok(scopes) => scopes,
        Err(layer) => return Ok(Err(layer.into())),
    };
    if !storage::codes::consume(conn, code.id, now).await? {
        return Ok(Err(OAuthError::grant("the code was redeemed a moment ago")));
    }
    // 8 oxide-auth agrees, and asks for the token
    let recovered = Recovered {
        client_id: grant.client_id.as_str().to_owned(),
        redirect_uri: code.redirect_uri.clone(),
        owner: grant.account_id.as_ref().map_or_else(String::new, |id| id.as_str().to_owned()),
        scopes: grant.scopes.clone(),
    };
    let issuing = CodeExchange::begin(client.client.id.as_str(), &redemption.code, &code.redirect_uri)
        .and_then(|flow| flow.recovered(recovered));
    let issuing = match issuing {
        Ok(issuing) => issuing,
        Err(refusal) => return Ok(Err(refusal)),
    };
    // 9 mint, record
    let minted =
        mint::access(conn, app, grant, &scopes.to_string(), mint::life(app, &in_force.endpoint, false), now).await?;
    let wants_refresh = scopes.has_offline_access() || (scopes.has_online_access() && grant.session_id.is_some());
    let refresh = if wants_refresh && client.metadata.may_use(GrantType::RefreshToken) {
        Some(mint::refresh(conn, app, grant, None, now).await?.1)
    } else {
        None
    };
    storage::grants::touch(conn, grant.id, now).await?;
    client_auth::note_use(conn, client, now).await?;
    storage::audit::append(
        conn,
        &issue_record(&grant.organization_id, &grant.client_id, grant.id, "authorization_code", now),
    )
    .await?;
    issuing.issued()?;
    Ok(Ok(Issued {
        access: minted.token,
        jti: minted.jti,
        seconds: minted.seconds,
        refresh,
        scopes,
        for_code: true,
        now,
        grant: in_force,
    }))
}
