//! `countersign serve`: the production start.

use std::sync::Arc;

use axum::{Extension, Router};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{ConfigFile, Failed, open};
use crate::app::App;
use crate::http::health::Readiness;
use crate::http::{self, AppState, metrics, pages, server};
use crate::jobs;
use crate::protocol::signing;

pub(super) async fn run(file: &ConfigFile) -> Result<(), Failed> {
    let loaded = open::load(file)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let config = loaded.config;
    let _lock = open::lock(&config)?;
    let listener = TcpListener::bind(&config.server.listen)
        .await
        .map_err(|error| Failed(format!("{}: {error}", config.server.listen)))?;
    let app = Arc::new(open::app(config).await?);
    start(app, listener, Router::new(), || {}).await
}

/// Runs an open application until a signal ends it: pages, endpoints, jobs, and the operator's listener. `beside` is served on the same listener (the demo's
/// own servers); `ready` is called when nothing can fail any more.
pub(super) async fn start(
    app: Arc<App>,
    listener: TcpListener,
    beside: Router,
    ready: impl FnOnce(),
) -> Result<(), Failed> {
    let state = AppState { app: Arc::clone(&app), pages: Arc::new(pages::Pages::load()?) };
    let readiness = Readiness::default();
    let (stopping, stopped) = watch::channel(false);

    // 1 the operator's listener, which answers to the very end
    let operations = match &app.config.server.operations_listen {
        None => None,
        Some(address) => {
            let listener = TcpListener::bind(address).await.map_err(|error| Failed(format!("{address}: {error}")))?;
            let router =
                http::router::operations(state.clone(), metrics::install()).layer(Extension(readiness.clone()));
            tracing::info!(address, "health and metrics");
            Some(tokio::spawn(server::serve(listener, router, until(stopped.clone()))))
        }
    };

    // 2 keys to sign with, then jobs
    signing::rotate(&app).await?;
    let (pages, base_url) = (Arc::clone(&state.pages), app.config.server.base_url.clone());
    let compose: jobs::outbox::Compose =
        Arc::new(move |recipient, payload| http::mail::compose(&pages, &base_url, recipient, payload));
    let jobs = jobs::spawn(&app, compose, &stopped);

    // 3 everybody else
    tracing::info!(address = %listener.local_addr()?, base_url = app.config.server.base_url, "serving");
    let router = http::router(state).merge(beside).layer(Extension(readiness.clone()));
    let signal = async move {
        signal().await;
        tracing::info!("stopping: requests under way are finished, new ones are not taken");
        readiness.drain();
    };
    ready();
    server::serve(listener, router, signal).await;

    // 4 in order: jobs finish what they are at, then health, then the database
    let _ = stopping.send(true);
    jobs.finish().await;
    if let Some(operations) = operations {
        let _ = operations.await;
    }
    app.store.clone().close().await;
    tracing::info!("stopped");
    Ok(())
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // a sender that is gone has stopped as well
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// SIGTERM or SIGINT.
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "signals cannot be heard; only a kill will stop this process");
            std::future::pending::<()>().await;
        }
    }
}
