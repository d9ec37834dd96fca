//! Client assertions, case by case (ATTACKS K01 to K31, RFC 7523, SMART 2.2): algorithms, headers, claims, replay. Keys behind a URL are next door.

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::domain::clients::{AssertionAudience, ClientType, GrantType};
use countersign::domain::ids::ClientId;
use countersign::http::pages::Pages;
use countersign::http::{AppState, router};
use countersign::storage;
use serde_json::{Value, json};

use super::actors::{ISSUER, Stage, claims, refused};
use crate::support::browser::{Answer, Browser};
use crate::support::on_both;

const SCOPE: &str = "system/Patient.rs";
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn form(jwt: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("grant_type", "client_credentials"),
            ("scope", SCOPE),
            ("client_assertion_type", TYPE),
            ("client_assertion", jwt),
            ("token", "x"),
        ])
        .finish()
}

async fn at(browser: &mut Browser, path: &str, jwt: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    browser.send(axum::http::Method::POST, &format!("{ISSUER}/{path}"), &headers, form(jwt)).await
}

pub async fn token(stage: &Stage, jwt: &str) -> Answer {
    at(&mut stage.app_browser(), "token", jwt).await
}

/// A backend service with this JWK Set, approved.
async fn service(stage: &Stage, jwks: Value, algorithm: Option<&str>) -> ClientId {
    let (jwks, algorithm) = (jwks.to_string(), algorithm.map(str::to_owned));
    let id = stage
        .register(|metadata| {
            metadata.client_type = ClientType::ConfidentialKeys;
            metadata.grant_types = vec![GrantType::ClientCredentials];
            metadata.redirect_uris = Vec::new();
            metadata.jwks = Some(jwks);
            metadata.declared.assertion_algorithm = algorithm;
        })
        .await;
    stage.approve(&id, SCOPE).await;
    id
}

fn jws(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", part(header), part(claims));
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(sign(input.as_bytes())))
}

