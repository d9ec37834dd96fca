//! A small FHIR client: the reads our own pages need (patient picker, `fhirUser`, launch with an encounter).
//!
//! Every answer is capped in size and time, never followed to another host, and read as FHIR, not trusted as such.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use url::Url;

use super::views::{EncounterView, PatientView, PractitionerView};
use super::{FHIR_JSON, R4, is_fhir_id};

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

/// Reads from one FHIR endpoint.
#[derive(Clone)]
pub struct FhirClient {
    base_url: Url,
    bearer: Option<HeaderValue>,
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
    pub fn new(base_url: &Url, bearer: Option<&str>, timeout: Duration, http: reqwest::Client) -> Self {
        let mut base_url = base_url.clone();
        if !base_url.path().ends_with('/') {
            base_url.set_path(&format!("{}/", base_url.path()));
        }
        let bearer = bearer.and_then(|token| HeaderValue::try_from(format!("Bearer {token}")).ok()).map(|mut value| {
            value.set_sensitive(true);
            value
        });
        Self { base_url, bearer, timeout, http }
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

    /// `GET Patient?name=&birthdate=&identifier=`: the first page only, in the server's order.
    pub async fn search_patients(&self, search: &PatientSearch<'_>) -> Result<Vec<PatientView>, FhirReadError> {
        let mut url = self.address(&["Patient"]);
        for (name, value) in [("name", search.name), ("birthdate", search.birth_date), ("identifier", search.identifier)] {
            if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
                url.query_pairs_mut().append_pair(name, &escaped(value.trim(), name == "identifier"));
            }
        }
        url.query_pairs_mut().append_pair("_count", &search.limit.to_string());
        let bundle = self.fetch(url).await?;
        if bundle.resource_type() != "Bundle" {
            return Err(FhirReadError::Malformed(format!("a {} instead of a Bundle", bundle.resource_type())));
        }
        let patients = bundle.all(&["entry", "resource"]).into_iter().filter_map(|node| PatientView::of(&node.to_resource()?));
        Ok(patients.take(search.limit).collect())
    }

    async fn read<T>(&self, kind: &str, id: &str, view: fn(&R4) -> Option<T>) -> Result<T, FhirReadError> {
        if !is_fhir_id(id) || id == "." || id == ".." {
            return Err(FhirReadError::NotFound);
        }
        let resource = self.fetch(self.address(&[kind, id])).await?;
        if resource.id() != Some(id) {
            return Err(FhirReadError::Malformed("another resource than the one asked for".to_owned()));
        }
        view(&resource).ok_or_else(|| FhirReadError::Malformed(format!("a {} instead of a {kind}", resource.resource_type())))
    }

    fn address(&self, segments: &[&str]) -> Url {
        let mut url = self.base_url.clone();
        url.path_segments_mut().expect("FHIR base URLs are http(s) URLs").pop_if_empty().extend(segments);
        url
    }

