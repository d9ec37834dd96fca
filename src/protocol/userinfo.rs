//! UserInfo (OpenID Connect Core 5.3).

use std::sync::Arc;

use fhir_scopes::NonResource;
use serde_json::{Map, Value};

use super::error::{ErrorKind, OAuthError};
use super::introspection::{first_use, live_token};
use crate::app::App;
use crate::domain::organizations::Organization;

/// The claims about the person behind an access token with `openid`.
pub async fn userinfo(
    app: &Arc<App>,
    organization: &Organization,
    token: &str,
) -> Result<Map<String, Value>, OAuthError> {
    let invalid = || OAuthError::new(ErrorKind::InvalidToken, "the token is not valid");
    let live = live_token(app, organization, token).await?.map_err(|_| invalid())?;
    if !first_use(app, &live).await? {
        return Err(invalid());
    }
    let Some(account) = live.grant.grant.account_id.as_ref().filter(|_| live.scopes.has_openid()) else {
        return Err(OAuthError::new(ErrorKind::InsufficientScope, "the scope openid is needed"));
    };
    let mut claims = Map::new();
    claims.insert("sub".into(), account.as_str().into());
    let wants_profile = live.scopes.has(NonResource::Profile);
    if let Some(user) = live.grant.fhir_user_url() {
        if live.scopes.has(NonResource::FhirUser) {
            claims.insert("fhirUser".into(), user.clone().into());
        }
        if wants_profile {
            claims.insert("profile".into(), user.into());
        }
    }
    if let Some(person) = live.grant.person.as_ref() {
        if wants_profile {
            claims.insert("name".into(), person.name.as_str().into());
        }
        if live.scopes.has(NonResource::Email) {
            claims.insert("email".into(), person.email.as_str().into());
        }
    }
    Ok(claims)
}
