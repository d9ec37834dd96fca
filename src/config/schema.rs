//! Which keys there are, and of which type: the one list against which file and environment are held.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{Config, Mistake};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Flag,
}

/// (section, key, type, must be given)
const KEYS: &[(&str, &str, Kind, bool)] = &[
    ("server", "base_url", Kind::Text, true),
    ("server", "listen", Kind::Text, true),
    ("server", "operations_listen", Kind::Text, false),
    ("server", "key_file", Kind::Text, true),
    ("database", "url", Kind::Text, true),
    ("mail", "transport", Kind::Text, false),
    ("mail", "folder", Kind::Text, false),
    ("mail", "from", Kind::Text, false),
    ("mail", "url", Kind::Text, false),
    ("outbound", "allow_private_networks", Kind::Flag, false),
    ("limits", "access_token_seconds", Kind::Number, false),
    ("limits", "backend_token_seconds", Kind::Number, false),
    ("limits", "refresh_token_days", Kind::Number, false),
    ("limits", "code_seconds", Kind::Number, false),
    ("limits", "session_idle_minutes", Kind::Number, false),
    ("limits", "session_hours", Kind::Number, false),
    ("limits", "registrations_per_hour", Kind::Number, false),
    ("limits", "waiting_registrations", Kind::Number, false),
    ("limits", "wrong_secrets_per_minute", Kind::Number, false),
    ("limits", "dead_tokens_per_minute", Kind::Number, false),
    ("limits", "refresh_retries_per_minute", Kind::Number, false),
];

/// The value of a key that must be given and is not.
pub(super) const STAND_IN: &str = "(missing)";

/// Variables with our prefix that are no keys of the file: where the file is, what is logged, and what only tests read.
const OTHER_VARIABLES: &[&str] = &["COUNTERSIGN_CONFIG", "COUNTERSIGN_LOG", "COUNTERSIGN_LOG_FORMAT"];

fn variable(section: &str, key: &str) -> String {
    format!("COUNTERSIGN_{}__{}", section.to_uppercase(), key.to_uppercase())
}

fn kind_of(section: &str, key: &str) -> Option<Kind> {
    KEYS.iter().find(|(of, name, _, _)| *of == section && *name == key).map(|(_, _, kind, _)| *kind)
}

/// The file with the environment over it. What does not fit is reported and left out.
pub(super) fn merge(file: Table, environment: &BTreeMap<String, String>, mistakes: &mut Vec<Mistake>) -> Table {
    let mut merged = Table::new();
    let mut put = |section: &str, key: &str, value: Value| {
        let table = merged.entry(section).or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(table) = table {
            table.insert(key.to_owned(), value);
        }
    };
    for (section, content) in file {
        if !KEYS.iter().any(|(of, _, _, _)| *of == section) {
            mistakes.push(Mistake::new(section, "there is no such section"));
            continue;
        }
        let Value::Table(content) = content else {
            mistakes.push(Mistake::new(&section, format!("is a section: write [{section}]")));
            continue;
        };
        for (key, value) in content {
            match (kind_of(&section, &key), &value) {
                (None, _) => mistakes.push(Mistake::new(format!("{section}.{key}"), unknown_key(&section))),
                (Some(Kind::Text), Value::String(_))
                | (Some(Kind::Number), Value::Integer(_))
                | (Some(Kind::Flag), Value::Boolean(_)) => put(&section, &key, value),
                (Some(kind), _) => mistakes.push(Mistake::new(format!("{section}.{key}"), wanted(kind))),
            }
        }
    }
    for (name, text) in environment {
        if !name.starts_with("COUNTERSIGN_")
            || name.starts_with("COUNTERSIGN_TEST_")
            || OTHER_VARIABLES.contains(&name.as_str())
        {
            continue;
        }
        let Some((section, key, kind, _)) = KEYS.iter().find(|(section, key, _, _)| variable(section, key) == *name)
        else {
            mistakes.push(Mistake::new(
                name,
                "there is no key for this variable; they are called like COUNTERSIGN_DATABASE__URL",
            ));
            continue;
        };
        let value = match kind {
            Kind::Text => Some(Value::String(text.clone())),
            Kind::Number => text.trim().parse().ok().map(Value::Integer),
            Kind::Flag => text.trim().parse().ok().map(Value::Boolean),
        };
        match value {
            Some(value) => put(section, key, value),
            None => mistakes.push(Mistake::new(name, wanted(*kind))),
        }
    }
    let has_url = merged.get("database").and_then(|database| database.get("url")).is_some();
    if let Some(url) = environment.get("DATABASE_URL").filter(|url| !has_url && !url.is_empty()) {
        merged.insert(
            "database".to_owned(),
            Value::Table(Table::from_iter([("url".to_owned(), Value::String(url.clone()))])),
        );
    }
    merged
}

fn unknown_key(section: &str) -> String {
    let known: Vec<&str> = KEYS.iter().filter(|(of, _, _, _)| *of == section).map(|(_, key, _, _)| *key).collect();
    format!("there is no such key; [{section}] has {}", known.join(", "))
}

fn wanted(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "must be text in quotes",
        Kind::Number => "must be a whole number",
        Kind::Flag => "must be true or false",
    }
}

/// The typed configuration, with a mistake for every key that is missing. Something harmless stands in for what is missing, so that all the rest can be
/// checked in the same run; with a mistake reported, nobody starts with it.
pub(super) fn build(merged: &Table, mistakes: &mut Vec<Mistake>) -> Option<Config> {
    let mut merged = merged.clone();
    let known = merged.clone();
    let given = |section: &str, key: &str| known.get(section).and_then(|content| content.get(key)).is_some();
    let mut stand_ins = Vec::new();
    for (section, key, _, must) in KEYS {
        // a key that is there but of the wrong type was reported already
        if *must && !given(section, key) {
            stand_ins.push((*section, *key));
            let place = format!("{section}.{key}");
            if !mistakes.iter().any(|mistake| mistake.place == place) {
                mistakes.push(Mistake::new(place, format!("is missing (variable {})", variable(section, key))));
            }
        }
    }
    for (section, key) in stand_ins {
        if let Value::Table(content) = merged.entry(section).or_insert_with(|| Value::Table(Table::new())) {
            content.insert(key.to_owned(), Value::String(STAND_IN.to_owned()));
        }
    }
    match Value::Table(merged.clone()).try_into() {
        Ok(config) => Some(config),
        Err(error) => {
            // only [mail] can still be of a wrong shape: its keys depend on the transport
            let error: toml::de::Error = error;
            mistakes.push(Mistake::new(
                "mail",
                format!("{}; transports are console, file (folder, from) and smtp (url, from)", error.message()),
            ));
            let mut rest = merged.clone();
            rest.remove("mail");
            Value::Table(rest).try_into().ok()
        }
    }
}
