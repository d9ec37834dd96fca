//! `/api/v1`: the same use cases for machines.

use axum::http::Method;
use countersign::domain::accounts::Account;
use countersign::governance::accounts::make_api_token;
use serde_json::{Value, json};

use crate::governance::world::READING;
use crate::support::browser::{Answer, Browser};
use crate::support::{Site, on_both};

/// A program with somebody's personal token.
struct Program {
    browser: Browser,
    authorization: String,
}

impl Program {
    async fn of(site: &Site, account: &Account) -> Self {
        let token = make_api_token(&site.world.app, account, "test", Some(30)).await.unwrap();
        Self { browser: site.browser(), authorization: format!("Bearer {}", token.reveal()) }
    }

    async fn call(&mut self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let headers = [("authorization", self.authorization.as_str()), ("content-type", "application/json")];
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.browser.send(method, &format!("/api/v1{path}"), &headers, body).await
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }
}

fn problem(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.json()["status"], status);
}

#[test]
fn a_client_is_registered_asked_for_approved_disabled_and_enabled_by_programs() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut vendor = Program::of(&site, &site.world.developer.account).await;
        let mut hospital = Program::of(&site, &site.world.reviewer.account).await;

        let me = vendor.get("/me").await.json();
        assert_eq!(me["application_providers"][0]["name"], "Acme Health");
        assert_eq!(hospital.get("/me").await.json()["organizations"][0]["id"], "st-mary");

        let metadata = json!({
            "name": "Lab View", "client_type": "confidential_secret", "redirect_uris": ["https://lab.acme.example/cb"],
            "grant_types": ["authorization_code"], "contacts": ["help@acme.example"],
        });
        let answer = vendor.post("/clients", json!({ "metadata": metadata })).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let client = answer.json()["client_id"].as_str().unwrap().to_owned();
        assert_eq!(answer.header("location"), format!("/api/v1/clients/{client}"));
        let made = vendor.post(&format!("/clients/{client}/secrets"), json!({})).await;
        assert_eq!((made.status.as_u16(), made.header("cache-control").as_str()), (201, "no-store"));
        assert_eq!(made.json()["client_secret"].as_str().unwrap().len(), 40);

        let asked = vendor
            .post(
                "/organizations/st-mary/access-requests",
                json!({ "client_id": client, "scopes": READING, "reason": "Lab results." }),
            )
            .await;
        assert_eq!((asked.status.as_u16(), asked.json()["outcome"].clone()), (201, json!("sent")), "{}", asked.body);
        let request = asked.json()["access_request"]["id"].as_str().unwrap().to_owned();
        let path = format!("/organizations/st-mary/access-requests/{request}");

        let waiting = hospital.get("/organizations/st-mary/access-requests").await.json();
        assert_eq!(waiting["access_requests"][0]["id"], json!(request));
        let review = hospital.get(&path).await.json();
        assert_eq!(review["scopes"], json!(["launch/patient", "patient/Observation.rs", "patient/Patient.r"]));
        assert!(review["risks"].as_array().unwrap().contains(&json!("new-provider")));

        problem(&hospital.post(&format!("{path}/approve"), json!({ "digest": "stale" })).await, 409);
        let more = json!({ "digest": review["digest"], "scopes": ["patient/*.cruds"] });
        problem(&hospital.post(&format!("{path}/approve"), more).await, 400);
        let less = json!({ "digest": review["digest"], "scopes": ["launch/patient", "patient/Observation.rs"], "expires_in_days": 30 });
        let approved = hospital.post(&format!("{path}/approve"), less.clone()).await;
        assert_eq!(approved.status, 200, "{}", approved.body);
        assert_eq!(approved.json()["scopes"], json!(["launch/patient", "patient/Observation.rs"]));
        problem(&hospital.post(&format!("{path}/approve"), less).await, 409);

        let list = hospital.get("/organizations/st-mary/clients?state=approved&q=lab").await.json();
        assert_eq!((list["total"].clone(), list["clients"][0]["client_id"].clone()), (json!(1), json!(client)));

        let disable = format!("/organizations/st-mary/clients/{client}/disable");
        problem(&hospital.post(&disable, json!({})).await, 400);
        let off = hospital.post(&disable, json!({ "reason": "Odd." })).await;
        assert_eq!(
            (off.status.as_u16(), off.json()["state"].clone(), off.json()["epoch"].clone()),
            (200, json!("disabled"), json!(2))
        );
        problem(&hospital.post(&disable, json!({ "reason": "Odd." })).await, 409);
        let on = hospital
            .post(&format!("/organizations/st-mary/clients/{client}/enable"), json!({ "reason": "Fine." }))
            .await;
        assert_eq!(
            (on.status.as_u16(), on.json()["state"].clone(), on.json()["epoch"].clone()),
            (200, json!("enabled"), json!(2))
        );

        let own = vendor.get(&format!("/clients/{client}")).await.json();
        assert_eq!(own["access_requests"][0]["state"], "approved");
        site.remove().await;
    });
}

