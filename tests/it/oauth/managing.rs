//! Management of registrations (RFC 7592; ATTACKS D06 to D14): what a registration access token can do, and what it never can.

use axum::http::Method;
use countersign::domain::ids::ClientId;
use countersign::governance::approvals::reject;
use countersign::storage;
use serde_json::{Value, json};

use super::actors::{CALLBACK, ISSUER, Stage, Tokens, basic, refused};
use super::registration::{good, open, send, waiting};
use crate::support::on_both;

/// A client that registered itself: what it was told, its path, its token.
async fn registered(stage: &Stage, wish: &Value) -> (Value, String, String, ClientId) {
    let answer = send(stage, Method::POST, "", None, &wish.to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let made = answer.json();
    let id = made["client_id"].as_str().unwrap().to_owned();
    let token = made["registration_access_token"].as_str().unwrap().to_owned();
    (made, format!("/{id}"), token, ClientId::from_text(id))
}

#[test]
fn a_registration_token_manages_its_client_but_never_its_approval() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        open(&stage).await;
        let world = stage.world();
        let made = send(&stage, Method::POST, "", None, &good().to_string()).await.json();
        let (id, token) = (made["client_id"].as_str().unwrap(), made["registration_access_token"].as_str().unwrap());
        let path = format!("/{id}");
        let other = send(&stage, Method::POST, "", None, &good().to_string()).await.json();
        // only its own
        let without = send(&stage, Method::GET, &path, None, "").await;
        assert_eq!((without.status.as_u16(), without.header("www-authenticate").contains("error")), (401, false));
        refused(
            &send(&stage, Method::GET, &path, other["registration_access_token"].as_str(), "").await,
            401,
            "invalid_token",
        );
        refused(
            &send(&stage, Method::DELETE, &path, other["registration_access_token"].as_str(), "").await,
            401,
            "invalid_token",
        );
        let got = send(&stage, Method::GET, &path, Some(token), "").await;
        assert_eq!(got.status, 200, "{}", got.body);
        // what was read can be written back, and nothing is lost
        let back = send(&stage, Method::PUT, &path, Some(token), &got.body).await;
        assert_eq!(back.status, 200, "{}", back.body);
        assert_eq!(back.json(), got.json());
        // approved: a change is pending, the live revision unchanged
        let client = countersign::domain::ids::ClientId::from_text(id);
        let waiting = {
            let mut conn = world.app.store.read().await.unwrap();
            storage::access_requests::find_waiting(&mut conn, &world.reviewer.organization.id, &client)
                .await
                .unwrap()
                .unwrap()
        };
        world.approve(&waiting.id).await.unwrap();
        let mut moved = got.json();
        moved["redirect_uris"] = json!(["https://elsewhere.example/cb"]);
        moved["scope"] = json!("launch/patient openid patient/*.cruds");
        let changed = send(&stage, Method::PUT, &path, Some(token), &moved.to_string()).await;
        assert_eq!(changed.status, 200, "{}", changed.body);
        let mut request = stage.request();
        request[1].1 = id.into();
        request[2].1 = "https://elsewhere.example/cb".into();
        let answer = stage.app_browser().get(&Stage::authorize_url(&request)).await;
        assert_eq!(answer.status, 400);
        assert!(answer.location().is_empty(), "the new address is not approved");
        // disabled: the token does nothing at all
        stage.disable(&client).await;
        for (method, body) in
            [(Method::GET, String::new()), (Method::PUT, got.body.clone()), (Method::DELETE, String::new())]
        {
            refused(&send(&stage, method, &path, Some(token), &body).await, 403, "insufficient_scope");
        }
        stage.enable(&client).await;
        // deleted: for good
        assert_eq!(send(&stage, Method::DELETE, &path, Some(token), "").await.status, 204);
        refused(&send(&stage, Method::GET, &path, Some(token), "").await, 401, "invalid_token");
        request[2].1 = CALLBACK.into();
        assert_eq!(stage.app_browser().get(&Stage::authorize_url(&request)).await.status, 400);
        stage.end().await;
    });
}

