//! What request bodies are measured by, and the memory that all buffered ones may hold together.
use super::wanted::Wanted;
use crate::providers::Hold;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// How request bodies are taken.
#[derive(Debug)]
pub struct BodyRules {
    /// The largest body in bytes, of calls that are read whole and of forms.
    pub cap: usize,
    /// What of bodies is held, is held as long as it lasts.
    pub budget: Budget,
    /// The model of calls that name none.
    pub default_model: Option<Box<str>>,
    /// Whether calls may bring their own upstream or credential to some deployment; else such
    /// calls are refused.
    pub elsewhere: bool,
    /// What is found out about calls for the layers behind.
    pub wanted: Wanted,
    /// The largest object of an account in bytes; `None` for any size.
    pub largest_file: Option<u64>,
}

/// Bytes that are left. Clones share them.
#[derive(Clone, Debug)]
pub struct Budget(Arc<AtomicUsize>);

/// What one call holds of a [`Budget`]; given back when dropped.
#[derive(Debug)]
pub struct Share {
    budget: Budget,
    held: AtomicUsize,
}

impl Budget {
    /// So many bytes for all.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    /// A share of nothing yet.
    #[must_use]
    pub fn share(&self) -> Share {
        Share { budget: self.clone(), held: AtomicUsize::new(0) }
    }

    /// Bytes that nobody holds.
    #[must_use]
    pub fn left(&self) -> usize {
        self.0.load(Relaxed)
    }
}

impl Share {
    /// Another share, of nothing yet, for what is needed less long.
    #[must_use]
    pub fn aside(&self) -> Self {
        self.budget.share()
    }

    /// Holds `bytes` in all from now on, unless too little is left for that.
    #[must_use]
    pub fn grow_to(&self, bytes: usize) -> bool {
        match bytes.saturating_sub(self.held.load(Relaxed)) {
            0 => true,
            more => self.hold_more(more),
        }
    }
}

impl Hold for Share {
    fn hold_more(&self, bytes: usize) -> bool {
        let taken = self.budget.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(bytes));
        if taken.is_ok() {
            self.held.fetch_add(bytes, Relaxed);
        }
        taken.is_ok()
    }

    fn another(&self) -> Arc<dyn Hold> {
        Arc::new(self.aside())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.0.fetch_add(self.held.load(Relaxed), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    #[test]
    fn shares_are_refused_beyond_the_budget_and_given_back() {
        let budget = Budget::new(100);
        let (one, two) = (budget.share(), budget.share());
        assert!(one.grow_to(60) && one.grow_to(10));
        assert!(!two.grow_to(41));
        assert!(two.grow_to(40));
        drop(one);
        assert_eq!(budget.left(), 60);
        drop(two);
        assert_eq!(budget.left(), 100);
    }
}
