//! The samples of one round of a limit.

/// What was seen of the present round.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Times to first byte.
    pub(super) micros: Vec<u32>,
    /// Samples that started with three quarters of the limit taken.
    pub(super) full: usize,
    /// Samples that were far slower than the baseline.
    pub(super) slow: usize,
    pub(super) errors: usize,
    /// How many were in flight at most.
    pub(super) most: u32,
}

impl Seen {
    /// Room for so many samples.
    pub(super) fn new(samples: usize) -> Self {
        Self { micros: Vec::with_capacity(samples), ..Self::default() }
    }

    /// Zero where nothing was answered.
    pub(super) fn median(&mut self) -> f64 {
        let middle = self.micros.len() / 2;
        if self.micros.is_empty() {
            return 0.0;
        }
        f64::from(*self.micros.select_nth_unstable(middle).1)
    }

    pub(super) fn slower_than(&self, micros: f64) -> usize {
        self.micros.iter().filter(|one| f64::from(**one) > micros).count()
    }

    pub(super) fn clear(&mut self) {
        self.micros.clear();
        (self.full, self.slow, self.errors, self.most) = (0, 0, 0, 0);
    }
}
