//! The end of an interaction: one transaction in which grant, consent, code and record come into being together.

use std::sync::Arc;

use fhir_scopes::ScopeSet;

use super::super::authorize::{self, Stop, ToClient};
use super::super::consent::Settled;
use super::super::error::{ErrorKind, OAuthError};
use super::super::{discovery, launch, mint};
use super::choosing::are_still_allowed;
use super::steps::is_for;
use super::{Next, Person, Underway};
use crate::app::App;
use crate::domain::accounts::FhirUser;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::clock::UtcMillis;
use crate::domain::grants::Grant;
use crate::domain::ids::AccountId;
use crate::domain::launch_context::LaunchContext;
use crate::domain::organizations::Organization;
use crate::domain::permission::{Consent, Facts, may_be_used, scopes_within};
use crate::storage::consents::RememberedConsent;
use crate::storage::{self, StorageError};

/// Who agreed, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Agreed {
    /// The person, on the page they were just shown: this is what is remembered from now on.
    Now,
    /// The person, some time ago: what is remembered stays as it was.
    Before,
    /// The organization, for its clinicians.
    Standing,
}

impl From<Settled> for Agreed {
    fn from(settled: Settled) -> Self {
        match settled {
            Settled::Remembered => Self::Before,
            Settled::Standing => Self::Standing,
        }
    }
}

impl Agreed {
    fn consent(self) -> Consent {
        match self {
            Self::Now | Self::Before => Consent::Given,
            Self::Standing => Consent::Standing,
        }
    }

    /// For the audit record.
    fn as_str(self) -> &'static str {
        match self {
            Self::Now => "given",
            Self::Before => "remembered",
            Self::Standing => "standing",
        }
    }
}

/// What the last transaction needs.
struct Ending {
    underway: Underway,
    account_id: AccountId,
    session_id: i64,
    auth_time: UtcMillis,
    scopes: ScopeSet,
    agreed: Agreed,
    now: UtcMillis,
}

pub(super) async fn finish(
    app: &Arc<App>,
    underway: Underway,
    person: Person<'_>,
    scopes: ScopeSet,
    agreed: Agreed,
) -> Result<Next, Stop> {
    let ending = Ending {
        underway,
        account_id: person.account.id.clone(),
        session_id: person.session.began_as(),
        auth_time: person.session.auth_time,
        scopes,
        agreed,
        now: app.now(),
    };
    let worker = Arc::clone(app);
    let done: Result<ToClient, Stop> = app
        .store
        .write::<_, StorageError, _>(move |conn| Box::pin(async move { end(conn, &worker, ending).await }))
        .await?;
    done.map(Next::Done)
}

