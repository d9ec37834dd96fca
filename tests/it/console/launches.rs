//! "Try a launch": the form, its mistakes, and the launch it makes.

use countersign::domain::accounts::FhirUser;

use crate::oauth::actors::{FHIR, Stage, answer_of};
use crate::oauth::record_server::RecordServer;
use crate::support::on_both;

#[test]
fn a_reviewer_makes_a_launch_and_the_app_opens_with_it() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let world = stage.world();
        let app = stage
            .register(|metadata| {
                metadata.name = "Ward Board".into();
                metadata.launch_uri = Some("https://app.acme.example/launch?x=1".into());
            })
            .await;
        stage.approve(&app, "launch openid fhirUser patient/Patient.r").await;
        let reviewer = world.reviewer.account.clone();
        stage.is_user(&reviewer, FhirUser { reference: "Practitioner/7".into(), patients: Vec::new() }).await;
        let mut browser = stage.site.signed_in(&reviewer).await;
        let page = browser.open("/console/st-mary/launches").await;
        let form = page.form("/launches");
        assert_eq!(form.value("user"), reviewer.email);
        let filled = [
            ("client_id", app.as_str()),
            ("patient", "ben"),
            ("encounter", "v7"),
            ("need_patient_banner", "no"),
            ("intent", "reconcile"),
            ("tenant", "ward 3"),
            ("app_context", "{\"a\":1}"),
            ("reference_1", "ImagingStudy/5"),
            ("canonical_3", "https://x.example/Questionnaire/phq9|2"),
            ("type_3", "Questionnaire"),
            ("extensions", r#"{"__desk": 12}"#),
        ]
        .iter()
        .fold(form, |form, (name, value)| form.with(name, value));
        let made = browser.submit(&filled).await;
        assert_eq!(made.status, 200, "{}", made.body);
        made.says("Ward Board</bdi> is ready to open");
        let start = made
            .body
            .find("https://app.acme.example/launch?x=1&amp;iss=")
            .expect("the link keeps the query the app registered");
        let link = made.body[start..].split('"').next().unwrap().replace("&amp;", "&");
        let link = url::Url::parse(&link).unwrap();
        let sent: std::collections::BTreeMap<String, String> = link.query_pairs().into_owned().collect();
        assert_eq!((sent["x"].as_str(), sent["iss"].as_str()), ("1", FHIR));
        assert_eq!(world.recorded("launch.created").await, 1);
        // the app begins where the link leads
        let mut pairs = stage.request();
        pairs[1].1 = app.as_str().into();
        pairs[3].1 = "launch openid fhirUser patient/Patient.r".into();
        pairs.push(("launch".into(), sent["launch"].clone()));
        let consent = browser.open(&Stage::authorize_url(&pairs)).await;
        let code =
            answer_of(&browser.submit(&consent.form("/consent").with("decision", "allow")).await)["code"].clone();
        let mut fields = stage.redemption(&code);
        fields[4].1 = app.as_str();
        let told = stage.token(&fields).await.json();
        for (name, value) in [
            ("patient", serde_json::json!("ben")),
            ("encounter", "v7".into()),
            ("need_patient_banner", false.into()),
            ("intent", "reconcile".into()),
            ("tenant", "ward 3".into()),
            ("appContext", "{\"a\":1}".into()),
            ("__desk", 12.into()),
            (
                "fhirContext",
                serde_json::json!([
                    { "reference": "ImagingStudy/5" },
                    { "canonical": "https://x.example/Questionnaire/phq9|2", "type": "Questionnaire" },
                ]),
            ),
        ] {
            assert_eq!(told[name], value, "{name}");
        }
        browser.open("/console/st-mary/activity").await.says("Made a launch.");
        stage.end().await;
    });
}

