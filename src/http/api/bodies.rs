//! What goes in and out as JSON. Times are RFC 3339 in UTC; scopes are lists of literals.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::access_requests::{AccessRequest, RequestState};
use crate::domain::clients::{ClientMetadata, ClientRevision, ClientSecret};
use crate::domain::clock::UtcMillis;
use crate::storage::client_management::Counts;

/// A refusal (RFC 9457).
#[derive(Serialize, ToSchema)]
pub struct Problem {
    /// `urn:countersign:problem:{code}`.
    pub r#type: String,
    /// The words of the status.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// One sentence.
    pub detail: String,
    /// To be named when asking about it.
    pub reference: String,
    /// One entry per mistake in what was sent.
    pub errors: Option<Vec<ProblemError>>,
}

/// One mistake in what was sent.
#[derive(Serialize, ToSchema)]
pub struct ProblemError {
    /// The member.
    pub field: String,
    /// A stable code.
    pub code: String,
    /// One sentence.
    pub detail: String,
}

/// The owner of a token.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// The account.
    pub account: Account,
    /// Organizations where they are staff; `id` is the slug.
    pub organizations: Vec<Membership>,
    /// Application providers where they are developers.
    pub application_providers: Vec<Membership>,
}

/// A person.
#[derive(Serialize, ToSchema)]
pub struct Account {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
}

/// A membership.
#[derive(Serialize, ToSchema)]
pub struct Membership {
    /// Slug of the organization, or id of the application provider.
    pub id: String,
    /// Its name.
    pub name: String,
    /// As what.
    pub role: String,
}

/// A page of *Client management*.
#[derive(Serialize, ToSchema)]
pub struct ClientPage {
    /// The lines.
    pub clients: Vec<ClientLine>,
    /// The page: 1, 2, 3, ...
    pub page: i64,
    /// Lines a page.
    pub page_size: i64,
    /// Lines on all pages.
    pub total: i64,
    /// Lines by state, within the search.
    pub counts: StateCounts,
}

/// Lines by state.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs)]
pub struct StateCounts {
    pub waiting: i64,
    pub approved: i64,
    pub disabled: i64,
    pub rejected: i64,
    pub withdrawn: i64,
    pub expired: i64,
    pub all: i64,
}

impl From<Counts> for StateCounts {
    fn from(counts: Counts) -> Self {
        let Counts { waiting, approved, disabled, rejected, withdrawn, expired, all } = counts;
        Self { waiting, approved, disabled, rejected, withdrawn, expired, all }
    }
}

/// A client at an organization.
#[derive(Serialize, ToSchema)]
pub struct ClientLine {
    /// The client.
    pub client_id: String,
    /// Its name.
    pub name: String,
    /// Its application provider's name.
    pub application_provider: String,
    /// `waiting`, `approved`, `disabled`, `rejected`, `withdrawn` or `expired`.
    pub state: String,
    /// An approved or disabled client asks for a change.
    pub change_waiting: bool,
    /// In a few words: "reads lab results, all patients".
    pub summary: String,
    /// Approved scopes, or those asked where nothing is approved.
    pub scopes: Vec<String>,
    /// The newest access request.
    pub access_request: String,
    /// When it was sent.
    pub requested_at: String,
    /// When it was last decided.
    pub decided_at: Option<String>,
    /// Name of who decided.
    pub decided_by: Option<String>,
    /// When the client was last used here.
    pub last_used_at: Option<String>,
    /// Live access and refresh tokens.
    pub live_tokens: i64,
}

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Plain text of at most 2000 characters.
    #[serde(default)]
    pub reason: String,
}

/// Where a client stands after it was disabled or enabled.
#[derive(Serialize, ToSchema)]
pub struct Switched {
    /// The client.
    pub client_id: String,
    /// `disabled` or `enabled`.
    pub state: String,
    /// When.
    pub at: String,
    /// Grants, codes and tokens of any other epoch are dead.
    pub epoch: i64,
    /// Access tokens that were live until then.
    pub access_tokens_ended: i64,
    /// Refresh tokens that were live until then.
    pub refresh_tokens_ended: i64,
}

