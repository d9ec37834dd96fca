//! Who is this client? RFC 6749 2.3, RFC 7523, SMART 2.2.
//!
//! The method a client registered is binding: a client with keys cannot fall back to a secret, a confidential one not to none (SMART-AS-16). One method per
//! request. Whatever goes wrong, and for a client that may not act at this organization too, the answer is one and the same `invalid_client` (K20), after the
//! same work: the same statements are asked of the database whether a client exists or not, and a signature is verified even if it is nobody's.
//!
//! Wrong secrets are counted per client that was named, whether it exists or not; beyond a limit they are answered with 429. A right secret is taken all the while:
//! our secrets cannot be guessed, and whoever floods the door in a client's name must not lock the client out.
//!
//! A key counts that the organization approved and that the client still registers inline: one that its developer took out, because it leaked, is nobody's from that
//! moment, whoever has approved what. A client that moved to a `jwks_uri` meanwhile keeps what was approved until that is.
//!
//! HTTP Basic is read both ways: as it stands, and form-decoded as RFC 6749 2.3.1 asks, because real clients do either. Our ids and secrets read the same in
//! both, so the two readings never name two clients.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::client_assertion::{ASSERTION_TYPE, Assertion, Expected};
use super::client_lookup::{Known, lookup};
use super::error::{ErrorKind, OAuthError};
use super::jwk;
use super::params::{Params, decoded};
use crate::app::App;
use crate::domain::approvals::Approval;
use crate::domain::clients::{AssertionAudience, Client, ClientMetadata, ClientSecret, ClientType};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{ClientId, ClientSecretId};
use crate::domain::organizations::Organization;
use crate::domain::permission::client_may_act;
use crate::domain::secrets::{HashedSecret, PlainSecret, hex_digest};
use crate::domain::throttle::Limit;
use crate::storage;

/// A client, and how well it is known.
#[derive(Clone, Debug)]
pub struct ProvenClient {
    /// The client.
    pub client: Client,
    /// What it says of itself in the revision that is live at this organization.
    pub metadata: ClientMetadata,
    /// The organization's answer: enabled and unexpired when this was looked up. Transactions ask again.
    pub approval: Approval,
    /// The secret it used, to be noted in the transaction of what it came for.
    pub used_secret: Option<ClientSecretId>,
}

impl ProvenClient {
    /// It said who it is, without proof.
    pub fn is_public(&self) -> bool {
        self.metadata.client_type == ClientType::Public
    }
}

/// What a request offers as proof.
#[derive(Clone, Debug)]
pub enum Offered {
    /// HTTP Basic: each way to read it, `(client_id, secret)`.
    Basic(Vec<(String, PlainSecret)>),
    /// `client_id` and `client_secret` in the body.
    Post(String, PlainSecret),
    /// `client_assertion`.
    Assertion(Box<Assertion>),
    /// `client_id` alone.
    Name(String),
    /// Nothing at all: a public client's refresh token may name it.
    Nothing,
}

/// Reads what is offered; more than one method is refused (K17).
pub fn offered(authorization: Option<&str>, params: &Params) -> Result<Offered, OAuthError> {
    let has_assertion = params.has("client_assertion") || params.has("client_assertion_type");
    let has_secret = params.has("client_secret");
    let methods = usize::from(authorization.is_some()) + usize::from(has_assertion) + usize::from(has_secret);
    if methods > 1 {
        return Err(OAuthError::request("use one method of client authentication"));
    }
    let client_id = params.get("client_id");
    if let Some(header) = authorization {
        let readings = basic(header).ok_or_else(|| OAuthError::client("the Authorization header does not read"))?;
        if client_id.is_some_and(|named| readings.iter().all(|(id, _)| id != named)) {
            return Err(OAuthError::client("client_id differs from the Authorization header"));
        }
        return Ok(Offered::Basic(readings));
    }
    if has_assertion {
        if params.get("client_assertion_type") != Some(ASSERTION_TYPE) {
            return Err(OAuthError::client("client_assertion_type is not jwt-bearer"));
        }
        let jwt = params.get("client_assertion").ok_or_else(|| OAuthError::client("there is no client_assertion"))?;
        let assertion = Assertion::read(jwt).map_err(OAuthError::client)?;
        if client_id.is_some_and(|named| named != assertion.unverified_client_id()) {
            return Err(OAuthError::client("client_id differs from the assertion"));
        }
        return Ok(Offered::Assertion(Box::new(assertion)));
    }
    match (client_id, params.get("client_secret")) {
        (Some(id), Some(secret)) => Ok(Offered::Post(id.to_owned(), PlainSecret::from_text(secret))),
        (None, Some(_)) => Err(OAuthError::client("a secret without a client_id")),
        (Some(id), None) => Ok(Offered::Name(id.to_owned())),
        (None, None) => Ok(Offered::Nothing),
    }
}

