//! Decisions: no panic, nothing for nobody, and no scope takes anything away.
//!
//! The input is text: a line of scopes, one more scope, method and path, query, form; what follows is JSON for body and resource.
//! `cargo +nightly fuzz run decide -- -dict=http.dict -max_total_time=300`

#![no_main]

use fhir_scopes::decide::{Body, Decision, Grant, Request};
use fhir_scopes::route::{self, Interaction};
use fhir_scopes::{Release, ScopeSet};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let mut lines = text.splitn(6, '\n');
    let mut next = || lines.next().unwrap_or_default();
    let (scopes, one_more, line, query, form, json) = (next(), next(), next(), next(), next(), next());
    let (method, path) = line.split_once(' ').unwrap_or(("GET", line));
    let json: Value = serde_json::from_str(json).unwrap_or(Value::Null);
    let body = if form.is_empty() { Body::Json(&json) } else { Body::Form(form) };
    let request = Request { body, if_none_exist: (form == "if").then_some(query), ..Request::new(method, path, query) };
    let release = Release::ALL[text.len() % 3];
    let grant = |list: &str| {
        Grant::new(&ScopeSet::parse_lenient(list, release).0).launch_patient("123").base("https://this.example/fhir")
    };

    let nobody = grant("");
    let open = matches!(route::read(method, path, query, release), Ok(Interaction::Open));
    let empty_bundle = json["resourceType"] == "Bundle";
    assert!(open || empty_bundle || !nobody.decide(&request).goes_on());

    let (before, after) = (grant(scopes), grant(&format!("{scopes} {one_more}")));
    let (then, now) = (before.decide(&request), after.decide(&request));
    assert!(!then.goes_on() || now.goes_on(), "adding a scope turned {} into deny", then.word());
    match &then {
        Decision::Allow(_) => assert_eq!(now.word(), "allow"),
        Decision::Filter(filter) => {
            let passed = filter.accepts(&json);
            if let Decision::Filter(wider) = &now {
                assert!(!passed || wider.accepts(&json));
            }
            let _ = (
                filter.as_single_query(),
                filter.as_queries(),
                filter.by(),
                filter.accepts_all(std::slice::from_ref(&json)),
            );
        }
        Decision::Deny(denial) => {
            let header = denial.www_authenticate();
            assert!(header.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{header}");
            // what is said to be missing helps: it is never held already
            for missing in denial.missing() {
                assert!(!ScopeSet::parse_lenient(scopes, release).0.contains_literal(&missing), "{missing} is granted");
            }
        }
    }
});
