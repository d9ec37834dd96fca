//! One alternative of a limit, taken apart by the kind of its parameter.

use alloc::string::{String, ToString};

use super::{ResourceView, date, text_of};
use crate::{ParameterKind, split_token};

#[derive(Debug, Clone)]
pub(super) enum Value {
    Token(Token),
    Reference(String),
    Date(date::Wanted),
    Text(String),
    /// Not evaluated here: nothing meets it.
    Never,
}

impl Value {
    pub(super) fn read(kind: ParameterKind, text: &str) -> Self {
        match kind {
            ParameterKind::Token => Self::Token(Token::read(text)),
            ParameterKind::Reference => Self::Reference(unescape(text)),
            ParameterKind::Date => date::Wanted::read(text).map_or(Self::Never, Self::Date),
            ParameterKind::String | ParameterKind::Uri => Self::Text(unescape(text)),
            ParameterKind::Number | ParameterKind::Quantity | ParameterKind::Composite | ParameterKind::Special => {
                Self::Never
            }
        }
    }
}

/// `code`, `system|code`, `|code` or `system|`.
#[derive(Debug, Clone)]
pub(super) struct Token {
    system: System,
    /// Empty: any code of the system.
    code: String,
}

#[derive(Debug, Clone)]
enum System {
    Any,
    None,
    Is(String),
}

impl Token {
    fn read(text: &str) -> Self {
        match split_token(text) {
            None => Self { system: System::Any, code: unescape(text) },
            Some(("", code)) => Self { system: System::None, code: unescape(code) },
            Some((system, code)) => Self { system: System::Is(unescape(system)), code: unescape(code) },
        }
    }

    fn has_system(&self, system: Option<&str>) -> bool {
        match &self.system {
            System::Any => true,
            System::None => system.is_none(),
            System::Is(wanted) => system == Some(wanted),
        }
    }

    fn has_code(&self, code: &str) -> bool {
        if self.code.is_empty() { matches!(self.system, System::Is(_)) } else { self.code == code }
    }

    /// Coding (`code`) and Identifier (`value`): system and code of the same entry.
    pub(super) fn meets_coding<V: ResourceView>(&self, coding: &V, name: &str) -> bool {
        self.has_system(text_of(coding, "system"))
            && match text_of(coding, name) {
                Some(code) => self.has_code(code),
                None => self.code.is_empty() && matches!(self.system, System::Is(_)),
            }
    }

    /// A `code` element has the system of its binding. Without that table only a bare code can meet it.
    pub(super) fn meets_code(&self, code: &str, implied: Option<&str>) -> bool {
        let system = match (&self.system, implied) {
            (System::Any, _) => true,
            (System::None, _) | (System::Is(_), None) => false,
            (System::Is(wanted), Some(implied)) => wanted == implied,
        };
        system && self.has_code(code)
    }

    /// Text without a system of its own: ids, strings, contact points.
    pub(super) fn meets_text(&self, text: &str) -> bool {
        !matches!(self.system, System::Is(_)) && self.has_code(text)
    }

    pub(super) fn meets_boolean(&self, truth: bool) -> bool {
        let system = match &self.system {
            System::Any => true,
            System::None => false,
            System::Is(system) => system == "http://terminology.hl7.org/CodeSystem/special-values",
        };
        system && self.has_code(if truth { "true" } else { "false" })
    }
}

/// Takes FHIR's backslashes away: `\,` is a comma.
pub(super) fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_string();
    }
    let mut plain = String::with_capacity(text.len());
    let mut escaped = false;
    for character in text.chars() {
        if character == '\\' && !escaped {
            escaped = true;
        } else {
            plain.push(character);
            escaped = false;
        }
    }
    plain
}
