//! Money as integers.
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub, SubAssign};

/// Money in billionths of a US dollar. Integers, so that sums are exact; they stop at the ends of
/// their range, some nine billion dollars, instead of wrapping around.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NanoUsd(pub i64);

impl NanoUsd {
    /// The nearest whole number of billionths.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "`as` stops at the ends of the range")]
    pub fn from_dollars(dollars: f64) -> Self {
        Self((dollars * 1e9).round() as i64)
    }

    /// For people and for metrics; not to calculate with.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "it is shown, not summed")]
    pub fn dollars(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl Add for NanoUsd {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self(self.0.saturating_add(more.0))
    }
}

impl Sub for NanoUsd {
    type Output = Self;

    fn sub(self, less: Self) -> Self {
        Self(self.0.saturating_sub(less.0))
    }
}

impl AddAssign for NanoUsd {
    fn add_assign(&mut self, more: Self) {
        *self = *self + more;
    }
}

impl SubAssign for NanoUsd {
    fn sub_assign(&mut self, less: Self) {
        *self = *self - less;
    }
}

impl Sum for NanoUsd {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self(0), Add::add)
    }
}

impl fmt::Display for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, nanos) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        write!(f, "{sign}${}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
    }
}
