//! Who may come in at which door: every route of the console, the portal and `/api/v1`, asked by everybody who may not and by who just may.
//!
//! The table below has to name every route of the router; one that nobody decided about fails the test.

use std::collections::BTreeSet;

use axum::http::Method;
use countersign::domain::accounts::{Account, DeveloperMembership, DeveloperRole};
use countersign::governance::accounts::make_api_token;
use countersign::governance::{initial_access_tokens, webhooks};
use countersign::storage;
use serde_json::json;

use crate::governance::world::{READING, World, account, metadata};
use crate::support::browser::{Answer, Browser};
use crate::support::{Site, on_both, routes};

/// Method, route, and the least that one has to be: of the organization's staff (`viewer` < `reviewer` < `admin`), of the provider's developers (`developer` < `owner`),
/// `signed-in` (they see and change what is theirs), or `anybody`. What ends a client comes last.
const DOORS: &str = "
    GET    /account                                                   signed-in
    POST   /account/profile                                           signed-in
    POST   /account/password                                          signed-in
    POST   /account/tokens                                            signed-in
    POST   /account/tokens/revoke                                     signed-in
    POST   /account/sessions/end                                      signed-in
    GET    /console                                                   signed-in
    GET    /console/{org}                                             viewer
    GET    /console/{org}/clients                                     viewer
    GET    /console/{org}/clients/{client_id}                         viewer
    POST   /console/{org}/clients/{client_id}/disable                 reviewer
    POST   /console/{org}/clients/{client_id}/enable                  reviewer
    GET    /console/{org}/access-requests/{id}                        viewer
    POST   /console/{org}/access-requests/{id}/decide                 reviewer
    POST   /console/{org}/access-requests/{id}/allow-again            reviewer
    GET    /console/{org}/receipts/{seq}                              viewer
    GET    /console/{org}/activity                                    viewer
    GET    /console/{org}/notifications                               viewer
    POST   /console/{org}/notifications/retry                         reviewer
    GET    /console/{org}/members                                     viewer
    POST   /console/{org}/members/add                                 admin
    POST   /console/{org}/members/role                                admin
    POST   /console/{org}/members/remove                              admin
    GET    /console/{org}/fhir-endpoints                              viewer
    POST   /console/{org}/fhir-endpoints/add                          admin
    POST   /console/{org}/fhir-endpoints/resource-server              admin
    POST   /console/{org}/fhir-endpoints/resource-server/revoke       admin
    POST   /console/{org}/fhir-endpoints/{endpoint}/change            admin
    POST   /console/{org}/fhir-endpoints/{endpoint}/reading           admin
    GET    /console/{org}/launches                                    viewer
    POST   /console/{org}/launches                                    reviewer
    GET    /console/{org}/brand                                       viewer
    POST   /console/{org}/brand                                       admin
    GET    /console/{org}/settings                                    viewer
    POST   /console/{org}/settings                                    admin
    GET    /console/{org}/registration                                viewer
    POST   /console/{org}/registration/tokens                         admin
    POST   /console/{org}/registration/tokens/revoke                  admin
    GET    /portal                                                    signed-in
    GET    /portal/{provider}                                         anybody
    GET    /portal/{provider}/clients                                 developer
    GET    /portal/{provider}/clients/new                             developer
    POST   /portal/{provider}/clients/new                             developer
    GET    /portal/{provider}/clients/{client}                        developer
    GET    /portal/{provider}/clients/{client}/edit                   developer
    POST   /portal/{provider}/clients/{client}/edit                   developer
    POST   /portal/{provider}/clients/{client}/secrets                developer
    POST   /portal/{provider}/clients/{client}/secrets/revoke         developer
    GET    /portal/{provider}/clients/{client}/ask                    developer
    GET    /portal/{provider}/clients/{client}/ask/what               developer
    POST   /portal/{provider}/clients/{client}/ask/why                developer
    POST   /portal/{provider}/clients/{client}/ask/send               developer
    GET    /portal/{provider}/requests                                developer
    GET    /portal/{provider}/requests/{request}                      developer
    POST   /portal/{provider}/requests/{request}/withdraw             developer
    GET    /portal/{provider}/members                                 developer
    POST   /portal/{provider}/members                                 owner
    POST   /portal/{provider}/members/remove                          owner
    GET    /portal/{provider}/webhooks                                developer
    POST   /portal/{provider}/webhooks                                developer
    POST   /portal/{provider}/webhooks/remove                         developer
    GET    /portal/{provider}/settings                                developer
    POST   /portal/{provider}/settings                                owner
    GET    /portal/{provider}/clients/{client}/delete                 developer
    GET    /api/v1/openapi.json                                       anybody
    GET    /api/v1/me                                                 signed-in
    GET    /api/v1/organizations/{org}/clients                        viewer
    POST   /api/v1/organizations/{org}/clients/{client_id}/disable    reviewer
    POST   /api/v1/organizations/{org}/clients/{client_id}/enable     reviewer
    GET    /api/v1/organizations/{org}/access-requests                viewer
    POST   /api/v1/organizations/{org}/access-requests                developer
    GET    /api/v1/organizations/{org}/access-requests/{id}           viewer
    POST   /api/v1/organizations/{org}/access-requests/{id}/approve   reviewer
    POST   /api/v1/organizations/{org}/access-requests/{id}/reject    reviewer
    POST   /api/v1/organizations/{org}/access-requests/{id}/allow-again reviewer
    POST   /api/v1/organizations/{org}/access-requests/{id}/withdraw  developer
    GET    /api/v1/organizations/{org}/audit                          admin
    GET    /api/v1/organizations/{org}/settings                       viewer
    PUT    /api/v1/organizations/{org}/settings                       admin
    GET    /api/v1/organizations/{org}/initial-access-tokens          viewer
    POST   /api/v1/organizations/{org}/initial-access-tokens          admin
    DELETE /api/v1/organizations/{org}/initial-access-tokens/{id}     admin
    GET    /api/v1/clients                                            signed-in
    POST   /api/v1/clients                                            signed-in
    GET    /api/v1/clients/{client_id}                                developer
    PUT    /api/v1/clients/{client_id}                                developer
    POST   /api/v1/clients/{client_id}/secrets                        developer
    DELETE /api/v1/clients/{client_id}/secrets/{secret_id}            developer
    DELETE /api/v1/clients/{client_id}                                developer
    POST   /portal/{provider}/clients/{client}/delete                 developer