/// One transaction: the interaction ends, the facts are asked once more, and grant, consent, code and record come into being together.
async fn end(conn: &mut storage::Conn, app: &App, ending: Ending) -> Result<Result<ToClient, Stop>, StorageError> {
    let Ending { underway, account_id, session_id, auth_time, scopes, agreed, now } = ending;
    let request = &underway.request;
    let organization_id = underway.asker.organization.id.clone();
    // 1 once
    if !storage::interactions::finish(conn, underway.row.id, now).await? {
        return Ok(Err(Stop::FlowEnded));
    }
    // 2 as things are now
    let asker = match authorize::asker(conn, underway.asker.organization.clone(), &request.client_id, now).await {
        Ok(asker) => asker,
        Err(stop) => return Ok(Err(stop)),
    };
    if asker.approval.client_revision != request.client_revision {
        return Ok(Err(Stop::FlowEnded));
    }
    let (is_active, user) = storage::grants::person(conn, &organization_id, &account_id).await?;
    if !is_for(conn, &underway, (&account_id, user.as_ref())).await? {
        return Ok(Err(Stop::WrongPerson(asker.badges)));
    }
    if !are_still_allowed(&underway, user.as_ref()) {
        return Ok(Err(Stop::NotOffered));
    }
    let Some(endpoint) = storage::organizations::lookup_endpoint(conn, &request.fhir_endpoint_id).await? else {
        return Ok(Err(Stop::FlowEnded));
    };
    let facts = Facts {
        now,
        organization: &asker.organization,
        client: &asker.client,
        client_type: asker.metadata.client_type,
        approval: Some(&asker.approval),
        epoch: None,
        endpoint: &endpoint,
        person_is_active: Some(is_active),
        consent: agreed.consent(),
        grant_is_revoked: false,
    };
    let granted = may_be_used(&facts).and_then(|permit| scopes_within(&permit, &scopes, &endpoint));
    let granted = match granted {
        Ok(granted) => granted,
        Err(layer) => {
            let refusal = OAuthError::new(ErrorKind::AccessDenied, "this is not possible now").because(layer.as_str());
            return Ok(Ok(underway.refuse(app, &refusal)));
        }
    };
    // 3 the launch handle, once
    if let Some(handle) = request.launch
        && !storage::launch_handles::consume(conn, handle, now).await?
    {
        return Ok(Ok(underway.refuse(app, &OAuthError::request(launch::NOT_VALID))));
    }
    // 4 the grant
    let text = granted.to_string();
    if agreed == Agreed::Now {
        let remembered = RememberedConsent {
            client_revision: request.client_revision,
            patient: underway.context().patient,
            scopes: text.clone(),
            granted_at: now,
        };
        let place = (&organization_id, &endpoint.id);
        storage::consents::put(conn, place, &account_id, &request.client_id, &remembered).await?;
    }
    let grant = Grant {
        id: 0,
        organization_id: organization_id.clone(),
        client_id: request.client_id.clone(),
        account_id: Some(account_id.clone()),
        fhir_endpoint_id: endpoint.id.clone(),
        session_id: Some(session_id),
        epoch: asker.approval.epoch,
        scopes: text.clone(),
        context: told(app, &asker.organization, &underway),
        related_patient: related_patient(&underway, user.as_ref()),
        made_as: user.map(|user| user.reference),
        standing_consent: agreed == Agreed::Standing,
        auth_time: Some(auth_time),
        nonce: request.nonce.clone(),
        created_at: now,
        last_used_at: None,
        expires_at: None,
        revoked_at: None,
    };
    let grant_id = storage::grants::insert(conn, &grant).await?;
    let code = mint::code(conn, app, grant_id, (&request.redirect_uri, &request.code_challenge), now).await?;
    let record = AuditEvent::new(&organization_id, now, "grant.made", Actor::User(account_id))
        .client(&request.client_id)
        .subject(format!("grant/{grant_id}"))
        .with("scopes", text)
        .with("consent", agreed.as_str());
    storage::audit::append(conn, &record).await?;
    // 5 the answer
    let mut params = vec![("code", code.reveal().to_owned())];
    params.extend(request.state.clone().map(|state| ("state", state)));
    params.push(("iss", app.issuer(&asker.organization.slug)));
    Ok(Ok(ToClient {
        redirect_uri: request.redirect_uri.clone(),
        form_post: request.form_post,
        client_name: asker.badges.client_name.clone(),
        params,
    }))
}

/// The patient of the context, where it is one of the person's own: chosen from their list, or named by an EHR and on it.
fn related_patient(underway: &Underway, user: Option<&FhirUser>) -> Option<String> {
    let user = user.filter(|user| !user.is_clinician())?;
    underway.context().patient.filter(|patient| user.patients.iter().any(|one| one.patient == *patient))
}

/// The context as the app is told it: whether it must show a banner is always said (SMART `context-banner`), and an EHR launch comes with a style (`context-style`).
fn told(app: &App, organization: &Organization, underway: &Underway) -> LaunchContext {
    let mut context = underway.context();
    if context.need_patient_banner.is_none() && context.patient.is_some() {
        // nobody else shows who the patient is
        context.need_patient_banner = Some(true);
    }
    if context.smart_style_url.is_none() && underway.request.launch.is_some() {
        context.smart_style_url = Some(discovery::style_url(app, organization));
    }
    context
}
