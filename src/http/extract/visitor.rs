//! The visitor: who asks for a page, in which language, and with which anti-forgery token.
//!
//! [`visit`] works it out once per request, before the handler, and afterwards writes the cookies it takes. Somebody who is not signed in gets
//! a pre-session cookie; the token in their sign-in form is bound to it, so that nobody can be signed in to somebody else's account by a form
//! on a foreign page (login CSRF).
//!
//! That cookie is given with the answer to a GET only. A form that another site posts here comes without it (`SameSite=Lax`) though the browser has it, and an
//! answer with a new one would spoil the forms that are open in its other tabs (A39). Nothing is lost: no page that answers such a form holds one of ours that
//! needs it; what it leads to is a GET.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

use super::cookies;
use super::shown_at::nearest_page;
use crate::app::App;
use crate::domain::accounts::Account;
use crate::domain::secrets::{PlainSecret, hex_digest};
use crate::domain::sessions::Session;
use crate::governance::sign_in;
use crate::http::AppState;
use crate::http::error::{Failure, PageError, finish_page};
use crate::http::gate::unfit;
use crate::http::pages::{Flash, Frame, Lang, Nav, Tone, Viewer};

/// Who asks.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The account and the session, if signed in.
    pub signed_in: Option<(Account, Session)>,
    /// The language of what they read.
    pub lang: Lang,
    /// Path and query by which the page can be had with GET, without `lang`: as asked, or for the answer to a form the nearest there is.
    pub path: String,
    is_form: bool,
    csrf: String,
    flash: Option<Flash>,
}

impl Visitor {
    /// The frame of a page for this visitor.
    pub fn frame(&self, nav: Nav) -> Frame {
        Frame {
            lang: self.lang,
            nonce: None,
            csrf: self.csrf.clone(),
            viewer: self
                .signed_in
                .as_ref()
                .map(|(account, _)| Viewer { name: account.name.clone(), email: account.email.clone() }),
            nav,
            flash: self.flash.clone(),
            path: self.path.clone(),
        }
    }

    /// The same visitor, looking at a page that answers a form and that GET shows at `path`. What GET asked for stays where it is.
    #[must_use]
    pub fn shown_at(&self, path: impl FnOnce() -> String) -> Self {
        let mut visitor = self.clone();
        if self.is_form {
            visitor.path = path();
        }
        visitor
    }

