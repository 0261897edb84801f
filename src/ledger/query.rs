//! What the store has of calls: rows, and sums of days.
use super::record::Record;
use crate::store::{Arg, Row, Store, StoreError};
use std::ops::AddAssign;

/// Which calls are asked for: those of which all that is given is true.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    /// With this id: the answer's, the call's, or the record's.
    pub id: Option<String>,
    /// Of this key.
    pub key: Option<String>,
    /// Of this user.
    pub user: Option<String>,
    /// Of this team.
    pub team: Option<String>,
    /// For this end user.
    pub end_user: Option<String>,
    /// Answered by this model, or asked for by this name.
    pub model: Option<String>,
    /// Answered by this deployment.
    pub deployment: Option<String>,
    /// Of this session.
    pub session: Option<String>,
    /// `success` or `failure`.
    pub status: Option<String>,
    /// That cost this much at least, in billionths of a US dollar.
    pub min_spend: Option<i64>,
    /// That cost this much at most.
    pub max_spend: Option<i64>,
    /// That began at this time or later, in milliseconds since 1970.
    pub from: Option<i64>,
    /// That began before this time.
    pub to: Option<i64>,
}

/// By what calls are put in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// When they began.
    #[default]
    Began,
    /// When they ended.
    Ended,
    /// What they cost.
    Spend,
    /// The tokens of both sides.
    Tokens,
}

/// Which part of a long list.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// By what it is ordered.
    pub order: Order,
    /// Whether the least comes first.
    pub ascending: bool,
    /// How many come before it.
    pub skip: i64,
    /// How many it has at most.
    pub size: i64,
}

/// A call that is in the store.
#[derive(Debug)]
pub struct Booked {
    /// Its record, as it was written.
    pub record: Record,
    /// What it cost, as it is reckoned now.
    pub spend: i64,
    /// The record's text with its place in the chain.
    pub text: String,
}

/// Conditions of a statement, and their arguments.
#[derive(Debug, Default)]
struct Conditions {
    sql: String,
    args: Vec<Arg>,
}

impl Conditions {
    /// Adds one, if there is a value for it. `#` stands for its place.
    fn and(&mut self, condition: &str, value: Option<impl Into<Arg>>) {
        let Some(value) = value else { return };
        self.args.push(value.into());
        let place = format!("${}", self.args.len());
        self.sql.push_str(if self.sql.is_empty() { " WHERE " } else { " AND " });
        self.sql.push_str(&condition.replace('#', &place));
    }
}

impl Calls {
    fn conditions(&self) -> Conditions {
        let mut all = Conditions::default();
        all.and("(request_id = # OR call_id = # OR id = #)", self.id.as_deref());
        all.and("api_key = #", self.key.as_deref());
        all.and("user_id = #", self.user.as_deref());
        all.and("team_id = #", self.team.as_deref());
        all.and("end_user = #", self.end_user.as_deref());
        all.and("(model = # OR model_group = #)", self.model.as_deref());
        all.and("model_id = #", self.deployment.as_deref());
        all.and("session_id = #", self.session.as_deref());
        all.and("status = #", self.status.as_deref());
        all.and("spend >= #", self.min_spend);
        all.and("spend <= #", self.max_spend);
        all.and("started >= #", self.from);
        all.and("started < #", self.to);
        all
    }

    /// How many there are.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn count(&self, store: &Store) -> Result<i64, StoreError> {
        let Conditions { sql, args } = self.conditions();
        let rows = store.fetch(&format!("SELECT COUNT(*) FROM calls{sql}"), &args).await?;
        Ok(rows.first().map_or(0, |row| row.int(0)))
    }

    /// Some of them.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn rows(&self, store: &Store, part: Part) -> Result<Vec<Booked>, StoreError> {
        let Conditions { sql, mut args } = self.conditions();
        let order = match part.order {
            Order::Began => "started",
            Order::Ended => "ended",
            Order::Spend => "spend",
            Order::Tokens => "prompt_tokens + completion_tokens",
        };
        let way = if part.ascending { "ASC" } else { "DESC" };
        args.extend([part.size.into(), part.skip.into()]);
        let (size, skip) = (args.len() - 1, args.len());
        let sql = format!(
            "SELECT doc, spend FROM calls{sql} ORDER BY {order} {way}, id {way} LIMIT ${size} \
             OFFSET ${skip}"
        );
        let rows = store.fetch(&sql, &args).await?;
        rows.iter().map(Booked::of).collect()
    }

    /// What they cost, by day, key, user and model.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn sums(&self, store: &Store) -> Result<Vec<([String; 4], i64)>, StoreError> {
        let Conditions { sql, args } = self.conditions();
        // Days are whole numbers of milliseconds.
        let sql = format!(
            "SELECT started / 86400000, api_key, user_id, model, CAST(SUM(spend) AS BIGINT) FROM \
             calls{sql} GROUP BY started / 86400000, api_key, user_id, model ORDER BY 1, 2, 3, 4"
        );
        let of = |row: &Row| {
            let day = crate::clock::day(row.int(0) * 86_400_000);
            let text = |at| row.text(at).to_owned();
            ([day, text(1), text(2), text(3)], row.int(4))
        };
        Ok(store.fetch(&sql, &args).await?.iter().map(of).collect())
    }
}

impl Booked {
    pub(super) fn of(row: &Row) -> Result<Self, StoreError> {
        let text = row.text(0).to_owned();
        let record = serde_json::from_str(&text);
        let record = record.map_err(|error| StoreError::Broken(error.to_string().into()))?;
        Ok(Self { record, spend: row.int(1), text })
    }
}

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
