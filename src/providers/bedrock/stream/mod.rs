//! What a model answers piece by piece, in Converse's words.
mod plain;
mod read;

pub use self::read::Reader;
