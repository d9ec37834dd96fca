//! What a person agreed to, and for what that is remembered (ATTACKS A25).

use countersign::domain::access_requests::AccessRequest;
use countersign::domain::ids::FhirEndpointId;
use countersign::domain::organizations::FhirEndpoint;
use countersign::governance::access_requests::{Ask, ask};
use countersign::storage;

use super::actors::{FHIR, ISSUER, Stage, answer_of};
use super::choosing::doctor;
use super::launch_rules::{handle, request};
use super::requests::{and, of, set, tells_the_app};
use crate::support::browser::{Answer, Browser};
use crate::support::on_both;

const OTHER_FHIR: &str = "https://fhir.st-mary.example/second";
const SIGN_IN: &str = "openid fhirUser profile user/Patient.rs user/Condition.rs";

async fn silently(browser: &mut Browser, pairs: &[(String, String)]) -> Answer {
    browser.open(&Stage::authorize_url(&and(pairs.to_vec(), "prompt", "none"))).await
}

#[test]
fn a_consent_is_remembered_for_the_fhir_endpoint_it_was_given_for() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let world = stage.world();
        let second = FhirEndpoint {
            id: FhirEndpointId::new(world.app.now(), &*world.app.entropy),
            slug: "second".into(),
            base_url: OTHER_FHIR.into(),
            ..world.endpoint.clone()
        };
        let (kept, now) = (second.clone(), world.app.now());
        world
            .write(move |conn| Box::pin(async move { storage::organizations::insert_endpoint(conn, &kept, now).await }))
            .await;
        let app = stage.register(|_| {}).await;
        let approved_at = async |endpoint: &FhirEndpointId| {
            let question =
                Ask { client_id: app.clone(), fhir_endpoint_id: endpoint.clone(), ..world.question(SIGN_IN) };
            let (request, _): (AccessRequest, _) = ask(&world.app, &world.developer, question).await.unwrap();
            world.approve(&request.id).await.unwrap();
        };
        approved_at(&world.endpoint.id).await;
        let here = of(&stage, &app, "openid profile user/Patient.rs");
        let there = set(here.clone(), "aud", OTHER_FHIR);
        let mut browser = stage.site.signed_in(&stage.patient).await;
        assert!(stage.launch(&mut browser, &here).await.contains_key("code"));
        assert!(answer_of(&silently(&mut browser, &here).await).contains_key("code"));
        approved_at(&second.id).await;
        tells_the_app(&silently(&mut browser, &there).await, "consent_required", "another FHIR server");
        let page = browser.open(&Stage::authorize_url(&there)).await;
        assert!(
            answer_of(&browser.submit(&page.form("/consent").with("decision", "allow")).await).contains_key("code")
        );
        assert!(answer_of(&silently(&mut browser, &there).await).contains_key("code"));
        // agreed to at both: neither takes the place of the other
        approved_at(&world.endpoint.id).await;
        assert!(answer_of(&silently(&mut browser, &here).await).contains_key("code"));
        // and stopping the app forgets both
        let form = browser.open(&format!("{ISSUER}/apps/{app}/stop")).await.form("/apps/stop");
        assert_eq!(browser.submit(&form).await.status, 303);
        tells_the_app(&silently(&mut browser, &here).await, "consent_required", "after the stop");
        approved_at(&second.id).await;
        tells_the_app(&silently(&mut browser, &there).await, "consent_required", "after the stop, there too");
        stage.end().await;
    });
}

#[test]
fn a_silent_grant_leaves_what_was_agreed_as_it_was() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let app = stage.register(|_| {}).await;
        stage.approve(&app, SIGN_IN).await;
        let whole = of(&stage, &app, SIGN_IN);
        let mut browser = stage.site.signed_in(&stage.patient).await;
        assert!(stage.launch(&mut browser, &whole).await.contains_key("code"));
        stage.world().clock.advance_seconds(60);
        let less = set(whole.clone(), "scope", "openid user/Patient.rs");
        for pairs in [&less, &whole, &less, &whole] {
            assert!(answer_of(&silently(&mut browser, pairs).await).contains_key("code"), "{pairs:?}");
        }
        assert_eq!(stage.grants().await, 5);
        // an answer of the person takes its place
        let page = browser.open(&Stage::authorize_url(&and(less, "prompt", "consent"))).await;
        browser.submit(&page.form("/consent").with("decision", "allow")).await;
        tells_the_app(&silently(&mut browser, &whole).await, "consent_required", "less was agreed to since");
        stage.end().await;
    });
}

#[test]
fn a_person_whose_only_patient_is_another_one_now_is_asked_again() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.site.signed_in(&stage.patient).await;
        stage.launch(&mut browser, &stage.request()).await;
        assert!(answer_of(&silently(&mut browser, &stage.request()).await).contains_key("code"));
        stage.is_patient(&stage.patient, &["cleo"]).await;
        tells_the_app(&silently(&mut browser, &stage.request()).await, "consent_required", "another patient");
        browser.open(&Stage::authorize_url(&stage.request())).await.form("/consent");
        // an EHR that opens the app for somebody else's record asks too
        let scope = "launch openid patient/Patient.r";
        let about = async |patient: &str| {
            let context = serde_json::json!({ "patient": patient });
            let wish =
                serde_json::json!({ "client_id": stage.app.as_str(), "user": stage.patient.email, "context": context });
            request(&stage, scope, &handle(&stage, &wish).await)
        };
        stage.is_patient(&stage.patient, &["anna"]).await;
        assert!(stage.launch(&mut browser, &about("anna").await).await.contains_key("code"));
        assert!(answer_of(&silently(&mut browser, &about("anna").await).await).contains_key("code"));
        tells_the_app(&silently(&mut browser, &about("ben").await).await, "consent_required", "ben's record");
        stage.end().await;
    });
}

#[test]
fn a_clinician_is_asked_once_per_app_whichever_patient_it_opens_for() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.site.signed_in(&doctor(&stage).await).await;
        let scope = "launch openid patient/Patient.r";
        for (patient, asked) in [("anna", true), ("ben", false), ("anna", false)] {
            let context = serde_json::json!({ "patient": patient });
            let wish = serde_json::json!({ "client_id": stage.app.as_str(), "iss": FHIR, "user": "Practitioner/7", "context": context });
            let pairs = request(&stage, scope, &handle(&stage, &wish).await);
            let page = browser.open(&Stage::authorize_url(&pairs)).await;
            assert_eq!(page.status == 200, asked, "{patient}: {}", page.location());
            let done =
                if asked { browser.submit(&page.form("/consent").with("decision", "allow")).await } else { page };
            assert!(answer_of(&done).contains_key("code"));
        }
        stage.end().await;
    });
}
