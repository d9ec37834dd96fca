//! A reviewer at work: the list, the review, the decision, the receipt.

use countersign::domain::access_requests::RequestState;
use countersign::domain::clients::{ClientType, GrantType};
use countersign::governance::access_requests::{Ask, ask};
use countersign::governance::approvals::{Life, Yes, approve, reject};

use crate::governance::world::{READING, World};
use crate::oauth::actors::Stage;
use crate::support::{Site, on_both};

#[test]
fn a_reviewer_finds_a_request_reads_it_and_countersigns_it() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let (request, _) = site.world.ask(READING).await;
        let mut nurse = site.signed_in(&site.world.reviewer.account).await;

        let list = nurse.open("/console/st-mary").await;
        assert_eq!(list.at, "/console/st-mary/clients");
        list.says("One request waits for you");
        list.says("Growth Chart");
        let path = format!("/console/st-mary/access-requests/{}", request.id);
        list.says(&path);

        let review = nurse.open(&path).await;
        review.says("growth, for their parents.");
        review.says("patient/Observation.rs");
        let form = review.form("/decide").with("decision", "approve");
        let confirm = nurse.submit(&form).await;
        assert_eq!(confirm.status, 200, "{}", confirm.body);
        assert!(site.world.approval().await.is_none(), "nothing is approved before it is confirmed");

        let receipt = nurse.submit(&confirm.form("/decide")).await;
        assert_eq!(receipt.status, 303, "{}", receipt.body);
        assert!(receipt.location().starts_with("/console/st-mary/receipts/"), "{}", receipt.location());
        let receipt = nurse.follow(receipt).await;
        assert_eq!(receipt.status, 200, "{}", receipt.body);
        receipt.says("Growth Chart");
        assert_eq!(site.world.approval().await.unwrap().scopes, READING);

        // the page of a decided request has no decision left, and a second click decides nothing
        let again = nurse.submit(&confirm.form("/decide")).await;
        assert_eq!(again.status, 409);
        assert_eq!(site.world.recorded("access_request.approved").await, 1);
        nurse.open(&path).await.says("This request is decided.");
        site.remove().await;
    });
}

#[test]
fn a_category_that_us_core_published_misspelt_is_told_in_words_and_approved_as_it_was_asked() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let asked =
            "patient/Observation.rs?category=http://terminology.hl7.org//CodeSystem-observation-category|laboratory";
        let (request, _) = site.world.ask(asked).await;
        let mut nurse = site.signed_in(&site.world.reviewer.account).await;
        let review = nurse.open(&format!("/console/st-mary/access-requests/{}", request.id)).await;
        review.says("lab results");
        review.says("//CodeSystem-observation-category|laboratory");
        assert!(!review.body.contains("risk-needs-check"), "what it means is known");
        let confirm = nurse.submit(&review.form("/decide").with("decision", "approve")).await;
        nurse.submit(&confirm.form("/decide")).await;
        assert_eq!(site.world.approval().await.unwrap().scopes, asked);
        site.remove().await;
    });
}

#[test]
fn what_is_unticked_is_left_out() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let (request, _) = site.world.ask("openid launch/patient patient/Observation.rs patient/Condition.rs").await;
        let mut nurse = site.signed_in(&site.world.reviewer.account).await;
        let review = nurse.open(&format!("/console/st-mary/access-requests/{}", request.id)).await;
        let form = review
            .form("/decide")
            .with("decision", "less")
            .untick("scope", "patient/Condition.rs")
            .with("duration", "90");
        let confirm = nurse.submit(&form).await;
        assert_eq!(confirm.status, 200, "{}", confirm.body);
        confirm.says("Left out of what was asked");
        let receipt = nurse.submit_and_follow(&confirm.form("/decide")).await;
        receipt.says("with less");
        let approval = site.world.approval().await.unwrap();
        assert_eq!(approval.scopes, "openid launch/patient patient/Observation.rs");
        assert_eq!(approval.expires_at, Some(approval.approved_at.plus_days(90)));
        site.remove().await;
    });
}

