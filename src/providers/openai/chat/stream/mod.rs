//! Streams.
mod plain;
mod read;
mod write;

pub use self::read::Reader;
pub use self::write::Writer;
