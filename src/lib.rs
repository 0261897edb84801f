//! Bartizan: a sidecar proxy for LLM calls.
pub mod admin;
pub mod config;
pub mod data;
pub mod edge;
pub mod forward;
pub mod providers;
pub mod router;
pub mod server;
pub mod stack;
pub mod tasks;
pub mod telemetry;
