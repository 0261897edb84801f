//! What a client asks, read from Cohere's words and written in them.
mod content;
mod documents;
mod messages;
mod read;
#[cfg(test)]
mod tests;
mod tools;
mod turns;
mod write;

pub use self::read::read_request;
pub use self::write::write_request;