#[test]
fn each_algorithm_we_name_verifies_with_its_own_kind_of_key_and_no_other_does() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let random = SystemRandom::new();
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let modulus = rsa.public_key().modulus().big_endian_without_leading_zero().to_vec();
        let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
        let ed = Ed25519KeyPair::generate().unwrap();
        let point = |pair: &EcdsaKeyPair, crv: &str| {
            let (x, y) = pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
            json!({ "kty": "EC", "crv": crv, "kid": crv, "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) })
        };
        let keys = json!([
            { "kty": "RSA", "kid": "rsa", "n": URL_SAFE_NO_PAD.encode(&modulus), "e": "AQAB" },
            point(&p256, "P-256"),
            point(&p384, "P-384"),
            { "kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": URL_SAFE_NO_PAD.encode(ed.public_key().as_ref()) },
        ]);
        let id = service(&stage, json!({ "keys": keys }), None).await;
        let by_rsa = |padding: &'static dyn signature::RsaEncoding, input: &[u8]| {
            let mut made = vec![0; rsa.public_modulus_len()];
            rsa.sign(padding, &random, input, &mut made).unwrap();
            made
        };
        let sign = |algorithm: &str, kid: &str, jti: &str, input: Option<&ClientId>| {
            let header = json!({ "alg": algorithm, "kid": kid, "typ": "JWT" });
            jws(&header, &claims(&stage, input.unwrap_or(&id), jti), |input| match kid {
                "rsa" if algorithm == "RS256" => by_rsa(&signature::RSA_PKCS1_SHA256, input),
                "rsa" if algorithm == "RS512" => by_rsa(&signature::RSA_PKCS1_SHA512, input),
                "rsa" if algorithm == "PS256" => by_rsa(&signature::RSA_PSS_SHA256, input),
                "rsa" if algorithm == "PS384" => by_rsa(&signature::RSA_PSS_SHA384, input),
                "rsa" => by_rsa(&signature::RSA_PKCS1_SHA384, input),
                "P-256" => p256.sign(&random, input).unwrap().as_ref().to_vec(),
                "P-384" => p384.sign(&random, input).unwrap().as_ref().to_vec(),
                _ => ed.sign(input).as_ref().to_vec(),
            })
        };
        let good = [
            ("RS384", "rsa"),
            ("PS256", "rsa"),
            ("PS384", "rsa"),
            ("ES256", "P-256"),
            ("ES384", "P-384"),
            ("EdDSA", "ed"),
        ];
        for (place, (algorithm, kid)) in good.into_iter().enumerate() {
            let answer = token(&stage, &sign(algorithm, kid, &format!("good-{place}"), None)).await;
            assert_eq!(answer.status, 200, "{algorithm}: {}", answer.body);
        }
        let named = stage.app_browser().get(&format!("{ISSUER}/.well-known/openid-configuration")).await.json();
        let named = &named["token_endpoint_auth_signing_alg_values_supported"];
        assert_eq!(named.as_array().unwrap().len(), good.len());
        assert!(good.iter().all(|(algorithm, _)| named.as_array().unwrap().contains(&json!(algorithm))), "{named}");
        for (place, (algorithm, kid)) in [
            ("RS256", "rsa"),
            ("RS512", "rsa"),
            ("ES384", "rsa"),
            ("ES256", "P-384"),
            ("ES384", "P-256"),
            ("RS384", "ed"),
            ("EdDSA", "P-256"),
            ("HS256", "rsa"),
            ("HS384", "P-384"),
            ("none", "rsa"),
            ("nOnE", "rsa"),
            ("", "rsa"),
            ("ES384", "unknown"),
        ]
        .into_iter()
        .enumerate()
        {
            let answer = token(&stage, &sign(algorithm, kid, &format!("bad-{place}"), None)).await;
            assert_eq!(answer.status, 401, "{algorithm} with {kid}: {}", answer.body);
            refused(&answer, 401, "invalid_client");
        }
        // HMAC with the public key as the secret
        let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &modulus);
        let confused = jws(&json!({ "alg": "HS256", "kid": "rsa" }), &claims(&stage, &id, "hmac"), |input| {
            aws_lc_rs::hmac::sign(&secret, input).as_ref().to_vec()
        });
        refused(&token(&stage, &confused).await, 401, "invalid_client");
        // a client that registered one algorithm, and a key that says one, use no other (X-03)
        let only = service(&stage, json!({ "keys": keys }), Some("PS256")).await;
        assert_eq!(token(&stage, &sign("PS256", "rsa", "only-1", Some(&only))).await.status, 200);
        for (algorithm, kid) in [("RS384", "rsa"), ("PS384", "rsa"), ("ES384", "P-384")] {
            refused(&token(&stage, &sign(algorithm, kid, "only-2", Some(&only))).await, 401, "invalid_client");
        }
        let mut bound = keys.clone();
        bound[0]["alg"] = json!("RS384");
        let bound = service(&stage, json!({ "keys": bound }), None).await;
        assert_eq!(token(&stage, &sign("RS384", "rsa", "bound-1", Some(&bound))).await.status, 200);
        refused(&token(&stage, &sign("PS256", "rsa", "bound-2", Some(&bound))).await, 401, "invalid_client");
        stage.end().await;
    });
}

#[test]
fn the_example_key_of_the_implementation_guide_is_taken_within_five_minutes() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        // SMART App Launch 2.2, the key set of its example of an asymmetric client: both halves are published there
        let number = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let (x, y) = (
            "wcE8O55ro6aOuTf5Ty1k_IG4mTcuLiVercHouge1G5Ri-leevhev4uJzlHpi3U8r",
            "mLRgz8Giu6XA_AqG8bywqbygShmd8jowflrdx0KQtM5X4s4aqDeCRfcpexykp3aI",
        );
        let private = number("WcrTiYk8jbI-Sd1sKNpqGmELWGG08bf_y9SSlnC4cpAl5GRdHHN9gKYlPvMFqiJ5");
        let public = [vec![4], number(x), number(y)].concat();
        let pair =
            EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P384_SHA384_FIXED_SIGNING, &private, &public).unwrap();
        let kid = "afb27c284f2d93959c18fa0320e32060";
        let key = json!({ "kty": "EC", "crv": "P-384", "kid": kid, "alg": "ES384", "key_ops": ["verify"], "ext": true, "x": x, "y": y });
        let id = service(&stage, json!({ "keys": [key] }), None).await;
        let header = json!({ "alg": "ES384", "kid": kid, "typ": "JWT" });
        let sign = |jti: &str| {
            jws(&header, &claims(&stage, &id, jti), |input| {
                pair.sign(&SystemRandom::new(), input).unwrap().as_ref().to_vec()
            })
        };
        assert_eq!(token(&stage, &sign("one")).await.status, 200);
        let late = sign("two");
        stage.world().clock.advance_seconds(300);
        refused(&token(&stage, &late).await, 401, "invalid_client");
        stage.end().await;
    });
}

