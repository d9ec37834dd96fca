//! Settings and registration tokens, through the pages.

use axum::http::Method;
use countersign::domain::accounts::Account;
use countersign::domain::organizations::RegistrationPolicy;
use countersign::governance::accounts::make_api_token;
use countersign::storage;
use serde_json::{Value, json};

use crate::support::{Site, on_both};

#[test]
fn an_admin_decides_everything_the_organization_decides_for_itself_and_it_is_recorded() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut admin = site.signed_in(&site.world.admin.account).await;
        let form = admin.open("/console/st-mary/settings").await.form("/settings");
        assert_eq!(form.value("registration"), "token", "invited apps only, unless somebody decides otherwise");
        assert_eq!(form.value("clinician_consent"), "ask");
        assert_eq!(form.value("backend_services"), "keys", "SMART Backend Services, unless somebody decides otherwise");
        assert_eq!(form.value("request_days"), "90");
        let good = form
            .with("website", "https://st-mary.example")
            .with("contact", "help@st-mary.example")
            .with("duration", "365")
            .with("request_days", "30")
            .with("clinician_consent", "standing")
            .with("backend_services", "secrets")
            .with("registration", "open")
            .with("frame_ancestors", "https://ehr.example");
        for (field, value, says) in [
            ("website", "st-mary", "This is not a web address."),
            ("contact", "nobody", "This does not look like an e-mail address."),
            ("request_days", "soon", "Type a whole number."),
            ("request_days", "0", "This is outside what is possible."),
            ("request_days", "99999", "This is outside what is possible."),
            ("frame_ancestors", "https://ehr.example/path", "Name each address"),
        ] {
            let wrong = admin.submit(&good.clone().with(field, value)).await;
            assert_eq!(wrong.status, 422, "{field} {value}");
            wrong.says(says);
            assert_eq!(wrong.form("/settings").value("registration"), "open", "what was chosen is not lost");
            assert_eq!(wrong.form("/settings").value("backend_services"), "secrets", "what was chosen is not lost");
        }
        for (field, value) in [
            ("registration", "everybody"),
            ("clinician_consent", "never"),
            ("backend_services", "passwords"),
            ("duration", "long"),
        ] {
            assert_eq!(admin.submit(&good.clone().with(field, value)).await.status, 400, "{field}");
        }
        assert_eq!(site.world.recorded("organization.settings_changed").await, 0);
        admin.submit_and_follow(&good.clone()).await.says("Saved.");
        let mut conn = site.world.app.store.read().await.unwrap();
        let saved =
            storage::organizations::lookup(&mut conn, &site.world.admin.organization.id).await.unwrap().unwrap();
        drop(conn);
        assert_eq!(saved.settings.registration, RegistrationPolicy::Open);
        assert!(saved.settings.standing_consent_for_clinicians);
        assert!(saved.settings.backend_services_may_use_secrets);
        assert_eq!((saved.settings.request_expires_days, saved.settings.approval_expires_days), (30, Some(365)));
        assert_eq!(saved.settings.website, "https://st-mary.example");
        assert_eq!(saved.settings.contact_email, "help@st-mary.example");
        assert_eq!(saved.settings.frame_ancestors, ["https://ehr.example"]);
        assert_eq!(site.world.recorded("organization.settings_changed").await, 1);
        // a form that does not say something leaves it as it is
        let less = good
            .without("registration")
            .without("clinician_consent")
            .without("backend_services")
            .without("website")
            .without("request_days");
        admin.submit_and_follow(&less).await.says("Saved.");
        let mut conn = site.world.app.store.read().await.unwrap();
        let again =
            storage::organizations::lookup(&mut conn, &site.world.admin.organization.id).await.unwrap().unwrap();
        drop(conn);
        assert_eq!(again.settings, saved.settings);
        // whoever may not change it cannot
        let mut viewer = site.signed_in(&site.world.viewer.account).await;
        let page = viewer.open("/console/st-mary/settings").await;
        page.says("Only administrators");
        assert_eq!(viewer.submit(&page.form("/settings")).await.status, 403);
        site.remove().await;
    });
}