";

/// A field for every form there is.
const FORM: &str = "reason=x&confirmed=1&decision=approve&digest=x&notification=1&email=a%40b.example&role=viewer&member=acc_x&name=N&base_url=https%3A%2F%2Fx.example&version=r4&contact=&endpoint=fep_x&reading=own&secret=1&token=1&note=n&account=acc_x&url=https%3A%2F%2Fx.example&at=x&scopes=x&webhook=1&current=x&password=x&server=rs_x&session=1";

/// Forms that take a file.
const UPLOADS: [&str; 3] =
    ["/console/{org}/brand", "/portal/{provider}/clients/new", "/portal/{provider}/clients/{client}/edit"];

const FORM_TYPE: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=b";

fn parts(fields: &[(&str, &str)]) -> String {
    let part = |(name, value): &(&str, &str)| {
        format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    fields.iter().map(part).collect::<String>() + "--b--\r\n"
}

struct Door {
    method: Method,
    route: &'static str,
    least: &'static str,
}

impl Door {
    fn takes_a_file(&self) -> bool {
        self.method == Method::POST && UPLOADS.contains(&self.route)
    }
}

fn doors() -> Vec<Door> {
    let lines = DOORS.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let words: Vec<&'static str> = line.split_whitespace().collect();
            Door { method: words[0].parse().unwrap(), route: words[1], least: words[2] }
        })
        .collect()
}

