//! Dynamic registration (ATTACKS group D).

use axum::http::Method;
use countersign::domain::organizations::{Organization, OrganizationSettings, RegistrationPolicy};
use countersign::governance::dynamic_registration::make_initial_access_token;
use countersign::storage;
use serde_json::{Value, json};

use super::actors::{CALLBACK, ISSUER, Stage, refused};
use crate::support::browser::Answer;
use crate::support::on_both;

async fn open(stage: &Stage) {
    set(stage, RegistrationPolicy::Open).await;
}

async fn set(stage: &Stage, registration: RegistrationPolicy) {
    let before = stage.world().reviewer.organization.clone();
    let after = Organization { settings: OrganizationSettings { registration, ..before.settings.clone() }, ..before };
    stage.world().write(move |conn| Box::pin(async move { storage::organizations::update(conn, &after).await })).await;
}

async fn send(stage: &Stage, method: Method, path: &str, bearer: Option<&str>, body: &str) -> Answer {
    let authorization = bearer.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(authorization.as_deref().map(|value| ("authorization", value)));
    stage.app_browser().send(method, &format!("{ISSUER}/register{path}"), &headers, body.to_owned()).await
}

fn good() -> Value {
    json!({
        "client_name": "Self Made", "contacts": ["help@self.example"], "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"], "scope": "launch/patient openid patient/Patient.r",
    })
}

fn with(name: &str, value: Value) -> String {
    let mut body = good();
    body[name] = value;
    body.to_string()
}

#[test]
fn a_client_registers_itself_waits_and_works_once_it_is_approved() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        open(&stage).await;
        let answer = send(&stage, Method::POST, "", None, &good().to_string()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        assert_eq!(answer.header("cache-control"), "no-store");
        let made = answer.json();
        let id = made["client_id"].as_str().unwrap().to_owned();
        assert_eq!(made["scope"], good()["scope"]);
        assert!(made.get("client_secret").is_none());
        let mut request = stage.request();
        request[1].1 = id.clone();
        request[3].1 = "launch/patient openid patient/Patient.r".into();
        let stopped = stage.app_browser().get(&Stage::authorize_url(&request)).await;
        assert_eq!(stopped.status, 400);
        assert!(stopped.location().is_empty());
        // it stands in the reviewers' queue, and they let it in
        let world = stage.world();
        let waiting = {
            let mut conn = world.app.store.read().await.unwrap();
            let id = countersign::domain::ids::ClientId::from_text(id.as_str());
            storage::access_requests::find_waiting(&mut conn, &world.reviewer.organization.id, &id)
                .await
                .unwrap()
                .unwrap()
        };
        world.approve(&waiting.id).await.unwrap();
        let code = stage.code_for(&request).await;
        assert!(code.starts_with("csc_"));
        // one with a secret gets it once
        let secret =
            send(&stage, Method::POST, "", None, &with("token_endpoint_auth_method", json!("client_secret_basic")))
                .await
                .json();
        assert_eq!(secret["client_secret"].as_str().unwrap().len(), 40);
        assert_eq!(secret["client_secret_expires_at"], 0);
        stage.end().await;
    });
}

#[test]
fn who_may_register_is_for_the_organization_to_say() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let body = good().to_string();
        refused(&send(&stage, Method::POST, "", None, &body).await, 401, "invalid_token");
        refused(&send(&stage, Method::POST, "", Some("csk_nonsense"), &body).await, 401, "invalid_token");
        let token = make_initial_access_token(&stage.world().app, &stage.world().admin, "for Acme").await.unwrap();
        assert!(
            make_initial_access_token(&stage.world().app, &stage.world().reviewer, "x").await.is_err(),
            "admins only"
        );
        assert_eq!(send(&stage, Method::POST, "", Some(token.reveal()), &body).await.status, 201);
        refused(&send(&stage, Method::POST, "", Some(token.reveal()), &body).await, 401, "invalid_token");
        set(&stage, RegistrationPolicy::Closed).await;
        let another = make_initial_access_token(&stage.world().app, &stage.world().admin, "x").await.unwrap();
        refused(&send(&stage, Method::POST, "", Some(another.reveal()), &body).await, 401, "invalid_token");
        let smart = stage.app_browser().get(&format!("{ISSUER}/fhir/r4/.well-known/smart-configuration")).await.json();
        assert!(smart.get("registration_endpoint").is_none());
        stage.end().await;
    });
}

