//! Cohere's chat, version 2, and its embeddings.
//!
//! A `tool_plan` is read as a thought: it is what the model says to itself before it calls tools,
//! and its chat template puts it where reasoning models have their thoughts.
mod answer;
mod citation;
pub mod embed;
mod error;
mod request;
mod stream;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_clients;
mod usage;

pub use self::answer::{read_answer, write_answer};
pub use self::error::{error_body, error_event, read_error};
pub use self::request::{read_request, write_request};
pub use self::stream::{Reader, Writer};
