//! Whose record an EHR's launch opens, and for whom: a launch without a name, and a visit that says whose it is (SMART-AL-41, SMART-LC-02, SMART-LC-15).

use countersign::domain::accounts::{Account, FhirUser, UserPatient};
use countersign::domain::ids::ClientId;
use countersign::protocol::launch::{NoLaunch, Wish, create};
use serde_json::{Value, json};

use super::actors::{Stage, Tokens, answer_of};
use super::choosing::doctor;
use super::launch_rules::{handle, made};
use super::record_server::{Mood, RecordServer};
use crate::governance::world;
use crate::support::browser::Answer;
use crate::support::on_both;

const SCOPES: &str = "launch openid fhirUser patient/Patient.rs patient/Encounter.rs user/Patient.rs";
const WITH_VISIT: &str = "launch launch/patient launch/encounter openid patient/Patient.rs";

/// A hospital that can be read from, and an app for launches.
async fn scene(stage: &Stage) -> (RecordServer, ClientId) {
    let server = RecordServer::start().await;
    stage.reads_from(&server.base_url, None).await;
    let app = stage.register(|_| {}).await;
    stage.approve(&app, &format!("{SCOPES} launch/patient launch/encounter")).await;
    (server, app)
}

fn request(
    stage: &Stage,
    server: &RecordServer,
    (app, scope, launch): (&ClientId, &str, &str),
) -> Vec<(String, String)> {
    let mut pairs = stage.request_of(app, scope);
    pairs[5].1.clone_from(&server.base_url);
    pairs.extend([("launch".to_owned(), launch.to_owned()), ("prompt".into(), "consent".into())]);
    pairs
}

async fn proxy(stage: &Stage, name: &str, patients: &[&str]) -> Account {
    let account = world::account(&stage.world().app, name).await;
    let patients = patients.iter().map(|patient| UserPatient { patient: (*patient).into(), is_self: false }).collect();
    stage.is_user(&account, FhirUser { reference: format!("RelatedPerson/{name}"), patients }).await;
    account
}

async fn redeemed(stage: &Stage, app: &ClientId, answer: &Answer) -> Tokens {
    let code = answer_of(answer)["code"].clone();
    let mut fields = stage.redemption(&code);
    fields[4].1 = app.as_str();
    let answer = stage.token(&fields).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    Tokens(answer.json())
}

async fn all_grants(stage: &Stage, accounts: &[&Account]) -> usize {
    let mut conn = stage.world().app.store.read().await.unwrap();
    let mut all = 0;
    for account in accounts {
        let organization = &stage.world().reviewer.organization.id;
        all += countersign::storage::grants::list_for_user(&mut conn, organization, &account.id).await.unwrap().len();
    }
    all
}

#[test]
fn a_launch_without_a_name_is_taken_up_only_by_who_may_see_its_patient_anyway() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (server, app) = scene(&stage).await;
        let viewer = stage.world().viewer.account.clone();
        let father = proxy(&stage, "father", &["ben", "cleo"]).await;
        let strangers = [&viewer, &father];
        for context in [
            json!({ "patient": "anna" }),
            json!({ "patient": "anna", "encounter": "new" }),
            json!({ "encounter": "new" }),
            json!({ "fhirContext": [{ "reference": "ImagingStudy/ct" }] }),
            json!({ "appContext": "{\"about\":\"anna\"}" }),
            json!({ "https://ehr.example/case": 7 }),
        ] {
            let wish = json!({ "client_id": app.as_str(), "context": context });
            let launch = handle(&stage, &wish).await;
            let pairs = request(&stage, &server, (&app, SCOPES, &launch));
            for stranger in strangers {
                let mut browser = stage.site.signed_in(stranger).await;
                let page = browser.open(&Stage::authorize_url(&pairs)).await;
                assert_eq!(page.status, 403, "{} with {context}: {}", stranger.name, page.body);
                page.says("This was opened for somebody else");
                assert!(!page.body.contains("anna") && !page.body.contains("Kind of new"), "{}", page.body);
                // nor by sending an answer to a page that was never shown
                let flow = page.at.split("flow=").nth(1).unwrap().to_owned();
                let csrf = browser.open("/account").await.form("/sign-out").value("csrf").to_owned();
                for path in ["consent", "patient", "record"] {
                    let fields = [
                        ("csrf", csrf.as_str()),
                        ("flow", &flow),
                        ("decision", "allow"),
                        ("patient", "anna"),
                        ("scope", "patient/Patient.rs"),
                    ];
                    let answer = browser.post(&format!("/o/st-mary/{path}"), &fields).await;
                    assert_eq!((answer.status.as_u16(), answer.location().as_str()), (403, ""), "{path}");
                }
            }
        }
        assert_eq!(all_grants(&stage, &strangers).await, 0);
        // and also who signs in for this very launch
        let launch = handle(&stage, &json!({ "client_id": app.as_str(), "context": { "patient": "ben" } })).await;
        let mut browser = stage.app_browser();
        let page = browser.open(&Stage::authorize_url(&request(&stage, &server, (&app, SCOPES, &launch)))).await;
        assert_eq!(stage.through_sign_in(&mut browser, page).await.status, 403, "anna, for ben");
        assert_eq!(stage.grants().await, 0);
        stage.end().await;
    });
}

