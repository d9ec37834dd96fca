//! What is checked of an authorization request once it is known who asks and where the answer may go: parameter by parameter, each refusal for the client.

use std::sync::Arc;

use fhir_scopes::{Level, NonResource, ScopeSet};

use super::authorize::{Asker, Prompt};
use super::error::{ErrorKind, OAuthError};
use super::params::Params;
use super::{launch as handles, oxide};
use crate::app::App;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::launch_context::LaunchContext;
use crate::domain::organizations::{FhirEndpoint, Organization};
use crate::domain::permission::{Consent, Facts, may_be_used, scopes_within};
use crate::domain::tokens::TokenKind;
use crate::storage::{self, StorageError};

/// What comes back to us or to the app in a URL, in a header or in an ID token fits there: whatever is taken is usable all the way, whichever method brought it.
const LONGEST: [(&str, usize, &str); 3] = [
    ("state", 4096, "state is longer than 4096 bytes"),
    ("nonce", 1024, "nonce is longer than 1024 bytes"),
    ("login_hint", 512, "login_hint is longer than 512 bytes"),
];

/// Parameters whose length nothing else bounds.
pub(super) fn lengths(params: &Params) -> Result<(), OAuthError> {
    let is_long = |name: &str, most: usize| params.get(name).is_some_and(|value| value.len() > most);
    match LONGEST.iter().find(|(name, most, _)| is_long(name, *most)) {
        Some((_, _, text)) => Err(OAuthError::request(text)),
        None => Ok(()),
    }
}

/// S256 or nothing, for every client (SMART-AL-15; see [`super::sign_in_only`] for the one request that needs none). An omitted method would mean `plain`, and is refused as such.
pub(super) fn pkce(params: &Params) -> Result<(), OAuthError> {
    let challenge = params.get("code_challenge").ok_or_else(|| OAuthError::request("code_challenge is missing"))?;
    if params.get("code_challenge_method") != Some("S256") {
        return Err(OAuthError::request("code_challenge_method must be S256"));
    }
    if !super::pkce::is_challenge(challenge) {
        return Err(OAuthError::request("code_challenge is not an S256 challenge"));
    }
    Ok(())
}

/// `aud` (SMART) or its synonym `resource` (RFC 8707): a FHIR base URL of this organization that the client is approved for.
pub(super) fn audience<'a>(
    asker: &Asker,
    params: &Params,
    endpoints: &'a [FhirEndpoint],
) -> Result<&'a FhirEndpoint, OAuthError> {
    let (aud, resource) = (params.get("aud"), params.get("resource"));
    let trimmed = |text: &str| text.strip_suffix('/').unwrap_or(text).to_owned();
    if let (Some(aud), Some(resource)) = (aud, resource)
        && trimmed(aud) != trimmed(resource)
    {
        return Err(OAuthError::new(ErrorKind::InvalidTarget, "aud and resource differ"));
    }
    let named = aud.or(resource).ok_or_else(|| OAuthError::request("aud is missing"))?;
    endpoints
        .iter()
        .find(|endpoint| endpoint.is_named(named))
        .filter(|endpoint| asker.approval.fhir_endpoints.contains(&endpoint.id))
        .ok_or_else(|| OAuthError::request("aud is not a FHIR base URL this client may use here"))
}

/// The FHIR endpoint under which somebody is signed in who asks for nothing there.
pub(super) fn any_endpoint<'a>(asker: &Asker, endpoints: &'a [FhirEndpoint]) -> Result<&'a FhirEndpoint, OAuthError> {
    let mut approved = endpoints.iter().filter(|endpoint| asker.approval.fhir_endpoints.contains(&endpoint.id));
    approved.next().ok_or_else(|| OAuthError::request("aud is missing"))
}

pub(super) fn prompt(params: &Params) -> Result<Prompt, OAuthError> {
    let mut prompt = Prompt::default();
    for word in params.get("prompt").unwrap_or_default().split(' ').filter(|word| !word.is_empty()) {
        match word {
            "none" => prompt.none = true,
            // there is no chooser of accounts: signing in anew is how one chooses
            "login" | "select_account" | "create" => prompt.login = true,
            "consent" => prompt.consent = true,
            _ => return Err(OAuthError::request("prompt has an unknown value")),
        }
    }
    if prompt.none && (prompt.login || prompt.consent) {
        return Err(OAuthError::request("prompt=none stands alone"));
    }
    Ok(prompt)
}

