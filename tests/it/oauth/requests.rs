//! Authorization requests to change one thing in, and what their answers must be.

use countersign::domain::ids::ClientId;

use super::actors::{CALLBACK, ISSUER, Stage, Tokens, VERIFIER, answer_of};
use crate::support::browser::{Answer, Form};

pub type Pairs = Vec<(String, String)>;

pub fn set(mut pairs: Pairs, name: &str, value: &str) -> Pairs {
    match pairs.iter_mut().find(|(key, _)| key == name) {
        Some(pair) => value.clone_into(&mut pair.1),
        None => pairs.push((name.to_owned(), value.to_owned())),
    }
    pairs
}

pub fn without(mut pairs: Pairs, name: &str) -> Pairs {
    pairs.retain(|(key, _)| key != name);
    pairs
}

pub fn and(mut pairs: Pairs, name: &str, value: &str) -> Pairs {
    pairs.push((name.to_owned(), value.to_owned()));
    pairs
}

/// Our own page, and nobody redirected.
#[track_caller]
pub fn stops(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 400, "{what}: {}", answer.location());
    assert!(answer.location().is_empty(), "{what}");
    assert!(answer.header("content-type").starts_with("text/html"), "{what}");
    assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{what}");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert!(answer.header("access-control-allow-origin").is_empty());
}

#[track_caller]
pub fn tells_the_app(answer: &Answer, error: &str, what: &str) {
    assert_eq!(answer.status, 303, "{what}: {}", answer.body);
    let told = answer_of(answer);
    assert!(answer.location().starts_with(CALLBACK), "{what}");
    assert_eq!(told.get("error").map(String::as_str), Some(error), "{what}: {told:?}");
    assert_eq!(told["iss"], ISSUER, "{what}");
    assert!(!told.contains_key("code"), "{what}");
}

/// The same form, sent elsewhere.
pub fn to(form: Form, action: &str) -> Form {
    Form { action: action.to_owned(), ..form }
}

/// A public app approved for exactly these scopes (asking for less later would only narrow an approval that is there).
pub async fn app_with(stage: &Stage, approved: &str) -> ClientId {
    let client = stage.register(|_| {}).await;
    stage.approve(&client, approved).await;
    client
}

/// The good request, of another app, for other scopes.
pub fn of(stage: &Stage, client: &ClientId, scope: &str) -> Pairs {
    set(set(stage.request(), "client_id", client.as_str()), "scope", scope)
}

/// Tokens for a code of another public app.
pub async fn redeemed(stage: &Stage, client: &ClientId, code: &str) -> Tokens {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("client_id", client.as_str()),
    ];
    let answer = stage.token(&fields).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    Tokens(answer.json())
}
