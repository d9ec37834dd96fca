//! What ends with a session, whichever way it ends, and what goes on (SMART-AL-33).

use countersign::domain::sessions::Session;
use countersign::storage;

use super::actors::{Stage, Tokens, claims_of};
use crate::support::browser::Browser;
use crate::support::on_both;
use crate::support::site::PASSWORD;

const ONLINE: &str = "launch/patient openid online_access patient/Patient.r";
const OFFLINE: &str = "launch/patient openid offline_access patient/Patient.r";
const BOTH: &str = "launch/patient openid online_access offline_access patient/Patient.r";

/// What three launches in one browser yielded.
struct Held {
    online: Tokens,
    offline: Tokens,
    both: Tokens,
}

impl Held {
    async fn by(stage: &Stage, browser: &mut Browser) -> Self {
        let request = |scope: &str| stage.request_of(&stage.app, scope);
        Self {
            online: stage.tokens_for(browser, &request(ONLINE)).await,
            offline: stage.tokens_for(browser, &request(OFFLINE)).await,
            both: stage.tokens_for(browser, &request(BOTH)).await,
        }
    }

    async fn only_online_ended(&self, stage: &Stage, how: &str) {
        assert!(!stage.is_active(&self.online.access()).await, "{how}: the online access token");
        assert!(!stage.refreshes(&self.online.refresh()).await, "{how}: the online refresh token");
        for offline in [&self.offline, &self.both] {
            assert!(stage.is_active(&offline.access()).await, "{how}: an offline access token");
            assert!(stage.refreshes(&offline.refresh()).await, "{how}: an offline refresh token");
        }
    }
}

async fn sessions(stage: &Stage) -> Vec<Session> {
    let mut conn = stage.world().app.store.read().await.unwrap();
    storage::sessions::list_open(&mut conn, &stage.patient.id, stage.world().app.now()).await.unwrap()
}

#[test]
fn signing_out_ends_online_access_and_leaves_offline_access() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let held = Held::by(&stage, &mut browser).await;
        assert!(stage.is_active(&held.online.access()).await);
        let page = browser.open("/account").await;
        browser.submit(&page.form("/sign-out")).await;
        held.only_online_ended(&stage, "sign-out").await;
        assert_eq!(stage.world().recorded("grant.ended_with_session").await, 1);
        stage.end().await;
    });
}

#[test]
fn a_session_ended_from_elsewhere_ends_like_one_signed_out_of() {
    on_both(|dialect| async move {
        for all in [false, true] {
            let stage = Stage::new(dialect).await;
            let mut there = stage.app_browser();
            let held = Held::by(&stage, &mut there).await;
            let mut here = stage.site.signed_in(&stage.patient).await;
            let kept = stage.tokens_for(&mut here, &stage.request_of(&stage.app, ONLINE)).await;
            let first = sessions(&stage).await[0].id.to_string();
            let page = here.open("/account").await;
            let form = page.forms("/account/sessions/end").remove(0);
            let done = here.submit(&form.with("session", if all { "all" } else { &first })).await;
            assert_eq!(done.status, 303, "{}", done.body);
            held.only_online_ended(&stage, "the list of sessions").await;
            assert!(stage.is_active(&kept.access()).await, "what this browser's session holds goes on");
            stage.end().await;
        }
    });
}

#[test]
fn a_new_password_ends_every_session_with_what_lived_with_it() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (mut there, mut here) = (stage.app_browser(), stage.app_browser());
        let held = Held::by(&stage, &mut there).await;
        let own = stage.tokens_for(&mut here, &stage.request_of(&stage.app, ONLINE)).await;
        let page = here.open("/account").await;
        let form = page.form("/account/password");
        let new = "a wholly different sentence to remember";
        let form = form.with("current_password", PASSWORD).with("new_password", new);
        let done = here.submit(&form).await;
        assert_eq!(done.status, 303, "{}", done.body);
        held.only_online_ended(&stage, "a new password").await;
        assert!(!stage.is_active(&own.access()).await, "also what was begun in this browser with the old one");
        assert_eq!(here.get("/account").await.status, 200, "who changed it stays signed in");
        stage.end().await;
    });
}

#[test]
fn somebody_else_signing_in_at_the_same_browser_ends_the_session_before() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let held = Held::by(&stage, &mut browser).await;
        let other = stage.world().viewer.account.clone();
        stage.site.give_password(&other).await;
        let page = browser.open("/sign-in?again=1").await;
        browser.submit(&page.form("/sign-in").with("email", &other.email).with("password", PASSWORD)).await;
        held.only_online_ended(&stage, "another person").await;
        stage.end().await;
    });
}

#[test]
fn proving_again_who_one_is_ends_nothing_and_changes_no_sid() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let held = Held::by(&stage, &mut browser).await;
        let sid = claims_of(&held.online.text("id_token"))["sid"].clone();
        stage.world().clock.advance_seconds(60);
        let mut request = stage.request_of(&stage.app, ONLINE);
        request.push(("prompt".into(), "login".into()));
        let again = stage.tokens_for(&mut browser, &request).await;
        let (before, after) = (claims_of(&held.online.text("id_token")), claims_of(&again.text("id_token")));
        assert!(after["auth_time"].as_i64() > before["auth_time"].as_i64(), "signed in anew");
        assert_eq!(after["sid"], sid);
        assert_eq!(sessions(&stage).await.len(), 1, "under a new cookie, the one before is dead");
        assert!(stage.is_active(&held.online.access()).await);
        assert!(stage.refreshes(&held.online.refresh()).await);
        // and the end of it is the end of both
        let page = browser.open("/account").await;
        browser.submit(&page.form("/sign-out")).await;
        for online in [&held.online, &again] {
            assert!(!stage.is_active(&online.access()).await);
        }
        stage.end().await;
    });
}

#[test]
fn a_session_that_ran_out_ends_online_access_by_itself() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut browser = stage.app_browser();
        let held = Held::by(&stage, &mut browser).await;
        let hours = stage.world().app.config.limits.session_hours;
        stage.world().clock.advance_seconds(hours * 3600 - 1);
        let next = stage.refresh(&held.online.refresh()).await;
        assert_eq!(next.status, 200, "{}", next.body);
        let next = Tokens(next.json());
        stage.world().clock.advance_seconds(1);
        assert!(!stage.is_active(&next.access()).await);
        assert!(!stage.refreshes(&next.refresh()).await);
        assert!(stage.refreshes(&held.offline.refresh()).await);
        stage.end().await;
    });
}
