//! A small FHIR client: the reads our own pages need (pickers of patients, visits and other records, `fhirUser`, a launch from a Task).
//!
//! Every answer is capped in size and time, never followed to another host, and read as FHIR, not trusted as such. A server that finds our token no longer good
//! is asked once more with a new one, if there is a way to one.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use std::sync::Arc;
use url::Url;

use super::views::{EncounterView, PatientView, PractitionerView, RelatedPersonView};
use super::{FHIR_JSON, R4, is_fhir_id};
use crate::domain::secrets::PlainSecret;

/// No answer of ours needs more: a page of 50 patients is about 100 kB.
const LARGEST_ANSWER: usize = 2 * 1024 * 1024;

/// Why a read gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum FhirReadError {
    /// The server cannot be reached, is too slow, or answers 5xx.
    #[error("the FHIR server is down: {0}")]
    Down(String),
    /// There is no such resource (404, 410, or an id that cannot be one).
    #[error("the FHIR server has no such resource")]
    NotFound,
    /// The server refuses us (401, 403 or another 4xx).
    #[error("the FHIR server refuses: status {0}")]
    Refused(u16),
    /// The answer is not what FHIR says it should be, or too large.
    #[error("the FHIR server's answer cannot be used: {0}")]
    Malformed(String),
}

/// What to look for; empty criteria are left out.
#[derive(Debug, Clone, Default)]
pub struct PatientSearch<'a> {
    /// Part of a name, as typed.
    pub name: Option<&'a str>,
    /// `YYYY-MM-DD`.
    pub birth_date: Option<&'a str>,
    /// A patient number, with or without `system|`.
    pub identifier: Option<&'a str>,
    /// At most so many.
    pub limit: usize,
}

/// A way to another token, when the server refuses the one we have.
pub type Renewal = Arc<dyn Fn() -> BoxFuture<'static, Result<PlainSecret, FhirReadError>> + Send + Sync>;

/// Reads from one FHIR endpoint.
#[derive(Clone)]
pub struct FhirClient {
    base_url: Url,
    bearer: Option<HeaderValue>,
    renewal: Option<Renewal>,
    timeout: Duration,
    http: reqwest::Client,
}

impl fmt::Debug for FhirClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FhirClient").field("base_url", &self.base_url.as_str()).finish_non_exhaustive()
    }
}

impl FhirClient {
    /// A client for `base_url`; `http` decides about proxies and SSRF guards and must not follow redirects.
    ///
    /// `bearer` is sent on every read; an unusable one (line breaks) is left out, and the server will say 401.
    pub fn new(base_url: &Url, bearer: Option<&PlainSecret>, timeout: Duration, http: reqwest::Client) -> Self {
        let mut base_url = base_url.clone();
        if !base_url.path().ends_with('/') {
            base_url.set_path(&format!("{}/", base_url.path()));
        }
        Self { base_url, bearer: bearer.and_then(header_of), renewal: None, timeout, http }
    }

    /// Asks for another token, once per read, when the server answers 401.
    #[must_use]
    pub fn renewing(mut self, renewal: Renewal) -> Self {
        self.renewal = Some(renewal);
        self
    }

    /// `GET Patient/{id}`.
    pub async fn read_patient(&self, id: &str) -> Result<PatientView, FhirReadError> {
        self.read("Patient", id, PatientView::of).await
    }

    /// `GET Practitioner/{id}`.
    pub async fn read_practitioner(&self, id: &str) -> Result<PractitionerView, FhirReadError> {
        self.read("Practitioner", id, PractitionerView::of).await
    }

    /// `GET Encounter/{id}`.
    pub async fn read_encounter(&self, id: &str) -> Result<EncounterView, FhirReadError> {
        self.read("Encounter", id, EncounterView::of).await
    }

    /// `GET RelatedPerson/{id}`.
    pub async fn read_related_person(&self, id: &str) -> Result<RelatedPersonView, FhirReadError> {
        self.read("RelatedPerson", id, RelatedPersonView::of).await
    }

    /// `GET {kind}/{id}`: the whole resource.
    pub async fn read_resource(&self, kind: &str, id: &str) -> Result<R4, FhirReadError> {
        self.read(kind, id, |resource| (resource.resource_type() == kind).then(|| resource.clone())).await
    }

