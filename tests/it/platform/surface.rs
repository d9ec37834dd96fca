//! Every route, asked in ways that no handler should have to think of: what is refused there is refused in our own words, as a page or as JSON.

use std::collections::BTreeSet;

use axum::http::{Method, header};

use crate::support::browser::{Answer, Browser};
use crate::support::{Site, on_both, routes};

/// The patterns of the product. Health is asked by machines of the operator's, and takes nothing.
fn patterns() -> BTreeSet<String> {
    let all = routes::all().into_iter().map(|(_, pattern)| pattern);
    all.filter(|pattern| !pattern.ends_with("livez") && !pattern.ends_with("readyz")).collect()
}

/// The pattern with this in every place that takes something.
fn filled(pattern: &str, with: &str) -> String {
    routes::filled(pattern, |_| with.into())
}

/// A refusal of ours: a page, an error of OAuth, or a problem; and nobody keeps it.
#[track_caller]
fn is_ours(answer: &Answer, status: u16, what: &str) {
    assert_eq!(answer.status, status, "{what}: {} {}", answer.status, answer.body);
    assert_eq!(answer.header("cache-control"), "no-store", "{what}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    match answer.header("content-type").as_str() {
        "application/json" => {
            let said = answer.json();
            assert!(said["error"].is_string() && said["error_description"].is_string(), "{what}: {said}");
            assert_eq!(answer.header("pragma"), "no-cache", "{what}");
        }
        "application/problem+json" => assert_eq!(answer.json()["status"], status, "{what}"),
        media_type => {
            assert_eq!(media_type, "text/html; charset=utf-8", "{what}: {}", answer.body);
            assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{what}");
            assert!(answer.body.contains("<h1>"), "{what}");
        }
    }
}

const FORM: [(&str, &str); 1] = [("content-type", "application/x-www-form-urlencoded")];

async fn both(browser: &mut Browser, url: &str) -> [Answer; 2] {
    [browser.get(url).await, browser.send(Method::POST, url, &FORM, "a=b").await]
}

#[test]
fn no_address_that_holds_a_nul_is_looked_up_anywhere() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut nobody = site.browser();
        let mut staff = site.signed_in(&site.world.admin.account).await;
        for pattern in patterns() {
            let mut addresses = vec![format!("{}?q=a%00b", filled(&pattern, "st-mary"))];
            if pattern.contains('{') {
                addresses.push(filled(&pattern, "a%00b"));
            }
            for address in addresses {
                for browser in [&mut nobody, &mut staff] {
                    for answer in both(browser, &address).await {
                        is_ours(&answer, 400, &address);
                        assert!(answer.location().is_empty(), "{address}");
                    }
                }
            }
        }
        site.remove().await;
    });
}

#[test]
fn a_path_that_is_no_text_is_refused_in_our_words() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut staff = site.signed_in(&site.world.admin.account).await;
        for pattern in patterns().into_iter().filter(|pattern| pattern.contains('{')) {
            let address = filled(&pattern, "%ff");
            for answer in both(&mut staff, &address).await {
                let status = answer.status.as_u16();
                assert!([400, 401, 403, 404, 405, 415].contains(&status), "{address}: {status}");
                is_ours(&answer, status, &address);
            }
        }
        site.remove().await;
    });
}

#[test]
fn a_method_that_is_not_there_is_refused_in_our_words_with_those_that_are() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut nobody = site.browser();
        for pattern in patterns() {
            let address = filled(&pattern, "st-mary");
            let answer = nobody.send(Method::from_bytes(b"BREW").unwrap(), &address, &[], "").await;
            is_ours(&answer, 405, &address);
            assert!(!answer.header("allow").is_empty(), "{address}");
        }
        let answer = nobody.get("/o/st-mary/token").await;
        is_ours(&answer, 405, "GET of the token endpoint");
        assert_eq!(
            (answer.json()["error"].as_str(), answer.header("allow").contains("POST")),
            (Some("invalid_request"), true)
        );
        assert!(nobody.get("/o/st-mary/consent").await.header("content-type").starts_with("text/html"));
        site.remove().await;
    });
}

#[test]
fn a_body_that_is_packed_or_too_long_is_refused_in_our_words() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut nobody = site.browser();
        let long = format!("a={}", "x".repeat(70_000));
        for (path, media_type, status) in [
            ("token", FORM[0].1, 413),
            ("introspect", FORM[0].1, 413),
            ("revoke", FORM[0].1, 413),
            ("userinfo", FORM[0].1, 413),
            ("register", "application/json", 413),
            ("register/app_x", "application/json", 413),
            ("launch", "application/json", 413),
            ("logout", FORM[0].1, 413),
            ("authorize", FORM[0].1, 400),
            ("consent", FORM[0].1, 413),
        ] {
            let address = format!("/o/st-mary/{path}");
            let method = if path.contains('/') { Method::PUT } else { Method::POST };
            let kind = [("content-type", media_type)];
            is_ours(&nobody.send(method.clone(), &address, &kind, long.clone()).await, status, &address);
            let packed = [("content-type", media_type), ("content-encoding", "gzip")];
            is_ours(&nobody.send(method, &address, &packed, "a=b").await, 415, &address);
        }
        site.remove().await;
    });
}

