//! The brand page, and the bundle it leads to (SMART 2.2 user-access brands; SMART-UB, ONC-15).

use axum::http::Method;
use serde_json::Value;

use crate::support::browser::{Answer, Browser};
use crate::support::{Site, on_both};

const BUNDLE: &str = "https://countersign.example/o/st-mary/brands";
const SMART: &str = "https://countersign.example/o/st-mary/fhir/r4/.well-known/smart-configuration";

/// Follows every "SHALL" of the three profiles that can be seen in a bundle, and gives the brand.
fn valid(answer: &Answer) -> (Value, Value) {
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/fhir+json");
    countersign::outbound::fhir::R4::read(&answer.body).expect("a Bundle of R4");
    let bundle = answer.json();
    assert_eq!(bundle["type"], "collection");
    assert!(bundle["timestamp"].is_string() && bundle["timestamp"] == bundle["meta"]["lastUpdated"]);
    let entries = bundle["entry"].as_array().unwrap();
    let of = |kind: &str| -> Vec<&Value> {
        entries.iter().map(|entry| &entry["resource"]).filter(|resource| resource["resourceType"] == kind).collect()
    };
    let (brands, endpoints) = (of("Organization"), of("Endpoint"));
    assert_eq!(brands.len(), 1, "one brand");
    assert_eq!(brands.len() + endpoints.len(), entries.len(), "and nothing but brands and endpoints");
    for entry in entries {
        let resource = &entry["resource"];
        assert!(resource["meta"]["lastUpdated"].is_string());
        let name = format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        assert!(entry["fullUrl"].as_str().unwrap().ends_with(&name), "{name}");
    }
    // references resolve, both ways
    let brand = brands[0].clone();
    let empty = Vec::new();
    let referred: Vec<&str> =
        brand["endpoint"].as_array().unwrap_or(&empty).iter().map(|one| one["reference"].as_str().unwrap()).collect();
    let there: Vec<String> =
        endpoints.iter().map(|endpoint| format!("Endpoint/{}", endpoint["id"].as_str().unwrap())).collect();
    assert_eq!(referred, there);
    let extension = |url: &str| {
        let url = format!("http://hl7.org/fhir/StructureDefinition/{url}");
        let mut found = brand["extension"].as_array().unwrap().iter().filter(|one| one["url"] == url.as_str());
        let one = found.next().unwrap_or_else(|| panic!("{url}")).clone();
        assert!(found.next().is_none());
        one["extension"].as_array().unwrap().clone()
    };
    let portal = extension("organization-portal");
    let portal_endpoints: Vec<&str> = portal
        .iter()
        .filter(|part| part["url"] == "portalEndpoint")
        .map(|part| part["valueReference"]["reference"].as_str().unwrap())
        .collect();
    assert!(portal_endpoints.iter().all(|reference| referred.contains(reference)));
    assert!(extension("organization-brand").iter().any(|part| part["url"] == "brandLogo"));
    assert!(!brand["name"].as_str().unwrap().is_empty());
    let sites: Vec<&Value> = brand["telecom"].as_array().unwrap().iter().collect();
    assert!(sites.len() == 1 && sites[0]["system"] == "url" && sites[0]["value"].is_string());
    let kind = brand["type"][0]["coding"][0].clone();
    assert_eq!(kind["system"], "http://terminology.hl7.org/CodeSystem/organization-type");
    for endpoint in endpoints {
        assert_eq!(endpoint["connectionType"]["code"], "hl7-fhir-rest");
        assert_eq!(endpoint["extension"][0]["url"], "http://hl7.org/fhir/StructureDefinition/endpoint-fhir-version");
        assert_eq!(endpoint["extension"][0]["valueCode"], "4.0.1");
        assert_eq!(endpoint["contact"][0]["system"], "url");
        assert_eq!(endpoint["payloadType"][0]["coding"][0]["code"], "none");
        assert!(endpoint["address"].as_str().unwrap().starts_with("https://"));
    }
    // SMART-UB-06
    for reason in answer.body.split("data-absent-reason\",\"valueCode\":\"").skip(1) {
        assert!(reason.starts_with("asked-declined\"") || reason.starts_with("asked-unknown\""), "{reason}");
    }
    (bundle, brand)
}

async fn published(browser: &mut Browser) -> (Value, Value) {
    let answer = browser.get(BUNDLE).await;
    valid(&answer)
}

fn portal(brand: &Value, part: &str) -> Value {
    let portal = &brand["extension"].as_array().unwrap()[1]["extension"];
    portal.as_array().unwrap().iter().find(|one| one["url"] == part).cloned().unwrap_or_default()
}

fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbaImage::from_pixel(40, 40, image::Rgba([9, 90, 60, 255]))
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

#[test]
fn before_anybody_said_anything_the_bundle_is_valid_and_says_what_is_not_known() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut browser = site.browser();
        let (bundle, brand) = published(&mut browser).await;
        assert_eq!(brand["name"], site.world.reviewer.organization.name.as_str());
        assert!(bundle.to_string().contains("asked-unknown"));
        let smart = browser.get(SMART).await.json();
        assert_eq!(smart["user_access_brand_bundle"], BUNDLE);
        let named = &smart["user_access_brand_identifier"];
        assert!(named["system"].is_string() && named["value"].is_string());
        assert_eq!(&brand["identifier"][0], named, "SMART-UB-04");
        site.remove().await;
    });
}

#[test]
fn an_admin_edits_the_brand_and_it_is_published_at_once() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut admin = site.signed_in(&site.world.admin.account).await;
        let before = admin.get(BUNDLE).await;
        let etag = before.header("etag");
        assert!(etag.starts_with("W/\""), "SMART-UB-03: {etag}");
        let page = admin.open("/console/st-mary/brand").await;
        page.says(BUNDLE);
        let form = page
            .form("/brand")
            .with("display_name", "St. Mary <Hospital>")
            .with("kind", "laboratory")
            .with("website", "https://www.st-mary.example/patients?x=1")
            .with("logo_license", "https://st-mary.example/logo")
            .with("portal_name", "My St. Mary")
            .with("portal_url", "https://my.st-mary.example/")
            .with("portal_description", "For patients\nand *their* carers.")
            .with("line", "Long Street 1")
            .with("postal_code", "1012 AB")
            .with("city", "Amsterdam")
            .with("country", "nl")
            .with("places", "Utrecht, NL\r\n\r\nBoston, MA, US")
            .with(
                "identifiers",
                "http://hl7.org/fhir/sid/us-npi|1234567893\nurn:ietf:rfc:3986|https://st-mary.example",
            );
        site.world.clock.advance_seconds(60);
        let saved = admin.submit_multipart(&form, Some(("logo", &png()))).await;
        let saved = admin.follow(saved).await;
        saved.says("The brand is saved and published.");
        let form = saved.form("/brand");
        assert_eq!(form.value("places"), "Utrecht, NL\nBoston, MA, US");
        assert_eq!(form.value("country"), "NL");

        let kept = admin.send(Method::GET, BUNDLE, &[("if-none-match", &etag)], "").await;
        assert_eq!(kept.status, 200, "it changed");
        let (bundle, brand) = valid(&kept);
        assert_ne!(bundle["timestamp"], before.json()["timestamp"]);
        let fresh = admin.send(Method::GET, BUNDLE, &[("if-none-match", &kept.header("etag"))], "").await;
        assert_eq!((fresh.status.as_u16(), fresh.body.as_str()), (304, ""));
        assert_eq!(fresh.header("access-control-allow-origin"), "*");
        assert_eq!(brand["name"], "St. Mary <Hospital>");
        assert_eq!(brand["type"][0]["coding"][0]["code"], "laboratory");
        assert_eq!(brand["telecom"][0]["value"], "https://www.st-mary.example/patients?x=1");
        assert_eq!(
            brand["identifier"],
            serde_json::json!([
                { "system": "urn:ietf:rfc:3986", "value": "https://st-mary.example" },
                { "system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893" },
            ]),
            "SMART-UB-05: the recommended one first and once"
        );
        assert_eq!(
            brand["address"],
            serde_json::json!([
                { "line": ["Long Street 1"], "city": "Amsterdam", "postalCode": "1012 AB", "country": "NL" },
                { "city": "Utrecht", "country": "NL" },
                { "city": "Boston", "state": "MA", "country": "US" },
            ])
        );
        assert_eq!(portal(&brand, "portalName")["valueString"], "My St. Mary");
        assert_eq!(portal(&brand, "portalDescription")["valueMarkdown"], "For patients\nand *their* carers.");
        assert_eq!(portal(&brand, "portalUrl")["valueUrl"], "https://my.st-mary.example/");
        let logo = &brand["extension"][0]["extension"];
        assert_eq!(logo[1]["valueUrl"], "https://st-mary.example/logo");
        let picture = admin.get(logo[0]["valueUrl"].as_str().unwrap()).await;
        assert_eq!((picture.status.as_u16(), picture.header("content-type").as_str()), (200, "image/png"));
        assert_eq!(picture.header("access-control-allow-origin"), "*");
        assert_eq!(picture.header("cross-origin-resource-policy"), "cross-origin");
        // the document of the endpoint names the same brand
        let smart = admin.get(SMART).await.json();
        assert_eq!(smart["user_access_brand_identifier"], brand["identifier"][0]);
        assert_eq!(site.world.recorded("brand.changed").await, 1);

        // without a logo: asked, and none given
        let gone = admin.submit_multipart(&form.with("remove_logo", "1"), None).await;
        admin.follow(gone).await.says("The brand is saved");
        let (bundle, brand) = published(&mut admin).await;
        assert!(brand["extension"][0]["extension"][0].get("valueUrl").is_none());
        assert!(bundle.to_string().contains("asked-declined"));
        site.remove().await;
    });
}

