//! Batches and transactions: each entry is a request of its own.

#[cfg(feature = "json")]
use super::handful::Handful;
#[cfg(feature = "json")]
use super::{Allowance, Body, Denial, Filter, Need, Obligations, On, Reason};
use super::{Decision, Grant, Request};
#[cfg(feature = "json")]
use alloc::vec::Vec;

/// The decision about one entry of a bundle.
///
/// ```
/// # #[cfg(feature = "json")] {
/// use fhir_scopes::{Release, ScopeSet, decide::{Decision, Grant, Request}};
/// let grant = Grant::new(&ScopeSet::parse("user/Observation.r", Release::R4).unwrap());
/// let bundle = serde_json::json!({ "resourceType": "Bundle", "type": "batch", "entry": [
///     { "request": { "method": "GET", "url": "Observation/1" } },
///     { "request": { "method": "GET", "url": "Condition/1" } }
/// ] });
/// let Decision::Filter(filter) = grant.decide(&Request::new("POST", "/", "").with_json(&bundle)) else { unreachable!() };
/// let words: Vec<_> = filter.entries().iter().map(|entry| entry.decision().word()).collect();
/// assert_eq!(words, ["allow", "deny"]);
/// # }
/// ```
#[derive(Debug)]
pub struct EntryDecision<'g> {
    decision: Decision<'g>,
}

impl<'g> EntryDecision<'g> {
    /// The decision. A refused entry of a batch is answered with 403 in its place.
    ///
    /// ```
    /// # use fhir_scopes::decide::{Decision, EntryDecision};
    /// fn goes_on(entry: &EntryDecision<'_>) -> bool {
    ///     entry.decision().goes_on()
    /// }
    /// # let _ = goes_on;
    /// ```
    pub const fn decision(&self) -> &Decision<'g> {
        &self.decision
    }
}

#[cfg(not(feature = "json"))]
impl Grant {
    pub(super) fn bundle(&self, _request: &Request<'_>) -> Decision<'_> {
        self.deny(super::Reason::ContentMissing, [])
    }
}

#[cfg(feature = "json")]
impl Grant {
    /// A transaction is refused when one entry is; a batch goes on with the entries that may, be it none: each is answered by itself.
    pub(super) fn bundle(&self, request: &Request<'_>) -> Decision<'_> {
        let Body::Json(bundle) = request.body else { return self.deny(Reason::ContentMissing, []) };
        let text = |name: &str| bundle.get(name).and_then(serde_json::Value::as_str);
        let transaction = match (text("resourceType"), text("type")) {
            (Some("Bundle"), Some("transaction")) => true,
            (Some("Bundle"), Some("batch")) => false,
            _ => return self.deny(Reason::Bundle, []),
        };
        let entries = match bundle.get("entry") {
            None => &[],
            Some(serde_json::Value::Array(entries)) => entries.as_slice(),
            Some(_) => return self.deny(Reason::Bundle, []),
        };
        let decisions: Vec<Decision<'_>> = entries.iter().map(|entry| self.entry(entry)).collect();
        if transaction && !decisions.iter().all(Decision::goes_on) {
            return Decision::Deny(self.refused_entries(&decisions));
        }
        if decisions.iter().all(|decision| matches!(decision, Decision::Allow(_))) {
            let mut obligations = Obligations::default();
            let mut by = None;
            for decision in &decisions {
                obligations.add_all(decision.obligations());
                if let Decision::Allow(allowance) = decision {
                    by = by.or(allowance.by);
                }
            }
            return Decision::Allow(Allowance { by, obligations });
        }
        let mut obligations = Obligations::default();
        for decision in &decisions {
            if transaction {
                obligations.add_all(decision.obligations());
            }
        }
        let entries = decisions.into_iter().map(|decision| EntryDecision { decision }).collect();
        Decision::Filter(Filter {
            grant: self,
            on: On::Entries,
            main: None,
            more: Handful::default(),
            obligations,
            is_search: false,
            asked: super::filter::Asked::Entries(entries),
        })
    }

    fn entry(&self, entry: &serde_json::Value) -> Decision<'_> {
        let text =
            |name: &str| entry.get("request").and_then(|request| request.get(name)).and_then(serde_json::Value::as_str);
        let (Some(method), Some(url)) = (text("method"), text("url")) else { return self.deny(Reason::Bundle, []) };
        let Some(url) = self.relative(url) else { return self.deny(Reason::Bundle, []) };
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        // no bundle in a bundle, and no form body inside one
        if method == "POST" && (path.trim_start_matches('/').is_empty() || path.ends_with("_search")) {
            return self.deny(Reason::Bundle, []);
        }
        let body = entry.get("resource").map_or(Body::Absent, Body::Json);
        self.decide(&Request { method, path, query, if_none_exist: text("ifNoneExist"), method_override: None, body })
    }

    /// An entry's URL without the base; none where it leaves this server.
    pub(super) fn relative<'u>(&self, url: &'u str) -> Option<&'u str> {
        let own = self.base.as_deref().and_then(|base| url.strip_prefix(base)).filter(|rest| rest.starts_with('/'));
        match own {
            Some(rest) => Some(rest),
            None if url.split('?').next().is_some_and(|path| path.contains(':')) => None,
            None => Some(url),
        }
    }

    fn refused_entries<'g>(&'g self, decisions: &[Decision<'g>]) -> Denial<'g> {
        let mut needs: Handful<Need> = Handful::default();
        for decision in decisions {
            let found = match decision {
                Decision::Deny(denial) => denial.needs(),
                _ => &[],
            };
            for need in found {
                needs.insert(*need);
            }
        }
        Denial::new(self, Reason::Entry, needs)
    }
}
