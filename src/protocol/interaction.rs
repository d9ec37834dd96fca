//! From an accepted authorization request to its answer: sign in, choose the patient, consent, code.
//!
//! The browser carries a handle; everything else stays here. Every step asks again whether the client may act at this organization, so a launch that was under
//! way when staff pressed *Disable client* stops at its next step. Whoever takes an interaction up first is the only one who can go on with it.

use std::sync::Arc;

use fhir_scopes::{NonResource, ScopeSet};
use serde::{Deserialize, Serialize};

use super::authorize::{self, Asker, AuthorizationRequest, Badges, Stop, ToClient};
use super::consent::{self, Settled, Unusable};
use super::error::{ErrorKind, OAuthError};
use super::{discovery, mint, patients};
use crate::app::App;
use crate::domain::accounts::{Account, FhirUser, UserPatient};
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::clock::UtcMillis;
use crate::domain::grants::Grant;
use crate::domain::ids::AccountId;
use crate::domain::launch_context::LaunchContext;
use crate::domain::organizations::{FhirEndpoint, Organization};
use crate::domain::permission::{Consent, Facts, may_be_used, scopes_within};
use crate::domain::sessions::Session;
use crate::domain::tokens::TokenKind;
use crate::outbound::fhir::FhirReadError;
use crate::storage::consents::RememberedConsent;
use crate::storage::interactions::InteractionRow;
use crate::storage::{self, StorageError};

/// Who is at the browser.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    /// Who.
    pub account: &'a Account,
    /// In which session.
    pub session: &'a Session,
}

/// What was chosen so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Progress {
    /// The session that was not fresh enough: another one is needed.
    session_before: Option<i64>,
    /// The patient.
    patient: Option<String>,
}

/// What comes next.
#[derive(Clone, Debug)]
pub enum Next {
    /// Sign in, and come back.
    SignIn {
        /// Also if somebody is signed in.
        again: bool,
        /// The address the app suggests.
        login_hint: Option<String>,
    },
    /// Choose a patient.
    PickPatient(Box<PatientChoice>),
    /// Agree or not.
    Consent(Box<Question>),
    /// Go to the app.
    Done(ToClient),
}

/// A choice of patient.
#[derive(Clone, Debug)]
pub struct PatientChoice {
    /// Names for the page.
    pub badges: Badges,
    /// Where the app is.
    pub redirect_uri: String,
    /// Whose patients.
    pub endpoint: FhirEndpoint,
    /// The patients of this person; `None` for a clinician, who searches.
    pub patients: Option<Vec<UserPatient>>,
}

/// A question of consent.
#[derive(Clone, Debug)]
pub struct Question {
    /// Names for the page.
    pub badges: Badges,
    /// Where the app is.
    pub redirect_uri: String,
    /// The app's own pages: terms, privacy.
    pub terms: String,
    /// Privacy statement.
    pub privacy: String,
    /// Whose data.
    pub endpoint: FhirEndpoint,
    /// About which patient.
    pub patient: Option<String>,
    /// What can be granted.
    pub candidate: ScopeSet,
    /// The person is a patient or acts for one, not a clinician.
    pub for_patients: bool,
    /// The answer before this one could not be used.
    pub nothing_chosen: bool,
}

/// A person's answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Allow or deny.
    pub allow: bool,
    /// Ticked scopes, as a list.
    pub scopes: String,
    /// Background access too.
    pub offline: bool,
}

/// An interaction in someone's hands.
struct Underway {
    row: InteractionRow,
    request: AuthorizationRequest,
    progress: Progress,
    asker: Asker,
    endpoint: FhirEndpoint,
}

