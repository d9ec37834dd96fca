//! Scopes of an authorization request: asked, approved, granted (ATTACKS group S; SMART-SC).

use axum::http::Method;
use countersign::domain::clients::{ClientType, GrantType};
use countersign::domain::ids::ClientId;

use super::actors::{FHIR, ISSUER, Stage, Tokens, answer_of};
use super::requests::{app_with, of, redeemed, set, tells_the_app};
use crate::support::browser::Answer;
use crate::support::on_both;

const LAB: &str =
    "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory";
const SOCIAL: &str =
    "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|social-history";
const MISSPELT: &str =
    "patient/Observation.rs?category=http://terminology.hl7.org//CodeSystem-observation-category|social-history";

/// What the patient's yes gives an app: the scopes of its token, which introspection and refresh repeat.
async fn granted(stage: &Stage, client: &ClientId, scope: &str) -> String {
    let mut browser = stage.app_browser();
    let answer = stage.launch(&mut browser, &of(stage, client, scope)).await;
    let code = answer.get("code").unwrap_or_else(|| panic!("{scope}: {answer:?}"));
    let tokens = redeemed(stage, client, code).await;
    assert_eq!(stage.introspect(&tokens.access()).await.json()["scope"], tokens.0["scope"]);
    if tokens.0.get("refresh_token").is_some() {
        let fields =
            [("grant_type", "refresh_token"), ("refresh_token", &*tokens.refresh()), ("client_id", client.as_str())];
        assert_eq!(stage.token(&fields).await.json()["scope"], tokens.0["scope"]);
    }
    tokens.text("scope")
}

async fn posted(stage: &Stage, pairs: &[(String, String)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    stage.app_browser().send(Method::POST, &format!("{ISSUER}/authorize"), &headers, body).await
}

#[test]
fn v1_scopes_come_back_as_they_were_asked() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        for (asked, granted) in [
            ("launch/patient patient/*.read", "launch/patient patient/*.read"),
            ("launch/patient patient/*.*", "launch/patient patient/*.read"),
            ("patient/Observation.read launch/patient foo:bar __x", "patient/Observation.read launch/patient"),
            ("openid openid launch/patient patient/Patient.r", "openid launch/patient patient/Patient.r"),
            ("launch/patient patient/Observation.cruds", "launch/patient patient/Observation.rs"),
        ] {
            let code = stage.code_for(&set(stage.request(), "scope", asked)).await;
            let tokens = Tokens(stage.token(&stage.redemption(&code)).await.json());
            assert_eq!(tokens.text("scope"), granted, "{asked}");
        }
        stage.end().await;
    });
}