    /// `GET {kind}?name=value&...`: the first page only, in the server's order; entries of another type (an OperationOutcome) are left out.
    ///
    /// Criteria are given as FHIR writes them; what a person typed goes through [`typed_value`] first.
    pub async fn search(
        &self,
        kind: &str,
        criteria: &[(&str, String)],
        limit: usize,
    ) -> Result<Vec<R4>, FhirReadError> {
        let mut url = self.address(&[kind]);
        url.query_pairs_mut().extend_pairs(criteria).append_pair("_count", &limit.to_string());
        let bundle = self.fetch(url).await?;
        if bundle.resource_type() != "Bundle" {
            return Err(FhirReadError::Malformed(format!("a {} instead of a Bundle", bundle.resource_type())));
        }
        let found = bundle.all(&["entry", "resource"]).into_iter().filter_map(super::Node::to_resource);
        Ok(found.filter(|resource| resource.resource_type() == kind).take(limit).collect())
    }

    /// `GET Patient?name=&birthdate=&identifier=`: the first page only, in the server's order.
    pub async fn search_patients(&self, search: &PatientSearch<'_>) -> Result<Vec<PatientView>, FhirReadError> {
        let typed = [("name", search.name), ("birthdate", search.birth_date), ("identifier", search.identifier)];
        let criteria: Vec<(&str, String)> = typed
            .into_iter()
            .filter_map(|(name, value)| {
                let value = value.map(str::trim).filter(|value| !value.is_empty())?;
                Some((name, typed_value(value, name == "identifier")))
            })
            .collect();
        let found = self.search("Patient", &criteria, search.limit).await?;
        Ok(found.iter().filter_map(PatientView::of).collect())
    }

    async fn read<T>(&self, kind: &str, id: &str, view: impl Fn(&R4) -> Option<T> + Send) -> Result<T, FhirReadError> {
        if !is_fhir_id(id) || id == "." || id == ".." {
            return Err(FhirReadError::NotFound);
        }
        let resource = self.fetch(self.address(&[kind, id])).await?;
        if resource.id() != Some(id) {
            return Err(FhirReadError::Malformed("another resource than the one asked for".to_owned()));
        }
        view(&resource)
            .ok_or_else(|| FhirReadError::Malformed(format!("a {} instead of a {kind}", resource.resource_type())))
    }

    fn address(&self, segments: &[&str]) -> Url {
        let mut url = self.base_url.clone();
        url.path_segments_mut().expect("FHIR base URLs are http(s) URLs").pop_if_empty().extend(segments);
        url
    }

    async fn fetch(&self, url: Url) -> Result<R4, FhirReadError> {
        match (self.fetch_with(url.clone(), self.bearer.as_ref()).await, &self.renewal) {
            (Err(FhirReadError::Refused(401)), Some(renewal)) => {
                let renewed = header_of(&renewal().await?);
                self.fetch_with(url, renewed.as_ref()).await
            }
            (answer, _) => answer,
        }
    }

    async fn fetch_with(&self, url: Url, bearer: Option<&HeaderValue>) -> Result<R4, FhirReadError> {
        // a criterion that the server does not know must not be ignored: it would widen the answer
        let mut request =
            self.http.get(url).timeout(self.timeout).header(ACCEPT, FHIR_JSON).header("Prefer", "handling=strict");
        if let Some(bearer) = bearer {
            request = request.header(AUTHORIZATION, bearer.clone());
        }
        // errors of reqwest carry the URL, and the URL may carry a patient's name
        let down = |e: reqwest::Error| FhirReadError::Down(e.without_url().to_string());
        let mut response = request.send().await.map_err(down)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::GONE => return Err(FhirReadError::NotFound),
            status if status.is_client_error() => return Err(FhirReadError::Refused(status.as_u16())),
            status if status.is_server_error() => {
                return Err(FhirReadError::Down(format!("status {}", status.as_u16())));
            }
            status => return Err(FhirReadError::Malformed(format!("status {}", status.as_u16()))),
        }
        let body = super::capped_body(&mut response, LARGEST_ANSWER).await?;
        R4::read_tolerant(&body).map_err(|e| FhirReadError::Malformed(e.to_string()))
    }
}

/// `Authorization`, marked as sensitive; `None` for a token that no header can hold.
fn header_of(token: &PlainSecret) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.reveal())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// What a person types is a value, not FHIR search syntax: `,` `$` `\` and (outside identifiers) `|` lose their meaning.
pub fn typed_value(typed: &str, keep_bar: bool) -> String {
    let mut value = String::with_capacity(typed.len());
    for c in typed.chars() {
        if matches!(c, ',' | '$' | '\\') || (c == '|' && !keep_bar) {
            value.push('\\');
        }
        value.push(c);
    }
    value
}