#[test]
fn what_cannot_be_registered_is_refused_and_what_a_client_wishes_for_itself_is_ignored() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        open(&stage).await;
        for (what, body, error) in [
            ("internal keys", with("jwks_uri", json!("https://127.0.0.1/jwks")), "invalid_client_metadata"),
            ("http keys", with("jwks_uri", json!("http://app.example/jwks")), "invalid_client_metadata"),
            ("userinfo", with("policy_uri", json!("https://a:b@app.example/")), "invalid_client_metadata"),
            ("internal logo", with("logo_uri", json!("https://169.254.169.254/")), "invalid_client_metadata"),
            ("software statement", with("software_statement", json!("eyJ.x.")), "invalid_software_statement"),
            ("wildcard redirect", with("redirect_uris", json!(["https://*.app.example/cb"])), "invalid_redirect_uri"),
            ("http redirect", with("redirect_uris", json!(["http://app.example/cb"])), "invalid_redirect_uri"),
            ("fragment", with("redirect_uris", json!(["https://app.example/cb#x"])), "invalid_redirect_uri"),
            ("no redirect", with("redirect_uris", json!([])), "invalid_redirect_uri"),
            ("too many", with("redirect_uris", json!(vec![CALLBACK; 100])), "invalid_client_metadata"),
            ("implicit", with("grant_types", json!(["implicit"])), "invalid_client_metadata"),
            ("token", with("response_types", json!(["token"])), "invalid_client_metadata"),
            ("method", with("token_endpoint_auth_method", json!("client_secret_jwt")), "invalid_client_metadata"),
            (
                "private key",
                {
                    let mut body = good();
                    body["token_endpoint_auth_method"] = json!("private_key_jwt");
                    body["jwks"] =
                        json!({ "keys": [{ "kty": "EC", "kid": "a", "crv": "P-384", "x": "x", "y": "y", "d": "d" }] });
                    body.to_string()
                },
                "invalid_client_metadata",
            ),
            ("nobody to write to", with("contacts", json!([])), "invalid_client_metadata"),
            ("long name", with("client_name", json!("x".repeat(5000))), "invalid_client_metadata"),
            ("right to left", with("client_name", json!("abc\u{202e}cba")), "invalid_client_metadata"),
            ("null", "null".into(), "invalid_client_metadata"),
            ("list", "[]".into(), "invalid_client_metadata"),
            ("empty", String::new(), "invalid_client_metadata"),
            (
                "twice",
                r#"{"client_name":"a","client_name":"b","redirect_uris":["https://app.example/cb"]}"#.into(),
                "invalid_client_metadata",
            ),
            ("deep", format!(r#"{{"jwks":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000)), "invalid_client_metadata"),
            ("bad scope", with("scope", json!("patient/Patient.zz")), "invalid_client_metadata"),
        ] {
            let answer = send(&stage, Method::POST, "", None, &body).await;
            assert_eq!(answer.status, 400, "{what}: {}", answer.body);
            assert_eq!(answer.json()["error"], error, "{what}: {}", answer.body);
        }
        let huge = with("client_name", json!("x".repeat(300_000)));
        assert_eq!(send(&stage, Method::POST, "", None, &huge).await.status, 413);
        let mut wishes = good();
        for (name, value) in [
            ("client_id", json!("app_mine")),
            ("status", json!("approved")),
            ("approved_scopes", json!("system/*.cruds")),
            ("trusted", json!(true)),
            ("organization", json!("st-luke")),
            ("owner", json!("acc_1")),
        ] {
            wishes[name] = value;
        }
        let made = send(&stage, Method::POST, "", None, &wishes.to_string()).await.json();
        assert_ne!(made["client_id"], "app_mine");
        let mut request = stage.request();
        request[1].1 = made["client_id"].as_str().unwrap().into();
        assert_eq!(stage.app_browser().get(&Stage::authorize_url(&request)).await.status, 400, "still waiting");
        stage.end().await;
    });
}

