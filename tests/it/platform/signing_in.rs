//! Who gets in, who does not, and for how long.

use axum::http::Method;
use countersign::domain::secrets::PlainSecret;
use countersign::governance::accounts::make_api_token;
use countersign::storage::connect::Dialect;

use crate::support::browser::Browser;
use crate::support::site::PASSWORD;
use crate::support::{Site, on_both};

async fn try_to_sign_in(browser: &mut Browser, email: &str, password: &str) -> u16 {
    let form = browser.open("/sign-in").await.form("/sign-in").with("email", email).with("password", password);
    browser.submit(&form).await.status.as_u16()
}

#[test]
fn a_form_that_was_not_shown_to_this_browser_signs_nobody_in() {
    on_both(|dialect: Dialect| async move {
        let site = Site::new(dialect).await;
        site.give_password(&site.world.reviewer.account).await;
        let email = site.world.reviewer.account.email.clone();
        // the attacker's own token, posted by the victim's browser
        let mut attacker = site.browser();
        let token = attacker.open("/sign-in").await.form("/sign-in").value("csrf").to_owned();
        let mut victim = site.browser();
        victim.open("/sign-in").await;
        for csrf in [token.as_str(), "", "x"] {
            let form = [("csrf", csrf), ("return_to", "/account"), ("email", &email), ("password", PASSWORD)];
            let answer = victim.post("/sign-in", &form).await;
            assert_eq!(answer.status, 403);
            // nothing is lost: the way on is the form again, on the way to the same page
            assert!(
                answer.body.replace("&#x2F;", "/").contains("href=\"/sign-in?next=%2Faccount\""),
                "{}",
                answer.body
            );
            assert!(victim.cookie("__Host-cs_session").is_none());
        }
        site.remove().await;
    });
}

#[test]
fn after_ten_wrong_passwords_the_right_one_waits_a_quarter_of_an_hour() {
    on_both(|dialect: Dialect| async move {
        let site = Site::new(dialect).await;
        site.give_password(&site.world.reviewer.account).await;
        let email = site.world.reviewer.account.email.clone();
        let shouted = email.to_uppercase();
        for attempt in 0..10 {
            let spelling = if attempt % 2 == 0 { &email } else { &shouted };
            assert_eq!(try_to_sign_in(&mut site.browser(), spelling, "wrong password").await, 401);
        }
        assert_eq!(try_to_sign_in(&mut site.browser(), &email, PASSWORD).await, 429);
        site.world.clock.advance_seconds(15 * 60);
        assert_eq!(try_to_sign_in(&mut site.browser(), &email, PASSWORD).await, 303);
        site.remove().await;
    });
}

#[test]
fn an_unknown_address_is_answered_like_a_known_one() {
    on_both(|dialect: Dialect| async move {
        let site = Site::new(dialect).await;
        site.give_password(&site.world.reviewer.account).await;
        let known = site.world.reviewer.account.email.clone();
        let mut bodies = Vec::new();
        for email in [known.as_str(), "nobody@st-mary.example"] {
            let mut browser = site.browser();
            let form =
                browser.open("/sign-in").await.form("/sign-in").with("email", email).with("password", "wrong password");
            let csrf = form.value("csrf").to_owned();
            let answer = browser.submit(&form).await;
            assert_eq!(answer.status, 401);
            bodies.push(answer.body.replace(email, "EMAIL").replace(&csrf, "CSRF"));
        }
        assert_eq!(bodies[0], bodies[1]);
        site.remove().await;
    });
}

