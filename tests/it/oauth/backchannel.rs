//! Apps are told of the end of a session (OpenID Connect Back-Channel Logout 1.0): once in the end, freshly signed, whatever happens in between.

use std::sync::{Arc, Mutex};

use axum::http::{HeaderMap, StatusCode};
use countersign::jobs::logout;
use countersign::storage;
use countersign::storage::outbox::{Delivery, Message};

use super::actors::{ISSUER, Stage, Tokens, claims_of, header_of, verifies};
use crate::support::browser::Browser;
use crate::support::on_both;

const BYE: &str = "https://app.acme.example/bye";
const SCOPES: &str = "launch/patient openid online_access patient/Patient.r";

/// An app that listens on this machine, answers as it is told, and keeps what it was sent.
struct Listener {
    url: String,
    answers: Arc<Mutex<Vec<StatusCode>>>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    /// Answers in this order, and 200 from then on.
    async fn new(answers: &[u16]) -> Self {
        let answers: Vec<_> = answers.iter().rev().map(|code| StatusCode::from_u16(*code).unwrap()).collect();
        let (answers, heard) = (Arc::new(Mutex::new(answers)), Arc::<Mutex<Vec<String>>>::default());
        let (left, kept) = (answers.clone(), heard.clone());
        let take = move |headers: HeaderMap, body: String| async move {
            assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
            let fields: Vec<_> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
            assert_eq!(fields.len(), 1);
            assert_eq!(fields[0].0, "logout_token");
            kept.lock().unwrap().push(fields[0].1.clone());
            left.lock().unwrap().pop().unwrap_or(StatusCode::OK)
        };
        let router = axum::Router::new().route("/logout", axum::routing::post(take));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/logout", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, answers, heard }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

/// A person who uses an app that listens at `url`.
async fn scene(stage: &Stage, url: &str) -> (Browser, Tokens) {
    let url = url.to_owned();
    let app = stage
        .register(|metadata| {
            metadata.post_logout_redirect_uris = vec![BYE.into()];
            metadata.backchannel_logout_uri = Some(url);
        })
        .await;
    stage.approve(&app, SCOPES).await;
    let mut browser = stage.app_browser();
    let mut request = stage.request_of(&app, SCOPES);
    request.push(("nonce".into(), "n-1".into()));
    let tokens = stage.tokens_for(&mut browser, &request).await;
    // a second grant in the same session is no second message
    stage.tokens_for(&mut browser, &request).await;
    (browser, tokens)
}

async fn sign_out(browser: &mut Browser) {
    let page = browser.open("/account").await;
    assert_eq!(browser.submit(&page.form("/sign-out")).await.status, 303);
}

async fn messages(stage: &Stage) -> Vec<Message> {
    let mut conn = stage.world().app.store.read().await.unwrap();
    let mut found = Vec::new();
    for id in 1..50 {
        found.extend(storage::outbox::lookup(&mut conn, id).await.unwrap());
    }
    found.retain(|message| message.event == "session.ended");
    found
}

#[test]
fn the_end_of_a_session_is_told_until_it_gets_through_with_a_fresh_token_each_time() {
    on_both(|dialect| async move {
        let stage = Stage::allowing_private_networks(dialect).await;
        let listener = Listener::new(&[503, 302]).await;
        let (mut browser, tokens) = scene(&stage, &listener.url).await;
        sign_out(&mut browser).await;
        let waiting = messages(&stage).await;
        assert_eq!(waiting.len(), 1, "one message, in the transaction of the sign-out: {waiting:?}");
        assert!(listener.heard().is_empty());
        let app = &stage.world().app;
        // 1 the app is down, then confused, then up
        for (wait, reached) in [(0, 0), (29, 0), (1, 0), (60, 1), (7200, 0)] {
            stage.world().clock.advance_seconds(wait);
            assert_eq!(logout::run(app, app.now()).await.unwrap(), reached, "after {wait} s more");
        }
        let heard = listener.heard();
        assert_eq!(heard.len(), 3);
        // 2 what it heard
        let jwks = stage.app_browser().get(&format!("{ISSUER}/jwks")).await.json();
        let id_token = claims_of(&tokens.text("id_token"));
        let mut names = std::collections::BTreeSet::new();
        for token in &heard {
            assert!(verifies(token, &jwks));
            assert_eq!(header_of(token)["typ"], "logout+jwt");
            let claims = claims_of(token);
            for name in ["iss", "sub", "aud", "sid"] {
                assert_eq!(claims[name], id_token[name], "{name}");
            }
            let event = &claims["events"]["http://schemas.openid.net/event/backchannel-logout"];
            assert_eq!(event, &serde_json::json!({}));
            assert!(claims.get("nonce").is_none());
            assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 120);
            names.insert(claims["jti"].as_str().unwrap().to_owned());
        }
        assert_eq!(names.len(), 3, "an app that took the token and lost the answer does not take it for a replay");
        let issued: Vec<_> = heard.iter().map(|token| claims_of(token)["iat"].as_i64().unwrap()).collect();
        assert_eq!((issued[1] - issued[0], issued[2] - issued[1]), (30, 60), "signed when delivered");
        // 3 what is on record
        assert!(matches!(messages(&stage).await[0].delivery, Delivery::Sent { .. }));
        assert_eq!(stage.world().recorded("logout.told").await, 1);
        assert_eq!(stage.world().recorded("logout.not_told").await, 0);
        stage.end().await;
    });
}

#[test]
fn a_clear_no_is_taken_for_one_and_recorded() {
    on_both(|dialect| async move {
        for no in [400, 404, 410] {
            let stage = Stage::allowing_private_networks(dialect).await;
            let listener = Listener::new(&[no]).await;
            let (mut browser, _) = scene(&stage, &listener.url).await;
            sign_out(&mut browser).await;
            let app = &stage.world().app;
            assert_eq!(logout::run(app, app.now()).await.unwrap(), 0);
            stage.world().clock.advance_seconds(86_400);
            assert_eq!(logout::run(app, app.now()).await.unwrap(), 0);
            assert_eq!(listener.heard().len(), 1, "{no}");
            let told = messages(&stage).await.remove(0);
            assert_eq!((told.delivery, told.last_error), (Delivery::Failed, Some(format!("the app answered {no}"))));
            assert_eq!(stage.world().recorded("logout.not_told").await, 1);
            stage.end().await;
        }
    });
}

#[test]
fn an_app_that_never_answers_is_given_up_after_a_day_and_a_half() {
    on_both(|dialect| async move {
        let stage = Stage::allowing_private_networks(dialect).await;
        let (mut browser, _) = scene(&stage, "http://127.0.0.1:1/logout").await;
        sign_out(&mut browser).await;
        let app = &stage.world().app;
        for _ in 0..60 {
            assert_eq!(logout::run(app, app.now()).await.unwrap(), 0);
            stage.world().clock.advance_seconds(3600);
        }
        let message = messages(&stage).await.remove(0);
        assert_eq!((message.delivery, message.attempts), (Delivery::Failed, 14));
        assert_eq!(stage.world().recorded("logout.not_told").await, 1);
        stage.end().await;
    });
}

#[test]
fn nothing_is_sent_into_our_own_network() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let listener = Listener::new(&[]).await;
        let (mut browser, _) = scene(&stage, &listener.url).await;
        sign_out(&mut browser).await;
        let app = &stage.world().app;
        assert_eq!(logout::run(app, app.now()).await.unwrap(), 0);
        assert!(listener.heard().is_empty());
        assert_eq!(messages(&stage).await[0].delivery, Delivery::Failed);
        stage.end().await;
    });
}