    /// Is this the anti-forgery token of this visitor's forms? For multipart forms; others use [`super::CsrfForm`].
    pub fn is_csrf(&self, token: &str) -> bool {
        !token.is_empty() && bool::from(token.as_bytes().ct_eq(self.csrf.as_bytes()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let visitor = parts.extensions.get::<Arc<Visitor>>().map(|visitor| Visitor::clone(visitor));
        visitor.ok_or_else(|| {
            PageError::from(Failure::internal("a route asks for the visitor without the layer that finds out"))
        })
    }
}

/// One message for the page a redirect leads to: `(flash(Tone::Done, text), Redirect::to(...))`.
#[derive(Clone, Debug)]
pub struct FlashNext(pub Flash);

/// Says `text` on top of the next page.
pub fn flash(tone: Tone, text: impl Into<String>) -> axum::Extension<FlashNext> {
    axum::Extension(FlashNext(Flash { tone, text: text.into() }))
}

/// The layer around every page.
pub async fn visit(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let app = &state.app;
    let is_framed = cookies::is_framed(request.headers()) && cookies::is_secure(app);
    if let Some(mut redirect) = language_switch(app, &request) {
        if is_framed {
            cookies::partition(redirect.headers_mut());
        }
        return redirect;
    }
    let mut fresh_visit = None;
    let visitor = match recognise(app, request.method(), request.uri(), request.headers(), &mut fresh_visit).await {
        Ok(visitor) => Arc::new(visitor),
        Err(error) => return finish_page(&state, None, error.into_response()),
    };
    request.extensions_mut().insert(Arc::clone(&visitor));
    let is_a_get = request.method() == Method::GET;

    let response = match unfit(&request) {
        Some(failure) => PageError::from(failure).into_response(),
        None => next.run(request).await,
    };

    let mut response = finish_page(&state, Some(&visitor), response);
    let said = response.extensions_mut().remove::<FlashNext>();
    let headers = response.headers_mut();
    if let Some(visit) = fresh_visit.filter(|_| is_a_get) {
        cookies::set(app, headers, cookies::VISIT, &visit, None);
    }
    match said {
        Some(FlashNext(flash)) => cookies::set(app, headers, cookies::FLASH, &flash_cookie(&flash), Some(120)),
        None if visitor.flash.is_some() => cookies::remove(app, headers, cookies::FLASH),
        None => {}
    }
    if is_framed {
        cookies::partition(headers);
    }
    response
}

async fn recognise(
    app: &App,
    method: &Method,
    uri: &axum::http::Uri,
    headers: &HeaderMap,
    fresh_visit: &mut Option<String>,
) -> Result<Visitor, PageError> {
    let signed_in = match cookies::read(app, headers, cookies::SESSION) {
        Some(token) => sign_in::session_of(app, &token).await?,
        None => None,
    };
    let csrf = if let Some((_, session)) = &signed_in {
        session.csrf.clone()
    } else {
        let visit = cookies::read(app, headers, cookies::VISIT).unwrap_or_else(|| {
            let visit = PlainSecret::random(24, app.entropy.as_ref()).reveal().to_owned();
            *fresh_visit = Some(visit.clone());
            visit
        });
        hex_digest(&[b"visit-csrf", visit.as_bytes()])
    };
    let lang = cookies::read(app, headers, cookies::LANGUAGE)
        .and_then(|tag| Lang::preferred(&tag))
        .or_else(|| signed_in.as_ref().and_then(|(account, _)| Lang::preferred(&account.lang)))
        .or_else(|| headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok().and_then(Lang::preferred))
        .unwrap_or_default();
    let is_form = method == Method::POST;
    let path = if is_form {
        nearest_page(uri.path())
    } else {
        uri.path_and_query().map_or("/", |path| path.as_str()).to_owned()
    };
    let flash = if method == Method::GET {
        cookies::read(app, headers, cookies::FLASH).and_then(|text| read_flash(&text))
    } else {
        None
    };
    Ok(Visitor { signed_in, lang, path, is_form, csrf, flash })
}

/// `GET ...?lang=nl`: remembers the choice and leads to the same page without it.
fn language_switch(app: &App, request: &Request) -> Option<Response> {
    if request.method() != Method::GET {
        return None;
    }
    let query = request.uri().query()?;
    let lang = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "lang")
        .and_then(|(_, tag)| Lang::preferred(&tag))?;
    // the other parameters are kept byte for byte: some are part of signed or compared requests
    let rest: Vec<&str> = query.split('&').filter(|pair| *pair != "lang" && !pair.starts_with("lang=")).collect();
    let path = request.uri().path();
    // a path like `//evil.example` would be read as another host
    let path = if path.starts_with("//") || path.starts_with("/\\") { "/" } else { path };
    let target = if rest.is_empty() { path.to_owned() } else { format!("{path}?{}", rest.join("&")) };
    let mut response = Redirect::to(&target).into_response();
    cookies::set(app, response.headers_mut(), cookies::LANGUAGE, lang.tag(), Some(365 * 86_400));
    Some(response)
}

fn flash_cookie(flash: &Flash) -> String {
    let tone = match flash.tone {
        Tone::Info => "i",
        Tone::Done => "d",
        Tone::Care => "c",
        Tone::Problem => "p",
    };
    format!("{tone}{}", URL_SAFE_NO_PAD.encode(flash.text.as_bytes()))
}

fn read_flash(cookie: &str) -> Option<Flash> {
    let tone = match cookie.get(..1)? {
        "i" => Tone::Info,
        "d" => Tone::Done,
        "c" => Tone::Care,
        "p" => Tone::Problem,
        _ => return None,
    };
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cookie.get(1..)?).ok()?).ok()?;
    (text.len() <= 1000).then_some(Flash { tone, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_survives_its_cookie() {
        let flash = Flash { tone: Tone::Done, text: "Growth Chart is disabled; é".into() };
        assert_eq!(read_flash(&flash_cookie(&flash)), Some(flash));
        assert_eq!(read_flash("x"), None);
        assert_eq!(read_flash("é"), None);
    }
}
