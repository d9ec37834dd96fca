//! What the page of consent showed is what is agreed to (ATTACKS A33; SMART-LC-15), and what its refusals say.

use super::actors::{ISSUER, Stage};
use super::choosing::{allowed, doctor, scene, wish};
use super::requests::{and, stops, tells_the_app};
use crate::support::on_both;

const SCOPE: &str = "launch/patient launch/encounter openid patient/Patient.rs";

#[test]
fn an_answer_counts_only_for_what_its_page_showed() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (server, app) = scene(&stage).await;
        let mut browser = stage.site.signed_in(&doctor(&stage).await).await;
        let page = browser.open(&Stage::authorize_url(&wish(&stage, &server, &app, SCOPE))).await;
        let patients = page.forms("/patient").into_iter().find(|form| form.method == "post").unwrap();
        let visits = browser.submit_and_follow(&patients.clone().with("patient", "anna")).await;
        let other_tab = visits.forms("/record")[0].clone();
        let first = browser.submit_and_follow(&other_tab.clone().with("record", "new")).await;
        first.says("anna the patient");
        let stale = first.form("/consent").with("decision", "allow");
        // in another tab the same launch goes on with another patient, whose only visit is chosen silently
        browser.submit_and_follow(&other_tab.with("decision", "other-patient")).await;
        let second = browser.submit_and_follow(&patients.with("patient", "ben")).await;
        second.says("ben the patient");
        for form in [stale.clone(), stale.clone().without("shown"), stale.clone().with("shown", "x")] {
            let again = browser.submit(&form).await;
            assert_eq!((again.status.as_u16(), again.location().as_str()), (200, ""), "{}", again.body);
            again.says("This is not what you answered.");
            again.says("ben the patient");
            assert!(!again.body.contains("anna the patient"));
            assert_eq!(stage.world().recorded("grant.made").await, 0);
        }
        let answer = browser.submit(&second.form("/consent").with("decision", "allow")).await;
        let tokens = allowed(&stage, &app, &mut browser, answer).await;
        assert_eq!((tokens.text("patient"), tokens.text("encounter")), ("ben".into(), "bens".into()));
        // no is no, whichever page says it
        let page =
            browser.open(&Stage::authorize_url(&and(wish(&stage, &server, &app, SCOPE), "prompt", "consent"))).await;
        let form = page.forms("/patient").into_iter().find(|form| form.method == "post").unwrap();
        let page = browser.submit_and_follow(&form.with("patient", "ben")).await;
        let denied = browser.submit(&page.form("/consent").with("shown", "x").with("decision", "deny")).await;
        tells_the_app(&denied, "access_denied", "deny");
        stage.end().await;
    });
}

#[test]
fn the_page_of_consent_shows_the_visit_beside_its_patient() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (server, app) = scene(&stage).await;
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let page = browser.open(&Stage::authorize_url(&wish(&stage, &server, &app, SCOPE))).await;
        let page = browser.submit_and_follow(&page.forms("/record")[0].clone().with("record", "new")).await;
        page.form("/consent");
        for said in ["anna the patient", "For this visit", "Kind of new", "2 Jan 2026, 08:00", "Outpatient"] {
            page.says(said);
        }
        // without a visit, no card for one
        let page = browser
            .open(&Stage::authorize_url(&wish(&stage, &server, &app, "launch/patient patient/Patient.rs")))
            .await;
        page.form("/consent");
        assert!(!page.body.contains("For this visit"), "{}", page.body);
        stage.end().await;
    });
}

#[test]
fn a_refusal_blames_nobody_who_did_nothing() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        stage.is_patient(&stage.patient, &["anna", "ben"]).await;
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let page = browser.open(&Stage::authorize_url(&stage.request())).await;
        let form = page.forms("/patient").remove(0);
        // the person chose what was not there: neither a role nor an administrator has to do with it
        let refused = browser.submit(&form.clone().with("patient", "dora")).await;
        assert_eq!(refused.status, 403);
        refused.says("This is not among what you can choose");
        assert!(!refused.body.contains("role") || !refused.body.contains("administrator"), "{}", refused.body);
        refused.says("/o/st-mary/continue?flow=");
        // the form was changed: not by the app
        let page = browser.submit_and_follow(&form.with("patient", "ben")).await;
        let forged = page.form("/consent").with("decision", "allow").and("scope", "system/*.rs");
        let refused = browser.submit(&forged).await;
        stops(&refused, "a forged answer");
        refused.says("We cannot use what was sent");
        assert!(!refused.body.contains("The app"), "{}", refused.body);
        refused.says("/o/st-mary/continue?flow=");
        // an app that signs people out in a wrong way is told so
        let refused = browser.open(&format!("{ISSUER}/logout?state=%zz")).await;
        assert_eq!(refused.status, 400);
        refused.says("The app asked in a wrong way");
        // an address that was never an old form
        let mut nurse = stage.site.signed_in(&stage.world().reviewer.account).await;
        for path in ["/console/st-mary/clients?sort=--", "/console/st-mary/clients?state=zzz"] {
            let page = nurse.open(path).await;
            assert_eq!(page.status, 400);
            page.says("We cannot use what was sent");
            assert!(!page.body.contains("too old"), "{path}: {}", page.body);
        }
        stage.end().await;
    });
}
