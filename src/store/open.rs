//! Where the store is, and the way there.
use super::Arg;
use super::db::{Db, Row, StoreError, Work};
use super::migrate::migrate;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use std::fmt;
use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::{Mutex, OnceCell};
use tokio::time::timeout;

/// The file in the state directory.
const FILE: &str = "bartizan.db";

/// How long one waits for another process that writes.
const BUSY: Duration = Duration::from_secs(10);

/// Where things are kept.
#[derive(Clone)]
pub enum Place {
    /// In this directory.
    Directory(PathBuf),
    /// In this process, until it ends.
    Memory,
    /// In a Postgres that others may share.
    Postgres {
        /// How it is reached.
        options: Box<PgConnectOptions>,
        /// Connections at most.
        connections: u32,
        /// How long a statement, or a connection, is waited for.
        timeout: Duration,
    },
}

/// The store. Clones are one.
#[derive(Clone, Debug)]
pub struct Store(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    db: Db,
    place: Place,
    /// Set when the tables are as they have to be.
    migrated: OnceCell<()>,
    /// Held by the one who makes them so.
    trying: Mutex<()>,
    /// How often that has failed.
    failed: AtomicU64,
}

/// Without the way to a database: its password is part of that.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(directory) => f.debug_tuple("Directory").field(directory).finish(),
            Self::Memory => f.write_str("Memory"),
            Self::Postgres { connections, timeout, .. } => f
                .debug_struct("Postgres")
                .field("connections", connections)
                .field("timeout", timeout)
                .finish_non_exhaustive(),
        }
    }
}

impl Store {
    /// Opens it. Postgres is reached when it is asked for something first: the process can start
    /// while it is away.
    ///
    /// # Errors
    ///
    /// When a directory or the file in it cannot be used.
    pub async fn open(place: Place) -> Result<Self, StoreError> {
        let db = match &place {
            Place::Directory(directory) => Db::Lite(in_directory(directory)?),
            Place::Memory => Db::Lite(in_memory()),
            Place::Postgres { options, connections, timeout } => Db::Pg(
                PgPoolOptions::new()
                    .max_connections(*connections)
                    .acquire_timeout(*timeout)
                    .idle_timeout(Duration::from_mins(5))
                    .connect_lazy_with((**options).clone()),
            ),
        };
        let store = Self(Arc::new(Shared {
            db,
            place,
            migrated: OnceCell::new(),
            trying: Mutex::default(),
            failed: AtomicU64::default(),
        }));
        if !store.is_postgres() {
            store.ready().await?;
        }
        Ok(store)
    }

    /// Reads.
    ///
    /// # Errors
    ///
    /// [`StoreError::Away`] while it cannot be reached; others when it refuses.
    pub async fn fetch(&self, sql: &str, args: &[Arg]) -> Result<Vec<Row>, StoreError> {
        self.ready().await?;
        self.0.db.fetch(sql, args).await
    }

    /// Begins work that is done as a whole or not at all.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn work(&self) -> Result<Work, StoreError> {
        self.ready().await?;
        self.0.db.work().await
    }

    /// Whether several machines may share it.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.0.db.is_postgres()
    }

    /// Whether it ends with the process.
    #[must_use]
    pub fn is_memory(&self) -> bool {
        matches!(self.0.place, Place::Memory)
    }

    /// Waits for what is in use, and closes all connections.
    pub async fn close(&self) {
        self.0.db.close().await;
    }

    /// Makes the tables, once. Whoever comes while that is tried waits for that attempt, and for
    /// none of its own if it fails: else each would wait for those of all before.
    async fn ready(&self) -> Result<(), StoreError> {
        let Shared { migrated, trying, failed, .. } = &*self.0;
        if migrated.initialized() {
            return Ok(());
        }
        let before = failed.load(Relaxed);
        let turn = timeout(self.patience(), trying.lock()).await;
        let _turn = turn.map_err(|_| StoreError::late())?;
        if failed.load(Relaxed) > before {
            return Err(StoreError::late());
        }
        let tried = migrated.get_or_try_init(|| self.migrate()).await;
        if tried.is_err() {
            failed.fetch_add(1, Relaxed);
        }
        tried.map(|_| ())
    }

    /// How long one waits for others.
    fn patience(&self) -> Duration {
        match self.0.place {
            Place::Postgres { timeout, .. } => timeout,
            Place::Directory(_) | Place::Memory => BUSY,
        }
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        let _alone = match &self.0.place {
            Place::Directory(directory) => {
                let path = directory.join("bartizan.db.lock");
                // Another process that starts now holds it for milliseconds.
                let locked = tokio::task::spawn_blocking(move || {
                    let mut options = OpenOptions::new();
                    let file = options.write(true).create(true).mode(0o600).open(path)?;
                    file.lock().map(|()| file)
                });
                let file = locked.await.map_err(std::io::Error::other).and_then(|file| file);
                Some(file.map_err(|error| StoreError::Away(error.into()))?)
            }
            Place::Memory | Place::Postgres { .. } => None,
        };
        migrate(&self.0.db).await
    }
}

fn in_directory(directory: &Path) -> Result<sqlx::SqlitePool, StoreError> {
    let path = directory.join(FILE);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(directory).and_then(|()| {
        // SQLite gives its other files the mode of this one.
        OpenOptions::new().append(true).create(true).mode(0o600).open(&path)
    });
    made.map_err(|error| StoreError::Away(error.into()))?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .busy_timeout(BUSY);
    let pool = SqlitePoolOptions::new().max_connections(2).idle_timeout(Duration::from_secs(30));
    Ok(pool.connect_lazy_with(options))
}

/// It is gone with its one connection, which therefore stays.
fn in_memory() -> sqlx::SqlitePool {
    let options = SqliteConnectOptions::new().in_memory(true);
    let pool = SqlitePoolOptions::new().max_connections(1).min_connections(1);
    pool.idle_timeout(None).max_lifetime(None).connect_lazy_with(options)
}

#[cfg(test)]
mod tests {
    use super::{Place, Store, StoreError};
    use futures_util::future::join_all;
    use std::time::Duration;
    use tokio::time::Instant;

    #[tokio::test]
    async fn a_store_does_not_show_the_password_of_its_database() {
        let options = "postgres://me:hunter2@127.0.0.1:1/db".parse().unwrap();
        let (connections, timeout) = (1, Duration::from_millis(1));
        let place = Place::Postgres { options: Box::new(options), connections, timeout };
        let store = Store::open(place.clone()).await.unwrap();
        let shown = format!("{place:?} {store:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[tokio::test(start_paused = true)]
    async fn many_wait_for_a_store_that_is_away_no_longer_than_one() {
        // It takes connections and says nothing.
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = silent.local_addr().unwrap().port();
        let options = format!("postgres://me@127.0.0.1:{port}/db").parse().unwrap();
        let (connections, timeout) = (1, Duration::from_secs(5));
        let place = Place::Postgres { options: Box::new(options), connections, timeout };
        let store = Store::open(place).await.unwrap();
        for _ in 0..2 {
            let began = Instant::now();
            let all = join_all((0..10).map(|_| store.fetch("SELECT 1", &[]))).await;
            let away = |answer: &Result<_, _>| matches!(answer, Err(StoreError::Away(_)));
            assert!(all.iter().all(away), "{all:?}");
            assert!(began.elapsed() < 2 * timeout, "{:?}", began.elapsed());
        }
    }
}
