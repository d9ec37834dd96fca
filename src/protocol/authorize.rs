//! The authorization endpoint (RFC 6749 4.1.1, SMART 2.2 app-launch): from a query or form to an *interaction*, a request we will answer.
//!
//! The checks have names and an order; those of single parameters are next door (`authorize_checks`). Until it is known who asks and where the answer may go, a fault stops at our own page: nobody is sent to an address that
//! was not proven to be the client's. Neither is anybody sent to a client that the organization has not approved, or has disabled (D4, RFC 9700 4.11.2): the launch
//! stops here, and says whose move it is. Every later fault goes to the redirect URI with `error`, `state` and `iss`.
//!
//! `state` may be absent (SMART-AL-12 advises against it): PKCE and `iss` protect the answer, OpenID and FAPI certification send requests without one, and none is
//! invented.
//!
//! Who is signed in plays no part yet: what was accepted is written down, and the browser goes on to it with a handle (see [`super::interaction`]).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::{ErrorKind, OAuthError};
use super::oxide::{self, AuthorizationView};
use super::params::Params;
use super::{authorize_checks as checks, launch, redirect_uri, sign_in_only};
use crate::app::App;
use crate::domain::access_requests::RequestState;
use crate::domain::approvals::Approval;
use crate::domain::clients::{Client, ClientMetadata, GrantType};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{ClientId, FhirEndpointId};
use crate::domain::launch_context::LaunchContext;
use crate::domain::organizations::{FhirEndpoint, Organization};
use crate::domain::permission::{Layer, client_may_act};
use crate::domain::tokens::{Sealer, TokenKind};
use crate::storage::{self, Conn, StorageError};

/// How long a person may take from the app to the consent.
const INTERACTION_SECONDS: i64 = 600;

/// An authorization request as accepted. Nothing later changes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client_id: ClientId,
    /// The revision that was live when it was accepted.
    pub client_revision: i64,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// As a form instead of a query.
    pub form_post: bool,
    /// Given back as it is.
    pub state: Option<String>,
    /// For which FHIR endpoint.
    pub fhir_endpoint_id: FhirEndpointId,
    /// What may be granted of what was asked, in the spelling asked.
    pub scopes: String,
    /// S256; empty where none was needed (see [`sign_in_only`]).
    pub code_challenge: String,
    /// For the ID token.
    pub nonce: Option<String>,
    /// The launch handle's row, in an EHR launch.
    pub launch: Option<i64>,
    /// Its context.
    pub context: LaunchContext,
    /// `prompt`.
    pub prompt: Prompt,
    /// `max_age` in seconds.
    pub max_age: Option<i64>,
    /// `login_hint`.
    pub login_hint: Option<String>,
    /// The account that `id_token_hint` names.
    pub hinted_account: Option<String>,
}

/// `prompt` (OpenID Connect Core 3.1.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Ask nothing.
    pub none: bool,
    /// Sign in anew.
    pub login: bool,
    /// Ask for consent, remembered or not.
    pub consent: bool,
}

