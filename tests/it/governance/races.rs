//! Two people at once: one wins, the other is told.

use countersign::domain::access_requests::RequestState;
use countersign::governance::Refusal;
use countersign::governance::access_requests::{ask, withdraw};
use countersign::governance::approvals::{Life, Yes, approve, disable, reject};

use super::world::{READING, World};
use crate::support::on_both;

/// How often each race is run.
const RUNS: usize = 12;

#[test]
fn of_approve_and_reject_at_once_exactly_one_is_done() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        for run in 0..RUNS {
            world.clock.advance_seconds(60);
            let (request, _) = world.ask(&format!("launch/patient patient/Observation.rs?status=s{run}")).await;
            let yes = Yes { digest: world.review(&request.id).await.digest, scopes: None, life: Life::AsConfigured };
            let (approved, rejected) = futures_util::future::join(
                approve(&world.app, &world.reviewer, &request.id, yes),
                reject(&world.app, &world.admin, &request.id, "No.", true),
            )
            .await;
            assert_eq!(usize::from(approved.is_ok()) + usize::from(rejected.is_ok()), 1, "{approved:?} {rejected:?}");
            let loser = approved.err().or(rejected.err()).unwrap();
            assert!(matches!(loser, Refusal::Conflict(_)), "{loser}");
        }
        let decisions =
            world.recorded("access_request.approved").await + world.recorded("access_request.rejected").await;
        assert_eq!(decisions, RUNS);
        world.end().await;
    });
}

#[test]
fn two_reviewers_who_approve_at_once_make_one_approval() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let (request, _) = world.ask(READING).await;
        let yes = Yes { digest: world.review(&request.id).await.digest, scopes: None, life: Life::AsConfigured };
        let attempts = (0..10).map(|_| approve(&world.app, &world.reviewer, &request.id, yes.clone()));
        let outcomes = futures_util::future::join_all(attempts).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        assert_eq!(world.recorded("access_request.approved").await, 1);
        assert_eq!(world.told("piet@example.org").await.len(), 1);
        world.end().await;
    });
}

#[test]
fn what_is_edited_while_it_is_approved_is_never_approved_unseen() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        for run in 0..RUNS {
            world.clock.advance_seconds(60);
            let seen = format!("launch/patient patient/Observation.rs?status=seen{run}");
            let unseen = format!("launch/patient patient/Observation.cruds?status=unseen{run}");
            let (request, _) = world.ask(&seen).await;
            let yes = Yes { digest: world.review(&request.id).await.digest, scopes: None, life: Life::AsConfigured };
            let (approved, _) = futures_util::future::join(
                approve(&world.app, &world.reviewer, &request.id, yes),
                ask(&world.app, &world.developer, world.question(&unseen)),
            )
            .await;
            match approved {
                Ok(approval) => assert_eq!(approval.scopes, seen),
                Err(refusal) => assert!(matches!(refusal, Refusal::Changed), "{refusal}"),
            }
            if let Some(approval) = world.approval().await {
                assert!(!approval.scopes.contains("unseen"), "{}", approval.scopes);
            }
            let left = world.line().await.access_request_id;
            if world.request(&left).await.state == RequestState::Waiting {
                withdraw(&world.app, &world.developer, &left).await.unwrap();
            }
        }
        world.end().await;
    });
}

#[test]
fn of_many_disables_at_once_one_raises_the_epoch() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        world.approved(READING).await;
        let attempts = (0..10).map(|_| disable(&world.app, &world.reviewer, &world.client.id, "Odd."));
        let outcomes = futures_util::future::join_all(attempts).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        assert!(
            outcomes
                .iter()
                .filter_map(|outcome| outcome.as_ref().err())
                .all(|refusal| matches!(refusal, Refusal::Conflict(_)))
        );
        assert_eq!(world.approval().await.unwrap().epoch, 2);
        assert_eq!(world.recorded("client.disabled").await, 1);
        world.end().await;
    });
}

#[test]
fn a_change_approved_while_the_client_is_disabled_leaves_it_disabled() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        world.approved(READING).await;
        for run in 0..RUNS {
            world.clock.advance_seconds(60);
            let (request, _) = world.ask(&format!("launch/patient patient/*.rs?_id=n{run}")).await;
            let yes = Yes { digest: world.review(&request.id).await.digest, scopes: None, life: Life::AsConfigured };
            let (_, disabled) = futures_util::future::join(
                approve(&world.app, &world.reviewer, &request.id, yes),
                disable(&world.app, &world.admin, &world.client.id, "Odd."),
            )
            .await;
            disabled.unwrap();
            assert!(!world.approval().await.unwrap().is_enabled(world.app.now()));
            countersign::governance::approvals::enable(&world.app, &world.admin, &world.client.id, "").await.unwrap();
            let left = world.line().await.access_request_id;
            if world.request(&left).await.state == RequestState::Waiting {
                withdraw(&world.app, &world.developer, &left).await.unwrap();
            }
        }
        world.end().await;
    });
}

#[test]
fn a_revision_filed_while_the_client_is_approved_is_never_approved_unseen() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        for run in 0..RUNS {
            world.clock.advance_seconds(60);
            let (request, _) = world.ask(&format!("launch/patient patient/*.cruds?_id=n{run}")).await;
            let review = world.review(&request.id).await;
            let seen = review.request.client_revision;
            let yes = Yes { digest: review.digest, scopes: None, life: Life::AsConfigured };
            let (approved, revised) = futures_util::future::join(
                approve(&world.app, &world.reviewer, &request.id, yes),
                world.try_revise(|metadata| metadata.name = format!("Evil Chart {run}")),
            )
            .await;
            match approved {
                Ok(approval) => assert_eq!(approval.client_revision, seen),
                Err(refusal) => assert!(matches!(refusal, Refusal::Changed), "{refusal}"),
            }
            if let Err(refusal) = revised {
                assert!(matches!(refusal, Refusal::Conflict(_)), "{refusal}");
            }
            // whatever is newer waits, and is not what is live
            if let Some(approval) = world.approval().await {
                assert!(approval.client_revision <= seen);
            }
            let left = world.line().await.access_request_id;
            if world.request(&left).await.state == RequestState::Waiting {
                withdraw(&world.app, &world.developer, &left).await.unwrap();
            }
        }
        world.end().await;
    });
}

#[test]
fn a_request_sent_while_a_revision_is_filed_is_about_that_revision() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        for run in 0..RUNS {
            world.clock.advance_seconds(60);
            let (asked, revised) = futures_util::future::join(
                ask(&world.app, &world.developer, world.question(READING)),
                world.try_revise(|metadata| metadata.name = format!("Chart {run}")),
            )
            .await;
            revised.unwrap();
            match asked {
                // it waits, and can be decided: it is about the newest revision
                Ok((request, _)) => {
                    let review = world.review(&request.id).await;
                    assert_eq!(review.request.client_revision, review.client.latest_revision);
                    withdraw(&world.app, &world.developer, &request.id).await.unwrap();
                }
                Err(refusal) => assert!(matches!(refusal, Refusal::Conflict(_)), "{refusal}"),
            }
        }
        world.end().await;
    });
}
