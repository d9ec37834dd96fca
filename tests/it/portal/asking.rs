//! Asking an organization for access, from the first page to the reviewer's line.

use countersign::domain::access_requests::RequestState;
use countersign::domain::clients::{ClientType, GrantType};
use countersign::domain::ids::ClientId;
use countersign::governance::approvals::{Life, Yes, approve, reject};
use countersign::storage;

use crate::governance::world::READING;
use crate::oauth::actors::Stage;
use crate::support::browser::{Answer, Browser};
use crate::support::{Site, on_both};

async fn step_two(site: &Site, browser: &mut Browser) -> Answer {
    let base = format!("/portal/{}/clients/{}", site.world.developer.provider.id, site.world.client.id);
    let page = browser.open(&format!("{base}/ask")).await;
    let form = page.form("/ask/what");
    let at = form.choices.iter().map(|(_, value)| value.clone()).find(|value| value.starts_with("st-mary/")).unwrap();
    browser.submit_and_follow(&form.with("at", &at)).await
}

#[test]
fn a_request_goes_from_tick_boxes_through_plain_words_to_the_organization() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut browser = site.signed_in(&site.world.developer.account).await;
        // what
        let what = step_two(&site, &mut browser).await.form("/ask/why");
        let preview = browser.submit(&what.and("pick", "Observation.rs").and("pick", "Appointment.c")).await;
        assert_eq!(preview.status, 200, "{}", preview.body);
        preview.says("patient/Observation.rs");
        preview.says("patient/Appointment.c");
        // why: a person must be told
        let why = preview.form("/ask/send");
        let missing = browser.submit(&why.clone().with("step", "send").with("reason", " ")).await;
        assert_eq!(missing.status, 400);
        let sent = browser.submit(&why.with("step", "send").with("reason", "To plan visits.")).await;
        assert_eq!(sent.status, 303, "{}", sent.body);
        let page = browser.follow(sent).await;
        page.says("To plan visits.");

        let mut conn = site.world.app.store.read().await.unwrap();
        let request = storage::access_requests::find_waiting(
            &mut conn,
            &site.world.reviewer.organization.id,
            &site.world.client.id,
        )
        .await
        .unwrap()
        .unwrap();
        assert_eq!(request.state, RequestState::Waiting);
        assert!(
            request.scopes.contains("patient/Observation.rs") && request.scopes.contains("patient/Appointment.c"),
            "{}",
            request.scopes
        );
        drop(conn);

        // asking again starts from what waits, and edits it
        let again = step_two(&site, &mut browser).await.form("/ask/why");
        assert!(again.fields.contains(&("pick".into(), "Appointment.c".into())));
        let why = browser.submit(&again.untick("pick", "Appointment.c")).await.form("/ask/send");
        assert_eq!(why.value("reason"), "To plan visits.");
        assert_eq!(browser.submit(&why.with("step", "send")).await.status, 303);
        let mut conn = site.world.app.store.read().await.unwrap();
        let edited = storage::access_requests::find_waiting(
            &mut conn,
            &site.world.reviewer.organization.id,
            &site.world.client.id,
        )
        .await
        .unwrap()
        .unwrap();
        assert_eq!((edited.id, edited.edits), (request.id, 1));
        assert!(!edited.scopes.contains("Appointment"));
        drop(conn);

        // and it can be taken back
        let withdraw = browser.open(&page.at).await.form("/withdraw");
        assert_eq!(browser.submit(&withdraw).await.status, 303);
        let mut conn = site.world.app.store.read().await.unwrap();
        assert!(
            storage::access_requests::find_waiting(
                &mut conn,
                &site.world.reviewer.organization.id,
                &site.world.client.id
            )
            .await
            .unwrap()
            .is_none()
        );
        drop(conn);
        site.remove().await;
    });
}

#[test]
fn pasted_scopes_are_used_as_they_are_and_wrong_ones_are_named() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut browser = site.signed_in(&site.world.developer.account).await;
        let what = step_two(&site, &mut browser).await.form("/ask/why");
        let wrong = browser.submit(&what.clone().with("scopes", "patient/observation.rs patient/Patient.rs")).await;
        assert_eq!(wrong.status, 400);
        wrong.says("patient/observation.rs");
        let nothing = browser.submit(&what.clone().without("sign_in").without("launch_patient")).await;
        assert_eq!(nothing.status, 400);
        let pasted =
            "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory";
        let preview = browser.submit(&what.with("scopes", pasted)).await;
        assert_eq!(preview.form("/ask/send").value("scopes"), pasted);
        site.remove().await;
    });
}

