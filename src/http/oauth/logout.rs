//! `/o/{organization}/logout` (OpenID Connect RP-Initiated Logout 1.0): at once when the app proved whom it means, else after one question.
//!
//! A form that another site posts here comes without our cookie (`SameSite=Lax`): it is sent round as a GET, which brings the cookie along.

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};

use super::{organization, read_form};
use crate::domain::organizations::Organization;
use crate::http::error::Failure;
use crate::http::extract::{Visitor, cookies};
use crate::http::pages::parts::Badge;
use crate::http::pages::{FormValue, Nav, SignOutQuestion};
use crate::http::{AppState, PageError};
use crate::protocol::ErrorKind;
use crate::protocol::backchannel::tell_promptly;
use crate::protocol::logout::{LogoutRequest, end_session, read};
use crate::protocol::params::Params;

/// The longest address we send a browser to: our server takes 32 kB of head, with every cookie in it.
const LONGEST_ADDRESS: usize = 16 * 1024;

/// GET and POST.
pub async fn logout(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(slug): Path<String>,
    (method, uri, RawQuery(query)): (Method, Uri, RawQuery),
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, PageError> {
    let unreadable = || Failure::new(StatusCode::BAD_REQUEST, "logout", "The request to sign out does not read.");
    let params = if method == Method::POST {
        read_form(&uri, &headers, &body).map_err(|_| unreadable())?
    } else {
        Params::parse(&query.unwrap_or_default()).map_err(|_| unreadable())?
    };
    let unavailable = |error: crate::protocol::OAuthError| match error.kind {
        ErrorKind::TemporarilyUnavailable => {
            Failure::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The service is not available right now.")
                .because(error.because.unwrap_or_default())
        }
        _ => unreadable(),
    };
    let organization = organization(&state.app, &slug).await.map_err(unavailable)?.ok_or_else(Failure::not_found)?;
    let request = read(&state.app, &organization, &params).await.map_err(unavailable)?;
    let confirmed = method == Method::POST && params.get("csrf").is_some_and(|token| visitor.is_csrf(token));
    match &visitor.signed_in {
        None if method == Method::POST && !confirmed => {
            let address = as_get(&organization, &params);
            // an address longer than we take ourselves would lead to nothing
            return if address.len() <= LONGEST_ADDRESS {
                Ok(Redirect::to(&address).into_response())
            } else {
                Err(unreadable().into())
            };
        }
        None => {}
        Some((_, session)) => {
            if !confirmed && !request.means(session) {
                return Ok(question(&state, &visitor, (&organization, &params), &request));
            }
            let messages = end_session(&state.app, session).await?;
            tell_promptly(&state.app, messages).await;
        }
    }
    let mut response = match request.then.as_deref().and_then(|then| HeaderValue::from_str(then).ok()) {
        Some(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        None => Redirect::to("/signed-out").into_response(),
    };
    cookies::remove(&state.app, response.headers_mut(), cookies::SESSION);
    Ok(response)
}

/// What a request is made of, to be carried along.
fn carried(params: &Params) -> impl Iterator<Item = (&'static str, &str)> {
    ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"]
        .into_iter()
        .filter_map(|name| params.get(name).map(|value| (name, value)))
}

/// The same request as a GET.
fn as_get(organization: &Organization, params: &Params) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(carried(params)).finish();
    format!("/o/{}/logout?{query}", organization.slug)
}

/// The one question: a form that carries the request along.
fn question(
    state: &AppState,
    visitor: &Visitor,
    (organization, params): (&Organization, &Params),
    request: &LogoutRequest,
) -> Response {
    let fields = carried(params).map(|(name, value)| FormValue { name: name.to_owned(), value: value.to_owned() });
    let page = SignOutQuestion {
        action: format!("/o/{}/logout", organization.slug),
        organization: Badge::new(&organization.name, ""),
        fields: fields.collect(),
        stay_href: "/".to_owned(),
    };
    let visitor = visitor.shown_at(|| as_get(organization, params));
    // after the answer the browser may be led to the app
    let leads_to = request.then.as_deref().unwrap_or_default();
    state.pages.render(&visitor.frame(Nav::None), &page).leads_to(leads_to).into_response()
}
