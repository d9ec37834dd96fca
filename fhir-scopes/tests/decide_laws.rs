//! Laws of decisions, and decisions against an evaluator written separately from the crate's.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use fhir_scopes::compartment::CompartmentMode;
use fhir_scopes::decide::{Decision, Grant, Request};
use fhir_scopes::{Release, ScopeSet};
use proptest::prelude::*;
use serde_json::{Value, json};

const PATIENT: &str = "123";

/// What the brute-force side knows of a scope: written down, not parsed.
#[derive(Debug, Clone)]
struct Asked {
    level: &'static str,
    one: &'static str,
    letters: String,
    limit: Option<(&'static str, &'static str)>,
}

impl Asked {
    fn text(&self) -> String {
        let limit = self.limit.map_or(String::new(), |(name, value)| format!("?{name}={value}"));
        format!("{}/{}.{}{limit}", self.level, self.one, self.letters)
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    let level = prop::sample::select(vec!["patient", "user", "system"]);
    let one = prop::sample::select(vec![
        "*",
        "Patient",
        "Observation",
        "Observation",
        "Medication",
        "Device",
        "Binary",
        "Provenance",
    ]);
    let letters = prop::sample::subsequence(vec!['c', 'r', 'u', 'd', 's'], 1..=5);
    let limit =
        prop::sample::select(vec![None, None, Some(("status", "final")), Some(("category", "a")), Some(("_tag", "t"))]);
    (level, one, letters, limit).prop_map(|(level, one, letters, limit)| {
        let limit = limit.filter(|(name, _)| *name == "_tag" || one == "Observation");
        Asked { level, one, letters: letters.into_iter().collect(), limit }
    })
}

fn resources() -> Vec<Value> {
    let mut all = vec![
        json!({ "resourceType": "Patient", "id": "123" }),
        json!({ "resourceType": "Patient", "id": "999" }),
        json!({ "resourceType": "Patient", "id": "123", "meta": { "tag": [{ "code": "t" }] } }),
        json!({ "resourceType": "Medication", "id": "m" }),
        json!({ "resourceType": "Medication", "id": "m", "meta": { "tag": [{ "system": "x", "code": "t" }] } }),
        json!({ "resourceType": "Device", "id": "d", "patient": { "reference": "Patient/123" } }),
        json!({ "resourceType": "Device", "id": "d", "patient": { "reference": "Patient/999" } }),
        json!({ "resourceType": "Binary", "id": "b" }),
        json!({ "resourceType": "Binary", "id": "b", "securityContext": { "reference": "Patient/123" } }),
        json!({ "resourceType": "Provenance", "id": "p", "target": [{ "reference": "Patient/123" }] }),
        json!({ "resourceType": "Provenance", "id": "p", "target": [{ "reference": "Observation/o" }] }),
    ];
    for subject in ["Patient/123", "Patient/999", "Group/123"] {
        for status in ["final", "amended"] {
            for category in ["a", "b"] {
                for tag in [None, Some("t")] {
                    let mut one = json!({
                        "resourceType": "Observation", "id": "o", "status": status, "subject": { "reference": subject },
                        "category": [{ "coding": [{ "code": category }] }]
                    });
                    if let Some(tag) = tag {
                        one["meta"] = json!({ "tag": [{ "code": tag }] });
                    }
                    all.push(one);
                }
            }
        }
    }
    all.push(json!({ "resourceType": "Observation", "id": "o", "performer": [{ "reference": "Patient/123" }] }));
    all
}

/// Brute force: does any single scope reach this resource with this letter?
fn reachable(scopes: &[Asked], letter: char, resource: &Value, patient: Option<&str>) -> bool {
    let one = resource["resourceType"].as_str().unwrap();
    let tagged = || resource["meta"]["tag"].as_array().is_some_and(|tags| tags.iter().any(|tag| tag["code"] == "t"));
    scopes.iter().any(|scope| {
        let limit = match scope.limit {
            None => true,
            Some(("status", value)) => resource["status"] == value,
            Some(("category", value)) => resource["category"][0]["coding"][0]["code"] == value,
            Some(_) => tagged(),
        };
        let reads = letter == 'r' || letter == 's';
        let own = |reference: &Value| patient.is_some_and(|patient| reference == &json!(format!("Patient/{patient}")));
        let reach = scope.level != "patient"
            || patient.is_some()
                && match one {
                    "Patient" => resource["id"].as_str() == patient && letter != 'c',
                    "Observation" => {
                        own(&resource["subject"]["reference"]) || own(&resource["performer"][0]["reference"])
                    }
                    "Device" => own(&resource["patient"]["reference"]),
                    "Medication" => reads,
                    "Binary" => letter == 'r' && own(&resource["securityContext"]["reference"]),
                    "Provenance" => own(&resource["target"][0]["reference"]),
                    _ => unreachable!(),
                };
        (scope.one == "*" || scope.one == one) && scope.letters.contains(letter) && limit && reach
    })
}

fn grant(scopes: &[Asked], patient: Option<&str>) -> Grant {
    let text = scopes.iter().map(Asked::text).collect::<Vec<_>>().join(" ");
    let grant = Grant::new(&ScopeSet::parse(&text, Release::R4).unwrap());
    patient.map_or(grant.clone(), |patient| grant.launch_patient(patient))
}

/// Whether the decision lets this one resource through.
fn lets_through(decision: &Decision<'_>, resource: &Value) -> bool {
    match decision {
        Decision::Allow(_) => true,
        Decision::Filter(filter) => filter.accepts(resource),
        Decision::Deny(_) => false,
    }
}

const QUERIES: [(&str, &str, &str); 34] = [
    ("GET", "/Observation/o", ""),
    ("GET", "/Patient/123", ""),
    ("GET", "/Patient/999", ""),
    ("GET", "/Patient/123/_history", ""),
    ("GET", "/Observation/o/_history/1", ""),
    ("GET", "/Observation/_history", ""),
    ("GET", "/_history", ""),
    ("GET", "/Observation", "code=x"),
    ("GET", "/Observation", "_include=Observation:subject"),
    ("GET", "/Observation", "_include=*"),
    ("GET", "/Observation", "_revinclude=Provenance:target"),
    ("GET", "/Observation", "subject:Patient.name=x"),
    ("GET", "/Observation", "subject.name=x"),
    ("GET", "/Patient", "_has:Observation:patient:code=1"),
    ("GET", "/Patient", "_list=1"),
    ("GET", "/", ""),
    ("GET", "/", "_type=Observation,Device"),
    ("GET", "/Patient/123/Observation", ""),
    ("GET", "/Patient/999/Observation", ""),
    ("GET", "/Patient/123/*", ""),
    ("GET", "/Encounter/1/Observation", ""),
    ("PATCH", "/Observation/o", ""),
    ("PATCH", "/Observation", "code=x"),
    ("DELETE", "/Observation/o", ""),
    ("DELETE", "/Observation", "code=x"),
    ("GET", "/Patient/123/$everything", ""),
    ("GET", "/Patient/123/$everything", "_type=Observation"),
    ("GET", "/$export", ""),
    ("GET", "/$export", "_type=Observation"),
    ("GET", "/Patient/$export", "_type=Observation"),
    ("GET", "/Observation/$lastn", ""),
    ("POST", "/Patient/$match", ""),
    ("GET", "/Composition/1/$document", ""),
    ("GET", "/Observation/$meta", ""),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_goes_through_is_what_some_single_scope_reaches(
        scopes in prop::collection::vec(asked(), 0..6),
        patient in prop::sample::select(vec![None, Some(PATIENT)]),
    ) {
        let grant = grant(&scopes, patient);
        for resource in resources() {
            let one = resource["resourceType"].as_str().unwrap();
            let id = resource["id"].as_str().unwrap();
            let instance = format!("/{one}/{id}");
            let kind = format!("/{one}");
            let expect = |letter| reachable(&scopes, letter, &resource, patient);
            let read = grant.decide(&Request::get(&instance, ""));
            prop_assert_eq!(lets_through(&read, &resource), expect('r'), "read {}", resource);
            let search = grant.decide(&Request::get(&kind, ""));
            prop_assert_eq!(lets_through(&search, &resource), expect('s'), "search {}", resource);
            let delete = grant.decide(&Request::new("DELETE", &instance, ""));
            prop_assert_eq!(lets_through(&delete, &resource), expect('d'), "delete {}", resource);
            // the stored resource is the new one, so both checks are the same
            let update = grant.decide(&Request::new("PUT", &instance, "").with_json(&resource));
            prop_assert_eq!(lets_through(&update, &resource), expect('u'), "update {}", resource);
            let create = grant.decide(&Request::new("POST", &kind, "").with_json(&resource));
            prop_assert_eq!(create.word() == "allow", expect('c'), "create {}", resource);
            // a conditional delete must be open to both letters
            let conditional = grant.decide(&Request::new("DELETE", &kind, "code=x"));
            prop_assert_eq!(lets_through(&conditional, &resource), expect('d') && expect('s'), "conditional delete {}", resource);
        }
    }

    #[test]
    fn adding_a_scope_never_takes_anything_away(
        scopes in prop::collection::vec(asked(), 0..5),
        more in asked(),
        patient in prop::sample::select(vec![None, Some(PATIENT)]),
        narrow in any::<bool>(),
    ) {
        let mode = if narrow { CompartmentMode::Subject } else { CompartmentMode::Spec };
        let before = grant(&scopes, patient).mode(mode);
        let wider: Vec<Asked> = scopes.iter().cloned().chain([more]).collect();
        let after = grant(&wider, patient).mode(mode);
        let all = resources();
        for (method, path, query) in QUERIES {
            let request = Request::new(method, path, query);
            let (then, now) = (before.decide(&request), after.decide(&request));
            prop_assert!(!then.goes_on() || now.goes_on(), "{} {}?{}: {} became deny", method, path, query, then.word());
            prop_assert!(then.word() != "allow" || now.word() == "allow", "{} {}?{}: allow became {}", method, path, query, now.word());
            for resource in &all {
                prop_assert!(!lets_through(&then, resource) || lets_through(&now, resource), "{} {}?{}: lost {}", method, path, query, resource);
            }
            if let (Decision::Filter(then), Decision::Filter(now)) = (&then, &now) {
                for (was, is) in then.accepts_all(&all).into_iter().zip(now.accepts_all(&all)) {
                    prop_assert!(!was || is, "{} {}?{}", method, path, query);
                }
            }
        }
    }

    #[test]
    fn the_branches_of_a_filter_say_the_same_as_its_predicate(
        scopes in prop::collection::vec(asked(), 1..6),
    ) {
        let grant = grant(&scopes, Some(PATIENT));
        for (path, one) in [("/Observation", "Observation"), ("/Observation/o", "Observation"), ("/Device", "Device")] {
            let Decision::Filter(filter) = grant.decide(&Request::get(path, "")) else { continue };
            for resource in resources().into_iter().filter(|resource| resource["resourceType"] == one) {
                let text = filter.branches().into_iter().map(|branch| {
                    let limits = branch.limits.iter().map(ToString::to_string).collect::<Vec<_>>().join("&");
                    (branch.reach.to_string(), limits)
                });
                let own = |reference: &Value| reference == "Patient/123";
                let passes = text.into_iter().any(|(reach, limits)| {
                    let reach = reach == "everyone"
                        || own(&resource["subject"]["reference"]) || own(&resource["performer"][0]["reference"]) || own(&resource["patient"]["reference"]);
                    reach && limits.split('&').all(|clause| match clause {
                        "" => true,
                        "status=final" => resource["status"] == "final",
                        "category=a" => resource["category"][0]["coding"][0]["code"] == "a",
                        _ => resource["meta"]["tag"][0]["code"] == "t",
                    })
                });
                prop_assert_eq!(filter.accepts(&resource), passes, "{}", resource);
            }
        }
    }

    #[test]
    fn no_request_makes_it_panic(method in "GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|\\PC{0,6}", path in "\\PC{0,40}", query in "\\PC{0,60}") {
        let grant = Grant::new(&ScopeSet::parse("user/*.cruds patient/Observation.rs?category=a", Release::R4).unwrap()).launch_patient(PATIENT);
        let _ = grant.decide(&Request::new(&method, &path, &query)).goes_on();
    }
}

#[test]
fn a_write_without_its_content_is_refused_at_patient_level() {
    let grant = grant(&[Asked { level: "patient", one: "*", letters: "cruds".into(), limit: None }], Some(PATIENT));
    assert_eq!(grant.decide(&Request::new("POST", "/Observation", "")).word(), "deny");
    assert_eq!(grant.decide(&Request::new("PUT", "/Observation/1", "")).word(), "deny");
}

#[test]
fn a_cascading_delete_is_refused() {
    let grant = grant(&[Asked { level: "system", one: "*", letters: "cruds".into(), limit: None }], None);
    assert_eq!(grant.decide(&Request::new("DELETE", "/Patient/1", "")).word(), "allow");
    assert_eq!(grant.decide(&Request::new("DELETE", "/Patient/1", "_cascade=delete")).word(), "deny");
    assert_eq!(grant.decide(&Request::new("DELETE", "/Patient", "active=false&_expunge=true")).word(), "deny");
}

#[test]
fn an_encoded_include_is_an_include() {
    let grant =
        grant(&[Asked { level: "patient", one: "Observation", letters: "s".into(), limit: None }], Some(PATIENT));
    let decision = grant.decide(&Request::get("/Observation", "%5Finclude=Observation%3Asubject"));
    assert!(decision.obligations().iter().any(|owed| owed.to_string() == "strip-include:Observation:subject"));
    assert_eq!(grant.decide(&Request::get("/Observation", "subject%3APatient%2Ename=x")).word(), "deny");
}

#[test]
fn a_batch_of_refusals_is_answered_entry_by_entry() {
    let entry = |url: &str| json!({ "request": { "method": "GET", "url": url } });
    let of = |kind: &str| json!({ "resourceType": "Bundle", "type": kind, "entry": [entry("Condition/1"), entry("Encounter/1")] });
    let grant = Grant::new(&ScopeSet::parse("user/Patient.r", Release::R4).unwrap());
    let (batch, transaction) = (of("batch"), of("transaction"));
    let Decision::Filter(filter) = grant.decide(&Request::new("POST", "/", "").with_json(&batch)) else { panic!() };
    assert!(filter.entries().iter().all(|entry| !entry.decision().goes_on()));
    assert_eq!(filter.entries().len(), 2);
    let Decision::Deny(denial) = grant.decide(&Request::new("POST", "/", "").with_json(&transaction)) else { panic!() };
    assert_eq!(denial.missing(), ["user/Condition.r", "user/Encounter.r"]);
}

#[test]
fn a_conditional_reference_is_a_search() {
    let observation = |name: &str, reference: &str| json!({ "resourceType": "Observation", "status": "final", "subject": { "reference": "Patient/123" }, name: [{ "reference": reference }] });
    let encounter = observation("encounter", "Encounter?identifier=a|1");
    let absolute = observation("encounter", "https://this.example/fhir/Encounter?identifier=a|1");
    let performer = observation("performer", "Practitioner?identifier=a|1");
    let chained = observation("encounter", "Encounter?subject.name=x");
    let stranger = observation("encounter", "https://other.example/fhir/Encounter?identifier=a|1");
    let literal = observation("encounter", "Encounter/1");
    let decide = |scopes: &str, method: &'static str, body: &serde_json::Value| {
        let granted = ScopeSet::parse(scopes, Release::R4).unwrap();
        let grant = Grant::new(&granted).launch_patient("123").base("https://this.example/fhir");
        let path = if method == "POST" { "/Observation" } else { "/Observation/1" };
        let inside = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [{ "request": { "method": method, "url": path }, "resource": body }] });
        let alone = grant.decide(&Request::new(method, path, "").with_json(body));
        assert_eq!(alone.goes_on(), grant.decide(&Request::new("POST", "/", "").with_json(&inside)).goes_on());
        match alone {
            Decision::Deny(denial) => format!("deny {:?} {}", denial.reason(), denial.missing().join(" ")),
            Decision::Filter(filter) => format!("filter {} {}", filter.on(), filter.obligations().iter().count()),
            Decision::Allow(_) => "allow".into(),
        }
    };
    for (scopes, method, body, expected) in [
        ("user/Observation.c", "POST", &literal, "allow"),
        ("user/Observation.c", "POST", &encounter, "deny NoScope user/Encounter.s"),
        ("user/Observation.c", "POST", &absolute, "deny NoScope user/Encounter.s"),
        ("user/Observation.c", "POST", &stranger, "allow"),
        ("user/Observation.c user/Encounter.s", "POST", &encounter, "allow"),
        ("user/*.cruds", "POST", &chained, "allow"),
        ("user/Observation.c user/Encounter.s", "POST", &chained, "deny Parameter "),
        ("user/Observation.c user/Encounter.s?status=finished", "POST", &encounter, "filter condition 1"),
        ("user/Patient.r", "POST", &encounter, "deny NoScope user/Encounter.s user/Observation.c"),
        ("patient/Observation.c patient/Encounter.s", "POST", &encounter, "filter condition 0"),
        ("patient/Observation.c patient/Practitioner.s", "POST", &performer, "allow"),
        ("user/Observation.ru user/Encounter.s", "PUT", &encounter, "allow"),
        ("patient/Observation.ru patient/Practitioner.s", "PUT", &performer, "filter target 0"),
        ("patient/Observation.ru patient/Encounter.s", "PUT", &encounter, "filter target 0"),
    ] {
        assert_eq!(decide(scopes, method, body), expected, "{scopes} {method} {body}");
    }
    let grant =
        text_grant("user/Observation.u?status=final user/Observation.s?category=a user/Encounter.s?status=finished");
    let member = observation("hasMember", "Observation?identifier=a|1");
    for (body, stored, expected) in [
        (&encounter, json!({ "resourceType": "Encounter", "status": "finished" }), true),
        (&encounter, json!({ "resourceType": "Encounter", "status": "planned" }), false),
        (&encounter, json!({ "resourceType": "Observation", "status": "final" }), true),
        // of one type, nobody can tell the resource that is replaced from the one that is found
        (&member, json!({ "resourceType": "Observation", "status": "final" }), false),
        (&member, json!({ "resourceType": "Observation", "category": [{ "coding": [{ "code": "a" }] }] }), false),
        (
            &member,
            json!({ "resourceType": "Observation", "status": "final", "category": [{ "coding": [{ "code": "a" }] }] }),
            true,
        ),
    ] {
        let request = Request::new("PUT", "/Observation/1", "").with_json(body);
        let Decision::Filter(filter) = grant.decide(&request) else { panic!("{body}") };
        assert_eq!(filter.accepts(&stored), expected, "{body} {stored}");
    }
}