    async fn fetch(&self, url: Url) -> Result<R4, FhirReadError> {
        let mut request = self.http.get(url).timeout(self.timeout).header(ACCEPT, FHIR_JSON);
        if let Some(bearer) = &self.bearer {
            request = request.header(AUTHORIZATION, bearer.clone());
        }
        // errors of reqwest carry the URL, and the URL may carry a patient's name
        let down = |e: reqwest::Error| FhirReadError::Down(e.without_url().to_string());
        let mut response = request.send().await.map_err(down)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::GONE => return Err(FhirReadError::NotFound),
            status if status.is_client_error() => return Err(FhirReadError::Refused(status.as_u16())),
            status if status.is_server_error() => return Err(FhirReadError::Down(format!("status {}", status.as_u16()))),
            status => return Err(FhirReadError::Malformed(format!("status {}", status.as_u16()))),
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(down)? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(FhirReadError::Malformed(format!("more than {LARGEST_ANSWER} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(body).map_err(|_| FhirReadError::Malformed("not UTF-8".to_owned()))?;
        R4::read_tolerant(&text).map_err(|e| FhirReadError::Malformed(e.to_string()))
    }
}

/// What a person types is a value, not FHIR search syntax: `,` `$` `\` and (outside identifiers) `|` lose their meaning.
fn escaped(typed: &str, keep_bar: bool) -> String {
    let mut value = String::with_capacity(typed.len());
    for c in typed.chars() {
        if matches!(c, ',' | '$' | '\\') || (c == '|' && !keep_bar) {
            value.push('\\');
        }
        value.push(c);
    }
    value
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::extract::{Path, RawQuery};
    use axum::http::{HeaderMap, StatusCode as Status};
    use axum::response::{IntoResponse as _, Response};
    use axum::routing::get;

    use super::*;

    /// A FHIR server with moods: the id says how it answers.
    async fn one(headers: HeaderMap, Path((kind, id)): Path<(String, String)>) -> Response {
        if headers.get("authorization").is_none_or(|value| value != "Bearer t") {
            return Status::UNAUTHORIZED.into_response();
        }
        match id.as_str() {
            "absent" => Status::NOT_FOUND.into_response(),
            "deleted" => Status::GONE.into_response(),
            "secret" => Status::FORBIDDEN.into_response(),
            "broken" => Status::BAD_GATEWAY.into_response(),
            "moved" => (Status::FOUND, [("location", "https://evil.example/")]).into_response(),
            "html" => "<html>".into_response(),
            "large" => "x".repeat(LARGEST_ANSWER + 1).into_response(),
            "other" => r#"{"resourceType":"Patient","id":"somebody-else"}"#.into_response(),
            "group" => r#"{"resourceType":"Group","id":"group","type":"person","actual":true}"#.into_response(),
            _ => format!(r#"{{"resourceType":"{kind}","id":"{id}","name":[{{"text":"Mei Tan"}}]}}"#).into_response(),
        }
    }

    async fn many(RawQuery(query): RawQuery) -> String {
        let asked = query.unwrap_or_default();
        let entry = |id: &str| format!(r#"{{"resource":{{"resourceType":"Patient","id":"{id}","name":[{{"text":"{asked}"}}]}}}}"#);
        let outcome = r#"{"resource":{"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"informational"}]}}"#;
        format!(r#"{{"resourceType":"Bundle","type":"searchset","entry":[{},{outcome},{}]}}"#, entry("a"), entry("b"))
    }

    async fn client(bearer: &str) -> FhirClient {
        let app = Router::new().route("/fhir/Patient", get(many)).route("/fhir/{kind}/{id}", get(one));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = Url::parse(&format!("http://{}/fhir", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        FhirClient::new(&base_url, Some(bearer), Duration::from_secs(5), http)
    }

    #[tokio::test]
    async fn a_read_gives_a_view_or_says_what_went_wrong() {
        let client = client("t").await;
        assert_eq!(client.read_patient("mei-tan").await.unwrap().name, "Mei Tan");
        assert_eq!(client.read_practitioner("ruth-bakker").await.unwrap().id, "ruth-bakker");
        for id in ["absent", "deleted", "../secrets", "a?b", ".."] {
            assert!(matches!(client.read_patient(id).await, Err(FhirReadError::NotFound)), "{id}");
        }
        assert!(matches!(client.read_patient("secret").await, Err(FhirReadError::Refused(403))));
        assert!(matches!(client.read_patient("broken").await, Err(FhirReadError::Down(_))));
        for id in ["moved", "html", "large", "other", "group"] {
            assert!(matches!(client.read_patient(id).await, Err(FhirReadError::Malformed(_))), "{id}");
        }
    }

    #[tokio::test]
    async fn a_wrong_token_is_a_refusal_and_a_closed_port_is_down() {
        assert!(matches!(client("wrong").await.read_patient("mei-tan").await, Err(FhirReadError::Refused(401))));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let nowhere = FhirClient::new(&Url::parse("http://127.0.0.1:1/fhir").unwrap(), None, Duration::from_secs(2), http);
        let error = nowhere.read_patient("mei-tan").await.unwrap_err();
        assert!(matches!(&error, FhirReadError::Down(why) if !why.contains("mei-tan")), "{error}");
    }

    #[tokio::test]
    async fn what_a_person_types_is_searched_as_a_value() {
        let search = PatientSearch { name: Some("Tan, M|ei"), birth_date: Some(" "), identifier: Some("urn:x|7"), limit: 1 };
        let found = client("t").await.search_patients(&search).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].name, r"name=Tan%5C%2C+M%5C%7Cei&identifier=urn%3Ax%7C7&_count=1");
    }
}
