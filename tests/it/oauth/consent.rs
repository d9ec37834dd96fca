//! The question of consent, its answer, and when nobody is asked (ATTACKS A25, A33..A35; ONC-05..07).

use axum::http::Method;
use countersign::domain::accounts::FhirUser;
use countersign::domain::organizations::{Organization, OrganizationSettings, RegistrationPolicy};
use countersign::storage;
use serde_json::json;

use super::actors::{CALLBACK, ISSUER, PATIENT_SCOPES, Stage, Tokens, answer_of};
use super::requests::{and, set, stops, tells_the_app};
use crate::governance::world;
use crate::support::browser::{Answer, Browser};
use crate::support::on_both;

const LAB: &str = "category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory";
const PROBLEMS: &str = "category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item";

/// The question, for the patient.
async fn asked(stage: &Stage, browser: &mut Browser, scope: &str) -> Answer {
    asked_by(stage, browser, &set(stage.request(), "scope", scope)).await
}

async fn asked_by(stage: &Stage, browser: &mut Browser, pairs: &[(String, String)]) -> Answer {
    let page = browser.open(&Stage::authorize_url(pairs)).await;
    stage.through_sign_in(browser, page).await
}

async fn granted(stage: &Stage, answer: &Answer) -> Tokens {
    let code = answer_of(answer)["code"].clone();
    Tokens(stage.token(&stage.redemption(&code)).await.json())
}

async fn change_settings(stage: &Stage, change: impl FnOnce(&mut OrganizationSettings)) {
    let mut after: Organization = stage.world().reviewer.organization.clone();
    change(&mut after.settings);
    stage.world().write(move |conn| Box::pin(async move { storage::organizations::update(conn, &after).await })).await;
}

async fn clinician(stage: &Stage) -> Browser {
    let doctor = world::account(&stage.world().app, "hart").await;
    stage.is_user(&doctor, FhirUser { reference: "Practitioner/hart".into(), patients: Vec::new() }).await;
    stage.site.signed_in(&doctor).await
}

#[test]
fn a_launch_under_way_stops_when_the_client_is_disabled() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let page = browser.open(&Stage::authorize_url(&stage.request())).await;
        let page = stage.through_sign_in(&mut browser, page).await;
        let form = page.form("/consent").with("decision", "allow");
        stage.disable(&stage.app).await;
        stops(&browser.submit(&form).await, "disabled between question and answer");
        assert_eq!(stage.grants().await, 0);
        stage.end().await;
    });
}

#[test]
fn saying_no_is_told_to_the_app() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let page = browser.open(&Stage::authorize_url(&stage.request())).await;
        let page = stage.through_sign_in(&mut browser, page).await;
        let form = page.form("/consent");
        tells_the_app(&browser.submit(&form.clone().with("decision", "deny")).await, "access_denied", "deny");
        stops(&browser.submit(&form.with("decision", "allow")).await, "the back button");
        assert_eq!(stage.grants().await, 0);
        stage.end().await;
    });
}

#[test]
fn an_answer_only_narrows_and_a_forged_one_is_refused() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let page = browser.open(&Stage::authorize_url(&stage.request())).await;
        let page = stage.through_sign_in(&mut browser, page).await;
        let form = page.form("/consent").with("decision", "allow");
        for more in ["patient/Observation.cruds", "user/Patient.rs", "patient/*.rs", "system/*.rs"] {
            stops(&browser.submit(&form.clone().and("scope", more)).await, more);
        }
        let nothing = browser.submit(&form.clone().without("scope")).await;
        assert_eq!(nothing.status, 200, "asked again");
        let forged = form.clone().with("csrf", "x");
        assert_eq!(browser.submit(&forged).await.status, 403);
        // somebody else's launch
        let stranger = world::account(&stage.world().app, "mallory").await;
        stage.is_patient(&stranger, &["mallory"]).await;
        let mut other = stage.site.signed_in(&stranger).await;
        let own = other.open("/account").await.form("/sign-out");
        let answer = other.submit(&form.clone().with("csrf", own.value("csrf"))).await;
        stops(&answer, "another person's flow");
        // the person themselves, with less, and one category only
        let less = form.without("offline").with(
            "scope",
            "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
        );
        let answer = browser.submit(&less).await;
        let code = answer_of(&answer)["code"].clone();
        let tokens = Tokens(stage.token(&stage.redemption(&code)).await.json());
        assert_eq!(
            tokens.text("scope"),
            "launch/patient openid fhirUser patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
        );
        assert!(tokens.0.get("refresh_token").is_none(), "no background access was given");
        // remembered for the same or less, not for more
        let again = browser.open(&Stage::authorize_url(&stage.request())).await;
        again.form("/consent");
        stage.end().await;
    });
}

