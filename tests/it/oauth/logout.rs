//! Signing out for apps (OpenID Connect RP-Initiated Logout 1.0): who is asked, who is believed, and where the browser may go.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::domain::ids::ClientId;

use super::actors::{ISSUER, Key, Stage, Tokens, answer_of, claims_of, refused};
use crate::support::browser::{Answer, Browser};
use crate::support::on_both;

const BYE: &str = "https://app.acme.example/bye";
const SCOPES: &str = "launch/patient openid online_access patient/Patient.r";

/// An app that signs people out, and a person who is signed in and uses it.
struct Scene {
    stage: Stage,
    app: ClientId,
    browser: Browser,
    tokens: Tokens,
    hint: String,
}

impl Scene {
    async fn new(dialect: countersign::storage::connect::Dialect) -> Self {
        let stage = Stage::new(dialect).await;
        let app = stage.register(|metadata| metadata.post_logout_redirect_uris = vec![BYE.into()]).await;
        stage.approve(&app, SCOPES).await;
        let mut browser = stage.app_browser();
        let tokens = stage.tokens_for(&mut browser, &stage.request_of(&app, SCOPES)).await;
        let hint = tokens.text("id_token");
        Self { stage, app, browser, tokens, hint }
    }

    async fn logout(&mut self, pairs: &[(&str, &str)]) -> Answer {
        self.browser.get(&url(pairs)).await
    }

    async fn is_signed_in(&mut self) -> bool {
        self.browser.get("/account").await.status == 200
    }
}

fn url(pairs: &[(&str, &str)]) -> String {
    format!("{ISSUER}/logout?{}", url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}

/// The same JWT with another header, and what `sign` makes of it.
fn forged(jwt: &str, header: &serde_json::Value, signature: &str) -> String {
    let claims = jwt.split('.').nth(1).unwrap();
    format!("{}.{claims}.{signature}", URL_SAFE_NO_PAD.encode(header.to_string()))
}

#[test]
fn an_app_that_proves_whom_it_means_signs_them_out_and_gets_them_back() {
    on_both(|dialect| async move {
        let mut scene = Scene::new(dialect).await;
        // without proof: a question, and nobody is signed out by a link
        let app = scene.app.as_str().to_owned();
        let asked = scene.logout(&[("client_id", &app), ("post_logout_redirect_uri", BYE)]).await;
        assert_eq!(asked.status, 200);
        asked.form("/logout");
        assert!(scene.stage.is_active(&scene.tokens.access()).await);
        // with proof
        let hint = scene.hint.clone();
        let back = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE), ("state", "s 1&x=y")];
        let gone = scene.logout(&back).await;
        assert_eq!((gone.status.as_u16(), gone.location()), (303, format!("{BYE}?state=s+1%26x%3Dy")));
        assert!(!scene.is_signed_in().await);
        assert!(!scene.stage.is_active(&scene.tokens.access()).await, "online access ended with the session");
        let fields = [("grant_type", "refresh_token"), ("refresh_token", &scene.tokens.refresh()), ("client_id", &app)];
        refused(&scene.stage.token(&fields).await, 400, "invalid_grant");
        assert_eq!(scene.stage.world().recorded("grant.ended_with_session").await, 1);
        // again, with nobody signed in: back to the app, and nothing else happens
        assert_eq!(scene.logout(&back).await.location(), format!("{BYE}?state=s+1%26x%3Dy"));
        scene.stage.end().await;
    });
}

#[test]
fn after_signing_out_a_silent_launch_is_told_that_nobody_is_signed_in() {
    on_both(|dialect| async move {
        let mut scene = Scene::new(dialect).await;
        let hint = scene.hint.clone();
        let mut silent = scene.stage.request_of(&scene.app, SCOPES);
        silent.push(("prompt".into(), "none".into()));
        let before = scene.browser.open(&Stage::authorize_url(&silent)).await;
        assert!(answer_of(&before).contains_key("code"), "signed in: silently");
        scene.logout(&[("id_token_hint", &hint)]).await;
        let after = scene.browser.open(&Stage::authorize_url(&silent)).await;
        assert_eq!(answer_of(&after)["error"], "login_required");
        scene.stage.end().await;
    });
}