#[test]
fn a_client_that_was_disabled_meanwhile_is_told_nothing() {
    on_both(|dialect| async move {
        let stage = Stage::allowing_private_networks(dialect).await;
        let listener = Listener::new(&[]).await;
        let (mut browser, tokens) = scene(&stage, &listener.url).await;
        sign_out(&mut browser).await;
        let client = claims_of(&tokens.text("id_token"))["aud"].as_str().unwrap().to_owned();
        stage.disable(&countersign::domain::ids::ClientId::from_text(client)).await;
        let app = &stage.world().app;
        assert_eq!(logout::run(app, app.now()).await.unwrap(), 0);
        assert!(listener.heard().is_empty());
        assert_eq!(stage.world().recorded("logout.not_told").await, 1);
        stage.end().await;
    });
}

#[test]
fn of_several_nodes_one_tells() {
    on_both(|dialect| async move {
        let stage = Stage::allowing_private_networks(dialect).await;
        let listener = Listener::new(&[]).await;
        let (mut browser, _) = scene(&stage, &listener.url).await;
        sign_out(&mut browser).await;
        let app = &stage.world().app;
        let now = app.now();
        let (one, two, three) = tokio::join!(logout::run(app, now), logout::run(app, now), logout::run(app, now));
        assert_eq!(one.unwrap() + two.unwrap() + three.unwrap(), 1);
        assert_eq!(listener.heard().len(), 1);
        stage.end().await;
    });
}

#[test]
fn an_app_that_signs_somebody_out_gets_them_back_after_the_others_were_told() {
    on_both(|dialect| async move {
        let stage = Stage::allowing_private_networks(dialect).await;
        let listener = Listener::new(&[]).await;
        let (mut browser, tokens) = scene(&stage, &listener.url).await;
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("id_token_hint", tokens.text("id_token").as_str()), ("post_logout_redirect_uri", BYE)])
            .finish();
        let gone = browser.get(&format!("{ISSUER}/logout?{query}")).await;
        assert_eq!(gone.location(), BYE);
        assert_eq!(listener.heard().len(), 1, "before the answer");
        let app = &stage.world().app;
        assert_eq!(logout::run(app, app.now()).await.unwrap(), 0, "and not again");
        assert!(listener.answers.lock().unwrap().is_empty());
        stage.end().await;
    });
}