#[test]
fn what_was_agreed_is_remembered_for_the_same_or_less() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        stage.launch(&mut browser, &stage.request()).await;
        let silent = |scope: &str| set(and(stage.request(), "prompt", "none"), "scope", scope);
        for (scope, agreed) in [
            (PATIENT_SCOPES, true),
            ("launch/patient patient/Patient.r", true),
            ("launch/patient openid patient/*.rs", false),
        ] {
            let answer = browser.open(&Stage::authorize_url(&silent(scope))).await;
            let told = answer_of(&answer);
            assert_eq!(told.contains_key("code"), agreed, "{scope}: {told:?}");
            assert_eq!(told.get("error").map(String::as_str), (!agreed).then_some("consent_required"));
        }
        let asked = browser.open(&Stage::authorize_url(&and(stage.request(), "prompt", "consent"))).await;
        asked.form("/consent");
        stage.end().await;
    });
}

#[test]
fn a_patient_chooses_by_kind_and_by_category_whatever_way_the_app_asked() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        stage.approve(&stage.app, "launch/patient openid fhirUser offline_access patient/*.cruds").await;
        let mut browser = stage.app_browser();
        let lab = format!("patient/Observation.rs?{LAB}");
        for (asked_scope, offered) in [
            // ONC-06, in every way an app may ask for the whole
            ("patient/Observation.rs", lab.as_str()),
            ("patient/Observation.read", &lab),
            ("patient/*.rs", &lab),
            ("patient/*.read", &lab),
            ("patient/Observation.r", &lab.replace(".rs", ".r")),
            ("patient/Observation.s", &lab.replace(".rs", ".s")),
            ("patient/Observation.r patient/Observation.s", &lab),
            ("patient/Observation.cruds", &lab.replace(".rs", ".cruds")),
            ("patient/Condition.rs", &format!("patient/Condition.rs?{PROBLEMS}")),
            ("patient/Condition.read", &format!("patient/Condition.rs?{PROBLEMS}")),
            ("patient/*.rs", &format!("patient/Condition.rs?{PROBLEMS}")),
            ("patient/*.rs", "patient/Immunization.rs"),
            ("patient/*.read", "patient/Immunization.read"),
        ] {
            let page = asked(&stage, &mut browser, &format!("launch/patient openid {asked_scope}")).await;
            let form = page.form("/consent").with("decision", "allow");
            let choice = ("scope".to_owned(), offered.to_owned());
            assert!(form.choices.contains(&choice), "{asked_scope} offers {offered}: {:?}", form.choices);
            assert!(!form.fields.contains(&choice), "{asked_scope}: the whole is ticked, not its parts");
            // the whole unticked, the one part ticked: an Inferno tester's limited launch
            let whole: Vec<&(String, String)> = form
                .fields
                .iter()
                .filter(|(name, value)| name == "scope" && value.contains("patient/") && !value.starts_with("launch"))
                .collect();
            assert_eq!(whole.len(), 1, "{asked_scope} is one line: {whole:?}");
            let narrowed = form.clone().untick("scope", &whole[0].1).and("scope", offered);
            let tokens = granted(&stage, &browser.submit(&narrowed).await).await;
            assert_eq!(tokens.text("scope"), format!("launch/patient openid {offered}"), "{asked_scope}");
            assert_eq!(stage.introspect(&tokens.access()).await.json()["scope"], tokens.0["scope"]);
        }
        stage.end().await;
    });
}

#[test]
fn every_category_of_us_core_is_offered_under_observations_and_conditions() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let page = asked(&stage, &mut browser, "launch/patient patient/Observation.rs patient/Condition.rs").await;
        let form = page.form("/consent");
        let procedure = "Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|procedure";
        for scope in fhir_scopes::us_core::GRANULAR.iter().chain([&procedure]) {
            let choice = ("scope".to_owned(), format!("patient/{scope}"));
            assert!(form.choices.contains(&choice), "{scope}");
        }
        page.says("Lab results");
        page.says("Problem list");
        page.says("Or only some of it");
        stage.end().await;
    });
}

