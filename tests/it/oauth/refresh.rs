//! Refreshing (ATTACKS group R).

use std::sync::Arc;

use countersign::storage;

use super::actors::{PATIENT_SCOPES, Stage, Tokens, basic, refused};
use crate::support::on_both;

#[test]
fn a_public_client_may_refresh_without_saying_who_it_is() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let answer = stage.token(&[("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh())]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["scope"], PATIENT_SCOPES);
        assert_ne!(answer.json()["refresh_token"].as_str(), Some(tokens.refresh().as_str()), "rotated");
        stage.end().await;
    });
}

#[test]
fn a_confidential_client_must_prove_itself_and_keeps_its_refresh_token() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (client, secret) = stage.confidential().await;
        let mut request = stage.request();
        request[1].1 = client.as_str().to_owned();
        let code = stage.code_for(&request).await;
        let credentials = basic(client.as_str(), &secret);
        let mut fields = stage.redemption(&code);
        fields.retain(|(name, _)| *name != "client_id");
        let tokens = Tokens(stage.post("token", &[("authorization", &credentials)], &fields).await.json());
        let refresh = tokens.refresh();
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        refused(&stage.token(&fields).await, 401, "invalid_client");
        refused(&stage.token(&[fields[0], fields[1], ("client_id", client.as_str())]).await, 401, "invalid_client");
        for _ in 0..3 {
            let answer = stage.post("token", &[("authorization", &credentials)], &fields).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert_eq!(answer.json()["refresh_token"], refresh.as_str(), "the same one, said again");
        }
        stage.end().await;
    });
}

#[test]
fn a_lost_answer_is_given_again_for_a_minute_while_nothing_of_it_was_used() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let lost = Tokens(stage.refresh(&tokens.refresh()).await.json());
        stage.world().clock.advance_seconds(59);
        let again = stage.refresh(&tokens.refresh()).await;
        assert_eq!(again.status, 200, "{}", again.body);
        let again = Tokens(again.json());
        // one live leaf: the lost pair is gone
        assert!(!stage.is_active(&lost.access()).await);
        refused(&stage.refresh(&lost.refresh()).await, 400, "invalid_grant");
        assert!(stage.is_active(&again.access()).await);
        // now the successor's access token was used: the same again is reuse
        refused(&stage.refresh(&tokens.refresh()).await, 400, "invalid_grant");
        assert!(!stage.is_active(&again.access()).await);
        refused(&stage.refresh(&again.refresh()).await, 400, "invalid_grant");
        assert_eq!(stage.world().recorded("refresh_token.reused").await, 1);
        stage.end().await;
    });
}

#[test]
fn a_spent_refresh_token_ends_the_family_late_or_after_its_successor_was_used() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        // late
        let tokens = stage.tokens().await;
        let next = Tokens(stage.refresh(&tokens.refresh()).await.json());
        stage.world().clock.advance_seconds(61);
        refused(&stage.refresh(&tokens.refresh()).await, 400, "invalid_grant");
        refused(&stage.refresh(&next.refresh()).await, 400, "invalid_grant");
        // the grandparent, inside the window
        let first = stage.tokens().await;
        let second = Tokens(stage.refresh(&first.refresh()).await.json());
        let third = Tokens(stage.refresh(&second.refresh()).await.json());
        refused(&stage.refresh(&first.refresh()).await, 400, "invalid_grant");
        refused(&stage.refresh(&third.refresh()).await, 400, "invalid_grant");
        assert!(!stage.is_active(&third.access()).await);
        stage.end().await;
    });
}

#[test]
fn fifty_refreshes_at_once_leave_at_most_one_live_leaf() {
    on_both(|dialect| async move {
        let stage = Arc::new(Stage::new(dialect).await);
        let tokens = stage.tokens().await;
        let all = (0..50).map(|_| {
            let (stage, token) = (stage.clone(), tokens.refresh());
            tokio::spawn(async move { stage.refresh(&token).await })
        });
        let mut pairs = Vec::new();
        for answer in futures_util::future::join_all(all).await.into_iter().map(Result::unwrap) {
            match answer.status.as_u16() {
                200 => pairs.push(Tokens(answer.json())),
                _ => refused(&answer, 400, "invalid_grant"),
            }
        }
        assert!(!pairs.is_empty());
        let mut live = 0;
        for pair in &pairs {
            live += usize::from(stage.is_active(&pair.access()).await);
        }
        assert!(live <= 1, "{live} live access tokens");
        let mut leaves = 0;
        for pair in &pairs {
            leaves += usize::from(stage.refresh(&pair.refresh()).await.status == 200);
        }
        assert!(leaves <= 1, "{leaves} live refresh tokens");
        Arc::into_inner(stage).unwrap().end().await;
    });
}

