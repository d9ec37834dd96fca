//! What happens without anybody asking: sending, expiring, sweeping. Each job is a plain function of the application and the present moment; here they are put
//! on their intervals. Several nodes may run the same jobs: each step claims what it works on.

pub mod expiry;
pub mod logout;
pub mod outbox;
pub mod sweep;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::protocol::signing;

/// Jobs that run.
#[derive(Debug)]
pub struct Jobs(Vec<JoinHandle<()>>);

impl Jobs {
    /// Waits until each has finished what it was at.
    pub async fn finish(self) {
        for job in self.0 {
            let _ = job.await;
        }
    }
}

/// Starts every job; each ends when `stopped` turns true.
pub fn spawn(app: &Arc<App>, compose: outbox::Compose, stopped: &watch::Receiver<bool>) -> Jobs {
    let mut jobs = Vec::new();
    match outbox::Sender::new(app, compose) {
        Ok(sender) => {
            let sender = Arc::new(sender);
            jobs.push(every(Duration::from_secs(2), stopped, app, move |app| {
                let sender = Arc::clone(&sender);
                async move { sender.send_due(app.now()).await.map(|_| ()).map_err(|error| error.to_string()) }
            }));
        }
        Err(error) => tracing::error!(%error, "mail cannot be sent; messages wait in the outbox"),
    }
    jobs.push(every(Duration::from_secs(2), stopped, app, |app| async move {
        logout::run(&app, app.now()).await.map(|_| ()).map_err(|error| error.to_string())
    }));
    jobs.push(every(Duration::from_mins(1), stopped, app, |app| async move {
        expiry::run(&app, app.now()).await.map_err(|error| error.to_string())
    }));
    jobs.push(every(Duration::from_mins(10), stopped, app, |app| async move {
        sweep::run(&app, app.now()).await.map_err(|error| error.to_string())
    }));
    jobs.push(every(Duration::from_hours(1), stopped, app, |app| async move {
        signing::rotate(&app).await.map(|_| ()).map_err(|error| error.to_string())
    }));
    Jobs(jobs)
}

fn every<F, Work>(interval: Duration, stopped: &watch::Receiver<bool>, app: &Arc<App>, job: F) -> JoinHandle<()>
where
    F: Fn(Arc<App>) -> Work + Send + Sync + 'static,
    Work: Future<Output = Result<(), String>> + Send,
{
    let (app, mut stopped) = (Arc::clone(app), stopped.clone());
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = stopped.wait_for(|stopped| *stopped) => return,
                _ = ticks.tick() => {}
            }
            if let Err(error) = job(Arc::clone(&app)).await {
                tracing::warn!(error, "a job failed; it will run again");
            }
        }
    })
}
