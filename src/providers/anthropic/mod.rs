//! Anthropic: messages.
mod error;

pub use self::error::error_body;
