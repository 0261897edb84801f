//! Ollama's native chat and its embeddings. Answers of `/api/generate` are read too.
//!
//! Thoughts that a model writes into its text between `<think>` tags stay there: only those that
//! Ollama tells apart are thoughts.
mod answer;
pub mod embed;
mod error;
mod request;
mod stream;
#[cfg(test)]
mod tests;
mod usage;

pub use self::answer::read_answer;
pub use self::error::read_error;
pub use self::request::write_request;
pub use self::stream::Reader;
