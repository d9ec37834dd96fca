//! *Disable client* and *Enable client*, by hand.

use crate::governance::world::READING;
use crate::support::{Site, on_both};

#[test]
fn disable_asks_why_asks_once_and_gives_a_receipt() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        site.world.approved(READING).await;
        let mut nurse = site.signed_in(&site.world.reviewer.account).await;
        let path = format!("/console/st-mary/clients/{}", site.world.client.id);

        let page = nurse.open(&path).await;
        let answer = nurse.submit(&page.form("/disable")).await;
        assert_eq!(answer.status, 422);
        answer.says("This must be filled in.");

        let confirm = nurse.submit(&page.form("/disable").with("reason", "Unusual traffic.")).await;
        assert_eq!(confirm.status, 200, "{}", confirm.body);
        assert_eq!(site.world.line().await.state, "approved", "nothing is disabled before it is confirmed");

        let receipt = nurse.submit_and_follow(&confirm.form("/disable")).await;
        assert_eq!(receipt.status, 200, "{}", receipt.body);
        assert!(receipt.at.starts_with("/console/st-mary/receipts/"), "{}", receipt.at);
        receipt.says("every token it held here is dead");
        receipt.says("Unusual traffic.");
        assert_eq!(site.world.line().await.state, "disabled");
        let again = nurse.submit(&confirm.form("/disable")).await;
        assert_eq!(again.status, 409);
        again.says("This cannot be done as things stand");
        assert_eq!(nurse.submit(&page.form("/disable").with("reason", "Again.")).await.status, 409);

        let page = nurse.open(&path).await;
        page.says("This client is switched off");
        let receipt = nurse.submit_and_follow(&page.form("/enable")).await;
        receipt.says("nothing old comes back");
        assert_eq!(site.world.line().await.state, "approved");
        assert_eq!(site.world.approval().await.unwrap().epoch, 2);
        assert_eq!(nurse.submit(&page.form("/enable")).await.status, 409);
        site.remove().await;
    });
}

#[test]
fn a_client_that_only_waits_leads_to_its_request() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let (request, _) = site.world.ask(READING).await;
        let mut nurse = site.signed_in(&site.world.reviewer.account).await;
        let page = nurse.get(&format!("/console/st-mary/clients/{}", site.world.client.id)).await;
        assert_eq!(
            (page.status.as_u16(), page.location()),
            (303, format!("/console/st-mary/access-requests/{}", request.id))
        );
        assert_eq!(nurse.get("/console/st-mary/clients/app_nobody").await.status, 404);
        assert_eq!(nurse.get("/console/st-mary/receipts/1").await.status, 404, "the record of asking is no receipt");
        assert_eq!(nurse.get("/console/st-mary/receipts/999").await.status, 404);
        assert_eq!(nurse.get("/console/st-mary/receipts/x").await.status, 404);
        site.remove().await;
    });
}