#[test]
fn a_thousand_retries_leave_one_pair_of_rows_and_are_slowed_down() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let next = Tokens(stage.refresh(&tokens.refresh()).await.json());
        let mut last = next.clone();
        let most = stage.world().app.config.limits.refresh_retries_per_minute;
        for retry in 1..=1000 {
            let answer = stage.refresh(&tokens.refresh()).await;
            if retry <= most {
                assert_eq!(answer.status, 200, "retry {retry}: {}", answer.body);
                last = Tokens(answer.json());
            } else {
                refused(&answer, 429, "temporarily_unavailable");
                assert_eq!(answer.header("retry-after"), "60");
            }
        }
        let world = stage.world();
        let live = {
            let mut conn = world.app.store.read().await.unwrap();
            storage::token_counters::live(&mut conn, &world.reviewer.organization.id, &stage.app, 1, world.app.now())
                .await
                .unwrap()
        };
        assert_eq!(live, (2, 1), "that of the code, and one pair");
        assert!(stage.is_active(&last.access()).await, "the last that got through is good");
        assert_eq!(stage.refresh(&last.refresh()).await.status, 200);
        stage.end().await;
    });
}

#[test]
fn a_replaced_token_is_refused_and_ends_the_family_once_two_must_have_it() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        // at once, while the pair that replaced it lies unused: two tabs, or a late answer
        let first = stage.tokens().await;
        let lost = Tokens(stage.refresh(&first.refresh()).await.json());
        let kept = Tokens(stage.refresh(&first.refresh()).await.json());
        refused(&stage.refresh(&lost.refresh()).await, 400, "invalid_grant");
        assert_eq!(stage.world().recorded("refresh_token.replaced_presented").await, 1);
        let next = stage.refresh(&kept.refresh()).await;
        assert_eq!(next.status, 200, "{}", next.body);
        // after the other pair was used: somebody has it who should not
        let next = Tokens(next.json());
        refused(&stage.refresh(&lost.refresh()).await, 400, "invalid_grant");
        assert!(!stage.is_active(&next.access()).await);
        refused(&stage.refresh(&next.refresh()).await, 400, "invalid_grant");
        // the same when its access token was, or a minute later
        for late in [false, true] {
            let first = stage.tokens().await;
            let lost = Tokens(stage.refresh(&first.refresh()).await.json());
            let kept = Tokens(stage.refresh(&first.refresh()).await.json());
            if late {
                stage.world().clock.advance_seconds(61);
            } else {
                assert!(stage.is_active(&kept.access()).await);
            }
            refused(&stage.refresh(&lost.refresh()).await, 400, "invalid_grant");
            refused(&stage.refresh(&kept.refresh()).await, 400, "invalid_grant");
            assert!(!stage.is_active(&kept.access()).await, "late: {late}");
        }
        assert_eq!(stage.world().recorded("refresh_token.reused").await, 3);
        stage.end().await;
    });
}

#[test]
fn narrowing_concerns_one_access_token_and_widening_is_refused() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut tokens = stage.tokens().await;
        let with = |token: String, scope: &'static str| {
            let stage = &stage;
            async move {
                stage
                    .token(&[
                        ("grant_type", "refresh_token"),
                        ("refresh_token", &token),
                        ("client_id", stage.app.as_str()),
                        ("scope", scope),
                    ])
                    .await
            }
        };
        for wider in [
            "openid patient/Observation.cruds",
            "patient/*.rs",
            "patient/Observation.*",
            "user/Observation.rs",
            "nonsense",
            "launch/patient system/*.rs",
        ] {
            refused(&with(tokens.refresh(), wider).await, 400, "invalid_scope");
        }
        for narrower in [
            "patient/Observation.rs",
            "patient/Observation.r",
            "patient/Observation.read",
            "patient/Observation.rs?category=laboratory",
            "openid",
        ] {
            let answer = with(tokens.refresh(), narrower).await;
            assert_eq!(answer.status, 200, "{narrower}: {}", answer.body);
            tokens = Tokens(answer.json());
            assert_eq!(tokens.text("scope"), narrower);
            assert_eq!(stage.introspect(&tokens.access()).await.json()["scope"], narrower);
        }
        let full = Tokens(stage.refresh(&tokens.refresh()).await.json());
        assert_eq!(full.text("scope"), PATIENT_SCOPES);
        stage.end().await;
    });
}

