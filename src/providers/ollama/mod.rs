//! Ollama's native chat, `/api/generate` and embeddings.
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
#[cfg(test)]
mod tests_clients;
mod usage;

pub use self::answer::{read_answer, write_answer, write_generated};
pub use self::error::{error_body, error_event, read_error};
pub use self::request::{read_generate, read_request, write_request};
pub use self::stream::{Reader, Writer};
