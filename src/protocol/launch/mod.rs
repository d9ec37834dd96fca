//! EHR launch (SMART 2.2 app-launch): an EHR obtains a launch handle for a client, a person and a context, and opens the app's launch URL with it.
//!
//! A handle is 336 random bits, stored hashed, good for five minutes and one code, at one organization, for one client, one FHIR endpoint and, if the EHR says so,
//! one person: somebody else who is signed in at the same workstation never inherits it.
//!
//! Two doors lead here. An EHR, proven as a resource server, is believed in what it says about the patient in front of its user. A member of staff, who tries a
//! launch from the console, is not: that launch is for a person named, and about a patient whom this person may choose anyway, so that nobody reaches a record by
//! way of the console that they could not reach without it.
//!
//! An EHR that names nobody does not say who is at its workstation: such a handle is taken up only by somebody who may see what is in it by their own right
//! ([`FhirUser::may_open`]), and asked about again when the grant is made.

pub mod task;
pub mod throttle;
mod visit;

use std::sync::Arc;

use serde::Deserialize;

use super::redirect_uri;
use crate::app::App;
use crate::domain::accounts::{FhirUser, normalized_email};
use crate::domain::approvals::Approval;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::clients::ClientMetadata;
use crate::domain::ids::{AccountId, ClientId};
use crate::domain::launch_context::{BadContext, LaunchContext};
use crate::domain::organizations::{FhirEndpoint, Organization, Standing};
use crate::domain::permission::client_may_act;
use crate::domain::secrets::PlainSecret;
use crate::domain::tokens::{Sealer, TokenKind};
use crate::storage::launch_handles::LaunchHandle;
use crate::storage::{self, Conn, StorageError};

/// How long a handle may be presented.
const LIFE_SECONDS: i64 = 300;
/// What the wire is told of every handle that is no good, whatever the reason.
pub const NOT_VALID: &str = "launch is not valid";

/// What an EHR asks for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// The app.
    pub client_id: ClientId,
    /// The FHIR base URL, or the endpoint's short name; may be left out where there is one.
    #[serde(default)]
    pub iss: Option<String>,
    /// Who is at the EHR: an e-mail address, or their FHIR resource (`Practitioner/7`). Only this person may use the handle; without a name, only somebody who may
    /// see what is in the context by their own right.
    #[serde(default)]
    pub user: Option<String>,
    /// The id of a Task that asks for this launch (SMART 2.2 task-launch): patient, encounter and `appContext` come from it.
    #[serde(default)]
    pub task: Option<String>,
    /// The context: `patient`, `encounter`, `fhirContext`, `need_patient_banner`, `intent`, `smart_style_url`, `tenant`, `appContext`, and extensions.
    #[serde(default)]
    pub context: LaunchContext,
}

/// A launch, ready.
#[derive(Clone, Debug)]
pub struct Launch {
    /// `launch`.
    pub handle: PlainSecret,
    /// The FHIR base URL: `iss` of the launch.
    pub iss: String,
    /// The app's launch URL with `iss` and `launch`, if the app registered one.
    pub url: Option<String>,
    /// How long it is good.
    pub expires_in: i64,
}

/// Why there is no launch.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NoLaunch {
    /// The wish cannot be met.
    #[error(transparent)]
    Wrong(#[from] WrongWish),
    /// The organization does not let this client in.
    #[error("the client is not approved and enabled at this organization")]
    NotApproved,
    /// This principal has made very many of them; later.
    #[error("too many launches in a short time")]
    TooMany,
    /// The organization's FHIR server does not answer, and the launch needs something of it.
    #[error("the FHIR server does not answer")]
    FhirUnavailable,
    /// The database failed.
    #[error("try again later")]
    Unavailable(String),
}

/// What is wrong with a wish.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {sentence}")]
pub struct WrongWish {
    /// The member, as in [`Wish`] or its context; of an entry of `fhirContext`, which of its own.
    pub field: &'static str,
    /// Which entry of `fhirContext`, from 0.
    pub item: Option<usize>,
    /// A stable code.
    pub code: &'static str,
    /// For whoever wrote the caller.
    pub sentence: &'static str,
}

impl From<StorageError> for NoLaunch {
    fn from(error: StorageError) -> Self {
        if matches!(error, StorageError::Unstorable) {
            return wrong("body", "malformed", "a value holds the character U+0000");
        }
        Self::Unavailable(error.to_string())
    }
}

impl From<BadContext> for NoLaunch {
    fn from(bad: BadContext) -> Self {
        let BadContext { member, item, fault } = bad;
        Self::Wrong(WrongWish { field: member, item, code: fault.code(), sentence: fault.sentence() })
    }
}

fn wrong(field: &'static str, code: &'static str, sentence: &'static str) -> NoLaunch {
    NoLaunch::Wrong(WrongWish { field, item: None, code, sentence })
}

/// The client and the endpoint of a wish, if the one may act at the other.
struct Target {
    metadata: ClientMetadata,
    endpoint: FhirEndpoint,
}

