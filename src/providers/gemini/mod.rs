//! Gemini: generateContent.
mod answer;
pub mod embed;
mod error;
mod failure;
mod fields;
mod finish;
mod grounding;
mod ids;
mod logprobs;
mod media;
mod model;
mod openapi;
mod part;
mod request;
mod ruler;
mod schema;
mod stream;
mod thinking;
mod tools;
mod usage;

#[cfg(test)]
mod tests;

pub use self::answer::{read_answer, write_answer};
pub use self::error::error_body;
pub use self::failure::read_error;
pub use self::request::{read_request, write_request};
pub use self::stream::{Reader, Writer};
