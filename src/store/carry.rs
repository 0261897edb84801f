//! Accounts within a piece of work.
use super::accounts::account;
use super::{Account, Store, StoreError, Work};

/// The accounts of a key, that of each model of it included; each half finds its own in the index.
const OF_KEY: &str = "SELECT scope, subject, spend, until FROM accounts \
    WHERE (scope = 'api_key' AND subject = $1) OR (scope = 'model_per_key' AND subject LIKE $2)";

impl Store {
    /// The accounts of a key, that of each model of it included.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn accounts_of_key(&self, id: &str) -> Result<Vec<Account>, StoreError> {
        let rows = self.fetch(OF_KEY, &[id.into(), format!("{id}:%").into()]).await?;
        Ok(rows.iter().map(account).collect())
    }
}

impl Work {
    /// One account, as this work has left it; nothing was ever spent where there is none.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub async fn account(&mut self, scope: &str, subject: &str) -> Result<Account, StoreError> {
        let sql = "SELECT spend, until FROM accounts WHERE scope = $1 AND subject = $2";
        let rows = self.fetch(sql, &[scope.into(), subject.into()]).await?;
        let (spend, until) = rows.first().map_or((0, None), |row| (row.int(0), row.maybe_int(1)));
        Ok(Account { scope: scope.to_owned(), subject: subject.to_owned(), spend, until })
    }

    /// The accounts of a key, that of each model of it included, as this work has left them.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub async fn accounts_of_key(&mut self, id: &str) -> Result<Vec<Account>, StoreError> {
        let rows = self.fetch(OF_KEY, &[id.into(), format!("{id}:%").into()]).await?;
        Ok(rows.iter().map(account).collect())
    }

    /// Gives the accounts of a key, that of each model of it included, to another key. Both ids are
    /// digests in hexadecimal.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub async fn carry_accounts(&mut self, from: &str, to: &str) -> Result<(), StoreError> {
        let sql = "UPDATE accounts SET subject = $1 || substr(subject, 65) \
            WHERE scope IN ('api_key', 'model_per_key') AND (subject = $2 OR subject LIKE $3)";
        let args = [to.into(), from.into(), format!("{from}:%").into()];
        self.execute(sql, &args).await.map(|_| ())
    }

    /// Forgets the accounts of a key, that of each model of it included.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub async fn forget_key(&mut self, id: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM accounts \
            WHERE scope IN ('api_key', 'model_per_key') AND (subject = $1 OR subject LIKE $2)";
        self.execute(sql, &[id.into(), format!("{id}:%").into()]).await.map(|_| ())
    }
}
