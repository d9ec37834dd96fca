//! The crates `oauth2` and `openidconnect`, unmodified, against the running program: what a Rust developer would do on the first day.
//!
//! Its cousins for Node and Python are in `tests/interop/`.

#![allow(clippy::unwrap_used, reason = "a test that meets something else than it expects has failed")]

#[path = "interop/openidconnect.rs"]
mod openidconnect;
#[path = "interop/person.rs"]
mod person;

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use oauth2::basic::{BasicClient, BasicErrorResponse, BasicErrorResponseType};
use oauth2::{
    AccessToken, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, IntrospectionUrl, PkceCodeChallenge, RedirectUrl, RequestTokenError, RevocationUrl,
    Scope, TokenIntrospectionResponse as _, TokenResponse as _, TokenUrl, reqwest,
};
use serde_json::Value;

/// A running demo; dropping it ends it.
struct Demo {
    child: Child,
    folder: PathBuf,
    facts: Value,
    smart: Value,
}

impl Demo {
    async fn start(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("countersign-oauth2-{name}-{}", std::process::id()));
        let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["demo", "--json", "--listen", "127.0.0.1:0", "--data"])
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let facts: Value = serde_json::from_str(&line).expect("the demo prints one line of JSON when it is ready");
        let base = facts["fhir_base_url"].as_str().unwrap().trim_end_matches('/');
        let smart = http().get(format!("{base}/.well-known/smart-configuration")).send().await.unwrap();
        let smart = serde_json::from_str(&smart.text().await.unwrap()).unwrap();
        Self { child, folder, facts, smart }
    }

    fn fact(&self, of: &str, name: &str) -> String {
        self.facts[of][name].as_str().unwrap_or_else(|| panic!("{of}.{name} is in the demo's line")).to_owned()
    }

    fn endpoint(&self, name: &str) -> String {
        self.smart[name].as_str().unwrap_or_else(|| panic!("{name} is discovered")).to_owned()
    }

    fn client(&self, of: &str) -> Ready {
        let client = BasicClient::new(ClientId::new(self.fact(of, "client_id")))
            .set_auth_uri(AuthUrl::new(self.endpoint("authorization_endpoint")).unwrap())
            .set_token_uri(TokenUrl::new(self.endpoint("token_endpoint")).unwrap())
            .set_introspection_url(IntrospectionUrl::new(self.endpoint("introspection_endpoint")).unwrap())
            .set_revocation_url(
                RevocationUrl::new(self.endpoint("revocation_endpoint").replacen("http://", "https://", 1)).unwrap(),
            );
        match self.facts[of]["client_secret"].as_str() {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.to_owned())),
            None => client,
        }
    }

    async fn is_active(&self, token: &AccessToken) -> bool {
        let caller = self.client("resource_server");
        caller.introspect(token).request_async(&http()).await.unwrap().active()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

type Ready = BasicClient<EndpointSet, EndpointNotSet, EndpointSet, EndpointSet, EndpointSet>;

/// As the crate asks of its users: no redirects.
fn http() -> reqwest::Client {
    reqwest::ClientBuilder::new().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// The crate revokes over https only; this stands where a TLS proxy would and passes the request on.
async fn behind_tls(request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let url = request.uri().to_string().replacen("https://", "http://", 1);
    let sent =
        http().request(request.method().clone(), url).headers(request.headers().clone()).body(request.into_body());
    let answer = sent.send().await?;
    let mut response = HttpResponse::default();
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    *response.body_mut() = answer.bytes().await?.into();
    Ok(response)
}

#[tokio::test]
async fn the_code_flow_with_refresh_and_revocation() {
    let demo = Demo::start("code").await;
    let redirect_uri = demo.fact("public_client", "redirect_uri");
    let client = demo.client("public_client").set_redirect_uri(RedirectUrl::new(redirect_uri.clone()).unwrap());

    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let scope = demo.fact("public_client", "scope");
    let (url, state) = client
        .authorize_url(CsrfToken::new_random)
        .add_scopes(scope.split(' ').map(|each| Scope::new(each.to_owned())))
        .add_extra_param("aud", demo.facts["fhir_base_url"].as_str().unwrap())
        .set_pkce_challenge(challenge)
        .url();
    let back = person::authorize(&demo.facts["user"], url, &redirect_uri).await;
    let parameter = |name: &str| back.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    assert_eq!(parameter("state").as_deref(), Some(state.secret().as_str()));
    assert_eq!(parameter("iss").as_deref(), demo.facts["issuer"].as_str());
    let code = AuthorizationCode::new(parameter("code").expect("a code came back"));

    let token = client.exchange_code(code).set_pkce_verifier(verifier).request_async(&http()).await.unwrap();
    assert!(demo.is_active(token.access_token()).await);
    let refresh_token = token.refresh_token().expect("the demo client asks for offline access");

    let fresh = client.exchange_refresh_token(refresh_token).request_async(&http()).await.unwrap();
    assert_ne!(fresh.access_token().secret(), token.access_token().secret());
    assert_eq!(fresh.scopes(), token.scopes());
    assert!(demo.is_active(fresh.access_token()).await);

    let last = fresh.refresh_token().unwrap_or(refresh_token);
    client.revoke_token(last.into()).unwrap().request_async(&behind_tls).await.unwrap();
    assert!(!demo.is_active(fresh.access_token()).await);
    let refused = client.exchange_refresh_token(last).request_async(&http()).await;
    assert_eq!(error_of(refused), BasicErrorResponseType::InvalidGrant);
}

#[tokio::test]
async fn client_credentials_in_the_header_and_in_the_body() {
    let demo = Demo::start("credentials").await;
    let scope = demo.fact("confidential_client", "scope");
    for auth_type in [AuthType::BasicAuth, AuthType::RequestBody] {
        let client = demo.client("confidential_client").set_auth_type(auth_type);
        let request = client.exchange_client_credentials().add_scope(Scope::new(scope.clone()));
        let token = request.request_async(&http()).await.unwrap();
        let granted: Vec<&str> = token.scopes().unwrap().iter().map(|each| each.as_str()).collect();
        assert_eq!(granted.join(" "), scope);
        assert!(token.refresh_token().is_none());
        assert!(demo.is_active(token.access_token()).await);
    }
    let impostor = demo.client("confidential_client").set_client_secret(ClientSecret::new("guessed".into()));
    let refused = impostor.exchange_client_credentials().add_scope(Scope::new(scope)).request_async(&http()).await;
    assert_eq!(error_of(refused), BasicErrorResponseType::InvalidClient);
}

#[tokio::test]
async fn a_demo_that_was_killed_starts_again_on_its_data_with_the_same_secrets_and_tokens() {
    let mut first = Demo::start("again").await;
    let scope = Scope::new(first.fact("confidential_client", "scope"));
    let client = first.client("confidential_client");
    let token = client.exchange_client_credentials().add_scope(scope.clone()).request_async(&http()).await.unwrap();
    first.child.kill().unwrap();
    first.child.wait().unwrap();

    let second = Demo::start("again").await;
    for (of, name) in
        [("confidential_client", "client_secret"), ("resource_server", "client_secret"), ("staff", "password")]
    {
        assert_eq!(first.fact(of, name), second.fact(of, name), "{of}.{name}");
    }
    assert!(second.is_active(token.access_token()).await, "what was issued before is still good");
    let client = second.client("confidential_client");
    client.exchange_client_credentials().add_scope(scope).request_async(&http()).await.unwrap();
}

fn error_of<T: std::fmt::Debug, E: std::error::Error + std::fmt::Debug>(
    answer: Result<T, RequestTokenError<E, BasicErrorResponse>>,
) -> BasicErrorResponseType {
    match answer {
        Err(RequestTokenError::ServerResponse(refusal)) => refusal.error().clone(),
        other => panic!("an OAuth refusal was expected: {other:?}"),
    }
}
