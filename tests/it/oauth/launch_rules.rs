//! What a launch may carry, and how long and how often it may be used (SMART-AL-04, SMART-LC, SMART-TL-02, ATTACKS group L).

use axum::http::Method;
use countersign::domain::audit::Actor;
use countersign::domain::ids::ResourceServerId;
use countersign::governance::access_requests::{Ask, ask};
use countersign::governance::approvals::{Life, Yes, approve};
use countersign::governance::client_management::review;
use countersign::protocol::launch::throttle::{CREATIONS, GUESSES};
use countersign::protocol::launch::{Wish, create};
use countersign::storage;
use serde_json::{Value, json};

use super::actors::{ISSUER, Stage, Tokens, answer_of, basic};
use super::choosing::doctor;
use super::record_server::{Mood, RecordServer};
use crate::support::browser::Answer;
use crate::support::on_both;

pub(super) const EHR_SCOPES: &str = "launch openid fhirUser offline_access patient/Patient.r";

pub(super) async fn made(stage: &Stage, wish: &Value) -> Answer {
    let (id, secret) = &stage.fhir_server;
    let authorization = basic(id, secret);
    let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
    stage.app_browser().send(Method::POST, &format!("{ISSUER}/launch"), &headers, wish.to_string()).await
}

pub(super) async fn handle(stage: &Stage, wish: &Value) -> String {
    let answer = made(stage, wish).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["launch"].as_str().unwrap().to_owned()
}

pub(super) fn request(stage: &Stage, scope: &str, launch: &str) -> Vec<(String, String)> {
    let mut pairs = stage.request();
    pairs[3].1 = scope.into();
    pairs.push(("launch".into(), launch.into()));
    pairs
}

pub(super) fn error_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer_of(answer).get("error").cloned().unwrap_or_default()
}

pub(super) fn patient_wish(stage: &Stage) -> Value {
    json!({ "client_id": stage.app.as_str(), "context": { "patient": "anna" } })
}

async fn tokens(stage: &Stage, pairs: &[(String, String)]) -> Tokens {
    let mut browser = stage.app_browser();
    let code = stage.launch(&mut browser, pairs).await["code"].clone();
    Tokens(stage.token(&stage.redemption(&code)).await.json())
}

#[test]
fn a_handle_is_good_until_the_second_it_ends() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let launch = handle(&stage, &patient_wish(&stage)).await;
        let pairs = request(&stage, EHR_SCOPES, &launch);
        stage.world().clock.advance_seconds(299);
        let in_time = browser.open(&Stage::authorize_url(&pairs)).await;
        assert_eq!(in_time.status, 200, "{}", in_time.body);
        stage.world().clock.advance_seconds(1);
        assert_eq!(error_of(&browser.open(&Stage::authorize_url(&pairs)).await), "invalid_request");
        // also where the request came in time and the person did not answer until after
        let late = browser.submit(&in_time.form("/consent").with("decision", "allow")).await;
        assert_eq!(error_of(&late), "invalid_request");
        assert_eq!(stage.grants().await, 0);
        stage.end().await;
    });
}

#[test]
fn a_handle_in_two_tabs_gives_one_code() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let pairs = request(&stage, EHR_SCOPES, &handle(&stage, &patient_wish(&stage)).await);
        let one = browser.open(&Stage::authorize_url(&pairs)).await;
        let two = browser.open(&Stage::authorize_url(&pairs)).await;
        let first = browser.submit(&one.form("/consent").with("decision", "allow")).await;
        assert!(answer_of(&first).contains_key("code"));
        let second = browser.submit(&two.form("/consent").with("decision", "allow")).await;
        assert_eq!(error_of(&second), "invalid_request");
        assert_eq!(answer_of(&second)["state"], "st-4711");
        assert_eq!(stage.grants().await, 1);
        stage.end().await;
    });
}

