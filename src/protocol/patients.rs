//! Patients for the picker and the consent page, read from the organization's own FHIR server.
//!
//! The server reads with a token of its own: sealed by the vault for one FHIR endpoint and two minutes, good for reading people and encounters only, kept in no table.
//! Introspection knows it ([`reading_endpoint`]); no client can ask for one. It needs no approval because it is the organization's own server that shows the
//! organization's own people a name to choose by; it ends with the organization.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

use crate::app::App;
use crate::domain::clock::UtcMillis;
use crate::domain::ids::FhirEndpointId;
use crate::domain::organizations::FhirEndpoint;
use crate::domain::secrets::PlainSecret;
use crate::outbound::fhir::client::PatientSearch;
use crate::outbound::fhir::views::PatientView;
use crate::outbound::fhir::{FhirClient, FhirReadError};

/// What a reading token begins with.
const PREFIX: &str = "cso_";
/// The scopes of a reading token.
pub const READING_SCOPES: &str =
    "system/Patient.rs system/Encounter.rs system/Practitioner.r system/PractitionerRole.r system/RelatedPerson.r";
const LIFE_SECONDS: i64 = 120;
/// How many patients a page of the picker shows.
pub const PAGE: usize = 20;

/// A token with which this server reads from one of its organizations' FHIR endpoints.
fn reading_token(app: &App, endpoint: &FhirEndpoint) -> PlainSecret {
    let until = app.now().plus_seconds(LIFE_SECONDS);
    let plain = format!("{}|{}", until.0, endpoint.id);
    let sealed = app.vault.seal("reading-token", plain.as_bytes(), app.entropy.as_ref());
    PlainSecret::from_text(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(sealed)))
}

/// The endpoint a reading token of ours is for, and when it ends; `None` for anything else, and when it is over.
pub fn reading_endpoint(app: &App, token: &str) -> Option<(FhirEndpointId, UtcMillis)> {
    let sealed = URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
    let plain = app.vault.open("reading-token", &sealed).ok()?;
    let (until, endpoint) = std::str::from_utf8(&plain).ok()?.split_once('|')?;
    let until = UtcMillis(until.parse().ok()?);
    (app.now() < until).then(|| (FhirEndpointId::from_text(endpoint), until))
}

/// Reads from an organization's FHIR server.
pub fn reader(app: &App, endpoint: &FhirEndpoint) -> Option<FhirClient> {
    let url = Url::parse(&endpoint.base_url).ok()?;
    // the address is the organization's own, often inside its own network: not guarded like an address a client chose
    let http = app.memory.fhir_http.get_or_init(|| crate::outbound::http_client::guarded(true)).clone();
    Some(FhirClient::new(&url, Some(&reading_token(app, endpoint)), Duration::from_secs(3), http))
}

/// One patient, for a card.
pub async fn patient(app: &App, endpoint: &FhirEndpoint, id: &str) -> Result<PatientView, FhirReadError> {
    let reader = reader(app, endpoint).ok_or_else(|| FhirReadError::Malformed("the FHIR base URL is no URL".into()))?;
    reader.read_patient(id).await
}

/// Patients by name, birth date or number, as typed into one box.
pub async fn search(app: &App, endpoint: &FhirEndpoint, typed: &str) -> Result<Vec<PatientView>, FhirReadError> {
    let reader = reader(app, endpoint).ok_or_else(|| FhirReadError::Malformed("the FHIR base URL is no URL".into()))?;
    let typed = typed.trim();
    let is_date = typed.len() == 10
        && typed
            .bytes()
            .enumerate()
            .all(|(place, byte)| if place == 4 || place == 7 { byte == b'-' } else { byte.is_ascii_digit() });
    let has_digit = typed.bytes().any(|byte| byte.is_ascii_digit());
    let search = PatientSearch {
        name: Some(typed).filter(|_| !has_digit),
        birth_date: Some(typed).filter(|_| is_date),
        identifier: Some(typed).filter(|_| has_digit && !is_date),
        limit: PAGE + 1,
    };
    reader.search_patients(&search).await
}
