//! How the ledger stands: what readiness and metrics tell of it.
use crate::store::StoreError;
use crate::telemetry::Metrics;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

/// How the ledger stands.
#[derive(Debug)]
pub struct Standing {
    metrics: Arc<Metrics>,
    lost: AtomicU64,
    waiting: AtomicUsize,
    away: AtomicBool,
    told: AtomicBool,
}

impl Standing {
    /// Nothing was lost yet.
    #[must_use]
    pub const fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            metrics,
            lost: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            away: AtomicBool::new(false),
            told: AtomicBool::new(false),
        }
    }

    /// What is wrong, in a few words; `None` if nothing is.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let (lost, waiting) = (self.lost.load(Relaxed), self.waiting.load(Relaxed));
        let full = self.told.load(Relaxed) && waiting > 0;
        if lost == 0 && !full && !self.away.load(Relaxed) {
            return None;
        }
        let mut words = Vec::new();
        if full {
            words.push(format!("no room on the disk: {waiting} records wait in memory"));
        }
        if lost > 0 {
            words.push(format!("{lost} records lost"));
        }
        if self.away.load(Relaxed) {
            words.push("the store is away: records wait in the journal".to_owned());
        }
        Some(words.join("; "))
    }

    /// Records that are nowhere.
    pub(super) fn lost(&self, records: u64) {
        if records > 0 {
            self.lost.fetch_add(records, Relaxed);
            self.metrics.lost_records(records);
        }
    }

    pub(super) fn full(&self, error: &io::Error) {
        if !self.told.swap(true, Relaxed) {
            tracing::error!(
                %error,
                "The journal cannot be written: records of calls wait in memory. Make room in the \
                 state directory"
            );
        }
    }

    pub(super) fn waiting(&self, records: usize) {
        self.waiting.store(records, Relaxed);
        if records == 0 && self.told.swap(false, Relaxed) {
            tracing::info!("All records of calls that had no room are kept now");
        }
    }

    pub(super) fn away(&self, error: &StoreError) {
        if !self.away.swap(true, Relaxed) {
            tracing::warn!(
                %error,
                "Records of calls stay in the journal until the store takes them"
            );
        }
    }

    pub(super) fn back(&self) {
        if self.away.load(Relaxed) && self.away.swap(false, Relaxed) {
            tracing::info!("The store takes records of calls again");
        }
    }
}
