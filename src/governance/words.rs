//! Words that people type: reasons and names. Plain text, untrusted, bounded.

use super::error::Fault;

/// The longest reason, in characters.
pub const MAX_REASON: usize = 2000;

/// Text that must be there. A fault is added if it is missing, too long, or holds control characters.
pub fn mandatory(field: &'static str, text: &str, faults: &mut Vec<Fault>) -> String {
    let text = optional(field, text, faults);
    if text.is_empty() {
        faults.push(Fault::new(field, "missing", "say why"));
    }
    text
}

/// Text that may be empty, with lines ending as people's machines like it made the same.
pub fn optional(field: &'static str, text: &str, faults: &mut Vec<Fault>) -> String {
    let text = text.replace("\r\n", "\n").trim().to_owned();
    if text.chars().count() > MAX_REASON {
        faults.push(Fault::new(field, "too-long", format!("at most {MAX_REASON} characters")));
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        faults.push(Fault::new(field, "not-plain", "plain text only"));
    }
    text
}

/// One line of text, such as a name, of 1 to `longest` characters.
pub fn one_line(field: &'static str, text: &str, longest: usize, faults: &mut Vec<Fault>) -> String {
    let text = text.trim().to_owned();
    if text.is_empty() {
        faults.push(Fault::new(field, "missing", "must not be empty"));
    }
    if text.chars().count() > longest {
        faults.push(Fault::new(field, "too-long", format!("at most {longest} characters")));
    }
    if text.chars().any(char::is_control) {
        faults.push(Fault::new(field, "not-plain", "one line of plain text"));
    }
    text
}
