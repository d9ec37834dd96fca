//! The edge towards browsers and apps: pages, static assets and (on the same floor) the endpoints.
//!
//! [`mod@router`] is every route on one page. [`extract`] is what handlers ask for; [`error`] is what they answer when something is refused.
//! A handler does three things: read, call, answer.

use std::sync::Arc;

use axum::extract::FromRef;

use crate::app::App;

pub mod account;
pub mod api;
pub mod assets;
pub mod console;
pub mod error;
pub mod extract;
pub mod gate;
pub mod headers;
pub mod health;
pub mod logos;
pub mod mail;
pub mod metrics;
pub mod oauth;
pub mod pages;
pub mod portal;
pub mod present;
pub mod router;
pub mod server;
pub mod sign_in;

pub use error::{ApiError, PageError};
pub use router::router;

/// What every handler may ask for.
#[derive(Clone)]
pub struct AppState {
    /// The application.
    pub app: Arc<App>,
    /// Every page, ready to be rendered.
    pub pages: Arc<pages::Pages>,
}

impl FromRef<AppState> for Arc<App> {
    fn from_ref(state: &AppState) -> Self {
        Arc::clone(&state.app)
    }
}

impl FromRef<AppState> for Arc<pages::Pages> {
    fn from_ref(state: &AppState) -> Self {
        Arc::clone(&state.pages)
    }
}
