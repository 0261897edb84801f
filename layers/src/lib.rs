//! Tower layers for LLM traffic, usable in any hyper server.
#[cfg(feature = "adaptive")]
pub mod adaptive;
#[cfg(feature = "auth")]
pub mod auth;
pub mod body;
#[cfg(feature = "breaker")]
pub mod breaker;
#[cfg(feature = "cache")]
pub mod cache;
pub mod cause;
#[cfg(feature = "cost")]
pub mod cost;
pub mod end;
pub mod facts;
#[cfg(feature = "fallback")]
pub mod fallback;
pub mod query;
#[cfg(feature = "ratelimit")]
pub mod ratelimit;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "retry")]
pub mod retry;
#[cfg(any(feature = "adaptive", feature = "breaker", feature = "cache", feature = "ratelimit"))]
mod sync;
#[cfg(feature = "wire")]
pub mod wire;

/// A type-erased error, as in `tower`.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
