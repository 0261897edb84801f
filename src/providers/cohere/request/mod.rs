//! What a client asks, in Cohere's words.
mod content;
#[cfg(test)]
mod tests;
mod tools;
mod turns;
mod write;

pub use self::write::write_request;
