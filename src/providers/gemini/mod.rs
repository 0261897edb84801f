//! Gemini: generateContent.
mod error;

pub use self::error::error_body;