#[test]
fn a_launch_without_a_name_opens_for_the_patient_for_who_acts_for_them_and_for_a_clinician() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (server, app) = scene(&stage).await;
        let mother = proxy(&stage, "mother", &["ben", "anna"]).await;
        let doctor = doctor(&stage).await;
        for person in [&stage.patient, &mother, &doctor] {
            let wish = json!({ "client_id": app.as_str(), "context": { "encounter": "new" } });
            let pairs = request(&stage, &server, (&app, SCOPES, &handle(&stage, &wish).await));
            let mut browser = stage.site.signed_in(person).await;
            let page = browser.open(&Stage::authorize_url(&pairs)).await;
            assert_eq!(page.status, 200, "{}", page.body);
            page.says("anna the patient");
            let answer = browser.submit(&page.form("/consent").with("decision", "allow")).await;
            let tokens = redeemed(&stage, &app, &answer).await;
            assert_eq!((tokens.text("patient"), tokens.text("encounter")), ("anna".into(), "new".into()));
            assert_eq!(tokens.text("scope"), SCOPES);
        }
        // nothing of anybody is in it: whoever has a record here may open it, about themselves
        let wish = json!({ "client_id": app.as_str(), "context": { "intent": "welcome", "tenant": "ward 3" } });
        let scope = "launch launch/patient openid patient/Patient.rs";
        let pairs = request(&stage, &server, (&app, scope, &handle(&stage, &wish).await));
        let mut viewer = stage.site.signed_in(&stage.world().viewer.account).await;
        assert_eq!(viewer.open(&Stage::authorize_url(&pairs)).await.status, 403, "no record, no launch");
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let page = browser.open(&Stage::authorize_url(&pairs)).await;
        let answer = browser.submit(&page.form("/consent").with("decision", "allow")).await;
        assert_eq!(redeemed(&stage, &app, &answer).await.text("patient"), "anna");
        // whom the EHR names, it answers for
        let wish = json!({ "client_id": app.as_str(), "user": stage.patient.email, "context": { "patient": "ben" } });
        let pairs = request(&stage, &server, (&app, SCOPES, &handle(&stage, &wish).await));
        let page = browser.open(&Stage::authorize_url(&pairs)).await;
        let answer = browser.submit(&page.form("/consent").with("decision", "allow")).await;
        assert_eq!(redeemed(&stage, &app, &answer).await.text("patient"), "ben");
        stage.end().await;
    });
}

#[test]
fn who_lost_the_patient_before_the_answer_gets_nothing_of_a_launch_without_a_name() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (server, app) = scene(&stage).await;
        let mother = proxy(&stage, "mother", &["anna", "ben"]).await;
        let wish = json!({ "client_id": app.as_str(), "context": { "patient": "anna" } });
        let pairs = request(&stage, &server, (&app, SCOPES, &handle(&stage, &wish).await));
        let mut browser = stage.site.signed_in(&mother).await;
        let form = browser.open(&Stage::authorize_url(&pairs)).await.form("/consent").with("decision", "allow");
        let less = [UserPatient { patient: "ben".into(), is_self: false }].into();
        stage.is_user(&mother, FhirUser { reference: "RelatedPerson/mother".into(), patients: less }).await;
        let answer = browser.submit(&form).await;
        assert_eq!(answer.status, 403, "{}", answer.body);
        answer.says("This was opened for somebody else");
        assert_eq!(all_grants(&stage, &[&mother]).await, 0);
        // the handle is not spent by it
        let mut patient = stage.site.signed_in(&stage.patient).await;
        let page = patient.open(&Stage::authorize_url(&pairs)).await;
        let answer = patient.submit(&page.form("/consent").with("decision", "allow")).await;
        let tokens = redeemed(&stage, &app, &answer).await;
        assert!(stage.is_active(&tokens.access()).await);
        // and what was given ends with the relation
        stage.is_patient(&stage.patient, &["cleo"]).await;
        assert!(!stage.is_active(&tokens.access()).await);
        stage.end().await;
    });
}