#[test]
fn signing_in_leads_only_to_pages_of_ours() {
    on_both(|dialect: Dialect| async move {
        let site = Site::new(dialect).await;
        site.give_password(&site.world.reviewer.account).await;
        let email = site.world.reviewer.account.email.clone();
        for (next, goes) in [
            ("/account", "/account"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("javascript:alert(1)", "/"),
        ] {
            let mut browser = site.browser();
            let form = browser
                .open("/sign-in")
                .await
                .form("/sign-in")
                .with("email", &email)
                .with("password", PASSWORD)
                .with("return_to", next);
            let answer = browser.submit(&form).await;
            assert_eq!((answer.status.as_u16(), answer.location().as_str()), (303, goes), "{next}");
        }
        site.remove().await;
    });
}

#[test]
fn a_session_is_new_at_sign_in_and_dead_after_sign_out_disuse_and_age() {
    on_both(|dialect: Dialect| async move {
        let site = Site::new(dialect).await;
        let account = site.world.reviewer.account.clone();
        let mut browser = site.signed_in(&account).await;
        let first = browser.cookie("__Host-cs_session").unwrap().to_owned();
        assert_eq!(browser.get("/account").await.status, 200);
        let form = browser.open("/account").await.form("/sign-out");
        browser.submit(&form).await;
        // the cookie is gone, and would be worthless if it were not
        assert_eq!(browser.get("/account").await.location(), "/sign-in?next=%2Faccount");
        let cookie = format!("__Host-cs_session={first}");
        let stale = site.browser().send(Method::GET, "/account", &[("cookie", &cookie)], "").await;
        assert_eq!(stale.status, 303);

        let mut browser = site.signed_in(&account).await;
        assert_ne!(browser.cookie("__Host-cs_session").unwrap(), first);
        site.world.clock.advance_seconds(29 * 60);
        assert_eq!(browser.get("/account").await.status, 200);
        site.world.clock.advance_seconds(29 * 60);
        assert_eq!(browser.get("/account").await.status, 200);
        site.world.clock.advance_seconds(31 * 60);
        assert_eq!(browser.get("/account").await.status, 303);
        site.remove().await;
    });
}

#[test]
fn a_new_password_ends_every_other_session_and_every_token() {
    on_both(|dialect: Dialect| async move {
        let site = Site::new(dialect).await;
        let account = site.world.reviewer.account.clone();
        let mut here = site.signed_in(&account).await;
        let mut elsewhere = site.signed_in(&account).await;
        let token = make_api_token(&site.world.app, &account, "script", None).await.unwrap();
        let others = make_api_token(&site.world.app, &site.world.viewer.account, "script", None).await.unwrap();
        let mut script = site.browser();
        let mut works = async |token: &PlainSecret| {
            let bearer = format!("Bearer {}", token.reveal());
            script.send(Method::GET, "/api/v1/me", &[("authorization", &bearer)], "").await.status == 200
        };
        let form = here
            .open("/account")
            .await
            .form("/account/password")
            .with("current_password", "not it")
            .with("new_password", "a sentence to remember");
        assert_eq!(here.submit(&form).await.status, 400);
        assert!(works(&token).await);
        let form = form.with("current_password", PASSWORD);
        assert_eq!(here.submit(&form).await.status, 303);
        assert_eq!(here.get("/account").await.status, 200);
        assert_eq!(elsewhere.get("/account").await.status, 303);
        assert!(!works(&token).await, "whoever had the password may have made it");
        assert!(works(&others).await);
        assert_eq!(try_to_sign_in(&mut site.browser(), &account.email, PASSWORD).await, 401);
        assert_eq!(try_to_sign_in(&mut site.browser(), &account.email, "a sentence to remember").await, 303);
        site.remove().await;
    });
}

#[test]
fn a_personal_token_is_shown_once_works_at_the_api_only_and_dies_when_revoked() {
    on_both(|dialect: Dialect| async move {
        let site = Site::new(dialect).await;
        let account = site.world.developer.account.clone();
        let mut browser = site.signed_in(&account).await;
        let form = browser.open("/account").await.form("/account/tokens").with("token_name", "script");
        let shown = browser.submit(&form).await;
        let start = shown.body.find("csp_").expect("the token is shown");
        let token: String =
            shown.body[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).collect();
        let page = browser.open("/account").await;
        assert!(!page.body.contains(&token), "it is not shown again");

        let bearer = format!("Bearer {token}");
        let mut script = site.browser();
        assert_eq!(script.send(Method::GET, "/api/v1/clients", &[("authorization", &bearer)], "").await.status, 200);
        assert_eq!(script.send(Method::GET, "/account", &[("authorization", &bearer)], "").await.status, 303);
        let refused = script.send(Method::GET, "/api/v1/clients", &[], "").await;
        assert_eq!(
            (refused.status.as_u16(), refused.header("content-type").as_str()),
            (401, "application/problem+json")
        );

        browser.submit(&page.form("/account/tokens/revoke")).await;
        assert_eq!(script.send(Method::GET, "/api/v1/clients", &[("authorization", &bearer)], "").await.status, 401);
        site.remove().await;
    });
}