#[test]
fn a_put_replaces_the_whole_set_and_must_be_about_this_client() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        open(&stage).await;
        let mut wish = good();
        wish["policy_uri"] = json!("https://app.example/privacy");
        wish["software_id"] = json!("self-made");
        wish["launch_uri"] = json!("https://app.acme.example/launch");
        wish["post_logout_redirect_uris"] = json!(["https://app.acme.example/bye"]);
        let (made, path, token, id) = registered(&stage, &wish).await;
        // what is left out is no longer said
        let mut less = good();
        less["client_id"] = json!(id.as_str());
        less["policy_uri"] = Value::Null;
        let answer = send(&stage, Method::PUT, &path, Some(&token), &less.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let told = answer.json();
        for gone in ["policy_uri", "software_id", "launch_uri", "post_logout_redirect_uris"] {
            assert!(told.get(gone).is_none(), "{gone}: {told}");
        }
        assert_eq!(told["client_id_issued_at"], made["client_id_issued_at"]);
        assert_eq!(send(&stage, Method::GET, &path, Some(&token), "").await.json(), told);
        // each of these is refused, and changes nothing
        let with = |name: &str, value: Value| {
            let mut body = less.clone();
            body["client_name"] = json!("Changed");
            body[name] = value;
            body.to_string()
        };
        let without_id = {
            let mut body = less.clone();
            body.as_object_mut().unwrap().remove("client_id");
            body.to_string()
        };
        for (what, body, error) in [
            ("no client_id", without_id, "invalid_client_metadata"),
            ("another client_id", with("client_id", json!("app_other")), "invalid_client_metadata"),
            ("another token", with("registration_access_token", json!("csg_other")), "invalid_client_metadata"),
            ("another uri", with("registration_client_uri", json!("https://evil.example/")), "invalid_client_metadata"),
            ("another time", with("client_id_issued_at", json!(1)), "invalid_client_metadata"),
            ("an expiry", with("client_secret_expires_at", json!(0)), "invalid_client_metadata"),
            ("a secret", with("client_secret", json!("of my own")), "invalid_client_metadata"),
            (
                "another method",
                with("token_endpoint_auth_method", json!("client_secret_basic")),
                "invalid_client_metadata",
            ),
            ("http redirect", with("redirect_uris", json!(["http://app.example/cb"])), "invalid_redirect_uri"),
            ("no redirect", with("redirect_uris", json!([])), "invalid_redirect_uri"),
            ("statement", with("software_statement", json!("eyJ.x.")), "invalid_software_statement"),
            ("scope", with("scope", json!("patient/Patient.zz")), "invalid_client_metadata"),
            ("null", "null".into(), "invalid_client_metadata"),
            ("list", "[]".into(), "invalid_client_metadata"),
        ] {
            let answer = send(&stage, Method::PUT, &path, Some(&token), &body).await;
            assert_eq!(answer.status, 400, "{what}: {}", answer.body);
            assert_eq!(answer.json()["error"], error, "{what}");
            assert_eq!(send(&stage, Method::GET, &path, Some(&token), "").await.json(), told, "{what}");
        }
        stage.end().await;
    });
}

#[test]
fn a_secret_that_is_sent_back_must_be_the_clients() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        open(&stage).await;
        let mut wish = good();
        wish["token_endpoint_auth_method"] = json!("client_secret_basic");
        let (made, path, token, _) = registered(&stage, &wish).await;
        // everything that was told at registration, sent back as it was
        let back = send(&stage, Method::PUT, &path, Some(&token), &made.to_string()).await;
        assert_eq!(back.status, 200, "{}", back.body);
        let mut forged = made.clone();
        forged["client_secret"] = json!("another");
        refused(
            &send(&stage, Method::PUT, &path, Some(&token), &forged.to_string()).await,
            400,
            "invalid_client_metadata",
        );
        stage.end().await;
    });
}

