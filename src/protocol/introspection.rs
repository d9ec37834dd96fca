//! Introspection (RFC 7662, SMART 2.2 token-introspection): what is this token worth, now?
//!
//! Who may ask: a resource server of the organization, with its own credentials; or a bearer token of this organization with the scope [`INTROSPECT_SCOPE`]. Either sees
//! tokens of its organization and no other. An ordinary client that asks gets 403 and learns nothing.
//!
//! The permission function is asked at every call with the approval as it is in the database at that moment: that is why *Disable client* is effective at
//! once. For everything that is not good, whatever the reason, the answer is the same 21 bytes.

use std::sync::Arc;

use fhir_scopes::ScopeSet;
use serde_json::{Map, Value, json};

use super::access_token;
use super::client_auth::{self, Door, Offered};
use super::error::{ErrorKind, OAuthError};
use super::params::Params;
use super::reading::reading_token_of;
use crate::app::App;
use crate::domain::grants::{AccessToken, lives_with_session};
use crate::domain::ids::ResourceServerId;
use crate::domain::organizations::{Organization, ResourceServer, Standing};
use crate::domain::permission::{Layer, may_be_used, scopes_within};
use crate::domain::secrets::PlainSecret;
use crate::domain::throttle::Limit;
use crate::storage::grants::GrantInForce;
use crate::storage::usage::Uses;
use crate::storage::{self, StorageError};

/// The scope with which a bearer token may introspect (SMART-TI-07). Approved like any other.
pub const INTROSPECT_SCOPE: &str = "__introspect";

/// A token that is good now.
#[derive(Clone, Debug)]
pub struct Live {
    /// The token.
    pub token: AccessToken,
    /// Its name, for records.
    pub jti: String,
    /// Its grant.
    pub grant: GrantInForce,
    /// What it permits now: its scopes, within what is approved now.
    pub scopes: ScopeSet,
}

/// Why a token is not good. For the log; the answer is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dead {
    /// No token of this organization's.
    Unknown,
    /// It ran out, or was revoked by itself.
    Over,
    /// A layer of permission said no.
    Refused(Layer),
}

/// Looks an access token up and asks whether it may be used. The layer that said no is for the log.
pub async fn live_token(
    app: &Arc<App>,
    organization: &Organization,
    token: &str,
) -> Result<Result<Live, Dead>, OAuthError> {
    let now = app.now();
    let Some(opened) = access_token::open(app, organization, token).await? else { return Ok(Err(Dead::Unknown)) };
    let presented = opened.presented;
    let mut conn = app.store.read().await?;
    let Some(token) = storage::tokens::find_access(&mut conn, presented.unverified_id, &presented.secret).await? else {
        return Ok(Err(Dead::Unknown));
    };
    if token.organization_id != organization.id {
        return Ok(Err(Dead::Unknown));
    }
    if !token.is_live(now) {
        return Ok(Err(Dead::Over));
    }
    let Some(grant) = storage::grants::in_force(&mut conn, token.grant_id, now).await? else {
        return Ok(Err(Dead::Over));
    };
    let judged = may_be_used(&grant.facts(token.epoch, now)).and_then(|permit| {
        let own = ScopeSet::parse_lenient(&token.scopes, grant.endpoint.release).0;
        scopes_within(&permit, &own, &grant.endpoint)
    });
    let scopes = match judged {
        Ok(scopes) => scopes,
        Err(layer) => return Ok(Err(Dead::Refused(layer))),
    };
    // online access ends with the session it came from
    if grant.session_is_open == Some(false) && lives_with_session(&scopes) {
        return Ok(Err(Dead::Refused(Layer::Grant)));
    }
    Ok(Ok(Live { token, jti: opened.jti, grant, scopes }))
}

/// Answers an introspection request.
pub async fn introspect(
    app: &Arc<App>,
    organization: &Organization,
    authorization: Option<&str>,
    params: &Params,
) -> Result<Value, OAuthError> {
    // 1 who asks
    let caller = caller(app, organization, authorization, params).await?;
    if params.any_repeated() {
        return Err(OAuthError::request("a parameter is repeated"));
    }
    let token = params.get("token").ok_or_else(|| OAuthError::request("token is missing"))?;
    // 2 our own reading token
    if let Some(reading) = reading_token_of(app, token) {
        let endpoint =
            storage::organizations::lookup_endpoint(&mut *app.store.read().await?, &reading.endpoint).await?;
        let endpoint = endpoint.filter(|endpoint| {
            let is_in_use = organization.standing == Standing::Active && endpoint.standing == Standing::Active;
            endpoint.organization_id == organization.id && is_in_use
        });
        return Ok(endpoint.map_or_else(inactive, |endpoint| {
            json!({
                "active": true, "scope": reading.scope, "client_id": "countersign", "sub": "countersign", "token_type": "Bearer",
                "iss": app.issuer(&organization.slug), "aud": endpoint.base_url, "exp": reading.until.seconds(),
            })
        }));
    }
    // 3 everything else; the hint would only save a look-up we do not do (I06)
    let live = match live_token(app, organization, token).await? {
        Ok(live) => live,
        Err(dead) => {
            tracing::debug!(resource_server = caller, ?dead, "a token is not active");
            return not_active(app, organization, &caller);
        }
    };
    if !first_use(app, &live).await? {
        return not_active(app, organization, &caller);
    }
    Ok(Value::Object(active(app, &live)))
}