#[test]
fn the_parameter_and_the_scope_come_together_or_not_at_all() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let launch = handle(&stage, &patient_wish(&stage)).await;
        let without_scope = request(&stage, "openid launch/patient patient/Patient.r", &launch);
        let mut without_parameter = request(&stage, EHR_SCOPES, &launch);
        without_parameter.pop();
        let mut twice = request(&stage, EHR_SCOPES, &launch);
        twice.push(("launch".into(), launch.clone()));
        for (pairs, error) in
            [(without_scope, "invalid_scope"), (without_parameter, "invalid_scope"), (twice, "invalid_request")]
        {
            let answer = browser.open(&Stage::authorize_url(&pairs)).await;
            assert_eq!(error_of(&answer), error, "{pairs:?}");
            assert_eq!(answer_of(&answer)["iss"], ISSUER);
        }
        // nothing was lost: the handle is still good
        assert_eq!(browser.open(&Stage::authorize_url(&request(&stage, EHR_SCOPES, &launch))).await.status, 200);
        stage.end().await;
    });
}

#[test]
fn a_handle_of_one_organization_is_nothing_at_another() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let world = stage.world();
        // the same client, approved at both hospitals; the same person, known at both
        let question = Ask {
            organization_id: world.stranger.organization.id.clone(),
            fhir_endpoint_id: world.other_endpoint.id.clone(),
            ..world.question(EHR_SCOPES)
        };
        let (asked, _) = ask(&world.app, &world.developer, question).await.unwrap();
        let digest = review(&world.app, &world.stranger, &asked.id).await.unwrap().digest;
        approve(&world.app, &world.stranger, &asked.id, Yes { digest, scopes: None, life: Life::AsConfigured })
            .await
            .unwrap();
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let launch = handle(&stage, &patient_wish(&stage)).await;
        let mut pairs = request(&stage, EHR_SCOPES, &launch);
        pairs[5].1.clone_from(&world.other_endpoint.base_url);
        let there = Stage::authorize_url(&pairs).replace("/o/st-mary/", "/o/st-luke/");
        assert_eq!(error_of(&browser.open(&there).await), "invalid_request");
        assert_eq!(world.recorded("launch.presented_by_stranger").await, 1, "whose handle it is, is told");
        // the aud of the other hospital at this one's issuer
        assert_eq!(error_of(&browser.open(&Stage::authorize_url(&pairs)).await), "invalid_request");
        assert_eq!(browser.open(&Stage::authorize_url(&request(&stage, EHR_SCOPES, &launch))).await.status, 200);
        stage.end().await;
    });
}

#[test]
fn whoever_guesses_handles_is_stopped_and_the_right_handle_still_opens() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let launch = handle(&stage, &patient_wish(&stage)).await;
        let guess = |number: i64| format!("csl_{number:084}");
        for number in 0..GUESSES.attempts {
            let answer = browser.get(&Stage::authorize_url(&request(&stage, EHR_SCOPES, &guess(number)))).await;
            assert_eq!(error_of(&answer), "invalid_request", "{number}");
        }
        for number in 0..20 {
            let answer = browser.get(&Stage::authorize_url(&request(&stage, EHR_SCOPES, &guess(number)))).await;
            assert_eq!((answer.status.as_u16(), answer.location().as_str()), (429, ""), "{number}");
            assert_eq!(answer.header("retry-after"), "900");
        }
        assert_eq!(stage.world().recorded("launch.guessed").await, 1, "one alarm, not one per guess");
        assert_eq!(stage.grants().await, 0);
        // neither this client's right handle nor another client pays for it
        assert_eq!(browser.open(&Stage::authorize_url(&request(&stage, EHR_SCOPES, &launch))).await.status, 200);
        let other = stage.register(|_| {}).await;
        stage.approve(&other, EHR_SCOPES).await;
        let mut pairs = request(&stage, EHR_SCOPES, &guess(1));
        pairs[1].1 = other.as_str().into();
        assert_eq!(error_of(&browser.get(&Stage::authorize_url(&pairs)).await), "invalid_request");
        stage.world().clock.advance_seconds(GUESSES.window);
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let later = browser.get(&Stage::authorize_url(&request(&stage, EHR_SCOPES, &guess(1)))).await;
        assert_eq!(error_of(&later), "invalid_request");
        stage.end().await;
    });
}