#[test]
fn a_rejection_a_withdrawal_and_an_edit_by_programs() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut vendor = Program::of(&site, &site.world.developer.account).await;
        let mut hospital = Program::of(&site, &site.world.reviewer.account).await;
        let question = |scopes: Value| json!({ "client_id": site.world.client.id, "fhir_endpoint": "r4", "scopes": scopes, "reason": "Why." });
        let path = "/organizations/st-mary/access-requests";
        let first = vendor.post(path, question(json!(["launch/patient"]))).await;
        let id = first.json()["access_request"]["id"].as_str().unwrap().to_owned();
        let second = vendor.post(path, question(json!(READING))).await;
        assert_eq!((second.status.as_u16(), second.json()["outcome"].clone()), (200, json!("edited")));
        problem(&hospital.post(&format!("{path}/{id}/withdraw"), json!({})).await, 404);
        assert_eq!(vendor.post(&format!("{path}/{id}/withdraw"), json!({})).await.json()["state"], "withdrawn");
        problem(&vendor.post(&format!("{path}/{id}/withdraw"), json!({})).await, 409);

        site.world.clock.advance_seconds(1);
        let third = vendor.post(path, question(json!(READING))).await;
        let id = third.json()["access_request"]["id"].as_str().unwrap().to_owned();
        problem(&hospital.post(&format!("{path}/{id}/reject"), json!({ "reason": " " })).await, 400);
        let rejected = hospital
            .post(&format!("{path}/{id}/reject"), json!({ "reason": "No.", "may_ask_again": false }))
            .await
            .json();
        assert_eq!((rejected["state"].clone(), rejected["may_ask_again"].clone()), (json!("rejected"), json!(false)));
        problem(&vendor.post(path, question(json!(READING))).await, 409);
        site.remove().await;
    });
}

#[test]
fn every_mistake_in_a_request_is_named() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut vendor = Program::of(&site, &site.world.developer.account).await;
        let path = "/organizations/st-mary/access-requests";
        let wrong =
            json!({ "client_id": site.world.client.id, "scopes": "patient/Observation.sr foo:bar", "reason": "" });
        let answer = vendor.post(path, wrong).await;
        problem(&answer, 400);
        let codes: Vec<Value> =
            answer.json()["errors"].as_array().unwrap().iter().map(|error| error["code"].clone()).collect();
        assert_eq!(codes, ["scope-malformed", "scope-unknown", "missing"]);
        // unknown members, wrong types, no JSON at all
        let id = &site.world.client.id;
        problem(
            &vendor.post(path, json!({ "client_id": id, "scopes": "openid", "reason": "x", "approve": true })).await,
            400,
        );
        problem(&vendor.post(path, json!({ "client_id": 7, "scopes": "openid", "reason": "x" })).await, 400);
        problem(&vendor.post(path, json!("openid")).await, 400);
        problem(&vendor.call(Method::POST, path, None).await, 400);
        problem(&vendor.get("/nothing").await, 404);
        problem(&vendor.call(Method::DELETE, "/me", None).await, 405);
        site.remove().await;
    });
}