#[test]
fn granted_is_what_was_asked_as_far_as_it_is_approved_and_told_as_it_was_asked() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let base = "launch/patient";
        for (approved, asked, expected) in [
            // S01, S02
            ("patient/*.rs", "patient/*.cruds", Some("patient/*.rs")),
            ("patient/Observation.read", "patient/Observation.write", None),
            ("patient/Observation.read", "patient/Observation.cud", None),
            // S03
            ("patient/Observation.rs", "patient/Observation.read", Some("patient/Observation.read")),
            ("patient/Observation.read", "patient/Observation.rs", Some("patient/Observation.rs")),
            ("patient/Observation.cruds", "patient/Observation.*", Some("patient/Observation.*")),
            // S04, S05
            (
                "patient/Observation.cruds",
                "patient/Observation.sr patient/Observation.dus patient/Observation.rr",
                None,
            ),
            ("patient/*.cruds", "patient:Observation.read patient//Observation.rs patient/observation.rs", None),
            ("patient/*.cruds", "PATIENT/Observation.rs patient/Observation.rs,patient/Patient.r", None),
            ("patient/*.cruds", "patient/Nonsense.rs", None),
            // S06
            (LAB, "patient/Observation.rs", Some(LAB)),
            (LAB, "patient/*.rs", Some(LAB)),
            (LAB, "patient/Observation.read", Some(LAB)),
            (LAB, LAB, Some(LAB)),
            (LAB, SOCIAL, None),
            (LAB, "patient/Observation.rs?status=final", None),
            (LAB, "patient/Observation.rs?category:not=x", None),
            (LAB, "patient/Observation.rs?_filter=status%20eq%20final", None),
            ("patient/Observation.rs", LAB, Some(LAB)),
            // S11
            (
                "patient/Patient.r patient/Goal.rs",
                "patient/Goal.rs  patient/Patient.r patient/Goal.rs",
                Some("patient/Goal.rs patient/Patient.r"),
            ),
            // USC-05
            (SOCIAL, MISSPELT, Some(MISSPELT)),
            (MISSPELT, SOCIAL, Some(SOCIAL)),
            // ONC-10: either level
            (
                "patient/Device.rs user/Device.rs",
                "patient/Device.rs user/Device.rs",
                Some("patient/Device.rs user/Device.rs"),
            ),
        ] {
            let app = app_with(&stage, &format!("{base} offline_access {approved}")).await;
            let beside = format!("{base} offline_access");
            let wanted = expected.map_or(beside.clone(), |expected| format!("{beside} {expected}"));
            assert_eq!(granted(&stage, &app, &format!("{beside} {asked}")).await, wanted, "{asked} of {approved}");
            // alone, so that nothing is left
            if expected.is_none() {
                let answer = stage.app_browser().open(&Stage::authorize_url(&of(&stage, &app, asked))).await;
                tells_the_app(&answer, "invalid_scope", asked);
            }
        }
        stage.end().await;
    });
}

#[test]
fn what_is_misspelt_by_us_core_is_told_in_words_and_comes_back_as_it_was_asked() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let page = browser
            .open(&Stage::authorize_url(&set(stage.request(), "scope", &format!("launch/patient {MISSPELT} {SOCIAL}"))))
            .await;
        let page = stage.through_sign_in(&mut browser, page).await;
        page.says("social history");
        let form = page.form("/consent");
        let lines: Vec<&str> =
            form.fields.iter().filter(|(name, _)| name == "scope").map(|(_, value)| value.as_str()).collect();
        assert!(lines.iter().any(|line| line.contains(MISSPELT) && line.contains(SOCIAL)), "{lines:?}");
        let code = answer_of(&browser.submit(&form.with("decision", "allow")).await)["code"].clone();
        let tokens = Tokens(stage.token(&stage.redemption(&code)).await.json());
        assert_eq!(tokens.text("scope"), format!("launch/patient {MISSPELT} {SOCIAL}"));
        stage.end().await;
    });
}

#[test]
fn every_listed_scope_can_be_granted() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let smart = stage.app_browser().get(&format!("{ISSUER}/fhir/r4/.well-known/smart-configuration")).await.json();
        let listed: Vec<String> = smart["scopes_supported"]
            .as_array()
            .unwrap()
            .iter()
            .map(|scope| scope.as_str().unwrap().to_owned())
            .collect();
        for required in
            ["launch", "launch/patient", "openid", "fhirUser", "offline_access", "patient/*.rs", "patient/*.read"]
        {
            assert!(listed.iter().any(|scope| scope == required), "{required}");
        }
        for rest in fhir_scopes::us_core::RESOURCE_LEVEL.iter().chain(&fhir_scopes::us_core::GRANULAR) {
            for level in ["patient", "user"] {
                assert!(listed.contains(&format!("{level}/{rest}")), "USC-04: {level}/{rest}");
            }
        }
        // SMART-DI-13: one by one; `launch` and its like where they mean something
        let service = stage.backend("system/*.cruds").await;
        let for_people: Vec<String> = listed.iter().filter(|scope| !scope.starts_with("system/")).cloned().collect();
        stage.approve(&stage.app, &for_people.join(" ")).await;
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let (ehr, ehr_secret) = stage.fhir_server.clone();
        let wish = serde_json::json!({
            "client_id": stage.app.as_str(), "iss": FHIR, "context": { "patient": "anna", "encounter": "visit-7" },
        });
        let authorization = super::actors::basic(&ehr, &ehr_secret);
        let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
        for scope in &listed {
            let granted = if scope.starts_with("system/") {
                let answer = stage.ask_with_key(&service, scope).await;
                assert_eq!(answer.status, 200, "{scope}: {}", answer.body);
                Tokens(answer.json()).text("scope")
            } else {
                // what an EHR gives is asked of an EHR
                let is_given = ["launch", "launch/encounter"].contains(&scope.as_str());
                let asked = if scope == "launch/encounter" { "launch launch/encounter" } else { scope };
                let mut pairs = set(stage.request(), "scope", asked);
                if is_given {
                    let url = format!("{ISSUER}/launch");
                    let made = stage.app_browser().send(Method::POST, &url, &headers, wish.to_string()).await;
                    pairs.push(("launch".into(), made.json()["launch"].as_str().unwrap().into()));
                }
                let answer = stage.launch(&mut browser, &pairs).await;
                let code = answer.get("code").unwrap_or_else(|| panic!("{scope}: {answer:?}"));
                let granted = Tokens(stage.token(&stage.redemption(code)).await.json()).text("scope");
                granted.strip_prefix("launch ").unwrap_or(&granted).to_owned()
            };
            assert_eq!(&granted, scope);
        }
        stage.end().await;
    });
}

