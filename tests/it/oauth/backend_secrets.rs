//! SMART Backend Services are for clients with keys: a shared secret gets no `system/` scope, unless an organization decides that it may (SMART-BS-01).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::Method;
use countersign::domain::clients::ClientMetadata;
use countersign::domain::ids::ClientId;
use countersign::governance::access_requests::{Ask, ask};
use countersign::governance::actor::Staff;
use countersign::governance::approvals::{Life, Yes, approve};
use countersign::governance::client_management::review;
use countersign::governance::clients::revise;

use super::actors::{Key, Stage, Tokens, basic, decide_on_secrets, refused};
use crate::support::browser::Answer;
use crate::support::on_both;

const SCOPE: &str = "system/Patient.rs";

/// What its developer reads.
const WHAT_TO_DO: &str = "this organization gives system scopes to clients with a key only: register a key and use private_key_jwt, or ask the organization to take secrets";

#[track_caller]
fn needs_key(answer: &Answer) {
    refused(answer, 400, "unauthorized_client");
    assert_eq!(answer.json()["error_description"], WHAT_TO_DO);
    assert!(answer.json().get("access_token").is_none());
}

/// How many tokens the hospital ever issued.
async fn issued(stage: &Stage) -> usize {
    stage.world().recorded("token.issued").await
}

#[test]
fn a_secret_gets_no_system_scope_unless_the_organization_decides_that_it_may() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let client = stage.backend_with_secret("system/Patient.rs __introspect").await;
        let service = stage.backend("system/Patient.rs").await;
        let (id, secret) = (client.0.as_str(), client.1.as_str());
        // however the secret is sent, and whatever else is asked
        let in_body =
            [("grant_type", "client_credentials"), ("scope", SCOPE), ("client_id", id), ("client_secret", secret)];
        needs_key(&stage.token(&in_body).await);
        for asked in [
            SCOPE,
            "system/Patient.read",
            "system/Patient.rs?_id=anna",
            "system/*.cruds",
            "system/Condition.rs",
            "system/Patient.rs __introspect",
            "openid patient/*.rs system/Patient.rs offline_access",
        ] {
            needs_key(&stage.ask_with_secret(&client, asked).await);
        }
        assert_eq!(issued(&stage).await, 0, "and nothing was issued");
        // staff can read why it does not work
        let records = stage.world().audit().await;
        let told: Vec<_> = records.iter().filter(|record| record.event == "token.needs_key").collect();
        assert_eq!(told.len(), 8);
        assert!(told.iter().all(|record| record.client_id.as_deref() == Some(id) && record.outcome == "refused"));
        let mut admin = stage.site.signed_in(&stage.world().admin.account).await;
        admin.open("/console/st-mary/activity").await.says("it was refused, as that needs a key here");
        // who proves nothing learns nothing of it
        refused(&stage.ask_with_secret(&(client.0.clone(), "wrong".into()), SCOPE).await, 401, "invalid_client");
        // a key is what it takes
        assert_eq!(stage.ask_with_key(&service, SCOPE).await.status, 200);

        stage.takes_secrets(true).await;
        let answer = stage.ask_with_secret(&client, "system/Patient.rs system/Condition.rs").await;
        assert_eq!((answer.status.as_u16(), answer.json()["scope"].as_str()), (200, Some(SCOPE)), "{}", answer.body);
        assert!(stage.is_active(&Tokens(answer.json()).access()).await);
        assert_eq!(stage.token(&in_body).await.status, 200);
        assert_eq!(stage.ask_with_key(&service, SCOPE).await.status, 200);
        refused(&stage.ask_with_secret(&client, "system/Condition.rs").await, 400, "invalid_scope");
        stage.end().await;
    });
}