#[test]
fn every_route_behind_a_sign_in_says_for_whom_it_is() {
    let guarded =
        |route: &str| ["/console", "/portal", "/api/v1", "/account"].iter().any(|area| route.starts_with(area));
    let decided: BTreeSet<_> =
        doors().into_iter().map(|door| (door.method.to_string(), door.route.to_owned())).collect();
    let served: BTreeSet<_> = routes::all()
        .into_iter()
        .filter(|(_, route)| guarded(route))
        .map(|(method, route)| (method.to_string(), route))
        .collect();
    assert_eq!(served.difference(&decided).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "undecided");
    assert_eq!(decided.difference(&served).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "gone");
}

/// Somebody, with a browser and with a program.
struct Person {
    name: &'static str,
    /// Everything that this person is.
    is: &'static [&'static str],
    browser: Browser,
    csrf: String,
    token: String,
}

impl Person {
    async fn of(site: &Site, name: &'static str, who: &Account, is: &'static [&'static str]) -> Self {
        let mut browser = site.signed_in(who).await;
        let csrf = browser.open("/account").await.form("/account/password").value("csrf").to_owned();
        let token = make_api_token(&site.world.app, who, "test", Some(30)).await.unwrap().reveal().to_owned();
        Self { name, is, browser, csrf, token }
    }

    async fn knock(&mut self, door: &Door, address: &str) -> Answer {
        let authorization = format!("Bearer {}", self.token);
        if address.starts_with("/api/") {
            let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
            return self.browser.send(door.method.clone(), address, &headers, body_for(door, &self.csrf)).await;
        }
        let kind = if door.takes_a_file() { MULTIPART } else { FORM_TYPE };
        self.browser.send(door.method.clone(), address, &[("content-type", kind)], body_for(door, &self.csrf)).await
    }
}

fn body_for(door: &Door, csrf: &str) -> String {
    let metadata = || json!(metadata("Door"));
    let body = match (&door.method, door.route) {
        (&Method::GET, _) => return String::new(),
        _ if door.takes_a_file() => return parts(&[("name", "N"), ("csrf", csrf)]),
        (_, route) if !route.starts_with("/api/") => return format!("{FORM}&csrf={csrf}"),
        (_, "/api/v1/clients") => json!({ "metadata": metadata() }),
        (&Method::PUT, "/api/v1/clients/{client_id}") => json!({ "based_on": 1, "metadata": metadata() }),
        (&Method::PUT, _) => json!({ "name": "Hospital", "settings": {} }),
        (_, route) if route.ends_with("/access-requests") => {
            json!({ "client_id": "app_x", "scopes": READING, "reason": "x" })
        }
        (_, route) if route.ends_with("/approve") => json!({ "digest": "x" }),
        (_, route) if route.ends_with("/initial-access-tokens") => json!({ "note": "x" }),
        (_, route) if ["/disable", "/enable", "/reject"].iter().any(|end| route.ends_with(end)) => {
            json!({ "reason": "x" })
        }
        _ => json!({}),
    };
    body.to_string()
}

/// The address of a door, with what this world has behind it.
fn address(door: &Door, world: &World, request: &str) -> String {
    routes::filled(door.route, |place| match place {
        "org" => "st-mary".into(),
        "provider" => world.developer.provider.id.as_str().into(),
        "client" | "client_id" => world.client.id.as_str().into(),
        "id" | "request" => request.into(),
        "endpoint" => world.endpoint.id.as_str().into(),
        "seq" => "2".into(),
        "secret_id" => "1".into(),
        other => panic!("the test has nothing for {other}"),
    })
}

/// Both are roles of an organization's staff, or both of a provider's developers.
fn same_house(one: &str, other: &str) -> bool {
    let of_a_provider = |role: &str| ["developer", "owner"].contains(&role);
    of_a_provider(one) == of_a_provider(other)
}

/// Refused as somebody who has nothing to do with it (404) or too little to say (403).
fn is_shut(answer: &Answer) -> bool {
    matches!(answer.status.as_u16(), 401 | 403 | 404) || answer.location().starts_with("/sign-in")
}

#[test]
fn every_door_is_shut_to_all_but_those_it_is_for() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        site.world.approved(READING).await;
        let world = &site.world;
        let request = world.line().await.access_request_id;
        let colleague = account(&world.app, "coby").await;
        let membership = DeveloperMembership {
            application_provider_id: world.developer.provider.id.clone(),
            account_id: colleague.id.clone(),
            role: DeveloperRole::Developer,
        };
        let now = world.app.now();
        world
            .write(move |conn| {
                Box::pin(async move { storage::application_providers::put_developer(conn, &membership, now).await })
            })
            .await;
        let mut people = [
            Person::of(&site, "the other hospital's admin", &world.stranger.account, &[]).await,
            Person::of(&site, "the other provider's owner", &world.rival.account, &[]).await,
            Person::of(&site, "the viewer", &world.viewer.account, &["viewer"]).await,
            Person::of(&site, "the reviewer", &world.reviewer.account, &["viewer", "reviewer"]).await,
            Person::of(&site, "the admin", &world.admin.account, &["viewer", "reviewer", "admin"]).await,
            Person::of(&site, "the developer", &colleague, &["developer"]).await,
            Person::of(&site, "the owner", &world.developer.account, &["developer", "owner"]).await,
        ];
        let before = (world.audit().await.len(), world.approval().await.unwrap());
        let mut nobody = site.browser();
        for door in doors().iter().filter(|door| door.least != "anybody") {
            let address = address(door, world, request.as_str());
            let kind = [("content-type", if door.takes_a_file() { MULTIPART } else { FORM_TYPE })];
            let answer = nobody.send(door.method.clone(), &address, &kind, body_for(door, "")).await;
            let shut = if address.starts_with("/api/") {
                answer.status == 401
            } else {
                answer.location().starts_with("/sign-in")
            };
            assert!(shut, "nobody: {} {address}: {} {}", door.method, answer.status, answer.body);
            for person in
                people.iter_mut().filter(|person| door.least != "signed-in" && !person.is.contains(&door.least))
            {
                let answer = person.knock(door, &address).await;
                let (name, method) = (person.name, &door.method);
                assert!(is_shut(&answer), "{name}: {method} {address}: {} {}", answer.status, answer.body);
                // whoever is of the house is told what they lack; the others are not told that it is there
                if !person.is.iter().any(|role| same_house(role, door.least)) {
                    assert_eq!(answer.status, 404, "{name}: {method} {address}");
                }
            }
            if door.method == Method::POST && !address.starts_with("/api/") {
                let insider =
                    people.iter_mut().find(|person| door.least == "signed-in" || person.is.contains(&door.least));
                let insider = insider.expect("somebody may");
                let csrf = std::mem::replace(&mut insider.csrf, "another's".into());
                let answer = insider.knock(door, &address).await;
                insider.csrf = csrf;
                assert_eq!(answer.status, 403, "without the anti-forgery token: {address}");
            }
        }
        let after = (world.audit().await.len(), world.approval().await.unwrap());
        assert_eq!(
            after.0,
            before.0,
            "{:?}",
            world.audit().await.iter().map(|record| record.event.clone()).collect::<Vec<_>>()
        );
        assert_eq!(after.1.epoch, before.1.epoch);
        for door in doors().iter().filter(|door| door.least != "signed-in") {
            let address = address(door, world, request.as_str());
            let entitled = people.iter_mut().find(|person| door.least == "anybody" || person.is.contains(&door.least));
            let answer = entitled.expect("somebody may").knock(door, &address).await;
            let lacks_only_what_it_is_about = door.method != Method::GET && answer.status == 404;
            assert!(
                !is_shut(&answer) || lacks_only_what_it_is_about,
                "{} {address}: {} {}",
                door.method,
                answer.status,
                answer.body
            );
            assert!(!answer.status.is_server_error(), "{} {address}: {}", door.method, answer.body);
        }
        site.remove().await;
    });
}

