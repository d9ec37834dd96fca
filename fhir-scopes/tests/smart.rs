//! What SMART App Launch 2.2 says of scopes, sentence by sentence, and what an attacker tries with them.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use fhir_scopes::decide::{Decision, Grant, Obligation, Request};
use fhir_scopes::describe::{Lang, describe};
use fhir_scopes::{MAX_LIST_BYTES, MAX_TOKENS, Permissions, Release, Scope, ScopeKind, ScopeSet, us_core};
use serde_json::{Value, json};

const LAB: &str = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory";
const VITAL: &str = "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs";

fn set(text: &str) -> ScopeSet {
    ScopeSet::parse(text, Release::R4).unwrap()
}

fn kept(text: &str) -> String {
    ScopeSet::parse_lenient(text, Release::R4).0.to_string()
}

fn grant(text: &str) -> Grant {
    Grant::new(&set(text)).launch_patient("123")
}

fn observation(categories: &[&str]) -> Value {
    let concept = |category: &&str| {
        let (system, code) = category.split_once('|').unwrap();
        json!({ "coding": [{ "system": system, "code": code }] })
    };
    json!({
        "resourceType": "Observation", "id": "1", "subject": { "reference": "Patient/123" },
        "category": categories.iter().map(concept).collect::<Vec<_>>()
    })
}

fn passes(decision: &Decision<'_>, resource: &Value) -> bool {
    match decision {
        Decision::Allow(_) => true,
        Decision::Filter(filter) => filter.accepts(resource),
        Decision::Deny(_) => false,
    }
}

#[test]
fn each_interaction_needs_its_letters_and_no_others() {
    let body = json!({ "resourceType": "Observation", "id": "1" });
    let with_body = |method, path, query| Request::new(method, path, query).with_json(&body);
    for (request, needs) in [
        (with_body("POST", "/Observation", ""), "c"),
        (Request::get("/Observation/1", ""), "r"),
        (Request::get("/Observation/1/_history/2", ""), "r"),
        (Request::get("/Observation/1/_history", ""), "r"),
        (with_body("PUT", "/Observation/1", ""), "u"),
        (Request::new("PATCH", "/Observation/1", ""), "u"),
        (Request::new("DELETE", "/Observation/1", ""), "d"),
        (Request::get("/Observation", "code=x"), "s"),
        (Request::new("POST", "/Observation/_search", ""), "s"),
        (Request::get("/Observation/_history", ""), "s"),
        (Request::get("/_history", ""), "s"),
        (Request::get("/", ""), "s"),
        (Request { if_none_exist: Some("code=x"), ..with_body("POST", "/Observation", "") }, "cs"),
        (with_body("PUT", "/Observation", "code=x"), "us"),
        (Request::new("DELETE", "/Observation", "code=x"), "ds"),
    ] {
        for mask in 1..32_u8 {
            let letters: String =
                "cruds".chars().enumerate().filter(|(i, _)| mask & 1 << i != 0).map(|(_, c)| c).collect();
            let goes_on = grant(&format!("user/*.{letters}")).decide(&request).goes_on();
            assert_eq!(goes_on, needs.chars().all(|need| letters.contains(need)), "{letters} for {request:?}");
        }
    }
}

#[test]
fn a_v1_word_is_exactly_its_letters() {
    for (word, letters) in [("read", "rs"), ("write", "cud"), ("*", "cruds")] {
        let scope = Scope::parse(&format!("user/Patient.{word}"), Release::R4).unwrap().into_owned();
        assert_eq!(scope.resource().unwrap().permissions.to_string(), letters);
        assert_eq!(scope.canonical(), format!("user/Patient.{letters}"));
    }
    let read = set("user/Patient.read");
    assert!(!read.resources().any(|scope| scope.permissions.intersects(Permissions::DELETE)));
    assert_eq!(Grant::new(&read).decide(&Request::new("DELETE", "/Patient/1", "")).word(), "deny");
}

#[test]
fn what_was_asked_in_v1_is_told_back_in_v1() {
    let approved = set("patient/*.cruds");
    for asked in ["patient/*.read", "patient/Observation.write", "patient/Patient.* patient/Observation.rs"] {
        assert_eq!(set(asked).granted_within(&approved).to_string(), asked);
    }
    let narrower = set("patient/Patient.rs patient/Condition.r");
    assert_eq!(set("patient/*.read").granted_within(&narrower).to_string(), "patient/Condition.r patient/Patient.read");
}

