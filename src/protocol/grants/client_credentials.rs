//! Client credentials (RFC 6749 4.4): SMART Backend Services. `system/` scopes only; no refresh token, no user.
//!
//! `system/` scopes are for clients with keys: SMART says that its profile for secrets "is not intended for" Backend Services. A client with a secret that asks for
//! them is refused with `unauthorized_client` and told what to do; the refusal is recorded. Plain OAuth clients know nothing but secrets, so an organization may decide
//! in its settings to take them all the same; reviewers are told either way before they approve. The rule is a layer of [`permission`](crate::domain::permission), judged by
//! how the client is registered in the revision that is live here: a token issued while secrets were taken stops with the setting, too.
//!
//! The scope to introspect with ([`INTROSPECT_SCOPE`]) reads no record and is no Backend Service: a secret is enough for it.

use std::sync::Arc;

use fhir_scopes::{Level, ScopeSet};

use super::super::client_auth::{self, ProvenClient};
use super::super::error::{Decision, ErrorKind, OAuthError};
use super::super::introspection::INTROSPECT_SCOPE;
use super::super::token::{Issued, TokenRequest};
use super::super::{mint, oxide};
use super::{issue_record, record_keyless};
use crate::app::App;
use crate::domain::clock::UtcMillis;
use crate::domain::grants::Grant;
use crate::domain::launch_context::LaunchContext;
use crate::domain::organizations::FhirEndpoint;
use crate::domain::permission::{Consent, Facts, Layer, may_be_used, scopes_within};
use crate::storage::{self, Conn};

/// Issues an access token to the client itself.
pub async fn issue(app: &Arc<App>, client: &ProvenClient, request: &TokenRequest<'_>) -> Result<Issued, OAuthError> {
    if client.is_public() {
        return Err(OAuthError::new(ErrorKind::UnauthorizedClient, "a public client cannot act for itself"));
    }
    let scope =
        request.params.get("scope").ok_or_else(|| OAuthError::new(ErrorKind::InvalidScope, "scope is missing"))?;
    oxide::check_scope_text(scope)?;
    let endpoint = endpoint(app, client, request).await?;
    let asked = ScopeSet::parse_lenient(scope, endpoint.release).0;
    // S07: nobody is here for whom user/, patient/, openid or launch could mean anything
    let asked = asked.filtered(|scope| match scope.resource() {
        Some(resource) => resource.level == Level::System,
        None => scope.literal() == INTROSPECT_SCOPE,
    });
    if asked.is_empty() {
        return Err(OAuthError::new(ErrorKind::InvalidScope, "a backend service is granted system scopes only"));
    }
    let (client, organization_id, now) = (client.clone(), request.organization.id.clone(), app.now());
    let app = Arc::clone(app);
    let worker = Arc::clone(&app);
    app.store
        .write(move |conn| {
            Box::pin(
                async move { in_transaction(conn, &worker, (client, organization_id, endpoint), asked, now).await },
            )
        })
        .await?
}

/// For which FHIR base URL: what the request names if it does, else the one the approval is about.
async fn endpoint(app: &App, client: &ProvenClient, request: &TokenRequest<'_>) -> Result<FhirEndpoint, OAuthError> {
    let endpoints =
        storage::organizations::list_endpoints(&mut *app.store.read().await?, &request.organization.id).await?;
    let approved = endpoints.into_iter().filter(|endpoint| client.approval.fhir_endpoints.contains(&endpoint.id));
    let audiences = request.audiences();
    let mut fitting = approved.filter(|endpoint| audiences.iter().all(|audience| endpoint.is_named(audience)));
    match (fitting.next(), fitting.next()) {
        (Some(endpoint), None) => Ok(endpoint),
        (Some(_), Some(_)) => {
            Err(OAuthError::new(ErrorKind::InvalidTarget, "say with resource which FHIR base URL is meant"))
        }
        (None, _) => {
            Err(OAuthError::new(ErrorKind::InvalidTarget, "the client is not approved for this FHIR base URL"))
        }
    }
}

async fn in_transaction(
    conn: &mut Conn,
    app: &App,
    (client, organization_id, endpoint): (ProvenClient, crate::domain::ids::OrganizationId, FhirEndpoint),
    asked: ScopeSet,
    now: UtcMillis,
) -> Decision<Issued> {
    // 1 the facts, as they are now
    let approval = storage::approvals::find(conn, &organization_id, &client.client.id).await?;
    let organization = storage::organizations::lookup(conn, &organization_id).await?;
    let (Some(organization), Some(current)) = (organization, storage::clients::lookup(conn, &client.client.id).await?)
    else {
        return Ok(Err(OAuthError::client("gone")));
    };
    let facts = Facts {
        now,
        organization: &organization,
        client: &current,
        // of the revision it proved itself with a moment ago
        client_type: client.metadata.client_type,
        approval: approval.as_ref(),
        epoch: None,
        endpoint: &endpoint,
        person_is_active: None,
        consent: Consent::NotNeeded,
        grant_is_revoked: false,
    };
    // 2 may it, and which scopes?
    let permit = match may_be_used(&facts) {
        Ok(permit) => permit,
        Err(layer) => return Ok(Err(layer.into())),
    };
    let scopes = match scopes_within(&permit, &asked, &endpoint) {
        Ok(scopes) => scopes,
        Err(layer) => {
            if layer == Layer::NeedsKey {
                record_keyless(conn, &organization_id, &current.id, now).await?;
            }
            return Ok(Err(layer.into()));
        }
    };
    let text = scopes.to_string();
    if let Err(refusal) = oxide::client_credentials(current.id.as_str(), &text) {
        return Ok(Err(refusal));
    }
    // 3 mint, record
    let seconds = mint::life(app, &endpoint, true);
    let mut grant = Grant {
        id: 0,
        organization_id: organization_id.clone(),
        client_id: current.id.clone(),
        account_id: None,
        fhir_endpoint_id: endpoint.id.clone(),
        session_id: None,
        epoch: permit.approval.epoch,
        scopes: text.clone(),
        context: LaunchContext::default(),
        made_as: None,
        related_patient: None,
        standing_consent: false,
        auth_time: None,
        nonce: None,
        created_at: now,
        last_used_at: Some(now),
        expires_at: Some(now.plus_seconds(seconds)),
        revoked_at: None,
    };
    grant.id = storage::grants::insert(conn, &grant).await?;
    let minted = mint::access(conn, app, &grant, &text, seconds, now).await?;
    client_auth::note_use(conn, &client, now).await?;
    storage::audit::append(conn, &issue_record(&organization_id, &current.id, grant.id, "client_credentials", now))
        .await?;
    let Some(in_force) = storage::grants::in_force(conn, grant.id, now).await? else {
        return Err(storage::StorageError::inconsistent("grants", grant.id.to_string(), "vanished").into());
    };
    Ok(Ok(Issued {
        access: minted.token,
        jti: minted.jti,
        seconds: minted.seconds,
        refresh: None,
        scopes,
        for_code: false,
        now,
        grant: in_force,
    }))
}
