//! Access tokens as they leave: opaque, or, where a FHIR endpoint chose so, JWTs (RFC 9068) of at most five minutes.
//!
//! A JWT is a copy of what the row says, for FHIR servers that cannot ask. Its `jti` opens to the row, so that introspection, revocation and disable treat it like
//! any other token; whoever verifies only the signature learns of a disable when it ends. The `jti` is no token: a server that logs it gives nothing away.

use std::sync::Arc;

use fhir_scopes::NonResource;
use serde_json::{Map, Value};

use super::error::OAuthError;
use super::signing::{Signer, verified_claims};
use super::token::Issued;
use crate::app::App;
use crate::domain::organizations::Organization;
use crate::domain::secrets::{PlainSecret, hex_digest};
use crate::domain::tokens::{Presented, TokenKind};

/// The `typ` of a JWT access token (RFC 9068 2.1).
const TYP: &str = "at+jwt";

/// The token as it goes to the client.
pub fn as_issued(app: &App, signer: &Signer, issued: &Issued) -> Result<PlainSecret, OAuthError> {
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
    if let Some(at) = grant.auth_time {
        claims.insert("auth_time".to_owned(), at.seconds().into());
    }
    // the client can read it: only where it may know, or where the FHIR server must
    let names_the_user = issued.scopes.has(NonResource::FhirUser) || issued.scopes.has_user_level();
    if let Some(user) = in_force.fhir_user_url().filter(|_| names_the_user) {
        claims.insert("fhirUser".to_owned(), user.into());
    }
    signer.sign(TYP, &claims).map(PlainSecret::from_text)
}

/// The row a presented access token claims to be, and the name it may be called by (`jti`), in either form.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The row, and the secret to compare.
    pub presented: Presented,
    /// The `jti` of the JWT; of an opaque token, a digest that names it as well and gives nothing away.
    pub jti: String,
}

/// Opens a presented access token; nothing is proven yet about an opaque one.
pub async fn open(app: &Arc<App>, organization: &Organization, token: &str) -> Result<Option<Opened>, OAuthError> {
    if !token.starts_with("eyJ") {
        return Ok(app.sealer.open(TokenKind::Access, token).map(|presented| {
            let jti = hex_digest(&[b"jti", &presented.unverified_id.to_be_bytes(), presented.secret.bytes()]);
            Opened { presented, jti: jti[..32].to_owned() }
        }));
    }
    let claims = verified_claims(app, token, TYP).await?.unwrap_or_default();
    let text = |name: &str| claims.get(name).and_then(|value| value.as_str());
    let is_ours = text("iss") == Some(app.issuer(&organization.slug).as_str());
    Ok(text("jti").filter(|_| is_ours).and_then(|jti| {
        app.sealer.open(TokenKind::Link, jti).map(|presented| Opened { presented, jti: jti.to_owned() })
    }))
}
