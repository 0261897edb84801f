//! OpenAI responses, as a client's dialect and as a provider's.
//!
//! A response is a list of items: messages, calls of tools, thoughts. Items that the model wrote
//! one after the other are one turn of it in the neutral model.
mod answer;
mod echo;
mod free_text;
mod history;
mod json;
mod media;
mod member;
mod namespace;
mod request;
mod sealed;
mod stream;
#[cfg(test)]
mod tests;
mod usage;

pub use self::answer::{read_answer, read_error, response_id, write_answer};
pub use self::echo::echo;
pub use self::history::{Continuing, Past, id_of, input_items};
pub use self::request::{read_request, write_request};
pub use self::stream::{Reader, Writer};
