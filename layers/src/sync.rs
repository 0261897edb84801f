//! The locks that shared state is built from: `std`'s, or those of the model checker.
//!
//! The configuration has a name of its own, since `tokio` takes `--cfg loom` for itself.
#[cfg(not(bartizan_loom))]
pub(crate) use std::sync::{Arc, Mutex};

#[cfg(bartizan_loom)]
pub(crate) use loom::sync::{Arc, Mutex};
