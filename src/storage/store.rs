//! The door to the database: reads from a pool, writes through [`Store::write`]. See the module above for the promises.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::{AnyConnection, AnyPool, Executor as _};
use tokio::sync::{mpsc, oneshot};

use super::connect::Dialect;
use super::error::StorageError;

/// How many writes may wait before new ones are refused with [`StorageError::Busy`].
const QUEUE: usize = 4096;
/// How many writes share one commit at most.
const GROUP: usize = 256;

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pool: AnyPool,
    dialect: Dialect,
    writer: Option<mpsc::Sender<Box<dyn Job>>>,
}

impl Store {
    /// Over a connected pool. For SQLite, `writer` is the only connection that writes.
    pub(super) fn new(pool: AnyPool, dialect: Dialect, writer: Option<AnyConnection>) -> Self {
        let writer = writer.map(|connection| {
            let (sender, receiver) = mpsc::channel(QUEUE);
            tokio::spawn(write_in_groups(connection, receiver));
            sender
        });
        Self { pool, dialect, writer }
    }

    /// Which database this is: for `check`, `backup` and tests; statements never ask.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// A connection for reading.
    pub async fn read(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Any>, StorageError> {
        Ok(self.pool.acquire().await?)
    }

    /// Runs `work` in one transaction and returns when it is durable. An `Err` leaves no trace.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
        F: for<'c> FnOnce(&'c mut AnyConnection) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    {
        let Some(writer) = &self.writer else {
            let mut transaction = self.pool.begin().await.map_err(StorageError::from)?;
            let value = work(&mut transaction).await?;
            transaction.commit().await.map_err(StorageError::from)?;
            return Ok(value);
        };
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Work { closure: Some(work), value: None, reply });
        writer.try_send(job).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => StorageError::Busy,
            mpsc::error::TrySendError::Closed(_) => StorageError::Unavailable("the writer has stopped".into()),
        })?;
        match answer.await {
            Ok(result) => result,
            Err(_) => Err(StorageError::Unavailable("the writer did not finish this write".into()).into()),
        }
    }

    /// Closes every connection. Writes that wait are finished first.
    pub async fn close(mut self) {
        self.writer = None;
        self.pool.close().await;
    }
}

/// One queued write: run inside a savepoint, answered after the commit.
trait Job: Send {
    /// Runs the closure; true if its effects are to be kept.
    fn run<'j>(&'j mut self, connection: &'j mut AnyConnection) -> BoxFuture<'j, bool>;
    /// Sends the answer, or the failure of the group it was part of.
    fn answer(self: Box<Self>, failed: Option<String>);
}

struct Work<T, E, F> {
    closure: Option<F>,
    value: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Job for Work<T, E, F>
where
    T: Send + 'static,
    E: From<StorageError> + Send + 'static,
    F: for<'c> FnOnce(&'c mut AnyConnection) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
{
    fn run<'j>(&'j mut self, connection: &'j mut AnyConnection) -> BoxFuture<'j, bool> {
        Box::pin(async move {
            let Some(work) = self.closure.take() else { return false };
            let value = work(connection).await;
            let keep = value.is_ok();
            self.value = Some(value);
            keep
        })
    }

    fn answer(self: Box<Self>, failed: Option<String>) {
        let answer = match (failed, self.value) {
            // a closure that refused says so, whatever became of the others
            (_, Some(Err(refusal))) => Err(refusal),
            (Some(failure), _) => Err(StorageError::Unavailable(failure).into()),
            (None, Some(Ok(value))) => Ok(value),
            (None, None) => Err(StorageError::Unavailable("the write did not finish".into()).into()),
        };
        // the caller may have gone; the write stands all the same
        let _ = self.reply.send(answer);
    }
}

async fn write_in_groups(mut connection: AnyConnection, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    let mut group = Vec::with_capacity(GROUP);
    while queue.recv_many(&mut group, GROUP).await > 0 {
        let failed = write_group(&mut connection, &mut group).await.err();
        if let Some(failure) = &failed {
            tracing::error!(error = %failure, "a group of writes was rolled back");
            let _ = connection.execute("rollback").await;
        }
        for job in group.drain(..) {
            job.answer(failed.as_ref().map(ToString::to_string));
        }
    }
}

async fn write_group(connection: &mut AnyConnection, group: &mut [Box<dyn Job>]) -> Result<(), sqlx::Error> {
    connection.execute("begin immediate").await?;
    for job in group {
        connection.execute("savepoint job").await?;
        let keep = AssertUnwindSafe(job.run(connection)).catch_unwind().await.unwrap_or(false);
        if !keep {
            connection.execute("rollback to job").await?;
        }
        connection.execute("release job").await?;
    }
    connection.execute("commit").await?;
    Ok(())
}
