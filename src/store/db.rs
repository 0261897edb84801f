//! One way to both engines.
use super::held::Held;
use sqlx::postgres::{PgPool, PgRow};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, Column, Row as _, Sqlite, Transaction, TypeInfo, ValueRef};
use std::time::Duration;
use tokio::time::timeout;

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It is not there now: nothing is wrong with what was asked.
    #[error("the store cannot be reached")]
    Away(#[source] sqlx::Error),
    /// Another thing has this id, or this alias.
    #[error("it exists already")]
    Exists,
    /// It refused.
    #[error("the store failed")]
    Failed(#[source] sqlx::Error),
    /// Its tables could not be made.
    #[error("the tables of the store cannot be brought up to date")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// What it holds is not what was put there.
    #[error("the store holds something that cannot be read: {0}")]
    Broken(Box<str>),
}

impl StoreError {
    /// It has not answered in time.
    #[must_use]
    pub const fn late() -> Self {
        Self::Away(sqlx::Error::PoolTimedOut)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error::{Io, PoolClosed, PoolTimedOut, Tls, WorkerCrashed};
        match &error {
            Io(_) | PoolClosed | PoolTimedOut | Tls(_) | WorkerCrashed => Self::Away(error),
            sqlx::Error::Database(told) if told.is_unique_violation() => Self::Exists,
            // Class 57: it shuts down; class 08: the connection; class 53: no room for more; 25006:
            // another one is in charge now.
            sqlx::Error::Database(told)
                if told.code().is_some_and(|code| {
                    ["57P", "08", "53", "25006"].iter().any(|class| code.starts_with(class))
                }) =>
            {
                Self::Away(error)
            }
            _ => Self::Failed(error),
        }
    }
}

/// A value for a placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg {
    /// A number, or nothing where a number is expected.
    Int(Option<i64>),
    /// A text, or nothing where a text is expected.
    Text(Option<String>),
}

impl From<i64> for Arg {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}

impl From<Option<i64>> for Arg {
    fn from(number: Option<i64>) -> Self {
        Self::Int(number)
    }
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(Some(storable(text.to_owned())))
    }
}

impl From<Option<&str>> for Arg {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(|text| storable(text.to_owned())))
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(Some(storable(text)))
    }
}

/// Postgres keeps any text but the one character that ends those of C.
fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// One row of an answer.
#[derive(Clone, Debug)]
pub struct Row(Vec<Arg>);

impl Row {
    /// The text in a column; empty if there is none.
    #[must_use]
    pub fn text(&self, column: usize) -> &str {
        self.maybe_text(column).unwrap_or_default()
    }

    /// The text in a column, if there is one.
    #[must_use]
    pub fn maybe_text(&self, column: usize) -> Option<&str> {
        match self.0.get(column)? {
            Arg::Text(text) => text.as_deref(),
            Arg::Int(_) => None,
        }
    }

    /// The number in a column; 0 if there is none.
    #[must_use]
    pub fn int(&self, column: usize) -> i64 {
        self.maybe_int(column).unwrap_or_default()
    }

    /// The number in a column, if there is one.
    #[must_use]
    pub fn maybe_int(&self, column: usize) -> Option<i64> {
        match self.0.get(column)? {
            Arg::Int(number) => *number,
            Arg::Text(_) => None,
        }
    }
}

macro_rules! read {
    ($name:ident, $row:ty) => {
        fn $name(row: &$row) -> Result<Row, sqlx::Error> {
            let column = |at: usize| {
                let raw = row.try_get_raw(at)?;
                if raw.is_null() {
                    return Ok(Arg::Text(None));
                }
                Ok(match raw.type_info().name() {
                    "INTEGER" | "INT8" | "BIGINT" => Arg::Int(row.try_get(at)?),
                    "INT4" => Arg::Int(Some(row.try_get::<i32, _>(at)?.into())),
                    _ => Arg::Text(row.try_get(at)?),
                })
            };
            row.columns().iter().map(|it| column(it.ordinal())).collect::<Result<_, _>>().map(Row)
        }
    };
}

