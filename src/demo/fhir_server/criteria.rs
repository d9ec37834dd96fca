//! One search criterion: a parameter, an optional modifier, and alternatives of which one must match.

use serde_json::Value;

use super::moments::{Prefix, Stretch};
use super::parameters::{Kind, Parameter, find};
use super::refusal::Refusal;

/// A criterion that a resource meets or not.
#[derive(Debug)]
pub(super) struct Criterion {
    parameter: &'static Parameter,
    test: Test,
}

#[derive(Debug)]
enum Test {
    /// `:missing=true|false`
    Missing(bool),
    /// At least one of the element's values matches one of these.
    Any(Vec<Wanted>),
    /// `:not`: none of the element's values matches one of these.
    None(Vec<Wanted>),
}

#[derive(Debug)]
enum Wanted {
    Token { system: Option<String>, code: Option<String> },
    StartsWith(String),
    Contains(String),
    Exactly(String),
    Date(Prefix, Stretch),
    Reference { kind: Option<String>, id: String },
}

impl Criterion {
    /// Reads `name[:modifier]=value` for a type; what this server does not know is refused by name.
    pub(super) fn read(kind: &str, key: &str, value: &str, base_url: &str) -> Result<Self, Refusal> {
        let (name, modifier) = key.split_once(':').map_or((key, None), |(name, modifier)| (name, Some(modifier)));
        let Some(parameter) = find(kind, name) else {
            return Err(Refusal::not_supported(format!("{kind} cannot be searched by '{key}' here.")));
        };
        if value.is_empty() {
            return Err(Refusal::invalid(format!("'{key}' has no value.")));
        }
        let wanted = |read: &dyn Fn(&str) -> Option<Wanted>| {
            let alternatives = split(value, ',').iter().map(|part| read(part)).collect::<Option<Vec<_>>>();
            alternatives.ok_or_else(|| Refusal::invalid(format!("'{value}' is not a value for '{key}'.")))
        };
        let any = |read: &dyn Fn(&str) -> Option<Wanted>| wanted(read).map(Test::Any);
        let test = match (parameter.kind, modifier) {
            (_, Some("missing")) => match value {
                "true" => Test::Missing(true),
                "false" => Test::Missing(false),
                _ => return Err(Refusal::invalid(format!("'{key}' is true or false."))),
            },
            (Kind::Token, None) => any(&token)?,
            (Kind::Token, Some("not")) => Test::None(wanted(&token)?),
            (Kind::Text, None) => any(&|part| Some(Wanted::StartsWith(unescaped(part).to_lowercase())))?,
            (Kind::Text, Some("contains")) => any(&|part| Some(Wanted::Contains(unescaped(part).to_lowercase())))?,
            (Kind::Text, Some("exact")) | (Kind::Uri, None) => any(&|part| Some(Wanted::Exactly(unescaped(part))))?,
            (Kind::Date, None) => any(&|part| {
                let (prefix, rest) = Prefix::split(part);
                Some(Wanted::Date(prefix, Stretch::read(rest)?))
            })?,
            (Kind::Reference, None) => any(&|part| target(part, None, base_url))?,
            (Kind::Reference, Some(of)) if of.starts_with(char::is_uppercase) => {
                any(&|part| target(part, Some(of), base_url))?
            }
            (Kind::Patient, None | Some("Patient")) => any(&|part| target(part, Some("Patient"), base_url))?,
            (_, Some(modifier)) => {
                return Err(Refusal::not_supported(format!("':{modifier}' is not supported on '{name}'.")));
            }
        };
        Ok(Self { parameter, test })
    }

    /// Does the resource meet it?
    pub(super) fn holds(&self, resource: &Value) -> bool {
        let values = || self.parameter.paths.iter().flat_map(|path| at(resource, path));
        let matches = |wanted: &Vec<Wanted>| values().any(|value| wanted.iter().any(|wanted| wanted.matches(value)));
        match &self.test {
            Test::Missing(missing) => values().next().is_none() == *missing,
            Test::Any(wanted) => matches(wanted),
            Test::None(wanted) => !matches(wanted),
        }
    }
}

impl Wanted {
    fn matches(&self, value: &Value) -> bool {
        match self {
            Self::Token { system, code } => token_matches(value, system.as_deref(), code.as_deref()),
            Self::StartsWith(prefix) => any_text(value, &|text| {
                let text = text.to_lowercase();
                text.starts_with(prefix) || text.split_whitespace().any(|word| word.starts_with(prefix))
            }),
            Self::Contains(part) => any_text(value, &|text| text.to_lowercase().contains(part)),
            Self::Exactly(whole) => any_text(value, &|text| text == whole),
            Self::Date(prefix, searched) => stretch_of(value).is_some_and(|stretch| prefix.holds(stretch, *searched)),
            Self::Reference { kind, id } => value["reference"]
                .as_str()
                .and_then(|text| text.split_once('/'))
                .is_some_and(|(target, target_id)| target_id == id && kind.as_ref().is_none_or(|kind| kind == target)),
        }
    }
}

fn token(part: &str) -> Option<Wanted> {
    let pieces = split(part, '|');
    let some = |text: &String| Some(unescaped(text)).filter(|text| !text.is_empty());
    match &pieces[..] {
        [code] => Some(Wanted::Token { system: None, code: some(code) }),
        [system, code] if system.is_empty() => {
            Some(Wanted::Token { system: Some(String::new()), code: Some(some(code)?) })
        }
        [system, code] => Some(Wanted::Token { system: some(system), code: some(code) }),
        _ => None,
    }
}

