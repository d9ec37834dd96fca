//! Telling people: once, in the end, and never about what did not happen.

use std::sync::{Arc, Mutex};

use countersign::http::mail::compose;
use countersign::http::pages::Pages;
use countersign::jobs::outbox::{Compose, Sender};
use countersign::outbound::mail::{Letter, Mailer};
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