#[test]
fn letters_out_of_order_doubled_or_missing_are_dropped_and_never_widened() {
    for letters in ["sr", "dus", "rr", "", "reads", "Read", "readx", "write*", "cruds*", "ruc"] {
        let list = format!("openid patient/Observation.{letters}");
        assert_eq!(kept(&list), "openid", "{list}");
        assert!(ScopeSet::parse(&list, Release::R4).is_err(), "{list}");
    }
}

#[test]
fn a_level_with_letters_and_no_type_is_a_slip_and_another_specifications_word_is_not() {
    for token in
        ["patient/rs", "patient/read", "system/cruds", "user/write", "patient:Observation.rs", "user_Patient.read"]
    {
        assert!(Scope::parse(token, Release::R4).is_err(), "{token}");
    }
    for token in ["system/bulk-submit", "system/reader", "patient:observation"] {
        assert_eq!(kept(token), token);
    }
}

#[test]
fn names_are_case_sensitive_and_of_the_release_in_use() {
    for token in ["patient/observation.rs", "patient/OBSERVATION.rs", "Patient/Observation.rs", "patient/Foo.rs"] {
        assert!(Scope::parse(token, Release::R4).is_err(), "{token}");
        assert!(
            !set("patient/*.cruds").covers(&ScopeSet::parse_lenient("patient/Observation.rs", Release::R4).0)
                || kept(token).is_empty()
        );
    }
    assert!(Scope::parse("user/SubscriptionTopic.rs", Release::R4).is_err());
    assert!(Scope::parse("user/SubscriptionTopic.rs", Release::R5).is_ok());
    assert!(Scope::parse("user/DocumentManifest.rs", Release::R5).is_err());
}

#[test]
fn order_doubles_and_spaces_change_nothing() {
    let canonical = set("openid patient/Condition.rs patient/Observation.cruds").normalized();
    for list in [
        "patient/Observation.cruds openid patient/Condition.rs",
        "patient/Condition.rs openid patient/Condition.rs patient/Observation.cruds openid",
        "  patient/Observation.write  patient/Condition.read   openid patient/Observation.read ",
        "patient/Observation.cud patient/Observation.rs patient/Condition.s patient/Condition.r openid",
    ] {
        assert_eq!(ScopeSet::parse_lenient(list, Release::R4).0.normalized(), canonical, "{list}");
    }
}

#[test]
fn pairs_of_one_scope_all_hold_and_scopes_add_up() {
    let (lab, vital, both, neither) =
        (observation(&[LAB]), observation(&[VITAL]), observation(&[LAB, VITAL]), observation(&["x|y"]));
    let search = Request::get("/Observation", "");
    let seen = |scopes: &str| {
        let grant = grant(scopes);
        let decision = grant.decide(&search);
        [&lab, &vital, &both, &neither].map(|resource| passes(&decision, resource))
    };
    let one = |limit: &str| format!("patient/Observation.rs?{limit}");
    assert_eq!(seen(&one(&format!("category={LAB}&category={VITAL}"))), [false, false, true, false]);
    assert_eq!(seen(&one(&format!("category={LAB},{VITAL}"))), [true, true, true, false]);
    let two = format!("{} {}", one(&format!("category={LAB}")), one(&format!("category={VITAL}")));
    assert_eq!(seen(&two), [true, true, true, false]);
    let encoded = LAB.replace('/', "%2F").replace(':', "%3A").replace('|', "%7C");
    assert_eq!(seen(&one(&format!("category={encoded}"))), [true, false, true, false]);
    assert_eq!(kept("patient/Observation.rs?category=a\\,b"), "", "a backslash is outside the set of RFC 6749");
}

#[test]
fn experimental_limits_are_not_granted() {
    for limit in [
        "code:in=http://example.org/vs",
        "code:not=a",
        "patient.birthdate=1990",
        "_has:Provenance:target:agent=1",
        "_filter=status%20eq%20final",
        "_query=x",
        "_include=Observation:subject",
    ] {
        let asked = ScopeSet::parse_lenient(&format!("openid patient/Observation.rs?{limit}"), Release::R4).0;
        assert_eq!(asked.granted_within(&set("openid patient/*.cruds")).to_string(), "openid", "{limit}");
    }
}

#[test]
fn the_wildcard_holds_types_added_later_and_says_so() {
    let all = set("user/*.rs");
    for release in Release::ALL {
        for one in fhir_scopes::ResourceType::all(release) {
            assert!(all.covers(&ScopeSet::parse(&format!("user/{one}.rs"), release).unwrap()));
        }
    }
    let every = fhir_scopes::ResourceType::all(Release::R4).map(|one| format!("user/{one}.rs")).collect::<Vec<_>>();
    assert!(!set(&every.join(" ")).covers(&all));
    for (lang, words) in [(Lang::En, "added later"), (Lang::Nl, "later")] {
        let line = describe(&all, lang).groups[0].lines[0].clone();
        assert!(line.long.contains(words) || line.short.contains(words), "{}", line.long);
    }
}

