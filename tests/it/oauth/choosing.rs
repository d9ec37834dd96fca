//! Standalone launch: patient, visit and other records, chosen from the organization's own FHIR server (SMART-LC-02, 04, 05, 15).

use countersign::domain::accounts::{Account, FhirUser, UserPatient};
use countersign::domain::ids::ClientId;
use serde_json::json;

use super::actors::{Stage, Tokens, answer_of};
use super::record_server::{Mood, RecordServer};
use crate::governance::world;
use crate::support::browser::{Answer, Browser};
use crate::support::on_both;

const EVERYTHING: &str = "launch/patient launch/encounter launch/relatedperson launch/relatedperson?role=https://acme.example/roles/friend launch/imagingstudy launch/location launch/practitioner launch/binary launch/patient?role=https://acme.example/roles/twin launch/encounter?role=later openid fhirUser offline_access patient/Patient.rs patient/Encounter.rs user/Patient.rs";

/// A hospital that can be read from, and an app that may ask for any context.
pub(super) async fn scene(stage: &Stage) -> (RecordServer, ClientId) {
    let server = RecordServer::start().await;
    stage.reads_from(&server.base_url, None).await;
    let app = stage.register(|_| {}).await;
    stage.approve(&app, EVERYTHING).await;
    (server, app)
}

pub(super) fn wish(stage: &Stage, server: &RecordServer, app: &ClientId, scope: &str) -> Vec<(String, String)> {
    let mut pairs = stage.request();
    pairs[1].1 = app.as_str().into();
    pairs[3].1 = scope.into();
    pairs[5].1.clone_from(&server.base_url);
    pairs
}

pub(super) async fn doctor(stage: &Stage) -> Account {
    let doctor = world::account(&stage.world().app, "doctor").await;
    stage.is_user(&doctor, FhirUser { reference: "Practitioner/7".into(), patients: Vec::new() }).await;
    doctor
}

pub(super) async fn allowed(stage: &Stage, app: &ClientId, browser: &mut Browser, page: Answer) -> Tokens {
    let answer =
        if page.status == 303 { page } else { browser.submit(&page.form("/consent").with("decision", "allow")).await };
    let code = answer_of(&answer)["code"].clone();
    redeemed(stage, app, &code).await
}

async fn redeemed(stage: &Stage, app: &ClientId, code: &str) -> Tokens {
    let mut fields = stage.redemption(code);
    fields[4].1 = app.as_str();
    let answer = stage.token(&fields).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    Tokens(answer.json())
}

#[test]
fn a_visit_is_chosen_among_those_of_the_patient_and_told_everywhere() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (server, app) = scene(&stage).await;
        let scope = "launch/patient launch/encounter openid offline_access patient/Encounter.rs";
        let pairs = wish(&stage, &server, &app, scope);
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let page = browser.open(&Stage::authorize_url(&pairs)).await;
        assert_eq!(page.status, 200, "{}", page.body);
        // what goes on comes first, then the newest; what never was, what is somebody else's and what is restricted is not there
        let places: Vec<usize> =
            ["Kind of now", "Kind of new", "Kind of old"].iter().map(|kind| page.body.find(kind).unwrap()).collect();
        assert!(places.is_sorted(), "{places:?}");
        page.says("2 Jan 2026, 08:00");
        page.says("Reason of new");
        page.says("Outpatient");
        page.says("in progress");
        for hidden in ["Kind of mistake", "Kind of bens", "Kind of secret"] {
            assert!(!page.body.contains(hidden), "{hidden}");
        }
        let form = page.forms("/record").remove(0);
        for wrong in ["bens", "mistake", "secret", "nothing", "", "../Patient/anna", "Encounter/new", "anna"] {
            let answer = browser.submit(&form.clone().with("record", wrong)).await;
            assert_eq!(answer.status, 403, "{wrong}");
            assert!(answer.location().is_empty(), "{wrong}");
        }
        // a wish that was not made is none
        let other = browser.submit(&form.clone().with("key", "launch/location").with("record", "ward")).await;
        assert_eq!(other.status, 303);
        let page = browser.submit_and_follow(&form.with("record", "new")).await;
        let tokens = allowed(&stage, &app, &mut browser, page).await;
        assert_eq!(
            (tokens.text("patient"), tokens.text("encounter"), tokens.text("scope")),
            ("anna".into(), "new".into(), scope.into())
        );
        assert!(tokens.0.get("fhirContext").is_none(), "{}", tokens.0);
        let seen = stage.introspect(&tokens.access()).await.json();
        assert_eq!((&seen["patient"], &seen["encounter"]), (&json!("anna"), &json!("new")));
        let refreshed = stage
            .token(&[
                ("grant_type", "refresh_token"),
                ("refresh_token", &tokens.refresh()),
                ("client_id", app.as_str()),
                ("encounter", "old"),
                ("patient", "ben"),
            ])
            .await
            .json();
        assert_eq!((&refreshed["patient"], &refreshed["encounter"]), (&json!("anna"), &json!("new")), "L09");
        // a choice that nobody can be asked for
        let mut silent = pairs.clone();
        silent.push(("prompt".into(), "none".into()));
        assert_eq!(answer_of(&browser.open(&Stage::authorize_url(&silent)).await)["error"], "interaction_required");
        // our own right to read says what for, and the FHIR server may ask about it
        for (asked, token) in server.asked().iter().filter(|(asked, _)| asked.contains("/Encounter")) {
            let seen = stage.introspect(token).await.json();
            assert_eq!((&seen["active"], &seen["scope"]), (&json!(true), &json!("system/Encounter.rs")), "{asked}");
        }
        stage.end().await;
    });
}

