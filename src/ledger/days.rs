//! What the store has of calls, summed by day.
use super::query::Conditions;
use crate::store::{Row, Store, StoreError};
use std::ops::AddAssign;

/// Which sums of days are asked for.
#[derive(Clone, Debug)]
pub struct Days {
    /// Whose: `user` (every call stands under one), `team`, `tag`, `end_user`, `organization`.
    pub kind: &'static str,
    /// The first day, such as `2026-11-22`.
    pub from: String,
    /// The last day.
    pub to: String,
    /// Of these alone; of all if there are none.
    pub subjects: Vec<String>,
    /// Of this key alone.
    pub key: Option<String>,
    /// Of this model or group alone.
    pub model: Option<String>,
}

/// What sums are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The day.
    Day,
    /// Whose it is.
    Subject,
    /// The key.
    Key,
    /// The model that answered.
    Model,
    /// Its group.
    Group,
    /// Its provider.
    Provider,
}

/// What calls come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Billionths of a US dollar.
    pub spend: i64,
    /// Tokens that models read.
    pub prompt: i64,
    /// Tokens that models wrote.
    pub completion: i64,
    /// Of those read: from the provider's cache.
    pub cache_read: i64,
    /// Of those read: written to the provider's cache.
    pub cache_write: i64,
    /// Calls.
    pub requests: i64,
    /// Of these: that were answered.
    pub successful: i64,
    /// Of these: that failed.
    pub failed: i64,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, more: Self) {
        self.spend = self.spend.saturating_add(more.spend);
        self.prompt = self.prompt.saturating_add(more.prompt);
        self.completion = self.completion.saturating_add(more.completion);
        self.cache_read = self.cache_read.saturating_add(more.cache_read);
        self.cache_write = self.cache_write.saturating_add(more.cache_write);
        self.requests += more.requests;
        self.successful += more.successful;
        self.failed += more.failed;
    }
}

impl Days {
    /// The sums, with the names of what they are grouped by, in that order.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn by(
        &self,
        store: &Store,
        by: &[By],
    ) -> Result<Vec<(Vec<String>, Totals)>, StoreError> {
        let mut all = Conditions::default();
        all.and("kind = #", Some(self.kind));
        all.and("day >= #", Some(self.from.as_str()));
        all.and("day <= #", Some(self.to.as_str()));
        all.and("api_key = #", self.key.as_deref());
        all.and("(model = # OR model_group = #)", self.model.as_deref());
        for (at, subject) in self.subjects.iter().enumerate() {
            all.args.push(subject.as_str().into());
            let before = if at == 0 { " AND subject IN (" } else { ", " };
            all.sql.push_str(&format!("{before}${}", all.args.len()));
        }
        if !self.subjects.is_empty() {
            all.sql.push(')');
        }
        let columns: Vec<_> = by.iter().map(|by| by.column()).collect();
        let columns = columns.join(", ");
        let sum = "spend prompt_tokens completion_tokens cache_read_tokens cache_write_tokens \
            requests successful failed";
        let sums: Vec<_> = sum.split_whitespace().collect();
        let sums: String = sums.iter().map(|sum| format!(", CAST(SUM({sum}) AS BIGINT)")).collect();
        let sql = format!(
            "SELECT {columns}{sums} FROM daily{} GROUP BY {columns} ORDER BY {columns}",
            all.sql
        );
        let rows = store.fetch(&sql, &all.args).await?;
        Ok(rows.iter().map(|row| totals(row, by.len())).collect())
    }
}

fn totals(row: &Row, names: usize) -> (Vec<String>, Totals) {
    let sum = |at| row.int(names + at);
    let totals = Totals {
        spend: sum(0),
        prompt: sum(1),
        completion: sum(2),
        cache_read: sum(3),
        cache_write: sum(4),
        requests: sum(5),
        successful: sum(6),
        failed: sum(7),
    };
    ((0..names).map(|at| row.text(at).to_owned()).collect(), totals)
}

impl By {
    const fn column(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Subject => "subject",
            Self::Key => "api_key",
            Self::Model => "model",
            Self::Group => "model_group",
            Self::Provider => "provider",
        }
    }
}
