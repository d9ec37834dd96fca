//! `/authorize`, by GET and POST alike: the request is judged, written down, and the browser goes on to [`super::flow`].

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};

use super::read_form;
use crate::domain::access_requests::RequestState;
use crate::domain::clock::UtcMillis;
use crate::domain::secrets::PlainSecret;
use crate::http::AppState;
use crate::http::extract::Visitor;
use crate::http::pages::Waiting;
use crate::http::pages::parts::{Badge, Moment, Stand};
use crate::http::pages::{ErrorPage, Trouble};
use crate::http::pages::{FormPost, FormValue};
use crate::http::pages::{Html, Nav};
use crate::http::present;
use crate::protocol::authorize::{Badges, Begun, Stop, ToClient, begin};
use crate::protocol::params::Params;

/// The longest form that is offered as a query: every browser and proxy takes an address of this length.
const LONGEST_QUERY: usize = 4000;

/// `GET /o/{organization}/authorize`.
pub async fn get(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let params =
        Params::parse(&query.unwrap_or_default()).map_err(|_| Stop::BadRequest("the parameters are not well-formed"));
    answer(&state, &visitor, &slug, params).await
}

/// `POST /o/{organization}/authorize` (SMART `authorize-post`): parameters in the body, never in both places.
pub async fn post(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let visitor = visitor.shown_at(|| as_get(uri.path(), body.as_deref().unwrap_or_default()));
    let params = match body {
        Ok(body) => read_form(&uri, &headers, &body).map_err(|error| Stop::BadRequest(error.text)),
        Err(_) => Err(Stop::BadRequest("the request is too long")),
    };
    answer(&state, &visitor, &slug, params).await
}

/// The same request as a GET, where it is short enough for an address.
fn as_get(path: &str, form: &[u8]) -> String {
    match std::str::from_utf8(form) {
        Ok(form) if form.len() <= LONGEST_QUERY && form.bytes().all(|byte| byte.is_ascii_graphic()) => {
            format!("{path}?{form}")
        }
        Ok(_) | Err(_) => path.to_owned(),
    }
}

async fn answer(state: &AppState, visitor: &Visitor, slug: &str, params: Result<Params, Stop>) -> Response {
    let begun = match params {
        Ok(params) => begin(&state.app, slug, &params).await,
        Err(stop) => Err(stop),
    };
    match begun {
        Ok(Begun::Interaction(flow)) => {
            no_store(Redirect::to(&format!("/o/{slug}/continue?flow={flow}")).into_response())
        }
        Ok(Begun::Refused(to_client)) => to_app(state, visitor, &to_client),
        Err(stop) => stop_page(state, visitor, &stop),
    }
}

fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Sends the browser to the app with an answer.
pub(super) fn to_app(state: &AppState, visitor: &Visitor, to_client: &ToClient) -> Response {
    if to_client.form_post {
        let fields =
            to_client.params.iter().map(|(name, value)| FormValue { name: (*name).to_owned(), value: value.clone() });
        let page = FormPost {
            action: to_client.redirect_uri.clone(),
            app: to_client.client_name.clone(),
            fields: fields.collect(),
        };
        return state.pages.render(&visitor.frame(Nav::None), &page).leads_to(&to_client.redirect_uri).into_response();
    }
    // 303, whatever the method was: a form is not to be sent on (RFC 9700 4.12)
    let Ok(location) = HeaderValue::from_str(&to_client.url()) else {
        return stop_page(state, visitor, &Stop::BadRequest("the redirect URI cannot be gone to"));
    };
    no_store((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}

/// A badge for an app.
pub(super) fn app_badge(badges: &Badges) -> Badge {
    let badge = Badge::new(&badges.client_name, &badges.provider);
    match &badges.logo {
        Some(digest) => badge.with_logo(&format!("/logos/{digest}")),
        None => badge,
    }
}

/// The page at which a launch stops.
pub(super) fn stop_page(state: &AppState, visitor: &Visitor, stop: &Stop) -> Response {
    stop_page_leading(state, visitor, stop, "")
}

/// The same with a way on: `next_href` is where to try again; `""` for nowhere.
pub(super) fn stop_page_leading(state: &AppState, visitor: &Visitor, stop: &Stop, next_href: &str) -> Response {
    let reference = PlainSecret::alphanumeric(state.app.entropy.as_ref()).reveal()[..10].to_lowercase();
    tracing::debug!(reference, ?stop, "a launch stopped");
    let plain = |trouble, detail: &str| ErrorPage {
        trouble,
        detail: detail.to_owned(),
        reference: reference.clone(),
        next_href: next_href.to_owned(),
        ..ErrorPage::default()
    };
    let about = |trouble, badges: &Badges, is_the_apps_fault: bool, detail: &str| {
        let organization_contact =
            Some(badges.organization.settings.contact_email.clone()).filter(|contact| !contact.is_empty());
        let contact = if is_the_apps_fault { badges.contact.clone() } else { organization_contact }.unwrap_or_default();
        ErrorPage {
            organization: Badge::new(&badges.organization.name, ""),
            app: app_badge(badges),
            contact_href: if contact.is_empty() { String::new() } else { format!("mailto:{contact}") },
            contact,
            ..plain(trouble, detail)
        }
    };
    let bad = StatusCode::BAD_REQUEST;
    let forbidden = StatusCode::FORBIDDEN;
    let (status, page) = match stop {
        Stop::UnknownOrganization => (StatusCode::NOT_FOUND, plain(Trouble::NotFound, "")),
        Stop::BadRequest(what) => (bad, plain(Trouble::BadRequest, what)),
        Stop::UnknownClient => (bad, plain(Trouble::UnknownApp, "client_id is not known")),
        Stop::BadRedirect(badges) => {
            (bad, about(Trouble::UnknownApp, badges, true, "redirect_uri is not registered for this client"))
        }
        Stop::NotApproved(badges, request) => return waiting(state, visitor, badges, request.as_ref(), reference),
        Stop::Expired(badges) => (bad, about(Trouble::NotApproved, badges, false, "")),
        Stop::Disabled(badges) => (bad, about(Trouble::AppDisabled, badges, false, "")),
        Stop::FlowEnded => (bad, plain(Trouble::FlowEnded, "")),
        Stop::NotOffered => (forbidden, plain(Trouble::NotOffered, "")),
        Stop::BadAnswer(what) => (bad, plain(Trouble::Unusable, what)),
        Stop::WrongPerson(badges) => (forbidden, about(Trouble::WrongPerson, badges, false, "")),
        Stop::UnknownPerson(badges) => (forbidden, about(Trouble::AccountUnknown, badges, false, "")),
        Stop::FhirUnavailable(badges) => (StatusCode::BAD_GATEWAY, about(Trouble::FhirUnavailable, badges, false, "")),
        Stop::TooMany => (StatusCode::TOO_MANY_REQUESTS, plain(Trouble::TooMany, "")),
        Stop::Unavailable(why) => {
            tracing::error!(reference, why, "a launch failed");
            (StatusCode::SERVICE_UNAVAILABLE, plain(Trouble::Busy, ""))
        }
    };
    let mut response = state.pages.render(&visitor.frame(Nav::None), &page).with_status(status).into_response();
    let later = match status {
        StatusCode::SERVICE_UNAVAILABLE => Some("2"),
        StatusCode::TOO_MANY_REQUESTS => Some("900"),
        _ => None,
    };
    if let Some(later) = later {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(later));
    }
    response
}

fn waiting(
    state: &AppState,
    visitor: &Visitor,
    badges: &Badges,
    request: Option<&RequestState>,
    reference: String,
) -> Response {
    let page = Waiting {
        stand: request.map_or(Stand::None, present::stand_of_request),
        app: app_badge(badges),
        organization: Badge::new(&badges.organization.name, ""),
        asked: request.and_then(decided_at).map_or_else(Moment::default, |at| present::moment(at, visitor.lang)),
        reference,
        ..Waiting::default()
    };
    state.pages.render(&visitor.frame(Nav::None), &page).with_status(StatusCode::BAD_REQUEST).into_response()
}

fn decided_at(request: &RequestState) -> Option<UtcMillis> {
    match request {
        RequestState::Draft | RequestState::Waiting => None,
        RequestState::Approved { at, .. }
        | RequestState::Rejected { at, .. }
        | RequestState::Withdrawn { at, .. }
        | RequestState::Expired { at } => Some(*at),
    }
}

/// Loosens what a page of the flow may be framed by (embedded EHR launch) and where its forms lead.
pub(in crate::http) fn in_launch(html: Html, badges: &Badges, redirect_uri: &str) -> Response {
    html.framed_by(badges.organization.settings.frame_ancestors.iter().map(String::as_str))
        .leads_to(redirect_uri)
        .into_response()
}
