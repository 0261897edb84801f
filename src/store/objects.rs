//! Whose the objects are that upstream providers keep.
use super::{Arg, Store, StoreError, Work};
use crate::clock;

impl Store {
    /// The owners of those of these objects that have one, with their ids, in no order.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn owners_of(&self, ids: &[&str]) -> Result<Vec<(String, String)>, StoreError> {
        let mut owners = Vec::new();
        // Both engines take more placeholders than these.
        for some in ids.chunks(500) {
            let places: Vec<_> = (1..=some.len()).map(|at| format!("${at}")).collect();
            let sql = format!("SELECT id, owner FROM objects WHERE id IN ({})", places.join(", "));
            let args: Vec<_> = some.iter().map(|id| Arg::from(*id)).collect();
            let rows = self.fetch(&sql, &args).await?;
            owners.extend(rows.iter().map(|row| (row.text(0).to_owned(), row.text(1).to_owned())));
        }
        Ok(owners)
    }
}

impl Work {
    /// Gives an object to its owner, unless it has one.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub async fn own(&mut self, id: &str, owner: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO objects (id, owner, at) VALUES ($1, $2, $3) \
            ON CONFLICT (id) DO NOTHING";
        let args = [id.into(), owner.into(), clock::now().into()];
        self.execute(sql, &args).await.map(|_| ())
    }

    /// Forgets an object.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub async fn forget_object(&mut self, id: &str) -> Result<(), StoreError> {
        self.execute("DELETE FROM objects WHERE id = $1", &[id.into()]).await.map(|_| ())
    }

    /// Forgets responses that were made before that time, in milliseconds since 1970; tells how
    /// many.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub async fn forget_responses(&mut self, before: i64) -> Result<u64, StoreError> {
        let sql = "DELETE FROM objects WHERE at < $1 AND id LIKE 'resp%'";
        self.execute(sql, &[before.into()]).await
    }

    /// Gives all objects of an owner to another one.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub async fn carry_objects(&mut self, from: &str, to: &str) -> Result<(), StoreError> {
        let sql = "UPDATE objects SET owner = $1 WHERE owner = $2";
        self.execute(sql, &[to.into(), from.into()]).await.map(|_| ())
    }
}
