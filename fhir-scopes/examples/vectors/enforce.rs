//! Vectors about enforcement: limits against resources, compartments, decisions about requests.

use std::fmt::Write;

use fhir_scopes::compartment::{Compartment, CompartmentMode};
use fhir_scopes::decide::{Body, Branch, Decision, Filter, Grant, Reach, Request};
use fhir_scopes::{Limit, ResourceType, ScopeSet, TypeSelector, matches};
use serde_json::{Value, json};

use super::language::release;
use super::{Verdict, compare, text_of};

/// The base URL of the server in the vectors.
const BASE: &str = "https://this.example/fhir";

pub fn limit(vector: &Value) -> Verdict {
    let expected = vector["expect"].to_string();
    let release = release(vector);
    let Some(one) = ResourceType::parse(text_of(vector, "type"), release) else {
        return compare(expected, "unknown type");
    };
    let got = match Limit::parse(&encoded(text_of(vector, "where")), TypeSelector::One(one), release) {
        Ok(limit) => matches::limit_matches(&limit, one, release, Some(BASE), &vector["resource"]),
        // a limit that is not understood permits nothing
        Err(_) => false,
    };
    compare(expected, got.to_string())
}

/// Restrictions in the vectors may hold characters that a scope carries encoded.
fn encoded(text: &str) -> String {
    let mut token = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' | b'"' | b'\\' | b'#' | 0x80.. => {
                write!(token, "%{byte:02X}").expect("writing to a string cannot fail");
            }
            other => token.push(char::from(other)),
        }
    }
    token
}

pub fn compartment(vector: &Value) -> Verdict {
    let (owner, id) = text_of(vector, "compartment").split_once('/').unwrap_or_default();
    let Some(owner) = ResourceType::parse(owner, release(vector)) else { return compare("a compartment", owner) };
    let compartment =
        Compartment { release: release(vector), owner, id, mode: CompartmentMode::Spec, base: Some(BASE) };
    compare(vector["expect"].to_string(), compartment.contains(&vector["resource"]).to_string())
}

pub fn decide(vector: &Value) -> Verdict {
    let granted = ScopeSet::parse_lenient(text_of(vector, "scopes"), release(vector)).0;
    let mut grant = Grant::new(&granted).base(BASE);
    if let Some(patient) = vector["patient"].as_str() {
        grant = grant.launch_patient(patient.strip_prefix("Patient/").unwrap_or(patient));
    }
    if text_of(vector, "mode") == "subject" {
        grant = grant.mode(CompartmentMode::Subject);
    }
    let request = &vector["request"];
    let header = |wanted: &str| {
        let found = request["headers"].as_object()?.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
        found.1.as_str().or_else(|| found.1[0].as_str())
    };
    let path = text_of(request, "path");
    let (path, query) = match request["query"].as_str() {
        Some(query) => (path, query),
        None => path.split_once('?').unwrap_or((path, "")),
    };
    // a body written as text is a form, unless it is JSON
    let parsed = match request.get("body") {
        Some(Value::String(text)) => {
            serde_json::from_str(text).ok().filter(|json: &Value| json.is_object() || json.is_array())
        }
        _ => None,
    };
    let body = match parsed.as_ref().or(request.get("body")) {
        None | Some(Value::Null) => Body::Absent,
        Some(Value::String(form)) => Body::Form(form),
        Some(json) => Body::Json(json),
    };
    let overriding = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"];
    let request = Request {
        method: text_of(request, "method"),
        path,
        query,
        if_none_exist: header("If-None-Exist"),
        method_override: overriding.into_iter().find_map(header),
        body,
    };
    let decision = grant.decide(&request);
    compare(expected(vector), told(&decision))
}

fn expected(vector: &Value) -> String {
    let word = text_of(vector, "decision");
    let filter = vector.get("filter").filter(|_| word == "filter");
    let mut any: Vec<String> =
        filter.and_then(|filter| filter["any"].as_array()).into_iter().flatten().map(in_order).collect();
    any.sort();
    let owed =
        vector["obligations"].as_array().into_iter().flatten().filter_map(Value::as_str).map(String::from).collect();
    line(word, filter.map_or("", |filter| text_of(filter, "on")), &any, owed)
}

fn told(decision: &Decision<'_>) -> String {
    let (on, mut any) = match decision {
        Decision::Filter(filter) => (filter.on().as_str(), ways(filter)),
        Decision::Allow(_) | Decision::Deny(_) => ("", Vec::new()),
    };
    any.sort();
    any.dedup();
    let owed = decision.obligations().iter().map(|one| one.to_string()).collect();
    line(decision.word(), on, &any, owed)
}

fn line(word: &str, on: &str, any: &[String], mut owed: Vec<String>) -> String {
    owed.sort();
    format!("{word} {on} [{}] {{{}}}", any.join(", "), owed.join(", "))
}

fn ways(filter: &Filter<'_>) -> Vec<String> {
    let entries = filter.entries().iter().enumerate();
    let entries = entries.map(|(i, entry)| in_order(&json!({ "entry": i, "decision": entry.decision().word() })));
    entries.chain(filter.branches().iter().map(|branch| in_order(&way(branch)))).collect()
}

/// One spelling of an object, whatever order its members came in.
fn in_order(value: &Value) -> String {
    let members: std::collections::BTreeMap<_, _> = value.as_object().into_iter().flatten().collect();
    json!(members).to_string()
}

fn way(branch: &Branch<'_>) -> Value {
    let mut told = json!({ "type": branch.types.as_str() });
    let mut restriction = branch.restriction().map(|text| decoded(&text));
    let mut and =
        |own: String| restriction = Some(restriction.take().map_or(own.clone(), |limit| format!("{own}&{limit}")));
    match branch.reach {
        Reach::Itself(id) => and(format!("_id={id}")),
        Reach::ViaPatient(id) => and(format!("patient=Patient/{id}")),
        Reach::Compartment(id) | Reach::ByClass(id) => told["in"] = format!("Patient/{id}").into(),
        Reach::SecurityContext(id) => {
            told["in"] = format!("Patient/{id}").into();
            told["via"] = "securityContext".into();
        }
        Reach::TargetInResults => told["targetInResults"] = true.into(),
        _ => {}
    }
    if let Some(restriction) = restriction {
        told["where"] = restriction.into();
    }
    told
}

fn decoded(text: &str) -> String {
    text.replace("%20", " ").replace("%5C", "\\")
}
