//! A page of a client reads why it was refused (C20, SMART-AL-35): also where the request names no client, or no handler saw it.

use axum::http::Method;

use super::actors::{ISSUER, Stage, basic};
use crate::support::browser::Answer;
use crate::support::on_both;

const HOME: &str = "https://app.acme.example";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Method, path, headers, body, and the status it is answered with.
type Case<'a> = (Method, &'a str, Vec<(&'a str, &'a str)>, &'a str, u16);

async fn send(stage: &Stage, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    stage.app_browser().send(method, &format!("{ISSUER}/{path}"), headers, body.to_owned()).await
}

#[test]
fn a_registered_page_reads_every_refusal_and_a_strange_one_reads_none() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let dead = stage.tokens().await;
        let fields = [("token", dead.text("refresh_token")), ("client_id", stage.app.as_str().to_owned())];
        let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(stage.post("revoke", &[], &pairs).await.status, 200);
        let long = format!("a={}", "x".repeat(70_000));
        let refresh = "grant_type=refresh_token&refresh_token=csr_unknown";
        let dead_bearer = format!("Bearer {}", dead.access());
        let cases: Vec<Case<'_>> = vec![
            (Method::GET, "userinfo", vec![("authorization", "Bearer unknown")], "", 401),
            (Method::GET, "userinfo", vec![("authorization", &dead_bearer)], "", 401),
            (Method::GET, "userinfo", vec![], "", 401),
            (Method::POST, "userinfo", vec![FORM], &long, 413),
            (Method::POST, "token", vec![FORM], refresh, 400),
            (Method::POST, "token", vec![FORM], "grant_type=refresh_token&refresh_token=x&client_id=nobody", 401),
            (Method::POST, "token", vec![FORM], "%zz", 400),
            (Method::POST, "token", vec![FORM], "a=%00", 400),
            (Method::POST, "token?a=%00", vec![FORM], "a=b", 400),
            (Method::POST, "token", vec![("content-type", "application/json")], "{}", 400),
            (Method::POST, "token", vec![FORM, ("content-encoding", "gzip")], "x", 415),
            (Method::POST, "token", vec![FORM], &long, 413),
            (Method::GET, "token", vec![], "", 405),
            (Method::POST, "revoke", vec![FORM], "token=unknown", 401),
            (Method::POST, "revoke", vec![FORM], &long, 413),
        ];
        for (method, path, headers, body, status) in cases {
            for (origin, reads) in [(HOME, true), ("https://evil.example", false), ("null", false)] {
                let mut headers = headers.clone();
                headers.push(("origin", origin));
                let answer = send(&stage, method.clone(), path, &headers, body).await;
                let what = format!("{method} {path} {origin}");
                assert_eq!(answer.status, status, "{what}: {}", answer.body);
                assert_eq!(answer.header("access-control-allow-origin"), if reads { origin } else { "" }, "{what}");
                assert!(answer.header("access-control-allow-credentials").is_empty(), "{what}");
                assert_eq!(answer.header("vary").contains("Origin"), reads, "{what}");
            }
        }
        stage.end().await;
    });
}

/// K20: who may read a refusal must not tell whether a client exists. What is issued is for the client's own pages alone.
#[test]
fn every_registered_page_reads_a_refusal_whoever_is_named_and_only_the_clients_own_what_is_issued() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let other = stage.register(|metadata| metadata.redirect_uris = vec!["https://other.example/cb".into()]).await;
        stage.approve(&other, "openid").await;
        for client in [stage.app.as_str(), other.as_str(), "nobody"] {
            for (origin, reads) in [(HOME, true), ("https://other.example", true), ("https://evil.example", false)] {
                let body = format!("grant_type=authorization_code&code=x&client_id={client}");
                let answer = send(&stage, Method::POST, "token", &[FORM, ("origin", origin)], &body).await;
                assert!(answer.status.is_client_error());
                let told = answer.header("access-control-allow-origin");
                assert_eq!(told, if reads { origin } else { "" }, "{client} {origin}");
            }
        }
        for (origin, reads) in [("https://other.example", false), (HOME, true)] {
            let code = stage.code().await;
            let answer = stage.post("token", &[("origin", origin)], &stage.redemption(&code)).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("access-control-allow-origin"), if reads { origin } else { "" });
        }
        // a page of an app that was disabled is told so
        stage.disable(&stage.app).await;
        let body = format!("grant_type=refresh_token&refresh_token=x&client_id={}", stage.app.as_str());
        let answer = send(&stage, Method::POST, "token", &[FORM, ("origin", HOME)], &body).await;
        assert_eq!(answer.header("access-control-allow-origin"), HOME, "{}", answer.body);
        stage.end().await;
    });
}

#[test]
fn what_only_servers_ask_no_page_reads_and_what_anybody_asks_every_page_reads() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (id, secret) = &stage.fhir_server;
        let proof = basic(id, secret);
        for path in ["introspect", "launch"] {
            let asks = [FORM, ("origin", HOME), ("authorization", &proof)];
            for body in ["token=x", "%zz"] {
                let answer = send(&stage, Method::POST, path, &asks, body).await;
                assert!(answer.header("access-control-allow-origin").is_empty(), "{path}: {}", answer.status);
            }
            let preflight = [("origin", HOME), ("access-control-request-method", "POST")];
            let answer = send(&stage, Method::OPTIONS, path, &preflight, "").await;
            assert!(answer.header("access-control-allow-origin").is_empty(), "{path}");
        }
        for (method, path) in [
            (Method::POST, "register?a=%00"),
            (Method::PATCH, "register"),
            (Method::GET, "jwks?a=%00"),
            (Method::POST, ".well-known/openid-configuration"),
        ] {
            let answer = send(&stage, method, path, &[("origin", "https://anybody.example")], "").await;
            assert!(answer.status.is_client_error(), "{path}");
            assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        }
        stage.end().await;
    });
}
