//! Who may register, how often, and what a refused registration leaves behind: nothing (ATTACKS D01, D15).

use axum::http::Method;
use countersign::governance::initial_access_tokens::{self, TokenStanding, make as make_initial_access_token};
use countersign::storage;
use serde_json::json;

use super::actors::{Stage, refused};
use super::registration::{good, open, registered, send, with};
use crate::support::on_both;

#[test]
fn a_flood_of_registrations_is_stopped() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        open(&stage).await;
        let mut last = 0;
        for _ in 0..31 {
            last = send(&stage, Method::POST, "", None, &good().to_string()).await.status.as_u16();
        }
        assert_eq!(last, 429);
        let answer = send(&stage, Method::POST, "", None, &good().to_string()).await;
        refused(&answer, 429, "temporarily_unavailable");
        assert_eq!(answer.header("retry-after"), "3600");
        assert_eq!(registered(&stage).await, 30);
        // who was invited is no flood
        let token = make_initial_access_token(&stage.world().app, &stage.world().admin, "for Acme").await.unwrap();
        let invited = send(&stage, Method::POST, "", Some(token.reveal()), &good().to_string()).await;
        assert_eq!(invited.status, 201, "{}", invited.body);
        // an hour later there is room again
        stage.world().clock.advance_seconds(3601);
        assert_eq!(send(&stage, Method::POST, "", None, &good().to_string()).await.status, 201);
        stage.end().await;
    });
}

#[test]
fn only_so_many_that_registered_themselves_may_wait() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        open(&stage).await;
        let most = stage.world().app.config.limits.waiting_registrations;
        let mut made = 0;
        let stopped = loop {
            let answer = send(&stage, Method::POST, "", None, &good().to_string()).await;
            if answer.status == 201 {
                made += 1;
            } else if made == most {
                break answer;
            } else {
                refused(&answer, 429, "temporarily_unavailable");
                stage.world().clock.advance_seconds(3601);
            }
        };
        refused(&stopped, 429, "temporarily_unavailable");
        stage.world().clock.advance_seconds(3601);
        refused(&send(&stage, Method::POST, "", None, &good().to_string()).await, 429, "temporarily_unavailable");
        stage.end().await;
    });
}

#[test]
fn a_bad_request_uses_no_initial_access_token_up_and_leaves_no_trace() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let world = stage.world();
        let token = make_initial_access_token(&world.app, &world.admin, "for Acme").await.unwrap();
        let (records, providers) = (world.audit().await.len(), self_registered_providers(&stage).await);
        for bad in [
            "{".to_owned(),
            with("redirect_uris", json!(["http://app.example/cb"])),
            with("contacts", json!(["the help desk"])),
            with("software_statement", json!("eyJ.x.")),
            // found only when the request is filed, after provider and client were written
            with("scope", json!("patient/Patient.zz")),
            with("scope", json!("system/Patient.rs")),
        ] {
            let answer = send(&stage, Method::POST, "", Some(token.reveal()), &bad).await;
            assert_eq!(answer.status, 400, "{bad}: {}", answer.body);
        }
        assert_eq!(world.audit().await.len(), records);
        assert_eq!(self_registered_providers(&stage).await, providers);
        assert_eq!(registered(&stage).await, 0);
        let made = send(&stage, Method::POST, "", Some(token.reveal()), &good().to_string()).await;
        assert_eq!(made.status, 201, "{}", made.body);
        refused(&send(&stage, Method::POST, "", Some(token.reveal()), &good().to_string()).await, 401, "invalid_token");
        assert_eq!(world.recorded("client.registered_itself").await, 1);
        assert_eq!(self_registered_providers(&stage).await, providers + 1);
        stage.end().await;
    });
}

/// How often a provider was made for a client that registered itself.
async fn self_registered_providers(stage: &Stage) -> usize {
    let mut conn = stage.world().app.store.read().await.unwrap();
    let records = storage::audit::page_from(&mut conn, "server", 0, 1000).await.unwrap();
    records.iter().filter(|record| record.event == "application_provider.registered_itself").count()
}

#[test]
fn one_initial_access_token_shown_twenty_times_at_once_registers_one_client() {
    on_both(|dialect| async move {
        let stage = std::sync::Arc::new(Stage::new(dialect).await);
        let token = make_initial_access_token(&stage.world().app, &stage.world().admin, "once").await.unwrap();
        let all = (0..20).map(|_| {
            let (stage, token) = (stage.clone(), token.reveal().to_owned());
            tokio::spawn(async move {
                send(&stage, Method::POST, "", Some(&token), &good().to_string()).await.status.as_u16()
            })
        });
        let statuses: Vec<u16> = futures_util::future::join_all(all).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 19);
        assert_eq!(self_registered_providers(&stage).await, 1);
        std::sync::Arc::into_inner(stage).unwrap().end().await;
    });
}

#[test]
fn an_initial_access_token_is_good_at_its_organization_for_a_week_and_until_it_is_revoked() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let world = stage.world();
        let body = good().to_string();
        let foreign = make_initial_access_token(&world.app, &world.stranger, "elsewhere").await.unwrap();
        refused(&send(&stage, Method::POST, "", Some(foreign.reveal()), &body).await, 401, "invalid_token");
        let revoked = make_initial_access_token(&world.app, &world.admin, "revoked").await.unwrap();
        let listed = initial_access_tokens::list(&world.app, &world.admin).await.unwrap();
        assert_eq!((listed.len(), listed[0].note.as_str(), listed[0].by.name.is_empty()), (1, "revoked", false));
        assert!(initial_access_tokens::revoke(&world.app, &world.reviewer, listed[0].id).await.is_err(), "admins only");
        assert!(
            initial_access_tokens::revoke(&world.app, &world.stranger, listed[0].id).await.is_err(),
            "own ones only"
        );
        initial_access_tokens::revoke(&world.app, &world.admin, listed[0].id).await.unwrap();
        refused(&send(&stage, Method::POST, "", Some(revoked.reveal()), &body).await, 401, "invalid_token");
        let used = make_initial_access_token(&world.app, &world.admin, "used").await.unwrap();
        let id = send(&stage, Method::POST, "", Some(used.reveal()), &body).await.json()["client_id"].clone();
        let late = make_initial_access_token(&world.app, &world.admin, "late").await.unwrap();
        world.clock.advance_seconds(7 * 86_400);
        refused(&send(&stage, Method::POST, "", Some(late.reveal()), &body).await, 401, "invalid_token");
        let listed = initial_access_tokens::list(&world.app, &world.admin).await.unwrap();
        let standings: Vec<_> = listed.iter().map(|token| (token.note.as_str(), &token.standing)).collect();
        assert!(matches!(standings[0], ("late", TokenStanding::Expired { .. })), "{standings:?}");
        assert!(
            matches!(standings[1], ("used", TokenStanding::Used { client: Some((client, _)), .. }) if id == client.as_str()),
            "{standings:?}"
        );
        assert!(matches!(standings[2], ("revoked", TokenStanding::Revoked { .. })), "{standings:?}");
        let used = listed[1].id;
        assert!(initial_access_tokens::revoke(&world.app, &world.admin, used).await.is_err(), "used is used");
        stage.end().await;
    });
}
