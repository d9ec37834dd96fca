//! The pages of a launch as documents: who may frame them, what they leak, what they run (ATTACKS A15, A30, A31, A36, A40).

use axum::http::Method;
use countersign::domain::organizations::Organization;
use countersign::storage;

use super::actors::{CALLBACK, ISSUER, Stage, answer_of};
use super::requests::{and, set, stops, without};
use crate::support::browser::Answer;
use crate::support::on_both;

const MARKUP: &str = "\"><script>alert('x')</script><img src=x onerror=alert(1)>";

#[track_caller]
fn is_tight(page: &Answer, ancestors: &str) {
    assert_eq!(page.status, 200, "{}", page.at);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'self'") && policy.contains("object-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe-inline") && !policy.contains("unsafe-eval"), "{policy}");
    assert!(policy.ends_with(&format!("frame-ancestors {ancestors}")), "{}: {policy}", page.at);
    assert_eq!(page.header("referrer-policy"), "no-referrer", "{}", page.at);
    assert_eq!(page.header("cache-control"), "no-store", "{}", page.at);
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert!(page.header("access-control-allow-origin").is_empty(), "{}", page.at);
    // nothing is fetched from elsewhere
    for part in ["src=\"", "<link rel=\"stylesheet\" href=\"", "srcset=\""] {
        for found in page.body.split(part).skip(1) {
            assert!(found.starts_with('/') && !found.starts_with("//"), "{}: {part}{}", page.at, &found[..40]);
        }
    }
}

#[test]
fn every_page_of_a_launch_keeps_to_itself() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        stage.is_patient(&stage.patient, &["anna", "ben"]).await;
        let mut browser = stage.app_browser();
        let begun = browser.get(&Stage::authorize_url(&stage.request())).await;
        assert_eq!((begun.status.as_u16(), begun.header("cache-control").as_str()), (303, "no-store"));
        let page = browser.follow(begun).await;
        is_tight(&page, "'none'");
        // A30: every form is answered with 303, so that no password and no choice is sent on
        let form =
            page.form("/sign-in").with("email", &stage.patient.email).with("password", crate::support::site::PASSWORD);
        let answer = browser.submit(&form).await;
        assert_eq!(answer.status, 303);
        let page = browser.follow(answer).await;
        is_tight(&page, "'none'");
        let answer = browser.submit(&page.forms("/patient").remove(0).with("patient", "ben")).await;
        assert_eq!(answer.status, 303);
        let page = browser.follow(answer).await;
        is_tight(&page, "'none'");
        assert_eq!(page.header("x-frame-options"), "DENY");
        let answer = browser.submit(&page.form("/consent").with("decision", "allow")).await;
        assert_eq!(answer.status, 303);
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.header("access-control-allow-origin").is_empty());
        stage.end().await;
    });
}

#[test]
fn an_ehr_that_the_organization_named_may_frame_a_launch_and_nothing_else() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut after: Organization = stage.world().reviewer.organization.clone();
        after.settings.frame_ancestors = vec!["https://ehr.st-mary.example".into()];
        stage
            .world()
            .write(move |conn| Box::pin(async move { storage::organizations::update(conn, &after).await }))
            .await;
        let mut browser = stage.app_browser();
        let page = browser.open(&Stage::authorize_url(&stage.request())).await;
        // the sign-in that a launch needs is part of it; one that somebody came to by themselves is not
        is_tight(&page, "https://ehr.st-mary.example");
        is_tight(&browser.open("/sign-in").await, "'none'");
        is_tight(&browser.open("/sign-in?next=%2Faccount").await, "'none'");
        let page = stage.through_sign_in(&mut browser, page).await;
        page.form("/consent");
        is_tight(&page, "https://ehr.st-mary.example");
        assert!(page.header("x-frame-options").is_empty());
        is_tight(&browser.open("/account").await, "'none'");
        // the other hospital's launches stay closed to it
        let elsewhere = browser.get(&Stage::authorize_url(&stage.request()).replace("st-mary/", "st-luke/")).await;
        stops(&elsewhere, "another organization");
        stage.end().await;
    });
}

