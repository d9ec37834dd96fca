//! The list as URLs, and the organization's own house.

use countersign::governance::approvals::reject;

use crate::governance::world::{READING, account};
use crate::support::{Site, on_both};

#[test]
fn every_view_of_the_list_is_a_url_and_a_forged_one_is_refused() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut nurse = site.signed_in(&site.world.reviewer.account).await;
        nurse.open("/console/st-mary/clients").await.says("No app has asked yet");
        let (request, _) = site.world.ask(READING).await;
        reject(&site.world.app, &site.world.reviewer, &request.id, "No.", true).await.unwrap();
        for (query, found) in [
            ("", false),
            ("?state=rejected", true),
            ("?state=all", true),
            ("?state=all&q=growth", true),
            ("?state=all&q=zebra", false),
            ("?state=approved", false),
            ("?state=all&sort=name&page=1", true),
            ("?state=all&sort=last-used", true),
            ("?state=all&page=2", false),
        ] {
            let page = nurse.open(&format!("/console/st-mary/clients{query}")).await;
            assert_eq!(page.status, 200, "{query}");
            assert_eq!(page.body.contains("Growth Chart"), found, "{query}");
        }
        for query in ["?state=live", "?sort=%27", "?page=0", "?page=-1", "?page=x", "?page=99999999999999999999"] {
            assert_eq!(nurse.get(&format!("/console/st-mary/clients{query}")).await.status, 400, "{query}");
        }
        site.remove().await;
    });
}

#[test]
fn a_search_that_finds_nothing_does_not_say_that_nobody_waits() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut viewer = site.signed_in(&site.world.viewer.account).await;
        viewer.open("/console/st-mary/clients").await.says("No request waits for you.");
        site.world.ask(READING).await;
        let found = viewer.open("/console/st-mary/clients?q=nothing+like+it").await;
        assert!(!found.body.contains("No request waits"), "{}", found.body);
        site.remove().await;
    });
}

#[test]
fn what_people_type_stays_text_on_every_page() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut question = site.world.question(READING);
        question.reason = "<script>alert(1)</script>{{ 41397 * 3 }}".into();
        let (request, _) =
            countersign::governance::access_requests::ask(&site.world.app, &site.world.developer, question)
                .await
                .unwrap();
        site.world.revise(|metadata| metadata.name = "<img src=x onerror=alert(1)>".into()).await;
        let mut nurse = site.signed_in(&site.world.reviewer.account).await;
        for path in
            ["clients".to_owned(), format!("access-requests/{}", request.id), "activity".into(), "notifications".into()]
        {
            let page = nurse.open(&format!("/console/st-mary/{path}")).await;
            assert_eq!(page.status, 200, "{path}");
            assert!(!page.body.contains("<script>alert") && !page.body.contains("<img src=x"), "{path}");
            assert!(!page.body.contains("124191"), "{path}: nothing typed is a template");
            assert!(page.header("content-security-policy").contains("script-src"), "{path}");
        }
        site.remove().await;
    });
}

