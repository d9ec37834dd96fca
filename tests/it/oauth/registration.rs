//! Dynamic registration (RFC 7591; ATTACKS group D). Initial access tokens, limits and management are next door.

use axum::http::Method;
use countersign::domain::access_requests::AccessRequest;
use countersign::domain::ids::ClientId;
use countersign::domain::organizations::{Organization, OrganizationSettings, RegistrationPolicy};
use countersign::governance::initial_access_tokens::make as make_initial_access_token;
use countersign::storage;
use serde_json::{Value, json};

use super::actors::{CALLBACK, ISSUER, Stage, refused};
use crate::support::browser::Answer;
use crate::support::on_both;

pub async fn open(stage: &Stage) {
    set(stage, RegistrationPolicy::Open).await;
}

pub async fn set(stage: &Stage, registration: RegistrationPolicy) {
    let before = stage.world().reviewer.organization.clone();
    let after = Organization { settings: OrganizationSettings { registration, ..before.settings.clone() }, ..before };
    stage.world().write(move |conn| Box::pin(async move { storage::organizations::update(conn, &after).await })).await;
}

pub async fn send(stage: &Stage, method: Method, path: &str, bearer: Option<&str>, body: &str) -> Answer {
    let authorization = bearer.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(authorization.as_deref().map(|value| ("authorization", value)));
    stage.app_browser().send(method, &format!("{ISSUER}/register{path}"), &headers, body.to_owned()).await
}

pub fn good() -> Value {
    json!({
        "client_name": "Self Made", "contacts": ["help@self.example"], "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"], "scope": "launch/patient openid patient/Patient.r",
    })
}