/// The answer for a token that is not good, unless this caller has asked about too many of them (I04). Every such token counts, whatever is wrong with it, so
/// that a scan learns nothing from which of its guesses is counted; good tokens are answered all the while, so that nobody can stop a FHIR server's work by sending
/// it nonsense to ask about.
fn not_active(app: &App, organization: &Organization, caller: &str) -> Result<Value, OAuthError> {
    let limit = Limit::per_minute(app.config.limits.dead_tokens_per_minute);
    app.memory
        .dead_tokens
        .count(&format!("{} {caller}", organization.id), limit, app.now())
        .map_err(|seconds| OAuthError::too_many(seconds, "too many questions about tokens that are not good"))?;
    Ok(inactive())
}

fn inactive() -> Value {
    json!({ "active": false })
}

/// Notes the first use of a token: from then on the refresh token before it is spent for good (R02). False if the token was replaced meanwhile.
pub async fn first_use(app: &Arc<App>, live: &Live) -> Result<bool, StorageError> {
    if live.token.first_used_at.is_some() {
        return Ok(true);
    }
    let (token, now) = (live.token.clone(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                if storage::tokens::mark_used(conn, token.id, &token.secret_hash, now).await? {
                    let uses = Uses { introspected: 1, ..Uses::default() };
                    storage::usage::add(conn, &token.organization_id, &token.client_id, uses, now).await?;
                    storage::approvals::touch(conn, &token.organization_id, &token.client_id, now).await?;
                    storage::grants::touch(conn, token.grant_id, now).await?;
                    return Ok(true);
                }
                // noted by somebody else a moment ago, or gone
                let again = storage::tokens::find_access(conn, token.id, &token.secret_hash).await?;
                Ok(again.is_some_and(|again| again.is_live(now)))
            })
        })
        .await
}

async fn caller(
    app: &Arc<App>,
    organization: &Organization,
    authorization: Option<&str>,
    params: &Params,
) -> Result<String, OAuthError> {
    let refused = || OAuthError::new(ErrorKind::InsufficientScope, "this client may not introspect");
    if let Some(bearer) = authorization.and_then(bearer) {
        if ["client_secret", "client_assertion", "client_assertion_type"].iter().any(|name| params.has(name)) {
            return Err(OAuthError::request("use one method of client authentication"));
        }
        let live = live_token(app, organization, bearer).await?;
        let live = live.map_err(|_| OAuthError::new(ErrorKind::InvalidToken, "the token is not valid"))?;
        if !live.scopes.contains_literal(INTROSPECT_SCOPE) {
            return Err(refused());
        }
        return Ok(live.token.client_id.as_str().to_owned());
    }
    let offered = client_auth::offered(authorization, params)?;
    let readings = match &offered {
        Offered::Basic(readings) => readings.clone(),
        Offered::Post(id, secret) => vec![(id.clone(), secret.clone())],
        Offered::Assertion(_) | Offered::Name(_) | Offered::Nothing => Vec::new(),
    };
    if let Some(id) = resource_server(app, organization, &readings).await? {
        return Ok(id);
    }
    // a proven client is told that it may not; everybody else, that they are nobody
    match client_auth::authenticate(app, Door { organization, is_token_endpoint: false }, &offered).await {
        Ok(client) if client.is_public() => Err(OAuthError::client("a public client proves nothing")),
        Ok(_) => Err(refused()),
        Err(error) => Err(error),
    }
}

/// The resource server of this organization that these credentials prove, each way they can be read.
pub async fn resource_server(
    app: &App,
    organization: &Organization,
    readings: &[(String, PlainSecret)],
) -> Result<Option<String>, StorageError> {
    for (id, secret) in readings {
        let id = ResourceServerId::from_text(id.as_str());
        let server =
            storage::organizations::find_resource_server(&mut *app.store.read().await?, &organization.id, &id).await?;
        let proven =
            server.filter(|server| server.standing == Standing::Active && server.secret_hash.matches(&secret.hashed()));
        if let Some(server) = proven.filter(|_| organization.standing == Standing::Active) {
            note_use(app, &server).await?;
            return Ok(Some(id.as_str().to_owned()));
        }
    }
    Ok(None)
}

/// Notes that a resource server is in use, so that an admin sees which credentials nobody needs; to the minute.
async fn note_use(app: &App, server: &ResourceServer) -> Result<(), StorageError> {
    let (id, now) = (server.id.clone(), app.now());
    if server.last_used_at.is_some_and(|used| now < used.plus_seconds(60)) {
        return Ok(());
    }
    app.store
        .write(move |conn| Box::pin(async move { storage::organizations::touch_resource_server(conn, &id, now).await }))
        .await
}

/// The token of `Authorization: Bearer`.
pub fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The members for a token that is good: as in the token response, and whose it is.
fn active(app: &App, live: &Live) -> Map<String, Value> {
    let grant = &live.grant;
    let mut members = Map::new();
    members.insert("active".into(), true.into());
    members.insert("scope".into(), live.scopes.to_string().into());
    members.insert("client_id".into(), live.token.client_id.as_str().into());
    members.insert("token_type".into(), "Bearer".into());
    members.insert("exp".into(), live.token.expires_at.seconds().into());
    members.insert("iat".into(), live.token.issued_at.seconds().into());
    members.insert("nbf".into(), live.token.issued_at.seconds().into());
    members.insert("jti".into(), live.jti.as_str().into());
    members.insert("iss".into(), app.issuer(&grant.organization.slug).into());
    members.insert("aud".into(), grant.endpoint.base_url.as_str().into());
    let sub = grant.grant.account_id.as_ref().map_or(live.token.client_id.as_str(), |account| account.as_str());
    members.insert("sub".into(), sub.into());
    if let Some(user) = grant.fhir_user_url() {
        members.insert("fhirUser".into(), user.into());
    }
    members.extend(grant.grant.context.members(grant.metadata.fhir_context_objects));
    members
}
