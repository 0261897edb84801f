//! What was spent, by whose budget it is.
use super::{Store, StoreError, Work};

/// What was spent of one budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Whose kind of budget it is, as `Scope` spells it.
    pub scope: String,
    /// Whose it is.
    pub subject: String,
    /// Billionths of a US dollar.
    pub spend: i64,
    /// When its window ends, in seconds since 1970; `None` if it has none.
    pub until: Option<i64>,
}

pub(super) fn account(row: &super::Row) -> Account {
    Account {
        scope: row.text(0).to_owned(),
        subject: row.text(1).to_owned(),
        spend: row.int(2),
        until: row.maybe_int(3),
    }
}

impl Store {
    /// All accounts.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let rows = self.fetch("SELECT scope, subject, spend, until FROM accounts", &[]).await?;
        Ok(rows.iter().map(account).collect())
    }

    /// The next accounts after the one of `after`, at most so many.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn accounts_after(
        &self,
        after: (&str, &str),
        most: i64,
    ) -> Result<Vec<Account>, StoreError> {
        let sql = "SELECT scope, subject, spend, until FROM accounts \
            WHERE (scope, subject) > ($1, $2) ORDER BY scope, subject LIMIT $3";
        let rows = self.fetch(sql, &[after.0.into(), after.1.into(), most.into()]).await?;
        Ok(rows.iter().map(account).collect())
    }

    /// The accounts of two scopes.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn accounts_in(&self, scopes: [&str; 2]) -> Result<Vec<Account>, StoreError> {
        let sql = "SELECT scope, subject, spend, until FROM accounts WHERE scope IN ($1, $2)";
        let rows = self.fetch(sql, &scopes.map(Into::into)).await?;
        Ok(rows.iter().map(account).collect())
    }

    /// One account; nothing was ever spent where there is none.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn account(&self, scope: &str, subject: &str) -> Result<Account, StoreError> {
        let sql = "SELECT spend, until FROM accounts WHERE scope = $1 AND subject = $2";
        let rows = self.fetch(sql, &[scope.into(), subject.into()]).await?;
        let (spend, until) = rows.first().map_or((0, None), |row| (row.int(0), row.maybe_int(1)));
        Ok(Account { scope: scope.to_owned(), subject: subject.to_owned(), spend, until })
    }

    /// The accounts of these subjects that there are, in no order.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn accounts_of(
        &self,
        scope: &str,
        subjects: &[&str],
    ) -> Result<Vec<Account>, StoreError> {
        let mut accounts = Vec::new();
        // Both engines take more placeholders than these.
        for some in subjects.chunks(500) {
            let places: Vec<_> = (2..some.len() + 2).map(|at| format!("${at}")).collect();
            let places = places.join(", ");
            let sql = format!(
                "SELECT subject, spend, until FROM accounts WHERE scope = $1 AND subject IN \
                 ({places})"
            );
            let args: Vec<_> =
                std::iter::once(&scope).chain(some).map(|arg| super::Arg::from(*arg)).collect();
            let account = |row: &super::Row| Account {
                scope: scope.to_owned(),
                subject: row.text(0).to_owned(),
                spend: row.int(1),
                until: row.maybe_int(2),
            };
            accounts.extend(self.fetch(&sql, &args).await?.iter().map(account));
        }
        Ok(accounts)
    }
}

impl Work {
    /// Forgets an account: whoever has that name later has spent nothing.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn forget_account(&mut self, scope: &str, subject: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM accounts WHERE scope = $1 AND subject = $2";
        self.execute(sql, &[scope.into(), subject.into()]).await.map(|_| ())
    }

    /// Adds what was spent by calls that ended at `ended` (seconds since 1970) to an account whose
    /// window ends at `until`. What was spent in a window that was over by then is forgotten; so is
    /// what a deployment or a provider had spent before it had windows.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn spend(
        &mut self,
        scope: &str,
        subject: &str,
        spend: i64,
        until: Option<i64>,
        ended: i64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO accounts (scope, subject, spend, until) VALUES ($1, $2, $3, $4) \
            ON CONFLICT (scope, subject) DO UPDATE SET \
            spend = CASE WHEN accounts.until <= $5 OR (accounts.until IS NULL AND \
                excluded.until IS NOT NULL AND \
                excluded.scope IN ('deployment', 'provider')) THEN excluded.spend \
                ELSE accounts.spend + excluded.spend END, \
            until = CASE WHEN accounts.until > $5 THEN accounts.until ELSE excluded.until END";
        let args = [scope.into(), subject.into(), spend.into(), until.into(), ended.into()];
        self.execute(sql, &args).await.map(|_| ())
    }

    /// Replaces what an account says.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn set_account(&mut self, account: &Account) -> Result<(), StoreError> {
        let sql = "INSERT INTO accounts (scope, subject, spend, until) VALUES ($1, $2, $3, $4) \
            ON CONFLICT (scope, subject) DO UPDATE SET spend = excluded.spend, \
            until = excluded.until";
        let Account { scope, subject, spend, until } = account;
        let args =
            [scope.as_str().into(), subject.as_str().into(), (*spend).into(), (*until).into()];
        self.execute(sql, &args).await.map(|_| ())
    }
}
