//! Countersigning and refusing.

use countersign::domain::access_requests::{RequestKind, RequestState};
use countersign::domain::approvals::ApprovalState;
use countersign::governance::Refusal;
use countersign::governance::approvals::{self, Life, Yes, approve, disable, reject};
use countersign::governance::explain::{self, Risk};

use super::world::{READING, World};
use crate::support::on_both;

#[test]
fn an_approval_is_what_was_on_the_screen_with_its_record_and_its_news() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let (request, _) = world.ask(READING).await;
        let digest = world.review(&request.id).await.digest;
        let approval = world.approve(&request.id).await.unwrap();
        assert_eq!(approval, world.approval().await.unwrap());
        assert_eq!(
            (approval.scopes.as_str(), &approval.digest, approval.epoch, approval.client_revision),
            (READING, &digest, 1, 1)
        );
        assert_eq!(approval.fhir_endpoints, std::slice::from_ref(&world.endpoint.id));
        assert!(approval.is_enabled(world.app.now()));
        assert_eq!(world.line().await.state, "approved");
        let records = world.audit().await;
        let record = records.iter().find(|record| record.event == "access_request.approved").unwrap();
        assert_eq!(record.actor_id, world.reviewer.account.id.as_str());
        for fact in [digest.as_str(), READING, "granted_scopes"] {
            assert!(record.details.contains(fact), "{fact}");
        }
        assert_eq!(world.told("piet@example.org").await, ["access_request.approved"]);
        world.end().await;
    });
}

#[test]
fn less_than_was_asked_may_be_approved_and_never_more() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let (request, _) = world.ask("openid fhirUser launch/patient patient/Observation.rs patient/Patient.r").await;
        let digest = world.review(&request.id).await.digest;
        let with = |scopes: &[&str]| Yes {
            digest: digest.clone(),
            scopes: Some(scopes.iter().map(ToString::to_string).collect()),
            life: Life::AsConfigured,
        };
        for more in [
            vec!["patient/Observation.cruds"],
            vec!["launch/patient", "patient/Condition.rs"],
            vec!["offline_access"],
            vec!["patient/Observation.rs patient/Condition.rs"],
            vec!["user/Observation.rs"],
            vec!["patient/observation.rs"],
            vec![""],
            vec![],
        ] {
            let refusal = approve(&world.app, &world.reviewer, &request.id, with(&more)).await.unwrap_err();
            assert!(matches!(refusal, Refusal::Invalid(_)), "{more:?}: {refusal}");
        }
        assert!(world.approval().await.is_none());
        // dropped, narrowed, and in the order asked whatever the order ticked
        let less = with(&["patient/Observation.r", "launch/patient", "openid"]);
        let approval = approve(&world.app, &world.reviewer, &request.id, less).await.unwrap();
        assert_eq!(approval.scopes, "openid launch/patient patient/Observation.r");
        let RequestState::Approved { scopes, .. } = world.request(&request.id).await.state else { panic!() };
        assert_eq!(scopes, approval.scopes);
        world.end().await;
    });
}

#[test]
fn what_changed_since_it_was_looked_at_is_not_approved() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let (request, _) = world.ask(READING).await;
        let stale = Yes { digest: world.review(&request.id).await.digest, scopes: None, life: Life::AsConfigured };
        // other scopes; the same scopes for another reason; another revision of the client
        world.ask("launch/patient patient/*.cruds").await;
        assert!(matches!(
            approve(&world.app, &world.reviewer, &request.id, stale.clone()).await,
            Err(Refusal::Changed)
        ));
        let mut question = world.question(READING);
        question.reason = "Another reason.".into();
        countersign::governance::access_requests::ask(&world.app, &world.developer, question).await.unwrap();
        assert!(matches!(
            approve(&world.app, &world.reviewer, &request.id, stale.clone()).await,
            Err(Refusal::Changed)
        ));
        world.ask(READING).await;
        world.revise(|metadata| metadata.redirect_uris.push("https://evil.example/cb".into())).await;
        assert!(matches!(approve(&world.app, &world.reviewer, &request.id, stale).await, Err(Refusal::Changed)));
        assert!(world.approval().await.is_none());
        assert_eq!(world.line().await.state, "waiting");
        world.approve(&request.id).await.unwrap();
        world.end().await;
    });
}

#[test]
fn a_viewer_decides_nothing_and_a_stranger_sees_nothing() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let (request, _) = world.ask(READING).await;
        let yes = Yes { digest: world.review(&request.id).await.digest, scopes: None, life: Life::AsConfigured };
        assert!(matches!(
            approve(&world.app, &world.viewer, &request.id, yes.clone()).await,
            Err(Refusal::Forbidden(_))
        ));
        assert!(matches!(
            reject(&world.app, &world.viewer, &request.id, "No.", true).await,
            Err(Refusal::Forbidden(_))
        ));
        assert!(matches!(
            disable(&world.app, &world.viewer, &world.client.id, "No.").await,
            Err(Refusal::Forbidden(_))
        ));
        assert!(matches!(approve(&world.app, &world.stranger, &request.id, yes).await, Err(Refusal::NotFound)));
        assert!(matches!(reject(&world.app, &world.stranger, &request.id, "No.", true).await, Err(Refusal::NotFound)));
        assert!(matches!(disable(&world.app, &world.stranger, &world.client.id, "No.").await, Err(Refusal::NotFound)));
        let review = countersign::governance::client_management::review(&world.app, &world.stranger, &request.id).await;
        assert!(matches!(review, Err(Refusal::NotFound)));
        let detail =
            countersign::governance::client_management::detail(&world.app, &world.stranger, &world.client.id).await;
        assert!(matches!(detail, Err(Refusal::NotFound)));
        assert_eq!(world.request(&request.id).await.state, RequestState::Waiting);
        world.end().await;
    });
}