/// Makes a launch handle.
pub async fn create(app: &Arc<App>, organization: &Organization, by: Actor, wish: Wish) -> Result<Launch, NoLaunch> {
    // 1 the context, by its own rules
    wish.context.check()?;
    let mut conn = app.store.read().await?;
    // 2 the client may act here, at this endpoint
    let target = target(&mut conn, app, organization, &wish).await?;
    // 3 the person, if one is named
    let person = match wish.user.as_deref().map(str::trim).filter(|user| !user.is_empty()) {
        None => None,
        Some(user) => Some(
            person(&mut conn, organization, user)
                .await?
                .ok_or_else(|| wrong("user", "unknown-person", "not known at this organization"))?,
        ),
    };
    drop(conn);
    // 4 what a Task says
    let context = match &wish.task {
        None => wish.context,
        Some(task) => task::context(app, &target.endpoint, &target.metadata, (task, wish.context)).await?,
    };
    // 5 a visit and its patient belong together
    let context = visit::with_its_patient(app, &target.endpoint, context).await?;
    // 6 staff stay within what the person may choose anyway
    if matches!(by, Actor::Staff(_)) {
        within_reach(person.as_ref(), &context)?;
    }
    // 7 the handle and its record
    let now = app.now();
    let secret = Sealer::secret(app.entropy.as_ref());
    let row = LaunchHandle {
        id: 0,
        secret_hash: secret.hashed(),
        organization_id: organization.id.clone(),
        client_id: wish.client_id,
        account_id: person.map(|(account, _)| account),
        fhir_endpoint_id: target.endpoint.id.clone(),
        context,
        expires_at: now.plus_seconds(LIFE_SECONDS),
        consumed_at: None,
    };
    let id: Option<i64> = app
        .store
        .write::<_, StorageError, _>(move |conn| {
            Box::pin(async move {
                if throttle::is_flooding(conn, &by, now).await? {
                    return Ok(None);
                }
                let id = storage::launch_handles::insert(conn, &row, now).await?;
                let record = AuditEvent::new(&row.organization_id, now, "launch.created", by)
                    .client(&row.client_id)
                    .subject(format!("launch/{id}"));
                storage::audit::append(conn, &record).await?;
                Ok(Some(id))
            })
        })
        .await?;
    let handle = app.sealer.seal(TokenKind::Launch, id.ok_or(NoLaunch::TooMany)?, &secret);
    let iss = target.endpoint.base_url;
    let url = target
        .metadata
        .launch_uri
        .map(|uri| redirect_uri::with_query(&uri, &[("iss", &iss), ("launch", handle.reveal())]));
    Ok(Launch { handle, iss, url, expires_in: LIFE_SECONDS })
}

async fn target(conn: &mut Conn, app: &App, organization: &Organization, wish: &Wish) -> Result<Target, NoLaunch> {
    let client = storage::clients::lookup(conn, &wish.client_id).await?.ok_or(NoLaunch::NotApproved)?;
    let approval = storage::approvals::find(conn, &organization.id, &wish.client_id).await?;
    let approval: Approval =
        client_may_act(app.now(), organization, &client, approval.as_ref()).map_err(|_| NoLaunch::NotApproved)?.clone();
    let iss = wish.iss.as_deref().filter(|iss| !iss.is_empty());
    let endpoints = storage::organizations::list_endpoints(conn, &organization.id).await?;
    let mut usable = endpoints
        .into_iter()
        .filter(|endpoint| endpoint.standing == Standing::Active && approval.fhir_endpoints.contains(&endpoint.id))
        .filter(|endpoint| iss.is_none_or(|iss| endpoint.slug == iss || endpoint.is_audience(iss)));
    let endpoint = match (usable.next(), usable.next()) {
        (Some(endpoint), None) => endpoint,
        (Some(_), Some(_)) => return Err(wrong("iss", "missing", "say which FHIR base URL is meant")),
        (None, _) => {
            return Err(wrong("iss", "not-approved-there", "the client is not approved for this FHIR base URL"));
        }
    };
    let revision = storage::clients::find_revision(conn, &client.id, approval.client_revision).await?;
    let metadata = revision
        .ok_or_else(|| StorageError::inconsistent("clients", client.id.as_str(), "has no such revision"))?
        .metadata;
    Ok(Target { metadata, endpoint })
}

async fn person(
    conn: &mut Conn,
    organization: &Organization,
    user: &str,
) -> Result<Option<(AccountId, Option<FhirUser>)>, StorageError> {
    let account = match normalized_email(user) {
        Some(email) => storage::accounts::find_by_email(conn, &email).await?.map(|account| account.id),
        None => storage::grants::account_of_fhir_user(conn, &organization.id, user).await?,
    };
    let Some(account) = account else { return Ok(None) };
    let (is_active, fhir_user) = storage::grants::person(conn, &organization.id, &account).await?;
    Ok(is_active.then_some((account, fhir_user)))
}

/// May this person choose this patient in a standalone launch?
fn within_reach(person: Option<&(AccountId, Option<FhirUser>)>, context: &LaunchContext) -> Result<(), NoLaunch> {
    let (_, user) = person.ok_or_else(|| wrong("user", "missing", "a launch from the console is for somebody"))?;
    let user = user.as_ref().ok_or_else(|| wrong("user", "no-record", "has no FHIR record at this organization"))?;
    if user.may_open(context) {
        return Ok(());
    }
    Err(wrong("patient", "not-their-patient", "not a patient this person may choose"))
}
