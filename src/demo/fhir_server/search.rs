//! A search request: criteria, result parameters, and the page of matches the caller may see.
//!
//! The caller's reach is applied before counting and paging, so that `total`, `_summary=count` and page links tell
//! nothing about records out of reach.

use std::cmp::Ordering;

use serde_json::Value;
use url::form_urlencoded;

use super::criteria::{Criterion, at, stretch_of};
use super::parameters::{Kind, Parameter, compartment_paths, find};
use super::refusal::Refusal;
use super::store::{Store, Stored};
use crate::outbound::fhir::R4;
use crate::outbound::fhir::answers::{Bundle, Entry};

const USUAL_PAGE: usize = 50;
const LARGEST_PAGE: usize = 200;

/// A search as asked for.
#[derive(Debug)]
pub(super) struct Search {
    kind: String,
    /// Only what is in this Patient's compartment.
    compartment: Option<String>,
    criteria: Vec<Criterion>,
    sort: Vec<(&'static Parameter, Direction)>,
    count_only: bool,
    page: usize,
    offset: usize,
    /// Criteria and result parameters as sent, for the links.
    sent: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

impl Search {
    /// Reads the parameters of a search for one type (R4 3.1.1).
    ///
    /// An unknown parameter is refused, unless the caller asked for `Prefer: handling=lenient`; then it is left out
    /// here and in the `self` link.
    pub(super) fn read(
        kind: &str,
        compartment: Option<&str>,
        pairs: &str,
        base_url: &str,
        lenient: bool,
    ) -> Result<Self, Refusal> {
        let mut search = Self {
            kind: kind.to_owned(),
            compartment: compartment.map(str::to_owned),
            criteria: Vec::new(),
            sort: Vec::new(),
            count_only: false,
            page: USUAL_PAGE,
            offset: 0,
            sent: Vec::new(),
        };
        for (key, value) in form_urlencoded::parse(pairs.as_bytes()) {
            match key.as_ref() {
                "_count" => search.page = number(&key, &value)?.min(LARGEST_PAGE),
                "_offset" => {
                    search.offset = number(&key, &value)?;
                    continue;
                }
                "_summary" => match value.as_ref() {
                    "count" => search.count_only = true,
                    "false" => {}
                    _ => return Err(Refusal::not_supported("Only _summary=count is supported.")),
                },
                "_sort" => search.sort = sort(kind, &value)?,
                // the total is always exact
                "_total" if matches!(value.as_ref(), "none" | "estimate" | "accurate") => {}
                "_format" | "_pretty" => continue,
                key if key.starts_with("_include") || key.starts_with("_revinclude") => {
                    return Err(Refusal::not_supported(
                        "_include and _revinclude are not supported; ask for each type by itself.",
                    ));
                }
                key => match Criterion::read(kind, key, &value, base_url) {
                    Ok(criterion) => search.criteria.push(criterion),
                    Err(_) if lenient && find(kind, key.split([':', '.']).next().unwrap_or(key)).is_none() => continue,
                    Err(refusal) => return Err(refusal),
                },
            }
            search.sent.push((key.into_owned(), value.into_owned()));
        }
        if search.page == 0 {
            search.count_only = true;
        }
        Ok(search)
    }

    /// Runs it over what `may_see` lets through.
    pub(super) fn run(&self, store: &Store, base_url: &str, may_see: &dyn Fn(&Value) -> bool) -> R4 {
        let mut matches: Vec<&Stored> = store
            .of_type(&self.kind)
            .filter(|stored| {
                self.compartment.as_ref().is_none_or(|patient| in_compartment(&stored.json, &self.kind, patient))
            })
            .filter(|stored| self.criteria.iter().all(|criterion| criterion.holds(&stored.json)))
            .filter(|stored| may_see(&stored.json))
            .collect();
        matches.sort_by(|a, b| self.order(&a.json, &b.json));
        let page = if self.count_only { &[][..] } else { matches.get(self.offset..).unwrap_or_default() };
        let page = &page[..page.len().min(self.page)];

        let mut links = vec![("self", self.link(base_url, self.offset))];
        if !self.count_only && self.offset + page.len() < matches.len() && !page.is_empty() {
            links.push(("next", self.link(base_url, self.offset + page.len())));
        }
        if !self.count_only && self.offset > 0 {
            links.push(("previous", self.link(base_url, self.offset.saturating_sub(self.page))));
        }
        let entries = page.iter().map(|stored| Entry {
            full_url: format!("{base_url}/{}/{}", self.kind, stored.resource.id().unwrap_or_default()),
            resource: &stored.resource,
            mode: "match",
        });
        Bundle { total: matches.len(), links, entries: entries.collect() }.write()
    }

    fn link(&self, base_url: &str, offset: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.sent);
        if offset > 0 {
            query.append_pair("_offset", &offset.to_string());
        }
        let query = query.finish();
        let path = match &self.compartment {
            Some(patient) => format!("{base_url}/Patient/{patient}/{}", self.kind),
            None => format!("{base_url}/{}", self.kind),
        };
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }

    /// The order asked for; ties, and everything else, stay in the order of ids.
    fn order(&self, a: &Value, b: &Value) -> Ordering {
        for (parameter, direction) in &self.sort {
            let (left, right) = (sort_key(a, parameter), sort_key(b, parameter));
            // what has no value comes last either way
            let order = match (&left, &right) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => return Ordering::Greater,
                (Some(_), None) => return Ordering::Less,
                (Some(left), Some(right)) => left.cmp(right),
            };
            match direction {
                _ if order == Ordering::Equal => {}
                Direction::Up => return order,
                Direction::Down => return order.reverse(),
            }
        }
        Ordering::Equal
    }
}

