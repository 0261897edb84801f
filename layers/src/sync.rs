//! The locks and atomics of state that loom models check: std's everywhere else.
#[cfg(not(all(test, bartizan_loom)))]
pub(crate) use std::sync::{Mutex, atomic};

#[cfg(all(test, bartizan_loom))]
pub(crate) use loom::sync::{Mutex, atomic};
