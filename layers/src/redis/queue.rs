//! Ended calls that wait for Redis.
use super::level::{Level, Mark, Take};
use std::collections::{HashMap, VecDeque};

/// Budgets of which there are sums at most: names may come from clients.
const SUMS: usize = 65_536;

/// A call that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) id: Box<str>,
    pub(super) levels: Box<[Level]>,
    pub(super) marks: Box<[Mark]>,
    pub(super) tokens: Option<i64>,
    pub(super) cost: i64,
    pub(super) void: bool,
}

impl Ended {
    /// Forgets what may not be sent twice: windows, which end by themselves.
    pub(super) fn forget_windows(&mut self) {
        for (level, mark) in self.levels.iter().zip(&mut self.marks) {
            if matches!(level.take, Take::Window(_)) {
                *mark = Mark::No;
            }
        }
    }

    /// Money that was spent without a hold.
    pub(super) fn spent(id: Box<str>, mut level: Level, cost: i64) -> Self {
        if let Take::Money(money) = &mut level.take {
            money.take = 0;
        }
        Self::resolved(id, level, cost)
    }

    /// Money that was spent in place of a hold.
    pub(super) fn resolved(id: Box<str>, level: Level, cost: i64) -> Self {
        Self {
            id,
            levels: Box::new([level]),
            marks: Box::new([Mark::Unknown]),
            tokens: None,
            cost,
            void: false,
        }
    }
}

/// Ended calls in order, at most so many. When it is full, what comes is merged into one sum for
/// each budget: no money is lost, while permits and holds are left to expire. Only where there are
/// too many budgets for that too is a cost forgotten here; records and journals have it.
#[derive(Debug)]
pub(super) struct Queue {
    calls: VecDeque<Ended>,
    most: usize,
    sums: HashMap<Box<str>, (Level, i64)>,
}

impl Queue {
    pub(super) fn new(most: usize) -> Self {
        Self { calls: VecDeque::new(), most, sums: HashMap::new() }
    }

    /// Never blocks.
    pub(super) fn push(&mut self, call: Ended) {
        if self.calls.len() < self.most {
            self.calls.push_back(call);
            return;
        }
        if call.cost == 0 {
            return;
        }
        for (level, mark) in call.levels.into_iter().zip(call.marks) {
            let Some(account) = level.account().filter(|_| mark != Mark::No) else { continue };
            if self.sums.len() < SUMS || self.sums.contains_key(&account) {
                let (_, sum) = self.sums.entry(account).or_insert((level, 0));
                *sum = sum.saturating_add(call.cost);
            }
        }
    }

    /// The oldest calls, at most `most`; after the last of them the sums, each named by `id`.
    pub(super) fn take(&mut self, most: usize, id: impl Fn() -> Box<str>) -> VecDeque<Ended> {
        let mut batch: VecDeque<_> = self.calls.drain(..most.min(self.calls.len())).collect();
        if self.calls.is_empty() {
            let sums = self.sums.drain();
            batch.extend(sums.map(|(_, (level, cost))| Ended::spent(id(), level, cost)));
        }
        batch
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.sums.is_empty()
    }
}