#[test]
fn what_an_address_names_is_looked_for_where_the_asker_is_at_home() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        site.world.approved(READING).await;
        let world = &site.world;
        let request = world.line().await.access_request_id;
        let mut staff = Person::of(&site, "the other hospital's admin", &world.stranger.account, &[]).await;
        let mut rival = Person::of(&site, "the other provider's owner", &world.rival.account, &[]).await;
        let before = world.audit().await.len();
        let places = ["{client_id}", "{id}", "{endpoint}", "{client}", "{request}"];
        let with_something = |door: &Door| places.iter().any(|place| door.route.contains(place));
        for door in doors().iter().filter(|door| with_something(door)) {
            // their own organization or provider, and in it what is another's
            let address = address(door, world, request.as_str())
                .replace("/st-mary/", "/st-luke/")
                .replace(world.developer.provider.id.as_str(), world.rival.provider.id.as_str());
            let person = if door.route.contains("{org}") { &mut staff } else { &mut rival };
            let answer = person.knock(door, &address).await;
            assert_eq!(answer.status, 404, "{} {address}: {}", door.method, answer.body);
        }
        assert_eq!(world.audit().await.len(), before);
        site.remove().await;
    });
}

#[test]
fn what_a_form_names_belongs_to_whom_the_form_is_of() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let world = &site.world;
        // a thing of each kind at home
        initial_access_tokens::make(&world.app, &world.admin, "for Acme").await.unwrap();
        let invitation_id = initial_access_tokens::list(&world.app, &world.admin).await.unwrap()[0].id.to_string();
        let (webhook, _) =
            webhooks::register(&world.app, &world.developer, "https://hooks.acme.example/").await.unwrap();
        make_api_token(&world.app, &world.developer.account, "mine", Some(30)).await.unwrap();
        let mut owner = site.signed_in(&world.developer.account).await;
        let (token, session) = {
            let mut conn = world.app.store.read().await.unwrap();
            let tokens = storage::api_tokens::list(&mut conn, &world.developer.account.id).await.unwrap();
            let sessions =
                storage::sessions::list(&mut conn, &world.developer.account.id, world.app.now()).await.unwrap();
            (tokens[0].id.to_string(), sessions[0].id.to_string())
        };
        let provider = world.rival.provider.id.as_str();
        let (viewer, colleague) = (world.viewer.account.id.as_str(), world.developer.account.id.as_str());
        let mut staff = Person::of(&site, "the other hospital's admin", &world.stranger.account, &[]).await;
        let mut rival = Person::of(&site, "the other provider's owner", &world.rival.account, &[]).await;
        let before = (world.audit().await.len(), state(world).await);
        for (who, address, form) in [
            (true, "/console/st-luke/members/remove".to_owned(), format!("member={viewer}")),
            (true, "/console/st-luke/members/role".into(), format!("member={viewer}&role=admin")),
            (true, "/console/st-luke/fhir-endpoints/resource-server".into(), format!("endpoint={}", world.endpoint.id)),
            (true, "/console/st-luke/registration/tokens/revoke".into(), format!("token={invitation_id}")),
            (false, format!("/portal/{provider}/members/remove"), format!("account={colleague}")),
            (false, format!("/portal/{provider}/webhooks/remove"), format!("webhook={}", webhook.id)),
            (false, "/account/tokens/revoke".into(), format!("token={token}")),
            (false, "/account/sessions/end".into(), format!("session={session}")),
        ] {
            let person = if who { &mut staff } else { &mut rival };
            let body = format!("{form}&csrf={}", person.csrf);
            let kind = [("content-type", FORM_TYPE)];
            let answer = person.browser.send(Method::POST, &address, &kind, body).await;
            assert_eq!(answer.status, 404, "{address} {form}: {}", answer.body);
        }
        assert_eq!((world.audit().await.len(), state(world).await), before);
        assert_eq!(owner.get("/account").await.status, 200, "still signed in");
        site.remove().await;
    });
}

/// What the forms of others were about.
async fn state(world: &World) -> String {
    let mut conn = world.app.store.read().await.unwrap();
    let conn = &mut *conn;
    format!(
        "{:?}",
        (
            storage::accounts::staff_memberships(conn, &world.viewer.account.id).await.unwrap(),
            storage::application_providers::developer_memberships(conn, &world.developer.account.id).await.unwrap(),
            storage::webhooks::list_by_provider(conn, &world.developer.provider.id).await.unwrap().len(),
            storage::api_tokens::list(conn, &world.developer.account.id).await.unwrap(),
        )
    )
}
