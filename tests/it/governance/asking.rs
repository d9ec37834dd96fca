//! Asking an organization for access.

use countersign::domain::access_requests::{RequestKind, RequestState};
use countersign::domain::clients::GrantType;
use countersign::governance::Refusal;
use countersign::governance::access_requests::{Filed, Outcome, ask, expire_due, withdraw};
use countersign::governance::approvals::{Life, Yes, approve, disable, reject};
use countersign::storage;

use super::world::{READING, World};
use crate::support::on_both;

fn codes(refusal: Refusal) -> Vec<&'static str> {
    match refusal {
        Refusal::Invalid(faults) => faults.into_iter().map(|fault| fault.code).collect(),
        other => panic!("not invalid: {other}"),
    }
}

#[test]
fn a_request_waits_with_its_line_its_record_and_its_news() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let (request, outcome) = world.ask(READING).await;
        assert_eq!((outcome, request.kind), (Outcome::Sent, RequestKind::Initial));
        assert_eq!(world.request(&request.id).await.scopes, READING);
        let line = world.line().await;
        assert_eq!(
            (line.state.as_str(), line.client_name.as_str(), line.provider_name.as_str()),
            ("waiting", "Growth Chart", "Acme Health")
        );
        assert_eq!(world.recorded("access_request.sent").await, 1);
        // reviewers and admins are told, viewers are not
        assert_eq!(world.told("noor@example.org").await, ["access_request.received"]);
        assert_eq!(world.told("adam@example.org").await.len(), 1);
        assert!(world.told("vera@example.org").await.is_empty());
        world.end().await;
    });
}

#[test]
fn everything_wrong_with_a_request_is_said_at_once_and_nothing_is_kept() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let table = [
            ("", "Why not", vec!["missing"]),
            ("patient/Observation.sr patient/Nonsense.r", "Why", vec!["scope-malformed", "scope-malformed"]),
            ("patient/Observation.dus launch", " ", vec!["scope-malformed", "missing"]),
            ("Patient/Observation.rs", "Why", vec!["scope-malformed"]),
            ("system:Patient.read", "Why", vec!["scope-malformed"]),
            ("weather", "Why", vec!["scope-unknown"]),
            ("system/Observation.rs", "Why", vec!["scope-needs-backend"]),
            ("launch", "\u{7}bell", vec!["not-plain"]),
            ("launch", &"x".repeat(2001), vec!["too-long"]),
        ];
        for (scopes, reason, expected) in table {
            let mut question = world.question(scopes);
            question.reason = reason.into();
            assert_eq!(codes(ask(&world.app, &world.developer, question).await.unwrap_err()), expected, "{scopes}");
        }
        assert!(world.audit().await.is_empty());
        // another hospital's endpoint is no endpoint of this one
        let mut question = world.question(READING);
        question.fhir_endpoint_id = world.other_endpoint.id.clone();
        assert_eq!(codes(ask(&world.app, &world.developer, question).await.unwrap_err()), ["unknown"]);
        world.end().await;
    });
}

#[test]
fn a_backend_service_cannot_ask_for_what_needs_a_user() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        world.revise(|metadata| metadata.grant_types = vec![GrantType::ClientCredentials]).await;
        let refusal =
            ask(&world.app, &world.developer, world.question("system/Observation.rs patient/Patient.r openid"))
                .await
                .unwrap_err();
        assert_eq!(codes(refusal), ["scope-needs-user", "scope-needs-user"]);
        ask(&world.app, &world.developer, world.question("system/Observation.rs")).await.unwrap();
        world.end().await;
    });
}

#[test]
fn somebody_elses_client_is_absent() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        assert!(matches!(ask(&world.app, &world.rival, world.question(READING)).await, Err(Refusal::NotFound)));
        let (request, _) = world.ask(READING).await;
        assert!(matches!(withdraw(&world.app, &world.rival, &request.id).await, Err(Refusal::NotFound)));
        world.end().await;
    });
}

