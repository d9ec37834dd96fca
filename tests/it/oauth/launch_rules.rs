//! What a launch may carry, who may use it, how often, and what may frame it (SMART-AL-04, 41, SMART-LC, SMART-TL-02, ATTACKS group L).

use axum::http::Method;
use countersign::domain::accounts::FhirUser;
use countersign::domain::audit::Actor;
use countersign::domain::ids::{ClientId, ResourceServerId};
use countersign::governance::access_requests::{Ask, ask};
use countersign::governance::approvals::{Life, Yes, approve};
use countersign::governance::client_management::review;
use countersign::governance::organizations::change_settings;
use countersign::protocol::launch::throttle::{CREATIONS, GUESSES};
use countersign::protocol::launch::{NoLaunch, Wish, create};
use countersign::storage;
use serde_json::{Value, json};

use super::actors::{FHIR, ISSUER, Stage, Tokens, answer_of, basic};
use super::record_server::{Mood, RecordServer};
use crate::governance::world;
use crate::support::browser::Answer;
use crate::support::on_both;

const EHR_SCOPES: &str = "launch openid fhirUser offline_access patient/Patient.r";

async fn made(stage: &Stage, wish: &Value) -> Answer {
    let (id, secret) = &stage.fhir_server;
    let authorization = basic(id, secret);
    let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
    stage.app_browser().send(Method::POST, &format!("{ISSUER}/launch"), &headers, wish.to_string()).await
}

async fn handle(stage: &Stage, wish: &Value) -> String {
    let answer = made(stage, wish).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["launch"].as_str().unwrap().to_owned()
}

fn request(stage: &Stage, scope: &str, launch: &str) -> Vec<(String, String)> {
    let mut pairs = stage.request();
    pairs[3].1 = scope.into();
    pairs.push(("launch".into(), launch.into()));
    pairs
}

fn error_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer_of(answer).get("error").cloned().unwrap_or_default()
}

fn patient_wish(stage: &Stage) -> Value {
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
fn another_person_who_signs_in_for_it_never_inherits_a_launch() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let doctor = world::account(&stage.world().app, "doctor").await;
        stage.is_user(&doctor, FhirUser { reference: "Practitioner/7".into(), patients: Vec::new() }).await;
        let wish =
            json!({ "client_id": stage.app.as_str(), "user": "Practitioner/7", "context": { "patient": "ben" } });
        let pairs = request(&stage, EHR_SCOPES, &handle(&stage, &wish).await);
        // nobody is signed in; on the sign-in page of this very launch somebody else signs in
        let mut browser = stage.app_browser();
        let page = browser.open(&Stage::authorize_url(&pairs)).await;
        let answer = stage.through_sign_in(&mut browser, page).await;
        assert_eq!(answer.status, 403, "{}", answer.body);
        answer.says("This was opened for somebody else");
        assert_eq!(stage.grants().await, 0);
        // the doctor still can
        let mut own = stage.site.signed_in(&doctor).await;
        let page = own.open(&Stage::authorize_url(&pairs)).await;
        let done = own.submit(&page.form("/consent").with("decision", "allow")).await;
        assert!(answer_of(&done).contains_key("code"));
        stage.end().await;
    });
}

#[test]
fn a_session_that_was_open_before_is_never_used_silently_for_a_launch_without_a_name() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let admin = &stage.world().admin;
        let mut settings = admin.organization.settings.clone();
        settings.standing_consent_for_clinicians = true;
        change_settings(&stage.world().app, admin, "St. Mary", settings).await.unwrap();
        let doctor = world::account(&stage.world().app, "doctor").await;
        stage.is_user(&doctor, FhirUser { reference: "Practitioner/7".into(), patients: Vec::new() }).await;
        let mut browser = stage.site.signed_in(&doctor).await;
        stage.world().clock.advance_seconds(60);
        let unnamed = request(&stage, EHR_SCOPES, &handle(&stage, &patient_wish(&stage)).await);
        let page = browser.open(&Stage::authorize_url(&unnamed)).await;
        assert_eq!(page.status, 200, "who is signed in is shown: {}", page.location());
        page.says("doctor");
        page.says("/not-me?flow=");
        let mut silent = unnamed.clone();
        silent.push(("prompt".into(), "none".into()));
        assert_eq!(error_of(&browser.open(&Stage::authorize_url(&silent)).await), "consent_required");
        // the EHR that says who it is gets no question; nor does whoever signs in for this launch
        let wish =
            json!({ "client_id": stage.app.as_str(), "user": "doctor@example.org", "context": { "patient": "ben" } });
        let named = request(&stage, EHR_SCOPES, &handle(&stage, &wish).await);
        assert!(answer_of(&browser.open(&Stage::authorize_url(&named)).await).contains_key("code"));
        let mut fresh = stage.app_browser();
        let page = fresh.open(&Stage::authorize_url(&unnamed)).await;
        let form = page.form("/sign-in").with("email", &doctor.email).with("password", crate::support::site::PASSWORD);
        let done = fresh.submit_and_follow(&form).await;
        assert!(answer_of(&done).contains_key("code"), "{}", done.body);
        stage.end().await;
    });
}