#[test]
fn a_parameter_said_twice_is_refused_by_a_page() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut staff = site.signed_in(&site.world.admin.account).await;
        for address in [
            "/o/st-mary/continue?flow=a&flow=b",
            "/o/st-mary/patient?flow=a&flow=b",
            "/o/st-mary/record?flow=a&q=1&q=2",
            "/o/st-mary/not-me?flow=a&flow=b",
            "/sign-in?next=a&next=b",
            "/console/st-mary/clients?q=a&q=b",
            "/console/st-mary/activity?q=a&q=b",
        ] {
            let answer = staff.get(address).await;
            is_ours(&answer, 400, address);
            assert!(answer.header("content-type").starts_with("text/html"), "{address}");
            assert!(
                !answer.body.contains("deserialize") && !answer.body.contains("too old"),
                "{address}: {}",
                answer.body
            );
        }
        site.remove().await;
    });
}

#[test]
fn no_form_with_a_nul_is_read() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut nobody = site.browser();
        let form = nobody.open("/sign-in").await.form("/sign-in");
        for (email, password) in [("a\0@b.example", "x"), ("a@b.example", "\0")] {
            is_ours(&nobody.submit(&form.clone().with("email", email).with("password", password)).await, 400, email);
        }
        let mut admin = site.signed_in(&site.world.admin.account).await;
        let page = admin.open("/console/st-mary/members").await;
        for field in ["member", "email", "role", "more"] {
            for action in ["add", "role", "remove"] {
                let csrf = page.form("/sign-out").value("csrf").to_owned();
                let fields = [("csrf", csrf.as_str()), ("email", "a@b.example"), ("role", "viewer"), (field, "a\0b")];
                let answer = admin.post(&format!("/console/st-mary/members/{action}"), &fields).await;
                is_ours(&answer, 400, &format!("{action} {field}"));
            }
        }
        let mut developer = site.signed_in(&site.world.developer.account).await;
        let new = format!("/portal/{}/clients/new", site.world.developer.provider.id);
        let form = developer.open(&new).await.form("/clients/new").with("name", "a\0b");
        is_ours(&developer.submit_multipart(&form, None).await, 400, "a form in parts");
        site.remove().await;
    });
}

#[test]
fn an_issuer_opened_in_a_browser_leads_to_what_is_somebodys_there() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut browser = site.browser();
        for address in ["/o/st-mary", "/o/st-mary/"] {
            let page = browser.open(address).await;
            assert_eq!((page.status.as_u16(), page.at.as_str()), (200, "/sign-in?next=%2Fo%2Fst-mary%2Fapps"));
        }
        is_ours(&browser.get("/o/nowhere").await, 404, "no such organization");
        site.remove().await;
    });
}

#[test]
fn the_language_link_of_a_page_that_answers_a_form_leads_to_a_page() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        site.world.approved(crate::governance::world::READING).await;
        let mut nobody = site.browser();
        let mut staff = site.signed_in(&site.world.admin.account).await;
        for pattern in patterns().into_iter().filter(|pattern| !pattern.starts_with("/api")) {
            let address = filled(&pattern, "st-mary");
            for browser in [&mut nobody, &mut staff] {
                let answer = browser.send(Method::POST, &address, &FORM, "").await;
                if answer.headers.get(header::CONTENT_TYPE).is_none_or(|kind| kind != "text/html; charset=utf-8") {
                    continue;
                }
                let link = language_link(&answer);
                let page = browser.open(&link).await;
                assert_ne!(page.status, 405, "{address} -> {link}");
                assert!(page.header("content-type").starts_with("text/html"), "{address} -> {link}");
            }
        }
        site.remove().await;
    });
}

/// Where a page leads in the language that it is not in.
pub fn language_link(page: &Answer) -> String {
    let hrefs = page.body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let link = hrefs.filter(|href| href.ends_with("lang=nl") || href.ends_with("lang=en")).last();
    let link = link.unwrap_or_else(|| panic!("a language link at {}: {}", page.at, page.body));
    link.replace("&amp;", "&").replace("&#x2F;", "/")
}

#[test]
fn a_failed_sign_in_read_in_another_language_still_goes_where_it_was_going() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let mut browser = site.browser();
        let form = browser.open("/sign-in?next=%2Faccount%3Fa%3D1").await.form("/sign-in");
        let failed = browser.submit(&form.with("email", "nobody@st-mary.example").with("password", "wrong")).await;
        assert_eq!(failed.status, 401);
        let page = browser.open(&language_link(&failed)).await;
        page.says("lang=\"nl\"");
        assert_eq!(page.form("/sign-in").value("return_to"), "/account?a=1");
        // somebody who is signed in and tries to be somebody else keeps the form
        let mut staff = site.signed_in(&site.world.viewer.account).await;
        let form = staff.open("/sign-in?next=%2Faccount&again=1").await.form("/sign-in");
        let failed = staff.submit(&form.with("email", "nobody@st-mary.example").with("password", "wrong")).await;
        let page = staff.open(&language_link(&failed)).await;
        assert_eq!(page.form("/sign-in").value("return_to"), "/account");
        site.remove().await;
    });
}