#[test]
fn asking_again_edits_the_request_that_waits() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let (first, _) = world.ask(READING).await;
        world.clock.advance_seconds(3600);
        let (second, outcome) = world.ask("launch/patient patient/Observation.rs").await;
        assert_eq!((outcome, &second.id, second.edits), (Outcome::Edited, &first.id, 1));
        assert_eq!(second.requested_at, first.requested_at);
        assert_eq!(world.told("noor@example.org").await.len(), 2);
        assert_eq!(world.recorded("access_request.edited").await, 1);
        world.end().await;
    });
}

#[test]
fn a_withdrawn_request_can_be_asked_again_and_cannot_be_withdrawn_again() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let (first, _) = world.ask(READING).await;
        withdraw(&world.app, &world.developer, &first.id).await.unwrap();
        assert_eq!(world.line().await.state, "withdrawn");
        assert!(matches!(withdraw(&world.app, &world.developer, &first.id).await, Err(Refusal::Conflict(_))));
        let (second, outcome) = world.ask(READING).await;
        assert_eq!(outcome, Outcome::Sent);
        assert_ne!(second.id, first.id);
        world.end().await;
    });
}

#[test]
fn a_blocked_client_cannot_ask_again_and_a_rejected_one_can() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let (request, _) = world.ask(READING).await;
        reject(&world.app, &world.reviewer, &request.id, "Not yet.", true).await.unwrap();
        world.clock.advance_seconds(1);
        let (request, _) = world.ask(READING).await;
        reject(&world.app, &world.reviewer, &request.id, "Never.", false).await.unwrap();
        assert!(matches!(ask(&world.app, &world.developer, world.question(READING)).await, Err(Refusal::Conflict(_))));
        world.end().await;
    });
}

#[test]
fn asking_for_less_takes_effect_at_once() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let before = world.approved(READING).await;
        world.clock.advance_seconds(60);
        let (request, outcome) = world.ask("launch/patient patient/Observation.r").await;
        assert_eq!(outcome, Outcome::Narrowed);
        assert!(matches!(request.state, RequestState::Approved { .. }));
        let after = world.approval().await.unwrap();
        assert_eq!(after.scopes, "launch/patient patient/Observation.r");
        assert_eq!((after.epoch, after.approved_by), (before.epoch, before.approved_by));
        assert_eq!(world.recorded("approval.narrowed").await, 1);
        // a hair more than approved waits again, and what is approved stays live
        world.clock.advance_seconds(60);
        let (request, outcome) = world.ask("launch/patient patient/Observation.rs").await;
        assert_eq!((outcome, request.kind), (Outcome::Sent, RequestKind::Change));
        assert_eq!(world.approval().await.unwrap().scopes, "launch/patient patient/Observation.r");
        assert!(world.line().await.change_waiting);
        world.end().await;
    });
}

#[test]
fn a_narrower_request_by_a_changed_client_waits() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        world.approved(READING).await;
        world.clock.advance_seconds(60);
        world.revise(|metadata| metadata.redirect_uris.push("https://new.acme.example/cb".into())).await;
        let (_, outcome) = world.ask("launch/patient").await;
        assert_eq!(outcome, Outcome::Edited);
        assert_eq!(world.approval().await.unwrap().scopes, READING);
        world.end().await;
    });
}

#[test]
fn a_request_expires_when_due_whether_written_down_or_not() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let (request, _) = world.ask(READING).await;
        let digest = world.review(&request.id).await.digest;
        world.clock.advance_seconds(90 * 86_400);
        let yes = Yes { digest, scopes: None, life: Life::AsConfigured };
        assert!(matches!(approve(&world.app, &world.reviewer, &request.id, yes).await, Err(Refusal::Conflict(_))));
        assert_eq!(expire_due(&world.app, world.app.now()).await.unwrap(), 1);
        assert_eq!(expire_due(&world.app, world.app.now()).await.unwrap(), 0);
        assert_eq!(world.line().await.state, "expired");
        assert_eq!(world.told("piet@example.org").await, ["access_request.expired"]);
        let (again, outcome) = world.ask(READING).await;
        assert_eq!(outcome, Outcome::Sent);
        assert_ne!(again.id, request.id);
        world.end().await;
    });
}