#[test]
fn a_developer_is_told_early_that_access_without_anybody_needs_a_key_there() {
    on_both(async |dialect| {
        let stage = Stage::new(dialect).await;
        let (site, world) = (&stage.site, stage.world());
        let with_secret = stage
            .register(|metadata| {
                metadata.client_type = ClientType::ConfidentialSecret;
                metadata.grant_types = vec![GrantType::AuthorizationCode, GrantType::ClientCredentials];
            })
            .await;
        let (with_key, _) = stage.backend("system/Patient.rs").await;
        let mut browser = site.signed_in(&world.developer.account).await;
        let base = |client: &ClientId| format!("/portal/{}/clients/{client}", world.developer.provider.id);
        let endpoint = {
            let mut conn = world.app.store.read().await.unwrap();
            let here = &world.reviewer.organization.id;
            storage::organizations::list_endpoints(&mut conn, here).await.unwrap().remove(0).slug
        };
        let what = |client: &ClientId| format!("{}/ask/what?at=st-mary/{endpoint}", base(client));
        const TITLE: &str = "Access with nobody signed in needs a key";

        // what, and why
        let page = browser.open(&what(&with_secret)).await;
        page.says(TITLE);
        page.says(&format!("{}/edit", base(&with_secret)));
        let form = page.form("/ask/why");
        let people = browser.submit(&form.clone().with("scopes", "patient/Patient.rs")).await;
        assert_eq!(people.status, 200, "{}", people.body);
        assert!(!people.body.contains(TITLE), "a secret is enough for what people do: {}", people.body);
        let alone = browser.submit(&form.with("scopes", "system/Patient.rs")).await;
        alone.says(TITLE);
        // asking is possible all the same, and its state says it again
        let sent = alone.form("/ask/send").with("step", "send").with("reason", "To count.");
        let page = browser.submit_and_follow(&sent).await;
        page.says("register one meanwhile");
        stage.approve(&with_secret, "system/Patient.rs").await;
        browser.open(&page.at).await.says("the organization wants a key for that");
        browser.open(&base(&with_secret)).await.says("the organization wants a key for that");

        // nothing of it to a client with a key, or where secrets are taken
        assert!(!browser.open(&what(&with_key)).await.body.contains(TITLE));
        browser.open(&base(&with_key)).await.says("It may be used now.");
        stage.takes_secrets(true).await;
        assert!(!browser.open(&what(&with_secret)).await.body.contains(TITLE));
        browser.open(&base(&with_secret)).await.says("It may be used now.");
        stage.end().await;
    });
}

#[test]
fn a_developer_reads_the_organizations_words_as_its_own_and_nobody_elses() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let world = &site.world;
        let mut browser = site.signed_in(&world.developer.account).await;
        let (request, _) = world.ask(READING).await;
        let path = format!("/portal/{}/requests/{}", world.developer.provider.id, request.id);
        let own = |page: &str| page.matches("s growth, for their parents").count();
        let asked = own(&browser.open(&path).await.body);
        assert!(asked > 0);
        reject(&world.app, &world.reviewer, &request.id, "Not before spring.", true).await.unwrap();
        let rejected = browser.open(&path).await.body;
        assert_eq!(own(&rejected), asked, "the hospital did not say that");
        assert_eq!(rejected.matches("Not before spring.").count(), 2, "in front, and where it happened");
        let (request, _) = world.ask(READING).await;
        let digest = world.review(&request.id).await.digest;
        let scopes = Some(vec!["launch/patient".to_owned(), "patient/Patient.r".to_owned()]);
        approve(&world.app, &world.reviewer, &request.id, Yes { digest, scopes, life: Life::AsConfigured })
            .await
            .unwrap();
        let page = browser.open(&format!("/portal/{}/requests/{}", world.developer.provider.id, request.id)).await;
        assert_eq!(own(&page.body), asked);
        page.says("Approved with less than was asked.");
        site.remove().await;
    });
}
