//! The description of the API and the router are the same list.

use std::collections::BTreeSet;

use countersign::http::api::Description;
use utoipa::OpenApi as _;

/// Method and path of every API route on the router's page.
fn routed() -> BTreeSet<String> {
    let page = include_str!("../../../src/http/router.rs");
    let mut routes = BTreeSet::new();
    for area in ["api: console", "api: portal"] {
        let block = page.split(&format!("// >>> {area}")).nth(1).expect("the area has its marker");
        let block = block.split(&format!("// <<< {area}")).next().expect("there is always a first part");
        for route in block.split(".route(").skip(1) {
            let (path, methods) = route.trim_start().trim_start_matches('"').split_once('"').expect("a path ends");
            for method in ["get", "post", "put", "delete"] {
                if methods.contains(&format!(" {method}(")) || methods.contains(&format!(".{method}(")) {
                    routes.insert(format!("{method} {path}"));
                }
            }
        }
    }
    routes
}

#[test]
fn every_route_of_the_api_is_described_and_nothing_else() {
    let description = serde_json::to_value(Description::openapi()).unwrap();
    let mut described = BTreeSet::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            described.insert(format!("{method} {path}"));
        }
    }
    assert!(described.len() > 15);
    assert_eq!(routed(), described);
}

#[test]
fn the_described_metadata_has_the_members_that_are_read() {
    let description = serde_json::to_value(Description::openapi()).unwrap();
    let described: BTreeSet<&str> = description["components"]["schemas"]["Metadata"]["properties"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let mut metadata = crate::governance::world::metadata("x");
    metadata.declared.require_auth_time = true; // left out where nothing is said
    let read = serde_json::to_value(metadata).unwrap();
    let read: BTreeSet<&str> = read.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(described, read);
}