#[test]
fn asked_wide_and_narrow_the_narrow_stays_when_the_wide_is_unticked() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let lab = format!("patient/Observation.rs?{LAB}");
        let both = format!("launch/patient patient/Observation.rs {lab}");
        let form = asked(&stage, &mut browser, &both).await.form("/consent").with("decision", "allow");
        let tokens = granted(&stage, &browser.submit(&form).await).await;
        assert_eq!(tokens.text("scope"), both, "SMART-SC-21: both as asked");
        let page =
            browser.open(&Stage::authorize_url(&and(set(stage.request(), "scope", &both), "prompt", "consent"))).await;
        let form = page.form("/consent").with("decision", "allow").untick("scope", "patient/Observation.rs");
        let tokens = granted(&stage, &browser.submit(&form).await).await;
        assert_eq!(tokens.text("scope"), format!("launch/patient {lab}"));
        stage.end().await;
    });
}

#[test]
fn what_a_person_unticks_is_out_and_a_question_that_comes_back_ticks_nothing_for_them() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let scope = "launch/patient offline_access patient/*.rs patient/Observation.rs";
        let form = asked(&stage, &mut browser, scope).await.form("/consent").with("decision", "allow");
        let ticked = |form: &crate::support::browser::Form| {
            let ticked = form.fields.iter().filter(|(name, _)| ["scope", "offline"].contains(&name.as_str()));
            ticked.map(|(_, value)| value.clone()).filter(|value| value != "launch/patient").collect::<Vec<_>>()
        };
        assert_eq!(ticked(&form).len(), 3);
        // everything stays, a part of it goes: the app would read it all the same
        let still = form.clone().untick("scope", "patient/Observation.rs").without("offline");
        let page = browser.submit(&still).await;
        page.says("another line, which is ticked, includes");
        assert_eq!(stage.grants().await, 0);
        let again = page.form("/consent");
        assert_eq!(ticked(&again), ["patient/*.rs"], "background access stays refused, too");
        // nothing ticked: nothing is ticked on the page that comes back
        let page = browser.submit(&again.with("decision", "allow").without("scope")).await;
        page.says("Choose at least one kind of data");
        let again = page.form("/consent");
        assert!(ticked(&again).is_empty(), "{:?}", again.fields);
        // a narrower choice is kept as well
        let conditions = again.and("scope", "patient/Condition.rs").with("decision", "allow").with("shown", "other");
        let page = browser.submit(&conditions).await;
        page.says("This is not what you answered.");
        let again = page.form("/consent");
        assert_eq!(ticked(&again), ["patient/Condition.rs"]);
        let tokens = granted(&stage, &browser.submit(&again.with("decision", "allow")).await).await;
        assert_eq!(tokens.text("scope"), "launch/patient patient/Condition.rs");
        stage.end().await;
    });
}

#[test]
fn background_access_is_a_question_of_its_own() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let page = asked(&stage, &mut browser, PATIENT_SCOPES).await;
        let form = page.form("/consent").with("decision", "allow");
        assert!(form.choices.contains(&("offline".to_owned(), "1".to_owned())), "ONC-05: seen, and refusable");
        page.says("While you are away");
        let without = granted(&stage, &browser.submit(&form.clone().without("offline")).await).await;
        assert!(!without.text("scope").contains("offline_access") && without.0.get("refresh_token").is_none());
        let page = browser.open(&Stage::authorize_url(&stage.request())).await;
        let form = page.form("/consent").with("decision", "allow").with("offline", "1");
        let with = granted(&stage, &browser.submit(&form).await).await;
        assert!(with.text("scope").contains("offline_access") && with.0.get("refresh_token").is_some());
        // not asked, not given
        let page = asked(&stage, &mut browser, "launch/patient patient/*.rs").await;
        assert!(page.form("/consent").choices.iter().all(|(name, _)| name != "offline"));
        let form = page.form("/consent").with("decision", "allow").with("offline", "1");
        assert!(granted(&stage, &browser.submit(&form).await).await.0.get("refresh_token").is_none());
        stage.end().await;
    });
}

#[test]
fn an_organizations_standing_consent_spares_its_clinicians_the_question_and_nobody_else() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        change_settings(&stage, |settings| settings.standing_consent_for_clinicians = true).await;
        let request = set(stage.request(), "scope", "openid fhirUser user/Patient.rs");
        let mut doctor = clinician(&stage).await;
        for more in [None, Some(("prompt", "none")), Some(("prompt", "consent"))] {
            let pairs = more.map_or(request.clone(), |(name, value)| and(request.clone(), name, value));
            let answer = doctor.open(&Stage::authorize_url(&pairs)).await;
            assert!(answer_of(&answer).contains_key("code"), "{more:?}");
        }
        // a patient is asked
        let mut browser = stage.app_browser();
        asked(&stage, &mut browser, PATIENT_SCOPES).await.form("/consent");
        // and the clinician too, once the organization takes it back
        change_settings(&stage, |settings| settings.standing_consent_for_clinicians = false).await;
        doctor.open(&Stage::authorize_url(&request)).await.form("/consent");
        stage.end().await;
    });
}