/// Is the resource in the Patient compartment of R4 (or the Patient itself)?
pub(super) fn in_compartment(resource: &Value, kind: &str, patient: &str) -> bool {
    if kind == "Patient" && resource["id"] == patient {
        return true;
    }
    let whole = format!("Patient/{patient}");
    compartment_paths(kind).is_some_and(|paths| {
        paths.iter().any(|path| at(resource, path).iter().any(|value| value["reference"] == whole.as_str()))
    })
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SortKey {
    Moment(i64),
    Words(String),
}

fn sort_key(resource: &Value, parameter: &Parameter) -> Option<SortKey> {
    let values = parameter.paths.iter().flat_map(|path| at(resource, path));
    values
        .filter_map(|value| match parameter.kind {
            Kind::Date => stretch_of(value).map(|stretch| SortKey::Moment(stretch.from)),
            Kind::Token | Kind::Text | Kind::Reference | Kind::Patient | Kind::Uri => words(value).map(SortKey::Words),
        })
        .min()
}

fn words(value: &Value) -> Option<String> {
    let first = ["family", "text", "display", "code", "value", "reference"];
    value.as_str().or_else(|| first.iter().find_map(|name| value[*name].as_str())).map(str::to_lowercase)
}

fn sort(kind: &str, value: &str) -> Result<Vec<(&'static Parameter, Direction)>, Refusal> {
    let rule = |part: &str| {
        let (name, direction) = part.strip_prefix('-').map_or((part, Direction::Up), |name| (name, Direction::Down));
        find(kind, name)
            .map(|parameter| (parameter, direction))
            .ok_or_else(|| Refusal::not_supported(format!("{kind} cannot be sorted by '{name}' here.")))
    };
    value.split(',').map(rule).collect()
}

fn number(key: &str, value: &str) -> Result<usize, Refusal> {
    value.parse().map_err(|_| Refusal::invalid(format!("'{key}' is a number.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::data;

    const BASE: &str = "https://fhir.example/r4";

    fn store() -> &'static Store {
        static STORE: std::sync::OnceLock<Store> = std::sync::OnceLock::new();
        STORE.get_or_init(|| Store::load(&data::resources()).unwrap())
    }

    fn found(kind: &str, compartment: Option<&str>, pairs: &str) -> Value {
        Search::read(kind, compartment, pairs, BASE, false).unwrap().run(store(), BASE, &|_| true).to_value()
    }

    #[test]
    fn the_usual_searches_find_what_is_in_the_charts() {
        for (kind, pairs, total) in [
            ("Patient", "", 4),
            ("Patient", "name=vries", 2),
            ("Patient", "family=de%20vries&birthdate=ge2010", 1),
            ("Patient", "identifier=https://st-mary.example/patients|SM-100412", 1),
            ("Patient", "_id=anna-de-vries,mei-tan,nobody", 2),
            ("Observation", "patient=anna-de-vries&code=http://loinc.org|4548-4", 3),
            ("Observation", "patient=anna-de-vries&code=4548-4&date=ge2025-11-01&date=lt2026-01-01", 1),
            ("Observation", "subject=Patient/mei-tan&category=survey&code=44261-6", 3),
            ("Condition", "patient=sam-de-vries&category=encounter-diagnosis", 1),
            ("Condition", "patient=sam-de-vries&clinical-status=active&category:not=health-concern", 1),
            ("MedicationRequest", "patient=joseph-okafor&status=active", 4),
            ("Encounter", "patient=joseph-okafor&class=IMP", 1),
            ("Observation", "encounter=Encounter/joseph-visit-2026-02-11&category=laboratory", 6),
            ("Provenance", "patient=anna-de-vries", 1),
            ("Task", "patient=joseph-okafor", 1),
            ("Binary", "", 1),
            ("Patient", "_lastUpdated=gt2030-01-01", 0),
        ] {
            assert_eq!(found(kind, None, pairs)["total"], total, "{kind}?{pairs}");
        }
    }

    #[test]
    fn compartment_search_holds_what_the_definition_says_and_no_more() {
        // Anna performed it, so it is in her compartment; her neighbour's room is not "patient=anna"
        let everything = found("Observation", Some("anna-de-vries"), "_summary=count")["total"].clone();
        let about_anna = found("Observation", None, "patient=anna-de-vries&_summary=count")["total"].clone();
        assert_eq!(everything.as_u64().unwrap(), about_anna.as_u64().unwrap() + 1);
        assert_eq!(found("Group", Some("anna-de-vries"), "")["total"], 1);
        assert_eq!(found("Patient", Some("anna-de-vries"), "")["total"], 1);
        assert_eq!(found("Task", Some("anna-de-vries"), "")["total"], 0);
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_overlap() {
        let mut pairs = "patient=anna-de-vries&_count=7&_sort=-date".to_owned();
        let mut seen = Vec::new();
        loop {
            let page = found("Observation", None, &pairs);
            let entries = page["entry"].as_array().unwrap().clone();
            seen.extend(
                entries.iter().map(|entry| entry["resource"]["effectiveDateTime"].as_str().unwrap().to_owned()),
            );
            let links = page["link"].as_array().unwrap();
            let Some(next) = links.iter().find(|link| link["relation"] == "next") else {
                assert_eq!(page["total"], seen.len());
                break;
            };
            pairs = next["url"].as_str().unwrap().strip_prefix(&format!("{BASE}/Observation?")).unwrap().to_owned();
        }
        assert!(seen.is_sorted_by(|a, b| a >= b), "newest first");
    }

    #[test]
    fn what_is_out_of_reach_is_neither_listed_nor_counted() {
        let search = Search::read("Patient", None, "_count=1", BASE, false).unwrap();
        let bundle = search.run(store(), BASE, &|patient| patient["id"] == "mei-tan").to_value();
        assert_eq!((bundle["total"].as_u64(), bundle["link"].as_array().unwrap().len()), (Some(1), 1));
    }

    #[test]
    fn an_unknown_parameter_is_refused_unless_the_caller_asked_for_leniency() {
        assert!(Search::read("Patient", None, "shoe-size=42", BASE, false).is_err());
        assert!(Search::read("Patient", None, "shoe-size=42", BASE, true).is_ok());
        // leniency is for names this server does not know, not for values it cannot read or modifiers it cannot honour
        assert!(Search::read("Patient", None, "birthdate=soon", BASE, true).is_err());
        assert!(Search::read("Patient", None, "name:near=x", BASE, true).is_err());
        assert!(Search::read("Patient", None, "_include=Patient:organization", BASE, true).is_err());
    }
}