#[test]
fn an_admin_keeps_members_endpoints_and_settings() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        account(&site.world.app, "eva").await;
        let mut admin = site.signed_in(&site.world.admin.account).await;

        let members = admin.open("/console/st-mary/members").await;
        let wrong = admin.submit(&members.form("/members/add").with("email", "nobody@example.org")).await;
        assert_eq!(wrong.status, 422);
        wrong.says("Nobody with this address has an account yet.");
        let members = admin
            .submit_and_follow(&members.form("/members/add").with("email", "eva@example.org").with("role", "reviewer"))
            .await;
        members.says("The member is added.");
        members.says("eva@example.org");

        let endpoints = admin.open("/console/st-mary/fhir-endpoints").await;
        let form = endpoints.form("/fhir-endpoints/add").with("name", "Lab data").with("version", "r4");
        let wrong = admin.submit(&form.clone().with("base_url", "ftp://lab.example")).await;
        assert_eq!(wrong.status, 422);
        wrong.says("Lab data");
        let endpoints = admin.submit_and_follow(&form.with("base_url", "https://lab.st-mary.example/fhir")).await;
        endpoints.says("https://countersign.example/o/st-mary/fhir/lab-data/.well-known/smart-configuration");
        let made = admin
            .post(
                "/console/st-mary/fhir-endpoints/resource-server",
                &[("csrf", endpoints.form("/add").value("csrf")), ("endpoint", site.world.endpoint.id.as_str())],
            )
            .await;
        assert_eq!(made.status, 200, "{}", made.body);
        made.says("client_secret");

        let page = admin.open("/console/st-mary/fhir-endpoints").await;
        let change = page.form(&format!("/fhir-endpoints/{}/change", site.world.endpoint.id));
        assert_eq!(change.value("base_url"), site.world.endpoint.base_url);
        admin.submit_and_follow(&change.clone().with("name", "Patient records")).await.says("Patient records");
        assert_eq!(
            admin.submit(&change.with("base_url", "https://lab.st-mary.example/fhir")).await.status,
            422,
            "taken"
        );

        let settings = admin.open("/console/st-mary/settings").await;
        let form = settings.form("/settings").with("name", "St. Mary").with("duration", "365");
        assert_eq!(admin.submit(&form.clone().with("frame_ancestors", "*")).await.status, 422);
        let saved =
            admin.submit_and_follow(&form.with("frame_ancestors", "https://ehr.example/\nhttps://ehr2.example")).await;
        saved.says("Saved.");
        saved.says("https://ehr2.example");
        for event in ["staff.added", "fhir_endpoint.added", "resource_server.added", "organization.settings_changed"] {
            assert_eq!(site.world.recorded(event).await, 1, "{event}");
        }
        site.remove().await;
    });
}

#[test]
fn looking_at_the_activity_is_part_of_it() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        site.world.approved(READING).await;
        let mut viewer = site.signed_in(&site.world.viewer.account).await;
        let first = viewer.open("/console/st-mary/activity").await;
        first.says("Growth Chart: Asked for access.");
        for (kind, found) in [("requests", true), ("clients", false), ("staff", false), ("tokens", false)] {
            let page = viewer.open(&format!("/console/st-mary/activity?kind={kind}")).await;
            assert_eq!(page.body.contains("Growth Chart: Approved."), found, "{kind}");
        }
        let second = viewer.open("/console/st-mary/activity?kind=&q=audit").await;
        second.says("Looked at the activity.");
        assert!(!second.body.contains("Asked for access."));
        assert_eq!(site.world.recorded("audit.viewed").await, 6);
        for query in ["?before=0", "?before=x", "?kind=secrets"] {
            assert_eq!(viewer.get(&format!("/console/st-mary/activity{query}")).await.status, 400, "{query}");
        }
        let told = viewer.open("/console/st-mary/notifications").await;
        told.says("Growth Chart is live");
        told.says("piet@example.org");
        site.remove().await;
    });
}

#[test]
fn every_entry_of_the_navigation_leads_somewhere() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut viewer = site.signed_in(&site.world.viewer.account).await;
        let page = viewer.open("/console/st-mary/clients").await;
        let nav = page.body.split("<nav").nth(1).and_then(|rest| rest.split("</nav>").next()).unwrap();
        let links: Vec<&str> = nav
            .split("href=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .filter(|link| link.starts_with("/console/"))
            .collect();
        assert!(links.len() >= 6, "{links:?}");
        for link in links {
            assert_eq!(viewer.open(&link.replace("&amp;", "&")).await.status, 200, "{link}");
        }
        site.remove().await;
    });
}

#[test]
fn the_console_speaks_dutch() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let (request, _) = site.world.ask(READING).await;
        let mut nurse = site.signed_in(&site.world.reviewer.account).await;
        nurse.open("/console/st-mary/clients?lang=nl").await;
        let review = nurse.open(&format!("/console/st-mary/access-requests/{}", request.id)).await;
        review.says("vraagt toegang");
        site.remove().await;
    });
}
