//! What handlers ask for.
//!
//! | extractor | gives | refuses with |
//! |---|---|---|
//! | [`Visitor`] | language, anti-forgery token, frame, who is signed in | never |
//! | [`MaybeSignedIn`] | account and session, if there is one | never |
//! | [`SignedIn`] | account and session | 303 to `/sign-in?next=...` |
//! | [`CsrfForm`] | a form that carries this visitor's anti-forgery token | 403; 400 for a form that does not read |
//! | [`ApiCaller`] | the account of a personal API token | 401, problem+json |
//! | [`JsonBody`] | a JSON body | 400, 413, 415, problem+json |
//!
//! All but the last two need the layer [`visitor::visit`] around the route, which `router.rs` puts around every page.

mod api_caller;
pub mod cookies;
mod csrf_form;
pub mod next;
mod shown_at;
mod signed_in;
pub mod visitor;

pub use api_caller::{ApiCaller, JsonBody};
pub use csrf_form::{CsrfForm, CsrfRefused, NoFields};
pub use signed_in::{MaybeSignedIn, SignedIn};
pub use visitor::Visitor;