#[test]
fn one_thing_wrong_with_an_assertion_is_enough() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (id, key) = stage.backend_with_key(SCOPE, AssertionAudience::Smart).await;
        let now = stage.world().app.now().seconds();
        let good = claims(&stage, &id, "good");
        let with_claim = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims[name] = value;
            key.sign(&key.header(), &claims)
        };
        let without = |name: &str| {
            let mut claims = good.clone();
            claims.as_object_mut().unwrap().remove(name);
            key.sign(&key.header(), &claims)
        };
        let with_header = |name: &str, value: Value| {
            let mut header = key.header();
            header[name] = value;
            key.sign(&header, &good)
        };
        let mut cases: Vec<(String, String)> = Vec::new();
        // K01, K03: who it is for
        for aud in [
            json!("https://evil.example/token"),
            json!("https://countersign.example/o/st-luke/token"),
            json!("https://countersign.example/o/st-luke"),
            json!([format!("{ISSUER}/token"), "https://evil.example"]),
            json!([ISSUER, format!("{ISSUER}/token")]),
            json!([]),
            json!(""),
            json!(7),
            json!({ "url": ISSUER }),
            json!(format!("{ISSUER}/")),
            json!(format!("{ISSUER}/token/")),
            json!(format!("{ISSUER}/token?x=1")),
            json!(format!("{ISSUER}/introspect")),
            json!(ISSUER.replace("countersign.example", "COUNTERSIGN.example")),
            json!(ISSUER.replace("countersign.example", "countersign.example:443")),
            json!(ISSUER.replace("https:", "http:")),
        ] {
            cases.push((format!("aud {aud}"), with_claim("aud", aud)));
        }
        // K10, K11: when
        for name in ["exp", "nbf", "iat"] {
            for value in [
                json!((now + 60).to_string()),
                serde_json::from_str(&format!("{}.5", now + 60)).unwrap(),
                json!(-1),
                json!(u64::MAX),
                json!(1e300),
                json!([now]),
                json!(true),
            ] {
                cases.push((format!("{name} {value}"), with_claim(name, value)));
            }
        }
        for (name, value) in [
            ("exp", json!(null)),
            ("exp", json!(0)),
            ("exp", json!(now - 31)),
            ("exp", json!(now + 600)),
            ("exp", json!(now + 331)),
            ("exp", json!(i64::MAX)),
            ("nbf", json!(now + 61)),
            ("iat", json!(now + 61)),
            ("nbf", json!(i64::MAX)),
        ] {
            cases.push((format!("{name} {value}"), with_claim(name, value)));
        }
        // K09, K12: who and which
        for (name, value) in [
            ("iss", json!("app_other")),
            ("sub", json!("app_other")),
            ("sub", json!([id.as_str()])),
            ("jti", json!("")),
            ("jti", json!(7)),
            ("jti", json!(["a"])),
            ("jti", json!("x".repeat(10_240))),
        ] {
            cases.push((format!("{name} {:.40}", value.to_string()), with_claim(name, value)));
        }
        for name in ["iss", "sub", "aud", "exp", "jti"] {
            cases.push((format!("no {name}"), without(name)));
        }
        // K07: keys it brings itself, rules we do not know
        for (name, value) in [
            ("jwk", key.jwk()),
            ("x5u", json!("https://evil.example/chain")),
            ("x5c", json!(["MIIB"])),
            ("jku", json!("https://evil.example/jwks")),
            ("jku", json!("https://app.acme.example/jwks")),
            ("crit", json!(["exp"])),
            ("crit", json!([])),
            ("typ", json!("at+jwt")),
            ("typ", json!("dpop+jwt")),
            ("kid", json!("key-2")),
            ("kid", json!(7)),
            ("alg", json!(null)),
        ] {
            cases.push((format!("header {name} {value}"), with_header(name, value)));
        }
        // K29: shapes
        let signed = key.sign(&key.header(), &good);
        let parts: Vec<&str> = signed.split('.').collect();
        let deep = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"ES384","x":{}{}}}"#, "[".repeat(5000), "]".repeat(5000)));
        for (what, jwt) in [
            ("nothing", String::new()),
            ("two parts", format!("{}.{}", parts[0], parts[1])),
            ("five parts", format!("{signed}.x.y")),
            ("no signature", format!("{}.{}.", parts[0], parts[1])),
            ("another signature", format!("{}.{}.{}", parts[0], parts[1], "A".repeat(128))),
            ("half a signature", format!("{}.{}.{}", parts[0], parts[1], &parts[2][..64])),
            ("padding", format!("{}=.{}.{}", parts[0], parts[1], parts[2])),
            ("a space", format!(" {signed}")),
            ("deep", format!("{deep}.{}.{}", parts[1], parts[2])),
            ("long", format!("{}.{}.{}", parts[0], parts[1], "A".repeat(20_000))),
            ("not base64", "!!!.!!!.!!!".into()),
            ("a list", format!("{}.{}.{}", URL_SAFE_NO_PAD.encode("[]"), parts[1], parts[2])),
        ] {
            cases.push((what.into(), jwt));
        }
        let mut bodies = std::collections::BTreeSet::new();
        for (what, jwt) in cases {
            let answer = token(&stage, &jwt).await;
            assert_eq!(answer.status, 401, "{what}: {}", answer.body);
            refused(&answer, 401, "invalid_client");
            bodies.insert(answer.body);
        }
        // K28
        for wrong in ["", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "jwt-bearer"] {
            let fields = [
                ("grant_type", "client_credentials"),
                ("scope", SCOPE),
                ("client_assertion_type", wrong),
                ("client_assertion", &signed),
            ];
            let answer = stage.token(&fields).await;
            refused(&answer, 401, "invalid_client");
            bodies.insert(answer.body);
        }
        assert_eq!(bodies.len(), 1, "one body for all: {bodies:?}");
        assert_eq!(token(&stage, &signed).await.status, 200, "none of this used the honest assertion up");
        // what lies just inside
        for (name, value) in [
            ("exp", json!(now + 299)),
            ("exp", json!(now + 329)),
            ("exp", json!(now - 9)),
            ("nbf", json!(now + 10)),
            ("iat", json!(now + 10)),
            ("aud", json!([format!("{ISSUER}/token")])),
            ("aud", json!(ISSUER)),
        ] {
            let mut claims = claims(&stage, &id, &format!("{name} {value}"));
            claims[name] = value.clone();
            assert_eq!(token(&stage, &key.sign(&key.header(), &claims)).await.status, 200, "{name} {value}");
        }
        stage.end().await;
    });
}

