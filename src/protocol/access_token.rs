//! Access tokens as they leave: opaque, or, where a FHIR endpoint chose so, JWTs (RFC 9068) of at most five minutes.
//!
//! A JWT is a copy of what the row says, for FHIR servers that cannot ask. Its `jti` opens to the row, so that introspection, revocation and disable treat it like
//! any other token; whoever verifies only the signature learns of a disable when it ends. The `jti` is no token: a server that logs it gives nothing away.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::error::OAuthError;
use super::signing::{Signer, verified_claims};
use super::token::Issued;
use crate::app::App;
use crate::domain::organizations::Organization;
use crate::domain::secrets::PlainSecret;
use crate::domain::tokens::{Presented, TokenKind};

/// The token as it goes to the client.
pub async fn as_issued(app: &Arc<App>, issued: &Issued) -> Result<PlainSecret, OAuthError> {
    let in_force = &issued.grant;
    if !in_force.endpoint.settings.jwt_access_tokens {
        return Ok(issued.access.clone());
    }
    let grant = &in_force.grant;
    let subject = grant.account_id.as_ref().map_or(grant.client_id.as_str(), |account| account.as_str());
    let mut claims: Map<String, Value> = grant.context.members(in_force.metadata.fhir_context_objects);
    for (name, value) in [
        ("iss", Value::from(app.issuer(&in_force.organization.slug))),
        ("sub", subject.into()),
        ("aud", in_force.endpoint.base_url.as_str().into()),
        ("client_id", grant.client_id.as_str().into()),
        ("scope", issued.scopes.to_string().into()),
        ("iat", issued.now.seconds().into()),
        ("exp", issued.now.plus_seconds(issued.seconds).seconds().into()),
        ("jti", issued.jti.reveal().into()),
    ] {
        claims.insert(name.to_owned(), value);
    }
    if let Some(user) = in_force.fhir_user_url() {
        claims.insert("fhirUser".to_owned(), user.into());
    }
    Signer::active(app).await?.sign("at+jwt", &claims).map(PlainSecret::from_text)
}

/// The row a presented access token claims to be, in either form.
pub async fn open(app: &Arc<App>, organization: &Organization, token: &str) -> Result<Option<Presented>, OAuthError> {
    if !token.starts_with("eyJ") {
        return Ok(app.sealer.open(TokenKind::Access, token));
    }
    if !is_access_token_jwt(token) {
        return Ok(None);
    }
    let claims = verified_claims(app, token).await?.unwrap_or_default();
    let text = |name: &str| claims.get(name).and_then(|value| value.as_str());
    let is_ours = text("iss") == Some(app.issuer(&organization.slug).as_str());
    Ok(text("jti").filter(|_| is_ours).and_then(|jti| app.sealer.open(TokenKind::Link, jti)))
}

/// An ID token is signed with the same key and is no access token.
fn is_access_token_jwt(token: &str) -> bool {
    use base64::Engine as _;
    let header =
        token.split('.').next().and_then(|part| base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).ok());
    let header: Option<Value> = header.and_then(|json| serde_json::from_slice(&json).ok());
    header.is_some_and(|header| header["typ"] == "at+jwt")
}