#[test]
fn two_hundred_scopes_come_by_post_and_more_than_can_be_read_is_refused() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        // SMART-SC-20
        let many: Vec<String> = fhir_scopes::ResourceType::all(fhir_scopes::Release::R4)
            .flat_map(|one| [format!("patient/{}.r", one.name()), format!("patient/{}.s", one.name())])
            .filter(|scope| fhir_scopes::Scope::parse(scope, fhir_scopes::Release::R4).is_ok())
            .take(199)
            .collect();
        let scope = format!("launch/patient {}", many.join(" "));
        let mut browser = stage.app_browser();
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(set(stage.request(), "scope", &scope))
            .finish();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = browser.send(Method::POST, &format!("{ISSUER}/authorize"), &headers, body).await;
        let page = browser.follow(answer).await;
        let page = stage.through_sign_in(&mut browser, page).await;
        let code = answer_of(&browser.submit(&page.form("/consent").with("decision", "allow")).await)["code"].clone();
        let tokens = Tokens(stage.token(&stage.redemption(&code)).await.json());
        assert_eq!(tokens.text("scope"), scope);
        assert!(tokens.access().len() < 200, "the token does not grow with its scopes");
        // S09
        let started = std::time::Instant::now();
        let items = (0..5000).map(|n| format!("x{n}")).collect::<Vec<_>>().join(" ");
        tells_the_app(&posted(&stage, &set(stage.request(), "scope", &items)).await, "invalid_scope", "5000 items");
        let bytes = "patient/Observation.rs?code=".to_owned() + &"a".repeat(20_000);
        tells_the_app(&posted(&stage, &set(stage.request(), "scope", &bytes)).await, "invalid_scope", "20 kB");
        let huge = posted(&stage, &set(stage.request(), "scope", &"a".repeat(70_000))).await;
        super::requests::stops(&huge, "longer than any form");
        assert!(started.elapsed().as_secs() < 5, "linear time");
        stage.end().await;
    });
}

