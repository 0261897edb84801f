//! OpenAI chat completions, as a client's dialect and as a provider's: of OpenAI itself and of the
//! many that speak like it.
mod answer;
mod request;
mod stream;
#[cfg(test)]
mod tests;
mod usage;

pub(in crate::providers::openai) use self::answer::write_finish;
pub use self::answer::{read_answer, read_error, write_answer};
pub use self::request::{read_request, write_request};
pub use self::stream::{Reader, Writer};
