//! Finds the limit: the algorithm, without clocks, locks or waiting.
//!
//! A limit is tried for a *round*: samples count only if their call started after the limit was
//! last changed, so there is one reaction per round trip. A round is judged by its median time to
//! first byte against the baseline, by how many are far slower than it, or as soon as three quarters of eight samples are far too
//! slow. A clean round at a full limit raises it, quickly below the highest limit that was
//! clean before, by halves towards the lowest that was not; between them lies a plateau, kept for
//! seconds, after which it feels its way up in steps that grow while they stay clean.
use super::Bounds;
use super::seen::Seen;
use std::time::Duration;
use tokio::time::Instant;

/// How an attempt went, as far as the limit is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Its first byte came.
    Answered,
    /// The provider has too much to do, or says so for us: 429, 503, 529.
    Overloaded,
    /// It failed otherwise, or took too long.
    Failed,
}

/// One attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// The round that it started in.
    pub(super) round: u32,
    /// How many were in flight when it started, with itself.
    pub(super) taken: u32,
    /// How many are now.
    pub(super) inflight: u32,
    /// How long the first byte took.
    pub(super) ttfb: Duration,
    pub(super) outcome: Outcome,
}

/// Samples of one round: enough for a median, few enough to act soon.
const FEWEST: usize = 12;
const MOST: usize = 100;
/// From so many samples on, a round that is slow throughout is not heard to its end.
const EARLY: usize = 8;
/// Times the tolerance: a sample above it is far slower than the baseline.
const FAR: f64 = 4.0 / 3.0;
/// How long a plateau is kept at least and at most, in time and in round trips: a step too far
/// costs one round trip of slow calls, which must be few among all.
const PATIENCE: (Duration, u32) = (Duration::from_secs(5), 10);
const MOST_PATIENCE: (Duration, u32) = (Duration::from_secs(7), 16);
/// What is left of the limit after the first cut, the second in a row, and so on.
const CUTS: [f64; 5] = [0.9, 0.8, 0.7, 0.6, 0.5];

/// The state of one limit.
#[derive(Debug)]
pub(super) struct Control {
    bounds: Bounds,
    limit: u32,
    round: u32,
    /// The time to first byte of an upstream at ease, in microseconds.
    baseline: Option<f64>,
    /// The share of calls that are far slower even then, as their prompts are longer.
    tail: Option<f64>,
    seen: Seen,
    /// The highest limit that was clean, and the lowest that was not.
    good: u32,
    bad: Option<u32>,
    /// The highest that was ever clean, or that has proved too high since: far below it, steps are
    /// wide, so that an outage is soon forgotten.
    peak: u32,
    /// Whether any limit was too high yet: before, it grows by halves.
    bounded: bool,
    /// The next step up from a plateau.
    step: u32,
    plateau: Option<Instant>,
    failed_steps: u32,
    siege: Option<Siege>,
}

/// Cuts in a row, without a clean round between them.
#[derive(Clone, Copy, Debug)]
struct Siege {
    cuts: usize,
    /// Where they began, and how slow it was there.
    limit: u32,
    median: f64,
    errors: bool,
}

impl Control {
    pub(super) fn new(bounds: Bounds) -> Self {
        let limit = bounds.initial.clamp(bounds.min, bounds.max);
        Self {
            bounds,
            limit,
            round: 0,
            baseline: None,
            tail: None,
            seen: Seen::new(MOST),
            good: 0,
            bad: None,
            peak: 0,
            bounded: false,
            step: 1,
            plateau: None,
            failed_steps: 0,
            siege: None,
        }
    }

    pub(super) const fn limit(&self) -> u32 {
        self.limit
    }

    pub(super) const fn round(&self) -> u32 {
        self.round
    }

    /// Learns from a sample.
    pub(super) fn record(&mut self, sample: Sample, now: Instant) {
        if sample.round != self.round {
            return;
        }
        self.seen.most = self.seen.most.max(sample.taken).max(sample.inflight);
        match sample.outcome {
            Outcome::Answered => self.answered(sample, now),
            Outcome::Overloaded => self.overloaded(),
            Outcome::Failed => {
                self.seen.errors += 1;
                if self.is_failing(EARLY) {
                    self.overloaded();
                }
            }
        }
    }

    fn answered(&mut self, sample: Sample, now: Instant) {
        let micros = u32::try_from(sample.ttfb.as_micros()).unwrap_or(u32::MAX);
        self.seen.micros.push(micros);
        self.seen.full += usize::from(sample.taken >= self.limit - self.limit / 4);
        let far = self.bounds.tolerance * FAR;
        let slow = self.baseline.is_some_and(|baseline| f64::from(micros) > baseline * far);
        self.seen.slow += usize::from(slow);
        let count = self.seen.micros.len();
        if count >= EARLY && self.seen.slow * 4 >= count * 3 {
            self.overloaded();
        } else if count >= window(self.limit) {
            self.judge(now);
        }
    }

