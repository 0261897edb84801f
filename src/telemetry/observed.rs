//! What is counted while a stream flows.
use prometheus::{Gauge, Histogram};
use std::time::Duration;

/// The histograms of one provider that a stream's frames are counted in.
#[derive(Clone, Debug)]
pub struct Observed {
    pub(super) first_content: Histogram,
    pub(super) gap: Histogram,
    pub(super) open_streams: Gauge,
}

impl Observed {
    /// A stream has begun to flow.
    pub fn opened(&self) {
        self.open_streams.inc();
    }

    /// A stream has ended, however.
    pub fn closed(&self) {
        self.open_streams.dec();
    }

    /// The first content came this long after the call was sent.
    pub fn first_content(&self, after: Duration) {
        self.first_content.observe(after.as_secs_f64());
    }

    /// More content came this long after the one before.
    pub fn gap(&self, after: Duration) {
        self.gap.observe(after.as_secs_f64());
    }
}
