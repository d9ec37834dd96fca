//! What becomes of consents that were given before one belonged to a FHIR endpoint.

use std::path::Path;

use countersign::domain::ids::{AccountId, ClientId, FhirEndpointId};
use countersign::domain::organizations::FhirEndpoint;
use countersign::storage;
use countersign::storage::connect::Dialect;
use sqlx::Executor as _;

use crate::governance::world::World;
use crate::support::on_both;

fn migration(dialect: Dialect, name: &str) -> String {
    let folder = match dialect {
        Dialect::Sqlite => "sqlite",
        Dialect::Postgres => "postgres",
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder).join(name);
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn an_older_consent_counts_only_where_it_is_certain_for_which_endpoint_it_was() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        // st-mary has one FHIR endpoint, st-luke two
        let second = FhirEndpoint {
            id: FhirEndpointId::new(world.app.now(), &*world.app.entropy),
            slug: "second".into(),
            base_url: "https://fhir.st-luke.example/second".into(),
            ..world.other_endpoint.clone()
        };
        let (kept, now) = (second.clone(), world.app.now());
        world
            .write(move |conn| Box::pin(async move { storage::organizations::insert_endpoint(conn, &kept, now).await }))
            .await;
        // the table as it was, with consents in it, and then the step to what it is
        let foundation = migration(dialect, "0001_foundation.sql");
        let table = foundation.split("create table consents (").nth(1).unwrap().split(';').next().unwrap().to_owned();
        let (mary, luke) = (world.reviewer.organization.id.clone(), world.stranger.organization.id.clone());
        let given = [(&mary, "acc_kept", "null"), (&mary, "acc_withdrawn", "7"), (&luke, "acc_kept", "null")].map(
            |(organization, account, withdrawn)| {
                format!(
                    "insert into consents values ('{organization}', '{account}', 'app_1', 3, 'openid', 5, {withdrawn});"
                )
            },
        );
        let script = format!(
            "drop table consents; create table consents ({table}; {} {}",
            given.concat(),
            migration(dialect, "0012_consent_endpoint.sql")
        );
        world
            .write(move |conn| {
                Box::pin(async move {
                    conn.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(script))).await?;
                    Ok(())
                })
            })
            .await;
        let mut conn = world.app.store.read().await.unwrap();
        let app = ClientId::from_text("app_1");
        let mut found = async |place, account: &str| {
            storage::consents::find(&mut conn, place, &AccountId::from_text(account), &app).await.unwrap()
        };
        let kept = found((&mary, &world.endpoint.id), "acc_kept").await.unwrap();
        assert_eq!((kept.client_revision, kept.scopes.as_str(), kept.granted_at.0), (3, "openid", 5));
        assert_eq!(kept.patient, None, "about whom is not known");
        assert!(found((&mary, &world.endpoint.id), "acc_withdrawn").await.is_none());
        for endpoint in [&world.other_endpoint.id, &second.id] {
            assert!(found((&luke, endpoint), "acc_kept").await.is_none(), "{endpoint}");
        }
        drop(conn);
        world.end().await;
    });
}