/// A reference as searched: `id`, `Type/id` or an absolute URL on this server.
fn target(part: &str, of: Option<&str>, base_url: &str) -> Option<Wanted> {
    let local = part.strip_prefix(base_url).map_or(part, |rest| rest.trim_start_matches('/'));
    let (kind, id) = local.split_once('/').map_or((of, local), |(kind, id)| (Some(kind), id));
    let agrees = of.is_none_or(|of| kind == Some(of));
    (agrees && crate::outbound::fhir::is_fhir_id(id))
        .then(|| Wanted::Reference { kind: kind.map(str::to_owned), id: id.to_owned() })
}

/// `system` empty means "without a system"; `code` absent means any code of the system.
fn token_matches(value: &Value, system: Option<&str>, code: Option<&str>) -> bool {
    let fits = |its_system: Option<&str>, its_code: Option<&str>| {
        system.is_none_or(|system| its_system.unwrap_or_default() == system)
            && code.is_none_or(|code| its_code == Some(code))
    };
    match value {
        Value::String(text) => fits(None, Some(text)),
        Value::Bool(yes) => fits(None, Some(if *yes { "true" } else { "false" })),
        Value::Object(members) => {
            if let Some(Value::Array(codings)) = members.get("coding") {
                return codings.iter().any(|coding| token_matches(coding, system, code));
            }
            let text = |name: &str| members.get(name).and_then(Value::as_str);
            fits(text("system"), text("code").or_else(|| text("value")))
        }
        Value::Null | Value::Number(_) | Value::Array(_) => false,
    }
}

/// Any text in a string or in the parts of a name.
fn any_text(value: &Value, test: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => test(text),
        Value::Array(items) => items.iter().any(|item| any_text(item, test)),
        Value::Object(members) => {
            let parts = ["text", "family", "given", "prefix", "suffix"];
            parts.iter().filter_map(|part| members.get(*part)).any(|part| any_text(part, test))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The stretch of a date or Period.
pub(super) fn stretch_of(value: &Value) -> Option<Stretch> {
    match value {
        Value::String(text) => Stretch::read(text),
        Value::Object(period) => {
            let text = |name: &str| period.get(name).and_then(Value::as_str);
            Stretch::of_period(text("start"), text("end"))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

/// All values at a dotted path, lists flattened.
pub(super) fn at<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = vec![value];
    for name in path.split('.') {
        found = found.into_iter().filter_map(|value| value.get(name)).flat_map(flat).collect();
    }
    found
}

fn flat(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        other => vec![other],
    }
}

/// Splits at a separator that is not escaped with a backslash; the pieces keep their escapes.
fn split(text: &str, separator: char) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        if c == separator && !escaped {
            pieces.push(String::new());
            continue;
        }
        escaped = c == '\\' && !escaped;
        pieces.last_mut().expect("never empty").push(c);
    }
    pieces
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(if c == '\\' { chars.next().unwrap_or('\\') } else { c });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn holds(kind: &str, key: &str, value: &str, resource: &Value) -> bool {
        Criterion::read(kind, key, value, "https://fhir.example/r4").unwrap().holds(resource)
    }

    #[test]
    fn a_token_matches_system_and_code_in_the_same_coding() {
        let observation = json!({"category": [{"coding": [{"system": "a", "code": "x"}, {"system": "b", "code": "y"}, {"code": "z"}]}]});
        for (value, expected) in [
            ("x", true),
            ("a|x", true),
            ("a|y", false),
            ("b|", true),
            ("c|", false),
            ("|z", true),
            ("|x", false),
            ("q,a|x", true),
            ("X", false),
        ] {
            assert_eq!(holds("Observation", "category", value, &observation), expected, "{value}");
        }
        assert!(!holds("Observation", "category:not", "a|x", &observation));
        assert!(holds("Observation", "code:missing", "true", &observation));
    }

    #[test]
    fn a_name_is_found_by_the_start_of_any_word_whatever_the_case() {
        let patient = json!({"name": [{"family": "de Vries", "given": ["Anna", "Maria"]}]});
        for (key, value, expected) in [
            ("name", "vri", true),
            ("name", "ANNA", true),
            ("family", "de v", true),
            ("family", "anna", false),
            ("given", "mar", true),
            ("family:exact", "de vries", false),
            ("family:contains", "RIE", true),
            ("name", "x,anna", true),
        ] {
            assert_eq!(holds("Patient", key, value, &patient), expected, "{key}={value}");
        }
    }

    #[test]
    fn a_reference_is_found_in_every_spelling_but_not_on_another_server() {
        let observation = json!({"subject": {"reference": "Patient/anna"}});
        for (key, value, expected) in [
            ("patient", "anna", true),
            ("patient", "Patient/anna", true),
            ("subject", "https://fhir.example/r4/Patient/anna", true),
            ("subject:Patient", "anna", true),
            ("subject", "Group/anna", false),
            ("patient", "ann", false),
        ] {
            assert_eq!(holds("Observation", key, value, &observation), expected, "{key}={value}");
        }
        assert!(
            Criterion::read("Observation", "subject", "https://other.example/Patient/anna", "https://fhir.example/r4")
                .is_err()
        );
        assert!(Criterion::read("Observation", "patient", "Group/anna", "https://fhir.example/r4").is_err());
    }

    #[test]
    fn what_is_not_known_is_refused_and_never_ignored() {
        for (key, value) in [
            ("shoe-size", "42"),
            ("category:in", "x"),
            ("subject.name", "anna"),
            ("_has:Group:member:_id", "x"),
            ("date", "soon"),
            ("code", ""),
        ] {
            assert!(Criterion::read("Observation", key, value, "https://fhir.example/r4").is_err(), "{key}={value}");
        }
    }
}
