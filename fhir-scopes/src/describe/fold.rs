//! Fewer lines for long lists: equal letters at one level in one sentence.

use alloc::string::String;
use alloc::vec::Vec;

use super::limit_words::Subject;
use super::sentence::{join, sentence};
use super::{Group, Lang, Line, Options};
use crate::Permissions;

impl Group {
    /// The lines with those folded into one that have equal letters at one level. What deletes, what covers everything and what
    /// a person must check stays on its own.
    ///
    /// ```
    /// use fhir_scopes::describe::{Lang, describe};
    /// use fhir_scopes::{Release, ScopeSet};
    /// let set = ScopeSet::parse("patient/Immunization.rs patient/MedicationRequest.rs", Release::R4).unwrap();
    /// let folded = describe(&set, Lang::En).groups[0].folded(Lang::En);
    /// assert_eq!(folded.len(), 1);
    /// assert_eq!(folded[0].short, "Read and search prescriptions and vaccinations of this patient");
    /// assert_eq!(folded[0].scopes.len(), 2);
    /// ```
    pub fn folded(&self, lang: Lang) -> Vec<Line> {
        self.folded_with(lang, &Options::default())
    }

    /// The same for a given reader.
    ///
    /// ```
    /// use fhir_scopes::describe::{Lang, Options, describe};
    /// use fhir_scopes::{Release, ScopeSet};
    /// let set = ScopeSet::parse("patient/Goal.rs patient/CarePlan.rs", Release::R4).unwrap();
    /// let options = Options { patient: Some("Jan"), ..Options::default() };
    /// let folded = describe(&set, Lang::En).groups[0].folded_with(Lang::En, &options);
    /// assert_eq!(folded[0].short, "Read and search care plans and treatment goals of Jan");
    /// ```
    pub fn folded_with(&self, lang: Lang, options: &Options<'_>) -> Vec<Line> {
        let mut folded: Vec<Vec<&Line>> = Vec::new();
        for line in &self.lines {
            let fits = |others: &&mut Vec<&Line>| others.iter().all(|other| foldable(line, other));
            match folded.iter_mut().find(fits) {
                Some(others) => others.push(line),
                None => folded.push([line].into()),
            }
        }
        folded.into_iter().filter_map(|lines| fold(&lines, lang, options)).collect()
    }
}

fn foldable(line: &Line, other: &Line) -> bool {
    let plain = |line: &Line| {
        line.right
            .filter(|right| !right.everything && !right.permissions.contains(Permissions::DELETE) && !line.needs_check)
    };
    match (plain(line), plain(other)) {
        (Some(a), Some(b)) => {
            a.level == b.level && a.permissions == b.permissions && (line.sensitivity > 1) == (other.sensitivity > 1)
        }
        _ => false,
    }
}

fn fold(lines: &[&Line], lang: Lang, options: &Options<'_>) -> Option<Line> {
    let mut first = (*lines.first()?).clone();
    let (Some(right), true) = (first.right, lines.len() > 1) else { return Some(first) };
    let mut names: Vec<&str> = lines.iter().map(|line| line.subject.as_str()).collect();
    names.sort_unstable();
    let sensitivity = lines.iter().map(|line| line.sensitivity).max()?;
    let subject = Subject {
        name: join(&names, lang),
        // no note on patient data unless it is true of every line
        sensitivity,
        personal: sensitivity > 1,
        ends_in_clause: false,
        needs_check: false,
    };
    first.short = sentence(right.permissions, &subject, right.level, lang, options);
    first.scopes = lines.iter().flat_map(|line| line.scopes.iter().cloned()).collect();
    first.sensitivity = sensitivity;
    for warning in lines.iter().flat_map(|line| &line.warnings) {
        if !first.warnings.contains(warning) {
            first.warnings.push(warning.clone());
        }
    }
    first.warnings.sort_by_key(|warning| warning.kind);
    first.long = first.warnings.iter().fold([first.short.as_str(), "."].concat(), |text, warning| {
        [text, String::from(" "), warning.text.clone()].concat()
    });
    first.subject = subject.name;
    Some(first)
}
