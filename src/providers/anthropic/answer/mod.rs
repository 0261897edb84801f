//! Whole answers: read from this dialect, and written in it.
mod read;
mod write;

pub use self::read::read_answer;
pub use self::write::write_answer;
