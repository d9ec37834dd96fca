//! Keys that a client registers inline, when its developer takes one out (SMART-BS-07, ATTACKS K20).

use countersign::domain::clients::{ClientMetadata, ClientType, GrantType};
use countersign::domain::ids::ClientId;
use countersign::governance::clients::revise;
use countersign::storage;
use serde_json::{Value, json};

use super::actors::{Key, Stage, refused};
use crate::support::on_both;

const SCOPE: &str = "system/Patient.rs";

fn set(keys: &[&Key]) -> String {
    json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<Value>>() }).to_string()
}

/// A backend service with these keys, approved.
async fn service(stage: &Stage, keys: &[&Key]) -> ClientId {
    let jwks = set(keys);
    let id = stage
        .register(|metadata| {
            metadata.client_type = ClientType::ConfidentialKeys;
            metadata.grant_types = vec![GrantType::ClientCredentials];
            metadata.redirect_uris = Vec::new();
            metadata.jwks = Some(jwks);
        })
        .await;
    stage.approve(&id, SCOPE).await;
    id
}

/// The developer changes what the client says of itself; the revision that is live then.
async fn revised(stage: &Stage, client: &ClientId, change: impl FnOnce(&mut ClientMetadata)) -> i64 {
    let world = stage.world();
    let find = async || {
        let mut conn = world.app.store.read().await.unwrap();
        let latest = storage::clients::lookup(&mut conn, client).await.unwrap().unwrap().latest_revision;
        storage::clients::find_revision(&mut conn, client, latest).await.unwrap().unwrap()
    };
    let latest = find().await;
    let mut metadata = latest.metadata;
    change(&mut metadata);
    revise(&world.app, &world.developer, client, latest.revision, metadata, "Our keys.").await.unwrap();
    let mut conn = world.app.store.read().await.unwrap();
    let organization = &world.reviewer.organization.id;
    storage::approvals::find(&mut conn, organization, client).await.unwrap().unwrap().client_revision
}

async fn may(stage: &Stage, client: &ClientId, key: &Key) -> bool {
    let answer = stage.ask_as(client, key, SCOPE).await;
    if answer.status != 200 {
        refused(&answer, 401, "invalid_client");
    }
    answer.status == 200
}

#[test]
fn a_key_that_its_developer_takes_out_is_nobodys_at_once_and_needs_no_approval() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (leaked, kept) = (Key::new("leaked"), Key::new("kept"));
        let id = service(&stage, &[&leaked, &kept]).await;
        assert!(may(&stage, &id, &leaked).await && may(&stage, &id, &kept).await);
        let live = revised(&stage, &id, |metadata| metadata.jwks = Some(set(&[&kept]))).await;
        assert_eq!(live, 2, "nothing is asked for, so nobody is asked");
        assert!(!may(&stage, &id, &leaked).await);
        assert!(may(&stage, &id, &kept).await);
        stage.end().await;
    });
}

#[test]
fn a_key_that_goes_with_a_change_that_waits_goes_at_once_and_the_new_one_comes_with_the_approval() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (leaked, kept, new) = (Key::new("leaked"), Key::new("kept"), Key::new("new"));
        let id = service(&stage, &[&leaked, &kept]).await;
        let live = revised(&stage, &id, |metadata| metadata.jwks = Some(set(&[&kept, &new]))).await;
        assert_eq!(live, 1, "a new key is for the organization to approve");
        assert!(!may(&stage, &id, &leaked).await);
        assert!(may(&stage, &id, &kept).await, "the app goes on with what was approved and is still its own");
        assert!(!may(&stage, &id, &new).await);
        // a known kid with another key behind it is another key
        let impostor = Key::new("kept");
        revised(&stage, &id, |metadata| metadata.jwks = Some(set(&[&impostor]))).await;
        assert!(!may(&stage, &id, &kept).await && !may(&stage, &id, &impostor).await);
        // one that moves its keys behind a URL keeps what was approved until that is
        revised(&stage, &id, |metadata| {
            metadata.jwks = None;
            metadata.jwks_uri = Some("https://app.acme.example/jwks".into());
        })
        .await;
        assert!(may(&stage, &id, &kept).await);
        stage.end().await;
    });
}
