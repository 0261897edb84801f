//! What one call has taken, until its last owner lets go of it.
use super::level::{Ended, Level, Mark, Take};
use super::queue::Ended as Entry;
use super::runs::Runs;
use super::{Count, Redis, Settings};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What one call has taken on all its levels.
///
/// Limiter and ledger each keep a reference and note how the call ended; the last of them to go
/// hands it all to the settler, so that both settle in one go. Whatever was not noted by then is
/// given back.
#[derive(Debug)]
pub(crate) struct Ticket {
    redis: Redis,
    number: u64,
    id: Box<str>,
    levels: Box<[Level]>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    marks: Box<[Mark]>,
    tokens: Option<i64>,
    cost: i64,
    void: bool,
}

impl Ticket {
    /// Nothing is taken yet.
    pub(super) fn new(redis: &Redis, levels: Vec<Level>) -> Arc<Self> {
        let number = redis.number();
        let ticket = Arc::new(Self {
            redis: redis.clone(),
            number,
            id: redis.id(number),
            state: Mutex::new(State {
                marks: vec![Mark::No; levels.len()].into(),
                tokens: Some(0),
                cost: 0,
                void: false,
            }),
            levels: levels.into(),
        });
        redis.open().insert(number, Arc::downgrade(&ticket));
        ticket
    }

    pub(crate) fn levels(&self) -> &[Level] {
        &self.levels
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn mark(&self, level: usize, mark: Mark) {
        self.state().marks[level] = mark;
    }

    /// What a level looked like when the call was admitted.
    pub(crate) fn count(&self, level: usize) -> Option<Count> {
        match self.state().marks.get(level)? {
            Mark::Yes(count) => Some(*count),
            Mark::No | Mark::Unknown => None,
        }
    }

    /// The call was not made: it does not count at all.
    pub(super) fn void(&self) {
        self.state().void = true;
    }

    /// The tokens that the call used count in place of those that were taken; where nobody told
    /// how many they were, those stand.
    pub(crate) fn used(&self, tokens: Option<i64>) {
        self.state().tokens = tokens;
    }

    /// The call cost so much.
    pub(crate) fn spent(&self, cost: i64) {
        self.state().cost = cost;
    }

    /// Adds to `runs` what has to be renewed while the call is open.
    pub(super) fn renew(&self, runs: &mut Runs<'_>, settings: &Settings) {
        let state = self.state();
        for (level, mark) in self.levels.iter().zip(&state.marks) {
            if matches!(mark, Mark::Yes(_)) {
                level.renew(runs.input(&level.tag), settings, &self.id);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.redis.open().remove(&self.number);
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if state.marks.iter().all(|mark| *mark == Mark::No) {
            return;
        }
        self.redis.settle(Entry {
            id: std::mem::take(&mut self.id),
            levels: std::mem::take(&mut self.levels),
            marks: std::mem::take(&mut state.marks),
            tokens: state.tokens,
            cost: state.cost,
            void: state.void,
        });
    }
}

impl Entry {
    /// Adds to `runs` what is left to do. `seed` tells what a budget has spent, should Redis have
    /// lost it.
    pub(super) fn settle(
        &self,
        runs: &mut Runs<'_>,
        settings: &Settings,
        seed: impl Fn(&Level) -> i64,
    ) {
        for (level, &mark) in self.levels.iter().zip(&self.marks) {
            if mark != Mark::No {
                let seed = if matches!(level.take, Take::Money(_)) { seed(level) } else { 0 };
                let Self { void, tokens, cost, .. } = *self;
                let end = Ended { id: &self.id, mark, void, tokens, cost, seed };
                level.settle(runs.input(&level.tag), settings, &end);
            }
        }
    }
}
