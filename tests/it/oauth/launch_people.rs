//! For whom a launch is, and who may frame it (SMART-AL-37, SMART-AL-41, SMART-LC-15).

use axum::http::Method;
use countersign::domain::accounts::FhirUser;
use countersign::domain::ids::ClientId;
use countersign::governance::organizations::change_settings;
use countersign::protocol::launch::{NoLaunch, Wish, create};
use serde_json::json;

use super::actors::{FHIR, Stage, answer_of};
use super::launch_rules::{EHR_SCOPES, error_of, handle, patient_wish, request};
use super::record_server::RecordServer;
use crate::governance::world;
use crate::support::browser::Answer;
use crate::support::on_both;

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
