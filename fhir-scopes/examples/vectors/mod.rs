//! The vectors as data: reads the file, asks the crate, compares.

mod enforce;
mod language;

use std::fmt;

use serde_json::Value;

/// How a file of vectors went.
pub struct Outcome {
    /// Vectors the crate agrees with.
    pub passed: usize,
    /// The others.
    pub disagreements: Vec<Disagreement>,
}

/// One vector on which the crate says something else.
pub struct Disagreement {
    /// The id of the vector.
    pub id: String,
    /// What the vector says.
    pub expected: String,
    /// What the crate says.
    pub got: String,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, got {}", self.id, self.expected, self.got)
    }
}

/// What the crate says to one vector: nothing when it agrees, else what was expected and what came.
pub type Verdict = Result<(), (String, String)>;

/// Runs every vector of a file.
pub fn run(text: &str) -> Result<Outcome, String> {
    let file: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let vectors = file.get("vectors").unwrap_or(&file).as_array().ok_or("no list of vectors")?;
    let mut outcome = Outcome { passed: 0, disagreements: Vec::new() };
    for vector in vectors {
        match check(vector) {
            Ok(()) => outcome.passed += 1,
            Err((_, got)) if is_acceptable(vector, &got) => outcome.passed += 1,
            Err((expected, got)) => {
                outcome.disagreements.push(Disagreement { id: text_of(vector, "id").to_string(), expected, got });
            }
        }
    }
    Ok(outcome)
}

/// Whether the vector names this outcome as another one that a careful reader may come to: in full, or by its first word.
fn is_acceptable(vector: &Value, got: &str) -> bool {
    let named = |accepted: &Value| {
        let accepted = accepted.as_str().map_or_else(|| accepted.to_string(), String::from);
        got == accepted || !accepted.is_empty() && got.split(' ').next() == Some(&accepted)
    };
    ["alsoAcceptable", "alt"].iter().filter_map(|member| vector.get(*member)).any(|accepted| match accepted {
        Value::Array(any) => any.iter().any(named),
        Value::Null => false,
        one => named(one),
    })
}

fn check(vector: &Value) -> Verdict {
    match text_of(vector, "kind") {
        "parse" => language::parse(vector),
        "normalize" => language::normalize(vector),
        "v1v2" => language::v1_to_v2(vector),
        "v2v1" => language::v2_to_v1(vector),
        "uri" => language::uri(vector),
        "covers" => language::covers(vector),
        "intersect" => language::intersect(vector),
        "match" => enforce::limit(vector),
        "compartment" => enforce::compartment(vector),
        "decide" => enforce::decide(vector),
        "ask" => language::ask(vector),
        other => Err(("a known kind of vector".into(), other.into())),
    }
}

/// A member as text; absent is empty.
pub fn text_of<'a>(vector: &'a Value, member: &str) -> &'a str {
    vector.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// Agreement, or both sides.
pub fn compare(expected: impl Into<String>, got: impl Into<String>) -> Verdict {
    let (expected, got) = (expected.into(), got.into());
    if expected == got { Ok(()) } else { Err((expected, got)) }
}
