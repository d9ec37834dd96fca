//! Registering, revising, rotating, deleting: through the pages.

use countersign::domain::clients::{AssertionAudience, ClientType};
use countersign::domain::ids::ClientId;
use countersign::storage;

use crate::support::{Site, on_both};

async fn new_client_form(site: &Site) -> (crate::support::browser::Browser, crate::support::browser::Form, String) {
    let mut browser = site.signed_in(&site.world.developer.account).await;
    let base = format!("/portal/{}", site.world.developer.provider.id);
    let form = browser.open(&format!("{base}/clients/new")).await.form("/clients/new");
    (browser, form, base)
}

#[test]
fn a_client_is_registered_and_starts_without_access() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let (mut browser, form, _) = new_client_form(&site).await;
        let form = form
            .with("name", "CareCal")
            .with("contacts", "dev@acme.example")
            .with("client_type", "confidential_secret")
            .with("redirect_uris", "https://cal.acme.example/cb\nhttps://cal.acme.example/other");
        let answer = browser.submit_multipart(&form, None).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        let id = ClientId::from_text(answer.location().rsplit('/').next().unwrap());
        let page = browser.follow(answer).await;
        page.says("CareCal");
        page.says(id.as_str());
        let mut conn = site.world.app.store.read().await.unwrap();
        let revision = storage::clients::find_revision(&mut conn, &id, 1).await.unwrap().unwrap();
        assert_eq!(revision.metadata.client_type, ClientType::ConfidentialSecret);
        assert_eq!(revision.metadata.redirect_uris, ["https://cal.acme.example/cb", "https://cal.acme.example/other"]);
        assert!(storage::approvals::list_by_client(&mut conn, &id).await.unwrap().is_empty());
        drop(conn);
        site.remove().await;
    });
}

#[test]
fn a_client_with_keys_chooses_the_audience_of_its_assertions() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let (mut browser, form, _) = new_client_form(&site).await;
        assert_eq!(form.value("assertion_audience"), "smart");
        let form = form
            .with("name", "CareCal")
            .with("contacts", "dev@acme.example")
            .with("client_type", "confidential_keys")
            .with("jwks_uri", "https://cal.acme.example/jwks")
            .with("assertion_audience", "strict")
            .with("redirect_uris", "https://cal.acme.example/cb");
        let answer = browser.submit_multipart(&form, None).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        let page = answer.location();
        let id = ClientId::from_text(page.rsplit('/').next().unwrap());
        let audience = async |revision| {
            let mut conn = site.world.app.store.read().await.unwrap();
            storage::clients::find_revision(&mut conn, &id, revision)
                .await
                .unwrap()
                .unwrap()
                .metadata
                .assertion_audience
        };
        assert_eq!(audience(1).await, AssertionAudience::Strict);
        let edit = browser.open(&format!("{page}/edit")).await.form("/edit");
        assert_eq!(edit.value("assertion_audience"), "strict");
        let answer =
            browser.submit_multipart(&edit.with("name", "CareCal 2").without("assertion_audience"), None).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        assert_eq!(audience(2).await, AssertionAudience::Strict, "what a form does not say stays");
        site.remove().await;
    });
}

#[test]
fn every_mistake_comes_back_with_what_was_typed() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let (mut browser, form, base) = new_client_form(&site).await;
        let form =
            form.with("name", "").with("contacts", "nobody").with("redirect_uris", "http://app.example/<script>");
        let answer = browser.submit_multipart(&form, None).await;
        assert_eq!(answer.status, 400);
        answer.says("http://app.example/&lt;script&gt;");
        assert!(!answer.body.contains("/<script>"));
        assert_eq!(answer.form("/clients/new").value("contacts"), "nobody");
        let list = browser.open(&format!("{base}/clients")).await;
        assert!(!list.body.contains("app.example"));
        site.remove().await;
    });
}

#[test]
fn a_form_without_its_anti_forgery_token_registers_nothing() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let (mut browser, form, base) = new_client_form(&site).await;
        let form = form
            .with("name", "Forged")
            .with("contacts", "dev@acme.example")
            .with("redirect_uris", "https://a.example/cb");
        for forged in [form.clone().without("csrf"), form.clone().with("csrf", "x"), form.with("csrf", "")] {
            assert_eq!(browser.submit_multipart(&forged, None).await.status, 403);
        }
        assert!(!browser.open(&format!("{base}/clients")).await.body.contains("Forged"));
        site.remove().await;
    });
}