#[test]
fn nothing_is_refreshed_for_strangers_after_a_disable_or_elsewhere() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let (other, secret) = stage.confidential().await;
        let refresh = tokens.refresh();
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        refused(
            &stage.post("token", &[("authorization", &basic(other.as_str(), &secret))], &fields).await,
            400,
            "invalid_grant",
        );
        // at another hospital's issuer
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let elsewhere = "https://countersign.example/o/st-luke/token";
        let answer = stage
            .app_browser()
            .send(axum::http::Method::POST, elsewhere, &[("content-type", "application/x-www-form-urlencoded")], body)
            .await;
        refused(&answer, 400, "invalid_grant");
        assert_eq!(stage.token(&fields).await.status, 200, "the token is its owner's still");
        // disabled, enabled
        let tokens = stage.tokens().await;
        stage.disable(&stage.app).await;
        refused(&stage.refresh(&tokens.refresh()).await, 401, "invalid_client");
        refused(
            &stage.token(&[("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh())]).await,
            401,
            "invalid_client",
        );
        stage.enable(&stage.app).await;
        refused(&stage.refresh(&tokens.refresh()).await, 400, "invalid_grant");
        assert!(!stage.is_active(&tokens.access()).await, "enabling revives nothing");
        stage.end().await;
    });
}

#[test]
fn the_window_slides_with_each_use_and_closes_without() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut tokens = stage.tokens().await;
        for _ in 0..4 {
            stage.world().clock.advance_seconds(91 * 86_400);
            let answer = stage.refresh(&tokens.refresh()).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            tokens = Tokens(answer.json());
        }
        stage.world().clock.advance_seconds(100 * 86_400);
        refused(&stage.refresh(&tokens.refresh()).await, 400, "invalid_grant");
        stage.end().await;
    });
}

#[test]
fn online_access_ends_with_the_session() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut request = stage.request();
        request[3].1 = "launch/patient openid online_access patient/Patient.r".into();
        let mut browser = stage.app_browser();
        let code = stage.launch(&mut browser, &request).await["code"].clone();
        let tokens = Tokens(stage.token(&stage.redemption(&code)).await.json());
        assert!(stage.is_active(&tokens.access()).await);
        let next = stage.refresh(&tokens.refresh()).await;
        assert_eq!(next.status, 200, "{}", next.body);
        let next = Tokens(next.json());
        let page = browser.open("/account").await;
        let out = browser.submit(&page.form("/sign-out")).await;
        assert_eq!(out.status, 303);
        assert!(!stage.is_active(&next.access()).await);
        refused(&stage.refresh(&next.refresh()).await, 400, "invalid_grant");
        stage.end().await;
    });
}

#[test]
fn live_tokens_are_counted_right_through_the_life_of_a_family() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let live = async || {
            let world = stage.world();
            let organization = &world.reviewer.organization.id;
            let mut conn = world.app.store.read().await.unwrap();
            let epoch = storage::approvals::find(&mut conn, organization, &stage.app).await.unwrap().unwrap().epoch;
            storage::token_counters::live(&mut conn, organization, &stage.app, epoch, world.app.now()).await.unwrap()
        };
        assert_eq!(live().await, (0, 0));
        let first = stage.tokens().await;
        assert_eq!(live().await, (1, 1));
        let second = Tokens(stage.refresh(&first.refresh()).await.json());
        assert_eq!(live().await, (2, 1), "one family has one live refresh token");
        let client = stage.app.as_str().to_owned();
        let revoked = stage.post("revoke", &[], &[("token", &first.access()), ("client_id", &client)]).await;
        assert_eq!(revoked.status, 200);
        assert_eq!(live().await, (1, 1));
        // long after the access tokens have ended, the refresh token still counts until its family is revoked
        stage.world().clock.advance_seconds(7200);
        assert_eq!(live().await, (0, 1));
        let revoked = stage.post("revoke", &[], &[("token", &second.refresh()), ("client_id", &client)]).await;
        assert_eq!(revoked.status, 200);
        assert_eq!(live().await, (0, 0));
        stage.end().await;
    });
}

