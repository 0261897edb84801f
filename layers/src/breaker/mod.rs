//! Rests deployments that fail.
