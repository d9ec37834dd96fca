//! `/livez` and `/readyz`. Alive: the process answers. Ready: the database can be read and written, and we are not on our way out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};

use super::AppState;
use crate::app::App;
use crate::storage::{self, StorageError};

/// How long an answer about the database is good: whoever asks more often asks us, not the database.
const FRESH: Duration = Duration::from_secs(1);

/// What readiness remembers; shared by the listeners.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    draining: Arc<AtomicBool>,
    last: Arc<Mutex<Option<(Instant, bool)>>>,
}

impl Readiness {
    /// From now on not ready: nothing new should come here.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    fn remembered(&self) -> Option<bool> {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.filter(|(at, _)| at.elapsed() < FRESH).map(|(_, ready)| ready)
    }

    fn remember(&self, ready: bool) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), ready));
    }
}

/// `GET /livez`: no I/O.
pub async fn livez() -> &'static str {
    "alive\n"
}

#[derive(serde::Serialize)]
struct Answer {
    ready: bool,
    database: bool,
    draining: bool,
}

/// `GET /readyz`.
pub async fn readyz(State(state): State<AppState>, readiness: Option<Extension<Readiness>>) -> Response {
    let readiness = readiness.map(|Extension(readiness)| readiness).unwrap_or_default();
    let draining = readiness.draining.load(Ordering::SeqCst);
    let database = if let Some(known) = readiness.remembered() {
        known
    } else {
        let works = tokio::time::timeout(FRESH, pulse(&state.app)).await.is_ok_and(|result| result.is_ok());
        readiness.remember(works);
        works
    };
    let ready = database && !draining;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Answer { ready, database, draining })).into_response()
}

/// A write and a read of it.
async fn pulse(app: &App) -> Result<(), StorageError> {
    let now = app.now().0.to_string();
    app.store.write(move |conn| Box::pin(async move { storage::installation::put(conn, "pulse", &now).await })).await?;
    let mut conn = app.store.read().await?;
    storage::installation::find(&mut conn, "pulse")
        .await?
        .map(|_| ())
        .ok_or_else(|| StorageError::Unavailable("no pulse".into()))
}
