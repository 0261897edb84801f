//! The standard library's locks and atomics; those of loom where it tries every interleaving.
//!
//! The configuration has a name of its own, since `tokio` takes `--cfg loom` for itself.
#[cfg(bartizan_loom)]
pub(crate) use loom::sync::*;
#[cfg(not(bartizan_loom))]
pub(crate) use std::sync::*;
