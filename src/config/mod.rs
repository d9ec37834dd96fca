//! Configuration: a TOML file, then the environment, then checks that report every mistake at once.
//!
//! Every key of the file has a variable: `COUNTERSIGN_` + section + `__` + key in capitals, as in `COUNTERSIGN_DATABASE__URL`; the environment wins.
//! A plain `DATABASE_URL`, as platforms set it, stands for `database.url` where neither the file nor `COUNTERSIGN_DATABASE__URL` gives one.
//! A key or variable we do not know is a mistake, not a shrug: a misspelt limit would otherwise be no limit.

mod checks;
mod schema;
mod sections;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

pub use checks::read_key_file;
pub use sections::{Config, Database, Limits, Mail, Outbound, Server};

/// One thing wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// `server.base_url`, or the name of a variable or file.
    pub place: String,
    /// What is wrong with it, and what would be right.
    pub what: String,
}

impl Mistake {
    pub(self) fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Everything that is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Mistakes(pub Vec<Mistake>);

/// A configuration that can be started with.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// It.
    pub config: Config,
    /// What is allowed but hardly meant.
    pub warnings: Vec<Mistake>,
}

/// Reads the file (if one is given) and the environment.
pub fn load(file: Option<&Path>, environment: impl IntoIterator<Item = (String, String)>) -> Result<Loaded, Mistakes> {
    let text = match file {
        None => String::new(),
        Some(path) => std::fs::read_to_string(path).map_err(|error| {
            Mistakes(vec![Mistake::new(path.display().to_string(), format!("cannot be read: {error}"))])
        })?,
    };
    read(&text, environment)
}

/// The same, from text.
pub fn read(text: &str, environment: impl IntoIterator<Item = (String, String)>) -> Result<Loaded, Mistakes> {
    let environment: BTreeMap<String, String> = environment.into_iter().collect();
    let mut mistakes = Vec::new();
    // 1 the file
    let file = match toml::from_str::<toml::Table>(text) {
        Ok(table) => table,
        Err(error) => return Err(Mistakes(vec![Mistake::new("the file", error.to_string())])),
    };
    // 2 over it, the environment; unknown keys and wrong types of both
    let merged = schema::merge(file, &environment, &mut mistakes);
    // 3 what each value means
    let config = schema::build(&merged, &mut mistakes);
    let mut warnings = Vec::new();
    if let Some(config) = &config {
        let mut found = Vec::new();
        checks::check(config, &mut found, &mut warnings);
        // a key that is missing has been reported; that its stand-in is no URL is no news
        found.retain(|mistake| !mistakes.iter().any(|known| known.place == mistake.place));
        mistakes.extend(found);
    }
    match config {
        Some(config) if mistakes.is_empty() => Ok(Loaded { config, warnings }),
        _ => Err(Mistakes(mistakes)),
    }
}

#[cfg(test)]
mod tests;