const DAY: i64 = 86_400;

#[test]
fn an_app_stays_connected_for_three_months_from_each_use_and_no_longer() {
    on_both(|dialect| async move {
        for confidential in [false, true] {
            let stage = Stage::new(dialect).await;
            let (client, secret) = stage.confidential().await;
            let credentials = basic(client.as_str(), &secret);
            let headers: Vec<(&str, &str)> =
                if confidential { vec![("authorization", credentials.as_str())] } else { Vec::new() };
            let mut request = stage.request();
            if confidential {
                request[1].1 = client.as_str().into();
            }
            let code = stage.code_for(&request).await;
            let mut fields = stage.redemption(&code);
            if confidential {
                fields.retain(|(name, _)| *name != "client_id");
            }
            let mut tokens = Tokens(stage.post("token", &headers, &fields).await.json());
            // ONC-03: the first window is 89 days at least; ONC-04: each use opens a new one, without anybody signing in
            for days in [80, 80, 89, 89, 89, 89, 99, 0] {
                stage.world().clock.advance_seconds(days * DAY);
                let refresh = tokens.refresh();
                let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
                let answer = stage.post("token", &headers, &fields).await;
                assert_eq!(answer.status, 200, "after {days} days: {}", answer.body);
                tokens = Tokens(answer.json());
                assert_eq!(tokens.text("scope"), PATIENT_SCOPES);
                assert!(tokens.0["expires_in"].is_i64());
                assert!(stage.is_active(&tokens.access()).await);
            }
            stage.world().clock.advance_seconds(100 * DAY);
            let refresh = tokens.refresh();
            let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
            refused(&stage.post("token", &headers, &fields).await, 400, "invalid_grant");
            stage.end().await;
        }
    });
}

#[test]
fn a_refused_refresh_uses_nothing_up() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let tokens = stage.tokens().await;
        let (token, app) = (tokens.refresh(), stage.app.as_str().to_owned());
        for (extra, status, error) in [
            (("scope", "system/*.rs"), 400, "invalid_scope"),
            (("scope", "patient/*.cruds"), 400, "invalid_scope"),
            (("scope", "patient/Observation.rs patient/Condition.rs"), 400, "invalid_scope"),
            (("scope", "patient/observation.rs"), 400, "invalid_scope"),
            (("scope", "offline_access user/Patient.rs"), 400, "invalid_scope"),
            (("resource", "https://fhir.elsewhere.example/r4"), 400, "invalid_target"),
            (("refresh_token", "x"), 400, "invalid_request"),
            (("client_id", "app_other"), 400, "invalid_request"),
            (("client_secret", "guessed"), 401, "invalid_client"),
        ] {
            let mut fields =
                vec![("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("client_id", &app)];
            fields.push(extra);
            refused(&stage.token(&fields).await, status, error);
        }
        for (name, value) in [("refresh_token", ""), ("refresh_token", "x"), ("client_id", "app_other")] {
            let mut fields =
                vec![("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("client_id", &app)];
            fields.retain(|(field, _)| *field != name);
            fields.push((name, value));
            assert!(matches!(stage.token(&fields).await.status.as_u16(), 400 | 401), "{name}={value}");
        }
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token.as_str()),
            ("resource", "https://fhir.st-mary.example/r4/"),
        ];
        let next = stage.token(&fields).await;
        assert_eq!(next.status, 200, "{}", next.body);
        stage.end().await;
    });
}