pub fn with(name: &str, value: Value) -> String {
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
        assert_eq!(send(&stage, Method::POST, "", None, &body).await.status, 401);
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
            (
                "very many",
                with("redirect_uris", json!((0..2500).map(|n| format!("https://a.example/{n}")).collect::<Vec<_>>())),
                "invalid_client_metadata",
            ),
            ("another redirect", with("redirect_uris", json!("https://app.example/cb")), "invalid_client_metadata"),
            ("own scheme for the web", with("redirect_uris", json!(["com.example.app:/cb"])), "invalid_redirect_uri"),
            (
                "userinfo in a redirect",
                with("redirect_uris", json!(["https://a@app.example/cb"])),
                "invalid_redirect_uri",
            ),
            ("relative redirect", with("redirect_uris", json!(["/cb"])), "invalid_redirect_uri"),
            ("kind of app", with("application_type", json!("desktop")), "invalid_client_metadata"),
            ("http logo", with("logo_uri", json!("http://app.example/logo.png")), "invalid_client_metadata"),
            ("internal logo, decimal", with("logo_uri", json!("https://2130706433/")), "invalid_client_metadata"),
            ("internal policy", with("policy_uri", json!("https://[::ffff:10.0.0.1]/")), "invalid_client_metadata"),
            ("internal terms", with("tos_uri", json!("https://localhost/")), "invalid_client_metadata"),
            ("internal page", with("client_uri", json!("https://10.1.2.3/")), "invalid_client_metadata"),
            ("script as policy", with("policy_uri", json!("javascript:alert(1)")), "invalid_client_metadata"),
            ("internal logout", with("backchannel_logout_uri", json!("https://10.0.0.1/")), "invalid_client_metadata"),
            ("http login start", with("initiate_login_uri", json!("http://app.example/go")), "invalid_client_metadata"),
            ("http launch", with("launch_uri", json!("http://app.example/launch")), "invalid_client_metadata"),
            ("sector", with("sector_identifier_uri", json!("https://app.example/s.json")), "invalid_client_metadata"),
            ("pairwise", with("subject_type", json!("pairwise")), "invalid_client_metadata"),
            ("ES256 tokens", with("id_token_signed_response_alg", json!("ES256")), "invalid_client_metadata"),
            ("unsigned tokens", with("id_token_signed_response_alg", json!("none")), "invalid_client_metadata"),
            ("encrypted", with("id_token_encrypted_response_alg", json!("RSA-OAEP")), "invalid_client_metadata"),
            ("signed userinfo", with("userinfo_signed_response_alg", json!("RS256")), "invalid_client_metadata"),
            ("bound tokens", with("dpop_bound_access_tokens", json!(true)), "invalid_client_metadata"),
            (
                "both keys",
                {
                    let mut body = good();
                    body["jwks"] = json!({ "keys": [] });
                    body["jwks_uri"] = json!("https://app.example/jwks");
                    body.to_string()
                },
                "invalid_client_metadata",
            ),
            ("unknown algorithm", with("token_endpoint_auth_signing_alg", json!("HS256")), "invalid_client_metadata"),
            ("a scheme of hers", with("assertion_audience", json!("any")), "invalid_client_metadata"),
            ("zero width", with("client_name", json!("Growth\u{200b} Chart")), "invalid_client_metadata"),
            ("long software id", with("software_id", json!("x".repeat(300))), "invalid_client_metadata"),
            ("age", with("default_max_age", json!(-1)), "invalid_client_metadata"),
            ("age in words", with("default_max_age", json!("soon")), "invalid_client_metadata"),
            ("null in a list", with("contacts", json!(["a@b.example", null])), "invalid_client_metadata"),
            (
                "a hole in a list",
                r#"{"redirect_uris":["https://a.example/cb",,"https://b.example/cb"]}"#.into(),
                "invalid_client_metadata",
            ),
            ("keys twice inside", r#"{"client_name":"a","x":{"a":1,"a":2}}"#.into(), "invalid_client_metadata"),
            (
                "unknown member twice",
                r#"{"client_name":"a","approved":1,"approved":2}"#.into(),
                "invalid_client_metadata",
            ),
            ("scope with holes", with("scope", json!("openid\u{a0}patient/*.rs")), "invalid_client_metadata"),
            (
                "unsigned statement",
                with("software_statement", json!("eyJhbGciOiJub25lIn0.e30.")),
                "invalid_software_statement",
            ),
            ("no statement", with("software_statement", json!({})), "invalid_software_statement"),
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
            ("a contact that is no address", with("contacts", json!(["the help desk"])), "invalid_client_metadata"),
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
        for huge in [
            with("client_name", json!("x".repeat(300_000))),
            with("client_name", json!("x".repeat(1_000_000))),
            with("redirect_uris", json!((0..10_000).map(|n| format!("https://a.example/{n}")).collect::<Vec<_>>())),
        ] {
            assert_eq!(send(&stage, Method::POST, "", None, &huge).await.status, 413);
        }
        let path = format!("{ISSUER}/register");
        for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
            let headers = [("content-type", media_type)];
            let answer = stage.app_browser().send(Method::POST, &path, &headers, good().to_string()).await;
            refused(&answer, 400, "invalid_client_metadata");
        }
        assert_eq!(registered(&stage).await, 0, "nothing came of it");
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
fn the_answer_tells_everything_that_is_registered() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        open(&stage).await;
        let key = super::actors::Key::new("key-1");
        let wish = json!({
            "client_name": "Self Made", "client_uri": "https://app.example/", "policy_uri": "https://app.example/privacy",
            "tos_uri": "https://app.example/terms", "contacts": ["help@self.example"],
            "redirect_uris": [CALLBACK, "https://app.acme.example/other"],
            "post_logout_redirect_uris": ["https://app.acme.example/bye"],
            "backchannel_logout_uri": "https://app.acme.example/logout", "launch_uri": "https://app.acme.example/launch",
            "initiate_login_uri": "https://app.acme.example/start", "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES384", "assertion_audience": "strict", "jwks": { "keys": [key.jwk()] },
            "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
            "application_type": "web", "scope": "launch/patient openid patient/Patient.r", "software_id": "self-made",
            "software_version": "1.0", "default_max_age": 3600, "require_auth_time": true,
            "id_token_signed_response_alg": "RS256", "subject_type": "public",
        });
        let answer = send(&stage, Method::POST, "", None, &wish.to_string()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let made = answer.json();
        for (name, value) in wish.as_object().unwrap() {
            assert_eq!(made[name], *value, "{name}");
        }
        let id = made["client_id"].as_str().unwrap();
        assert_eq!(made["client_id_issued_at"].as_i64(), Some(stage.world().app.now().seconds()));
        assert_eq!(made["registration_client_uri"], format!("{ISSUER}/register/{id}"));
        assert!(made["registration_access_token"].as_str().unwrap().starts_with("csg_"));
        assert!(made.get("client_secret").is_none() && made.get("client_secret_expires_at").is_none());
        // what is not said is told with its default
        let least = json!({ "redirect_uris": [CALLBACK], "logo_uri": null, "jwks": null });
        let made = send(&stage, Method::POST, "", None, &least.to_string()).await.json();
        assert_eq!(made["token_endpoint_auth_method"], "client_secret_basic");
        assert_eq!(made["grant_types"], json!(["authorization_code"]));
        assert_eq!(made["response_types"], json!(["code"]));
        assert_eq!(made["application_type"], "web");
        assert_eq!(made["scope"], "openid profile");
        assert!(made.get("contacts").is_none(), "RFC 7591 2: optional");
        assert_eq!(made["client_secret_expires_at"], 0);
        // keys mean nothing for a client with a secret: they are not registered, and the answer does not pretend
        let mut with_keys = wish.clone();
        with_keys["token_endpoint_auth_method"] = json!("client_secret_post");
        let made = send(&stage, Method::POST, "", None, &with_keys.to_string()).await.json();
        assert_eq!(made["token_endpoint_auth_method"], "client_secret_post");
        assert!(made.get("jwks").is_none() && made.get("token_endpoint_auth_signing_alg").is_none(), "{made}");
        stage.end().await;
    });
}

