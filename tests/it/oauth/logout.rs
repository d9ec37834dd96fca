//! Signing out for apps.

use super::actors::{ISSUER, Stage, Tokens, answer_of, refused};
use crate::support::on_both;

#[test]
fn an_app_that_proves_whom_it_means_signs_them_out_and_gets_them_back() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let app = stage
            .register(|metadata| metadata.post_logout_redirect_uris = vec!["https://app.acme.example/bye".into()])
            .await;
        stage.approve(&app, "launch/patient openid online_access patient/Patient.r").await;
        let mut request = stage.request();
        request[1].1 = app.as_str().into();
        request[3].1 = "launch/patient openid online_access patient/Patient.r".into();
        let mut browser = stage.app_browser();
        let code = stage.launch(&mut browser, &request).await["code"].clone();
        let mut fields = stage.redemption(&code);
        fields.retain(|(name, _)| *name != "client_id");
        fields.push(("client_id", app.as_str()));
        let tokens = Tokens(stage.token(&fields).await.json());
        let hint = tokens.text("id_token");
        let url = |pairs: &[(&str, &str)]| {
            format!(
                "{ISSUER}/logout?{}",
                url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
            )
        };
        // without proof: a question, and nobody is signed out by a link
        let asked = browser
            .open(&url(&[("client_id", app.as_str()), ("post_logout_redirect_uri", "https://app.acme.example/bye")]))
            .await;
        assert_eq!(asked.status, 200);
        asked.form("/logout");
        assert!(stage.is_active(&tokens.access()).await);
        // an unregistered address is never gone to
        let hint_only = [("id_token_hint", hint.as_str())];
        let mut other = browser.clone();
        let elsewhere = other.get(&url(&[hint_only[0], ("post_logout_redirect_uri", "https://evil.example/")])).await;
        assert_eq!(elsewhere.location(), "/signed-out");
        assert!(!stage.is_active(&tokens.access()).await, "online access ended with the session");
        refused(
            &stage
                .token(&[
                    ("grant_type", "refresh_token"),
                    ("refresh_token", &tokens.refresh()),
                    ("client_id", app.as_str()),
                ])
                .await,
            400,
            "invalid_grant",
        );
        let page = browser.open(&Stage::authorize_url(&request)).await;
        assert!(page.at.starts_with("/sign-in"), "{}", page.at);
        let page = stage.through_sign_in(&mut browser, page).await;
        assert!(answer_of(&page).contains_key("code"));
        // a question that is answered with yes; the hint names a session that has ended
        let back = url(&[hint_only[0], ("post_logout_redirect_uri", "https://app.acme.example/bye"), ("state", "s 1")]);
        let asked = browser.open(&back).await;
        let answer = browser.submit(&asked.form("/logout")).await;
        assert_eq!(answer.location(), "https://app.acme.example/bye?state=s+1");
        stage.end().await;
    });
}
