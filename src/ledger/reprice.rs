//! Calls of the past at the prices of today.
use super::query::Booked;
use super::record::{Attempt, Record};
use super::rows::Sums;
use crate::clock;
use crate::store::{StoreError, Work};
use bartizan_layers::facts::{NanoUsd, Price};
use std::sync::Arc;

/// So many rows are read at once.
const PART: i64 = 500;

/// What a change of prices came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repriced {
    /// Calls that were looked at.
    pub calls: i64,
    /// Of these: that cost something else now.
    pub changed: i64,
    /// What they cost before, in billionths of a US dollar.
    pub before: i64,
    /// What they cost now.
    pub after: i64,
}

/// Reckons the calls of `model` (or all) anew that began in a time, from the usage that was booked:
/// `price` says what a deployment charges now for a model, where that is known. Rows, sums of days
/// and accounts change together with `work`. Records stay as they were written.
///
/// # Errors
///
/// As the store says; then `work` must not be committed.
pub async fn reprice(
    work: &mut Work,
    model: Option<&str>,
    (from, to): (i64, i64),
    price: &(dyn Fn(&Attempt) -> Option<Arc<Price>> + Sync),
) -> Result<Repriced, StoreError> {
    let (mut done, mut sums) = (Repriced::default(), Sums::default());
    let mut last = String::new();
    loop {
        let rows = part(work, model, (from, to), &last).await?;
        let Some(end) = rows.last() else { break };
        last = end.record.id.to_string();
        for row in &rows {
            let after = cost(&row.record, price);
            done.calls += 1;
            done.before += row.spend;
            done.after += after;
            if after != row.spend {
                done.changed += 1;
                sums.correct(&row.record, after - row.spend);
                let sql = "UPDATE calls SET spend = $1 WHERE id = $2";
                work.execute(sql, &[after.into(), (*row.record.id).into()]).await?;
            }
        }
    }
    sums.store(work, clock::now() / 1000).await?;
    Ok(done)
}

async fn part(
    work: &mut Work,
    model: Option<&str>,
    (from, to): (i64, i64),
    last: &str,
) -> Result<Vec<Booked>, StoreError> {
    let sql = "SELECT doc, spend FROM calls WHERE id > $1 AND started >= $2 AND started < $3 \
        AND (model = $4 OR model_group = $4 OR $4 = '') ORDER BY id LIMIT $5";
    let model = model.unwrap_or_default();
    let args = [last.into(), from.into(), to.into(), model.into(), PART.into()];
    work.fetch(sql, &args).await?.iter().map(Booked::of).collect()
}

/// What a call costs now; an attempt without a price of today costs what it did, and so do images
/// that had a price: it was that of their size.
fn cost(record: &Record, price: &dyn Fn(&Attempt) -> Option<Arc<Price>>) -> i64 {
    let stays = |attempt: &Attempt| attempt.usage.is_empty() || attempt.had_priced_images();
    let cost = |attempt: &Attempt| match price(attempt).filter(|_| !stays(attempt)) {
        Some(price) => attempt.cost_by(&price),
        None => NanoUsd(attempt.cost),
    };
    record.attempts.iter().map(cost).sum::<NanoUsd>().0
}