pub(super) fn max_age(params: &Params) -> Result<Option<i64>, OAuthError> {
    let Some(text) = params.get("max_age") else { return Ok(None) };
    match text.parse::<i64>() {
        Ok(seconds) if (0..=i64::from(i32::MAX)).contains(&seconds) && !text.starts_with('+') => Ok(Some(seconds)),
        Ok(_) | Err(_) => Err(OAuthError::request("max_age is not a number of seconds")),
    }
}

pub(super) fn asked_scopes(params: &Params, endpoint: &FhirEndpoint) -> Result<ScopeSet, OAuthError> {
    let text = params.get("scope").ok_or_else(|| OAuthError::new(ErrorKind::InvalidScope, "scope is missing"))?;
    oxide::check_scope_text(text)?;
    Ok(ScopeSet::parse_lenient(text, endpoint.release).0)
}

/// EHR launch: the handle must be this client's, for this FHIR endpoint, unspent and in time. It is consumed with the code.
pub(super) async fn launch(
    app: &Arc<App>,
    asker: &Asker,
    params: &Params,
    endpoint: &FhirEndpoint,
    asked: &ScopeSet,
) -> Result<(Option<i64>, LaunchContext), OAuthError> {
    let handle = params.get("launch");
    match (handle, asked.has(NonResource::Launch)) {
        (None, false) => return Ok((None, LaunchContext::default())),
        (None, true) => {
            return Err(OAuthError::new(ErrorKind::InvalidScope, "the scope launch needs the parameter launch"));
        }
        (Some(_), false) => {
            return Err(OAuthError::new(ErrorKind::InvalidScope, "the parameter launch needs the scope launch"));
        }
        (Some(_), true) => {}
    }
    let refusal = || OAuthError::request(handles::NOT_VALID);
    let presented = app.sealer.open(TokenKind::Launch, handle.unwrap_or_default()).ok_or_else(refusal)?;
    let now = app.now();
    let found =
        storage::launch_handles::find(&mut *app.store.read().await?, presented.unverified_id, &presented.secret)
            .await?;
    let handle = found.ok_or_else(refusal)?;
    let is_here = handle.organization_id == asker.organization.id
        && handle.client_id == asker.client.id
        && handle.fhir_endpoint_id == endpoint.id;
    if !is_here {
        // L02: somebody shows a handle that was made for somebody else
        let record = AuditEvent::new(
            &handle.organization_id,
            now,
            "launch.presented_by_stranger",
            Actor::Client(asker.client.id.clone()),
        )
        .client(&asker.client.id)
        .subject(format!("launch/{}", handle.id))
        .refused();
        app.store
            .write::<_, StorageError, _>(move |conn| {
                Box::pin(async move { storage::audit::append(conn, &record).await })
            })
            .await?;
        return Err(refusal());
    }
    if handle.consumed_at.is_some() || now >= handle.expires_at {
        return Err(refusal());
    }
    Ok((Some(handle.id), handle.context))
}

/// What may be granted at all: within the approved scopes, and nothing for a backend service (S07).
pub(super) fn grantable(
    app: &App,
    asker: &Asker,
    endpoint: &FhirEndpoint,
    asked: &ScopeSet,
) -> Result<ScopeSet, OAuthError> {
    let asked = asked.filtered(|scope| scope.resource().is_none_or(|resource| resource.level != Level::System));
    let facts = Facts {
        now: app.now(),
        organization: &asker.organization,
        client: &asker.client,
        client_type: asker.metadata.client_type,
        approval: Some(&asker.approval),
        epoch: None,
        endpoint,
        person_is_active: None,
        consent: Consent::Pending,
        grant_is_revoked: false,
    };
    let permit = may_be_used(&facts).map_err(|layer| {
        OAuthError::new(ErrorKind::AccessDenied, "this is not possible now").because(layer.as_str())
    })?;
    Ok(scopes_within(&permit, &asked, endpoint)?)
}

/// `id_token_hint`: the account that an ID token of ours names.
pub(super) async fn hinted_account(
    app: &Arc<App>,
    organization: &Organization,
    params: &Params,
) -> Result<Option<String>, OAuthError> {
    let Some(hint) = params.get("id_token_hint") else { return Ok(None) };
    let hint = super::id_token::read_hint(app, organization, hint).await?;
    Ok(Some(hint.ok_or_else(|| OAuthError::request("id_token_hint is not an ID token of ours"))?.account))
}