#[test]
fn an_embedded_launch_may_be_framed_by_the_organizations_ehr_and_nothing_else_may() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let ancestors = |answer: &Answer| {
            let policy = answer.header("content-security-policy");
            policy.split("frame-ancestors ").nth(1).unwrap_or("missing").to_owned()
        };
        let ehr = "https://ehr.st-mary.example";
        let server = RecordServer::start().await;
        stage.reads_from(&server.base_url, None).await;
        let app = stage.register(|_| {}).await;
        stage.approve(&app, "launch/patient launch/encounter openid").await;
        stage.is_patient(&stage.patient, &["anna", "ben"]).await;
        let mut pairs = stage.request();
        pairs[1].1 = app.as_str().into();
        pairs[3].1 = "launch/patient launch/encounter openid".into();
        pairs[5].1.clone_from(&server.base_url);
        for allowed in [false, true] {
            if allowed {
                let admin = &stage.world().admin;
                let mut settings = admin.organization.settings.clone();
                settings.frame_ancestors = vec![ehr.into()];
                change_settings(&stage.world().app, admin, "St. Mary", settings).await.unwrap();
            }
            let expected = if allowed { ehr } else { "'none'" };
            let mut browser = stage.app_browser();
            let sign_in = browser.open(&Stage::authorize_url(&pairs)).await;
            sign_in.says("Another App");
            let wrong = sign_in.form("/sign-in").with("email", &stage.patient.email).with("password", "wrong");
            let refused = browser.submit(&wrong).await;
            assert_eq!(refused.status, 401);
            let picker = {
                let again = browser.open(&sign_in.at).await;
                stage.through_sign_in(&mut browser, again).await
            };
            let visits = browser.submit_and_follow(&picker.forms("/patient")[0].clone().with("patient", "anna")).await;
            let consent = browser.submit_and_follow(&visits.forms("/record")[0].clone().with("record", "new")).await;
            for (name, page) in [
                ("sign-in", &sign_in),
                ("sign-in refused", &refused),
                ("patient", &picker),
                ("visit", &visits),
                ("consent", &consent),
            ] {
                assert_eq!(ancestors(page), expected, "{name}");
                assert_eq!(page.header("x-frame-options").is_empty(), allowed, "{name}");
            }
            // never others: our own pages, the sign-in to them, and where a launch stops
            let stopped = browser.submit(&visits.forms("/record")[0].clone().with("record", "bens")).await;
            let mut nobody = stage.app_browser();
            for (name, page) in [
                ("stopped", stopped),
                ("console", nobody.open("/console/st-mary/clients").await),
                ("start", nobody.open("/").await),
                ("account", browser.open("/account").await),
                ("apps", browser.open("/o/st-mary/apps").await),
                ("over", nobody.open("/sign-in?next=/o/st-mary/continue?flow=csi_unknown").await),
                ("lookalike", nobody.open("/sign-in?next=/o/st-mary/apps").await),
            ] {
                assert_eq!(ancestors(&page), "'none'", "{name}");
            }
        }
        // in the frame our cookies are the frame's own, elsewhere they are not
        for (dest, partitioned) in [("iframe", true), ("document", false)] {
            let mut browser = stage.app_browser();
            let page = browser.send(Method::GET, "/sign-in", &[("sec-fetch-dest", dest)], "").await;
            let cookie = page.header("set-cookie");
            assert_eq!(cookie.contains("SameSite=None") && cookie.contains("Partitioned"), partitioned, "{cookie}");
            assert_eq!(cookie.contains("SameSite=Lax"), !partitioned, "{cookie}");
        }
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
fn staff_reach_no_patient_by_launching_that_they_could_not_choose() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let world = stage.world();
        let by = || world.reviewer.audit();
        let wish = |user: Option<&str>, patient: &str| Wish {
            client_id: ClientId::from_text(stage.app.as_str()),
            iss: Some(FHIR.into()),
            user: user.map(str::to_owned),
            task: None,
            context: serde_json::from_str(&json!({ "patient": patient }).to_string()).unwrap(),
        };
        let field = async |wish: Wish| match create(&world.app, &world.reviewer.organization, by(), wish).await {
            Err(NoLaunch::Wrong(wrong)) => wrong.field,
            Err(other) => panic!("{other}"),
            Ok(_) => "",
        };
        assert_eq!(field(wish(None, "anna")).await, "user", "for nobody in particular");
        assert_eq!(
            field(wish(Some("noor@example.org"), "anna")).await,
            "user",
            "a reviewer without a record of their own"
        );
        assert_eq!(field(wish(Some(&stage.patient.email), "ben")).await, "patient", "somebody else's record");
        assert_eq!(field(wish(Some(&stage.patient.email), "anna")).await, "");
        let doctor = world::account(&world.app, "doctor").await;
        stage.is_user(&doctor, FhirUser { reference: "Practitioner/7".into(), patients: Vec::new() }).await;
        assert_eq!(field(wish(Some("Practitioner/7"), "ben")).await, "", "a clinician may open any patient");
        stage.end().await;
    });
}