#[test]
fn what_is_left_out_is_out_or_the_decision_is_not_taken() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let asked =
            "openid launch/patient patient/*.rs patient/Observation.rs patient/Observation.rs?category=laboratory";
        let (request, _) = site.world.ask(asked).await;
        let mut nurse = site.signed_in(&site.world.reviewer.account).await;
        let review = nurse.open(&format!("/console/st-mary/access-requests/{}", request.id)).await;
        let less = review.form("/decide").with("decision", "less");
        let nothing = nurse.submit(&less).await;
        assert_eq!(nothing.status, 422);
        nothing.says("Nothing is left out");
        // the wider line stays: the app would read observations all the same
        let still = less.clone().untick("scope", "patient/Observation.rs");
        for confirmed in ["", "1"] {
            let answer = nurse.submit(&still.clone().with("confirmed", confirmed)).await;
            assert_eq!(answer.status, 422, "{}", answer.body);
            answer.says("still permits it");
            let again = answer.form("/decide");
            assert_eq!(again.value("decision"), "less");
        }
        assert!(site.world.approval().await.is_none());
        let both = still.untick("scope", "patient/*.rs");
        let confirm = nurse.submit(&both).await;
        nurse.submit(&confirm.form("/decide")).await;
        let scopes = site.world.approval().await.unwrap().scopes;
        assert_eq!(scopes, "openid launch/patient patient/Observation.rs?category=laboratory");
        site.remove().await;
    });
}

#[test]
fn another_spelling_of_what_stays_may_be_left_out() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let (request, _) = world.ask("launch/patient patient/Observation.read patient/Observation.rs").await;
        let digest = world.review(&request.id).await.digest;
        let scopes = Some(vec!["launch/patient".to_owned(), "patient/Observation.rs".to_owned()]);
        let yes = Yes { digest, scopes, life: Life::AsConfigured };
        let approval = approve(&world.app, &world.reviewer, &request.id, yes).await.unwrap();
        assert_eq!(approval.scopes, "launch/patient patient/Observation.rs");
        world.end().await;
    });
}

#[test]
fn more_than_was_asked_is_refused_at_both_steps() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let (request, _) = site.world.ask(READING).await;
        let mut nurse = site.signed_in(&site.world.reviewer.account).await;
        let review = nurse.open(&format!("/console/st-mary/access-requests/{}", request.id)).await;
        for confirmed in ["", "1"] {
            let form = review
                .form("/decide")
                .with("decision", "less")
                .with("scope", "patient/*.cruds")
                .with("confirmed", confirmed);
            assert_eq!(nurse.submit(&form).await.status, 400);
        }
        let nothing = review.form("/decide").with("decision", "less").without("scope");
        assert_eq!(nurse.submit(&nothing).await.status, 422);
        assert!(site.world.approval().await.is_none());
        site.remove().await;
    });
}

#[test]
fn what_changed_since_the_screen_is_shown_and_not_approved() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let (request, _) = site.world.ask(READING).await;
        let mut nurse = site.signed_in(&site.world.reviewer.account).await;
        let path = format!("/console/st-mary/access-requests/{}", request.id);
        let form = nurse.open(&path).await.form("/decide").with("decision", "approve");
        let confirm = nurse.submit(&form).await.form("/decide");
        site.world.ask("launch/patient patient/Observation.rs patient/Patient.r patient/Procedure.rs").await;
        for stale in [form, confirm] {
            let answer = nurse.submit(&stale).await;
            assert_eq!(answer.status, 409);
            answer.says("Nothing was decided.");
            answer.says("One new kind of access");
            answer.says("procedures");
            answer.says(&path);
        }
        assert!(site.world.approval().await.is_none());
        assert_eq!(site.world.request(&request.id).await.state, RequestState::Waiting);
        site.remove().await;
    });
}

#[test]
fn a_decision_of_somebody_else_is_told_to_who_comes_second() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let (request, _) = site.world.ask(READING).await;
        let mut nurse = site.signed_in(&site.world.reviewer.account).await;
        let review = nurse.open(&format!("/console/st-mary/access-requests/{}", request.id)).await;
        reject(&site.world.app, &site.world.admin, &request.id, "Not here.", true).await.unwrap();
        let answer = nurse.submit(&review.form("/decide").with("decision", "approve").with("confirmed", "1")).await;
        assert_eq!(answer.status, 409);
        answer.says("adam");
        assert!(site.world.approval().await.is_none());
        site.remove().await;
    });
}

