//! What a model answers piece by piece, in Cohere's words.
mod read;
mod version_one;

pub use self::read::Reader;
