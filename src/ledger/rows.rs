//! Records as rows: one for each call, and the sums.
use super::chain;
use super::reader::Line;
use super::record::{Attempt, Record};
use crate::clock;
use crate::store::{Account, Arg, StoreError, Work};
use bartizan_layers::facts::Unit;
use std::collections::BTreeMap;

/// So many rows are written by one statement, so that few statements are prepared.
const ROWS: [usize; 5] = [256, 64, 16, 4, 1];

const INTO_CALLS: &str = "INSERT INTO calls (id, call_id, request_id, call_type, started, ended, \
    api_key, user_id, team_id, organization_id, end_user, model, model_group, model_id, provider, \
    status, spend, prompt_tokens, completion_tokens, session_id, doc) VALUES ";

const INTO_DAILY: &str = "INSERT INTO daily (day, kind, subject, api_key, model, model_group, \
    provider, spend, prompt_tokens, completion_tokens, cache_read_tokens, cache_write_tokens, \
    requests, successful, failed) VALUES ";

const ADDED: &str = " ON CONFLICT (day, kind, subject, api_key, model, model_group, provider) \
    DO UPDATE SET spend = daily.spend + excluded.spend, \
    prompt_tokens = daily.prompt_tokens + excluded.prompt_tokens, \
    completion_tokens = daily.completion_tokens + excluded.completion_tokens, \
    cache_read_tokens = daily.cache_read_tokens + excluded.cache_read_tokens, \
    cache_write_tokens = daily.cache_write_tokens + excluded.cache_write_tokens, \
    requests = daily.requests + excluded.requests, \
    successful = daily.successful + excluded.successful, failed = daily.failed + excluded.failed";

/// Whose day it is: day, kind, subject, key, model, group, provider.
type DayOf = [String; 7];

/// An account: its kind, whose it is, and when its window ends.
type Payer = (Box<str>, Box<str>, Option<i64>);

/// Sums that are added to the store's: of a day the columns from `spend` on; of an account what was
/// spent.
#[derive(Debug, Default)]
pub(super) struct Sums {
    days: BTreeMap<DayOf, [i64; 8]>,
    accounts: BTreeMap<Payer, i64>,
}

impl Sums {
    /// Adds a call.
    pub(super) fn add(&mut self, record: &Record) {
        let (usage, cost, failed) = (record.usage(), record.cost().0, record.failure.is_some());
        let counts = [
            cost,
            usage[Unit::Input],
            usage[Unit::Output],
            usage[Unit::CacheRead],
            usage[Unit::CacheWrite].saturating_add(usage[Unit::CacheWriteHour]),
            1,
            i64::from(!failed),
            i64::from(failed),
        ];
        self.add_days(record, counts);
        let paid = |at: fn(&Attempt) -> &str, subject: &str| {
            let made = record.attempts.iter().filter(|attempt| at(attempt) == subject);
            made.map(|attempt| attempt.cost).sum()
        };
        self.charge(record, |scope, subject| match scope {
            "deployment" => paid(|attempt| &attempt.deployment, subject),
            "provider" => paid(|attempt| &attempt.provider, subject),
            _ => cost,
        });
    }

    /// Adds a cost that a call has in place of the one before.
    pub(super) fn correct(&mut self, record: &Record, more: i64) {
        self.add_days(record, [more, 0, 0, 0, 0, 0, 0, 0]);
        // Which of several attempts has another price now is not told: the last one stands for all.
        self.charge(record, |scope, subject| match scope {
            "deployment" if *subject != *record.deployment => 0,
            "provider" if *subject != *record.provider => 0,
            _ => more,
        });
    }

    /// Charges each payer of a call once with what it has to pay.
    fn charge(&mut self, record: &Record, cost: impl Fn(&str, &str) -> i64) {
        for (at, (scope, subject, until)) in record.payers().enumerate() {
            // Several attempts may have been made at one place.
            let is_same = |other: (&str, &str, _)| (other.0, other.1) == (scope, subject);
            let is_first = !record.payers().take(at).any(is_same);
            let cost = if is_first { cost(scope, subject) } else { 0 };
            if cost != 0 {
                let payer = (scope.into(), subject.into(), until);
                let sum = self.accounts.entry(payer).or_default();
                *sum = sum.saturating_add(cost);
            }
        }
    }