#[test]
fn a_rejection_without_a_reason_comes_back_with_what_was_typed() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let (request, _) = site.world.ask(READING).await;
        let mut nurse = site.signed_in(&site.world.reviewer.account).await;
        let path = format!("/console/st-mary/access-requests/{}", request.id);
        let form = nurse.open(&path).await.form("/decide").with("decision", "reject").with("reason", "  ");
        let answer = nurse.submit(&form).await;
        assert_eq!(answer.status, 422);
        answer.says("This must be filled in.");
        // no choice at all is said, too
        assert_eq!(nurse.submit(&answer.form("/decide").without("decision")).await.status, 422);
        let form = answer
            .form("/decide")
            .with("decision", "reject")
            .with("reason", "Ask for <less>.")
            .without("may_ask_again");
        let confirm = nurse.submit(&form).await;
        assert_eq!(confirm.status, 200, "{}", confirm.body);
        confirm.says("Ask for &lt;less&gt;.");
        assert_eq!(site.world.request(&request.id).await.state, RequestState::Waiting);
        let receipt = nurse.submit_and_follow(&confirm.form("/decide")).await;
        receipt.says("Ask for &lt;less&gt;.");
        let RequestState::Rejected { reason, may_ask_again, .. } = site.world.request(&request.id).await.state else {
            panic!()
        };
        assert_eq!((reason.as_str(), may_ask_again), ("Ask for <less>.", false));

        // the block is lifted where it is seen
        let client = nurse.open(&format!("/console/st-mary/clients/{}", site.world.client.id)).await;
        let allow = client.form("/allow-again");
        nurse.submit_and_follow(&allow).await.says("The provider may ask again.");
        assert_eq!(nurse.submit(&allow).await.status, 409);
        site.world.clock.advance_seconds(1);
        site.world.ask(READING).await;
        site.remove().await;
    });
}

#[test]
fn a_change_shows_what_is_added_and_a_new_host_in_front() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        site.world.approved(READING).await;
        site.world.clock.advance_seconds(60);
        site.world.revise(|metadata| metadata.redirect_uris.push("https://elsewhere.example/cb".into())).await;
        let mut nurse = site.signed_in(&site.world.reviewer.account).await;
        let line = site.world.line().await;
        let client = nurse.open(&format!("/console/st-mary/clients/{}", site.world.client.id)).await;
        let path = format!("/console/st-mary/access-requests/{}", line.access_request_id);
        client.says(&path);
        let review = nurse.open(&path).await;
        review.says("What would change");
        review.says("https://elsewhere.example/cb");
        review.says("New web address");
        site.remove().await;
    });
}

#[test]
fn a_reviewer_reads_whether_a_secret_will_get_tokens_here_and_an_admin_where_that_is_decided() {
    on_both(async |dialect| {
        let stage = Stage::new(dialect).await;
        let world = stage.world();
        let client = stage
            .register(|metadata| {
                metadata.client_type = ClientType::ConfidentialSecret;
                metadata.grant_types = vec![GrantType::ClientCredentials];
                metadata.redirect_uris = Vec::new();
            })
            .await;
        let question = Ask { client_id: client.clone(), ..world.question("system/Patient.rs") };
        let (request, _) = ask(&world.app, &world.developer, question).await.unwrap();
        let path = format!("/console/st-mary/access-requests/{}", request.id);
        let page_of_client = format!("/console/st-mary/clients/{client}");
        let mut nurse = stage.site.signed_in(&world.reviewer.account).await;
        let mut admin = stage.site.signed_in(&world.admin.account).await;
        const REFUSED: [&str; 2] = ["Gets no tokens here until it has a key", "No tokens without a key"];
        const WARNED: &str = "Proves itself with a shared secret, not a key";
        const LINK: &str = "Go to the settings";

        // before a decision
        let page = nurse.open(&path).await;
        for words in REFUSED {
            page.says(words);
        }
        assert!(!page.body.contains(WARNED) && !page.body.contains(LINK), "{}", page.body);
        admin.open(&path).await.says(LINK);
        stage.takes_secrets(true).await;
        let page = nurse.open(&path).await;
        page.says(WARNED);
        assert!(REFUSED.iter().all(|words| !page.body.contains(words)), "{}", page.body);

        // and after it
        stage.approve(&client, "system/Patient.rs").await;
        let page = admin.open(&page_of_client).await;
        assert!(!page.body.contains(REFUSED[1]), "{}", page.body);
        stage.takes_secrets(false).await;
        let page = admin.open(&page_of_client).await;
        page.says(REFUSED[1]);
        page.says(LINK);
        // not of an app that people use with a secret, nor of one with a key
        let (app, _) = stage.confidential().await;
        let (service, _) = stage.backend("system/Patient.rs").await;
        for client in [app, service] {
            let page = admin.open(&format!("/console/st-mary/clients/{client}")).await;
            assert!(!page.body.contains(REFUSED[1]), "{}", page.body);
        }
        stage.end().await;
    });
}
