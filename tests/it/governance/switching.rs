//! Disable bites, and enable revives nothing.

use countersign::domain::approvals::ApprovalState;
use countersign::governance::Refusal;
use countersign::governance::approvals::{disable, enable};
use countersign::governance::client_management::detail;
use countersign::storage::token_counters::{self, Counted};

use super::world::{READING, World};
use crate::support::on_both;

#[test]
fn disable_raises_the_epoch_with_its_record_and_its_receipt() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let approval = world.approved(READING).await;
        let (organization, client, now) =
            (approval.organization_id.clone(), approval.client_id.clone(), world.app.now());
        world
            .write(move |conn| {
                Box::pin(async move {
                    for (kind, seconds, tokens) in
                        [("access", 3600, 41), ("refresh", 86_400, 7), ("access", -7200, 100)]
                    {
                        let expires_at = now.plus_seconds(seconds);
                        let counted =
                            Counted { organization: &organization, client: &client, epoch: 1, kind, expires_at };
                        token_counters::add(conn, &counted, tokens).await?;
                    }
                    Ok(())
                })
            })
            .await;
        assert_eq!(detail(&world.app, &world.viewer, &world.client.id).await.unwrap().access_tokens, 41);
        let receipt = disable(&world.app, &world.reviewer, &world.client.id, "Unusual traffic.").await.unwrap();
        assert_eq!((receipt.access_tokens, receipt.refresh_tokens), (41, 7));
        let after = world.approval().await.unwrap();
        assert_eq!(after, receipt.approval);
        assert_eq!(after.epoch, 2);
        assert!(
            matches!(&after.state, ApprovalState::Disabled { by, reason, .. } if *by == world.reviewer.account.id && reason == "Unusual traffic.")
        );
        assert_eq!(world.line().await.state, "disabled");
        assert_eq!(world.recorded("client.disabled").await, 1);
        assert_eq!(world.told("piet@example.org").await.last().unwrap(), "client.disabled");
        assert_eq!(detail(&world.app, &world.viewer, &world.client.id).await.unwrap().access_tokens, 0);
        world.end().await;
    });
}

#[test]
fn enable_keeps_the_epoch_so_that_nothing_old_comes_back() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        world.approved(READING).await;
        disable(&world.app, &world.reviewer, &world.client.id, "Odd.").await.unwrap();
        let enabled = enable(&world.app, &world.reviewer, &world.client.id, "").await.unwrap();
        assert_eq!(enabled.epoch, 2);
        assert_eq!(world.line().await.state, "approved");
        disable(&world.app, &world.reviewer, &world.client.id, "Odd again.").await.unwrap();
        assert_eq!(world.approval().await.unwrap().epoch, 3);
        assert_eq!(world.told("piet@example.org").await.len(), 4);
        world.end().await;
    });
}

#[test]
fn a_switch_that_does_not_start_where_the_client_stands_is_a_conflict() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let id = &world.client.id;
        // never asked: absent
        assert!(matches!(disable(&world.app, &world.reviewer, id, "x").await, Err(Refusal::NotFound)));
        let (request, _) = world.ask(READING).await;
        // waiting
        assert!(matches!(disable(&world.app, &world.reviewer, id, "x").await, Err(Refusal::Conflict(_))));
        assert!(matches!(enable(&world.app, &world.reviewer, id, "x").await, Err(Refusal::Conflict(_))));
        world.approve(&request.id).await.unwrap();
        assert!(matches!(enable(&world.app, &world.reviewer, id, "x").await, Err(Refusal::Conflict(_))));
        assert!(matches!(disable(&world.app, &world.reviewer, id, " ").await, Err(Refusal::Invalid(_))));
        disable(&world.app, &world.reviewer, id, "x").await.unwrap();
        let records = world.audit().await.len();
        assert!(matches!(disable(&world.app, &world.reviewer, id, "x").await, Err(Refusal::Conflict(_))));
        assert_eq!(world.audit().await.len(), records);
        assert_eq!(world.approval().await.unwrap().epoch, 2);
        world.end().await;
    });
}