async fn load(app: &App, slug: &str, flow: &str) -> Result<Underway, Stop> {
    let now = app.now();
    let presented = app.sealer.open(TokenKind::Interaction, flow).ok_or(Stop::FlowEnded)?;
    let mut conn = app.store.read().await?;
    let organization = storage::organizations::find_by_slug(&mut conn, slug).await?.ok_or(Stop::UnknownOrganization)?;
    let row = storage::interactions::find(&mut conn, presented.unverified_id, &presented.secret).await?;
    let row = row
        .filter(|row| row.organization_id == organization.id && row.finished_at.is_none() && now < row.expires_at)
        .ok_or(Stop::FlowEnded)?;
    let read = |what: &str, error: serde_json::Error| {
        StorageError::inconsistent("interactions", row.id.to_string(), format!("{what}: {error}"))
    };
    let request: AuthorizationRequest =
        serde_json::from_value(row.request.clone()).map_err(|error| read("request", error))?;
    let progress: Progress = serde_json::from_value(row.progress.clone()).map_err(|error| read("progress", error))?;
    let asker = authorize::asker(&mut conn, organization, &request.client_id, now).await?;
    let endpoint =
        storage::organizations::lookup_endpoint(&mut conn, &request.fhir_endpoint_id).await?.ok_or(Stop::FlowEnded)?;
    Ok(Underway { row, request, progress, asker, endpoint })
}

impl Underway {
    fn context(&self) -> LaunchContext {
        let mut context = self.request.context.clone();
        if context.patient.is_none() {
            context.patient.clone_from(&self.progress.patient);
        }
        context
    }

    fn accepted(&self) -> ScopeSet {
        ScopeSet::parse_lenient(&self.request.scopes, self.endpoint.release).0
    }

    /// The person's session is not what the app asked for.
    fn is_stale(&self, person: Person<'_>) -> bool {
        let request = &self.request;
        let too_old =
            request.max_age.is_some_and(|age| person.session.auth_time.plus_seconds(age) < self.row.created_at);
        let other = request.hinted_account.as_deref().is_some_and(|hinted| hinted != person.account.id.as_str());
        request.prompt.login || too_old || other
    }

    fn refuse(&self, app: &App, refusal: &OAuthError) -> ToClient {
        let issuer = app.issuer(&self.asker.organization.slug);
        let request = &self.request;
        authorize::refused(
            &issuer,
            refusal,
            &request.redirect_uri,
            request.form_post,
            (request.state.as_deref(), &self.asker.badges.client_name),
        )
    }
}

async fn write<T: Send + 'static>(
    app: &Arc<App>,
    work: impl for<'c> FnOnce(&'c mut storage::Conn) -> futures_util::future::BoxFuture<'c, Result<T, StorageError>>
    + Send
    + 'static,
) -> Result<T, Stop> {
    Ok(app.store.write(work).await?)
}

/// Ends an interaction with a refusal to the client.
async fn end_refused(app: &Arc<App>, underway: &Underway, refusal: OAuthError) -> Result<Next, Stop> {
    let (id, now) = (underway.row.id, app.now());
    let is_first =
        write(app, move |conn| Box::pin(async move { storage::interactions::finish(conn, id, now).await })).await?;
    if !is_first {
        return Err(Stop::FlowEnded);
    }
    Ok(Next::Done(underway.refuse(app, &refusal)))
}

/// How far an interaction has come.
enum Reached {
    /// Something comes before the question of consent.
    Before(Next),
    /// Only the consent is left.
    Question(Box<Underway>, Option<FhirUser>, ScopeSet),
}

/// What comes next, for whoever is at the browser.
pub async fn next(app: &Arc<App>, slug: &str, flow: &str, person: Option<Person<'_>>) -> Result<Next, Stop> {
    let (underway, user, candidate) = match reach(app, slug, flow, person).await? {
        Reached::Before(next) => return Ok(next),
        Reached::Question(underway, user, candidate) => (*underway, user, candidate),
    };
    let Some(person) = person else { return Err(Stop::FlowEnded) };
    let remembered = {
        let mut conn = app.store.read().await?;
        storage::consents::find(
            &mut conn,
            &underway.asker.organization.id,
            &person.account.id,
            &underway.request.client_id,
        )
        .await?
    };
    let parties = (&underway.asker.organization, user.as_ref());
    match consent::settled(&underway.request, &underway.asker.metadata, parties, (&candidate, remembered.as_ref())) {
        Some(settled) => finish(app, underway, person, candidate, settled).await,
        None if underway.request.prompt.none => {
            end_refused(app, &underway, OAuthError::new(ErrorKind::ConsentRequired, "the person must be asked")).await
        }
        None => Ok(Next::Consent(Box::new(question(&underway, user.as_ref(), candidate, false)))),
    }
}

