//! What the demo consists of, as a declaration for `countersign apply`: one hospital, its people, an app company, four apps with a role in the tour and a few
//! more that fill the list. Secrets are made once per data folder and kept in `demo.json` there.

use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::data::ids;

/// Slug of the hospital.
pub const ORGANIZATION: &str = "st-mary";
/// Slug of its FHIR endpoint.
pub const ENDPOINT: &str = "r4";
/// Path of the demo FHIR server.
pub const FHIR_PATH: &str = "/demo-fhir/r4";
/// `client_id` of the hospital's FHIR server.
pub const RESOURCE_SERVER: &str = "rs_st_mary_fhir";

/// Who administers the hospital's console.
pub const STAFF: &str = "noor@st-mary.example";
/// Who develops apps at Acme Health.
pub const DEVELOPER: &str = "ada@acme-health.example";
/// Anna: a patient, and her son Sam's proxy.
pub const USER: &str = "anna@example.net";
/// Dr. Bakker.
pub const CLINICIAN: &str = "ruth.bakker@st-mary.example";
/// Who develops apps elsewhere.
const OTHER_DEVELOPER: &str = "joris@zorgapps.example";

/// The tour's own app, a public client.
pub const PUBLIC: &str = "chart-reader";
/// A server application with a secret: St. Mary has decided to take secrets for `system/` scopes too.
pub const CONFIDENTIAL: &str = "ward-dashboard";
/// A backend service with its own key.
pub const BACKEND: &str = "night-export";
/// One that still waits for an answer.
pub const UNAPPROVED: &str = "symptom-diary";
/// One that gets a no.
pub const REJECTED: &str = "ad-insights";
/// One that was switched off.
pub const DISABLED: &str = "pill-reminder";

/// What Chart Reader asks for when a person opens it by itself.
pub const PUBLIC_SCOPE: &str = "launch/patient openid fhirUser offline_access patient/Patient.rs patient/Condition.rs patient/MedicationRequest.rs \
    patient/AllergyIntolerance.rs patient/Observation.rs";
/// What Chart Reader asks for when an EHR opens it.
pub const EHR_SCOPE: &str = "launch openid fhirUser patient/Patient.rs patient/Condition.rs patient/MedicationRequest.rs patient/AllergyIntolerance.rs patient/Observation.rs";
/// What the ward dashboard may do.
pub const CONFIDENTIAL_SCOPE: &str = "system/Patient.rs system/Observation.rs";
/// What the nightly export may do.
pub const BACKEND_SCOPE: &str = "system/Patient.rs system/Observation.rs system/Condition.rs";
/// What the symptom diary would like.
pub const UNAPPROVED_SCOPE: &str = "system/Patient.rs system/Condition.rs";

/// Secrets of one data folder, made once.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keeping {
    /// Password of [`STAFF`].
    pub staff_password: String,
    /// Password of [`DEVELOPER`].
    pub developer_password: String,
    /// Password of [`USER`].
    pub user_password: String,
    /// Password of [`CLINICIAN`].
    pub clinician_password: String,
    /// Secret of [`CONFIDENTIAL`].
    pub confidential_secret: String,
    /// Secret of [`UNAPPROVED`].
    pub unapproved_secret: String,
    /// Secret of [`RESOURCE_SERVER`].
    pub resource_server_secret: String,
    /// Private JWK of [`BACKEND`].
    pub backend_jwk: Value,
    /// API token of [`STAFF`].
    #[serde(default)]
    pub staff_api_token: String,
    /// API token of [`DEVELOPER`].
    #[serde(default)]
    pub developer_api_token: String,
}

/// The system could not make a key.
#[derive(Debug, thiserror::Error)]
#[error("no key could be made")]
pub struct NoKey;

impl Keeping {
    /// New secrets; `random` fills bytes.
    pub fn make(random: &dyn Fn(&mut [u8])) -> Result<Self, NoKey> {
        Ok(Self {
            staff_password: password(random),
            developer_password: password(random),
            user_password: password(random),
            clinician_password: password(random),
            confidential_secret: secret(random),
            unapproved_secret: secret(random),
            resource_server_secret: secret(random),
            backend_jwk: private_jwk()?,
            staff_api_token: String::new(),
            developer_api_token: String::new(),
        })
    }

    /// `kid` of the backend's key.
    pub fn backend_kid(&self) -> &str {
        self.backend_jwk["kid"].as_str().unwrap_or_default()
    }
}

/// Three groups of four letters that a person can type: `kfwm-tzrd-hbqp`.
fn password(random: &dyn Fn(&mut [u8])) -> String {
    const LETTERS: &[u8; 16] = b"bcdfghkmnprstwxz";
    let mut bytes = [0; 12];
    random(&mut bytes);
    let letters: Vec<char> = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte & 15)])).collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