#[test]
fn a_native_app_may_use_its_own_scheme_and_loopback() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        open(&stage).await;
        let mut native = good();
        native["application_type"] = json!("native");
        native["redirect_uris"] = json!(["com.example.app:/cb", "http://127.0.0.1/cb", "http://[::1]/cb"]);
        let answer = send(&stage, Method::POST, "", None, &native.to_string()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        for bad in ["app:/cb", "javascript:alert(1)", "http://app.example/cb", "com.example.app:/cb#x"] {
            native["redirect_uris"] = json!([bad]);
            let answer = send(&stage, Method::POST, "", None, &native.to_string()).await;
            refused(&answer, 400, "invalid_redirect_uri");
        }
        stage.end().await;
    });
}

#[test]
fn a_page_of_any_origin_may_register() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        for path in ["register", "register/app_1"] {
            let headers = [
                ("origin", "https://app.example"),
                ("access-control-request-method", "PUT"),
                ("access-control-request-headers", "authorization, content-type"),
            ];
            let answer = stage.app_browser().send(Method::OPTIONS, &format!("{ISSUER}/{path}"), &headers, "").await;
            assert_eq!(answer.header("access-control-allow-origin"), "*");
            for method in ["GET", "POST", "PUT", "DELETE"] {
                assert!(answer.header("access-control-allow-methods").contains(method), "{method}");
            }
            assert!(answer.header("access-control-allow-headers").contains("authorization"));
            assert!(answer.header("access-control-allow-credentials").is_empty());
        }
        let refused = send(&stage, Method::POST, "", None, "{}").await;
        assert_eq!((refused.status.as_u16(), refused.header("access-control-allow-origin").as_str()), (401, "*"));
        stage.end().await;
    });
}

#[test]
fn a_name_that_looks_like_an_approved_apps_is_shown_to_the_reviewer_with_a_warning() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        open(&stage).await;
        let world = stage.world();
        // the first provider's Growth Chart is approved here
        for (name, is_flagged) in [
            ("Gr\u{43e}wth Chart", true),
            ("GR0WTH-CHART", true),
            ("Growth Curves", false),
            ("Growth <b>Chart</b>x", false),
        ] {
            let made = send(&stage, Method::POST, "", None, &with("client_name", json!(name))).await.json();
            let client = ClientId::from_text(made["client_id"].as_str().unwrap());
            let waiting = waiting(&stage, &client).await.unwrap();
            let review = world.review(&waiting.id).await;
            let risks = countersign::governance::explain::risks(&review);
            assert_eq!(risks.contains(&countersign::governance::explain::Risk::LooksLike), is_flagged, "{name}");
            let mut nurse = stage.site.signed_in(&world.reviewer.account).await;
            let page = nurse.open(&format!("/console/st-mary/access-requests/{}", waiting.id)).await;
            assert_eq!(page.body.contains("Name looks like another app"), is_flagged, "{name}");
            assert!(!page.body.contains("<b>Chart"), "{name}");
        }
        stage.end().await;
    });
}

/// What a client waits for at St. Mary.
pub async fn waiting(stage: &Stage, client: &ClientId) -> Option<AccessRequest> {
    let world = stage.world();
    let mut conn = world.app.store.read().await.unwrap();
    storage::access_requests::find_waiting(&mut conn, &world.reviewer.organization.id, client).await.unwrap()
}

/// How many clients registered themselves here.
pub async fn registered(stage: &Stage) -> i64 {
    let mut conn = stage.world().app.store.read().await.unwrap();
    let organization = &stage.world().reviewer.organization.id;
    let since = countersign::domain::clock::UtcMillis(0);
    storage::registrations::count_since(&mut conn, organization, since).await.unwrap()
}
