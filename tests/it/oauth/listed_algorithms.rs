//! Every algorithm that discovery lists is one with which a client can prove itself, and no other is (SMART-DI-12).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RsaEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::domain::clients::{ClientType, GrantType};
use countersign::domain::ids::ClientId;
use serde_json::{Value, json};

use super::actors::{ISSUER, Stage, claims, refused};
use crate::support::browser::Answer;
use crate::support::on_both;

enum Pair {
    Rsa(Box<RsaKeyPair>),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Pair {
    fn for_algorithm(name: &str) -> Self {
        match &name[..2] {
            "ES" if name == "ES256" => Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
            "ES" => Self::P384(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap()),
            "Ed" => Self::Ed25519(Ed25519KeyPair::generate().unwrap()),
            _ => Self::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())),
        }
    }

    fn jwk(&self) -> Value {
        let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let curve = |name: &str, point: &[u8]| {
            let (x, y) = point[1..].split_at(point.len() / 2);
            json!({ "kty": "EC", "kid": "k", "crv": name, "x": encoded(x), "y": encoded(y) })
        };
        match self {
            // RSAPublicKey of RFC 8017 A.1.1: the modulus of 256 bytes stands behind eight of lengths and a zero
            Self::Rsa(pair) => {
                let der = pair.public_key().as_ref().to_vec();
                json!({ "kty": "RSA", "kid": "k", "n": encoded(&der[9..265]), "e": "AQAB" })
            }
            Self::P256(pair) => curve("P-256", pair.public_key().as_ref()),
            Self::P384(pair) => curve("P-384", pair.public_key().as_ref()),
            Self::Ed25519(pair) => {
                json!({ "kty": "OKP", "kid": "k", "crv": "Ed25519", "x": encoded(pair.public_key().as_ref()) })
            }
        }
    }

    fn sign(&self, algorithm: &str, claims: &Value) -> String {
        let header = json!({ "alg": algorithm, "kid": "k", "typ": "JWT" });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", part(&header), part(claims));
        let (random, message) = (SystemRandom::new(), input.as_bytes());
        let signature = match self {
            Self::Rsa(pair) => {
                let encoding: &'static dyn RsaEncoding = match algorithm {
                    "RS256" => &RSA_PKCS1_SHA256,
                    "RS384" => &RSA_PKCS1_SHA384,
                    "RS512" => &RSA_PKCS1_SHA512,
                    "PS256" => &RSA_PSS_SHA256,
                    "PS384" => &RSA_PSS_SHA384,
                    other => panic!("{other}"),
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature).unwrap();
                signature
            }
            Self::P256(pair) | Self::P384(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        };
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

async fn client(stage: &Stage, pair: &Pair) -> ClientId {
    let jwks = json!({ "keys": [pair.jwk()] }).to_string();
    let id = stage
        .register(|metadata| {
            metadata.client_type = ClientType::ConfidentialKeys;
            metadata.grant_types = vec![GrantType::ClientCredentials];
            metadata.redirect_uris = Vec::new();
            metadata.jwks = Some(jwks);
        })
        .await;
    stage.approve(&id, "system/Patient.rs").await;
    id
}

async fn token(stage: &Stage, assertion: &str) -> Answer {
    stage
        .token(&[
            ("grant_type", "client_credentials"),
            ("scope", "system/Patient.rs"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion),
        ])
        .await
}

#[test]
fn every_algorithm_that_is_listed_proves_a_client_and_no_other_does() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let url = format!("{ISSUER}/.well-known/openid-configuration");
        let openid = stage.app_browser().get(&url).await.json();
        let listed: Vec<String> = openid["token_endpoint_auth_signing_alg_values_supported"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one.as_str().unwrap().to_owned())
            .collect();
        for algorithm in &listed {
            let pair = Pair::for_algorithm(algorithm);
            let id = client(&stage, &pair).await;
            let answer = token(&stage, &pair.sign(algorithm, &claims(&stage, &id, "first"))).await;
            assert_eq!(answer.status, 200, "{algorithm}: {}", answer.body);
        }
        // well signed with a key that is registered, in a way that is not listed
        for algorithm in ["RS256", "RS512"] {
            assert!(!listed.iter().any(|one| one == algorithm));
            let pair = Pair::for_algorithm(algorithm);
            let id = client(&stage, &pair).await;
            refused(&token(&stage, &pair.sign(algorithm, &claims(&stage, &id, "first"))).await, 401, "invalid_client");
        }
        // or not signed at all
        let pair = Pair::for_algorithm("ES384");
        let id = client(&stage, &pair).await;
        let signed = pair.sign("ES384", &claims(&stage, &id, "first"));
        let claims = signed.split('.').nth(1).unwrap();
        for header in [json!({ "alg": "none" }), json!({ "alg": "HS256", "kid": "k" })] {
            let header = URL_SAFE_NO_PAD.encode(header.to_string());
            refused(&token(&stage, &format!("{header}.{claims}.")).await, 401, "invalid_client");
        }
        stage.end().await;
    });
}