#[test]
fn without_a_token_with_a_foreign_one_or_in_a_lower_role_nothing_is_done_or_told() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let world = &site.world;
        world.approved(READING).await;
        let request = world.line().await.access_request_id;
        let records = world.audit().await.len();
        let (org, client) = ("/organizations/st-mary", &world.client.id);
        let reads = [
            format!("{org}/clients"),
            format!("{org}/access-requests"),
            format!("{org}/access-requests/{request}"),
            format!("{org}/audit"),
            format!("/clients/{client}"),
        ];
        let writes = [
            (format!("{org}/clients/{client}/disable"), json!({ "reason": "x" })),
            (format!("{org}/clients/{client}/enable"), json!({ "reason": "x" })),
            (format!("{org}/access-requests/{request}/approve"), json!({ "digest": "x" })),
            (format!("{org}/access-requests/{request}/reject"), json!({ "reason": "x" })),
            (format!("{org}/access-requests/{request}/withdraw"), json!({})),
            (format!("{org}/access-requests"), json!({ "client_id": client, "scopes": "openid", "reason": "x" })),
            (format!("/clients/{client}/secrets"), json!({})),
        ];
        let mut nobody = Program { browser: site.browser(), authorization: "Bearer csp_x".into() };
        let mut stranger = Program::of(&site, &world.stranger.account).await;
        for path in &reads {
            problem(&nobody.get(path).await, 401);
            let foreign = stranger.get(path).await;
            problem(&foreign, 404);
            // a foreign thing and an absent one answer alike
            let absent = stranger.get(&path.replace("st-mary", "nowhere").replace(client.as_str(), "app_absent")).await;
            assert_eq!(
                (foreign.json()["type"].clone(), foreign.json()["detail"].clone()),
                (absent.json()["type"].clone(), absent.json()["detail"].clone())
            );
        }
        for (path, body) in &writes {
            let answer = nobody.post(path, body.clone()).await;
            problem(&answer, 401);
            assert!(answer.header("www-authenticate").starts_with("Bearer"));
            problem(&stranger.post(path, body.clone()).await, 404);
        }
        let mut viewer = Program::of(&site, &world.viewer.account).await;
        assert_eq!(viewer.get(&reads[0]).await.status, 200);
        assert_eq!(viewer.get(&reads[2]).await.status, 200);
        problem(&viewer.get(&reads[3]).await, 403);
        for (path, body) in &writes[..4] {
            problem(&viewer.post(path, body.clone()).await, 403);
        }
        assert_eq!(world.audit().await.len(), records);
        for query in ["?state=live", "?page=0", "?sort=up", "?order=name"] {
            problem(&viewer.get(&format!("{org}/clients{query}")).await, 400);
        }
        site.remove().await;
    });
}

#[test]
fn the_audit_record_can_be_copied_out_and_verified() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        site.world.approved(READING).await;
        let mut admin = Program::of(&site, &site.world.admin.account).await;
        let page = admin.get("/organizations/st-mary/audit?limit=1").await.json();
        assert_eq!(
            (page["records"][0]["event"].clone(), page["next_after"].clone()),
            (json!("access_request.sent"), json!(1))
        );
        let next = admin.get("/organizations/st-mary/audit?after=1").await.json();
        assert_eq!(next["records"][0]["previous_hash"], page["records"][0]["hash"]);
        assert_eq!(site.world.recorded("audit.exported").await, 2);
        site.remove().await;
    });
}

#[test]
fn the_description_is_served() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let answer = site.browser().get("/api/v1/openapi.json").await;
        assert_eq!(answer.status, 200);
        assert!(answer.json()["openapi"].as_str().unwrap().starts_with("3."));
        site.remove().await;
    });
}
