//! The law of refusals: what one names, once granted, permits the request; nothing smaller is hidden in it; and where it names nothing, no scope of that level would help.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use fhir_scopes::decide::{Body, Decision, Grant, Reason, Request};
use fhir_scopes::{Level, Release, ScopeSet};
use serde_json::{Value, json};

/// One of every kind of interaction, and of every way to reach further.
const REQUESTS: &[&str] = &[
    "GET /Patient/123",
    "GET /Patient/999",
    "HEAD /Observation/1",
    "GET /Observation/1/_history/2",
    "GET /Observation/1/_history",
    "GET /Observation/_history",
    "GET /_history",
    "GET /_history?_type=Observation",
    "GET /Observation?code=x",
    "POST /Observation/_search?code=x",
    "GET /?_type=Observation,Patient",
    "GET /",
    "GET /Patient/123/Observation",
    "GET /Patient/999/Observation",
    "GET /Patient/123/*",
    "GET /Encounter/1/Condition",
    "POST /Observation",
    "POST /Patient",
    "PUT /Observation/1",
    "PUT /Patient/999",
    "PUT /Medication/1",
    "PUT /Observation?identifier=a|1",
    "PATCH /Observation/1",
    "PATCH /Observation?identifier=a|1",
    "DELETE /Observation/1",
    "DELETE /Observation?identifier=a|1",
    "DELETE /Observation?_format=json",
    "GET /Subscription/1",
    "GET /Device/1",
    "GET /Binary/1",
    "GET /Medication?code=x",
    "GET /Observation?_include=Observation:subject",
    "GET /Patient?_revinclude=Observation:subject",
    "GET /Observation?patient.name=x",
    "GET /Observation?subject.name=x",
    "GET /Observation?subject:Patient.organization.name=x",
    "GET /Patient?_has:Observation:patient:code=1",
    "GET /Patient?_has:Observation:patient:encounter.status=finished",
    "GET /Patient?_list=1",
    "GET /Observation?patient._list=1",
    "GET /Observation?_sort=patient.name",
    "GET /Observation?_query=x",
    "GET /Observation?_cascade=x",
    "GET /Patient/123/$everything",
    "GET /Patient/123/$everything?_type=Observation",
    "GET /Patient/999/$everything",
    "GET /$export",
    "GET /$export?_type=Observation",
    "GET /Patient/$export",
    "GET /Group/1/$export?_type=Condition",
    "GET /Observation/$lastn?code=x",
    "GET /DocumentReference/$docref",
    "POST /Observation/$validate",
    "GET /Observation/$meta",
    "GET /Observation/1/$meta",
    "POST /Observation/1/$meta-add",
    "POST /Patient/$match",
    "GET /Composition/1/$document",
    "GET /Composition/1/$document?persist=true",
    "POST /$unheard-of",
];

/// What is granted before, with the level in place of the `L`.
const GRANTED: &[&str] = &[
    "",
    "L/Observation.r",
    "L/Patient.r",
    "L/Observation.s?status=final",
    "L/*.r",
    "L/*.s",
    "L/Observation.rs?status=final L/Patient.s?_tag=a",
    "L/Observation.cud?status=final",
    "L/Observation.cuds L/Encounter.s?status=finished",
];

fn grant(scopes: &str) -> Grant {
    let (scopes, strange) = ScopeSet::parse_lenient(scopes, Release::R4);
    assert!(strange.is_empty());
    Grant::new(&scopes).launch_patient("123")
}

/// Plain content, and content that makes the server search.
fn bodies_of(path: &str) -> [Value; 3] {
    let mut parts = path.trim_start_matches('/').split('/');
    let (one, id) = (parts.next().unwrap(), parts.next().filter(|id| !id.is_empty()).unwrap_or("1"));
    let plain = json!({ "resourceType": one, "id": id, "subject": { "reference": "Patient/123" } });
    let with = |name: &str, reference: &str| {
        let mut content = plain.clone();
        content[name] = json!({ "reference": reference });
        content
    };
    [with("encounter", "Encounter?identifier=a|1"), with("performer", "Practitioner?identifier=a|1"), plain]
}

#[test]
fn what_a_refusal_names_permits_the_request_in_the_fewest_scopes() {
    let (mut refusals, mut faults) = (0, Vec::new());
    for level in Level::ALL {
        for line in REQUESTS {
            let (method, target) = line.split_once(' ').unwrap();
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            let bodies = bodies_of(path);
            let plain = Request::new(method, path, query);
            let writes = matches!(method, "POST" | "PUT" | "PATCH") && !path.contains('$') && !path.contains("_search");
            let with_body = bodies.iter().map(|body| Request { body: Body::Json(body), ..plain });
            let requests: Vec<_> = if writes { with_body.collect() } else { [plain].into() };
            let granted = GRANTED.iter().map(|granted| granted.replace('L', level.as_str()));
            for (request, before) in
                requests.iter().flat_map(|request| granted.clone().map(move |before| (request, before)))
            {
                let asked = grant(&before);
                let Decision::Deny(denial) = asked.decide(request) else { continue };
                // who holds nothing yet is told of scopes of the launch patient
                if before.is_empty() && level != Level::Patient {
                    continue;
                }
                refusals += 1;
                let missing = denial.missing().join(" ");
                let case = format!("{line} with [{before}]: {:?} names [{missing}]", denial.reason());
                if missing.is_empty() {
                    let wide = grant(&format!("{before} {level}/*.cruds"));
                    if wide.decide(request).goes_on() {
                        faults.push(format!("{case}, though more of that level would help"));
                    }
                    continue;
                }
                let then = grant(&format!("{before} {missing}"));
                let decision = then.decide(request);
                let why = if let Decision::Deny(still) = &decision { Some(still.reason()) } else { None };
                let normal = ScopeSet::parse(&missing, Release::R4).unwrap().normalized().to_string();
                // content is judged when the letters are there
                if let Some(why) = why.filter(|why| *why != Reason::Content) {
                    faults.push(format!("{case}, which is of no use: {why:?}"));
                } else if normal != missing {
                    faults.push(format!("{case}, and [{normal}] would do"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(refusals > 700, "{refusals}");
}

#[test]
fn a_refusal_that_no_scope_would_mend_names_none() {
    let holder = grant("patient/*.cruds");
    for (method, path, query, reason) in [
        ("GET", "/Patient/999", "", Reason::OtherPatient),
        ("GET", "/Observation", "_query=x", Reason::Parameter),
        ("POST", "/Patient/$match", "", Reason::OtherPatient),
        ("POST", "/$unheard-of", "", Reason::UnknownOperation),
        ("POST", "/Patient", "", Reason::NotAtPatientLevel),
    ] {
        let request = Request::new(method, path, query);
        let Decision::Deny(denial) = holder.decide(&request) else { panic!("{path} {query}") };
        assert_eq!((denial.reason(), denial.missing()), (reason, Vec::new()), "{path} {query}");
    }
}