#[test]
fn each_level_is_for_its_own_kind_of_grant() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let both = stage
            .register(|metadata| {
                metadata.client_type = ClientType::ConfidentialSecret;
                metadata.grant_types = vec![GrantType::AuthorizationCode, GrantType::ClientCredentials];
            })
            .await;
        let secret = stage.secret(&both).await;
        stage.approve(&both, "launch/patient openid patient/*.rs user/*.rs system/*.rs").await;
        // S07: not by a person's code, though it is approved
        let alone = stage.app_browser().open(&Stage::authorize_url(&of(&stage, &both, "system/*.rs"))).await;
        tells_the_app(&alone, "invalid_scope", "system");
        let mut browser = stage.app_browser();
        let answer = stage.launch(&mut browser, &of(&stage, &both, "launch/patient system/*.rs patient/Goal.rs")).await;
        let mut fields = stage.redemption(&answer["code"]);
        fields[4].1 = both.as_str();
        fields.push(("client_secret", &secret));
        assert_eq!(Tokens(stage.token(&fields).await.json()).text("scope"), "launch/patient patient/Goal.rs");
        // and patient/ and user/ not by a client's own credentials
        let authorization = super::actors::basic(both.as_str(), &secret);
        for scope in ["patient/*.rs", "user/*.rs", "openid", "launch/patient", "offline_access"] {
            let answer = stage
                .post(
                    "token",
                    &[("authorization", &authorization)],
                    &[("grant_type", "client_credentials"), ("scope", scope)],
                )
                .await;
            super::actors::refused(&answer, 400, "invalid_scope");
        }
        stage.end().await;
    });
}

#[test]
fn limits_hold_for_backend_services_and_refreshes_alike() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let at = |level: &str, scope: &str| scope.replace("patient/", level);
        // S06 by a client's own credentials
        let service = stage.backend(&at("system/", LAB)).await;
        let final_lab = format!("{LAB}&status=final");
        for (asked, expected) in [
            ("system/Observation.rs", Some(at("system/", LAB))),
            ("system/*.read", Some(at("system/", LAB))),
            (&*at("system/", &final_lab), Some(at("system/", &final_lab))),
            (&*at("system/", SOCIAL), None),
            ("system/Observation.rs?status=final", None),
        ] {
            let answer = stage.ask_with_key(&service, asked).await;
            match expected {
                Some(expected) => assert_eq!(answer.json()["scope"], expected.as_str(), "{asked}: {}", answer.body),
                None => super::actors::refused(&answer, 400, "invalid_scope"),
            }
        }
        // and by refresh: within the grant, whose limits it keeps
        let app = app_with(&stage, &format!("launch/patient offline_access {LAB} {SOCIAL}")).await;
        let mut browser = stage.app_browser();
        let wish = of(&stage, &app, "launch/patient offline_access patient/Observation.rs");
        let answer = stage.launch(&mut browser, &wish).await;
        let first = redeemed(&stage, &app, &answer["code"]).await;
        assert_eq!(first.text("scope"), format!("launch/patient offline_access {LAB} {SOCIAL}"));
        let mut token = first.refresh();
        for (asked, expected) in [
            (SOCIAL, Some(SOCIAL)),
            (&*final_lab, Some(&*final_lab)),
            ("patient/Observation.rs", None),
            ("patient/Observation.rs?status=final", None),
        ] {
            let fields = [
                ("grant_type", "refresh_token"),
                ("refresh_token", &*token),
                ("client_id", app.as_str()),
                ("scope", asked),
            ];
            let answer = stage.token(&fields).await;
            match expected {
                Some(expected) => {
                    assert_eq!(answer.json()["scope"], expected, "{asked}: {}", answer.body);
                    token = Tokens(answer.json()).refresh();
                }
                None => super::actors::refused(&answer, 400, "invalid_scope"),
            }
        }
        stage.end().await;
    });
}

#[test]
fn the_role_launch_is_the_one_that_is_meant_where_none_is_named() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        for (approved, asked) in [
            ("launch/patient openid", "launch/patient?role=launch openid"),
            ("launch/patient?role=launch openid", "launch/patient openid"),
        ] {
            let app = app_with(&stage, approved).await;
            let mut browser = stage.app_browser();
            let answer = stage.launch(&mut browser, &of(&stage, &app, asked)).await;
            let tokens = redeemed(&stage, &app, &answer["code"]).await;
            assert_eq!((tokens.text("scope"), tokens.text("patient")), (asked.into(), "anna".into()), "{approved}");
        }
        // a role of its own is another wish, which nobody approved
        let app = app_with(&stage, "launch/patient openid").await;
        let scope = "launch/patient?role=https://acme.example/roles/twin openid";
        assert_eq!(granted(&stage, &app, scope).await, "openid");
        stage.end().await;
    });
}
