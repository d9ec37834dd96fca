//! `apply`: what is declared comes to be, once.

use countersign::domain::ids::ClientId;
use countersign::governance::apply::{Declaration, apply};
use countersign::governance::{approvals, audit};
use countersign::storage;
use countersign::storage::connect::Dialect;

use crate::governance::world::World;
use crate::support::on_both;

const FILE: &str = r#"
[[organizations]]
slug = "river-side"
name = "Riverside Clinic"
[[organizations.fhir_endpoints]]
slug = "r4"
name = "Records"
base_url = "https://fhir.riverside.example/r4"
release = "r4"
[[organizations.resource_servers]]
name = "FHIR server"

[[application_providers]]
name = "Declared Apps"

[[accounts]]
email = "boss@riverside.example"
name = "Boss"
password = "a sentence to remember"
staff = [{ organization = "river-side", role = "admin" }]

[[accounts]]
email = "dev@declared.example"
name = "Dev"
developer = [{ application_provider = "Declared Apps", role = "admin" }]

[[clients]]
client_id = "declared-app"
application_provider = "Declared Apps"
[clients.metadata]
name = "Declared App"
contacts = ["dev@declared.example"]
client_type = "confidential_secret"
grant_types = ["client_credentials"]

[[access_requests]]
client_id = "declared-app"
organization = "river-side"
fhir_endpoint = "r4"
scopes = "system/Patient.rs system/Observation.rs"
reason = "Declared."

[[approvals]]
client_id = "declared-app"
organization = "river-side"
approved_by = "boss@riverside.example"
"#;

#[test]
fn a_dry_run_changes_nothing_and_says_what_the_run_then_does_once() {
    on_both(|dialect: Dialect| async move {
        let world = World::new(dialect).await;
        let file = Declaration::read(FILE, false).unwrap();
        let before = audit::verify(&world.app.store).await.unwrap();
        let plan = apply(&world.app, &file, true).await.unwrap();
        assert_eq!(audit::verify(&world.app.store).await.unwrap(), before, "a dry run leaves no trace");
        let done = apply(&world.app, &file, false).await.unwrap();
        for planned in &plan.changes {
            assert!(done.changes.contains(planned), "{planned} was planned");
        }
        assert_eq!(done.secrets.iter().map(|secret| secret.of.as_str()).filter(|of| *of == "declared-app").count(), 1);
        let again = apply(&world.app, &file, false).await.unwrap();
        assert_eq!(again.changes, []);
        assert!(again.secrets.is_empty());
        assert!(audit::verify(&world.app.store).await.unwrap().len() > before.len());
        world.database.remove().await;
    });
}

#[test]
fn applying_again_does_not_enable_what_staff_disabled() {
    on_both(|dialect: Dialect| async move {
        let world = World::new(dialect).await;
        let file = Declaration::read(FILE, false).unwrap();
        apply(&world.app, &file, false).await.unwrap();
        let mut conn = world.app.store.read().await.unwrap();
        let boss = storage::accounts::find_by_email(&mut conn, "boss@riverside.example").await.unwrap().unwrap();
        let staff = countersign::governance::actor::Staff::at(&mut conn, &boss, "river-side").await.unwrap();
        drop(conn);
        let client = ClientId::from_text("declared-app");
        approvals::disable(&world.app, &staff, &client, "Enough.").await.unwrap();
        assert_eq!(apply(&world.app, &file, false).await.unwrap().changes, []);
        let mut conn = world.app.store.read().await.unwrap();
        let approval = storage::approvals::find(&mut conn, &staff.organization.id, &client).await.unwrap().unwrap();
        assert!(!approval.is_enabled(world.app.now()));
        drop(conn);
        world.database.remove().await;
    });
}

