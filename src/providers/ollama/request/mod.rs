//! What a client asks, in Ollama's words.
mod message;
mod options;
mod tools;
mod turns;
mod write;

pub use self::write::write_request;