#[test]
fn an_answer_as_a_form_is_inert_and_complete() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let uri = "https://app.acme.example/cb?x=\"onmouseover=alert(1)";
        let odd = stage
            .register(|metadata| {
                metadata.name = "<b>Bold</b>".into();
                metadata.redirect_uris = vec![CALLBACK.into(), uri.into()];
            })
            .await;
        stage.approve(&odd, super::actors::PATIENT_SCOPES).await;
        let mut browser = stage.site.signed_in(&stage.patient).await;
        let pairs = and(set(stage.request(), "client_id", odd.as_str()), "response_mode", "form_post");
        let pairs = set(pairs, "state", MARKUP);
        for target in [CALLBACK, uri] {
            // a refusal
            let page = browser
                .open(&Stage::authorize_url(&set(without(pairs.clone(), "scope"), "redirect_uri", target)))
                .await;
            is_tight(&page, "'none'");
            let form = page.form(target);
            assert_eq!(
                (form.value("error"), form.value("state"), form.value("iss")),
                ("invalid_scope", MARKUP, ISSUER)
            );
            assert!(
                !page.body.contains("<script>alert")
                    && !page.body.contains("<b>Bold")
                    && !page.body.contains("\"onmouseover")
            );
            assert_eq!(form.method, "post");
        }
        // a code
        let page = browser.open(&Stage::authorize_url(&pairs)).await;
        let page = browser.submit(&page.form("/consent").with("decision", "allow")).await;
        is_tight(&page, "'none'");
        let form = page.form(CALLBACK);
        assert!(form.value("code").starts_with("csc_"));
        assert_eq!((form.value("state"), form.value("iss")), (MARKUP, ISSUER));
        assert!(!page.body.contains("<script>alert"));
        // the only script is our own file
        for script in page.body.split("<script").skip(1) {
            assert!(script.starts_with(" src=\"/") || script.contains("nonce="), "{script}");
        }
        stage.end().await;
    });
}

#[test]
fn a_refusal_repeats_nothing_that_could_run() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        for name in ["client_id", "redirect_uri", "state", "scope", "aud", "login_hint", "response_mode"] {
            let pairs = set(set(stage.request(), name, MARKUP), "redirect_uri", MARKUP);
            let answer = browser.get(&Stage::authorize_url(&pairs)).await;
            stops(&answer, name);
            assert!(!answer.body.contains("<script>alert") && !answer.body.contains("<img src=x"), "{name}");
        }
        for path in ["continue?flow=", "not-me?flow="] {
            let url = format!(
                "{ISSUER}/{path}{}",
                url::form_urlencoded::byte_serialize(MARKUP.as_bytes()).collect::<String>()
            );
            let answer = browser.get(&url).await;
            assert!(!answer.body.contains("<script>alert"), "{path}");
        }
        // told to the app, it is percent-encoded: once, in one header
        let answer = browser
            .open(&Stage::authorize_url(&without(set(stage.request(), "state", "a\r\nX-Evil: 1"), "scope")))
            .await;
        assert!(answer.header("x-evil").is_empty());
        assert_eq!(answer_of(&answer)["state"], "a\r\nX-Evil: 1");
        assert_eq!(answer.headers.get_all("location").iter().count(), 1);
        stage.end().await;
    });
}

#[test]
fn no_page_of_another_site_reads_the_authorization_endpoint() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.site.signed_in(&stage.patient).await;
        for origin in ["https://app.acme.example", "https://evil.example", "null"] {
            let url = Stage::authorize_url(&stage.request());
            let answer = browser.send(Method::GET, &url, &[("origin", origin)], "").await;
            let page = browser.send(Method::GET, &answer.location(), &[("origin", origin)], "").await;
            for answer in [&answer, &page] {
                assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control-")), "{origin}");
            }
        }
        stage.end().await;
    });
}

#[test]
fn a_form_that_another_site_posts_here_spoils_no_sign_in_and_no_other_launch() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("origin", "https://app.acme.example"),
            ("sec-fetch-site", "cross-site"),
        ];
        let body = |pairs: &[(String, String)]| {
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
        };
        let mut browser = stage.app_browser();
        let waiting = browser.open("/o/st-mary/apps").await;
        // such a form comes without our cookies (SameSite=Lax), so it must leave none behind that takes the place of those
        for pairs in [stage.request(), without(stage.request(), "client_id"), Vec::new()] {
            let answer =
                stage.app_browser().send(Method::POST, &format!("{ISSUER}/authorize"), &headers, body(&pairs)).await;
            assert_eq!(answer.header("set-cookie"), "", "{}", answer.status);
        }
        let mut posted = stage.app_browser();
        let answer = posted.send(Method::POST, &format!("{ISSUER}/authorize"), &headers, body(&stage.request())).await;
        // A39: what it leads to is a GET, which brings the cookies along; both forms of this browser are good
        let launch = browser.get(&answer.location()).await;
        let launch = browser.follow(launch).await;
        let form = waiting.form("/sign-in").with("email", &stage.patient.email);
        let done = browser.submit(&form.with("password", crate::support::site::PASSWORD)).await;
        assert_eq!((done.status.as_u16(), done.location().as_str()), (303, "/o/st-mary/apps"), "{}", done.body);
        assert!(launch.at.starts_with("/sign-in?"));
        browser.open(&answer.location()).await.form("/consent");
        // somebody who was never here before begins by such a form as well
        let mut newcomer = stage.app_browser();
        let answer =
            newcomer.send(Method::POST, &format!("{ISSUER}/authorize"), &headers, body(&stage.request())).await;
        let page = newcomer.follow(answer).await;
        let page = stage.through_sign_in(&mut newcomer, page).await;
        let answer = newcomer.submit(&page.form("/consent").with("decision", "allow")).await;
        assert!(answer_of(&answer).contains_key("code"));
        stage.end().await;
    });
}
