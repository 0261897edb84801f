//! AWS Bedrock: Converse and ConverseStream, whichever model answers.
//!
//! Converse has members for what most models know. What only some know goes beside them, in
//! `additionalModelRequestFields`, in the words of the model's maker.
mod answer;
mod citation;
pub mod embed;
mod error;
mod family;
mod request;
mod stream;
#[cfg(test)]
mod tests;
mod usage;

pub use self::answer::read_answer;
pub use self::error::read_error;
pub use self::request::{more_fields, write_request};
pub use self::stream::Reader;