#[test]
fn what_a_client_wishes_for_itself_in_a_put_stays_a_wish() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        open(&stage).await;
        let (_, path, token, id) = registered(&stage, &good()).await;
        let world = stage.world();
        let mut wishes = good();
        for (name, value) in [
            ("client_id", json!(id.as_str())),
            ("status", json!("approved")),
            ("approved_scopes", json!("system/*.cruds")),
            ("enabled", json!(true)),
            ("trusted", json!(true)),
            ("organization", json!("st-luke")),
            ("application_provider", json!("Acme Health")),
            ("owner", json!("acc_1")),
            ("epoch", json!(7)),
        ] {
            wishes[name] = value;
        }
        let answer = send(&stage, Method::PUT, &path, Some(&token), &wishes.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        for ignored in ["status", "approved_scopes", "enabled", "trusted", "organization", "owner"] {
            assert!(answer.json().get(ignored).is_none(), "{ignored}");
        }
        assert!(waiting(&stage, &id).await.is_some());
        let mut conn = world.app.store.read().await.unwrap();
        assert!(storage::approvals::list_by_client(&mut conn, &id).await.unwrap().is_empty());
        let elsewhere = &world.stranger.organization.id;
        assert!(storage::access_requests::find_latest(&mut conn, elsewhere, &id).await.unwrap().is_none());
        drop(conn);
        stage.end().await;
    });
}

#[test]
fn every_change_of_an_approved_client_waits_and_the_live_revision_stays() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        open(&stage).await;
        let world = stage.world();
        let (_, path, token, id) = registered(&stage, &good()).await;
        let request = waiting(&stage, &id).await.unwrap();
        world.approve(&request.id).await.unwrap();
        let before = approval(&stage, &id).await;
        let mut changed = send(&stage, Method::GET, &path, Some(&token), "").await.json();
        for (name, value) in [
            ("client_name", json!("Another name")),
            ("redirect_uris", json!([CALLBACK, "https://new.example/cb"])),
            ("launch_uri", json!("https://new.example/launch")),
            ("policy_uri", json!("https://new.example/privacy")),
            ("post_logout_redirect_uris", json!(["https://new.example/bye"])),
            ("software_version", json!("2.0")),
            ("scope", json!("launch/patient openid patient/*.cruds")),
        ] {
            changed[name] = value;
            let answer = send(&stage, Method::PUT, &path, Some(&token), &changed.to_string()).await;
            assert_eq!(answer.status, 200, "{name}: {}", answer.body);
            assert_eq!(answer.json()[name], changed[name], "{name}");
            let now = approval(&stage, &id).await;
            assert_eq!(
                (now.scopes, now.epoch, now.client_revision),
                (before.scopes.clone(), before.epoch, 1),
                "{name}"
            );
        }
        let waits = waiting(&stage, &id).await.unwrap();
        assert_eq!(waits.scopes, "launch/patient openid patient/*.cruds");
        stage.end().await;
    });
}

async fn approval(stage: &Stage, client: &ClientId) -> countersign::domain::approvals::Approval {
    let world = stage.world();
    let mut conn = world.app.store.read().await.unwrap();
    storage::approvals::find(&mut conn, &world.reviewer.organization.id, client).await.unwrap().unwrap()
}

