//! Responses that the proxy keeps itself, since their providers keep none.
use super::{Arg, Row, Store, StoreError, Work};
use crate::clock;

/// One response, and what it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The response's id.
    pub id: Box<str>,
    /// The response that it goes on from.
    pub previous: Option<Box<str>>,
    /// The items that were asked with, without those of earlier responses: a JSON array.
    pub input: String,
    /// The response: a JSON object.
    pub response: String,
}

/// Where a response stands in its conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The response's id.
    pub id: Box<str>,
    /// The response that it goes on from.
    pub previous: Option<Box<str>>,
    /// How long its texts are, in bytes.
    pub bytes: u64,
}

/// The longest conversation that is followed, in responses.
const LONGEST: i64 = 10_000;

impl Store {
    /// The conversation that ends with a response: that one first, then the one before, …; nothing
    /// if it is not kept.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn links(&self, id: &str) -> Result<Vec<Link>, StoreError> {
        let sql = "WITH RECURSIVE past (id, previous, bytes, depth) AS (\
            SELECT id, previous, bytes, 0 FROM responses WHERE id = $1 \
            UNION ALL \
            SELECT earlier.id, earlier.previous, earlier.bytes, past.depth + 1 \
            FROM responses AS earlier JOIN past ON earlier.id = past.previous \
            WHERE past.depth < $2\
            ) SELECT id, previous, bytes FROM past ORDER BY depth";
        let rows = self.fetch(sql, &[id.into(), LONGEST.into()]).await?;
        let link = |row: &Row| Link {
            id: row.text(0).into(),
            previous: row.maybe_text(1).map(Into::into),
            bytes: row.int(2).unsigned_abs(),
        };
        Ok(rows.iter().map(link).collect())
    }

    /// Those of these responses that are kept, in no order.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn turns(&self, ids: &[&str]) -> Result<Vec<Turn>, StoreError> {
        let mut turns = Vec::with_capacity(ids.len());
        for some in ids.chunks(100) {
            let places: Vec<_> = (1..=some.len()).map(|at| format!("${at}")).collect();
            let places = places.join(", ");
            let sql = format!(
                "SELECT id, previous, input, response FROM responses WHERE id IN ({places})"
            );
            let args: Vec<_> = some.iter().map(|id| Arg::from(*id)).collect();
            let rows = self.fetch(&sql, &args).await?;
            turns.extend(rows.iter().map(|row| Turn {
                id: row.text(0).into(),
                previous: row.maybe_text(1).map(Into::into),
                input: row.text(2).to_owned(),
                response: row.text(3).to_owned(),
            }));
        }
        Ok(turns)
    }
}

impl Work {
    /// Keeps a response, unless it is there.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub async fn keep_turn(&mut self, turn: Turn) -> Result<(), StoreError> {
        let Turn { id, previous, input, response } = turn;
        let bytes = i64::try_from(input.len() + response.len()).unwrap_or(i64::MAX);
        let sql = "INSERT INTO responses (id, previous, at, bytes, input, response) \
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING";
        let previous = previous.as_deref().into();
        let now = clock::now().into();
        let args = [(&*id).into(), previous, now, bytes.into(), input.into(), response.into()];
        self.execute(sql, &args).await.map(|_| ())
    }

    /// Forgets a response; tells whether it was there.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub async fn forget_turn(&mut self, id: &str) -> Result<bool, StoreError> {
        let done = self.execute("DELETE FROM responses WHERE id = $1", &[id.into()]).await?;
        Ok(done > 0)
    }

    /// Forgets responses that were made before that time, in milliseconds since 1970, and that no
    /// newer one goes on from; tells how many.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub async fn forget_old_turns(&mut self, before: i64) -> Result<u64, StoreError> {
        let sql = "DELETE FROM responses WHERE at < $1 AND NOT EXISTS (\
            SELECT 1 FROM responses AS later WHERE later.previous = responses.id)";
        let mut all = 0;
        loop {
            // Each time the last one of each conversation.
            let some = self.execute(sql, &[before.into()]).await?;
            if some == 0 {
                return Ok(all);
            }
            all += some;
        }
    }

    /// Forgets the oldest responses, until the texts of all others have that many bytes at most;
    /// tells how many.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub async fn forget_turns_beyond(&mut self, bytes: u64) -> Result<u64, StoreError> {
        let sql = "DELETE FROM responses WHERE id IN (SELECT id FROM (\
            SELECT id, SUM(bytes) OVER (ORDER BY at DESC, id) AS upto FROM responses\
            ) AS aged WHERE upto > $1)";
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.execute(sql, &[bytes.into()]).await
    }
}
