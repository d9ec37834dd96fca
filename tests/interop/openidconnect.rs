//! The crate `openidconnect`: a plain relying party that discovers, registers itself, and signs somebody in; it knows nothing of SMART.

use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreClientRegistrationRequest, CoreProviderMetadata,
    CoreUserInfoClaims,
};
use openidconnect::registration::EmptyAdditionalClientMetadata;
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientContactEmail, ClientName, CsrfToken, IssuerUrl, LocalizedClaim, Nonce,
    OAuth2TokenResponse as _, RedirectUrl, Scope, TokenResponse as _,
};
use serde_json::{Value, json};

use super::{Demo, http, person};

const REDIRECT: &str = "https://crate.interop.example/callback";

#[tokio::test]
async fn a_relying_party_discovers_registers_itself_and_signs_somebody_in() {
    let demo = Demo::start("openidconnect").await;
    let issuer = IssuerUrl::new(demo.facts["issuer"].as_str().unwrap().to_owned()).unwrap();
    let metadata = CoreProviderMetadata::discover_async(issuer, &http()).await.unwrap();

    let mut name = LocalizedClaim::new();
    name.insert(None, ClientName::new("A Rust portal".into()));
    let redirect = RedirectUrl::new(REDIRECT.into()).unwrap();
    let wish = CoreClientRegistrationRequest::new(vec![redirect.clone()], EmptyAdditionalClientMetadata {})
        .set_client_name(Some(name))
        .set_contacts(Some(vec![ClientContactEmail::new("rust@interop.example".into())]))
        .set_token_endpoint_auth_method(Some(CoreClientAuthMethod::ClientSecretBasic));
    let endpoint = metadata.registration_endpoint().expect("anybody may register at the demo's hospital").clone();
    let registered = wish.register_async(&endpoint, &http()).await.unwrap();
    approve(&demo, registered.client_id().as_str()).await;

    let client = CoreClient::from_provider_metadata(
        metadata,
        registered.client_id().clone(),
        registered.client_secret().cloned(),
    )
    .set_redirect_uri(redirect);
    let (url, state, nonce) = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_scope(Scope::new("profile".into()))
        .url();
    let back = person::authorize(&demo.facts["clinician"], url, REDIRECT).await;
    let parameter = |name: &str| back.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    assert_eq!(parameter("state").as_deref(), Some(state.secret().as_str()));
    let code = AuthorizationCode::new(parameter("code").expect("a code came back"));

    let token = client.exchange_code(code).unwrap().request_async(&http()).await.unwrap();
    let id_token = token.id_token().expect("openid was asked for");
    let verifier = client.id_token_verifier();
    let claims = id_token.claims(&verifier, &nonce).unwrap();
    let told = claims.access_token_hash().expect("an ID token beside an access token holds its hash");
    let counted = AccessTokenHash::from_token(
        token.access_token(),
        id_token.signing_alg().unwrap(),
        id_token.signing_key(&verifier).unwrap(),
    );
    assert_eq!(*told, counted.unwrap());
    let person: CoreUserInfoClaims = client
        .user_info(token.access_token().to_owned(), Some(claims.subject().clone()))
        .unwrap()
        .request_async(&http())
        .await
        .unwrap();
    assert_eq!(person.subject(), claims.subject());
    let another = Nonce::new("another".into());
    assert!(id_token.claims(&verifier, &another).is_err(), "the nonce is in the token");
}

/// Staff approve what the client asked for when it registered.
async fn approve(demo: &Demo, client_id: &str) {
    let api = |path: String| {
        format!("{}/api/v1/organizations/st-mary/access-requests{path}", demo.facts["base_url"].as_str().unwrap())
    };
    let token = demo.fact("staff", "api_token");
    let get = async |path: String| -> Value {
        let answer = http().get(api(path)).bearer_auth(&token).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    };
    let waiting = get(String::new()).await;
    let mut waiting = waiting["access_requests"].as_array().unwrap().iter();
    let request = waiting.find(|request| request["client_id"] == client_id).expect("it waits for an answer");
    let id = request["id"].as_str().unwrap();
    let digest = get(format!("/{id}")).await["digest"].clone();
    let approve = http().post(api(format!("/{id}/approve"))).bearer_auth(&token);
    let body = json!({ "digest": digest }).to_string();
    let answer = approve.header("content-type", "application/json").body(body).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}