/// Goes through every step before the question of consent.
async fn reach(app: &Arc<App>, slug: &str, flow: &str, person: Option<Person<'_>>) -> Result<Reached, Stop> {
    let mut underway = load(app, slug, flow).await?;
    // 1 somebody is signed in, freshly enough
    let Some(person) = person else {
        if underway.request.prompt.none {
            return end_refused(app, &underway, OAuthError::new(ErrorKind::LoginRequired, "nobody is signed in"))
                .await
                .map(Reached::Before);
        }
        if underway.progress.session_before.is_none() {
            // whichever session comes of it is a new one
            underway.progress.session_before = Some(0);
            save(app, &underway).await?;
        }
        return Ok(Reached::Before(Next::SignIn { again: false, login_hint: underway.request.login_hint.clone() }));
    };
    if underway.is_stale(person) {
        if underway.request.prompt.none {
            return end_refused(
                app,
                &underway,
                OAuthError::new(ErrorKind::LoginRequired, "the sign-in is not fresh enough"),
            )
            .await
            .map(Reached::Before);
        }
        match underway.progress.session_before {
            Some(before) if before != person.session.id => {}
            Some(_) => {
                return Ok(Reached::Before(Next::SignIn {
                    again: true,
                    login_hint: underway.request.login_hint.clone(),
                }));
            }
            None => {
                underway.progress.session_before = Some(person.session.id);
                save(app, &underway).await?;
                return Ok(Reached::Before(Next::SignIn {
                    again: true,
                    login_hint: underway.request.login_hint.clone(),
                }));
            }
        }
        if underway.request.hinted_account.as_deref().is_some_and(|hinted| hinted != person.account.id.as_str()) {
            return end_refused(app, &underway, OAuthError::new(ErrorKind::AccessDenied, "another person signed in"))
                .await
                .map(Reached::Before);
        }
    }
    // 2 it is theirs, and they are somebody here
    let user = take_up(app, &underway, person).await?;
    // 3 the patient
    if let Some(choice) = patient_choice(&mut underway, user.as_ref()) {
        if underway.request.prompt.none {
            return end_refused(
                app,
                &underway,
                OAuthError::new(ErrorKind::InteractionRequired, "a patient must be chosen"),
            )
            .await
            .map(Reached::Before);
        }
        match choice {
            Choice::Ask(choice) => return Ok(Reached::Before(Next::PickPatient(choice))),
            Choice::Nobody => {
                let refusal = OAuthError::new(ErrorKind::AccessDenied, "this person has no patient record here");
                return end_refused(app, &underway, refusal).await.map(Reached::Before);
            }
        }
    }
    // 4 consent
    let candidate =
        consent::candidate(&underway.accepted(), &underway.asker.metadata, user.as_ref(), &underway.context());
    if candidate.is_empty() {
        return end_refused(
            app,
            &underway,
            OAuthError::new(ErrorKind::InvalidScope, "none of the scopes may be granted"),
        )
        .await
        .map(Reached::Before);
    }
    Ok(Reached::Question(Box::new(underway), user, candidate))
}

fn question(underway: &Underway, user: Option<&FhirUser>, candidate: ScopeSet, nothing_chosen: bool) -> Question {
    Question {
        badges: underway.asker.badges.clone(),
        redirect_uri: underway.request.redirect_uri.clone(),
        terms: underway.asker.metadata.terms.clone(),
        privacy: underway.asker.metadata.privacy.clone(),
        endpoint: underway.endpoint.clone(),
        patient: underway.context().patient,
        candidate,
        for_patients: !user.is_some_and(FhirUser::is_clinician),
        nothing_chosen,
    }
}

