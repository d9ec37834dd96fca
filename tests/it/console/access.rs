//! Every page and form of the console, for those who may not.

use axum::http::Method;

use crate::governance::world::READING;
use crate::support::{Site, on_both};

/// (path below `/console/st-mary`, is it a form, the role it takes)
fn routes(client: &str, request: &str, member: &str, endpoint: &str) -> Vec<(String, bool, &'static str)> {
    let _ = member;
    vec![
        (String::new(), false, "viewer"),
        ("/clients".into(), false, "viewer"),
        (format!("/clients/{client}"), false, "viewer"),
        (format!("/clients/{client}/disable"), true, "reviewer"),
        (format!("/clients/{client}/enable"), true, "reviewer"),
        (format!("/access-requests/{request}"), false, "viewer"),
        (format!("/access-requests/{request}/decide"), true, "reviewer"),
        (format!("/access-requests/{request}/allow-again"), true, "reviewer"),
        ("/receipts/2".into(), false, "viewer"),
        ("/activity".into(), false, "viewer"),
        ("/notifications".into(), false, "viewer"),
        ("/notifications/retry".into(), true, "reviewer"),
        ("/members".into(), false, "viewer"),
        ("/members/add".into(), true, "admin"),
        ("/members/role".into(), true, "admin"),
        ("/members/remove".into(), true, "admin"),
        ("/fhir-endpoints".into(), false, "viewer"),
        ("/fhir-endpoints/add".into(), true, "admin"),
        ("/fhir-endpoints/resource-server".into(), true, "admin"),
        (format!("/fhir-endpoints/{endpoint}/change"), true, "admin"),
        (format!("/fhir-endpoints/{endpoint}/reading"), true, "admin"),
        ("/launches".into(), false, "viewer"),
        ("/launches".into(), true, "reviewer"),
        ("/brand".into(), false, "viewer"),
        ("/settings".into(), false, "viewer"),
        ("/settings".into(), true, "admin"),
    ]
}

const FORM: &str = "reason=x&confirmed=1&decision=approve&digest=x&notification=1&email=a%40b.example&role=viewer&member=acc_x&name=N&base_url=https%3A%2F%2Fx.example&version=r4&contact=&endpoint=fep_x&reading=own";

#[test]
fn nobody_strangers_and_lower_roles_are_kept_out_of_everything() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        site.world.approved(READING).await;
        let world = &site.world;
        let request = world.line().await.access_request_id;
        let routes = routes(
            world.client.id.as_str(),
            request.as_str(),
            world.reviewer.account.id.as_str(),
            world.endpoint.id.as_str(),
        );
        let before = world.audit().await.len();
        let mut nobody = site.browser();
        let mut stranger = site.signed_in(&world.stranger.account).await;
        let mut viewer = site.signed_in(&world.viewer.account).await;
        let stranger_csrf = csrf(&mut stranger, "/console/st-luke/settings").await;
        let viewer_csrf = csrf(&mut viewer, "/console/st-mary/settings").await;
        let form = [("content-type", "application/x-www-form-urlencoded")];
        for (rest, is_form, role) in &routes {
            let path = format!("/console/st-mary{rest}");
            let method = if *is_form { Method::POST } else { Method::GET };
            let body = |csrf: &str| if *is_form { format!("{FORM}&csrf={csrf}") } else { String::new() };

            let answer = nobody.send(method.clone(), &path, &form, body("")).await;
            assert_eq!(answer.status, 303, "nobody: {path}");
            assert!(answer.location().starts_with("/sign-in"), "nobody: {path}");

            let answer = stranger.send(method.clone(), &path, &form, body(&stranger_csrf)).await;
            assert_eq!(answer.status, 404, "stranger: {path} {}", answer.body);

            if *is_form {
                let answer = viewer.send(method.clone(), &path, &form, body("")).await;
                assert_eq!(answer.status, 403, "without the anti-forgery token: {path}");
            }
            let answer = viewer.send(method, &path, &form, body(&viewer_csrf)).await;
            let allowed = *role == "viewer";
            assert_eq!(answer.status == 403, !allowed, "viewer: {path} {} {}", answer.status, answer.body);
        }
        // the viewer read the activity once, and that is all that happened
        let after = world.audit().await;
        assert_eq!(after.len(), before + 1, "{:?}", after.iter().map(|record| &record.event).collect::<Vec<_>>());
        site.remove().await;
    });
}

/// The anti-forgery token of somebody's session.
async fn csrf(browser: &mut crate::support::browser::Browser, page: &str) -> String {
    browser.open(page).await.form("/sign-out").value("csrf").to_owned()
}