#[test]
fn the_only_visit_is_chosen_silently_and_that_there_is_none_is_said() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (server, app) = scene(&stage).await;
        stage.is_patient(&stage.patient, &["ben"]).await;
        let pairs = wish(&stage, &server, &app, "launch/encounter openid");
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let page = browser.open(&Stage::authorize_url(&pairs)).await;
        let tokens = allowed(&stage, &app, &mut browser, page).await;
        // a visit without its patient is worth nothing: both are told
        assert_eq!((tokens.text("patient"), tokens.text("encounter")), ("ben".into(), "bens".into()));
        stage.is_patient(&stage.patient, &["cleo"]).await;
        let page = browser.open(&Stage::authorize_url(&pairs)).await;
        page.says("There is no visit to choose");
        let mut silent = pairs.clone();
        silent.push(("prompt".into(), "none".into()));
        assert_eq!(answer_of(&browser.open(&Stage::authorize_url(&silent)).await)["error"], "interaction_required");
        let form = page.form("/record");
        let onward = browser.submit_and_follow(&form.clone().with("decision", "without")).await;
        let tokens = allowed(&stage, &app, &mut browser, onward).await;
        assert_eq!(tokens.text("scope"), "openid");
        assert!(tokens.0.get("encounter").is_none(), "{}", tokens.0);
        let page = browser.open(&Stage::authorize_url(&pairs)).await;
        let cancelled = browser.submit(&page.form("/record").with("decision", "cancel")).await;
        assert_eq!(answer_of(&cancelled)["error"], "access_denied");
        stage.end().await;
    });
}

#[test]
fn somebody_who_acts_for_others_chooses_the_patient_first_and_may_choose_again() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (server, app) = scene(&stage).await;
        let proxy = FhirUser {
            reference: "RelatedPerson/mother".into(),
            patients: ["anna", "ben", "cleo"]
                .map(|patient| UserPatient { patient: patient.into(), is_self: false })
                .into(),
        };
        stage.is_user(&stage.patient, proxy.clone()).await;
        let pairs = wish(&stage, &server, &app, "launch/patient launch/encounter openid patient/Patient.rs");
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let page = browser.open(&Stage::authorize_url(&pairs)).await;
        for name in ["anna the patient", "ben the patient", "cleo the patient"] {
            page.says(name);
        }
        // a visit cannot be chosen before the patient
        let flow = page.forms("/patient")[0].clone();
        let skipped = flow.clone().with("key", "launch/encounter").with("record", "bens");
        let skipped =
            crate::support::browser::Form { action: skipped.action.replace("/patient", "/record"), ..skipped };
        assert_eq!(browser.submit(&skipped).await.status, 403);
        let visits = browser.submit_and_follow(&flow.clone().with("patient", "anna")).await;
        visits.says("Another patient");
        let page =
            browser.submit_and_follow(&visits.forms("/record")[0].clone().with("decision", "other-patient")).await;
        let page = browser.submit_and_follow(&page.forms("/patient")[0].clone().with("patient", "ben")).await;
        let tokens = allowed(&stage, &app, &mut browser, page).await;
        assert_eq!((tokens.text("patient"), tokens.text("encounter")), ("ben".into(), "bens".into()));
        // the patient is lost between choice and consent
        let page = browser.open(&Stage::authorize_url(&pairs)).await;
        let page = browser.submit_and_follow(&page.forms("/patient")[0].clone().with("patient", "ben")).await;
        let consent = page.form("/consent").with("decision", "allow");
        stage.is_user(&stage.patient, FhirUser { patients: proxy.patients[..1].to_vec(), ..proxy }).await;
        let before = stage.grants().await;
        let answer = browser.submit(&consent).await;
        assert_eq!(answer.status, 403, "{}", answer.body);
        assert_eq!(stage.grants().await, before);
        stage.end().await;
    });
}

