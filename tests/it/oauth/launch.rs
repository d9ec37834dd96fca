//! EHR launch (ATTACKS group L).

use axum::http::Method;
use countersign::domain::accounts::FhirUser;
use countersign::domain::ids::ClientId;
use serde_json::{Value, json};

use super::actors::{FHIR, ISSUER, Stage, Tokens, answer_of, basic, refused};
use crate::governance::world;
use crate::support::browser::Answer;
use crate::support::on_both;

const EHR_SCOPES: &str = "launch openid fhirUser offline_access patient/Patient.r";

async fn ask(stage: &Stage, authorization: &str, wish: &Value) -> Answer {
    let headers = [("content-type", "application/json"), ("authorization", authorization)];
    stage.app_browser().send(Method::POST, &format!("{ISSUER}/launch"), &headers, wish.to_string()).await
}

async fn handle(stage: &Stage, wish: &Value) -> String {
    let (id, secret) = &stage.fhir_server;
    let answer = ask(stage, &basic(id, secret), wish).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["launch"].as_str().unwrap().to_owned()
}

fn request(stage: &Stage, client: &ClientId, launch: &str) -> Vec<(String, String)> {
    let mut pairs = stage.request();
    pairs[1].1 = client.as_str().into();
    pairs[3].1 = EHR_SCOPES.into();
    pairs.push(("launch".into(), launch.into()));
    pairs
}

fn error_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer_of(answer).get("error").cloned().unwrap_or_default()
}

#[test]
fn an_ehr_launches_an_app_with_its_context_once() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let context = json!({
            "patient": "ben", "encounter": "visit-7", "need_patient_banner": false, "intent": "reconcile", "tenant": "ward 3",
            "smart_style_url": "https://ehr.example/style.json", "fhirContext": [{ "reference": "ImagingStudy/5" }],
        });
        let wish = |context: &Value| json!({ "client_id": stage.app.as_str(), "iss": FHIR, "user": stage.patient.email, "context": context });
        let launch = handle(&stage, &wish(&context)).await;
        let mut browser = stage.app_browser();
        let pairs = request(&stage, &stage.app, &launch);
        let answer = stage.launch(&mut browser, &pairs).await;
        let tokens = Tokens(stage.token(&stage.redemption(&answer["code"])).await.json());
        let seen = stage.introspect(&tokens.access()).await.json();
        let next = stage.refresh(&tokens.refresh()).await.json();
        for (name, value) in context.as_object().unwrap() {
            assert_eq!(&tokens.0[name], value, "{name}");
            assert_eq!(&seen[name], value, "{name} at introspection");
            assert_eq!(&next[name], value, "{name} after a refresh");
        }
        assert_eq!(tokens.text("scope"), EHR_SCOPES);
        // what the EHR did not say is said by us
        let bare = handle(&stage, &wish(&json!({ "patient": "ben" }))).await;
        let mut other = stage.app_browser();
        let code = stage.launch(&mut other, &request(&stage, &stage.app, &bare)).await["code"].clone();
        let told = stage.token(&stage.redemption(&code)).await.json();
        assert_eq!(told["need_patient_banner"], true);
        let style = other.get(told["smart_style_url"].as_str().unwrap()).await;
        assert_eq!((style.status.as_u16(), style.header("access-control-allow-origin").as_str()), (200, "*"));
        assert_eq!(style.json()["color_background"], "#ffffff");
        let again = browser.open(&Stage::authorize_url(&pairs)).await;
        assert_eq!(error_of(&again), "invalid_request", "a second time");
        stage.end().await;
    });
}

