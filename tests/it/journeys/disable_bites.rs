//! *Disable client* bites: after its answer nothing is issued and nothing is active, whatever the door; *enable* revives none of it; other organizations and other
//! clients are untouched.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign::domain::ids::ClientId;
use countersign::governance::access_requests::{Ask, ask};
use countersign::governance::approvals::{Life, Yes, approve};
use countersign::governance::client_management::review;

use crate::oauth::actors::{CALLBACK, Key, Stage, claims, refused};
use crate::support::on_both;

/// Every kind of thing that was issued before.
struct Held {
    access: String,
    narrowed: String,
    refresh: String,
    code: String,
    machine: String,
}

async fn collect(stage: &Stage, backend: &(ClientId, Key)) -> Held {
    let tokens = stage.tokens().await;
    let narrowed = stage.tokens().await;
    let machine = machine_token(stage, backend).await;
    Held {
        access: tokens.access(),
        narrowed: narrowed.access(),
        refresh: tokens.refresh(),
        code: stage.code().await,
        machine: machine.json()["access_token"].as_str().unwrap().to_owned(),
    }
}

async fn machine_token(stage: &Stage, backend: &(ClientId, Key)) -> crate::support::browser::Answer {
    stage.ask_with_key(backend, "system/Patient.rs").await
}

#[test]
fn after_a_disable_every_door_says_no_and_enable_revives_nothing() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let backend = stage.backend("system/Patient.rs").await;
        let held = collect(&stage, &backend).await;
        for token in [&held.access, &held.narrowed, &held.machine] {
            assert!(stage.is_active(token).await);
        }

        stage.disable(&stage.app).await;

        // introspection: all of this client's, none of the other's
        assert!(!stage.is_active(&held.access).await);
        assert!(!stage.is_active(&held.narrowed).await);
        assert!(stage.is_active(&held.machine).await);
        // refresh and code
        refused(&stage.refresh(&held.refresh).await, 401, "invalid_client");
        refused(&stage.token(&stage.redemption(&held.code)).await, 401, "invalid_client");
        // a launch stops at our own page, and never goes back to the app (D4)
        let mut browser = stage.app_browser();
        let page = browser.open(&Stage::authorize_url(&stage.request())).await;
        assert!(!page.location().starts_with(CALLBACK), "{}", page.location());
        assert!(page.status.is_client_error(), "{}", page.status);
        // client credentials of a disabled client
        stage.disable(&backend.0).await;
        refused(&machine_token(&stage, &backend).await, 401, "invalid_client");
        assert!(!stage.is_active(&held.machine).await);

        stage.enable(&stage.app).await;
        stage.enable(&backend.0).await;
        for token in [&held.access, &held.narrowed, &held.machine] {
            assert!(!stage.is_active(token).await, "nothing old comes back");
        }
        refused(&stage.refresh(&held.refresh).await, 400, "invalid_grant");
        refused(&stage.token(&stage.redemption(&held.code)).await, 400, "invalid_grant");
        // but the app may be used anew
        let again = stage.tokens().await;
        assert!(stage.is_active(&again.access()).await);
        assert_eq!(machine_token(&stage, &backend).await.status, 200);
        stage.end().await;
    });
}

#[test]
fn another_organization_does_not_notice() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (id, key) = stage.backend("system/Patient.rs").await;
        let world = stage.world();
        // the other hospital approves the same client for itself
        let question = Ask {
            client_id: id.clone(),
            organization_id: world.stranger.organization.id.clone(),
            fhir_endpoint_id: world.other_endpoint.id.clone(),
            scopes: "system/Patient.rs".into(),
            reason: "For both.".into(),
        };
        let (request, _) = ask(&world.app, &world.developer, question).await.unwrap();
        let seen = review(&world.app, &world.stranger, &request.id).await.unwrap();
        let yes = Yes { digest: seen.digest, scopes: None, life: Life::AsConfigured };
        approve(&world.app, &world.stranger, &request.id, yes).await.unwrap();

        stage.disable(&id).await;

        let there = {
            let mut claims = claims(&stage, &id, "there");
            claims["aud"] = "https://countersign.example/o/st-luke/token".into();
            let fields = [
                ("grant_type", "client_credentials"),
                ("scope", "system/Patient.rs"),
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", &key.sign(&key.header(), &claims)),
            ];
            let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            let form = [("content-type", "application/x-www-form-urlencoded")];
            let url = "https://countersign.example/o/st-luke/token";
            stage.site.browser().send(axum::http::Method::POST, url, &form, body).await
        };
        assert_eq!(there.status, 200, "{}", there.body);
        refused(&machine_token(&stage, &(id, key)).await, 401, "invalid_client");
        // and a token of the one organization is nothing to the other's FHIR server
        assert!(!stage.is_active(there.json()["access_token"].as_str().unwrap()).await);
        stage.end().await;
    });
}

#[test]
fn no_token_issued_while_a_disable_is_on_its_way_is_active_after_it() {
    on_both(|dialect| async move {
        let stage = Arc::new(Stage::new(dialect).await);
        let backend = Arc::new(stage.backend("system/Patient.rs").await);
        let stop = Arc::new(AtomicBool::new(false));
        let asking: Vec<_> = (0..8)
            .map(|_| {
                let (stage, backend, stop) = (Arc::clone(&stage), Arc::clone(&backend), Arc::clone(&stop));
                tokio::spawn(async move {
                    let mut issued = Vec::new();
                    while !stop.load(Ordering::SeqCst) {
                        let answer = machine_token(&stage, &backend).await;
                        assert!(matches!(answer.status.as_u16(), 200 | 401), "{}", answer.body);
                        if answer.status == 200 {
                            issued.push(answer.json()["access_token"].as_str().unwrap().to_owned());
                        }
                    }
                    issued
                })
            })
            .collect();
        // some are certainly issued before, some are certainly in flight
        while machine_token(&stage, &backend).await.status != 200 {}
        stage.disable(&backend.0).await;
        let after = machine_token(&stage, &backend).await;
        refused(&after, 401, "invalid_client");
        stop.store(true, Ordering::SeqCst);
        let mut tokens = Vec::new();
        for task in asking {
            tokens.extend(task.await.unwrap());
        }
        for token in &tokens {
            assert!(!stage.is_active(token).await);
        }
        let Ok(stage) = Arc::try_unwrap(stage) else { panic!("every task has ended") };
        stage.end().await;
    });
}
