//! What a client asks, read from Ollama's words and written in them.
mod asked;
mod message;
mod messages;
mod options;
mod read;
mod tools;
mod turns;
mod write;

pub use self::read::{read_generate, read_request};
pub use self::write::write_request;
