//! Streams: read from this dialect, and written in it.
mod plain;
mod read;
mod write;

pub use self::read::Reader;
pub use self::write::Writer;