read!(of_sqlite, SqliteRow);
read!(of_postgres, PgRow);

/// A statement and its arguments, for either engine.
macro_rules! bound {
    ($sql:expr, $args:expr) => {{
        let query = sqlx::query(AssertSqlSafe($sql.to_owned()));
        $args.iter().fold(query, |query, arg| match arg {
            Arg::Int(number) => query.bind(*number),
            Arg::Text(text) => query.bind(text.as_deref()),
        })
    }};
}

/// So long may it take until all connections are closed.
const CLOSING: Duration = Duration::from_secs(5);

/// Connections to one of both engines.
#[derive(Clone, Debug)]
pub(super) enum Db {
    Lite(SqlitePool),
    Pg(PgPool),
}

impl Db {
    pub(super) async fn fetch(&self, sql: &str, args: &[Arg]) -> Result<Vec<Row>, StoreError> {
        Ok(match self {
            Self::Lite(pool) => rows(&bound!(sql, args).fetch_all(pool).await?, of_sqlite)?,
            Self::Pg(pool) => Held::of(pool).await?.rows(sql, args).await?,
        })
    }

    /// Begins a piece of work that is done as a whole or not at all.
    pub(super) async fn work(&self) -> Result<Work, StoreError> {
        Ok(match self {
            // From the start as a writer: a reader that becomes one may be too late.
            Self::Lite(pool) => Work(Transactions::Lite(pool.begin_with("BEGIN IMMEDIATE").await?)),
            Self::Pg(pool) => {
                let mut held = Held::of(pool).await?;
                held.begin().await?;
                Work(Transactions::Pg(held))
            }
        })
    }

    pub(super) const fn is_postgres(&self) -> bool {
        matches!(self, Self::Pg(_))
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Lite(pool) => pool.close().await,
            // It waits for what is in use, and a server that stands still ends nothing.
            Self::Pg(pool) => drop(timeout(CLOSING, pool.close()).await),
        }
    }
}

impl Held {
    async fn rows(&mut self, sql: &str, args: &[Arg]) -> Result<Vec<Row>, StoreError> {
        let query = bound!(sql, args);
        let found = self.ask(async |connection| query.fetch_all(connection).await).await?;
        Ok(rows(&found, of_postgres)?)
    }
}

fn rows<R>(rows: &[R], read: fn(&R) -> Result<Row, sqlx::Error>) -> Result<Vec<Row>, sqlx::Error> {
    rows.iter().map(read).collect()
}

/// Work that is done as a whole when it is committed; dropped before, it never was.
#[derive(Debug)]
pub struct Work(Transactions);

#[derive(Debug)]
enum Transactions {
    Lite(Transaction<'static, Sqlite>),
    Pg(Held),
}

impl Work {
    /// Reads as if all before were done.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub async fn fetch(&mut self, sql: &str, args: &[Arg]) -> Result<Vec<Row>, StoreError> {
        Ok(match &mut self.0 {
            Transactions::Lite(work) => {
                rows(&bound!(sql, args).fetch_all(&mut **work).await?, of_sqlite)?
            }
            Transactions::Pg(work) => work.rows(sql, args).await?,
        })
    }

    /// Changes rows, and tells how many.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub async fn execute(&mut self, sql: &str, args: &[Arg]) -> Result<u64, StoreError> {
        Ok(match &mut self.0 {
            Transactions::Lite(work) => {
                bound!(sql, args).execute(&mut **work).await?.rows_affected()
            }
            Transactions::Pg(work) => {
                let query = bound!(sql, args);
                let done = work.ask(async |connection| query.execute(connection).await).await?;
                done.rows_affected()
            }
        })
    }

    /// Whether it is done in Postgres.
    #[must_use]
    pub const fn is_postgres(&self) -> bool {
        matches!(self.0, Transactions::Pg(_))
    }

    /// Makes it so.
    ///
    /// # Errors
    ///
    /// As the store says; then nothing was done.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self.0 {
            Transactions::Lite(work) => work.commit().await?,
            Transactions::Pg(work) => work.commit().await?,
        }
        Ok(())
    }
}