#[test]
fn a_client_that_registered_itself_gets_no_code_that_no_person_agreed_to() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        change_settings(&stage, |settings| {
            settings.standing_consent_for_clinicians = true;
            settings.registration = RegistrationPolicy::Open;
        })
        .await;
        let wish = json!({
            "client_name": "Self Made", "contacts": ["help@self.example"], "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code"], "scope": "openid user/Patient.rs",
        });
        let headers = [("content-type", "application/json")];
        let made =
            stage.app_browser().send(Method::POST, &format!("{ISSUER}/register"), &headers, wish.to_string()).await;
        let id = made.json()["client_id"].as_str().unwrap().to_owned();
        let waiting = {
            let mut conn = stage.world().app.store.read().await.unwrap();
            let id = countersign::domain::ids::ClientId::from_text(id.as_str());
            let organization = &stage.world().reviewer.organization.id;
            storage::access_requests::find_waiting(&mut conn, organization, &id).await.unwrap().unwrap()
        };
        stage.world().approve(&waiting.id).await.unwrap();
        let request = set(set(stage.request(), "client_id", &id), "scope", "openid user/Patient.rs");
        let mut doctor = clinician(&stage).await;
        // A35: signed in, approved, standing consent, and still the page
        let silent = doctor.open(&Stage::authorize_url(&and(request.clone(), "prompt", "none"))).await;
        tells_the_app(&silent, "consent_required", "prompt=none");
        let form = doctor.open(&Stage::authorize_url(&request)).await.form("/consent").with("decision", "allow");
        assert!(answer_of(&doctor.submit(&form).await).contains_key("code"));
        // from then on the person has agreed: to this, and to no more
        let silent = doctor.open(&Stage::authorize_url(&and(request.clone(), "prompt", "none"))).await;
        assert!(answer_of(&silent).contains_key("code"));
        doctor.open(&Stage::authorize_url(&and(request, "prompt", "consent"))).await.form("/consent");
        stage.end().await;
    });
}

#[test]
fn a_consent_is_for_its_flow_its_person_and_one_answer() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let form = asked(&stage, &mut browser, PATIENT_SCOPES).await.form("/consent").with("decision", "allow");
        // A33: forged handles, and handles of another kind
        let flow = form.value("flow").to_owned();
        let mut flipped = flow.clone();
        let last = flipped.pop().unwrap();
        flipped.push(if last == 'A' { 'B' } else { 'A' });
        for forged in ["", "x", "csi_x", &flow[..flow.len() - 1], &format!("{flow}A"), &flipped] {
            stops(&browser.submit(&form.clone().with("flow", forged)).await, forged);
            stops(&browser.open(&format!("{ISSUER}/continue?flow={forged}")).await, forged);
        }
        // another organization's pages do not know it
        let elsewhere = form.action.replace("/st-mary/", "/st-luke/");
        stops(&browser.submit(&super::requests::to(form.clone(), &elsewhere)).await, "another organization");
        // no token, no answer: the person is not asked to believe a page of somebody else's
        for csrf in ["", "0", &form.value("csrf")[1..]] {
            assert_eq!(browser.submit(&form.clone().with("csrf", csrf)).await.status, 403);
        }
        assert_eq!(browser.submit(&form.clone().without("csrf")).await.status, 403);
        assert_eq!(browser.submit(&form.clone().and("csrf", form.value("csrf"))).await.status, 403, "two tokens");
        // an answer that is neither is no yes
        for decision in ["", "yes", "ALLOW"] {
            let form = asked(&stage, &mut browser, PATIENT_SCOPES).await.form("/consent").with("decision", decision);
            tells_the_app(&browser.submit(&form).await, "access_denied", decision);
        }
        assert_eq!(stage.grants().await, 0);
        // and all of that has not spoilt the honest answer, which counts once
        assert!(answer_of(&browser.submit(&form).await).contains_key("code"));
        stops(&browser.submit(&form).await, "the back button");
        assert_eq!(stage.grants().await, 1);
        stage.end().await;
    });
}

#[test]
fn an_answer_after_ten_minutes_is_too_late() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let form = asked(&stage, &mut browser, PATIENT_SCOPES).await.form("/consent").with("decision", "allow");
        stage.world().clock.advance_seconds(600);
        stops(&browser.submit(&form).await, "too late");
        assert_eq!(stage.grants().await, 0);
        stage.end().await;
    });
}
