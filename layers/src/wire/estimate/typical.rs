//! What the calls of a group usually take.
use super::Size;
use crate::facts::{Unit, Usage};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What the calls of a model group usually take: the tokens of an answer and the bytes of a token,
/// each a moving average over some 16 calls. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Typical(Arc<Averages>);

/// Averages in 256ths; 0 is none yet.
#[derive(Debug, Default)]
struct Averages {
    output: AtomicU64,
    bytes: AtomicU64,
}

/// The tokens of an answer, while no call has ended.
const OUTPUT: u64 = 256;

/// The bytes of a token, while no call has ended.
const BYTES: u64 = 4;

const ONE: u64 = 256;

impl Typical {
    /// The tokens that one answer usually has.
    #[must_use]
    pub fn output(&self) -> i64 {
        let average = read(&self.0.output, OUTPUT);
        i64::try_from(average.div_ceil(ONE)).unwrap_or(i64::MAX)
    }

    /// The tokens that a text of so many bytes usually has.
    pub(super) fn tokens(&self, bytes: i64) -> i64 {
        let each = i128::from(read(&self.0.bytes, BYTES));
        let tokens = (i128::from(bytes.max(0)) * i128::from(ONE) + each - 1) / each;
        i64::try_from(tokens).unwrap_or(i64::MAX)
    }

    /// Learns from a call that is over: the `usage` that the provider reported of a request of
    /// this `size`.
    pub fn learn(&self, size: &Size, usage: &Usage) {
        let (input, output) = (usage[Unit::Input], usage[Unit::Output]);
        if output > 0 {
            note(&self.0.output, output / size.choices.max(1), 1);
        }
        // Prompts with data, and very short ones, which consist of what a provider adds, tell
        // nothing about text.
        if input >= 16 && size.data == 0 {
            note(&self.0.bytes, size.text.clamp(input, input.saturating_mul(16)), input);
        }
    }
}

fn read(average: &AtomicU64, default: u64) -> u64 {
    match average.load(Relaxed) {
        0 => default * ONE,
        average => average,
    }
}

/// Moves an average towards `sum / count` by a sixteenth, or there if it is the first.
fn note(average: &AtomicU64, sum: i64, count: i64) {
    let new = i128::from(sum) * i128::from(ONE) / i128::from(count.max(1));
    let new = u64::try_from(new.clamp(1, 1 << 48)).unwrap_or(1);
    let moved = |old: u64| {
        Some(match old {
            0 => new,
            // Up or down by one at least, or small differences would stay for ever.
            old if new > old => old + (new - old).div_ceil(16),
            old => old - (old - new).div_ceil(16),
        })
    };
    // It always has a value to go to.
    average.fetch_update(Relaxed, Relaxed, moved).ok();
}