#[test]
fn a_rejected_client_may_ask_again_and_a_blocked_one_may_not() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        open(&stage).await;
        let world = stage.world();
        let (_, path, token, id) = registered(&stage, &good()).await;
        let read = send(&stage, Method::GET, &path, Some(&token), "").await.json();
        // rejected: saying it again asks again
        let request = waiting(&stage, &id).await.unwrap();
        reject(&world.app, &world.reviewer, &request.id, "Not yet.", true).await.unwrap();
        assert!(waiting(&stage, &id).await.is_none());
        assert_eq!(send(&stage, Method::PUT, &path, Some(&token), &read.to_string()).await.status, 200);
        let again = waiting(&stage, &id).await.unwrap();
        assert_ne!(again.id, request.id);
        // expired: the same
        world.clock.advance_seconds(91 * 86_400);
        assert_eq!(send(&stage, Method::PUT, &path, Some(&token), &read.to_string()).await.status, 200);
        let third = waiting(&stage, &id).await.unwrap();
        assert_ne!(third.id, again.id);
        // blocked: it can be read, but asks nothing
        reject(&world.app, &world.reviewer, &third.id, "Never.", false).await.unwrap();
        let mut changed = read.clone();
        changed["client_name"] = json!("Another name");
        for body in [read.to_string(), changed.to_string()] {
            refused(&send(&stage, Method::PUT, &path, Some(&token), &body).await, 403, "insufficient_scope");
        }
        assert_eq!(send(&stage, Method::GET, &path, Some(&token), "").await.json(), read, "nothing changed");
        assert!(waiting(&stage, &id).await.is_none());
        assert_eq!(send(&stage, Method::DELETE, &path, Some(&token), "").await.status, 204);
        stage.end().await;
    });
}

#[test]
fn a_client_that_deletes_itself_takes_its_tokens_with_it_and_leaves_its_history() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        open(&stage).await;
        let world = stage.world();
        let mut wish = good();
        wish["token_endpoint_auth_method"] = json!("client_secret_basic");
        let (made, path, token, id) = registered(&stage, &wish).await;
        let request = waiting(&stage, &id).await.unwrap();
        world.approve(&request.id).await.unwrap();
        let mut pairs = stage.request();
        pairs[1].1 = id.as_str().into();
        pairs[3].1 = "launch/patient openid patient/Patient.r".into();
        let code = stage.code_for(&pairs).await;
        let credentials = basic(id.as_str(), made["client_secret"].as_str().unwrap());
        let mut fields = stage.redemption(&code);
        fields.retain(|(name, _)| *name != "client_id");
        let answer = stage.post("token", &[("authorization", &credentials)], &fields).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let tokens = Tokens(answer.json());
        assert!(stage.is_active(&tokens.access()).await);
        // disabled: not even this
        stage.disable(&id).await;
        refused(&send(&stage, Method::DELETE, &path, Some(&token), "").await, 403, "insufficient_scope");
        let mut conn = world.app.store.read().await.unwrap();
        assert_eq!(storage::clients::list_secrets(&mut conn, &id).await.unwrap().len(), 1, "its secret is unchanged");
        drop(conn);
        stage.enable(&id).await;
        let answer = send(&stage, Method::DELETE, &path, Some(&token), "").await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (204, ""));
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(!stage.is_active(&tokens.access()).await);
        refused(
            &stage
                .post(
                    "token",
                    &[("authorization", &credentials)],
                    &[("grant_type", "refresh_token"), ("refresh_token", "x")],
                )
                .await,
            401,
            "invalid_client",
        );
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            refused(&send(&stage, method, &path, Some(&token), &made.to_string()).await, 401, "invalid_token");
        }
        assert!(world.audit().await.iter().any(|record| record.client_id.as_deref() == Some(id.as_str())));
        // nobody gets the id again, not even by asking for it
        let mut again = good();
        again["client_id"] = json!(id.as_str());
        let (_, _, _, other) = registered(&stage, &again).await;
        assert_ne!(other, id);
        stage.end().await;
    });
}

#[test]
fn a_registration_token_of_one_organization_is_none_at_another() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        open(&stage).await;
        let (_, path, token, _) = registered(&stage, &good()).await;
        let authorization = format!("Bearer {token}");
        let elsewhere = ISSUER.replace("st-mary", "st-luke");
        let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
        for organization in [elsewhere, ISSUER.replace("st-mary", "nowhere")] {
            let answer =
                stage.app_browser().send(Method::GET, &format!("{organization}/register{path}"), &headers, "").await;
            refused(&answer, 401, "invalid_token");
        }
        // an access token, an initial access token or half a token are none
        for other in ["csa_x", "csk_x", &token[..token.len() - 1], ""] {
            refused(&send(&stage, Method::GET, &path, Some(other), "").await, 401, "invalid_token");
        }
        stage.end().await;
    });
}