/// The readings of HTTP Basic: raw, and form-decoded if that differs.
pub fn basic(header: &str) -> Option<Vec<(String, PlainSecret)>> {
    let (scheme, credentials) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    if id.is_empty() || secret.is_empty() || text.contains('\0') {
        return None;
    }
    let mut readings = vec![(id.to_owned(), PlainSecret::from_text(secret))];
    if let (Ok(id_decoded), Ok(secret_decoded)) = (decoded(id), decoded(secret))
        && (id_decoded != id || secret_decoded != secret)
    {
        readings.push((id_decoded, PlainSecret::from_text(secret_decoded)));
    }
    Some(readings)
}

/// Where a client proves itself.
#[derive(Clone, Copy, Debug)]
pub struct Door<'a> {
    /// Whose issuer.
    pub organization: &'a Organization,
    /// At the token endpoint, where the token URL is a good audience too.
    pub is_token_endpoint: bool,
}

/// Proves a client, or refuses. Takes no part in any transaction: it may have to fetch keys.
pub async fn authenticate(app: &App, door: Door<'_>, offered: &Offered) -> Result<ProvenClient, OAuthError> {
    let proven = prove(app, door, offered).await;
    let named = match (&proven, offered) {
        (Err(error), Offered::Basic(readings)) if error.kind == ErrorKind::InvalidClient => {
            readings.first().map(|(id, _)| id)
        }
        (Err(error), Offered::Post(id, _)) if error.kind == ErrorKind::InvalidClient => Some(id),
        _ => None,
    };
    if let Some(named) = named {
        // a digest, because a name may be as long as a body
        let subject = hex_digest(&[door.organization.id.as_str().as_bytes(), named.as_bytes()]);
        let limit = Limit::per_minute(app.config.limits.wrong_secrets_per_minute);
        app.memory
            .wrong_secrets
            .count(&subject, limit, app.now())
            .map_err(|seconds| OAuthError::too_many(seconds, "client authentication failed too often"))?;
    }
    proven
}

async fn prove(app: &App, door: Door<'_>, offered: &Offered) -> Result<ProvenClient, OAuthError> {
    let now = app.now();
    let ids: Vec<&str> = match offered {
        Offered::Basic(readings) => readings.iter().map(|(id, _)| id.as_str()).collect(),
        Offered::Post(id, _) | Offered::Name(id) => vec![id],
        Offered::Assertion(assertion) => vec![assertion.unverified_client_id()],
        Offered::Nothing => return Err(OAuthError::client("no client authentication")),
    };
    let Some(known) = lookup(app, door.organization, &ids).await? else {
        work_in_vain(app, door, offered);
        return Err(OAuthError::client("unknown client"));
    };
    let mut used_secret = None;
    match (known.metadata.client_type, offered) {
        (ClientType::Public, Offered::Name(_)) => {}
        (ClientType::ConfidentialSecret, Offered::Basic(readings)) => {
            let presented: Vec<_> = readings
                .iter()
                .filter(|(id, _)| id == known.client.id.as_str())
                .map(|(_, secret)| secret.hashed())
                .collect();
            used_secret = Some(matching_secret(&known.secrets, &presented, now)?);
        }
        (ClientType::ConfidentialSecret, Offered::Post(_, secret)) => {
            used_secret = Some(matching_secret(&known.secrets, &[secret.hashed()], now)?);
        }
        (ClientType::ConfidentialKeys, Offered::Assertion(assertion)) => {
            verify_assertion(app, door, &known, assertion).await?;
        }
        (registered, _) => {
            work_in_vain(app, door, offered);
            return Err(OAuthError::client(format!("the method is not the registered one ({registered:?})")));
        }
    }
    let approval = client_may_act(now, door.organization, &known.client, known.approval.as_ref())
        .map_err(|layer| OAuthError::client(layer.as_str()))?
        .clone();
    Ok(ProvenClient { client: known.client, metadata: known.metadata, approval, used_secret })
}

