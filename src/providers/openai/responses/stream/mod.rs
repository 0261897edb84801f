//! Streams.
mod delta;
mod read;
mod told;
mod write;

pub use self::read::Reader;
pub use self::write::Writer;