#[test]
fn an_expired_hint_is_as_good_as_a_fresh_one() {
    on_both(|dialect| async move {
        let mut scene = Scene::new(dialect).await;
        // used now and then, so that the session lives longer than the ID token
        for _ in 0..3 {
            scene.stage.world().clock.advance_seconds(25 * 60);
            assert!(scene.is_signed_in().await);
        }
        let hint = scene.hint.clone();
        assert!(claims_of(&hint)["exp"].as_i64().unwrap() < scene.stage.world().app.now().seconds());
        let gone = scene.logout(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]).await;
        assert_eq!(gone.location(), BYE);
        assert!(!scene.is_signed_in().await);
        scene.stage.end().await;
    });
}

#[test]
fn the_browser_never_goes_where_the_app_did_not_register() {
    on_both(|dialect| async move {
        for wrong in [
            "https://evil.example/",
            "https://app.acme.example/bye?",
            "https://app.acme.example/bye?x=y",
            "https://app.acme.example/bye/",
            "https://app.acme.example/BYE",
            "https://app.acme.example/bye#top",
            "https://app.acme.example/x/../bye",
            "https://app.acme.example/cb",
            "",
        ] {
            let mut scene = Scene::new(dialect).await;
            let hint = scene.hint.clone();
            let gone = scene.logout(&[("id_token_hint", &hint), ("post_logout_redirect_uri", wrong)]).await;
            assert_eq!(gone.location(), "/signed-out", "{wrong}");
            assert!(!scene.is_signed_in().await, "whom it meant is clear");
            scene.stage.end().await;
        }
    });
}

#[test]
fn without_a_hint_there_is_a_question_and_a_yes_to_it_leads_to_the_page_that_says_so() {
    on_both(|dialect| async move {
        let unproven: [&[(&str, &str)]; 4] = [
            &[],
            &[("state", "s1")],
            &[("post_logout_redirect_uri", BYE)],
            &[("post_logout_redirect_uri", BYE), ("state", "s1")],
        ];
        for pairs in unproven {
            let mut scene = Scene::new(dialect).await;
            let asked = scene.logout(pairs).await;
            assert_eq!((asked.status.as_u16(), asked.location()), (200, String::new()), "{pairs:?}");
            assert!(scene.is_signed_in().await, "{pairs:?}");
            let done = scene.browser.submit(&asked.form("/logout")).await;
            assert_eq!(done.location(), "/signed-out", "{pairs:?}");
            assert!(!scene.is_signed_in().await, "{pairs:?}");
            let page = scene.browser.open("/signed-out").await;
            assert_eq!(page.status, 200);
            scene.stage.end().await;
        }
    });
}

#[test]
fn a_hint_that_is_not_an_id_token_of_this_issuer_for_this_client_is_not_believed_and_nothing_beside_it() {
    on_both(|dialect| async move {
        let mut scene = Scene::new(dialect).await;
        let (hint, app) = (scene.hint.clone(), scene.app.as_str().to_owned());
        let header = super::actors::header_of(&hint);
        let mut none = header.clone();
        none["alg"] = "none".into();
        let own_signature = hint.rsplit_once('.').unwrap().1.to_owned();
        let claims = claims_of(&hint);
        let foreign = Key::new(header["kid"].as_str().unwrap());
        // a JWT access token of the same person, signed with the same key
        let mut endpoint = scene.stage.world().endpoint.clone();
        endpoint.settings.jwt_access_tokens = true;
        scene
            .stage
            .world()
            .write(move |conn| {
                Box::pin(async move { countersign::storage::organizations::update_endpoint(conn, &endpoint).await })
            })
            .await;
        let request = scene.stage.request_of(&scene.app, SCOPES);
        let access_token = scene.stage.tokens_for(&mut scene.browser, &request).await.access();
        assert_eq!(super::actors::header_of(&access_token)["typ"], "at+jwt");
        let mut tampered = claims.clone();
        tampered["sub"] = "acc_somebody_else".into();
        let tampered = format!(
            "{}.{}.{own_signature}",
            hint.split('.').next().unwrap(),
            URL_SAFE_NO_PAD.encode(tampered.to_string())
        );
        for (what, bad) in [
            ("alg none", forged(&hint, &none, "")),
            ("alg none with the signature", forged(&hint, &none, &own_signature)),
            ("another's signature", foreign.sign(&foreign.header(), &claims)),
            ("another's signature under our header", forged(&hint, &header, "AAAA")),
            ("changed claims", tampered),
            ("no signature", hint.rsplit_once('.').unwrap().0.to_owned()),
            ("an access token", access_token),
            ("nonsense", "x.y.z".to_owned()),
            ("nothing", String::new()),
        ] {
            for beside in [None, Some(app.as_str())] {
                let mut pairs = vec![("id_token_hint", bad.as_str()), ("post_logout_redirect_uri", BYE)];
                pairs.extend(beside.map(|client| ("client_id", client)));
                if bad.is_empty() && beside.is_some() {
                    continue; // an empty parameter is an absent one, and the client alone is believed after the question
                }
                let asked = scene.logout(&pairs).await;
                assert_eq!((asked.status.as_u16(), asked.location()), (200, String::new()), "{what}");
                let done = scene.browser.clone().submit(&asked.form("/logout").with("csrf", "forged")).await;
                assert!(!done.location().starts_with(BYE), "{what}");
                assert!(scene.is_signed_in().await, "{what}");
            }
        }
        // another client, and another organization's issuer
        let other = scene.stage.app.as_str().to_owned();
        let asked =
            scene.logout(&[("id_token_hint", &hint), ("client_id", &other), ("post_logout_redirect_uri", BYE)]).await;
        assert_eq!((asked.status.as_u16(), asked.location()), (200, String::new()));
        let elsewhere =
            url(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]).replace("st-mary", "st-luke");
        let asked = scene.browser.get(&elsewhere).await;
        assert_eq!((asked.status.as_u16(), asked.location()), (200, String::new()));
        assert!(scene.is_signed_in().await);
        scene.stage.end().await;
    });
}