#[test]
fn an_endpoint_that_is_not_published_is_in_no_list() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut admin = site.signed_in(&site.world.admin.account).await;
        let form = admin.open("/console/st-mary/brand").await.form("/brand");
        let publish: Vec<_> = form.choices.iter().filter(|(name, _)| name == "publish").collect();
        assert_eq!(publish.len(), 1);
        assert!(form.fields.contains(publish[0]), "published unless somebody says otherwise");
        let saved = admin.submit_multipart(&form.without("publish"), None).await;
        admin.follow(saved).await.says("The brand is saved");
        let (_, brand) = published(&mut admin).await;
        assert!(brand.get("endpoint").is_none());
        let smart = admin.get(SMART).await.json();
        assert!(smart.get("user_access_brand_bundle").is_none(), "it would name a list it is not in");
        assert!(smart.get("user_access_brand_identifier").is_none());
        // somebody else's endpoint cannot be ticked
        let form = admin.open("/console/st-mary/brand").await.form("/brand");
        let foreign = form.with("publish", site.world.other_endpoint.id.as_str());
        let saved = admin.submit_multipart(&foreign, None).await;
        admin.follow(saved).await;
        let (_, brand) = published(&mut admin).await;
        assert!(brand.get("endpoint").is_none());
        site.remove().await;
    });
}

#[test]
fn mistakes_are_told_beside_their_fields_and_nothing_is_lost() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut admin = site.signed_in(&site.world.admin.account).await;
        let form = admin
            .open("/console/st-mary/brand")
            .await
            .form("/brand")
            .with("display_name", "Kept")
            .with("website", "javascript:alert(1)")
            .with("country", "Netherlands")
            .with("city", "Amsterdam")
            .with("identifiers", "<script>alert(1)</script>");
        let wrong = admin.submit_multipart(&form, Some(("logo", b"<svg onload='alert(1)'/>"))).await;
        assert_eq!(wrong.status, 422);
        wrong.says("4 things need your attention.");
        wrong.says("This is not a web address.");
        wrong.says("Use the two letters of the country, such as NL.");
        wrong.says("This is not a PNG or JPEG picture.");
        assert!(!wrong.body.contains("<script>alert"));
        let again = wrong.form("/brand");
        assert_eq!((again.value("display_name"), again.value("city")), ("Kept", "Amsterdam"));
        assert_eq!(site.world.recorded("brand.changed").await, 0);
        let (_, brand) = published(&mut admin).await;
        assert_ne!(brand["name"], "Kept");
        site.remove().await;
    });
}

#[test]
fn only_an_admin_of_the_organization_changes_its_brand() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut viewer = site.signed_in(&site.world.viewer.account).await;
        let page = viewer.open("/console/st-mary/brand").await;
        page.says("disabled");
        let csrf = page.form("/sign-out").value("csrf").to_owned();
        let form = page.form("/brand").with("display_name", "Taken over");
        for account in [&site.world.viewer.account, &site.world.reviewer.account] {
            let mut browser = site.signed_in(account).await;
            let csrf = browser.open("/console/st-mary/brand").await.form("/sign-out").value("csrf").to_owned();
            let answer = browser.submit_multipart(&form.clone().with("csrf", &csrf), Some(("logo", &png()))).await;
            assert_eq!(answer.status, 403);
        }
        let mut stranger = site.signed_in(&site.world.stranger.account).await;
        assert_eq!(stranger.submit_multipart(&form.clone().with("csrf", &csrf), None).await.status, 404);
        let mut admin = site.signed_in(&site.world.admin.account).await;
        for csrf in ["", "x", &csrf] {
            let answer = admin.submit_multipart(&form.clone().with("csrf", csrf), None).await;
            assert_eq!(answer.status, 403, "another person's token");
        }
        let answer = admin.post("/console/st-mary/brand", &[("csrf", &csrf), ("display_name", "Taken over")]).await;
        assert_eq!(answer.status, 403, "another kind of form");
        assert_eq!(site.world.recorded("brand.changed").await, 0);
        site.remove().await;
    });
}