#[test]
fn a_registration_token_manages_its_client_but_never_its_approval() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        open(&stage).await;
        let world = stage.world();
        let made = send(&stage, Method::POST, "", None, &good().to_string()).await.json();
        let (id, token) = (made["client_id"].as_str().unwrap(), made["registration_access_token"].as_str().unwrap());
        let path = format!("/{id}");
        let other = send(&stage, Method::POST, "", None, &good().to_string()).await.json();
        // only its own
        refused(&send(&stage, Method::GET, &path, None, "").await, 401, "invalid_token");
        refused(
            &send(&stage, Method::GET, &path, other["registration_access_token"].as_str(), "").await,
            401,
            "invalid_token",
        );
        refused(
            &send(&stage, Method::DELETE, &path, other["registration_access_token"].as_str(), "").await,
            401,
            "invalid_token",
        );
        let got = send(&stage, Method::GET, &path, Some(token), "").await;
        assert_eq!(got.status, 200, "{}", got.body);
        // what was read can be written back, and nothing is lost
        let back = send(&stage, Method::PUT, &path, Some(token), &got.body).await;
        assert_eq!(back.status, 200, "{}", back.body);
        assert_eq!(back.json(), got.json());
        // approved: a change is pending, the live revision unchanged
        let client = countersign::domain::ids::ClientId::from_text(id);
        let waiting = {
            let mut conn = world.app.store.read().await.unwrap();
            storage::access_requests::find_waiting(&mut conn, &world.reviewer.organization.id, &client)
                .await
                .unwrap()
                .unwrap()
        };
        world.approve(&waiting.id).await.unwrap();
        let mut moved = got.json();
        moved["redirect_uris"] = json!(["https://elsewhere.example/cb"]);
        moved["scope"] = json!("launch/patient openid patient/*.cruds");
        let changed = send(&stage, Method::PUT, &path, Some(token), &moved.to_string()).await;
        assert_eq!(changed.status, 200, "{}", changed.body);
        let mut request = stage.request();
        request[1].1 = id.into();
        request[2].1 = "https://elsewhere.example/cb".into();
        let answer = stage.app_browser().get(&Stage::authorize_url(&request)).await;
        assert_eq!(answer.status, 400);
        assert!(answer.location().is_empty(), "the new address is not approved");
        // disabled: the token does nothing at all
        stage.disable(&client).await;
        for (method, body) in
            [(Method::GET, String::new()), (Method::PUT, got.body.clone()), (Method::DELETE, String::new())]
        {
            refused(&send(&stage, method, &path, Some(token), &body).await, 403, "insufficient_scope");
        }
        stage.enable(&client).await;
        // deleted: for good
        assert_eq!(send(&stage, Method::DELETE, &path, Some(token), "").await.status, 204);
        refused(&send(&stage, Method::GET, &path, Some(token), "").await, 401, "invalid_token");
        request[2].1 = CALLBACK.into();
        assert_eq!(stage.app_browser().get(&Stage::authorize_url(&request)).await.status, 400);
        stage.end().await;
    });
}

#[test]
fn a_flood_of_registrations_is_stopped() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        open(&stage).await;
        let mut last = 0;
        for _ in 0..31 {
            last = send(&stage, Method::POST, "", None, &good().to_string()).await.status.as_u16();
        }
        assert_eq!(last, 429);
        stage.end().await;
    });
}