    fn add_days(&mut self, record: &Record, counts: [i64; 8]) {
        let day = clock::day(record.began);
        let mut add = |kind: &str, subject: &str| {
            let of = [
                &day,
                kind,
                subject,
                &*record.key,
                &*record.model,
                &*record.group,
                &*record.provider,
            ];
            let sums = self.days.entry(of.map(str::to_owned)).or_default();
            sums.iter_mut().zip(counts).for_each(|(sum, more)| *sum = sum.saturating_add(more));
        };
        add("user", &record.user);
        let others =
            [("team", &record.team), ("organization", &record.org), ("end_user", &record.end_user)];
        for (kind, subject) in others {
            if let Some(subject) = subject {
                add(kind, subject);
            }
        }
        for (at, tag) in record.tags.iter().enumerate() {
            if !record.tags.iter().take(at).any(|before| before == tag) {
                add("tag", tag);
            }
        }
    }

    /// Adds all of them to what the store has, at `now` in seconds since 1970. What was spent in a
    /// window that is over counts nowhere any more.
    pub(super) async fn store(self, work: &mut Work, now: i64) -> Result<(), StoreError> {
        let days = self.days.into_iter().map(day_row).collect();
        for (sql, args) in statements(work.is_postgres(), days, (INTO_DAILY, ADDED)) {
            work.execute(&sql, &args).await?;
        }
        let account = |((scope, subject, until), spend): (Payer, i64)| Account {
            scope: scope.into(),
            subject: subject.into(),
            spend,
            until,
        };
        let open = |account: &Account| account.until.is_none_or(|until| until > now);
        let accounts: Vec<_> = self.accounts.into_iter().map(account).filter(open).collect();
        for account in &accounts {
            let Account { scope, subject, spend, until } = account;
            work.spend(scope, subject, *spend, *until, now).await?;
        }
        Ok(())
    }
}

fn day_row((of, sums): (DayOf, [i64; 8])) -> Vec<Arg> {
    of.into_iter().map(Arg::from).chain(sums.map(Arg::from)).collect()
}

/// Parts `rows` into statements of a few sizes, which begin and end as given.
fn statements(
    postgres: bool,
    mut rows: Vec<Vec<Arg>>,
    (into, end): (&str, &str),
) -> Vec<(String, Vec<Arg>)> {
    let (mut all, columns) = (Vec::new(), rows.first().map_or(0, Vec::len));
    while let Some(size) = ROWS.into_iter().find(|size| *size <= rows.len()) {
        let sql = format!("{into}{}{end}", places(postgres, size, columns));
        all.push((sql, rows.drain(..size).flatten().collect()));
    }
    all
}

/// `($1, $2), ($3, $4)`; of SQLite `(?, ?), (?, ?)`: it takes a number for a name, and looks for each
/// name among all before it.
fn places(postgres: bool, rows: usize, columns: usize) -> String {
    let mut sql = String::with_capacity(rows * columns * 6);
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=columns {
            sql.push_str(if column == 1 { "" } else { ", " });
            if postgres {
                sql.push('$');
                sql.push_str(itoa::Buffer::new().format(row * columns + column));
            } else {
                sql.push('?');
            }
        }
        sql.push(')');
    }
    sql
}

/// Writes rows of calls; returns the ids of those that were not there before.
pub(super) async fn insert(
    work: &mut Work,
    calls: &[(Record, &Line)],
) -> Result<Vec<String>, StoreError> {
    let rows = calls.iter().map(|(record, line)| call_row(record, line)).collect();
    let mut new = Vec::with_capacity(calls.len());
    let end = " ON CONFLICT (id) DO NOTHING RETURNING id";
    for (sql, args) in statements(work.is_postgres(), rows, (INTO_CALLS, end)) {
        let inserted = work.fetch(&sql, &args).await?;
        new.extend(inserted.iter().map(|row| row.text(0).to_owned()));
    }
    Ok(new)
}

fn call_row(record: &Record, line: &Line) -> Vec<Arg> {
    let usage = record.usage();
    let status = if record.failure.is_some() { "failure" } else { "success" };
    vec![
        (*record.id).into(),
        (*record.call).into(),
        record.request_id().into(),
        (*record.call_type).into(),
        record.began.into(),
        record.ended.into(),
        (*record.key).into(),
        (*record.user).into(),
        record.team.as_deref().into(),
        record.org.as_deref().into(),
        record.end_user.as_deref().into(),
        (*record.model).into(),
        (*record.group).into(),
        (*record.deployment).into(),
        (*record.provider).into(),
        status.into(),
        record.cost().0.into(),
        usage[Unit::Input].into(),
        usage[Unit::Output].into(),
        record.session.as_deref().into(),
        sealed(line).into(),
    ]
}

/// The record with its place in the chain, as `/receipts` shows it.
fn sealed(line: &Line) -> String {
    let open = line.payload.strip_suffix('}').unwrap_or(&line.payload);
    let (hash, previous) = (chain::text(&line.hash), chain::text(&line.previous));
    format!("{open},\"hash\":\"{hash}\",\"previous\":\"{previous}\"}}")
}