/// What looking at the proof of a client with a wrong one costs.
fn work_in_vain(app: &App, door: Door<'_>, offered: &Offered) {
    let nobody = PlainSecret::from_text("nobody's secret").hashed();
    match offered {
        Offered::Basic(readings) => {
            for (_, secret) in readings {
                std::hint::black_box(secret.hashed().matches(&nobody));
            }
        }
        Offered::Post(_, secret) => {
            std::hint::black_box(secret.hashed().matches(&nobody));
        }
        Offered::Assertion(assertion) => {
            let issuer = app.issuer(&door.organization.slug);
            let token_url = format!("{issuer}/token");
            let expected = Expected {
                issuer: &issuer,
                token_url: door.is_token_endpoint.then_some(token_url.as_str()),
                audience: AssertionAudience::Smart,
                jwks_uri: None,
                algorithm: None,
                now: app.now(),
            };
            if assertion.check(&expected).is_ok() {
                assertion.verify_in_vain();
            }
        }
        Offered::Name(_) | Offered::Nothing => {}
    }
}

fn matching_secret(
    secrets: &[ClientSecret],
    presented: &[HashedSecret],
    now: UtcMillis,
) -> Result<ClientSecretId, OAuthError> {
    // every live secret is compared, whichever matches
    let mut found = None;
    for secret in secrets.iter().filter(|secret| secret.is_live(now)) {
        if presented.iter().any(|one| one.matches(&secret.secret_hash)) {
            found = Some(secret.id.clone());
        }
    }
    found.ok_or_else(|| OAuthError::client("wrong secret"))
}

async fn verify_assertion(app: &App, door: Door<'_>, known: &Known, assertion: &Assertion) -> Result<(), OAuthError> {
    let now = app.now();
    let issuer = app.issuer(&door.organization.slug);
    let token_url = format!("{issuer}/token");
    let expected = Expected {
        issuer: &issuer,
        token_url: door.is_token_endpoint.then_some(token_url.as_str()),
        audience: known.metadata.assertion_audience,
        jwks_uri: known.metadata.jwks_uri.as_deref(),
        algorithm: known.metadata.declared.assertion_algorithm.as_deref(),
        now,
    };
    assertion.check(&expected).map_err(OAuthError::client)?;
    let text = match (&known.metadata.jwks_uri, &known.metadata.jwks) {
        (Some(url), _) => {
            let kid = assertion.kid().map(str::to_owned);
            let has_key = move |text: &str| kid.as_deref().is_none_or(|kid| jwk::has_kid(text, kid));
            let allow_private = app.config.outbound.allow_private_networks;
            app.memory
                .jwks
                .get(url, allow_private, now, has_key)
                .await
                .map_err(|error| OAuthError::client(error.to_string()))?
                .to_string()
        }
        (None, Some(inline)) => inline.clone(),
        (None, None) => return Err(OAuthError::client("the client has no keys")),
    };
    let mut keys = jwk::usable_keys(&text).map_err(|error| OAuthError::client(error.to_string()))?;
    if let Some(inline) = &known.latest_inline_keys {
        keys.retain(|key| inline.iter().any(|one| one.is_same_key(key)));
    }
    assertion.verify(&keys).map_err(OAuthError::client)?;
    // last, so that nobody without the key can use up somebody's jti
    let (key, until) = assertion.replay_key();
    let is_first: bool = app
        .store
        .write::<_, OAuthError, _>(move |conn| {
            Box::pin(async move { Ok(storage::single_use::consume(conn, "assertion", &key, until).await?) })
        })
        .await?;
    if is_first { Ok(()) } else { Err(OAuthError::client("the assertion was used before")) }
}

