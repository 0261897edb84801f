//! The state of a breaker in one atomic word: read without a lock, changed by compare and swap.
use crate::sync::atomic::AtomicU64;
use crate::sync::atomic::Ordering::{AcqRel, Acquire};

/// What the breaker lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Everything.
    Closed,
    /// Nothing, until the cooldown is over.
    Open,
    /// One probe.
    HalfOpen,
}

/// Two bits of state, fourteen that count its changes, and a time in milliseconds: the end of the
/// cooldown or, while there is a probe, when another call may be one too. The count tells probes
/// of an earlier cooldown from those of this.
#[derive(Debug)]
pub(super) struct Word(AtomicU64);

const UNTIL_BITS: u32 = 48;
const UNTIL: u64 = (1 << UNTIL_BITS) - 1;
const SERIAL: u64 = ((1 << 14) - 1) << UNTIL_BITS;
const KIND: u64 = 3 << 62;
const CLOSED: u64 = 0;
const RESTING: u64 = 1 << 62;
const PROBING: u64 = 2 << 62;

/// What a call finds.
#[derive(Debug)]
pub(super) enum Entry {
    /// The breaker is closed.
    Through,
    /// The cooldown is over, and this call is its probe.
    Probe(Probe),
    /// The cooldown ends then.
    Resting(u64),
    /// Another call is the probe.
    Probing,
}

/// The place for a probe: the word as the probe left it.
#[derive(Debug)]
pub(super) struct Probe(u64);

/// The word after `old`, with another state.
const fn next(old: u64, kind: u64, until: u64) -> u64 {
    let serial = old.wrapping_add(1 << UNTIL_BITS) & SERIAL;
    kind | serial | if until > UNTIL { UNTIL } else { until }
}

impl Word {
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(CLOSED))
    }

    fn load(&self) -> u64 {
        self.0.load(Acquire)
    }

    fn swap(&self, old: u64, new: u64) -> bool {
        self.0.compare_exchange(old, new, AcqRel, Acquire).is_ok()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.load() & KIND == CLOSED
    }

    /// When the cooldown ends, or ended; `None` while the breaker is closed, and once there is a
    /// probe.
    pub(super) fn until(&self) -> Option<u64> {
        let word = self.load();
        (word & KIND == RESTING).then_some(word & UNTIL)
    }

    pub(super) fn state(&self, now: impl FnOnce() -> u64) -> State {
        let word = self.load();
        match word & KIND {
            CLOSED => State::Closed,
            RESTING if now() < word & UNTIL => State::Open,
            _ => State::HalfOpen,
        }
    }

    /// Whether a call would get in.
    pub(super) fn admits(&self, now: impl FnOnce() -> u64) -> bool {
        let word = self.load();
        match word & KIND {
            CLOSED => true,
            _ => now() >= word & UNTIL,
        }
    }

    /// Asks to make a call. Where that is a probe, another may follow after `patience`: one that
    /// takes long, or hangs, must not keep all others out.
    pub(super) fn enter(&self, now: impl Fn() -> u64, patience: u64) -> Entry {
        loop {
            let word = self.load();
            let until = match word & KIND {
                CLOSED => return Entry::Through,
                _ => now().saturating_add(patience),
            };
            let probe = match word & KIND {
                RESTING if now() < word & UNTIL => return Entry::Resting(word & UNTIL),
                RESTING => next(word, PROBING, until),
                _ if now() < word & UNTIL => return Entry::Probing,
                // Beside the one before, whose end still counts.
                _ => word & !UNTIL | until.min(UNTIL),
            };
            if self.swap(word, probe) {
                return Entry::Probe(Probe(probe));
            }
        }
    }

    /// Opens a closed breaker. Whoever is told `true` did it.
    pub(super) fn open(&self, until: u64) -> bool {
        let word = self.load();
        word & KIND == CLOSED && self.swap(word, next(word, RESTING, until))
    }

    /// Rests until then, whatever went on, unless it rests for longer already.
    pub(super) fn rest(&self, until: u64) -> bool {
        loop {
            let word = self.load();
            if word & KIND == RESTING && word & UNTIL >= until {
                return false;
            }
            if self.swap(word, next(word, RESTING, until)) {
                return true;
            }
        }
    }

    pub(super) fn close(&self) {
        loop {
            let word = self.load();
            if word & KIND == CLOSED || self.swap(word, next(word, CLOSED, 0)) {
                return;
            }
        }
    }

    /// The probe did well. `false` if the breaker changed in the meantime, which counts more.
    pub(super) fn close_after(&self, probe: &Probe) -> bool {
        self.end(probe, CLOSED, 0)
    }

    /// The probe failed.
    pub(super) fn open_after(&self, probe: &Probe, until: u64) -> bool {
        self.end(probe, RESTING, until)
    }

    /// The probe told nothing: the next call may be one.
    pub(super) fn release(&self, probe: &Probe) {
        self.end(probe, RESTING, 0);
    }

    fn end(&self, probe: &Probe, kind: u64, until: u64) -> bool {
        loop {
            let word = self.load();
            if (word ^ probe.0) & !UNTIL != 0 {
                return false;
            }
            if self.swap(word, next(word, kind, until)) {
                return true;
            }
        }
    }
}

