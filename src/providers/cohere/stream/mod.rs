//! What a model answers piece by piece, read from Cohere's words and written in them.
mod plain;
mod read;
mod write;

pub use self::read::Reader;
pub use self::write::Writer;
