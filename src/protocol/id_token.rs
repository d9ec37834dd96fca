//! ID tokens (OpenID Connect Core 2): RS256, with `fhirUser`, `nonce`, `at_hash` and `auth_time`; and reading one back as a hint.
//!
//! `sub` is the account's id: the same at every organization and for every client (`subject_types_supported: public`), never used again for anybody else.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fhir_scopes::{NonResource, ScopeSet};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::error::OAuthError;
use super::signing::{Signer, verified_claims};
use crate::app::App;
use crate::domain::clock::UtcMillis;
use crate::domain::ids::ClientId;
use crate::domain::organizations::Organization;
use crate::storage::grants::GrantInForce;

/// How long an ID token lives.
const LIFE_SECONDS: i64 = 3600;

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    at_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(rename = "fhirUser", skip_serializing_if = "Option::is_none")]
    fhir_user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
}

/// What an ID token is made for.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// Our issuer.
    pub issuer: &'a str,
    /// The grant.
    pub grant: &'a GrantInForce,
    /// The scopes of the token response.
    pub scopes: &'a ScopeSet,
    /// The access token it comes with.
    pub access_token: &'a str,
    /// Only with the code: refreshed ID tokens carry no nonce (OpenID Connect Core 12.2).
    pub with_nonce: bool,
    /// The present moment.
    pub now: UtcMillis,
}

/// The ID token of a grant; `None` without `openid`, or where no person takes part.
pub fn id_token(signer: &Signer, subject: &Subject<'_>) -> Result<Option<String>, OAuthError> {
    let grant = &subject.grant.grant;
    let Some(account) = grant.account_id.as_ref().filter(|_| subject.scopes.has_openid()) else { return Ok(None) };
    let fhir_user = subject.grant.fhir_user_url();
    let wants_profile = subject.scopes.has(NonResource::Profile);
    let person = subject.grant.person.as_ref();
    let claims = Claims {
        iss: subject.issuer,
        sub: account.as_str(),
        aud: grant.client_id.as_str(),
        exp: subject.now.plus_seconds(LIFE_SECONDS).seconds(),
        iat: subject.now.seconds(),
        at_hash: at_hash(subject.access_token),
        auth_time: grant.auth_time.map(UtcMillis::seconds),
        nonce: grant.nonce.as_deref().filter(|_| subject.with_nonce),
        // `profile` is the name SMART 1.0 had for it
        profile: fhir_user.clone().filter(|_| wants_profile),
        fhir_user: fhir_user.filter(|_| subject.scopes.has(NonResource::FhirUser)),
        name: person.map(|person| person.name.as_str()).filter(|_| wants_profile),
        email: person.map(|person| person.email.as_str()).filter(|_| subject.scopes.has(NonResource::Email)),
        sid: grant.session_id.map(session_label),
    };
    signer.sign(TYP, &claims).map(Some)
}

/// The `typ` of an ID token.
const TYP: &str = "JWT";

/// What an `id_token_hint` says, if it is an ID token that this issuer made. Whether it has expired plays no part (RP-Initiated Logout 2): it proves no right, only
/// whom the app means.
#[derive(Clone, Debug)]
pub struct Hint {
    /// Whose: an account id.
    pub account: String,
    /// Given to which client.
    pub client_id: ClientId,
    /// In which session.
    pub sid: Option<String>,
}

/// Reads a hint; `None` for anything but an ID token of this organization's issuer, such as an access token of ours, which is a JWT signed with the same key.
pub async fn read_hint(app: &Arc<App>, organization: &Organization, jwt: &str) -> Result<Option<Hint>, OAuthError> {
    let Some(claims) = verified_claims(app, jwt, TYP).await? else { return Ok(None) };
    let text = |name: &str| claims.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    if text("iss").as_deref() != Some(app.issuer(&organization.slug).as_str()) {
        return Ok(None);
    }
    let (Some(account), Some(client)) = (text("sub"), text("aud")) else { return Ok(None) };
    Ok(Some(Hint { account, client_id: ClientId::from_text(client), sid: text("sid") }))
}

/// `sid` (OpenID Connect Front-Channel Logout 3): names a session without giving away how many there are.
pub fn session_label(session: i64) -> String {
    crate::domain::secrets::hex_digest(&[b"sid", &session.to_be_bytes()])[..32].to_owned()
}

/// The left half of SHA-256 (OpenID Connect Core 3.1.3.6).
fn at_hash(access_token: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(access_token.as_bytes())[..16])
}