#[cfg(all(test, bartizan_loom))]
mod loom {
    use super::{Entry, State, Word};
    use loom::sync::Arc;
    use loom::thread::spawn;

    /// A breaker whose cooldown is over at 1.
    fn half_open() -> Arc<Word> {
        let word = Arc::new(Word::new());
        assert!(word.open(1));
        word
    }

    #[test]
    fn of_two_calls_after_a_cooldown_one_is_the_probe() {
        loom::model(|| {
            let word = half_open();
            let other = word.clone();
            let there = spawn(move || matches!(other.enter(|| 1, 1), Entry::Probe(_)));
            let here = matches!(word.enter(|| 1, 1), Entry::Probe(_));
            assert!(here ^ there.join().unwrap());
        });
    }

    #[test]
    fn of_two_failures_one_opens_it() {
        loom::model(|| {
            let word = Arc::new(Word::new());
            let other = word.clone();
            let there = spawn(move || other.open(5));
            assert!(word.open(7) ^ there.join().unwrap());
        });
    }

    #[test]
    fn a_trip_from_outside_outlives_a_probe_that_does_well() {
        loom::model(|| {
            let word = half_open();
            let other = word.clone();
            let there = spawn(move || other.rest(9));
            if let Entry::Probe(probe) = word.enter(|| 1, 1) {
                word.close_after(&probe);
            }
            there.join().unwrap();
            assert_eq!((word.state(|| 2), word.until()), (State::Open, Some(9)));
        });
    }

    #[test]
    fn a_probe_of_an_earlier_cooldown_decides_nothing() {
        loom::model(|| {
            let word = half_open();
            let Entry::Probe(stale) = word.enter(|| 1, 1) else { unreachable!() };
            let other = word.clone();
            let there = spawn(move || {
                other.rest(1);
                matches!(other.enter(|| 1, 1), Entry::Probe(_))
            });
            let decided = word.open_after(&stale, 9);
            let probes = there.join().unwrap();
            assert!(decided || probes, "whoever came first");
            assert!(!(probes && word.admits(|| 1)), "the second probe keeps its place");
        });
    }

    #[test]
    fn a_place_that_is_left_is_there_for_another() {
        loom::model(|| {
            let word = half_open();
            let Entry::Probe(probe) = word.enter(|| 1, 1) else { unreachable!() };
            let other = word.clone();
            let there = spawn(move || other.release(&probe));
            let entered = matches!(word.enter(|| 1, 1), Entry::Probe(_));
            there.join().unwrap();
            assert!(entered ^ word.admits(|| 1));
        });
    }

    #[test]
    fn a_probe_beside_a_slow_one_is_one_alone_and_both_may_close_it() {
        loom::model(|| {
            let word = half_open();
            let Entry::Probe(slow) = word.enter(|| 1, 1) else { unreachable!() };
            let other = word.clone();
            let there = spawn(move || matches!(other.enter(|| 2, 1), Entry::Probe(_)));
            let here = matches!(word.enter(|| 2, 1), Entry::Probe(_));
            assert!(here ^ there.join().unwrap());
            assert!(word.close_after(&slow));
            assert!(word.is_closed());
        });
    }
}