#[test]
fn asking_again_after_the_time_is_up_sends_a_new_request_without_waiting_for_a_job() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let (request, _) = world.ask(READING).await;
        world.clock.advance_seconds(91 * 86_400);
        let (again, outcome) = world.ask(READING).await;
        assert_eq!(outcome, Outcome::Sent);
        assert_ne!(again.id, request.id);
        assert!(matches!(world.request(&request.id).await.state, RequestState::Expired { .. }));
        world.end().await;
    });
}

#[test]
fn a_narrower_revision_is_live_at_once_and_any_other_waits() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        world.approved(READING).await;
        world.clock.advance_seconds(60);
        let filed = world.revise(|metadata| drop(metadata.redirect_uris.pop())).await;
        assert_eq!(filed, [Filed::LiveAtOnce(world.reviewer.organization.id.clone())]);
        assert_eq!(world.approval().await.unwrap().client_revision, 2);

        world.clock.advance_seconds(60);
        let filed = world.revise(|metadata| metadata.redirect_uris.push("https://new.acme.example/cb".into())).await;
        let [Filed::Waiting(_, id)] = &filed[..] else { panic!("{filed:?}") };
        assert_eq!(world.approval().await.unwrap().client_revision, 2, "the approved revision stays live");
        let review = world.review(id).await;
        assert_eq!((review.request.kind, review.request.client_revision), (RequestKind::Change, 3));
        assert_eq!(review.request.scopes, READING);
        assert!(review.difference.unwrap().is_empty());
        world.approve(id).await.unwrap();
        assert_eq!(world.approval().await.unwrap().client_revision, 3);
        world.end().await;
    });
}

#[test]
fn a_revision_that_takes_a_waiting_change_back_withdraws_it() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        world.approved(READING).await;
        world.clock.advance_seconds(60);
        let filed = world.revise(|metadata| metadata.name = "Growth Chart Pro".into()).await;
        let [Filed::Waiting(_, id)] = &filed[..] else { panic!("{filed:?}") };
        world.clock.advance_seconds(60);
        world.revise(|metadata| metadata.name = "Growth Chart".into()).await;
        assert!(matches!(world.request(id).await.state, RequestState::Withdrawn { .. }));
        assert_eq!(world.approval().await.unwrap().client_revision, 3);
        assert!(!world.line().await.change_waiting);
        world.end().await;
    });
}

#[test]
fn a_new_revision_moves_a_first_request_that_waits() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let (request, _) = world.ask(READING).await;
        let digest = world.review(&request.id).await.digest;
        world.revise(|metadata| metadata.name = "Gr0wth Chart".into()).await;
        let moved = world.request(&request.id).await;
        assert_eq!((moved.client_revision, moved.edits), (2, 1));
        let yes = Yes { digest, scopes: None, life: Life::AsConfigured };
        assert!(matches!(approve(&world.app, &world.reviewer, &request.id, yes).await, Err(Refusal::Changed)));
        world.end().await;
    });
}

#[test]
fn a_deleted_client_is_taken_off_the_list_and_is_absent() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        world.approved(READING).await;
        world.clock.advance_seconds(1);
        let (change, _) = world.ask("launch/patient patient/*.rs").await;
        let (developer, id, now) = (world.developer.clone(), world.client.id.clone(), world.app.now());
        world
            .app
            .store
            .write(move |conn| {
                Box::pin(async move {
                    storage::clients::delete(conn, &id, now).await?;
                    countersign::governance::access_requests::client_was_deleted(conn, &developer, &id, now).await
                })
            })
            .await
            .unwrap();
        assert!(matches!(world.request(&change.id).await.state, RequestState::Withdrawn { .. }));
        assert!(matches!(disable(&world.app, &world.reviewer, &world.client.id, "x").await, Err(Refusal::NotFound)));
        assert!(matches!(
            countersign::governance::client_management::review(&world.app, &world.reviewer, &change.id).await,
            Err(Refusal::NotFound)
        ));
        assert!(matches!(ask(&world.app, &world.developer, world.question(READING)).await, Err(Refusal::NotFound)));
        world.end().await;
    });
}