async fn save(app: &Arc<App>, underway: &Underway) -> Result<(), Stop> {
    let (id, progress) = (underway.row.id, serde_json::to_value(&underway.progress).expect("progress serializes"));
    let is_open =
        write(app, move |conn| Box::pin(async move { storage::interactions::put_progress(conn, id, &progress).await }))
            .await?;
    if is_open { Ok(()) } else { Err(Stop::FlowEnded) }
}

/// Binds the interaction to the person, and finds out who they are here.
async fn take_up(app: &Arc<App>, underway: &Underway, person: Person<'_>) -> Result<Option<FhirUser>, Stop> {
    // an EHR's launch is for the person the EHR named, whoever else is signed in at this workstation (SMART-AL-41)
    if let Some(launch) = underway.request.launch {
        let meant_for = storage::launch_handles::account_of(&mut *app.store.read().await?, launch).await?;
        if meant_for.is_some_and(|account| account != person.account.id) {
            return Err(Stop::WrongPerson(underway.asker.badges.clone()));
        }
    }
    if underway.row.account_id.as_ref() != Some(&person.account.id)
        || underway.row.session_id != Some(person.session.id)
    {
        let (id, account, session) = (underway.row.id, person.account.id.clone(), person.session.id);
        let is_theirs = write(app, move |conn| {
            Box::pin(async move { storage::interactions::take_up(conn, id, &account, session).await })
        })
        .await?;
        if !is_theirs {
            return Err(Stop::FlowEnded);
        }
    }
    let mut conn = app.store.read().await?;
    let (is_active, user) =
        storage::grants::person(&mut conn, &underway.asker.organization.id, &person.account.id).await?;
    if is_active { Ok(user) } else { Err(Stop::UnknownPerson(underway.asker.badges.clone())) }
}

enum Choice {
    Ask(Box<PatientChoice>),
    Nobody,
}

/// Must somebody choose a patient? Settles it silently for a person with exactly one.
fn patient_choice(underway: &mut Underway, user: Option<&FhirUser>) -> Option<Choice> {
    let accepted = underway.accepted();
    let wants_patient = accepted.has_patient_level() || accepted.has(NonResource::LAUNCH_PATIENT);
    if !wants_patient || underway.context().patient.is_some() {
        return None;
    }
    let patients = match user {
        Some(user) if user.is_clinician() => None,
        Some(user) => Some(user.patients.clone()),
        None => Some(Vec::new()),
    };
    match patients.as_deref() {
        Some([]) => return Some(Choice::Nobody),
        Some([only]) => {
            underway.progress.patient = Some(only.patient.clone());
            return None;
        }
        Some(_) | None => {}
    }
    Some(Choice::Ask(Box::new(PatientChoice {
        badges: underway.asker.badges.clone(),
        redirect_uri: underway.request.redirect_uri.clone(),
        endpoint: underway.endpoint.clone(),
        patients,
    })))
}

/// A patient was chosen: checked again, whatever the page showed (SMART-LC-15).
pub async fn choose_patient(
    app: &Arc<App>,
    slug: &str,
    flow: &str,
    person: Person<'_>,
    patient: &str,
) -> Result<(), Stop> {
    let mut underway = load(app, slug, flow).await?;
    let user = take_up(app, &underway, person).await?;
    let Some(Choice::Ask(choice)) = patient_choice(&mut underway, user.as_ref()) else { return Ok(()) };
    let is_allowed = match &choice.patients {
        Some(patients) => patients.iter().any(|one| one.patient == patient),
        None => match patients::patient(app, &choice.endpoint, patient).await {
            Ok(found) => found.id == patient,
            Err(FhirReadError::NotFound | FhirReadError::Refused(_)) => false,
            Err(FhirReadError::Down(_) | FhirReadError::Malformed(_)) => {
                return Err(Stop::FhirUnavailable(choice.badges.clone()));
            }
        },
    };
    if !is_allowed {
        return Err(Stop::NotOffered);
    }
    underway.progress.patient = Some(patient.to_owned());
    save(app, &underway).await
}

