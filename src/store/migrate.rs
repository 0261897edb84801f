//! Tables by numbered steps, forward only.
use super::db::{Db, StoreError};
use sqlx::SqlSafeStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

/// The steps of each engine: SQLite's and Postgres's differ in how numbers are given out.
macro_rules! steps {
    ($($number:literal $file:literal $what:literal)*) => {
        const STEPS: &[(i64, &str, &str, &str)] = &[$((
            $number,
            $what,
            include_str!(concat!("migrations/sqlite/", $file)),
            include_str!(concat!("migrations/postgres/", $file)),
        )),*];
    };
}

steps! {
    1 "0001_first.sql" "first"
    2 "0002_objects.sql" "objects"
    3 "0003_responses.sql" "responses"
}

/// Takes all steps that were not taken yet. Postgres keeps others out meanwhile; for SQLite the
/// caller does.
pub(super) async fn migrate(db: &Db) -> Result<(), StoreError> {
    let step = |(number, what, lite, pg): &(i64, &'static str, &'static str, &'static str)| {
        let sql = if db.is_postgres() { *pg } else { *lite };
        Migration::new(*number, (*what).into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations(STEPS.iter().map(step).collect());
    // A newer version has been here: its tables serve this one too, as steps only add.
    migrator.set_ignore_missing(true);
    migrator.dangerous_set_table_name("bartizan_migrations");
    match db {
        Db::Lite(pool) => migrator.run(pool).await,
        Db::Pg(pool) => migrator.run(pool).await,
    }
    .map_err(StoreError::from)
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                match Self::from(error) {
                    away @ Self::Away(_) => away,
                    Self::Failed(error) => Self::Migration(MigrateError::Execute(error)),
                    other => other,
                }
            }
            error => Self::Migration(error),
        }
    }
}