    /// A round is over.
    fn judge(&mut self, now: Instant) {
        let median = self.seen.median();
        let baseline = *self.baseline.get_or_insert(median);
        let has_tail = self.has_tail(baseline);
        if has_tail || median > baseline * self.bounds.tolerance || self.is_failing(1) {
            return self.overloaded();
        }
        // Sooner down than up: a load that creeps up on the upstream is no new baseline.
        let weight = if median < baseline { 0.1 } else { 0.03 };
        self.baseline = Some(baseline + (median - baseline) * weight);
        self.siege = None;
        let full = self.seen.full * 5 >= self.seen.micros.len() && self.seen.most >= self.limit;
        self.seen.clear();
        if full {
            self.good = self.good.max(self.limit);
            self.peak = self.peak.max(self.good);
            if let Some(limit) = self.next_limit(now) {
                self.set(limit);
            }
        }
    }

    /// Whether more calls than ever are far slower, by four standard deviations and two calls.
    fn has_tail(&mut self, baseline: f64) -> bool {
        let count = self.seen.micros.len() as f64;
        let Some(tail) = self.tail else {
            let slow = self.seen.slower_than(baseline * self.bounds.tolerance * FAR);
            self.tail = Some((slow as f64 + 0.2) / (count + 10.0));
            return false;
        };
        let (slow, expected) = (self.seen.slow as f64, count * tail);
        self.tail = Some(tail + (slow / count - tail) * 0.1);
        slow > expected + 4.0 * expected.sqrt() + 2.0
    }

    /// Where a clean round leads; `None` while it stays.
    fn next_limit(&mut self, now: Instant) -> Option<u32> {
        let (limit, tenth) = (self.limit, (self.limit / 10).max(1));
        if limit < self.good {
            return Some(limit + (self.good - limit).div_ceil(2));
        }
        let wide = limit + (limit / 2).max(1);
        if !self.bounded {
            return Some(wide);
        }
        if let Some(bad) = self.bad.filter(|bad| *bad > limit) {
            let next = limit + tenth.min((bad - limit) / 2).max(1);
            if next < bad {
                return Some(next);
            }
            let patience = self.patience();
            if now < *self.plateau.get_or_insert(now + patience) {
                return None;
            }
            self.step = 1;
        } else {
            self.failed_steps = 0;
        }
        (self.bad, self.plateau) = (None, None);
        if wide < self.peak {
            return Some(wide);
        }
        let next = limit + self.step.min(tenth);
        self.step = self.step.saturating_mul(2);
        Some(next)
    }

    fn patience(&self) -> Duration {
        let trip = Duration::from_secs_f64(self.baseline.unwrap_or_default() / 1e6);
        let least = PATIENCE.0.max(trip * PATIENCE.1);
        let most = MOST_PATIENCE.0.max(trip * MOST_PATIENCE.1);
        (least * (2 + self.failed_steps.min(8)) / 2).min(most)
    }

    /// The limit was too high.
    fn overloaded(&mut self) {
        if self.seen.most < self.limit / 2 {
            // It is not the number of calls.
            return self.seen.clear();
        }
        let siege = self.besieged();
        if self.is_new_normal(&siege) {
            (self.baseline, self.tail) = (None, None);
            (self.siege, self.bad, self.plateau) = (None, None, None);
            return self.set(siege.limit);
        }
        let left = f64::from(self.limit) * CUTS[(siege.cuts - 1).min(CUTS.len() - 1)];
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was a u32")]
        let cut = left as u32;
        let was_step = self.good > 0 && self.good < self.limit;
        let cut = if was_step { cut.min(self.good) } else { cut }.max(self.bounds.min);
        if was_step {
            self.peak = self.peak.min(self.limit);
        } else {
            self.good = cut;
        }
        self.failed_steps = self.failed_steps.saturating_add(1);
        (self.bad, self.bounded, self.plateau) = (Some(self.limit), true, None);
        self.siege = Some(siege);
        self.set(cut);
    }

    fn besieged(&mut self) -> Siege {
        let errors = self.seen.errors > 0;
        match self.siege {
            Some(siege) => Siege { cuts: siege.cuts + 1, errors: siege.errors || errors, ..siege },
            None => Siege { cuts: 1, limit: self.limit, median: self.seen.median(), errors },
        }
    }

    /// Whether cuts do not help: it is as slow with a third of the calls, and nothing fails. Then
    /// the upstream itself has become slower, and the baseline is another.
    fn is_new_normal(&mut self, siege: &Siege) -> bool {
        let low = self.limit <= (siege.limit / 3).max(self.bounds.min);
        let median = self.seen.median();
        siege.cuts > 2 && low && !siege.errors && median > siege.median * 0.8
    }

    /// More than one in twenty fails, and more than one.
    const fn is_failing(&self, least: usize) -> bool {
        let all = self.seen.micros.len() + self.seen.errors;
        self.seen.errors > 1 && all >= least && self.seen.errors * 20 > all
    }

    fn set(&mut self, limit: u32) {
        self.seen.clear();
        let limit = limit.clamp(self.bounds.min, self.bounds.max);
        if limit != self.limit {
            self.limit = limit;
            self.round = self.round.wrapping_add(1);
        }
    }
}

fn window(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(MOST).clamp(FEWEST, MOST)
}