#[test]
fn extensions_are_uris_or_start_with_two_underscores_and_the_unknown_grants_nothing() {
    for (token, extension) in [
        ("__x", true),
        ("https://x.example/y", true),
        ("urn:oid:1.2", true),
        ("_x", false),
        ("udap", false),
        ("foo:bar", false),
        ("system/bulk-submit", false),
    ] {
        let scope = Scope::parse(token, Release::R4).unwrap();
        assert_eq!(*scope.kind() == ScopeKind::Extension, extension, "{token}");
        assert_eq!(scope.resource(), None, "{token}");
        let asked = set(&format!("{token} patient/Patient.rs"));
        assert_eq!(asked.granted_within(&set("patient/*.cruds system/*.cruds")).to_string(), "patient/Patient.rs");
        assert_eq!(Grant::new(&set(token)).decide(&Request::get("/Patient/1", "")).word(), "deny", "{token}");
    }
}

#[test]
fn every_scope_has_its_uri_spelling_and_reads_back_from_it() {
    for (short, prefix) in [
        ("patient/*.r", "http://smarthealthit.org/fhir/scopes/"),
        ("user/Observation.read", "http://smarthealthit.org/fhir/scopes/"),
        ("launch/patient", "http://smarthealthit.org/fhir/scopes/"),
        ("fhirUser", "http://smarthealthit.org/fhir/scopes/"),
        ("online_access", "http://smarthealthit.org/fhir/scopes/"),
        ("openid", "http://openid.net/specs/openid-connect-core-1_0#"),
        ("profile", "http://openid.net/specs/openid-connect-core-1_0#"),
        ("offline_access", "http://openid.net/specs/openid-connect-core-1_0#"),
    ] {
        let uri = Scope::parse(short, Release::R4).unwrap().to_uri().unwrap();
        assert_eq!(uri, format!("{prefix}{short}"));
        let back = Scope::parse(&uri, Release::R4).unwrap();
        assert_eq!(back.canonical(), Scope::parse(short, Release::R4).unwrap().canonical());
        assert_eq!(back.literal(), uri);
    }
}

#[test]
fn scopes_of_other_specifications_do_no_harm() {
    for token in ["system/bulk-submit", "udap"] {
        let scope = Scope::parse(token, Release::R4).unwrap();
        assert_eq!((scope.kind(), scope.literal()), (&ScopeKind::Unknown, token));
    }
    let misspelt =
        "patient/Observation.rs?category=http://terminology.hl7.org//CodeSystem-observation-category|social-history";
    let (corrected, corrections) = us_core::corrected(&set(misspelt));
    assert_eq!(corrections.len(), 1);
    assert_eq!(
        corrected.to_string(),
        "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|social-history"
    );
}

/// Each way to data under a limit: what is outside it must not come through.
#[test]
fn a_limit_leaks_nowhere() {
    let (inside, outside) = (observation(&[LAB]), observation(&["x|y"]));
    let limited = format!("patient/Observation.rs?category={LAB}");
    let grant = grant(&format!("{limited} patient/Patient.rs patient/Condition.rs patient/Encounter.rs"));
    for (path, query) in [
        ("/Observation/1", ""),
        ("/Observation/1/_history/2", ""),
        ("/Observation/1/_history", ""),
        ("/Observation/_history", ""),
        ("/_history", ""),
        ("/Observation", ""),
        ("/Observation", "_summary=count"),
        ("/Observation", "_include=Observation:has-member"),
        ("/", "_type=Observation"),
        ("/", ""),
        ("/Patient/123/Observation", ""),
        ("/Patient/123/*", ""),
        ("/Encounter/5/Observation", ""),
        ("/Condition", "_revinclude=Observation:focus"),
        ("/Condition", "_include=Condition:evidence-detail:Observation"),
        ("/Condition", "_include=*"),
        ("/Patient/123/$everything", ""),
        ("/Patient/123/$everything", "_type=Observation"),
        ("/Observation/$lastn", ""),
        ("/Observation/1/$meta", ""),
    ] {
        let decision = grant.decide(&Request::get(path, query));
        assert!(matches!(decision, Decision::Filter(_)), "{path}?{query} is {}", decision.word());
        assert!(passes(&decision, &inside), "{path}?{query}");
        assert!(!passes(&decision, &outside), "{path}?{query}");
    }
    for (path, query) in [
        ("/Patient", "_has:Observation:patient:code=1"),
        ("/Encounter", "_has:Observation:encounter:value-quantity=gt5"),
        ("/Condition", "evidence-detail:Observation.code=1"),
        ("/Condition", "_sort=evidence-detail:Observation.code"),
        ("/$export", "_type=Observation"),
    ] {
        assert_eq!(grant.decide(&Request::get(path, query)).word(), "deny", "{path}?{query}");
    }
    assert!(grant.decide(&Request::get("/Observation/_history", "")).obligations().has(Obligation::DropDeletedEntries));
}

