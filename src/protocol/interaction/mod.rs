//! From an accepted authorization request to its answer: sign in, choose the patient, consent, code.
//!
//! The browser carries a handle; everything else stays here. Every step asks again whether the client may act at this organization, so a launch that was under
//! way when staff pressed *Disable client* stops at its next step. Whoever takes an interaction up first is the only one who can go on with it.

//!
//! The doors are here; behind them are the rooms: `steps` (what comes before the question of consent), `choosing` (whose data), `ending` (the last transaction).

mod choosing;
mod ending;
mod steps;

pub use choosing::{PatientChoice, RecordChoice, choose_again, choose_patient, choose_record};

use std::collections::BTreeMap;
use std::sync::Arc;

use fhir_scopes::ScopeSet;
use serde::{Deserialize, Serialize};

use super::authorize::{self, Asker, AuthorizationRequest, Badges, Stop, ToClient};
use super::consent::{self, Unusable};
use super::error::{ErrorKind, OAuthError};
use crate::app::App;
use crate::domain::accounts::{Account, FhirUser};
use crate::domain::launch_context::LaunchContext;
use crate::domain::organizations::FhirEndpoint;
use crate::domain::secrets::hex_digest;
use crate::domain::sessions::Session;
use crate::domain::tokens::TokenKind;
use crate::storage::interactions::InteractionRow;
use crate::storage::{self, StorageError};
use ending::Agreed;
use steps::{Reached, reach, take_up};

/// Which interaction, at which organization.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// The organization's slug.
    pub slug: &'a str,
    /// The handle the browser carries.
    pub flow: &'a str,
    /// What was typed to find something in a picker; `""` for nothing.
    pub typed: &'a str,
}

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
    /// The first session that was of another person than the app means, 0 for none: whoever comes with another one has had their chance.
    session_before: Option<i64>,
    /// The patient.
    patient: Option<String>,
    /// The other records, by the scope that asked for each.
    picked: BTreeMap<String, choosing::Pick>,
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
    /// Choose a visit or another record.
    PickRecord(Box<RecordChoice>),
    /// Agree or not.
    Consent(Box<Question>),
    /// Go to the app.
    Done(ToClient),
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
    /// With which visit.
    pub encounter: Option<String>,
    /// What can be granted.
    pub candidate: ScopeSet,
    /// Who is asked, as the organization knows them.
    pub user: Option<FhirUser>,
    /// A digest of all this: it comes back with the answer.
    pub shown: String,
    /// Why it is asked once more, and what was answered: that stands on the page, nothing is ticked for the person a second time.
    pub again: Option<(Again, Answer)>,
}

/// Why a question is asked once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Data was asked for, and nothing of it ticked.
    NothingChosen,
    /// Something was unticked that something wider, which stays ticked, includes.
    StillIncluded,
    /// The answer was given to a page that showed something else: another patient, another visit, other scopes.
    Changed,
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
    /// [`Question::shown`] of the page it was given on.
    pub shown: String,
}

/// An interaction in someone's hands.
struct Underway {
    row: InteractionRow,
    request: AuthorizationRequest,
    progress: Progress,
    asker: Asker,
    endpoint: FhirEndpoint,
}

