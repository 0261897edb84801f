//! Bartizan: a sidecar proxy for LLM calls.
pub mod config;
pub mod data;
pub mod server;
pub mod tasks;
pub mod telemetry;