#[test]
fn the_audience_follows_the_rule_of_the_client_at_each_endpoint() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let token_url = format!("{ISSUER}/token");
        let mut number = 0;
        for (rule, path, aud, typ, taken) in [
            (AssertionAudience::Smart, "token", json!(token_url), "JWT", true),
            (AssertionAudience::Smart, "token", json!(ISSUER), "JWT", true),
            (AssertionAudience::Smart, "token", json!([token_url]), "JWT", true),
            (AssertionAudience::Smart, "token", json!([token_url, ISSUER]), "JWT", false),
            (AssertionAudience::Strict, "token", json!(token_url), "JWT", false),
            (AssertionAudience::Strict, "token", json!(ISSUER), "JWT", true),
            (AssertionAudience::Strict, "token", json!([ISSUER]), "JWT", false),
            (AssertionAudience::Strict, "token", json!([token_url, ISSUER]), "JWT", false),
            (AssertionAudience::Smart, "token", json!(token_url), "client-authentication+jwt", false),
            (AssertionAudience::Smart, "token", json!(ISSUER), "client-authentication+jwt", true),
            (AssertionAudience::Strict, "token", json!(ISSUER), "client-authentication+jwt", true),
            (AssertionAudience::Smart, "revoke", json!(token_url), "JWT", false),
            (AssertionAudience::Smart, "revoke", json!(ISSUER), "JWT", true),
            (AssertionAudience::Smart, "introspect", json!(token_url), "JWT", false),
            (AssertionAudience::Strict, "revoke", json!(ISSUER), "JWT", true),
        ] {
            number += 1;
            let (id, key) = stage.backend_with_key(SCOPE, rule).await;
            let mut claims = claims(&stage, &id, &format!("j{number}"));
            claims["aud"] = aud.clone();
            let jwt = key.sign(&json!({ "alg": "ES384", "kid": key.kid, "typ": typ }), &claims);
            let answer = at(&mut stage.app_browser(), path, &jwt).await;
            assert_eq!(answer.status == 200, taken, "{rule:?} {path} {aud} {typ}: {}", answer.body);
            if !taken {
                refused(&answer, 401, "invalid_client");
            }
        }
        stage.end().await;
    });
}