fn secret(random: &dyn Fn(&mut [u8])) -> String {
    let mut bytes = [0; 32];
    random(&mut bytes);
    hex(&bytes)
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

/// A new ES384 key.
fn private_jwk() -> Result<Value, NoKey> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).map_err(|_| NoKey)?;
    let private: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().map_err(|_| NoKey)?;
    // an uncompressed point: 4, then x and y of 48 bytes each
    let point = pair.public_key().as_ref();
    let (x, y) = point.get(1..).and_then(|point| point.split_at_checked(48)).ok_or(NoKey)?;
    Ok(json!({
        "kty": "EC",
        "crv": "P-384",
        "x": URL_SAFE_NO_PAD.encode(x),
        "y": URL_SAFE_NO_PAD.encode(y),
        "d": URL_SAFE_NO_PAD.encode(private.as_ref()),
        "kid": "night-export-1",
        "alg": "ES384",
        "use": "sig",
    }))
}

fn public_jwks(private: &Value) -> String {
    let mut public = private.clone();
    if let Some(members) = public.as_object_mut() {
        members.remove("d");
    }
    json!({ "keys": [public] }).to_string()
}

/// The declaration, as JSON.
pub fn declaration(keeping: &Keeping, base_url: &str) -> String {
    json!({
        "organizations": [{
            "slug": ORGANIZATION,
            "name": "St. Mary Hospital",
            "settings": { "website": "https://st-mary.example/", "contact_email": "privacy@st-mary.example", "registration": "open", "backend_services_may_use_secrets": true },
            "fhir_endpoints": [{ "slug": ENDPOINT, "name": "Patient records (R4)", "base_url": format!("{base_url}{FHIR_PATH}"), "release": "r4" }],
            "resource_servers": [{ "id": RESOURCE_SERVER, "name": "FHIR server", "secret": keeping.resource_server_secret }],
        }],
        "application_providers": [
            { "name": "Acme Health", "website": "https://acme-health.example/" },
            { "name": "Zorgapps", "website": "https://zorgapps.example/" },
        ],
        "accounts": accounts(keeping),
        "clients": clients(keeping, base_url),
        "access_requests": [
            request(CONFIDENTIAL, CONFIDENTIAL_SCOPE, "The screens on our wards show the latest vital signs. The dashboard reads them every five minutes."),
            request(BACKEND, BACKEND_SCOPE, "Every night we fill the hospital's own research warehouse. The data stays inside the hospital."),
            request(PUBLIC, &format!("launch {PUBLIC_SCOPE}"), "Patients read their own chart on their phone; doctors open it from the record during a visit."),
            request(DISABLED, "launch/patient patient/Patient.rs patient/MedicationRequest.rs offline_access", "Reminds patients of their medicines."),
            request(UNAPPROVED, UNAPPROVED_SCOPE, "Our diary compares what patients write with their known conditions, so that a nurse can call in time."),
            request("appointment-desk", "system/Appointment.cruds system/Patient.rs", "Patients make and move their appointments in our app; we write them back into your calendar."),
            request("wound-photos", "launch patient/Patient.rs patient/Media.cr patient/DocumentReference.crs", "District nurses take pictures of wounds and add them to the record of the patient they visit."),
            request(REJECTED, "system/*.rs", "Insights into your population for our partners."),
        ],
        "approvals": Vec::from([CONFIDENTIAL, BACKEND, PUBLIC, DISABLED].map(approval)),
    })
    .to_string()
}

fn request(client: &str, scopes: &str, reason: &str) -> Value {
    json!({ "client_id": client, "organization": ORGANIZATION, "fhir_endpoint": ENDPOINT, "scopes": scopes, "reason": reason })
}

fn approval(client: &str) -> Value {
    json!({ "client_id": client, "organization": ORGANIZATION, "approved_by": STAFF })
}

fn accounts(keeping: &Keeping) -> Value {
    json!([
        { "email": STAFF, "name": "Noor Visser", "password": keeping.staff_password, "staff": [{ "organization": ORGANIZATION, "role": "admin" }] },
        { "email": "karim@st-mary.example", "name": "Karim Haddad", "staff": [{ "organization": ORGANIZATION, "role": "reviewer" }] },
        { "email": DEVELOPER, "name": "Ada Lindqvist", "password": keeping.developer_password, "developer": [{ "application_provider": "Acme Health", "role": "admin" }] },
        { "email": OTHER_DEVELOPER, "name": "Joris Peeters", "developer": [{ "application_provider": "Zorgapps", "role": "admin" }] },
        { "email": USER, "name": "Anna de Vries", "password": keeping.user_password,
          "user": [{ "organization": ORGANIZATION, "fhir_user": format!("Patient/{}", ids::ANNA), "own_patients": [ids::ANNA], "proxy_patients": [ids::SAM] }] },
        { "email": CLINICIAN, "name": "Dr. Ruth Bakker", "password": keeping.clinician_password,
          "user": [{ "organization": ORGANIZATION, "fhir_user": format!("Practitioner/{}", ids::DR_BAKKER) }] },
    ])
}