#[test]
fn a_clinician_searches_patients_and_their_visits() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (server, app) = scene(&stage).await;
        let doctor = doctor(&stage).await;
        let mut browser = stage.site.signed_in(&doctor).await;
        let pairs = wish(&stage, &server, &app, "launch/patient launch/encounter openid user/Patient.rs");
        let page = browser.open(&Stage::authorize_url(&pairs)).await;
        let search = page.forms("/patient").into_iter().find(|form| form.method == "get").unwrap();
        let found = browser.submit_and_follow(&search.clone().with("q", "ann")).await;
        found.says("anna the patient");
        assert!(!found.body.contains("cleo the patient"));
        let nobody = browser.submit_and_follow(&search.clone().with("q", "zebra")).await;
        nobody.says("No patient found");
        // a day that the calendar does not have is nobody's birthday: the FHIR server is not asked what it would refuse
        for q in ["2026-13-45", "2026-02-30"] {
            browser.submit_and_follow(&search.clone().with("q", q)).await;
            assert!(server.asked().iter().any(|(path, _)| path.contains(&format!("identifier={q}"))), "{q}");
            assert!(!server.asked().iter().any(|(path, _)| path.contains(&format!("birthdate={q}"))), "{q}");
        }
        let form = found.forms("/patient").into_iter().find(|form| form.method == "post").unwrap();
        assert_eq!(browser.submit(&form.clone().with("patient", "nobody")).await.status, 403);
        server.mood(Mood::Unsorted);
        let visits = browser.submit_and_follow(&form.with("patient", "anna")).await;
        visits.says("Kind of secret");
        let page = browser.submit_and_follow(&visits.forms("/record")[0].clone().with("record", "secret")).await;
        let tokens = allowed(&stage, &app, &mut browser, page).await;
        assert_eq!(tokens.text("encounter"), "secret", "a clinician may see what is restricted");
        stage.end().await;
    });
}

#[test]
fn other_records_are_chosen_by_type_and_told_in_their_role() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (server, app) = scene(&stage).await;
        let scope = "launch/relatedperson?role=https://acme.example/roles/friend launch/imagingstudy launch/location launch/binary launch/encounter?role=later openid";
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let page = browser.open(&Stage::authorize_url(&wish(&stage, &server, &app, scope))).await;
        page.says("friend");
        page.says("https://acme.example/roles/friend");
        assert!(!page.body.contains("father"), "somebody else's relation");
        let form = page.forms("/record").remove(0);
        for wrong in ["bens-father", "ct", "ward"] {
            assert_eq!(browser.submit(&form.clone().with("record", wrong)).await.status, 403, "{wrong}");
        }
        let page = browser.submit_and_follow(&form.with("record", "friend")).await;
        // the only imaging study was chosen silently; of two places one is searched for
        let search = page.forms("/record").into_iter().find(|form| form.method == "get").unwrap();
        let found = browser.submit_and_follow(&search.with("q", "cell")).await;
        assert!(!found.body.contains("Ward 3 West"), "{}", found.body);
        let form = found.forms("/record").into_iter().find(|form| form.method == "post").unwrap();
        let page = browser.submit_and_follow(&form.with("record", "cellar")).await;
        let tokens = allowed(&stage, &app, &mut browser, page).await;
        assert_eq!(
            tokens.0["fhirContext"],
            json!([
                { "reference": "RelatedPerson/friend", "role": "https://acme.example/roles/friend" },
                { "reference": "ImagingStudy/ct" },
                { "reference": "Location/cellar" },
            ])
        );
        assert_eq!(
            tokens.text("scope"),
            "launch/relatedperson?role=https://acme.example/roles/friend launch/imagingstudy launch/location openid",
            "literally, and without what cannot be searched or told"
        );
        assert_eq!(stage.introspect(&tokens.access()).await.json()["fhirContext"], tokens.0["fhirContext"]);
        // going on without one gives neither scope nor context
        let page = browser.open(&Stage::authorize_url(&wish(&stage, &server, &app, "launch/location openid"))).await;
        let page = browser.submit_and_follow(&page.forms("/record").pop().unwrap().with("decision", "without")).await;
        let tokens = allowed(&stage, &app, &mut browser, page).await;
        assert_eq!(tokens.text("scope"), "openid");
        assert!(tokens.0.get("fhirContext").is_none());
        stage.end().await;
    });
}

