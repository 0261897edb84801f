//! Anthropic: messages.
mod answer;
mod carried;
mod citation;
mod error;
mod failure;
mod finish;
mod request;
mod stream;
#[cfg(test)]
mod tests;
mod usage;

pub use self::answer::{read_answer, write_answer};
pub use self::error::error_body;
pub use self::failure::read_error;
pub use self::request::{read_request, write_request};
pub use self::stream::{Reader, Writer};
