//! What the store has of calls, one by one.
use super::record::Record;
use crate::store::{Arg, Row, Store, StoreError};

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
pub(super) struct Conditions {
    pub(super) sql: String,
    pub(super) args: Vec<Arg>,
}

impl Conditions {
    /// Adds one, if there is a value for it. `#` stands for its place.
    pub(super) fn and(&mut self, condition: &str, value: Option<impl Into<Arg>>) {
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
        let record = Record::read(&text);
        let record = record.map_err(|error| StoreError::Broken(error.to_string().into()))?;
        Ok(Self { record, spend: row.int(1), text })
    }
}
