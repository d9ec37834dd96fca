//! *Client management*: what the list shows, and how fast.

use countersign::domain::clients::{Client, ClientRevision, ClientState};
use countersign::domain::clock::UtcMillis;
use countersign::domain::ids::{AccessRequestId, ClientId};
use countersign::governance::Refusal;
use countersign::governance::approvals::reject;
use countersign::governance::client_management::list;
use countersign::storage;
use countersign::storage::client_management::{Filter, Line, Sort};

use super::world::{READING, World, metadata};
use crate::support::on_both;

fn filter() -> Filter {
    Filter { state: None, search: String::new(), sort: Sort::Oldest, limit: 50, offset: 0 }
}

#[test]
fn an_approved_client_with_a_change_is_found_among_the_approved_and_the_waiting() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        world.approved(READING).await;
        world.clock.advance_seconds(60);
        world.ask("launch/patient patient/*.rs").await;
        let all = list(&world.app, &world.viewer, &filter()).await.unwrap();
        assert_eq!((all.counts.all, all.counts.approved, all.counts.waiting, all.total), (1, 1, 1, 1));
        for state in ["approved", "waiting"] {
            let some =
                list(&world.app, &world.viewer, &Filter { state: Some(state.into()), ..filter() }).await.unwrap();
            assert_eq!((some.lines.len(), some.total), (1, 1), "{state}");
        }
        assert_eq!(all.lines[0].line.scopes, READING, "what is live, not what is asked");
        assert!(list(&world.app, &world.stranger, &filter()).await.unwrap().lines.is_empty());
        world.end().await;
    });
}

#[test]
fn a_search_finds_clients_and_providers_and_takes_wildcards_as_letters() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let (request, _) = world.ask(READING).await;
        reject(&world.app, &world.reviewer, &request.id, "No.", true).await.unwrap();
        for (search, found) in [
            ("growth", 1),
            ("ACME", 1),
            (world.client.id.as_str(), 1),
            ("%", 0),
            ("_", 1),
            ("gr_wth", 0),
            ("\\", 0),
            ("'; drop", 0),
        ] {
            let listing = list(&world.app, &world.viewer, &Filter { search: search.into(), ..filter() }).await.unwrap();
            assert_eq!(listing.lines.len(), found, "{search}");
            assert_eq!(usize::try_from(listing.counts.rejected), Ok(found), "{search}");
        }
        for wrong in [
            Filter { state: Some("live".into()), ..filter() },
            Filter { offset: -1, ..filter() },
            Filter { limit: 0, ..filter() },
            Filter { limit: 1_000_000, ..filter() },
            Filter { search: "x".repeat(201), ..filter() },
        ] {
            assert!(matches!(list(&world.app, &world.viewer, &wrong).await, Err(Refusal::Invalid(_))), "{wrong:?}");
        }
        world.end().await;
    });
}

#[test]
fn five_thousand_clients_are_listed_quickly_page_by_page() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let (request, _) = world.ask(READING).await;
        let (organization, provider, request) =
            (world.reviewer.organization.id.clone(), world.developer.provider.id.clone(), request.id);
        world
            .write(move |conn| {
                Box::pin(async move {
                    for n in 0..5000_i64 {
                        let metadata = metadata(&format!("App {n:04}"));
                        let client = Client {
                            id: ClientId::from_text(format!("app_{n:04}")),
                            application_provider_id: provider.clone(),
                            state: ClientState::Active,
                            latest_revision: 1,
                            name: metadata.name.clone(),
                            created_at: UtcMillis(n),
                        };
                        let digest = metadata.digest();
                        let revision = ClientRevision {
                            client_id: client.id.clone(),
                            revision: 1,
                            metadata,
                            digest,
                            created_at: UtcMillis(n),
                        };
                        storage::clients::insert(conn, &client, &revision, "acc_test").await?;
                        let line = Line {
                            organization_id: organization.clone(),
                            client_id: client.id,
                            client_name: client.name,
                            provider_name: "Acme Health".into(),
                            state: ["waiting", "approved", "disabled", "rejected", "expired"]
                                [usize::try_from(n % 5).unwrap()]
                            .into(),
                            change_waiting: false,
                            scopes: READING.into(),
                            access_request_id: AccessRequestId::from_text(request.as_str()),
                            requested_at: UtcMillis(n),
                            decided_at: None,
                            decided_by: None,
                        };
                        storage::client_management::put(conn, &line).await?;
                    }
                    Ok(())
                })
            })
            .await;
        let mut seen = std::collections::BTreeSet::new();
        for offset in (0..1050).step_by(50) {
            let view = Filter { state: Some("waiting".into()), offset, ..filter() };
            let listing = list(&world.app, &world.viewer, &view).await.unwrap();
            assert_eq!(listing.total, 1001);
            seen.extend(listing.lines.into_iter().map(|one| one.line.client_id.as_str().to_owned()));
        }
        assert_eq!(seen.len(), 1001);
        for sort in [Sort::Oldest, Sort::Newest, Sort::Name, Sort::LastUsed] {
            let view = Filter { sort, offset: 4900, search: "app".into(), ..filter() };
            assert_eq!(list(&world.app, &world.viewer, &view).await.unwrap().lines.len(), 50);
        }
        world.end().await;
    });
}
