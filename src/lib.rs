//! Bartizan: a sidecar proxy for LLM calls.
pub mod config;
pub mod data;
pub mod forward;
pub mod tasks;