#[test]
fn a_secret_is_enough_for_whatever_is_no_backend_service() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let client = stage.backend_with_secret("system/Patient.rs __introspect").await;
        let answer = stage.ask_with_secret(&client, "__introspect").await;
        assert_eq!((answer.status.as_u16(), answer.json()["scope"].as_str()), (200, Some("__introspect")));
        let bearer = format!("Bearer {}", Tokens(answer.json()).access());
        // an app that people use keeps its secret too, and learns of no other rule
        let (app, secret) = stage.confidential().await;
        let code = stage.code_for(&stage.request_of(&app, super::actors::PATIENT_SCOPES)).await;
        let mut fields = stage.redemption(&code);
        fields.retain(|(name, _)| *name != "client_id");
        let proof = basic(app.as_str(), &secret);
        let answer = stage.post("token", &[("authorization", &proof)], &fields).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let tokens = Tokens(answer.json());
        let told = stage.post("introspect", &[("authorization", &bearer)], &[("token", &tokens.access())]).await;
        assert_eq!(told.json()["active"], true, "{}", told.body);
        let refresh = tokens.refresh();
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        assert_eq!(stage.post("token", &[("authorization", &proof)], &fields).await.status, 200);
        stage.end().await;
    });
}

#[test]
fn an_organization_that_stops_taking_secrets_ends_what_was_got_with_one_and_nothing_else() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        stage.takes_secrets(true).await;
        let client = stage.backend_with_secret("system/Patient.rs __introspect").await;
        let service = stage.backend(SCOPE).await;
        let by_secret = Tokens(stage.ask_with_secret(&client, SCOPE).await.json());
        let both = Tokens(stage.ask_with_secret(&client, "system/Patient.rs __introspect").await.json());
        let to_introspect = Tokens(stage.ask_with_secret(&client, "__introspect").await.json());
        let by_key = Tokens(stage.ask_with_key(&service, SCOPE).await.json());
        let of_a_person = stage.tokens().await;
        for token in [&by_secret, &both, &to_introspect, &by_key, &of_a_person] {
            assert!(stage.is_active(&token.access()).await);
        }

        stage.takes_secrets(false).await;

        needs_key(&stage.ask_with_secret(&client, SCOPE).await);
        for token in [&by_secret, &both] {
            assert!(!stage.is_active(&token.access()).await);
            // nor does it open our own doors
            let bearer = format!("Bearer {}", token.access());
            let asked = [("token", of_a_person.0["access_token"].as_str().unwrap())];
            refused(&stage.post("introspect", &[("authorization", &bearer)], &asked).await, 401, "invalid_token");
        }
        for token in [&to_introspect, &by_key, &of_a_person] {
            assert!(stage.is_active(&token.access()).await);
        }
        assert_eq!(stage.ask_with_key(&service, SCOPE).await.status, 200);
        stage.end().await;
    });
}

#[test]
fn no_token_got_with_a_secret_while_that_stops_is_active_after_it() {
    on_both(|dialect| async move {
        let stage = Arc::new(Stage::new(dialect).await);
        stage.takes_secrets(true).await;
        let client = Arc::new(stage.backend_with_secret(SCOPE).await);
        let stop = Arc::new(AtomicBool::new(false));
        let asking: Vec<_> = (0..8)
            .map(|_| {
                let (stage, client, stop) = (Arc::clone(&stage), Arc::clone(&client), Arc::clone(&stop));
                tokio::spawn(async move {
                    let mut issued = Vec::new();
                    while !stop.load(Ordering::SeqCst) {
                        let answer = stage.ask_with_secret(&client, SCOPE).await;
                        assert!(matches!(answer.status.as_u16(), 200 | 400), "{}", answer.body);
                        if answer.status == 200 {
                            issued.push(Tokens(answer.json()).access());
                        }
                    }
                    issued
                })
            })
            .collect();
        assert_eq!(stage.ask_with_secret(&client, SCOPE).await.status, 200);
        stage.takes_secrets(false).await;
        needs_key(&stage.ask_with_secret(&client, SCOPE).await);
        stop.store(true, Ordering::SeqCst);
        for task in asking {
            for token in task.await.unwrap() {
                assert!(!stage.is_active(&token).await);
            }
        }
        let Ok(stage) = Arc::try_unwrap(stage) else { panic!("every task has ended") };
        stage.end().await;
    });
}