/// A page of access requests.
#[derive(Serialize, ToSchema)]
pub struct RequestPage {
    /// Oldest first.
    pub access_requests: Vec<Request>,
    /// The page: 1, 2, 3, ...
    pub page: i64,
    /// Requests a page.
    pub page_size: i64,
}

/// An access request.
#[derive(Serialize, ToSchema)]
pub struct Request {
    /// Id.
    pub id: String,
    /// The client.
    pub client_id: String,
    /// The client revision it is about.
    pub client_revision: i64,
    /// Id of the FHIR endpoint.
    pub fhir_endpoint: String,
    /// `initial` or `change`.
    pub kind: String,
    /// `waiting`, `approved`, `rejected`, `withdrawn` or `expired`.
    pub state: String,
    /// The scopes asked.
    pub scopes: Vec<String>,
    /// Why, in the application provider's words. Untrusted text.
    pub reason: String,
    /// When it was sent.
    pub requested_at: String,
    /// When it was last edited.
    pub updated_at: String,
    /// How often it was edited while it waited.
    pub edits: i64,
    /// When it stops waiting by itself.
    pub expires_at: String,
    /// When it was decided.
    pub decided_at: Option<String>,
    /// Why it was rejected.
    pub decision_reason: Option<String>,
    /// Rejected: may it be asked again?
    pub may_ask_again: Option<bool>,
    /// Approved: the scopes.
    pub granted_scopes: Option<Vec<String>>,
}

impl Request {
    /// A request as it stands.
    pub fn of(request: &AccessRequest) -> Self {
        let (decided_at, decision_reason, may_ask_again, granted) = match &request.state {
            RequestState::Draft | RequestState::Waiting => (None, None, None, None),
            RequestState::Approved { at, scopes, .. } => (Some(*at), None, None, Some(literals(scopes))),
            RequestState::Rejected { at, reason, may_ask_again, .. } => {
                (Some(*at), Some(reason.clone()), Some(*may_ask_again), None)
            }
            RequestState::Withdrawn { at, .. } | RequestState::Expired { at } => (Some(*at), None, None, None),
        };
        Self {
            id: request.id.as_str().into(),
            client_id: request.client_id.as_str().into(),
            client_revision: request.client_revision,
            fhir_endpoint: request.fhir_endpoint_id.as_str().into(),
            kind: request.kind.as_str().into(),
            state: request.state.as_str().into(),
            scopes: literals(&request.scopes),
            reason: request.reason.clone(),
            requested_at: request.requested_at.rfc3339(),
            updated_at: request.updated_at.rfc3339(),
            edits: request.edits,
            expires_at: request.expires_at.rfc3339(),
            decided_at: decided_at.map(UtcMillis::rfc3339),
            decision_reason,
            may_ask_again,
            granted_scopes: granted,
        }
    }
}

/// A request with what a reviewer needs to decide.
#[derive(Serialize, ToSchema)]
pub struct RequestReview {
    /// The request.
    #[serde(flatten)]
    pub request: Request,
    /// Must be sent back with an approval: what was read is what is approved.
    pub digest: String,
    /// Name of the client.
    pub client_name: String,
    /// Name of the application provider.
    pub application_provider: String,
    /// In a few words.
    pub summary: String,
    /// In plain words, most sensitive first.
    pub lines: Vec<Line>,
    /// What to see first, gravest first.
    pub risks: Vec<String>,
    /// Against the present approval: scopes that are new. Absent for a first request.
    pub added_scopes: Option<Vec<String>>,
    /// Scopes that go.
    pub removed_scopes: Option<Vec<String>>,
    /// Members of the client's metadata that are not as approved.
    pub changed_fields: Option<Vec<String>>,
}

/// One right in plain words.
#[derive(Serialize, ToSchema)]
pub struct Line {
    /// One sentence.
    pub text: String,
    /// The scopes that give it.
    pub scopes: Vec<String>,
    /// 0 no personal data ... 4 extra sensitive.
    pub sensitivity: u8,
}

