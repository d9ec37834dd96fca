//! The `oauth2` crate, unmodified, against the running program: what a Rust developer would do on the first day.
//!
//! Its cousins for Node and Python are in `tests/interop/`.

#![allow(clippy::unwrap_used, reason = "a test that meets something else than it expects has failed")]

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

/// Somebody with a browser that knows no JavaScript.
mod person {
    use std::collections::BTreeMap;

    use oauth2::reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
    use oauth2::url::Url;
    use serde_json::Value;

    /// Signs in, picks the patient and allows what is asked, as the pages come up, until one redirects to `redirect_uri`.
    pub async fn authorize(who: &Value, url: Url, redirect_uri: &str) -> Url {
        let said = |name: &str| who[name].as_str().unwrap_or_default().to_owned();
        let mut cookies = BTreeMap::new();
        let mut url = url;
        let mut fields: Option<Vec<(String, String)>> = None;
        for _ in 0..30 {
            let request = match fields.take() {
                Some(fields) => {
                    super::http().post(url.clone()).form(&fields).header("origin", url.origin().ascii_serialization())
                }
                None => super::http().get(url.clone()),
            };
            let header: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let answer = request.header(COOKIE, header.join("; ")).send().await.unwrap();
            for line in answer.headers().get_all(SET_COOKIE) {
                let (name, rest) = line.to_str().unwrap().split_once('=').unwrap();
                cookies.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
            }
            if let Some(location) = answer.headers().get(LOCATION) {
                url = url.join(location.to_str().unwrap()).unwrap();
                if url.as_str().split(['?', '#']).next() == Some(redirect_uri) {
                    return url;
                }
                continue;
            }
            let page = answer.text().await.unwrap();
            let form = forms(&page)
                .into_iter()
                .find(|form| ["password", "patient", "decision"].iter().any(|name| form.has(name)));
            let form = form.unwrap_or_else(|| panic!("nothing to do on {url}:\n{page}"));
            let mut answers = form.kept;
            if answers.iter().any(|(name, _)| name == "password") {
                answers.retain(|(name, _)| name != "email" && name != "password");
                answers.extend([("email".to_owned(), said("email")), ("password".to_owned(), said("password"))]);
            } else if form.buttons.iter().any(|name| name == "patient") {
                answers.push(("patient".to_owned(), said("patient")));
            } else {
                answers.push(("decision".to_owned(), "allow".to_owned()));
                answers.extend(
                    form.unticked.contains(&"offline".to_owned()).then(|| ("offline".to_owned(), "1".to_owned())),
                );
            }
            url = url.join(&form.action).unwrap();
            fields = Some(answers);
        }
        panic!("still not back at {redirect_uri}: {url}");
    }

    /// What a form sends by itself, and what it leaves to a click.
    #[derive(Default)]
    struct Form {
        action: String,
        kept: Vec<(String, String)>,
        buttons: Vec<String>,
        unticked: Vec<String>,
    }

    impl Form {
        fn has(&self, name: &str) -> bool {
            self.kept.iter().any(|(each, _)| each == name) || self.buttons.iter().any(|each| each == name)
        }
    }

    fn forms(page: &str) -> Vec<Form> {
        let mut forms = Vec::new();
        for part in page.split("<form").skip(1) {
            let mut tags = part.split("</form").next().unwrap_or_default().split('<');
            let opening = tags.next().unwrap_or_default();
            let mut form = Form { action: attribute(opening, "action").unwrap_or_default(), ..Form::default() };
            for tag in tags.filter(|tag| tag.starts_with("input") || tag.starts_with("button")) {
                let Some(name) = attribute(tag, "name") else { continue };
                let value = attribute(tag, "value").unwrap_or_default();
                let kind = attribute(tag, "type").unwrap_or_default();
                match kind.as_str() {
                    _ if tag.starts_with("button") => form.buttons.push(name),
                    "checkbox" | "radio" if !has_word(tag, "checked") => form.unticked.push(name),
                    _ => form.kept.push((name, value)),
                }
            }
            forms.push(form);
        }
        forms
    }

    /// The value of an attribute; pages write them all in double quotes.
    fn attribute(tag: &str, name: &str) -> Option<String> {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        let value = rest.split('"').next()?;
        let characters =
            [("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
        Some(characters.iter().fold(value.to_owned(), |text, (entity, character)| text.replace(entity, character)))
    }

    fn has_word(tag: &str, word: &str) -> bool {
        tag.split('>').next().unwrap_or_default().split_whitespace().any(|each| each == word)
    }
}
