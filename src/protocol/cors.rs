//! Which web pages may read our answers (SMART-AL-35, C20): pages at the origin of a redirect URI of the client that asks. Never with credentials: we set none.

use std::sync::Arc;

use super::error::OAuthError;
use super::params::Params;
use super::{access_token, client_auth};
use crate::app::App;
use crate::domain::ids::ClientId;
use crate::domain::organizations::Organization;
use crate::domain::tokens::TokenKind;
use crate::storage;

/// An origin as browsers send it, or nothing: `null` and oddities are no origin.
pub fn read_origin(header: &str) -> Option<String> {
    let url = url::Url::parse(header).ok()?;
    let origin = url.origin();
    let text = origin.ascii_serialization();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:/[]".contains(&byte));
    (origin.is_tuple() && text == header && is_plain && matches!(url.scheme(), "http" | "https")).then_some(text)
}

/// May a page at this origin read the answer to this request? The client is the one the request names: by id, by Basic, or by its token.
pub async fn is_allowed(
    app: &Arc<App>,
    organization: &Organization,
    origin: &str,
    (authorization, params): (Option<&str>, &Params),
) -> Result<bool, OAuthError> {
    let Some(client_id) = named_client(app, organization, authorization, params).await? else { return Ok(false) };
    let mut conn = app.store.read().await?;
    let Some(approval) = storage::approvals::find(&mut conn, &organization.id, &client_id).await? else {
        return Ok(false);
    };
    let revision = storage::clients::find_revision(&mut conn, &client_id, approval.client_revision).await?;
    let redirect_uris = revision.map(|revision| revision.metadata.redirect_uris).unwrap_or_default();
    let is_home = |uri: &String| url::Url::parse(uri).is_ok_and(|url| url.origin().ascii_serialization() == origin);
    Ok(redirect_uris.iter().any(is_home))
}

async fn named_client(
    app: &Arc<App>,
    organization: &Organization,
    authorization: Option<&str>,
    params: &Params,
) -> Result<Option<ClientId>, OAuthError> {
    if let Some(id) = params.get("client_id") {
        return Ok(Some(ClientId::from_text(id)));
    }
    if let Some(readings) = authorization.and_then(client_auth::basic) {
        return Ok(readings.first().map(|(id, _)| ClientId::from_text(id.as_str())));
    }
    let bearer = authorization.and_then(super::introspection::bearer);
    for token in [params.get("refresh_token"), params.get("token"), bearer].into_iter().flatten() {
        let opened = access_token::open(app, organization, token).await?;
        let mut conn = app.store.read().await?;
        if let Some(presented) = app.sealer.open(TokenKind::Refresh, token) {
            return Ok(storage::tokens::find_refresh(&mut conn, presented.unverified_id, &presented.secret)
                .await?
                .map(|token| token.client_id));
        }
        if let Some(access_token::Opened { presented, .. }) = opened {
            return Ok(storage::tokens::find_access(&mut conn, presented.unverified_id, &presented.secret)
                .await?
                .map(|token| token.client_id));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_oddities_are_no_origin() {
        assert_eq!(read_origin("https://app.example").as_deref(), Some("https://app.example"));
        assert_eq!(read_origin("http://localhost:4000").as_deref(), Some("http://localhost:4000"));
        for odd in [
            "null",
            "",
            "https://app.example/",
            "https://app.example/x",
            "https://a@app.example",
            "file://",
            "HTTPS://app.example",
            "https://a_b.example",
            "%",
        ] {
            assert_eq!(read_origin(odd), None, "{odd}");
        }
    }
}