#[test]
fn a_secret_is_shown_once_two_are_live_and_a_revoked_one_is_gone() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let (mut browser, form, _) = new_client_form(&site).await;
        let form = form
            .with("name", "CareCal")
            .with("contacts", "dev@acme.example")
            .with("client_type", "confidential_secret")
            .with("redirect_uris", "https://cal.acme.example/cb");
        let answer = browser.submit_multipart(&form, None).await;
        let page_url = answer.location();
        let id = ClientId::from_text(page_url.rsplit('/').next().unwrap());
        let mut shown = Vec::new();
        for _ in 0..2 {
            let form = browser.open(&page_url).await.form("/secrets");
            let answer = browser.submit(&form).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("cache-control"), "no-store");
            let secret = answer
                .body
                .split("<code>")
                .map(|part| part.split('<').next().unwrap())
                .find(|text| text.len() == 40)
                .unwrap()
                .to_owned();
            shown.push(secret);
        }
        let page = browser.open(&page_url).await;
        assert!(shown.iter().all(|secret| !page.body.contains(secret.as_str())));
        let third = format!("{page_url}/secrets");
        let csrf = page.form("/sign-out").value("csrf").to_owned();
        assert_eq!(browser.post(&third, &[("csrf", &csrf)]).await.status, 409);
        let mut conn = site.world.app.store.read().await.unwrap();
        let first = storage::clients::list_secrets(&mut conn, &id).await.unwrap().pop().unwrap();
        drop(conn);
        let answer = browser.post(&format!("{third}/revoke"), &[("csrf", &csrf), ("secret", first.id.as_str())]).await;
        assert_eq!(answer.status, 303);
        let mut conn = site.world.app.store.read().await.unwrap();
        assert_eq!(storage::clients::list_secrets(&mut conn, &id).await.unwrap().len(), 1);
        drop(conn);
        site.remove().await;
    });
}

#[test]
fn somebody_elses_provider_and_clients_answer_as_absent_ones() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut rival = site.signed_in(&site.world.rival.account).await;
        let (own, theirs) = (&site.world.rival.provider.id, &site.world.developer.provider.id);
        let client = &site.world.client.id;
        for (foreign, absent) in [
            (format!("/portal/{theirs}/clients"), "/portal/apv_none/clients".to_owned()),
            (format!("/portal/{own}/clients/{client}"), format!("/portal/{own}/clients/app_none")),
            (format!("/portal/{own}/clients/{client}/edit"), format!("/portal/{own}/clients/app_none/edit")),
            (format!("/portal/{own}/clients/{client}/ask"), format!("/portal/{own}/clients/app_none/ask")),
            (format!("/portal/{theirs}/webhooks"), "/portal/apv_none/webhooks".to_owned()),
        ] {
            let (foreign, absent) = (rival.get(&foreign).await, rival.get(&absent).await);
            assert_eq!((foreign.status.as_u16(), absent.status.as_u16()), (404, 404), "{}", foreign.at);
        }
        site.remove().await;
    });
}

#[test]
fn a_logo_is_drawn_anew_and_served_inert() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let (mut browser, form, _) = new_client_form(&site).await;
        let form = form
            .with("name", "CareCal")
            .with("contacts", "dev@acme.example")
            .with("redirect_uris", "https://cal.acme.example/cb");
        let refused = browser.submit_multipart(&form, Some(("logo_file", b"<svg onload='alert(1)'/>"))).await;
        assert_eq!(refused.status, 400);
        let mut png = std::io::Cursor::new(Vec::new());
        image::RgbaImage::from_pixel(300, 300, image::Rgba([9, 9, 9, 255]))
            .write_to(&mut png, image::ImageFormat::Png)
            .unwrap();
        let answer = browser.submit_multipart(&form, Some(("logo_file", png.get_ref()))).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        let page = browser.follow(answer).await;
        let href = page.body.split("src=\"/logos/").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let logo = browser.get(&format!("/logos/{href}")).await;
        assert_eq!((logo.status.as_u16(), logo.header("content-type").as_str()), (200, "image/png"));
        assert_eq!(logo.header("x-content-type-options"), "nosniff");
        assert!(logo.header("content-security-policy").contains("sandbox"));
        site.remove().await;
    });
}
