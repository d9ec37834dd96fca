//! Telling people: once, in the end, and never about what did not happen.

use std::sync::{Arc, Mutex};

use countersign::governance::approvals::disable;
use countersign::governance::webhooks;
use countersign::http::mail::compose;
use countersign::http::pages::Pages;
use countersign::jobs::outbox::{Compose, Sender};
use countersign::outbound::mail::{Letter, Mailer};
use countersign::outbound::webhook::signature;
use countersign::storage;
use countersign::storage::connect::Dialect;
use countersign::storage::outbox::Delivery;

use crate::governance::world::{READING, World};
use crate::support::on_both;

fn words() -> Compose {
    let pages = Pages::load().unwrap();
    Arc::new(move |recipient, payload| compose(&pages, "https://countersign.example", recipient, payload))
}

async fn deliveries(world: &World) -> Vec<Delivery> {
    let mut conn = world.app.store.read().await.unwrap();
    let messages =
        storage::outbox::list_by_organization(&mut conn, &world.reviewer.organization.id, None, 100).await.unwrap();
    messages.into_iter().map(|message| message.delivery).collect()
}

#[test]
fn an_approval_is_told_to_the_developer_once_however_many_nodes_send() {
    on_both(|dialect: Dialect| async move {
        let world = World::new(dialect).await;
        world.approved(READING).await;
        let mailbox: Arc<Mutex<Vec<Letter>>> = Arc::default();
        let node = || Sender::with_mailer(&world.app, words(), Mailer::memory(mailbox.clone()));
        let (one, two) = (node(), node());
        let now = world.app.now();
        let (first, second) = tokio::join!(one.send_due(now), two.send_due(now));
        let sent = first.unwrap() + second.unwrap();
        let letters = mailbox.lock().unwrap().clone();
        assert_eq!(letters.len(), sent);
        let live: Vec<_> = letters.iter().filter(|letter| letter.to == world.developer.account.email).collect();
        assert_eq!(live.len(), 1, "{letters:?}");
        assert!(live[0].subject.contains("is live at"), "{}", live[0].subject);
        assert!(deliveries(&world).await.iter().all(|delivery| matches!(delivery, Delivery::Sent { .. })));
        assert_eq!(one.send_due(world.app.now()).await.unwrap(), 0);
        world.database.remove().await;
    });
}

#[test]
fn mail_that_does_not_leave_is_tried_again_later_and_then_arrives() {
    on_both(|dialect: Dialect| async move {
        let world = World::new(dialect).await;
        world.ask(READING).await;
        // nothing listens there
        let broken = Mailer::smtp("smtp://127.0.0.1:1", "Countersign <c@example.org>").unwrap();
        let broken = Sender::with_mailer(&world.app, words(), broken);
        assert_eq!(broken.send_due(world.app.now()).await.unwrap(), 0);
        let waiting = deliveries(&world).await;
        assert!(!waiting.is_empty());
        let later = world.app.now().plus_seconds(30);
        assert!(
            waiting.iter().all(|delivery| *delivery == Delivery::Waiting { next_attempt_at: later }),
            "{waiting:?}"
        );

        let mailbox: Arc<Mutex<Vec<Letter>>> = Arc::default();
        let mended = Sender::with_mailer(&world.app, words(), Mailer::memory(mailbox.clone()));
        assert_eq!(mended.send_due(world.app.now()).await.unwrap(), 0, "it is not due yet");
        world.clock.advance_seconds(30);
        assert_eq!(mended.send_due(world.app.now()).await.unwrap(), waiting.len());
        world.database.remove().await;
    });
}

/// What a receiver was sent.
type Received = Arc<Mutex<Vec<(axum::http::HeaderMap, String)>>>;

/// A receiver on this machine that takes whatever comes.
async fn receiver() -> (String, Received) {
    let received = Received::default();
    let kept = received.clone();
    let take = move |headers: axum::http::HeaderMap, body: String| async move {
        kept.lock().unwrap().push((headers, body));
    };
    let router = axum::Router::new().route("/hook", axum::routing::post(take));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, received)
}

#[test]
fn a_webhook_is_told_of_approval_and_disable_with_a_signature_that_verifies() {
    on_both(|dialect: Dialect| async move {
        let world = World::allowing_private_networks(dialect).await;
        let (url, received) = receiver().await;
        let (_, secret) = webhooks::register(&world.app, &world.developer, &url).await.unwrap();
        world.approved(READING).await;
        disable(&world.app, &world.reviewer, &world.client.id, "Too curious.").await.unwrap();
        let sender = Sender::with_mailer(&world.app, words(), Mailer::memory(Arc::default()));
        sender.send_due(world.app.now()).await.unwrap();

        let received = received.lock().unwrap().clone();
        let header = |headers: &axum::http::HeaderMap, name: &str| headers[name].to_str().unwrap().to_owned();
        for (headers, body) in &received {
            let (id, seconds) = (header(headers, "webhook-id"), header(headers, "webhook-timestamp"));
            let expected = signature(&secret, &id, seconds.parse().unwrap(), body);
            assert_eq!(header(headers, "webhook-signature"), expected);
            assert!(!body.contains(secret.reveal()));
        }
        let told = |event: &str| received.iter().filter(|(_, body)| body.contains(event)).count();
        assert_eq!((told("access_request.approved"), told("client.disabled")), (1, 1), "{received:?}");
        assert_eq!(sender.send_due(world.app.now()).await.unwrap(), 0, "and never twice");
        world.database.remove().await;
    });
}