#[test]
fn a_bundle_cannot_smuggle_a_bundle() {
    let grant = grant(&[Asked { level: "user", one: "*", letters: "cruds".into(), limit: None }], None);
    let inner = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [] });
    let outer = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [{ "request": { "method": "POST", "url": "/" }, "resource": inner }] });
    assert_eq!(grant.decide(&Request::new("POST", "/", "").with_json(&outer)).word(), "deny");
}

fn text_grant(scopes: &str) -> Grant {
    Grant::new(&ScopeSet::parse(scopes, Release::R4).unwrap()).launch_patient(PATIENT)
}

#[test]
fn branches_that_differ_in_one_parameter_are_one_query() {
    let single = |scopes: &str| match text_grant(scopes).decide(&Request::get("/Observation", "")) {
        Decision::Filter(filter) => filter.as_single_query().map(|query| query.to_string()),
        _ => unreachable!(),
    };
    let both = "patient/Observation.rs?category=a&status=final patient/Observation.rs?category=b&status=final";
    assert_eq!(single(both).as_deref(), Some("Patient/123/Observation?category=a,b&status=final"));
    assert_eq!(
        single("patient/Observation.rs?category=a&status=final patient/Observation.rs?category=b&status=amended"),
        None
    );
    assert_eq!(single("patient/Observation.rs?category=a patient/Observation.rs?category=b&status=final"), None);
}