#[test]
fn a_rejection_needs_a_reason_and_leaves_an_approval_as_it_was() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let approved = world.approved(READING).await;
        world.clock.advance_seconds(60);
        let (change, _) = world.ask("launch/patient patient/*.rs").await;
        assert_eq!(change.kind, RequestKind::Change);
        for reason in ["", " \n ", &"x".repeat(2001)] {
            assert!(matches!(
                reject(&world.app, &world.reviewer, &change.id, reason, true).await,
                Err(Refusal::Invalid(_))
            ));
        }
        let rejected = reject(&world.app, &world.reviewer, &change.id, "Too much.", true).await.unwrap();
        assert!(matches!(rejected.state, RequestState::Rejected { ref reason, .. } if reason == "Too much."));
        assert_eq!(world.approval().await.unwrap(), approved);
        assert_eq!((world.line().await.state.as_str(), world.line().await.change_waiting), ("approved", false));
        assert!(matches!(
            reject(&world.app, &world.reviewer, &change.id, "Again.", true).await,
            Err(Refusal::Conflict(_))
        ));
        assert!(matches!(world.approve(&change.id).await, Err(Refusal::Conflict(_))));
        assert_eq!(world.told("piet@example.org").await.last().unwrap(), "access_request.rejected");
        world.end().await;
    });
}

#[test]
fn an_approval_ends_when_its_time_is_up_and_a_new_one_revives_nothing() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let (request, _) = world.ask(READING).await;
        let digest = world.review(&request.id).await.digest;
        for days in [0, -1, 3651] {
            let yes = Yes { digest: digest.clone(), scopes: None, life: Life::Days(days) };
            assert!(matches!(approve(&world.app, &world.reviewer, &request.id, yes).await, Err(Refusal::Invalid(_))));
        }
        let yes = Yes { digest, scopes: None, life: Life::Days(30) };
        let first = approve(&world.app, &world.reviewer, &request.id, yes).await.unwrap();
        assert_eq!(first.expires_at, Some(world.app.now().plus_days(30)));
        assert_eq!(approvals::expire_due(&world.app, world.app.now()).await.unwrap(), 0);
        world.clock.advance_seconds(30 * 86_400);
        assert_eq!(approvals::expire_due(&world.app, world.app.now()).await.unwrap(), 1);
        assert_eq!(approvals::expire_due(&world.app, world.app.now()).await.unwrap(), 0);
        assert_eq!(world.line().await.state, "expired");
        assert_eq!(world.recorded("approval.expired").await, 1);
        assert!(matches!(disable(&world.app, &world.reviewer, &world.client.id, "x").await, Err(Refusal::Conflict(_))));
        let (again, _) = world.ask(READING).await;
        assert_eq!(again.kind, RequestKind::Initial);
        let second = world.approve(&again.id).await.unwrap();
        assert!(second.epoch > first.epoch);
        assert!(second.is_enabled(world.app.now()));
        world.end().await;
    });
}

#[test]
fn approving_a_change_does_not_enable_a_disabled_client() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        world.approved(READING).await;
        disable(&world.app, &world.reviewer, &world.client.id, "Odd traffic.").await.unwrap();
        world.clock.advance_seconds(60);
        let (change, _) = world.ask("launch/patient patient/*.rs").await;
        let approval = world.approve(&change.id).await.unwrap();
        assert!(matches!(approval.state, ApprovalState::Disabled { .. }));
        assert_eq!(approval.epoch, 2);
        assert_eq!(world.line().await.state, "disabled");
        world.end().await;
    });
}

#[test]
fn risks_are_named_gravest_first() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let (request, _) = world.ask("offline_access user/*.cruds").await;
        let risks = explain::risks(&world.review(&request.id).await);
        for risk in [
            Risk::Deletes,
            Risk::Writes,
            Risk::AllPatients,
            Risk::Background,
            Risk::FutureKinds,
            Risk::NewProvider,
            Risk::PublicClient,
        ] {
            assert!(risks.contains(&risk), "{risk:?}");
        }
        assert_eq!(risks[0], Risk::Deletes);
        world.approve(&request.id).await.unwrap();
        world.clock.advance_seconds(60);
        world.revise(|metadata| metadata.redirect_uris = vec!["https://elsewhere.example/cb".into()]).await;
        let line = world.line().await;
        let review = world.review(&line.access_request_id).await;
        let risks = explain::risks(&review);
        assert!(risks.contains(&Risk::NewHost));
        assert!(!risks.contains(&Risk::NewProvider));
        let changes = explain::field_changes(&review.approved_revision.unwrap().metadata, &review.revision.metadata);
        assert_eq!(changes.iter().map(|change| change.field).collect::<Vec<_>>(), ["redirect_uris"]);
        world.end().await;
    });
}
