//! The review of an access request, and the decision about it. A decision is confirmed on one page of its own, in the same words; the digest of what was
//! on the first screen travels through both.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::compose;
use super::desk::{Desk, done};
use super::words::life;
use crate::domain::access_requests::RequestState;
use crate::domain::ids::AccessRequestId;
use crate::governance::Refusal;
use crate::governance::approvals::{Yes, allow_again, approve, preview, preview_rejection, reject};
use crate::governance::client_management::{Review, newest_record, review, seen};
use crate::governance::error::Fault;
use crate::governance::explain;
use crate::http::PageError;
use crate::http::error::Failure;
use crate::http::extract::{CsrfForm, NoFields};
use crate::http::pages::Html;
use crate::http::pages::console::{self as pages, Changes, Verdict};
use crate::http::pages::frame::ConsoleSection;
use crate::http::pages::parts::Field;
use crate::http::present;

/// `GET /console/{org}/access-requests/{id}`.
pub async fn show(desk: Desk, Path((_, id)): Path<(String, String)>) -> Result<Html, PageError> {
    let review = review(&desk.state.app, &desk.staff, &AccessRequestId::from_text(id)).await?;
    let page = compose::review(&desk, &review);
    desk.render(ConsoleSection::Clients, &page).await
}

/// What the reviewer chose.
#[derive(Debug, Deserialize)]
pub struct Decision {
    #[serde(default)]
    digest: String,
    #[serde(default, rename = "decision")]
    verdict: String,
    /// Each tick box holds one or more literal scopes, separated by a space.
    #[serde(default)]
    scope: Vec<String>,
    #[serde(default)]
    duration: String,
    #[serde(default)]
    reason: String,
    may_ask_again: Option<String>,
    confirmed: Option<String>,
}

impl Decision {
    fn yes(&self) -> Result<Yes, Failure> {
        let ticked = || {
            self.scope
                .iter()
                .flat_map(|line| line.split(' '))
                .filter(|scope| !scope.is_empty())
                .map(str::to_owned)
                .collect()
        };
        Ok(Yes {
            digest: self.digest.clone(),
            scopes: if self.verdict == "less" { Some(ticked()) } else { None },
            life: life(&self.duration)?,
        })
    }

    fn is_confirmed(&self) -> bool {
        self.confirmed.as_deref() == Some("1")
    }
}

/// `POST /console/{org}/access-requests/{id}/decide`.
pub async fn decide(
    desk: Desk,
    Path((_, id)): Path<(String, String)>,
    CsrfForm(form): CsrfForm<Decision>,
) -> Result<Response, PageError> {
    let id = AccessRequestId::from_text(id);
    let outcome = match form.verdict.as_str() {
        "approve" | "less" => say_yes(&desk, &id, &form).await,
        "reject" => say_no(&desk, &id, &form).await,
        _ => {
            let fault = Fault::new("decision", "missing-decision", "choose approve, approve with less, or reject");
            Err(Answer::Refused(Refusal::Invalid(vec![fault])))
        }
    };
    match outcome {
        Ok(response) => Ok(response),
        Err(Answer::Failed(error)) => Err(error),
        Err(Answer::Refused(Refusal::Changed | Refusal::Conflict(_))) => changed(&desk, &id, &form).await,
        // what no form of ours sends is refused, not explained
        Err(Answer::Refused(Refusal::Invalid(faults))) if !faults.iter().any(|fault| fault.code == "not-asked") => {
            again(&desk, &id, &form, &faults).await
        }
        Err(Answer::Refused(other)) => Err(other.into()),
    }
}

/// Why there is no straight answer.
enum Answer {
    Refused(Refusal),
    Failed(PageError),
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.into())
    }
}

impl From<PageError> for Answer {
    fn from(error: PageError) -> Self {
        Self::Failed(error)
    }
}

fn review_path(desk: &Desk, id: &AccessRequestId) -> String {
    desk.path(&format!("access-requests/{id}"))
}

async fn say_yes(desk: &Desk, id: &AccessRequestId, form: &Decision) -> Result<Response, Answer> {
    let yes = form.yes()?;
    if form.is_confirmed() {
        let approval = approve(&desk.state.app, &desk.staff, id, yes).await?;
        return Ok(receipt(desk, &approval.client_id, &["access_request.approved"]).await?);
    }
    let review = review(&desk.state.app, &desk.staff, id).await?;
    let (granted, until) = preview(&desk.staff, &review, &yes)?;
    if yes.scopes.is_some() && granted == review.asked {
        return Err(Refusal::invalid("scopes", "nothing-less", "nothing was left out: approve it as asked").into());
    }
    let say = desk.say();
    let metadata = &review.revision.metadata;
    let left_out = compose::groups(&say, &review.asked.beyond(&granted))
        .into_iter()
        .flat_map(|group| group.lines)
        .map(|line| line.text)
        .collect();
    let page = pages::ApproveConfirm {
        action: format!("{}/decide", review_path(desk, id)),
        review_href: review_path(desk, id),
        digest: review.digest.clone(),
        decision: form.verdict.clone(),
        scopes: yes
            .scopes
            .map(|_| granted.iter().map(|scope| scope.literal().to_owned()).collect())
            .unwrap_or_default(),
        duration: form.duration.clone(),
        until: until.map(|at| say.moment(at).text).unwrap_or_default(),
        app: compose::badge(&metadata.name, &review.provider.name, metadata.logo.as_deref()),
        groups: compose::groups(&say, &granted),
        left_out,
    };
    Ok(desk.render_answer(ConsoleSection::Clients, &review_path(desk, id), &page).await?.into_response())
}