#[test]
fn an_export_names_the_system_scopes_it_lacks() {
    let grant = text_grant("user/*.rs system/Patient.r");
    let Decision::Deny(denial) = grant.decide(&Request::get("/Patient/$export", "_type=Observation")) else {
        unreachable!()
    };
    assert_eq!(denial.missing(), ["system/Observation.rs", "system/Patient.s"]);
}

#[test]
fn the_deletions_of_a_history_show_only_where_the_type_alone_decides() {
    let history = |scopes: &str| match text_grant(scopes).decide(&Request::get("/_history", "")) {
        Decision::Filter(filter) => filter.accepts_deletion(fhir_scopes::ResourceType::OBSERVATION),
        _ => unreachable!(),
    };
    assert!(history("system/Observation.s"));
    assert!(!history("patient/Observation.s"));
    assert!(!history("system/Observation.s?status=final"));
}

#[test]
fn provenance_that_the_user_may_see_passes_without_its_target_in_the_answer() {
    let patient_only = text_grant("patient/Condition.rs patient/Provenance.rs");
    let with_user = text_grant("patient/Condition.rs patient/Provenance.rs user/Provenance.rs?_tag=shared");
    let condition = json!({ "resourceType": "Condition", "id": "7", "subject": { "reference": "Patient/123" } });
    let elsewhere = |tag: &str| {
        json!({
            "resourceType": "Provenance", "meta": { "tag": [{ "code": tag }] }, "target": [{ "reference": "Condition/8" }]
        })
    };
    let results = [condition, elsewhere("shared"), elsewhere("private")];
    for (grant, expected) in [(patient_only, [true, false, false]), (with_user, [true, true, false])] {
        let Decision::Filter(filter) = grant.decide(&Request::get("/Condition", "_revinclude=Provenance:target"))
        else {
            panic!("a search at patient level is filtered");
        };
        assert_eq!(filter.accepts_all(&results), expected);
    }
}

#[test]
fn what_an_include_may_bring_along_widens_no_search() {
    let lab = json!({ "resourceType": "Observation", "id": "1", "category": [{ "coding": [{ "code": "lab" }] }] });
    let other = json!({ "resourceType": "Observation", "id": "2" });
    let grant =
        Grant::new(&ScopeSet::parse("user/Observation.s?category=lab user/Observation.r", Release::R4).unwrap());
    for (query, one_query) in [("", true), ("_include=Observation:has-member", false), ("_include=*", false)] {
        let Decision::Filter(filter) = grant.decide(&Request::get("/Observation", query)) else { unreachable!() };
        assert!(filter.accepts(&lab) && filter.accepts_match(&lab), "{query}");
        assert!(!filter.accepts(&other) && !filter.accepts_match(&other), "{query}");
        assert_eq!(filter.accepts_all(&[lab.clone(), other.clone()]), [true, false], "{query}");
        // a query of its own would find what no search may find
        assert_eq!(filter.as_single_query().is_some(), one_query, "{query}");
        assert_eq!(filter.as_queries().is_some(), one_query, "{query}");
    }
}