/// A question to an organization.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// For which client of yours.
    pub client_id: String,
    /// Slug, id or base URL of the FHIR endpoint; may be left out where the organization has only one.
    pub fhir_endpoint: Option<String>,
    /// The scopes: a scope string, or a list of literals.
    pub scopes: ScopeList,
    /// Why: plain text of at most 2000 characters.
    pub reason: String,
}

/// Scopes as a string or as a list.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ScopeList {
    /// Separated by spaces, as in OAuth.
    Text(String),
    /// One literal each.
    List(Vec<String>),
}

impl ScopeList {
    /// As one string.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::List(list) => list.join(" "),
        }
    }

    /// As a list.
    pub fn list(self) -> Vec<String> {
        match self {
            Self::Text(text) => text.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
            Self::List(list) => list,
        }
    }
}

/// What asking led to.
#[derive(Serialize, ToSchema)]
pub struct Asked {
    /// `sent`, `edited` (one waited already) or `narrowed` (less than approved: in force at once).
    pub outcome: &'static str,
    /// The request.
    pub access_request: Request,
}

/// A reviewer's yes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// The digest of what was read.
    pub digest: String,
    /// Fewer or narrower scopes than asked; all that were asked if left out.
    pub scopes: Option<ScopeList>,
    /// 1 to 3650; as the organization's settings say if left out.
    pub expires_in_days: Option<i64>,
}

/// A reviewer's no.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reject {
    /// The application provider reads it.
    pub reason: String,
    /// `false` blocks the client from asking again.
    #[serde(default = "yes")]
    pub may_ask_again: bool,
}

fn yes() -> bool {
    true
}

/// What was approved.
#[derive(Serialize, ToSchema)]
pub struct Approved {
    /// The client.
    pub client_id: String,
    /// The approved scopes.
    pub scopes: Vec<String>,
    /// When it ends by itself.
    pub expires_at: Option<String>,
    /// `enabled`, or `disabled` where the client was disabled before.
    pub state: String,
    /// The epoch of what is issued under it.
    pub epoch: i64,
}

/// Part of the audit record.
#[derive(Serialize, ToSchema)]
pub struct AuditPage {
    /// Oldest first.
    pub records: Vec<AuditEntry>,
    /// Ask for what comes after this number.
    pub next_after: Option<i64>,
}

/// A record, with everything its hash covers.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs)]
pub struct AuditEntry {
    pub chain: String,
    pub seq: i64,
    /// Milliseconds since 1970.
    pub at: i64,
    pub event: String,
    pub outcome: String,
    pub actor_kind: String,
    pub actor_id: String,
    pub client_id: Option<String>,
    pub subject: Option<String>,
    /// JSON text, byte for byte as hashed.
    pub details: String,
    pub previous_hash: String,
    pub hash: String,
}

/// A client of yours.
#[derive(Serialize, ToSchema)]
pub struct OwnClient {
    /// `client_id`.
    pub client_id: String,
    /// Id of the application provider.
    pub application_provider: String,
    /// The newest revision.
    pub revision: i64,
    /// What it says.
    #[schema(value_type = Metadata)]
    pub metadata: ClientMetadata,
    /// Secrets that were not revoked.
    pub secrets: Vec<Secret>,
    /// Where it stands at each organization.
    pub access_requests: Vec<Request>,
}

/// One of your clients, in a list.
#[derive(Serialize, ToSchema)]
pub struct OwnClientLine {
    /// `client_id`.
    pub client_id: String,
    /// Name in the newest revision.
    pub name: String,
    /// Id of the application provider.
    pub application_provider: String,
    /// The newest revision.
    pub revision: i64,
}

/// Your clients.
#[derive(Serialize, ToSchema)]
pub struct OwnClients {
    /// By name.
    pub clients: Vec<OwnClientLine>,
}

/// A client to register.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// Id of the application provider; may be left out by whoever works for only one.
    pub application_provider: Option<String>,
    /// What the client says of itself.
    #[schema(value_type = Metadata)]
    pub metadata: ClientMetadata,
}