#[test]
fn what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let reviewer = stage.world().reviewer.account.clone();
        stage.is_user(&reviewer, FhirUser { reference: "Practitioner/7".into(), patients: Vec::new() }).await;
        let mut browser = stage.site.signed_in(&reviewer).await;
        let form = browser.open("/console/st-mary/launches").await.form("/launches").with("patient", "anna");
        for (name, value, beside, words) in [
            ("client_id", "app_nothing", "client_id", "Choose an app that is approved and switched on."),
            ("iss", "nowhere", "iss", "The app is not approved for this FHIR endpoint."),
            ("user", "nobody@example.org", "user", "Nobody here is known under this."),
            ("user", "", "user", "This must be filled in."),
            ("patient", "Patient/anna", "patient", "Use the FHIR id alone"),
            ("encounter", "a/b", "encounter", "Use the FHIR id alone"),
            ("smart_style_url", "style.json", "smart_style_url", "This is not a web address."),
            ("extensions", "[1]", "extensions", "This is not a JSON object."),
            ("extensions", r#"{"scope":"x"}"#, "extensions", "Each name must be a web address"),
            ("reference_2", "Patient/ben", "role_2", "Patients and visits need a role of their own here."),
            ("reference_3", "nothing", "reference_3", "Write it as ImagingStudy/7."),
            ("role_1", "friend", "reference_1", "Fill in a reference"),
            ("type_1", "imaging", "reference_1", "Fill in a reference"),
        ] {
            let answer = browser.submit(&form.clone().with(name, value)).await;
            assert_eq!(answer.status, 422, "{name}={value}: {}", answer.body);
            let error = answer
                .body
                .split(&format!("id=\"{beside}-error\""))
                .nth(1)
                .unwrap_or_else(|| panic!("beside {beside} for {name}={value}: {}", answer.body));
            assert!(error.split("</p>").next().unwrap().contains(words), "{name}={value}");
            if name != "client_id" && name != "iss" {
                assert_eq!(answer.form("/launches").value(name), value);
            }
        }
        assert_eq!(stage.world().recorded("launch.created").await, 0);
        // those who only look see no form
        let mut viewer = stage.site.signed_in(&stage.world().viewer.account).await;
        let page = viewer.open("/console/st-mary/launches").await;
        assert!(page.forms("/launches").is_empty());
        page.says("Reviewers of your organization can try a launch.");
        stage.end().await;
    });
}

#[test]
fn a_visit_that_does_not_fit_is_said_beside_its_field() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let server = RecordServer::start().await;
        stage.reads_from(&server.base_url, None).await;
        let reviewer = stage.world().reviewer.account.clone();
        stage.is_user(&reviewer, FhirUser { reference: "Practitioner/7".into(), patients: Vec::new() }).await;
        let mut browser = stage.site.signed_in(&reviewer).await;
        let form = browser.open("/console/st-mary/launches").await.form("/launches");
        let form = form.with("client_id", stage.app.as_str());
        for (patient, visit, beside, words) in [
            ("anna", "bens", "encounter", "This visit is another patient’s."),
            ("", "unknown", "patient", "The visit cannot be read, so fill in its patient too."),
        ] {
            let answer = browser.submit(&form.clone().with("patient", patient).with("encounter", visit)).await;
            assert_eq!(answer.status, 422, "{}", answer.body);
            let error = answer.body.split(&format!("id=\"{beside}-error\"")).nth(1).expect(beside);
            assert!(error.split("</p>").next().unwrap().contains(words), "{beside}: {error}");
        }
        let answer = browser.submit(&form.with("encounter", "bens")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        stage.end().await;
    });
}

#[test]
fn how_we_read_from_a_fhir_server_is_set_and_tried_in_the_console() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut admin = stage.site.signed_in(&stage.world().admin.account).await;
        let page = admin.open("/console/st-mary/fhir-endpoints").await;
        page.says("https://countersign.example/o/st-mary/reader-jwks");
        let form = page.form("/reading").with("reading", "backend");
        let wrong = admin
            .submit(
                &form.clone().with("token_endpoint", "nonsense").with("client_id", "").with("scope", "patient/*.rs"),
            )
            .await;
        assert_eq!(wrong.status, 422);
        wrong.says("This is not a web address.");
        wrong.says("Write scopes such as system/Patient.rs");
        wrong.says("This must be filled in.");
        // an address inside the house is not for an installation that has not allowed it
        let inside = form.clone().with("token_endpoint", "http://10.0.0.1/token").with("client_id", "countersign");
        assert_eq!(admin.submit(&inside).await.status, 422);
        let elsewhere = admin
            .submit_and_follow(
                &form.with("token_endpoint", "https://127.0.0.1:1/token").with("client_id", "countersign"),
            )
            .await;
        elsewhere.says("Saved, but reading did not work");
        assert_eq!(stage.world().recorded("fhir_endpoint.changed").await, 1);
        let kept = elsewhere.form("/reading");
        assert_eq!((kept.value("reading"), kept.value("client_id")), ("backend", "countersign"));
        let own = admin.submit_and_follow(&kept.with("reading", "own")).await;
        own.says("Saved, but reading did not work");
        assert_eq!(own.form("/reading").value("reading"), "own");
        stage.end().await;
    });
}
