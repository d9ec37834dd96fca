//! `/`, `/sign-in`, `/sign-out`.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::extract::next::local_path;
use super::extract::{CsrfForm, MaybeSignedIn, NoFields, SignedIn, Visitor, cookies};
use super::oauth::authorize::in_launch;
use super::pages::frame::Switch;
use super::pages::parts::{Badge, Field};
use super::pages::{self, Html, Nav};
use super::{AppState, PageError};
use crate::domain::secrets::PlainSecret;
use crate::governance::sign_in::{self, Attempt, SignInRefused};
use crate::protocol::interaction::{At, Bound, bound_for};
use crate::protocol::logout;
use crate::storage;

/// `GET /`: the doors that are open to whoever looks.
pub async fn start(
    State(state): State<AppState>,
    visitor: Visitor,
    MaybeSignedIn(who): MaybeSignedIn,
) -> Result<Html, PageError> {
    let mut page = pages::Start::default();
    match who {
        None => page.sign_in_href = "/sign-in".into(),
        Some(SignedIn { account, .. }) => {
            let mut conn = state.app.store.read().await?;
            for membership in storage::accounts::staff_memberships(&mut conn, &account.id).await? {
                if let Some(organization) =
                    storage::organizations::lookup(&mut conn, &membership.organization_id).await?
                {
                    page.consoles.push(Switch {
                        name: organization.name,
                        href: format!("/console/{}/clients", organization.slug),
                    });
                }
            }
            for membership in storage::application_providers::developer_memberships(&mut conn, &account.id).await? {
                let provider =
                    storage::application_providers::lookup(&mut conn, &membership.application_provider_id).await?;
                page.portals.extend(
                    provider.map(|provider| Switch {
                        href: format!("/portal/{}/clients", provider.id),
                        name: provider.name,
                    }),
                );
            }
            for organization in storage::accounts::organizations_of_user(&mut conn, &account.id).await? {
                page.apps.push(Switch { name: organization.name, href: format!("/o/{}/apps", organization.slug) });
            }
        }
    }
    Ok(state.pages.render(&visitor.frame(Nav::None), &page))
}

/// Where one comes from.
#[derive(Debug, Default, Deserialize)]
pub struct ComingFrom {
    /// A path of ours.
    #[serde(default)]
    next: String,
    /// Show the form even to somebody who is signed in: an app asked for a fresh sign-in, or for another person.
    #[serde(default)]
    again: Option<String>,
    /// The address an app suggests.
    #[serde(default)]
    login_hint: Option<String>,
}

/// `GET /sign-in?next=/path`.
pub async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<ComingFrom>,
) -> Result<Response, PageError> {
    let next = local_path(&query.next);
    if visitor.signed_in.is_some() && query.again.is_none() {
        return Ok(Redirect::to(next).into_response());
    }
    let (mut page, bound) = sign_in_page(&state, next).await?;
    page.email = Field::of(query.login_hint.unwrap_or_default());
    Ok(shown(state.pages.render(&visitor.frame(Nav::None), &page), bound))
}

/// The fields of the sign-in form.
#[derive(Deserialize)]
pub struct SignInForm {
    email: String,
    password: String,
    #[serde(default, alias = "return_to")]
    next: String,
}

/// `POST /sign-in`.
pub async fn sign_in(
    State(state): State<AppState>,
    visitor: Visitor,
    headers: HeaderMap,
    CsrfForm(form): CsrfForm<SignInForm>,
) -> Result<Response, PageError> {
    let next = local_path(&form.next);
    let attempt = Attempt {
        email: form.email.clone(),
        password: PlainSecret::from_text(form.password),
        device: device(&headers),
        replaces: visitor.signed_in.as_ref().map(|(_, session)| session.clone()),
    };
    let (status, words) = match sign_in::sign_in(&state.app, attempt).await {
        Ok((cookie, _)) => {
            let mut response = Redirect::to(next).into_response();
            cookies::set(&state.app, response.headers_mut(), cookies::SESSION, cookie.reveal(), None);
            cookies::remove(&state.app, response.headers_mut(), cookies::VISIT);
            return Ok(response);
        }
        Err(SignInRefused::Wrong) => (StatusCode::UNAUTHORIZED, "sign-in-wrong"),
        Err(SignInRefused::TooMany) => (StatusCode::TOO_MANY_REQUESTS, "sign-in-too-many"),
        Err(SignInRefused::Busy(_)) => (StatusCode::SERVICE_UNAVAILABLE, "sign-in-busy"),
        Err(SignInRefused::Storage(error)) => return Err(super::error::Failure::from(error).into()),
    };
    let visitor = visitor.shown_at(|| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("next", next);
        if visitor.signed_in.is_some() {
            query.append_pair("again", "1");
        }
        format!("/sign-in?{}", query.finish())
    });
    let (mut page, bound) = sign_in_page(&state, next).await?;
    page.email = Field::of(form.email);
    page.error = words_of(&state, &visitor, words);
    let mut response = shown(state.pages.render(&visitor.frame(Nav::None), &page).with_status(status), bound);
    if status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(header::RETRY_AFTER, axum::http::HeaderValue::from_static("900"));
    }
    Ok(response)
}