#[test]
fn each_organization_decides_for_itself_whether_it_takes_secrets() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let world = stage.world();
        let client = stage.backend_with_secret(SCOPE).await;
        let question = Ask {
            client_id: client.0.clone(),
            organization_id: world.stranger.organization.id.clone(),
            fhir_endpoint_id: world.other_endpoint.id.clone(),
            scopes: SCOPE.into(),
            reason: "For both.".into(),
        };
        let (request, _) = ask(&world.app, &world.developer, question).await.unwrap();
        let seen = review(&world.app, &world.stranger, &request.id).await.unwrap();
        let yes = Yes { digest: seen.digest, scopes: None, life: Life::AsConfigured };
        approve(&world.app, &world.stranger, &request.id, yes).await.unwrap();
        let there = async || {
            let proof = basic(client.0.as_str(), &client.1);
            let headers = [("content-type", "application/x-www-form-urlencoded"), ("authorization", proof.as_str())];
            let body = format!("grant_type=client_credentials&scope={SCOPE}");
            let url = "https://countersign.example/o/st-luke/token";
            stage.site.browser().send(Method::POST, url, &headers, body).await
        };
        let takes = async |admin: &Staff, yes: bool| decide_on_secrets(world, admin, yes).await;

        needs_key(&there().await);
        takes(&world.stranger, true).await;
        assert_eq!(there().await.status, 200);
        needs_key(&stage.ask_with_secret(&client, SCOPE).await);
        takes(&world.admin, true).await;
        takes(&world.stranger, false).await;
        needs_key(&there().await);
        assert_eq!(stage.ask_with_secret(&client, SCOPE).await.status, 200);
        stage.end().await;
    });
}

#[test]
fn a_client_that_registers_a_key_and_is_approved_with_it_needs_no_exception() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let world = stage.world();
        let client = stage.backend_with_secret(SCOPE).await;
        needs_key(&stage.ask_with_secret(&client, SCOPE).await);
        let key = Key::new("key-1");
        let change = |metadata: ClientMetadata| ClientMetadata {
            client_type: countersign::domain::clients::ClientType::ConfidentialKeys,
            jwks: Some(key.jwks()),
            ..metadata
        };
        revised(&stage, &client.0, change).await;
        // until the organization agreed, what it approved stays live: the secret, which gets nothing
        let service = (client.0.clone(), key);
        needs_key(&stage.ask_with_secret(&client, SCOPE).await);
        refused(&stage.ask_with_key(&service, SCOPE).await, 401, "invalid_client");
        let request = {
            let mut conn = world.app.store.read().await.unwrap();
            let here = &world.reviewer.organization.id;
            countersign::storage::access_requests::find_waiting(&mut conn, here, &client.0).await.unwrap().unwrap()
        };
        let digest = review(&world.app, &world.reviewer, &request.id).await.unwrap().digest;
        let yes = Yes { digest, scopes: None, life: Life::AsConfigured };
        approve(&world.app, &world.reviewer, &request.id, yes).await.unwrap();
        assert_eq!(stage.ask_with_key(&service, SCOPE).await.status, 200);
        refused(&stage.ask_with_secret(&client, SCOPE).await, 401, "invalid_client");
        stage.end().await;
    });
}

/// The developer changes what the client says of itself.
async fn revised(stage: &Stage, client: &ClientId, change: impl FnOnce(ClientMetadata) -> ClientMetadata) {
    let world = stage.world();
    let metadata = {
        let mut conn = world.app.store.read().await.unwrap();
        countersign::storage::clients::find_revision(&mut conn, client, 1).await.unwrap().unwrap().metadata
    };
    revise(&world.app, &world.developer, client, 1, change(metadata), "A key.").await.unwrap();
}
