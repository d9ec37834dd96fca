//! The steps of an interaction before the question of consent: who is at the browser, and whose data is meant.

use std::sync::Arc;

use fhir_scopes::ScopeSet;

use super::super::authorize::Stop;
use super::super::error::{ErrorKind, OAuthError};
use super::choosing::{Choice, candidate, patient_choice, record_choice};
use super::{At, Next, Person, Underway, end_refused, load, save, write};
use crate::app::App;
use crate::domain::accounts::FhirUser;
use crate::domain::ids::AccountId;
use crate::storage::{self, StorageError};

/// How far an interaction has come.
pub(super) enum Reached {
    /// Something comes before the question of consent.
    Before(Next),
    /// Only the consent is left.
    Question(Box<Underway>, Option<FhirUser>, ScopeSet),
}

/// Goes through every step before the question of consent.
pub(super) async fn reach(app: &Arc<App>, at: At<'_>, person: Option<Person<'_>>) -> Result<Reached, Stop> {
    let mut underway = load(app, at).await?;
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
        return Ok(Reached::Before(underway.sign_in(false)));
    };
    let is_another =
        underway.request.hinted_account.as_deref().is_some_and(|named| named != person.account.id.as_str());
    if underway.is_stale(person) || is_another {
        if underway.request.prompt.none {
            return end_refused(
                app,
                &underway,
                OAuthError::new(ErrorKind::LoginRequired, "the sign-in is not fresh enough"),
            )
            .await
            .map(Reached::Before);
        }
        // asked already, and another person signed in
        if is_another && underway.progress.session_before.is_some_and(|before| before != person.session.id) {
            return end_refused(app, &underway, OAuthError::new(ErrorKind::AccessDenied, "another person signed in"))
                .await
                .map(Reached::Before);
        }
        if underway.progress.session_before.is_none() {
            underway.progress.session_before = Some(person.session.id);
            save(app, &underway).await?;
        }
        return Ok(Reached::Before(underway.sign_in(true)));
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
    // 4 a visit, and whatever else it is to open with
    if let Some(choice) = record_choice(app, &mut underway, user.as_ref(), at.typed).await? {
        if underway.request.prompt.none {
            let refusal = OAuthError::new(ErrorKind::InteractionRequired, "a record must be chosen");
            return end_refused(app, &underway, refusal).await.map(Reached::Before);
        }
        return Ok(Reached::Before(Next::PickRecord(Box::new(choice))));
    }
    // 5 consent
    let candidate = candidate(&underway, user.as_ref());
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

/// Is the launch for this person? One that the EHR made for somebody is for them, whoever else is signed in at this workstation (SMART-AL-41). One that names
/// nobody is for whoever may see what the EHR put into it by their own right, and for nobody without a FHIR record.
pub(super) async fn is_for(
    conn: &mut storage::Conn,
    underway: &Underway,
    (account, user): (&AccountId, Option<&FhirUser>),
) -> Result<bool, StorageError> {
    let Some(launch) = underway.request.launch else { return Ok(true) };
    match storage::launch_handles::account_of(conn, launch).await? {
        Some(named) => Ok(named == *account),
        None => Ok(user.is_some_and(|user| user.may_open(&underway.request.context))),
    }
}

/// Binds the interaction to the person, and finds out who they are here. Nothing of it was shown to them before.
pub(super) async fn take_up(app: &Arc<App>, underway: &Underway, person: Person<'_>) -> Result<Option<FhirUser>, Stop> {
    let mut conn = app.store.read().await?;
    let (is_active, user) =
        storage::grants::person(&mut conn, &underway.asker.organization.id, &person.account.id).await?;
    if !is_active {
        return Err(Stop::UnknownPerson(underway.asker.badges.clone()));
    }
    if !is_for(&mut conn, underway, (&person.account.id, user.as_ref())).await? {
        return Err(Stop::WrongPerson(underway.asker.badges.clone()));
    }
    drop(conn);
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
    Ok(user)
}
