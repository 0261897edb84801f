//! Counts calls and failures as a [`Rule`] needs them.
use super::{Policy, Rule};
use crate::facts::Fault;
use std::time::Duration;

/// Parts of a rolling window.
const PARTS: usize = 10;
const MINUTE: u64 = 60_000;

/// The counts of one deployment. Times are milliseconds.
#[derive(Debug, Default)]
pub(super) struct Tally {
    parts: [Part; PARTS],
    fails: u32,
    /// When `fails` starts anew.
    expires: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Part {
    /// Which stretch of time it counts.
    index: u64,
    calls: u32,
    fails: u32,
}

impl Tally {
    /// Counts a success.
    pub(super) fn succeed(&mut self, rule: &Rule, now: impl FnOnce() -> u64) {
        match rule {
            Rule::Never | Rule::AllowedFails(_) => {}
            Rule::Consecutive(_) => self.fails = 0,
            Rule::LiteLlm => self.part(now() / MINUTE).calls += 1,
            Rule::Rate { window, .. } => self.part(now() / part_millis(*window)).calls += 1,
        }
    }

    /// Counts a failure and says whether it is one too many.
    pub(super) fn fail(&mut self, policy: &Policy, fault: &Fault, others: bool, now: u64) -> bool {
        match &policy.rule {
            Rule::Never => false,
            Rule::LiteLlm => {
                let part = self.part(now / MINUTE);
                part.calls += 1;
                part.fails += 1;
                let status = fault.status.as_u16();
                let retryable = matches!(status, 408 | 409 | 429) || status >= 500;
                !retryable
                    || others && status == 429
                    || others && part.calls >= 5 && part.fails > part.calls / 2
                    || part.calls >= 1000 && part.fails == part.calls
            }
            Rule::AllowedFails(fails) => {
                self.start_anew(now, policy.cooldown.unwrap_or(policy.default_cooldown));
                self.fails += 1;
                self.fails > fails.allowed(fault)
            }
            Rule::Rate { window, min_calls, share } => {
                let index = now / part_millis(*window);
                let part = self.part(index);
                part.calls += 1;
                part.fails += 1;
                let (calls, fails) = self.recent(index);
                calls >= *min_calls && f64::from(fails) > f64::from(calls) * f64::from(*share)
            }
            Rule::Consecutive(most) => {
                self.fails += 1;
                self.fails >= *most
            }
        }
    }

    fn start_anew(&mut self, now: u64, time: Duration) {
        if now >= self.expires {
            self.fails = 0;
            self.expires = now.saturating_add(millis(time));
        }
    }

    fn part(&mut self, index: u64) -> &mut Part {
        let part = &mut self.parts[usize::try_from(index % PARTS as u64).unwrap_or(0)];
        // One that was late to count itself counts in the stretch that has begun since.
        if part.index < index {
            *part = Part { index, ..Part::default() };
        }
        part
    }

    fn recent(&self, index: u64) -> (u32, u32) {
        let recent = self.parts.iter().filter(|part| part.index + PARTS as u64 > index);
        recent.fold((0, 0), |(calls, fails), part| (calls + part.calls, fails + part.fails))
    }
}

/// Whole milliseconds, rounded up.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

fn part_millis(window: Duration) -> u64 {
    (millis(window) / PARTS as u64).max(1)
}