/// Why a launch stops at our own page.
#[derive(Clone, Debug)]
pub enum Stop {
    /// No such organization, or it is suspended.
    UnknownOrganization,
    /// The request does not read; the sentence says why.
    BadRequest(&'static str),
    /// No such client, or it was deleted.
    UnknownClient,
    /// The redirect URI is not registered.
    BadRedirect(Badges),
    /// The organization has not approved it; where its request stands, if there is one.
    NotApproved(Badges, Option<RequestState>),
    /// The approval ran out.
    Expired(Badges),
    /// The organization disabled it.
    Disabled(Badges),
    /// The launch took too long, was finished, or is somebody else's.
    FlowEnded,
    /// A choice that was not offered.
    NotOffered,
    /// A person's answer that does not fit the page it was given on; the sentence says why.
    BadAnswer(&'static str),
    /// The launch was made for another person, or is about a record that this one may not open.
    WrongPerson(Badges),
    /// The person is not known here, or was switched off.
    UnknownPerson(Badges),
    /// The organization's FHIR server does not answer.
    FhirUnavailable(Badges),
    /// Too much of this in a short time.
    TooMany,
    /// Our database does not answer.
    Unavailable(String),
}

/// Names for a page.
#[derive(Clone, Debug)]
pub struct Badges {
    /// The organization.
    pub organization: Organization,
    /// The client's name in the revision that is live here.
    pub client_name: String,
    /// Digest of its logo.
    pub logo: Option<String>,
    /// Its application provider's name.
    pub provider: String,
    /// Whom to write to about the app.
    pub contact: Option<String>,
}

impl From<StorageError> for Stop {
    fn from(error: StorageError) -> Self {
        if matches!(error, StorageError::Unstorable) {
            return Self::BadRequest("a value holds the character U+0000");
        }
        Self::Unavailable(error.to_string())
    }
}

/// An answer to the client's redirect URI.
#[derive(Clone, Debug)]
pub struct ToClient {
    /// Where to.
    pub redirect_uri: String,
    /// As a form.
    pub form_post: bool,
    /// The client's name, for the form's page.
    pub client_name: String,
    /// `code` or `error`, `state`, `iss`.
    pub params: Vec<(&'static str, String)>,
}

impl ToClient {
    /// As a URL to go to.
    pub fn url(&self) -> String {
        let params: Vec<(&str, &str)> = self.params.iter().map(|(name, value)| (*name, value.as_str())).collect();
        redirect_uri::with_query(&self.redirect_uri, &params)
    }
}

/// What becomes of an authorization request.
#[derive(Clone, Debug)]
pub enum Begun {
    /// It is written down; go on with this handle.
    Interaction(String),
    /// It is refused, and the client is told.
    Refused(ToClient),
}

/// Everything about the asking client at this organization.
pub(super) struct Asker {
    pub(super) organization: Organization,
    pub(super) client: Client,
    pub(super) metadata: ClientMetadata,
    pub(super) approval: Approval,
    pub(super) badges: Badges,
}

/// Looks the client up, and stops if it may not act here.
pub(super) async fn asker(
    conn: &mut Conn,
    organization: Organization,
    client_id: &ClientId,
    now: UtcMillis,
) -> Result<Asker, Stop> {
    let client = storage::clients::lookup(conn, client_id).await?.ok_or(Stop::UnknownClient)?;
    let approval = storage::approvals::find(conn, &organization.id, client_id).await?;
    let revision = approval.as_ref().map_or(client.latest_revision, |approval| approval.client_revision);
    let revision = storage::clients::find_revision(conn, client_id, revision).await?;
    let metadata = revision
        .ok_or_else(|| StorageError::inconsistent("clients", client_id.as_str(), "has no such revision"))?
        .metadata;
    let provider = storage::application_providers::lookup(conn, &client.application_provider_id).await?;
    let badges = Badges {
        organization: organization.clone(),
        client_name: metadata.name.clone(),
        logo: metadata.logo.clone(),
        provider: provider.map(|provider| provider.name).unwrap_or_default(),
        contact: metadata.contacts.first().cloned(),
    };
    match client_may_act(now, &organization, &client, approval.as_ref()) {
        Ok(approval) => {
            let approval = approval.clone();
            Ok(Asker { organization, client, metadata, approval, badges })
        }
        Err(Layer::Disabled) => Err(Stop::Disabled(badges)),
        Err(Layer::ApprovalExpired) => Err(Stop::Expired(badges)),
        Err(Layer::NotApproved) => {
            let request = storage::access_requests::find_latest(conn, &organization.id, client_id).await?;
            Err(Stop::NotApproved(badges, request.map(|request| request.state)))
        }
        Err(Layer::Organization) => Err(Stop::UnknownOrganization),
        Err(
            Layer::Client
            | Layer::Epoch
            | Layer::Grant
            | Layer::Person
            | Layer::Endpoint
            | Layer::Consent
            | Layer::NeedsKey
            | Layer::Scopes,
        ) => Err(Stop::UnknownClient),
    }
}

/// Takes an authorization request.
pub async fn begin(app: &Arc<App>, slug: &str, params: &Params) -> Result<Begun, Stop> {
    let now = app.now();
    // 1 who asks whom, and where may the answer go: faults stop here
    let mut conn = app.store.read().await?;
    let organization = storage::organizations::find_by_slug(&mut conn, slug).await?.ok_or(Stop::UnknownOrganization)?;
    if ["client_id", "redirect_uri", "state"].iter().any(|name| params.is_repeated(name)) {
        return Err(Stop::BadRequest("client_id, redirect_uri or state is repeated"));
    }
    let client_id = params.get("client_id").ok_or(Stop::BadRequest("client_id is missing"))?;
    let asker = asker(&mut conn, organization, &ClientId::from_text(client_id), now).await?;
    let redirect_uri = params.get("redirect_uri").ok_or(Stop::BadRequest("redirect_uri is missing"))?;
    if !redirect_uri::is_registered(redirect_uri, &asker.metadata.redirect_uris, asker.metadata.native) {
        return Err(Stop::BadRedirect(asker.badges));
    }
    let endpoints = storage::organizations::list_endpoints(&mut conn, &asker.organization.id).await?;
    drop(conn);
    // 2 everything else: faults go to the client
    let form_post = params.get("response_mode") == Some("form_post");
    match accept(app, &asker, params, redirect_uri, &endpoints).await {
        Ok(request) => Ok(Begun::Interaction(write_down(app, &asker, &request, now).await?)),
        Err(refusal) if refusal.kind == ErrorKind::TemporarilyUnavailable => {
            Err(Stop::Unavailable(refusal.because.unwrap_or_default()))
        }
        // L10: whoever guesses handles is no longer sent on
        Err(refusal)
            if refusal.text == launch::NOT_VALID
                && launch::throttle::is_guessing(app, &asker.organization.id, &asker.client.id).await? =>
        {
            Err(Stop::TooMany)
        }
        Err(refusal) => {
            tracing::debug!(
                client = client_id,
                error = refusal.kind.as_str(),
                because = refusal.because.as_deref(),
                "an authorization request was refused"
            );
            let issuer = app.issuer(&asker.organization.slug);
            Ok(Begun::Refused(refused(
                &issuer,
                &refusal,
                redirect_uri,
                form_post,
                (params.get("state"), &asker.badges.client_name),
            )))
        }
    }
}

/// An error response (RFC 6749 4.1.2.1, RFC 9207).
pub(super) fn refused(
    issuer: &str,
    refusal: &OAuthError,
    redirect_uri: &str,
    form_post: bool,
    (state, client_name): (Option<&str>, &str),
) -> ToClient {
    let mut params = vec![("error", refusal.kind.as_str().to_owned()), ("error_description", refusal.text.to_owned())];
    params.extend(state.map(|state| ("state", state.to_owned())));
    params.push(("iss", issuer.to_owned()));
    ToClient { redirect_uri: redirect_uri.to_owned(), form_post, client_name: client_name.to_owned(), params }
}

async fn accept(
    app: &Arc<App>,
    asker: &Asker,
    params: &Params,
    redirect_uri: &str,
    endpoints: &[FhirEndpoint],
) -> Result<AuthorizationRequest, OAuthError> {
    let refuse = |kind, text| Err(OAuthError::new(kind, text));
    if params.any_repeated() {
        return Err(OAuthError::request("a parameter is repeated"));
    }
    checks::lengths(params)?;
    // never silently ignored: what is in there would be thought to count
    if params.has("request") {
        return refuse(ErrorKind::RequestNotSupported, "request objects are not supported");
    }
    if params.has("request_uri") {
        return refuse(ErrorKind::RequestUriNotSupported, "request_uri is not supported");
    }
    let response_type = params.get("response_type").ok_or_else(|| OAuthError::request("response_type is missing"))?;
    if response_type != "code" {
        return refuse(ErrorKind::UnsupportedResponseType, "response_type must be code");
    }
    if !asker.metadata.may_use(GrantType::AuthorizationCode) {
        return refuse(ErrorKind::UnauthorizedClient, "the client is not registered for this grant type");
    }
    if params.get("response_mode").is_some_and(|mode| mode != "query" && mode != "form_post") {
        return Err(OAuthError::request("response_mode must be query or form_post"));
    }
    let waived = sign_in_only::waived(&asker.metadata, params);
    if !waived.pkce {
        checks::pkce(params)?;
    }
    let endpoint = if waived.audience {
        checks::any_endpoint(asker, endpoints)?
    } else {
        checks::audience(asker, params, endpoints)?
    };
    let prompt = checks::prompt(params)?;
    let max_age = checks::max_age(params)?.or(asker.metadata.declared.default_max_age);
    let asked = checks::asked_scopes(params, endpoint)?;
    let (launch, context) = checks::launch(app, asker, params, endpoint, &asked).await?;
    let scopes = checks::grantable(app, asker, endpoint, &asked)?.to_string();
    oxide::authorization(&AuthorizationView {
        client_id: asker.client.id.as_str(),
        redirect_uri,
        scope: &scopes,
        state: params.get("state"),
        response_type,
    })?;
    Ok(AuthorizationRequest {
        client_id: asker.client.id.clone(),
        client_revision: asker.approval.client_revision,
        redirect_uri: redirect_uri.to_owned(),
        form_post: params.get("response_mode") == Some("form_post"),
        state: params.get("state").map(str::to_owned),
        fhir_endpoint_id: endpoint.id.clone(),
        scopes,
        code_challenge: params.get("code_challenge").unwrap_or_default().to_owned(),
        nonce: params.get("nonce").map(str::to_owned),
        launch,
        context,
        prompt,
        max_age,
        login_hint: params.get("login_hint").map(str::to_owned),
        hinted_account: checks::hinted_account(app, &asker.organization, params).await?,
    })
}

async fn write_down(
    app: &Arc<App>,
    asker: &Asker,
    request: &AuthorizationRequest,
    now: UtcMillis,
) -> Result<String, Stop> {
    let secret = Sealer::secret(app.entropy.as_ref());
    let row = storage::interactions::InteractionRow {
        id: 0,
        secret_hash: secret.hashed(),
        organization_id: asker.organization.id.clone(),
        client_id: asker.client.id.clone(),
        account_id: None,
        session_id: None,
        request: serde_json::to_value(request).expect("a request of ours serializes"),
        progress: serde_json::json!({}),
        created_at: now,
        expires_at: now.plus_seconds(INTERACTION_SECONDS),
        finished_at: None,
    };
    let id: i64 = app
        .store
        .write::<_, StorageError, _>(move |conn| {
            Box::pin(async move { storage::interactions::insert(conn, &row).await })
        })
        .await?;
    Ok(app.sealer.seal(TokenKind::Interaction, id, &secret).reveal().to_owned())
}