#[test]
fn a_registration_token_is_shown_once_listed_and_revoked() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut admin = site.signed_in(&site.world.admin.account).await;
        admin.open("/console/st-mary/settings").await.says("/console/st-mary/registration");
        let page = admin.open("/console/st-mary/registration").await;
        page.says("No token was made yet.");
        page.says("https://countersign.example/o/st-mary/register");
        let form = page.form("/registration/tokens");
        let empty = admin.submit(&form.clone().with("note", " ")).await;
        assert_eq!(empty.status, 422);
        let made = admin.submit(&form.clone().with("note", "Pilot <b>with</b> Acme")).await;
        assert_eq!(made.status, 200, "{}", made.body);
        let token = made.body.split("csk_").nth(1).and_then(|rest| rest.split('<').next()).unwrap();
        assert!(token.len() > 60, "{token}");
        made.says("Pilot &lt;b&gt;with");
        let list = admin.open("/console/st-mary/registration").await;
        assert!(!list.body.contains("csk_"), "shown once");
        list.says("Can be used until");
        // a stranger's or a made-up id is not there to revoke; a viewer may not
        let revoke = list.form("/tokens/revoke");
        for id in ["999999", "x", "-1", ""] {
            assert_eq!(admin.submit(&revoke.clone().with("token", id)).await.status, 404, "{id}");
        }
        let mut stranger = site.signed_in(&site.world.stranger.account).await;
        let theirs = stranger.open("/console/st-luke/registration").await.form("/registration/tokens");
        let csrf = theirs.value("csrf").to_owned();
        let fields = [("csrf", csrf.as_str()), ("token", revoke.value("token"))];
        assert_eq!(stranger.post("/console/st-luke/registration/tokens/revoke", &fields).await.status, 404);
        assert_eq!(stranger.post("/console/st-mary/registration/tokens/revoke", &fields).await.status, 404);
        let mut viewer = site.signed_in(&site.world.viewer.account).await;
        let seen = viewer.open("/console/st-mary/registration").await;
        assert!(seen.forms("/registration/tokens").is_empty() && seen.forms("/tokens/revoke").is_empty());
        let gone = admin.submit_and_follow(&revoke).await;
        gone.says("The token is revoked.");
        gone.says("Revoked");
        assert_eq!(admin.submit(&revoke).await.status, 404, "once");
        assert_eq!(site.world.recorded("initial_access_token.made").await, 1);
        assert_eq!(site.world.recorded("initial_access_token.revoked").await, 1);
        site.remove().await;
    });
}

#[test]
fn programs_of_admins_decide_settings_and_make_registration_tokens_too() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let call = async |account: &Account, method: Method, path: &str, body: Value| {
            let token = make_api_token(&site.world.app, account, "test", Some(30)).await.unwrap();
            let authorization = format!("Bearer {}", token.reveal());
            let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
            let path = format!("/api/v1/organizations/st-mary{path}");
            site.browser().send(method, &path, &headers, body.to_string()).await
        };
        let (admin, viewer, stranger) =
            (&site.world.admin.account, &site.world.viewer.account, &site.world.stranger.account);
        let read = call(viewer, Method::GET, "/settings", Value::Null).await;
        assert_eq!(read.status, 200, "{}", read.body);
        let mut settings = read.json();
        assert_eq!(settings["settings"]["registration"], "token");
        assert_eq!(settings["settings"]["backend_services_may_use_secrets"], false);
        settings["settings"]["registration"] = json!("open");
        settings["settings"]["backend_services_may_use_secrets"] = json!(true);
        settings["settings"]["request_expires_days"] = json!(30);
        assert_eq!(call(viewer, Method::PUT, "/settings", settings.clone()).await.status, 403);
        assert_eq!(call(stranger, Method::PUT, "/settings", settings.clone()).await.status, 404);
        let saved = call(admin, Method::PUT, "/settings", settings.clone()).await;
        assert_eq!((saved.status.as_u16(), saved.json()), (200, settings.clone()));
        settings["settings"]["request_expires_days"] = json!(0);
        assert_eq!(call(admin, Method::PUT, "/settings", settings.clone()).await.status, 400);
        settings["settings"]["everything"] = json!(true);
        assert_eq!(call(admin, Method::PUT, "/settings", settings).await.status, 400);
        assert_eq!(site.world.recorded("organization.settings_changed").await, 1);

        let tokens = "/initial-access-tokens";
        assert_eq!(call(viewer, Method::POST, tokens, json!({ "note": "x" })).await.status, 403);
        assert_eq!(call(admin, Method::POST, tokens, json!({ "note": "" })).await.status, 400);
        let made = call(admin, Method::POST, tokens, json!({ "note": "Pilot" })).await;
        assert_eq!(made.status, 201, "{}", made.body);
        assert!(made.json()["initial_access_token"].as_str().unwrap().starts_with("csk_"));
        assert_eq!(made.header("cache-control"), "no-store");
        let listed = call(viewer, Method::GET, tokens, Value::Null).await.json();
        assert_eq!((&listed[0]["note"], &listed[0]["state"]), (&json!("Pilot"), &json!("usable")));
        let one = format!("{tokens}/{}", listed[0]["id"].as_str().unwrap());
        assert_eq!(call(viewer, Method::DELETE, &one, Value::Null).await.status, 403);
        assert_eq!(call(admin, Method::DELETE, &format!("{tokens}/x"), Value::Null).await.status, 404);
        assert_eq!(call(admin, Method::DELETE, &one, Value::Null).await.status, 204);
        assert_eq!(call(admin, Method::DELETE, &one, Value::Null).await.status, 404);
        site.remove().await;
    });
}
