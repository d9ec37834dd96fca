//! The token endpoint (RFC 6749 3.2): prove the client, then one match on `grant_type`.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::access_token;
use super::client_auth::{self, Door, Offered, ProvenClient};
use super::error::{ErrorKind, OAuthError};
use super::grants::{authorization_code, client_credentials, refresh_token};
use super::id_token::{self, Subject};
use super::params::Params;
use super::signing::Signer;
use crate::app::App;
use crate::domain::clients::GrantType;
use crate::domain::clock::UtcMillis;
use crate::domain::organizations::Organization;
use crate::domain::secrets::PlainSecret;
use crate::domain::tokens::TokenKind;
use crate::storage;
use crate::storage::grants::GrantInForce;

/// A token request, read.
#[derive(Clone, Debug)]
pub struct TokenRequest<'a> {
    /// Whose issuer.
    pub organization: &'a Organization,
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The form.
    pub params: &'a Params,
}

impl TokenRequest<'_> {
    /// The FHIR base URLs the token is to be for: `resource` (RFC 8707 2.2), or by SMART's name `aud`, or by the one some clients know.
    pub fn audiences(&self) -> Vec<String> {
        ["resource", "aud", "audience"]
            .into_iter()
            .filter_map(|name| self.params.get(name))
            .map(str::to_owned)
            .collect()
    }
}

/// What was issued, before it is written as a response.
pub struct Issued {
    /// The grant with everything around it.
    pub grant: GrantInForce,
    /// The access token.
    pub access: PlainSecret,
    /// Its name inside a JWT.
    pub jti: PlainSecret,
    /// Its life.
    pub seconds: i64,
    /// The refresh token, if there is one.
    pub refresh: Option<PlainSecret>,
    /// Scopes of this access token, literally.
    pub scopes: fhir_scopes::ScopeSet,
    /// Issued for a code: the ID token carries the nonce.
    pub for_code: bool,
    /// When.
    pub now: UtcMillis,
}

/// Answers a token request with the members of the response.
pub async fn exchange(app: &Arc<App>, request: &TokenRequest<'_>) -> Result<Map<String, Value>, OAuthError> {
    let params = request.params;
    if params.any_repeated() {
        return Err(OAuthError::request("a parameter is repeated"));
    }
    // 1 which grant: before the client, so that an unknown grant type is 400 whoever asks
    let word = params.get("grant_type").ok_or_else(|| OAuthError::request("grant_type is missing"))?;
    let grant_type = GrantType::parse(word)
        .ok_or_else(|| OAuthError::new(ErrorKind::UnsupportedGrantType, "this grant type is not supported"))?;
    // 2 who
    let client = prove(app, request, grant_type).await?;
    if !client.metadata.may_use(grant_type) {
        return Err(OAuthError::new(ErrorKind::UnauthorizedClient, "the client is not registered for this grant type"));
    }
    // 3 our key, before anything is used up: what cannot be signed is not issued
    let signer = Signer::active(app).await?;
    // 4 what
    let issued = match grant_type {
        GrantType::AuthorizationCode => authorization_code::redeem(app, &client, request).await?,
        GrantType::RefreshToken => refresh_token::refresh(app, &client, request).await?,
        GrantType::ClientCredentials => client_credentials::issue(app, &client, request).await?,
    };
    response(app, &signer, &issued)
}

async fn prove(app: &Arc<App>, request: &TokenRequest<'_>, grant_type: GrantType) -> Result<ProvenClient, OAuthError> {
    let offered = client_auth::offered(request.authorization, request.params)?;
    if let (Offered::Nothing, GrantType::RefreshToken, Some(token)) =
        (&offered, grant_type, request.params.get("refresh_token"))
    {
        let Some(presented) = app.sealer.open(TokenKind::Refresh, token) else {
            return Err(OAuthError::grant("not a refresh token of ours"));
        };
        let found =
            storage::tokens::find_refresh(&mut *app.store.read().await?, presented.unverified_id, &presented.secret)
                .await?;
        let found = found.filter(|token| token.organization_id == request.organization.id);
        let token = found.ok_or_else(|| OAuthError::grant("unknown refresh token"))?;
        return client_auth::named_by_token(app, request.organization, &token.client_id).await;
    }
    client_auth::authenticate(app, Door { organization: request.organization, is_token_endpoint: true }, &offered).await
}

/// The members of a token response (RFC 6749 5.1, SMART 2.2): `scope` and `expires_in` always, launch context beside them.
fn response(app: &App, signer: &Signer, issued: &Issued) -> Result<Map<String, Value>, OAuthError> {
    let mut members = Map::new();
    let access = access_token::as_issued(app, signer, issued)?;
    members.insert("access_token".into(), access.reveal().into());
    members.insert("token_type".into(), "Bearer".into());
    members.insert("expires_in".into(), issued.seconds.into());
    members.insert("scope".into(), issued.scopes.to_string().into());
    if let Some(refresh) = &issued.refresh {
        members.insert("refresh_token".into(), refresh.reveal().into());
    }
    if issued.grant.grant.account_id.is_some() && issued.scopes.has_openid() {
        let issuer = app.issuer(&issued.grant.organization.slug);
        let subject = Subject {
            issuer: &issuer,
            grant: &issued.grant,
            scopes: &issued.scopes,
            access_token: access.reveal(),
            with_nonce: issued.for_code,
            now: issued.now,
        };
        if let Some(id_token) = id_token::id_token(signer, &subject)? {
            members.insert("id_token".into(), id_token.into());
        }
    }
    members.extend(issued.grant.grant.context.members(issued.grant.metadata.fhir_context_objects));
    Ok(members)
}