async fn say_no(desk: &Desk, id: &AccessRequestId, form: &Decision) -> Result<Response, Answer> {
    let may_ask_again = form.may_ask_again.as_deref() == Some("1");
    if form.is_confirmed() {
        let request = reject(&desk.state.app, &desk.staff, id, &form.reason, may_ask_again).await?;
        return Ok(receipt(desk, &request.client_id, &["access_request.rejected"]).await?);
    }
    let review = review(&desk.state.app, &desk.staff, id).await?;
    let reason = preview_rejection(&desk.staff, &review, &form.reason)?;
    let metadata = &review.revision.metadata;
    let page = pages::RejectConfirm {
        action: format!("{}/decide", review_path(desk, id)),
        review_href: review_path(desk, id),
        digest: review.digest.clone(),
        app: compose::badge(&metadata.name, &review.provider.name, metadata.logo.as_deref()),
        reason,
        may_ask_again,
    };
    Ok(desk.render_answer(ConsoleSection::Clients, &review_path(desk, id), &page).await?.into_response())
}

/// `POST /console/{org}/access-requests/{id}/allow-again`.
pub async fn allow(
    desk: Desk,
    Path((_, id)): Path<(String, String)>,
    CsrfForm(NoFields {}): CsrfForm<NoFields>,
) -> Result<Response, PageError> {
    let request = allow_again(&desk.state.app, &desk.staff, &AccessRequestId::from_text(id)).await?;
    Ok(done(&desk, "console-allowed-again", &desk.path(&format!("clients/{}", request.client_id))))
}

/// To the receipt of what this person just did.
pub(super) async fn receipt(
    desk: &Desk,
    client: &crate::domain::ids::ClientId,
    events: &[&str],
) -> Result<Response, PageError> {
    let record = newest_record(&desk.state.app, &desk.staff, client, events).await?;
    let path = record.map_or_else(|| format!("clients/{client}"), |record| format!("receipts/{}", record.seq));
    Ok(Redirect::to(&desk.path(&path)).into_response())
}

/// The review again, with what was typed and what is wrong with it.
async fn again(desk: &Desk, id: &AccessRequestId, form: &Decision, faults: &[Fault]) -> Result<Response, PageError> {
    let review = review(&desk.state.app, &desk.staff, id).await?;
    let say = desk.say();
    let mut page = compose::review(desk, &review);
    page.verdict = match form.verdict.as_str() {
        "approve" => Verdict::Approve,
        "less" => Verdict::Less,
        "reject" => Verdict::Reject,
        _ => Verdict::Open,
    };
    if form.verdict == "less" {
        let ticked: Vec<&str> = form.scope.iter().flat_map(|line| line.split(' ')).collect();
        for line in page.groups.iter_mut().flat_map(|group| &mut group.lines) {
            line.ticked = line.scope.split(' ').all(|scope| ticked.contains(&scope));
        }
    }
    page.durations = say.durations(
        desk.staff.organization.settings.approval_expires_days,
        Some(form.duration.as_str()).filter(|one| !one.is_empty()),
    );
    page.reject_reason = Field::wrong(form.reason.clone(), say.faults(faults, "reason"));
    page.may_ask_again = form.may_ask_again.is_some();
    page.error = say.faults(faults, "");
    let html = desk.render_answer(ConsoleSection::Clients, &review_path(desk, id), &page).await?;
    Ok(html.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

/// 409: it is not what it was. Says who changed what since the screen that was decided on.
async fn changed(desk: &Desk, id: &AccessRequestId, form: &Decision) -> Result<Response, PageError> {
    let review = review(&desk.state.app, &desk.staff, id).await?;
    let say = desk.say();
    let metadata = &review.revision.metadata;
    let changes = match seen(&desk.state.app, &review, &form.digest).await? {
        Some(seen) => compose::changes(
            &say,
            &review.asked,
            &seen.asked,
            &explain::field_changes(&seen.revision.metadata, metadata),
        ),
        None => Changes::default(),
    };
    let page = pages::Changed {
        app: compose::badge(&metadata.name, &review.provider.name, metadata.logo.as_deref()),
        stand: present::stand_of_request(&review.request.state),
        what: what_changed(desk, &review),
        changes,
        review_href: review_path(desk, id),
    };
    let html = desk.render_answer(ConsoleSection::Clients, &review_path(desk, id), &page).await?;
    Ok(html.with_status(StatusCode::CONFLICT).into_response())
}

fn what_changed(desk: &Desk, review: &Review) -> String {
    let say = desk.say();
    if review.request.state == RequestState::Waiting && review.request.edits == 0 {
        // a form that was never shown for this request
        return say.word("console-changed-unknown");
    }
    let lines = compose::history(&say, &review.history);
    match lines.first() {
        Some(line) if line.who.is_empty() => format!("{} ({})", line.text, line.at.text),
        Some(line) => format!("{}: {} ({})", line.who, line.text, line.at.text),
        None => say.word("console-changed-unknown"),
    }
}