#[test]
fn what_an_organization_decides_is_declared_too_and_stays_where_the_file_says_nothing_of_it() {
    on_both(|dialect: Dialect| async move {
        let world = World::new(dialect).await;
        let takes_secrets = async || {
            let mut conn = world.app.store.read().await.unwrap();
            let found = storage::organizations::find_by_slug(&mut conn, "river-side").await.unwrap().unwrap();
            found.settings.backend_services_may_use_secrets
        };
        apply(&world.app, &Declaration::read(FILE, false).unwrap(), false).await.unwrap();
        assert!(!takes_secrets().await);
        let name = "name = \"Riverside Clinic\"\n";
        let settings = format!("{name}settings = {{ backend_services_may_use_secrets = true }}\n");
        let file = Declaration::read(&FILE.replace(name, &settings), false).unwrap();
        let done = apply(&world.app, &file, false).await.unwrap();
        assert_eq!(
            done.changes.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["~ organization river-side: settings"]
        );
        assert!(takes_secrets().await);
        // a file that says nothing of it, or something else, leaves it as it was decided
        let website = FILE.replace(name, &format!("{name}settings = {{ website = \"https://riverside.example/\" }}\n"));
        for (file, changes) in [(FILE, 0), (website.as_str(), 1), (FILE, 0)] {
            let done = apply(&world.app, &Declaration::read(file, false).unwrap(), false).await.unwrap();
            assert_eq!(done.changes.len(), changes);
            assert!(takes_secrets().await);
        }
        world.database.remove().await;
    });
}

#[test]
fn unknown_keys_and_absent_references_are_named() {
    let misspelt = FILE.replace("release =", "relaese =");
    assert!(Declaration::read(&misspelt, false).unwrap_err().to_string().contains("relaese"));
    let setting = |given: &str| {
        FILE.replace("slug = \"river-side\"\n", &format!("slug = \"river-side\"\nsettings = {{ {given} }}\n"))
    };
    for (given, named) in [("frame_ancestor = []", "frame_ancestor"), ("registration = \"ajar\"", "ajar")] {
        assert!(Declaration::read(&setting(given), false).unwrap_err().to_string().contains(named), "{named}");
    }
    on_both(|dialect: Dialect| async move {
        let world = World::new(dialect).await;
        let text =
            FILE.replace("approved_by = \"boss@riverside.example\"", "approved_by = \"nobody@riverside.example\"");
        let refused = apply(&world.app, &Declaration::read(&text, false).unwrap(), true).await.unwrap_err().to_string();
        assert!(refused.contains("nobody@riverside.example"), "{refused}");
        for (given, named) in
            [("frame_ancestors = [\"ehr\"]", "frame_ancestors"), ("website = \"riverside\"", "website")]
        {
            let file = Declaration::read(&setting(given), false).unwrap();
            let refused = apply(&world.app, &file, true).await.unwrap_err().to_string();
            assert!(refused.contains(named), "{refused}");
        }
        world.database.remove().await;
    });
}

/// The file with one more FHIR server, of this id.
fn with_server_named(id: &str) -> String {
    let server = format!(
        "[[organizations.resource_servers]]\nname = \"Other server\"\nid = \"{id}\"\n\n[[application_providers]]"
    );
    FILE.replacen("[[application_providers]]", &server, 1)
}

#[test]
fn no_client_is_declared_with_an_id_that_means_something_else() {
    on_both(|dialect: Dialect| async move {
        let world = World::new(dialect).await;
        apply(&world.app, &Declaration::read(FILE, false).unwrap(), false).await.unwrap();
        let somebody = world.reviewer.account.id.as_str().to_owned();
        let server = "the-fhir-server";
        let with_server = with_server_named(server);
        apply(&world.app, &Declaration::read(&with_server, false).unwrap(), false).await.unwrap();
        for id in [somebody.as_str(), "countersign", "org_mine", "rs_mine", "acc_mine", server] {
            for dry_run in [true, false] {
                let text = FILE.replace("\"declared-app\"", &format!("\"{id}\""));
                let file = Declaration::read(&text, false).unwrap();
                let refused = apply(&world.app, &file, dry_run).await.expect_err(id).to_string();
                assert!(refused.contains("client_id"), "{id}: {refused}");
                let mut conn = world.app.store.read().await.unwrap();
                assert!(storage::clients::lookup(&mut conn, &ClientId::from_text(id)).await.unwrap().is_none());
            }
        }
        // nor a FHIR server with the id of a client
        let text = with_server_named("declared-app");
        let refused =
            apply(&world.app, &Declaration::read(&text, false).unwrap(), false).await.unwrap_err().to_string();
        assert!(refused.contains("resource server"), "{refused}");
        world.database.remove().await;
    });
}
