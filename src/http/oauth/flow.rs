//! The steps of a launch that people see: `/continue`; the pickers are in [`super::pick`], the question of consent in [`super::consent`]. Every step goes back to
//! `/continue`, which knows what is next.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::authorize::{stop_page, stop_page_leading, to_app};
use super::consent::consent_page;
use super::pick::{patient_picker, record_picker};
use crate::http::AppState;
use crate::http::extract::Visitor;
use crate::protocol::authorize::Stop;
use crate::protocol::interaction::{self, At, Next, Person};

/// What every step carries.
#[derive(Debug, Default, Deserialize)]
pub struct Step {
    #[serde(default)]
    pub(super) flow: String,
    /// A search in a picker.
    #[serde(default)]
    pub(super) q: String,
}

impl Step {
    /// The step of a form that holds the handle.
    pub(super) fn of(fields: &Fields) -> Self {
        Self { flow: field(fields, "flow").to_owned(), q: String::new() }
    }

    /// At this organization.
    pub(super) fn at<'a>(&'a self, slug: &'a str) -> At<'a> {
        At { slug, flow: &self.flow, typed: &self.q }
    }
}

pub(super) fn person(visitor: &Visitor) -> Option<Person<'_>> {
    visitor.signed_in.as_ref().map(|(account, session)| Person { account, session })
}

pub(super) fn sign_in(slug: &str, flow: &str, again: bool, login_hint: Option<&str>) -> Response {
    let next = format!("/o/{slug}/continue?flow={flow}");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", &next);
    if again {
        query.append_pair("again", "1");
    }
    if let Some(hint) = login_hint {
        query.append_pair("login_hint", hint);
    }
    Redirect::to(&format!("/sign-in?{}", query.finish())).into_response()
}

/// `GET /o/{organization}/continue?flow=`.
pub async fn resume(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
    Query(step): Query<Step>,
) -> Response {
    let next = interaction::next(&state.app, step.at(&slug), person(&visitor)).await;
    show(&state, &visitor, (&slug, &step), next).await
}

pub(super) async fn show(
    state: &AppState,
    visitor: &Visitor,
    (slug, step): (&str, &Step),
    next: Result<Next, Stop>,
) -> Response {
    let visitor = &visitor.shown_at(|| resumed_at(slug, step));
    match next {
        Ok(Next::SignIn { again, login_hint }) => sign_in(slug, &step.flow, again, login_hint.as_deref()),
        Ok(Next::PickPatient(choice)) => patient_picker(state, visitor, (slug, step), &choice).await,
        Ok(Next::PickRecord(choice)) => record_picker(state, visitor, (slug, step), &choice),
        Ok(Next::Consent(question)) => consent_page(state, visitor, (slug, step), &question).await,
        Ok(Next::Done(to_client)) => to_app(state, visitor, &to_client),
        Err(stop) => stopped(state, visitor, (slug, step), &stop),
    }
}

/// The page at which a step stops, with a way on where there is one: somebody else signs in, or the same step once more.
pub(super) fn stopped(state: &AppState, visitor: &Visitor, (slug, step): (&str, &Step), stop: &Stop) -> Response {
    let next = match stop {
        Stop::WrongPerson(_) => format!("/o/{slug}/not-me?flow={}", encoded(&step.flow)),
        Stop::FhirUnavailable(_) | Stop::NotOffered | Stop::BadAnswer(_) => resumed_at(slug, step),
        _ => String::new(),
    };
    stop_page_leading(state, &visitor.shown_at(|| resumed_at(slug, step)), stop, &next)
}

/// Where a launch goes on, whatever its next step is.
fn resumed_at(slug: &str, step: &Step) -> String {
    format!("/o/{slug}/continue?flow={}", encoded(&step.flow))
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The fields of a form, in order.
pub(super) type Fields = Vec<(String, String)>;

/// One of them; `""` for none.
pub(super) fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

/// `GET /o/{organization}/not-me?flow=`: somebody else signs in for this launch.
pub async fn not_me(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
    Query(step): Query<Step>,
) -> Response {
    if let Some(person) = person(&visitor)
        && let Err(stop) = interaction::release(&state.app, step.at(&slug), person).await
    {
        return stop_page(&state, &visitor, &stop);
    }
    sign_in(&slug, &step.flow, true, None)
}
