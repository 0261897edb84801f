//! A connection to Postgres in use.
use super::StoreError;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{Executor, Postgres};
use std::time::Duration;
use tokio::time::timeout;

/// So long may a statement take. A server that stands still, or one behind a network that is gone,
/// says nothing: without an end of our own, one would wait for it for a quarter of an hour.
const PATIENCE: Duration = Duration::from_mins(1);

/// A connection that goes back to its pool, unless something of it is not ended: an answer that
/// nobody waits for any more, or a transaction. Then it is closed, which undoes what was not
/// committed.
#[derive(Debug)]
pub(super) struct Held {
    /// There is one until it is dropped.
    connection: Option<PoolConnection<Postgres>>,
    /// Whether the server owes an answer.
    owes: bool,
    /// Whether a transaction has begun.
    begun: bool,
}

impl Held {
    /// Takes one of the pool.
    pub(super) async fn of(pool: &PgPool) -> Result<Self, StoreError> {
        Ok(Self { connection: Some(pool.acquire().await?), owes: false, begun: false })
    }

    /// Begins a transaction.
    pub(super) async fn begin(&mut self) -> Result<(), StoreError> {
        self.begun = true;
        self.ask(async |connection| connection.execute("BEGIN").await.map(drop)).await
    }

    /// Ends it.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        self.ask(async |connection| connection.execute("COMMIT").await.map(drop)).await?;
        self.begun = false;
        Ok(())
    }

    /// Waits for an answer, but not for ever.
    pub(super) async fn ask<T>(
        &mut self,
        ask: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        let closed = || StoreError::Away(sqlx::Error::PoolClosed);
        let connection = self.connection.as_mut().ok_or_else(closed)?;
        self.owes = true;
        let answer = timeout(PATIENCE, ask(connection)).await.map_err(|_| StoreError::late())?;
        self.owes = false;
        Ok(answer?)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if self.owes {
            drop(connection.detach());
        } else if self.begun {
            connection.close_on_drop();
        }
    }
}