#[test]
fn a_flood_of_handles_is_bounded_for_each_principal() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (id, _) = stage.fhir_server.clone();
        let now = stage.world().app.now();
        let subject = format!("resource_server/{id}");
        // as after that many launches: written to the same counter, all at once
        stage
            .world()
            .write(move |conn| {
                Box::pin(async move {
                    for _ in 0..CREATIONS.attempts {
                        storage::throttles::count(conn, CREATIONS.kind, &subject, now, CREATIONS.window).await?;
                    }
                    Ok(())
                })
            })
            .await;
        let before = stage.world().recorded("launch.created").await;
        let answer = made(&stage, &patient_wish(&stage)).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after").as_str()), (429, "300"), "{}", answer.body);
        assert_eq!(answer.json()["error"], "temporarily_unavailable");
        assert_eq!(stage.world().recorded("launch.created").await, before);
        // another principal is not held up
        let organization = &stage.world().reviewer.organization;
        let wish: Wish = serde_json::from_str(&patient_wish(&stage).to_string()).unwrap();
        let by = Actor::ResourceServer(ResourceServerId::from_text("rs_other"));
        create(&stage.world().app, organization, by, wish).await.unwrap();
        stage.world().clock.advance_seconds(CREATIONS.window);
        assert_eq!(made(&stage, &patient_wish(&stage)).await.status, 201);
        stage.end().await;
    });
}

#[test]
fn context_rules_hold_at_the_door_and_extensions_pass_through() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let item = |item: Value| json!({ "fhirContext": [item] });
        for wrong in [
            json!({ "patient": "Patient/anna" }),
            json!({ "encounter": "a/b" }),
            json!({ "patient": 7 }),
            json!({ "need_patient_banner": "true" }),
            json!({ "smart_style_url": "style.json" }),
            json!({ "scope": "user/*.cruds" }),
            json!({ "access_token": "x" }),
            json!({ "foo": 1 }),
            item(json!({ "reference": "Patient/ben" })),
            item(json!({ "reference": "Encounter/7", "role": "launch" })),
            item(json!({ "reference": "Task/7", "role": "" })),
            item(json!({ "reference": "Task/7", "role": "friend" })),
            item(json!({ "role": "https://x.example/r" })),
            item(json!({ "reference": "https://elsewhere.example/Task/7" })),
            item(json!({ "identifier": "7" })),
        ] {
            let answer = made(&stage, &json!({ "client_id": stage.app.as_str(), "context": wrong })).await;
            assert_eq!(
                (answer.status.as_u16(), answer.json()["error"].as_str()),
                (400, Some("invalid_request")),
                "{wrong}"
            );
        }
        let context = json!({
            "patient": "anna", "intent": "reconcile", "appContext": "{\"a\":1}", "tenant": "ward 3",
            "__desk": { "number": 12 }, "https://ehr.example/colour": ["red", null],
            "fhirContext": [
                { "reference": "Patient/ben", "role": "https://ehr.example/roles/twin" },
                { "canonical": "https://x.example/Questionnaire/phq9|2", "type": "Questionnaire" },
                { "identifier": { "system": "urn:x", "value": "7" }, "type": "EpisodeOfCare" },
            ],
        });
        let launch = handle(&stage, &json!({ "client_id": stage.app.as_str(), "context": context })).await;
        // hints beside `launch` are answered with what the EHR said, and nothing is asked
        let app = stage.register(|_| {}).await;
        stage.approve(&app, &format!("{EHR_SCOPES} launch/patient launch/encounter launch/episodeofcare")).await;
        let told = tokens(&stage, &request(&stage, EHR_SCOPES, &launch)).await;
        let seen = stage.introspect(&told.access()).await.json();
        for (name, value) in context.as_object().unwrap() {
            assert_eq!(&told.0[name], value, "{name}");
            assert_eq!(&seen[name], value, "{name} at introspection");
        }
        let launch = handle(&stage, &json!({ "client_id": app.as_str(), "context": context })).await;
        let mut pairs = request(&stage, "launch launch/patient launch/encounter launch/episodeofcare openid", &launch);
        pairs[1].1 = app.as_str().into();
        let mut browser = stage.app_browser();
        let code = stage.launch(&mut browser, &pairs).await["code"].clone();
        let mut fields = stage.redemption(&code);
        fields[4].1 = app.as_str();
        let told = stage.token(&fields).await.json();
        assert_eq!(told["scope"], "launch launch/patient launch/episodeofcare openid");
        assert!(told.get("encounter").is_none());
        stage.end().await;
    });
}