#[test]
fn a_used_assertion_stays_used_at_every_endpoint_to_its_end_after_a_restart_and_for_a_disabled_client() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let (id, key) = stage.backend_with_key(SCOPE, AssertionAudience::Smart).await;
        let sign = |jti: &str| {
            let mut claims = claims(&stage, &id, jti);
            claims["aud"] = json!(ISSUER);
            key.sign(&key.header(), &claims)
        };
        // K16
        let first = sign("first");
        assert_eq!(token(&stage, &first).await.status, 200);
        for path in ["introspect", "revoke", "token"] {
            refused(&at(&mut stage.app_browser(), path, &first).await, 401, "invalid_client");
        }
        // a process that starts anew over the same database
        let world = stage.world();
        let restarted = countersign::app::App {
            store: countersign::storage::connect::connect(&world.database.url).await.unwrap(),
            clock: world.clock.clone(),
            entropy: Arc::new(countersign::domain::entropy::SeededEntropy::new(99)),
            sealer: world.app.sealer.clone(),
            vault: world.app.vault.clone(),
            config: world.app.config.clone(),
            memory: countersign::app::Memory::default(),
        };
        let app = Arc::new(restarted);
        let state = AppState { app: app.clone(), pages: Arc::new(Pages::load().unwrap()) };
        let mut other = Browser::new(router(state), &app.config.server.base_url);
        refused(&at(&mut other, "token", &first).await, 401, "invalid_client");
        assert_eq!(at(&mut other, "token", &sign("second")).await.status, 200);
        // K31: a disabled client probes with a good assertion; it is used up all the same
        let probing = sign("probing");
        stage.disable(&id).await;
        let disabled = token(&stage, &probing).await;
        refused(&disabled, 401, "invalid_client");
        let nobody = ClientId::from_text("app_nobody");
        let unknown = token(&stage, &key.sign(&key.header(), &claims(&stage, &nobody, "u"))).await;
        assert_eq!(disabled.body, unknown.body);
        stage.enable(&id).await;
        refused(&token(&stage, &probing).await, 401, "invalid_client");
        // K14: to the last moment at which it would be taken, sweeper or not
        let exp = world.app.now().seconds() + 240;
        let last = sign("last");
        assert_eq!(token(&stage, &last).await.status, 200);
        world.clock.advance_seconds(exp + 29 - world.app.now().seconds());
        let now = world.app.now();
        world
            .write(move |conn| {
                Box::pin(async move {
                    storage::single_use::sweep(conn, now).await?;
                    Ok(())
                })
            })
            .await;
        refused(&token(&stage, &last).await, 401, "invalid_client");
        let mut fresh = claims(&stage, &id, "as late");
        fresh["exp"] = json!(exp);
        assert_eq!(token(&stage, &key.sign(&key.header(), &fresh)).await.status, 200, "it would still be taken");
        drop(other);
        Arc::into_inner(app).map(|app| app.store);
        stage.end().await;
    });
}