/// Notes in the caller's transaction that a secret was used; to the minute.
pub async fn note_use(conn: &mut storage::Conn, client: &ProvenClient, now: UtcMillis) -> Result<(), OAuthError> {
    let Some(id) = &client.used_secret else { return Ok(()) };
    storage::clients::touch_secret(conn, id, now).await?;
    Ok(())
}

/// The client a public client's own token names (fhirclient refreshes without `client_id`): the caller has found the token, and asks whether its client may do
/// without proof.
pub async fn named_by_token(
    app: &App,
    organization: &Organization,
    client: &ClientId,
) -> Result<ProvenClient, OAuthError> {
    let door = Door { organization, is_token_endpoint: true };
    authenticate(app, door, &Offered::Name(client.as_str().to_owned())).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn basic_is_read_raw_and_form_decoded() {
        let readings = basic("Basic bXktYXBwOm15LWFwcC1zZWNyZXQtMTIz").unwrap();
        assert_eq!((readings[0].0.as_str(), readings[0].1.reveal()), ("my-app", "my-app-secret-123"));
        let readings = basic(&header("my%2Dapp:a%3Ab%2Bc")).unwrap();
        assert_eq!((readings[0].0.as_str(), readings[0].1.reveal()), ("my%2Dapp", "a%3Ab%2Bc"));
        assert_eq!((readings[1].0.as_str(), readings[1].1.reveal()), ("my-app", "a:b+c"));
        assert_eq!(basic(&header("a:b:c")).unwrap()[0].1.reveal(), "b:c");
        assert!(basic("bAsIc bXktYXBwOm15LWFwcC1zZWNyZXQtMTIz").is_some());
    }

    #[test]
    fn basic_that_does_not_read_is_no_proof() {
        for bad in
            ["Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Bearer bXk6YQ==", "Basic Og==", "Basic YTo=", "Basic OmE="]
        {
            assert!(basic(bad).is_none(), "{bad}");
        }
        for nul in ["a\0b:c", "a:b\0c"] {
            assert!(basic(&header(nul)).is_none(), "{nul:?}");
        }
        assert_eq!(basic(&header("a%00b:c")).unwrap().len(), 1, "a reading that holds U+0000 is none");
        assert!(basic(&format!("Basic {}", STANDARD.encode([0xff, b':', 0xff]))).is_none());
    }

    #[test]
    fn two_methods_in_one_request_are_refused() {
        let secret = Params::from_pairs([("client_id", "a"), ("client_secret", "b")]);
        assert_eq!(offered(Some(&header("a:b")), &secret).unwrap_err().kind, ErrorKind::InvalidRequest);
        let both = Params::from_pairs([("client_id", "a"), ("client_secret", "b"), ("client_assertion", "x")]);
        assert_eq!(offered(None, &both).unwrap_err().kind, ErrorKind::InvalidRequest);
        let named = Params::from_pairs([("client_id", "a")]);
        assert!(
            matches!(offered(Some(&header("a:b")), &named), Ok(Offered::Basic(_))),
            "Basic with the same client_id is what many clients send"
        );
        let other = Params::from_pairs([("client_id", "c")]);
        assert_eq!(offered(Some(&header("a:b")), &other).unwrap_err().kind, ErrorKind::InvalidClient);
        let empty = Params::from_pairs([("client_id", "a"), ("client_secret", "")]);
        assert!(matches!(offered(None, &empty), Ok(Offered::Name(_))), "an empty secret is none (RFC 6749 3.2)");
        let empty =
            Params::from_pairs([("client_secret", ""), ("client_assertion", ""), ("client_assertion_type", "")]);
        assert!(matches!(offered(Some(&header("a:b")), &empty), Ok(Offered::Basic(_))));
        assert_eq!(offered(Some(&header("a:")), &empty).unwrap_err().kind, ErrorKind::InvalidClient);
        let wrong_type = Params::from_pairs([("client_assertion", "x"), ("client_assertion_type", "urn:wrong")]);
        assert_eq!(offered(None, &wrong_type).unwrap_err().kind, ErrorKind::InvalidClient);
    }
}