#[test]
fn a_task_launches_the_app_it_names_for_its_patient() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let server = RecordServer::start().await;
        stage.reads_from(&server.base_url, None).await;
        let app =
            stage.register(|metadata| metadata.launch_uri = Some("https://app.acme.example/launch?x=1".into())).await;
        stage.approve(&app, EHR_SCOPES).await;
        // Ben's mother, at the desk of the laboratory
        stage.is_patient(&stage.patient, &["anna", "ben"]).await;
        let wish = |task: &str, context: Value| json!({ "client_id": app.as_str(), "task": task, "context": context });
        let launch = handle(&stage, &wish("Task/draw", json!({ "intent": "draw" }))).await;
        let mut pairs = request(&stage, EHR_SCOPES, &launch);
        pairs[1].1 = app.as_str().into();
        pairs[5].1.clone_from(&server.base_url);
        let mut browser = stage.app_browser();
        let code = stage.launch(&mut browser, &pairs).await["code"].clone();
        let mut fields = stage.redemption(&code);
        fields[4].1 = app.as_str();
        let told = stage.token(&fields).await.json();
        for (name, value) in
            [("patient", "ben"), ("encounter", "bens"), ("appContext", "{\"field\":7}"), ("intent", "draw")]
        {
            assert_eq!(told[name], value, "{name}");
        }
        for (wrong, status) in [
            (wish("nothing", json!({})), 400),
            (wish("draw", json!({ "patient": "anna" })), 400),
            (wish("draw", json!({ "appContext": "other" })), 400),
            (wish("../Patient/anna", json!({})), 400),
            // the app that the Task names is another one
            (json!({ "client_id": stage.app.as_str(), "task": "draw" }), 400),
        ] {
            let answer = made(&stage, &wrong).await;
            assert_eq!(answer.status, status, "{wrong}: {}", answer.body);
        }
        server.mood(Mood::Broken);
        assert_eq!(made(&stage, &wish("draw", json!({}))).await.status, 502);
        stage.end().await;
    });
}

#[test]
fn an_ehr_launches_with_user_scopes_and_tells_encounter_banner_and_style() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let doctor = doctor(&stage).await;
        let wish = json!({ "client_id": stage.app.as_str(), "user": "Practitioner/7", "context": { "patient": "ben", "encounter": "v7" } });
        let scope = "launch openid fhirUser user/Patient.rs";
        let pairs = request(&stage, scope, &handle(&stage, &wish).await);
        let mut browser = stage.site.signed_in(&doctor).await;
        let page = browser.open(&Stage::authorize_url(&pairs)).await;
        let code = answer_of(&browser.submit(&page.form("/consent").with("decision", "allow")).await)["code"].clone();
        let told = stage.token(&stage.redemption(&code)).await.json();
        assert_eq!(
            (&told["scope"], &told["patient"], &told["encounter"]),
            (&json!(scope), &json!("ben"), &json!("v7"))
        );
        assert_eq!(told["need_patient_banner"], json!(true));
        let style = browser.get(told["smart_style_url"].as_str().unwrap()).await;
        assert_eq!(style.header("content-type"), "application/json");
        assert!(style.json()["color_text"].is_string());
        stage.end().await;
    });
}

#[test]
fn a_handle_holds_336_random_bits_and_no_two_are_alike() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut secrets = std::collections::BTreeSet::new();
        for _ in 0..20 {
            let launch = handle(&stage, &patient_wish(&stage)).await;
            assert_eq!(
                (&launch[..4], launch.len()),
                ("csl_", 4 + 22 + 56 + 6),
                "prefix, selector, 56 characters of 6 bits, checksum"
            );
            secrets.insert(launch[26..82].to_owned());
        }
        assert_eq!(secrets.len(), 20);
        // what is kept opens only with the secret itself
        let mut conn = stage.world().app.store.read().await.unwrap();
        let right = countersign::domain::secrets::PlainSecret::from_text(secrets.first().unwrap().as_str());
        let wrong = countersign::domain::secrets::PlainSecret::from_text("x".repeat(56));
        let mut found = 0;
        for id in 1..=20 {
            found +=
                usize::from(storage::launch_handles::find(&mut conn, id, &right.hashed()).await.unwrap().is_some());
            assert!(storage::launch_handles::find(&mut conn, id, &wrong.hashed()).await.unwrap().is_none());
        }
        assert_eq!(found, 1);
        drop(conn);
        stage.end().await;
    });
}