#[test]
fn a_hint_about_another_person_or_session_signs_nobody_out_unasked() {
    on_both(|dialect| async move {
        let mut scene = Scene::new(dialect).await;
        let old = scene.hint.clone();
        scene.logout(&[("id_token_hint", &old)]).await;
        // the same person in a new session, and another person
        let request = scene.stage.request_of(&scene.app, SCOPES);
        scene.stage.tokens_for(&mut scene.browser, &request).await;
        let asked = scene.logout(&[("id_token_hint", &old), ("post_logout_redirect_uri", BYE)]).await;
        assert_eq!((asked.status.as_u16(), asked.location()), (200, String::new()));
        assert!(scene.is_signed_in().await);
        let done = scene.browser.submit(&asked.form("/logout")).await;
        assert_eq!(done.location(), BYE, "after the question");
        scene.browser = scene.stage.site.signed_in(&scene.stage.world().viewer.account).await;
        let asked = scene.logout(&[("id_token_hint", &old)]).await;
        assert_eq!((asked.status.as_u16(), asked.location()), (200, String::new()));
        assert!(scene.is_signed_in().await);
        scene.stage.end().await;
    });
}

#[test]
fn nobody_is_sent_to_a_client_that_was_disabled() {
    on_both(|dialect| async move {
        let mut scene = Scene::new(dialect).await;
        let hint = scene.hint.clone();
        scene.stage.disable(&scene.app).await;
        let gone = scene.logout(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]).await;
        assert_eq!(gone.location(), "/signed-out");
        scene.stage.end().await;
    });
}

#[test]
fn a_form_of_the_app_is_sent_round_for_the_cookie_and_a_forged_yes_is_a_question() {
    on_both(|dialect| async move {
        let mut scene = Scene::new(dialect).await;
        let hint = scene.hint.clone();
        let pairs = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE), ("state", "s1")];
        // as a browser does from another site: no cookie of ours
        let mut without = scene.stage.app_browser();
        let round = without.post(&format!("{ISSUER}/logout"), &pairs).await;
        assert_eq!(round.status, 303);
        // the GET that follows brings it
        let gone = scene.browser.get(&round.location()).await;
        assert_eq!(gone.location(), format!("{BYE}?state=s1"));
        assert!(!scene.is_signed_in().await);
        // with the cookie, but without the form's own token: a question
        let request = scene.stage.request_of(&scene.app, SCOPES);
        scene.stage.tokens_for(&mut scene.browser, &request).await;
        let asked = scene.browser.post(&format!("{ISSUER}/logout"), &[("csrf", "guessed"), ("state", "s1")]).await;
        assert_eq!((asked.status.as_u16(), asked.location()), (200, String::new()));
        let twice = scene.browser.get(&format!("{}&state=2", url(&pairs))).await;
        assert_eq!((twice.status.as_u16(), twice.location()), (200, String::new()), "a repeated parameter");
        assert!(scene.is_signed_in().await);
        scene.stage.end().await;
    });
}