async fn load(app: &App, At { slug, flow, .. }: At<'_>) -> Result<Underway, Stop> {
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
        if self.request.launch.is_none() {
            context.encounter = self.chosen_encounter();
            context.fhir_context = self.chosen_items();
        }
        context
    }

    fn accepted(&self) -> ScopeSet {
        ScopeSet::parse_lenient(&self.request.scopes, self.endpoint.release).0
    }

    /// The person signed in longer ago than the app asked for, reckoned from its request. Which session it is plays no part: only the time of the sign-in, which the
    /// app is told, can show that it was made for this request (A26).
    fn is_stale(&self, person: Person<'_>) -> bool {
        let (signed_in, asked) = (person.session.auth_time, self.row.created_at);
        let too_old = self.request.max_age.is_some_and(|age| signed_in.plus_seconds(age) < asked);
        too_old || (self.request.prompt.login && signed_in < asked)
    }

    fn sign_in(&self, again: bool) -> Next {
        Next::SignIn { again, login_hint: self.request.login_hint.clone() }
    }

    /// A digest of what the question of consent is about: the form carries it, so that an answer counts only for the question it was given to.
    fn shown(&self, candidate: &ScopeSet) -> String {
        let request = &self.request;
        let context = serde_json::to_string(&self.context()).expect("a context serializes");
        hex_digest(&[
            b"consent",
            request.client_id.as_str().as_bytes(),
            &request.client_revision.to_be_bytes(),
            request.fhir_endpoint_id.as_str().as_bytes(),
            context.as_bytes(),
            candidate.to_string().as_bytes(),
        ])
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

/// The app of an interaction that is under way, for the page at which its person signs in.
#[derive(Clone, Debug)]
pub struct Bound {
    /// Names for the page.
    pub badges: Badges,
    /// Where the app is.
    pub redirect_uri: String,
}

/// Where an interaction leads, if it is one and not over.
pub async fn bound_for(app: &App, at: At<'_>) -> Result<Option<Bound>, StorageError> {
    match load(app, at).await {
        Ok(Underway { asker, request, .. }) => {
            Ok(Some(Bound { badges: asker.badges, redirect_uri: request.redirect_uri }))
        }
        Err(Stop::Unavailable(why)) => Err(StorageError::Unavailable(why)),
        Err(_) => Ok(None),
    }
}

/// What comes next, for whoever is at the browser.
pub async fn next(app: &Arc<App>, at: At<'_>, person: Option<Person<'_>>) -> Result<Next, Stop> {
    let (underway, user, candidate) = match reach(app, at, person).await? {
        Reached::Before(next) => return Ok(next),
        Reached::Question(underway, user, candidate) => (*underway, user, candidate),
    };
    let Some(person) = person else { return Err(Stop::FlowEnded) };
    let (remembered, self_registered, must_be_seen) = {
        let mut conn = app.store.read().await?;
        let must_be_seen = must_be_seen(&mut conn, &underway, person).await?;
        let client = &underway.request.client_id;
        let organization = &underway.asker.organization.id;
        let place = (organization, &underway.endpoint.id);
        let remembered = storage::consents::find(&mut conn, place, &person.account.id, client).await?;
        let self_registered = storage::registrations::is_self_registered(&mut conn, client).await?;
        (remembered, self_registered, must_be_seen)
    };
    let parties = (&underway.asker.organization, user.as_ref());
    let patient = underway.context().patient;
    let known = consent::Known {
        candidate: &candidate,
        patient: patient.as_deref(),
        remembered: remembered.as_ref(),
        self_registered,
    };
    let settled = consent::settled(&underway.request, &underway.asker.metadata, parties, &known);
    match settled.filter(|_| !must_be_seen) {
        Some(settled) => ending::finish(app, underway, person, candidate, settled.into()).await,
        None if underway.request.prompt.none => {
            end_refused(app, &underway, OAuthError::new(ErrorKind::ConsentRequired, "the person must be asked")).await
        }
        None => Ok(Next::Consent(Box::new(question(&underway, user, candidate, None)))),
    }
}

/// An EHR that does not say who is at its workstation leaves it to the session that is open here, which may be somebody else's. Such a session is never used
/// silently (SMART-AL-41): the page says who is signed in, and lets the person say that it is not them. A sign-in made for this very launch speaks for itself.
async fn must_be_seen(conn: &mut storage::Conn, underway: &Underway, person: Person<'_>) -> Result<bool, StorageError> {
    let Some(launch) = underway.request.launch else { return Ok(false) };
    let is_named = storage::launch_handles::account_of(conn, launch).await?.is_some();
    Ok(!is_named && person.session.auth_time < underway.row.created_at)
}

fn question(
    underway: &Underway,
    user: Option<FhirUser>,
    candidate: ScopeSet,
    again: Option<(Again, Answer)>,
) -> Question {
    let LaunchContext { patient, encounter, .. } = underway.context();
    Question {
        badges: underway.asker.badges.clone(),
        redirect_uri: underway.request.redirect_uri.clone(),
        terms: underway.asker.metadata.terms.clone(),
        privacy: underway.asker.metadata.privacy.clone(),
        endpoint: underway.endpoint.clone(),
        patient,
        encounter,
        shown: underway.shown(&candidate),
        candidate,
        user,
        again,
    }
}

async fn save(app: &Arc<App>, underway: &Underway) -> Result<(), Stop> {
    let (id, progress) = (underway.row.id, serde_json::to_value(&underway.progress).expect("progress serializes"));
    let is_open =
        write(app, move |conn| Box::pin(async move { storage::interactions::put_progress(conn, id, &progress).await }))
            .await?;
    if is_open { Ok(()) } else { Err(Stop::FlowEnded) }
}

/// The person cancels: the app is told.
pub async fn cancel(app: &Arc<App>, at: At<'_>, person: Person<'_>) -> Result<Next, Stop> {
    let underway = load(app, at).await?;
    take_up(app, &underway, person).await?;
    end_refused(app, &underway, OAuthError::new(ErrorKind::AccessDenied, "the person said no")).await
}

/// "This is not me": somebody else may take the interaction up.
pub async fn release(app: &Arc<App>, at: At<'_>, person: Person<'_>) -> Result<(), Stop> {
    let underway = load(app, at).await?;
    let (id, account) = (underway.row.id, person.account.id.clone());
    write(app, move |conn| Box::pin(async move { storage::interactions::release(conn, id, &account).await })).await?;
    Ok(())
}

/// The person answered the question.
pub async fn decide(app: &Arc<App>, at: At<'_>, person: Person<'_>, answer: Answer) -> Result<Next, Stop> {
    if !answer.allow {
        return cancel(app, at, person).await;
    }
    // everything up to the question holds still: an answer cannot skip a step. What is remembered plays no part: this is the newer answer
    let (underway, user, candidate) = match reach(app, at, Some(person)).await? {
        Reached::Before(next) => return Ok(next),
        Reached::Question(underway, user, candidate) => (*underway, user, candidate),
    };
    let why = if answer.shown == underway.shown(&candidate) {
        match consent::chosen(&candidate, &answer.scopes, answer.offline) {
            Ok(chosen) => return ending::finish(app, underway, person, chosen, Agreed::Now).await,
            Err(Unusable::More) => return Err(Stop::BadAnswer("the answer holds more than was asked")),
            Err(Unusable::Nothing) => Again::NothingChosen,
            Err(Unusable::StillIncluded) => Again::StillIncluded,
        }
    } else {
        Again::Changed
    };
    Ok(Next::Consent(Box::new(question(&underway, user, candidate, Some((why, answer))))))
}
