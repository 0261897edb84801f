//! What a whole run comes to.
use super::book::Outcome;
use bartizan_layers::facts::{NanoUsd, Unit};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// So many models have a row of their own: one command asks for few.
const ROWS: usize = 1000;

/// Everything that was counted since the start, in all series together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// Calls that have ended.
    pub calls: u64,
    /// Of these: calls that failed.
    pub failed: u64,
    /// Tokens that models read.
    pub input_tokens: u64,
    /// Tokens that models wrote.
    pub output_tokens: u64,
    /// What they cost, in US dollars, where prices are known.
    pub dollars: f64,
    /// What answers from the cache cost when a model gave them.
    pub saved: f64,
    /// The same by model, where [`Metrics::by_model`](super::Metrics::by_model) was said; the
    /// dearest first.
    pub models: Vec<(String, ModelTotals)>,
}

/// What one model comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelTotals {
    /// Calls that it answered, or a kept answer of it.
    pub calls: u64,
    /// Tokens that it read.
    pub input_tokens: i64,
    /// Tokens that it wrote.
    pub output_tokens: i64,
    /// What they cost.
    pub cost: NanoUsd,
    /// What its kept answers cost when it gave them.
    pub saved: NanoUsd,
}

/// What each model comes to, by its name.
#[derive(Debug, Default)]
pub(super) struct ByModel(Mutex<BTreeMap<String, ModelTotals>>);

impl ByModel {
    pub(super) fn count(&self, outcome: &Outcome<'_>) {
        let Some(model) = outcome.model() else { return };
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.len() >= ROWS && !rows.contains_key(model) {
            return;
        }
        let row = rows.entry(model.to_owned()).or_default();
        row.calls += u64::from(outcome.failure.is_none());
        let served = outcome.learned.served.as_ref();
        if let Some((usage, cost)) = served.and_then(|served| served.usage.bill()) {
            row.input_tokens += usage[Unit::Input];
            row.output_tokens += usage[Unit::Output];
            row.cost += cost;
        }
        let hit = outcome.learned.hit.as_ref();
        row.saved += hit.and_then(|hit| hit.bill).map_or(NanoUsd(0), |(_, cost)| cost);
    }

    /// Those that did anything, the dearest first.
    pub(super) fn rows(&self) -> Vec<(String, ModelTotals)> {
        let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let used = rows.iter().filter(|(_, row)| **row != ModelTotals::default());
        let mut rows: Vec<_> = used.map(|(model, row)| (model.clone(), *row)).collect();
        rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.cost));
        rows
    }
}
