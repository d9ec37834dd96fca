//! Members, endpoints, settings, activity.

use countersign::domain::accounts::StaffRole;
use countersign::domain::organizations::OrganizationSettings;
use countersign::governance::Refusal;
use countersign::governance::activity::{ActivityFilter, Kind, activity, export};
use countersign::governance::fhir_endpoints::{EndpointForm, add_endpoint, change_endpoint};
use countersign::governance::organizations::{add_member, change_role, change_settings, members, remove_member};

use super::world::{World, account};
use crate::support::on_both;

#[test]
fn admins_add_members_by_address_and_others_do_not() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        account(&world.app, "eva").await;
        let refused = add_member(&world.app, &world.reviewer, "eva@example.org", StaffRole::Viewer).await;
        assert!(matches!(refused, Err(Refusal::Forbidden(_))));
        assert!(matches!(
            add_member(&world.app, &world.admin, "nobody@example.org", StaffRole::Viewer).await,
            Err(Refusal::Invalid(_))
        ));
        assert!(matches!(
            add_member(&world.app, &world.admin, "no address", StaffRole::Viewer).await,
            Err(Refusal::Invalid(_))
        ));
        add_member(&world.app, &world.admin, " EVA@example.org ", StaffRole::Viewer).await.unwrap();
        assert!(matches!(
            add_member(&world.app, &world.admin, "eva@example.org", StaffRole::Admin).await,
            Err(Refusal::Conflict(_))
        ));
        let all = members(&world.app, &world.viewer).await.unwrap();
        assert_eq!(all.iter().map(|one| one.person.name.as_str()).collect::<Vec<_>>(), ["adam", "eva", "noor", "vera"]);
        assert_eq!(world.recorded("staff.added").await, 1);
        world.end().await;
    });
}

#[test]
fn the_last_admin_stays_even_when_two_step_down_at_once() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let (adam, noor) = (world.admin.account.id.clone(), world.reviewer.account.id.clone());
        assert!(matches!(remove_member(&world.app, &world.admin, &adam).await, Err(Refusal::Conflict(_))));
        assert!(matches!(
            change_role(&world.app, &world.admin, &adam, StaffRole::Viewer).await,
            Err(Refusal::Conflict(_))
        ));
        assert!(world.audit().await.is_empty());
        for _ in 0..8 {
            change_role(&world.app, &world.admin, &noor, StaffRole::Admin).await.unwrap();
            let (one, two) = futures_util::future::join(
                remove_member(&world.app, &world.admin, &noor),
                change_role(&world.app, &world.admin, &adam, StaffRole::Reviewer),
            )
            .await;
            assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1, "{one:?} {two:?}");
            // as it was
            if one.is_ok() {
                add_member(&world.app, &world.admin, "noor@example.org", StaffRole::Reviewer).await.unwrap();
            } else {
                change_role(&world.app, &world.admin, &adam, StaffRole::Admin).await.unwrap();
                change_role(&world.app, &world.admin, &noor, StaffRole::Reviewer).await.unwrap();
            }
        }
        // somebody who is no member here is absent
        let stranger = world.stranger.account.id.clone();
        assert!(matches!(remove_member(&world.app, &world.admin, &stranger).await, Err(Refusal::NotFound)));
        world.end().await;
    });
}

fn form() -> EndpointForm {
    EndpointForm {
        slug: "r5".into(),
        name: "Research".into(),
        base_url: "https://fhir.st-mary.example/r5/".into(),
        release: "r5".into(),
        jwt_access_tokens: false,
        aliases: Vec::new(),
        reading: None,
        active: true,
    }
}

#[test]
fn endpoints_are_checked_and_kept_apart() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        for wrong in [
            EndpointForm { base_url: "http://fhir.st-mary.example/r5".into(), ..form() },
            EndpointForm { base_url: "https://fhir.st-mary.example/r5?x=1".into(), ..form() },
            EndpointForm { base_url: "javascript:alert(1)".into(), ..form() },
            EndpointForm { base_url: world.endpoint.base_url.clone(), ..form() },
            EndpointForm { slug: "R 5".into(), ..form() },
            EndpointForm { release: "r3".into(), ..form() },
            EndpointForm { name: " ".into(), ..form() },
        ] {
            assert!(
                matches!(add_endpoint(&world.app, &world.admin, &wrong).await, Err(Refusal::Invalid(_))),
                "{wrong:?}"
            );
        }
        assert!(matches!(add_endpoint(&world.app, &world.reviewer, &form()).await, Err(Refusal::Forbidden(_))));
        let added = add_endpoint(&world.app, &world.admin, &form()).await.unwrap();
        assert_eq!(added.base_url, "https://fhir.st-mary.example/r5");
        let foreign = change_endpoint(&world.app, &world.admin, &world.other_endpoint.id, &form()).await;
        assert!(matches!(foreign, Err(Refusal::NotFound)));
        let renamed = EndpointForm { name: "Research data".into(), ..form() };
        change_endpoint(&world.app, &world.admin, &added.id, &renamed).await.unwrap();
        assert_eq!(world.recorded("fhir_endpoint.changed").await, 1);
        world.end().await;
    });
}

#[test]
fn settings_are_checked_all_at_once() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        let wrong = OrganizationSettings {
            request_expires_days: 0,
            approval_expires_days: Some(0),
            frame_ancestors: vec!["https://ehr.example/path".into(), "*".into()],
            website: "javascript:alert(1)".into(),
            contact_email: "nobody".into(),
            ..OrganizationSettings::default()
        };
        let Err(Refusal::Invalid(faults)) = change_settings(&world.app, &world.admin, "", wrong).await else {
            panic!()
        };
        assert_eq!(faults.len(), 7);
        let right = OrganizationSettings { approval_expires_days: Some(365), ..OrganizationSettings::default() };
        assert!(matches!(
            change_settings(&world.app, &world.reviewer, "St. Mary", right.clone()).await,
            Err(Refusal::Forbidden(_))
        ));
        let changed = change_settings(&world.app, &world.admin, "St. Mary", right.clone()).await.unwrap();
        assert_eq!((changed.name.as_str(), changed.settings), ("St. Mary", right));
        world.end().await;
    });
}

#[test]
fn reading_the_activity_is_recorded_once_per_view() {
    on_both(async |dialect| {
        let world = World::new(dialect).await;
        world.ask(super::world::READING).await;
        let seen = activity(&world.app, &world.viewer, &view(None)).await.unwrap();
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].who, "piet");
        assert_eq!(world.recorded("audit.viewed").await, 1);
        assert!(matches!(activity(&world.app, &world.viewer, &view(Some(0))).await, Err(Refusal::Invalid(_))));
        assert!(matches!(export(&world.app, &world.reviewer, 0, 100).await, Err(Refusal::Forbidden(_))));
        assert_eq!(export(&world.app, &world.admin, 0, 100).await.unwrap().len(), 2);
        assert_eq!(world.recorded("audit.exported").await, 1);
        world.end().await;
    });
}

fn view(before: Option<i64>) -> ActivityFilter {
    ActivityFilter { before, kind: Kind::All, search: String::new(), limit: 50 }
}
