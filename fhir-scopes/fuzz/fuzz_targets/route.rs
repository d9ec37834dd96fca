//! The route reader: no panic, and what it takes for an interaction is spelled the one way that FHIR spells it.
//!
//! `cargo +nightly fuzz run route -- -dict=http.dict -max_total_time=300`

#![no_main]

use fhir_scopes::Release;
use fhir_scopes::route::{self, Interaction, OperationTarget};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &str, &str)| {
    let (pick, path, query) = input;
    let method = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"][usize::from(pick % 8)];
    let release = Release::ALL[usize::from(pick / 8 % 3)];
    let Ok(found) = route::read(method, path, query, release) else { return };
    let rest = path.strip_prefix('/').unwrap_or(path);
    let spelled = match found {
        Interaction::Open if method == "OPTIONS" => return,
        Interaction::Open => return assert!(matches!(rest, "metadata" | ".well-known/smart-configuration")),
        Interaction::Read { one, id }
        | Interaction::Update { one, id }
        | Interaction::Patch { one, id }
        | Interaction::Delete { one, id } => {
            format!("{one}/{id}")
        }
        Interaction::VersionRead { one, id, version } => format!("{one}/{id}/_history/{version}"),
        Interaction::InstanceHistory { one, id } => format!("{one}/{id}/_history"),
        Interaction::TypeHistory { one } => format!("{one}/_history"),
        Interaction::SystemHistory => "_history".into(),
        Interaction::Search { one } if method == "POST" => format!("{one}/_search"),
        Interaction::SystemSearch if method == "POST" => "_search".into(),
        Interaction::SystemSearch | Interaction::Bundle => String::new(),
        Interaction::CompartmentSearch { owner, id, one } => {
            let search = if method == "POST" { "/_search" } else { "" };
            format!("{owner}/{id}/{}{search}", one.map_or("*", |one| one.name()))
        }
        Interaction::Search { one }
        | Interaction::Create { one }
        | Interaction::ConditionalUpdate { one }
        | Interaction::ConditionalPatch { one }
        | Interaction::ConditionalDelete { one } => one.to_string(),
        Interaction::Operation { name, on, .. } => match on {
            OperationTarget::System => format!("${name}"),
            OperationTarget::Type(one) => format!("{one}/${name}"),
            OperationTarget::Instance(one, id) => format!("{one}/{id}/${name}"),
        },
        _ => unreachable!("every interaction is spelled above"),
    };
    assert_eq!(rest, spelled);
});
