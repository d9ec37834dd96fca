//! How fresh a sign-in has to be, and that nothing older passes for it (ATTACKS A26; OpenID Connect Core 3.1.2.1).

use super::actors::{ISSUER, Stage, Tokens, answer_of, claims_of};
use super::requests::{and, tells_the_app};
use crate::support::on_both;
use crate::support::site::PASSWORD;

#[test]
fn a_session_from_before_the_request_never_passes_for_a_fresh_sign_in() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let now = || stage.world().app.now().seconds();
        for wish in [&[("prompt", "login")][..], &[("max_age", "60")], &[("max_age", "0"), ("prompt", "login")]] {
            let (mut one, mut two) =
                (stage.site.signed_in(&stage.patient).await, stage.site.signed_in(&stage.patient).await);
            stage.world().clock.advance_seconds(120);
            let pairs = wish.iter().fold(stage.request(), |pairs, (name, value)| and(pairs, name, value));
            // the request is seen by a browser in which nobody is signed in, and then by one with an old session
            let page = stage.app_browser().open(&Stage::authorize_url(&pairs)).await;
            let flow = page.at.split("flow%3D").nth(1).unwrap().split('&').next().unwrap().to_owned();
            let going_on = format!("{ISSUER}/continue?flow={flow}");
            for round in 0..2 {
                for (which, browser) in [("one", &mut one), ("two", &mut two)] {
                    let page = browser.open(&going_on).await;
                    assert!(page.at.starts_with("/sign-in?"), "{wish:?} {which} {round}: {}", page.at);
                    page.form("/sign-in");
                }
            }
            // nor is a picker or an answer reached without it
            let csrf = one.open("/account").await.form("/sign-out").value("csrf").to_owned();
            let fields =
                [("csrf", csrf.as_str()), ("flow", &flow), ("decision", "allow"), ("scope", "patient/Patient.r")];
            let answer = one.post("/o/st-mary/consent", &fields).await;
            assert!(answer.location().starts_with("/sign-in?"), "{wish:?}: {} {}", answer.status, answer.location());
            // who signs in anew gets on, with a time that says so
            let page = one.open(&going_on).await;
            let form = page.form("/sign-in").with("email", &stage.patient.email).with("password", PASSWORD);
            let page = one.submit_and_follow(&form).await;
            let done = if page.status == 303 {
                page
            } else {
                one.submit(&page.form("/consent").with("decision", "allow")).await
            };
            let tokens = Tokens(stage.token(&stage.redemption(&answer_of(&done)["code"])).await.json());
            assert_eq!(claims_of(&tokens.text("id_token"))["auth_time"].as_i64(), Some(now()), "{wish:?}");
        }
        stage.end().await;
    });
}

#[test]
fn a_session_within_max_age_is_fresh_enough_whenever_it_began() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.site.signed_in(&stage.patient).await;
        stage.launch(&mut browser, &stage.request()).await;
        stage.world().clock.advance_seconds(60);
        let silent = |age: &str| and(and(stage.request(), "prompt", "none"), "max_age", age);
        assert!(answer_of(&browser.open(&Stage::authorize_url(&silent("60"))).await).contains_key("code"));
        tells_the_app(&browser.open(&Stage::authorize_url(&silent("59"))).await, "login_required", "a second too old");
        stage.end().await;
    });
}
