//! Tower layers for LLM traffic, usable in any hyper server.
#[cfg(feature = "auth")]
pub mod auth;
pub mod body;
pub mod cause;
pub mod end;
pub mod facts;
pub mod query;
#[cfg(feature = "wire")]
pub mod wire;

/// A type-erased error, as in `tower`.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