fn clients(keeping: &Keeping, base_url: &str) -> Value {
    json!([
        client(
            PUBLIC,
            "Acme Health",
            json!({
                "name": "Chart Reader",
                "description": "Shows a patient's problems, medicines, allergies and results on one page.",
                "client_type": "public",
                "redirect_uris": [format!("{base_url}/demo-app/")],
                "launch_uri": format!("{base_url}/demo-app/launch.html"),
                "grant_types": ["authorization_code", "refresh_token"],
            }),
            None
        ),
        client(
            CONFIDENTIAL,
            "Acme Health",
            json!({
                "name": "Ward Dashboard",
                "description": "Vital signs of a ward on a big screen.",
                "client_type": "confidential_secret",
                "grant_types": ["client_credentials"],
            }),
            Some(&keeping.confidential_secret)
        ),
        client(
            BACKEND,
            "Acme Health",
            json!({
                "name": "Night Export",
                "description": "Fills the research warehouse every night.",
                "client_type": "confidential_keys",
                "jwks": public_jwks(&keeping.backend_jwk),
                "grant_types": ["client_credentials"],
            }),
            None
        ),
        client(
            UNAPPROVED,
            "Acme Health",
            json!({
                "name": "Symptom Diary",
                "description": "Patients write down how they feel; nurses see who needs a call.",
                "client_type": "confidential_secret",
                "grant_types": ["client_credentials"],
            }),
            Some(&keeping.unapproved_secret)
        ),
        client(
            "appointment-desk",
            "Zorgapps",
            json!({
                "name": "Appointment Desk",
                "description": "Appointments without a telephone.",
                "client_type": "confidential_secret",
                "grant_types": ["client_credentials"],
            }),
            None
        ),
        client(
            "wound-photos",
            "Zorgapps",
            json!({
                "name": "Wound Photos",
                "description": "Pictures of wounds, straight into the record.",
                "client_type": "public",
                "redirect_uris": ["https://wounds.zorgapps.example/callback"],
                "launch_uri": "https://wounds.zorgapps.example/launch",
                "grant_types": ["authorization_code"],
            }),
            None
        ),
        client(
            DISABLED,
            "Zorgapps",
            json!({
                "name": "Pill Reminder",
                "description": "A reminder for every medicine.",
                "client_type": "public",
                "redirect_uris": ["https://pills.zorgapps.example/callback"],
                "grant_types": ["authorization_code", "refresh_token"],
            }),
            None
        ),
        client(
            REJECTED,
            "Zorgapps",
            json!({
                "name": "Ad Insights",
                "description": "Audiences for health advertising.",
                "client_type": "confidential_secret",
                "grant_types": ["client_credentials"],
            }),
            None
        ),
    ])
}

fn client(id: &str, provider: &str, mut metadata: Value, secret: Option<&str>) -> Value {
    let domain = if provider == "Acme Health" { "acme-health.example" } else { "zorgapps.example" };
    metadata["contacts"] = json!([format!("support@{domain}")]);
    metadata["homepage"] = json!(format!("https://{domain}/{id}"));
    metadata["privacy"] = json!(format!("https://{domain}/privacy"));
    metadata["terms"] = json!(format!("https://{domain}/terms"));
    let mut declared = json!({ "client_id": id, "application_provider": provider, "metadata": metadata });
    if let Some(secret) = secret {
        declared["secret"] = json!(secret);
    }
    declared
}

/// The line of JSON for scripts.
pub fn line(keeping: &Keeping, base_url: &str) -> String {
    json!({
        "base_url": base_url,
        "issuer": format!("{base_url}/o/{ORGANIZATION}"),
        "fhir_base_url": format!("{base_url}{FHIR_PATH}"),
        "organization": ORGANIZATION,
        "staff": { "email": STAFF, "password": keeping.staff_password, "api_token": keeping.staff_api_token },
        "developer": { "email": DEVELOPER, "password": keeping.developer_password, "api_token": keeping.developer_api_token },
        "user": { "email": USER, "password": keeping.user_password, "patient": ids::ANNA },
        "clinician": { "email": CLINICIAN, "password": keeping.clinician_password, "patient": ids::JOSEPH },
        "public_client": { "client_id": PUBLIC, "redirect_uri": format!("{base_url}/demo-app/"), "scope": PUBLIC_SCOPE },
        "confidential_client": { "client_id": CONFIDENTIAL, "client_secret": keeping.confidential_secret, "scope": CONFIDENTIAL_SCOPE },
        "backend_client": { "client_id": BACKEND, "kid": keeping.backend_kid(), "private_jwk": keeping.backend_jwk, "scope": BACKEND_SCOPE },
        "unapproved_client": { "client_id": UNAPPROVED, "client_secret": keeping.unapproved_secret, "scope": UNAPPROVED_SCOPE },
        "resource_server": { "client_id": RESOURCE_SERVER, "client_secret": keeping.resource_server_secret },
    })
    .to_string()
}