/// A new revision.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Revise {
    /// The revision that was read; 409 if another came in between.
    pub based_on: i64,
    /// The whole metadata.
    #[schema(value_type = Metadata)]
    pub metadata: ClientMetadata,
    /// Why, for the organizations that approved the client.
    #[serde(default)]
    pub reason: String,
}

/// The newest revision.
#[derive(Serialize, ToSchema)]
pub struct Revised {
    /// `client_id`.
    pub client_id: String,
    /// Its number.
    pub revision: i64,
    /// What it says.
    #[schema(value_type = Metadata)]
    pub metadata: ClientMetadata,
}

impl Revised {
    /// Of a revision.
    pub fn of(revision: ClientRevision) -> Self {
        Self { client_id: revision.client_id.as_str().into(), revision: revision.revision, metadata: revision.metadata }
    }
}

/// A client secret's record.
#[derive(Serialize, ToSchema)]
pub struct Secret {
    /// Id.
    pub id: String,
    /// Its last four characters.
    pub hint: String,
    /// When it was made.
    pub created_at: String,
    /// When the client last proved itself with it.
    pub last_used_at: Option<String>,
    /// When it stops by itself.
    pub expires_at: Option<String>,
}

impl Secret {
    /// Of a record.
    pub fn of(secret: &ClientSecret) -> Self {
        Self {
            id: secret.id.as_str().into(),
            hint: secret.hint.clone(),
            created_at: secret.created_at.rfc3339(),
            last_used_at: secret.last_used_at.map(UtcMillis::rfc3339),
            expires_at: secret.expires_at.map(UtcMillis::rfc3339),
        }
    }
}

/// When a new secret ends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSecret {
    /// In how many days; never by itself if left out.
    pub expires_in_days: Option<i64>,
}

/// A new secret, shown this once.
#[derive(Serialize, ToSchema)]
pub struct MadeSecret {
    /// Its record.
    #[serde(flatten)]
    pub secret: Secret,
    /// The secret.
    pub client_secret: String,
}

/// What a client says of itself (see RFC 7591 for the words it shares with dynamic registration).
#[derive(ToSchema)]
#[allow(missing_docs, dead_code)]
pub struct Metadata {
    name: String,
    #[schema(required = false)]
    description: String,
    /// Digest of an uploaded logo.
    logo: Option<String>,
    #[schema(required = false)]
    contacts: Vec<String>,
    #[schema(required = false)]
    homepage: String,
    #[schema(required = false)]
    privacy: String,
    #[schema(required = false)]
    terms: String,
    /// `public`, `confidential_secret` or `confidential_keys`.
    client_type: String,
    /// A JWK Set of public keys, as JSON text.
    jwks: Option<String>,
    jwks_uri: Option<String>,
    #[schema(required = false)]
    redirect_uris: Vec<String>,
    launch_uri: Option<String>,
    #[schema(required = false)]
    post_logout_redirect_uris: Vec<String>,
    backchannel_logout_uri: Option<String>,
    #[schema(required = false)]
    native: bool,
    /// `authorization_code`, `refresh_token`, `client_credentials`.
    grant_types: Vec<String>,
    /// `smart` or `strict`.
    #[schema(required = false)]
    assertion_audience: String,
    #[schema(required = false)]
    fhir_context_objects: bool,
    /// What is rarely said; left out where nothing is.
    #[schema(required = false)]
    declared: Declared,
}

/// Members of client metadata that are rarely said.
#[derive(ToSchema)]
#[allow(missing_docs, dead_code)]
pub struct Declared {
    #[schema(required = false)]
    secret_in_body: bool,
    /// One of the algorithms of `token_endpoint_auth_signing_alg_values_supported`.
    assertion_algorithm: Option<String>,
    /// Seconds.
    default_max_age: Option<i64>,
    #[schema(required = false)]
    require_auth_time: bool,
    initiate_login_uri: Option<String>,
    software_id: Option<String>,
    software_version: Option<String>,
}

/// A scope string as a list.
pub fn literals(scopes: &str) -> Vec<String> {
    scopes.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}