#[test]
fn a_handle_is_good_for_its_client_its_person_and_five_minutes() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let wish = json!({ "client_id": stage.app.as_str(), "context": { "patient": "ben" } });
        // another client
        let other = stage.register(|_| {}).await;
        stage.approve(&other, EHR_SCOPES).await;
        let launch = handle(&stage, &wish).await;
        assert_eq!(
            error_of(&browser.open(&Stage::authorize_url(&request(&stage, &other, &launch))).await),
            "invalid_request"
        );
        assert_eq!(stage.world().recorded("launch.presented_by_stranger").await, 1);
        // changed, cut, of another kind
        for wrong in [format!("{launch}x"), launch[..60].to_owned(), launch.replacen("csl_", "csa_", 1)] {
            assert_eq!(
                error_of(&browser.open(&Stage::authorize_url(&request(&stage, &stage.app, &wrong))).await),
                "invalid_request"
            );
        }
        // too late
        stage.world().clock.advance_seconds(300);
        assert_eq!(
            error_of(&browser.open(&Stage::authorize_url(&request(&stage, &stage.app, &launch))).await),
            "invalid_request"
        );
        // another person at the same workstation
        let doctor = world::account(&stage.world().app, "doctor").await;
        stage.is_user(&doctor, FhirUser { reference: "Practitioner/7".into(), patients: Vec::new() }).await;
        for user in ["doctor@example.org", "Practitioner/7"] {
            let launch = handle(
                &stage,
                &json!({ "client_id": stage.app.as_str(), "user": user, "context": { "patient": "ben" } }),
            )
            .await;
            let answer = browser.open(&Stage::authorize_url(&request(&stage, &stage.app, &launch))).await;
            assert_eq!(answer.status, 403, "{}", answer.body);
            assert!(answer.location().is_empty());
            let mut own = stage.site.signed_in(&doctor).await;
            let page = own.open(&Stage::authorize_url(&request(&stage, &stage.app, &launch))).await;
            let code = if page.status == 303 {
                page
            } else {
                own.submit(&page.form("/consent").with("decision", "allow")).await
            };
            assert!(answer_of(&code).contains_key("code"));
        }
        stage.end().await;
    });
}

#[test]
fn only_an_ehr_of_the_organization_makes_handles_and_only_for_approved_clients() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (id, secret) = stage.fhir_server.clone();
        let good = basic(&id, &secret);
        let wish = json!({ "client_id": stage.app.as_str() });
        refused(&ask(&stage, "", &wish).await, 401, "invalid_client");
        refused(&ask(&stage, &basic(&id, "wrong"), &wish).await, 401, "invalid_client");
        let (client, own) = stage.backend_with_secret("system/Patient.rs").await;
        refused(&ask(&stage, &basic(client.as_str(), &own), &wish).await, 401, "invalid_client");
        for (wrong, status) in [
            (json!({ "client_id": "app_unknown" }), 403),
            (json!({}), 400),
            (json!({ "client_id": stage.app.as_str(), "iss": "https://evil.example" }), 400),
            (json!({ "client_id": stage.app.as_str(), "user": "nobody@example.org" }), 400),
            (json!({ "client_id": stage.app.as_str(), "context": { "patient": "Patient/ben" } }), 400),
            (
                json!({ "client_id": stage.app.as_str(), "context": { "fhirContext": [{ "reference": "Patient/ben" }] } }),
                400,
            ),
            (json!({ "client_id": stage.app.as_str(), "context": { "need_patient_banner": "yes" } }), 400),
            (json!({ "client_id": stage.app.as_str(), "unknown": 1 }), 400),
        ] {
            let answer = ask(&stage, &good, &wrong).await;
            assert_eq!(answer.status, status, "{wrong}: {}", answer.body);
        }
        stage.disable(&stage.app).await;
        assert_eq!(ask(&stage, &good, &wish).await.status, 403);
        // a launch URL keeps its own query
        let app =
            stage.register(|metadata| metadata.launch_uri = Some("https://app.acme.example/launch?x=1".into())).await;
        stage.approve(&app, EHR_SCOPES).await;
        let answer = ask(&stage, &good, &json!({ "client_id": app.as_str(), "iss": "r4" })).await.json();
        let url = answer["launch_url"].as_str().unwrap();
        assert!(
            url.starts_with(
                "https://app.acme.example/launch?x=1&iss=https%3A%2F%2Ffhir.st-mary.example%2Fr4&launch=csl_"
            ),
            "{url}"
        );
        stage.end().await;
    });
}
