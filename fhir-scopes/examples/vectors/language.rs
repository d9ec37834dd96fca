//! Vectors about the scope language itself: parse, normal form, spellings, algebra, planned requests.

use fhir_scopes::{Level, NonResource, Release, ResourceRequest, Scope, ScopeKind, ScopeSet};
use serde_json::Value;

use super::{Verdict, compare, text_of};

pub fn release(vector: &Value) -> Release {
    let named = text_of(vector, "fhir").to_ascii_lowercase();
    match named.as_str() {
        "r4b" | "4.3" | "4.3.0" => Release::R4B,
        "r5" | "5.0" | "5.0.0" => Release::R5,
        _ => Release::R4,
    }
}

fn lenient(text: &str, vector: &Value) -> ScopeSet {
    ScopeSet::parse_lenient(text, release(vector)).0
}

fn class(scope: &Scope<'_>) -> &'static str {
    match scope.kind() {
        ScopeKind::Resource(_) => "resource",
        ScopeKind::Plain(NonResource::Launch | NonResource::LaunchFor(_)) => "launch",
        ScopeKind::Plain(NonResource::OfflineAccess | NonResource::OnlineAccess) => "refresh",
        ScopeKind::Plain(_) => "identity",
        ScopeKind::Extension => "extension",
        _ => "unknown",
    }
}

pub fn parse(vector: &Value) -> Verdict {
    let expected = if vector["valid"] == Value::Bool(true) {
        format!("{} {}", text_of(vector, "class"), text_of(vector, "normal"))
    } else {
        "invalid".to_string()
    };
    let got = match Scope::parse(text_of(vector, "in"), release(vector)) {
        Ok(scope) => format!("{} {}", class(&scope), scope.canonical()),
        Err(_) => "invalid".to_string(),
    };
    compare(expected, got)
}

pub fn normalize(vector: &Value) -> Verdict {
    compare(text_of(vector, "out"), lenient(text_of(vector, "in"), vector).normalized().to_string())
}

pub fn v1_to_v2(vector: &Value) -> Verdict {
    single(vector, |scope| Some(scope.to_v2().literal().to_string()))
}

pub fn v2_to_v1(vector: &Value) -> Verdict {
    single(vector, |scope| scope.to_v1().map(|scope| scope.literal().to_string()))
}

#[allow(clippy::redundant_closure_for_method_calls, reason = "the method alone is not general enough over lifetimes")]
pub fn uri(vector: &Value) -> Verdict {
    single(vector, |scope| scope.to_uri())
}

fn single(vector: &Value, convert: impl Fn(&Scope<'_>) -> Option<String>) -> Verdict {
    let word = |text: Option<&str>| text.unwrap_or("nothing").to_string();
    let got = match Scope::parse(text_of(vector, "in"), release(vector)) {
        Ok(scope) => convert(&scope),
        Err(error) => Some(error.to_string()),
    };
    compare(word(vector["out"].as_str()), word(got.as_deref()))
}

pub fn covers(vector: &Value) -> Verdict {
    let (a, b) = (lenient(text_of(vector, "a"), vector), lenient(text_of(vector, "b"), vector));
    compare(vector["expect"].to_string(), a.covers(&b).to_string())
}

pub fn intersect(vector: &Value) -> Verdict {
    let (granted, requested) =
        (lenient(text_of(vector, "granted"), vector), lenient(text_of(vector, "requested"), vector));
    let got = granted.intersect(&requested).to_string();
    if !super::is_acceptable(vector, &got) {
        compare(text_of(vector, "expect"), got)?;
    }
    match vector["echo"].as_str() {
        Some(echo) => compare(sorted(echo), sorted(&requested.granted_within(&granted).to_string())),
        None => Ok(()),
    }
}

fn sorted(list: &str) -> String {
    let mut scopes: Vec<&str> = list.split(' ').collect();
    scopes.sort_unstable();
    scopes.join(" ")
}

/// `POST /Patient (If-None-Exist: x)` and the like, as the crate reads it.
fn with_plain_header(request: &str) -> String {
    let Some(at) = request.to_ascii_lowercase().find("if-none-exist") else { return request.to_string() };
    let (line, header) = request.split_at(at);
    let condition = header["if-none-exist".len()..].trim_matches([':', '=', ' ', ')', ']']);
    format!("{} If-None-Exist: {condition}", line.trim_end_matches([' ', '(', '[', ',', ';', '+']))
}

pub fn ask(vector: &Value) -> Verdict {
    let level = text_of(vector, "level").parse().unwrap_or(Level::Patient);
    let requests = vector["requests"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let granular = vector["granular"].as_bool().unwrap_or(false);
    let requests = requests.map(with_plain_header);
    let got = match ResourceRequest::from_planned(level, requests, granular, release(vector)) {
        Ok(request) => request.to_scopes(release(vector)).to_string(),
        Err(error) => error.to_string(),
    };
    compare(text_of(vector, "out"), got)
}