#[test]
fn a_clinician_is_their_own_practitioner_and_a_twin_is_not_the_patient() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (server, app) = scene(&stage).await;
        let doctor = doctor(&stage).await;
        let mut browser = stage.site.signed_in(&doctor).await;
        let scope = "launch/practitioner openid user/Patient.rs";
        let page = browser.open(&Stage::authorize_url(&wish(&stage, &server, &app, scope))).await;
        let tokens = allowed(&stage, &app, &mut browser, page).await;
        assert_eq!(tokens.0["fhirContext"], json!([{ "reference": "Practitioner/7" }]));
        assert_eq!(tokens.text("scope"), scope);
        // a patient in a role of their own is context, not the patient of the launch
        stage.is_patient(&stage.patient, &["anna", "ben"]).await;
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let scope = "launch/patient?role=https://acme.example/roles/twin openid";
        let page = browser.open(&Stage::authorize_url(&wish(&stage, &server, &app, scope))).await;
        let form = page.forms("/record").remove(0);
        assert_eq!(browser.submit(&form.clone().with("record", "cleo")).await.status, 403);
        let page = browser.submit_and_follow(&form.with("record", "ben")).await;
        let tokens = allowed(&stage, &app, &mut browser, page).await;
        assert_eq!(
            tokens.0["fhirContext"],
            json!([{ "reference": "Patient/ben", "role": "https://acme.example/roles/twin" }])
        );
        assert!(tokens.0.get("patient").is_none(), "{}", tokens.0);
        stage.end().await;
    });
}

#[test]
fn a_client_that_reads_smart_2_0_gets_references_and_another_gets_objects() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (server, app) = scene(&stage).await;
        let old = stage.register(|metadata| metadata.fhir_context_objects = false).await;
        stage.approve(&old, EVERYTHING).await;
        for (app, expected) in [(&app, json!([{ "reference": "ImagingStudy/ct" }])), (&old, json!(["ImagingStudy/ct"]))]
        {
            let mut browser = stage.site.signed_in(&stage.patient).await;
            let pairs = wish(&stage, &server, app, "launch/imagingstudy openid");
            let page = browser.open(&Stage::authorize_url(&pairs)).await;
            let tokens = allowed(&stage, app, &mut browser, page).await;
            assert_eq!(tokens.0["fhirContext"], expected);
            assert_eq!(stage.introspect(&tokens.access()).await.json()["fhirContext"], expected);
        }
        stage.end().await;
    });
}

#[test]
fn a_server_that_ignores_the_question_offers_nobody_elses_records() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (server, app) = scene(&stage).await;
        server.mood(Mood::Careless);
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let page = browser.open(&Stage::authorize_url(&wish(&stage, &server, &app, "launch/encounter openid"))).await;
        page.says("Kind of now");
        assert!(!page.body.contains("Kind of bens"), "{}", page.body);
        stage.end().await;
    });
}

#[test]
fn context_that_the_client_sends_itself_is_ignored_everywhere() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (server, app) = scene(&stage).await;
        let mut pairs = wish(&stage, &server, &app, "launch/patient launch/imagingstudy openid offline_access");
        let own = [
            ("patient", "ben"),
            ("encounter", "bens"),
            ("fhirContext", r#"[{"reference":"Task/draw"}]"#),
            ("need_patient_banner", "false"),
            ("tenant", "x"),
            ("__own", "1"),
        ];
        pairs.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let page = browser.open(&Stage::authorize_url(&pairs)).await;
        let answer =
            browser
                .submit(&own.iter().fold(page.form("/consent").with("decision", "allow"), |form, (name, value)| {
                    form.with(name, value)
                }))
                .await;
        let code = answer_of(&answer)["code"].clone();
        let mut fields = stage.redemption(&code);
        fields[4].1 = app.as_str();
        fields.extend(own);
        let tokens = Tokens(stage.token(&fields).await.json());
        let mut refresh = vec![("grant_type", "refresh_token"), ("client_id", app.as_str())];
        let token = tokens.refresh();
        refresh.push(("refresh_token", &token));
        refresh.extend(own);
        let refreshed = stage.token(&refresh).await.json();
        let seen = stage.introspect(&tokens.access()).await.json();
        for told in [&tokens.0, &refreshed, &seen] {
            assert_eq!(told["patient"], "anna", "{told}");
            assert_eq!(told["fhirContext"], json!([{ "reference": "ImagingStudy/ct" }]), "{told}");
            assert_eq!(told["need_patient_banner"], true, "{told}");
            for name in ["encounter", "tenant", "__own"] {
                assert!(told.get(name).is_none(), "{name} in {told}");
            }
        }
        stage.end().await;
    });
}