#[test]
fn one_coding_that_matches_is_enough_whatever_else_is_there() {
    let grant = grant(&format!("patient/Observation.rs?category={LAB}"));
    let decision = grant.decide(&Request::get("/Observation/1", ""));
    assert!(passes(&decision, &observation(&["x|y", LAB, VITAL])));
    let mut in_one_concept = observation(&["x|y"]);
    let (system, code) = LAB.split_once('|').unwrap();
    in_one_concept["category"][0]["coding"].as_array_mut().unwrap().push(json!({ "system": system, "code": code }));
    assert!(passes(&decision, &in_one_concept));
    assert!(!passes(
        &decision,
        &observation(&["x|laboratory", "http://terminology.hl7.org/CodeSystem/observation-category|exam"])
    ));
}

#[test]
fn a_limited_write_looks_at_the_old_content_and_the_new() {
    let (inside, outside) = (observation(&[LAB]), observation(&[VITAL]));
    let grant = grant(&format!("patient/Observation.cruds?category={LAB}"));
    let put = |body| Request::new("PUT", "/Observation/1", "").with_json(body);
    assert_eq!(grant.decide(&put(&outside)).word(), "deny", "the new content leaves the slice");
    let decision = grant.decide(&put(&inside));
    assert!(matches!(decision, Decision::Filter(_)));
    assert!(passes(&decision, &inside), "from slice to slice");
    assert!(!passes(&decision, &outside), "the stored content was outside");
    let create = |body| Request::new("POST", "/Observation", "").with_json(body);
    assert_eq!(grant.decide(&create(&inside)).word(), "allow");
    assert_eq!(grant.decide(&create(&outside)).word(), "deny");
}

#[test]
fn a_misspelt_scope_never_becomes_a_known_one() {
    let everything = set("patient/*.cruds user/*.cruds system/*.cruds");
    for token in [
        "system:Patient.read",
        "system//Patient.read",
        "system/Patient.read,",
        "System/Patient.read",
        "system/patient.read",
        "system/Patient.Read",
        "system/Patient .read",
        "system/Patient\t.read",
        "system/Patient\u{a0}.read",
        "system/Patient.read\u{200b}",
        "\u{feff}system/Patient.read",
        "system\u{2215}Patient.read",
        "system%2FPatient.read",
        "system/Patient%2Eread",
        "ѕystem/Patient.read",
        "system/Patient.read?",
        "system/Patient.read#",
        "\"system/Patient.read\"",
    ] {
        let asked = ScopeSet::parse_lenient(token, Release::R4).0;
        assert_eq!(asked.resources().count(), 0, "{token}: {asked}");
        assert!(asked.granted_within(&everything).is_empty(), "{token}");
        assert_eq!(Grant::new(&asked).decide(&Request::get("/Patient/1", "")).word(), "deny", "{token}");
    }
}

#[test]
fn a_huge_list_is_refused_and_no_more_than_its_beginning_is_read() {
    let many = "patient/Observation.rs?category=a ".repeat(5_000);
    let different = (0..5_000).map(|i| format!("patient/Observation.rs?category=c{i}")).collect::<Vec<_>>().join(" ");
    let long = format!("patient/{}.rs", "O".repeat(64 * 1024));
    let values = format!("patient/Observation.rs?category={}", "a,".repeat(32 * 1024));
    for text in [&many, &different, &long, &values] {
        assert!(ScopeSet::parse(text.trim_end(), Release::R4).is_err());
        let (kept, rejected) = ScopeSet::parse_lenient(text, Release::R4);
        assert!(kept.len() <= MAX_TOKENS && kept.to_string().len() <= MAX_LIST_BYTES);
        assert!(!rejected.is_empty());
        // the bounds hold for whatever is worked out from it
        assert!(kept.normalized().covers(&kept) && kept.intersect(&kept).len() <= MAX_TOKENS);
        assert!(rejected.iter().all(|one| one.token.len() <= 210));
    }
}
