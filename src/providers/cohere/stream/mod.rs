//! What a model answers piece by piece, in Cohere's words.
mod read;

pub use self::read::Reader;