#[test]
fn the_patient_of_a_launch_is_the_one_its_visit_is_about() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (server, app) = scene(&stage).await;
        let mut browser = stage.site.signed_in(&doctor(&stage).await).await;
        let named = |context: Value| json!({ "client_id": app.as_str(), "user": "Practitioner/7", "context": context });
        // said by the visit alone, or by both
        for context in [json!({ "encounter": "new" }), json!({ "encounter": "new", "patient": "anna" })] {
            let pairs = request(&stage, &server, (&app, WITH_VISIT, &handle(&stage, &named(context)).await));
            let page = browser.open(&Stage::authorize_url(&pairs)).await;
            assert!(page.forms("/patient").is_empty(), "nobody chooses: {}", page.body);
            let answer = browser.submit(&page.form("/consent").with("decision", "allow")).await;
            let tokens = redeemed(&stage, &app, &answer).await;
            assert_eq!((tokens.text("patient"), tokens.text("encounter")), ("anna".into(), "new".into()));
        }
        // two that do not belong together are nobody's launch
        let before = stage.world().recorded("launch.created").await;
        for (context, status, member) in [
            (json!({ "encounter": "new", "patient": "ben" }), 400, "encounter"),
            (json!({ "encounter": "elsewhere", "patient": "anna" }), 400, "encounter"),
            (json!({ "encounter": "elsewhere" }), 400, "encounter"),
            (json!({ "encounter": "unknown" }), 400, "patient"),
        ] {
            let answer = made(&stage, &named(context.clone())).await;
            assert_eq!(answer.status, status, "{context}: {}", answer.body);
            assert!(answer.json()["error_description"].as_str().unwrap().starts_with(member), "{}", answer.body);
        }
        server.mood(Mood::Refusing);
        assert_eq!(made(&stage, &named(json!({ "encounter": "new" }))).await.status, 400);
        server.mood(Mood::Broken);
        assert_eq!(made(&stage, &named(json!({ "encounter": "new" }))).await.status, 502);
        assert_eq!(stage.world().recorded("launch.created").await, before);
        // where it cannot be read, the EHR is believed in what it says of both
        made(&stage, &named(json!({ "encounter": "new", "patient": "anna" }))).await.json()["launch"].as_str().unwrap();
        server.mood(Mood::Good);
        stage.end().await;
    });
}

#[test]
fn a_visit_of_no_patient_is_never_opened_with_a_patient_who_was_chosen_beside_it() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (server, app) = scene(&stage).await;
        let mut browser = stage.site.signed_in(&doctor(&stage).await).await;
        let wish = json!({ "client_id": app.as_str(), "user": "Practitioner/7", "context": { "encounter": "group" } });
        let pairs = request(&stage, &server, (&app, WITH_VISIT, &handle(&stage, &wish).await));
        let page = browser.open(&Stage::authorize_url(&pairs)).await;
        assert!(page.forms("/patient").is_empty(), "{}", page.body);
        let answer = browser.submit(&page.form("/consent").with("decision", "allow")).await;
        let tokens = redeemed(&stage, &app, &answer).await;
        assert_eq!(
            (tokens.text("scope"), tokens.text("encounter")),
            ("launch launch/encounter openid".into(), "group".into())
        );
        assert!(tokens.0.get("patient").is_none(), "{}", tokens.0);
        // nor is a choice taken that nobody was asked for
        let pairs = request(&stage, &server, (&app, WITH_VISIT, &handle(&stage, &wish).await));
        let form = browser.open(&Stage::authorize_url(&pairs)).await.form("/consent");
        let fields = [("csrf", form.value("csrf")), ("flow", form.value("flow")), ("patient", "anna")];
        browser.post("/o/st-mary/patient", &fields).await;
        let answer = browser.submit(&form.with("decision", "allow")).await;
        assert!(redeemed(&stage, &app, &answer).await.0.get("patient").is_none());
        stage.end().await;
    });
}

#[test]
fn staff_reach_no_patient_by_way_of_a_visit() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (server, app) = scene(&stage).await;
        let world = stage.world();
        let field = async |context: Value| {
            let wish = Wish {
                client_id: app.clone(),
                iss: Some(server.base_url.clone()),
                user: Some(stage.patient.email.clone()),
                task: None,
                context: serde_json::from_str(&context.to_string()).unwrap(),
            };
            match create(&world.app, &world.reviewer.organization, world.reviewer.audit(), wish).await {
                Err(NoLaunch::Wrong(wrong)) => wrong.field,
                Err(other) => panic!("{other}"),
                Ok(_) => "",
            }
        };
        assert_eq!(field(json!({ "encounter": "new" })).await, "", "a visit of their own");
        assert_eq!(field(json!({ "encounter": "bens" })).await, "patient", "a visit of somebody else");
        assert_eq!(field(json!({ "encounter": "group" })).await, "patient", "a visit of nobody they are");
        assert_eq!(field(json!({ "encounter": "bens", "patient": "anna" })).await, "encounter");
        stage.end().await;
    });
}