/// R09 and R12: everything that was true when the person granted is asked again.
#[test]
fn what_was_true_when_it_was_granted_must_be_true_when_it_is_refreshed() {
    use countersign::domain::accounts::{Account, FhirUser, UserPatient};
    on_both(|dialect| async move {
        for change in [
            "nothing",
            "person off",
            "not a user here",
            "no longer a proxy",
            "another FHIR user",
            "stopped by the person",
        ] {
            let stage = Stage::new(dialect).await;
            stage.is_patient(&stage.patient, &["anna", "joseph"]).await;
            let mut browser = stage.app_browser();
            let page = browser.open(&Stage::authorize_url(&stage.request())).await;
            let page = stage.through_sign_in(&mut browser, page).await;
            // the child's record
            let page = browser.submit_and_follow(&page.forms("/patient").remove(0).with("patient", "joseph")).await;
            let answer = browser.submit(&page.form("/consent").with("decision", "allow")).await;
            let code = super::actors::answer_of(&answer)["code"].clone();
            let tokens = Tokens(stage.token(&stage.redemption(&code)).await.json());
            assert_eq!(tokens.text("patient"), "joseph");
            let other = |reference: &str, patients: &[&str]| FhirUser {
                reference: reference.into(),
                patients: patients.iter().map(|id| UserPatient { patient: (*id).into(), is_self: false }).collect(),
            };
            match change {
                "person off" => {
                    let off = Account { active: false, ..stage.patient.clone() };
                    stage
                        .world()
                        .write(move |conn| Box::pin(async move { storage::accounts::update(conn, &off).await }))
                        .await;
                }
                "not a user here" => {
                    stage
                        .world()
                        .write(|conn| {
                            Box::pin(async move {
                                sqlx::query("delete from fhir_users").execute(conn).await?;
                                Ok::<(), storage::StorageError>(())
                            })
                        })
                        .await;
                }
                "no longer a proxy" => stage.is_user(&stage.patient, other("Patient/anna", &["anna"])).await,
                "another FHIR user" => stage.is_user(&stage.patient, other("Patient/ben", &["anna", "joseph"])).await,
                "stopped by the person" => {
                    let ask = browser.open(&format!("{}/apps/{}/stop", super::actors::ISSUER, stage.app)).await;
                    assert_eq!(browser.submit(&ask.form("/apps/stop")).await.status, 303);
                }
                _ => {}
            }
            let still = change == "nothing";
            assert_eq!(stage.is_active(&tokens.access()).await, still, "{change}");
            assert_eq!(stage.refreshes(&tokens.refresh()).await, still, "{change}");
            stage.end().await;
        }
    });
}