/// In a launch, an EHR that the organization named may frame the page, and its form may end at the app; everywhere else neither.
fn shown(html: Html, bound: Option<Bound>) -> Response {
    match bound {
        Some(bound) => in_launch(html, &bound.badges, &bound.redirect_uri),
        None => html.into_response(),
    }
}

/// The page for going on to `next`: at an organization it carries that organization's name, in a launch also the app's.
async fn sign_in_page(state: &AppState, next: &str) -> Result<(pages::SignIn, Option<Bound>), PageError> {
    let mut page = pages::SignIn { action: "/sign-in".into(), return_to: next.to_owned(), ..pages::SignIn::default() };
    let slug = ["/o/", "/console/"]
        .iter()
        .find_map(|prefix| next.strip_prefix(prefix))
        .and_then(|rest| rest.split(['/', '?']).next());
    if let Some(slug) = slug {
        let mut conn = state.app.store.read().await?;
        if let Some(organization) = storage::organizations::find_by_slug(&mut conn, slug).await? {
            page.organization = Badge::new(&organization.name, "");
        }
    }
    let flow = slug.and_then(|slug| Some((slug, next.strip_prefix(&format!("/o/{slug}/continue?flow="))?)));
    let bound = match flow {
        Some((slug, flow)) => bound_for(&state.app, At { slug, flow, typed: "" }).await?,
        None => None,
    };
    if let Some(bound) = &bound {
        page.continue_to.clone_from(&bound.badges.client_name);
    }
    Ok((page, bound))
}

/// `POST /sign-out`.
pub async fn sign_out(
    State(state): State<AppState>,
    visitor: Visitor,
    CsrfForm(NoFields {}): CsrfForm<NoFields>,
) -> Result<Response, PageError> {
    if let Some((_, session)) = &visitor.signed_in {
        // with the session ends what apps were given for as long as it lasts; the outbox tells them
        logout::end_session(&state.app, session).await?;
    }
    let mut response = Redirect::to("/signed-out").into_response();
    cookies::remove(&state.app, response.headers_mut(), cookies::SESSION);
    Ok(response)
}

/// `GET /signed-out`.
pub async fn signed_out(State(state): State<AppState>, visitor: Visitor) -> Html {
    let page = pages::SignedOut { sign_in_href: "/sign-in".into(), ..pages::SignedOut::default() };
    state.pages.render(&visitor.frame(Nav::None), &page)
}

/// Words of ours in the visitor's language; the key itself should they be missing, which a test would have found.
pub(super) fn words_of(state: &AppState, visitor: &Visitor, key: &str) -> String {
    state.pages.text(visitor.lang, key, &[]).unwrap_or_else(|error| {
        tracing::error!(%error, "words are missing");
        key.to_owned()
    })
}

/// Which browser, as far as it says: "Firefox, Windows". Only known words, so nothing foreign is stored.
pub(super) fn device(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // the order matters: Edge and Opera also call themselves Chrome, and Chrome calls itself Safari
    let browser =
        [("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrom", "Chrome"), ("Safari", "Safari")];
    let system = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ];
    let named =
        |names: &[(&str, &'static str)]| names.iter().find(|(part, _)| agent.contains(part)).map(|(_, name)| *name);
    [named(&browser), named(&system)].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
