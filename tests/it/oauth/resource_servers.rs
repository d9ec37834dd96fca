//! The credentials with which FHIR servers introspect: seen, used, taken back (RFC 7662 2.1).

use super::actors::{Stage, refused};
use crate::support::on_both;

const PAGE: &str = "/console/st-mary/fhir-endpoints";

#[test]
fn credentials_that_an_admin_revokes_are_nobodys_at_once() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let world = stage.world();
        let tokens = stage.tokens().await;
        let mut admin = stage.site.signed_in(&world.admin.account).await;
        let id = &stage.fhir_server.0;
        let page = admin.open(PAGE).await;
        page.says(id);
        page.says("never");
        assert!(stage.is_active(&tokens.access()).await);
        assert!(!admin.open(PAGE).await.body.contains(">never<"), "it was used, and the page says when");
        // a viewer sees them, and has no button
        let mut viewer = stage.site.signed_in(&world.viewer.account).await;
        let seen = viewer.open(PAGE).await;
        seen.says(id);
        assert!(seen.forms("/resource-server/revoke").is_empty());
        let form = admin.open(PAGE).await.form("/resource-server/revoke");
        assert_eq!(form.value("server"), id);
        admin.submit_and_follow(&form).await.says("good for nothing any more");
        refused(&stage.introspect(&tokens.access()).await, 401, "invalid_client");
        assert!(!admin.open(PAGE).await.body.contains(id.as_str()));
        assert_eq!(world.recorded("resource_server.revoked").await, 1);
        assert_eq!(admin.submit(&form).await.status, 404, "once is enough");
        assert_eq!(world.recorded("resource_server.revoked").await, 1);
        // the app keeps its token; another server of the hospital goes on
        let other = super::actors::resource_server(world).await;
        let header = super::actors::basic(&other.0, &other.1);
        let answer = stage.post("introspect", &[("authorization", &header)], &[("token", &tokens.access())]).await;
        assert_eq!(answer.json()["active"], true);
        stage.end().await;
    });
}

#[test]
fn that_a_server_asks_is_noted_to_the_minute() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let world = stage.world();
        let tokens = stage.tokens().await;
        let used = async || {
            let mut conn = world.app.store.read().await.unwrap();
            let servers =
                countersign::storage::organizations::list_resource_servers(&mut conn, &world.admin.organization.id);
            servers.await.unwrap()[0].last_used_at
        };
        assert_eq!(used().await, None);
        let first = world.app.now();
        stage.introspect(&tokens.access()).await;
        assert_eq!(used().await, Some(first));
        world.clock.advance_seconds(59);
        stage.introspect(&tokens.access()).await;
        assert_eq!(used().await, Some(first), "not written at every question");
        world.clock.advance_seconds(1);
        stage.introspect("nothing we know").await;
        assert_eq!(used().await, Some(world.app.now()));
        // whoever does not prove to be the server has not used it
        world.clock.advance_seconds(120);
        let wrong = super::actors::basic(&stage.fhir_server.0, "wrong");
        refused(
            &stage.post("introspect", &[("authorization", &wrong)], &[("token", "x")]).await,
            401,
            "invalid_client",
        );
        assert_ne!(used().await, Some(world.app.now()));
        stage.end().await;
    });
}