#[test]
fn scopes_that_the_organization_took_back_are_not_refreshed() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let app = stage.register(|_| {}).await;
        let all = "launch/patient openid offline_access patient/Observation.rs patient/Patient.r";
        stage.approve(&app, all).await;
        let mut browser = stage.app_browser();
        let tokens = stage.tokens_for(&mut browser, &stage.request_of(&app, all)).await;
        let narrow = async |scopes: &str| {
            let scopes = scopes.to_owned();
            let (organization, app) = (stage.world().reviewer.organization.id.clone(), app.clone());
            stage
                .world()
                .write(move |conn| {
                    Box::pin(async move {
                        let before = storage::approvals::find(conn, &organization, &app).await?.unwrap();
                        let after = countersign::domain::approvals::Approval { scopes, ..before.clone() };
                        assert!(storage::approvals::replace(conn, &after, Some(&before)).await?);
                        Ok::<(), storage::StorageError>(())
                    })
                })
                .await;
        };
        let with_scope = async |token: &str, scope: &str| {
            let fields = [
                ("grant_type", "refresh_token"),
                ("refresh_token", token),
                ("client_id", app.as_str()),
                ("scope", scope),
            ];
            stage.token(&fields).await
        };
        narrow("launch/patient openid offline_access patient/Patient.r").await;
        refused(&with_scope(&tokens.refresh(), "patient/Observation.rs").await, 400, "invalid_scope");
        assert_eq!(
            stage.introspect(&tokens.access()).await.json()["scope"],
            "launch/patient openid offline_access patient/Patient.r"
        );
        let next = stage.token(&[("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh())]).await;
        assert_eq!(next.json()["scope"], "launch/patient openid offline_access patient/Patient.r", "{}", next.body);
        let next = Tokens(next.json());
        // what is approved again is granted again: the grant itself did not shrink
        narrow(all).await;
        let next = stage.token(&[("grant_type", "refresh_token"), ("refresh_token", &next.refresh())]).await;
        assert_eq!(next.json()["scope"], all);
        let next = Tokens(next.json());
        // refreshing is the organization's to approve
        narrow("launch/patient openid patient/Observation.rs patient/Patient.r").await;
        let refresh = next.refresh();
        refused(
            &stage.token(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await,
            400,
            "invalid_grant",
        );
        refused(&with_scope(&refresh, "patient/Patient.r").await, 400, "invalid_grant");
        assert!(stage.is_active(&next.access()).await, "the access token goes on without it");
        stage.end().await;
    });
}

#[test]
fn standing_consent_holds_for_clinicians_while_it_is_the_organizations_rule() {
    use countersign::domain::accounts::FhirUser;
    on_both(|dialect| async move {
        for change in ["rule", "role"] {
            let stage = Stage::new(dialect).await;
            let organization = stage.world().reviewer.organization.clone();
            let rule = async |on: bool| {
                let mut organization = organization.clone();
                organization.settings.standing_consent_for_clinicians = on;
                stage
                    .world()
                    .write(move |conn| {
                        Box::pin(async move { storage::organizations::update(conn, &organization).await })
                    })
                    .await;
            };
            rule(true).await;
            let clinician = FhirUser { reference: "Practitioner/7".into(), patients: Vec::new() };
            stage.is_user(&stage.patient, clinician).await;
            let mut browser = stage.app_browser();
            let tokens = stage
                .tokens_for(&mut browser, &stage.request_of(&stage.app, "openid offline_access user/Patient.rs"))
                .await;
            assert!(stage.is_active(&tokens.access()).await);
            if change == "rule" {
                rule(false).await;
            } else {
                stage.is_patient(&stage.patient, &["anna"]).await;
            }
            assert!(!stage.is_active(&tokens.access()).await, "{change}");
            assert!(!stage.refreshes(&tokens.refresh()).await, "{change}");
            stage.end().await;
        }
    });
}

/// R11 and R16: what is spent is written down, and the sweep takes nothing that may still be needed.
#[test]
fn a_spent_token_is_known_after_a_restart_and_the_sweep_leaves_no_half_family() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let first = stage.tokens().await;
        let second = Tokens(stage.refresh(&first.refresh()).await.json());
        stage.world().clock.advance_seconds(3600);
        // another node, which has never seen any of this
        let app = super::keys::node(&stage.world().app);
        let pages = Arc::new(countersign::http::pages::Pages::load().unwrap());
        let router = countersign::http::router(countersign::http::AppState { app, pages });
        let mut other = crate::support::browser::Browser::new(router, "https://countersign.example");
        let fields =
            [("grant_type", "refresh_token"), ("refresh_token", &first.refresh()), ("client_id", stage.app.as_str())];
        refused(&other.post(&format!("{}/token", super::actors::ISSUER), &fields).await, 400, "invalid_grant");
        refused(&stage.refresh(&second.refresh()).await, 400, "invalid_grant");
        // a family at the very end of its window, refreshed while the sweep runs
        for late in [-1, 0, 1] {
            let tokens = stage.tokens().await;
            stage.world().clock.advance_seconds(100 * DAY + late);
            let app = &stage.world().app;
            let (answer, swept) = tokio::join!(
                async { stage.refresh(&tokens.refresh()).await },
                countersign::jobs::sweep::run(app, app.now())
            );
            swept.unwrap();
            if late < 0 {
                assert_eq!(answer.status, 200, "{}", answer.body);
                assert!(stage.is_active(&Tokens(answer.json()).access()).await);
            } else {
                refused(&answer, 400, "invalid_grant");
            }
        }
        // long after its end it is a stranger, and still no fault of ours
        let tokens = stage.tokens().await;
        stage.world().clock.advance_seconds(200 * DAY);
        let app = &stage.world().app;
        countersign::jobs::sweep::run(app, app.now()).await.unwrap();
        refused(&stage.refresh(&tokens.refresh()).await, 400, "invalid_grant");
        assert!(!stage.is_active(&tokens.access()).await);
        stage.end().await;
    });
}