/// The person cancels: the app is told.
pub async fn cancel(app: &Arc<App>, slug: &str, flow: &str, person: Person<'_>) -> Result<Next, Stop> {
    let underway = load(app, slug, flow).await?;
    take_up(app, &underway, person).await?;
    end_refused(app, &underway, OAuthError::new(ErrorKind::AccessDenied, "the person said no")).await
}

/// "This is not me": somebody else may take the interaction up.
pub async fn release(app: &Arc<App>, slug: &str, flow: &str, person: Person<'_>) -> Result<(), Stop> {
    let underway = load(app, slug, flow).await?;
    let (id, account) = (underway.row.id, person.account.id.clone());
    write(app, move |conn| Box::pin(async move { storage::interactions::release(conn, id, &account).await })).await?;
    Ok(())
}

/// The person answered the question.
pub async fn decide(app: &Arc<App>, slug: &str, flow: &str, person: Person<'_>, answer: Answer) -> Result<Next, Stop> {
    if !answer.allow {
        return cancel(app, slug, flow, person).await;
    }
    // everything up to the question holds still: an answer cannot skip a step. What is remembered plays no part: this is the newer answer
    let (underway, user, candidate) = match reach(app, slug, flow, Some(person)).await? {
        Reached::Before(next) => return Ok(next),
        Reached::Question(underway, user, candidate) => (*underway, user, candidate),
    };
    let chosen = match consent::chosen(&candidate, &answer.scopes, answer.offline) {
        Ok(chosen) => chosen,
        Err(Unusable::More) => return Err(Stop::BadRequest("the answer holds more than was asked")),
        Err(Unusable::Nothing) => {
            return Ok(Next::Consent(Box::new(question(&underway, user.as_ref(), candidate, true))));
        }
    };
    finish_with(app, underway, person, chosen, Consent::Given).await
}

async fn finish(
    app: &Arc<App>,
    underway: Underway,
    person: Person<'_>,
    scopes: ScopeSet,
    settled: Settled,
) -> Result<Next, Stop> {
    let consent = match settled {
        Settled::Remembered => Consent::Given,
        Settled::Standing => Consent::Standing,
    };
    finish_with(app, underway, person, scopes, consent).await
}

/// What the last transaction needs.
struct Ending {
    underway: Underway,
    account_id: AccountId,
    session_id: i64,
    auth_time: UtcMillis,
    scopes: ScopeSet,
    consent: Consent,
    now: UtcMillis,
}

async fn finish_with(
    app: &Arc<App>,
    underway: Underway,
    person: Person<'_>,
    scopes: ScopeSet,
    consent: Consent,
) -> Result<Next, Stop> {
    let ending = Ending {
        underway,
        account_id: person.account.id.clone(),
        session_id: person.session.began_as(),
        auth_time: person.session.auth_time,
        scopes,
        consent,
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
    let Ending { underway, account_id, session_id, auth_time, scopes, consent, now } = ending;
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
    let Some(endpoint) = storage::organizations::lookup_endpoint(conn, &request.fhir_endpoint_id).await? else {
        return Ok(Err(Stop::FlowEnded));
    };
    let facts = Facts {
        now,
        organization: &asker.organization,
        client: &asker.client,
        approval: Some(&asker.approval),
        epoch: None,
        endpoint: &endpoint,
        person_is_active: Some(is_active),
        consent,
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
    if let Some(launch) = request.launch
        && !storage::launch_handles::consume(conn, launch, now).await?
    {
        return Ok(Ok(underway.refuse(app, &OAuthError::request("launch is not valid"))));
    }
    // 4 the grant
    let text = granted.to_string();
    if consent == Consent::Given {
        let remembered =
            RememberedConsent { client_revision: request.client_revision, scopes: text.clone(), granted_at: now };
        storage::consents::put(conn, &organization_id, &account_id, &request.client_id, &remembered).await?;
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
        standing_consent: consent == Consent::Standing,
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
        .with("consent", if consent == Consent::Standing { "standing" } else { "given" });
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
